"""The objective of a search: a criterion, or a weighted sum of several."""

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from autogan.core.errors import ConfigError
from autogan.core.registry import Registry
from autogan.criteria.base import Criterion
from autogan.criteria.limits import Limit

Direction = Literal["min", "max"]

NOTHING = "none"
"""The text of an objective without criteria: the last generator is kept."""

Bounds = Mapping[str, tuple[float, float]]
"""The range of a criterion's values, low and high, by its name."""

_TERM = re.compile(
    r"\s*(?P<sign>[+-])?\s*(?:(?P<weight>\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)\s*\*\s*)?"
    r"(?P<name>[a-z_][\w.:]*)\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Objective:
    """A weighted sum of criteria, such as ``is - 0.01*fid`` (Auto-GAN, equation 4-1), or nothing.

    The thesis adds a score that should rise to a distance that should fall; here the signs must
    agree with the criteria's directions, so that the sum has a direction too. A small weight of the
    distance favours sharp images, a large one diverse images (the thesis's table 4-20).

    Attributes:
        weights: of the criteria, by name, with their signs.
        direction: which way the sum is better; without weights, this means nothing.
        bounds: ranges that scale their criteria to [0, 1] before weighting; None for no scaling.
        limits: that an evaluation must satisfy to count.
    """

    weights: Mapping[str, float]
    direction: Direction
    bounds: Bounds | None = None
    limits: tuple[Limit, ...] = ()

    @classmethod
    def parse(cls, text: str, criteria: Registry[Criterion]) -> "Objective":
        """Read a criterion's name, a sum, or ``none``.

        Raises:
            ConfigError: if it is none of these, or its signs contradict the directions.
        """
        if text.strip() == NOTHING:
            return cls({}, "min")
        terms = _terms(text, criteria)
        known = {name: criteria.get(name) for name in terms}
        wanted: dict[str, Direction] = {
            name: known[name].direction if weight > 0 else _OTHER[known[name].direction]
            for name, weight in terms.items()
        }
        if len(set(wanted.values())) > 1:
            words = ", ".join(f"{n} should {_WORDS[k.direction]}" for n, k in known.items())
            raise ConfigError(
                "criterion",
                f"{text!r}: {words}; choose signs so that all terms improve in the same direction, "
                "as in is - 0.01*fid",
            )
        direction = next(iter(wanted.values()))
        if len(terms) == 1:
            return cls(dict.fromkeys(terms, 1.0), known[next(iter(terms))].direction)
        return cls(terms, direction)

    @classmethod
    def text_of(cls, weights: Mapping[str, object], criteria: Registry[Criterion]) -> str:
        """The text of a sum with positive weights; the criteria's directions give the signs.

        Raises:
            ConfigError: if a criterion is unknown or a weight is not a positive number.
        """
        if not weights:
            raise ConfigError("criterion", "{} names no criterion")
        directions = {name: criteria.get(str(name)).direction for name in weights}
        rising: Direction = "max" if "max" in directions.values() else "min"
        signed: dict[str, float] = {}
        for name, weight in weights.items():
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not 0 < float(str(weight)) < math.inf:
                raise ConfigError(
                    "criterion", f"{name}: {weight!r} is not a weight; give a positive number"
                )
            sign = 1 if directions[name] == rising else -1
            signed[criteria.key(str(name))] = sign * float(str(weight))
        return cls(signed, rising).text

    @property
    def text(self) -> str:
        """The canonical text, which `parse` reads; a single criterion has no weight."""
        if not self.weights:
            return NOTHING
        first, *rest = self.weights
        if not rest:
            return first
        terms = (
            f"{'+' if w > 0 else '-'} {'' if abs(w) == 1 else f'{abs(w)!r}*'}{name}"
            for name, w in self.weights.items()
        )
        return " ".join(terms).removeprefix("+ ")

    @property
    def chooses(self) -> Direction | None:
        """Which way values are better; None if nothing decides."""
        return self.direction if self.weights else None

    def within(self, bounds: Bounds) -> "Objective":
        """The same sum with criteria scaled to [0, 1] by their bounds."""
        return dataclasses.replace(self, bounds=bounds)

    def holding(self, limits: tuple[Limit, ...]) -> "Objective":
        """The same sum, counting only evaluations that satisfy limits."""
        return dataclasses.replace(self, limits=limits)

    def label(self, labels: Mapping[str, str]) -> str:
        """The name under which its values are reported, made of the criteria's labels."""
        if not self.weights:
            return NOTHING
        terms = (
            f"{'+' if w > 0 else '-'}{'' if abs(w) == 1 else f'{abs(w):g}*'}{labels[name]}"
            for name, w in self.weights.items()
        )
        text = "".join(terms).removeprefix("+")
        return text if self.bounds is None else f"scaled({text})"

    def counts(self, scores: Mapping[str, float], labels: Mapping[str, str]) -> bool:
        """Whether scores by label have a value: all criteria of the sum, and within the limits."""
        measured = bool(self.weights) and all(labels[name] in scores for name in self.weights)
        return measured and all(limit.holds(scores, labels) for limit in self.limits)

    def value(self, scores: Mapping[str, float], labels: Mapping[str, str]) -> float:
        """The weighted sum of scores by label."""
        return sum(w * self._scaled(n, scores[labels[n]]) for n, w in self.weights.items())

    def _scaled(self, name: str, score: float) -> float:
        if not self.bounds or name not in self.bounds:
            return score
        low, high = self.bounds[name]
        return (score - low) / (high - low)


def bounds_seen(seen: Iterable[Mapping[str, float]], labels: Mapping[str, str]) -> Bounds:
    """The lowest and highest score of each criterion; omits criteria that have not varied.

    Args:
        seen: scores by label.
        labels: of the criteria, by name.
    """
    rows = list(seen)
    bounds = {}
    for name, label in labels.items():
        values = [row[label] for row in rows if label in row]
        if values and min(values) < max(values):
            bounds[name] = (min(values), max(values))
    return bounds


_OTHER: dict[Direction, Direction] = {"min": "max", "max": "min"}
_WORDS = {"min": "fall", "max": "rise"}


def _terms(text: str, criteria: Registry[Criterion]) -> dict[str, float]:
    """The signed weights by name, in order."""
    for known in criteria.names():  # js-is is a name, not a difference
        text = text.replace(known.replace("_", "-"), known)
    terms: dict[str, float] = {}
    end = 0
    while end < len(text):
        match = _TERM.match(text, end)
        if match is None or (end and not match["sign"]):
            raise ConfigError(
                "criterion",
                f"{text!r} is neither a criterion nor a sum such as 'is - 0.01*fid' (weights come "
                "first); give one, and put criteria that are only recorded into also",
            )
        name = criteria.key(match["name"])
        if name in terms:
            raise ConfigError("criterion", f"{text!r} names {name} twice")
        weight = float(match["weight"] or 1.0)
        if not 0 < weight < math.inf:
            raise ConfigError(
                "criterion",
                f"{text!r}: the weight of {name} is {weight:g}; give another, or leave it out",
            )
        terms[name] = -weight if match["sign"] == "-" else weight
        end = match.end()
    if not terms:
        raise ConfigError("criterion", "'' names no criterion")
    return terms
