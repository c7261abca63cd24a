"""The maximal update parametrisation: initial weights and learning rates that suit every width.

Yang et al., 2022, arXiv:2203.03466, tables 3 and 8, for optimisers whose step does not depend on
the gradient's size (Adam, RMSProp). In the standard parametrisation, an update changes a layer's
output more if its input is wider. Here it changes the output by the same amount at every width, so
that a narrow and a wide network need the same learning rate. All is relative to a network of
`BASE`, where both parametrisations are equal:

    kernel            deviation of the initial weights   learning rate
    of fixed input    that of the base                   learning_rate
    hidden            that of the base / sqrt(m)         learning_rate / m
    of fixed output   that of the base / m               learning_rate / m

where m is the kernel's number of inputs as a multiple of the base's. Biases, scales and shifts have
the learning rate itself.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
from keras import layers

from autogan.models.networks.shape import NetworkShape

BASE = {"width": 64, "dense_width": 1024}

CLASS_VECTORS = "class_vectors"
"""The name of the layer of ``projection`` that learns a vector of each class."""


def base_of(shape: NetworkShape) -> NetworkShape:
    """The same networks with the widths of `BASE`, where both parametrisations are equal."""
    return replace(shape, width=BASE["width"], dense_width=BASE["dense_width"])


def rates(network: keras.Model, base: keras.Model) -> list[float]:
    """The factor of the learning rate for each of the network's trainable variables.

    Args:
        network: of any width.
        base: the same network as wide as the base.
    """
    found = {id(_kernel(layer)): _growth(layer, twin)[0] for layer, twin in _kernels(network, base)}
    return [1.0 / found.get(id(variable), 1.0) for variable in network.trainable_variables]


def set_starts(network: keras.Model, base: keras.Model) -> None:
    """Replace the initializers of the network's kernels, so that they follow the base.

    The arguments are those of `rates`.
    """
    for layer, twin in _kernels(network, base):
        inputs, outputs = _growth(layer, twin)
        shrink = inputs if outputs == 1.0 else math.sqrt(inputs)
        initializer, deviation = layer.kernel_initializer, _deviation(layer)
        if deviation:
            factor = _deviation(twin) / shrink / deviation
            layer.kernel_initializer = _scaled(initializer, factor)


def _kernels(network: keras.Model, base: keras.Model) -> Iterator[tuple[Any, Any]]:
    """The layers with a kernel, each paired with the base's layer."""
    for layer, twin in zip(network.layers, base.layers, strict=True):
        if isinstance(layer, layers.Dense | layers.Conv2D | layers.Conv2DTranspose):
            yield layer, twin


def _growth(layer: Any, twin: Any) -> tuple[float, float]:
    """Inputs and outputs of a kernel, as multiples of the base's."""
    inputs, outputs = (a / b for a, b in zip(_fans(layer), _fans(twin), strict=True))
    # The class vectors are multiplied by features, like the weights of an output.
    return (outputs, 1.0) if layer.name == CLASS_VECTORS else (inputs, outputs)


def _fans(layer: Any) -> tuple[int, int]:
    """The numbers of a layer's inputs and outputs; for a convolution, per place of its kernel."""
    *_, inputs, outputs = _kernel(layer).shape
    return (outputs, inputs) if isinstance(layer, layers.Conv2DTranspose) else (inputs, outputs)


def _kernel(layer: Any) -> Any:
    """The kernel's variable; a spectrally normalised layer's ``kernel`` is not the variable."""
    return layer.kernel if isinstance(layer, layers.Conv2DTranspose) else layer._kernel


def _deviation(layer: Any) -> float:
    """The standard deviation of a kernel's initial weights."""
    initializer = layer.kernel_initializer
    if isinstance(initializer, keras.initializers.RandomNormal):
        return float(initializer.stddev)
    if isinstance(initializer, keras.initializers.VarianceScaling):
        *places, one, other = _kernel(layer).shape
        fans = {"fan_in": one, "fan_out": other, "fan_avg": (one + other) / 2}
        return math.sqrt(initializer.scale / fans[initializer.mode] / math.prod(places))
    return 0.0  # zeros


def _scaled(initializer: Any, factor: float) -> Any:
    """The initializer with its deviation times ``factor``."""
    config = initializer.get_config()
    if "stddev" in config:
        config["stddev"] *= factor
    else:
        config["scale"] *= factor * factor
    return initializer.from_config(config)
