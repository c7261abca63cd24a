"""Scoring of a trained generator or a set of images, for ``autogan evaluate`` and searches."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autogan.config import TrainConfig
from autogan.core.arrays import Images, Labels
from autogan.core.errors import ConfigError
from autogan.criteria.corruptions import corrupted
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.statistics import Features
from autogan.criteria.variety import evenly
from autogan.data import ImageData, class_number, told_of
from autogan.models.base import ImageShape
from autogan.models.training.trainer import Trainer
from autogan.pool.finished import Evaluate, Scores
from autogan.record.folder import TrialFolder
from autogan.worker.checks import check_enough, refuse_labels
from autogan.worker.events import write_floor
from autogan.worker.generator import generated
from autogan.worker.trial import USER_LATENTS, Driver
from autogan.worker.workbench import Workbench, data_key

_MANY = 10_000  # generated images whose values hardly depend on the latent vectors
_SETS = 4  # sets of latent vectors for the spread of scores
_APART = 2**31  # between the sets' seeds, so that no two of the user's seeds share a set
CLASSLESS = "takes no classes; use cgan, or give gan a condition"


class Scoring:
    """One `Evaluate` call.

    Args:
        bench: keeps data and networks between calls.
        driver: receives notes on the images compared.
        call: the images to score, and how.
    """

    def __init__(self, bench: Workbench, driver: Driver, call: Evaluate) -> None:
        self._bench, self._driver, self._call = bench, driver, call

    def scores(self) -> Scores:
        """The scores, and others to compare them with.

        Raises:
            ConfigError: if the images cannot be scored.
        """
        call = self._call
        run = self._bench.use(call)
        if call.training is None:
            return self._of_images(run)
        trained = TrainConfig(**call.training)
        trainer, _ = self._bench.restored(trained, Path(call.folder), call.checkpoint)
        run = self._cropped(run, trainer.image_shape) or run
        scores, spread, sets = self._of_generator(run, trained, trainer)
        evaluator = self._bench.evaluator(run, call.run)
        found: dict[str, Any] = {"scores": scores, "names": evaluator.labels(), "spread": spread}
        found["more"], deviations = self._of_many(run, evaluator, trainer)
        spread |= deviations
        same_data = data_key(run) == data_key(trained)
        unseen = self._bench.unseen(run) if same_data else None
        if unseen is None:
            return Scores(**found, **({} if run.reference_statistics else _halves(evaluator)))
        images, classes = unseen.subset(run.eval_samples)
        real = evaluator.features(images, classes)
        found["copies"] = evaluator.copies(sets[0], real)
        if not _too_few(evaluator, len(images)):
            floor = evaluator.floor(real)
            for name, values in zip(("floor", "floor_spread"), floor, strict=True):
                found[name] = _by_label(evaluator, values, len(images))
            if (few := len(images)) < len(sets[0].pool):
                some = [_some(each, few) for each in sets]
                found["fewer"], deviations = _over_sets(evaluator, some)
                spread |= deviations
            if call.draw_until is not None:
                folder = TrialFolder.of(Path(call.folder), trained)
                write_floor(folder, found["floor"], call.draw_until)
        if (against := _against_test(run)) is not None:
            found["test"], deviations, _ = self._of_generator(against, trained, trainer)
            spread |= deviations
        return Scores(**found)

    def _of_many(
        self, run: TrainConfig, evaluator: Evaluator, trainer: Trainer
    ) -> tuple[dict[str, float] | None, dict[str, float]]:
        """The scores of many images, if they are due, and their deviations, by label.

        From few images values differ much between sets of latent vectors.
        """
        few = run.generated is None and evaluator.generated < _MANY
        if not (few and evaluator.network.fast):
            return None, {}
        sets = (self._made(evaluator, trainer, number, _MANY) for number in range(_SETS))
        return _over_sets(evaluator, sets)

    def _made(self, evaluator: Evaluator, trainer: Trainer, number: int, count: int) -> Features:
        """The features of images from a set of latent vectors."""
        seed = USER_LATENTS + self._call.seed + number * _APART
        latents = trainer.latents(count, seed)
        return evaluator.features(generated(trainer, latents), latents.classes)

    def _of_generator(
        self, run: TrainConfig, trained: TrainConfig, trainer: Trainer
    ) -> tuple[dict[str, float], dict[str, float], list[Features]]:
        """A restored generator's scores against the split in ``run``.

        Returns:
            Means and standard deviations over sets of latent vectors, by label, and the features
            of each set.
        """
        none = f"{trained.gan_type} {CLASSLESS}"
        if trainer.attributes is not None:
            none = f"{trained.dataset} has attributes; choose another criterion, such as fid"
        self._check_comparable(run, trainer.image_shape, len(trainer.class_counts), none)
        if data_key(run) != data_key(trained):  # else training has described the data
            tell_of(self._driver, "reference", self._bench.data(run))
        evaluator = self._bench.evaluator(run, self._call.run)
        count = evaluator.generated
        latents = trainer.latents(count, USER_LATENTS + self._call.seed)
        first, features = self._labelled(
            run, evaluator, generated(trainer, latents), latents.classes
        )
        others = [self._made(evaluator, trainer, number, count) for number in range(1, _SETS)]
        sets = [features, *others]
        means, spread = _over_sets(evaluator, sets)
        lost = [n for n, label in evaluator.labels(count).items() if label in first.keys() - means]
        if deciding := [name for name in lost if name in run.deciding()]:
            raise ConfigError(
                "criterion", f"{deciding[0]} is not finite for these images; choose another one"
            )
        if lost:
            self._driver.note(
                f"{', '.join(lost)} is NaN or infinite for some latent vectors: left out"
            )
        return _with_sum(run, evaluator, means, count), spread, sets

    def _of_images(self, run: TrainConfig) -> Scores:
        """The scores of a dataset's images by label, and of corrupted versions of these images."""
        reference = self._bench.data(run)
        size = run.image_size if self._resizes(run) else reference.image_shape[0]
        images = self._bench.images(self._call.dataset, run, size)
        cropped = self._cropped(run, images.image_shape)
        height, width, _ = images.image_shape
        if cropped is not None:
            run, images = cropped, self._bench.images(self._call.dataset, run, min(height, width))
        none = "the images have no classes; put each class into a sub-folder"
        classes = len(images.train.class_counts)
        self._check_comparable(run, images.image_shape, classes, none)
        most = run.eval_samples
        generated, real = len(images.train), len(self._bench.reference(run))
        check_enough(run.criteria(), min(generated, most), min(real, most), 0)
        if run.reference_statistics is None:
            tell_of(self._driver, "reference", self._bench.data(run))
        tell_of(self._driver, "images", images)
        made, labels = images.train.subset(run.eval_samples)
        evaluator = self._bench.evaluator(run, self._call.run)
        labelled, _ = self._labelled(run, evaluator, made, labels)
        scores = _with_sum(run, evaluator, labelled, len(made))
        return Scores(scores=scores, spoiled=self._spoiled(evaluator, images, made, labels))

    def _spoiled(
        self, evaluator: Evaluator, images: ImageData, made: Images, labels: Labels | None
    ) -> dict[str, dict[str, float]]:
        """The scores of images, uint8 [N, height, width, channels], after each corruption."""
        sets: dict[str, tuple[Images, Labels | None]] = {
            f"{name} {strength:g}": (corrupted(made, name, strength), labels)
            for name, strength in self._call.corrupt.items()
        }
        if self._call.keep_classes:
            if labels is None:
                raise ConfigError(
                    "keep_classes", f"{self._call.dataset} has no classes; leave it out"
                )
            names = list(images.classes)
            kept = [class_number(given, names) for given in self._call.keep_classes]
            places = np.resize(np.flatnonzero(np.isin(labels, kept)), len(made))
            words = ", ".join(names[number] for number in kept)
            sets[f"only classes {words}"] = made[places], labels[places]
        return {
            words: _finite_scores(evaluator, evaluator.features(spoiled, classes))
            for words, (spoiled, classes) in sets.items()
        }

    def _labelled(
        self,
        run: TrainConfig,
        evaluator: Evaluator,
        images: npt.NDArray[np.uint8],
        classes: npt.NDArray[np.int64] | None,
    ) -> tuple[dict[str, float], Features]:
        """The scores by label, and the features of images; figures go into a note."""
        check_enough(evaluator.criteria, len(images), evaluator.samples, len(evaluator.real.mean))
        tell_numbers(self._driver, run, evaluator, len(images))
        features = evaluator.features(images, classes)
        try:
            scores = evaluator.score(features, run.deciding())
        except FloatingPointError as error:
            raise ConfigError(
                "criterion", f"{error} for these images; choose another one"
            ) from None
        if missing := [name for name in evaluator.criteria if name not in scores]:
            self._driver.note(f"{', '.join(missing)} is NaN or infinite and is left out")
        if figures := evaluator.figures(features):
            words = ", ".join(f"{name} {figure:.6g}" for name, figure in figures.items())
            self._driver.note(f"{words} (against the {run.reference_split} split)")
        return _by_label(evaluator, scores, len(images)), features

    def _resizes(self, run: TrainConfig) -> bool:
        """Whether the features take images of any size (known without training a classifier)."""
        return run.features != "classifier" and self._bench.network(run, self._call.run).resizes

    def _cropped(self, run: TrainConfig, shape: ImageShape) -> TrainConfig | None:
        """A configuration that crops the reference to squares; None if aspect ratios agree.

        A network that resizes all images to squares would stretch only one side otherwise.
        """
        data = self._bench.data(run)
        height, width, _ = data.image_shape
        if not self._resizes(run) or height * shape[1] == width * shape[0]:
            return None
        self._driver.note(
            f"the images have {shape[1]}x{shape[0]} pixels, those of {run.dataset} "
            f"{width}x{height}: cropped at the centre to squares"
        )
        return run.model_copy(update={"image_size": min(height, width)})

    def _check_comparable(
        self, run: TrainConfig, shape: ImageShape, classes: int, none: str
    ) -> None:
        """Refuse images that the features cannot compare with the reference, or without labels."""
        data = self._bench.data(run)
        takes = [f"{name} takes" for name, kind in run.criteria().items() if "images" in kind.needs]
        if not self._resizes(run):
            takes = [f"the features {run.features} take"]
        if takes and shape != data.image_shape:
            kind = "grey" if shape[2] == 1 or self._call.training is None else "rgb"
            remedy = f"--image-size {shape[0]}"
            if shape[:2] == data.image_shape[:2]:
                remedy = f"--channels {kind} to read them alike"
            raise ConfigError(
                "reference",
                f"{run.dataset} has {_shape(data.image_shape)} images, the others are "
                f"{_shape(shape)}, but {takes[0]} only one kind; give {remedy}",
            )
        known = len(data.train.class_counts)
        if not classes:
            refuse_labels(run, none)
        elif classes != known:
            refuse_labels(run, f"the images have {classes} classes, {run.dataset} has {known}")
        self._bench.check_features(run)


def _against_test(run: TrainConfig) -> TrainConfig | None:
    """A configuration with the test images as the reference, or None.

    None if a deciding criterion needs them as unseen images, or if the reference is published
    statistics.
    """
    if run.reference_statistics is not None:
        return None
    wanting = {name for name, kind in run.criteria().items() if "unseen" in kind.needs}
    if wanting & set(run.deciding()):
        return None
    also = [name for name in run.also if name not in wanting]
    return run.model_copy(update={"reference_split": "test", "also": also})


def _halves(evaluator: Evaluator) -> dict[str, Any]:
    """The scores of one half of the reference against the other; empty with too few images."""
    half = evaluator.samples // 2
    if _too_few(evaluator, half):
        return {}
    means, deviations = evaluator.halves()
    return {
        "halves": _by_label(evaluator, means, half),
        "halves_spread": _by_label(evaluator, deviations, half),
    }


def _too_few(evaluator: Evaluator, images: int) -> bool:
    """Whether a criterion needs more images."""
    dimensions = len(evaluator.real.mean)
    every = evaluator.criteria.values()
    return any(each.shortage(images, evaluator.samples, dimensions) for each in every)


def _some(features: Features, count: int) -> Features:
    """Evenly spread rows of features."""
    return features.rows(evenly(len(features.pool), count))


def _over_sets(
    evaluator: Evaluator, sets: Iterable[Features]
) -> tuple[dict[str, float], dict[str, float]]:
    """Means and standard deviations over sets of images, by label.

    Scores that are not finite for all of them are left out.
    """
    scores = [_finite_scores(evaluator, each) for each in sets]
    known = [label for label in scores[0] if all(label in each for each in scores)]
    values = {label: [each[label] for each in scores] for label in known}
    means = {label: float(np.mean(each)) for label, each in values.items()}
    return means, {label: float(np.std(each, ddof=1)) for label, each in values.items()}


def _with_sum(
    run: TrainConfig, evaluator: Evaluator, scores: dict[str, float], images: int
) -> dict[str, float]:
    """Scores by label after the value that they decide by, such as a weighted sum."""
    if not run.deciding():
        return scores
    labels = evaluator.labels(images)
    return {run.objective.label(labels): run.objective.value(scores, labels), **scores}


def _finite_scores(evaluator: Evaluator, features: Features) -> dict[str, float]:
    """All finite scores, by label."""
    return _by_label(evaluator, evaluator.score(features, ()), len(features.pool))


def _by_label(evaluator: Evaluator, values: dict[str, float], images: int) -> dict[str, float]:
    """Values by the criteria's labels for a number of images, instead of by their names."""
    labels = evaluator.labels(images)
    return {labels[name]: value for name, value in values.items()}


def tell_of(driver: Driver, what: str, data: ImageData) -> None:
    """Send notes on a dataset: its images, those left out, and anything odd."""
    for line in told_of(data):
        driver.note(f"{what}: {line}")


def tell_numbers(
    driver: Driver, run: TrainConfig, evaluator: Evaluator, count: int | None = None
) -> None:
    """Send notes on the number of images, if it is below ``eval_samples`` or a criterion's need."""
    real = evaluator.samples
    scored = evaluator.generated if count is None else count
    wanted, usual = run.eval_samples, TrainConfig.model_fields["eval_samples"].default
    if wanted != usual and wanted > min(scored, real):
        driver.note(
            f"eval_samples is {wanted}, but there are fewer images: {scored} are compared with "
            f"{real} real ones"
        )
    cautions: dict[str, list[str]] = {}
    for name, criterion in evaluator.criteria.items():
        cautions.setdefault(criterion.caution(scored, real, len(evaluator.real.mean)), []).append(
            name
        )
    for caution, names in cautions.items():
        if caution:
            driver.note(f"{', '.join(names)}: {caution}")


def _shape(shape: tuple[int, ...]) -> str:
    height, width, channels = shape
    return f"{'grey' if channels == 1 else 'RGB'} {width}x{height}"
