"""ACGAN (Odena, Olah and Shlens, 2017, arXiv:1610.09585)."""

from autogan.core.hyperparameters import Hyperparameter
from autogan.models.dcgan import DCGAN


class ACGAN(DCGAN):
    """DCGAN whose generator is given a class, which its discriminator must tell."""

    name = "acgan"
    summary = "DCGAN whose discriminator also tells the class that the generator was given"
    condition = "auxiliary"
    hyperparameters = (
        *DCGAN.hyperparameters,
        Hyperparameter(
            "class_weight", "scale", 1.0,
            "weight of the discriminator's error in telling classes, real and generated",
            low=1e-4, high=1e4, search=(0.5, 1.0, 2.0),
        ),
        Hyperparameter(
            "generator_class_weight", "scale", 1.0,
            "weight of the same error in the generator's loss",
            low=1e-4, high=1e4, search=(0.1, 1.0),
        ),
    )  # fmt: skip
