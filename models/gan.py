"""The general GAN, of which the other types of adversarial training are presets."""

from collections.abc import Mapping
from typing import Any, ClassVar

from autogan.core.hyperparameters import Hyperparameter, Value
from autogan.core.registry import suggestion
from autogan.models import factors
from autogan.models.base import GANType
from autogan.models.factors import FACTORS, narrowed


class GAN(GANType):
    """Every factor is a hyperparameter; a subclass is a preset, which fixes some of them.

    Attributes:
        fixed: see `GANType.fixed`.
        preset: other defaults than the general type's.
        candidates: another default search space than the general type's, by hyperparameter.
        own: further hyperparameters, or those of the general type declared in another way.
    """

    name = "gan"
    summary = "any GAN: loss, normalisation, penalty, networks and all else are hyperparameters"
    preset: ClassVar[Mapping[str, Value]] = {}
    candidates: ClassVar[Mapping[str, tuple[Value, ...]]] = {}
    own: ClassVar[tuple[Hyperparameter, ...]] = ()
    hyperparameters = FACTORS

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = {h.name: h for h in cls.own}
        all_ = [own.pop(h.name, h) for h in FACTORS]
        cls.hyperparameters = narrowed(
            (*all_, *own.values()), cls.fixed, cls.preset, cls.candidates
        )

    @classmethod
    def fault(cls) -> str:
        """See `Part.fault`."""
        known = {h.name: h for h in (*FACTORS, *cls.own)}
        for name in (*cls.fixed, *cls.preset, *cls.candidates):
            if name not in known:
                return f"{name!r} is no factor; {suggestion(name, known)}"
        given = [(n, v) for n, v in cls.fixed.items() if n != "loss"]  # which may be one's own
        given += [*cls.preset.items(), *((n, v) for n in cls.candidates for v in cls.candidates[n])]
        for name, value in given:
            try:
                known[name].check(value)
            except ValueError as error:
                return f"{name}: {error}"
        return super().fault()

    @classmethod
    def conflict(cls, values: Mapping[str, Value]) -> str:
        """See `GANType.conflict`."""
        return factors.conflict({**cls.fixed, **cls.meaningful(values)})

    @classmethod
    def doubt(cls, values: Mapping[str, Value]) -> str:
        """See `GANType.doubt`."""
        return factors.doubt({**cls.fixed, **cls.meaningful(values)})
