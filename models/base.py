"""What a GAN type is. Free of TensorFlow, so that listing and validating types is immediate."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from autogan.hyperparameters import Hyperparameter, Value

if TYPE_CHECKING:
    from autogan.models.adversarial import Adversarial

ImageShape = tuple[int, int, int]
"""Height, width and channels of an image."""


class GANType(ABC):
    """A way of training a generator against a discriminator, put together from named parts.

    A type declares its parts and its hyperparameters; the parts' code stands in
    `autogan.models.networks`, `losses`, `penalties` and `optimizers`, and `Adversarial` trains
    with them.

    Attributes:
        name: as users write it after ``--gan-type``.
        summary: one line for ``autogan list``.
        loss: a key of `autogan.models.losses.LOSSES`.
        penalty: a key of `autogan.models.penalties.PENALTIES`; its weight is the hyperparameter
            ``penalty_weight``, which the type then declares.
        discriminator_norm: ``batch`` or ``none``. A penalty on each image's gradient forbids
            batch normalisation, which ties the images of a batch together.
        hyperparameters: all of them, with their defaults and default search space.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    loss: ClassVar[str]
    penalty: ClassVar[str | None] = None
    discriminator_norm: ClassVar[Literal["batch", "none"]] = "batch"
    hyperparameters: ClassVar[tuple[Hyperparameter, ...]]

    @classmethod
    def defaults(cls) -> dict[str, Value]:
        """All hyperparameters at their defaults."""
        return {h.name: h.default for h in cls.hyperparameters}

    @classmethod
    def shape_of(cls, hyperparameters: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
        """The part of the hyperparameters that decides the networks and the compiled function."""
        return tuple((h.name, hyperparameters[h.name]) for h in cls.hyperparameters if h.shape)

    @classmethod
    def build(cls, image_shape: ImageShape, hyperparameters: Mapping[str, Value]) -> Adversarial:
        """Build networks and training function for images of ``image_shape``.

        Only the shape hyperparameters matter here; `Adversarial.train` takes the others.
        """
        from autogan.models.adversarial import Adversarial

        return Adversarial(cls, image_shape, dict(cls.shape_of(hyperparameters)))


def adversarial_hyperparameters(
    *, learning_rate: float, beta1: float, beta2: float, d_iter: int
) -> tuple[Hyperparameter, ...]:
    """The hyperparameters that all types of adversarial training share, with a type's defaults."""
    return (
        Hyperparameter(
            "learning_rate", "scale", learning_rate,
            "step size of both networks' optimizers",
            low=1e-7, high=1.0, search=(1e-4, 2e-4, 5e-4, 1e-3, 2e-3),
        ),
        Hyperparameter(
            "generator_lr_scale", "scale", 1.0,
            "the generator's learning rate as a multiple of learning_rate",
            low=1e-3, high=1e3,
        ),
        Hyperparameter(
            "d_iter", "count", d_iter,
            "discriminator updates before each generator update",
            low=1, high=100, search=(1, 2, 5),
        ),
        Hyperparameter(
            "optimizer", "choice", "adam",
            "how gradients become updates",
            choices=("adam", "rmsprop"), shape=True,
        ),
        Hyperparameter(
            "beta1", "share", beta1,
            "decay of Adam's running mean of gradients (RMSProp has none)",
            low=0.0, high=0.999, search=(0.0, 0.5, 0.9),
        ),
        Hyperparameter(
            "beta2", "share", beta2,
            "decay of the running mean of squared gradients, in Adam and in RMSProp",
            low=0.0, high=0.99999,
        ),
        Hyperparameter(
            "batch_size", "size", 64,
            "images in a batch of each network",
            low=2, high=4096, shape=True,
        ),
        Hyperparameter(
            "z_dim", "size", 62,
            "length of the latent vector, drawn from a standard normal distribution",
            low=1, high=4096, shape=True,
        ),
        Hyperparameter(
            "architecture", "choice", "auto",
            "infogan (two convolutions and a dense layer) or strided (DCGAN's pyramid); "
            "auto is infogan below 32 pixels",
            choices=("auto", "infogan", "strided"), shape=True,
        ),
        Hyperparameter(
            "width", "size", 64,
            "filters of the convolution nearest the image; deeper ones are multiples of it",
            low=1, high=1024, shape=True,
        ),
        Hyperparameter(
            "dense_width", "size", 1024,
            "units of infogan's dense layers",
            low=1, high=8192, shape=True,
        ),
    )  # fmt: skip
