"""Precision and recall of features (Kynkäänniemi et al., 2019, arXiv:1904.06991)."""

from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments


class Precision(Criterion):
    """The share of generated images that lie among the real ones; 0 to 1.

    Among them is who is in a ball around a real image that reaches to its third nearest other real
    one: see `Neighbours` for borders and duplicates. It tells whether images are good, not whether
    they vary: one good image again and again has precision 1.

    Give as many generated images as real ones, as every training does. More real images have
    smaller balls; of more generated ones the share is the same, only better known.
    """

    name = "precision"
    summary = "share of generated features among the real ones: are the images good?"
    direction = "max"
    needs_neighbours = True

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share.

        Raises:
            ValueError: if ``real`` is without the features themselves.
        """
        return generated.neighbours(real).precision


class Recall(Criterion):
    """The share of real images that lie among the generated ones; 0 to 1.

    As `Precision` with the sides exchanged: does the generator make all that there is? Balls
    around poor images are large, so a few outliers can raise it; read it beside precision.

    Give as many generated images as real ones: fewer have larger balls, but there are fewer.
    """

    name = "recall"
    summary = "share of real features among the generated ones: is all there is made?"
    direction = "max"
    needs_neighbours = True

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share.

        Raises:
            ValueError: if ``real`` is without the features themselves.
        """
        return generated.neighbours(real).recall
