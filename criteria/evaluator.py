"""Scoring of generated images: one pass of features for all criteria."""

import dataclasses
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autogan.core.files import cached_arrays
from autogan.criteria.base import Criterion
from autogan.criteria.networks import FeatureNetwork
from autogan.criteria.statistics import Features, Moments

Images = npt.NDArray[np.uint8]


class Evaluator:
    """Scores images against a reference by several criteria.

    Args:
        network: maps images to features.
        criteria: all that is wanted, by the names under which scores are returned.
        reference: the real images, uint8 [N, height, width, channels].
        cache: folder of the real data's statistics.

    Attributes:
        samples: images in the reference, and to be generated for a comparison.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        criteria: Mapping[str, Criterion],
        reference: Images,
        cache: Path,
    ) -> None:
        self.network = network
        self.criteria = criteria
        self.samples = len(reference)
        pool = any(criterion.needs_real_features for criterion in criteria.values())
        self.real = real_moments(network, reference, cache, pool)

    def labels(self, samples: int | None = None) -> dict[str, str]:
        """The labels of all criteria on so many images; on as many as the reference's if None."""
        count = self.samples if samples is None else samples
        return {n: c.label(self.network.name, count) for n, c in self.criteria.items()}

    def score(
        self, images: Images, labels: npt.NDArray[np.int64] | None = None
    ) -> dict[str, float]:
        """Return the criteria's values on generated images, by the criteria's names.

        Args:
            images: uint8 [N, height, width, channels].
            labels: int64 [N], the classes that the images were meant to show, if any.

        Raises:
            FloatingPointError: if features or a value are not finite, naming which.
        """
        features = dataclasses.replace(self.network.features(images), labels=labels)
        if not (np.isfinite(features.pool).all() and np.isfinite(features.logits).all()):
            raise FloatingPointError(f"features of {self.network.name} are not finite")
        scores = {n: c.compute(features, self.real) for n, c in self.criteria.items()}
        for name, value in scores.items():
            if not np.isfinite(value):
                raise FloatingPointError(f"{name} is {value}")
        return scores


def real_moments(
    network: FeatureNetwork, images: Images, cache: Path, pool: bool = False
) -> Moments:
    """The moments of the reference's features and their root, computed once and kept.

    With ``pool`` the features come along.

    The key holds all that they depend on: the images themselves and the network's weights.
    """
    key = hashlib.sha256(f"1/{network.weights_hash}/{images.shape}".encode())
    key.update(np.ascontiguousarray(images).data)
    name = f"{network.name}-{key.hexdigest()[:20]}"

    @functools.cache
    def features() -> Features:
        return network.features(images)

    def moments() -> dict[str, npt.NDArray[np.float64]]:
        made = features().moments
        root = made.covariance_root
        return {"mean": made.mean, "covariance": made.covariance, "root": root}

    made = Moments(**cached_arrays(cache / "statistics" / f"{name}.npz", moments))
    if not pool:
        return made
    kept = cached_arrays(
        cache / "statistics" / f"{name}-features.npz", lambda: {"pool": features().pool}
    )
    return dataclasses.replace(made, pool=kept["pool"])
