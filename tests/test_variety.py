"""Collapse: what is called one, what is not, and the figures behind it."""

import dataclasses
import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

from autogan.criteria.variety import Variety, Yardstick
from autogan.models import GAN_TYPES

DIGITS = (load_digits().images[:600, :, :, np.newaxis] * 15.9375).astype(np.uint8)


def pool(images):
    return images.reshape(len(images), -1).astype(np.float32)


def measure(images, real=DIGITS):
    return Yardstick(real, pool(real)).measure(images, pool(images))


def noisy(images, level):
    noise = np.random.default_rng(0).normal(0, level, images.shape)
    return np.clip(images + noise, 0, 255).round().astype(np.uint8)


def test_real_images_are_as_varied_as_real_images():
    made = measure(DIGITS[::-1])
    assert (made.distinct, made.real_distinct, made.looked_at) == (256, 256, 256)
    assert made.deviation == pytest.approx(1, abs=0.05)
    assert made.coverage == 1
    assert not made.collapsed
    assert not made.repetitive
    assert not made.uncovering


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("pictures", [1, 9])
def test_a_few_pictures_again_and_again_are_a_collapse(pictures, level):
    """Though nearly all of them differ in some pixel."""
    made = measure(noisy(DIGITS[np.arange(400) % pictures], level))
    assert made.distinct == pictures
    assert made.collapsed


def test_a_checkerboard_is_a_collapse():
    """As a dead generator made it: two patterns of full contrast, here and there a grey pixel."""
    board = (np.indices((8, 8)).sum(axis=0) % 2 * 255)[np.newaxis, :, :, np.newaxis]
    made = measure(
        noisy(np.concatenate([np.repeat(board, 200, 0), np.repeat(255 - board, 99, 0)]), 3)
    )
    assert made.distinct == 2
    assert made.collapsed
    assert str(made) == "2 different pictures among 256 images"


def test_constant_images_are_a_collapse():
    made = measure(np.full((300, 8, 8, 1), 127, np.uint8))
    assert (made.distinct, made.deviation) == (1, 0)
    assert made.collapsed
    assert str(made) == "1 picture among 256 images"


def test_half_of_the_classes_leave_the_others_uncovered():
    labels = load_digits().target[:600]
    made = measure(DIGITS[labels < 4])
    assert made.distinct > 200
    assert made.uncovering
    assert not made.repetitive
    assert not made.collapsed
    assert not measure(DIGITS[labels < 9]).uncovering


@pytest.mark.parametrize("gan_type", GAN_TYPES.names())
def test_untrained_generators_have_not_collapsed(gan_type):
    """Their images are pale, but no two are alike."""
    kind = GAN_TYPES.get(gan_type)
    small = {"width": 8, "dense_width": 16}
    settings = {name: small.get(name, value) for name, value in kind.defaults().items()}
    gan = kind.build((8, 8, 1), settings, (30,) * 10)
    gan.reset(0)
    made = measure(gan.generate(gan.latents(300, 1)))
    assert made.distinct > 200
    assert not made.collapsed
    assert made.coverage < 0.1


def test_a_tiny_generators_first_images_are_no_collapse():
    """Of one or two grey levels: what differs between them is lost in 8 bits."""
    first = np.full((300, 8, 8, 1), 127, np.uint8)
    first[:, ::2] += 2
    assert (measure(first).distinct, measure(first).contrast) == (1, 1)
    assert not measure(first).collapsed
    first[:, ::2] += 3
    assert measure(first).collapsed


def test_few_real_pictures_are_no_collapse():
    """A folder of five pictures: whoever makes all five has learned all there is."""
    five = DIGITS[:5]
    assert not measure(five[np.arange(200) % 5], real=five).collapsed
    assert measure(five[np.zeros(200, int)], real=five).collapsed
    one = DIGITS[:1]
    assert not measure(one, real=one[np.zeros(9, int)]).collapsed


def test_coverage_is_that_of_the_paper():
    """Naeem et al., 2020, equation 9, image by image."""
    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(40, 3)), rng.normal(0.8, 0.7, size=(40, 3))
    images = rng.integers(0, 256, (40, 8, 8, 1)).astype(np.uint8)
    covered = 0
    for i, x in enumerate(real):
        others = sorted(np.linalg.norm(x - y) for j, y in enumerate(real) if j != i)
        covered += any(np.linalg.norm(x - y) <= others[4] for y in made)
    found = Yardstick(images, real.astype(np.float32)).measure(images, made.astype(np.float32))
    assert found.coverage == covered / 40
    assert 0.2 < found.coverage < 0.9


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("by", ["noise", "one picture"])
def test_the_share_of_good_images_is_told(share, by):
    """Where coverage hardly falls: of noise by a fifth only while three quarters are spoiled."""
    rng = np.random.default_rng(0)
    real, made = (rng.normal(size=(1000, 8)).astype(np.float32) for _ in range(2))
    spoiled = round(1000 * share)
    made[:spoiled] = rng.normal(0, 9, (spoiled, 8)) if by == "noise" else real[:1]
    images = rng.integers(0, 256, (1000, 8, 8, 1)).astype(np.uint8)
    found = Yardstick(images, real).measure(images, made[rng.permutation(1000)])
    assert found.good == pytest.approx(1 - share, abs=0.06)
    assert found.uncovering == (found.good < 0.5)
    assert found.coverage > found.good


def test_the_thresholds():
    def variety(distinct, good=1.0, real=200):
        return Variety(distinct, real, 256, 60.0, 1.0, 0.9, good)

    assert [variety(n).collapsed for n in (20, 21)] == [True, False]
    assert [variety(n).repetitive for n in (99, 100)] == [True, False]
    assert [variety(200, c).uncovering for c in (0.49, 0.5)] == [True, False]
    assert [variety(n, real=5).collapsed for n in (1, 2)] == [True, False]
    assert not variety(1, good=0.0, real=1).uncovering
    pale = [dataclasses.replace(variety(1), contrast=c).collapsed for c in (0.12, 0.13, 1.99, 2)]
    assert pale == [True, False, False, True]
    strong, faint = variety(200), dataclasses.replace(variety(200), contrast=1.0, deviation=0.09)
    assert [faint.faded([a]) for a in (strong, faint)] == [True, False]
    assert [faint.faded(before) for before in ([], [faint, strong, faint])] == [False, True]
    assert not dataclasses.replace(faint, deviation=0.1).faded([strong])  # real ones are pale
    assert not dataclasses.replace(faint, contrast=2.0).faded([strong])
    assert (str(strong), str(faint)) == (
        "200 different pictures among 256 images", "pale images, with a contrast of 1.0 grey levels"
    )  # fmt: skip
    figures = json.loads(json.dumps(dataclasses.asdict(variety(9, 0.4))))
    assert Variety.of({name: float(figure) for name, figure in figures.items()}).good == 0.4
    del figures["good"]  # as version 0.3 recorded it
    assert Variety.of({name: float(figure) for name, figure in figures.items()}).good == 0.9
    figures = json.loads(json.dumps(dataclasses.asdict(variety(9))))
    assert Variety.of({name: float(figure) for name, figure in figures.items()}) == variety(9)


@pytest.mark.parametrize("count", [10, 25, 100, 300])
def test_few_images_of_the_real_kind_deserve_no_warning(count):
    """They are compared with as many real ones."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (1000 + count, 8, 8, 1)).astype(np.uint8)
    pool = rng.normal(size=(1000 + count, 6)).astype(np.float32)
    found = Yardstick(images[:1000], pool[:1000]).measure(images[1000:], pool[1000:])
    assert [found.collapsed, found.repetitive, found.uncovering] == [False] * 3
    assert found.real_distinct == found.looked_at == min(count, 256)
