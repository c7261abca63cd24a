"""Loading of any dataset with the user's options, and the notes on it."""

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
        dataset: as `autogan.data.dataset_named` returns it.
        image_size: see `Dataset.load`.
        reading: the user's options; those for files do not apply to other datasets.
        tell: is called with notes on slow work.

    Raises:
        ConfigError: if the images cannot be read.
    """
    notes = []
    if reading.labels is not None and not dataset.takes_labels:
        raise ConfigError(
            "labels",
            f"{reading.labels}, but {dataset.name} is not a dataset of files; leave it out, or "
            "give a dataset folder:PATH or file:PATH",
        )
    if isinstance(dataset, FileDataset):
        dataset.reading, dataset.tell = reading, tell
    elif reading.of_files:
        notes.append(f"{dataset.name} does not use {', '.join(reading.of_files)}")
    data = dataset.load(image_size)
    wanted = {"grey": 1, "rgb": 3}.get(str(reading.channels), data.image_shape[2])
    if wanted != data.image_shape[2]:
        notes.append(f"converted to {'grey' if wanted == 1 else 'RGB'}")
        splits: dict[str, Any] = {"train": _in_channels(data.train, wanted)}
        splits["test"] = None if data.test is None else _in_channels(data.test, wanted)
        data = dataclasses.replace(data, **splits)
    return dataclasses.replace(data, notes=(*data.notes, *notes))


def told_of(data: ImageData) -> list[str]:
    """Lines on a dataset for the user: first its description, then notes and doubts."""
    return [printable(line) for line in (description(data), *data.notes, *doubts(data))]


def _in_channels(split: Split, channels: int) -> Split:
    """The same images with 1 or 3 channels."""
    if isinstance(split.images, PictureFiles) or not split.fits_in_memory:
        have = split.images.shape[3]
        raise ConfigError(
            "channels", f"images with {have} channels do not fit into memory; leave it out"
        )
    return Split(in_channels(split.images, channels), split.labels)


def in_channels(images: Images, channels: int) -> Images:
    """uint8 images [N, height, width, 1 or 3] with 1 or 3 channels; grey by ITU-R 601-2 luma."""
    if images.shape[3] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=3)
    return np.stack([np.asarray(Image.fromarray(i).convert("L")) for i in images])[..., np.newaxis]
