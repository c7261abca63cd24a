"""Image files as arrays: all at once, or each on demand."""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from autogan.core.arrays import Images
from autogan.core.errors import ConfigError, one_line
from autogan.data.decoding import WHITE, pixels, problem_of
from autogan.data.reading import DEFAULT_BITS, Colour
from autogan.data.threads import in_threads


@dataclass(frozen=True)
class PictureFiles:
    """Files that are read on demand, with the interface of one array.

    Attributes:
        paths: of the files.
        shape: N, height, width, channels of the array; N is the number of paths.
        crop: whether files are cropped at the centre to squares and resized to the shape.
        bits: that the values of grey files with 16 bits use.
        background: the colour behind transparent pixels.
    """

    paths: tuple[Path, ...]
    shape: tuple[int, int, int, int]
    crop: bool
    bits: int = DEFAULT_BITS
    background: Colour = WHITE

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: npt.NDArray[np.int64]) -> Images:
        """Read the files at an array of indices, uint8 [len(index), height, width, channels].

        Raises:
            ConfigError: naming a file that cannot be decoded.
        """
        return np.stack(list(in_threads(self._read, [self.paths[i] for i in index])))

    def part(self, first: int, last: int) -> "PictureFiles":
        """The files from ``first`` to ``last - 1``."""
        paths = self.paths[first:last]
        return dataclasses.replace(self, paths=paths, shape=(len(paths), *self.shape[1:]))

    def listing(self) -> bytes:
        """The files' names below their common folder, and their sizes in bytes.

        Unusual options of reading come first.

        Raises:
            ConfigError: naming a file that is missing.
        """
        root = os.path.commonpath([path.parent for path in self.paths])
        usual = (self.bits, self.background) == (DEFAULT_BITS, WHITE)
        lines = [] if usual else [repr((self.bits, self.background)).encode()]
        for path in self.paths:
            try:
                size = path.stat().st_size
            except OSError as error:
                problem = f"{path} cannot be read as an image ({one_line(error)}); restore it"
                raise ConfigError("dataset", problem) from error
            lines.append(b"%d %s" % (size, os.fsencode(path.relative_to(root))))
        return b"\0".join(lines)

    def _read(self, path: Path) -> Images:
        height, width, channels = self.shape[1:]
        try:
            picture = pixels(path, self.bits, self.background)
            picture = picture.convert("L" if channels == 1 else "RGB")
            if self.crop:
                picture = square(picture, height)
            return np.asarray(picture).reshape(height, width, channels)
        except Exception as error:  # Pillow's readers raise all kinds of errors
            raise ConfigError(
                "dataset", f"{path} cannot be read as an image ({problem_of(error)}); restore it"
            ) from error


def square(picture: Image.Image, size: int) -> Image.Image:
    """Crop a picture at the centre to the largest square and resize it."""
    return ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC)
