"""Criteria of a few images: each has a value, or is refused in one line that says what it wants."""

import itertools
import math

import numpy as np
import pytest

from autogan.core.errors import ConfigError
from autogan.criteria import CRITERIA
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.statistics import Features
from autogan.worker.checks import check_enough

SIZES = (1, 2, 3, 4, 5)
MANY = 1437
_IMAGES = np.random.default_rng(0).integers(0, 256, (MANY, 8, 8, 1)).astype(np.uint8)


class Linear:
    """A feature network of random projections."""

    name, weights_hash, resizes, batch_size = "linear", "0", False, 99

    def features(self, images):
        flat = images.reshape(len(images), -1).astype(np.float32) / 255
        kernel = np.random.default_rng(0).normal(size=(flat.shape[1], 6)).astype(np.float32)
        return Features(flat @ kernel, flat @ kernel)


def value(name, generated, real, cache, classes=None):
    """The value of images against others, or the line that refuses it."""
    kind = CRITERIA.get(name)
    labels = [None if classes is None else np.arange(n) % classes for n in (generated, real)]
    evaluator = Evaluator(
        Linear(), {name: kind()}, _IMAGES[:real], cache, "train", labels[1], _IMAGES[-3:]
    )
    try:
        check_enough(evaluator.criteria, generated, real, 6)
        return evaluator.score(evaluator.features(_IMAGES[-generated:], labels[0]))[name]
    except ConfigError as error:
        return str(error)


@pytest.mark.parametrize("name", [n for n in CRITERIA.names() if n != "label_accuracy"])
def test_every_criterion_has_a_value_or_says_what_it_wants(name, tmp_path):
    sides = [*itertools.product(SIZES, SIZES), *((n, MANY) for n in SIZES)]
    sides += [(MANY, n) for n in SIZES]
    for generated, real in sides:
        found = value(name, generated, real, tmp_path)
        assert isinstance(found, str) or math.isfinite(found), (generated, real)
        if isinstance(found, str):
            assert found.startswith(f"criterion: {name} needs at least ")
            assert f"there are {generated} against {real} real ones" in found
            assert "\n" not in found


def test_classes_of_one_image_each_are_refused_where_pairs_are_wanted(tmp_path):
    assert isinstance(value("ms_ssim", 4, 4, tmp_path, classes=2), float)
    found = value("ms_ssim", 4, 4, tmp_path, classes=4)
    assert found.startswith(
        "criterion: ms_ssim needs two images of a class, but no two of 4 share one"
    )


@pytest.mark.parametrize(
    ("generated", "real", "enough"),
    [(2, 2, True), (1, 2, False), (3, MANY, False), (4, MANY, True), (MANY, 3, False)],
)
def test_kid_wants_two_images_for_each_of_its_blocks(generated, real, enough, tmp_path):
    found = value("kid", generated, real, tmp_path)
    assert isinstance(found, float) == enough
    if not enough:
        needed = 2 * math.ceil(max(generated, real) / 1024)
        assert f"needs at least {needed} images on either side" in found


@pytest.mark.parametrize(
    ("name", "sides", "expected"),
    [("fid", (64, 100, 64), "64 images are few for 64 features"),
     ("fid", (100, 64, 64), "64 images are few for 64 features"),
     ("fid", (65, 65, 64), ""), ("wd", (3, 9, 64), "3 images are few"),
     ("fid_inf", (2000, 60, 64), "60 images are few"), ("fid_inf", (2000, 65, 64), ""),
     ("kid", (49, 300, 64), "an estimate from 49 images"), ("kid", (50, 50, 64), ""),
     ("recall", (3, 3, 64), "")],
)  # fmt: skip
def test_values_of_few_images_come_with_a_caution(name, sides, expected):
    found = CRITERIA.get(name).caution(*sides)
    assert found.startswith(expected)
    assert bool(found) == bool(expected)
