"""The experiments on factors in docs/studies/experiments.md: each prints its table in Markdown.

    python scripts/studies/factor_experiments.py NAME --mnist DIR --photographs DIR

--mnist names a folder with mnist.npz, --photographs one with class folders of images. NAME is a key
of `EXPERIMENTS`. Trainings are kept below runs/factors; an ended one is not repeated.
"""

import argparse
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import experiments
import numpy as np
from experiments import keep_grid, print_table, score, trained

import autogan
from autogan.config import TrainConfig
from autogan.search import Trial

DIGITS: dict[str, Any] = {
    "dataset": "digits",
    "steps": 1500,
    "evaluate_every": 150,
    "params": {"width": 16, "dense_width": 128, "z_dim": 64},
}
MNIST: dict[str, Any] = {
    "dataset": "mnist",
    "features": "classifier",
    "steps": 1500,
    "evaluate_every": 150,
    "params": {"width": 32, "dense_width": 256, "z_dim": 62},
}
SMALL: dict[str, Any] = {
    "dataset": "photographs",
    "features": "classifier",
    "image_size": 16,
    "steps": 1500,
    "evaluate_every": 300,
    "params": {"width": 32, "dense_width": 256},
}
PLAIN = {
    "loss": "non_saturating",
    "penalty": "none",
    "discriminator_norm": "spectral",
    "ema": 0.0,
    "learning_rate": 2e-4,
    "beta1": 0.5,
    "generator_lr_scale": 1.0,
    "penalty_interval": 1,
}
STABLE = {
    "loss": "relativistic",
    "penalty": "r1_r2",
    "penalty_weight": 1.0,
    "discriminator_norm": "none",
    "ema": 0.999,
    "beta1": 0.5,
    "generator_lr_scale": 1.0,
    "penalty_interval": 1,
}
GAMES: dict[str, dict[str, Any]] = {
    "non-saturating, batch, averaged": {"discriminator_norm": "batch", "ema": 0.999},
    "non-saturating": {"discriminator_norm": "none"},
    "non-saturating, spectral": {"discriminator_norm": "spectral"},
    "relativistic, R1 + R2, averaged": STABLE,
}
NORMS = ("none", "spectral")
PENALTIES: dict[str, dict[str, Any]] = {
    "none": {"penalty": "none"},
    "gradient_norm": {"penalty": "gradient_norm", "penalty_weight": 10.0},
}
LOSSES = ("non_saturating", "least_squares", "hinge", "wasserstein")


@dataclass(frozen=True)
class Variant:
    """A training: its names in the table, and its changes to the base."""

    names: tuple[str, ...]
    params: Mapping[str, Any]
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """Trainings to compare.

    Attributes:
        heads: headings of the columns that name a variant.
        base: the configuration that all trainings share.
        variants: the trainings.
        seeds: number of seeds for each variant.
        also: further criteria.
        pictures: whether a grid of images is kept of each variant's last training.
    """

    heads: tuple[str, ...]
    base: Mapping[str, Any]
    variants: tuple[Variant, ...]
    seeds: int = 1
    also: tuple[str, ...] = ("recall", "coverage")
    pictures: bool = False


Special = Callable[[argparse.Namespace], None]
"""An experiment that does more than compare trainings; it takes the command line's arguments."""


def factors(base: Mapping[str, Any]) -> Experiment:
    """All combinations of losses, norms and penalties."""
    return Experiment(
        ("loss", "discriminator_norm", "penalty"),
        base,
        tuple(
            Variant(
                (loss, norm, penalty),
                {**PLAIN, "loss": loss, "discriminator_norm": norm, **PENALTIES[penalty]},
            )
            for loss in LOSSES
            for norm in NORMS
            for penalty in PENALTIES
        ),
    )


EXPERIMENTS = {
    "photographs": factors(SMALL),
    "mnist": factors({**MNIST, "steps": 600, "evaluate_every": 100}),
    "rates": Experiment(
        ("learning_rate", "game"),
        SMALL,
        tuple(
            Variant((f"{rate:g}", name), {**PLAIN, "learning_rate": rate, **params})
            for rate in (2e-4, 1e-3, 4e-3)
            for name, params in GAMES.items()
        ),
    ),
    "averages": Experiment(
        ("ema", "statistics"),
        {**MNIST, "steps": 800, "evaluate_every": 80},
        tuple(
            Variant(
                (f"{ema:g}", kind),
                {
                    **PLAIN,
                    "learning_rate": 1e-3,
                    "discriminator_norm": "batch",
                    "ema": ema,
                    "statistics": kind,
                },
            )
            for ema, kind in (
                (0.0, "moving"),
                (0.99, "moving"),
                (0.999, "moving"),
                (0.999, "measured"),
            )
        ),
    ),
    "few": Experiment(
        ("images", "augment"),
        {**MNIST, "image_size": 16, "evaluate_every": 300, "reference_split": "test"},
        tuple(
            Variant(
                (str(images), policy),
                {**STABLE, "learning_rate": 1e-3, "beta1": 0.0, "augment": policy},
                {"images": images},
            )
            for images in (500, 60_000)
            for policy in ("none", "translation+cutout")
        ),
    ),
    "classes": Experiment(
        ("GAN",),
        {**MNIST, "steps": 600, "evaluate_every": 100},
        tuple(
            Variant((name,), {"learning_rate": 1e-3, **params}, {"gan_type": name.split(",")[0]})
            for name, params in {
                "cgan": {},
                "acgan": {},
                "sngan_projection": {"architecture": "auto", "d_iter": 1},
                "gan, projection": {
                    **STABLE,
                    "condition": "projection",
                    "generator_norm": "conditional",
                    "beta1": 0.0,
                },
            }.items()
        ),
        also=("label_accuracy", "recall", "coverage"),
    ),
    "collapse": Experiment(
        ("game", "beta1"),
        DIGITS,
        tuple(
            Variant((name, f"{beta:g}"), {**PLAIN, "learning_rate": 4e-3, "beta1": beta, **params})
            for name, params in {
                "minimax, batch norm": {"loss": "minimax", "discriminator_norm": "batch"},
                "non-saturating, batch norm": {"discriminator_norm": "batch"},
                "non-saturating, R1": {
                    "discriminator_norm": "none",
                    "penalty": "r1",
                    "penalty_weight": 1.0,
                },
                "relativistic, R1 + R2": {
                    "loss": "relativistic",
                    "discriminator_norm": "none",
                    "penalty": "r1_r2",
                    "penalty_weight": 1.0,
                },
            }.items()
            for beta in (0.0, 0.5)
        ),
        seeds=3,
    ),
    "best-mnist": Experiment(
        ("GAN",),
        {**MNIST, "steps": 2500, "evaluate_every": 250},
        (
            Variant(("dcgan",), {"learning_rate": 1e-3}, {"gan_type": "dcgan"}),
            Variant(
                ("dcgan, averaged",),
                {"learning_rate": 1e-3, "ema": 0.999, "schedule": "linear"},
                {"gan_type": "dcgan"},
            ),
            Variant(
                ("relativistic, R1 + R2, averaged",),
                {**STABLE, "learning_rate": 2e-3, "beta1": 0.0, "schedule": "linear"},
                {"steps": 2000, "evaluate_every": 200},
            ),
        ),
        pictures=True,
    ),
    "best-photographs": Experiment(
        ("GAN", "learning_rate"),
        SMALL,
        (
            Variant(("dcgan", "0.0002"), {}, {"gan_type": "dcgan"}),
            Variant(("dcgan", "0.001"), {"learning_rate": 1e-3}, {"gan_type": "dcgan"}),
            Variant(("gan", "0.001"), {}),
        ),
        pictures=True,
    ),
    "best-photographs-32": Experiment(
        ("GAN", "learning_rate"),
        {**SMALL, "image_size": 32, "params": {"width": 16}},
        (
            Variant(("dcgan", "0.0002"), {}, {"gan_type": "dcgan"}),
            Variant(("dcgan", "0.001"), {"learning_rate": 1e-3}, {"gan_type": "dcgan"}),
            Variant(("gan", "0.001"), {}),
            Variant(("gan", "0.0002"), {"learning_rate": 2e-4}),
            Variant(("gan, ema 0.99", "0.0002"), {"learning_rate": 2e-4, "ema": 0.99}),
        ),
        pictures=True,
    ),
}


def main(named: Mapping[str, Experiment | Special], about: str) -> None:
    """Run the experiment named on the command line."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("name", choices=named)
    parser.add_argument("--mnist", type=Path, default=None)
    parser.add_argument("--photographs", type=Path, default=None)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    experiments.RUNS = Path("runs/factors")
    experiment, rows = named[given.name], []
    if not isinstance(experiment, Experiment):
        experiment(given)
        return
    for variant in experiment.variants:
        trials = []
        name = "-".join((given.name, *variant.names)).replace(" ", "_").replace(",", "")
        for seed in range(experiment.seeds):
            config = configuration(experiment, variant, seed, given)
            root, trial = trained(config, f"{name}-{seed}")
            trials.append(trial)
            if trial.value is not None and experiment.pictures:
                keep_grid(name, autogan.sample(root, count=60))
        rows.append([*variant.names, *cells(trials, experiment.also)])
    print_table([*experiment.heads, *heads(experiment)], rows)


def configuration(
    experiment: Experiment, variant: Variant, seed: int, given: argparse.Namespace
) -> TrainConfig:
    """The configuration of a training."""
    changes = {**experiment.base, **variant.changes}
    images = changes.pop("images", None)
    if changes["dataset"] == "mnist":
        changes["data_dir"] = first_images(given.mnist, images)
    elif changes["dataset"] == "photographs":
        changes["dataset"] = f"folder:{given.photographs}"
    return TrainConfig(
        **{
            "gan_type": "gan",
            **changes,
            "params": {**experiment.base["params"], **variant.params},
            "also": list(experiment.also),
            "seed": seed,
            "threads": given.threads,
        }
    )


def first_images(folder: Path, count: int | None) -> Path:
    """A folder with MNIST's first training images, and all ten thousand test images."""
    if count is None or count >= 60_000:
        return folder
    fewer = experiments.RUNS / f"mnist-{count}"
    fewer.mkdir(parents=True, exist_ok=True)
    with np.load(folder / "mnist.npz") as arrays:
        whole = dict(arrays)
    cut = {name: a[:count] if name.endswith("train") else a for name, a in whole.items()}
    np.savez(fewer / "mnist.npz", **cut)
    return fewer


def heads(experiment: Experiment) -> list[str]:
    """Headings of the columns with a variant's results."""
    each = ["best FID (step)", "last five", *experiment.also, "seconds"]
    return ["died", *each] if experiment.seeds > 1 else each


def cells(trials: Sequence[Trial], also: Sequence[str]) -> list[str]:
    """A variant's results: values of one training, or means over several."""
    best = [
        next(e for e in t.evaluations if e.step == t.step) for t in trials if t.worth is not None
    ]
    dead = sum(t.dead for t in trials)
    seconds = f"{statistics.mean(t.seconds for t in trials):.0f}"
    died = [f"{dead} of {len(trials)}"] if len(trials) > 1 else []
    if not best:
        reason = trials[0].state.value
        return [*died, reason, *[""] * (1 + len(also)), seconds]
    last = [
        [math.nan if e.value is None else e.value for e in t.evaluations[-5:]]
        for t in trials
        if not t.dead
    ]

    def mean(values: Sequence[float | None]) -> str:
        return f"{statistics.mean(math.nan if v is None else v for v in values):.3g}"

    step = f" ({best[0].step})" if len(trials) == 1 else ""
    return [
        *died,
        mean([e.value for e in best]) + step,
        " ± ".join(mean([f(x) for x in last]) for f in (statistics.mean, statistics.stdev))
        if last
        else "",
        *(mean([score(e.scores, name) for e in best]) for name in also),
        seconds,
    ]


if __name__ == "__main__":
    main(EXPERIMENTS, __doc__.splitlines()[0])
