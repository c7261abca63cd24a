"""Grids of images for a page: small enough for mail, and within a budget for all of them."""

import base64
import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from markupsafe import Markup
from PIL import Image

from autogan.core.files import opened
from autogan.report.drawing.svg import tag

BUDGET = 2_600_000  # characters of all images in a page
_QUALITY = 60  # of WebP
_WIDE = 195  # displayed width of a grid in pixels
_THUMBNAIL = 64

Part = Literal["whole", "quarter", "thumbnail"]
"""How much of a grid is shown: all of it, its upper left quarter, or that quarter, reduced."""


class Album:
    """The images of a page; images beyond the budget are left out.

    Args:
        budget: most characters for all of them together.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._left = budget

    def show(self, path: Path, alt: str, part: Part = "whole") -> Markup | None:
        """A grid of images; None if there is no file, or no room for it.

        Args:
            path: of its file.
            alt: a description for those who cannot see it.
            part: how much of it is shown.
        """
        made = _encoded(path, part)
        if made is None or len(made[0]) > self._left:
            return None
        text, width, height = made
        self._left -= len(text)
        shown = _THUMBNAIL if part == "thumbnail" else _WIDE
        kind = "pixels" if width < shown else None
        return tag(
            "img",
            src=text,
            alt=alt,
            width=shown,
            height=round(shown * height / width),
            decoding="async",
            class_=kind,
        )

    def fits(self, paths: Sequence[Path], part: Part, share: float = 1.0) -> bool:
        """Whether all of these grids fit into a share of the remaining budget."""
        sizes = [len(made[0]) for path in paths if (made := _encoded(path, part))]
        return sum(sizes) <= share * self._left


def _encoded(path: Path, part: Part) -> tuple[str, int, int] | None:
    """See `_encode`; None if there is no file, too."""
    try:
        return _encode(path, part, path.stat().st_mtime_ns)
    except OSError:
        return None


@functools.lru_cache(maxsize=1024)  # a watched page is written many times
def _encode(path: Path, part: Part, written: int) -> tuple[str, int, int] | None:
    """A file as a data URI, by the smaller of PNG and WebP, with its width and height in pixels.

    Args:
        path: of the file.
        part: how much of it is shown.
        written: when the file was written.

    Returns:
        None if the file is not an image.
    """
    try:
        with opened(path) as data, Image.open(data) as file:
            image = file.convert("L" if file.mode in ("1", "L") else "RGB")
    except Exception:  # Pillow's readers raise exceptions of all kinds
        return None
    image = _unzoomed(image)
    if part != "whole":
        image = image.crop((0, 0, (image.width + 1) // 2, (image.height + 1) // 2))
    if part == "thumbnail":
        high = max(round(_THUMBNAIL * image.height / image.width), 1)
        image = image.resize((_THUMBNAIL, high), Image.Resampling.LANCZOS)
    best = min((_written(image, "PNG"), _written(image, "WEBP")), key=lambda each: len(each[1]))
    text = base64.b64encode(best[1]).decode()
    return f"data:image/{best[0].lower()};base64,{text}", image.width, image.height


def _unzoomed(image: Image.Image) -> Image.Image:
    """A doubled image at its original size; any other image as it is."""
    pixels = np.asarray(image)
    half = pixels[::2, ::2]
    again = half.repeat(2, axis=0).repeat(2, axis=1)
    return Image.fromarray(half) if np.array_equal(again, pixels) else image


def _written(image: Image.Image, kind: str) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    how = {"optimize": True} if kind == "PNG" else {"quality": _QUALITY, "method": 4}
    image.save(buffer, kind, **how)
    return kind, buffer.getvalue()
