"""Conditional GAN (Mirza and Osindero, 2014, arXiv:1411.1784)."""

from autogan.models.types.dcgan import DCGAN


class CGAN(DCGAN):
    """DCGAN whose networks are both given the class: beside z, and as planes beside the image."""

    name = "cgan"
    summary = "DCGAN whose networks are given the class of each image"
    fixed = {**DCGAN.fixed, "condition": "input"}
