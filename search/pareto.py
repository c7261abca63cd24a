"""Several objectives: which trials no other dominates, and which of these to choose."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def fronts(losses: Sequence[Sequence[float]]) -> list[int]:
    """The layer of each row in a non-dominated sort (Deb et al., 2002).

    Args:
        losses: a row for each trial, of objectives where lower is better.

    Returns:
        0 for rows that no other row dominates, which means at least as good in all objectives and
        better in one; 1 for rows that only rows of layer 0 dominate; and so on.
    """
    rows = np.array(losses, np.float64)
    layers = np.full(len(rows), -1)
    layer = 0
    while (left := np.flatnonzero(layers < 0)).size:
        own = rows[left]
        below = (own[:, None] <= own[None]).all(-1) & (own[:, None] < own[None]).any(-1)
        layers[left[~below.any(0)]] = layer
        layer += 1
    return [int(number) for number in layers]


def worths(losses: Sequence[Sequence[float]], prefer: int | None) -> list[float]:
    """One number for each row, for search methods that need a single objective.

    Args:
        losses: as for `fronts`.
        prefer: the objective that orders the rows of a layer; None to put the knee first, the row
            nearest to the best value reached in each objective, with all objectives scaled to
            their range within the first layer.

    Returns:
        The row's layer, and a fraction for its place within it; the lowest is the best.
    """
    if not len(losses):
        return []
    rows, layers = np.array(losses, np.float64), np.array(fronts(losses))
    order = _distances(rows, rows[layers == 0]) if prefer is None else rows[:, prefer]
    places = np.argsort(np.argsort(order, kind="stable"), kind="stable")
    return [float(worth) for worth in layers + places / len(rows)]


def _distances(
    rows: npt.NDArray[np.float64], front: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    ideal, extent = front.min(0), np.ptp(front, axis=0)
    distances: npt.NDArray[np.float64] = np.linalg.norm(
        (rows - ideal) / np.where(extent > 0, extent, 1.0), axis=1
    )
    return distances
