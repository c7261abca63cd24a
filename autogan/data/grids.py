"""Pictures of images."""

import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image

GRID = 64  # images in a training's sample grids
GRID_CLASSES = 16  # columns of a grid with one class in each, at most
_MIN_PIXELS = 28  # smaller images are enlarged, so that a grid can be looked at
_GAP = 2


def grid(images: npt.NDArray[np.uint8], columns: int = 0) -> npt.NDArray[np.uint8]:
    """Lay uint8 images [N, height, width, channels] out in a grid.

    Args:
        images: row by row.
        columns: of the grid; 0 for a nearly square one.

    Returns:
        uint8 [height, width, channels], images smaller than 28 pixels enlarged.
    """
    zoom = math.ceil(_MIN_PIXELS / images.shape[1])
    images = images.repeat(zoom, axis=1).repeat(zoom, axis=2)
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cell_height, cell_width = height + _GAP, width + _GAP
    sheet = np.full(
        (rows * cell_height + _GAP, columns * cell_width + _GAP, channels), 255, np.uint8
    )
    for i, image in enumerate(images):
        top, left = _GAP + i // columns * cell_height, _GAP + i % columns * cell_width
        sheet[top : top + height, left : left + width] = image
    return sheet


def png(image: npt.NDArray[np.uint8]) -> bytes:
    """Encode a uint8 image [height, width, 1 or 3] as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image.squeeze(axis=2) if image.shape[2] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()
