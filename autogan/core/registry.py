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

_LONGEST_NAME = 100  # of which a part's name is looked for
_FEW_NAMES = 30  # which are all shown even where one of them is near


class Part(ABC):
    """What every registered class declares about itself."""

    name: ClassVar[str]
    summary: ClassVar[str]

    @classmethod
    def fault(cls) -> str:
        """What is wrong with the class's declarations, in words; empty if nothing is."""
        return ""


T = TypeVar("T", bound=Part)
C = TypeVar("C")


class Registry(Generic[T]):
    """Classes of one kind by name, in the order in which they were registered.

    Beside those of AutoGAN itself it knows the classes that other packages declare as entry points
    of the group ``autogan.<field>``, and any class that is named as ``package.module:Name``.

    Args:
        field: the configuration key under which users name such a part, such as ``gan_type``.
        base: the class that every registered class must derive from.

    Attributes:
        base: likewise.
    """

    def __init__(self, field: str, base: type[Any]) -> None:
        self._field = field
        self.base = base
        self._parts: dict[str, type[T]] = {}

    def register(self, part: type[T]) -> type[T]:
        """Add a class under its ``name``; usable as a decorator.

        Raises:
            TypeError: if it does not derive from the registry's base class.
            ValueError: if the name is taken.
        """
        if not (isinstance(part, type) and issubclass(part, self.base)):
            raise TypeError(f"{part!r} does not derive from {self.base.__name__}")
        if part.name in self._parts:
            raise ValueError(f"{self._field} {part.name!r} is registered already")
        self._parts[part.name] = part
        return part

    def key(self, name: str) -> str:
        """The name as it should be kept: dashes count as underscores.

        Raises:
            ConfigError: see `get`.
        """
        self.get(name)
        return name if ":" in name else name.replace("-", "_")

    def get(self, name: str) -> type[T]:
        """Return the class registered as ``name``, or the one at ``package.module:Name``.

        Raises:
            ConfigError: if there is none, with the nearest name and all known ones, or if what is
                there is no such part.
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
        """All names, without those of one's own by ``package.module:Name``."""
        return (*self._parts, *self._entry_points)

    def __iter__(self) -> Iterator[type[T]]:
        """All parts that can be had; one that cannot says why when it is asked for."""
        for name in self.names():
            with contextlib.suppress(ConfigError):
                yield self.get(name)

    @cached_property
    def _entry_points(self) -> dict[str, str]:
        """Where other packages' parts are, by name; none may take a name of ours or of another."""
        places: dict[str, str] = {}
        for point in importlib.metadata.entry_points(group=f"autogan.{self._field}"):
            name = point.name.replace("-", "_")
            if name not in self._parts:
                places.setdefault(name, point.value)
        return places

    def _checked(self, name: str, place: str) -> type[T]:
        """Import a part and check what can be checked without using it."""
        part: type[T] = imported(self._field, place, self.base)
        for attribute in ("name", "summary"):
            if not isinstance(getattr(part, attribute, None), str):
                raise ConfigError(self._field, f"{name!r} has no {attribute}; give it a text")
        if part.name in self._parts:
            raise ConfigError(
                self._field, f"{name!r} calls itself {part.name!r}, which is taken; rename it"
            )
        if part.name != name and ":" not in name:
            raise ConfigError(
                self._field, f"the entry point {name!r} holds {part.name!r}; let both be the same"
            )
        missing = sorted(getattr(part, "__abstractmethods__", ()))
        fault = f"it has no {missing[0]}" if missing else part.fault()
        if fault:
            raise ConfigError(self._field, f"{name!r}: {fault}")
        return part


def imported(field: str, name: str, base: type[C]) -> type[C]:
    """The class that a user calls ``package.module:Name``.

    Args:
        field: the configuration key that names it.
        name: where it is.
        base: the class that it must derive from.

    Raises:
        ConfigError: if it cannot be imported, or is something else.
    """
    module, _, attribute = name.partition(":")
    try:
        part = getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # a program is no module
        raise ConfigError(
            field,
            f"{name!r} cannot be imported ({type(error).__name__}: {error}); modules are looked "
            "for in plugin_dirs, and of names in flags in the working folder",
        ) from error
    if not (isinstance(part, type) and issubclass(part, base)):
        raise ConfigError(field, f"{name!r} does not derive from {base.__module__}.{base.__name__}")
    return part


def suggestion(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, if one is near, and all of them unless they are very many."""
    names = sorted(known)
    near = difflib.get_close_matches(name[:_LONGEST_NAME], names, n=1, cutoff=0.5)
    near = [n for n in names if "".join(word[:1] for word in n.split("_")) == name] or near
    hint = f"did you mean {near[0]!r}?" if near else ""
    if near and len(names) > _FEW_NAMES:
        return hint
    return f"{hint} known: {', '.join(names)}".lstrip()
