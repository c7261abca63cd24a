"""Density and coverage of features (Naeem et al., 2020, arXiv:2002.09797)."""

from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments


class Density(Criterion):
    """How many balls of real images a generated one is in, divided by k = 5; 0 or more.

    As `Precision`, but outliers among the real images, whose balls are large, count little. 1 is
    expected of equal distributions; images where real ones are densest come above it.

    It does not depend on how many generated images there are.
    """

    name = "density"
    summary = "real features around a generated one: precision that outliers do not raise"
    direction = "max"
    needs_neighbours = True

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the mean number of balls over k.

        Raises:
            ValueError: if ``real`` is without the features themselves.
        """
        return generated.neighbours(real).density


class Coverage(Criterion):
    """The share of real images with a generated one in their ball, k = 5; 0 to 1.

    As `Recall`, but with the real images' balls, which poor generated images cannot enlarge. About
    1 - 2^-5 = 0.97 for equal distributions and as many images on both sides, which every training
    has; it rises with the number of generated images and falls with that of real ones.
    """

    name = "coverage"
    summary = "share of real features with a generated one near: recall that outliers do not raise"
    direction = "max"
    needs_neighbours = True

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share.

        Raises:
            ValueError: if ``real`` is without the features themselves.
        """
        return generated.neighbours(real).coverage
