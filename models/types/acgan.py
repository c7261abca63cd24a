"""ACGAN (Odena, Olah and Shlens, 2017, arXiv:1610.09585)."""

from autogan.models.types.dcgan import DCGAN


class ACGAN(DCGAN):
    """DCGAN whose generator is given a class, which its discriminator must tell."""

    name = "acgan"
    summary = "DCGAN whose discriminator also tells the class that the generator was given"
    fixed = {**DCGAN.fixed, "condition": "auxiliary"}
