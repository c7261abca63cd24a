"""Penalties added to the discriminator's loss.

Each takes the discriminator, a real and a generated batch (float32 [batch, height, width,
channels] in [-1, 1]) and one random number in [0, 1) per image (float32 [batch, 1, 1, 1]), and
returns a scalar float32. ``autogan.models.base.GANType.penalty`` names one of `PENALTIES`.
"""

import keras
import tensorflow as tf

_EPSILON = 1e-12  # under the root: the gradient of sqrt is infinite where the norm is 0


def gradient_norm(
    discriminator: keras.Model, real: tf.Tensor, fake: tf.Tensor, alpha: tf.Tensor
) -> tf.Tensor:
    """E (||grad D(x)|| - 1)^2 at points x between real and generated images.

    The norm goes over all pixels and channels of an image; each image has one alpha
    (Gulrajani et al., 2017, algorithm 1). TF-GAN's version does not run eagerly.
    """
    between = real + alpha * (fake - real)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(between)
        logits = discriminator(between, training=True)
    gradient = tape.gradient(logits, between)
    norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3]) + _EPSILON)
    return tf.reduce_mean(tf.square(norm - 1.0))


PENALTIES = {"gradient_norm": gradient_norm}
