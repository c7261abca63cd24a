"""The search space: what can be drawn, what stands next to a value, what has been used."""

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from autogan.core.hyperparameters import Dimension, Value

Point = Mapping[str, Value]
"""A value for each dimension that exists beside the others, by name, in the dimensions' order."""

Key = tuple[tuple[str, Value], ...]
"""What two points that are the same have in common; see `key`."""

_MAX_REJECTIONS = 200


@dataclass(frozen=True)
class Space:
    """The searched hyperparameters, in the order in which the user gave them."""

    dimensions: tuple[Dimension, ...]

    def size(self) -> int | None:
        """How many different points there are; None if a range makes them uncountable."""
        values = {dimension.name: distinct_values(dimension) for dimension in self.dimensions}
        if any(v is None for v in values.values()):
            return None
        sizes = {name: len(v or ()) for name, v in values.items()}
        conditions = {d.hyperparameter.under for d in self.dimensions} - {None}
        choices = {
            name: values[name] or () for name, _ in filter(None, conditions) if name in sizes
        }
        return sum(
            math.prod(
                sizes[d.name]
                for d in self.dimensions
                if d.name not in choices and d.exists(dict(zip(choices, chosen, strict=True)))
            )
            for chosen in itertools.product(*choices.values())
        )

    def existing(self, point: Point) -> dict[str, Value]:
        """A point without the values that have no meaning beside the others."""
        return {d.name: point[d.name] for d in self.dimensions if d.exists(point)}

    def points(self, appended: Mapping[str, Sequence[Value]] | None = None) -> Iterator[Point]:
        """All different points of a countable space, the first dimension outermost."""
        names = [dimension.name for dimension in self.dimensions]
        values = [
            unique((*(distinct_values(d) or ()), *(appended or {}).get(d.name, ())))
            for d in self.dimensions
        ]
        seen = set()
        for combination in itertools.product(*values):
            point = self.existing(dict(zip(names, combination, strict=True)))
            if key(point) not in seen:
                seen.add(key(point))
                yield point

    def draw(
        self,
        rng: random.Random,
        used: Set[Key],
        appended: Mapping[str, Sequence[Value]] | None = None,
    ) -> Point | None:
        """Draw a point, each dimension independently, that is not in ``used``.

        Args:
            rng: where the random numbers come from.
            used: keys (see `key`) that may not be drawn; empty for independent draws.
            appended: further values by dimension, drawn beside the dimension's own.

        Returns:
            The point, or None if every point is used.
        """
        more = appended or {}
        for _ in range(_MAX_REJECTIONS):
            drawn = {d.name: draw(d, more.get(d.name, ()), rng) for d in self.dimensions}
            point = self.existing(drawn)
            if key(point) not in used:
                return point
        if self.size() is None:
            return None
        # Hardly anything is left: look at what is, so that "exhausted" is said exactly.
        left = [point for point in self.points(more) if key(point) not in used]
        return rng.choice(left) if left else None


def key(point: Point) -> Key:
    """A point as something that can be compared and kept in a set."""
    return tuple(point.items())


def unique(values: Iterable[Value]) -> tuple[Value, ...]:
    """The different values, in their first order."""
    return tuple(dict.fromkeys(values))


def distinct_values(dimension: Dimension) -> tuple[Value, ...] | None:
    """The different values of a dimension; None if they are uncountable."""
    if dimension.range is None:
        return unique(dimension.candidates)
    if not dimension.hyperparameter.integer:
        return None
    return tuple(range(math.ceil(dimension.range.low), math.floor(dimension.range.high) + 1))


def draw(dimension: Dimension, appended: Sequence[Value], rng: random.Random) -> Value:
    """Draw one value: from the bag of candidates and appended values, or from the range.

    A range that has had values appended is drawn from half of the time.
    """
    interval = dimension.range
    if interval is None:
        return rng.choice((*dimension.candidates, *appended))
    if appended and rng.random() < 0.5:
        return rng.choice(appended)
    if dimension.hyperparameter.integer and not interval.log:
        return rng.randint(math.ceil(interval.low), math.floor(interval.high))
    if interval.log:
        value = math.exp(rng.uniform(math.log(interval.low), math.log(interval.high)))
    else:
        value = rng.uniform(interval.low, interval.high)
    value = min(max(tidy(value), interval.low), interval.high)
    return round(value) if dimension.hyperparameter.integer else value


def neighbours(dimension: Dimension, value: Value) -> tuple[Value, ...]:
    """The values next to ``value``, by the kind of the hyperparameter.

    A scale moves by x0.8 and x1.2, a count by -1 and +1, a share by -0.1 and +0.1 (Auto-GAN,
    section 4.3.3); a size or a choice to any other of its candidates. Steps may leave a list, as
    in Auto-GAN; a step out of a range ends at the range's edge. A step beyond the
    hyperparameter's own limits is left out. Where there is nowhere to go, the value itself.
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
    """The nearest value of a dimension's range; the value itself where there is a list."""
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
