"""Test whether recommended hyperparameters perform as a search predicts, on real trainings.

    python scripts/studies/promise.py configs/gan_digits.yaml --searches 4 --fresh 8 --workers 2

A configuration is searched under several seeds. Each search's winner is trained under fresh seeds,
which had no part in the search. The script prints the prediction (seeds trained, deaths, the range
of a further training that lives, the share that dies) and the outcome: deaths, mean and range, and
how many of the living lie within the predicted range, where four in five are expected. Trainings
that have ended below runs/promise are not repeated.
"""

import argparse
import statistics
from pathlib import Path

from experiments import print_table

import autogan
from autogan.config import SearchConfig, TrainConfig, load_config, under_seeds
from autogan.record.folder import SearchFolder
from autogan.record.words import figure
from autogan.search.repeats import Standing

FIRST_SEED = 1000  # of the fresh trainings: far from those of the searches


def main() -> None:
    """Search, train the winners again, and print a row for each search."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--searches", type=int, default=4)
    parser.add_argument("--fresh", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("runs/promise"))
    given = parser.parse_args()
    rows = []
    for seed in range(given.searches):
        flags = {"seed": seed, "run_dir": str(given.folder / f"search-{seed}")}
        found = run(load_config(SearchConfig, given.config, flags))
        assert found.best is not None
        own = {"seed": FIRST_SEED + seed, "run_dir": str(given.folder / f"fresh-{seed}")}
        best = load_config(TrainConfig, found.folder.best_config, own)
        fresh = run(under_seeds(best, given.fresh, given.workers))
        rows.append([str(seed), *row(found.standing, [t.worth for t in fresh.trials])])
    heads = [
        "search",
        "seeds",
        "died",
        "mean",
        "promised",
        "dying",
        "fresh died",
        "fresh mean",
        "fresh range",
        "within",
    ]
    print_table(heads, rows)


def run(config: SearchConfig) -> autogan.SearchResult:
    """Run a search, or resume it."""
    assert config.run_dir is not None
    display = autogan.PlainDisplay()
    if SearchFolder(config.run_dir).config.exists():
        return autogan.run_search(resume=config.run_dir, display=display)
    return autogan.run_search(config, display=display)


def row(standing: Standing | None, worths: list[float | None]) -> list[str]:
    """The table row of a search: the prediction and the outcome."""
    assert standing is not None
    assert standing.outlook is not None
    promised = standing.outlook
    lived = [worth for worth in worths if worth is not None]
    within = sum(promised.low <= value <= promised.high for value in lived)
    return [
        str(len(standing.ended)),
        str(standing.died),
        figure(standing.value or 0.0),
        f"{figure(promised.low)} to {figure(promised.high)}",
        f"{1 - promised.survival:.0%}",
        f"{len(worths) - len(lived)} of {len(worths)}",
        figure(statistics.fmean(lived)) if lived else "none",
        f"{figure(min(lived))} to {figure(max(lived))}" if lived else "none",
        f"{within} of {len(lived)}",
    ]


if __name__ == "__main__":
    main()
