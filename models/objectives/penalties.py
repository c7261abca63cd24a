"""Regularisation of the discriminator: penalties in its loss, constraints on its weights."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

_EPSILON = 1e-12  # under the root: the gradient of sqrt is infinite where the norm is 0

Judge = Callable[[tf.Tensor], tf.Tensor]
"""Maps images, float32 [batch, height, width, channels] in [-1, 1], to logits [batch, 1]."""


class PenaltyInput(NamedTuple):
    """A penalty's inputs from a discriminator update.

    Attributes:
        real: a batch of real images.
        fake: a batch of generated images.
        of_real: the discriminator as applied to ``real``: with their labels, through the same
            augmentation.
        of_fake: likewise for ``fake``.
        plain: the discriminator as applied to points near the real images: with the labels of
            these images, and without augmentation.
        alpha: a random number in [0, 1) per image, float32 [batch, 1, 1, 1].
        noise: a random number in [0, 1) per pixel and channel, float32, in the shape of ``real``.
        kernels: of the discriminator.
    """

    real: tf.Tensor
    fake: tf.Tensor
    of_real: Judge
    of_fake: Judge
    plain: Judge
    alpha: tf.Tensor
    noise: tf.Tensor
    kernels: Sequence[tf.Tensor]


Penalty = Callable[[PenaltyInput], tf.Tensor]
"""A term of the discriminator's loss, scalar float32, before multiplication by its weight."""


def gradient_norm(update: PenaltyInput) -> tf.Tensor:
    """E (||grad D(x)|| - 1)^2 at points x between real and generated images.

    The norm goes over all pixels and channels of an image; each image has one alpha
    (Gulrajani et al., 2017, arXiv:1704.00028, algorithm 1). TF-GAN's version does not run eagerly.
    """
    return tf.reduce_mean(tf.square(_norm(update.plain, _between(update)) - 1.0))  # equation 3


def one_sided(update: PenaltyInput) -> tf.Tensor:
    """E max(0, ||grad D(x)|| - 1)^2 at the same points (Petzka et al., 2018, arXiv:1709.08894)."""
    return tf.reduce_mean(tf.square(tf.nn.relu(_norm(update.plain, _between(update)) - 1.0)))


def zero_centred(update: PenaltyInput) -> tf.Tensor:
    """E ||grad D(x)||^2 at the same points (Thanh-Tung et al., 2019, arXiv:1902.03984)."""
    return tf.reduce_mean(_square(update.plain, _between(update)))


def dragan(update: PenaltyInput) -> tf.Tensor:
    """E (||grad D(x)|| - 1)^2 around real images (Kodali et al., 2017, arXiv:1705.07215).

    As in its authors' code, the noise is uniform in [0, 1), times half the standard deviation of
    the whole batch, times alpha.
    """
    strength = 0.5 * tf.math.reduce_std(update.real) * update.alpha
    near = update.real + strength * update.noise
    return tf.reduce_mean(tf.square(_norm(update.plain, near) - 1.0))


def r1(update: PenaltyInput) -> tf.Tensor:
    """E ||grad D(x)||^2 / 2 at real images (Mescheder et al., 2018, arXiv:1801.04406, eq. 9)."""
    return tf.reduce_mean(_square(update.of_real, update.real)) / 2.0


def r2(update: PenaltyInput) -> tf.Tensor:
    """The same at generated images (equation 10)."""
    return tf.reduce_mean(_square(update.of_fake, update.fake)) / 2.0


def r1_r2(update: PenaltyInput) -> tf.Tensor:
    """Both (Huang et al., 2024, arXiv:2501.05441)."""
    return r1(update) + r2(update)


def l2(update: PenaltyInput) -> tf.Tensor:
    """The mean over the kernels W of sum W^2 / 2 (Kurach et al., 2019, arXiv:1807.04720)."""
    return tf.reduce_mean([tf.nn.l2_loss(kernel) for kernel in update.kernels])


PENALTIES: dict[str, Penalty] = {
    "gradient_norm": gradient_norm,
    "one_sided": one_sided,
    "zero_centred": zero_centred,
    "dragan": dragan,
    "r1": r1,
    "r2": r2,
    "r1_r2": r1_r2,
    "l2": l2,
}


def clip_weights(variables: Sequence[tf.Variable], limit: tf.Tensor) -> None:
    """Clip all parameters to [-limit, limit], including biases and those of normalisation.

    Arjovsky et al., 2017, algorithm 1.
    """
    for variable in variables:
        variable.assign(tf.clip_by_value(variable, -limit, limit))


def _between(update: PenaltyInput) -> tf.Tensor:
    return update.real + update.alpha * (update.fake - update.real)


def _norm(judge: Judge, images: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(_square(judge, images) + _EPSILON)


def _square(judge: Judge, images: tf.Tensor) -> tf.Tensor:
    """The squared norm of the discriminator's gradient at each image, float32 [batch]."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = judge(images)
    return tf.reduce_sum(tf.square(tape.gradient(logits, images)), axis=[1, 2, 3])
