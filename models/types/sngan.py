"""SNGAN (Miyato et al., 2018, arXiv:1802.05957), with and without classes."""

from autogan.models.types.gan import GAN


class SNGAN(GAN):
    """The hinge loss with spectral normalisation, which keeps the discriminator 1-Lipschitz."""

    name = "sngan"
    summary = "hinge loss with a spectrally normalised discriminator"
    fixed = {
        "loss": "hinge",
        "discriminator_norm": "spectral",
        "generator_norm": "batch",
        "penalty": "none",
        "condition": "none",
    }
    other_defaults = {"architecture": "sndcgan"}


class ProjectionSNGAN(SNGAN):
    """SNGAN with classes: conditional batch normalisation and a projection discriminator.

    Miyato and Koyama, 2018, arXiv:1802.05637.
    """

    name = "sngan_projection"
    summary = "SNGAN whose discriminator takes the class at its last layer"
    fixed = {**SNGAN.fixed, "condition": "projection", "generator_norm": "conditional"}
    other_defaults = {
        "architecture": "resnet",
        "d_iter": 5,
        "beta1": 0.0,
        "beta2": 0.9,
        "schedule": "linear",
    }
