"""Statistics of features, which all criteria share.

Glossary: N images, K classes, D pooled features. Features are float32 as the network gives them;
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
    """What keeps with itself all that was made of it for one criterion, for the next."""

    _made: dict[Hashable, Any]

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made under this key, made now if it is the first time."""
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made


@dataclass(frozen=True, eq=False)
class Moments(_Shared):
    """Mean and covariance of pooled features, and what else criteria compare with.

    Attributes:
        mean: float64 [D].
        covariance: float64 [D, D], with N - 1 in the denominator.
        root: the covariance's square root, if it is at hand.
        pool: the features themselves, float32 [N, D], where a criterion asked for them.
        near: their `nearest`, if it is at hand.
        images: the real images, uint8 [N, height, width, channels], where a criterion asked.
        labels: their classes, int64 [N], with them or where a criterion asked, if they have any.
        logits: their class scores, float32 [N, K], where a criterion asked for such and the
            network gives any.
        unseen: squared distances of real images that are not learned from to the nearest of these,
            float32 [M], where a criterion asked.
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
        """The distances of unseen images, squared, float32 [M].

        Raises:
            ValueError: if they are not at hand.
        """
        if self.unseen is None:
            raise ValueError("images that are not learned from are needed")
        return self.unseen

    @property
    def known_pool(self) -> npt.NDArray[np.float32]:
        """The features themselves, float32 [N, D].

        Raises:
            ValueError: if they are not at hand.
        """
        if self.pool is None:
            raise ValueError("the real images' features are needed, not only their moments")
        return self.pool


@dataclass(frozen=True, eq=False)
class Features(_Shared):
    """What a feature network says of N images.

    Attributes:
        logits: class scores before the softmax, float32 [N, K], if the network gives any.
        pool: pooled features, float32 [N, D].
        labels: int64 [N], the classes that the images were made for, if any.
        images: uint8 [N, height, width, channels], where a criterion asked for them.
    """

    logits: npt.NDArray[np.float32] | None
    pool: npt.NDArray[np.float32]
    labels: Labels | None = None
    images: Images | None = None
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def rows(self, which: npt.NDArray[np.int64]) -> "Features":
        """The features of some of the images, int64 [M], which may be named more than once."""

        def some(each: npt.NDArray[Any] | None) -> Any:
            return None if each is None else each[which]

        return Features(some(self.logits), self.pool[which], some(self.labels), some(self.images))

    def neighbours(self, real: Moments) -> Neighbours:
        """How they lie among the real ones; computed once for all who ask.

        Raises:
            ValueError: if ``real`` is without the features themselves.
        """
        return self.once(
            ("neighbours", real), lambda: Neighbours.of(self.pool, real.known_pool, real.nearest)
        )

    @property
    def known_logits(self) -> npt.NDArray[np.float32]:
        """Class scores before the softmax, float32 [N, K].

        Raises:
            ValueError: if the network gives none.
        """
        if self.logits is None:
            raise ValueError("logits are needed, and the features have none")
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
