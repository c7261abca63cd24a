"""The space of a search, from what a GAN type declares and what the user gives."""

import dataclasses
import random
from collections.abc import Callable, Mapping
from typing import Any

from autogan.config.grammar import named
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Dimension, Value, met
from autogan.models import GANType
from autogan.search import SearchMethod, Space
from autogan.search.space import Point

Settings = Mapping[str, Value | Dimension]
"""Each given hyperparameter: a fixed value, or what is searched."""


def space_of(
    gan: type[GANType], settings: Settings, forbidden: Callable[[Point], bool] | None
) -> Space:
    """What is searched: the given candidates, or the GAN type's default space without any."""
    given = [setting for setting in settings.values() if isinstance(setting, Dimension)]
    free = [h for h in gan.hyperparameters if h.search and h.name not in settings]
    default = [Dimension(h, h.search) for h in free]
    dimensions = {d.name: d for d in given or default}
    fixed = {**gan.defaults(), **settings}
    if not given:
        dimensions = {
            name: d for name, d in dimensions.items() if not unmet(gan, d, dimensions, fixed)
        }
    # What is fixed holds for every point: the rest of the conditions are the space's.
    return Space(
        tuple(
            dataclasses.replace(
                d,
                hyperparameter=dataclasses.replace(
                    d.hyperparameter,
                    under={n: v for n, v in gan.conditions()[d.name].items() if n in dimensions},
                ),
            )
            for d in dimensions.values()
        ),
        forbidden,
    )


def unmet(
    gan: type[GANType],
    dimension: Dimension,
    searched: Mapping[str, Dimension],
    fixed: Mapping[str, Value | Dimension],
) -> str:
    """Why a dimension has no meaning at any point of a space; empty if it has one."""
    for name, values in gan.conditions()[dimension.name].items():
        candidates = searched[name].candidates if name in searched else (fixed[name],)
        if not any(candidate in values for candidate in candidates):
            there = " or ".join(map(str, candidates))
            return f"{name} {there}: it has a meaning under {name} {' or '.join(values)} alone"
    return ""


def check_space(
    gan: type[GANType],
    method: SearchMethod,
    space: Space,
    params: Mapping[str, Any],
    fixed: Mapping[str, Value],
    conflict: Callable[[Point], str],
) -> None:
    """Refuse a space in which a method cannot search.

    Args:
        gan: the GAN type.
        method: that is to search it.
        space: see `space_of`.
        params: as the user gave them.
        fixed: all hyperparameters outside the space.
        conflict: why a point cannot be; empty if it can.

    Raises:
        ConfigError: naming the hyperparameter, its value and what would be right.
    """
    if not space.dimensions:
        raise ConfigError(
            "params",
            f"{', '.join(params)} are fixed, and with them all of {gan.name}'s default space; give "
            "one of them several values, or use autogan train",
        )
    searched = {dimension.name: dimension for dimension in space.dimensions}
    for name, dimension in searched.items():
        if reason := unmet(gan, dimension, searched, fixed):
            raise ConfigError(name, f"{params[name]} with {reason}; leave it out")
        if method.needs_lists and dimension.range:
            raise ConfigError(
                name,
                f"{dimension.range} is a range, and {method.name} needs a list; give values, or "
                "use --search-method random",
            )
    if space.draw(random.Random(0), set()) is None:
        point = Space(space.dimensions).draw(random.Random(0), set()) or {}
        given = {name: fixed[name] for name in params if name in fixed}
        raise ConfigError(
            "params",
            f"no point of the space can be, such as {named({**given, **point})}: {conflict(point)}",
        )


def useless(gan: type[GANType], params: Mapping[str, Any], fixed: Mapping[str, Value]) -> list[str]:
    """A line for each fixed value that the user gave and that has no meaning beside the others."""
    return [
        f"{name} {fixed[name]} does nothing: it has a meaning under "
        + ", and ".join(f"{n} {' or '.join(v)}" for n, v in gan.conditions()[name].items())
        for name in params
        if name in fixed
        and fixed[name] != gan.defaults()[name]
        and not met(gan.conditions()[name], fixed)
    ]
