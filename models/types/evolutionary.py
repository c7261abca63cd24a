"""E-GAN (Wang et al., 2018, arXiv:1803.00657), with options from IE-GAN (arXiv:2109.11078)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from typing_extensions import override

from autogan.core.hyperparameters import Hyperparameter, Value
from autogan.models.types.gan import GAN

if TYPE_CHECKING:
    from autogan.models.training.updates import Updates


class Evolutionary(GAN):
    """Generators evolve: each has three children, one per loss, and the fittest survive."""

    name = "evolutionary"
    summary = "E-GAN: generators evolve by three losses, and the fittest survive"
    xla = False  # XLA cannot select among several generators by an index computed at run time
    fixed = {"loss": "non_saturating", "balance": 0.0}
    other_defaults = {"d_iter": 3, "batch_size": 32, "discriminator_norm": "batch"}
    candidates = {
        "d_iter": (1, 3),
        "beta1": (),
        "discriminator_norm": (),
        "penalty": (),
        "penalty_weight": (),
        "clip": (),
        "class_weight": (),
        "generator_class_weight": (),
    }
    own = (
        Hyperparameter(
            "survivors", "count", 1,
            "generators that survive a step; each has three children, by the minimax, the "
            "non-saturating and the least-squares loss",
            low=1, high=4, shape=True,
        ),
        Hyperparameter(
            "fitness", "choice", "egan",
            "fitness of children: egan (the discriminator's mean output, and a small gradient of "
            "its loss) or iegan (its mean logit, and dissimilar images)",
            choices=("egan", "iegan"), shape=True,
        ),
        Hyperparameter(
            "fitness_weight", "scale", 0.004,
            "weight of diversity relative to quality: 0.002 to 0.004 for egan, 0.05 for iegan",
            low=1e-6, high=100.0, search=(0.001, 0.004, 0.01, 0.1),
        ),
        Hyperparameter(
            "fitness_batches", "count", 1,
            "batches of images that measure a child's fitness",
            low=1, high=32, shape=True,
        ),
        Hyperparameter(
            "crossover", "choice", "none",
            "distilled: the two fittest children have a child, which learns the better images of "
            "both",
            choices=("none", "distilled"), shape=True,
        ),
    )  # fmt: skip

    @classmethod
    @override
    def conflict(cls, values: Mapping[str, Value]) -> str:
        size, survivors = int(values["batch_size"]), int(values["survivors"])
        if size % survivors:
            return (
                f"batch_size {size} is not divisible by {survivors} survivors; choose a multiple "
                f"of {survivors}"
            )
        return super().conflict(values)

    @classmethod
    def updates_per_step(cls, hyperparameters: Mapping[str, Value]) -> int:
        """See `GANType.updates_per_step`: the discriminator's, and one per child."""
        crossed = hyperparameters["crossover"] != "none"
        return int(hyperparameters["d_iter"]) + 3 * int(hyperparameters["survivors"]) + crossed

    @classmethod
    @override
    def updates(cls) -> "type[Updates]":
        from autogan.models.training.evolution import Evolution

        return Evolution
