"""Which game lives: named games on three datasets, at several learning rates and seeds.

    python scripts/studies/default_game.py digits --games default,stable --seeds 8
    python scripts/studies/default_game.py mnist --data DIR --games stable --rates 1e-3
    python scripts/studies/default_game.py photographs --data DIR

DIR holds mnist.npz, or class folders of images. Each game is a grid over the learning rates, once
for each seed, below runs/games; what has ended is not trained again, and what was stopped goes on.
The table gives, by game and rate, how many seeds live, the mean and range of their lowest FIDs
(classifier features), the mean FID at each evaluation, and the median seconds of a training. A dead
seed is one that diverged or collapsed; it has no part in the means.
"""

import argparse
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from experiments import print_table

import autogan
from autogan.record.folder import SearchFolder
from autogan.record.ledger import Ledger
from autogan.search import Trial

HALF = {"width": 32, "dense_width": 256}
DATASETS: dict[str, dict[str, Any]] = {
    "digits": {"dataset": "digits", "steps": 1000, "evaluate_every": 200, "params": HALF},
    "mnist": {"dataset": "mnist", "steps": 500, "evaluate_every": 100, "params": HALF},
    "photographs": {
        "dataset": "folder", "image_size": 32, "steps": 600, "evaluate_every": 120, "params": HALF,
    },
}  # fmt: skip
PLAIN: dict[str, Any] = {
    "loss": "non_saturating", "penalty": "none", "penalty_interval": 1, "beta1": 0.5,
    "generator_lr_scale": 1.0, "ema": 0.999,
}  # fmt: skip
RATES = (5e-4, 1e-3, 2e-3)
_RELATIVISTIC = {"loss": "relativistic", "discriminator_norm": "none", "penalty": "r1_r2"}
_BATCH = {"discriminator_norm": "batch"}
GAMES: dict[str, dict[str, Any]] = {
    "dcgan": {**_BATCH, "beta1": 0.5},
    "dcgan, fast": {**_BATCH, "beta1": 0.5, "generator_lr_scale": 2.0},
    "dcgan, fast, beta1 0": {**_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0},
    "batch, r1 0.01, fast": {
        **_BATCH, "beta1": 0.5, "generator_lr_scale": 2.0, "penalty": "r1", "penalty_weight": 0.01,
    },
    "batch, r1 0.01, fast, beta1 0": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0, "penalty": "r1", "penalty_weight": 0.01,
    },
    "batch, r1 0.1, fast, beta1 0": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0, "penalty": "r1", "penalty_weight": 0.1,
    },
    "relativistic, 1": {**_RELATIVISTIC, "penalty_weight": 1.0, "beta1": 0.5},
    "relativistic, 0.1, fast, beta1 0": {
        **_RELATIVISTIC, "penalty_weight": 0.1, "beta1": 0.0, "generator_lr_scale": 2.0,
    },
    "relativistic, batch, r1_r2 0.05, fast, beta1 0": {
        **_RELATIVISTIC, **_BATCH, "penalty_weight": 0.05, "beta1": 0.0, "generator_lr_scale": 2.0,
    },
    "relativistic, batch, r1 0.05, fast, beta1 0": {
        **_RELATIVISTIC, **_BATCH, "penalty": "r1", "penalty_weight": 0.05, "beta1": 0.0,
        "generator_lr_scale": 2.0,
    },
    "spectral, fast, beta1 0": {
        "discriminator_norm": "spectral", "beta1": 0.0, "generator_lr_scale": 2.0,
    },
    "spectral, hinge, fast, beta1 0": {
        "loss": "hinge", "discriminator_norm": "spectral", "beta1": 0.0, "generator_lr_scale": 2.0,
    },
    "spectral, faster, beta1 0": {
        "discriminator_norm": "spectral", "beta1": 0.0, "generator_lr_scale": 4.0,
    },
    "spectral, relativistic, fast, beta1 0": {
        "loss": "relativistic", "discriminator_norm": "spectral", "beta1": 0.0,
        "generator_lr_scale": 2.0,
    },
    "spectral, r1 0.05, fast, beta1 0": {
        "discriminator_norm": "spectral", "penalty": "r1", "penalty_weight": 0.05, "beta1": 0.0,
        "generator_lr_scale": 2.0,
    },
    "batch, r1 0.1, faster, beta1 0": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 4.0, "penalty": "r1", "penalty_weight": 0.1,
    },
    "batch, r1 0.1, deviation, fast, beta1 0": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0, "penalty": "r1", "penalty_weight": 0.1,
        "minibatch_stddev": "groups",
    },
    "batch, r1 0.1 lazy, fast, beta1 0": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0, "penalty": "r1", "penalty_weight": 0.1,
        "penalty_interval": 4,
    },
    "batch, r1 0.03 lazy, fast, beta1 0": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0, "penalty": "r1", "penalty_weight": 0.03,
        "penalty_interval": 4,
    },
    "relativistic, batch, r1 0.1 lazy, fast, beta1 0": {
        **_BATCH, "loss": "relativistic", "beta1": 0.0, "generator_lr_scale": 2.0,
        "penalty": "r1", "penalty_weight": 0.1, "penalty_interval": 4,
    },
    "batch, r1 0.1 lazy, fast, beta1 0, ema 0.99": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0, "penalty": "r1", "penalty_weight": 0.1,
        "penalty_interval": 4, "ema": 0.99,
    },
    "batch, r1 0.1 lazy, fast, beta1 0, beta2 0.99": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0, "penalty": "r1", "penalty_weight": 0.1,
        "penalty_interval": 4, "beta2": 0.99,
    },
    "spectral, fast, beta1 0, beta2 0.99": {
        "discriminator_norm": "spectral", "beta1": 0.0, "generator_lr_scale": 2.0, "beta2": 0.99,
    },
    "dcgan, three d_iter": {**_BATCH, "beta1": 0.5, "d_iter": 3},
    "batch, r1 0.1 lazy, fast, beta1 0, three d_iter": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0, "penalty": "r1", "penalty_weight": 0.1,
        "penalty_interval": 4, "d_iter": 3,
    },
    "spectral, fast, beta1 0, three d_iter": {
        "discriminator_norm": "spectral", "beta1": 0.0, "generator_lr_scale": 2.0, "d_iter": 3,
    },
    "batch, deviation, fast, beta1 0": {
        **_BATCH, "beta1": 0.0, "generator_lr_scale": 2.0, "minibatch_stddev": "groups",
    },
    "layer, r1 0.05, fast, beta1 0": {
        "discriminator_norm": "layer", "penalty": "r1", "penalty_weight": 0.05, "beta1": 0.0,
        "generator_lr_scale": 2.0,
    },
    "layer, relativistic, r1 0.05, fast, beta1 0": {
        **_RELATIVISTIC, "discriminator_norm": "layer", "penalty": "r1", "penalty_weight": 0.05,
        "beta1": 0.0, "generator_lr_scale": 2.0,
    },
}  # fmt: skip
"""By name, what makes each game; all have averaged weights, and one discriminator update a step."""


def main() -> None:
    """Train what has not been trained, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("--data", type=Path, default=None, metavar="DIR")
    parser.add_argument("--games", default=";".join(GAMES), help="separated by ; [all]")
    parser.add_argument("--rates", default=",".join(f"{rate:g}" for rate in RATES))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="the first seed [0]")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("runs/games"))
    given = parser.parse_args()
    rates = [float(rate) for rate in given.rates.split(",")]
    games = given.games.split(";")
    for seed in range(given.first, given.first + given.seeds):
        for game in games:
            train(given, game, rates, seed)
    rows = [row for game in games for row in table(folders(given, game), game)]
    print_table(["game", "learning rate", "alive", "FID", "range", "FID over time", "s"], rows)


def train(given: argparse.Namespace, game: str, rates: list[float], seed: int) -> None:
    """Train a game at each rate under a seed, unless that has been done."""
    root = given.folder / given.dataset / f"{game}-{seed}"
    if SearchFolder(root).config.exists():
        autogan.run_search(resume=root, display=autogan.PlainDisplay())
        return
    config = {**DATASETS[given.dataset]}
    if config["dataset"] == "folder":
        config["dataset"] = f"folder:{given.data}"
    elif given.data:
        config["data_dir"] = str(given.data)
    if given.steps:
        config |= {"steps": given.steps, "evaluate_every": given.steps // 5}
    config["params"] = {**config["params"], **PLAIN, **GAMES[game], "learning_rate": rates}
    run = {
        **config, "gan_type": "gan", "criterion": "fid", "features": "classifier",
        "search_method": "grid", "seed": seed, "threads": given.threads, "run_dir": str(root),
    }  # fmt: skip
    autogan.run_search(run, display=autogan.PlainDisplay())


def folders(given: argparse.Namespace, game: str) -> list[Path]:
    """The searches of a game, one for each seed."""
    parent = given.folder / given.dataset
    return sorted(path for path in parent.glob("*") if path.name.rpartition("-")[0] == game)


def table(searches: Iterable[Path], game: str) -> list[list[str]]:
    """A row for each learning rate."""
    found: dict[float, list[Trial]] = {}
    for root in searches:
        for trial in Ledger(SearchFolder(root).ledger).trials:
            found.setdefault(float(trial.params["learning_rate"]), []).append(trial)
    return [[game, f"{rate:g}", *figures(found[rate])] for rate in sorted(found)]


def figures(trials: list[Trial]) -> list[str]:
    """What came of the seeds of a game at one rate."""
    ended = [trial for trial in trials if trial.dead or trial.whole]
    alive = [trial for trial in ended if not trial.dead]
    share = f"{len(alive)} of {len(ended)}"
    if not alive:
        return [share, "", "", "", ""]
    best = sorted(float(trial.value or 0.0) for trial in alive)
    each = ([next(iter(e.scores.values())) for e in trial.evaluations] for trial in alive)
    curves = zip(*each, strict=False)
    curve = " ".join(f"{statistics.fmean(fids):.3g}" for fids in curves)
    seconds = statistics.median(trial.seconds for trial in alive)
    mean = f"{statistics.fmean(best):.3g}"
    return [share, mean, f"{best[0]:.3g} to {best[-1]:.3g}", curve, f"{seconds:.0f}"]


if __name__ == "__main__":
    main()
