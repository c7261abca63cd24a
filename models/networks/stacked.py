"""The generator of a second stage, which enlarges a first stage's images.

It follows StackGAN's stage II (Zhang et al., 2017, arXiv:1612.03242) without its text. The
reference has ``width`` 64 and a fourfold enlargement; a twofold one lacks the last doubling. Unlike
in the paper, the network's output is added to the image enlarged by interpolation, and starts at 0:
a network that makes the whole image learned to make the same few images for every input.
"""

from typing import Any

import keras
from keras import layers

from autogan.models.networks.parts import Parts, count_halvings
from autogan.models.networks.shape import NetworkShape

_BLOCKS = 4
RATIOS = (2, 4)
"""The possible factors of enlargement."""


def enlarging_generator(images: Any, shape: NetworkShape, parts: Parts) -> Any:
    """Convolutions down to a quarter of the small image, four residual blocks, and back up.

    The images are not bounded.
    """
    x = parts.activated(parts.conv(images, shape.width, 3))
    for multiple in (2, 4):
        x = parts.activated(parts.normed(parts.conv(x, multiple * shape.width, 4, 2)))
    for _ in range(_BLOCKS):
        y = parts.activated(parts.normed(parts.conv(x, x.shape[3], 3)))
        x = parts.activated(layers.Add()([x, parts.normed(parts.conv(y, x.shape[3], 3))]))
    for level in range(2 + count_halvings(shape.size // shape.stage1, 1)):
        x = layers.UpSampling2D()(parts.attended(x))
        filters = max(2 * shape.width >> level, 1)
        x = parts.activated(parts.normed(parts.conv(x, filters, 3)))
    change = parts.conv(x, shape.channels, 3, start=lambda side: keras.initializers.Zeros())
    small = images[..., : shape.channels]  # without the class planes
    ratio = shape.size // shape.stage1
    return layers.Add()([layers.UpSampling2D(ratio, interpolation="bilinear")(small), change])
