"""Statistics of features, shared by all criteria.

Glossary: N images, K classes, D pooled features. Features are float32, as the network returns them;
statistics are float64, because covariances of thousands of features lose too much in float32.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from autogan.core.arrays import Images, Labels
from autogan.criteria.neighbours import Neighbours, nearest

Array64: TypeAlias = npt.NDArray[np.float64]

T = TypeVar("T")


class _Shared:
    """Caches values derived from an object for one criterion, so that others can reuse them."""

    _made: dict[Hashable, Any]

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """The cached value under a key; computes it the first time."""
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made


@dataclass(frozen=True, eq=False)
class Moments(_Shared):
    """Mean and covariance of pooled features, and other data that criteria compare with.

    Attributes:
        mean: float64 [D].
        covariance: float64 [D, D], with N - 1 in the denominator.
        root: the covariance's square root, if known.
        pool: the features themselves, float32 [N, D], if a criterion needs them.
        near: the result of `nearest`, if known.
        images: the real images, uint8 [N, height, width, channels], if a criterion needs them.
        labels: their classes, int64 [N], if they have any and a criterion needs images or labels.
        logits: their logits, float32 [N, K], if a criterion needs them and the network has any.
        unseen: squared distances of real images outside the training set to the nearest of these,
            float32 [M], if a criterion needs them.
    """

    mean: Array64
    covariance: Array64
    root: Array64 | None = None
    pool: npt.NDArray[np.float32] | None = None
    near: npt.NDArray[np.float32] | None = None
    images: Images | None = None
    labels: Labels | None = None
    logits: npt.NDArray[np.float32] | None = None
    unseen: npt.NDArray[np.float32] | None = None
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

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

    @cached_property
    def nearest(self) -> npt.NDArray[np.float32]:
        """See `autogan.criteria.neighbours.nearest`."""
        return nearest(self.known_pool) if self.near is None else self.near

    @property
    def known_unseen(self) -> npt.NDArray[np.float32]:
        """The squared distances of unseen images, float32 [M].

        Raises:
            ValueError: if they are missing.
        """
        if self.unseen is None:
            raise ValueError("unseen real images are needed")
        return self.unseen

    @property
    def known_pool(self) -> npt.NDArray[np.float32]:
        """The features themselves, float32 [N, D].

        Raises:
            ValueError: if they are missing.
        """
        if self.pool is None:
            raise ValueError("the real images' features are needed, not only their moments")
        return self.pool


@dataclass(frozen=True, eq=False)
class Features(_Shared):
    """A feature network's outputs for N images.

    Attributes:
        logits: class scores before the softmax, float32 [N, K], if the network has any.
        pool: pooled features, float32 [N, D].
        labels: int64 [N], the classes that the images were generated for, if any.
        images: uint8 [N, height, width, channels], if a criterion needs them.
    """

    logits: npt.NDArray[np.float32] | None
    pool: npt.NDArray[np.float32]
    labels: Labels | None = None
    images: Images | None = None
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def rows(self, which: npt.NDArray[np.int64]) -> "Features":
        """The features of the images with these indices, int64 [M], which may repeat."""

        def some(each: npt.NDArray[Any] | None) -> Any:
            return None if each is None else each[which]

        return Features(some(self.logits), self.pool[which], some(self.labels), some(self.images))

    def neighbours(self, real: Moments) -> Neighbours:
        """How the features mix with the real ones; computed once for all criteria.

        Raises:
            ValueError: if ``real`` lacks the features themselves.
        """
        return self.once(
            ("neighbours", real), lambda: Neighbours.of(self.pool, real.known_pool, real.nearest)
        )

    @property
    def known_logits(self) -> npt.NDArray[np.float32]:
        """Class scores before the softmax, float32 [N, K].

        Raises:
            ValueError: if the network has none.
        """
        if self.logits is None:
            raise ValueError("logits are needed, but the feature network has none")
        return self.logits

    @cached_property
    def moments(self) -> Moments:
        """Mean and covariance of ``pool``."""
        return Moments.of(self.pool)


def log_softmax(logits: npt.NDArray[np.float32]) -> Array64:
    """Log p(y|x), float64 [N, K], of class scores."""
    exact = logits.astype(np.float64)
    log_p: Array64 = exact - np.logaddexp.reduce(exact, axis=1, keepdims=True)
    return log_p
