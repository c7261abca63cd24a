"""The space of a search, from what a GAN type declares and what the user gives."""

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


def enqueued(
    points: Sequence[Mapping[str, Any]], space: Space, conflict: Callable[[Point], str]
) -> tuple[dict[str, Value], ...]:
    """The points to try first, with a value for every dimension that exists there.

    Args:
        points: as they are given; what is left out takes its default.
        space: that is searched.
        conflict: says why a point cannot be.

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
            whole = {
                d.name: d.hyperparameter.check(given.get(d.name, defaults[d.name]))
                for d in space.dimensions
            }
        except ValueError as error:
            raise ConfigError("enqueue", str(error)) from None
        point = space.existing(whole)
        if problem := conflict(point):
            raise ConfigError("enqueue", f"{named(point)}: {problem}")
        checked.append(point)
    return tuple(checked)


def check_inside(space: Space, point: Point) -> None:
    """Refuse a point of the user's own that lies out of a range that is searched.

    Raises:
        ConfigError: naming the hyperparameter, its value and its range.
    """
    for dimension in space.dimensions:
        interval, value = dimension.under(point).range, point.get(dimension.name)
        if interval and value is not None and not interval.low <= float(value) <= interval.high:
            raise ConfigError(
                "enqueue",
                f"{dimension.name} {value} lies out of its range {interval}; give a value inside, "
                "or widen the range",
            )


def remarks(
    method: SearchMethod, space: Space, trials: int | None, own: Sequence[Point], learns: bool
) -> list[str]:
    """A line for each thing in which a search is less than it seems.

    Args:
        method: that searches the space.
        space: see `space_of`.
        trials: how many there will be, if that is known.
        own: the user's own points.
        learns: whether the method sees an earlier search.
    """
    told = []
    for point in own:
        beyond = "" if method.learns_from(space, point) else f", and {method.name} learns nothing"
        for d in space.dimensions:
            if d.name in point and d.candidates and point[d.name] not in d.candidates:
                told.append(
                    f"{d.name} {point[d.name]} of your own point is none of the candidates "
                    f"{', '.join(map(str, d.candidates))}: it is tried{beyond}"
                )
    drawn = method.drawn_first(space)
    size = space.size()
    if trials is not None and not learns and trials <= drawn and (size is None or size > trials):
        told.append(
            f"{method.name} draws its first {drawn} trials at random: of {trials} it chooses none; "
            "give it more trials, or take random"
        )
    return told
