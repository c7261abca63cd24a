"""Labels that the user lists in a CSV file: an image and its class, or attributes, on each line."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autogan.core.arrays import Attributes, Labels
from autogan.core.errors import ConfigError, one_line, printable
from autogan.core.files import opened, write_bytes
from autogan.core.text import counted, natural

_MOST_BYTES = 2**29
_MOST_LINES = 5_000_000  # as many as an archive may hold files
_SHOWN = 5  # images of many
_LONGEST = 60  # letters of a line that are shown
_VALUES = {"1": "1", "0": "0", "-1": "-"}  # of an attribute, as a character each


def read_label_file(
    path: Path, there: Sequence[str], splits: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], Sequence[Labels | Attributes]]:
    """Read a CSV file of a header and a line for each image: its path, and its class.

    Where there are several columns after the path, they are attributes, which the header names. An
    image has those of the value 1; the others are 0, or all -1, as CelebA has them.

    Args:
        path: of the file, UTF-8.
        there: the paths of all images below the dataset's root, with slashes.
        splits: the paths of the images of each split; of the others no line is needed.

    Returns:
        The names of the classes, sorted as those of sub-folders, and the labels of each split,
        int64 [N] in 0..K-1; or the names of the attributes, and uint8 [N, A] of 0 and 1.

    Raises:
        ConfigError: naming the line that is wrong, images without a line and lines without an
            image, or the class that has no training image.
    """
    try:
        columns, cells = _read(path, _Names(there), splits)
    except (OSError, ValueError, csv.Error) as error:
        raise _broken(path, f"it cannot be read ({one_line(error)})", "save it anew") from error
    if len(columns) > 1:
        return columns, _attributes(path, cells, splits)
    return _classes(path, cells, splits)


def write_label_file(
    path: Path, images: Sequence[str], names: Iterable[str], attributes: npt.NDArray[np.floating]
) -> None:
    """Write attributes as `read_label_file` reads them.

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
    """The names of the columns after the path; and what they hold for each image that has a line.

    That is its class; or a character for each attribute, of `_VALUES`.
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
                raise _broken(path, f"line {line} holds {_short(row)}", f"give an image and {what}")
            if len(columns) > 1:
                values = [_bit(path, line, *pair) for pair in zip(columns, values, strict=True)]
            image = names.path(row[0])
            if image is None:
                unknown.append(row[0])
            elif image in cells:
                raise _broken(path, f"line {line} names {row[0]} again", "keep one line for it")
            else:
                cells[image] = "".join(values)
    lacking = [image for split in splits for image in split if image not in cells]
    _check_complete(path, lacking, unknown)
    return columns, cells


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


def _columns(path: Path, header: Sequence[str], names: _Names) -> tuple[str, ...]:
    """The names of the columns after the image's path."""
    columns = tuple(printable(name.strip()) for name in header[1:])
    if not columns or names.path(header[0]) is not None:
        raise _broken(
            path,
            f"its first line holds {_short(header)}, no header of two columns or more",
            "begin with one, as in image,class",
        )
    if len(columns) > 1 and ("" in columns or len(set(columns)) < len(columns)):
        raise _broken(
            path, f"its header holds {_short(header)}", "give each column a name of its own"
        )
    return columns


def _bit(path: Path, line: int, column: str, value: str) -> str:
    """A character for the value of an attribute."""
    if value not in _VALUES:
        raise _broken(
            path, f"line {line} holds {_short([value])} for {column}", "give 1 or 0 (or 1 or -1)"
        )
    return _VALUES[value]


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


def _attributes(
    path: Path, cells: Mapping[str, str], splits: Sequence[Sequence[str]]
) -> list[Attributes]:
    """See `read_label_file`."""
    both = {_VALUES["0"], _VALUES["-1"]}
    if both <= set().union(*cells.values()):
        raise _broken(path, "it holds both 0 and -1", "give 0 for whatever an image has not")
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
