"""BEGAN (Berthelot, Schumm and Metz, 2017, arXiv:1703.10717)."""

from autogan.core.hyperparameters import Hyperparameter
from autogan.models.types.gan import GAN


class BEGAN(GAN):
    """An auto-encoder as discriminator, with balanced errors on real and generated images."""

    name = "began"
    summary = "boundary equilibrium GAN, with an auto-encoder as discriminator"
    autoencoder = True
    fixed = {
        "loss": "equilibrium",
        "discriminator_norm": "none",
        "penalty": "none",
        "condition": "none",
        "attention": "none",
        "minibatch_stddev": "none",
        "dropout": 0.0,
        "generator_dropout": 0.0,
        "parametrisation": "standard",
    }
    other_defaults = {"learning_rate": 8e-5, "batch_size": 16, "z_dim": 64}
    candidates = {"learning_rate": (8e-5, 2e-4, 5e-4, 1e-3)}
    own = (
        Hyperparameter(
            "architecture", "choice", "auto",
            "infogan (two convolutions and a dense layer) or began (the paper's pairs of "
            "convolutions); auto is infogan below 32 pixels",
            choices=("auto", "infogan", "began"), shape=True,
        ),
        Hyperparameter(
            "error", "choice", "l1",
            "the auto-encoder's error on an image: mean absolute (l1, the paper's), mean square "
            "(l2) or root mean square (rms), which helps little with thin digits",
            choices=("l1", "l2", "rms"), shape=True,
        ),
        Hyperparameter(
            "gamma", "share", 0.5,
            "error on generated images as a share of that on real images: low is sharp, high is "
            "diverse; 0.3 to 0.7 for faces and many steps, 1 for MNIST and few steps",
            low=0.0, high=1.0, search=(0.3, 0.5, 0.7, 1.0),
        ),
        Hyperparameter(
            "lambda_k", "scale", 1e-3,
            "learning rate of the balance k_t: 0.001 for 100,000 steps, 0.02 for a few thousand",
            low=1e-6, high=1.0, search=(1e-3, 2e-2),
        ),
    )  # fmt: skip
