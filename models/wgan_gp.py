"""WGAN-GP (Gulrajani et al., 2017, arXiv:1704.00028)."""

from autogan.core.hyperparameters import Hyperparameter
from autogan.models.base import GANType, network_hyperparameters, training_hyperparameters


class WGANGP(GANType):
    """The Wasserstein loss with a penalty on the norm of the critic's gradient."""

    name = "wgan_gp"
    summary = "Wasserstein GAN with gradient penalty"
    loss = "wasserstein"
    penalty = "gradient_norm"
    discriminator_norm = "none"
    hyperparameters = (
        *training_hyperparameters(learning_rate=1e-4, beta1=0.5, beta2=0.9, d_iter=5),
        *network_hyperparameters(),
        Hyperparameter(
            "penalty_weight", "scale", 10.0,
            "weight of the gradient penalty (lambda in the paper)",
            low=1e-4, high=1e4, search=(1.0, 10.0),
        ),
    )  # fmt: skip
