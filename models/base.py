"""What a GAN type is. Free of TensorFlow, so that listing and validating types is immediate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from autogan.core.hyperparameters import Hyperparameter, Value, conditions, met
from autogan.core.registry import Part
from autogan.models.factors import DEFAULTS

if TYPE_CHECKING:
    from autogan.core.arrays import Attributes
    from autogan.models.training.trainer import Trainer
    from autogan.models.training.updates import Updates

ImageShape = tuple[int, int, int]
"""Height, width and channels of an image."""


_WANTED = "batch_size"  # which schedules go by


class GANType(Part):
    """A way of training a generator against a discriminator, put together from named parts.

    A type declares its factors, fixed ones and hyperparameters; the parts' code stands in
    `autogan.models.networks.build`, `losses`, `penalties`, `augmentation` and `optimizers`, and
    `Adversarial` trains with them. Most types are presets of `autogan.models.types.gan.GAN`.

    Attributes:
        name: as users write it after ``--gan-type``.
        summary: one line for ``autogan list``.
        fixed: the factors that the type stands for, by name. A ``loss`` may also be
            ``package.module:Name`` of a loss of one's own.
        autoencoder: whether the discriminator is an auto-encoder, which returns its errors.
        xla: whether XLA can compile its updates.
        hyperparameters: others, with their defaults and default search space; what a type
            neither fixes nor declares is as `autogan.models.factors.FACTORS` says.
    """

    fixed: ClassVar[Mapping[str, Value]] = {}
    autoencoder: ClassVar[bool] = False
    xla: ClassVar[bool] = True
    hyperparameters: ClassVar[tuple[Hyperparameter, ...]]

    @classmethod
    @override
    def fault(cls) -> str:
        declared = {h.name for h in getattr(cls, "hyperparameters", ())}
        if _WANTED not in declared:
            return f"it lacks the hyperparameter {_WANTED}"
        before: set[str] = set()
        for h in cls.hyperparameters:
            later = (declared - before) & set(h.under)
            if later:
                return f"{h.name} is under {min(later)}, which must be declared before it"
            before.add(h.name)
        conflict = cls.conflict(cls.defaults())
        return conflict and f"its defaults cannot be together: {conflict}"

    @classmethod
    def factor(cls, name: str, hyperparameters: Mapping[str, Value]) -> Value:
        """The value of any factor: fixed, a hyperparameter, or else the general default."""
        return {**DEFAULTS, **cls.fixed, **hyperparameters}[name]

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
            What is wrong and what would be right, for the end of one line: ``minibatch_stddev
            goes by groups of four images, and batch_size is 6; choose a multiple of 4``.
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
        return {n: v for n, v in values.items() if met(cls.conditions()[n], values)}

    @classmethod
    @cache
    def conditions(cls) -> dict[str, dict[str, tuple[str, ...]]]:
        """By hyperparameter, all that it has a meaning under; see `conditions`."""
        declared = {h.name: h for h in cls.hyperparameters}
        return {name: conditions(h, declared) for name, h in declared.items()}

    @classmethod
    def shape_of(cls, hyperparameters: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
        """The part of the hyperparameters that decides the networks and the compiled function.

        Those without a meaning beside the others are not in it.
        """
        values = cls.meaningful(hyperparameters)
        return tuple(
            (h.name, float(values[h.name]) > 0.0 if h.switch else values[h.name])
            for h in cls.hyperparameters
            if h.name in values and (h.shape or h.switch)
        )

    @classmethod
    def updates_per_step(cls, hyperparameters: Mapping[str, Value]) -> int:
        """Updates of all networks in one step of `Trainer.train`: what a step costs."""
        return 1 + cls.batches_per_step(hyperparameters)

    @classmethod
    def batches_per_step(cls, hyperparameters: Mapping[str, Value]) -> int:
        """Batches of real images that one step takes."""
        return int(cls.factor("d_iter", hyperparameters))

    @classmethod
    def updates(cls) -> type[Updates]:
        """What a step of adversarial training does."""
        from autogan.models.training.updates import Updates

        return Updates

    @classmethod
    def build(
        cls,
        image_shape: ImageShape,
        hyperparameters: Mapping[str, Value],
        class_counts: Sequence[int] = (),
        stage1: Trainer | None = None,
        xla: bool = False,
        precision: str = "float32",
        attributes: Attributes | None = None,
    ) -> Trainer:
        """Build networks and training function for images of ``image_shape``.

        Only the shape hyperparameters matter here; `Trainer.train` takes the others. A type
        that is trained in another way builds a `Trainer` of its own.

        Args:
            image_shape: height, width, channels.
            hyperparameters: all of them.
            class_counts: how many images of each class there are, for a conditional GAN.
            stage1: a trained GAN whose images are to be enlarged.
            xla: whether XLA compiles the updates.
            precision: of the networks' arithmetic, ``float32`` or ``bfloat16``.
            attributes: of images of the training set, uint8 [M, A], where they take the place of
                classes.
        """
        from autogan.models.training.adversarial import Adversarial

        shape = dict(cls.shape_of(hyperparameters))
        return Adversarial(
            cls, image_shape, shape, class_counts, stage1, cls.updates(), xla, precision, attributes
        )
