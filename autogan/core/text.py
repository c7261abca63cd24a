"""Checks of users' values and paths that do not depend on their meaning."""

import datetime
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from autogan.core.errors import ConfigError

T = TypeVar("T")

_BAD = re.compile("[\0\ud800-\udfff]")  # neither UTF-8 nor file names can hold these
_MAX_COMPONENT = 255  # bytes; file systems allow no more
_MAX_PATH = 3500  # bytes; Linux allows 4,096, and a run adds long file names below a folder
_MAX_BITS = 63  # of a whole number
_LONGEST_NAME = 100  # bytes of a dataset's name in the name of a folder
_PLACED = ("folder", "file")  # datasets that are named by their path
_MAX_VALUES, _MAX_DEPTH = 10_000, 20  # number and depth of the values under one key


def read_path(field: str, text: str) -> Path:
    """A path as the user wrote it, with ``~`` expanded.

    Raises:
        ConfigError: if no file can have that name.
    """
    check_text(field, text)
    if not text:
        raise ConfigError(
            field, "'' is not a path; leave it out, or write . for the current folder"
        )
    try:
        path = Path(text).expanduser()
        whole = os.fsencode(os.path.abspath(path))
    except (RuntimeError, OSError) as error:
        raise ConfigError(field, f"{text}: {error}; give a full path") from None
    if len(whole) > _MAX_PATH or any(len(os.fsencode(p)) > _MAX_COMPONENT for p in path.parts):
        raise ConfigError(field, f"{text[:40]}... is {len(whole)} bytes long; give a shorter path")
    return path


def check_text(field: str, text: str) -> None:
    """Refuse text that a file cannot hold.

    Raises:
        ConfigError: naming the field.
    """
    bad = _BAD.search(text)
    if bad is not None:
        raise ConfigError(field, f"{text[:40]!r} holds the character {bad[0]!r}; leave it out")


def check_plain(field: str, value: object) -> None:
    """Refuse anything but plain values: numbers, text, lists and mappings of a usual size.

    YAML has more kinds of values, and its aliases can make a value contain itself, or a billion
    copies of another. After this check, code may walk through a value and print it.

    Raises:
        ConfigError: naming the field.
    """
    left, count = [(value, 1)], 0
    while left:
        part, depth = left.pop()
        count += 1
        if isinstance(part, str):
            count += len(part) // 100  # a copy of a long text counts as well
            check_text(field, part)
        elif isinstance(part, datetime.date | datetime.time):  # a datetime is a date
            raise ConfigError(field, f"{part} is read as a date; write it in quotes: '{part}'")
        elif isinstance(part, bytes | bytearray | memoryview):
            raise ConfigError(field, f"{bytes(part[:40])!r} is binary; give text or a number")
        elif isinstance(part, int) and part.bit_length() > _MAX_BITS:
            raise ConfigError(
                field, f"an integer of {part.bit_length()} bits is too large; give a smaller one"
            )
        elif isinstance(part, Mapping | list | tuple | set | frozenset):
            inner = [*part, *part.values()] if isinstance(part, Mapping) else part
            left.extend((p, depth + 1) for p in inner)
        if depth > _MAX_DEPTH:
            raise ConfigError(field, "is nested too deeply; give a value or a list of values")
        if count > _MAX_VALUES or len(left) > _MAX_VALUES:
            raise ConfigError(
                field, f"holds more than {_MAX_VALUES} values; give fewer, or a range LOW..HIGH"
            )


def checked(field: str, given: T, kind: type[Any]) -> T:
    """Return an object that has all public methods of a class.

    Raises:
        ConfigError: naming the first method that it lacks.
    """
    for name in vars(kind):
        if not name.startswith("_") and not callable(getattr(given, name, None)):
            raise ConfigError(field, f"{given!r} has no {name}; give a {kind.__name__}, or nothing")
    return given


def listed(names: str | Sequence[int | str]) -> list[Any]:
    """Names from a list or a text with commas; without any, one empty name, which nothing has."""
    given = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
    return [name for name in given if name != ""] or [""]


def dataset_path(dataset: str) -> tuple[str, str] | None:
    """The kind and the path of a dataset that is named by its path, as ``folder:PATH``."""
    kind, _, path = dataset.partition(":")
    return (kind, path) if kind in _PLACED or (kind == "hf" and is_path(path)) else None


def is_path(text: str) -> bool:
    """Whether a text that may also be a name is a path: from the root, from here, or from home."""
    return text.startswith(("/", "./", "../", "~"))


def short_name(dataset: str) -> str:
    """``cats`` for ``folder:pictures/cats``, ``celeb_a-2.1.0`` for ``tfds:celeb_a:2.1.0``."""
    name = dataset.partition(":")[2] or dataset
    last = name.rstrip("/").rsplit("/", 1)[-1].replace(":", "-")
    return os.fsencode(last)[:_LONGEST_NAME].decode(errors="ignore")


def natural(name: str) -> tuple[float, str]:
    """A key by which numbers sort in their own order, before all names."""
    return (int(name) if name.isdecimal() else math.inf, name)


def counted(count: int, noun: str, several: str | None = None) -> str:
    """``1 file``, ``22,000 files``; ``several`` is the plural if it is not ``noun`` plus s."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"
