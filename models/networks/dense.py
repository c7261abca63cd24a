"""The first GAN's networks: only dense layers (Goodfellow et al., 2014, arXiv:1406.2661).

A generator maps z to images; a discriminator here maps images to the input features of its last
dense layer.
"""

import math
from typing import Any

from keras import layers

from autogan.models.networks.parts import Parts
from autogan.models.networks.shape import NetworkShape

_HIDDEN = 2  # hidden layers, as in the paper's code
_LEAK = 0.2


def mlp_generator(z: Any, shape: NetworkShape, parts: Parts) -> Any:
    """Two hidden layers of ``dense_width`` units; the output is a tanh, as in the other networks.

    The paper's is a sigmoid, for images in [0, 1].
    """
    x = z
    for _ in range(_HIDDEN):
        x = parts.activated(parts.normed(parts.dense(x, shape.dense_width)))  # [batch, units]
    sides = [shape.size, shape.size, shape.channels]
    x = layers.Activation("tanh")(parts.dense(x, math.prod(sides)))
    return layers.Reshape(sides)(x)


def mlp_discriminator(images: Any, shape: NetworkShape, parts: Parts) -> Any:
    """Two hidden layers of ``dense_width`` units, with leaky ReLU in place of the paper's maxout.

    The first layer has no normalisation.
    """
    x = parts.activated(parts.dense(layers.Flatten()(images), shape.dense_width), _LEAK)
    for _ in range(_HIDDEN - 1):
        x = parts.activated(parts.normed(parts.dense(x, shape.dense_width)), _LEAK)
    return x
