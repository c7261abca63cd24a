"""LSGAN (Mao et al., 2017, arXiv:1611.04076)."""

from autogan.models.types.dcgan import DCGAN


class LSGAN(DCGAN):
    """DCGAN's networks trained with the least-squares loss."""

    name = "lsgan"
    summary = "convolutional GAN with the least-squares loss"
    fixed = {**DCGAN.fixed, "loss": "least_squares"}
