"""Adversarial losses, from TF-GAN where its function is right.

All take what the discriminator says of images, float32 [batch, 1]: logits (it has no last
activation), or an auto-encoder's errors. `autogan.models.base.GANType.loss` names one of `LOSSES`.
"""

from collections.abc import Mapping
from typing import ClassVar

import tensorflow as tf

import autogan.core.tfgan as tfgan

_tfgan = tfgan.losses()

Values = Mapping[str, tf.Tensor]
"""The hyperparameters that are data to the compiled training function, by name."""


class Loss:
    """What each network minimises; all return a scalar float32.

    Attributes:
        variables: what a loss remembers from update to update, by name; part of a checkpoint.
        curves: names of the values that `updated` returns.
    """

    curves: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.variables: dict[str, tf.Variable] = {}

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """The discriminator's loss on what it says of real and of generated images."""
        raise NotImplementedError

    def generator(self, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """The generator's loss on what the discriminator says of generated images."""
        raise NotImplementedError

    def updated(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> dict[str, tf.Tensor]:
        """Take note of a discriminator update; returns values worth a curve."""
        return {}


class NonSaturating(Loss):
    """Goodfellow et al., 2014 (arXiv:1406.2661), with the generator's -log D(G(z))."""

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E softplus(-D(x)) + E softplus(D(G(z))); TF-GAN would smooth labels by 0.25 unasked."""
        return _tfgan.modified_discriminator_loss(real, fake, label_smoothing=0.0)

    def generator(self, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E softplus(-D(G(z)))."""
        return _tfgan.modified_generator_loss(fake, label_smoothing=0.0)


class Wasserstein(Loss):
    """Arjovsky et al., 2017 (arXiv:1701.07875)."""

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E D(G(z)) - E D(x)."""
        return _tfgan.wasserstein_discriminator_loss(real, fake)

    def generator(self, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """-E D(G(z))."""
        return _tfgan.wasserstein_generator_loss(fake)


class LeastSquares(Loss):
    """Mao et al., 2017 (arXiv:1611.04076), with targets 1 and 0, on logits."""

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E (D(x) - 1)^2 / 2 + E D(G(z))^2 / 2."""
        return _tfgan.least_squares_discriminator_loss(real, fake)

    def generator(self, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E (D(G(z)) - 1)^2 / 2."""
        return _tfgan.least_squares_generator_loss(fake)


class Equilibrium(Loss):
    """BEGAN's (Berthelot et al., 2017, arXiv:1703.10717), on an auto-encoder's errors L.

    k_t, from 0, weighs the generated images against the real ones so that
    E L(G(z)) = gamma E L(x). It changes after each discriminator update.
    """

    curves = ("k", "convergence")

    def __init__(self) -> None:
        super().__init__()
        self.variables = {"k": tf.Variable(0.0, trainable=False)}

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E L(x) - k_t E L(G(z))."""
        return tf.reduce_mean(real) - self.variables["k"] * tf.reduce_mean(fake)

    def generator(self, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E L(G(z))."""
        return tf.reduce_mean(fake)

    def updated(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> dict[str, tf.Tensor]:
        """k_t+1 = k_t + lambda_k (gamma E L(x) - E L(G(z))), kept in [0, 1].

        The curve ``convergence`` is the paper's measure E L(x) + |gamma E L(x) - E L(G(z))|.
        """
        k, error = self.variables["k"], tf.reduce_mean(real)
        balance = settings["gamma"] * error - tf.reduce_mean(fake)
        k.assign(tf.clip_by_value(k + settings["lambda_k"] * balance, 0.0, 1.0))
        return {"k": k.read_value(), "convergence": error + tf.abs(balance)}


def class_error(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy of class logits, float32 [batch, K], against labels, int64 [batch].

    TF-GAN's ACGAN loss takes one set of labels for real and generated images, which is wrong
    where generated images have labels of their own.
    """
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


LOSSES: dict[str, type[Loss]] = {
    "non_saturating": NonSaturating,
    "wasserstein": Wasserstein,
    "least_squares": LeastSquares,
    "equilibrium": Equilibrium,
}
