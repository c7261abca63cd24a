"""One registry for the four kinds of parts: GAN types, datasets, criteria and search methods."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from autogan.errors import ConfigError


class Part(Protocol):
    """What every registered class declares about itself."""

    name: ClassVar[str]
    summary: ClassVar[str]


T = TypeVar("T", bound=Part)


class Registry(Generic[T]):
    """Classes of one kind by name, in the order in which they were registered.

    Args:
        field: the configuration key under which users name such a part, such as ``gan_type``.
        base: the class that every registered class must derive from.
    """

    def __init__(self, field: str, base: type[Any]) -> None:
        self._field = field
        self._base = base
        self._parts: dict[str, type[T]] = {}

    def register(self, part: type[T]) -> type[T]:
        """Add a class under its ``name``; usable as a decorator.

        Raises:
            TypeError: if it does not derive from the registry's base class.
            ValueError: if the name is taken.
        """
        if not (isinstance(part, type) and issubclass(part, self._base)):
            raise TypeError(f"{part!r} does not derive from {self._base.__name__}")
        if part.name in self._parts:
            raise ValueError(f"{self._field} {part.name!r} is registered already")
        self._parts[part.name] = part
        return part

    def get(self, name: str) -> type[T]:
        """Return the class registered as ``name``; dashes count as underscores.

        Raises:
            ConfigError: if there is none, with the nearest name and all known ones.
        """
        part = self._parts.get(name.replace("-", "_"))
        if part is None:
            known = suggestion(name, self._parts)
            raise ConfigError(self._field, f"{name!r} is not known; {known}")
        return part

    def names(self) -> tuple[str, ...]:
        """All registered names."""
        return tuple(self._parts)

    def __iter__(self) -> Iterator[type[T]]:
        return iter(self._parts.values())


def suggestion(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, if one is near, and then all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known: {', '.join(names)}"
