"""Residual networks: SNGAN's, the "ResNet19" of compare_gan, and a small one like R3GAN's.

A generator maps z to images; a discriminator here maps images to the input features of its last
dense layer. A 1x1 convolution never has a stride: TensorFlow's gradient of it crashes on some
processors. Average pooling halves shortcuts before it.
"""

import math
from typing import Any

import keras
from keras import layers

from autogan.models.networks.layers import FromBasis, OntoBasis
from autogan.models.networks.parts import Parts, Start, count_halvings
from autogan.models.networks.shape import NetworkShape


def resnet_generator(z: Any, shape: NetworkShape, parts: Parts) -> Any:
    """SNGAN's residual generator (Miyato et al., 2018, arXiv:1802.05957, table 4).

    It has one block for each doubling, all of ``2 * width`` filters. The reference has ``width``
    128 and 32x32 images.
    """
    filters, halvings = 2 * shape.width, count_halvings(shape.size, 4)
    x = parts.seeded(z, shape.size >> halvings, filters)
    for _ in range(halvings):
        x = _generator_block(parts.attended(x), filters, parts)
    return _image(x, shape, parts)


def resnet_discriminator(images: Any, shape: NetworkShape, parts: Parts) -> Any:
    """The discriminator for `resnet_generator`: ``width`` filters everywhere.

    It halves images to at most 8 pixels (twice from 32), then has two blocks that keep the size.
    """
    x = images
    for level in range(max(1, count_halvings(shape.size, 8))):
        x = parts.attended(_discriminator_block(x, shape.width, parts, first=level == 0))
    x = _discriminator_block(x, shape.width, parts, halve=False)
    x = _discriminator_block(parts.deviation(x), shape.width, parts, halve=False)
    x = parts.activated(x)
    # The sum over pixels.
    return layers.Rescaling(x.shape[1] * x.shape[2])(layers.GlobalAveragePooling2D()(x))


def resnet5_generator(z: Any, shape: NetworkShape, parts: Parts) -> Any:
    """Five blocks, from ``8 * width`` filters down to ``width`` (compare_gan's resnet5).

    The first blocks double, as often as the size requires; the others keep the size. The blocks and
    their initializers are SNGAN's. The reference has ``width`` 64 and images of up to 128 pixels.
    """
    halvings = count_halvings(shape.size, 4)
    x = parts.seeded(z, shape.size >> halvings, 8 * shape.width)
    for number, multiple in enumerate((8, 4, 4, 2, 1)):
        double = number < halvings
        x = parts.attended(x) if double else x
        x = _generator_block(x, multiple * shape.width, parts, double)
    return _image(x, shape, parts)


def resnet5_discriminator(images: Any, shape: NetworkShape, parts: Parts) -> Any:
    """The discriminator for `resnet5_generator`: six blocks that halve, down to one pixel."""
    x = parts.attended(_discriminator_block(images, shape.width, parts, first=True))
    for multiple in (2, 4, 4, 8):
        x = parts.attended(_discriminator_block(x, multiple * shape.width, parts))
    x = _discriminator_block(parts.deviation(x), 8 * shape.width, parts)
    return layers.GlobalAveragePooling2D()(parts.activated(x))


def r3gan_generator(z: Any, shape: NetworkShape, parts: Parts) -> Any:
    """A small generator in the style of R3GAN (Huang et al., 2024, arXiv:2501.05441).

    It starts from learned pictures times a linear function of z, has one block at each size, and a
    linear output. Unlike in the paper, all sizes have ``width`` filters and one block, and the
    blocks' convolutions are not grouped, since grouped ones are slow on CPUs.
    """
    halvings = count_halvings(shape.size, 4)
    x = parts.dense(z, shape.width, bias=False)
    x = FromBasis(shape.size >> halvings, 1.0)(x)
    x = _plain_block(x, halvings + 1, parts)
    for _ in range(halvings):
        x = layers.UpSampling2D()(parts.attended(x))
        x = layers.AveragePooling2D(2, 1, "same")(x)  # zeros between pixels, then [1, 2, 1]
        x = _plain_block(x, halvings + 1, parts)
    return parts.conv(x, shape.channels, 1, bias=False)


def r3gan_discriminator(images: Any, shape: NetworkShape, parts: Parts) -> Any:
    """The discriminator for `r3gan_generator`, its mirror image."""
    halvings = count_halvings(shape.size, 4)
    x = _plain_block(parts.conv(images, shape.width, 1, bias=False), halvings + 1, parts)
    for _ in range(halvings):
        x = layers.AveragePooling2D(2, 1, "same")(x)  # with the next, [1, 2, 1] with stride 2
        x = parts.attended(layers.AveragePooling2D(2)(x))
        x = _plain_block(x, halvings + 1, parts)
    x = parts.deviation(x)
    return OntoBasis(x.shape[1], 1 / x.shape[1])(x)


def unit(side: int) -> keras.initializers.Initializer:
    """R3GAN's initializer without a following activation: it keeps the variance."""
    return _scaled(1.0)(side)


def _scaled(variance: float) -> Start:
    """An initializer of kernels that multiply the variance of their input."""
    return lambda side: keras.initializers.VarianceScaling(variance, "fan_in", "untruncated_normal")


def _plain_block(x: Any, blocks: int, parts: Parts) -> Any:
    """R3GAN's block in a network of ``blocks``; Fixup's initial weights replace normalisation.

    It has 1x1 to twice the channels, 3x3, and 1x1 back, which starts at 0 (Zhang et al., 2019,
    arXiv:1901.09321).
    """
    channels = x.shape[3]
    start = _scaled(2 / (1 + 0.2**2) / math.sqrt(blocks))
    y = parts.activated(parts.conv(x, 2 * channels, 1, start=start), 0.2)
    y = parts.activated(parts.conv(y, 2 * channels, 3, start=start), 0.2)
    y = parts.conv(y, channels, 1, bias=False, start=lambda side: keras.initializers.Zeros())
    return layers.Add()([x, y])


def _image(x: Any, shape: NetworkShape, parts: Parts) -> Any:
    """The image from the last features; their normalisation is not conditional, as in SNGAN."""
    x = parts.activated(parts.normed(x, conditional=False))
    return layers.Activation("tanh")(parts.conv(x, shape.channels, 3))


def _generator_block(x: Any, filters: int, parts: Parts, double: bool = True) -> Any:
    """Two convolutions and a shortcut, which is a 1x1 convolution if size or filters change."""
    y, around = parts.activated(parts.normed(x)), x
    if double or x.shape[3] != filters:
        around = parts.conv(around, filters, 1)
    if double:  # to the nearest pixel; the 1x1 before it costs a quarter of one after it
        y, around = layers.UpSampling2D()(y), layers.UpSampling2D()(around)
    y = parts.conv(y, filters, 3)
    y = parts.conv(parts.activated(parts.normed(y)), filters, 3)
    return layers.Add()([around, y])


def _discriminator_block(
    x: Any, filters: int, parts: Parts, halve: bool = True, first: bool = False
) -> Any:
    """Two convolutions and a shortcut, which is a 1x1 convolution if size or filters change.

    The first block begins with a convolution, not with an activation: its input is the image.
    """
    y, around = x, x
    if first:
        y = parts.conv(y, filters, 3)
    else:
        y = parts.conv(parts.activated(parts.normed(y)), x.shape[3], 3)
    y = parts.conv(parts.activated(parts.normed(y)), filters, 3)
    if halve:  # the 1x1 after it costs a quarter of one before it
        y, around = (layers.AveragePooling2D(2, padding="same")(each) for each in (y, around))
    if halve or x.shape[3] != filters:
        around = parts.conv(around, filters, 1)
    return layers.Add()([around, y])
