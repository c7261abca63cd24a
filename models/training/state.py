"""A GAN's variables: their initial values, and their names in a checkpoint."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from autogan.models.networks.layers import iterate_power
from autogan.models.training.optimizers import Optimizer

# A random vector's product with a kernel is 10 to 20 % less than the largest singular value.
_POWER_ITERATIONS = 15


def initialise(networks: Sequence[keras.Model], seed: int | Sequence[int]) -> None:
    """Set all variables of the networks to new initial values that depend only on ``seed``.

    Keras layers keep the initializer of ``x`` as ``x_initializer``.
    """
    pairs = [
        (variable, keras.initializers.get(getattr(layer, f"{variable.name}_initializer")))
        for network in networks
        for layer in network.layers
        for variable in layer.variables
    ]
    seeds = np.random.SeedSequence(seed).generate_state(len(pairs))
    for (variable, initializer), own in zip(pairs, seeds, strict=True):
        config = initializer.get_config()
        if "seed" in config:
            initializer = initializer.from_config({**config, "seed": int(own)})
        variable.assign(initializer(variable.shape, dtype=variable.dtype))
    for network in networks:
        iterate_power(network, _POWER_ITERATIONS)


def named_variables(
    networks: Sequence[keras.Model],
    optimizers: Mapping[str, Optimizer],
    further: Mapping[str, tf.Variable],
) -> dict[str, tf.Variable]:
    """All state by name; numbered here, since Keras numbers its names through a whole process."""
    named = [
        (f"{network.name}/{number:02d}_{variable.name}", variable.value)
        for network in networks
        for number, variable in enumerate(network.variables)
    ]
    named += [
        (f"optimizer/{name}/{number:02d}", variable)
        for name, optimizer in optimizers.items()
        for number, variable in enumerate(optimizer.variables)
    ]
    return dict(named) | dict(further)
