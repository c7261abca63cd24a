"""Auto-encoders as discriminators, as in BEGAN (Berthelot et al., 2017, arXiv:1703.10717).

They map images to their errors, float32 [batch, 1]. BEGAN's decoder is also its generator.
"""

from typing import Any

import keras
from keras import layers

from autogan.models.networks.parts import count_halvings
from autogan.models.networks.shape import NetworkShape

_TINY = 1e-8  # added to a mean square, so that its root has a gradient at 0
_BASE = 8  # the smallest side in BEGAN's networks, unless an odd side above it stops the halving


def infogan_errors(images: Any, shape: NetworkShape) -> Any:
    """An auto-encoder of the size of `infogan_discriminator`, without normalisation.

    Lucic et al. (2018, arXiv:1711.10337) compare BEGAN with other types at 28x28 in this form. The
    code has ``z_dim`` numbers. The output is linear, as in BEGAN: a tanh that has reached the black
    of a background has no gradient left, and the generator stays black.
    """
    quarter = shape.size // 4
    x = layers.Conv2D(shape.width, 4, 2, "same", activation="elu")(images)
    x = layers.Conv2D(2 * shape.width, 4, 2, "same", activation="elu")(x)
    code = layers.Dense(shape.z_dim)(layers.Flatten()(x))
    x = layers.Dense(2 * shape.width * quarter * quarter, activation="elu")(code)
    x = layers.Reshape([quarter, quarter, 2 * shape.width])(x)
    x = layers.Conv2DTranspose(shape.width, 4, 2, "same", activation="elu")(x)
    decoded = layers.Conv2DTranspose(shape.channels, 4, 2, "same")(x)
    return _errors(images, decoded, shape.error)


def began_decoder(z: Any, shape: NetworkShape) -> Any:
    """BEGAN's generator: pairs of convolutions, nearest-neighbour doubling, and a linear output.

    As in the paper, all levels have ``width`` filters. Weights start from Glorot's initializer:
    without normalisation, the signal would vanish with smaller ones.
    """
    levels = count_halvings(shape.size, _BASE)
    base = shape.size >> levels
    x = layers.Dense(base * base * shape.width)(z)
    x = layers.Reshape([base, base, shape.width])(x)
    for level in range(levels + 1):
        x = _conv_pair(x, shape.width)
        if level < levels:
            x = layers.UpSampling2D()(x)
    return layers.Conv2D(shape.channels, 3, padding="same")(x)


def _began_encoder(images: Any, shape: NetworkShape) -> Any:
    """BEGAN's encoder: pairs of convolutions, halved by strides; a code of ``z_dim`` numbers."""
    x = layers.Conv2D(shape.width, 3, padding="same", activation="elu")(images)
    levels = count_halvings(shape.size, _BASE)
    for level in range(levels + 1):
        x = _conv_pair(x, shape.width * (level + 1))
        if level < levels:
            x = layers.Conv2D(shape.width * (level + 2), 3, 2, "same", activation="elu")(x)
    return layers.Dense(shape.z_dim)(layers.Flatten()(x))


def began_errors(images: Any, shape: NetworkShape) -> Any:
    """BEGAN's discriminator: the encoder, and a decoder that is the generator's twin."""
    return _errors(images, began_decoder(_began_encoder(images, shape), shape), shape.error)


def _errors(images: Any, decoded: Any, error: str) -> Any:
    """Each image's error, float32 [batch, 1]; see `NetworkShape.error`."""
    difference = images - decoded  # [batch, size, size, channels]
    if error == "l1":
        return keras.ops.mean(keras.ops.abs(difference), axis=[1, 2, 3])[:, None]
    square = keras.ops.mean(keras.ops.square(difference), axis=[1, 2, 3])[:, None]
    return keras.ops.sqrt(square + _TINY) if error == "rms" else square


def _conv_pair(x: Any, filters: int) -> Any:
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", activation="elu")(x)
    return x
