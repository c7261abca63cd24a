"""What a criterion is: the last stage of images -> features -> statistics -> number."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from autogan.criteria.statistics import Features, Moments


class Criterion(ABC):
    """A number that says how good generated images are.

    Subclasses declare which way they are better, and compute their number from the features of
    the generated images and, where they compare, the moments of the real ones.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    direction: ClassVar[Literal["min", "max"]]

    @abstractmethod
    def compute(self, generated: Features, real: Moments) -> float:
        """Return the criterion's value.

        Args:
            generated: the features of the generated images.
            real: the moments of the real images' features.
        """

    @classmethod
    def label(cls, network: str, samples: int) -> str:
        """The name under which values are reported, such as ``fid_inception_10000``.

        Values from different feature networks or sample counts are different quantities and
        never share a label.
        """
        return f"{cls.name}_{network}_{samples}"
