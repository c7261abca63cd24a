"""FID extrapolated to infinitely many images (Chong and Forsyth, 2020, arXiv:1911.07023)."""

import numpy as np

from autogan.criteria.base import Criterion
from autogan.criteria.fid import few_for_moments, frechet_distance
from autogan.criteria.statistics import Features, Moments

_SIZES = 15  # the paper's
_FEWEST = 1000  # images


class FIDInfinity(Criterion):
    """The intercept of FID over 1/N, by linear regression on 15 numbers N of generated images.

    FID is biased upwards, by about a constant divided by the number of generated images; the
    constant differs between generators. Subsets range from half of the images to all of them, in
    equal steps (the paper takes 5,000 to 50,000, more images than are generated here), and are
    drawn without replacement in the same way each time. With smaller subsets the relation is not a
    line: it bends where the features outnumber the images. The real side is not extrapolated and
    keeps its own bias.

    The intercept is noisier than FID and may be below 0.
    """

    name = "fid_inf"
    summary = "FID extrapolated to infinitely many generated images"
    direction = "min"

    @classmethod
    def fewest(cls, dimensions: int) -> int:
        """A thousand images, or more, so that half of them outnumber the features."""
        return max(_FEWEST, 2 * (dimensions + 1))

    @classmethod
    def caution(cls, generated: int, real: int, dimensions: int) -> str:
        """The real images may be too few: only the generated side is extrapolated."""
        return few_for_moments(real, dimensions)

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the intercept."""
        count = len(generated.pool)
        rng = np.random.default_rng(0)
        sizes = np.linspace(count / 2, count, _SIZES).round().astype(np.int64)
        subsets = (generated.pool[rng.permutation(count)[:size]] for size in sizes)
        distances = [frechet_distance(real, Moments.of(pool)) for pool in subsets]
        _, intercept = np.polyfit(1 / sizes, distances, 1)
        return float(intercept)
