"""The keys that say how images are scored."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import field_validator

from autogan.config.grammar import read_ranges
from autogan.config.images import ImageKeys
from autogan.config.keys import key
from autogan.core.errors import ConfigError
from autogan.core.text import read_path
from autogan.criteria import CRITERIA, Criterion, Limit, Objective, limits_of

_LONGEST_SUM = 1000  # characters of a sum of criteria


class ScoringKeys(ImageKeys):
    """The keys of a configuration that decide how generated images are scored."""

    is_search: ClassVar[bool] = False

    criterion: Annotated[
        str,
        key("criteria",
            "criterion that decides, or a weighted sum such as 'is - 0.01*fid'; none trains without"
            " scores; see: autogan list criteria", common=True),
    ] = "fid"  # fmt: skip
    normalise: Annotated[
        Literal["history"] | dict[str, tuple[float, float]] | None,
        key("criteria",
            "scale the terms of a sum to [0, 1]: by history, the values seen so far, or by ranges: "
            "is=1..10,fid=0..400"),
    ] = None  # fmt: skip
    constraint: Annotated[
        str | None,
        key("criteria", "ignore evaluations that violate this, such as 'authenticity>0.3'"),
    ] = None
    also: Annotated[list[str], key("criteria", "further criteria to record", common=True)] = []  # noqa: RUF012
    features: Annotated[
        str | None,
        key("criteria",
            "feature network: inception, efficientnet (an extra), classifier (trained on the "
            "labels), random (untrained) or the path of a SavedModel [inception; efficientnet if "
            "only that is installed; digits: classifier]", common=True),
    ] = None  # fmt: skip
    eval_samples: Annotated[int, key("criteria", "most real images to compare with", ge=2)] = 10_000
    generated: Annotated[
        int | None,
        key("criteria", "number of images to generate [as many as real ones]", ge=2, le=10**6),
    ] = None
    reference_statistics: Annotated[
        Path | None,
        key("criteria",
            "compare with the mean and covariance in this .npz (pytorch-fid, clean-fid, ADM, "
            "autogan statistics) instead of the dataset's"),
    ] = None  # fmt: skip
    reference_split: Annotated[
        Literal["train", "test"], key("criteria", "real images to compare with: train or test")
    ] = "train"

    @field_validator("criterion", mode="before")
    @classmethod
    def _weighted(cls, value: Any) -> Any:
        if isinstance(value, list):
            return ",".join(map(str, value))
        return Objective.text_of(value, CRITERIA) if isinstance(value, dict) else value

    @field_validator("criterion")
    @classmethod
    def _known_criterion(cls, text: str) -> str:
        if len(text) > _LONGEST_SUM:
            raise ConfigError(
                "criterion", f"{text[:40]}... is {len(text)} characters long; give fewer terms"
            )
        texts = text.split(",")
        if len(texts) > 1 and not cls.is_search:
            raise ConfigError(
                "criterion",
                f"{text!r} names several, but only a search can choose among several; let one "
                "decide and record the others with also, or weigh them: {is: 1, fid: 0.01}",
            )
        parsed = [Objective.parse(part, CRITERIA).text for part in texts]
        for part in parsed:
            if parsed.count(part) > 1:
                raise ConfigError("criterion", f"{text!r} names {part} twice; name it once")
        return ",".join(parsed)

    @field_validator("normalise", mode="before")
    @classmethod
    def _parse_ranges(cls, value: Any) -> Any:
        if isinstance(value, str):
            return value if value == "history" else read_ranges(value)
        for name, ends in value.items() if isinstance(value, Mapping) else ():
            if not (isinstance(ends, list | tuple) and len(ends) == 2):
                raise ConfigError("normalise", f"{name}: {ends} is not a range; give [LOW, HIGH]")
        return value

    @field_validator("constraint")
    @classmethod
    def _known_limits(cls, text: str | None) -> str | None:
        return None if text is None else ",".join(map(str, limits_of(text, CRITERIA)))

    @field_validator("also", mode="before")
    @classmethod
    def _split_names(cls, names: Any) -> Any:
        return [name for name in names.split(",") if name] if isinstance(names, str) else names

    @field_validator("also")
    @classmethod
    def _known_criteria(cls, names: list[str]) -> list[str]:
        return [CRITERIA.key(name) for name in names]

    @field_validator("features")
    @classmethod
    def _usable_features(cls, features: str | None) -> str | None:
        if features is not None:
            read_path("features", features)
        return features

    @cached_property
    def objective(self) -> Objective:
        """The objective of a training; not yet scaled if the history scales it."""
        objective = Objective.parse(self.criterion, CRITERIA).holding(self.limits)
        if self.normalise is None:
            return objective
        return objective.within({} if self.normalise == "history" else self.normalise)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits that an evaluation must satisfy to count."""
        return () if self.constraint is None else limits_of(self.constraint, CRITERIA)

    def deciding(self) -> list[str]:
        """The names of the criteria that take part in the decision."""
        return list(self.objective.weights)

    def criteria(self) -> dict[str, Criterion]:
        """All criteria to compute, the deciding ones first."""
        limited = [limit.name for limit in self.limits]
        names = dict.fromkeys([*self.deciding(), *limited, *self.also])
        return {name: CRITERIA.get(name)() for name in names}

    def weak_features(self) -> list[str]:
        """A line on features that say little about how good images are; empty if they say more."""
        looks = any(kind.looks_at_features for kind in self.criteria().values())
        if self.features != "random" or not looks:
            return []
        return [
            "features random: the network is untrained, so that values say little about how good "
            "images are; take them to try things out"
        ]

    def check_labels_differ(self) -> None:
        """Refuse two user-defined criteria with the same name.

        Raises:
            ConfigError: naming them.
        """
        names = [kind.name for kind in self.criteria().values()]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError("also", f"two criteria have the name {name!r}; rename one")
