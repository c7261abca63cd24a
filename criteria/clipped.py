"""Density and coverage that read as the share of good images.

After arXiv:2507.01761: balls around real images reach to the fifth nearest other real one, outliers
among them are kept small, no image counts for more than one good image, and the scale is such that
a set of which a share is spoiled has about the rest of it as its value.
"""

import numpy as np
import numpy.typing as npt

from autogan.criteria.base import Criterion
from autogan.criteria.neighbours import inside
from autogan.criteria.statistics import Features, Moments


class ClippedDensity(Criterion):
    """The share of generated images that are good; 0 to 1.

    In how many balls an image lies, divided by five and at most 1, in the mean over the generated
    images, divided by the same of the real ones. No ball is larger than the median one.
    """

    name = "clipped_density"
    summary = "share of generated features that lie among real ones: are the images good?"
    direction = "max"
    needs = frozenset({"neighbours"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share.

        Raises:
            ValueError: if ``real`` is without the features themselves.
        """
        radii, nearest = _balls(real)
        radii = np.minimum(radii, np.median(radii))

        def mean(pool: npt.NDArray[np.float32], own: int) -> float:
            _, lies = inside(real.known_pool, radii, pool)
            return float(np.minimum((lies - own) / nearest, 1.0).mean())

        usual = real.once(self.name, lambda: mean(real.known_pool, own=1))
        return min(mean(generated.pool, own=0) / usual, 1.0) if usual else 0.0


class ClippedCoverage(Criterion):
    """The share of good and different images that would cover the real ones as well; 0 to 1.

    How many generated images a real one's ball holds, divided by five and at most 1, in the mean
    over the real images: a share of g good images among M is expected to give a mean that follows
    from N and M alone, and of which g is the inverse. So it falls with poor images, repeated ones
    and missing classes alike.
    """

    name = "clipped_coverage"
    summary = "share of good and different images, by how the real features are covered"
    direction = "max"
    needs = frozenset({"neighbours"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share.

        Raises:
            ValueError: if ``real`` is without the features themselves.
        """
        made, count = len(generated.pool), len(real.known_pool)
        radii, nearest = _balls(real)
        holds, _ = inside(real.known_pool, radii, generated.pool)
        covered = float(np.minimum(holds / nearest, 1.0).mean())
        expected = real.once((self.name, made), lambda: _expected(made, count, nearest))
        return float(np.interp(covered, expected, np.arange(made + 1) / made))


def _balls(real: Moments) -> tuple[npt.NDArray[np.float32], int]:
    """Squared radii of the real images' balls, float32 [N], and their k: 5, or all of fewer."""
    near = real.nearest
    return near[:, -1], near.shape[1]


def _expected(made: int, count: int, nearest: int) -> npt.NDArray[np.float64]:
    """The mean of min(good in a ball, k) / k for 0, 1, ... ``made`` good images, [made + 1].

    The mass of a real image's ball is distributed as Beta(k, N - k), so that the number X that it
    holds of good images is beta-binomial; E min(X, k) = k - sum over j < k of (k - j) P(X = j).
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
