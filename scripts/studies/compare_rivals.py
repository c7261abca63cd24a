"""Compare AutoGAN's searches with other libraries', on recorded tables of real trainings.

    python scripts/studies/compare_rivals.py tests/data/gan_default_mnist.csv --searches 60

`rivals.py` says how the others are used. A training that collapses or diverges is reported to them
as the worst value of the table. Costs count as in compare_search.py: in updates of both networks,
in units of a full trial of mean length. A trial's values are those of one of its recorded seeds;
the returned hyperparameters are judged by the mean over all recorded seeds, dead ones as the
worst. The script prints means over searches with standard errors: the regret of the returned
hyperparameters, the share of their seeds that die, and the regret of the generator in hand.
"""

import argparse
from pathlib import Path

from compare_search import BUDGETS, Table, Task, heads, row, stands
from experiments import print_table
from rivals import Bench, rivals

OWN = {
    "AutoGAN: gp, asha, 5 seeds (the default)": "gp asha 5 seeds",
    "AutoGAN: gp, thaw, 5 seeds": "gp thaw 5 seeds",
    "AutoGAN: random, asha, 5 seeds": "random asha 5 seeds",
    "AutoGAN: random": "random",
}


def main() -> None:
    """Print a row for each search and table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--searches", type=int, default=60)
    parser.add_argument("--only", default="", help="rows whose names contain this")
    parser.add_argument(
        "--diverging", type=float, default=0.0, help="share of combinations that diverge [0]"
    )
    given = parser.parse_args()
    for file in given.tables:
        table = Table(file, given.diverging)
        print(f"\n{file.stem}: {len(table.truth)} combinations\n")
        rows = []
        for name, own in OWN.items():
            if given.only in name:
                tasks = [Task(file, own, n, given.diverging) for n in range(given.searches)]
                rows.append(row(name, [stands(task) for task in tasks]))
        for name, search in rivals():
            if given.only in name:
                benches = [Bench(table, seed, BUDGETS[-1]) for seed in range(given.searches)]
                for seed, bench in enumerate(benches):
                    search(bench, seed)
                rows.append(row(name, [bench.trace for bench in benches]))
        print_table(heads(), rows)


if __name__ == "__main__":
    main()
