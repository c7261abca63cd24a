"""Differentiable augmentation of the discriminator's images, real and generated alike.

DiffAugment (Zhao et al., 2020, arXiv:2006.10738): since both kinds are augmented, and the
generator learns through the augmentation, it does not leak into generated images.
"""

from collections.abc import Callable

import tensorflow as tf

from autogan.models import draws

_SHIFT = 8  # an image shifts by at most 1/8 of its side
_HOLE = 2  # a hole's side is 1/2 of the image's

POLICIES: dict[str, tuple[str, ...]] = {
    "color": ("color",),
    "translation": ("translation",),
    "cutout": ("cutout",),
    "translation+cutout": ("translation", "cutout"),
    "all": ("color", "translation", "cutout"),
}
"""The operations of each value of the hyperparameter ``augment``, in order."""


def augmented(images: tf.Tensor, policy: str, probability: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Apply each of a policy's operations to an image with ``probability``.

    Args:
        images: float32 [batch, height, width, channels] in [-1, 1]; gaps are filled with 0.
        policy: a key of `POLICIES`.
        probability: a scalar in [0, 1].
        seed: int64 [2]; determines every random number.

    Returns:
        Float32 in the shape of ``images``; colours may leave [-1, 1].
    """
    names = POLICIES[policy]
    for name, own in zip(names, draws.split(seed, len(names)), strict=True):
        seeds = draws.split(own, 3)
        chosen = _uniform(images, [1, 1, 1], seeds[0]) < probability
        images = tf.where(chosen, _OPERATIONS[name](images, seeds[1], seeds[2]), images)
    return images


def _color(images: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Change brightness by up to 0.5, saturation by 0 to 2, contrast by 0.5 to 1.5, in order."""
    brightness = _uniform(images, [1, 1, 1], first) - 0.5
    factors = _uniform(images, [1, 1, 2], second)
    images += brightness
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    images = (images - grey) * (2.0 * factors[..., :1]) + grey
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    return (images - mean) * (factors[..., 1:] + 0.5) + mean


def _translation(images: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Shift rows and columns by whole pixels."""
    for axis, seed in ((1, first), (2, second)):
        side = images.shape[axis]
        most = (side + _SHIFT // 2) // _SHIFT
        shift = _integers(images, -most, most + 1, seed)
        padded = tf.pad(images, [[most, most] if a == axis else [0, 0] for a in range(4)])
        places = tf.range(side)[None] + most - shift[:, None]  # in the padded image
        images = tf.gather(padded, places, axis=axis, batch_dims=1)
    return images


def _cutout(images: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Cut a square hole, whose centre may be anywhere in the image."""
    outside = []
    for axis, seed in ((1, first), (2, second)):
        side = images.shape[axis]
        hole = (side + _HOLE // 2) // _HOLE
        begin = _integers(images, 0, side + 1 - hole % 2, seed) - hole // 2
        place = tf.range(side)[None] - begin[:, None]
        outside.append((place < 0) | (place >= hole))
    kept = outside[0][:, :, None, None] | outside[1][:, None, :, None]
    return images * tf.cast(kept, tf.float32)


_OPERATIONS: dict[str, Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "color": _color,
    "translation": _translation,
    "cutout": _cutout,
}


def _uniform(images: tf.Tensor, shape: list[int], seed: tf.Tensor) -> tf.Tensor:
    """Numbers in [0, 1) for each image."""
    return draws.uniform([tf.shape(images)[0], *shape], seed)


def _integers(images: tf.Tensor, low: int, high: int, seed: tf.Tensor) -> tf.Tensor:
    """An integer from ``low`` to ``high - 1`` for each image."""
    return draws.integers([tf.shape(images)[0]], seed, low, high)
