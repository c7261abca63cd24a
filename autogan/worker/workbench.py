"""A worker's memory between calls: data, feature network, evaluator, GANs."""

import dataclasses
import gc
import hashlib
import math
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from autogan.config import TrainConfig
from autogan.core.arrays import Attributes
from autogan.core.errors import ConfigError
from autogan.core.files import Damaged, arrays_digest, cache_root, read_arrays
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.networks.base import FeatureNetwork, SavedModelNetwork
from autogan.criteria.networks.classifier import ClassifierNetwork
from autogan.criteria.networks.efficientnet import EfficientNet
from autogan.criteria.networks.untrained import RandomNetwork
from autogan.criteria.networks.weights import Tell, efficientnet_weights, inception_weights
from autogan.criteria.published import Published, check_needs
from autogan.data import MEMORY_BYTES, ImageData, Split, check_trainable, dataset_named, loaded
from autogan.models.base import ImageShape
from autogan.models.training.batches import TrainingSet
from autogan.models.training.trainer import Trainer
from autogan.pool.message import Call
from autogan.record.folder import TrialFolder, feature_weights, first_stage, run_of
from autogan.worker.checks import refuse_labels, takes_attributes
from autogan.worker.device import set_device
from autogan.worker.stage1 import first_stage_training, keep, read_training

_MAX_GANS = 4  # GANs to keep in memory
_MAX_GAN_BYTES = 2**29  # of the variables of all, if there is more than one
_MAX_GROWTH = 2**31  # bytes of memory since the first trial; beyond, a new worker takes over
_CLASSIFIER_IMAGES = 100_000  # to train a classifier on, at most

T = TypeVar("T")


class Workbench:
    """Objects that calls share, each created on first use.

    Args:
        tell: is called with notes on slow work.

    Attributes:
        device: TensorFlow's device; None before the first call.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._kept: dict[str, tuple[Any, Any]] = {}
        self._trainers: dict[Any, Trainer] = {}  # the least recently used first
        self._first_bytes: int | None = None
        self.device: str | None = None

    @property
    def full(self) -> bool:
        """Whether the process uses so much memory that a new worker should take over.

        A GAN takes its variables and some 30 MB for its graphs; when it is dropped, the process
        keeps 5 to 15 MB of that.
        """
        now = memory_bytes()
        if self._first_bytes is None:
            self._first_bytes = now
        return now - self._first_bytes > _MAX_GROWTH

    def use(self, call: Call) -> TrainConfig:
        """A call's configuration; the first call sets threads and device.

        Raises:
            ConfigError: if there is no such device.
        """
        run = TrainConfig(**call.config)
        if self.device is None:
            self.device = set_device(run)
        return run

    def data(self, run: TrainConfig) -> ImageData:
        """The dataset."""
        return self._keep(
            "data", data_key(run), lambda: self.images(run.dataset, run, run.image_size)
        )

    def images(self, name: str, run: TrainConfig, image_size: int | None) -> ImageData:
        """A dataset's images at a size, read with a configuration's options."""
        dataset, reading = dataset_named(name, run.data_dir), run.reading
        if name != run.dataset:
            reading = dataclasses.replace(reading, labels=None)  # they are for run.dataset's images
        return loaded(dataset, image_size, reading, self._tell)

    def reference(self, run: TrainConfig) -> Split:
        """All real images of the reference split; criteria use ``eval_samples`` of them."""
        data = self.data(run)
        split = data.train if run.reference_split == "train" else data.test
        if split is None:
            raise ConfigError(
                "reference_split",
                f"test, but {run.dataset} has no test images; use train, or add a folder test/ "
                "next to train/",
            )
        return split

    def unseen(self, run: TrainConfig) -> Split | None:
        """Real images for neither training nor reference; None if there are none.

        Raises:
            ConfigError: if there are none, and a criterion needs them.
        """
        wanting = [name for name, kind in run.criteria().items() if "unseen" in kind.needs]
        found = self.data(run).test if run.reference_split == "train" else None
        if found is None and wanting:
            why = (
                "reference_split test leaves none; use train"
                if run.reference_split == "test"
                else f"{run.dataset} has no test images; add a folder test/ next to train/"
            )
            raise ConfigError("criterion", f"{wanting[0]} needs unseen images, but {why}")
        return found

    def network(self, run: TrainConfig, folder: str = "") -> FeatureNetwork:
        """The feature network; if the run in a folder has a copy of its weights, with these."""
        kept = feature_weights(Path(folder)) if folder else None

        def load() -> FeatureNetwork:
            if run.features == "inception":
                return SavedModelNetwork("inception", inception_weights(self._tell))
            if run.features == "efficientnet":
                return EfficientNet(efficientnet_weights())
            if run.features == "random":
                return RandomNetwork(self.data(run).image_shape)
            if run.features != "classifier":
                return SavedModelNetwork(None, Path(run.features or ""))
            self.check_labelled(run)
            data = self.data(run)
            most = min(_CLASSIFIER_IMAGES, MEMORY_BYTES // math.prod(data.image_shape))
            images, labels = data.train.subset(most)
            tested, classes = (None, None) if data.test is None else data.test.subset(most)
            assert labels is not None
            unseen = None if tested is None or classes is None else (tested, classes)
            # Its weights do not depend on the number of threads.
            return ClassifierNetwork(images, labels, self._cache(), kept, unseen, self._tell)

        key: Any = run.features
        if run.features == "random":
            key = (key, self.data(run).image_shape)
        if run.features == "classifier":
            key = (data_key(run), kept if kept is not None and kept.exists() else None)
        return self._keep("network", key, load)

    def training_set(self, run: TrainConfig) -> TrainingSet:
        """The training split, on the device unless it is too large."""
        train = self.data(run).train
        return self._keep(
            "training",
            data_key(run),
            lambda: TrainingSet(train.images, train.labels, train.fits_in_memory),
        )

    def check_labelled(self, run: TrainConfig) -> None:
        """Refuse a classifier if the images have no classes."""
        if self.data(run).train.classes is None:
            why = f" ({self.data(run).unlabelled})" if self.data(run).unlabelled else ""
            has = "attributes" if self.data(run).attributes else f"none{why}"
            learns = "classes" if self.data(run).attributes else "labels"
            raise ConfigError(
                "features",
                f"classifier needs {learns}, but {run.dataset} has {has}; use --features "
                "inception, efficientnet, random or the path of a SavedModel",
            )

    def evaluator(self, run: TrainConfig, folder: str) -> Evaluator:
        """The evaluator of a configuration's criteria, for the run in a folder."""
        published = None
        if run.reference_statistics is not None:
            check_needs(run.criteria(), run.reference_statistics)
            published = Published.read(run.reference_statistics)
        network = self.network(run, folder)

        def build() -> Evaluator:
            reference, classes = self.reference(run).subset(run.eval_samples)
            split, unseen = run.reference_split, self.unseen(run)
            some = None if unseen is None else unseen.subset(run.eval_samples)[0]
            return Evaluator(
                network,
                run.criteria(),
                reference,
                self._cache(run.threads),
                split,
                classes,
                some,
                run.generated,
                published,
            )

        key = (
            network.weights_hash,
            *run.criteria(),
            data_key(run),
            run.reference_split,
            run.eval_samples,
            run.generated,
            published and arrays_digest({"": published.moments.covariance}),
        )
        return self._keep("evaluator", key, build)

    def check_features(self, run: TrainConfig) -> None:
        """Check that the features have the logits that criteria need, for the dataset's classes.

        Raises:
            ConfigError: naming the criterion.
        """
        wanting = [name for name, kind in run.criteria().items() if "logits" in kind.needs]
        if wanting and run.features != "classifier" and not self.network(run).classes:
            raise ConfigError(
                "criterion",
                f"{wanting[0]} needs logits, but {run.features} has none; use --features "
                "classifier, inception or efficientnet, or a criterion that compares features, "
                "such as fid",
            )
        classes = len(self.data(run).train.class_counts)
        if run.features != "classifier" and self.network(run).classes != classes:
            refuse_labels(
                run,
                f"{run.features} has logits of {self.network(run).classes} classes, {run.dataset} "
                f"has {classes} classes; use --features classifier, or a SavedModel with those",
                "logits",
            )

    def stage1(self, run: TrainConfig, folder: str) -> tuple[Trainer, list[str]] | None:
        """The first stage, whose images a configuration enlarges; None without one.

        It comes with the names of its classes or attributes. The run in ``folder`` may have a copy.

        Raises:
            ConfigError: if there is no such training.
        """
        if run.stage1 is None:
            return None
        root = first_stage_training(run, folder)
        config = read_training(root, run)
        path = TrialFolder.of(root.resolve(), config).best
        written = path.read_bytes() if path.exists() else b""
        key = (config.gan_type, hashlib.sha256(written).digest())
        return self._keep("stage1", key, lambda: self.restored(config, root, "best"))

    def keep_stage1(self, run: TrainConfig, folder: str) -> None:
        """Copy a configuration's first stage, if it has one, into the run's folder."""
        if run.stage1 is not None:
            root = first_stage_training(run, folder)
            keep(root, read_training(root, run), first_stage(Path(folder)))

    def learner(self, run: TrainConfig, folder: str = "") -> Trainer:
        """The trainer of a configuration for its dataset; see `trainer`."""
        data = self.data(run)
        train = data.train
        return self.trainer(
            run, data.image_shape, train.class_counts, train.drawn_attributes, folder
        )

    def trainer(
        self,
        run: TrainConfig,
        image_shape: ImageShape,
        class_counts: tuple[int, ...],
        attributes: Attributes | None = None,
        folder: str = "",
    ) -> Trainer:
        """The trainer of a configuration, built once for each shape, or again if it was dropped.

        Args:
            run: the configuration.
            image_shape: of the images to generate.
            class_counts: of the training set.
            attributes: of images of the training set, uint8 [M, A], if it has any.
            folder: of the run, if it may keep a first stage.

        Raises:
            ConfigError: if the GAN type cannot learn such images.
        """
        check_trainable(image_shape)
        hyperparameters = run.hyperparameters()
        stage1, _ = self.stage1(run, folder) or (None, [])
        shape = run.gan.shape_of(hyperparameters)
        how = {"stage1": stage1, "xla": run.compiler == "xla", "precision": run.precision}
        usual = {"stage1": None, "xla": False, "precision": "float32"}
        drawn = None if attributes is None else arrays_digest({"": attributes})
        key = (run.gan_type, image_shape, class_counts, shape, *how.values(), drawn)
        trainer = self._trainers.pop(key, None)
        if trainer is None:
            self._make_room()  # before building the next: both may not fit
            # A user's type may not accept unusual arguments.
            more: dict[str, Any] = {n: value for n, value in how.items() if value != usual[n]}
            if attributes is not None and takes_attributes(run):
                more["attributes"] = attributes
            trainer = run.gan.build(image_shape, hyperparameters, class_counts, **more)
        self._trainers[key] = trainer
        return trainer

    def _make_room(self) -> None:
        """Drop the least recently used GANs, to make room for another as large as the last."""
        sizes = [trainer.state_bytes for trainer in self._trainers.values()]
        left = sizes + sizes[-1:]
        while len(left) > 1 and (len(left) > _MAX_GANS or sum(left) > _MAX_GAN_BYTES):
            del left[0], self._trainers[next(iter(self._trainers))]
        if len(left) <= len(sizes):
            gc.collect()  # a compiled function and its graph refer to each other

    def restored(self, run: TrainConfig, root: Path, checkpoint: str) -> tuple[Trainer, list[str]]:
        """The trainer of a training, with its generator at a checkpoint, without the dataset.

        It comes with the names of its classes or attributes, or with their numbers.
        """
        folder = TrialFolder.of(root.resolve(), run)
        path = folder.best if checkpoint == "best" else folder.last
        if not path.exists():
            raise ConfigError("checkpoint", f"{path} does not exist; train first")
        try:
            arrays = read_arrays(path)
        except Damaged as error:
            raise ConfigError(
                "checkpoint", f"{error}; train again, or use the other checkpoint"
            ) from None
        height, width, channels = arrays.pop("image_shape").tolist()
        counts = tuple(arrays.pop("class_counts", np.zeros(0)).tolist())
        shape, attributes = (height, width, channels), arrays.pop("attributes", None)
        trainer = self.trainer(run, shape, counts, attributes, str(run_of(root)))
        trainer.restore_generator(arrays)
        names: list[str] = arrays["class_names"].tolist()
        return trainer, names or [str(number) for number in range(trainer.conditions)]

    def _cache(self, threads: int | None = None) -> Path:
        """The cache's folder for results of the same arithmetic: version, device and threads."""
        device = (self.device or "cpu").replace(" ", "-").replace("/", "-")
        part = "" if threads is None else f"-{threads}-threads"
        return cache_root() / f"tensorflow-{tf.__version__}-{device}{part}"

    def _keep(self, slot: str, key: Any, make: Callable[[], T]) -> T:
        """The object in this slot, created again if the last one was for another key."""
        if slot not in self._kept or self._kept[slot][0] != key:
            self._kept.pop(slot, None)  # before creating the next: both may not fit
            self._kept[slot] = (key, make())
        value: T = self._kept[slot][1]
        return value


def memory_bytes() -> int:
    """The memory that the process uses; if the system does not report it, its maximum so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most
    return pages * resource.getpagesize()


def data_key(run: TrainConfig) -> tuple[Any, ...]:
    """The part of a configuration that decides the images."""
    return (run.dataset, run.data_dir, run.image_size, run.reading)
