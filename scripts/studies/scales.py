"""Test whether good hyperparameters of a small training are good for a large one.

    python scripts/studies/scales.py record mup_64 standard_16 --data DIR   (DIR holds mnist.npz)
    python scripts/studies/scales.py export
    python scripts/studies/scales.py compare

`record` trains 24 points of the default game on MNIST, each under two seeds, at several widths and
two image sizes. Each copy is a separate grid search, which resumes when called again. `export`
writes them to one table. `compare` prints for each copy how similar its order of the points is to
that of the full training, and how much worse its choice is than the best point.
"""

import argparse
import csv
import math
import statistics
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.stats
from experiments import print_table

import autogan
from autogan.record.folder import SearchFolder
from autogan.record.ledger import Ledger
from autogan.search import State

TABLE = Path("tests/data/scales/mnist.csv")
FULL = "mup_64"
_POINTS = {
    "learning_rate": [2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3],
    "penalty_weight": [0.03, 0.3],
    "generator_lr_scale": [1.0, 2.0],
}
_SEEDS, _STEPS, _EVERY = 2, 300, 60
_FEW = _EVERY  # a fifth of the steps


class Copy(NamedTuple):
    """A copy of the full training."""

    parametrisation: str
    width: int
    image_size: int = 28
    pixels: bool = False  # whether the penalty's weight is proportional to the number of pixels


COPIES = {
    **{f"mup_{width}": Copy("mup", width) for width in (8, 16, 32)},
    **{f"standard_{width}": Copy("standard", width) for width in (8, 16, 32)},
    FULL: Copy("mup", 64),  # at this width, both parametrisations are the same
    "small_images": Copy("mup", 16, 16),
    "small_images_pixels": Copy("mup", 16, 16, pixels=True),
}


def main() -> None:
    """Record, export or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("record", "export", "compare"))
    parser.add_argument("copies", nargs="*", metavar="COPY", help=", ".join(COPIES))
    parser.add_argument("--data", metavar="DIR")
    parser.add_argument("--folder", type=Path, default=Path("runs/scales"))
    given = parser.parse_args()
    if given.action == "record":
        for name in given.copies or COPIES:
            for seed in range(_SEEDS):
                record(name, seed, given.folder, given.data)
    elif given.action == "export":
        export(given.folder)
    else:
        compare()


def record(name: str, seed: int, folder: Path, data: str) -> None:
    """Train all missing points of a copy under a seed."""
    run_dir = folder / f"{name}-{seed}"
    if SearchFolder(run_dir).config.exists():
        autogan.run_search(resume=run_dir)
        return
    copy = COPIES[name]
    share = (copy.image_size / 28) ** 2 if copy.pixels else 1.0
    weights = [float(f"{share * weight:.4g}") for weight in _POINTS["penalty_weight"]]
    params: dict[str, Any] = {
        **_POINTS,
        "penalty_weight": weights,
        "parametrisation": copy.parametrisation,
        "width": copy.width,
        "dense_width": 16 * copy.width,
        "loss": "non_saturating",
        "discriminator_norm": "batch",
        "penalty": "r1",
        "penalty_interval": 4,
        "beta1": 0.0,
        "d_iter": 1,
        "ema": 0.999,
    }
    run = {
        "gan_type": "gan",
        "dataset": "mnist",
        "data_dir": data,
        "image_size": copy.image_size,
        "params": params,
        "steps": _STEPS,
        "evaluate_every": _EVERY,
        "features": "classifier",
        "criterion": "fid",
        "eval_samples": 5000,
        "search_method": "grid",
        "seed": seed,
        "threads": 1,
        "run_dir": str(run_dir),
    }
    autogan.run_search(run)


def export(folder: Path) -> None:
    """Write a line for each evaluation, and one for a training that died before its first."""
    TABLE.parent.mkdir(exist_ok=True)
    with TABLE.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["copy", *_POINTS, "seed", "state", "step", "fid"])
        for name in COPIES:
            for seed in range(_SEEDS):
                ledger = Ledger(SearchFolder(folder / f"{name}-{seed}").ledger)
                label = ledger.header["labels"]["fid"]
                for trial in ledger.trials:
                    if trial.state is not State.COMPLETE and not trial.dead:
                        continue
                    point = [_full_value(name, n, trial.params[n]) for n in _POINTS]
                    start = [name, *point, seed, trial.state.value]
                    for e in trial.evaluations:
                        writer.writerow([*start, e.step, f"{e.scores[label]:.5g}"])
                    if not trial.evaluations:
                        writer.writerow([*start, 0, ""])


def _full_value(name: str, parameter: str, value: Any) -> Any:
    """A hyperparameter's value in the full training."""
    if parameter == "penalty_weight" and COPIES[name].pixels:
        share = (COPIES[name].image_size / 28) ** 2
        return float(f"{value / share:.2g}")
    return value


def compare() -> None:
    """Print a row for each copy, and the regrets of random searches of full trainings only."""
    with TABLE.open() as file:
        lines = list(csv.DictReader(file))
    full = recorded(lines, FULL, _STEPS)
    ceiling = spearman(full[:, 0], full[:, 1])
    print(f"two seeds of the full training: rank correlation {ceiling:.2f}")
    rows = []
    for name in COPIES:
        for steps in (_STEPS, _FEW):
            if (name, steps) == (FULL, _STEPS):
                continue
            copy = recorded(lines, name, steps)
            means = copy.mean(axis=1)
            alike = spearman(means, full.mean(axis=1))
            one, three = (regret(full, np.argsort(means)[:top]) for top in (1, 3))
            rows.append([name, str(steps), f"{alike:.2f}", f"{one:.2f}", f"{three:.2f}"])
    head = ["copy", "steps", "rank correlation", "regret", "best of 3"]
    print_table(head, rows)
    for count in (1, 2, 3, 4, 6, 8, 12, 24):
        print(f"random search of {count} full trainings: regret {random_regret(full, count):.2f}")


def recorded(lines: list[dict[str, str]], name: str, steps: int) -> npt.NDArray[np.float64]:
    """Log FID, [points, seeds]: each training's best up to a step, or the worst if it died."""
    found: dict[tuple[tuple[float, ...], int], list[float]] = {}
    for line in lines:
        if line["copy"] != name or int(line["step"]) > steps:
            continue
        training = tuple(float(line[n]) for n in _POINTS), int(line["seed"])
        died = steps == _STEPS and line["state"] != "complete"
        value = math.inf if died or not line["fid"] else float(line["fid"])
        found.setdefault(training, []).append(value)
    points = sorted({point for point, _ in found})
    values = np.log([[min(found[point, seed]) for seed in range(_SEEDS)] for point in points])
    values[np.isinf(values)] = values[np.isfinite(values)].max()
    return values


def spearman(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """The rank correlation."""
    return float(scipy.stats.spearmanr(one, other).statistic)


def regret(full: npt.NDArray[np.float64], chosen: npt.NDArray[np.int64]) -> float:
    """The FID in full of the best chosen point, as a multiple of the best point's.

    One full training of each chosen point decides among them; both seeds give a point's FID.
    """
    means = full.mean(axis=1)
    found = [means[chosen[np.argmin(full[chosen, seed])]] for seed in range(_SEEDS)]
    return float(np.mean(np.exp(np.array(found) - means.min())))


def random_regret(full: npt.NDArray[np.float64], count: int) -> float:
    """The regret of the best of ``count`` points, drawn a thousand times."""
    rng = np.random.default_rng(0)
    points = len(full)
    return statistics.fmean(
        regret(full, rng.choice(points, count, replace=False)) for _ in range(1000)
    )


if __name__ == "__main__":
    main()
