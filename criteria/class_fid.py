"""FID within classes: images of a class are compared with the real ones of that class alone."""

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

    Intra-FID of Miyato and Koyama (2018, arXiv:1802.05637, section 4). It notices images that are
    blurred, too much alike, or of another class than they were made for, all at once. A class has
    few images, so that its values are higher than FID and differ more with their number; the
    weight of all classes is the same. Classes without two images on both sides are left out.
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
            f"the classes share {images} images, and each has {dimensions} features; the value "
            "depends on their number: compare it only with values of as many"
        )

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the mean; NaN if no class has two images on both sides.

        Raises:
            ValueError: if ``generated`` or ``real`` is without classes.
        """
        if generated.labels is None or real.labels is None:
            raise ValueError("images of known classes are needed, generated and real")
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
