"""Inception Score (Salimans et al., 2016, arXiv:1606.03498)."""

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
    needs_logits = True

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the score of the generated images; the real ones do not matter."""
        score = tfgan.classifier_metrics().classifier_score_from_logits
        return float(score(generated.known_logits))
