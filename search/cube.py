"""Points of a search space as places in a unit cube, for methods that measure distances."""

import bisect
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autogan.core.hyperparameters import Dimension, Value
from autogan.search.space import Point, Space, distinct_values, ends, in_range

Places = npt.NDArray[np.float64]


class Cube:
    """A space as a cube [0, 1]^d.

    Args:
        space: to measure.

    Attributes:
        sizes: the number of coordinates of each dimension: one, or one for each choice.
        size: the number of coordinates in all.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._axes = [_axes(dimension) for dimension in space.dimensions]
        self.sizes = [axes[""].size for axes in self._axes]
        self.size = sum(self.sizes)

    def places(self, points: Sequence[Point]) -> Places:
        """Points as rows of a float64 array [points, size]; missing values become one half."""
        rows = [
            [
                coordinate
                for d, axes in zip(self._space.dimensions, self._axes, strict=True)
                for coordinate in _place(d, axes, point)
            ]
            for point in points
        ]
        return np.array(rows, np.float64).reshape(len(points), self.size)

    def point(self, place: Sequence[float] | Places) -> Point:
        """The point of the space at a place, which may lie outside the cube.

        A step out of a range is reflected at its end; a step out of a list stops at its end.
        """
        begins = np.cumsum([0, *self.sizes])
        known = {
            dimension.name: (axes, [float(c) for c in place[begin : begin + size]])
            for dimension, axes, begin, size in zip(
                self._space.dimensions, self._axes, begins, self.sizes, strict=False
            )
        }
        point: dict[str, Value] = {}
        for dimension in self._space.decisive_first:
            axes, own = known[dimension.name]
            point[dimension.name] = axes[_decided(dimension, point)].value(own)
        return self._space.existing(point)


class _Choices:
    """A coordinate for each value: 1 for the chosen value, 0 for the others."""

    def __init__(self, choices: tuple[Value, ...]) -> None:
        self._choices = choices
        self.size = len(choices)

    def place(self, value: Value) -> list[float]:
        return [float(value == choice) for choice in self._choices]

    def value(self, place: list[float]) -> Value:
        return self._choices[place.index(max(place))]


class _List:
    """Numbers at evenly spaced places; a value between two of them lies between their places."""

    size = 1

    def __init__(self, numbers: tuple[float, ...]) -> None:
        self._numbers = sorted(numbers)
        self._last = max(len(numbers) - 1, 1)

    def place(self, value: Value) -> list[float]:
        numbers, value = self._numbers, float(value)
        upper = bisect.bisect_left(numbers, value)
        if upper == 0 or upper == len(numbers):
            return [float(min(upper, len(numbers) - 1) / self._last)]
        low, high = numbers[upper - 1], numbers[upper]
        return [(upper - 1 + (value - low) / (high - low)) / self._last]

    def value(self, place: list[float]) -> Value:
        return self._numbers[round(min(max(place[0], 0.0), 1.0) * (len(self._numbers) - 1))]


class Interval:
    """A range, linear or logarithmic; each integer's share is its probability of being drawn."""

    size = 1

    def __init__(self, dimension: Dimension) -> None:
        assert dimension.range is not None
        self._dimension = dimension
        self._log = dimension.range.log
        self._ends = ends(dimension)
        self._low, self._high = map(self._scaled, self._ends)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self._log else value

    def place(self, value: Value) -> list[float]:
        """A value's coordinate; a value outside the range lies at its end."""
        inside = min(max(float(value), self._ends[0]), self._ends[1])
        return [(self._scaled(inside) - self._low) / ((self._high - self._low) or 1.0)]

    def value(self, place: list[float]) -> Value:
        """The value at a coordinate, which may lie outside of [0, 1]."""
        # Reflect steps out of a range, so that they do not all meet at its end.
        inside = 1 - abs(1 - place[0] % 2)
        scaled = self._low + (self._high - self._low) * inside
        return in_range(self._dimension, math.exp(scaled) if self._log else scaled)


_Axis = _Choices | _List | Interval


def _place(dimension: Dimension, axes: dict[str, _Axis], point: Point) -> list[float]:
    axis = axes[_decided(dimension, point)]
    return axis.place(point[dimension.name]) if dimension.name in point else [0.5] * axis.size


def _decided(dimension: Dimension, point: Point) -> str:
    """The value that decides a dimension's interval; empty if none does."""
    return str(point.get(dimension.by, ""))


def _axes(dimension: Dimension) -> dict[str, _Axis]:
    """A dimension's axis, and its axes under each value of the choice that decides its interval."""
    under = {value: Interval(dimension.under({dimension.by: value})) for value in dimension.ranges}
    return {"": _axis(dimension), **under}


def _axis(dimension: Dimension) -> _Axis:
    if dimension.range is not None:
        return Interval(dimension)
    values = distinct_values(dimension) or ()
    if dimension.hyperparameter.kind == "choice":
        return _Choices(values)
    return _List(tuple(value for value in values if not isinstance(value, str)))
