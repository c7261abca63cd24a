"""The base class of criteria, the last stage of images -> features -> statistics -> number."""

from abc import abstractmethod
from collections.abc import Mapping, Set
from typing import ClassVar, Literal

from typing_extensions import override

from autogan.core.registry import Part
from autogan.criteria.statistics import Features, Moments

NEEDS = frozenset({"labels", "logits", "images", "real_features", "neighbours", "unseen"})


class Criterion(Part):
    """A measure of how good generated images are.

    Subclasses declare which direction is better, and compute a number from the features of the
    generated images and, if they compare, the moments of the real ones.

    Attributes:
        name: as users write it after ``--criterion``.
        summary: one line for ``autogan list``.
        direction: whether lower (``min``) or higher (``max``) is better.
        chooses: whether a better value means better images, so that it may decide a search.
        looks_at_features: whether it uses features; if no criterion does, no trained network is
            loaded.
        needs: any of these, in addition to pooled features and moments:
            ``labels``: ``generated.labels`` and ``real.labels``, from images of known classes;
            ``logits``: ``generated.logits``, which not all feature networks have; together with
            ``labels``, the logits of the dataset's classes;
            ``images``: ``generated.images`` and ``real.images``, uint8 [N, height, width,
            channels], and ``real.labels``, if there are any;
            ``real_features``: ``real.pool``, the real features themselves;
            ``neighbours``: ``generated.neighbours(real)``;
            ``unseen``: ``real.unseen``, distances of images that are not in the training set.
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
            return f"{flags[0]} has no effect; write needs = {{{flags[0][6:]!r}}}"
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
        """Components of the value by name, for the record only."""
        return {}

    @classmethod
    def fewest(cls, dimensions: int) -> int:
        """The least number of generated images, for this number of features per image."""
        return 1

    @classmethod
    def shortage(cls, generated: int, real: int, dimensions: int) -> str:
        """The number of images that a value requires, in words; empty if there are enough.

        Args:
            generated: the number of images to score.
            real: the number of images to compare with.
            dimensions: the number of features per image; 0 if unknown.
        """
        fewest = cls.fewest(dimensions)
        return "" if generated >= fewest else f"at least {fewest} generated images"

    @classmethod
    def caution(cls, generated: int, real: int, dimensions: int) -> str:
        """Why a value from few images means little, though it can be computed; else empty.

        The arguments are those of `shortage`.
        """
        return ""

    @classmethod
    def label(cls, network: str, scale: str) -> str:
        """The name under which values are reported, such as ``fid_inception_10000_3d61bb``.

        Values that cannot be compared never share a label; see `Evaluator.labels`.
        """
        return f"{cls.name}_{network}_{scale}"
