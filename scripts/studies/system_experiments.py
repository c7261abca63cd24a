"""The experiments on IGAN, landscape GAN and E-GAN in docs/studies/experiments.md: a table each.

    python scripts/studies/system_experiments.py NAME --mnist DIR --photographs DIR

The arguments are those of factor_experiments.py, which runs them; NAME is a key of `EXPERIMENTS`.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import experiments
import numpy as np
from experiments import images_folder, keep_grid, print_table, score, trained
from factor_experiments import DIGITS, MNIST, Experiment, Special, Variant, main
from PIL import Image
from study import run
from study_tables import lowest, spread

import autogan
from autogan.config import SearchConfig, TrainConfig
from autogan.record.folder import SearchFolder
from autogan.record.ledger import Ledger

# The document's learning rate for simple images, from 2e-3 to 2e-4, in a tenth of the steps.
FALL = {"learning_rate": 2e-3, "schedule_end": 0.1}
IGAN: dict[str, Any] = {
    **DIGITS,
    "gan_type": "igan",
    "steps": 600,
    "evaluate_every": 60,
    "params": {"width": 16, "schedule_speed": 10 / 556, **FALL},
}
TRICKS: dict[str, dict[str, Any]] = {
    "all": {},
    "no smoothing": {"label_smoothing": 0.0},
    "no noise": {"input_noise": 0.0},
    "no penalty": {"penalty": "none"},
    "no dropout": {"generator_dropout": 0.0},
    "equal rates": {"generator_lr_scale": 1.0},
    "constant rate": {"schedule": "constant"},
    "one update of D": {"d_iter": 1},
    "batch norm in D": {"discriminator_norm": "batch"},
    "batch norm in D, no penalty": {"discriminator_norm": "batch", "penalty": "none"},
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "constant 2e-3": {"schedule": "constant"},
    "constant 2e-4": {"schedule": "constant", "learning_rate": 2e-4},
    "inverse": {"schedule": "inverse"},
    "step": {"schedule": "step"},
    "linear": {"schedule": "linear"},
    "polynomial": {"schedule": "polynomial"},
    "cosine": {"schedule": "cosine"},
}
# The same game for all: E-GAN against each of its losses on its own.
SINGLE = {"ema": 0.0, "learning_rate": 1e-3, "batch_size": 32, "d_iter": 1}
EVOLVING: dict[str, dict[str, Any]] = {
    "egan": {},
    "egan, two survivors": {"survivors": 2},
    "iegan": {"fitness": "iegan", "fitness_weight": 0.05},
    "iegan, crossover": {"fitness": "iegan", "fitness_weight": 0.05, "crossover": "distilled"},
}
# Photographs enlarged to 64 pixels: blurred, but of the landscape GAN's size.
LARGE: dict[str, Any] = {
    "gan_type": "dcgan",
    "dataset": "photographs",
    "features": "classifier",
    "image_size": 64,
    "steps": 800,
    "evaluate_every": 200,
    "params": {"architecture": "strided", "width": 16, "z_dim": 100},
}
# A discriminator that wins: the generator's gradient vanishes under minimax.
AHEAD = {
    "loss": "minimax",
    "discriminator_norm": "none",
    "d_iter": 3,
    "learning_rate": 1e-3,
    "beta1": 0.5,
    "ema": 0.0,
    "penalty": "none",
    "generator_lr_scale": 1.0,
}

# Random search over what all types have; it draws the same points for each type.
TUNING: dict[str, Any] = {
    "dataset": "digits",
    "params": {
        "width": 16,
        "learning_rate": "1e-4..1e-2:log",
        "d_iter": [1, 3, 5],
        "beta1": [0.0, 0.5, 0.9],
    },
    "search_method": "random",
    "first": "none",
    "trials": 20,
    "evaluate_every": 100,
    "workers": 1,
}
INFOGAN = {"dense_width": 128}
TUNED = (
    Variant(("igan",), {}, {"gan_type": "igan", "steps": 400}),
    Variant(("igan_v2",), {}, {"gan_type": "igan_v2", "steps": 300}),
    Variant(("dcgan",), INFOGAN, {"gan_type": "dcgan", "steps": 2000}),
    Variant(("gan",), INFOGAN, {"gan_type": "gan", "steps": 1600}),
)
"""Each trains for about as long on an idle core."""
EQUAL_STEPS = 300
# EfficientNet judges these: their own classifier would take longer to train than the GAN.
PHOTOGRAPHS: dict[str, Any] = {
    "dataset": "photographs",
    "features": "efficientnet",
    "eval_samples": 1000,
    "evaluate_every": 200,
}
HIGH = {"learning_rate": 2e-3, "schedule": "constant"}


def tuning(given: argparse.Namespace) -> None:
    """How far the FIDs of the same twenty points lie apart, at equal steps and at equal time."""
    rows = []
    for variant in TUNED:
        (name,), whole = variant.names, variant.changes["steps"]
        root = (experiments.RUNS / f"tuning-{name}").absolute()
        config = {**TUNING, **variant.changes, "params": {**TUNING["params"], **variant.params}}
        run(SearchConfig(**config, threads=given.threads, run_dir=root).resolved())
        trials = Ledger(SearchFolder(root).ledger).trials
        seconds = f"{statistics.fmean(trial.seconds for trial in trials):.0f}"
        for steps in sorted({EQUAL_STEPS, whole}):
            fids = [lowest(trial, steps) for trial in trials]
            rows.append([name, str(steps), *spread(fids), seconds if steps == whole else ""])
    summary = ("best", "quartile", "median", "quartile", "worst")
    print_table(["GAN", "steps", "died", *summary, "within twice the best", "seconds"], rows)


def stages(given: argparse.Namespace) -> None:
    """Compare a second stage with the enlarged images of its first stage, half the size."""
    photographs = f"folder:{given.photographs}"
    common = {"dataset": photographs, "features": "classifier", "threads": given.threads}
    small = TrainConfig(
        **common,
        gan_type="gan",
        image_size=16,
        steps=1500,
        evaluate_every=300,
        params={"width": 32, "dense_width": 256},
    )
    first, _ = trained(small, "stages-1")
    large = TrainConfig(
        **common,
        gan_type="dcgan",
        image_size=32,
        stage1=first,
        steps=600,
        evaluate_every=100,
        params={"width": 16},
    )
    second, trial = trained(large, "stages-2")
    images = autogan.sample(first, count=4000)
    enlarged = np.stack(
        [np.asarray(Image.fromarray(image).resize((32, 32), Image.BICUBIC)) for image in images]
    )
    with tempfile.TemporaryDirectory() as folder:
        images_folder(Path(folder) / "enlarged", enlarged)
        scores = autogan.evaluate(
            Path(folder) / "enlarged",
            reference=photographs,
            options={"features": "classifier", "image_size": 32, "threads": given.threads},
        )
    keep_grid("stages-1", images[:60])
    keep_grid("stages-2", autogan.sample(second, count=60))
    best = next(e for e in trial.evaluations if e.step == trial.step)
    print_table(
        ["images at 32x32", "FID"],
        [
            ["the first stage's, enlarged", f"{score(scores, 'fid'):.3g}"],
            [f"the second stage's, after {best.step} steps", f"{score(best.scores, 'fid'):.3g}"],
        ],
    )


EXPERIMENTS: dict[str, Experiment | Special] = {
    "stages": stages,
    "tuning": tuning,
    "pictures": Experiment(
        ("GAN", "images"),
        {**DIGITS, "steps": 1000, "evaluate_every": 100, "params": {"width": 16}},
        (
            Variant(("igan", "digits"), HIGH, {"gan_type": "igan"}),
            Variant(("igan_v2", "digits"), HIGH, {"gan_type": "igan_v2"}),
            Variant(
                ("evolutionary", "mnist"),
                {"learning_rate": 1e-3, "d_iter": 1, "dense_width": 128},
                {"gan_type": "evolutionary", "dataset": "mnist", "features": "classifier"},
            ),
            Variant(
                ("igan", "photographs"),
                HIGH,
                {**PHOTOGRAPHS, "gan_type": "igan", "image_size": 32, "steps": 400},
            ),
            Variant(
                ("dcgan", "landscapes"),
                {"architecture": "strided", "depth": 4, "learning_rate": 1e-3, "ema": 0.999},
                {**PHOTOGRAPHS, "gan_type": "dcgan", "image_size": 64, "steps": 600},
            ),
        ),
        also=(),
        pictures=True,
    ),
    "evolution": Experiment(
        ("GAN",),
        DIGITS,
        (
            *(
                Variant((loss,), {**SINGLE, "loss": loss})
                for loss in ("minimax", "non_saturating", "least_squares")
            ),
            *(
                Variant((name,), {**SINGLE, **changes}, {"gan_type": "evolutionary"})
                for name, changes in EVOLVING.items()
            ),
        ),
        seeds=3,
    ),
    "fitness": Experiment(
        ("fitness", "fitness_weight"),
        {**DIGITS, "gan_type": "evolutionary", "steps": 500, "evaluate_every": 50},
        tuple(
            Variant(
                (fitness, f"{weight:g}"),
                {**SINGLE, "learning_rate": 3e-3, "fitness": fitness, "fitness_weight": weight},
            )
            for fitness, weight in (("egan", 0.004), ("egan", 1.0), ("iegan", 0.05))
        ),
        seeds=2,
    ),
    "balance": Experiment(
        ("balance",),
        DIGITS,
        tuple(Variant((f"{b:g}",), {**AHEAD, "balance": b}) for b in (0.0, 0.95, 0.9, 0.8, 0.7)),
        seeds=3,
    ),
    "landscape": Experiment(
        ("GAN",),
        LARGE,
        (
            Variant(("depth 4",), {"depth": 4}),
            Variant(("depth 5",), {"depth": 5}),
            Variant(("depth 4, balance 0.9",), {"depth": 4, "balance": 0.9}),
            Variant(
                ("wgan, dropout",),
                {"depth": 4, "dropout": 0.25},
                {"gan_type": "wgan", "steps": 200, "evaluate_every": 100},
            ),
        ),
    ),
    "igan": Experiment(
        ("GAN",),
        {**MNIST, "params": {}},
        (
            Variant(
                ("igan",),
                {"width": 16, "schedule_speed": 10 / 556, **FALL},
                {"gan_type": "igan", "steps": 300, "evaluate_every": 50},
            ),
            Variant(
                ("dcgan",),
                {"width": 32, "dense_width": 256},
                {"gan_type": "dcgan", "steps": 2000, "evaluate_every": 200},
            ),
            Variant(
                ("wgan_gp",),
                {"width": 32, "dense_width": 256},
                {"gan_type": "wgan_gp", "steps": 600, "evaluate_every": 100},
            ),
        ),
    ),
    "tricks": Experiment(
        ("IGAN",), IGAN, tuple(Variant((n,), changes) for n, changes in TRICKS.items()), seeds=2
    ),
    "schedules": Experiment(
        ("schedule",),
        IGAN,
        tuple(Variant((n,), changes) for n, changes in SCHEDULES.items()),
        seeds=2,
    ),
}


if __name__ == "__main__":
    main(EXPERIMENTS, __doc__.splitlines()[0])
