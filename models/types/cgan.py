"""Conditional GAN (Mirza and Osindero, 2014, arXiv:1411.1784)."""

from autogan.models.types.dcgan import DCGAN


class CGAN(DCGAN):
    """DCGAN whose networks take the class: concatenated with z, and as planes with the image."""

    name = "cgan"
    summary = "DCGAN whose networks take the class of each image"
    fixed = {**DCGAN.fixed, "condition": "input"}
