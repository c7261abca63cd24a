"""Labels from the user's CSV file: an image and its class, or its attributes, on each line."""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autogan.core.arrays import Attributes, Labels
from autogan.core.errors import ConfigError, one_line, printable
from autogan.core.files import look, opened, write_bytes
from autogan.core.text import counted, natural

_MOST_BYTES = 2**29
_MOST_LINES = 5_000_000  # the number of files that an archive may contain
_SHOWN = 5  # images to name in an error
_LONGEST = 60  # letters of a line to show in an error
_VALUES = {"1": "1", "0": "0", "-1": "-"}  # an attribute's values, with a character for each


def read_label_file(
    path: Path, there: Sequence[str], splits: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], Sequence[Labels | Attributes]]:
    """Read a CSV file with a header and a line for each image: its path and its class.

    Two or more columns after the path are attributes, and the header names them. An image has the
    attributes whose value is 1; the other values are all 0, or all -1 as in CelebA.

    Args:
        path: of the file, UTF-8.
        there: the paths of all images below the dataset's root, with slashes.
        splits: the paths of the images of each split; other images need no line.

    Returns:
        The names of the classes, sorted like sub-folders, and the labels of each split, int64 [N]
        in 0..K-1; or the names of the attributes, and uint8 [N, A] of 0 and 1 for each split.

    Raises:
        ConfigError: naming a wrong line, images without a line and lines without an image, or a
            class without training images.
    """
    kind = look(path, "labels")
    if kind != "file":
        there_is = f"is a {kind}" if kind else "there is no such file"
        raise ConfigError("labels", f"{path}: {there_is}; give the path of a CSV file")
    try:
        columns, cells = _read(path, _Names(there), splits)
    except (OSError, ValueError, csv.Error) as error:
        raise _broken(path, f"it cannot be read ({one_line(error)})", "save it again") from error
    if len(columns) > 1:
        return columns, _attributes(path, cells, splits)
    return _classes(path, cells, splits)


def write_label_file(
    path: Path, images: Sequence[str], names: Iterable[str], attributes: npt.NDArray[np.floating]
) -> None:
    """Write attributes in the format of `read_label_file`.

    Args:
        path: of the file.
        images: the paths of the images below the root of their dataset.
        names: of the attributes.
        attributes: [N, A] of 0 and 1.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", *names])
    for image, row in zip(images, attributes, strict=True):
        writer.writerow([image, *row.astype(int).tolist()])
    write_bytes(path, text.getvalue().encode())


def _read(
    path: Path, names: "_Names", splits: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of the columns after the path; and the cells of each image that has a line.

    The cells are the image's class, or a character of `_VALUES` for each attribute.
    """
    cells: dict[str, str] = {}
    unknown: list[str] = []
    with opened(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        if os.fstat(file.fileno()).st_size > _MOST_BYTES:
            raise _broken(path, f"it has more than {_MOST_BYTES >> 20} MB", "give a smaller one")
        rows = _rows(path, text)
        columns = _columns(path, next(rows, (1, []))[1], names)
        for line, row in rows:
            values = [printable(cell.strip()) for cell in row[1:]]
            if len(values) != len(columns) or "" in values:
                what = "a class" if len(columns) == 1 else f"{len(columns)} values"
                raise _broken(path, f"line {line} is {_short(row)}", f"give an image and {what}")
            if len(columns) > 1:
                values = [_bit(path, line, *pair) for pair in zip(columns, values, strict=True)]
            image = names.path(row[0])
            if image is None:
                unknown.append(row[0])
            elif image in cells:
                raise _broken(path, f"line {line} repeats {row[0]}", "keep one line for it")
            else:
                cells[image] = "".join(values)
    lacking = [image for split in splits for image in split if image not in cells]
    _check_complete(path, lacking, unknown)
    return columns, cells


class _Names:
    """Finds images by the names in the lines.

    Args:
        paths: of the images below the root.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = frozenset(paths)
        self._bare: dict[str, str | None] = {}  # None if several images have the name
        for path in paths:
            name = path.rpartition("/")[2]
            self._bare[name] = None if name in self._bare else path

    def path(self, name: str) -> str | None:
        """The path of the image with this name; None if no image, or more than one, has it."""
        name = name.removeprefix("./")
        return name if name in self._paths else self._bare.get(name)


def _rows(path: Path, text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with their line numbers."""
    reader = csv.reader(text, skipinitialspace=True, strict=True)
    for row in reader:
        if reader.line_num > _MOST_LINES:
            raise _broken(path, f"it has more than {_MOST_LINES:,} lines", "give a smaller one")
        if row:
            yield reader.line_num, row


def _columns(path: Path, header: Sequence[str], names: _Names) -> tuple[str, ...]:
    """The names of the columns after the image's path."""
    columns = tuple(printable(name.strip()) for name in header[1:])
    if len(header) == 1 and re.search("[;\t]", header[0]):
        raise _broken(
            path, f"its first line, {_short(header)}, has no commas", "separate columns by commas"
        )
    if not columns or names.path(header[0]) is not None:
        raise _broken(
            path,
            f"its first line, {_short(header)}, is not a header of two columns or more",
            "begin with one, such as image,class",
        )
    if len(columns) > 1 and ("" in columns or len(set(columns)) < len(columns)):
        raise _broken(path, f"its header is {_short(header)}", "give each column a different name")
    return columns


def _bit(path: Path, line: int, column: str, value: str) -> str:
    """The character for the value of an attribute."""
    if value not in _VALUES:
        raise _broken(
            path, f"line {line} has {_short([value])} for {column}", "give 1 or 0 (or 1 or -1)"
        )
    return _VALUES[value]


def _check_complete(path: Path, lacking: Sequence[str], unknown: Sequence[str]) -> None:
    """Refuse images without a line and lines without an image."""
    faults = []
    if lacking:
        have = "has" if len(lacking) == 1 else "have"
        faults.append(f"{counted(len(lacking), 'image')} {have} no line ({_some(lacking)})")
    if unknown:
        match = "matches" if len(unknown) == 1 else "match"
        faults.append(
            f"{counted(len(unknown), 'line')} {match} no image, or several ({_some(unknown)})"
        )
    if faults:
        remedy = "give each image one line, with its path below the dataset's root"
        raise _broken(path, " and ".join(faults), remedy)


def _attributes(
    path: Path, cells: Mapping[str, str], splits: Sequence[Sequence[str]]
) -> list[Attributes]:
    """See `read_label_file`."""
    both = {_VALUES["0"], _VALUES["-1"]}
    if both <= set().union(*cells.values()):
        raise _broken(path, "it contains both 0 and -1", "use 0 if an image lacks the attribute")
    made = []
    for split in splits:
        characters = np.frombuffer("".join(cells[image] for image in split).encode(), np.uint8)
        has = characters == ord(_VALUES["1"])
        made.append(has.reshape(len(split), -1).astype(np.uint8))
    return made


def _classes(
    path: Path, classes: Mapping[str, str], splits: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], list[Labels]]:
    """See `read_label_file`; the classes are those of the training images."""
    names = sorted({classes[image] for image in splits[0]}, key=natural)
    number = {name: i for i, name in enumerate(names)}
    unknown = {classes[image] for split in splits for image in split} - number.keys()
    if unknown:
        problem = f"test images have the class {min(unknown)}, but no training image does"
        raise _broken(path, problem, "give both splits the same classes")
    if len(names) < 2:
        raise _broken(path, f"all images have the class {names[0]}", "give two classes or more")
    labels = [np.array([number[classes[i]] for i in split], np.int64) for split in splits]
    return tuple(names), labels


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _short(row: Sequence[str]) -> str:
    text = ",".join(row)
    return repr(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}...")


def _broken(path: Path, problem: str, remedy: str) -> ConfigError:
    return ConfigError("labels", f"{path}: {problem}; {remedy}")
