"""Record a table of real trainings, on which search methods can be compared without training.

    python scripts/studies/record_table.py dcgan_digits --seed 0   and 1, 2, ..., also in parallel
    python scripts/studies/record_table.py gan_default_mnist --data DIR
    python scripts/studies/record_table.py dcgan_digits --export tests/data

DIR holds mnist.npz, or class folders of images; digits need none. Each seed is an ordinary grid
search: it can be stopped at any time and resumes when called again, and trains one shape after the
other, so that each is compiled once. --export writes all recorded trainings to a CSV file;
tests/data/README.md explains its columns.
"""

import argparse
import csv
from collections import Counter
from pathlib import Path
from typing import Any

import autogan
from autogan.record.folder import SearchFolder
from autogan.record.ledger import Ledger
from autogan.search import State

CRITERIA = ("fid", "is", "js_is", "wd", "kid")
_DEFAULT_GAME = {
    "learning_rate": [5e-4, 1e-3, 2e-3, 5e-3],
    "d_iter": [1, 2],
    "penalty_weight": [0.03, 0.1, 0.3],
    "generator_lr_scale": [1.0, 2.0],
    "loss": "non_saturating",
    "penalty": "r1",
    "penalty_interval": 4,
    "beta1": 0.0,
    "discriminator_norm": "batch",
    "ema": 0.999,
    "batch_size": 32,
    "width": 16,
    "dense_width": 128,
}
TABLES: dict[str, dict[str, Any]] = {
    "gan_default_digits": {
        "gan_type": "gan",
        "dataset": "digits",
        "params": _DEFAULT_GAME,
        "steps": 1000,
        "evaluate_every": 100,
    },
    "gan_default_mnist": {
        "gan_type": "gan",
        "dataset": "mnist",
        "image_size": 16,
        "params": _DEFAULT_GAME,
        "steps": 1000,
        "evaluate_every": 100,
    },
    "gan_default_photographs": {
        "gan_type": "gan",
        "dataset": "folder",
        "image_size": 16,
        "params": _DEFAULT_GAME,
        "steps": 1000,
        "evaluate_every": 100,
    },
    "dcgan_digits": {
        "gan_type": "dcgan",
        "dataset": "digits",
        "params": {
            "batch_size": [16, 64],
            "z_dim": [64, 8],
            "learning_rate": [1e-4, 2.5e-4, 6e-4, 1.5e-3, 4e-3, 1e-2, 2.5e-2],
            "d_iter": [1, 2, 4],
            "beta1": [0.0, 0.5],
            "width": 16,
            "dense_width": 128,
        },
        "steps": 1500,
        "evaluate_every": 150,
    },
    "gan_digits": {
        "gan_type": "gan",
        "dataset": "digits",
        "params": {
            "batch_size": [16, 64],
            "z_dim": [64, 8],
            "learning_rate": [6e-4, 1.5e-3, 4e-3, 1e-2],
            "d_iter": [1, 2],
            "beta1": [0.0, 0.5],
            "loss": "relativistic",
            "penalty": "r1_r2",
            "penalty_weight": 1.0,
            "penalty_interval": 1,
            "generator_lr_scale": 1.0,
            "discriminator_norm": "none",
            "ema": 0.999,
            "width": 16,
            "dense_width": 128,
        },
        "steps": 1500,
        "evaluate_every": 150,
    },
    "wgan_gp_digits": {
        "gan_type": "wgan_gp",
        "dataset": "digits",
        "params": {
            "learning_rate": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
            "d_iter": [1, 2, 4],
            "beta1": [0.0, 0.5],
            "penalty_weight": [0.1, 1.0, 10.0],
            "batch_size": 32,
            "z_dim": 16,
            "width": 16,
            "dense_width": 128,
        },
        "steps": 900,
        "evaluate_every": 90,
    },
}


def main() -> None:
    """Record a table, or export it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default=None, metavar="DIR")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("runs/tables"))
    parser.add_argument("--export", type=Path, metavar="FOLDER", default=None)
    given = parser.parse_args()
    if given.export:
        export(given.table, given.folder, given.export / f"{given.table}.csv")
    else:
        record(given.table, given.folder, given.seed, given.threads, given.data)


def record(table: str, folder: Path, seed: int, threads: int, data: str | None) -> None:
    """Train all missing combinations under a seed."""
    run_dir = folder / f"{table}-{seed}"
    if SearchFolder(run_dir).config.exists():
        autogan.run_search(resume=run_dir)
        return
    training = dict(TABLES[table])
    if training["dataset"] == "folder":
        training["dataset"] = f"folder:{data}"
    elif data:
        training["data_dir"] = data
    run = {
        **training,
        "features": "classifier",
        "criterion": CRITERIA[0],
        "also": list(CRITERIA[1:]),
        "search_method": "grid",
        "seed": seed,
        "threads": threads,
        "run_dir": str(run_dir),
    }
    autogan.run_search(run)


def export(table: str, folder: Path, file: Path) -> None:
    """Write a line for each evaluation, and one for a trial that died before its first."""
    names = [name for name, given in TABLES[table]["params"].items() if isinstance(given, list)]
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*names, "seed", "state", "step", *CRITERIA])
        seen: Counter[tuple[Any, ...]] = Counter()
        for run in sorted(folder.glob(f"{table}-[0-9]*")):
            ledger = Ledger(SearchFolder(run).ledger)
            labels = ledger.header["labels"]
            for trial in ledger.trials:
                if trial.state is not State.COMPLETE and not trial.dead:
                    continue
                point = tuple(trial.params[name] for name in names)
                start = [*point, seen[point], trial.state.value]
                seen[point] += 1
                for evaluation in trial.evaluations:
                    scores = [f"{evaluation.scores[labels[name]]:.5g}" for name in CRITERIA]
                    writer.writerow([*start, evaluation.step, *scores])
                if not trial.evaluations:
                    writer.writerow([*start, 0, *[""] * len(CRITERIA)])


if __name__ == "__main__":
    main()
