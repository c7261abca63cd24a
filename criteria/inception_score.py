"""Inception Score (Salimans et al., 2016, arXiv:1606.03498)."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

import autogan.core.tfgan as tfgan
from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments


class InceptionScore(Criterion):
    """exp(E_x KL(p(y|x) || p(y))), over one split; from 1 to the number of classes.

    Auto-GAN, equation 2-13; computed by TF-GAN in float64.
    """

    name = "is"
    summary = "Inception Score: sharp images of many classes"
    direction = "max"
    needs = frozenset({"logits"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the score of the generated images; the real ones do not matter."""
        return _score(generated.known_logits)

    def figures(self, generated: Features, real: Moments) -> Mapping[str, float]:
        """The score of the real images, which is that of a perfect generator."""
        logits = real.logits
        return {} if logits is None else {"real_is": real.once(self.name, lambda: _score(logits))}


def _score(logits: npt.NDArray[np.float32]) -> float:
    return float(tfgan.classifier_metrics().classifier_score_from_logits(logits))
