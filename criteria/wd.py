"""WD, Auto-GAN's criterion of that name (2018)."""

import numpy as np
from typing_extensions import override

from autogan.criteria.base import Criterion
from autogan.criteria.fid import few_for_moments
from autogan.criteria.statistics import Features, Moments


class WD(Criterion):
    """|mu_x - mu_g|^2 + Tr(S_x + S_g - 2 (S_x^1/2 S_g S_x^1/2)), as Auto-GAN prints it (3-9).

    Not a distance: the product term lacks the square root that would make it the Wasserstein
    distance (which equals `FID`). Therefore its dimensions differ, and it is negative for most data
    and falls without bound as the generated variance grows.
    """

    name = "wd"
    summary = "Auto-GAN's variant of FID without the square root (not a distance)"
    direction = "min"

    @classmethod
    @override
    def caution(cls, generated: int, real: int, dimensions: int) -> str:
        return few_for_moments(min(generated, real), dimensions)

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the value; the product's trace is a sum, Tr(S_x S_g) = sum(S_x * S_g)."""
        made = generated.moments
        means = np.sum(np.square(real.mean - made.mean))
        traces = np.trace(real.covariance) + np.trace(made.covariance)
        return float(means + traces - 2.0 * np.sum(real.covariance * made.covariance))
