"""WGAN (Arjovsky, Chintala and Bottou, 2017, arXiv:1701.07875)."""

from autogan.core.hyperparameters import Hyperparameter
from autogan.models.base import GANType, network_hyperparameters, training_hyperparameters


class WGAN(GANType):
    """The Wasserstein loss with a critic whose weights are clipped, under RMSProp."""

    name = "wgan"
    summary = "Wasserstein GAN with weight clipping"
    loss = "wasserstein"
    clips = True
    hyperparameters = (
        *training_hyperparameters(
            learning_rate=5e-5, beta1=0.0, beta2=0.99, d_iter=5, optimizer="rmsprop",
            learning_rates=(5e-5, 2e-4, 5e-4, 1e-3),
        ),
        *network_hyperparameters(),
        Hyperparameter(
            "clip", "scale", 0.01,
            "limit of the critic's weights, biases and normalisation parameters",
            low=1e-4, high=10.0, search=(0.01, 0.03, 0.1),
        ),
    )  # fmt: skip
