"""The general GAN; the other types of adversarial training are presets of it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from autogan.core.hyperparameters import Hyperparameter, Value, conditions, met
from autogan.core.registry import suggestion
from autogan.models import factors
from autogan.models.base import GANType
from autogan.models.factors import FACTORS, narrowed

# DCGAN, made stable: a light penalty at every fourth update, no momentum, and twice the learning
# rate for the generator (scripts/studies/default_game.py; table in docs/studies/experiments.md).
_DEFAULTS: Mapping[str, Value] = {
    "learning_rate": 1e-3,
    "generator_lr_scale": 2.0,
    "beta1": 0.0,
    "discriminator_norm": "batch",
    "penalty": "r1",
    "penalty_weight": 0.1,
    "penalty_interval": 4,
    "ema": 0.999,
}
_CANDIDATES: Mapping[str, tuple[Value, ...]] = {
    "learning_rate": (5e-4, 1e-3, 2e-3),
    "d_iter": (1, 2),
    "beta1": (),
    "loss": (),
    "penalty": (),
    "penalty_weight": (0.03, 0.1, 0.3),
    "discriminator_norm": (),
}


class GAN(GANType):
    """Every factor is a hyperparameter; a subclass is a preset, which fixes some of them.

    A factor that a preset does not mention is as `autogan.models.factors.FACTORS` declares it, not
    as in the general type.

    Attributes:
        fixed: see `GANType.fixed`.
        other_defaults: defaults that differ from those of the factors.
        candidates: default search ranges that differ from those of the factors.
        own: further hyperparameters, or factors declared differently.
    """

    name = "gan"
    summary = "any GAN: loss, normalisation, penalty, networks and all else are hyperparameters"
    other_defaults: ClassVar[Mapping[str, Value]] = {}
    candidates: ClassVar[Mapping[str, tuple[Value, ...]]] = {}
    own: ClassVar[tuple[Hyperparameter, ...]] = ()
    _misplaced: ClassVar[tuple[str, ...]] = ()  # attributes that belong in `fixed` or `own`
    hyperparameters = narrowed(FACTORS, {}, _DEFAULTS, _CANDIDATES)

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        names = {"hyperparameters", "clips", *(h.name for h in FACTORS)}
        cls._misplaced = (*cls._misplaced, *sorted(names & cls.__dict__.keys()))
        own = {h.name: h for h in cls.own}
        all_ = [own.pop(h.name, h) for h in FACTORS]
        cls.hyperparameters = narrowed(
            (*all_, *own.values()), cls.fixed, cls.other_defaults, cls.candidates
        )

    @classmethod
    @override
    def fault(cls) -> str:
        for name in cls._misplaced:
            place = "own" if name == "hyperparameters" else "fixed"
            return f"{name} is an attribute of the class; move its content into {place}"
        known = {h.name: h for h in (*FACTORS, *cls.own)}
        for name in (*cls.fixed, *cls.other_defaults, *cls.candidates):
            if name not in known:
                return f"{name!r} is not a factor; {suggestion(name, known)}"
        several = [*cls.candidates.items(), *((n, (v,)) for n, v in cls.other_defaults.items())]
        # The loss may be the user's own.
        several += [(n, (v,)) for n, v in cls.fixed.items() if n != "loss"]
        for name, value in ((n, v) for n, values in several for v in values):
            try:
                known[name].check(value)
            except ValueError as error:
                return f"{name}: {error}"
        return super().fault()

    @classmethod
    @override
    def conflict(cls, values: Mapping[str, Value]) -> str:
        # Factors that do not apply cannot conflict. This first check is faster, and mostly enough.
        if not factors.conflict({**cls.fixed, **values}):
            return ""
        return factors.conflict(cls._present(values))

    @classmethod
    @override
    def doubt(cls, values: Mapping[str, Value]) -> str:
        return factors.doubt(cls._present(values))

    @classmethod
    def _present(cls, values: Mapping[str, Value]) -> dict[str, Value]:
        """All factors that apply under the values of the others, including fixed ones."""
        all_ = {**cls.fixed, **values}
        declared = {h.name: h for h in (*FACTORS, *cls.own)}
        return {n: v for n, v in all_.items() if met(conditions(declared[n], declared), all_)}
