"""Image files as arrays: all at once, or each as it is asked for."""

import math
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from autogan.core.errors import ConfigError, one_line, printable

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}

_THREADS = 8  # Pillow decodes without Python's lock
_ORIENTATION = 0x0112  # the EXIF tag; from 5 on it turns a picture on its side

Images = npt.NDArray[np.uint8]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class PictureFiles:
    """Files that are read when they are asked for, as if they were one array.

    Attributes:
        paths: of the files.
        shape: N, height, width, channels of the array; N is the number of paths.
        crop: whether files are cropped at the centre to squares and resized to the shape.
    """

    paths: tuple[Path, ...]
    shape: tuple[int, int, int, int]
    crop: bool

    @classmethod
    def of(cls, paths: Iterable[Path], size: int | None) -> "PictureFiles":
        """Look at the heads of all files; none is decoded.

        Grey if all of them are grey, else RGB.

        Args:
            paths: of the files.
            size: side of the squares to make of them; None if they all have one size already.

        Raises:
            ConfigError: naming a file that is no image, or that has another size than the first.
        """
        files = tuple(paths)
        heads = _in_threads(partial(_head, upright=size is None), files)
        (width, height, _), channels = heads[0], 1 if all(grey for _, _, grey in heads) else 3
        for path, (w, h, _) in zip(files, heads, strict=True):
            if size is None and (w, h) != (width, height):
                raise ConfigError(
                    "image_size",
                    f"{path} has {w}x{h} pixels, {files[0]} {width}x{height}; give --image-size "
                    "to crop and resize them all",
                )
        side = (height, width) if size is None else (size, size)
        return cls(files, (len(files), *side, channels), size is not None)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: npt.NDArray[np.int64]) -> Images:
        """Read the files at an array of indices, uint8 [len(index), height, width, channels].

        Raises:
            ConfigError: naming a file that cannot be decoded.
        """
        return np.stack(_in_threads(self._read, [self.paths[i] for i in index]))

    def part(self, first: int, last: int) -> "PictureFiles":
        """The files from ``first`` to before ``last``."""
        paths = self.paths[first:last]
        return PictureFiles(paths, (len(paths), *self.shape[1:]), self.crop)

    def listing(self) -> bytes:
        """The files' names below the folder that holds them all, and their sizes in bytes.

        Raises:
            ConfigError: naming a file that is gone.
        """
        root = os.path.commonpath([path.parent for path in self.paths])
        lines = []
        for path in self.paths:
            try:
                size = path.stat().st_size
            except OSError as error:
                raise _unreadable(path, error) from error
            lines.append(b"%d %s" % (size, os.fsencode(path.relative_to(root))))
        return b"\0".join(lines)

    def _read(self, path: Path) -> Images:
        try:
            with Image.open(path) as picture:
                upright = ImageOps.exif_transpose(picture)
                if upright.mode.startswith("I;16"):
                    upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
                upright = upright.convert("RGB")
                if self.crop:
                    upright = square(upright, self.shape[1])
                pixels = np.asarray(upright)
        except Exception as error:  # Pillow's readers raise what they like
            raise _unreadable(path, error) from error
        return pixels[..., : self.shape[3]]  # of a grey picture all three channels are the same


def square(picture: Image.Image, size: int) -> Image.Image:
    """Cut the largest square from the centre and resize it."""
    return ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC)


def labelled_files(root: Path) -> tuple[list[tuple[Path, int]], tuple[str, ...]]:
    """The images below ``root`` with their labels, and the classes; labels are -1 without any.

    Classes are in alphabetical order, numbers in their own; hidden files and folders are left out,
    and what is no file, such as a pipe. A link to nothing counts: reading it says so.
    """
    found = [path.relative_to(root) for path in root.rglob("*") if path.suffix.lower() in SUFFIXES]
    shown = sorted(path for path in found if not any(part.startswith(".") for part in path.parts))
    shown = [path for path in shown if _is_file_or_gone(root / path)]
    paths = [root / path for path in shown]
    parents = [path.parts[:-1] for path in shown]
    names = {parts[0] for parts in parents if parts}
    classes = sorted(names, key=lambda name: (int(name) if name.isdecimal() else math.inf, name))
    if len(classes) < 2 or not all(parents):
        return [(path, -1) for path in paths], ()
    number = {name: i for i, name in enumerate(classes)}
    labelled = [(path, number[parts[0]]) for path, parts in zip(paths, parents, strict=True)]
    return labelled, tuple(map(printable, classes))


def _is_file_or_gone(path: Path) -> bool:
    return os.path.isfile(path) or not os.path.exists(path)


def _head(path: Path, upright: bool) -> tuple[int, int, bool]:
    """Width and height, as it should be looked at if ``upright``, and whether it is grey."""
    try:
        with Image.open(path) as picture:
            if picture.mode in ("I", "F"):
                raise ValueError(f"its pixels are of mode {picture.mode}, not 8 or 16 bits")
            width, height = picture.size
            if upright and picture.getexif().get(_ORIENTATION, 1) >= 5:
                width, height = height, width
            return width, height, picture.mode.startswith(("1", "L", "I;16"))
    except Exception as error:  # Pillow's readers raise what they like
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ConfigError:
    return ConfigError(
        "dataset", f"{path} cannot be read as an image ({one_line(error)}); repair or remove it"
    )


def _in_threads(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(function, items))
