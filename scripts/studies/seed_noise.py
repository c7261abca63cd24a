"""Print how much the seed decides in recorded tables of trainings, in Markdown.

    python scripts/studies/seed_noise.py tests/data/dcgan_digits.csv tests/data/gan_digits.csv

Several tables are compared on the combinations and the number of seeds that all of them have. A
training's value is the logarithm of its lowest FID. The share of the variance that seeds decide is
the mean variance within combinations over that of all trainings.
"""

import argparse
import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

Combination = tuple[str, ...]
FidsOf = dict[Combination, list[float]]
"""The lowest FID of each seed's training, by combination; infinite if there is none."""

_BAD = 100.0  # an FID at which digits cannot be recognised
_WORST = 1000.0  # more than an untrained generator's; the FID of a training that has none
_FACTOR = 10.0


def main() -> None:
    """Print a column for each table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, nargs="+")
    given = parser.parse_args()
    tables = alike([read(file) for file in given.tables])
    columns = [figures(table) for table in tables]
    print("| " + " | ".join(["", *(file.stem for file in given.tables)]) + " |")
    print("| --- " * (1 + len(tables)) + "|")
    for name in columns[0]:
        print("| " + " | ".join([name, *(column[name] for column in columns)]) + " |")


def read(file: Path) -> FidsOf:
    """Read a table that `record_table.py` exported."""
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    names = sorted([*rows[0]][: [*rows[0]].index("seed")])
    found: dict[Combination, dict[str, float]] = {}
    for row in rows:
        combination = tuple(f"{name}={float(row[name]):g}" for name in names)
        fids = found.setdefault(combination, {})
        fid = float(row["fid"] or math.inf)
        fids[row["seed"]] = min(fids.get(row["seed"], math.inf), fid)
    return {
        combination: [fids[seed] for seed in sorted(fids, key=int)]
        for combination, fids in found.items()
    }


def alike(tables: Sequence[FidsOf]) -> list[FidsOf]:
    """The tables, cut to the combinations and the number of seeds that all of them have."""
    shared = set.intersection(*(set(table) for table in tables))
    seeds = min(len(table[combination]) for table in tables for combination in shared)
    return [{c: fids[:seeds] for c, fids in table.items() if c in shared} for table in tables]


def figures(table: Mapping[Combination, Sequence[float]]) -> dict[str, str]:
    """The figures of a table, by name."""
    logs = [[math.log(min(fid, _WORST)) for fid in fids] for fids in table.values()]
    every = [fid for fids in table.values() for fid in fids]
    means = sorted(statistics.fmean(fids) for fids in table.values())
    return {
        "combinations, trainings": f"{len(table)}, {len(every)}",
        "share of the variance of log FID that seeds decide": f"{100 * seeds_share(logs):.0f} %",
        "standard deviation of log FID within a combination": (
            f"{math.sqrt(statistics.fmean(map(statistics.variance, logs))):.2f}"
        ),
        f"trainings whose lowest FID is above {_BAD:g}": (
            f"{100 * statistics.fmean(fid > _BAD for fid in every):.1f} %"
        ),
        f"combinations whose worst seed has {_FACTOR:g} times the FID of the best": (
            f"{100 * statistics.fmean(max(f) > _FACTOR * min(f) for f in table.values()):.0f} %"
        ),
        "median of the lowest FIDs": f"{statistics.median(every):.3g}",
        "mean FID of the best combination": f"{means[0]:.3g}",
    }


def seeds_share(values: Sequence[Sequence[float]]) -> float:
    """The mean variance within groups over the variance of all values."""
    within = statistics.fmean(map(statistics.variance, values))
    return within / statistics.variance([value for group in values for value in group])


if __name__ == "__main__":
    main()
