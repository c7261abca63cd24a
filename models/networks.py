"""Generators and discriminators.

A generator maps z, float32 [batch, z_dim], to images, float32 [batch, size, size, channels] in
[-1, 1]. A discriminator maps such images to logits, float32 [batch, 1]. Weights start as in DCGAN
(normal with deviation 0.02), batch normalisation runs with momentum 0.9, so that its moving
statistics, which sampling uses, follow short trainings.
"""

from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import layers

_LEAK = 0.2


@dataclass(frozen=True)
class NetworkShape:
    """All that decides the two networks."""

    size: int
    channels: int
    z_dim: int
    architecture: Literal["auto", "infogan", "strided"]
    width: int
    dense_width: int
    discriminator_norm: Literal["batch", "none"]


def build_networks(shape: NetworkShape) -> tuple[keras.Model, keras.Model]:
    """Return the generator and the discriminator."""
    architecture = shape.architecture
    if architecture == "auto":
        architecture = "infogan" if shape.size < 32 else "strided"
    z = keras.Input([shape.z_dim], name="z")
    images = keras.Input([shape.size, shape.size, shape.channels], name="images")
    if architecture == "infogan":
        made, logits = _infogan_generator(z, shape), _infogan_discriminator(images, shape)
    else:
        made, logits = _strided_generator(z, shape), _strided_discriminator(images, shape)
    return (
        keras.Model(z, made, name="generator"),
        keras.Model(images, logits, name="discriminator"),
    )


def _infogan_generator(z: Any, shape: NetworkShape) -> Any:
    """The 28x28 generator of InfoGAN (Chen et al., 2016, appendix C.1), for sizes divisible by 4.

    The reference has ``width`` 64 and ``dense_width`` 1024.
    """
    quarter = shape.size // 4
    x = _relu_norm(_dense(shape.dense_width)(z))  # [batch, dense_width]
    x = _relu_norm(_dense(2 * shape.width * quarter * quarter)(x))
    x = layers.Reshape([quarter, quarter, 2 * shape.width])(x)  # [batch, size/4, size/4, 2 width]
    x = _relu_norm(_deconv(shape.width, 4)(x))  # [batch, size/2, size/2, width]
    return layers.Activation("tanh")(_deconv(shape.channels, 4, bias=True)(x))


def _infogan_discriminator(images: Any, shape: NetworkShape) -> Any:
    """The discriminator beside `_infogan_generator`; no normalisation after the first layer."""
    x = layers.LeakyReLU(_LEAK)(_conv(shape.width, 4)(images))  # [batch, size/2, size/2, width]
    x = _leaky_norm(_conv(2 * shape.width, 4)(x), shape)  # [batch, size/4, size/4, 2 width]
    x = _leaky_norm(_dense(shape.dense_width)(layers.Flatten()(x)), shape)
    return _dense(1)(x)


def _strided_generator(z: Any, shape: NetworkShape) -> Any:
    """DCGAN's generator: from at most 4x4 up to the image by steps of two."""
    sizes = _pyramid(shape.size)  # for 64 pixels: 32, 16, 8, 4
    width = _width(shape, len(sizes) - 1)
    x = _dense(sizes[-1] * sizes[-1] * width)(z)
    x = _relu_norm(layers.Reshape([sizes[-1], sizes[-1], width])(x))
    for level in reversed(range(len(sizes) - 1)):
        x = _crop(_deconv(_width(shape, level), 5)(x), sizes[level])
        x = _relu_norm(x)
    return layers.Activation("tanh")(_deconv(shape.channels, 5, bias=True)(x))


def _strided_discriminator(images: Any, shape: NetworkShape) -> Any:
    """DCGAN's discriminator: strided convolutions down to at most 4x4."""
    x = layers.LeakyReLU(_LEAK)(_conv(shape.width, 5)(images))
    for level in range(1, len(_pyramid(shape.size))):
        x = _leaky_norm(_conv(_width(shape, level), 5)(x), shape)
    return _dense(1)(layers.Flatten()(x))


def _pyramid(size: int) -> list[int]:
    """The sizes below ``size``, halved and rounded up until 4 or less."""
    sizes = [(size + 1) // 2]
    while sizes[-1] > 4:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def _width(shape: NetworkShape, level: int) -> int:
    """Filters ``level`` steps away from the image; DCGAN stops doubling at eight times."""
    return shape.width * min(1 << level, 8)


def _crop(x: Any, size: int) -> Any:
    """Cut what doubling a rounded-up size made too much."""
    extra = x.shape[1] - size
    return layers.Cropping2D(((0, extra), (0, extra)))(x) if extra else x


def _relu_norm(x: Any) -> Any:
    return layers.ReLU()(_batch_norm()(x))


def _leaky_norm(x: Any, shape: NetworkShape) -> Any:
    if shape.discriminator_norm == "batch":
        x = _batch_norm()(x)
    return layers.LeakyReLU(_LEAK)(x)


def _batch_norm() -> layers.Layer:
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)


def _dense(units: int) -> layers.Layer:
    return layers.Dense(units, kernel_initializer=_normal())


def _conv(filters: int, kernel: int) -> layers.Layer:
    return layers.Conv2D(filters, kernel, 2, "same", kernel_initializer=_normal())


def _deconv(filters: int, kernel: int, bias: bool = False) -> layers.Layer:
    """A doubling; its bias would be undone by the normalisation that follows all but the last."""
    return layers.Conv2DTranspose(
        filters, kernel, 2, "same", use_bias=bias, kernel_initializer=_normal()
    )
