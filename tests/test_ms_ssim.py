"""MS-SSIM: TensorFlow's, a slow one from the definition, and what the criterion makes of it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from autogan.core.errors import ConfigError
from autogan.criteria import MSSSIM, Features, Moments
from autogan.criteria.ms_ssim import _pairs, ms_ssim

WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
DIGITS = (load_digits().images[:400, :, :, np.newaxis] * 15.9375).astype(np.uint8)
CLASSES = load_digits().target[:400].astype(np.int64)


def pictures(count, height, width, channels=1, seed=0):
    """Blocks of 4 pixels and some noise."""
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 200, (count, -(-height // 4), -(-width // 4), channels))
    high = low.repeat(4, axis=1).repeat(4, axis=2)[:, :height, :width]
    return (high + rng.integers(0, 50, high.shape)).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "window", "scales"),
    [
        ((7, 7), 7, 1), ((12, 16), 7, 1), ((13, 13), 7, 2), ((24, 24), 7, 2), ((25, 25), 7, 3),
        ((28, 28), 7, 3), ((32, 32), 7, 3), ((48, 60), 7, 3), ((49, 49), 7, 4), ((96, 96), 7, 4),
        ((97, 97), 7, 5), ((160, 160), 7, 5), ((161, 165), 11, 5),
    ],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_tensorflows(size, window, scales, channels):
    first, second = (pictures(2, *size, channels, seed) for seed in (0, 1))
    third = (0.7 * first + 0.3 * second).astype(np.uint8)
    weights = WEIGHTS[:scales] / WEIGHTS[:scales].sum()
    for other in (second, third):
        theirs = tf.image.ssim_multiscale(
            first, other, 255, power_factors=weights.tolist(), filter_size=window
        )
        np.testing.assert_allclose(ms_ssim(first, other), theirs, rtol=1e-4, atol=1e-5)


def test_it_is_its_definition():
    """Two scales of 14 pixels, window by window, in float64."""
    original, mixed = pictures(2, 14, 14)
    mixed = (0.6 * original + 0.4 * mixed).astype(np.uint8)
    made = ms_ssim(original[None], mixed[None])
    first, second = (image[:, :, 0].astype(float) for image in (original, mixed))
    offsets = np.arange(7) - 3
    kernel = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    kernel /= kernel.sum()
    expected = 1.0
    for scale, weight in enumerate(np.array([0.0448, 0.2856]) / (0.0448 + 0.2856)):
        if scale:
            first, second = (image.reshape(7, 2, 7, 2).mean(axis=(1, 3))
                             for image in (first, second))  # fmt: skip
        values = []
        for top in range(len(first) - 6):
            for left in range(len(first) - 6):
                x, y = (image[top : top + 7, left : left + 7] for image in (first, second))
                mean_x, mean_y = (kernel * x).sum(), (kernel * y).sum()
                spread = (kernel * (x - mean_x) ** 2).sum() + (kernel * (y - mean_y) ** 2).sum()
                together = (kernel * (x - mean_x) * (y - mean_y)).sum()
                value = (2 * together + 7.65**2) / (spread + 7.65**2)
                if scale:
                    value *= (2 * mean_x * mean_y + 2.55**2) / (mean_x**2 + mean_y**2 + 2.55**2)
                values.append(value)
        expected *= np.mean(values) ** weight
    assert made == pytest.approx(expected, rel=1e-4)
    assert 0.2 < expected < 0.9


@pytest.mark.parametrize("size", [4, 8, 28, 64, 165])
def test_equal_images_have_one_and_noise_nearly_nothing(size):
    noise = np.random.default_rng(0).integers(0, 256, (40, size, size, 1)).astype(np.uint8)
    np.testing.assert_allclose(ms_ssim(noise, noise), 1, atol=1e-5)
    if size > 8:
        assert ms_ssim(noise[:20], noise[20:]).mean() < 0.1


def sides(images, labels=None, real=DIGITS, real_labels=CLASSES):
    pool = np.zeros((2, 2), np.float32)
    moments = dataclasses.replace(Moments.of(pool), images=real, labels=real_labels)
    return Features(None, pool, labels, images), moments


def test_the_value_is_the_distance_from_the_real_images_own():
    """So neither noise, which is least alike, nor one image again and again is best."""
    rng = np.random.default_rng(0)
    made = {
        "real": DIGITS[rng.permutation(400)],
        "noise": rng.integers(0, 256, DIGITS.shape).astype(np.uint8),
        "one": DIGITS[np.zeros(400, int)],
    }
    value = {name: MSSSIM().compute(*sides(images)) for name, images in made.items()}
    figures = {name: MSSSIM().figures(*sides(images)) for name, images in made.items()}
    assert value["real"] < 0.05 < value["noise"] < value["one"]
    assert figures["noise"]["ms_ssim"] < figures["real"]["ms_ssim"]
    assert figures["one"]["ms_ssim"] == pytest.approx(1)
    for name, both in figures.items():
        assert both["real_ms_ssim"] == figures["real"]["real_ms_ssim"]
        assert value[name] == pytest.approx(abs(both["ms_ssim"] - both["real_ms_ssim"]))


def test_labelled_images_are_compared_within_classes():
    """The same ten pictures: one to a class they are all alike, in no class they differ."""
    images, labels = DIGITS[np.arange(200) % 10], np.arange(200) % 10
    labelled = MSSSIM().figures(*sides(images, labels))
    mixed = MSSSIM().figures(*sides(images))
    assert labelled["ms_ssim"] == pytest.approx(1)
    assert mixed["ms_ssim"] < 0.7
    assert labelled["real_ms_ssim"] > mixed["real_ms_ssim"] + 0.1
    assert MSSSIM().figures(*sides(images, labels, real_labels=None)) == mixed
    alone = sides(DIGITS[:3], np.arange(3))
    with pytest.raises(ConfigError, match="two images of a class"):
        MSSSIM().compute(*alone)


@pytest.mark.parametrize("count", [2, 20, 63, 64, 3000])
def test_pairs_are_of_two(count):
    ones, others = _pairs(count, None)
    assert len(ones) == min(2000, count * (count - 1) // 2)
    assert (ones != others).all()
    assert {*ones, *others} <= set(range(count))
    if count < 64:  # each once
        assert len({frozenset(pair) for pair in zip(ones, others, strict=True)}) == len(ones)


def test_each_class_has_as_many_pairs():
    labels = np.repeat([3, 5, 9], [70, 500, 4])
    ones, others = _pairs(len(labels), labels)
    assert (labels[ones] == labels[others]).all()
    counts = np.bincount(labels[ones])
    assert counts[[3, 5, 9]].tolist() == [667, 667, 6]
