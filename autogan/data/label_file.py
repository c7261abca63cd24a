"""Labels that the user lists in a CSV file: an image and its class on each line."""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from autogan.core.arrays import Labels
from autogan.core.errors import ConfigError, one_line, printable
from autogan.core.files import opened
from autogan.core.text import counted, natural

_MOST_BYTES = 2**29
_MOST_LINES = 5_000_000  # as many as an archive may hold files
_SHOWN = 5  # images of many
_LONGEST = 60  # letters of a line that are shown


def read_label_file(
    path: Path, there: Sequence[str], splits: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], list[Labels]]:
    """Read a CSV file of a header and a line for each image: its path, and its class.

    Args:
        path: of the file, UTF-8.
        there: the paths of all images below the dataset's root, with slashes.
        splits: the paths of the images of each split; of the others no line is needed.

    Returns:
        The names of the classes, sorted as those of sub-folders; and of each split the labels,
        int64 [N] in 0..K-1.

    Raises:
        ConfigError: naming the line that is wrong, images without a line and lines without an
            image, or the class that has no training image.
    """
    try:
        classes = _read(path, _Names(there), splits)
    except (OSError, ValueError, csv.Error) as error:
        raise _broken(path, f"it cannot be read ({one_line(error)})", "save it anew") from error
    return _numbered(path, classes, splits)


def _read(path: Path, names: "_Names", splits: Sequence[Sequence[str]]) -> dict[str, str]:
    """The class of each image that has a line, by its path."""
    classes: dict[str, str] = {}
    unknown: list[str] = []
    with opened(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        if os.fstat(file.fileno()).st_size > _MOST_BYTES:
            raise _broken(path, f"it has more than {_MOST_BYTES >> 20} MB", "give a smaller one")
        rows = _rows(path, text)
        _check_header(path, next(rows, (1, []))[1], names)
        for line, row in rows:
            if len(row) != 2 or not row[1].strip():
                raise _broken(path, f"line {line} holds {_short(row)}", "give an image and a class")
            image = names.path(row[0])
            if image is None:
                unknown.append(row[0])
            elif image in classes:
                raise _broken(path, f"line {line} names {row[0]} again", "keep one line for it")
            else:
                classes[image] = printable(row[1].strip())
    lacking = [image for split in splits for image in split if image not in classes]
    _check_complete(path, lacking, unknown)
    return classes


class _Names:
    """The images by the names that a line may give them.

    Args:
        paths: of the images below the root.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = frozenset(paths)
        self._bare: dict[str, str | None] = {}  # None where several images have the name
        for path in paths:
            name = path.rpartition("/")[2]
            self._bare[name] = None if name in self._bare else path

    def path(self, name: str) -> str | None:
        """The path of the image of a name; None if there is none, or several."""
        name = name.removeprefix("./")
        return name if name in self._paths else self._bare.get(name)


def _rows(path: Path, text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its line."""
    reader = csv.reader(text, skipinitialspace=True, strict=True)
    for row in reader:
        if reader.line_num > _MOST_LINES:
            raise _broken(path, f"it has more than {_MOST_LINES:,} lines", "give a smaller one")
        if row:
            yield reader.line_num, row


def _check_header(path: Path, header: Sequence[str], names: _Names) -> None:
    if len(header) != 2 or names.path(header[0]) is not None:
        raise _broken(
            path,
            f"its first line holds {_short(header)}, no header of two columns",
            "begin with one, as in image,class",
        )


def _check_complete(path: Path, lacking: Sequence[str], unknown: Sequence[str]) -> None:
    """Refuse images without a line and lines without an image."""
    faults = []
    if lacking:
        have = "has" if len(lacking) == 1 else "have"
        faults.append(f"{counted(len(lacking), 'image')} {have} no line ({_some(lacking)})")
    if unknown:
        name = "names" if len(unknown) == 1 else "name"
        faults.append(f"{counted(len(unknown), 'line')} {name} no single image ({_some(unknown)})")
    if faults:
        remedy = "give each image one line, with its path below the dataset's root"
        raise _broken(path, " and ".join(faults), remedy)


def _numbered(
    path: Path, classes: Mapping[str, str], splits: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], list[Labels]]:
    """See `read_label_file`; the classes are those of the training images."""
    names = sorted({classes[image] for image in splits[0]}, key=natural)
    number = {name: i for i, name in enumerate(names)}
    unknown = {classes[image] for split in splits for image in split} - number.keys()
    if unknown:
        problem = f"no training image is of the class {min(unknown)}, and test images are"
        raise _broken(path, problem, "give both splits the same classes")
    if len(names) < 2:
        raise _broken(path, f"all images are of the class {names[0]}", "give two classes or more")
    labels = [np.array([number[classes[i]] for i in split], np.int64) for split in splits]
    return tuple(names), labels


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _short(row: Sequence[str]) -> str:
    text = ",".join(row)
    return repr(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}...")


def _broken(path: Path, problem: str, remedy: str) -> ConfigError:
    return ConfigError("labels", f"{path}: {problem}; {remedy}")
