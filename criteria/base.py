"""What a criterion is: the last stage of images -> features -> statistics -> number."""

from abc import abstractmethod
from collections.abc import Mapping, Set
from typing import ClassVar, Literal

from typing_extensions import override

from autogan.core.registry import Part
from autogan.criteria.statistics import Features, Moments

NEEDS = frozenset({"labels", "logits", "images", "real_features", "neighbours", "unseen"})


class Criterion(Part):
    """A number that says how good generated images are.

    Subclasses declare which way they are better, and compute their number from the features of
    the generated images and, where they compare, the moments of the real ones.

    Attributes:
        name: as users write it after ``--criterion``.
        summary: one line for ``autogan list``.
        direction: whether lower (``min``) or higher (``max``) is better.
        chooses: whether a better value means better images, so that it may decide a search.
        looks_at_features: whether it does; where no criterion does, no trained network is loaded.
        needs: any of these, beside pooled features and moments:
            ``labels``: ``generated.labels`` and ``real.labels``, from images of known classes;
            ``logits``: ``generated.logits``, which not all feature networks give; with labels,
            those of the dataset's classes;
            ``images``: ``generated.images`` and ``real.images``, uint8 [N, height, width,
            channels], and ``real.labels``, if there are any;
            ``real_features``: ``real.pool``, the real features themselves;
            ``neighbours``: ``generated.neighbours(real)``;
            ``unseen``: ``real.unseen``, distances of images that are not learned from.
    """

    direction: ClassVar[Literal["min", "max"]]
    chooses: ClassVar[bool] = True
    looks_at_features: ClassVar[bool] = True
    needs: ClassVar[Set[str]] = frozenset()

    @classmethod
    @override
    def fault(cls) -> str:
        if getattr(cls, "direction", None) not in ("min", "max"):
            return "its direction must be min or max"
        if flags := [name for name in dir(cls) if name.startswith("needs_")]:
            return f"{flags[0]} has no meaning; write needs = {{{flags[0][6:]!r}}}"
        if not isinstance(cls.needs, Set) or not cls.needs <= NEEDS:
            return f"its needs must be a set of some of {', '.join(sorted(NEEDS))}"
        return ""

    @abstractmethod
    def compute(self, generated: Features, real: Moments) -> float:
        """Return the criterion's value.

        Args:
            generated: the features of the generated images.
            real: the moments of the real images' features.
        """

    def figures(self, generated: Features, real: Moments) -> Mapping[str, float]:
        """What the value is made of, by name; recorded beside it, but nothing decides by it."""
        return {}

    @classmethod
    def fewest(cls, dimensions: int) -> int:
        """How many generated images it wants, at least, if each has so many features."""
        return 1

    @classmethod
    def shortage(cls, generated: int, real: int, dimensions: int) -> str:
        """What it wants where images are too few for a value; empty if they are enough.

        Args:
            generated: how many images are scored.
            real: how many they are compared with.
            dimensions: features of each; 0 if that is not known yet.
        """
        fewest = cls.fewest(dimensions)
        return "" if generated >= fewest else f"at least {fewest} generated images"

    @classmethod
    def caution(cls, generated: int, real: int, dimensions: int) -> str:
        """Why a value of so few images tells little, though it can be had; else empty.

        The arguments are those of `shortage`.
        """
        return ""

    @classmethod
    def label(cls, network: str, scale: str) -> str:
        """The name under which values are reported, such as ``fid_inception_10000_3d61bb``.

        Values that cannot be compared never share a label; see `Evaluator.labels`.
        """
        return f"{cls.name}_{network}_{scale}"
