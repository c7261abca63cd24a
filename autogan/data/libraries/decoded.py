"""A split of another library's dataset, decoded once into a file of the user's cache."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autogan.core.errors import ConfigError
from autogan.core.files import cache_root, mapped_arrays
from autogan.core.text import counted
from autogan.data.base import Split
from autogan.data.decoding import flattened
from autogan.data.pictures import square
from autogan.data.reading import DEFAULT_BITS, Reading

Example = tuple[Any, int | Sequence[int]]
"""A picture of Pillow's, and its class or the values, 0 and 1, of its attributes; else 0."""


@dataclass(frozen=True)
class Source:
    """A split that can be read.

    Attributes:
        dataset: as the user writes it.
        split: its name.
        place: of the split in the cache, as a part of a file's name.
        origin: text that differs where the pictures do.
        count: of examples, by the metadata.
        labelled: whether examples have classes.
        attributes: the names of their attributes; empty if they have none.
        examples: reads them in the order in which they are stored.
    """

    dataset: str
    split: str
    place: str
    origin: str
    count: int
    labelled: bool
    attributes: Sequence[str]
    examples: Callable[[], Iterator[Example]]


def decoded(source: Source, size: int, channels: int, reading: Reading) -> tuple[Split, list[str]]:
    """Decode a split, or find it in the cache.

    Args:
        source: of the pictures.
        size: their side in pixels, to which they are cropped at the centre and resized.
        channels: 1 or 3.
        reading: how transparent pixels are shown.

    Returns:
        The split, and notes for the user.

    Raises:
        ConfigError: if it has no examples.
    """
    count, width = source.count, len(source.attributes)
    form = 3 if width else 2  # the arrays below, in which the cache may hold a dataset
    origin = hashlib.sha256(
        f"{form}/{source.origin}/{size}/{channels}/{reading.colour}".encode()
    ).hexdigest()[:12]
    images, labels, found = mapped_arrays(
        cache_root() / "datasets" / f"{source.place}-{source.split}-{origin}",
        {
            "images": ((count, size, size, channels), np.uint8),
            "labels": ((count, width), np.uint8) if width else ((count,), np.int64),
            "found": ((2,), np.int64),  # examples, and those with transparent pixels
        },
        lambda arrays: _decode(source, arrays, reading),
    )
    there, transparent = found.tolist()
    title = f"{source.dataset}: the split {source.split}"
    if not there:
        raise ConfigError("dataset", f"{title} has no examples; prepare it again")
    notes = []
    if there != count:
        notes.append(
            f"{title} has {counted(there, 'example')}, and by its metadata {count:,}: "
            f"{min(there, count):,} are read"
        )
    if transparent:
        where = reading.background or "white (--background chooses)"
        notes.append(
            f"{transparent:,} images of {source.split} have transparent pixels: shown on {where}"
        )
    kept, known = min(there, count), source.labelled or width
    return Split(images[:kept], np.array(labels[:kept]) if known else None), notes


def _decode(source: Source, arrays: Mapping[str, npt.NDArray[Any]], reading: Reading) -> None:
    """Fill arrays with a split's pictures and labels.

    A split may hold fewer or more examples than its metadata says, for which there is room.
    """
    most, side, _, channels = arrays["images"].shape
    arrays["found"][:] = 0
    for i, (picture, labels) in enumerate(source.examples()):
        arrays["found"][0] += 1
        if i >= most:
            continue
        flat, transparent = flattened(picture, DEFAULT_BITS, reading.colour)
        arrays["found"][1] += transparent
        flat = square(flat.convert("L" if channels == 1 else "RGB"), side)
        arrays["images"][i] = np.asarray(flat).reshape(side, side, channels)
        arrays["labels"][i] = labels
