"""Declarations of hyperparameters, for GAN types, the configuration and searches."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = int | float | str

Kind = Literal["scale", "share", "count", "size", "choice"]


@dataclass(frozen=True)
class Hyperparameter:
    """The declaration of one hyperparameter, for listing, validation and search.

    Attributes:
        name: as users write it.
        kind: what a step to a neighbouring value means. ``scale``, a positive float that matters
            by factors (learning rates, penalty weights); ``share``, a float in [0, 1];
            ``count``, an integer that matters by ones; ``size``, an integer that takes listed
            values only (batch size, widths); ``choice``, one of ``choices``.
        default: the value without a search.
        meaning: one line for ``autogan list``.
        low, high: inclusive limits of the numeric kinds.
        choices: the values of a ``choice``.
        search: the candidates of the GAN type's default search space; empty if it is not in it.
        shape: whether another value needs other networks or another compiled training function.
            All other hyperparameters are data to the compiled function, so that trials share it.
        switch: whether only the change between 0 and more needs another function: above 0 it
            computes an additional part, and the amount is data.
        under: the choices under which it applies, if not always: each ``choice`` named here must
            apply itself, and have one of the values listed for it.
    """

    name: str
    kind: Kind
    default: Value
    meaning: str
    low: float = 0.0
    high: float = math.inf
    choices: tuple[str, ...] = ()
    search: tuple[Value, ...] = ()
    shape: bool = False
    switch: bool = False
    under: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def integer(self) -> bool:
        """Whether its values are integers."""
        return self.kind in ("count", "size")

    def check(self, value: object) -> Value:
        """Return ``value`` in the hyperparameter's own type.

        Raises:
            ValueError: naming the values that are allowed.
        """
        if self.kind == "choice":
            if value not in self.choices:
                raise ValueError(f"{value!r} is not one of {', '.join(self.choices)}")
            return str(value)
        word = "an integer" if self.integer else "a number"
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise ValueError(f"{value!r} is not {word}")
        if self.integer and value != int(value):
            raise ValueError(f"{value!r} is not {word}")
        if not self.low <= value <= self.high:
            raise ValueError(f"{value!r} is not {word} from {self.low:g} to {self.high:g}")
        return int(value) if self.integer else float(value)

    def limits(self) -> str:
        """The allowed values, in words."""
        if self.kind == "choice":
            return ", ".join(self.choices)
        return f"{self.low:g} to {self.high:g}"


def conditions(
    hyperparameter: Hyperparameter, declared: Mapping[str, Hyperparameter]
) -> dict[str, tuple[str, ...]]:
    """All conditions for a hyperparameter to apply: its own, and those of the choices they name.

    Args:
        hyperparameter: of any kind.
        declared: all hyperparameters, by name; a choice that is not among them always applies.

    Returns:
        The allowed values of each choice, by its name.
    """
    found = dict(hyperparameter.under)
    for name in hyperparameter.under:
        above = conditions(declared[name], declared) if name in declared else {}
        for other, values in above.items():
            found[other] = tuple(v for v in values if v in found.get(other, values))
    return found


def met(wanted: Mapping[str, tuple[str, ...]], values: Mapping[str, Value]) -> bool:
    """Whether `conditions` hold under these values; a choice without a value does not count."""
    return all(name not in values or values[name] in some for name, some in wanted.items())


@dataclass(frozen=True)
class Range:
    """A continuous (or integer) interval of values, including both ends."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}" + (":log" if self.log else "")


@dataclass(frozen=True)
class Dimension:
    """One searched hyperparameter: its declaration, and the source of its values.

    ``candidates`` may hold a value twice, which is then drawn twice as often; it is empty if there
    is a ``range``.

    Attributes:
        hyperparameter: its declaration.
        candidates: its values, if they are listed.
        range: its interval otherwise; it covers all of ``ranges``, if there are any.
        by: the searched choice that determines the interval, if one does.
        ranges: the interval under each value of that choice.
    """

    hyperparameter: Hyperparameter
    candidates: tuple[Value, ...] = ()
    range: Range | None = None
    by: str = ""
    ranges: Mapping[str, Range] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """The hyperparameter's name."""
        return self.hyperparameter.name

    def __str__(self) -> str:
        listed = (f"{v:g}" if isinstance(v, float) else str(v) for v in self.candidates)
        return f"{self.name}={self.range or ','.join(listed)}"

    def under(self, values: Mapping[str, Value]) -> "Dimension":
        """The dimension with its interval under the given values of other hyperparameters."""
        choice = values.get(self.by)
        if choice is None:
            return self
        return Dimension(self.hyperparameter, range=self.ranges[str(choice)])
