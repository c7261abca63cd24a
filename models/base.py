"""The base class of GAN types, without TensorFlow: listing and validating types is immediate."""

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


_WANTED = "batch_size"  # schedules depend on it


class GANType(Part):
    """A way of training a generator against a discriminator, composed of named parts.

    A type declares its fixed factors and its hyperparameters. The parts' code is in
    `autogan.models.networks.build`, `losses`, `penalties`, `augmentation` and `optimizers`, and
    `Adversarial` trains with them. Most types are presets of `autogan.models.types.gan.GAN`.

    Attributes:
        name: as users write it after ``--gan-type``.
        summary: one line for ``autogan list``.
        fixed: the factors that define the type, by name. A ``loss`` may also be
            ``package.module:Name`` of your own loss.
        autoencoder: whether the discriminator is an auto-encoder, which returns its errors.
        xla: whether XLA can compile its updates.
        hyperparameters: other factors, with their defaults and default search space; factors
            that a type neither fixes nor declares are as in `autogan.models.factors.FACTORS`.
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
        return conflict and f"its defaults are an invalid combination: {conflict}"

    @classmethod
    def factor(cls, name: str, hyperparameters: Mapping[str, Value]) -> Value:
        """The value of any factor: fixed, a hyperparameter's, or else the general default."""
        return {**DEFAULTS, **cls.fixed, **hyperparameters}[name]

    @classmethod
    def defaults(cls) -> dict[str, Value]:
        """All hyperparameters at their defaults."""
        return {h.name: h.default for h in cls.hyperparameters}

    @classmethod
    def conflict(cls, values: Mapping[str, Value]) -> str:
        """Why a combination is invalid; empty if it is valid.

        Invalid values are refused, and no search proposes them. If a hyperparameter depends only
        on one choice, declare that as `Hyperparameter.under` instead.

        Args:
            values: of all hyperparameters, including those that do not apply.

        Returns:
            The problem and the remedy, for the end of one line: ``minibatch_stddev uses groups of
            four images, but batch_size is 6; choose a multiple of 4``.
        """
        return ""

    @classmethod
    def doubt(cls, values: Mapping[str, Value]) -> str:
        """Why a combination is inadvisable; empty if it is not.

        Each run warns of it once. The arguments are those of `conflict`.
        """
        return ""

    @classmethod
    def meaningful(cls, values: Mapping[str, Value]) -> dict[str, Value]:
        """The values of the hyperparameters that apply under the values of the others."""
        return {n: v for n, v in values.items() if met(cls.conditions()[n], values)}

    @classmethod
    @cache
    def conditions(cls) -> dict[str, dict[str, tuple[str, ...]]]:
        """By hyperparameter, the values under which it applies; see `conditions`."""
        declared = {h.name: h for h in cls.hyperparameters}
        return {name: conditions(h, declared) for name, h in declared.items()}

    @classmethod
    def shape_of(cls, hyperparameters: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
        """The hyperparameters that decide the networks and the compiled function.

        Those that do not apply under the values of the others are left out.
        """
        values = cls.meaningful(hyperparameters)
        return tuple(
            (h.name, float(values[h.name]) > 0.0 if h.switch else values[h.name])
            for h in cls.hyperparameters
            if h.name in values and (h.shape or h.switch)
        )

    @classmethod
    def updates_per_step(cls, hyperparameters: Mapping[str, Value]) -> int:
        """Updates of all networks in one step of `Trainer.train`: the cost of a step."""
        return 1 + cls.batches_per_step(hyperparameters)

    @classmethod
    def batches_per_step(cls, hyperparameters: Mapping[str, Value]) -> int:
        """Batches of real images that one step uses."""
        return int(cls.factor("d_iter", hyperparameters))

    @classmethod
    def updates(cls) -> type[Updates]:
        """The class whose updates make a step of adversarial training."""
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
        with another way of training builds its own `Trainer`.

        Args:
            image_shape: height, width, channels.
            hyperparameters: all of them.
            class_counts: the number of images of each class, for a conditional GAN.
            stage1: a trained GAN whose images the generator enlarges.
            xla: whether XLA compiles the updates.
            precision: of the networks' arithmetic, ``float32`` or ``bfloat16``.
            attributes: of images of the training set, uint8 [M, A], if they take the place of
                classes.
        """
        from autogan.models.training.adversarial import Adversarial

        shape = dict(cls.shape_of(hyperparameters))
        return Adversarial(
            cls, image_shape, shape, class_counts, stage1, cls.updates(), xla, precision, attributes
        )
