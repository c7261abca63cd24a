"""Scoring of generated images: one pass of features for all criteria."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autogan.criteria.base import Criterion
from autogan.criteria.networks import FeatureNetwork
from autogan.criteria.statistics import Moments
from autogan.files import cached_arrays

Images = npt.NDArray[np.uint8]


class Evaluator:
    """Scores images against a reference by several criteria.

    Args:
        network: maps images to features.
        criteria: all that is wanted, the one that decides first.
        reference: the real images, uint8 [N, height, width, channels].
        cache: folder of the real data's statistics.

    Attributes:
        samples: images in the reference, and to be generated for a comparison.
        objective: the label of the criterion that decides.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        criteria: Sequence[Criterion],
        reference: Images,
        cache: Path,
    ) -> None:
        self.network = network
        self.criteria = criteria
        self.samples = len(reference)
        self.objective = self.labels()[0]
        self.real = real_moments(network, reference, cache)

    def labels(self, samples: int | None = None) -> list[str]:
        """The labels of all criteria on so many images; on as many as the reference's if None."""
        count = self.samples if samples is None else samples
        return [criterion.label(self.network.name, count) for criterion in self.criteria]

    def score(self, images: Images) -> dict[str, float]:
        """Return the criteria's values on generated images, by label.

        Raises:
            FloatingPointError: if features or a value are not finite, naming which.
        """
        features = self.network.features(images)
        if not (np.isfinite(features.pool).all() and np.isfinite(features.logits).all()):
            raise FloatingPointError(f"features of {self.network.name} are not finite")
        values = [criterion.compute(features, self.real) for criterion in self.criteria]
        scores = dict(zip(self.labels(len(images)), values, strict=True))
        for label, value in scores.items():
            if not np.isfinite(value):
                raise FloatingPointError(f"{label} is {value}")
        return scores


def real_moments(network: FeatureNetwork, images: Images, cache: Path) -> Moments:
    """The moments of the reference's features and their root, computed once and kept.

    The key holds all that they depend on: the images themselves and the network's weights.
    """
    key = hashlib.sha256(f"1/{network.weights_hash}/{images.shape}".encode())
    key.update(np.ascontiguousarray(images).data)
    path = cache / "statistics" / f"{network.name}-{key.hexdigest()[:20]}.npz"

    def compute() -> dict[str, npt.NDArray[np.float64]]:
        made = network.features(images).moments
        root = made.covariance_root
        return {"mean": made.mean, "covariance": made.covariance, "root": root}

    arrays = cached_arrays(path, compute)
    return Moments(arrays["mean"], arrays["covariance"], arrays["root"])
