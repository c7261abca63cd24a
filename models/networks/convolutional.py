"""Plain convolutional networks: InfoGAN's, DCGAN's and SNGAN's.

A generator maps z to images; a discriminator here maps images to the input features of its last
dense layer.
"""

from typing import Any

from keras import layers

from autogan.models.networks.parts import Parts
from autogan.models.networks.shape import NetworkShape

_LEAK = 0.2


def infogan_generator(z: Any, shape: NetworkShape, parts: Parts) -> Any:
    """The 28x28 generator of InfoGAN (Chen et al., 2016, appendix C.1), for sizes divisible by 4.

    The reference has ``width`` 64 and ``dense_width`` 1024.
    """
    quarter = shape.size // 4
    x = parts.activated(parts.normed(parts.dense(z, shape.dense_width)))  # [batch, dense_width]
    x = parts.dense(x, 2 * shape.width * quarter * quarter)
    x = parts.activated(parts.normed(x))
    x = layers.Reshape([quarter, quarter, 2 * shape.width])(x)  # [batch, size/4, size/4, 2 width]
    x = parts.deconv(parts.attended(x), shape.width, 4)  # [batch, size/2, size/2, width]
    x = parts.attended(parts.activated(parts.normed(x)))
    return layers.Activation("tanh")(parts.deconv(x, shape.channels, 4, last=True))


def infogan_discriminator(images: Any, shape: NetworkShape, parts: Parts) -> Any:
    """The discriminator for `infogan_generator`; no normalisation after the first layer."""
    x = parts.activated(parts.conv(images, shape.width, 4, 2), _LEAK)
    x = parts.conv(parts.attended(x), 2 * shape.width, 4, 2)  # [batch, size/4, size/4, 2 width]
    x = parts.attended(parts.activated(parts.normed(x), _LEAK))
    x = parts.dense(layers.Flatten()(parts.deviation(x)), shape.dense_width)
    return parts.activated(parts.normed(x), _LEAK)


def strided_generator(z: Any, shape: NetworkShape, parts: Parts) -> Any:
    """DCGAN's generator: ``depth`` doublings, or as many as lead from at most 4x4 to the image."""
    sizes = _pyramid(shape)  # for 64 pixels: 32, 16, 8, 4
    width = _width(shape, len(sizes) - 1)
    x = parts.dense(z, sizes[-1] * sizes[-1] * width)
    x = layers.Reshape([sizes[-1], sizes[-1], width])(x)
    x = parts.activated(parts.normed(x))
    for level in reversed(range(len(sizes) - 1)):
        x = _crop(parts.deconv(parts.attended(x), _width(shape, level), 5), sizes[level])
        x = parts.activated(parts.normed(x))
    x = parts.deconv(parts.attended(x), shape.channels, 5, last=True)
    return layers.Activation("tanh")(x)


def strided_discriminator(images: Any, shape: NetworkShape, parts: Parts) -> Any:
    """DCGAN's discriminator: strided convolutions down to the generator's first size."""
    x = parts.attended(parts.activated(parts.conv(images, shape.width, 5, 2), _LEAK))
    for level in range(1, len(_pyramid(shape))):
        x = parts.normed(parts.conv(x, _width(shape, level), 5, 2))
        x = parts.attended(parts.activated(x, _LEAK))
    return layers.Flatten()(parts.deviation(x))


def sndcgan_generator(z: Any, shape: NetworkShape, parts: Parts) -> Any:
    """The plain generator of SNGAN (Miyato et al., 2018, arXiv:1802.05957, table 3).

    It has three doublings, and a convolution at full size that makes the image. The reference has
    ``width`` 64 and 32x32 images; sizes in between are halves, rounded up.
    """
    sizes = _eighths(shape.size)
    x = parts.dense(z, sizes[-1] * sizes[-1] * 8 * shape.width)
    x = parts.activated(parts.normed(x))  # normalised per unit, not per filter
    x = layers.Reshape([sizes[-1], sizes[-1], 8 * shape.width])(x)
    for level in reversed(range(3)):
        x = _crop(parts.deconv(parts.attended(x), shape.width << level, 4), sizes[level])
        x = parts.activated(parts.normed(x))
    return layers.Activation("tanh")(parts.conv(x, shape.channels, 3))


def sndcgan_discriminator(images: Any, shape: NetworkShape, parts: Parts) -> Any:
    """The discriminator for `sndcgan_generator`: seven convolutions, three of them strided."""
    x = parts.activated(parts.conv(images, shape.width, 3), 0.1)
    for level in range(1, 4):
        x = parts.activated(parts.normed(parts.conv(x, shape.width << level, 4, 2)), 0.1)
        x = parts.attended(x)
        if level == 3:
            x = parts.deviation(x)
        x = parts.activated(parts.normed(parts.conv(x, shape.width << level, 3)), 0.1)
    return layers.Flatten()(x)


def _eighths(size: int) -> list[int]:
    """The size, its half, quarter and eighth, rounded up."""
    sizes = [size]
    while len(sizes) < 4:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def _pyramid(shape: NetworkShape) -> list[int]:
    """The sizes below the image's: ``depth`` halves, rounded up, or halves down to 4 or less."""
    sizes = [(shape.size + 1) // 2]
    while len(sizes) < shape.depth if shape.depth else sizes[-1] > 4:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def _width(shape: NetworkShape, level: int) -> int:
    """Filters at ``level`` steps from the image; as in DCGAN, at most 8 times ``width``."""
    return shape.width * min(1 << level, 8)


def _crop(x: Any, size: int) -> Any:
    """Cut the excess that comes from doubling a rounded-up size."""
    extra = x.shape[1] - size
    return layers.Cropping2D(((0, extra), (0, extra)))(x) if extra else x
