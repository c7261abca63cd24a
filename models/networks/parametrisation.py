"""The maximal update parametrisation: first weights and learning rates that fit every width.

Yang et al., 2022, arXiv:2203.03466, tables 3 and 8, for optimisers whose step does not depend on
the gradient's size (Adam, RMSProp). In the standard parametrisation an update changes what a layer
gives the more, the wider its input is; here it changes that by as much at every width, so that the
learning rate of a narrow network is that of a wide one. All is relative to a network of `BASE`,
where both parametrisations are the same:

    kernel            deviation of the first weights     learning rate
    of fixed input    that of the base                   learning_rate
    hidden            that of the base / sqrt(m)         learning_rate / m
    of fixed output   that of the base / m               learning_rate / m

with m the kernel's inputs as a multiple of the base's. Biases, scales and shifts have the learning
rate itself.
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
    """The same networks, as wide as those that both parametrisations agree on."""
    return replace(shape, width=BASE["width"], dense_width=BASE["dense_width"])


def rates(network: keras.Model, base: keras.Model) -> list[float]:
    """What multiplies the learning rate of each of the network's trainable variables.

    Args:
        network: of any width.
        base: the same network as wide as the base.
    """
    found = {id(_kernel(layer)): _growth(layer, twin)[0] for layer, twin in _kernels(network, base)}
    return [1.0 / found.get(id(variable), 1.0) for variable in network.trainable_variables]


def set_starts(network: keras.Model, base: keras.Model) -> None:
    """Let the network's kernels start as those of the base tell; the arguments are as of `rates`.

    Their initializers take the place of those that the network was built with.
    """
    for layer, twin in _kernels(network, base):
        inputs, outputs = _growth(layer, twin)
        shrink = inputs if outputs == 1.0 else math.sqrt(inputs)
        initializer, deviation = layer.kernel_initializer, _deviation(layer)
        if deviation:
            factor = _deviation(twin) / shrink / deviation
            layer.kernel_initializer = _scaled(initializer, factor)


def _kernels(network: keras.Model, base: keras.Model) -> Iterator[tuple[Any, Any]]:
    """The layers that have a kernel, each with the base's."""
    for layer, twin in zip(network.layers, base.layers, strict=True):
        if isinstance(layer, layers.Dense | layers.Conv2D | layers.Conv2DTranspose):
            yield layer, twin


def _growth(layer: Any, twin: Any) -> tuple[float, float]:
    """Inputs and outputs of a kernel, as multiples of the base's."""
    inputs, outputs = (a / b for a, b in zip(_fans(layer), _fans(twin), strict=True))
    # The vectors of classes are multiplied with features, as weights of an output are.
    return (outputs, 1.0) if layer.name == CLASS_VECTORS else (inputs, outputs)


def _fans(layer: Any) -> tuple[int, int]:
    """How many inputs and outputs a layer has; of a convolution, at each of its kernel's places."""
    *_, inputs, outputs = _kernel(layer).shape
    return (outputs, inputs) if isinstance(layer, layers.Conv2DTranspose) else (inputs, outputs)


def _kernel(layer: Any) -> Any:
    """The variable itself, of which a spectrally normalised layer shows another."""
    return layer.kernel if isinstance(layer, layers.Conv2DTranspose) else layer._kernel


def _deviation(layer: Any) -> float:
    """The standard deviation of a kernel's first weights."""
    initializer = layer.kernel_initializer
    if isinstance(initializer, keras.initializers.RandomNormal):
        return float(initializer.stddev)
    if isinstance(initializer, keras.initializers.VarianceScaling):
        *places, one, other = _kernel(layer).shape
        fans = {"fan_in": one, "fan_out": other, "fan_avg": (one + other) / 2}
        return math.sqrt(initializer.scale / fans[initializer.mode] / math.prod(places))
    return 0.0  # zeros


def _scaled(initializer: Any, factor: float) -> Any:
    """The initializer with a deviation ``factor`` times as large."""
    config = initializer.get_config()
    if "stddev" in config:
        config["stddev"] *= factor
    else:
        config["scale"] *= factor * factor
    return initializer.from_config(config)
