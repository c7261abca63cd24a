"""Checks that a configuration can run on its dataset's images; the errors say what to change."""

from collections.abc import Mapping, Sequence
from inspect import signature

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.criteria.base import Criterion
from autogan.models.base import ImageShape


def takes_attributes(run: TrainConfig) -> bool:
    """Whether a configuration's GAN type supports images with attributes."""
    return "attributes" in signature(run.gan.build).parameters


def check_attributes(run: TrainConfig, conditions: Sequence[str]) -> None:
    """Refuse options that need classes if the dataset has attributes.

    Raises:
        ConfigError: naming the option.
    """
    if "branches" in conditions:
        raise ConfigError(
            "condition",
            f"branches needs classes, but {run.dataset} has attributes; choose input, projection "
            "or auxiliary",
        )
    if {"none"} != set(conditions) and not takes_attributes(run):
        raise ConfigError(
            "gan_type",
            f"{run.gan_type} learns classes, but {run.dataset} has attributes; choose another "
            "type, such as cgan",
        )
    refuse_labels(run, f"{run.dataset} has attributes; choose another criterion, such as fid")


def check_depth(depth: int, image_shape: ImageShape) -> None:
    """Check that images of a shape can be halved ``depth`` times.

    Raises:
        ConfigError: if they cannot.
    """
    most = (image_shape[0] - 1).bit_length()
    if depth > most:
        raise ConfigError(
            "depth",
            f"{depth}: images of {image_shape[0]} pixels are halved to one in {most} steps; "
            f"give at most {most}",
        )


def refuse_labels(run: TrainConfig, problem: str, *others: str) -> None:
    """Refuse criteria that need labels (and all of ``others``), because of a problem.

    Raises:
        ConfigError: if there are such criteria.
    """
    for name, criterion in run.criteria().items():
        if criterion.needs >= {"labels", *others}:
            raise ConfigError("criterion", f"{name} needs images of known classes, but {problem}")


def check_enough(
    criteria: Mapping[str, Criterion], generated: int, real: int, dimensions: int
) -> None:
    """Check that both sides have enough images for all criteria.

    The other arguments are those of `Criterion.shortage`.

    Raises:
        ConfigError: naming the criterion and its need.
    """
    for name, criterion in criteria.items():
        if wanted := criterion.shortage(generated, real, dimensions):
            features = f" of {dimensions} features each" if dimensions else ""
            raise ConfigError(
                "criterion",
                f"{name} needs {wanted}, but there are {generated} against {real} real ones"
                f"{features}; raise eval_samples, use more images or leave it out",
            )
