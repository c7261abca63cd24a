"""Grids of images as one picture."""

import io
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from autogan.core.errors import printable
from autogan.data.base import Split

GRID = 64  # images in a grid without classes; the most in a training's grid with classes
GRID_CLASSES = 16  # most columns of a grid with one class per column
_ROWS = 12  # most rows of such a grid, so that few classes do not make a tall one
_MIN_PIXELS = 54  # smaller images are enlarged, so that eight in a row are easy to see
_GAP = 2
_CAPTION = 14  # height of the row of captions, in pixels
_FONT = 11  # size of the captions' font, in pixels
_LONGEST = 50  # letters of a caption to measure; no column is wide enough for more


def grid(
    images: npt.NDArray[np.uint8], columns: int = 0, captions: Sequence[str] = ()
) -> npt.NDArray[np.uint8]:
    """Lay uint8 images [N, height, width, channels] out in a grid.

    Args:
        images: row by row.
        columns: number of columns; 0 for a nearly square grid.
        captions: a text above each column, cut to its width; empty for no captions.

    Returns:
        uint8 [height, width, channels], images smaller than 54 pixels enlarged by a whole factor.
    """
    zoom = math.ceil(_MIN_PIXELS / images.shape[1])
    images = images.repeat(zoom, axis=1).repeat(zoom, axis=2)
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    head = _CAPTION if captions else 0
    cell_height, cell_width = height + _GAP, width + _GAP
    sheet = np.full(
        (head + rows * cell_height + _GAP, columns * cell_width + _GAP, channels), 255, np.uint8
    )
    if captions:
        sheet[:head] = _head(captions, cell_width, sheet.shape[1])[..., np.newaxis]
    for i, image in enumerate(images):
        top, left = head + _GAP + i // columns * cell_height, _GAP + i % columns * cell_width
        sheet[top : top + height, left : left + width] = image
    return sheet


def whole_rows(columns: int) -> int:
    """The number of images in a training's grid of whole rows; 0 columns mean a square grid."""
    return columns * min(GRID // columns, _ROWS) if columns else GRID


def real_grid(split: Split, names: Sequence[str] = ()) -> npt.NDArray[np.uint8]:
    """Lay out real images as generated ones are: with a column per class, or square.

    Args:
        split: of the images.
        names: of its classes, in order; empty for a grid without classes.

    Returns:
        See `grid`. A class with fewer images than rows shows them again.
    """
    shown = names[:GRID_CLASSES]
    numbers = split.classes
    if not shown or numbers is None:
        return grid(split.subset(GRID)[0])
    rows = whole_rows(len(shown)) // len(shown)
    places = [np.flatnonzero(numbers == number) for number in range(len(shown))]
    columns = [np.resize(found if len(found) else [0], rows) for found in places]
    return grid(split.images[np.stack(columns, axis=1).ravel()], len(shown), shown)


def png(image: npt.NDArray[np.uint8]) -> bytes:
    """Encode a uint8 image [height, width, 1 or 3] as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image.squeeze(axis=2) if image.shape[2] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()


def _head(captions: Sequence[str], cell: int, width: int) -> npt.NDArray[np.uint8]:
    """The row of captions, black on white, uint8 [_CAPTION, width]."""
    row = Image.new("L", (width, _CAPTION), 255)
    draw, font = ImageDraw.Draw(row), ImageFont.load_default(_FONT)
    for column, caption in enumerate(captions):
        text = printable(caption)[:_LONGEST]
        while draw.textlength(text, font) > cell - 2 * _GAP:
            text = text[:-1]
        middle = _GAP + column * cell + (cell - _GAP) / 2
        draw.text((middle, _CAPTION / 2), text, fill=0, font=font, anchor="mm")
    return np.asarray(row)
