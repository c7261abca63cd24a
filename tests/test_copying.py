"""Copies found out, and shares of spoiled images: against definitions written out in loops."""

import dataclasses

import numpy as np
import pytest
import scipy.stats

from autogan.criteria import CT, Authenticity, ClippedCoverage, ClippedDensity, Features, Moments
from autogan.criteria.copying import COPIED, rank_sum
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.neighbours import to_nearest

COUNT, DIMENSIONS = 900, 12


def moments_of(real, unseen=None):
    real = np.asarray(real, np.float32)
    near = None if unseen is None else to_nearest(np.asarray(unseen, np.float32), real)[0]
    return dataclasses.replace(Moments.of(real), pool=real, unseen=near)


def value(criterion, made, real, unseen=None):
    return criterion().compute(
        Features(None, np.asarray(made, np.float32)), moments_of(real, unseen)
    )


def draw(seed, count=COUNT):
    """Ten classes, of which each has a place of its own."""
    rng = np.random.default_rng(seed)
    centres = 6 * np.random.default_rng(99).normal(size=(10, DIMENSIONS))
    return centres[np.arange(count) % 10] + rng.normal(size=(count, DIMENSIONS))


def distance(one, other):
    return float(np.linalg.norm(one - other))


class TestAuthenticity:
    def test_it_is_the_papers(self):
        real, made = draw(0, 40), draw(1, 25)
        authentic = []
        for image in made:
            place = min(range(len(real)), key=lambda i: distance(image, real[i]))
            own = min(distance(real[place], other) for j, other in enumerate(real) if j != place)
            authentic.append(distance(image, real[place]) > own)
        assert 0.1 < np.mean(authentic) < 0.9
        assert value(Authenticity, made, real) == np.mean(authentic)

    def test_copies_have_none_and_unseen_images_half(self):
        real = draw(0)
        assert value(Authenticity, real, real) == 0.0
        assert 0.45 < value(Authenticity, draw(1), real) < 0.7
        assert value(Authenticity, 50 * draw(1), real) == 1.0


class TestCT:
    def test_it_is_the_rank_sums_z(self):
        """SciPy's, by the normal approximation, without ties and continuity correction."""
        rng = np.random.default_rng(0)
        ones, others = rng.normal(size=30).astype(np.float32), rng.normal(0.4, size=50)
        others = others.astype(np.float32)
        found = scipy.stats.mannwhitneyu(
            ones, others, method="asymptotic", use_continuity=False, alternative="less"
        )
        assert rank_sum(ones, others) == pytest.approx(scipy.stats.norm.ppf(found.pvalue))

    def test_pairs_written_out(self):
        ones, others = np.float32([1, 2, 2]), np.float32([2, 3])
        u = sum((a > b) + 0.5 * (a == b) for a in ones for b in others)
        assert rank_sum(ones, others) == pytest.approx((u - 3) / (3 * 2 * 6 / 12) ** 0.5)

    @pytest.mark.parametrize("share", [0.5, 1.0])
    def test_copies_are_found(self, share):
        real, unseen, made = draw(0), draw(1), draw(2)
        copied = int(share * COUNT)
        made[:copied] = real[:copied]
        assert value(CT, made, real, unseen) < COPIED

    def test_nobody_else_is_accused(self):
        real, unseen = draw(0), draw(1)
        assert abs(value(CT, draw(2), real, unseen)) < 3
        poor = draw(2) + np.random.default_rng(3).normal(0, 2, size=(COUNT, DIMENSIONS))
        assert value(CT, poor, real, unseen) > 3

    def test_without_unseen_images_it_says_so(self):
        with pytest.raises(ValueError, match="unseen real images are needed"):
            value(CT, draw(2), draw(0))


def spoiled(kind, share):
    """Images of which a share is not what it should be."""
    made, count = draw(2), int(share * COUNT)
    if kind == "noise":
        made[:count] = np.random.default_rng(3).normal(0, 60, size=(count, DIMENSIONS))
    elif kind == "repeated":
        made[:count] = made[-1]
    else:
        many = draw(4, 10 * COUNT)
        made = many[np.arange(len(many)) % 10 >= round(10 * share)][:COUNT]
    return made


def few():
    """Thirty real images, and twenty that are not quite like them."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 3)), rng.normal(0.8, 0.7, size=(20, 3))


class TestClipped:
    def test_density_written_out(self):
        real, made = few()
        made = made + 0.8
        reach = [sorted(distance(c, other) for other in real)[5] for c in real]
        reach = np.minimum(reach, np.median(reach))

        def mean(points, own):
            inside = [
                sum(distance(p, c) <= r for c, r in zip(real, reach, strict=True)) for p in points
            ]
            return np.mean([min((n - own) / 5, 1) for n in inside])

        expected = min(mean(made, 0) / mean(real, 1), 1)
        assert 0.1 < expected < 1
        assert value(ClippedDensity, made, real) == pytest.approx(expected)

    def test_coverage_written_out(self):
        """The scale by SciPy's beta-binomial, sums over all counts, and a search."""
        real, made = few()
        reach = [sorted(distance(c, other) for other in real)[5] for c in real]
        holds = [sum(distance(p, c) <= r for p in made) for c, r in zip(real, reach, strict=True)]
        covered = np.mean(np.minimum(np.array(holds) / 5, 1))
        expected = [
            sum(min(j, 5) / 5 * scipy.stats.betabinom.pmf(j, good, 5, 25) for j in range(good + 1))
            for good in range(21)
        ]
        above = next(g for g, mean in enumerate(expected) if mean >= covered)
        below = expected[above - 1]
        share = (above - 1 + (covered - below) / (expected[above] - below)) / 20
        assert value(ClippedCoverage, made, real) == pytest.approx(share)

    @pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75])
    @pytest.mark.parametrize("kind", ["noise", "repeated", "missing"])
    def test_coverage_tells_the_share_of_good_images(self, kind, share):
        if (kind, share) in (("missing", 0.25), ("missing", 0.75)):
            share = round(share + 0.05, 1)  # whole classes
        found = value(ClippedCoverage, spoiled(kind, share), draw(0))
        assert found == pytest.approx(1 - share, abs=0.06)

    @pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75])
    def test_density_tells_the_share_of_noise(self, share):
        found = value(ClippedDensity, spoiled("noise", share), draw(0))
        assert found == pytest.approx(1 - share, abs=0.06)

    def test_one_good_image_again_and_again_is_good_and_covers_nothing(self):
        real = draw(0)
        place = np.argmin(np.linalg.norm(real - real[np.arange(COUNT) % 10 == 0].mean(0), axis=1))
        made = np.repeat(real[place : place + 1], COUNT, axis=0)
        assert value(ClippedDensity, made, real) == 1.0
        assert value(ClippedCoverage, made, real) < 0.05

    @pytest.mark.parametrize("count", [1, 2, 3, 6])
    def test_few_images(self, count):
        real, made = draw(0, count), draw(1, 3)
        for criterion in (ClippedDensity, ClippedCoverage):
            assert 0 <= value(criterion, made, real) <= 1


def test_an_evaluator_measures_unseen_images_once(tmp_path):
    """And keeps their distances; without them it has none."""
    seen = []

    class Network:
        name, weights_hash = "flat", "a"

        def features(self, images):
            seen.append(len(images))
            return Features(None, images.reshape(len(images), -1).astype(np.float32))

    rng = np.random.default_rng(0)
    real, made, unseen = (rng.integers(0, 256, (n, 4, 4, 1)).astype(np.uint8) for n in (30, 20, 10))
    for _ in range(2):
        evaluator = Evaluator(Network(), {"c_t": CT()}, real, tmp_path, unseen=unseen)
        scores = evaluator.score(evaluator.features(made))
        flat = (images.reshape(len(images), -1) for images in (made, real, unseen))
        assert scores["c_t"] == pytest.approx(value(CT, *flat))
    assert seen.count(10) == 1
