"""The search space, from a GAN type's declarations and the user's settings."""

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autogan.config.grammar import named
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Dimension, Value, met
from autogan.core.registry import suggestion
from autogan.models import GANType
from autogan.search import SearchMethod, Space
from autogan.search.space import Point

Settings = Mapping[str, Value | Dimension]
"""Each given hyperparameter: a fixed value, or a dimension to search."""


def space_of(
    gan: type[GANType], settings: Settings, forbidden: Callable[[Point], bool] | None
) -> Space:
    """The search space: the given candidates, or the GAN type's default space."""
    given = [setting for setting in settings.values() if isinstance(setting, Dimension)]
    free = [h for h in gan.hyperparameters if h.search and h.name not in settings]
    default = [Dimension(h, h.search) for h in free]
    dimensions = {d.name: d for d in given or default}
    fixed = {**gan.defaults(), **settings}
    if not given:
        dimensions = {
            name: d for name, d in dimensions.items() if not unmet(gan, d, dimensions, fixed)
        }
    # Fixed values are the same for every point, so only searched ones stay as conditions.
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
    """The reason why a dimension applies at no point of a space; empty if it applies."""
    for name, values in gan.conditions()[dimension.name].items():
        candidates = searched[name].candidates if name in searched else (fixed[name],)
        if not any(candidate in values for candidate in candidates):
            there = " or ".join(map(str, candidates))
            return f"{name} {there}: it applies only with {name} {' or '.join(values)}"
    return ""


def check_space(
    gan: type[GANType],
    method: SearchMethod,
    space: Space,
    params: Mapping[str, Any],
    fixed: Mapping[str, Value],
    conflict: Callable[[Point], str],
) -> None:
    """Refuse a space that a method cannot search.

    Args:
        gan: the GAN type.
        method: the search method.
        space: see `space_of`.
        params: as the user gave them.
        fixed: all hyperparameters outside the space.
        conflict: the reason why a point is invalid; empty if it is valid.

    Raises:
        ConfigError: naming the hyperparameter, its value and the remedy.
    """
    if not space.dimensions:
        raise ConfigError(
            "params",
            f"{', '.join(params)}: each has one value, and {gan.name}'s default space has nothing "
            "else to search; give one of them several values, or use autogan train",
        )
    searched = {dimension.name: dimension for dimension in space.dimensions}
    for name, dimension in searched.items():
        if reason := unmet(gan, dimension, searched, fixed):
            raise ConfigError(name, f"{params[name]} with {reason}; leave it out")
        if method.needs_lists and dimension.range:
            raise ConfigError(
                name,
                f"{dimension.range} is a range, but {method.name} needs a list; give values, or "
                "use --search-method random",
            )
    if space.draw(random.Random(0), set()) is None:
        point = Space(space.dimensions).draw(random.Random(0), set()) or {}
        given = {name: fixed[name] for name in params if name in fixed}
        raise ConfigError(
            "params",
            "the search space is empty: every combination is invalid, for example "
            f"{named({**given, **point})}: {conflict(point)}",
        )


def useless(gan: type[GANType], params: Mapping[str, Any], fixed: Mapping[str, Value]) -> list[str]:
    """A line for each fixed value of the user's that does not apply under the others."""
    return [
        f"{name} {fixed[name]} does nothing: it applies only with "
        + " and ".join(f"{n} {' or '.join(v)}" for n, v in gan.conditions()[name].items())
        for name in params
        if name in fixed
        and fixed[name] != gan.defaults()[name]
        and not met(gan.conditions()[name], fixed)
    ]


def enqueued(
    points: Sequence[Mapping[str, Any]], space: Space, conflict: Callable[[Point], str]
) -> tuple[dict[str, Value], ...]:
    """The points to try first, with a value for every dimension that applies.

    Args:
        points: as given; hyperparameters that are left out take their defaults, moved into ranges.
        space: the search space.
        conflict: returns the reason why a point is invalid.

    Raises:
        ConfigError: if one has another hyperparameter, or a value out of its limits.
    """
    defaults = {d.name: d.hyperparameter.default for d in space.dimensions}
    checked = []
    for given in points:
        for name in given:
            if name not in defaults:
                raise ConfigError(
                    "enqueue", f"{name!r} is not searched; {suggestion(name, defaults)}"
                )
        try:
            own = {d.name: d.hyperparameter.check(given[d.name])
                   for d in space.dimensions if d.name in given}  # fmt: skip
        except ValueError as error:
            raise ConfigError("enqueue", str(error)) from None
        near = space.nearest({**defaults, **own})
        moved = {d.name: near[d.name] for d in space.dimensions if d.range and d.name in near}
        whole = {**defaults, **moved, **own}
        point = space.existing(whole)
        if problem := conflict(point):
            raise ConfigError("enqueue", f"{named(point)}: {problem}")
        checked.append(point)
    return tuple(checked)


def check_inside(space: Space, point: Point) -> None:
    """Refuse an enqueued point outside of a searched range.

    Raises:
        ConfigError: naming the hyperparameter, its value and its range.
    """
    for dimension in space.dimensions:
        interval, value = dimension.under(point).range, point.get(dimension.name)
        if interval and value is not None and not interval.low <= float(value) <= interval.high:
            raise ConfigError(
                "enqueue",
                f"{dimension.name} {value} is outside its range {interval}; give a value inside, "
                "or widen the range",
            )


def remarks(
    method: SearchMethod, space: Space, trials: int | None, own: Sequence[Point], learns: bool
) -> list[str]:
    """A line for each respect in which a search does less than it seems to.

    Args:
        method: the search method.
        space: see `space_of`.
        trials: their number, if it is known.
        own: the enqueued points.
        learns: whether the method learns from an earlier search.
    """
    said = []
    for point in own:
        beyond = (
            ""
            if method.learns_from(space, point)
            else f", but {method.name} does not learn from it"
        )
        for d in space.dimensions:
            if d.name in point and d.candidates and point[d.name] not in d.candidates:
                said.append(
                    f"{d.name} {point[d.name]} of an enqueued point is not one of the candidates "
                    f"{', '.join(map(str, d.candidates))}: it is tried{beyond}"
                )
    drawn = method.drawn_first(space)
    size = space.size()
    if trials is not None and not learns and trials <= drawn and (size is None or size > trials):
        said.append(
            f"{method.name} draws its first {drawn} trials at random: with {trials} it chooses "
            "none; give more trials, or use random"
        )
    return said
