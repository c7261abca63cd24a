"""Criteria that distinguish copies of training images from new images.

FID cannot: compared with the training images, copies of them have a lower FID than new images.
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

_AUTHENTIC = 0.4  # at least half of unseen real images are authentic


def copying(figures: Mapping[str, float]) -> bool:
    """Whether a generator copies, by both criteria: C_T alone is also low for similar images.

    Args:
        figures: of `Evaluator.copies`.
    """
    if "c_t" not in figures:
        return False
    return figures["c_t"] < COPIED and figures["authenticity"] < _AUTHENTIC


class Authenticity(Criterion):
    """The share of generated images that do not copy the nearest real one; 0 to 1.

    Alaa et al., 2022, arXiv:2102.08921, section 3.3: a generated image is authentic if it lies
    farther from its nearest real image than that one lies from its own nearest other real image.
    The share is a half or a little more for unseen images of the real distribution (0.52 for
    digits), 0 for copies, and near 1 for poor images. Copies of images outside the reference are
    not detected.
    """

    name = "authenticity"
    summary = "share of generated features that do not copy real ones"
    direction = "max"
    chooses = False
    needs = frozenset({"neighbours"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share.

        Raises:
            ValueError: if ``real`` lacks the features themselves.
        """
        distances, places = _to_real(generated, real)
        return float(np.mean(distances > real.nearest[places, 0]))


class CT(Criterion):
    """How much nearer the generated images are to the training images than unseen images are.

    The test of Meehan, Chaudhuri and Dasgupta, 2020, arXiv:2004.05675, over all features at once.
    It compares the distances to the nearest real image of N generated images and of M unseen ones:
    z = (U - N M / 2) / sqrt(N M (N + M + 1) / 12), where U counts the pairs in which the generated
    image is farther, and half of the ties (Mann and Whitney, 1947). About 0 for unseen real images;
    below -3 the generator copies; far above 3 its images are poor.
    """

    name = "c_t"
    summary = "are generated features nearer to real ones than unseen images are? below -3: copies"
    direction = "max"
    chooses = False
    needs = frozenset({"real_features", "unseen"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return z.

        Raises:
            ValueError: if ``real`` lacks the features, or unseen images.
        """
        return rank_sum(_to_real(generated, real)[0], real.known_unseen)


def rank_sum(ones: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> float:
    """The z of Mann and Whitney: positive if the first sample, [N], tends to be larger."""
    n, m = len(ones), len(others)
    _, places, counts = np.unique(
        np.concatenate([ones, others]), return_inverse=True, return_counts=True
    )
    ranks = np.cumsum(counts) - (counts - 1) / 2  # ties share their mean rank
    u = float(ranks[places[:n]].sum()) - n * (n + 1) / 2
    return (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)


def _to_real(
    generated: Features, real: Moments
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """See `to_nearest`; computed once for both criteria."""
    return generated.once(("to_real", real), lambda: to_nearest(generated.pool, real.known_pool))
