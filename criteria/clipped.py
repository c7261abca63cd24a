"""Density and coverage on a scale that reads as the share of good images.

After arXiv:2507.01761: balls around real images reach to the fifth nearest other real one, the
balls of outliers are kept small, and no image counts for more than one good image. The scale is
such that the value is about the share of images that are not spoiled.
"""

import numpy as np
import numpy.typing as npt

from autogan.criteria.base import Criterion
from autogan.criteria.neighbours import inside
from autogan.criteria.statistics import Features, Moments


class ClippedDensity(Criterion):
    """The share of generated images that are good; 0 to 1.

    An image counts with the number of balls that it lies in, divided by five, at most 1. The value
    is the mean over the generated images, divided by the mean over the real ones. No ball is larger
    than the median one.
    """

    name = "clipped_density"
    summary = "share of generated features that lie among real ones: are the images good?"
    direction = "max"
    needs = frozenset({"neighbours"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share.

        Raises:
            ValueError: if ``real`` lacks the features themselves.
        """
        radii, nearest = _balls(real)
        radii = np.minimum(radii, np.median(radii))

        def mean(pool: npt.NDArray[np.float32], own: int) -> float:
            _, lies = inside(real.known_pool, radii, pool)
            return float(np.minimum((lies - own) / nearest, 1.0).mean())

        usual = real.once(self.name, lambda: mean(real.known_pool, own=1))
        return min(mean(generated.pool, own=0) / usual, 1.0) if usual else 0.0


class ClippedCoverage(Criterion):
    """The share of good and different images that would cover the real ones equally well; 0 to 1.

    A real image counts with the number of generated images in its ball, divided by five, at most 1.
    For a share g of good images among M, the expected mean over the N real images follows from g, N
    and M alone; the value is the g that gives the measured mean. Therefore poor images, repeated
    images and missing classes all lower it.
    """

    name = "clipped_coverage"
    summary = "share of good and different images, by how the real features are covered"
    direction = "max"
    needs = frozenset({"neighbours"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share.

        Raises:
            ValueError: if ``real`` lacks the features themselves.
        """
        made, count = len(generated.pool), len(real.known_pool)
        radii, nearest = _balls(real)
        holds, _ = inside(real.known_pool, radii, generated.pool)
        covered = float(np.minimum(holds / nearest, 1.0).mean())
        expected = real.once((self.name, made), lambda: _expected(made, count, nearest))
        return float(np.interp(covered, expected, np.arange(made + 1) / made))


def _balls(real: Moments) -> tuple[npt.NDArray[np.float32], int]:
    """Squared radii of the real images' balls, float32 [N], and k: 5, or less with few images."""
    near = real.nearest
    return near[:, -1], near.shape[1]


def _expected(made: int, count: int, nearest: int) -> npt.NDArray[np.float64]:
    """The mean of min(good in a ball, k) / k for 0, 1, ... ``made`` good images, [made + 1].

    The mass of a real image's ball is distributed as Beta(k, N - k), so that the number X of good
    images in it is beta-binomial; E min(X, k) = k - sum over j < k of (k - j) P(X = j).
    """
    from scipy.special import betaln, gammaln  # SciPy takes long to import

    a, b = nearest, max(count - nearest, 1)
    good = np.arange(made + 1)[:, np.newaxis]  # [made + 1, 1]
    few = np.arange(nearest)[np.newaxis]  # [1, k]
    left = np.maximum(good - few, 0)
    log_p = gammaln(good + 1) - gammaln(few + 1) - gammaln(left + 1)
    log_p += betaln(few + a, left + b) - betaln(a, b)
    p = np.where(few <= good, np.exp(log_p), 0.0)  # [made + 1, k]
    expected: npt.NDArray[np.float64] = 1.0 - ((nearest - few) * p).sum(axis=1) / nearest
    return expected
