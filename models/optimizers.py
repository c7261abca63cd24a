"""Optimisers whose settings are data.

A Keras optimizer bakes Adam's betas into the compiled function and silently ignores a later
change. Here learning rate and decays are tensors of every call, so that trials with different
settings share one compiled function; the fused kernels also cost less per step.
"""

from collections.abc import Sequence

import tensorflow as tf

_EPSILON = 1e-7  # Keras's


class _Optimizer:
    """State for a list of variables.

    Args:
        variables: what is updated.
        slots: how many running means each variable has.
    """

    def __init__(self, variables: Sequence[tf.Variable], slots: int) -> None:
        self.parameters = list(variables)
        self.slots = [
            [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.parameters]
            for _ in range(slots)
        ]
        self.updates = tf.Variable(0, dtype=tf.int64, trainable=False)

    @property
    def variables(self) -> list[tf.Variable]:
        """All state, in a fixed order."""
        return [self.updates, *(slot for kind in self.slots for slot in kind)]

    def reset(self) -> None:
        """Forget everything."""
        for variable in self.variables:
            variable.assign(tf.zeros_like(variable))


class Adam(_Optimizer):
    """Adam (Kingma and Ba, 2015, arXiv:1412.6980), with the bias correction of its section 2."""

    def __init__(self, variables: Sequence[tf.Variable]) -> None:
        super().__init__(variables, slots=2)

    def apply(
        self,
        gradients: Sequence[tf.Tensor],
        learning_rate: tf.Tensor,
        beta1: tf.Tensor,
        beta2: tf.Tensor,
    ) -> None:
        """Update the variables by their gradients; the settings are scalar float32."""
        step = tf.cast(self.updates.assign_add(1), tf.float32)
        beta1_power, beta2_power = tf.pow(beta1, step), tf.pow(beta2, step)
        for variable, mean, square, gradient in zip(
            self.parameters, *self.slots, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=beta1_power,
                beta2_power=beta2_power,
                lr=learning_rate,
                beta1=beta1,
                beta2=beta2,
                epsilon=_EPSILON,
                grad=gradient,
            )


class RMSProp(_Optimizer):
    """RMSProp (Tieleman and Hinton, 2012) without momentum; ``beta2`` is its decay."""

    def __init__(self, variables: Sequence[tf.Variable]) -> None:
        super().__init__(variables, slots=2)

    def apply(
        self,
        gradients: Sequence[tf.Tensor],
        learning_rate: tf.Tensor,
        beta1: tf.Tensor,
        beta2: tf.Tensor,
    ) -> None:
        """Update the variables by their gradients; the settings are scalar float32."""
        del beta1  # Adam's alone
        self.updates.assign_add(1)
        for variable, square, momentum, gradient in zip(
            self.parameters, *self.slots, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyRMSProp(
                var=variable.handle,
                ms=square.handle,
                mom=momentum.handle,
                lr=learning_rate,
                rho=beta2,
                momentum=0.0,
                epsilon=_EPSILON,
                grad=gradient,
            )


OPTIMIZERS: dict[str, type[Adam] | type[RMSProp]] = {"adam": Adam, "rmsprop": RMSProp}
