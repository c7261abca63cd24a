"""Limits that an evaluation must satisfy to count, such as ``authenticity>0.3``."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from autogan.core.errors import ConfigError
from autogan.core.registry import Registry
from autogan.criteria.base import Criterion

_LIMIT = re.compile(r"(?P<name>[\w.:-]+?)\s*(?P<sign>[<>])\s*(?P<bound>[-+.\w]+)")


@dataclass(frozen=True)
class Limit:
    """A bound on a criterion's value.

    Attributes:
        name: of the criterion.
        above: whether its value must lie above the bound; otherwise below.
        bound: excluded itself.
    """

    name: str
    above: bool
    bound: float

    def __str__(self) -> str:
        short = f"{self.bound:g}"
        bound = short if float(short) == self.bound else repr(self.bound)
        return f"{self.name}{'>' if self.above else '<'}{bound}"

    def holds(self, scores: Mapping[str, float], labels: Mapping[str, str]) -> bool:
        """Whether scores by label satisfy the limit; False if there is no value.

        Args:
            scores: of an evaluation.
            labels: of the criteria, by name.
        """
        score = scores.get(labels.get(self.name, ""))
        return score is not None and (score > self.bound if self.above else score < self.bound)


def limits_of(text: str, criteria: Registry[Criterion]) -> tuple[Limit, ...]:
    """The limits in ``authenticity>0.3,c_t>-3``.

    Raises:
        ConfigError: naming the part that is not a limit.
    """
    limits = []
    for part in text.split(","):
        match = _LIMIT.fullmatch(part.strip())
        try:
            bound = float(match["bound"]) if match else math.nan
        except ValueError:
            bound = math.nan
        if match is None or not math.isfinite(bound):
            raise ConfigError(
                "constraint",
                f"{part!r} is not a limit; write a criterion, > or < and a number, as in "
                "authenticity>0.3",
            )
        limits.append(Limit(criteria.key(match["name"]), match["sign"] == ">", bound))
    return tuple(limits)
