"""What a worker can be asked to do."""

import math
import os
import platform
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import numpy.typing as npt

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import write_arrays, write_bytes
from autogan.criteria.evaluator import Evaluator
from autogan.data import ImageData, class_number, told_of
from autogan.data.grids import GRID, GRID_CLASSES, grid, png
from autogan.models.base import ImageShape
from autogan.models.training.trainer import Latents, Trainer
from autogan.pool.messages import (
    Evaluate,
    Join,
    Joined,
    Open,
    Opened,
    Prepare,
    Prepared,
    Sample,
    Sampled,
    Scores,
    Time,
    Timed,
    Train,
    Trained,
)
from autogan.record.claim import share
from autogan.record.folder import TrialFolder, feature_weights, real_images
from autogan.record.resume import difference
from autogan.worker.device import device_notes, environment
from autogan.worker.stage1 import check_first_stage
from autogan.worker.timing import timed_evaluation, timed_steps
from autogan.worker.trial import USER_LATENTS, Driver, run_trial
from autogan.worker.workbench import Workbench, check_depth, check_enough, data_key, refuse_labels

_SAMPLE_BYTES = 2**32  # of images or latent vectors that are made at once, at most
_CLASSLESS = "makes images of no given class; use cgan, or give gan a condition"
_WEAK = 0.8  # accuracy of a classifier; below, its features tell little
_OF_EACH_CLASS = 8  # images that are made, where the user does not say how many


class Session:
    """A worker's answers to calls, each by the method of its name.

    Args:
        driver: the other end of the pipe.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._bench = Workbench(driver.note)
        self._shared: int | None = None  # the lock on the folder of the run that it works for

    def open(self, call: Open) -> Opened:
        """See `Open`.

        Raises:
            ConfigError: if the configuration cannot be run here.
        """
        run = self._bench.use(call)
        for note in device_notes(run):
            self._driver.note(note)
        data = self._bench.data(run)
        self._tell_of("data", data)
        self._bench.reference(run)
        conditions = call.conditions or run.conditions
        if {"none"} != set(conditions) and not data.train.class_counts:
            raise ConfigError(
                "dataset",
                f"{run.dataset} has no labels{_because(data)}, and {run.gan_type} learns classes; "
                "choose a labelled dataset (of a folder, the sub-folders are the classes: two or "
                "more, with every image in one), condition none, or a GAN type without classes, "
                "such as dcgan",
            )
        check_depth(call.depth, data.image_shape)
        stage1 = self._bench.stage1(run, call.folder)
        if stage1 is not None:
            counts = data.train.class_counts
            check_first_stage(run, stage1, data.image_shape, counts, conditions)
        trainer = self._bench.trainer(run, data.image_shape, data.train.class_counts, call.folder)
        if run.features == "classifier":
            self._bench.check_labelled(run)  # trained in `prepare`
        if "none" in conditions and not (stage1 and stage1.class_counts):
            refuse_labels(run, f"{run.gan_type} {_CLASSLESS}")
        if call.features and run.features != "classifier":
            self._bench.network(run)
            self._bench.check_features(run)
        return Opened(
            images=len(data.train),
            image_shape=data.image_shape,
            classes=data.classes,
            digest=data.train.digest,
            generator_bytes=trainer.generator_bytes,
            state_bytes=trainer.state_bytes,
            environment=environment(self._bench.device),
        )

    def _tell_of(self, what: str, data: ImageData) -> None:
        """Tell what images there are, what was left out, and what is odd."""
        for line in told_of(data):
            self._driver.note(f"{what}: {line}")

    def prepare(self, call: Prepare) -> Prepared:
        """See `Prepare`."""
        run = self._bench.use(call)
        prepared = self._measures(run, call.folder)
        accuracy = self._bench.network(run, call.folder).accuracy
        self._tell_numbers(run, self._bench.evaluator(run, call.folder))
        if accuracy is not None:
            weak = ": too weak to rank subtle differences" if accuracy < _WEAK else ""
            right = f"{100 * accuracy:.1f} %"
            self._driver.note(f"the classifier is right about {right} of unseen images{weak}")
        return prepared

    def _measures(self, run: TrainConfig, folder: str) -> Prepared:
        """What values are measured by, for the run in a folder."""
        evaluator = self._bench.evaluator(run, folder)
        check_enough(
            evaluator.criteria, evaluator.samples, evaluator.samples, len(evaluator.real.mean)
        )
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
        return Prepared(
            objective=run.objective.label(evaluator.labels()),
            labels=evaluator.labels(),
            features=features,
        )

    def time(self, call: Time) -> Timed:
        """See `Time`."""
        run = self._bench.use(call)
        data = self._bench.data(run)
        trainer = self._bench.trainer(run, data.image_shape, data.train.class_counts)
        training = self._bench.training_set(run)
        step = timed_steps(trainer, training, run)
        if not call.evaluate:
            return Timed(step=step, evaluation=None)
        try:
            self._bench.network(run)
        except ConfigError:  # no download on this machine: the training can be timed all the same
            return Timed(step=step, evaluation=None)
        return Timed(
            step=step, evaluation=timed_evaluation(trainer, self._bench.evaluator(run, ""))
        )

    def join(self, call: Join) -> Joined:
        """See `Join`.

        Raises:
            ConfigError: if the run's folder, its data or its features are not the same here.
        """
        shared = share(Path(call.root), call.token)
        if self._shared is not None:
            os.close(self._shared)
        self._shared = shared
        run = self._bench.use(call)
        data = self._bench.data(run)
        if data.train.digest != call.digest:
            raise ConfigError("dataset", f"{run.dataset} holds other images on {platform.node()}")
        prepared = self._measures(run, call.run)
        if prepared.features != call.features:
            other = difference(call.features, prepared.features)
            raise ConfigError("features", f"{other} on {platform.node()}")
        self._bench.network(run, call.run).keep(feature_weights(Path(call.run)))
        self._bench.keep_stage1(run, call.run)
        real = real_images(Path(call.run))
        if not real.exists():
            write_bytes(real, png(grid(data.train.subset(GRID)[0])))
        return Joined(environment=environment(self._bench.device))

    def train(self, call: Train) -> Trained:
        """See `Train`."""
        run = self._bench.use(call)
        data = self._bench.data(run)
        trial = run_trial(
            run,
            TrialFolder.of(Path(call.folder), run),
            self._bench.trainer(run, data.image_shape, data.train.class_counts, call.run),
            self._bench.training_set(run),
            self._bench.evaluator(run, call.run),
            self._driver,
            environment(self._bench.device),
            call.name,
            call.trial,
            SearchConfig(**call.search) if call.search is not None else None,
            list(data.classes),
        )
        return Trained(trial=trial, full=self._bench.full)

    def evaluate(self, call: Evaluate) -> Scores:
        """See `Evaluate`."""
        run = self._bench.use(call)
        if call.training is None:
            return Scores(scores=self._scores_of_images(run, call))
        trained = TrainConfig(**call.training)
        same_data = data_key(run) == data_key(trained)
        trainer, _ = self._bench.restored(trained, Path(call.folder), call.checkpoint)
        run = self._cropped(run, call, trainer.image_shape) or run
        scores = self._scores_of(run, call, trained, trainer)
        if not same_data or run.reference_split == "test" or self._bench.data(run).test is None:
            return Scores(scores=scores)
        unseen = run.model_copy(update={"reference_split": "test"})
        return Scores(scores=scores, test=self._scores_of(unseen, call, trained, trainer))

    def _scores_of(
        self, run: TrainConfig, call: Evaluate, trained: TrainConfig, trainer: Trainer
    ) -> dict[str, float]:
        """Values of a restored generator by label, against the split that ``run`` names."""
        none = f"{trained.gan_type} {_CLASSLESS}"
        self._check_comparable(run, call, trainer.image_shape, len(trainer.class_counts), none)
        if data_key(run) != data_key(trained):  # else it was told of then
            self._tell_of("reference", self._bench.data(run))
        evaluator = self._bench.evaluator(run, call.run)
        latents = trainer.latents(evaluator.samples, USER_LATENTS + call.seed)
        return self._labelled(run, evaluator, _generated(trainer, latents), latents.labels)

    def _scores_of_images(self, run: TrainConfig, call: Evaluate) -> dict[str, float]:
        """Values of a dataset's images by label."""
        reference = self._bench.data(run)
        size = run.image_size if self._resizes(run, call) else reference.image_shape[0]
        images = self._bench.images(call.dataset, run, size)
        cropped = self._cropped(run, call, images.image_shape)
        height, width, _ = images.image_shape
        if cropped is not None:
            run, images = cropped, self._bench.images(call.dataset, run, min(height, width))
        none = "the images have none; put each class into a sub-folder"
        classes = len(images.train.class_counts)
        self._check_comparable(run, call, images.image_shape, classes, none)
        most = run.eval_samples
        generated, real = len(images.train), len(self._bench.reference(run))
        check_enough(run.criteria(), min(generated, most), min(real, most), 0)
        self._tell_of("reference", self._bench.data(run))
        self._tell_of("images", images)
        made, labels = images.train.subset(run.eval_samples)
        return self._labelled(run, self._bench.evaluator(run, call.run), made, labels)

    def _labelled(
        self,
        run: TrainConfig,
        evaluator: Evaluator,
        images: npt.NDArray[np.uint8],
        classes: npt.NDArray[np.int64] | None,
    ) -> dict[str, float]:
        """What decides and all criteria, by label; what they are made of is told."""
        check_enough(evaluator.criteria, len(images), evaluator.samples, len(evaluator.real.mean))
        self._tell_numbers(run, evaluator, len(images))
        features = evaluator.features(images, classes)
        try:
            scores = evaluator.score(features, run.deciding())
        except FloatingPointError as error:
            raise ConfigError("criterion", f"{error} of these images; name another one") from None
        if missing := [name for name in evaluator.criteria if name not in scores]:
            self._driver.note(f"{', '.join(missing)} is NaN or infinite, and left out")
        if figures := evaluator.figures(features):
            words = ", ".join(f"{name} {figure:.6g}" for name, figure in figures.items())
            self._driver.note(f"{words} (against the {run.reference_split} split)")
        labels = evaluator.labels(len(images))
        labelled = {labels[name]: score for name, score in scores.items()}
        return {run.objective.label(labels): run.objective.value(labelled, labels), **labelled}

    def _resizes(self, run: TrainConfig, call: Evaluate) -> bool:
        """Whether the features take images of any size; no classifier is trained to say so."""
        return run.features != "classifier" and self._bench.network(run, call.run).resizes

    def _cropped(self, run: TrainConfig, call: Evaluate, shape: ImageShape) -> TrainConfig | None:
        """With the reference cropped to squares; None if the images have its aspect ratio.

        A network that resizes all images to squares would stretch those of one side otherwise.
        """
        data = self._bench.data(run)
        height, width, _ = data.image_shape
        if not self._resizes(run, call) or height * shape[1] == width * shape[0]:
            return None
        self._driver.note(
            f"the images have {shape[1]}x{shape[0]} pixels, those of {run.dataset} "
            f"{width}x{height}: cropped at the centre to squares"
        )
        return run.model_copy(update={"image_size": min(height, width)})

    def _tell_numbers(
        self, run: TrainConfig, evaluator: Evaluator, generated: int | None = None
    ) -> None:
        """Say how many images are compared, where the user may expect more or should take more."""
        real = evaluator.samples
        scored = real if generated is None else generated
        wanted, usual = run.eval_samples, TrainConfig.model_fields["eval_samples"].default
        if wanted != usual and wanted > min(scored, real):
            self._driver.note(
                f"eval_samples is {wanted}, and there are fewer images: {scored} are "
                f"compared with {real} real ones"
            )
        cautions: dict[str, list[str]] = {}
        for name, criterion in evaluator.criteria.items():
            cautions.setdefault(
                criterion.caution(scored, real, len(evaluator.real.mean)), []
            ).append(name)
        for caution, names in cautions.items():
            if caution:
                self._driver.note(f"{', '.join(names)}: {caution}")

    def _check_comparable(
        self, run: TrainConfig, call: Evaluate, shape: ImageShape, classes: int, none: str
    ) -> None:
        """Refuse images that the features cannot take beside the reference, or that lack labels."""
        data = self._bench.data(run)
        takes = [f"{name} takes" for name, kind in run.criteria().items() if "images" in kind.needs]
        if not self._resizes(run, call):
            takes = [f"the features {run.features} take"]
        if takes and shape != data.image_shape:
            kind = "grey" if shape[2] == 1 or call.training is None else "rgb"
            remedy = f"--image-size {shape[0]}"
            if shape[:2] == data.image_shape[:2]:
                remedy = f"--channels {kind} to read them alike"
            raise ConfigError(
                "reference",
                f"{run.dataset} has {_shape(data.image_shape)} images, the others are "
                f"{_shape(shape)}, and {takes[0]} one kind; give {remedy}",
            )
        known = len(data.train.class_counts)
        if not classes:
            refuse_labels(run, none)
        elif classes != known:
            refuse_labels(run, f"the images show {classes} classes, {run.dataset} {known}")
        self._bench.check_features(run)

    def sample(self, call: Sample) -> Sampled:
        """See `Sample`."""
        run = self._bench.use(call)
        trainer, names = self._bench.restored(run, Path(call.folder), call.checkpoint)
        classes = None
        if call.classes is not None:
            if not names:
                given = ",".join(map(str, call.classes))
                none = f"{run.gan_type} makes images of no given class; leave it out"
                raise ConfigError("classes", f"{given}: {none}")
            classes = [class_number(given, names) for given in call.classes]
        elif call.in_turn and names:
            classes = list(range(len(names)))[:GRID_CLASSES]
        count = call.count or (GRID if classes is None else _OF_EACH_CLASS * len(classes))
        most = _SAMPLE_BYTES // max(math.prod(trainer.image_shape), 4 * trainer.z_dim)
        if count > most:
            raise ConfigError("count", f"{count}; give at most {most} at a time")
        images = _generated(trainer, trainer.latents(count, USER_LATENTS + call.seed, classes))
        columns = np.array([names[number] for number in classes or ()], str)
        write_arrays(Path(call.output), {"images": images, "columns": columns})
        return Sampled()


def _because(data: ImageData) -> str:
    """Why there are no classes, in brackets, where that is known."""
    return f" ({data.unlabelled})" if data.unlabelled else ""


def _shape(shape: tuple[int, ...]) -> str:
    height, width, channels = shape
    return f"{'grey' if channels == 1 else 'RGB'} {width}x{height}"


def _generated(trainer: Trainer, latents: Latents) -> npt.NDArray[np.uint8]:
    """Images of a restored generator."""
    try:
        return trainer.generate(latents)
    except FloatingPointError as error:
        raise ConfigError("checkpoint", f"{error}; this training diverged") from None
