"""The verdict of a confirmation: whether the search beat the GAN type's defaults."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from autogan.decisions.confirmation import Confirmed, advantage, usual
from autogan.record.words import describe, figure
from autogan.search import State

if TYPE_CHECKING:
    from autogan.show.result import SearchResult

BETTER, WORSE, LUCK = ": better", ": worse", ": it may be luck"
"""The ends of a verdict that is known."""


def under_fresh_seeds(result: "SearchResult") -> list[str]:
    """The values of the best points under fresh seeds, next to those that the search saw."""
    if not (confirmed := result.confirmed):
        return []
    defaults = _defaults(confirmed, result)
    lines = [f"trained again under {confirmed[0].trained} fresh seeds, mean ± standard deviation:"]
    for each in confirmed:
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
        if each is defaults and each.number is not None:
            name += " (the defaults)"
        lines.append(f"  {name}: {', '.join(words)}  {describe(each.params)}")
    return [*lines, verdict(result)]


def _defaults(confirmed: Sequence[Confirmed], result: "SearchResult") -> Confirmed | None:
    """The defaults' results; the search may have found them itself."""
    apart = next((each for each in confirmed if each.number is None), None)
    if apart is not None:
        return apart
    found = usual(result.config.space)
    return next((each for each in confirmed if each.params == found), None)


def verdict(result: "SearchResult") -> str:
    """Whether the search beat the GAN type's defaults, and how sure that is."""
    confirmed = result.confirmed
    winner, defaults = confirmed[0], _defaults(confirmed, result)
    points = [each for each in confirmed if each is not defaults]
    if defaults is None:
        return "the defaults cannot be combined with the fixed values: nothing to compare with"
    if not points:
        return "the defaults are the best point found"
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
