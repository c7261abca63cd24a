"""Test whether points that were good on other datasets are a better start than the defaults.

    python scripts/studies/learned_points.py --searches 30

Each of the three tables of `gan`'s default game (digits, MNIST, photographs) is left out in turn.
The other two give a portfolio of three points. Searches on the table left out start with no given
point, with the defaults or with the portfolio. The script prints regrets, means with standard
errors, at several budgets in full trials.

A portfolio is built greedily: each point is the one that most improves the best of those so far, in
the mean over the datasets of the logarithm of FID over the best point's FID.
"""

import argparse
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compare_search import Replay, Table, at, mean, reached
from experiments import print_table
from typing_extensions import override

from autogan.core.hyperparameters import Value
from autogan.search import State, Trial
from autogan.search.base import SearchMethod
from autogan.search.stopping import SuccessiveHalving

DATA = Path("tests/data")
TABLES = ("gan_default_digits", "gan_default_mnist", "gan_default_photographs")
BUDGETS = (1, 2, 3, 5, 10)
_POINTS, _SEEDS = 3, 5
_DEFAULTS = {"learning_rate": 1e-3, "d_iter": 1, "penalty_weight": 0.1, "generator_lr_scale": 2.0}

Recorded = tuple[Value, ...]


@dataclass
class Begun(Replay):
    """A replay that tries given points first, one after the other."""

    first: Sequence[Recorded] = ()

    @override
    def _next(self, method: SearchMethod, most_trials: float, closing: bool) -> Trial | None:
        begun, running = self._begun(), any(t.state is State.RUNNING for t in self.trials)
        if begun >= len(self.first) or running:
            return super()._next(method, most_trials, closing)
        names = [dimension.name for dimension in self.table.space.dimensions]
        return Trial(len(self.trials), dict(zip(names, self.first[begun], strict=True)))


def main() -> None:
    """Print a row for each start and table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=30)
    given = parser.parse_args()
    tables = {name: Table(DATA / f"{name}.csv") for name in TABLES}
    rows = []
    for name, table in tables.items():
        learned = portfolio([other for key, other in tables.items() if key != name])
        values = ", ".join(f"{table.truth[point]:.3g}" for point in learned)
        print(
            f"{name}: {learned} have FID {values}; the best point {min(table.truth.values()):.3g}"
        )
        defaults = [tuple(_DEFAULTS[d.name] for d in table.space.dimensions)]
        for start, first in (("none", []), ("defaults", defaults), ("learned", learned)):
            rows.append([name, start, *regrets(table, first, given.searches)])
    print_table(["", "starts with", *map(str, BUDGETS)], rows)


def portfolio(tables: Sequence[Table]) -> list[Recorded]:
    """The points that together do best on these tables."""
    chosen: list[Recorded] = []

    def loss(points: Sequence[Recorded]) -> float:
        return statistics.fmean(
            math.log(min(t.truth[p] for p in points) / min(t.truth.values())) for t in tables
        )

    while len(chosen) < _POINTS:
        left = [point for point in tables[0].truth if point not in chosen]
        chosen.append(min(left, key=lambda p: (round(loss([*chosen, p]), 3), loss([p]))))
    return chosen


def regrets(table: Table, first: Sequence[Recorded], searches: int) -> list[str]:
    """Means over searches at each budget, with standard errors."""
    rule, traces = SuccessiveHalving(table.evaluations), []
    for seed in range(searches):
        replay = Begun(table, "gp", rule, seed, _SEEDS, first=first)
        traces.append(reached(table, replay.run(BUDGETS[-1]).trace))
    return [mean([at(trace, budget)[1] for trace in traces], 2) for budget in BUDGETS]


if __name__ == "__main__":
    main()
