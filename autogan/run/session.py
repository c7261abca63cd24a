"""What a worker can be asked to do, and what it keeps in memory in between."""

import dataclasses
import math
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from threadpoolctl import threadpool_limits

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import cache_root, read_arrays, write_arrays
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.networks import (
    ClassifierNetwork,
    FeatureNetwork,
    SavedModelNetwork,
    inception,
)
from autogan.data import MEMORY_BYTES, ImageData, Split, check_trainable, dataset_named
from autogan.models.adversarial import Adversarial, Latents
from autogan.models.base import ImageShape
from autogan.models.batches import TrainingSet
from autogan.run.events import declare_search
from autogan.run.folder import TrialFolder, lock, moved
from autogan.run.trial import EVALUATION_LATENTS, Driver, run_trial
from autogan.version import __version__

_MAX_SHAPES = 2  # built GANs kept in memory; beyond, the driver starts a fresh worker
_CLASSIFIER_IMAGES = 100_000  # that a classifier learns from, at most

T = TypeVar("T")


class Session:
    """The calls of a worker. Each takes and returns what JSON can hold.

    Args:
        driver: the other end of the pipe.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._kept: dict[str, tuple[Any, Any]] = {}
        self._gans: dict[Any, Adversarial] = {}
        self._claimed: str | None = None
        self._device: str | None = None

    @property
    def full(self) -> bool:
        """Whether memory holds enough, so that the next trial should have a fresh process."""
        return len(self._gans) > _MAX_SHAPES

    def open(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Check all of a configuration that needs data, devices or TensorFlow, and say what it is.

        Raises:
            ConfigError: if it cannot be run here.
        """
        run = TrainConfig(**config)
        self._use(run)
        data = self._data(run)
        self._reference(run)
        generator = self._gan(run, data.image_shape, data.train.class_counts).generator
        if run.features == "classifier":
            self._check_labelled(run)  # trained in `prepare`
        else:
            self._network(run)
        if run.gan.condition == "none":
            _refuse_labels(run, f"{run.gan_type} makes images of no given class; use cgan or acgan")
        self._check_classes_known(run)
        return {
            "images": len(data.train),
            "image_shape": data.image_shape,
            "data": {"images": len(data.train), "classes": data.classes},
            "generator_bytes": 4 * generator.count_params(),
            "environment": self._environment(),
        }

    def claim(self, folder: str) -> Mapping[str, Any]:
        """Lock a run's folder for as long as this process lives.

        Raises:
            ConfigError: if another process has it, or it cannot be written.
        """
        if self._claimed != folder:
            lock(Path(folder))  # lasts as long as the process
            self._claimed = folder
        return {}

    def prepare(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Train or load the feature network, and compute or load the real data's statistics."""
        run = TrainConfig(**config)
        self._use(run)
        evaluator = self._evaluator(run)
        return {
            "objective": run.objective.label(evaluator.labels()),
            "labels": evaluator.labels(),
            "features": {
                "network": evaluator.network.name,
                "weights": evaluator.network.weights_hash,
                "samples": evaluator.samples,
                "split": run.reference_split,
            },
        }

    def declare(self, config: Mapping[str, Any], folder: str) -> Mapping[str, Any]:
        """Declare a search's hyperparameters and metrics to TensorBoard."""
        search = SearchConfig(**config)
        logs = moved(Path(folder), search.log_dir)
        labels = self._evaluator(search).labels()
        # Scaled by the history, each trial's curve has a scale of its own: no column of a table.
        best = None if search.normalise == "history" else search.objective.label(labels)
        declare_search(str(logs), search.space.dimensions, best, labels.values())
        return {}

    def train(self, config: Mapping[str, Any], folder: str) -> Mapping[str, Any] | None:
        """Run a trial in ``folder``; None if it was interrupted."""
        run = TrainConfig(**config)
        self._use(run)
        data = self._data(run)
        trial = run_trial(
            run,
            TrialFolder.of(Path(folder), run),
            self._gan(run, data.image_shape, data.train.class_counts),
            self._keep("training", _data_key(run), lambda: _training_set(data.train)),
            self._evaluator(run),
            self._driver,
            self._environment(),
        )
        return None if trial is None else dataclasses.asdict(trial)

    def evaluate(
        self,
        config: Mapping[str, Any],
        *,
        training: Mapping[str, Any] | None = None,
        folder: str = "",
        checkpoint: str = "best",
        dataset: str = "",
    ) -> Mapping[str, Any]:
        """Score images against the configuration's dataset; returns values by label.

        Args:
            config: whose dataset is the reference, and whose criteria are wanted.
            training: the configuration of a training whose generator makes the images,
            folder: which lies here,
            checkpoint: at its ``best`` or ``last`` evaluation;
            dataset: or else the dataset whose images are scored.
        """
        run = TrainConfig(**config)
        self._use(run)
        data = self._data(run)
        resizes = self._network(run).resizes
        if training is not None:
            trained = TrainConfig(**training)
            gan = self._restored(trained, Path(folder), checkpoint)
            shape, classes = gan.image_shape, len(gan.class_counts)
            none = f"{trained.gan_type} makes images of no given class; use cgan or acgan"
        else:
            size = run.image_size if resizes else data.image_shape[0]
            loaded = dataset_named(dataset, run.data_dir).load(size)
            shape, classes = loaded.image_shape, len(loaded.train.class_counts)
            none = "the images have none; put each class into a sub-folder"
        if not resizes and shape != data.image_shape:
            raise ConfigError(
                "reference",
                f"{run.dataset} has {_shape(data.image_shape)} images, the others are "
                f"{_shape(shape)}, and the features {run.features} take one kind",
            )
        known = len(data.train.class_counts)
        if not classes:
            _refuse_labels(run, none)
        elif classes != known:
            _refuse_labels(run, f"the images show {classes} classes, {run.dataset} {known}")
        self._check_classes_known(run)
        evaluator = self._evaluator(run)
        given: npt.NDArray[np.int64] | None
        if training is not None:
            latents = gan.latents(evaluator.samples, EVALUATION_LATENTS)
            images, given = _generated(gan, latents), latents.labels
        else:
            images, given = loaded.train.subset(run.eval_samples)
        scores, labels = evaluator.score(images, given), evaluator.labels(len(images))
        labelled = {labels[name]: score for name, score in scores.items()}
        objective = run.objective
        return {objective.label(labels): objective.value(labelled, labels), **labelled}

    def sample(
        self,
        config: Mapping[str, Any],
        folder: str,
        checkpoint: str,
        count: int,
        output: str,
        classes: Sequence[int] | None = None,
    ) -> Mapping[str, Any]:
        """Generate images from latents of the configuration's seed; write them as an .npz."""
        run = TrainConfig(**config)
        self._use(run)
        gan = self._restored(run, Path(folder), checkpoint)
        if classes is not None:
            _check_classes(run, classes, len(gan.class_counts))
        images = _generated(gan, gan.latents(count, run.seed, classes))
        write_arrays(Path(output), {"images": images})
        return {}

    def _use(self, run: TrainConfig) -> None:
        """Set threads and device, once, before TensorFlow's first operation."""
        if self._device is not None:
            return
        threadpool_limits(run.threads)  # NumPy's linear algebra
        tf.config.threading.set_intra_op_parallelism_threads(run.threads)
        tf.config.threading.set_inter_op_parallelism_threads(run.threads)
        gpus = tf.config.list_physical_devices("GPU")
        kind, _, index = run.device.partition(":")
        if kind == "gpu" and int(index or 0) >= len(gpus):
            raise ConfigError(
                "device",
                f"{run.device} was asked for, and TensorFlow sees {len(gpus)} GPUs; use --device "
                "cpu, or install CUDA for TensorFlow: pip install tensorflow[and-cuda]",
            )
        chosen = gpus[int(index or 0)] if gpus and kind != "cpu" else None
        tf.config.set_visible_devices([chosen] if chosen else [], "GPU")
        if chosen:
            tf.config.experimental.set_memory_growth(chosen, True)
            tf.config.experimental.enable_op_determinism()  # on the CPU it holds without
        details = tf.config.experimental.get_device_details(chosen) if chosen else {}
        self._device = details.get("device_name", "gpu") if chosen else "cpu"
        os.environ.setdefault("TFHUB_CACHE_DIR", str(cache_root() / "tfhub"))  # not in /tmp

    def _environment(self) -> Mapping[str, Any]:
        """What a result depends on beside its configuration."""
        return {
            "autogan": __version__,
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "device": self._device,
        }

    def _data(self, run: TrainConfig) -> ImageData:
        dataset = dataset_named(run.dataset, run.data_dir)
        return self._keep("data", _data_key(run), lambda: dataset.load(run.image_size))

    def _reference(self, run: TrainConfig) -> Split:
        """The real images that criteria compare with, without the limit on their number."""
        data = self._data(run)
        split = data.train if run.reference_split == "train" else data.test
        if split is None:
            raise ConfigError(
                "reference_split",
                f"test, and {run.dataset} has no test images; use train, or add a folder test/ "
                "beside train/",
            )
        return split

    def _network(self, run: TrainConfig) -> FeatureNetwork:
        def load() -> FeatureNetwork:
            if run.features == "inception":
                return inception()
            if run.features != "classifier":
                return SavedModelNetwork(None, Path(run.features or "").expanduser())
            self._check_labelled(run)
            train = self._data(run).train
            affordable = MEMORY_BYTES // math.prod(train.images.shape[1:])
            images, labels = train.subset(min(_CLASSIFIER_IMAGES, affordable))
            assert labels is not None
            return ClassifierNetwork(images, labels, self._cache(run))

        key = (run.features, _data_key(run) if run.features == "classifier" else None)
        return self._keep("network", key, load)

    def _check_labelled(self, run: TrainConfig) -> None:
        """Refuse a classifier of images without labels."""
        if self._data(run).train.labels is None:
            raise ConfigError(
                "features",
                f"classifier learns from labels, and {run.dataset} has none; use --features "
                "inception or the path of a SavedModel",
            )

    def _evaluator(self, run: TrainConfig) -> Evaluator:
        def build() -> Evaluator:
            reference, _ = self._reference(run).subset(run.eval_samples)
            return Evaluator(self._network(run), run.criteria(), reference, self._cache(run))

        key = (run.features, *run.criteria(), _data_key(run), run.reference_split, run.eval_samples)
        return self._keep("evaluator", key, build)

    def _check_classes_known(self, run: TrainConfig) -> None:
        """Check that the features tell the dataset's classes, if a criterion needs that."""
        classes = len(self._data(run).train.class_counts)
        if run.features != "classifier" and self._network(run).classes != classes:
            _refuse_labels(
                run,
                f"{run.features} tells {self._network(run).classes} classes and {run.dataset} has "
                f"{classes}; use --features classifier, or a SavedModel with those logits",
            )

    def _gan(
        self, run: TrainConfig, image_shape: ImageShape, class_counts: tuple[int, ...]
    ) -> Adversarial:
        check_trainable(image_shape)
        if run.gan.condition != "none" and not class_counts:
            raise ConfigError(
                "dataset",
                f"{run.dataset} has no labels, and {run.gan_type} learns classes; choose a "
                "labelled dataset (of a folder, the sub-folders are the classes: two or more, with "
                "every image in one), or a GAN type without classes, such as dcgan",
            )
        hyperparameters = run.hyperparameters()
        key = (run.gan_type, image_shape, class_counts, run.gan.shape_of(hyperparameters))
        if key not in self._gans:
            self._gans[key] = run.gan.build(image_shape, hyperparameters, class_counts)
        return self._gans[key]

    def _restored(self, run: TrainConfig, root: Path, checkpoint: str) -> Adversarial:
        """The GAN of a training with its generator at a checkpoint; the dataset is not needed."""
        folder = TrialFolder.of(root.resolve(), run)
        path = folder.best if checkpoint == "best" else folder.last
        if not path.exists():
            raise ConfigError("checkpoint", f"{path} does not exist; train first")
        arrays = read_arrays(path)
        height, width, channels = arrays.pop("image_shape").tolist()
        counts = tuple(arrays.pop("class_counts", np.zeros(0)).tolist())
        gan = self._gan(run, (height, width, channels), counts)
        gan.restore_generator(arrays)
        return gan

    def _cache(self, run: TrainConfig) -> Path:
        """Where trained classifiers and real statistics are kept, for each kind of bits."""
        device = (self._device or "cpu").replace(" ", "-").replace("/", "-")
        return cache_root() / f"tensorflow-{tf.__version__}-{device}-{run.threads}-threads"

    def _keep(self, slot: str, key: Any, make: Callable[[], T]) -> T:
        """The last thing made in this slot, made again if it was made for another key."""
        if slot not in self._kept or self._kept[slot][0] != key:
            self._kept.pop(slot, None)  # before making the next: both may not fit
            self._kept[slot] = (key, make())
        value: T = self._kept[slot][1]
        return value


def _data_key(run: TrainConfig) -> tuple[Any, ...]:
    return (run.dataset, run.data_dir, run.image_size)


def _shape(shape: tuple[int, ...]) -> str:
    height, width, channels = shape
    return f"{'grey' if channels == 1 else 'RGB'} {width}x{height}"


def _refuse_labels(run: TrainConfig, problem: str) -> None:
    """Refuse criteria that need labels, for a reason."""
    for name, criterion in run.criteria().items():
        if criterion.needs_labels:
            raise ConfigError("criterion", f"{name} needs images of known classes, and {problem}")


def _training_set(train: Split) -> TrainingSet:
    """The training split, held on the device unless it is too large."""
    return TrainingSet(train.images, train.labels, train.fits_in_memory)


def _generated(gan: Adversarial, latents: Latents) -> npt.NDArray[np.uint8]:
    """Images of a restored generator."""
    try:
        return gan.generate(latents)
    except FloatingPointError as error:
        raise ConfigError("checkpoint", f"{error}; this training diverged") from None


def _check_classes(run: TrainConfig, classes: Sequence[int], count: int) -> None:
    given = ",".join(map(str, classes))
    if count == 0:
        raise ConfigError(
            "classes", f"{given}: {run.gan_type} makes images of no given class; leave it out"
        )
    if not all(0 <= label < count for label in classes):
        raise ConfigError("classes", f"{given}: the classes are 0 to {count - 1}")
