"""The generator and the discriminator, as called by a training step."""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from autogan.models.networks.build import build_networks
from autogan.models.networks.parametrisation import base_of, rates, set_starts
from autogan.models.networks.shape import NetworkShape
from autogan.models.training.trainer import Trainer


class Dropout(NamedTuple):
    """Dropout's rate, a scalar float32, and the seed of its mask, int64 [2]."""

    rate: tf.Tensor | float = 0.0
    seed: tf.Tensor | tuple[int, int] = (0, 0)

    def inputs(self) -> list[tf.Tensor]:
        """The networks' inputs."""
        return [tf.convert_to_tensor(self.rate), tf.convert_to_tensor(self.seed, tf.int64)]


NOTHING = Dropout()


@contextlib.contextmanager
def computed_in(precision: str) -> Iterator[None]:
    """Within this context, new layers compute in a precision; their weights are float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class Networks:
    """The two networks of one shape.

    Args:
        shape: of the networks.
        stage1: the GAN whose images the generator enlarges, if it does not begin with z.
        precision: of their arithmetic; inputs and outputs are float32.

    Attributes:
        generator, discriminator: see `autogan.models.networks.build`.
        g_rates, d_rates: the factor of the learning rate for each of their trainable variables.
    """

    def __init__(
        self, shape: NetworkShape, stage1: Trainer | None = None, precision: str = "float32"
    ) -> None:
        self.shape = shape
        self._stage1 = stage1
        with computed_in(precision):
            self.generator, self.discriminator = build_networks(shape)
        own = self.generator, self.discriminator
        base = own
        if shape.parametrisation == "mup":
            base = build_networks(base_of(shape))
            for network, twin in zip(own, base, strict=True):
                set_starts(network, twin)
        self.g_rates, self.d_rates = map(rates, own, base)

    def images(self, given: Any) -> tf.Tensor:
        """Images of the generator in training, float32 [batch, height, width, channels].

        Args:
            given: see `inputs`.
        """
        return tf.cast(self.generator(given, training=True), tf.float32)

    def inputs(self, z: tf.Tensor, labels: tf.Tensor, dropout: Dropout = NOTHING) -> Any:
        """The generator's inputs, as one argument.

        Args:
            z: latent vectors, float32 [batch, z_dim].
            labels: the classes to generate, int64 [batch], or mixtures of all classes, float32
                [batch, K], or attributes, float32 [batch, A]; unused without a condition, except by
                a first stage that has one.
            dropout: unused without dropout in the generator.
        """
        given = [z]
        if self._stage1 is not None:
            with tf.name_scope("stage1/"):
                given = [self._stage1.images(z, labels)]
        if self.shape.condition != "none":
            given.append(self._vectors(labels))
        if self.shape.generator_dropout:
            given += dropout.inputs()
        return given if len(given) > 1 else given[0]

    def logits(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        dropout: Dropout = NOTHING,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """The discriminator's logits, [batch, 1], and class logits, [batch, K], or None.

        With attributes, the class logits are [batch, A].

        The arguments are those of `inputs`, with images, float32 [batch, height, width, channels].
        """
        given = [images]
        if self.shape.discriminator_takes_class:
            given.append(self._vectors(labels))
        if self.shape.dropout:
            given += dropout.inputs()
        judged = self.discriminator(given if len(given) > 1 else images, training=training)
        if self.shape.condition == "auxiliary":
            return tf.cast(judged[0], tf.float32), tf.cast(judged[1], tf.float32)
        return tf.cast(judged, tf.float32), None

    def _vectors(self, labels: tf.Tensor) -> tf.Tensor:
        """Classes as one-hot vectors; mixtures and attributes as they are."""
        return labels if len(labels.shape) == 2 else tf.one_hot(labels, self.shape.classes)
