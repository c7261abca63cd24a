"""Inception Score (Salimans et al., 2016, arXiv:1606.03498)."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

import autogan.core.tfgan as tfgan
from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments

_SPLITS = 10  # the paper's
_FEWEST = 10  # images of a split, below which its score is meaningless


class InceptionScore(Criterion):
    """exp(E_x KL(p(y|x) || p(y))), over one split; from 1 to the number of classes.

    Auto-GAN, equation 2-13; computed by TF-GAN in float64. Published scores are often means over
    ten splits, given with the standard deviation over them, which is recorded as ``is_std``.
    """

    name = "is"
    summary = "Inception Score: sharp images of many classes"
    direction = "max"
    needs = frozenset({"logits"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the score of the generated images; the real ones do not matter."""
        return _score(generated.known_logits)

    def figures(self, generated: Features, real: Moments) -> Mapping[str, float]:
        """The deviation over ten splits, and the real images' score, a perfect generator's."""
        made, logits = generated.known_logits, real.logits
        figures = {}
        if len(made) >= _FEWEST * _SPLITS:
            shuffled = made[np.random.default_rng(0).permutation(len(made))]  # may be sorted
            scores = [_score(split) for split in np.array_split(shuffled, _SPLITS)]
            figures["is_std"] = float(np.std(scores))
        if logits is not None:
            figures["real_is"] = real.once(self.name, lambda: _score(logits))
        return figures


def _score(logits: npt.NDArray[np.float32]) -> float:
    return float(tfgan.classifier_metrics().classifier_score_from_logits(logits))
