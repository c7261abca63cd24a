"""Charts of chance: the best under fresh seeds, points under several; and the Pareto front."""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from autogan.record.words import describe, figure
from autogan.report.charts import WIDTH
from autogan.report.drawing.scales import Log, Places
from autogan.report.drawing.svg import Frame, shortened
from autogan.report.view import SearchView
from autogan.search import Direction, Trial
from autogan.search.space import key

_ROW = 30  # pixels of a point's row
_MOST = 20  # points
_PAIRS = 3  # of trainings; with fewer, differences say nothing
_APART = 1.96 / statistics.NormalDist().inv_cdf(0.75)  # the 95 % quantile over the median


def confirmation(view: SearchView) -> Markup:
    """The values of each confirmed point under fresh seeds, their mean, and the search's value."""
    result, measure = view.result, view.measures[0]
    values = [v for each in result.confirmed for v in each.values]
    values += [each.observed for each in result.confirmed if each.observed is not None]
    names = [
        "the defaults" if each.number is None else f"trial {each.number}"
        for each in result.confirmed
    ]
    names[0] += " (winner)"
    x = measure.axis(values)
    worst = measure.worst(x)
    height = 60 + _ROW * len(names)
    frame = Frame(x, Places(names[::-1]), WIDTH, height, measure.words, "")
    words = []
    for name, each in zip(names, result.confirmed, strict=True):
        for value in each.values:
            frame.dot(value, name, "confirms", f"{name}, fresh seed: {figure(value)}")
        for place in range(each.lost):
            tooltip = f"{name}, fresh seed: diverged or collapsed"
            frame.dot(worst, name, "dead", tooltip, aside=-10.0 * place)
        if each.observed is not None:
            tooltip = f"{name}: the search saw {figure(each.observed)}"
            frame.stroke(each.observed, name, 10, "seen", tooltip)
        if each.mean is not None:
            frame.stroke(each.mean, name, 20, "mean", f"{name}: mean {each}")
        words.append(f"{name} {each}")
    return frame.svg("fresh", "The best under fresh seeds", "; ".join(words))


@dataclass(frozen=True)
class Noise:
    """The effect of the seed alone, measured on all pairs of whole trainings of one point.

    Attributes:
        middle: the median difference of two values, or of their logarithms; a seed that nearly
            collapsed does not move it.
        largest: the largest difference.
        factors: whether the differences are of logarithms: if values differ by factors, as FID
            does, a poor point's seeds differ by more than a good one's.
    """

    middle: float
    largest: float
    factors: bool

    def behind(self, best: float, direction: Direction) -> float:
        """The worst value whose distance to the best one may be due to the seed alone.

        If values are normally distributed, one pair of twenty differs by more.
        """
        apart = _APART * self.middle
        if self.factors:
            return best * math.exp(apart if direction == "min" else -apart)
        return best + (apart if direction == "min" else -apart)

    def words(self, difference: float) -> str:
        """A difference in words."""
        return f"a factor of {math.exp(difference):.3g}" if self.factors else f"{difference:.3g}"


def noise(view: SearchView) -> Noise | None:
    """The effect of the seed alone; None if there are too few pairs of whole trainings."""
    groups = [values for _, values, _ in _groups(view)]
    factors = isinstance(view.measures[0].axis(v for values in groups for v in values), Log)
    scale = math.log if factors else float
    apart = [
        abs(scale(one) - scale(other))
        for values in groups
        for one, other in itertools.combinations(values, 2)
    ]
    if len(apart) < _PAIRS:
        return None
    return Noise(statistics.median_low(apart), max(apart), factors)


def several_seeds(view: SearchView) -> Markup | None:
    """The values of each point that was trained under several seeds; None without such points."""
    groups, measure = _groups(view)[:_MOST], view.measures[0]
    if not groups:
        return None
    x = measure.axis([v for _, values, _ in groups for v in values])
    names = [
        f"trial {first.number}"
        + (f", {len(dead)} of {len(dead) + len(values)} died" if dead else "")
        for first, values, dead in groups
    ]
    height = 60 + 20 * len(names)
    frame = Frame(x, Places(names[::-1]), WIDTH, height, measure.words, "")
    for name, (first, values, dead) in zip(names, groups, strict=True):
        frame.line([(min(values), name), (max(values), name)], "range")
        for value in values:
            tooltip = f"{name}: {figure(value)}  {describe(first.params)}"
            frame.dot(value, name, "complete", tooltip, first.number)
        for place, trial in enumerate(dead):
            tooltip = f"{view.tooltip(trial)}: {trial.reason}"
            frame.dot(measure.worst(x), name, "dead", tooltip, trial.number, aside=-10.0 * place)
    lost = sum(len(dead) for _, _, dead in groups)
    words = f"{len(groups)} points under several seeds" + (
        f"; {lost} trainings died" if lost else ""
    )
    return frame.svg("seeds", "The same hyperparameters under several seeds", words)


def front(view: SearchView) -> Markup:
    """The trials by the first two of several criteria; a line joins the Pareto front."""
    result = view.result
    across, up = view.measures[:2]
    trials = [t for t in view.trials if t.losses]
    x, y = (m.axis([m.worths[t.number] for t in trials]) for m in (across, up))
    frame = Frame(x, y, 560, 380, across.words, up.words)
    members = {t.number for t in result.front}
    ordered = sorted(result.front, key=lambda t: across.worths[t.number])
    if len(view.measures) == 2 and len(ordered) > 1:
        frame.line([(across.worths[t.number], up.worths[t.number]) for t in ordered], "sofar")
    for trial in trials:
        kind = "stopped" if trial.number not in members else "complete"
        if view.kind(trial) == "best":
            kind = "best"
        at = (across.worths[trial.number], up.worths[trial.number])
        frame.dot(*at, kind, view.tooltip(trial), trial.number, radius=4.5)
        if trial.number in members:
            frame.text(*at, str(trial.number), rise=8)
    words = f"no other trial beats {len(members)} of {len(trials)} trials"
    return frame.svg("front", f"{across.name} and {shortened(up.name, 40)}", words)


def _groups(view: SearchView) -> list[tuple[Trial, list[float], list[Trial]]]:
    """The points that were trained under several seeds and have at least one value.

    Of each: the first training, the values of its whole trainings, and the dead trainings.
    """
    measure = view.measures[0]
    grouped: dict[object, list[Trial]] = {}
    for trial in view.result.trials:
        if trial.worth is not None and trial.steps and not trial.losses:
            grouped.setdefault(key(trial.params), []).append(trial)
    found = []
    for point, group in grouped.items():
        whole = _whole(group)
        dead = [t for t in view.result.trials if t.dead and key(t.params) == point]
        values = [trial.value for trial in whole if trial.value is not None]
        if len(values) + len(dead) > 1:
            found.append((whole[0], values, dead))
    return sorted(found, key=lambda each: measure.sign * statistics.fmean(each[1]))


def _whole(group: Sequence[Trial]) -> list[Trial]:
    """The trials with the most steps."""
    longest = max(trial.steps for trial in group)
    return [trial for trial in group if trial.steps == longest]
