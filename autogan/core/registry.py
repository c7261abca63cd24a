"""One registry for the four kinds of parts: GAN types, datasets, criteria and search methods."""

import contextlib
import difflib
import importlib
import importlib.metadata
from abc import ABC
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from autogan.core.errors import ConfigError

_LONGEST_NAME = 100  # characters compared with known names
_FEW_NAMES = 30  # up to this many, list all names even if one of them is near


class Part(ABC):
    """The declarations of every registered class."""

    name: ClassVar[str]
    summary: ClassVar[str]

    @classmethod
    def fault(cls) -> str:
        """The error in the class's declarations, in words; empty if there is none."""
        return ""


T = TypeVar("T", bound=Part)
C = TypeVar("C")


class Registry(Generic[T]):
    """Classes of one kind by name, in order of registration.

    Besides AutoGAN's own classes it knows those that other packages declare as entry points of the
    group ``autogan.<field>``, and any class named as ``package.module:Name``.

    Args:
        field: the configuration key that names such a part, such as ``gan_type``.
        base: the class that every registered class must derive from.

    Attributes:
        base: the argument.
    """

    def __init__(self, field: str, base: type[Any]) -> None:
        self._field = field
        self.base = base
        self._parts: dict[str, type[T]] = {}

    def register(self, part: type[T]) -> type[T]:
        """Add a class under its ``name``; usable as a decorator.

        Raises:
            TypeError: if the class does not derive from the registry's base class.
            ValueError: if the name is taken.
        """
        if not (isinstance(part, type) and issubclass(part, self.base)):
            raise TypeError(f"{part!r} does not derive from {self.base.__name__}")
        if part.name in self._parts:
            raise ValueError(f"{self._field} {part.name!r} is registered already")
        self._parts[part.name] = part
        return part

    def key(self, name: str) -> str:
        """The name in its canonical form: dashes become underscores.

        Raises:
            ConfigError: see `get`.
        """
        self.get(name)
        return name if ":" in name else name.replace("-", "_")

    def get(self, name: str) -> type[T]:
        """Return the class registered as ``name``, or the one at ``package.module:Name``.

        Raises:
            ConfigError: if there is none, with the nearest name and all known ones; or if it is
                not such a part.
        """
        known = name.replace("-", "_")
        if known in self._parts:
            return self._parts[known]
        if known in self._entry_points:
            return self._checked(known, self._entry_points[known])
        if ":" in name:
            return self._checked(name, name)
        raise ConfigError(self._field, f"{name!r} is not known; {suggestion(name, self.names())}")

    def names(self) -> tuple[str, ...]:
        """All names, except those of the form ``package.module:Name``."""
        return (*self._parts, *self._entry_points)

    def __iter__(self) -> Iterator[type[T]]:
        """All parts that can be imported; `get` says why another one cannot."""
        for name in self.names():
            with contextlib.suppress(ConfigError):
                yield self.get(name)

    @cached_property
    def _entry_points(self) -> dict[str, str]:
        """The places of other packages' parts, by name; AutoGAN's own names and the first win."""
        places: dict[str, str] = {}
        for point in importlib.metadata.entry_points(group=f"autogan.{self._field}"):
            name = point.name.replace("-", "_")
            if name not in self._parts:
                places.setdefault(name, point.value)
        return places

    def _checked(self, name: str, place: str) -> type[T]:
        """Import a part and check its declarations."""
        part: type[T] = imported(self._field, place, self.base)
        for attribute in ("name", "summary"):
            if not isinstance(getattr(part, attribute, None), str):
                raise ConfigError(self._field, f"{name!r} has no {attribute}; give it a text")
        if part.name in self._parts:
            raise ConfigError(
                self._field, f"{name!r} is called {part.name!r}, which is taken; rename it"
            )
        if part.name != name and ":" not in name:
            raise ConfigError(
                self._field,
                f"the entry point {name!r} leads to a part called {part.name!r}; use one name",
            )
        missing = sorted(getattr(part, "__abstractmethods__", ()))
        fault = f"it has no {missing[0]}" if missing else part.fault()
        if fault:
            raise ConfigError(self._field, f"{name!r}: {fault}")
        return part


def imported(field: str, name: str, base: type[C]) -> type[C]:
    """The class at ``package.module:Name``.

    Args:
        field: the configuration key that names it.
        name: its module and name.
        base: the class that it must derive from.

    Raises:
        ConfigError: if it cannot be imported, or does not derive from ``base``.
    """
    module, _, attribute = name.partition(":")
    try:
        part = getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # a script may exit
        raise ConfigError(
            field,
            f"{name!r} cannot be imported ({type(error).__name__}: {error}); modules are searched "
            "in plugin_dirs, and in the working folder for names in flags",
        ) from error
    if not (isinstance(part, type) and issubclass(part, base)):
        raise ConfigError(field, f"{name!r} does not derive from {base.__module__}.{base.__name__}")
    return part


def suggestion(name: str, known: Iterable[str]) -> str:
    """The nearest known name, if one is near, and all known names unless there are too many."""
    names = sorted(known)
    near = difflib.get_close_matches(name[:_LONGEST_NAME], names, n=1, cutoff=0.5)
    near = [n for n in names if "".join(word[:1] for word in n.split("_")) == name] or near
    hint = f"did you mean {near[0]!r}?" if near else ""
    if near and len(names) > _FEW_NAMES:
        return hint
    return f"{hint} known: {', '.join(names)}".lstrip()
