"""DCGAN (Radford, Metz and Chintala, 2016, arXiv:1511.06434)."""

from autogan.models.types.gan import GAN


class DCGAN(GAN):
    """Convolutional networks with batch normalisation, trained with the non-saturating loss."""

    name = "dcgan"
    summary = "convolutional GAN with the non-saturating loss"
    fixed = {
        "loss": "non_saturating",
        "discriminator_norm": "batch",
        "generator_norm": "batch",
        "penalty": "none",
        "condition": "none",
    }
    other_defaults = {"z_dim": 62}
