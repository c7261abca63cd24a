"""Images in one file: an archive of pictures, or arrays."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from autogan.core.errors import ConfigError, one_line
from autogan.core.files import look
from autogan.core.text import read_path
from autogan.data.archive import unpacked
from autogan.data.base import FileDataset, ImageData, Split, resized
from autogan.data.checks import checked_images, checked_labels
from autogan.data.folder import Folder

_IMAGES = ("images", "x_train", "train_images", "x", "data", "arr_0")
_LABELS = ("labels", "y_train", "train_labels", "y", "arr_1")
_TEST_IMAGES = ("x_test", "test_images")
_TEST_LABELS = ("y_test", "test_labels")
_MOST_BYTES = 2**34  # of arrays, which must fit into memory


class OneFile(FileDataset):
    """Images in one file: a zip or tar archive of pictures, LSUN's lmdb, or arrays in .npz.

    An archive is unpacked and read like any folder by `autogan.data.folder.Folder`, including
    StyleGAN's dataset.json. An .npz file contains uint8 images [N, height, width] or
    [N, height, width, 1 or 3] and perhaps labels [N] or [N, 1], under the usual names.
    """

    name = "file"
    summary = "file:PATH, a zip or tar archive of images, an .npz of arrays, LSUN's lmdb"
    takes_labels = True

    def __init__(self, argument: str, data_dir: Path | None) -> None:
        if not argument:
            raise ConfigError("dataset", "file has no path; write file:PATH")
        self.path = read_path("dataset", argument)
        self.data_dir = data_dir

    def load(self, image_size: int | None) -> ImageData:
        """Read all images; without ``image_size`` they must all have the same size."""
        kind = look(self.path, "dataset")
        if kind == "folder" and look(self.path / "data.mdb", "dataset") != "file":
            raise ConfigError("dataset", f"file:{self.path} is a folder; write folder:{self.path}")
        if not kind:
            raise ConfigError("dataset", f"file:{self.path}: there is no such file")
        if self.path.suffix == ".npz":
            if self.reading.labels is not None:
                raise ConfigError(
                    "labels",
                    f"{self.reading.labels}, but {self.path} contains arrays; leave it out, and "
                    f"save the labels there as {_LABELS[0]}",
                )
            return self._of_arrays(image_size)
        folder = Folder(str(unpacked(self.path, self.tell)), None)
        folder.reading, folder.tell = self.reading, self.tell
        return folder.load(image_size)

    def _of_arrays(self, image_size: int | None) -> ImageData:
        arrays = self._arrays()
        train = self._split(arrays, _IMAGES, _LABELS, image_size)
        if train is None:
            there = ", ".join(sorted(arrays)[:10]) or "nothing"
            raise ConfigError(
                "dataset", f"{self.path} has {there}; name the images one of {', '.join(_IMAGES)}"
            )
        why = "" if train.labels is not None else f"no array is named {', '.join(_LABELS)}"
        test = self._split(arrays, _TEST_IMAGES, _TEST_LABELS, image_size)
        if test is not None and (test.labels is None) != (train.labels is None):
            test = Split(test.images, None)
            train, why = Split(train.images, None), "one of the splits has no labels"
        return ImageData(train, test, unlabelled=why)

    def _arrays(self) -> dict[str, Any]:
        """The file's arrays of known names, read without unpickling; None for the others."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                size = sum(info.file_size for info in archive.infolist())
            if size > _MOST_BYTES or size > 0.8 * _memory():
                raise ValueError(f"its arrays need {size / 1e9:.3g} GB, too much for the memory")
            with np.load(self.path, allow_pickle=False) as held:
                known = {*_IMAGES, *_LABELS, *_TEST_IMAGES, *_TEST_LABELS}
                return {n: held[n] if n in known else None for n in held.files}
        except Exception as error:  # readers of damaged archives raise all kinds of errors
            raise ConfigError(
                "dataset", f"{self.path} cannot be read ({one_line(error)}); save it again"
            ) from error

    def _split(
        self,
        arrays: dict[str, Any],
        images: tuple[str, ...],
        labels: tuple[str, ...],
        image_size: int | None,
    ) -> Split | None:
        """The images and labels under the first known names; None without images."""
        name = next((name for name in images if name in arrays), None)
        if name is None:
            return None
        found = checked_images("dataset", f"{self.path}: {name}: ", arrays[name])
        own = next((name for name in labels if name in arrays), None)
        if own is None:
            return Split(resized(found, image_size), None)
        numbers = checked_labels("dataset", f"{self.path}: {own}: ", arrays[own], len(found))
        return Split(resized(found, image_size), numbers)


def _memory() -> int:
    """The machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
