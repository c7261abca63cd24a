"""Random numbers of training: each draw is a pure function of (seed, update, stream).

There is no generator state that a checkpoint could miss or an earlier trial could have moved on.
"""

from typing import NamedTuple

import tensorflow as tf

_SIDE_BY_SIDE = 4  # streams that share a run of numbers: a latent vector's and alpha's
LATENT_D, LATENT_G, ALPHA, EVALUATION = range(1, _SIDE_BY_SIDE + 1)

# Further streams lie further apart than there are updates. The numbers are part of what a seed
# means: a new stream takes the next one.
_APART = 2**40
PERTURBATION, SMOOTHING, GENERATOR_DROPOUT_D, GENERATOR_DROPOUT_G = (
    number * _APART for number in range(1, 5)
)


class Showing(NamedTuple):
    """The streams of one showing of images to the discriminator, which none shares."""

    augmentation: int
    noise: int
    dropout: int


REAL_D, FAKE_D, BETWEEN, REAL_G, FAKE_G, REAL_FITNESS, FAKE_FITNESS = (
    Showing(number * _APART, (number + 1) * _APART, (number + 2) * _APART)
    for number in range(5, 26, 3)
)
FITNESS, GENERATOR_DROPOUT_FITNESS = 26 * _APART, 27 * _APART


def draw(seed: tf.Tensor, update: tf.Tensor, stream: int) -> tf.Tensor:
    """The seed of one draw for TensorFlow's stateless functions: int64 [2].

    Args:
        seed: of the trial, int64.
        update: number of the discriminator's or generator's update, int64.
        stream: what is drawn.
    """
    return tf.stack([seed, update * _SIDE_BY_SIDE + stream])
