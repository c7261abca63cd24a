"""JS-IS, the Inception Score with the Jensen-Shannon divergence (Auto-GAN, 2018)."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments, log_softmax


class JSInceptionScore(Criterion):
    """exp(E_x 2 JS(p(y|x), p(y))), natural logarithm; from 1 to 4.

    Auto-GAN, equation 3-6: JS(P, Q) = KL(P || M) / 2 + KL(Q || M) / 2 with M = (P + Q) / 2. It
    saturates, and therefore varies less between runs than the Inception Score.
    """

    name = "js_is"
    summary = "Inception Score with the bounded Jensen-Shannon divergence"
    direction = "max"
    needs = frozenset({"logits"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the score of the generated images; the real ones do not matter."""
        return _score(generated.known_logits)

    def figures(self, generated: Features, real: Moments) -> Mapping[str, float]:
        """The score of the real images, which is that of a perfect generator."""
        logits = real.logits
        return (
            {} if logits is None else {"real_js_is": real.once(self.name, lambda: _score(logits))}
        )


def _score(logits: npt.NDArray[np.float32]) -> float:
    log_p = log_softmax(logits)  # [N, K], p(y|x)
    log_q = np.logaddexp.reduce(log_p, axis=0) - math.log(len(log_p))  # [K], p(y)
    log_m = np.logaddexp(log_p, log_q) - math.log(2)
    kl_p = np.sum(np.exp(log_p) * (log_p - log_m), axis=1)
    kl_q = np.sum(np.exp(log_q) * (log_q - log_m), axis=1)
    return float(np.exp(np.mean(kl_p + kl_q)))
