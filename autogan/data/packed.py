"""Labels in the format of StyleGAN's dataset tool: dataset.json next to the images."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from autogan.core.errors import ConfigError, one_line
from autogan.core.files import contents
from autogan.core.text import counted

LABELS = "dataset.json"

_MOST_BYTES = 2**29
_SHOWN = 3  # files to name in an error

Form = Literal["labels", "none", "other"]


def read_labels(path: Path, files: Sequence[str]) -> tuple[Form, tuple[int, ...] | None]:
    """Read ``{"labels": [[name, number], ...]}``; names are paths below the file's folder.

    Args:
        path: of dataset.json.
        files: names of the images below its folder, with slashes.

    Returns:
        ``labels`` and the labels of the files, in their order; or None with ``none``, if the file
        says that there are no labels (null), or with ``other``, if it is another kind of file.

    Raises:
        ConfigError: if it is damaged, or does not give one whole number for each image.
    """
    held = _read(path)
    if not isinstance(held, dict) or "labels" not in held:
        return "other", None
    given = held["labels"]
    if given is None or given == []:
        return "none", None
    if not isinstance(given, list):
        raise _broken(path, "labels is not a list of [name, number]")
    known = _numbered(path, given)
    lacking = [name for name in files if name not in known]
    if lacking:
        raise _broken(path, f"it has no label for {_some(lacking)}")
    there = set(files)
    gone = [name for name in known if name not in there]
    if gone:
        raise _broken(path, f"it has labels for {_some(gone)} that do not exist")
    return "labels", tuple(known[name] for name in files)


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _broken(path, f"it has more than {_MOST_BYTES >> 20} MB")
        return json.loads(contents(path))
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(path, one_line(error)) from error


def _numbered(path: Path, given: list[Any]) -> dict[str, int]:
    """The number of each name.

    Raises:
        ConfigError: if an entry is not a name and a whole number, or a name has two numbers.
    """
    known: dict[str, int] = {}
    for entry in given:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
            raise _broken(path, f"{_short(entry)} is not [name, number]")
        name, number = entry
        if type(number) is not int or number < 0:
            raise _broken(path, f"{_short(name)} has the label {_short(number)}")
        if known.setdefault(name, number) != number:
            raise _broken(path, f"{_short(name)} has the labels {known[name]} and {number}")
    return known


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except RecursionError:
        text = "[[..."
    return text if len(text) <= 60 else f"{text[:57]}..."


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(_short, names[:_SHOWN]))
    return f"{counted(len(names), 'file')} ({shown}{', ...' if len(names) > _SHOWN else ''})"


def _broken(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        "dataset",
        f"{path}: {problem}; give each image one whole number from 0, as in "
        '{"labels": [["00000/img00000000.png", 6]]}, or remove the file',
    )
