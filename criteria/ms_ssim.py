"""Multi-scale structural similarity of images (Wang et al., 2003; Odena et al., 2017)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from autogan.core.arrays import Images, Labels
from autogan.core.errors import ConfigError
from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments

Array32 = npt.NDArray[np.float32]

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, the finest first
_FILTER, _SMALL_FILTER, _SIGMA = 11, 7, 1.5  # pixels
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_PAIRS = 2000
_AT_ONCE = 2**21  # numbers in the images of one side that are compared at once


class MSSSIM(Criterion):
    """|generated - real|, of the mean MS-SSIM over pairs of images on either side; 0 to 1.

    The mean similarity of pairs shows how much images vary (Odena et al., 2017, arXiv:1610.09585):
    1 if all are alike. A low similarity is not good in itself: noise has about 0. The ideal is the
    real images' similarity, and the criterion is the distance from it. Both similarities are
    recorded as ``ms_ssim`` and ``real_ms_ssim`` with the other figures of variety, and reported by
    ``autogan evaluate``.

    If both sides have labels, pairs are within a class, with the same number for each class. There
    are 2,000 in all, drawn in the same way each time, or all pairs if there are fewer; see
    `ms_ssim` for the scales. The criterion uses pixels and needs no features.
    """

    name = "ms_ssim"
    summary = "distance between generated and real images' similarity of pairs (noise is far too)"
    direction = "min"
    looks_at_features = False
    needs = frozenset({"images"})

    @classmethod
    def fewest(cls, dimensions: int) -> int:
        """A pair."""
        return 2

    @classmethod
    def shortage(cls, generated: int, real: int, dimensions: int) -> str:
        """A pair on either side."""
        return "" if min(generated, real) >= 2 else "at least 2 images on either side"

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the distance.

        Raises:
            ValueError: if either side lacks images.
            ConfigError: if no two images of a side share a class.
        """
        figures = self.figures(generated, real)
        return abs(figures["ms_ssim"] - figures["real_ms_ssim"])

    def figures(self, generated: Features, real: Moments) -> Mapping[str, float]:
        """The mean MS-SSIM of each side."""
        labelled = generated.labels is not None and real.labels is not None
        key = (self.name, labelled)
        return {
            "ms_ssim": generated.once(key, lambda: _mean(generated, labelled)),
            "real_ms_ssim": real.once(key, lambda: _mean(real, labelled)),
        }


def ms_ssim(ones: Images, others: Images) -> npt.NDArray[np.float64]:
    """The MS-SSIM of pairs of images, as ``tf.image.ssim_multiscale`` defines it.

    Images of 161 pixels and more have the usual five scales with a Gaussian window of 11x11,
    sigma 1.5. Smaller images have a window of 7x7, and as many scales as it fits in: five from 97
    pixels, four from 49, three from 25, two from 13; tiny images have a window of their own size.
    The weights of the scales in use are divided by their sum. Hence values for different image
    sizes are not comparable.

    Args:
        ones: uint8 [N, height, width, channels].
        others: the same shape.

    Returns:
        [N], the mean over channels; 0 to 1, 1 for equal images.
    """
    side = min(ones.shape[1:3])
    window = _FILTER if _scales(side, _FILTER) == len(_WEIGHTS) else min(_SMALL_FILTER, side)
    weights = np.array(_WEIGHTS[: _scales(side, window)])
    x, y = (np.moveaxis(images, 3, 1).astype(np.float32) for images in (ones, others))
    value = np.ones(x.shape[:2])
    for scale, weight in enumerate(weights / weights.sum()):
        if scale:
            x, y = _halved(x), _halved(y)
        luminance, structure = _similarities(x, y, window)
        last = scale == len(weights) - 1
        part = (luminance * structure if last else structure).mean(axis=(2, 3))
        value *= np.maximum(part, 0.0) ** weight
    means: npt.NDArray[np.float64] = value.mean(axis=1)
    return means


def _mean(side: Features | Moments, labelled: bool) -> float:
    """The mean over pairs of one side's images, within classes if they are labelled."""
    if side.images is None:
        raise ValueError("ms_ssim needs the images, generated and real")
    ones, others = _pairs(len(side.images), side.labels if labelled else None)
    if not len(ones):
        raise ConfigError(
            "criterion",
            f"ms_ssim needs two images of a class, but no two of {len(side.images)} share one; "
            "use more images, or leave it out",
        )
    rows = max(1, _AT_ONCE // side.images[0].size)
    return float(
        np.mean(
            np.concatenate(
                [
                    ms_ssim(
                        side.images[ones[first : first + rows]],
                        side.images[others[first : first + rows]],
                    )
                    for first in range(0, len(ones), rows)
                ]
            )
        )
    )


def _pairs(count: int, labels: Labels | None) -> tuple[npt.NDArray[np.int64], ...]:
    """The indices of the first and the second images of the pairs, always two different images."""
    classes = np.zeros(count, np.int64) if labels is None else labels
    groups = [np.flatnonzero(classes == label) for label in np.unique(classes)]
    share = -(-_PAIRS // len(groups))
    rng = np.random.default_rng(0)
    pairs = []
    for members in groups:
        size = len(members)
        if size * (size - 1) // 2 <= share:
            chosen = np.stack(np.triu_indices(size, 1))
        else:
            ones, steps = rng.integers(size, size=share), rng.integers(1, size, size=share)
            chosen = np.stack([ones, (ones + steps) % size])
        pairs.append(members[chosen])
    return tuple(np.concatenate(pairs, axis=1))


def _scales(side: int, window: int) -> int:
    """The number of image scales that the window fits in; at most five."""
    count = 0
    while side >= window and count < len(_WEIGHTS):
        side = -(-side // 2)
        count += 1
    return count


def _similarities(x: Array32, y: Array32, window: int) -> tuple[npt.NDArray[Any], ...]:
    """Luminance, and contrast times structure, at each place; of images [N, channels, h, w]."""
    rows, columns = (_band(size, window) for size in x.shape[2:])

    def blurred(images: Array32) -> Array32:
        made: Array32 = np.matmul(np.matmul(rows, images), columns.T)
        return made

    mean_x, mean_y = blurred(x), blurred(y)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    luminance: npt.NDArray[Any] = (2 * product + _C1) / (squares + _C1)
    structure: npt.NDArray[Any] = (2 * (blurred(x * y) - product) + _C2) / (
        blurred(x * x + y * y) - squares + _C2
    )
    return luminance, structure


def _band(size: int, window: int) -> Array32:
    """The matrix that slides a Gaussian window along a line, [size - window + 1, size]."""
    gauss = np.exp(-0.5 * ((np.arange(window) - (window - 1) / 2) / _SIGMA) ** 2)
    band = np.zeros((size - window + 1, size), np.float32)
    for place, row in enumerate(band):
        row[place : place + window] = gauss / gauss.sum()
    return band


def _halved(images: Array32) -> Array32:
    """Means of 2x2 pixels; the last pixel of an odd line counts twice."""
    count, channels, height, width = images.shape
    even = np.pad(images, ((0, 0), (0, 0), (0, height % 2), (0, width % 2)), "edge")
    parts = even.reshape(count, channels, (height + 1) // 2, 2, (width + 1) // 2, 2)
    halved: Array32 = parts.mean(axis=(3, 5))
    return halved
