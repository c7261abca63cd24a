"""Compare AutoGAN's searches with other libraries', on recorded tables of real trainings.

    python scripts/studies/compare_rivals.py tests/data/gan_default_mnist.csv --searches 60

`rivals.py` says how the others are used. A training that collapses or diverges is reported to them
as the worst value of the table. All are counted as in compare_search.py: in updates of both
networks, in units of a full trial of mean length, a trial's values being those of one of its
recorded seeds; what is returned is judged by the mean over all recorded seeds, dead ones as the
worst. Printed are means over searches with standard errors: the regret of the returned
hyperparameters, the share of their seeds that die, and the regret of the best generator in hand.
"""

import argparse
import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from compare_search import Replay, Table
from experiments import print_table
from rivals import Bench, Stands, nothing, rivals

from autogan.search import STOPPING_RULES

BUDGETS = (2, 5, 10, 20)
OWN = {
    "AutoGAN: gp, asha, 5 seeds (the default)": ("gp", "asha", 5),
    "AutoGAN: gp, thaw, 5 seeds": ("gp", "thaw", 5),
    "AutoGAN: random, asha, 5 seeds": ("random", "asha", 5),
    "AutoGAN: random": ("random", None, 1),
}


def main() -> None:
    """Print a row for each search and table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--searches", type=int, default=60)
    parser.add_argument("--only", default="", help="rows whose names hold this")
    parser.add_argument("--diverging", type=float, default=0.0, help="share of combinations")
    given = parser.parse_args()
    for file in given.tables:
        table = Table(file, given.diverging)
        print(f"\n{file.stem}: {len(table.truth)} combinations\n")
        rows = []
        for name, own in OWN.items():
            if given.only in name:
                traces = [replayed(table, *own, seed) for seed in range(given.searches)]
                rows.append(row(name, traces))
        for name, search in rivals():
            if given.only in name:
                benches = [Bench(table, seed, BUDGETS[-1]) for seed in range(given.searches)]
                for seed, bench in enumerate(benches):
                    search(bench, seed)
                rows.append(row(name, [bench.trace for bench in benches]))
        kinds = ("regret", "dead", "in hand")
        print_table(["", *(f"{kind} at {b}" for b in BUDGETS for kind in kinds)], rows)


def row(name: str, traces: Sequence[Stands]) -> list[str]:
    """Means with standard errors at each budget."""
    cells = [name]
    for budget in BUDGETS:
        ends = [[s for s in trace if s[0] <= budget or s is trace[0]][-1] for trace in traces]
        _, regrets, dead, hands = zip(*ends, strict=True)
        cells += [_mean(regrets), f"{statistics.fmean(dead):.0%}", _mean(hands)]
    return cells


def replayed(table: Table, method: str, rule: str | None, seeds: int, search: int) -> Stands:
    """One of AutoGAN's own searches."""
    stopping = STOPPING_RULES.get(rule)(table.evaluations, table.space, search) if rule else None
    trace = Replay(table, method, stopping, search, seeds).run(BUDGETS[-1]).trace
    return [nothing(table), *((s.spent, s.regret, s.died, s.in_hand) for s in trace)]


def _mean(values: Sequence[float]) -> str:
    error = statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.fmean(values):.1f} ± {error:.1f}"


if __name__ == "__main__":
    main()
