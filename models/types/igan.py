"""IGAN and IGAN_v2: an improved network structure, and training tricks (2021)."""

from autogan.models.types.gan import GAN


class IGAN(GAN):
    """An over-complete residual generator, trained with all tricks of its document but one.

    The exception is batch normalisation in the discriminator, which the document combines with the
    gradient penalty: with both it learned worst of all (docs/studies/experiments.md). The learning
    rate falls as 2e-4 + 1 / (3000 + 10 t) in step t, the document's equation 6.
    """

    name = "igan"
    summary = "over-complete residual generator, with smoothing, noise, a penalty and a schedule"
    fixed = {"architecture": "igan", "loss": "non_saturating"}
    other_defaults = {
        "learning_rate": 2e-4 + 1 / 3000,
        "generator_lr_scale": 1.5,
        "d_iter": 3,
        "z_dim": 100,
        "penalty": "gradient_norm",
        "penalty_weight": 5.0,
        "label_smoothing": 0.1,
        "input_noise": 0.1,
        "generator_dropout": 0.2,
        "schedule": "inverse",
        "schedule_end": 0.375,
        "schedule_speed": 1 / 300,
    }
    candidates = {
        "penalty": (),
        "discriminator_norm": (),
        "beta1": (),
        "penalty_weight": (1.0, 5.0, 10.0),
        "clip": (),
        "class_weight": (),
        "generator_class_weight": (),
    }


class IGANv2(IGAN):
    """IGAN with more convolutions, and a branch and a discriminator for each class."""

    name = "igan_v2"
    summary = "IGAN with more convolutions; optionally a branch and a discriminator for each class"
    fixed = {**IGAN.fixed, "architecture": "igan_v2"}
