"""DCGAN (Radford, Metz and Chintala, 2016, arXiv:1511.06434)."""

from autogan.models.base import GANType, network_hyperparameters, training_hyperparameters


class DCGAN(GANType):
    """Convolutional networks with batch normalisation, trained on the non-saturating loss."""

    name = "dcgan"
    summary = "convolutional GAN with the non-saturating loss"
    loss = "non_saturating"
    hyperparameters = (
        *training_hyperparameters(learning_rate=2e-4, beta1=0.5, beta2=0.999, d_iter=1),
        *network_hyperparameters(),
    )
