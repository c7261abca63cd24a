"""Sanity checks of fidelity and diversity, after Räisä et al. (2025, arXiv:2505.22450).

Real and generated sets of which one knows what a number between 0 and 1 should say; 1,000 images of
8 features where nothing else is said. What a criterion does not notice is written down as well, so
that docs/studies/experiments.md stays true of it.
"""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from autogan.criteria import (
    ClippedCoverage,
    ClippedDensity,
    Coverage,
    Density,
    Features,
    Moments,
    Precision,
    Recall,
)

FIDELITY, DIVERSITY = (Precision, Density, ClippedDensity), (Recall, Coverage, ClippedCoverage)
EVERY = FIDELITY + DIVERSITY
ROBUST = (Density, ClippedDensity, Coverage, ClippedCoverage)
COUNT, DIMENSIONS = 1000, 8
CENTRES = 10 * np.random.default_rng(5).normal(size=(20, DIMENSIONS))


def values(real, made, kinds=EVERY):
    real, made = np.asarray(real, np.float32), np.asarray(made, np.float32)
    moments = dataclasses.replace(Moments.of(real), pool=real)
    features = Features(None, made)
    return {kind: kind().compute(features, moments) for kind in kinds}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def normal(rng, *shape):
    return rng.normal(size=shape or (COUNT, DIMENSIONS))


def modes(rng, shares):
    """Images of modes, each with its share."""
    places = rng.choice(len(shares), COUNT, p=np.array(shares) / np.sum(shares))
    return CENTRES[places] + normal(rng)


def falls(rows, kinds):
    """Each criterion falls from the first row to the last, but for a twentieth of noise."""
    for kind in kinds:
        several = [row[kind] for row in rows]
        assert all(later < earlier + 0.05 for earlier, later in pairwise(several)), kind
        assert several[-1] < 0.7 * several[0], kind


def test_another_mean(rng):
    """From equal to apart: near 1, then 0."""
    rows = [values(normal(rng), normal(rng) + shift) for shift in (0, 0.5, 1, 2, 6)]
    falls(rows, EVERY)
    assert min(rows[0].values()) > 0.85
    assert max(rows[-1].values()) < 0.01


def test_a_real_outlier_among_poor_images(rng):
    """One real image lies where all generated ones do; precision calls them all good."""
    real = normal(rng)
    real[0] = 6.0
    found = values(real, normal(rng) + 6.0)
    assert found[Precision] > 0.9
    assert found[Density] > 0.15
    assert found[ClippedDensity] < 0.05
    assert max(found[kind] for kind in DIVERSITY) < 0.01


def test_a_generated_outlier_among_real_images(rng):
    """Of poor images one lies among the real ones; recall calls all real ones covered."""
    made = normal(rng) + 6.0
    made[0] = 0.0
    found = values(normal(rng), made)
    assert found[Recall] > 0.9
    assert max(found[kind] for kind in EVERY if kind is not Recall) < 0.02


def test_narrower_and_wider(rng):
    narrow, wide = (values(normal(rng), s * normal(rng)) for s in (0.1, 10))
    assert min(narrow[kind] for kind in FIDELITY) > 0.99
    assert max(narrow[kind] for kind in DIVERSITY) < 0.1
    assert narrow[Density] > 1.2  # which has no upper bound
    assert max(wide[kind] for kind in (*FIDELITY, Coverage, ClippedCoverage)) < 0.01
    assert wide[Recall] > 0.99  # a few images far off cover everything by its balls


@pytest.mark.parametrize(("dimensions", "noticed"), [(2, True), (64, False)])
def test_one_disjoint_feature_among_equal_ones(rng, dimensions, noticed):
    """The distance between all others drowns it; all values should be 0."""
    real, made = (normal(rng, COUNT, dimensions) for _ in range(2))
    real[:, 0], made[:, 0] = rng.uniform(0, 1, COUNT), rng.uniform(2, 3, COUNT)
    found = values(real, made)
    assert (max(found.values()) < 0.01) == noticed
    assert (min(found.values()) < 0.3) == noticed


def test_modes_are_dropped(rng):
    """k of 10 modes: fidelity stays, diversity is about k / 10."""
    for k in (1, 2, 5, 8, 10):
        found = values(modes(rng, [1] * 10), modes(rng, [1] * k))
        assert min(found[kind] for kind in FIDELITY) > 0.75
        assert found[ClippedDensity] > 0.9
        assert found[Coverage] == pytest.approx(k / 10, abs=0.06)
        assert found[ClippedCoverage] == pytest.approx(k / 10, abs=0.06)
        assert found[Recall] < k / 10 + 0.02


def test_modes_are_invented(rng):
    """Ten real ones and ten others: half of the images are good, all of the real ones covered.

    Clipped coverage asks for good images alone, so that it is a half as well.
    """
    found = values(modes(rng, [1] * 10), modes(rng, [1] * 20))
    assert found[ClippedDensity] == pytest.approx(0.5, abs=0.1)
    assert found[ClippedCoverage] == pytest.approx(0.5, abs=0.1)
    assert found[Precision] < 0.55
    assert min(found[Recall], found[Coverage]) > 0.8


def test_modes_lose_their_share(rng):
    """Three quarters and more of one mode, all others thin: recall notices nothing of it."""
    rows = [
        values(modes(rng, [1] * 10), modes(rng, [first] + [(1 - first) / 9] * 9))
        for first in (0.1, 0.5, 0.75, 0.95)
    ]
    falls(rows, (Coverage, ClippedCoverage))
    assert min(row[Recall] for row in rows) > 0.8
    assert rows[2][ClippedCoverage] == pytest.approx(0.1 + 0.25, abs=0.06)  # good ones of each
    assert rows[2][Coverage] > 0.6


def test_one_broad_mode_between_two(rng):
    real = normal(rng)
    real[:, 0] += rng.choice([-8, 8], COUNT)
    found = values(real, 8 * normal(rng))
    assert max(found[kind] for kind in EVERY if kind is not Recall) < 0.01
    assert found[Recall] > 0.9


@pytest.mark.parametrize("count", [200, 500, 2000])
def test_the_number_of_images_says_nothing(rng, count):
    """Of equal sets, real and generated ones as many: all near 1."""
    found = values(*(rng.uniform(size=(count, DIMENSIONS)) for _ in range(2)))
    assert min(found.values()) > 0.9


def test_fewer_generated_images_cover_less_by_coverage_alone(rng):
    real = rng.uniform(size=(COUNT, DIMENSIONS))
    found = values(real, rng.uniform(size=(200, DIMENSIONS)))
    assert found[Coverage] < 0.65
    assert min(found[kind] for kind in EVERY if kind is not Coverage) > 0.9


def on_sphere(rng, radius, dimensions):
    rows = normal(rng, COUNT, dimensions)
    return radius * rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(("radius", "noticed"), [(0.5, False), (2.0, True)])
def test_spheres_of_another_radius(rng, radius, noticed):
    """They do not meet, so that all values should be 0; none but recall notices a smaller one."""
    found = values(on_sphere(rng, 1.0, 16), on_sphere(rng, radius, 16))
    others = [found[kind] for kind in EVERY if kind is not Recall]
    assert max(others) < 0.01 if noticed else min(others) > 0.95
    assert (found[Recall] > 0.95) == noticed


def test_a_sphere_and_a_torus_around_it(rng):
    a, b = rng.uniform(0, 2 * np.pi, (2, COUNT))
    ring = 3 + 0.5 * np.cos(b)
    torus = np.stack([ring * np.cos(a), ring * np.sin(a), 0.5 * np.sin(b)], axis=1)
    sphere = on_sphere(rng, 0.8, 3)
    for pair in ((sphere, torus), (torus, sphere)):
        assert max(values(*pair).values()) < 0.01


def test_whole_numbers_are_not_told_from_others(rng):
    """No criterion of distances notices that generated features are rounded."""
    found = values(3 * normal(rng), np.round(3 * normal(rng)))
    assert min(found.values()) > 0.85


def test_bounds(rng):
    """All but density stay within 0 and 1, for whatever sets."""
    for real, made in ((normal(rng), normal(rng)), (normal(rng), 0.1 * normal(rng))):
        found = values(real, made)
        assert all(0 <= value <= 1 for kind, value in found.items() if kind is not Density)
