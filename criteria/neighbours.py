"""Nearest features, and the balls of precision, recall, density and coverage.

Distances are squared. They are computed in float32, after subtracting the features' mean to keep
precision, and in blocks of rows: for 10,000 images with 2,048 features on either side, they need
at most half a gigabyte at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Pool = npt.NDArray[np.float32]

NEAREST = 5  # neighbours whose distances are kept
_PRECISION, _DENSITY = 3, 5  # k in the two papers
_BLOCK = 500  # rows


@dataclass(frozen=True)
class Neighbours:
    """How N real and M generated images mix in the space of features.

    Each image has a ball that reaches to its k-th nearest other image of the same side, not
    counting the image itself. A ball includes its border (<=, as in equation 2 of
    arXiv:1904.06991 and in arXiv:2002.09797, whose authors' code has <). Therefore a ball of radius
    0, which duplicates have, still holds images that are equal to them.

    Attributes:
        precision: share of generated images in the ball of a real one, k = 3.
        recall: share of real images in the ball of a generated one, k = 3.
        density: mean number of real balls that a generated image is in, divided by k = 5.
        coverage: share of real images whose own ball holds a generated one, k = 5.
    """

    precision: float
    recall: float
    density: float
    coverage: float

    @classmethod
    def of(cls, made: Pool, real: Pool, near: Pool) -> "Neighbours":
        """Compare features.

        Args:
            made: of generated images, float32 [M, D].
            real: of real ones, float32 [N, D].
            near: the result of `nearest` for the real ones.
        """
        near_made = _reach(nearest(made), _PRECISION)
        small, large = (_reach(near, k)[:, np.newaxis] for k in (_PRECISION, _DENSITY))
        centre = real.mean(axis=0, dtype=np.float64)
        precise = np.zeros(len(made), bool)
        recalled, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)
        inside = 0
        for rows, distances in _blocks(_centred(real, centre), _centred(made, centre)):
            precise |= (distances <= small[rows]).any(axis=0)
            recalled[rows] = (distances <= near_made).any(axis=1)
            within = distances <= large[rows]
            covered[rows] = within.any(axis=1)
            inside += int(np.count_nonzero(within))
        return cls(
            precision=float(precise.mean()),
            recall=float(recalled.mean()),
            density=inside / (_DENSITY * len(made)),
            coverage=float(covered.mean()),
        )


def nearest(pool: Pool) -> Pool:
    """Squared distances of each row to its nearest five others, the nearest first.

    Args:
        pool: float32 [N, D].

    Returns:
        float32 [N, 5]; [N, N - 1] for fewer than six rows, and [[0]] for a single row.
    """
    count = min(NEAREST, len(pool) - 1)
    rows = _centred(pool, pool.mean(axis=0, dtype=np.float64))
    first = [
        np.sort(np.partition(block, count, axis=1)[:, : count + 1], axis=1)
        for _, block in _blocks(rows, rows)
    ]
    near: Pool = np.concatenate(first)
    return near[:, 1:] if count else near  # the first is the distance to itself


def to_nearest(ones: Pool, others: Pool) -> tuple[Pool, npt.NDArray[np.int64]]:
    """Each row's squared distance to the nearest of others, float32 [N], and its index, [N].

    Args:
        ones: float32 [N, D].
        others: float32 [M, D].
    """
    centre = others.mean(axis=0, dtype=np.float64)
    found = [
        (block.min(axis=1), block.argmin(axis=1))
        for _, block in _blocks(_centred(ones, centre), _centred(others, centre))
    ]
    distances, places = zip(*found, strict=True)
    return np.concatenate(distances), np.concatenate(places)


def inside(centres: Pool, radii: Pool, points: Pool) -> tuple[npt.NDArray[np.int64], ...]:
    """The number of points in each ball, int64 [N], and of balls around each point, [M].

    Args:
        centres: of the balls, float32 [N, D].
        radii: squared, float32 [N].
        points: float32 [M, D].
    """
    centre = centres.mean(axis=0, dtype=np.float64)
    holds, lies = np.zeros(len(centres), np.int64), np.zeros(len(points), np.int64)
    for rows, distances in _blocks(_centred(centres, centre), _centred(points, centre)):
        within = distances <= radii[rows, np.newaxis]
        holds[rows] = within.sum(axis=1)
        lies += within.sum(axis=0)
    return holds, lies


def squared_distances(ones: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The squared distances between rows of two arrays, [N, M]; 0 for equal rows.

    Rows are equal if they differ by rounding only. Both arrays have the same float dtype.
    """
    lengths, others_lengths = (np.einsum("ij,ij->i", rows, rows) for rows in (ones, others))
    distances: npt.NDArray[Any] = (-2 * ones) @ others.T
    distances += lengths[:, np.newaxis]
    distances += others_lengths
    rounding = 200 * np.finfo(distances.dtype).eps * lengths  # equal rows have equal lengths
    distances[distances < rounding[:, np.newaxis]] = 0
    return distances


def _blocks(ones: Pool, others: Pool) -> Iterator[tuple[slice, Pool]]:
    """The squared distances of successive blocks of rows to all others, with each block's rows."""
    for first in range(0, len(ones), _BLOCK):
        rows = slice(first, first + _BLOCK)
        yield rows, squared_distances(ones[rows], others)


def _centred(pool: Pool, centre: npt.NDArray[np.float64]) -> Pool:
    return pool - centre.astype(np.float32)


def _reach(near: Pool, k: int) -> Pool:
    """The squared radii of balls that reach to the k-th nearest, or to the last if fewer."""
    return near[:, min(k, near.shape[1]) - 1]
