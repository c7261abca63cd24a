"""The search space: what can be drawn, what stands next to a value, what has been used."""

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autogan.hyperparameters import Dimension, Value

Point = Mapping[str, Value]
"""A value for each dimension, by name, in the order of the dimensions."""

_MAX_REJECTIONS = 200


@dataclass(frozen=True)
class Space:
    """The searched hyperparameters, in the order in which the user gave them."""

    dimensions: tuple[Dimension, ...]

    def size(self) -> int | None:
        """How many different points there are; None if a range makes them uncountable."""
        values = [distinct_values(dimension) for dimension in self.dimensions]
        if any(v is None for v in values):
            return None
        return math.prod(len(v) for v in values if v is not None)

    def points(self, appended: Mapping[str, Sequence[Value]] | None = None) -> Iterator[Point]:
        """All different points of a countable space, the first dimension outermost."""
        names = [dimension.name for dimension in self.dimensions]
        values = [
            unique((*(distinct_values(d) or ()), *(appended or {}).get(d.name, ())))
            for d in self.dimensions
        ]
        for combination in itertools.product(*values):
            yield dict(zip(names, combination, strict=True))

    def draw(
        self,
        rng: random.Random,
        used: set[tuple[Value, ...]],
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
            point = {d.name: draw(d, more.get(d.name, ()), rng) for d in self.dimensions}
            if key(point) not in used:
                return point
        if self.size() is None:
            return None
        # Hardly anything is left: look at what is, so that "exhausted" is said exactly.
        left = [point for point in self.points(more) if key(point) not in used]
        return rng.choice(left) if left else None


def key(point: Point) -> tuple[Value, ...]:
    """A point as something that can be compared and kept in a set."""
    return tuple(point.values())


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
    """The values next to ``value``, by the kind of the hyperparameter, within its limits.

    A scale moves by x0.8 and x1.2, a count by -1 and +1, a share by -0.1 and +0.1 (Auto-GAN,
    section 4.3.3); a size or a choice to any other of its candidates. Where there is nowhere to
    go, the value itself.
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
        steps = tuple(
            v
            for v in steps
            if not isinstance(v, str) and hyperparameter.low <= v <= hyperparameter.high
        )
    return steps or (value,)


def tidy(value: float) -> float:
    """Round to ten significant digits, so that 0.0002 x 0.8 is 0.00016 and equals itself."""
    return float(f"{value:.10g}")
