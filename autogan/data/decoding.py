"""Decoding of one picture file to 8-bit pixels: depth, transparency, orientation, colour."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, features

from autogan.core.errors import one_line
from autogan.data.reading import DEFAULT_BITS, Colour

SUFFIXES = {
    ".bmp",
    ".gif",
    ".jfif",
    ".jpe",
    ".jpeg",
    ".jpg",
    ".pbm",
    ".pgm",
    ".png",
    ".pnm",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
} | ({".avif"} if features.check_module("avif") else set())
"""The suffixes of files that are read."""

OTHER_SUFFIXES = {
    ".apng",
    ".arw",
    ".avif",
    ".cr2",
    ".cr3",
    ".dcm",
    ".dds",
    ".dng",
    ".eps",
    ".exr",
    ".hdr",
    ".heic",
    ".heif",
    ".ico",
    ".j2k",
    ".jp2",
    ".jpx",
    ".jxl",
    ".mha",
    ".nef",
    ".nii",
    ".npy",
    ".orf",
    ".pcx",
    ".pfm",
    ".psd",
    ".qoi",
    ".raw",
    ".sgi",
    ".svg",
    ".tga",
    ".xcf",
} - SUFFIXES
"""The suffixes of pictures that cannot be read; a note reports their number."""

WHITE: Colour = (255, 255, 255)

_ORIENTATION = 0x0112  # the EXIF tag; values of 5 or more turn a picture on its side
_SAVE_16 = "scale them to 0..65535 and save them as Image.fromarray(values.astype('uint16'))"


class Unfit(ValueError):
    """A picture is not damaged, but its pixels cannot be read as grey levels or colours.

    Args:
        problem: of the picture, in words.
        remedy: advice to the user.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(problem)


@dataclass(frozen=True)
class Look:
    """The properties of a picture file.

    Attributes:
        width, height: in pixels, when it is upright.
        grey: whether every pixel is grey, on a grey background.
        greatest: the greatest value of a grey file with 16 bits; -1 for others.
        wide: whether it is in colour with 16 bits per channel, of which the upper 8 are read.
        transparent: whether the background shows through a pixel.
        frames: whether it has more pictures than the first.
        problem: why it cannot be read; empty if it can.
        remedy: advice in that case.
    """

    width: int = 0
    height: int = 0
    grey: bool = True
    greatest: int = -1
    wide: bool = False
    transparent: bool = False
    frames: bool = False
    problem: str = ""
    remedy: str = ""


def look(path: Path) -> Look:
    """Decode a file once (a JPEG at an eighth of its size) and return its properties."""
    try:
        with path.open("rb") as file, Image.open(file) as picture:
            frames = picture.format != "MPO" and bool(getattr(picture, "is_animated", False))
            wide = picture.mode in ("LA", "RGB", "RGBA") and ";16" in _raw_mode(picture)
            size = None
            if picture.format == "JPEG":
                size = picture.size
                if picture.getexif().get(_ORIENTATION, 1) >= 5:
                    size = size[::-1]
                picture.draft(None, (max(size[0] // 8, 1), max(size[1] // 8, 1)))
            greatest = int(_deep_values(picture).max()) if _is_deep(picture) else -1
            flat, transparent = flattened(picture, DEFAULT_BITS, WHITE)
            width, height = size or flat.size
            return Look(width, height, _is_grey(flat), greatest, wide, transparent, frames)
    except Exception as error:  # Pillow's readers raise all kinds of errors
        return Look(problem=problem_of(error), remedy=getattr(error, "remedy", ""))


def pixels(path: Path, bits: int, background: Colour) -> Image.Image:
    """Decode a file to an upright picture of mode L or RGB.

    Args:
        path: of the file.
        bits: that the values of a grey file with 16 bits use; they are shifted to 8.
        background: the colour behind transparent pixels.

    Raises:
        Exception: any that Pillow raises if the file cannot be decoded.
    """
    # Pillow maps some TIFF files if it opens them by path, and then ignores their orientation.
    with path.open("rb") as file, Image.open(file) as picture:
        return flattened(picture, bits, background)[0]


def flattened(picture: Image.Image, bits: int, background: Colour) -> tuple[Image.Image, bool]:
    """An open picture converted to mode L or RGB, and whether the background shows through.

    Raises:
        Unfit: if its pixels are 32-bit numbers, or use more bits than ``bits``.
    """
    if _is_deep(picture):
        return _from_deep(ImageOps.exif_transpose(picture), bits, background)
    if picture.mode in ("I", "F") or picture.mode.startswith(("I;", "F;")):
        kind = "floating-point numbers" if picture.mode.startswith("F") else "32-bit numbers"
        raise Unfit(f"its pixels are {kind}", _SAVE_16)
    if isinstance(picture.info.get("transparency"), str):  # a PNG's text of that name
        del picture.info["transparency"]
    upright = ImageOps.exif_transpose(picture)
    if upright.mode == "La":
        upright = upright.convert("LA")
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        if upright.getchannel("A").getextrema()[0] != 255:
            canvas = Image.new("RGBA", upright.size, (*background, 255))
            return Image.alpha_composite(canvas, upright).convert("RGB"), True
    return upright.convert("L" if upright.mode in ("1", "L") else "RGB"), False


def problem_of(error: Exception) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(error, Unfit):
        return str(error)
    if isinstance(error, Image.DecompressionBombError):
        count = next((int(word[1:]) for word in str(error).split() if word[1:].isdecimal()), 0)
        return f"its {count:,} pixels are too many; save a smaller version"
    return one_line(error)


def _is_deep(picture: Image.Image) -> bool:
    """Whether a newly opened picture is grey with 16 bits; in some formats, ``I`` is always so."""
    return picture.mode.startswith("I;16") or (
        picture.mode == "I" and picture.format in ("PNG", "PPM")
    )


def _deep_values(picture: Image.Image) -> npt.NDArray[Any]:
    """The values, 0 to 65535, [height, width], of a grey picture with 16 bits."""
    return np.asarray(picture).astype(np.uint16)


def _from_deep(picture: Image.Image, bits: int, background: Colour) -> tuple[Image.Image, bool]:
    """See `flattened`."""
    values = _deep_values(picture)
    greatest = int(values.max())
    if greatest >> bits:
        raise Unfit(
            f"it has the value {greatest}, and {bits} bits reach only {2**bits - 1}",
            f"give --bits {greatest.bit_length()} or leave --bits out",
        )
    grey = (values >> (bits - 8)).astype(np.uint8)
    through = picture.info.get("transparency")
    hidden = values == through if isinstance(through, int) else np.zeros(values.shape, bool)
    if not hidden.any():
        return Image.fromarray(grey), False
    if len(set(background)) == 1:
        return Image.fromarray(np.where(hidden, np.uint8(background[0]), grey)), True
    coloured = np.where(
        hidden[..., np.newaxis], np.array(background, np.uint8), grey[..., np.newaxis]
    )
    return Image.fromarray(coloured), True


def _is_grey(picture: Image.Image) -> bool:
    """Whether all channels are the same."""
    if picture.mode == "L":
        return True
    red, green, blue = (np.asarray(channel) for channel in picture.split())
    return bool((red == green).all() and (green == blue).all())


def _raw_mode(picture: Image.Image) -> str:
    """The pixel format in the file of a newly opened picture, if Pillow gives it; else empty."""
    tiles = getattr(picture, "tile", None) or [()]
    described = tiles[0][-1] if tiles[0] else ""
    first = described[0] if isinstance(described, tuple) and described else described
    return first if isinstance(first, str) else ""
