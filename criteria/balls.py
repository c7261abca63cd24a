"""Criteria of balls around features, which reach to a near neighbour of the same side.

Precision and recall (Kynkäänniemi et al., 2019, arXiv:1904.06991), density and coverage (Naeem et
al., 2020, arXiv:2002.09797). `Neighbours` counts for all four at once.
"""

from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments


class _OfBalls(Criterion):
    direction = "max"
    needs = frozenset({"neighbours"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the value.

        Raises:
            ValueError: if ``real`` is without the features themselves.
        """
        return float(getattr(generated.neighbours(real), self.name))


class Precision(_OfBalls):
    """The share of generated images that lie among the real ones; 0 to 1.

    Among them is who is in a ball around a real image that reaches to its third nearest other real
    one: see `Neighbours` for borders and duplicates. It tells whether images are good, not whether
    they vary: one good image again and again has precision 1.

    Give as many generated images as real ones, as every training does. More real images have
    smaller balls; of more generated ones the share is the same, only better known.
    """

    name = "precision"
    summary = "share of generated features among the real ones: are the images good?"


class Recall(_OfBalls):
    """The share of real images that lie among the generated ones; 0 to 1.

    As `Precision` with the sides exchanged: does the generator make all that there is? Balls
    around poor images are large, so a few outliers can raise it; read it beside precision.

    Give as many generated images as real ones: fewer have larger balls, but there are fewer.
    """

    name = "recall"
    summary = "share of real features among the generated ones: is all there is made?"


class Density(_OfBalls):
    """How many balls of real images a generated one is in, divided by k = 5; 0 or more.

    As `Precision`, but outliers among the real images, whose balls are large, count little. 1 is
    expected of equal distributions; images where real ones are densest come above it.

    It does not depend on how many generated images there are.
    """

    name = "density"
    summary = "real features around a generated one: precision that outliers do not raise"


class Coverage(_OfBalls):
    """The share of real images with a generated one in their ball, k = 5; 0 to 1.

    As `Recall`, but with the real images' balls, which poor generated images cannot enlarge. About
    1 - 2^-5 = 0.97 for equal distributions and as many images on both sides, which every training
    has; it rises with the number of generated images and falls with that of real ones.
    """

    name = "coverage"
    summary = "share of real features with a generated one near: recall that outliers do not raise"
