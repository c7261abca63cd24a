"""WGAN-GP (Gulrajani et al., 2017, arXiv:1704.00028)."""

from autogan.models.types.dcgan import DCGAN


class WGANGP(DCGAN):
    """The Wasserstein loss with a penalty on the norm of the critic's gradient."""

    name = "wgan_gp"
    summary = "Wasserstein GAN with gradient penalty"
    fixed = {
        **DCGAN.fixed,
        "loss": "wasserstein",
        "penalty": "gradient_norm",
        "discriminator_norm": "none",
    }
    other_defaults = {
        **DCGAN.other_defaults,
        "learning_rate": 1e-4,
        "beta2": 0.9,
        "d_iter": 5,
        "penalty_weight": 10.0,
    }
    candidates = {"penalty_weight": (1.0, 10.0)}
