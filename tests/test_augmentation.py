"""Augmentation, schedules and averaged weights, against what their papers say."""

import numpy as np
import pytest
import tensorflow as tf

from autogan.models.factors import DEFAULTS
from autogan.models.networks.build import build_generator
from autogan.models.networks.shape import NetworkShape
from autogan.models.objectives.augmentation import POLICIES, augmented
from autogan.models.training.averages import AveragedGenerator
from autogan.models.training.schedules import fading, rates

SEED = tf.constant([1, 2], tf.int64)


def shown(images, policy, probability=1.0, seed=SEED):
    return augmented(tf.constant(images), policy, tf.constant(probability), seed).numpy()


def noise(count=200, size=8, channels=3):
    made = np.random.default_rng(0).uniform(-1, 1, (count, size, size, channels))
    return made.astype("float32")


class TestEveryPolicy:
    @pytest.fixture(params=POLICIES)
    def policy(self, request):
        return request.param

    def test_depends_on_its_seed_alone(self, policy):
        images = noise()
        first = shown(images, policy)
        assert np.array_equal(first, shown(images, policy))
        assert not np.array_equal(first, shown(images, policy, seed=SEED + 1))
        assert first.shape == images.shape

    def test_leaves_images_alone_with_probability_0(self, policy):
        images = noise()
        assert np.array_equal(shown(images, policy, 0.0), images)

    def test_changes_each_image_or_not(self, policy):
        """Each operation meets a share of the images."""
        images = noise(2000, 4)
        same = (shown(images, policy, 0.3) == images).all(axis=(1, 2, 3)).mean()
        left = 0.7 ** len(POLICIES[policy])  # and a shift by no pixel, of 3 x 3, changes nothing
        assert left - 0.05 < same < left + 0.1

    def test_has_a_gradient_twice(self, policy):
        """The generator learns through it, and R1 differentiates that again."""
        images = tf.constant(noise(4))
        with tf.GradientTape() as outer:
            outer.watch(images)
            with tf.GradientTape() as inner:
                inner.watch(images)
                value = tf.reduce_sum(augmented(images, policy, tf.constant(1.0), SEED) ** 3)
            gradient = inner.gradient(value, images)
        assert np.abs(gradient.numpy()).max() > 0
        assert np.abs(outer.gradient(gradient, images).numpy()).max() > 0


def test_translation_shifts_by_up_to_an_eighth_and_fills_with_grey():
    images = noise(300, 16, 1)
    moved = shown(images, "translation")
    padded = np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)])
    shifts = set()
    for image, frame in zip(moved, padded, strict=True):
        found = [
            (y, x) for y in range(5) for x in range(5)
            if np.array_equal(image, frame[y : y + 16, x : x + 16])
        ]  # fmt: skip
        assert len(found) == 1
        shifts.add(found[0])
    assert len(shifts) == 25  # all of them, rows and columns independently


def test_cutout_is_a_hole_of_half_a_side():
    kept = shown(np.ones([500, 8, 8, 1], np.float32), "cutout")[..., 0]
    assert set(np.unique(kept)) == {0, 1}
    rows, columns = (kept == 0).any(axis=2), (kept == 0).any(axis=1)
    for inside in (rows, columns):
        assert set(inside.sum(axis=1)) == {2, 3, 4}  # less than 4 where it goes over the edge
        assert inside.mean(axis=0).min() > 0.2  # anywhere
    assert np.array_equal(kept == 0, rows[:, :, None] & columns[:, None, :])


def test_color_is_brightness_saturation_and_contrast():
    """Of a constant grey image brightness is all that is left; contrast keeps the mean."""
    grey = shown(np.zeros([2000, 2, 2, 3], np.float32), "color")
    assert np.ptp(grey, axis=(1, 2, 3)).max() < 1e-6
    assert (grey.min(), grey.max()) == (pytest.approx(-0.5, abs=0.01), pytest.approx(0.5, abs=0.01))
    two = np.zeros([2000, 1, 2, 1], np.float32)
    two[:, 0, 1] = 1.0
    contrast = np.diff(shown(two, "color")[:, 0, :, 0])
    assert contrast.min() == pytest.approx(0.5, abs=0.01)
    assert contrast.max() == pytest.approx(1.5, abs=0.01)
    colours = np.zeros([2000, 1, 1, 3], np.float32)
    colours[..., 0] = 1.0
    made = shown(colours, "color")[:, 0, 0]
    saturation = np.abs(made[:, 0] - made[:, 1])  # contrast multiplies it too
    assert saturation.min() < 0.02
    assert 2.0 < saturation.max() < 3.0


class TestSchedules:
    def factors(self, total=100, **changes):
        return rates(0, total, total, {**DEFAULTS, **changes}).astype("float64")

    t = np.arange(100)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"schedule": "constant"}, np.ones(100)),
            ({"schedule": "linear"}, 1 - t / 100),
            ({"schedule": "linear", "schedule_end": 0.2}, 1 - 0.8 * t / 100),
            ({"schedule": "polynomial", "schedule_power": 3.0}, (1 - t / 100) ** 3),
            (
                {"schedule": "cosine", "schedule_end": 0.25},
                0.25 + 0.75 * (1 + np.cos(np.pi * t / 100)) / 2,
            ),
            (
                {"schedule": "inverse", "schedule_end": 0.375, "schedule_speed": 0.01},
                0.375 + 0.625 / (1 + 0.01 * t),
            ),
            (
                {"schedule": "step", "schedule_drops": 3, "schedule_factor": 0.1},
                np.repeat([1, 0.1, 0.01, 0.001], 25),
            ),
        ],
    )
    def test_formulas(self, changes, expected):
        np.testing.assert_allclose(self.factors(**changes), expected, rtol=1e-5, atol=1e-7)

    def test_igans_document(self):
        """Its rate at 0, 1000 and 10,000 steps (systems.md's section 2)."""
        inverse = {"schedule": "inverse", "schedule_end": 0.375, "schedule_speed": 1 / 300}
        made = 5.33e-4 * self.factors(10_001, **inverse)[[0, 1000, 10_000]]
        np.testing.assert_allclose(made, [5.33e-4, 2.77e-4, 2.10e-4], rtol=0.01)

    @pytest.mark.parametrize(
        "kind", ["constant", "linear", "polynomial", "cosine", "inverse", "step"]
    )
    def test_parts_are_the_whole(self, kind):
        """A call in the middle, and a training that a rule may stop, see the same rates."""
        h = {**DEFAULTS, "schedule": kind}
        whole = rates(0, 100, 100, h)
        assert whole[0] == 1
        assert (np.diff(whole) <= 0).all()
        assert np.array_equal(np.concatenate([rates(0, 37, 100, h), rates(37, 63, 100, h)]), whole)

    def test_noise_fades_to_nothing_at_the_end(self):
        np.testing.assert_allclose(fading(50, 3, 100), [0.5, 0.49, 0.48])
        assert fading(100, 1, 100) == 0


class TestAverages:
    SHAPE = NetworkShape(8, 1, 3, "infogan", 2, 4, "none")

    @pytest.fixture
    def pair(self):
        generator = build_generator(self.SHAPE)
        twin = AveragedGenerator(generator, build_generator(self.SHAPE, "average"), measured=False)
        twin.reset()
        return generator, twin

    def move(self, generator, rng):
        for variable in generator.variables:
            variable.assign(rng.normal(size=variable.shape))

    def test_follows_by_the_ramped_decay(self, pair):
        """Moving statistics, too: an average with the last ones would make other images."""
        generator, twin = pair
        rng = np.random.default_rng(0)
        expected = [v.numpy().astype("float64") for v in generator.variables]
        for step in range(30):
            self.move(generator, rng)
            twin.follow(tf.constant(0.6), tf.constant(step, tf.int64))
            d = min(0.6, (1 + step) / (10 + step))
            pairs = zip(expected, generator.variables, strict=True)
            expected = [d * mean + (1 - d) * v.numpy() for mean, v in pairs]
        for mean, wanted in zip(twin.network.variables, expected, strict=True):
            np.testing.assert_allclose(mean.numpy(), wanted, rtol=1e-4, atol=1e-6)

    def test_of_a_constant_generator_is_the_generator(self, pair):
        generator, twin = pair
        for step in range(5):
            twin.follow(tf.constant(0.99), tf.constant(step, tf.int64))
        z = tf.random.stateless_normal([4, 3], SEED)
        np.testing.assert_allclose(twin.network(z), generator(z), rtol=1e-5, atol=1e-6)

    def test_decay_0_is_the_generator_to_the_bit(self, pair):
        generator, twin = pair
        self.move(generator, np.random.default_rng(1))
        twin.follow(tf.constant(0.0), tf.constant(3, tf.int64))
        for mean, variable in zip(twin.network.variables, generator.variables, strict=True):
            assert np.array_equal(mean.numpy(), variable.numpy())

    def test_measured_statistics_are_the_means_over_batches(self):
        generator = build_generator(self.SHAPE)
        self.move(generator, np.random.default_rng(2))
        twin = AveragedGenerator(generator, build_generator(self.SHAPE, "average"), measured=True)
        twin.reset()
        batches = [tf.random.stateless_normal([6, 3], SEED + i) for i in range(3)]
        for _ in range(2):  # whatever they were before
            twin.measure(iter(batches))
        first = next(x for x in twin.network.layers if "dense" in x.name)
        norm = next(x for x in twin.network.layers if "batch_normalization" in x.name)
        outputs = [first(batch).numpy() for batch in batches]
        mean = np.mean([made.mean(axis=0) for made in outputs], axis=0)
        variance = np.mean([made.var(axis=0) for made in outputs], axis=0)
        np.testing.assert_allclose(norm.moving_mean.numpy(), mean, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(norm.moving_variance.numpy(), variance, rtol=1e-4)
