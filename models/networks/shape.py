"""The description of the two networks, as one value."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NetworkShape:
    """All properties that decide the two networks.

    Attributes:
        size: side of the images; divisible by 4.
        width: filters of the discriminator's convolution nearest the image.
        dense_width: units of infogan's dense layers.
        discriminator_norm: after each convolution but the first, before its activation; in
            residual blocks before each activation. ``layer`` is over height, width and channels;
            ``spectral`` applies to all kernels. r3gan has none.
        autoencoder: whether the discriminator is an auto-encoder, which returns its errors.
        condition: see the hyperparameter of that name. With ``projection``, the discriminator
            takes the class, and its logit is the one without a class plus the product of a learned
            class vector with the input features of its last layer (Miyato and Koyama, 2018,
            arXiv:1802.05637). With ``branches``, each class has a whole discriminator and a branch
            of the generator, which must be igan_v2's.
        classes: K, if the networks learn classes, or A, if they learn attributes; else 0.
        attributes: whether they learn attributes; not with ``branches``.
        generator_norm: ``conditional`` is batch normalisation with scales and shifts for each
            class; they are then the generator's only knowledge of the class. It needs a condition.
        attention: whether both networks have a layer of self-attention, on the map of
            `attention_size`; auto-encoders have none.
        minibatch_stddev: whether the discriminator sees how much the images of a batch differ;
            the batch size must then be divisible by 4.
        dropout: whether the discriminator has dropout after each activation. It then takes two
            more inputs, after the others: ``rate``, a scalar float32, and ``draw``, int64 [2]; see
            `autogan.models.networks.layers.SeededDropout`.
        generator_dropout: the same for the generator; not after the output's activation.
        stage1: side of the images that the generator enlarges; 0 if it begins with z. These images
            are its first input, with any architecture.
        depth: of strided, see the hyperparameter; at most log2 of the size.
        error: of an auto-encoder on an image: the mean absolute error of its pixels (l1), the mean
            square (l2), or its root (rms).
        penalised: whether a penalty differentiates the discriminator's gradient again, for which
            Keras's batch normalisation is not suitable.
        parametrisation: of initial weights and learning rates; see
            `autogan.models.networks.parametrisation`.
        upsampling: how the generators of `autogan.models.networks.convolutional` double.
    """

    size: int
    channels: int
    z_dim: int
    architecture: Literal[
        "auto",
        "infogan",
        "strided",
        "sndcgan",
        "resnet",
        "resnet5",
        "r3gan",
        "igan",
        "igan_v2",
        "mlp",
        "began",
    ]
    width: int
    dense_width: int
    discriminator_norm: Literal["none", "batch", "layer", "spectral"]
    autoencoder: bool = False
    condition: Literal["none", "input", "auxiliary", "projection", "branches"] = "none"
    classes: int = 0
    attributes: bool = False
    generator_norm: Literal["batch", "none", "conditional"] = "batch"
    attention: bool = False
    minibatch_stddev: bool = False
    dropout: bool = False
    generator_dropout: bool = False
    penalised: bool = False
    depth: int = 0
    stage1: int = 0
    error: Literal["l1", "l2", "rms"] = "l1"
    parametrisation: Literal["standard", "mup"] = "standard"
    upsampling: Literal["transposed", "nearest", "pixel_shuffle"] = "transposed"

    @property
    def discriminator_takes_class(self) -> bool:
        """Whether the discriminator takes the class of an image."""
        return self.condition in ("input", "projection", "branches")
