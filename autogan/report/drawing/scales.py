"""Axes: map values to positions between 0 and 1, and choose tick marks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import override

from autogan.core.hyperparameters import Dimension, Value
from autogan.record.words import figure

Tick = tuple[object, str]

_TICKS = 5  # approximate number on an axis
_WIDE = 5.0  # ratio of the highest to the lowest value from which an axis is logarithmic
_ROOM = 0.04  # of an axis, beyond a range's ends
_FARTHEST = 1e-9  # of the highest value: lower values lie at the edge
_MOST_PLACES = 12  # values side by side, one place each


class Scale(Protocol):
    """An axis."""

    def at(self, value: object) -> float:
        """The value's position from 0 to 1; values outside are moved to the edge."""

    def ticks(self) -> list[Tick]:
        """The marked values, with their labels."""


@dataclass(frozen=True)
class Linear(Scale):
    """A linear axis.

    Attributes:
        low, high: its ends, which differ.
    """

    low: float
    high: float

    @override
    def at(self, value: object) -> float:
        return _clipped((_number(value) - self.low) / (self.high - self.low))

    @override
    def ticks(self) -> list[Tick]:
        step = _round_step((self.high - self.low) / _TICKS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        values = [float(f"{step * n:.10g}") for n in range(first, last + 1)]
        return [(value, short(value)) for value in values]


@dataclass(frozen=True)
class Log(Scale):
    """A logarithmic axis.

    Attributes:
        low, high: its ends, above 0, which differ.
    """

    low: float
    high: float

    @override
    def at(self, value: object) -> float:
        number = _number(value)
        if number <= 0:
            return 0.0
        return _clipped(math.log(number / self.low) / math.log(self.high / self.low))

    @override
    def ticks(self) -> list[Tick]:
        exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        found: list[float] = []
        for digits in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 4, 6, 8)):
            values = (d * 10.0**e for e in exponents for d in digits)
            found = [v for v in values if self.low * 0.999 <= v <= self.high * 1.001]
            if len(found) >= 3:
                break
        if len(found) < 2:
            found = [_number(value) for value, _ in Linear(self.low, self.high).ticks()]
        while len(found) > 2 * _TICKS:
            found = found[::2]
        return [(value, short(value)) for value in found]


@dataclass(frozen=True)
class Places(Scale):
    """One place for each value, side by side.

    Attributes:
        values: from left to right; at least one.
    """

    values: Sequence[object]

    @override
    def at(self, value: object) -> float:
        return (self.values.index(value) + 0.5) / len(self.values)

    @override
    def ticks(self) -> list[Tick]:
        return [(value, short(value)) for value in self.values]


Axis = Linear | Log
"""An axis of numbers, with two ends."""


def fitting(values: Iterable[float], *, factors: bool = True) -> Axis:
    """An axis with room for values; logarithmic if they are above 0 and far apart.

    Args:
        values: infinite ones do not count; there may be none.
        factors: whether it may be logarithmic.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    if factors and low > 0 and high / low >= _WIDE:
        low = max(low, high * _FARTHEST)
        room = (high / low) ** _ROOM
        return Log(low / room, high * room)
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return Linear(low - room, high + room)


def over(dimension: Dimension, values: Iterable[Value]) -> Scale:
    """The axis of a hyperparameter: its range, or a place for each candidate.

    Args:
        dimension: the hyperparameter.
        values: the values tried; methods may leave a list of candidates.
    """
    tried = list(values)
    interval = dimension.range
    if interval is not None:
        low, high = float(interval.low), float(interval.high)
        if interval.log and low > 0:
            room = (high / low) ** _ROOM
            return Log(low / room, high * room)
        room = _ROOM * (high - low)
        return Linear(low - room, high + room)
    candidates = list(dict.fromkeys([*dimension.candidates, *tried]))
    numbers = [value for value in candidates if not isinstance(value, str)]
    if len(numbers) < len(candidates):
        return Places(candidates)
    if len(numbers) > _MOST_PLACES:
        return fitting(map(float, numbers))
    return Places(sorted(numbers))


def short(value: object) -> str:
    """A number in few characters, a word as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:g}" if abs(value) < 1000 else figure(float(value))


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _clipped(place: float) -> float:
    return min(max(place, 0.0), 1.0)


def _round_step(step: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is at least ``step``."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * (1 - 1e-9))
