"""Adversarial losses, from TF-GAN where its function is correct.

All take the discriminator's outputs on images, float32 [batch, 1]: logits (without a last
activation), or an auto-encoder's errors. The hyperparameter ``loss`` names one of `LOSSES`.
"""

from collections.abc import Mapping
from typing import ClassVar

import tensorflow as tf

import autogan.core.tfgan as tfgan

_tfgan = tfgan.losses()

Values = Mapping[str, tf.Tensor]
"""The hyperparameters that are data to the compiled training function, by name."""


class Loss:
    """The losses that both networks minimise, each a scalar float32.

    Attributes:
        compares: whether the generator's loss uses real images too.
        border: the logit of an image that the discriminator considers as likely real as not.
        variables: the loss's state between updates, by name; part of a checkpoint.
        curves: names of the values that `updated` returns.
    """

    compares: ClassVar[bool] = False
    border: ClassVar[float] = 0.0
    curves: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.variables: dict[str, tf.Variable] = {}

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """The discriminator's loss, from its outputs on real and on generated images."""
        raise NotImplementedError

    def generator(self, real: tf.Tensor | None, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """The generator's loss, from the discriminator's outputs on generated images.

        ``real`` is the discriminator's output on the real images of its own last update, if the
        loss compares; otherwise None.
        """
        raise NotImplementedError

    def errors(self, logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Each image's term of the discriminator's loss for a target between 0 and 1.

        Only for losses with targets, which label smoothing moves.
        """
        raise NotImplementedError

    def updated(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> dict[str, tf.Tensor]:
        """Update the loss's state after a discriminator update; return values to plot."""
        return {}


class NonSaturating(Loss):
    """Goodfellow et al., 2014 (arXiv:1406.2661), with the generator's -log D(G(z))."""

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E softplus(-D(x)) + E softplus(D(G(z))); TF-GAN smooths labels by 0.25 by default."""
        return _tfgan.modified_discriminator_loss(real, fake, label_smoothing=0.0)

    def generator(self, real: tf.Tensor | None, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E softplus(-D(G(z)))."""
        return _tfgan.modified_generator_loss(fake, label_smoothing=0.0)

    def errors(self, logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """The cross-entropy of sigmoid(D) against the targets."""
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)


class Minimax(NonSaturating):
    """Goodfellow et al., 2014, equation 1: the generator maximises what D minimises.

    Its gradient vanishes where D is sure that images are generated.
    """

    def generator(self, real: tf.Tensor | None, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """-E softplus(D(G(z))); TF-GAN's adds a constant."""
        return -tf.reduce_mean(tf.nn.softplus(fake))


class Wasserstein(Loss):
    """Arjovsky et al., 2017 (arXiv:1701.07875)."""

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E D(G(z)) - E D(x)."""
        return _tfgan.wasserstein_discriminator_loss(real, fake)

    def generator(self, real: tf.Tensor | None, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """-E D(G(z))."""
        return _tfgan.wasserstein_generator_loss(fake)


class LeastSquares(Loss):
    """Mao et al., 2017 (arXiv:1611.04076), with targets 1 and 0, on logits."""

    border = 0.5

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E (D(x) - 1)^2 / 2 + E D(G(z))^2 / 2."""
        return _tfgan.least_squares_discriminator_loss(real, fake)

    def generator(self, real: tf.Tensor | None, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E (D(G(z)) - 1)^2 / 2."""
        return _tfgan.least_squares_generator_loss(fake)

    def errors(self, logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """(D - target)^2 / 2."""
        return tf.square(logits - targets) / 2.0


class Hinge(Loss):
    """Lim and Ye, 2017 (arXiv:1705.02894): no loss for D once it is right by a margin of 1."""

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E relu(1 - D(x)) + E relu(1 + D(G(z)))."""
        return tf.reduce_mean(tf.nn.relu(1.0 - real)) + tf.reduce_mean(tf.nn.relu(1.0 + fake))

    def generator(self, real: tf.Tensor | None, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """-E D(G(z))."""
        return -tf.reduce_mean(fake)


class Relativistic(Loss):
    """Each real image against a generated one (Jolicoeur-Martineau, 2018, arXiv:1807.00734)."""

    compares = True

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E softplus(-(D(x) - D(G(z))))."""
        return tf.reduce_mean(tf.nn.softplus(fake - real))

    def generator(self, real: tf.Tensor | None, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """E softplus(-(D(G(z)) - D(x)))."""
        return tf.reduce_mean(tf.nn.softplus(real - fake))


class RelativisticAverage(Loss):
    """Each image against the mean of the other kind (Jolicoeur-Martineau, 2018, section 4).

    With the factor 1/2 of its author's code, which TF-GAN lacks. Gradients flow through the means.
    """

    compares = True

    def discriminator(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """[E softplus(-(D(x) - E D(G(z)))) + E softplus(D(G(z)) - E D(x))] / 2."""
        return _above(real, fake)

    def generator(self, real: tf.Tensor | None, fake: tf.Tensor, settings: Values) -> tf.Tensor:
        """The same with the kinds exchanged."""
        return _above(fake, real)


def _above(high: tf.Tensor, low: tf.Tensor) -> tf.Tensor:
    """How far ``high`` is from being above the mean of ``low``, and ``low`` from being below."""
    above = tf.nn.softplus(tf.reduce_mean(low) - high)
    below = tf.nn.softplus(low - tf.reduce_mean(high))
    return (tf.reduce_mean(above) + tf.reduce_mean(below)) / 2.0


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

    def generator(self, real: tf.Tensor | None, fake: tf.Tensor, settings: Values) -> tf.Tensor:
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


def smoothed(
    loss: Loss, real: tf.Tensor, fake: tf.Tensor, most: tf.Tensor, shares: tf.Tensor
) -> tf.Tensor:
    """The discriminator's loss with smoothed labels (Salimans et al., 2016, arXiv:1606.03498).

    An image's target is off by a random share of ``most``: it is 1 - most u for real images and
    most u for generated ones.

    Args:
        loss: a loss with targets.
        real: logits of real images, float32 [batch, 1].
        fake: logits of generated images, float32 [batch, 1].
        most: the greatest distance, a scalar in [0, 0.5].
        shares: u, float32 [2, batch, 1] in [0, 1).
    """
    of_real = loss.errors(real, 1.0 - most * shares[0])
    return tf.reduce_mean(of_real) + tf.reduce_mean(loss.errors(fake, most * shares[1]))


def class_error(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy of class logits, float32 [batch, K], against labels, int64 [batch].

    Against attributes, float32 [batch, A] in [0, 1], each of A logits says whether an image has the
    attribute: the error is the mean sigmoid cross-entropy over images and attributes.

    TF-GAN's ACGAN loss takes one set of labels for real and generated images, which is wrong if
    generated images have different labels.
    """
    if len(labels.shape) == 2:
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


LOSSES: dict[str, type[Loss]] = {
    "non_saturating": NonSaturating,
    "minimax": Minimax,
    "least_squares": LeastSquares,
    "wasserstein": Wasserstein,
    "hinge": Hinge,
    "relativistic": Relativistic,
    "relativistic_average": RelativisticAverage,
    "equilibrium": Equilibrium,
}
