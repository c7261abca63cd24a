"""A trained generator in memory."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy import special

from autogan.config import TrainConfig, load_saved
from autogan.core.arrays import Images
from autogan.core.errors import ConfigError
from autogan.core.text import listed, read_path
from autogan.data import class_number
from autogan.data.grids import GRID
from autogan.models.base import ImageShape
from autogan.models.training.trainer import Latents, Trainer
from autogan.record.folder import existing_training
from autogan.worker.trial import USER_LATENTS
from autogan.worker.workbench import Workbench

_BYTES = 2**32  # of images or latent vectors in one call, at most
_OF_EACH_CLASS = 8  # images of each given class, unless the user gives a count


class Generator:
    """Generates images, within milliseconds after the first call.

    The images are those of `autogan.sample` for the same seed; if threads or processors differ, a
    pixel may differ by one level.

    Args:
        trainer: with the generator's weights restored.
        classes: the names of its classes or attributes, in their order; empty for a generator that
            takes no classes.

    Attributes:
        trainer, classes: as given.
    """

    def __init__(self, trainer: Trainer, classes: Sequence[str]) -> None:
        self.trainer, self.classes = trainer, tuple(classes)

    def __repr__(self) -> str:
        height, width, channels = self.image_shape
        classes = f", {len(self.classes)} {self._kind}" if self.classes else ""
        return f"<generator: {self.z_dim} numbers to {width}x{height}x{channels}{classes}>"

    @property
    def image_shape(self) -> ImageShape:
        """Height, width and channels of an image."""
        return self.trainer.image_shape

    @property
    def attributes(self) -> bool:
        """Whether ``classes`` are attributes; an image may have any number of them."""
        return self.trainer.attributes is not None

    @property
    def z_dim(self) -> int:
        """The length of a latent vector."""
        return self.trainer.z_dim

    def __call__(
        self,
        count: int | None = None,
        *,
        z: npt.ArrayLike | None = None,
        seed: int = 0,
        classes: str | Sequence[int | str] | None = None,
        mix: Mapping[str, float] | None = None,
        truncation: float | None = None,
        interpolate: int | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Generate images.

        Args:
            count: see `latents`.
            z: latent vectors, float [N, z_dim], in place of those drawn with ``seed``.
            seed: see `latents`.
            classes: see `latents`.
            mix: see `latents`.
            truncation: see `latents`.
            interpolate: see `latents`.

        Returns:
            uint8 [N, height, width, channels].

        Raises:
            ConfigError: naming the invalid argument.
        """
        if z is None:
            asked = self.latents(
                count, seed=seed, classes=classes, mix=mix, truncation=truncation,
                interpolate=interpolate,
            )  # fmt: skip
            return generated(self.trainer, asked)
        given = {"count": count, "truncation": truncation, "interpolate": interpolate}
        for name, value in given.items():
            if value is not None:
                raise ConfigError(name, f"{value} cannot be used with z; give one of them")
        vectors = np.asarray(z, np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self.z_dim or not len(vectors):
            shape = "x".join(map(str, vectors.shape)) or "a single number"
            raise ConfigError("z", f"{shape}; give rows of {self.z_dim} numbers")
        numbers = self.numbers(classes)
        labels = self._labels(len(vectors), numbers, mix)
        return generated(self.trainer, Latents(tf.constant(vectors), labels))

    def latents(
        self,
        count: int | None = None,
        *,
        seed: int = 0,
        classes: str | Sequence[int | str] | None = None,
        mix: Mapping[str, float] | None = None,
        truncation: float | None = None,
        interpolate: int | None = None,
    ) -> Latents:
        """The inputs of the generator: latent vectors and labels.

        Args:
            count: number of images, or of interpolations; if None, 64, or 8 of each given class.
            seed: of the vectors.
            classes: names or numbers, in a list or separated by commas, that the images take in
                turn; if None, all classes as often as in the training set, in order. With
                attributes, one is set at a time, and a whole round shares a latent vector.
            mix: weights by class, scaled to a sum of 1: each image shows this mixture. With
                attributes, weights from 0 to 1, not scaled; attributes that are not named are 0.
            truncation: keep the latent vectors' numbers within this distance of 0; they follow the
                normal distribution truncated there. Less variety, more typical images.
            interpolate: images in each interpolation, from one vector to another along an arc.

        Raises:
            ConfigError: naming the invalid argument.
        """
        numbers = self.numbers(classes)
        count = count or (GRID if numbers is None else _OF_EACH_CLASS * len(numbers))
        if interpolate is not None and interpolate < 2:
            raise ConfigError("interpolate", f"{interpolate} images; give 2 or more")
        most = _BYTES // max(math.prod(self.image_shape), 4 * self.z_dim) // (interpolate or 1)
        if not 1 <= count <= most:
            raise ConfigError("count", f"{count}; give 1 to {most} at a time")
        ends = 1 if interpolate is None else 2
        rounds = None if interpolate is not None else numbers
        z = self.trainer.latents(ends * count, USER_LATENTS + seed, rounds).z.numpy()
        if truncation is not None:
            z = _truncated(z, truncation)
        labels = self._labels(count, numbers, mix)
        if interpolate is not None:
            z = _arcs(z[:count], z[count:], interpolate)
            labels = np.repeat(labels, interpolate, axis=0)
        return Latents(tf.constant(z), labels)

    @property
    def _kind(self) -> str:
        return "attributes" if self.attributes else "classes"

    def numbers(self, classes: str | Sequence[int | str] | None) -> list[int] | None:
        """The numbers of the given classes or attributes; None if none are given.

        Raises:
            ConfigError: if there is no such class.
        """
        if classes is None:
            return None
        given = listed(classes)
        self._check_classes("classes", ",".join(map(str, given)))
        return [class_number(each, self.classes, kind=self._kind) for each in given]

    def _check_classes(self, field: str, given: str) -> None:
        if not self.classes:
            raise ConfigError(
                field,
                f"{given}: this GAN takes no classes; leave it out, or train one that learns them "
                "(--param condition=input)",
            )

    def _labels(
        self, count: int, numbers: Sequence[int] | None, mix: Mapping[str, float] | None
    ) -> npt.NDArray[Any]:
        """The labels of `Latents`."""
        if mix is None:
            return self.trainer.latents(count, 0, numbers).labels
        words = ",".join(f"{name}={weight:g}" for name, weight in mix.items())
        self._check_classes("mix", words)
        if numbers is not None:
            raise ConfigError("mix", f"{words} cannot be used with classes; give one of them")
        if not self.trainer.mixes:
            raise ConfigError("mix", f"{words}: this GAN type cannot mix classes; leave it out")
        weights = np.zeros(len(self.classes), np.float32)
        for name, weight in mix.items():
            weights[class_number(name, self.classes, "mix", self._kind)] = weight
        if self.attributes:
            if not ((weights >= 0) & (weights <= 1)).all():
                raise ConfigError("mix", f"{words}; give attributes weights from 0 to 1")
            return np.tile(weights, (count, 1))
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
            raise ConfigError("mix", f"{words}; give weights of 0 or more, one of them above 0")
        return np.tile(weights / weights.sum(), (count, 1))


def load_generator(
    folder: Path | str,
    *,
    checkpoint: Literal["best", "last"] = "best",
    options: Mapping[str, Any] | None = None,
) -> Generator:
    """Load a trained generator into this process, which imports TensorFlow.

    Threads and device are those of the process; change them before the first image.

    Args:
        folder: of a search (its best trial is used) or a training.
        checkpoint: which checkpoint of the generator.
        options: keys of the configuration, such as ``plugin_dirs``.

    Raises:
        ConfigError: if there is no trained generator.
    """
    trained = existing_training(read_path("folder", str(folder)), "folder")
    run = load_saved(TrainConfig, trained / "config.yaml", options).resolved()
    return Generator(*Workbench(lambda text: None).restored(run, trained, checkpoint))


def generated(trainer: Trainer, latents: Latents) -> Images:
    """Images of a restored generator, uint8 [N, height, width, channels].

    Raises:
        ConfigError: if they are NaN.
    """
    try:
        return trainer.generate(latents)
    except FloatingPointError as error:
        raise ConfigError("checkpoint", f"{error}; this training diverged") from None


def _truncated(z: npt.NDArray[np.float32], bound: float) -> npt.NDArray[np.float32]:
    """Normal numbers moved into [-bound, bound], in the same order: truncated normal numbers."""
    if not bound > 0:
        raise ConfigError("truncation", f"{bound:g}; give a number above 0, such as 1")
    low, high = special.ndtr([-bound, bound])
    inner: npt.NDArray[np.float64] = special.ndtri(
        low + (high - low) * special.ndtr(z.astype(np.float64))
    )
    within: npt.NDArray[np.float32] = np.clip(inner, -bound, bound).astype(np.float32)
    return within


def _arcs(
    starts: npt.NDArray[np.float32], ends: npt.NDArray[np.float32], count: int
) -> npt.NDArray[np.float32]:
    """Vectors from each start to its end, [N * count, D]: spherical interpolation.

    White, 2016, arXiv:1609.04468. On a straight line, the vectors in the middle would be shorter
    than any that the generator has seen in training.
    """
    a, b = starts.astype(np.float64)[:, None], ends.astype(np.float64)[:, None]
    norms = np.linalg.norm(a, axis=2) * np.linalg.norm(b, axis=2)
    angle = np.arccos(np.clip((a * b).sum(axis=2) / norms, -1, 1))[..., None]  # [N, 1, 1]
    share = np.linspace(0, 1, count)[None, :, None]
    sine = np.sin(angle)
    near = np.abs(sine) < 1e-9  # one direction: a straight line
    safe = np.where(near, 1.0, sine)
    first = np.where(near, 1 - share, np.sin((1 - share) * angle) / safe)
    second = np.where(near, share, np.sin(share * angle) / safe)
    between: npt.NDArray[np.float64] = first * a + second * b
    return between.reshape(-1, starts.shape[1]).astype(np.float32)
