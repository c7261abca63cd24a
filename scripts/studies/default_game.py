"""Find which games survive: named games on three datasets, at several learning rates and seeds.

    python scripts/studies/default_game.py digits --games "dcgan;spectral, fast, beta1 0"
    python scripts/studies/default_game.py mnist --data DIR --seeds 4 --rates 1e-3,2e-3
    python scripts/studies/default_game.py photographs --data DIR

A game is a combination of loss, normalisation, penalty and similar factors. DIR holds mnist.npz, or
class folders of images. Each game is a grid search over the learning rates, one per seed, below
runs/games; ended trainings are not repeated, and interrupted ones resume. The table gives, by game
and rate, how many seeds survive, the mean and range of their lowest FIDs (classifier features), the
mean FID at each evaluation, and the median seconds of a training. A dead seed is one that diverged
or collapsed; the means leave it out.
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
        "dataset": "folder",
        "image_size": 32,
        "steps": 600,
        "evaluate_every": 120,
        "params": HALF,
    },
}
PLAIN: dict[str, Any] = {
    "loss": "non_saturating",
    "penalty": "none",
    "penalty_interval": 1,
    "beta1": 0.5,
    "generator_lr_scale": 1.0,
    "ema": 0.999,
}
RATES = (5e-4, 1e-3, 2e-3)
_BATCH, _SPECTRAL, _LAYER = (
    {"discriminator_norm": norm} for norm in ("batch", "spectral", "layer")
)
_RELATIVISTIC = {"loss": "relativistic"}
_NO_NORM = {**_RELATIVISTIC, "discriminator_norm": "none"}
_FAST = {"beta1": 0.0, "generator_lr_scale": 2.0}
_FASTER = {"beta1": 0.0, "generator_lr_scale": 4.0}
_LAZY = {"penalty_interval": 4}
_GROUPS = {"minibatch_stddev": "groups"}


def _penalty(weight: float, kind: str = "r1") -> dict[str, Any]:
    return {"penalty": kind, "penalty_weight": weight}


_DEFAULT = {**_BATCH, **_penalty(0.1), **_LAZY, **_FAST}
GAMES: dict[str, dict[str, Any]] = {
    "dcgan": _BATCH,
    "dcgan, fast": {**_BATCH, "generator_lr_scale": 2.0},
    "dcgan, fast, beta1 0": {**_BATCH, **_FAST},
    "batch, r1 0.01, fast": {**_BATCH, **_penalty(0.01), "generator_lr_scale": 2.0},
    "batch, r1 0.01, fast, beta1 0": {**_BATCH, **_penalty(0.01), **_FAST},
    "batch, r1 0.1, fast, beta1 0": {**_BATCH, **_penalty(0.1), **_FAST},
    "batch, r1 0.1, faster, beta1 0": {**_BATCH, **_penalty(0.1), **_FASTER},
    "batch, r1 0.1, deviation, fast, beta1 0": {**_BATCH, **_penalty(0.1), **_GROUPS, **_FAST},
    "batch, deviation, fast, beta1 0": {**_BATCH, **_GROUPS, **_FAST},
    "batch, r1 0.1 lazy, fast, beta1 0": _DEFAULT,
    "batch, r1 0.1 lazy, fast, beta1 0, ema 0.99": {**_DEFAULT, "ema": 0.99},
    "batch, r1 0.1 lazy, fast, beta1 0, beta2 0.99": {**_DEFAULT, "beta2": 0.99},
    "batch, r1 0.03 lazy, fast, beta1 0": {**_DEFAULT, **_penalty(0.03)},
    "batch, r1 0.1 lazy, fast, beta1 0, augmented": {**_DEFAULT, "augment": "translation+cutout"},
    "relativistic, 1": {**_NO_NORM, **_penalty(1.0, "r1_r2")},
    "relativistic, 0.1, fast, beta1 0": {**_NO_NORM, **_penalty(0.1, "r1_r2"), **_FAST},
    "relativistic, batch, r1_r2 0.05, fast, beta1 0": {
        **_RELATIVISTIC,
        **_BATCH,
        **_penalty(0.05, "r1_r2"),
        **_FAST,
    },
    "relativistic, batch, r1 0.05, fast, beta1 0": {
        **_RELATIVISTIC,
        **_BATCH,
        **_penalty(0.05),
        **_FAST,
    },
    "relativistic, batch, r1 0.1 lazy, fast, beta1 0": {**_DEFAULT, **_RELATIVISTIC},
    "spectral, fast, beta1 0": {**_SPECTRAL, **_FAST},
    "spectral, fast, beta1 0, beta2 0.99": {**_SPECTRAL, **_FAST, "beta2": 0.99},
    "spectral, faster, beta1 0": {**_SPECTRAL, **_FASTER},
    "spectral, hinge, fast, beta1 0": {**_SPECTRAL, **_FAST, "loss": "hinge"},
    "spectral, relativistic, fast, beta1 0": {**_SPECTRAL, **_FAST, **_RELATIVISTIC},
    "spectral, r1 0.05, fast, beta1 0": {**_SPECTRAL, **_penalty(0.05), **_FAST},
    "layer, r1 0.05, fast, beta1 0": {**_LAYER, **_penalty(0.05), **_FAST},
    "layer, relativistic, r1 0.05, fast, beta1 0": {
        **_LAYER,
        **_RELATIVISTIC,
        **_penalty(0.05),
        **_FAST,
    },
}
"""Each game's changes to `PLAIN`, by name."""


def main() -> None:
    """Run the missing trainings, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("--data", type=Path, default=None, metavar="DIR")
    parser.add_argument("--games", default=";".join(GAMES), help="separated by ; [all]")
    parser.add_argument("--rates", default=",".join(f"{rate:g}" for rate in RATES))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("runs/games"))
    given = parser.parse_args()
    rates = [float(rate) for rate in given.rates.split(",")]
    games = given.games.split(";")
    for seed in range(given.seeds):
        for game in games:
            train(given, game, rates, seed)
    rows = [row for game in games for row in table(folders(given, game), game)]
    print_table(["game", "learning rate", "alive", "FID", "range", "FID over time", "s"], rows)


def train(given: argparse.Namespace, game: str, rates: list[float], seed: int) -> None:
    """Train a game at each rate under a seed, or resume that; ended trainings are not repeated."""
    root = given.folder / given.dataset / f"{game}-{seed}"
    if SearchFolder(root).config.exists():
        autogan.run_search(resume=root, display=autogan.PlainDisplay())
        return
    config = {**DATASETS[given.dataset]}
    if config["dataset"] == "folder":
        config["dataset"] = f"folder:{given.data}"
    elif given.data:
        config["data_dir"] = str(given.data)
    config["params"] = {**config["params"], **PLAIN, **GAMES[game], "learning_rate": rates}
    run = {
        **config,
        "gan_type": "gan",
        "criterion": "fid",
        "features": "classifier",
        "search_method": "grid",
        "seed": seed,
        "threads": given.threads,
        "run_dir": str(root),
    }
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
    """The table cells of a game at one rate, over its seeds."""
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
