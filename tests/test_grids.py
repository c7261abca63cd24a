"""Pictures of images: where each one stands, how large it is, and what stands above it."""

import io

import numpy as np
import pytest
from PIL import Image

from autogan.data.base import Split
from autogan.data.grids import grid, png, real_grid, whole_rows

HEAD = 14


@pytest.mark.parametrize(("columns", "wide", "high"), [(0, 3, 3), (7, 7, 1), (2, 2, 4), (9, 9, 1)])
def test_images_stand_row_by_row_with_gaps(columns, wide, high):
    shades = np.arange(7, dtype=np.uint8) * 30
    images = np.broadcast_to(shades[:, None, None, None], (7, 60, 60, 3))
    sheet = grid(images, columns)
    assert sheet.shape == (high * 62 + 2, wide * 62 + 2, 3)
    expected = np.full(sheet.shape, 255)
    for number, shade in enumerate(shades):
        row, column = divmod(number, wide)
        expected[row * 62 + 2 : row * 62 + 62, column * 62 + 2 : column * 62 + 62] = shade
    assert (sheet == expected).all()


@pytest.mark.parametrize("side", [8, 12, 16, 20, 24, 28, 32, 48, 52, 64, 128])
def test_a_grid_of_small_images_can_be_looked_at(side):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, side, side, 1), dtype=np.uint8)
    sheet = grid(images)
    assert 450 <= sheet.shape[1] <= max(8 * (side + 2) + 2, 870)
    cell = (sheet.shape[1] - 2) // 8 - 2
    zoom = cell // side
    assert zoom * side == cell
    assert (sheet[2 : 2 + cell : zoom, 2 : 2 + cell : zoom] == images[0]).all()


def test_captions_stand_above_their_columns():
    images = np.zeros((8, 8, 8, 3), np.uint8)
    sheet = grid(images, 4, ["cat", "", "a name that is far too long", "x\n\ud800"])
    assert (sheet[HEAD:] == grid(images, 4)).all()
    ink = sheet[:HEAD, :, 0] < 128
    cells = [ink[:, 2 + 58 * column : 58 + 58 * column] for column in range(4)]
    assert [cell.any() for cell in cells] == [True, False, True, True]
    assert sum(cell.sum() for cell in cells) == ink.sum()  # nothing stands between them
    assert abs(np.nonzero(cells[0])[1].mean() - 28) < 3
    long = "a name that is far too long"
    cut = [grid(images, 1, [long[:length]])[:HEAD].tobytes() for length in range(1, len(long) + 1)]
    kept = cut.index(cut[-1]) + 1  # letters
    assert 5 < kept < 12
    assert len(set(cut)) == kept
    assert (grid(images, 1, ["dog"])[:HEAD] != grid(images, 1, ["cat"])[:HEAD]).any()


def test_a_trainings_grid_has_no_ragged_row():
    assert [whole_rows(columns) for columns in (0, 1, 3, 8, 10, 16)] == [64, 12, 36, 64, 60, 64]


def test_real_images_stand_by_class_as_generated_ones_do():
    """Twenty classes of three images, whose shades are their classes; the first 16 are shown."""
    labels = np.tile(np.arange(20), 3)
    shades = np.broadcast_to(labels.astype(np.uint8)[:, None, None, None], (60, 54, 54, 1))
    split, names = Split(shades, labels), [f"c{number}" for number in range(20)]
    sheet = real_grid(split, names)
    assert (sheet == grid(np.tile(shades[:16], (4, 1, 1, 1)), 16, names[:16])).all()
    assert real_grid(split).shape == grid(shades).shape  # without classes a square


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_a_picture_is_what_was_encoded(channels, mode):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    with Image.open(io.BytesIO(png(image))) as picture:
        assert (picture.format, picture.mode) == ("PNG", mode)
        assert (np.asarray(picture).reshape(image.shape) == image).all()
