"""What keeps a discriminator tame: penalties in its loss, constraints on its weights."""

from collections.abc import Callable, Sequence

import tensorflow as tf

_EPSILON = 1e-12  # under the root: the gradient of sqrt is infinite where the norm is 0

Judge = Callable[[tf.Tensor], tf.Tensor]
"""Maps images, float32 [batch, height, width, channels] in [-1, 1], to logits [batch, 1]."""


def gradient_norm(judge: Judge, real: tf.Tensor, fake: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """E (||grad D(x)|| - 1)^2 at points x between real and generated images.

    The norm goes over all pixels and channels of an image; each image has one alpha
    (Gulrajani et al., 2017, algorithm 1). TF-GAN's version does not run eagerly.

    Args:
        judge: the discriminator.
        real: a batch of images.
        fake: a batch of generated images.
        alpha: one random number in [0, 1) per image, float32 [batch, 1, 1, 1].

    Returns:
        A scalar float32.
    """
    between = real + alpha * (fake - real)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(between)
        logits = judge(between)
    gradient = tape.gradient(logits, between)
    norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3]) + _EPSILON)
    return tf.reduce_mean(tf.square(norm - 1.0))


PENALTIES = {"gradient_norm": gradient_norm}
"""For `autogan.models.base.GANType.penalty`; all take the arguments of `gradient_norm`."""


def clip_weights(variables: Sequence[tf.Variable], limit: tf.Tensor) -> None:
    """Keep all parameters in [-limit, limit], those of normalisation and biases among them.

    Arjovsky et al., 2017, algorithm 1.
    """
    for variable in variables:
        variable.assign(tf.clip_by_value(variable, -limit, limit))
