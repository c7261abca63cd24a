"""The trainer of a GAN type: the only interface of trials, sampling and evaluation to GANs."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.arrays import Attributes, Labels
from autogan.core.hyperparameters import Value
from autogan.models.base import ImageShape
from autogan.models.draws import EVALUATION, normal
from autogan.models.training.batches import TrainingSet, drawn_attributes, proportional_labels

_GENERATE_BATCH = 256


class Latents(NamedTuple):
    """The inputs for generating images.

    Attributes:
        z: float32 [N, z_dim].
        labels: int64 [N], the classes to generate, empty for an unconditional GAN; or weights of
            all K classes in mixtures, float32 [N, K]; or attributes, float32 [N, A] in [0, 1].
    """

    z: tf.Tensor
    labels: npt.NDArray[Any]

    @property
    def classes(self) -> Labels | None:
        """The class of each image, int64 [N]; None without classes, or with mixtures."""
        return self.labels if self.labels.ndim == 1 and len(self.labels) else None


class Trainer(ABC):
    """A GAN of one shape, trained many times with different seeds and settings.

    Building it takes seconds, `reset` hundredths of a second. A subclass implements `reset`,
    `train`, `images`, `variables` and `graph`; the handling of images and state is the same for
    all. AutoGAN's is `autogan.models.training.adversarial.Adversarial`, which `GANType.build`
    returns.

    Args:
        image_shape: height, width and channels of the images; square, the side divisible by 4.
        batch_size: images per batch.
        z_dim: length of the latent vectors.
        class_counts: the number of images of each class in the training set, if the GAN takes
            classes; else empty.
        attributes: of images of the training set, uint8 [M, A] of 0 and 1, if the GAN takes
            attributes; else None. `latents` takes the attributes of images from these.

    Attributes:
        mixes: whether `images` takes mixtures of classes.
        network: the Keras model from z, and from one-hot classes or attributes if there are any,
            to images; None if it is not a single model.
    """

    mixes: bool = False
    network: keras.Model | None = None

    def __init__(
        self,
        image_shape: ImageShape,
        batch_size: int,
        z_dim: int,
        class_counts: Sequence[int] = (),
        attributes: Attributes | None = None,
    ) -> None:
        self.image_shape = image_shape
        self.batch_size = batch_size
        self.z_dim = z_dim
        self.class_counts = tuple(class_counts)
        self.attributes = attributes

    @property
    def conditions(self) -> int:
        """The number of classes K or of attributes A; 0 without either."""
        return len(self.class_counts) if self.attributes is None else self.attributes.shape[1]

    @property
    @abstractmethod
    def variables(self) -> Mapping[str, tf.Variable]:
        """The full training state by name; generating images uses names with the prefix `shown`."""

    @property
    def shown(self) -> str:
        """The name prefix of the variables that make the images."""
        return "generator/"

    @abstractmethod
    def reset(self, seed: int) -> None:
        """Start a new training: initial weights from ``seed``, empty optimisers."""

    @abstractmethod
    def train(
        self,
        data: TrainingSet,
        seed: int,
        start: int,
        steps: int,
        total: int,
        hyperparameters: Mapping[str, Value],
    ) -> tuple[int, dict[str, float]]:
        """Train for up to ``steps`` steps. Calls of any length give the same bits.

        Args:
            data: the training set; a conditional GAN needs labels.
            seed: of the trial; with ``start`` it decides every random number.
            start: number of steps before this call.
            steps: to train now; each has one update of the generator.
            total: steps of the whole training, for schedules.
            hyperparameters: all of the type's hyperparameters.

        Returns:
            The number of steps done, fewer than ``steps`` if a loss became NaN or infinite, and
            the means of losses and other curves over these steps, by name.
        """

    @abstractmethod
    def images(self, z: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Images, float32 [N, height, width, channels], with the visible range [-1, 1].

        It is called within compiled functions.

        Args:
            z: float32 [N, z_dim].
            labels: int64 [N], or [0] for an unconditional GAN; see `Latents` if it `mixes` or has
                attributes.
        """

    @property
    @abstractmethod
    def graph(self) -> tf.compat.v1.GraphDef:
        """The graph for TensorBoard."""

    def latents(self, count: int, seed: int, classes: Sequence[int] | None = None) -> Latents:
        """Return ``count`` latent vectors and their labels, which depend only on the arguments.

        Args:
            count: number of vectors.
            seed: of the vectors.
            classes: to take in turn; if None, all classes as often as in the training set. With
                attributes, those to set, one at a time; a whole round shares a vector, so that only
                the attribute changes.
        """
        z = normal([count, self.z_dim], tf.constant([seed, EVALUATION], tf.int64))
        if self.attributes is not None:
            if classes is None:
                return Latents(z, drawn_attributes(count, self.attributes))
            rows = np.eye(self.conditions, dtype=np.float32)[np.resize(classes, count)]
            return Latents(tf.gather(z, np.arange(count) // len(classes)), rows)
        if not self.class_counts:
            return Latents(z, np.zeros(0, np.int64))
        if classes is None:
            return Latents(z, proportional_labels(count, self.class_counts))
        return Latents(z, np.resize(np.array(classes, np.int64), count))

    def generate(self, latents: Latents) -> npt.NDArray[np.uint8]:
        """Generate images, uint8 [N, height, width, channels].

        Raises:
            FloatingPointError: if the images are NaN.
        """
        self._settle()
        images = []
        for first in range(0, latents.z.shape[0], _GENERATE_BATCH):
            part = slice(first, first + _GENERATE_BATCH)
            labels = latents.labels[part]
            batch, finite = self._compiled[labels.ndim](latents.z[part], tf.constant(labels))
            if not finite:
                raise FloatingPointError("the generator's images are NaN")
            images.append(batch.numpy())
        return np.concatenate(images)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """The full training state: weights, moving statistics, optimisers' state."""
        self._settle()
        return {name: variable.numpy() for name, variable in self.variables.items()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Restore a `state`."""
        for name, variable in self.variables.items():
            variable.assign(state[name])

    def generator_state(self) -> dict[str, npt.NDArray[Any]]:
        """The state for generating images, under names that begin with ``generator/``."""
        self._settle()
        return {name: variable.numpy() for name, variable in self._shown_variables.items()}

    def restore_generator(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Restore a `generator_state`."""
        for name, variable in self._shown_variables.items():
            variable.assign(state[name])

    @property
    def state_bytes(self) -> int:
        """The size of `state` in bytes."""
        return _bytes(self.variables)

    @property
    def generator_bytes(self) -> int:
        """The size of `generator_state` in bytes."""
        return _bytes(self._shown_variables)

    def _settle(self) -> None:  # noqa: B027 (most trainers have nothing to do)
        """Finish any pending work before images are generated or variables saved."""

    @property
    def _shown_variables(self) -> dict[str, tf.Variable]:
        return {
            f"generator/{name.removeprefix(self.shown)}": variable
            for name, variable in self.variables.items()
            if name.startswith(self.shown)
        }

    @cached_property
    def _compiled(self) -> dict[int, Any]:
        """Functions of images as uint8, and whether they are finite, by the labels' dimensions."""

        def made(z: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            images = self.images(z, labels)
            return quantised(images), tf.reduce_all(tf.math.is_finite(images))

        z, mixtures = tf.TensorSpec([None, self.z_dim]), [None, self.conditions]
        labels = {1: tf.TensorSpec([None], tf.int64), 2: tf.TensorSpec(mixtures)}
        return {
            dimensions: tf.function(made, input_signature=[z, each], autograph=False)
            for dimensions, each in labels.items()
        }


def quantised(images: tf.Tensor) -> tf.Tensor:
    """Float images with the visible range [-1, 1], converted to uint8."""
    scaled = tf.round((tf.clip_by_value(images, -1, 1) + 1.0) * 127.5)
    return tf.cast(scaled, tf.uint8)


def _bytes(variables: Mapping[str, tf.Variable]) -> int:
    return sum(math.prod(v.shape) * v.dtype.size for v in variables.values())
