"""What a GAN type is. Free of TensorFlow, so that listing and validating types is immediate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from autogan.core.hyperparameters import Hyperparameter, Value, conditions, met
from autogan.core.registry import Part

if TYPE_CHECKING:
    from autogan.models.adversarial import Adversarial

ImageShape = tuple[int, int, int]
"""Height, width and channels of an image."""


_ALWAYS = (
    "learning_rate", "generator_lr_scale", "d_iter", "optimizer", "beta1", "beta2", "batch_size",
    "z_dim", "architecture", "width", "dense_width",
)  # fmt: skip


class GANType(Part):
    """A way of training a generator against a discriminator, put together from named parts.

    A type declares its parts and its hyperparameters; the parts' code stands in
    `autogan.models.networks`, `losses`, `penalties` and `optimizers`, and `Adversarial` trains
    with them.

    Attributes:
        name: as users write it after ``--gan-type``.
        summary: one line for ``autogan list``.
        loss: a key of `autogan.models.losses.LOSSES`, or ``package.module:Name`` of a loss of
            one's own.
        penalty: a key of `autogan.models.penalties.PENALTIES`; its weight is the hyperparameter
            ``penalty_weight``, which the type then declares.
        clips: whether the discriminator's weights are clipped after each of its updates, to the
            hyperparameter ``clip``, which the type then declares.
        discriminator_norm: ``batch`` or ``none``. A penalty on each image's gradient forbids
            batch normalisation, which ties the images of a batch together.
        autoencoder: whether the discriminator is an auto-encoder, which returns its errors.
        condition: how images come by their classes. ``none``: not at all. ``input``: generator
            and discriminator are given the class. ``auxiliary``: the generator is given it, and
            the discriminator must tell it, at the weights ``class_weight`` and
            ``generator_class_weight``, which the type then declares.
        hyperparameters: all of them, with their defaults and default search space.
    """

    loss: ClassVar[str]
    penalty: ClassVar[str | None] = None
    clips: ClassVar[bool] = False
    discriminator_norm: ClassVar[Literal["batch", "none"]] = "batch"
    autoencoder: ClassVar[bool] = False
    condition: ClassVar[Literal["none", "input", "auxiliary"]] = "none"
    hyperparameters: ClassVar[tuple[Hyperparameter, ...]]

    @classmethod
    def fault(cls) -> str:
        """See `Part.fault`."""
        declared = {h.name for h in getattr(cls, "hyperparameters", ())}
        wanted = {*_ALWAYS}
        if cls.penalty:
            wanted.add("penalty_weight")
        if cls.clips:
            wanted.add("clip")
        if cls.condition == "auxiliary":
            wanted |= {"class_weight", "generator_class_weight"}
        missing = ", ".join(sorted(wanted - declared))
        if missing:
            return f"it lacks the hyperparameters {missing}"
        before: set[str] = set()
        for h in cls.hyperparameters:
            later = (declared - before) & set(h.under)
            if later:
                return f"{h.name} is under {min(later)}, which must be declared before it"
            before.add(h.name)
        if not hasattr(cls, "loss"):
            return "it names no loss"
        conflict = cls.conflict(cls.defaults())
        return conflict and f"its defaults cannot be together: {conflict}"

    @classmethod
    def defaults(cls) -> dict[str, Value]:
        """All hyperparameters at their defaults."""
        return {h.name: h.default for h in cls.hyperparameters}

    @classmethod
    def conflict(cls, values: Mapping[str, Value]) -> str:
        """Why hyperparameters cannot be together; empty if they can.

        Such values are refused, and no search proposes them. What depends on one choice alone
        is better declared as `Hyperparameter.under`.

        Args:
            values: of all hyperparameters, those without a meaning among them.

        Returns:
            What is wrong and what would be right, for the end of one line: ``weights are clipped
            for the loss wasserstein alone; choose it, or weight_clip none``.
        """
        return ""

    @classmethod
    def doubt(cls, values: Mapping[str, Value]) -> str:
        """Why hyperparameters are inadvisable together; empty if they are not.

        The user is warned of it, once in a run. The arguments are those of `conflict`.
        """
        return ""

    @classmethod
    def meaningful(cls, values: Mapping[str, Value]) -> dict[str, Value]:
        """Those of all hyperparameters' values that have a meaning beside the others."""
        declared = {h.name: h for h in cls.hyperparameters}
        return {n: v for n, v in values.items() if met(conditions(declared[n], declared), values)}

    @classmethod
    def shape_of(cls, hyperparameters: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
        """The part of the hyperparameters that decides the networks and the compiled function."""
        return tuple((h.name, hyperparameters[h.name]) for h in cls.hyperparameters if h.shape)

    @classmethod
    def updates_per_step(cls, hyperparameters: Mapping[str, Value]) -> int:
        """Updates of both networks in one generator step: what a step costs."""
        return 1 + int(hyperparameters["d_iter"])

    @classmethod
    def build(
        cls,
        image_shape: ImageShape,
        hyperparameters: Mapping[str, Value],
        class_counts: Sequence[int] = (),
    ) -> Adversarial:
        """Build networks and training function for images of ``image_shape``.

        Only the shape hyperparameters matter here; `Adversarial.train` takes the others.

        Args:
            image_shape: height, width, channels.
            hyperparameters: all of them.
            class_counts: how many images of each class there are, for a conditional type.
        """
        from autogan.models.adversarial import Adversarial

        return Adversarial(cls, image_shape, dict(cls.shape_of(hyperparameters)), class_counts)


def training_hyperparameters(
    *,
    learning_rate: float,
    beta1: float,
    beta2: float,
    d_iter: int,
    optimizer: str = "adam",
    batch_size: int = 64,
    z_dim: int = 62,
    learning_rates: tuple[Value, ...] = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3),
) -> tuple[Hyperparameter, ...]:
    """The hyperparameters that all types of adversarial training share, with a type's defaults."""
    return (
        Hyperparameter(
            "learning_rate", "scale", learning_rate,
            "step size of both networks' optimizers",
            low=1e-7, high=1.0, search=learning_rates,
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
            "optimizer", "choice", optimizer,
            "how gradients become updates",
            choices=("adam", "rmsprop"), shape=True,
        ),
        Hyperparameter(
            "beta1", "share", beta1,
            "decay of Adam's running mean of gradients (RMSProp has none)",
            low=0.0, high=0.999, search=(0.0, 0.5, 0.9) if optimizer == "adam" else (),
            under={"optimizer": ("adam",)},
        ),
        Hyperparameter(
            "beta2", "share", beta2,
            "decay of the running mean of squared gradients, in Adam and in RMSProp",
            low=0.0, high=0.99999,
        ),
        Hyperparameter(
            "batch_size", "size", batch_size,
            "images in a batch of each network",
            low=2, high=4096, shape=True,
        ),
        Hyperparameter(
            "z_dim", "size", z_dim,
            "length of the latent vector, drawn from a standard normal distribution",
            low=1, high=4096, shape=True,
        ),
    )  # fmt: skip


def network_hyperparameters(
    *, large: str = "strided", meaning: str = "DCGAN's pyramid"
) -> tuple[Hyperparameter, ...]:
    """The hyperparameters of the networks.

    Args:
        large: the architecture that suits images from 32 pixels on.
        meaning: what that is.
    """
    return (
        Hyperparameter(
            "architecture", "choice", "auto",
            f"infogan (two convolutions and a dense layer) or {large} ({meaning}); auto is "
            "infogan below 32 pixels",
            choices=("auto", "infogan", large), shape=True,
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
