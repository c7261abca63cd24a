"""What a worker can be asked to do, and what it keeps in memory in between."""

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import Damaged, cache_root, read_arrays, write_arrays
from autogan.criteria.classifier import ClassifierNetwork
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.networks import FeatureNetwork, SavedModelNetwork, inception
from autogan.data import MEMORY_BYTES, ImageData, Split, check_trainable, dataset_named
from autogan.models.adversarial import Adversarial, Latents
from autogan.models.base import ImageShape
from autogan.models.batches import TrainingSet
from autogan.run.device import environment, set_device
from autogan.run.events import declare_search
from autogan.run.folder import TrialFolder, feature_weights, moved
from autogan.run.messages import (
    Call,
    Declare,
    Declared,
    Evaluate,
    Open,
    Opened,
    Prepare,
    Prepared,
    Sample,
    Sampled,
    Scores,
    Train,
    Trained,
)
from autogan.run.trial import USER_LATENTS, Driver, run_trial

_MAX_SHAPES = 2  # built GANs kept in memory; beyond, the driver starts a fresh worker
_CLASSIFIER_IMAGES = 100_000  # that a classifier learns from, at most
_SAMPLE_BYTES = 2**32  # of images or latent vectors that are made at once, at most

T = TypeVar("T")


class Session:
    """A worker's answers to calls, each by the method of its name.

    Args:
        driver: the other end of the pipe.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._kept: dict[str, tuple[Any, Any]] = {}
        self._gans: dict[Any, Adversarial] = {}
        self._device: str | None = None

    def open(self, call: Open) -> Opened:
        """See `Open`.

        Raises:
            ConfigError: if the configuration cannot be run here.
        """
        run = self._use(call)
        data = self._data(run)
        self._reference(run)
        gan = self._gan(run, data.image_shape, data.train.class_counts)
        if run.features == "classifier":
            self._check_labelled(run)  # trained in `prepare`
        else:
            self._network(run)
        if run.gan.condition == "none":
            _refuse_labels(run, f"{run.gan_type} makes images of no given class; use cgan or acgan")
        self._check_classes_known(run)
        return Opened(
            images=len(data.train),
            image_shape=data.image_shape,
            classes=data.classes,
            digest=data.train.digest,
            generator_bytes=gan.generator_bytes,
            state_bytes=gan.state_bytes,
            environment=environment(self._device),
        )

    def prepare(self, call: Prepare) -> Prepared:
        """See `Prepare`."""
        run = self._use(call)
        evaluator = self._evaluator(run, call.folder)
        network = evaluator.network
        features: dict[str, str | int | float] = {
            "network": network.name,
            "weights": network.weights_hash,
            "samples": evaluator.samples,
            "split": run.reference_split,
            "digest": evaluator.digest,
        }
        if network.accuracy is not None:
            features["accuracy"] = network.accuracy
            self._driver.note(
                f"the classifier is right about {100 * network.accuracy:.1f} % of unseen images"
            )
        return Prepared(
            objective=run.objective.label(evaluator.labels()),
            labels=evaluator.labels(),
            features=features,
        )

    def declare(self, call: Declare) -> Declared:
        """See `Declare`."""
        search = SearchConfig(**call.config)
        logs = moved(Path(call.folder), search.log_dir)
        labels = self._evaluator(search, call.folder).labels()
        # Scaled by the history, each trial's curve has a scale of its own: no column of a table.
        best = None if search.normalise == "history" else search.objective.label(labels)
        declare_search(str(logs), search.space.dimensions, best, labels.values())
        return Declared()

    def train(self, call: Train) -> Trained:
        """See `Train`."""
        run = self._use(call)
        data = self._data(run)
        self._network(run, call.run).keep(feature_weights(Path(call.run)))
        trial = run_trial(
            run,
            TrialFolder.of(Path(call.folder), run),
            self._gan(run, data.image_shape, data.train.class_counts),
            self._keep("training", _data_key(run), lambda: _training_set(data.train)),
            self._evaluator(run, call.run),
            self._driver,
            environment(self._device),
            call.name,
            call.number,
        )
        return Trained(trial=trial, full=len(self._gans) > _MAX_SHAPES)

    def evaluate(self, call: Evaluate) -> Scores:
        """See `Evaluate`."""
        run = self._use(call)
        if call.training is None:
            return Scores(scores=self._scores_of_images(run, call))
        trained = TrainConfig(**call.training)
        gan = self._restored(trained, Path(call.folder), call.checkpoint)
        scores = self._scores_of_gan(run, call, trained, gan)
        same_data = _data_key(run) == _data_key(trained)
        if not same_data or run.reference_split == "test" or self._data(run).test is None:
            return Scores(scores=scores)
        unseen = run.model_copy(update={"reference_split": "test"})
        return Scores(scores=scores, test=self._scores_of_gan(unseen, call, trained, gan))

    def _scores_of_gan(
        self, run: TrainConfig, call: Evaluate, trained: TrainConfig, gan: Adversarial
    ) -> dict[str, float]:
        """Values of a restored generator by label, against the split that ``run`` names."""
        none = f"{trained.gan_type} makes images of no given class; use cgan or acgan"
        self._check_comparable(run, call, gan.image_shape, len(gan.class_counts), none)
        evaluator = self._evaluator(run, call.run)
        latents = gan.latents(evaluator.samples, USER_LATENTS + call.seed)
        return _labelled(run, evaluator, _generated(gan, latents), latents.labels)

    def _scores_of_images(self, run: TrainConfig, call: Evaluate) -> dict[str, float]:
        """Values of a dataset's images by label."""
        resizes = self._network(run, call.run).resizes
        size = run.image_size if resizes else self._data(run).image_shape[0]
        loaded = dataset_named(call.dataset, run.data_dir).load(size)
        none = "the images have none; put each class into a sub-folder"
        classes = len(loaded.train.class_counts)
        self._check_comparable(run, call, loaded.image_shape, classes, none)
        images, labels = loaded.train.subset(run.eval_samples)
        return _labelled(run, self._evaluator(run, call.run), images, labels)

    def _check_comparable(
        self, run: TrainConfig, call: Evaluate, shape: ImageShape, classes: int, none: str
    ) -> None:
        """Refuse images that the features cannot take beside the reference, or that lack labels."""
        data = self._data(run)
        if not self._network(run, call.run).resizes and shape != data.image_shape:
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

    def sample(self, call: Sample) -> Sampled:
        """See `Sample`."""
        run = self._use(call)
        gan = self._restored(run, Path(call.folder), call.checkpoint)
        if call.classes is not None:
            _check_classes(run, call.classes, len(gan.class_counts))
        most = _SAMPLE_BYTES // max(math.prod(gan.image_shape), 4 * gan.z_dim)
        if call.count > most:
            raise ConfigError("count", f"{call.count}; give at most {most} at a time")
        latents = gan.latents(call.count, USER_LATENTS + call.seed, call.classes)
        write_arrays(Path(call.output), {"images": _generated(gan, latents)})
        return Sampled()

    def _use(self, call: Call) -> TrainConfig:
        """A call's configuration; the first one decides threads and device."""
        run = TrainConfig(**call.config)
        if self._device is None:
            self._device = set_device(run)
        return run

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

    def _network(self, run: TrainConfig, folder: str = "") -> FeatureNetwork:
        """The feature network; the one that the run in a folder keeps, if it keeps one."""
        kept = feature_weights(Path(folder)) if folder else None

        def load() -> FeatureNetwork:
            if run.features == "inception":
                return inception(self._driver.note)
            if run.features != "classifier":
                return SavedModelNetwork(None, Path(run.features or ""))
            self._check_labelled(run)
            data = self._data(run)
            most = min(_CLASSIFIER_IMAGES, MEMORY_BYTES // math.prod(data.image_shape))
            images, labels = data.train.subset(most)
            tested, classes = (None, None) if data.test is None else data.test.subset(most)
            assert labels is not None
            unseen = None if tested is None or classes is None else (tested, classes)
            return ClassifierNetwork(
                images, labels, self._cache(run), kept, unseen, self._driver.note
            )

        key: Any = run.features
        if run.features == "classifier":
            key = (_data_key(run), kept if kept is not None and kept.exists() else None)
        return self._keep("network", key, load)

    def _check_labelled(self, run: TrainConfig) -> None:
        """Refuse a classifier of images without labels."""
        if self._data(run).train.labels is None:
            raise ConfigError(
                "features",
                f"classifier learns from labels, and {run.dataset} has none; use --features "
                "inception or the path of a SavedModel",
            )

    def _evaluator(self, run: TrainConfig, folder: str) -> Evaluator:
        network = self._network(run, folder)

        def build() -> Evaluator:
            reference, _ = self._reference(run).subset(run.eval_samples)
            return Evaluator(
                network, run.criteria(), reference, self._cache(run), run.reference_split
            )

        key = (
            network.weights_hash, *run.criteria(), _data_key(run), run.reference_split,
            run.eval_samples,
        )  # fmt: skip
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
        try:
            arrays = read_arrays(path)
        except Damaged as error:
            raise ConfigError(
                "checkpoint", f"{error}; train again, or take the other one"
            ) from None
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


def _labelled(
    run: TrainConfig,
    evaluator: Evaluator,
    images: npt.NDArray[np.uint8],
    classes: npt.NDArray[np.int64] | None,
) -> dict[str, float]:
    """What decides and all criteria, by label."""
    scores, labels = evaluator.score(images, classes), evaluator.labels(len(images))
    labelled = {labels[name]: score for name, score in scores.items()}
    return {run.objective.label(labels): run.objective.value(labelled, labels), **labelled}


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
