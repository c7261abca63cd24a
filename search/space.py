"""The search space: drawing points, listing them, and finding the neighbours of values."""

import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from autogan.core.hyperparameters import Dimension, Value, conditions, met

Point = Mapping[str, Value]
"""A value for each dimension that applies, by name, in the dimensions' order."""

Key = tuple[tuple[str, Value], ...]
"""A hashable form of a point, the same for equal points; see `key`."""

_MAX_REJECTIONS = 200  # draws before the remaining points are listed one by one
_PATIENCE = 10_000  # draws if there are too many points to list
_COUNTED = 10_000  # limit of points to list


@dataclass(frozen=True)
class Space:
    """The points that a search may try; methods propose no forbidden ones.

    Attributes:
        dimensions: the searched hyperparameters, in the user's order.
        forbidden: tells whether a point is invalid; None if all points are valid.
    """

    dimensions: tuple[Dimension, ...]
    forbidden: Callable[[Point], bool] | None = None

    def size(self) -> int | None:
        """The number of different valid points; None if unknown.

        A range makes them uncountable. Finding the forbidden points needs a check of each one. For
        more than 10,000 points the number stays unknown: counting would take minutes, and no search
        comes near that number. The same limit holds for the combinations of choices that decide
        whether other hyperparameters apply; all other dimensions are multiplied.
        """
        return self._size

    @cached_property
    def _size(self) -> int | None:
        values = {dimension.name: distinct_values(dimension) for dimension in self.dimensions}
        if any(v is None for v in values.values()):
            return None
        sizes = {name: len(v or ()) for name, v in values.items()}
        decisive = {name for wanted in self._conditions.values() for name in wanted}
        choices = Space(tuple(d for d in self.dimensions if d.name in decisive))
        chosen = list(itertools.islice(choices.points(), _COUNTED + 1))
        if len(chosen) > _COUNTED:
            return None
        others = [name for name in sizes if name not in decisive]
        count = sum(math.prod(sizes[n] for n in others if self.exists(n, c)) for c in chosen)
        if self.forbidden is None and not any(d.by for d in self.dimensions):
            return count
        return sum(1 for _ in self.points()) if count <= _COUNTED else None

    @cached_property
    def _conditions(self) -> dict[str, dict[str, tuple[str, ...]]]:
        declared = {d.name: d.hyperparameter for d in self.dimensions}
        return {name: conditions(h, declared) for name, h in declared.items()}

    def exists(self, name: str, point: Point) -> bool:
        """Whether a dimension applies under the given values of others."""
        return met(self._conditions[name], point)

    def existing(self, point: Point) -> dict[str, Value]:
        """A point without the values that do not apply under the others."""
        return {d.name: point[d.name] for d in self.dimensions if self.exists(d.name, point)}

    def spans(self, point: Point) -> bool:
        """Whether a point's values lie between the ends of the lists and ranges.

        Earlier searches and enqueued points may have values outside, which a method could only
        represent by moving them to an end.
        """
        return all(
            _between(d.under(point), point[d.name])
            if d.name in point
            else not self.exists(d.name, point)
            for d in self.dimensions
        )

    def nearest(self, values: Point) -> dict[str, Value]:
        """The point whose values are nearest to given ones.

        Args:
            values: of each dimension, by name; they may lie outside the ranges and lists.
        """
        nearest: dict[str, Value] = {}
        for dimension in self.decisive_first:
            nearest[dimension.name] = _nearest(dimension.under(nearest), values[dimension.name])
        return self.existing(nearest)

    @cached_property
    def decisive_first(self) -> tuple[Dimension, ...]:
        """The dimensions; those whose interval depends on another's value come last."""
        return tuple(sorted(self.dimensions, key=lambda dimension: bool(dimension.by)))

    def defaults(self) -> dict[str, Value] | None:
        """The point nearest to the hyperparameters' defaults; None if it is invalid."""
        point = self.nearest({d.name: d.hyperparameter.default for d in self.dimensions})
        return point if self.allows(point) else None

    def allows(self, point: Point) -> bool:
        """Whether a point is not forbidden, and inside the intervals that other values decide."""
        inside = all(
            _between(d.under(point), point[d.name])
            for d in self.dimensions
            if d.by and d.name in point
        )
        return inside and (self.forbidden is None or not self.forbidden(point))

    def points(self) -> Iterator[Point]:
        """All different valid points of a countable space, the first dimension outermost."""
        begun: Iterable[dict[str, Value]] = [{}]
        for dimension in self.dimensions:
            begun = self._extended(begun, dimension)
        seen = set()
        for point in map(self.existing, begun):  # a choice may come after its dependents
            if key(point) not in seen:
                seen.add(key(point))
                if self.allows(point):
                    yield point

    def _extended(
        self, begun: Iterable[dict[str, Value]], dimension: Dimension
    ) -> Iterator[dict[str, Value]]:
        """Partial points extended by each value of one more dimension, if it applies."""
        name, values = dimension.name, distinct_values(dimension) or ()
        for point in begun:
            if self.exists(name, point):
                yield from ({**point, name: value} for value in values)
            else:
                yield point

    def draw(
        self,
        rng: random.Random,
        used: Set[Key],
        appended: Mapping[str, Sequence[Value]] | None = None,
    ) -> Point | None:
        """Draw an allowed point that is not in ``used``, each dimension independently.

        Args:
            rng: the source of random numbers.
            used: keys (see `key`) that may not be drawn; empty for independent draws.
            appended: further values by dimension, drawn in addition to the dimension's own.

        Returns:
            The point, or None if every point is used or forbidden. For a space that is too large to
            list, None means that thousands of draws found no other point.
        """
        more = appended or {}
        for attempt in range(_PATIENCE):
            if attempt == _MAX_REJECTIONS:
                # Few points are left: list them, so that None exactly means exhausted.
                whole = Space(tuple(_listed(d, more.get(d.name, ())) for d in self.dimensions))
                size = whole.size()
                if size is not None and size <= _COUNTED:
                    points = (p for p in whole.points() if key(p) not in used)
                    left = [point for point in points if self.allows(point)]
                    return rng.choice(left) if left else None
            drawn: dict[str, Value] = {}
            for dimension in self.decisive_first:
                own = dimension.under(drawn)
                drawn[own.name] = draw(own, _inside(own, more.get(own.name, ())), rng)
            point = self.existing(drawn)
            if key(point) not in used and self.allows(point):
                return point
        return None


def key(point: Point) -> Key:
    """A point in a form that can be compared and kept in a set."""
    return tuple(point.items())


def unique(values: Iterable[Value]) -> tuple[Value, ...]:
    """The different values, in order of first occurrence."""
    return tuple(dict.fromkeys(values))


def distinct_values(dimension: Dimension) -> tuple[Value, ...] | None:
    """The different values of a dimension; None if they are uncountable."""
    if dimension.range is None:
        return unique(dimension.candidates)
    if not dimension.hyperparameter.integer:
        return None
    return tuple(range(math.ceil(dimension.range.low), math.floor(dimension.range.high) + 1))


def _listed(dimension: Dimension, appended: Sequence[Value]) -> Dimension:
    """A dimension as a list of its values and further ones, if it is countable."""
    values = distinct_values(dimension)
    if values is None:
        return dimension
    return Dimension(dimension.hyperparameter, unique((*values, *appended)))


def draw(dimension: Dimension, appended: Sequence[Value], rng: random.Random) -> Value:
    """Draw one value: from the bag of candidates and appended values, or from the range.

    If a range has appended values, half of the draws come from each.
    """
    interval = dimension.range
    if interval is None:
        return rng.choice((*dimension.candidates, *appended))
    if appended and rng.random() < 0.5:
        return rng.choice(appended)
    if dimension.hyperparameter.integer and not interval.log:
        return rng.randint(math.ceil(interval.low), math.floor(interval.high))
    low, high = ends(dimension)
    if interval.log:
        value = math.exp(rng.uniform(math.log(low), math.log(high)))
    else:
        value = rng.uniform(low, high)
    return in_range(dimension, value)


def ends(dimension: Dimension) -> tuple[float, float]:
    """The ends for draws from a range: each integer n takes all of [n - 0.5, n + 0.5)."""
    assert dimension.range is not None
    low, high = dimension.range.low, dimension.range.high
    if dimension.hyperparameter.integer:
        return math.ceil(low) - 0.5, math.floor(high) + 0.5
    return low, high


def in_range(dimension: Dimension, value: float) -> Value:
    """The value of a range that is nearest to a number."""
    if dimension.hyperparameter.integer:
        return int(_clipped(dimension, round(value)))
    return _clipped(dimension, tidy(value))


def _inside(dimension: Dimension, values: Sequence[Value]) -> Sequence[Value]:
    """Those of the values that lie in a dimension's range; all if it has none."""
    return values if dimension.range is None else [v for v in values if _between(dimension, v)]


def _between(dimension: Dimension, value: Value) -> bool:
    """Whether a value lies between a dimension's ends, or is one of its choices."""
    if isinstance(value, str) or dimension.hyperparameter.kind == "choice":
        return value in dimension.candidates
    if dimension.range is not None:
        return dimension.range.low <= value <= dimension.range.high
    numbers = [number for number in dimension.candidates if not isinstance(number, str)]
    return min(numbers) <= value <= max(numbers)


def _nearest(dimension: Dimension, value: Value) -> Value:
    """The nearest value of a dimension; by ratio if all numbers are positive."""
    if isinstance(value, str) or dimension.hyperparameter.kind == "choice":
        return value if value in dimension.candidates else dimension.candidates[0]
    if dimension.range is not None:
        return in_range(dimension, _clipped(dimension, value))
    numbers = [number for number in dimension.candidates if not isinstance(number, str)]
    if value > 0 and min(numbers) > 0:
        return min(numbers, key=lambda number: abs(math.log(number / value)))
    return min(numbers, key=lambda number: abs(number - value))


def neighbours(dimension: Dimension, value: Value) -> tuple[Value, ...]:
    """The values next to ``value``, by the kind of the hyperparameter.

    A scale moves by x0.8 and x1.2, a count by -1 and +1, a share by -0.1 and +0.1 (Auto-GAN,
    section 4.3.3); a size or a choice moves to any other candidate. Steps may leave a list, as in
    Auto-GAN; a step out of a range ends at its edge. Steps beyond the hyperparameter's own limits
    are left out. If no step is possible, the result is the value itself.
    """
    hyperparameter = dimension.hyperparameter
    steps: tuple[Value, ...]
    if isinstance(value, str) or hyperparameter.kind in ("size", "choice"):
        steps = unique(v for v in dimension.candidates if v != value)
    elif hyperparameter.kind == "count":
        steps = (int(value) - 1, int(value) + 1)
    elif hyperparameter.kind == "share":
        steps = (tidy(value - 0.1), tidy(value + 0.1))
    else:
        steps = (tidy(value * 0.8), tidy(value * 1.2))
    if not isinstance(value, str):
        inside = [_clipped(dimension, v) for v in steps if not isinstance(v, str)]
        steps = unique(v for v in inside if hyperparameter.low <= v <= hyperparameter.high)
    return tuple(step for step in steps if step != value) or (value,)


def _clipped(dimension: Dimension, value: float) -> float:
    """The nearest value in a dimension's range; the value itself if it has a list."""
    interval = dimension.range
    if interval is None:
        return value
    low, high = interval.low, interval.high
    if dimension.hyperparameter.integer:
        low, high = math.ceil(low), math.floor(high)
    return min(max(value, low), high)


def tidy(value: float) -> float:
    """Round to ten significant digits, so that 0.0002 x 0.8 is 0.00016 and equals itself."""
    return float(f"{value:.10g}")
