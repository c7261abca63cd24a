"""ACGAN (Odena, Olah and Shlens, 2017, arXiv:1610.09585)."""

from autogan.models.types.dcgan import DCGAN


class ACGAN(DCGAN):
    """DCGAN whose generator takes a class, which its discriminator must recognise."""

    name = "acgan"
    summary = "DCGAN whose discriminator also predicts the class of each image"
    fixed = {**DCGAN.fixed, "condition": "auxiliary"}
