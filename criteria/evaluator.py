"""Scoring of generated images: one pass of features for all criteria."""

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autogan.core.arrays import Images, Labels
from autogan.core.files import arrays_digest, cached_arrays
from autogan.criteria.base import Criterion
from autogan.criteria.copying import CT, Authenticity
from autogan.criteria.neighbours import NEAREST, to_nearest
from autogan.criteria.networks.base import FeatureNetwork
from autogan.criteria.published import Published
from autogan.criteria.statistics import Features, Moments
from autogan.criteria.variety import Variety, Yardstick, covered

_SPLITS = 5  # of real images into known and unseen ones
_SPLITTABLE = frozenset({"logits", "real_features", "neighbours"})  # needs that a split can meet


class Evaluator:
    """Scores images against a reference by several criteria.

    Args:
        network: maps images to features.
        criteria: all criteria to compute, by the names under which scores are returned.
        reference: the real images, uint8 [N, height, width, channels].
        cache: folder of the real data's statistics.
        split: the dataset's split of the reference; labels show ``test``.
        classes: of the reference, int64 [N], if it has any.
        unseen: further real images outside the training set, if there are any.
        generated: number of images to generate for a comparison; the reference's number if None.
        published: statistics to compare with instead of the reference's, if any.

    Raises:
        ConfigError: if the published statistics are of another network's features.

    Attributes:
        samples: the number of images in the reference.
        generated: the number of images to generate for a comparison.
        digest: SHA-256 of the network's weights and the reference, which values depend on in
            addition to the generated images.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        criteria: Mapping[str, Criterion],
        reference: Images,
        cache: Path,
        split: str = "train",
        classes: Labels | None = None,
        unseen: Images | None = None,
        generated: int | None = None,
        published: Published | None = None,
    ) -> None:
        self.network = network
        self.criteria = criteria
        self.samples = len(reference)
        self.generated = generated or self.samples
        self._split = "_test" if split == "test" else ""
        own = _digest(network, reference)
        self.digest = own if published is None else _published_digest(network, published.moments)
        needs = frozenset().union(*(criterion.needs for criterion in criteria.values()))
        near = "neighbours" in needs
        pool = near or "real_features" in needs
        self._place = place = cache / "statistics" / own
        self._reference = reference
        features = functools.cache(lambda: network.features(reference))
        self._published = published is not None
        self.real = published.moments if published else _real_moments(features, place, pool, near)
        if "logits" in needs and published is None:
            self.real = dataclasses.replace(self.real, logits=_real_logits(features, place))
        if "unseen" in needs and unseen is not None:
            self.real = dataclasses.replace(
                self.real, unseen=_unseen_distances(network, unseen, self.real.known_pool, place)
            )
        self._images = "images" in needs
        if "labels" in needs:
            self.real = dataclasses.replace(self.real, labels=classes)
        if self._images:
            self.real = dataclasses.replace(self.real, images=reference, labels=classes)
        some = cached_arrays(
            place.with_name(f"{place.name}-covered.npz"), lambda: {"pool": covered(features().pool)}
        )
        self._yardstick = Yardstick(reference, some["pool"])
        if published is not None:
            published.check(network.name, network.weights_hash, some["pool"].shape[1])

    def labels(self, samples: int | None = None) -> dict[str, str]:
        """The labels of all criteria for a number of images; that of a comparison if None.

        A label names the network and the number of images. It ends in six digits of `digest`,
        because values of two classifiers, or against two sets of real images, are different
        quantities.
        """
        count = self.generated if samples is None else samples
        scale = f"{count}{self._split}_{self.digest[:6]}"
        return {n: c.label(self.network.name, scale) for n, c in self.criteria.items()}

    def features(self, images: Images, labels: Labels | None = None) -> Features:
        """Return the network's features of generated images.

        Args:
            images: uint8 [N, height, width, channels].
            labels: int64 [N], the classes that the images were generated for; None or empty if
                there were none.

        Raises:
            FloatingPointError: if they are not finite.
        """
        if labels is not None and not len(labels):
            labels = None
        features = dataclasses.replace(
            self.network.features(images), labels=labels, images=images if self._images else None
        )
        found = [features.pool] if features.logits is None else [features.pool, features.logits]
        if not all(np.isfinite(each).all() for each in found):
            raise FloatingPointError(f"features of {self.network.name} are not finite")
        return features

    def variety(self, images: Images, features: Features) -> Variety:
        """Measure how much generated images, uint8 [N, height, width, channels], differ."""
        return self._yardstick.measure(images, features.pool)

    def figures(self, features: Features) -> dict[str, float]:
        """Return the components of the criteria's values on generated images, by their own names.

        Omits figures that are not finite.
        """
        made: dict[str, float] = {}
        for criterion in self.criteria.values():
            made.update(criterion.figures(features, self.real))
        return {name: figure for name, figure in made.items() if np.isfinite(figure)}

    def copies(self, features: Features, unseen: Features) -> dict[str, float]:
        """How much generated images copy the reference: authenticity and C_T, by name.

        Args:
            features: of the generated images.
            unseen: of real images outside the training set.
        """
        place = self._place
        real = _real_moments(lambda: self.network.features(self._reference), place, True, True)
        distances, _ = to_nearest(unseen.pool, real.known_pool)
        real = dataclasses.replace(real, unseen=distances)
        return {kind.name: kind().compute(features, real) for kind in (Authenticity, CT)}

    def floor(self, unseen: Features) -> tuple[dict[str, float], dict[str, float]]:
        """The scores of unseen real images in place of generated ones, by the criteria's names.

        The second dictionary holds the values' standard deviations over random splits of reference
        and unseen images into two sets of the same sizes. Only criteria that compare features have
        one, because the splits leave out images and labels. It is empty if the reference's
        statistics are published ones.
        """
        if self._published:
            return self.score(unseen, ()), {}
        real = self._known()
        every = Features(
            None if real.logits is None else np.concatenate([real.logits, unseen.known_logits]),
            np.concatenate([real.pool, unseen.pool]),
        )
        _, spread = self._splits(every, self.samples)
        return self.score(unseen, ()), spread

    def halves(self) -> tuple[dict[str, float], dict[str, float]]:
        """The scores of one half of the reference against the other, by the criteria's names.

        For data without further real images: means and standard deviations over random halves.
        Most distances are larger with half as many images, so that these are not below the floor.
        Includes the criteria that have a deviation in `floor`.
        """
        return self._splits(self._known(), self.samples - self.samples // 2)

    def _known(self) -> Features:
        """The reference's features, computed once and kept."""
        features = functools.cache(lambda: self.network.features(self._reference))
        logits = None
        if any("logits" in criterion.needs for criterion in self.criteria.values()):
            logits = _real_logits(features, self._place)
        return Features(logits, _real_moments(features, self._place, True, False).known_pool)

    def _splits(self, every: Features, known: int) -> tuple[dict[str, float], dict[str, float]]:
        """Means and deviations of values over random splits of real images.

        Args:
            every: features of the images.
            known: the number of images to compare with; the others replace the generated ones.
        """
        varied = {n: c for n, c in self.criteria.items() if c.needs <= _SPLITTABLE}
        rng, rows = np.random.default_rng(0), []
        for _ in range(_SPLITS):
            order = rng.permutation(len(every.pool))
            ones, others = every.rows(order[:known]), every.rows(order[known:])
            moments = dataclasses.replace(ones.moments, pool=ones.pool, logits=ones.logits)
            rows.append([c.compute(others, moments) for c in varied.values()])
        means, deviations = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1)
        finite = [n for n, d in zip(varied, deviations, strict=True) if np.isfinite(d)]
        by = [dict(zip(varied, map(float, each), strict=True)) for each in (means, deviations)]
        return {n: by[0][n] for n in finite}, {n: by[1][n] for n in finite}

    def score(self, features: Features, needed: Collection[str] | None = None) -> dict[str, float]:
        """Return the criteria's values on generated images, by the criteria's names.

        Args:
            features: of the generated images.
            needed: names of the criteria whose values must be finite; all if None. Other values
                are left out if they are not finite.

        Raises:
            FloatingPointError: naming a needed value that is not finite.
        """
        scores = {n: float(c.compute(features, self.real)) for n, c in self.criteria.items()}
        for name, value in scores.items():
            if not np.isfinite(value) and (needed is None or name in needed):
                raise FloatingPointError(f"{name} is {value}")
        return {name: value for name, value in scores.items() if np.isfinite(value)}


def _digest(network: FeatureNetwork, images: Images) -> str:
    """SHA-256 of a network's weights and of images."""
    digest = hashlib.sha256(f"2/{network.weights_hash}/{images.shape}".encode())
    digest.update(np.ascontiguousarray(images).data)
    return digest.hexdigest()


def _published_digest(network: FeatureNetwork, published: Moments) -> str:
    """SHA-256 of a network's weights and of published statistics."""
    arrays = {"mean": published.mean, "covariance": published.covariance}
    return hashlib.sha256(f"{network.weights_hash}/{arrays_digest(arrays)}".encode()).hexdigest()


def _real_logits(features: Callable[[], Features], place: Path) -> npt.NDArray[np.float32] | None:
    """The class scores of the reference, computed once and kept; None if there are none.

    The arguments are those of `_real_moments`.
    """

    def logits() -> dict[str, npt.NDArray[np.float32]]:
        made = features().logits
        return {} if made is None else {"logits": made}

    return cached_arrays(place.with_name(f"{place.name}-logits.npz"), logits).get("logits")


def _unseen_distances(
    network: FeatureNetwork, unseen: Images, pool: npt.NDArray[np.float32], place: Path
) -> npt.NDArray[np.float32]:
    """Squared distances of unseen images to the reference, computed once and kept."""
    name = f"{place.name}-unseen-{_digest(network, unseen)[:20]}.npz"

    def distances() -> dict[str, npt.NDArray[np.float32]]:
        return {"near": to_nearest(network.features(unseen).pool, pool)[0]}

    return cached_arrays(place.with_name(name), distances)["near"]


def _real_moments(features: Callable[[], Features], place: Path, pool: bool, near: bool) -> Moments:
    """The moments of the reference's features and their root, computed once and kept.

    Args:
        features: returns the reference's features.
        place: path of the cached files; its name stands for everything that they depend on.
        pool: whether to include the features,
        near: and the distances to their nearest neighbours.
    """

    def moments() -> dict[str, npt.NDArray[np.float64]]:
        made = features().moments
        root = made.covariance_root
        return {"mean": made.mean, "covariance": made.covariance, "root": root}

    made = Moments(**cached_arrays(place.with_suffix(".npz"), moments))
    if not pool:
        return made
    kept = cached_arrays(
        place.with_name(f"{place.name}-features.npz"), lambda: {"pool": features().pool}
    )
    made = dataclasses.replace(made, pool=kept["pool"])
    if not near:
        return made
    distances = cached_arrays(
        place.with_name(f"{place.name}-nearest-{NEAREST}.npz"), lambda: {"near": made.nearest}
    )
    return dataclasses.replace(made, near=distances["near"])
