"""Statistics of features, which all criteria share.

Glossary: N images, K classes, D pooled features. Features are float32 as the network gives them;
statistics are float64, because covariances of thousands of features lose too much in float32.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array64: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of pooled features.

    Attributes:
        mean: float64 [D].
        covariance: float64 [D, D], with N - 1 in the denominator.
        root: the covariance's square root, if it is at hand.
        pool: the features themselves, float32 [N, D], where a criterion asked for them.
    """

    mean: Array64
    covariance: Array64
    root: Array64 | None = None
    pool: npt.NDArray[np.float32] | None = None

    @classmethod
    def of(cls, pool: npt.NDArray[np.float32]) -> "Moments":
        """The moments of ``pool`` [N, D]; one image has covariance 0."""
        mean = pool.mean(axis=0, dtype=np.float64)
        centred = pool - mean
        return cls(mean, centred.T @ centred / max(len(pool) - 1, 1))

    @cached_property
    def covariance_root(self) -> Array64:
        """The symmetric square root of the covariance, float64 [D, D]."""
        if self.root is not None:
            return self.root
        values, vectors = np.linalg.eigh(self.covariance)
        root: Array64 = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        return root


@dataclass(frozen=True)
class Features:
    """What a feature network says of N images.

    Attributes:
        logits: class scores before the softmax, float32 [N, K].
        pool: pooled features, float32 [N, D].
        labels: int64 [N], the classes that the images were made for, if any.
    """

    logits: npt.NDArray[np.float32]
    pool: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64] | None = None

    @cached_property
    def moments(self) -> Moments:
        """Mean and covariance of ``pool``."""
        return Moments.of(self.pool)

    @cached_property
    def log_probabilities(self) -> Array64:
        """Log p(y|x), float64 [N, K]."""
        logits = self.logits.astype(np.float64)
        log_p: Array64 = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return log_p
