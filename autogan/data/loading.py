"""Loading a dataset as the user wants its images: whatever it is, with its notes."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from autogan.core.arrays import Images
from autogan.core.errors import ConfigError, printable
from autogan.data.base import Dataset, FileDataset, ImageData, Split
from autogan.data.looks import description, doubts
from autogan.data.pictures import PictureFiles
from autogan.data.reading import Reading


def loaded(
    dataset: Dataset,
    image_size: int | None,
    reading: Reading,
    tell: Callable[[str], None] = lambda text: None,
) -> ImageData:
    """All images of a dataset, at ``image_size`` or their own size.

    Args:
        dataset: as `autogan.data.dataset_named` gives it.
        image_size: see `Dataset.load`.
        reading: how the user wants images; what is for files has no meaning elsewhere.
        tell: reports what takes long.

    Raises:
        ConfigError: if they cannot be read.
    """
    notes = []
    if reading.labels is not None and not dataset.takes_labels:
        raise ConfigError(
            "labels",
            f"{reading.labels}, and {dataset.name} has no files that it could name; leave it out, "
            "or name a dataset folder:PATH or file:PATH",
        )
    if isinstance(dataset, FileDataset):
        dataset.reading, dataset.tell = reading, tell
    elif reading.of_files:
        notes.append(f"{', '.join(reading.of_files)}: without meaning for {dataset.name}")
    data = dataset.load(image_size)
    wanted = {"grey": 1, "rgb": 3}.get(str(reading.channels), data.image_shape[2])
    if wanted != data.image_shape[2]:
        notes.append(f"made {'grey' if wanted == 1 else 'RGB'}")
        splits: dict[str, Any] = {"train": _in_channels(data.train, wanted)}
        splits["test"] = None if data.test is None else _in_channels(data.test, wanted)
        data = dataclasses.replace(data, **splits)
    return dataclasses.replace(data, notes=(*data.notes, *notes))


def told_of(data: ImageData) -> list[str]:
    """What the user should know of a dataset, a short line each; first, what it is."""
    return [printable(line) for line in (description(data), *data.notes, *doubts(data))]


def _in_channels(split: Split, channels: int) -> Split:
    """The same images with 1 or 3 channels."""
    if isinstance(split.images, PictureFiles) or not split.fits_in_memory:
        have = split.images.shape[3]
        raise ConfigError(
            "channels", f"images of {have} channels that do not fit into memory; leave it out"
        )
    return Split(in_channels(split.images, channels), split.labels)


def in_channels(images: Images, channels: int) -> Images:
    """uint8 images [N, height, width, 1 or 3] with 1 or 3 channels; grey by ITU-R 601-2 luma."""
    if images.shape[3] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=3)
    return np.stack([np.asarray(Image.fromarray(i).convert("L")) for i in images])[..., np.newaxis]
