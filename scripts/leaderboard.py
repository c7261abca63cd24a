"""Run two fixed small searches, and add their rows to docs/studies/leaderboard.md.

    .venv/bin/python scripts/leaderboard.py --data-dir DIR      # DIR holds mnist.npz

Each search runs as bundled, on two workers of one thread. Its winner is then trained under eight
fresh seeds, which had no part in the choice. Nothing else should run on the machine.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

import autogan
from autogan.config import SearchConfig, TrainConfig, load_config, under_seeds
from autogan.core.machine import cores
from autogan.record.words import figure
from autogan.version import __version__

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs/studies/leaderboard.md"
SEARCHES = ("gan_digits", "gan_mnist")
SEEDS, FIRST_SEED = 8, 1000  # of the fresh trainings: far from the search's seeds
WORKERS = 2


def main() -> None:
    """Run the searches, and write a row after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", help="folder that holds mnist.npz [download it]")
    given = parser.parse_args()
    at = commit()  # before the table changes
    for name in SEARCHES:
        with tempfile.TemporaryDirectory() as folder:
            row = measured(name, Path(folder), given.data_dir, at)
        with TABLE.open("a") as file:
            file.write(f"| {' | '.join(row)} |\n")
        print(*row, sep="  ")


def measured(name: str, folder: Path, data_dir: str | None, at: str) -> list[str]:
    """Run a search, train its winner under fresh seeds, and return the row."""
    place = {"data_dir": data_dir} if data_dir and "mnist" in name else {}
    flags = {**place, "workers": WORKERS, "threads": 1, "run_dir": str(folder / "search")}
    display = autogan.PlainDisplay()
    began = time.monotonic()
    found = autogan.run_search(load_config(SearchConfig, Path(name), flags), display=display)
    minutes = (time.monotonic() - began) / 60
    again = {"seed": FIRST_SEED, "run_dir": str(folder / "fresh")}
    best = load_config(TrainConfig, found.folder.best_config, again)
    fresh = autogan.run_search(under_seeds(best, SEEDS, WORKERS), display=display)
    lived = [trial.worth for trial in fresh.trials if trial.worth is not None]
    paces = [trial.steps / trial.seconds for trial in fresh.trials if trial.worth is not None]
    assert found.judged is not None
    floor = found.judged.floor or found.judged.halves
    return [
        f"{datetime.now(timezone.utc):%Y-%m-%d}",
        __version__,
        at,
        name,
        f"{minutes:.1f}",
        f"{figure(statistics.fmean(lived))} ({figure(min(lived))} to {figure(max(lived))})",
        ", ".join(figure(value) for label, value in floor.items() if label.startswith("fid_")),
        f"{len(lived)} of {SEEDS}",
        f"{statistics.median(paces):.1f}",
        f"{cores()} cores",
    ]


def commit() -> str:
    """The running commit, with a plus if files differ from it."""
    words = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    return subprocess.check_output(words, text=True, cwd=ROOT).strip()


if __name__ == "__main__":
    main()
