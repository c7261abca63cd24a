"""Criteria that tell copies of training images from new images.

FID cannot: against the training images themselves, copies of them have a lower FID than images that
nobody has seen before.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from autogan.criteria.base import Criterion
from autogan.criteria.neighbours import to_nearest
from autogan.criteria.statistics import Features, Moments

COPIED = -3.0
"""The C_T below which images are copies (Meehan et al., 2020, section 5)."""

_AUTHENTIC = 0.4  # of unseen real images half or more are


def copying(figures: Mapping[str, float]) -> bool:
    """Whether a generator copies, by both criteria; C_T alone is low for images that hardly differ.

    Args:
        figures: of `Evaluator.copies`.
    """
    if "c_t" not in figures:
        return False
    return figures["c_t"] < COPIED and figures["authenticity"] < _AUTHENTIC


class Authenticity(Criterion):
    """The share of generated images that are no copies of the nearest real one; 0 to 1.

    Alaa et al., 2022, arXiv:2102.08921, section 3.3: a generated image is authentic if it lies
    farther from its nearest real image than that one lies from its own nearest other real image.
    For images of the real distribution that were not learned from a half or a little more (0.52 of
    digits), for copies 0, for poor images near 1. Copies of images that are not in the reference
    are not found.
    """

    name = "authenticity"
    summary = "share of generated features that are no copies of real ones"
    direction = "max"
    chooses = False
    needs = frozenset({"neighbours"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share.

        Raises:
            ValueError: if ``real`` is without the features themselves.
        """
        distances, places = _to_real(generated, real)
        return float(np.mean(distances > real.nearest[places, 0]))


class CT(Criterion):
    """How much nearer to the real images the generated ones are than images nobody learned from.

    The test of Meehan, Chaudhuri and Dasgupta, 2020, arXiv:2004.05675, over all features at once:
    distances to the nearest real image, of N generated images beside those of M unseen ones, as
    z = (U - N M / 2) / sqrt(N M (N + M + 1) / 12), where U counts the pairs in which the generated
    image is the farther one, and half of those that are equal (Mann and Whitney, 1947). About 0 for
    unseen real images; below -3 the generator copies; far above 3 its images are poor.
    """

    name = "c_t"
    summary = "are generated features nearer to real ones than unseen images are? below -3: copies"
    direction = "max"
    chooses = False
    needs = frozenset({"real_features", "unseen"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return z.

        Raises:
            ValueError: if ``real`` is without the features, or without unseen images.
        """
        return rank_sum(_to_real(generated, real)[0], real.known_unseen)


def rank_sum(ones: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> float:
    """The z of Mann and Whitney: above 0 where the first sample, [N], is the larger one."""
    n, m = len(ones), len(others)
    _, places, counts = np.unique(
        np.concatenate([ones, others]), return_inverse=True, return_counts=True
    )
    ranks = np.cumsum(counts) - (counts - 1) / 2  # of equal values their mean
    u = float(ranks[places[:n]].sum()) - n * (n + 1) / 2
    return (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)


def _to_real(
    generated: Features, real: Moments
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """See `to_nearest`; found once for both criteria."""
    return generated.once(("to_real", real), lambda: to_nearest(generated.pool, real.known_pool))
