"""Schedules over the course of a training, as functions of the whole training's length.

A rule that stops a training early does not shorten its schedule, so trials stay comparable.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from autogan.core.hyperparameters import Value

Factors = npt.NDArray[np.float32]
Numbers = npt.NDArray[Any]


def rates(start: int, steps: int, total: int, hyperparameters: Mapping[str, Value]) -> Factors:
    """The factors of both learning rates at ``steps`` steps from ``start``.

    Args:
        start: number of generator updates before.
        steps: number of factors to return.
        total: generator updates of the whole training, T.
        hyperparameters: ``schedule`` and those under it.

    Returns:
        Float32 [steps]; 1 at step 0.
    """
    done = np.arange(start, start + steps, dtype=np.float64)
    return _SCHEDULES[str(hyperparameters["schedule"])](done, total, hyperparameters).astype(
        np.float32
    )


def fading(start: int, steps: int, total: int) -> Factors:
    """Linear from 1 to 0 at the training's end, float32 [steps]; arguments as in `rates`."""
    return _left(np.arange(start, start + steps), total).astype(np.float32)


def _left(done: Numbers, total: int) -> Numbers:
    """1 - t/T; 0 beyond the end."""
    return np.maximum(1.0 - done / total, 0.0)


def _constant(done: Numbers, total: int, h: Mapping[str, Any]) -> Numbers:
    return np.ones_like(done)


def _linear(done: Numbers, total: int, h: Mapping[str, Any]) -> Numbers:
    return _ending(_left(done, total), h)


def _polynomial(done: Numbers, total: int, h: Mapping[str, Any]) -> Numbers:
    return _ending(_left(done, total) ** h["schedule_power"], h)


def _cosine(done: Numbers, total: int, h: Mapping[str, Any]) -> Numbers:
    return _ending((1.0 - np.cos(np.pi * _left(done, total))) / 2.0, h)


def _inverse(done: Numbers, total: int, h: Mapping[str, Any]) -> Numbers:
    return _ending(1.0 / (1.0 + h["schedule_speed"] * done), h)


def _step(done: Numbers, total: int, h: Mapping[str, Any]) -> Numbers:
    """``schedule_drops`` drops, which divide the training into equal parts."""
    drops = int(h["schedule_drops"])
    part = np.minimum(done * (drops + 1) // total, drops)
    return np.asarray(h["schedule_factor"] ** part)


def _ending(share: Numbers, h: Mapping[str, Any]) -> Numbers:
    """From 1 to ``schedule_end``, as ``share`` goes from 1 to 0."""
    end = h["schedule_end"]
    return np.asarray(end + (1.0 - end) * share)


_SCHEDULES = {
    "constant": _constant,
    "linear": _linear,
    "polynomial": _polynomial,
    "cosine": _cosine,
    "inverse": _inverse,
    "step": _step,
}
