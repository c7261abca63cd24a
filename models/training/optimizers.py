"""Optimisers whose settings are data.

A Keras optimizer compiles Adam's betas into the function and silently ignores later changes. Here
the learning rate and the decays are arguments of every call, so that trials with different settings
share one compiled function; the fused kernels also cost less per step.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import tensorflow as tf

_ADAM_EPSILON = 1e-7  # Keras's
_RMSPROP_EPSILON = 1e-8  # WGAN's own code (Arjovsky et al., 2017)


class Settings(NamedTuple):
    """The settings of one update, scalar float32.

    Attributes:
        learning_rate: the step size.
        beta1: decay of the running mean of gradients.
        beta2: decay of the running mean of squared gradients.
    """

    learning_rate: tf.Tensor
    beta1: tf.Tensor
    beta2: tf.Tensor


class Optimizer(ABC):
    """Updates a list of variables and their running means.

    Args:
        variables: to update.
        rates: the factor of the learning rate for each variable; 1 if None.
    """

    slots: ClassVar[int]
    """The number of running means for each variable."""

    def __init__(
        self, variables: Sequence[tf.Variable], rates: Sequence[float] | None = None
    ) -> None:
        self.parameters = list(variables)
        self._rates = [1.0] * len(self.parameters) if rates is None else list(rates)
        self._slots = [
            [tf.Variable(tf.zeros_like(variable), trainable=False) for _ in range(self.slots)]
            for variable in self.parameters
        ]
        self._updates = tf.Variable(0, dtype=tf.int64, trainable=False)

    @property
    def variables(self) -> list[tf.Variable]:
        """All state, in a fixed order; the first counts the updates."""
        return [self._updates, *(slot for slots in self._slots for slot in slots)]

    def reset(self) -> None:
        """Forget everything."""
        for variable in self.variables:
            variable.assign(tf.zeros_like(variable))

    def apply(self, gradients: Sequence[tf.Tensor], settings: Settings) -> None:
        """Update the variables by their gradients."""
        update = tf.cast(self._updates.assign_add(1), tf.float32)
        powers = tf.pow(settings.beta1, update), tf.pow(settings.beta2, update)
        for variable, slots, gradient, rate in zip(
            self.parameters, self._slots, gradients, self._rates, strict=True
        ):
            own = settings._replace(learning_rate=rate * settings.learning_rate)
            self._update(variable, slots, gradient, settings if rate == 1.0 else own, powers)

    @abstractmethod
    def _update(
        self,
        variable: tf.Variable,
        slots: list[tf.Variable],
        gradient: tf.Tensor,
        settings: Settings,
        powers: tuple[tf.Tensor, tf.Tensor],
    ) -> None:
        """Update one variable; ``powers`` are the betas to the power of the number of updates."""


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015, arXiv:1412.6980), with the bias correction of its section 2."""

    slots = 2

    def _update(
        self,
        variable: tf.Variable,
        slots: list[tf.Variable],
        gradient: tf.Tensor,
        settings: Settings,
        powers: tuple[tf.Tensor, tf.Tensor],
    ) -> None:
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=slots[0].handle,
            v=slots[1].handle,
            beta1_power=powers[0],
            beta2_power=powers[1],
            lr=settings.learning_rate,
            beta1=settings.beta1,
            beta2=settings.beta2,
            epsilon=_ADAM_EPSILON,
            grad=gradient,
        )


class RMSProp(Optimizer):
    """RMSProp (Tieleman and Hinton, 2012) without momentum; ``beta2`` is its decay.

    Epsilon is added to the root, as in WGAN's code: v - lr g / (sqrt(E g^2) + epsilon). Keras and
    TensorFlow add it under the root, where it damps every step whose gradient is smaller than the
    root of epsilon: nearly all gradients from a clipped critic to its generator.
    """

    slots = 1

    def _update(
        self,
        variable: tf.Variable,
        slots: list[tf.Variable],
        gradient: tf.Tensor,
        settings: Settings,
        powers: tuple[tf.Tensor, tf.Tensor],
    ) -> None:
        decay = settings.beta2
        mean = slots[0].assign(decay * slots[0] + (1.0 - decay) * tf.square(gradient))
        root = tf.sqrt(mean) + _RMSPROP_EPSILON
        variable.assign_sub(settings.learning_rate * gradient / root)


class SGD(Optimizer):
    """Gradient descent without momentum (Robbins and Monro, 1951): v - lr g."""

    slots = 0

    def _update(
        self,
        variable: tf.Variable,
        slots: list[tf.Variable],
        gradient: tf.Tensor,
        settings: Settings,
        powers: tuple[tf.Tensor, tf.Tensor],
    ) -> None:
        variable.assign_sub(settings.learning_rate * gradient)


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "rmsprop": RMSProp, "sgd": SGD}
