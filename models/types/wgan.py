"""WGAN (Arjovsky, Chintala and Bottou, 2017, arXiv:1701.07875)."""

from autogan.models.types.dcgan import DCGAN


class WGAN(DCGAN):
    """The Wasserstein loss and a critic with clipped weights, trained with RMSProp."""

    name = "wgan"
    summary = "Wasserstein GAN with weight clipping"
    fixed = {**DCGAN.fixed, "loss": "wasserstein", "penalty": "clipping"}
    other_defaults = {
        **DCGAN.other_defaults,
        "learning_rate": 5e-5,
        "beta1": 0.0,
        "beta2": 0.99,
        "d_iter": 5,
        "optimizer": "rmsprop",
    }
    candidates = {"learning_rate": (5e-5, 2e-4, 5e-4, 1e-3), "beta1": ()}
