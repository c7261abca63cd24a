"""Variety: whether a generator makes different pictures, or the same few again and again."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autogan.core.arrays import Images
from autogan.criteria.clipped import ClippedCoverage
from autogan.criteria.neighbours import squared_distances
from autogan.criteria.statistics import Features, Moments

Pool = npt.NDArray[np.float32]

_LOOKED_AT = 256  # images whose pixels are compared, each with each
_SAME = 0.1  # largest difference between two images of one picture, in units of the contrast
_FLAT, _PALE = 0.1275, 2.0  # grey levels of contrast, below which images are constant, or pale
_DIM = 0.1  # of the real images' deviation: pale images below it are not like the real ones
_FEW = 0.1  # of the number of different pictures among real images: up to that is a collapse
_COVERED = 1000  # images whose features are compared, each with each
_POOR = 0.5  # of the real images' figure, below which a warning is due


@dataclass(frozen=True)
class Variety:
    """How much generated images differ from each other.

    Attributes:
        distinct: the number of different pictures among the images compared. Two are the same if
            the root of their mean squared difference is at most a tenth of the contrast, which is
            the standard deviation of all pixels of all images. An untrained generator's weak images
            differ; a collapsed one's strong images do not, though hardly two are equal bit by bit.
        real_distinct: the same for an equal number of real images.
        looked_at: the number of images compared.
        contrast: of the generated images, in grey levels.
        deviation: of a pixel over the images, averaged over all pixels, relative to real images.
        coverage: share of real images that have a generated one among their five nearest
            neighbours, in features (Naeem et al., 2020, arXiv:2002.09797). About 0.97 for equal
            distributions, near 0 for images unlike any real one.
        good: the share of good and different images that would cover the real ones equally well:
            see `ClippedCoverage`. Coverage alone hardly falls if three quarters of them are noise.
    """

    distinct: int
    real_distinct: int
    looked_at: int
    contrast: float
    deviation: float
    coverage: float
    good: float

    @classmethod
    def of(cls, figures: Mapping[str, float]) -> "Variety":
        """The inverse of `dataclasses.asdict`, after a passage through JSON."""
        counts = {n: round(figures[n]) for n in ("distinct", "real_distinct", "looked_at")}
        return cls(
            **counts,
            contrast=figures["contrast"],
            deviation=figures["deviation"],
            coverage=figures["coverage"],
            good=figures.get("good", figures["coverage"]),  # version 0.3 did not measure it
        )

    @property
    def collapsed(self) -> bool:
        """Whether the generator makes the same few pictures again and again.

        Pale images, with a contrast below two grey levels, never count as collapsed: tiny
        generators begin with such images, and 8 bits cannot represent their differences.
        """
        few = self.distinct <= max(1, _FEW * self.real_distinct)
        return few and not self.pale and self.real_distinct > 1

    @property
    def pale(self) -> bool:
        """Whether the images have too little contrast to be distinguished."""
        return _FLAT <= self.contrast < _PALE

    def faded(self, before: Iterable["Variety"]) -> bool:
        """Whether the images are pale, unlike the real ones and unlike earlier ones."""
        dim = self.pale and self.deviation < _DIM
        return dim and any(not earlier.pale for earlier in before)

    @property
    def repetitive(self) -> bool:
        """Whether there are less than half as many different pictures as among real images."""
        return self.distinct < _POOR * self.real_distinct

    @property
    def uncovering(self) -> bool:
        """Whether over half of the real images are not covered, or over half of the images poor."""
        return self.real_distinct > 1 and min(self.coverage, self.good) < _POOR

    def __str__(self) -> str:
        if self.pale:
            return f"pale images, with a contrast of {self.contrast:.1f} grey levels"
        pictures = "picture" if self.distinct == 1 else "different pictures"
        return f"{self.distinct} {pictures} among {self.looked_at} images"


class Yardstick:
    """Real images, the standard for the variety of generated ones.

    Args:
        images: uint8 [N, height, width, channels].
        pool: their pooled features, float32 [N, D], or those of `covered` images alone.
    """

    def __init__(self, images: Images, pool: Pool) -> None:
        self._seen = _spread(images, _LOOKED_AT)
        self._known = covered(pool)
        self._deviation = _deviation(self._seen)
        self._distinct = functools.cache(lambda count: _distinct(_spread(self._seen, count)))
        self._real = functools.cache(lambda count: _moments(_spread(self._known, count)))

    def measure(self, images: Images, pool: Pool) -> Variety:
        """Measure generated images.

        Args:
            images: uint8 [N, height, width, channels].
            pool: their pooled features, float32 [N, D].
        """
        seen, made = _spread(images, len(self._seen)), Features(None, covered(pool))
        real = self._real(len(made.pool))  # no more real images than generated ones
        return Variety(
            distinct=_distinct(seen),
            real_distinct=self._distinct(len(seen)),
            looked_at=len(seen),
            contrast=float(seen.std(dtype=np.float64)),
            deviation=_deviation(seen) / self._deviation if self._deviation else 1.0,
            coverage=made.neighbours(real).coverage,
            good=ClippedCoverage().compute(made, real),
        )


def covered(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The images or features used to measure coverage, evenly spread over all."""
    return _spread(rows, _COVERED)


def evenly(total: int, count: int) -> npt.NDArray[np.int64]:
    """Indices of ``count`` rows, or of all if there are fewer, evenly spread over all; int64."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)


def _spread(rows: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    return rows[evenly(len(rows), count)]


def _moments(pool: Pool) -> Moments:
    """Moments that include the features themselves."""
    return dataclasses.replace(Moments.of(pool), pool=pool)


def _distinct(images: Images) -> int:
    """The number of pictures that differ from all before them; see `Variety`."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= rows.mean()  # constant images become 0 exactly
    limit = rows.shape[1] * (_SAME * rows.std()) ** 2
    same = squared_distances(rows, rows) <= limit
    different: list[int] = []
    for place in range(len(rows)):
        if not same[place, different].any():
            different.append(place)
    return len(different)


def _deviation(images: Images) -> float:
    """The deviation of a pixel over images, in grey levels, averaged over all pixels."""
    return float(images.std(axis=0, dtype=np.float64).mean())
