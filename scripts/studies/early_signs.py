"""Measure how early low variety predicts a training's death, and the cost of acting on it.

    python scripts/studies/early_signs.py runs/tables/*-[0-9]

The script reads recorded searches without a stopping rule (see `record_table.py`). A sign is an
evaluation, at or after a given one, at which the number of different pictures among 256 is less
than a share of that among real images. The script prints the dead trainings that show the sign, the
evaluations that stopping them would have saved, and the living trainings that would have been lost.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments import print_table

from autogan.record.folder import SearchFolder
from autogan.record.ledger import Ledger
from autogan.search import State

SHARES, FROM = (0.1, 0.2, 0.3, 0.5), (1, 2, 3)


def main() -> None:
    """Print a row for each sign."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    given = parser.parse_args()
    trainings = [pair for run in given.runs for pair in curves(run)]
    dead = sum(died for _, died in trainings)
    whole = sum(len(curve) for curve, _ in trainings)
    print(f"{len(trainings)} trainings of {whole} evaluations, {dead} of which died")
    rows = [row(trainings, share, begin) for share in SHARES for begin in FROM]
    print_table(["less than", "from evaluation", "dead seen", "evaluations saved", "lost"], rows)


def curves(run: Path) -> Iterator[tuple[list[float], bool]]:
    """The shares of different pictures at each training's evaluations, and whether it died."""
    for trial in Ledger(SearchFolder(run).ledger).trials:
        if trial.evaluations and (trial.dead or trial.state is State.COMPLETE):
            yield [evaluation.different for evaluation in trial.evaluations], trial.dead


def row(trainings: Sequence[tuple[list[float], bool]], share: float, begin: int) -> list[str]:
    """The table row of one sign."""
    seen = saved = lost = 0
    for curve, died in trainings:
        found = next((n for n, each in enumerate(curve, 1) if n >= begin and each < share), None)
        if found is not None and died:
            seen, saved = seen + 1, saved + len(curve) - found
        elif found is not None:
            lost += 1
    return [f"{share:g}", str(begin), str(seen), str(saved), str(lost)]


if __name__ == "__main__":
    main()
