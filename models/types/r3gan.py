"""R3GAN (Huang et al., 2024, arXiv:2501.05441)."""

from autogan.models.types.gan import GAN


class R3GAN(GAN):
    """The relativistic loss, penalised at real and generated images, with residual networks.

    A small version: one block at each size, and no schedule of the penalty.
    """

    name = "r3gan"
    summary = "relativistic loss with R1 and R2, and residual networks without normalisation"
    fixed = {"loss": "relativistic", "penalty": "r1_r2"}
    other_defaults = {
        "architecture": "r3gan",
        "discriminator_norm": "none",
        "generator_norm": "none",
        "beta1": 0.0,
        "beta2": 0.99,
        "penalty_weight": 0.05,
        "ema": 0.999,
        "schedule": "cosine",
        "schedule_end": 0.25,
    }
    candidates = {
        "discriminator_norm": (),
        "beta1": (),
        "d_iter": (),
        "class_weight": (),
        "generator_class_weight": (),
        "penalty_weight": (0.01, 0.05, 0.5, 5.0),
    }
