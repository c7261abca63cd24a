"""The experiments on IGAN, landscape GAN and E-GAN in docs/experiments.md: a table each.

    python scripts/system_experiments.py NAME --mnist DIR --photographs DIR

The arguments are those of factor_experiments.py, which runs them; names are the keys of
`EXPERIMENTS`.
"""

from typing import Any

from factor_experiments import DIGITS, MNIST, Experiment, Variant, main

IGAN: dict[str, Any] = {
    **MNIST,
    "gan_type": "igan",
    "steps": 400,
    "evaluate_every": 50,
    "params": {"width": 16},
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
FALL = {"learning_rate": 2e-3, "schedule_end": 0.1}
SCHEDULES: dict[str, dict[str, Any]] = {
    "constant 2e-3": {"schedule": "constant", "learning_rate": 2e-3},
    "constant 2e-4": {"schedule": "constant", "learning_rate": 2e-4},
    "inverse 2e-3 to 2e-4": {**FALL, "schedule": "inverse", "schedule_speed": 10 / 556},
    "step": {"schedule": "step", "learning_rate": 2e-3},
    "linear": {**FALL, "schedule": "linear"},
    "polynomial": {**FALL, "schedule": "polynomial"},
    "cosine": {**FALL, "schedule": "cosine"},
}
# The same game for all: E-GAN against each of its losses alone.
SINGLE = {"ema": 0.0, "learning_rate": 1e-3, "batch_size": 32, "d_iter": 1}
EVOLVING: dict[str, dict[str, Any]] = {
    "egan": {},
    "egan, two survivors": {"survivors": 2},
    "iegan": {"fitness": "iegan", "fitness_weight": 0.05},
    "iegan, crossover": {"fitness": "iegan", "fitness_weight": 0.05, "crossover": "distilled"},
}
# A discriminator that runs away: the generator's gradient vanishes under minimax.
AHEAD = {
    "loss": "minimax", "discriminator_norm": "none", "d_iter": 3, "learning_rate": 1e-3,
    "beta1": 0.5, "ema": 0.0,
}  # fmt: skip
EXPERIMENTS = {
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
    "balance": Experiment(
        ("balance",),
        DIGITS,
        tuple(Variant((f"{b:g}",), {**AHEAD, "balance": b}) for b in (0.0, 0.95, 0.9, 0.8, 0.7)),
        seeds=3,
    ),
    "igan": Experiment(
        ("GAN",),
        {**IGAN, "params": {}},
        (
            Variant(("igan",), {"width": 16}),
            Variant(("igan_v2",), {"width": 16}, {"gan_type": "igan_v2", "steps": 250}),
            Variant(
                ("dcgan",),
                {"width": 32, "dense_width": 256},
                {"gan_type": "dcgan", "steps": 3000, "evaluate_every": 300},
            ),
            Variant(
                ("wgan_gp",),
                {"width": 32, "dense_width": 256},
                {"gan_type": "wgan_gp", "steps": 800, "evaluate_every": 100},
            ),
        ),
    ),
    "tricks": Experiment(
        ("IGAN",), IGAN, tuple(Variant((name,), changes) for name, changes in TRICKS.items())
    ),
    "schedules": Experiment(
        ("schedule",),
        {**IGAN, "params": {"width": 16, "d_iter": 1}},
        tuple(Variant((n,), changes) for n, changes in SCHEDULES.items()),
    ),
}  # fmt: skip


if __name__ == "__main__":
    main(EXPERIMENTS, __doc__.splitlines()[0])
