"""FID within classes, each compared with the real images of that class alone."""

import functools

import numpy as np
from typing_extensions import override

from autogan.criteria.base import Criterion
from autogan.criteria.fid import frechet_distance
from autogan.criteria.statistics import Features, Moments

_FEWEST = 2  # images of a class, on either side
_FEWEST_IMAGES = 50  # of all classes


class ClassFID(Criterion):
    """The mean over classes of `FID` between real and generated images of the class; 0 or more.

    Intra-FID of Miyato and Koyama (2018, arXiv:1802.05637, section 4). It detects images that are
    blurred, too similar, or not of the class that they were generated for. A class has few images,
    so that its values are higher than FID and depend more on their number. All classes have the
    same weight. Classes without two images on both sides are left out.
    """

    name = "class_fid"
    summary = "FID within each class: sharpness, variety and the right class at once"
    direction = "min"
    needs = frozenset({"labels", "real_features"})

    @classmethod
    @override
    def shortage(cls, generated: int, real: int, dimensions: int) -> str:
        few = min(generated, real) < _FEWEST_IMAGES
        return f"at least {_FEWEST_IMAGES} images on either side" if few else ""

    @classmethod
    @override
    def caution(cls, generated: int, real: int, dimensions: int) -> str:
        images = min(generated, real)
        if images > 10 * dimensions:
            return ""
        return (
            f"the classes share {images} images of {dimensions} features each; the value depends "
            "on the number of images: compare it only with values from the same number"
        )

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the mean; NaN if no class has two images on both sides.

        Raises:
            ValueError: if ``generated`` or ``real`` has no classes.
        """
        if generated.labels is None or real.labels is None:
            raise ValueError("class_fid needs classes of both generated and real images")
        values = []
        for label in np.unique(real.labels):
            made = generated.pool[generated.labels == label]
            if min(len(made), np.sum(real.labels == label)) < _FEWEST:
                continue
            of_class = functools.partial(_of_class, real, label)
            known = real.once((self.name, int(label)), of_class)
            values.append(frechet_distance(known, Moments.of(made)))
        return float(np.mean(values)) if values else float("nan")


def _of_class(real: Moments, label: int) -> Moments:
    return Moments.of(real.known_pool[real.labels == label])
