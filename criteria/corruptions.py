"""Corruptions of images, to test how criteria respond.

Each takes images, uint8 [N, height, width, channels], a strength and random numbers, and returns
images of the same shape. Blur, noise, rectangles, swirl and salt and pepper are those with which
Heusel et al., 2017, arXiv:1706.08500, appendix A1, show that FID rises.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autogan.core.arrays import Images
from autogan.core.errors import ConfigError
from autogan.core.registry import suggestion

_RECTANGLES = 5


@dataclass(frozen=True)
class Corruption:
    """One way to corrupt images.

    Attributes:
        meaning: what its strength measures, in words.
        most: the largest strength.
        apply: the function that corrupts images.
    """

    meaning: str
    most: float
    apply: Callable[[Images, float, np.random.Generator], Images]


def _blurred(images: Images, strength: float, rng: np.random.Generator) -> Images:
    from scipy.ndimage import gaussian_filter  # SciPy takes long to import

    return _bytes(gaussian_filter(images.astype(np.float32), (0, strength, strength, 0)))


def _noisy(images: Images, strength: float, rng: np.random.Generator) -> Images:
    return _bytes(images + 255 * strength * rng.normal(size=images.shape).astype(np.float32))


def _covered(images: Images, strength: float, rng: np.random.Generator) -> Images:
    spoiled, (height, width) = images.copy(), images.shape[1:3]
    sides = round(strength * height), round(strength * width)
    for image in spoiled:
        for _ in range(_RECTANGLES):
            top = rng.integers(0, height - sides[0] + 1)
            left = rng.integers(0, width - sides[1] + 1)
            image[top : top + sides[0], left : left + sides[1]] = 0
    return spoiled


def _swirled(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """Images turned about the centre by an angle that falls to 0 at the borders."""
    from scipy.ndimage import map_coordinates

    height, width = images.shape[1:3]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    y0, x0 = (height - 1) / 2, (width - 1) / 2
    radius = np.hypot(y - y0, x - x0)
    angle = np.arctan2(y - y0, x - x0) + strength * np.maximum(1 - radius / min(y0, x0), 0)
    places = [y0 + radius * np.sin(angle), x0 + radius * np.cos(angle)]  # [height, width] each
    planes = np.moveaxis(images, 3, 1).reshape(-1, height, width).astype(np.float32)
    turned = np.stack([map_coordinates(p, places, order=1, mode="nearest") for p in planes])
    turned = turned.reshape(len(images), -1, height, width)
    return _bytes(np.moveaxis(turned, 1, 3))


def _salted(images: Images, strength: float, rng: np.random.Generator) -> Images:
    spoiled, places = images.copy(), rng.random(images.shape[:3])
    spoiled[places < strength / 2] = 0
    spoiled[places > 1 - strength / 2] = 255
    return spoiled


def _repeated(images: Images, strength: float, rng: np.random.Generator) -> Images:
    spoiled = images.copy()
    spoiled[: round(strength * len(images))] = images[-1]
    return spoiled


def _foreign(images: Images, strength: float, rng: np.random.Generator) -> Images:
    spoiled, count = images.copy(), round(strength * len(images))
    spoiled[:count] = rng.integers(0, 256, (count, *images.shape[1:]))
    return spoiled


CORRUPTIONS = {
    "blur": Corruption("deviation of a Gaussian, in pixels", 100.0, _blurred),
    "noise": Corruption("deviation of the noise on each pixel, 1 for 255", 10.0, _noisy),
    "rectangles": Corruption("side of five black rectangles, 1 for the image's", 1.0, _covered),
    "swirl": Corruption("angle by which the centre is turned, in radians", 100.0, _swirled),
    "salt_pepper": Corruption("share of pixels that are black or white", 1.0, _salted),
    "repeats": Corruption("share of images that are all the same one", 1.0, _repeated),
    "foreign": Corruption("share of images that are uniform noise", 1.0, _foreign),
}


def corruptions_of(text: str) -> dict[str, float]:
    """The strengths in ``blur=1,noise=0.1``.

    Raises:
        ConfigError: naming the part that is wrong.
    """
    found: dict[str, float] = {}
    for part in text.replace(" ", "").split(","):
        name, _, value = part.partition("=")
        if name not in CORRUPTIONS:
            raise ConfigError("corrupt", f"{part!r}; {suggestion(name, CORRUPTIONS)}")
        try:
            strength = float(value)
        except ValueError:
            strength = -1.0
        most = CORRUPTIONS[name].most
        if not 0 < strength <= most:
            meaning = CORRUPTIONS[name].meaning
            raise ConfigError(
                "corrupt", f"{part!r}; give {name} a number above 0 up to {most:g}: {meaning}"
            )
        found[name] = strength
    return found


def corrupted(images: Images, name: str, strength: float) -> Images:
    """Corrupt images, in the same way each time.

    Args:
        images: uint8 [N, height, width, channels].
        name: of the corruption.
        strength: of the corruption.
    """
    return CORRUPTIONS[name].apply(images, strength, np.random.default_rng(0))


def _bytes(images: np.ndarray) -> Images:
    made: Images = np.clip(np.round(images), 0, 255).astype(np.uint8)
    return made
