"""DRAGAN (Kodali et al., 2017, arXiv:1705.07215)."""

from autogan.models.types.dcgan import DCGAN


class DRAGAN(DCGAN):
    """DCGAN with a penalty on the norm of the discriminator's gradient around real images."""

    name = "dragan"
    summary = "DCGAN with a gradient penalty around real images"
    fixed = {**DCGAN.fixed, "penalty": "dragan", "discriminator_norm": "none"}
    other_defaults = {**DCGAN.other_defaults, "penalty_weight": 10.0}
    candidates = {"penalty_weight": (1.0, 10.0)}
