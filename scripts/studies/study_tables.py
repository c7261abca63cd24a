"""The statistics of `study.py` and of `system_experiments.py tuning`.

They say what factors are worth, what each method reached, and how far trainings lie apart.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from autogan.core.hyperparameters import Value
from autogan.search import Trial

FACTORS = (
    ("loss",),
    ("discriminator_norm",),
    ("penalty",),
    ("discriminator_norm", "penalty"),
    ("architecture",),
)
ORDERLESS = ("grid", "random")  # the order of their trainings means nothing
TOP = 0.05


@dataclass(frozen=True)
class Training:
    """One training of a search.

    Attributes:
        search: the search's folder.
        method: of the search.
        params: all hyperparameters that apply.
        loss: the value, with a sign such that lower is better; infinite if it is dead.
        sign: turns the loss into the value.
        trial: the search's trial.
    """

    search: str
    method: str
    params: Mapping[str, Value]
    loss: float
    sign: int
    trial: Trial

    def named(self, factor: Iterable[str]) -> str:
        """The values of some hyperparameters, as text."""
        return " + ".join(str(self.params.get(name, "-")) for name in factor)


@dataclass(frozen=True)
class Worth:
    """The losses of a point's trainings under several seeds."""

    losses: tuple[float, ...]

    @cached_property
    def lived(self) -> list[float]:
        """The losses of trainings that are not dead."""
        return [loss for loss in self.losses if math.isfinite(loss)]

    @property
    def rank(self) -> tuple[int, float]:
        """The key by which points are ordered: the number of deaths, then the others' mean."""
        dead = len(self.losses) - len(self.lived)
        return dead, statistics.fmean(self.lived) if self.lived else math.inf

    @property
    def median(self) -> float:
        """The median loss, with dead trainings as the worst: the paper's measure."""
        return statistics.median(self.losses)

    def text(self, sign: int) -> str:
        """The mean, smallest and largest value of the living, and the number of deaths."""
        dead, mean = self.rank
        count = f"{dead} of {len(self.losses)} dead" if dead else ""
        if not self.lived:
            return count
        ends = sorted((sign * min(self.lived), sign * max(self.lived)))
        span = f" ({ends[0]:.4g} to {ends[1]:.4g})" if len(self.lived) > 1 else ""
        return ", ".join(filter(None, [f"{sign * mean:.4g}{span}", count]))


def worths(found: Iterable[Training]) -> list[Worth]:
    """The worth of each point, over all methods that tried it."""
    losses: dict[tuple[tuple[str, Value], ...], list[float]] = {}
    for training in found:
        losses.setdefault(tuple(sorted(training.params.items())), []).append(training.loss)
    return [Worth(tuple(values)) for values in losses.values()]


def top(found: Sequence[Training], share: float = TOP) -> list[Training]:
    """The best share of trainings, rounded up, without dead ones."""
    count = math.ceil(share * len(found))
    best = sorted(found, key=lambda training: training.loss)[:count]
    return [training for training in best if math.isfinite(training.loss)]


def expected_best(losses: Sequence[float], count: int) -> float:
    """The expected least of ``count`` losses, drawn without replacement.

    The i-th smallest of n is the least of k with probability C(n - i, k - 1) / C(n, k).

    Args:
        losses: finite losses.
        count: k, from 1 to n.
    """
    n = len(losses)
    ways = [math.comb(n - i, count - 1) for i in range(1, n + 1)]
    return sum(w * v for w, v in zip(ways, sorted(losses), strict=True)) / math.comb(n, count)


def lowest(trial: Trial, steps: int) -> float:
    """The lowest value of its only criterion in its first steps; infinite if it died in them."""
    if trial.dead and trial.steps <= steps:
        return math.inf
    return min(next(iter(e.scores.values())) for e in trial.evaluations if e.step <= steps)


def spread(fids: Sequence[float]) -> list[str]:
    """How many died, the five-number summary, and how many are at most twice the best."""
    summary = [min(fids), *statistics.quantiles(fids, method="inclusive"), max(fids)]
    return [
        str(sum(map(math.isinf, fids))),
        *(f"{fid:.3g}" if math.isfinite(fid) else "dead" for fid in summary),
        str(sum(fid <= 2 * min(fids) for fid in fids)),
    ]


@dataclass(frozen=True)
class Table:
    """A table to print."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self, markdown: bool) -> str:
        """The table, in Markdown or in columns."""
        if markdown:
            lines = [self.heads, ["---"] * len(self.heads), *self.rows]
            return "\n".join([f"\n{self.title}\n", *(f"| {' | '.join(r)} |" for r in lines)])
        widths = [max(map(len, column)) for column in zip(self.heads, *self.rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (self.heads, *self.rows)
        ]
        return "\n".join([f"\n{self.title}", *(f"  {line}" for line in lines)])


def factor_table(found: Sequence[Training], factor: Sequence[str]) -> Table:
    """A table of each value of a factor, that with the best point first."""
    groups: dict[str, list[Training]] = {}
    for training in found:
        groups.setdefault(training.named(factor), []).append(training)
    sign, best = found[0].sign, top(found)
    ranked = []
    for value, own in groups.items():
        points = worths(own)
        winner = min(points, key=lambda point: point.rank)
        dead = sum(math.isinf(training.loss) for training in own)
        row = [
            value,
            winner.text(sign),
            str(len(winner.losses)),
            _shown(statistics.median(point.median for point in points), sign),
            str(len(points)),
            f"{100 * dead / len(own):.0f} %",
            f"{sum(training.named(factor) == value for training in best)} of {len(best)}",
            _span([training.loss for training in top(own)], sign),
        ]
        ranked.append((winner.rank, row))
    heads = [
        "",
        "best point",
        "seeds",
        "median of all",
        "points",
        "dead",
        "in the top 5 %",
        "its own top 5 %",
    ]
    return Table(" + ".join(factor), heads, [row for _, row in sorted(ranked)])


def _shown(loss: float, sign: int) -> str:
    return f"{sign * loss:.4g}" if math.isfinite(loss) else "dead"


def _span(losses: list[float], sign: int) -> str:
    """The first and last of sorted losses, as values."""
    ends = dict.fromkeys(f"{sign * loss:.4g}" for loss in losses[:1] + losses[-1:])
    return " to ".join(ends)


def reached_table(found: Sequence[Training]) -> Table:
    """A table of the best value after a number of trainings, by method: means over its searches.

    If the order of trainings means nothing, it is the expected best over all orders. For a method
    that learns, only its own searches count, not those that train its points again.
    """
    sign = found[0].sign
    worst = max(t.loss for t in found if math.isfinite(t.loss))
    curves = {
        method: [[min(loss, worst) for loss in losses] for losses in searches]
        for method, searches in _losses(found).items()
    }
    longest = max((min(map(len, searches)) for searches in curves.values()), default=0)
    counts = [
        c
        for power in range(len(str(longest)))
        for c in (10**power, 2 * 10**power, 5 * 10**power)
        if c <= longest
    ]
    rows = [
        [
            method,
            *(_reached(method, searches, count, sign) for count in counts),
            f"{sign * statistics.fmean(map(min, searches)):.4g} ({min(map(len, searches))})",
            str(len(searches)),
        ]
        for method, searches in curves.items()
    ]
    heads = ["", *map(str, counts), "all", "searches"]
    title = "best value after a number of trainings (a dead one counts as the worst)"
    return Table(title, heads, rows)


def _losses(found: Iterable[Training]) -> dict[str, list[list[float]]]:
    """The losses of each search that counts, in order, by method."""
    searches: dict[tuple[str, str], list[Training]] = {}
    for training in found:
        searches.setdefault((training.method, training.search), []).append(training)
    methods: dict[str, list[list[float]]] = {}
    for (method, _), own in searches.items():
        repeated = sum(training.trial.origin == "enqueued" for training in own)
        if method in ORDERLESS or 2 * repeated < len(own):
            methods.setdefault(method, []).append([training.loss for training in own])
    return methods


def _reached(method: str, searches: Sequence[Sequence[float]], count: int, sign: int) -> str:
    if count > min(map(len, searches)):
        return ""
    best = [
        expected_best(losses, count) if method in ORDERLESS else min(losses[:count])
        for losses in searches
    ]
    return f"{sign * statistics.fmean(best):.4g}"


def tables(found: Sequence[Training]) -> list[Table]:
    """A table for each factor with several values, and one of the methods' best values."""
    several = set(varied(found))
    factors = [factor for factor in FACTORS if several.issuperset(factor)]
    made = [factor_table(found, factor) for factor in factors]
    return [*made, reached_table(found)] if top(found, 1.0) else made


def varied(found: Iterable[Training]) -> list[str]:
    """The hyperparameters in which any two trainings differ, in the GAN type's order."""
    values: dict[str, set[Value | None]] = {}
    every = [training.params for training in found]
    for name in dict.fromkeys(name for params in every for name in params):
        values[name] = {params.get(name) for params in every}
    return [name for name, own in values.items() if len(own) > 1]
