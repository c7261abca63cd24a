"""Precision, recall, density and coverage, against their definitions written out in loops."""

import dataclasses

import numpy as np
import pytest

from autogan.criteria import Coverage, Density, Features, Moments, Precision, Recall, statistics
from autogan.criteria import neighbours as module
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.neighbours import Neighbours, nearest, squared_distances

FOUR = {"precision": Precision, "recall": Recall, "density": Density, "coverage": Coverage}


def compared(made, real):
    """The four, each by its criterion."""
    made, real = (np.asarray(pool, np.float32) for pool in (made, real))
    moments = dataclasses.replace(Moments.of(real), pool=real)
    generated = Features(None, made)
    return {name: kind().compute(generated, moments) for name, kind in FOUR.items()}


def by_definition(made, real, precision=3, density=5):
    """Image by image, in float64, by sorted norms of differences."""

    def radius(pool, i, k):
        norms = sorted(np.linalg.norm(pool[i] - other) for j, other in enumerate(pool) if j != i)
        return norms[k - 1]

    def inside(points, centres, k):
        """[points, centres], whether a point is in the ball around a centre."""
        reach = [radius(centres, i, k) for i in range(len(centres))]
        return np.array(
            [[np.linalg.norm(p - c) <= r for c, r in zip(centres, reach, strict=True)]
             for p in points]
        )  # fmt: skip

    balls = inside(made, real, density)
    return {
        "precision": inside(made, real, precision).any(axis=1).mean(),
        "recall": inside(real, made, precision).any(axis=1).mean(),
        "density": balls.sum() / (density * len(made)),
        "coverage": balls.any(axis=0).mean(),
    }


@pytest.mark.parametrize(("count", "others"), [(40, 40), (30, 55), (55, 30)])
@pytest.mark.parametrize("block", [7, 500])
def test_they_are_those_of_the_papers(monkeypatch, count, others, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    rng = np.random.default_rng(3)
    real, made = rng.normal(size=(count, 3)), rng.normal(0.7, 0.6, size=(others, 3))
    value, expected = compared(made, real), by_definition(made, real)
    assert value == pytest.approx(expected, abs=1e-12)
    assert len({round(each, 6) for each in expected.values()}) == 4
    assert all(each > 0.1 for each in expected.values())


def test_the_authors_own_example_at_a_tenth():
    """The README of their code compares N(0, I) in 1,000 dimensions, k = 5 throughout."""
    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(2, 150, 100))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PRECISION", 5)
        value = compared(made, real)
    assert value == pytest.approx(by_definition(made, real, precision=5), abs=1e-12)
    assert value["coverage"] > 0.9
    assert value["precision"] < 0.9  # high dimensions: much of the space is in no ball


def test_on_a_line():
    """Real ones at 0, 1, 2, ..., so that the balls' borders are hit: they belong to the balls."""
    real = np.arange(20.0)[:, None]
    made = np.array([*range(7, 15), 21.0, 22.0, 23.0, 1000.0])[:, None]
    value = compared(made, real)
    # k = 3: the last real ball, around 19, reaches to 22; 23 and 1000 are in none.
    assert value["precision"] == 10 / 12
    # The first generated ball, around 7, reaches to 10, and so to 4.
    assert value["recall"] == 16 / 20
    # k = 5: real balls reach 3 to either side, from 18 on to 14 and from 19 on to 14 and to 24.
    assert value["density"] == pytest.approx((8 * 7 + 2 + 2 + 2 + 1) / (5 * 12))
    assert value["coverage"] == 16 / 20


def test_a_set_and_itself():
    pool = np.random.default_rng(0).normal(size=(60, 4))
    value = compared(pool, pool)
    assert (value["precision"], value["recall"], value["coverage"]) == (1, 1, 1)
    assert value["density"] == pytest.approx(6 / 5)  # itself, and five with the border's


def test_equal_distributions():
    rng = np.random.default_rng(0)
    value = compared(*rng.normal(size=(2, 1500, 3)))
    assert value["density"] == pytest.approx(1, abs=0.05)
    assert value["coverage"] == pytest.approx(1 - 2**-5, abs=0.015)
    assert min(value["precision"], value["recall"]) > 0.9


def test_disjoint_sets_and_noise():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(60, 4))
    assert set(compared(real + 100, real).values()) == {0.0}
    noise = compared(rng.normal(size=(60, 4)) * 100, real)
    assert noise["precision"] == noise["density"] == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_image_of_each_class_again_and_again(dtype):
    """Good and not diverse. The distance between duplicates is 0, though rounding says else."""
    rng = np.random.default_rng(0)
    classes = 30 * rng.normal(size=(6, 64))
    real = (np.repeat(classes, 20, axis=0) + rng.normal(size=(120, 64)) + 7).astype(dtype)
    made = real[np.arange(120) // 20 * 20]
    value = compared(made, real)
    assert value["precision"] == 1
    assert value["recall"] == 6 / 120
    assert value["coverage"] < 0.8
    distances = squared_distances(made, made)
    assert np.array_equal(distances == 0, np.kron(np.eye(6), np.ones((20, 20))))


def test_few_images():
    """Fewer than k others: the ball reaches to the farthest; alone, the image is its own."""
    assert nearest(np.float32([[1, 2]])).tolist() == [[0]]
    assert nearest(np.float32([[0], [3]])).tolist() == [[9], [9]]
    assert nearest(np.float32([[0], [1], [3]])).tolist() == [[1, 9], [1, 4], [4, 9]]
    alone = np.ones((1, 2))
    assert set(compared(alone, alone).values()) == {1, 0.2}
    assert set(compared(alone + 1, alone).values()) == {0}


def test_both_sides_distances_are_computed_once(tmp_path, monkeypatch):
    """The real side's are kept on the disk too, for as long as network and reference are these."""
    measured, compares = [], []

    def counted(pool):
        measured.append(len(pool))
        return nearest(pool)

    original = Neighbours.of

    def compare(*pools):
        compares.append(1)
        return original(*pools)

    monkeypatch.setattr(statistics, "nearest", counted)
    monkeypatch.setattr(Neighbours, "of", compare)

    class Network:
        name, weights_hash = "flat", "a"

        def features(self, images):
            return Features(None, images.reshape(len(images), -1).astype(np.float32))

    rng = np.random.default_rng(0)
    real, made = rng.integers(0, 256, (2, 30, 8, 8, 1)).astype(np.uint8)
    criteria = {name: kind() for name, kind in FOUR.items()}
    evaluator = Evaluator(Network(), criteria, real, tmp_path)
    assert (measured, compares) == ([30], [])
    scores = evaluator.score(evaluator.features(made))
    flat = [images.reshape(30, -1).astype(float) for images in (made, real)]
    assert scores == pytest.approx(by_definition(*flat))
    assert len(compares) == 1
    again = Evaluator(Network(), {"recall": Recall()}, real, tmp_path)
    assert again.score(again.features(made))["recall"] == scores["recall"]
    assert len(measured) == 1
    other = Evaluator(Network(), criteria, made, tmp_path)
    other.score(other.features(real))
    assert (len(measured), len(compares)) == (2, 3)
