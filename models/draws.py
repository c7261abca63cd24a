"""Random numbers of training: each draw is a pure function of (seed, update, stream).

There is no generator state that a checkpoint could miss or an earlier trial could have advanced.

Under every compiler, the numbers are those of TensorFlow's kernels on a CPU. This does not hold for
TensorFlow's own functions: compiled by XLA, they ignore the upper half of a seed, and make other
floats from the same random words (`findings/xla_other_floats.sh`). So this module scrambles the
seeds and converts words to floats. All random numbers of the GAN types come from this module.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

Shape: TypeAlias = Sequence[int] | tf.Tensor

_SIDE_BY_SIDE = 4  # neighbouring streams, which share a range of numbers
LATENT_D, LATENT_G, ALPHA, EVALUATION = range(1, _SIDE_BY_SIDE + 1)

# Other streams are further apart than the number of updates. Their numbers must not change, since
# a seed's random numbers depend on them: a new stream takes the next number.
_APART = 2**40
PERTURBATION, SMOOTHING, GENERATOR_DROPOUT_D, GENERATOR_DROPOUT_G = (
    number * _APART for number in range(1, 5)
)


class Showing(NamedTuple):
    """The streams of one showing of images to the discriminator; no other showing uses them."""

    augmentation: int
    noise: int
    dropout: int


REAL_D, FAKE_D, BETWEEN, REAL_G, FAKE_G, REAL_FITNESS, FAKE_FITNESS = (
    Showing(number * _APART, (number + 1) * _APART, (number + 2) * _APART)
    for number in range(5, 26, 3)
)
FITNESS, GENERATOR_DROPOUT_FITNESS = 26 * _APART, 27 * _APART

_PHILOX = 1  # TensorFlow's number of the generator (Salmon et al., 2011)
_SCRAMBLE = 0x02461E293EC8F720  # the key under which TensorFlow scrambles seeds
_BITS = 23  # lowest bits of a word to use: the number that float32 has after its leading one
_LEAST = 1e-7  # replaces 0 in a logarithm


def draw(seed: tf.Tensor, update: tf.Tensor, stream: int) -> tf.Tensor:
    """The seed of one draw, int64 [2].

    Args:
        seed: of the trial, int64.
        update: number of the discriminator's or generator's update, int64.
        stream: number of the stream.
    """
    return tf.stack([seed, update * _SIDE_BY_SIDE + stream])


def split(seed: tf.Tensor, count: int) -> list[tf.Tensor]:
    """``count`` seeds derived from one, each int64 [2]."""
    seeds: list[tf.Tensor] = tf.unstack(_words([count, 2], seed, tf.int64))
    return seeds


def folded(seed: tf.Tensor, number: int) -> tf.Tensor:
    """A seed derived from a seed and a number, int64 [2]; different for different numbers."""
    return tf.stack([tf.cast(_words([], seed), tf.int64), tf.constant(number, tf.int64)])


def uniform(shape: Shape, seed: tf.Tensor) -> tf.Tensor:
    """Numbers in [0, 1), float32: multiples of 2^-23.

    Args:
        shape: of the result.
        seed: int64 [2].
    """
    return tf.cast(_words(shape, seed) & (2**_BITS - 1), tf.float32) * 2.0**-_BITS


def normal(shape: Shape, seed: tf.Tensor) -> tf.Tensor:
    """Normal numbers of mean 0 and deviation 1, float32, by the Box-Muller method (1958).

    Args:
        shape: of the result.
        seed: int64 [2].
    """
    count = tf.reduce_prod(tf.cast(shape, tf.int32))
    u = uniform([(count + 1) // 2, 2], seed)
    radius = tf.sqrt(-2.0 * tf.math.log(tf.maximum(u[:, 0], _LEAST)))
    angle = tf.cast(2.0 * math.pi * tf.cast(u[:, 1], tf.float64), tf.float32)  # rounded once
    pairs = tf.stack([tf.sin(angle) * radius, tf.cos(angle) * radius], axis=1)
    return tf.reshape(tf.reshape(pairs, [-1])[:count], shape)


def integers(shape: Shape, seed: tf.Tensor, low: int, high: int) -> tf.Tensor:
    """Integers from ``low`` to ``high - 1``, int32.

    Args:
        shape: of the result.
        seed: int64 [2].
        low: the least integer.
        high: the greatest integer plus 1.
    """
    key, counter = _scrambled(seed)
    return tf.raw_ops.StatelessRandomUniformIntV2(
        shape=shape, key=key, counter=counter, alg=_PHILOX, minval=low, maxval=high
    )


def _words(shape: Shape, seed: tf.Tensor, dtype: Any = tf.int32) -> tf.Tensor:
    """Random bits, the same under every compiler."""
    key, counter = _scrambled(seed)
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape, key=key, counter=counter, alg=_PHILOX, dtype=dtype
    )


def _scrambled(seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The generator's key, uint64 [1], and counter, uint64 [2], as in TensorFlow's kernel.

    They are the generator's words when its counter is the seed; all 128 bits of the seed count.
    """
    mixed = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[2],
        key=tf.constant([_SCRAMBLE], tf.uint64),
        counter=tf.bitcast(tf.cast(seed, tf.int64), tf.uint64),
        alg=_PHILOX,
        dtype=tf.uint64,
    )
    return mixed[:1], mixed * tf.constant([0, 1], tf.uint64)
