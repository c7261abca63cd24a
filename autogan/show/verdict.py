"""The verdict of a confirmation: whether the search beat the GAN type's defaults."""

import math
from typing import TYPE_CHECKING

from autogan.decisions.confirmation import advantage
from autogan.record.words import describe, figure
from autogan.search import State

if TYPE_CHECKING:
    from autogan.show.result import SearchResult

BETTER, WORSE, LUCK = ": better", ": worse", ": it may be luck"
"""The ends of a verdict that is known."""


def under_fresh_seeds(result: "SearchResult") -> list[str]:
    """The values of the best points under fresh seeds, next to those that the search saw."""
    if not result.confirmed:
        return []
    lines = [
        f"trained again under {result.confirmed[0].trained} fresh seeds, mean ± standard deviation:"
    ]
    for each in result.confirmed:
        words = [str(each)]
        if each.observed is not None:
            stopped = each.number is not None and (
                result.trials[each.number].state is State.STOPPED
            )
            early = " when it was stopped early" if stopped else ""
            words.append(f"the search saw {figure(each.observed)}{early}")
        if each.observed is not None and each.mean is not None:
            words.append(f"gap {each.mean - each.observed:+.3g}")
        name = "the defaults" if each.number is None else f"trial {each.number}"
        lines.append(f"  {name}: {', '.join(words)}  {describe(each.params)}")
    return [*lines, verdict(result)]


def verdict(result: "SearchResult") -> str:
    """Whether the search beat the GAN type's defaults, and how sure that is."""
    confirmed = result.confirmed
    winner, points = confirmed[0], [each for each in confirmed if each.number is not None]
    defaults = next((each for each in confirmed if each.number is None), None)
    if defaults is None:
        return "the defaults are among the best points found"
    if winner is defaults and not points:
        return "the defaults did better than every point found"
    choices, worst = len(points), math.inf if result.direction == "min" else -math.inf
    other, against = defaults, "against the defaults"
    if winner is defaults:
        other = points[0]
        why = "did better than every point found"
        if winner.lost < other.lost:
            why = f"lost fewer trainings ({winner.lost}) than trial {other.number} ({other.lost})"
        against = f"the defaults {why}; against trial {other.number}"
    found = advantage(winner, other, choices, worst)
    if math.isinf(found.low) and math.isinf(found.high):
        return (
            f"{against}: {found.shift:+.3g}; too few seeds to rule out luck: confirm with repeats=5"
        )
    interval = f"95 % interval {found.low:+.3g} to {found.high:+.3g}"
    if found.low <= 0 <= found.high:
        end = LUCK
    else:
        end = BETTER if (found.high < 0) == (result.direction == "min") else WORSE
    return f"{against}: {found.shift:+.3g}, {interval} (by ranks, for the best of {choices}){end}"
