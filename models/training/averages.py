"""The averaged generator, which makes images in place of the generator in training."""

from collections.abc import Iterable

import keras
import tensorflow as tf

_RAMP = 10.0  # the decay at step t is at most (1 + t) / (10 + t)


class AveragedGenerator:
    """A twin of the generator whose weights follow the training, and which makes all images.

    Averaged weights (Yazıcı et al., 2019, arXiv:1806.04498) smooth out the last updates. The decay
    rises from 0.1 (as in TensorFlow's moving averages), so that even a short training forgets the
    random initial weights.

    Args:
        generator: in training.
        twin: another generator of the same shape.
        measured: whether to measure batch normalisation's statistics with the twin over some
            batches; otherwise they are averaged like the weights.
    """

    def __init__(self, generator: keras.Model, twin: keras.Model, measured: bool) -> None:
        self.network = twin
        pairs = list(zip(twin.variables, generator.variables, strict=True))
        self._all = [(mean.value, variable.value) for mean, variable in pairs]
        self._averaged = [
            (mean.value, variable.value)
            for mean, variable in pairs
            if variable.trainable or not measured
        ]
        self._norms = [
            layer
            for layer in twin.layers
            if measured and isinstance(layer, keras.layers.BatchNormalization)
        ]

    @property
    def measured(self) -> bool:
        """Whether the twin has statistics to measure."""
        return bool(self._norms)

    def reset(self) -> None:
        """Copy all of the generator's variables; a NaN would survive in a running mean."""
        for mean, variable in self._all:
            mean.assign(variable)

    def follow(self, decay: tf.Tensor, step: tf.Tensor) -> None:
        """Move towards the generator after an update.

        Args:
            decay: share of the average that stays, in [0, 1); with 0 it equals the generator.
            step: number of updates before this one, int64.
        """
        done = tf.cast(step, tf.float32)
        keep = tf.minimum(decay, (1.0 + done) / (_RAMP + done))
        for mean, variable in self._averaged:
            mean.assign(keep * mean + (1.0 - keep) * variable)

    def measure(self, batches: Iterable[object]) -> None:
        """Replace batch normalisation's statistics by their means over batches of inputs.

        They depend only on the twin's weights and the batches.
        """
        for number, inputs in enumerate(batches):
            for layer in self._norms:
                layer.momentum = number / (number + 1)
            self.network(inputs, training=True)
