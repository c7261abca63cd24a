"""BEGAN (Berthelot, Schumm and Metz, 2017, arXiv:1703.10717)."""

from autogan.core.hyperparameters import Hyperparameter
from autogan.models.base import GANType, network_hyperparameters, training_hyperparameters


class BEGAN(GANType):
    """An auto-encoder as discriminator, its errors on real and generated images in equilibrium."""

    name = "began"
    summary = "boundary equilibrium GAN, with an auto-encoder as discriminator"
    loss = "equilibrium"
    discriminator_norm = "none"
    autoencoder = True
    hyperparameters = (
        *training_hyperparameters(
            learning_rate=8e-5, beta1=0.5, beta2=0.999, d_iter=1, batch_size=16, z_dim=64,
            learning_rates=(4e-5, 8e-5, 2e-4, 5e-4),
        ),
        *network_hyperparameters(large="began", meaning="the paper's pairs of convolutions"),
        Hyperparameter(
            "gamma", "share", 0.5,
            "error on generated images as a share of that on real ones: low is sharp, high is "
            "diverse",
            low=0.0, high=1.0, search=(0.3, 0.5, 0.7),
        ),
        Hyperparameter(
            "lambda_k", "scale", 1e-3,
            "how fast the balance k_t follows",
            low=1e-6, high=1.0,
        ),
    )  # fmt: skip
