"""Criteria that use balls around features, each reaching to a near neighbour of the same side.

Precision and recall (Kynkäänniemi et al., 2019, arXiv:1904.06991), density and coverage (Naeem et
al., 2020, arXiv:2002.09797). `Neighbours` computes all four at once.
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

    An image lies among them if it is in the ball of a real image, which reaches to that image's
    third nearest other real one: see `Neighbours` for borders and duplicates. The share says
    whether images are good, not whether they vary: one good image repeated has precision 1.

    Use as many generated images as real ones, as every training does. More real images have
    smaller balls; more generated images leave the expected share unchanged, only less noisy.
    """

    name = "precision"
    summary = "share of generated features among the real ones: are the images good?"


class Recall(_OfBalls):
    """The share of real images that lie among the generated ones; 0 to 1.

    Like `Precision` with the sides exchanged: do the generated images cover all real ones? Balls
    around poor images are large, so a few outliers can raise it; read it together with precision.

    Use as many generated images as real ones: with fewer, their balls are larger, but there are
    fewer of them.
    """

    name = "recall"
    summary = "share of real features among the generated ones: do the images cover all real ones?"


class Density(_OfBalls):
    """The mean number of real images' balls that hold a generated image, over k = 5; 0 or more.

    Like `Precision`, but outliers among the real images, whose balls are large, count little. For
    equal distributions 1 is expected; images where real ones are densest have more.

    It does not depend on the number of generated images.
    """

    name = "density"
    summary = "real features around a generated one: precision that outliers do not raise"


class Coverage(_OfBalls):
    """The share of real images with a generated one in their ball, k = 5; 0 to 1.

    Like `Recall`, but with the real images' balls, which poor generated images cannot enlarge. It
    is about 1 - 2^-5 = 0.97 for equal distributions and equal numbers of images, as in every
    training; it rises with the number of generated images and falls with that of real ones.
    """

    name = "coverage"
    summary = "share of real features with a generated one near: recall that outliers do not raise"
