"""All that decides the two networks, as one value."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NetworkShape:
    """All that decides the two networks.

    Attributes:
        size: of the images' sides; divisible by 4.
        width: filters of the discriminator's convolution nearest the image.
        dense_width: units of infogan's dense layers.
        discriminator_norm: after each convolution but the first, before its activation; in
            residual blocks before each activation. ``layer`` goes over height, width and channels;
            ``spectral`` is of all kernels. r3gan has none.
        autoencoder: whether the discriminator is one, and returns its errors.
        condition: see the hyperparameter of that name. With ``projection`` the
            discriminator is given the class, and its logit is that of no class plus the product of
            a learned vector of the class with the features that its last layer judges (Miyato and
            Koyama, 2018, arXiv:1802.05637). With ``branches`` there is a whole discriminator for
            each class, and a branch of the generator, which igan_v2 alone has.
        classes: K, where the images' classes are given, or A, where their attributes are; else 0.
        attributes: whether they are attributes, which ``branches`` does not know.
        generator_norm: ``conditional`` is batch normalisation with scales and shifts of each
            class, by which alone the generator then knows the class; it wants a condition.
        attention: whether both networks have a layer of self-attention, on the map of
            `attention_size`; there are none in auto-encoders.
        minibatch_stddev: whether the discriminator sees how much the images of a batch differ,
            which must then be divisible by 4.
        dropout: whether the discriminator has dropout after each activation. It then takes two
            more inputs, after the others: ``rate``, a scalar float32, and ``draw``, int64 [2]; see
            `autogan.models.networks.layers.SeededDropout`.
        generator_dropout: the generator's, likewise; not after the output's activation.
        stage1: side of the images that the generator enlarges, 0 if it begins with z. Where there
            are any, its first input is these images, whatever the architecture.
        depth: of strided, see the hyperparameter; no more than log2 of the size.
        error: an auto-encoder's on an image: the mean absolute one of its pixels (l1), the mean
            square (l2), or the root of that (rms).
        penalised: whether a penalty differentiates the discriminator's gradient once more, for
            which Keras's batch normalisation does not do.
        parametrisation: of first weights and learning rates; see
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
        """Whether the discriminator is given the class of an image."""
        return self.condition in ("input", "projection", "branches")
