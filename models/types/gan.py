"""The general GAN, of which the other types of adversarial training are presets."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from autogan.core.hyperparameters import Hyperparameter, Value, conditions, met
from autogan.core.registry import suggestion
from autogan.models import factors
from autogan.models.base import GANType
from autogan.models.factors import FACTORS, narrowed

# DCGAN's game, kept alive: a light penalty at every fourth update, no momentum, and a generator
# twice as fast (scripts/studies/default_game.py; docs/studies/experiments.md has its table).
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

    What a preset says nothing of is as `autogan.models.factors.FACTORS` declares it, not as the
    general type has it.

    Attributes:
        fixed: see `GANType.fixed`.
        other_defaults: other defaults than those of the factors.
        candidates: another default search space than that of the factors, by hyperparameter.
        own: further hyperparameters, or factors declared in another way.
    """

    name = "gan"
    summary = "any GAN: loss, normalisation, penalty, networks and all else are hyperparameters"
    other_defaults: ClassVar[Mapping[str, Value]] = {}
    candidates: ClassVar[Mapping[str, tuple[Value, ...]]] = {}
    own: ClassVar[tuple[Hyperparameter, ...]] = ()
    _misplaced: ClassVar[tuple[str, ...]] = ()  # attributes that say what `fixed` or `own` should
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
            return f"{name} is an attribute of its class; put what it says into {place}"
        known = {h.name: h for h in (*FACTORS, *cls.own)}
        for name in (*cls.fixed, *cls.other_defaults, *cls.candidates):
            if name not in known:
                return f"{name!r} is no factor; {suggestion(name, known)}"
        several = [*cls.candidates.items(), *((n, (v,)) for n, v in cls.other_defaults.items())]
        # A loss may be one's own.
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
        # What has no meaning is in no conflict; most often there is none, which is told sooner.
        if not factors.conflict({**cls.fixed, **values}):
            return ""
        return factors.conflict(cls._present(values))

    @classmethod
    @override
    def doubt(cls, values: Mapping[str, Value]) -> str:
        return factors.doubt(cls._present(values))

    @classmethod
    def _present(cls, values: Mapping[str, Value]) -> dict[str, Value]:
        """All factors, fixed ones too, that have a meaning beside the others."""
        all_ = {**cls.fixed, **values}
        declared = {h.name: h for h in (*FACTORS, *cls.own)}
        return {n: v for n, v in all_.items() if met(conditions(declared[n], declared), all_)}
