"""The images below a folder."""

from pathlib import Path

import numpy as np

from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.core.text import read_path
from autogan.data.base import Dataset, ImageData, Split
from autogan.data.pictures import SUFFIXES, PictureFiles, labelled_files


class Folder(Dataset):
    """The images below a folder; with an image size, cropped at the centre to squares and resized.

    ``train/`` and ``test/`` are its splits where they exist. Labels come from sub-folders where
    there are two or more and every image lies in one. Grey if all files are grey, else RGB.
    """

    name = "folder"
    summary = "folder:PATH, any images below PATH, labels from sub-folders"

    def __init__(self, argument: str, data_dir: Path | None) -> None:
        if not argument:
            raise ConfigError("dataset", "folder names no folder; write folder:PATH")
        self.root = read_path("dataset", argument)
        self.data_dir = data_dir

    def load(self, image_size: int | None) -> ImageData:
        """Read all images; without ``image_size`` they must have one size already."""
        if look(self.root, "dataset") != "folder":
            raise ConfigError("dataset", f"folder:{self.root}: there is no such folder")
        train_root = (
            self.root / "train" if look(self.root / "train", "dataset") == "folder" else self.root
        )
        test_root = self.root / "test"
        has_test = train_root != self.root and look(test_root, "dataset") == "folder"
        train, classes = labelled_files(train_root)
        test, test_classes = labelled_files(test_root) if has_test else ([], ())
        if not train:
            raise ConfigError(
                "dataset",
                f"folder:{train_root}: no images there; known endings: "
                f"{' '.join(sorted(SUFFIXES))}",
            )
        if test and test_classes != classes:
            raise ConfigError(
                "dataset",
                f"folder:{self.root}: train/ has the classes {', '.join(classes) or 'none'}, "
                f"test/ {', '.join(test_classes) or 'none'}; they must be the same",
            )
        files = PictureFiles.of([path for path, _ in train + test], image_size)
        labels = np.array([label for _, label in train + test], np.int64) if classes else None

        def split(first: int, last: int) -> Split:
            given = Split(files.part(first, last), None if labels is None else labels[first:last])
            return Split(*given.subset(last - first)) if given.fits_in_memory else given

        count = len(train)
        return ImageData(split(0, count), split(count, len(files)) if test else None, classes)
