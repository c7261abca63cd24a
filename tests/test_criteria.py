"""Criteria in numbers: closed forms, TF-GAN's own, and the cases that crash other tools."""

import dataclasses
import math
import re

import numpy as np
import pytest
import scipy.linalg

from autogan.core import tfgan
from autogan.core.errors import ConfigError
from autogan.criteria import (
    CRITERIA,
    CT,
    FID,
    KID,
    WD,
    Authenticity,
    Features,
    FIDInfinity,
    InceptionScore,
    JSInceptionScore,
    LabelAccuracy,
    Moments,
    Objective,
    bounds_seen,
)
from autogan.criteria.neighbours import to_nearest

ALL = list(CRITERIA)


def features(pool, logits=None, labels=None, images=None):
    pool = np.asarray(pool, np.float32)
    if logits is None:
        logits = np.random.default_rng(5).normal(size=(len(pool), 4))
    labels = np.arange(len(pool)) % 4 if labels is None else labels
    images = blurred(len(pool)) if images is None else images
    return Features(np.asarray(logits, np.float32), pool, labels, images)


def reference(pool):
    """All that criteria may ask of real images."""
    pool = np.asarray(pool, np.float32)
    seen = {"images": blurred(len(pool)), "labels": np.arange(len(pool)) % 4}
    seen["unseen"] = to_nearest(np.float32(0.9) * pool + np.float32(0.1), pool)[0]
    return dataclasses.replace(Moments.of(pool), pool=pool, **seen)


def blurred(count, size=8):
    """Different pictures, smooth enough to have something in common; two seeds give one kind."""
    rng = np.random.default_rng(count)
    low = rng.integers(0, 256, (count, size // 4, size // 4, 1))
    return low.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8)


def gaussian(mean, covariance, count=50_000, seed=0):
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(mean, covariance, count)


def random_covariance(dimensions, seed):
    root = np.random.default_rng(seed).normal(size=(dimensions, dimensions))
    return root @ root.T / dimensions


@pytest.mark.parametrize("kind", ALL)
class TestEveryCriterion:
    def test_declares_itself(self, kind):
        assert kind.direction in ("min", "max")
        assert kind.summary
        assert kind.label("inception", 5000) == f"{kind.name}_inception_5000"

    @pytest.mark.parametrize("dimensions", [3, 40])
    @pytest.mark.parametrize("collapse", ["none", "one image", "two images"])
    def test_is_finite_however_collapsed(self, kind, dimensions, collapse):
        """Fewer images than features, constant images, singular covariances: a number, no crash."""
        rng = np.random.default_rng(0)
        real = reference(rng.normal(size=(20, dimensions)))
        pool, logits = rng.normal(size=(20, dimensions)), 50 * rng.normal(size=(20, 7))
        images = blurred(20)
        if collapse != "none":
            kept = np.arange(20) % (1 if collapse == "one image" else 2)
            pool, logits, images = pool[kept], logits[kept], images[kept]
        assert math.isfinite(kind().compute(features(pool, logits, images=images), real))

    def test_says_what_it_needs(self, kind):
        """Without what it does not declare it is the same number; without the rest one line."""
        pool = np.random.default_rng(0).normal(size=(20, 6))
        made, real = features(pool), reference(pool + 0.1)
        pooled = kind.needs & {"real_features", "neighbours"}
        thin = Features(
            made.logits if "logits" in kind.needs else None,
            made.pool,
            made.labels if kind.needs & {"labels", "images"} else None,
            made.images if "images" in kind.needs else None,
        )
        bare = Moments.of(pool.astype(np.float32) + np.float32(0.1))
        if pooled:
            bare = dataclasses.replace(bare, pool=real.pool)
        if "unseen" in kind.needs:
            bare = dataclasses.replace(bare, unseen=real.unseen)
            with pytest.raises(ValueError, match="unseen real images are needed"):
                kind().compute(made, dataclasses.replace(real, unseen=None))
        if "labels" in kind.needs:
            bare = dataclasses.replace(bare, labels=real.labels)
        if "images" in kind.needs:
            bare = dataclasses.replace(bare, images=real.images, labels=real.labels)
        assert kind().compute(thin, bare) == pytest.approx(kind().compute(made, real))
        nothing = Features(None, made.pool)
        if "logits" in kind.needs:
            with pytest.raises(ValueError, match="logits are needed|needs the classes"):
                kind().compute(nothing, real)
        if "images" in kind.needs:
            with pytest.raises(ValueError, match="needs the images"):
                kind().compute(nothing, real)
        if pooled:
            with pytest.raises(ValueError, match="not only their moments"):
                kind().compute(made, dataclasses.replace(real, pool=None))

    def test_does_not_depend_on_the_order_of_images(self, kind):
        rng, count = np.random.default_rng(0), max(50, kind.fewest(6))
        pool, logits = rng.normal(size=(count, 6)), rng.normal(size=(count, 5))
        real = reference(rng.normal(size=(50, 6)))
        order = rng.permutation(count)
        made = features(pool, logits)
        value = kind().compute(made, real)
        shuffled = kind().compute(
            features(pool[order], logits[order], made.labels[order], made.images[order]), real
        )
        # FIDInfinity draws subsets, other ones then.
        assert shuffled == pytest.approx(value, rel=0.3 if kind is FIDInfinity else 1e-5)

    def test_prefers_real_images(self, kind):
        """Sharp images of all classes, with the real moments, beat noise of another mean."""
        rng = np.random.default_rng(0)
        pool = rng.normal(size=(400, 6))
        real = reference(pool)
        sharp = 9 * np.eye(4)[np.arange(400) % 4]
        noise = rng.integers(0, 256, (400, 8, 8, 1)).astype(np.uint8)
        good = kind().compute(features(pool, sharp), real)
        bad = kind().compute(features(0.5 * pool + 3, np.zeros((400, 4)), images=noise), real)
        if kind in (Authenticity, CT):  # to which the real images themselves are copies
            good, bad = bad, good
        assert good < bad if kind.direction == "min" else good > bad


class TestFID:
    def test_of_a_set_and_itself_is_zero(self):
        made = features(gaussian(np.zeros(5), random_covariance(5, 1), 500))
        assert FID().compute(made, made.moments) == pytest.approx(0, abs=1e-10)

    def test_of_known_gaussians(self):
        """Diagonal covariances: sum of (m1 - m2)^2 + (s1 - s2)^2."""
        real = Moments(np.array([1.0, 2.0, 0.0]), np.diag([4.0, 9.0, 1.0]))
        made = _with_moments([0.0, 2.0, 2.0], np.diag([1.0, 16.0, 1.0]))
        assert FID().compute(made, real) == pytest.approx(1 + 4 + 1 + 1, rel=1e-9)

    def test_of_covariances_that_do_not_commute(self):
        first, second = random_covariance(6, 1), random_covariance(6, 2)
        cross = np.trace(scipy.linalg.sqrtm(first @ second)).real
        expected = np.trace(first) + np.trace(second) - 2 * cross
        value = FID().compute(_with_moments(np.zeros(6), second), Moments(np.zeros(6), first))
        assert value == pytest.approx(expected, rel=1e-8)
        # What eigvalsh of the unsymmetric product would give, as other tools once did.
        wrong = np.sum(np.sqrt(np.maximum(scipy.linalg.eigvalsh(first @ second), 0)))
        assert abs(wrong - cross) > 0.01

    def test_of_one_dimension_shifted(self):
        pool = np.random.default_rng(0).normal(size=(1000, 1)).astype(np.float32)
        real = Moments.of(pool)
        assert FID().compute(features(pool + 3), real) == pytest.approx(9, rel=1e-5)
        assert FID().compute(features(2 * pool), real) == pytest.approx(
            real.covariance[0, 0] + real.mean[0] ** 2, rel=1e-5
        )

    @pytest.mark.parametrize(("count", "dimensions"), [(300, 24), (40, 64), (500, 128)])
    def test_agrees_with_tfgan(self, count, dimensions):
        rng = np.random.default_rng(count)
        real = np.maximum(rng.normal(size=(count, dimensions)), 0).astype(np.float32)
        made = np.maximum(rng.normal(0.2, 1.1, size=(count, dimensions)), 0).astype(np.float32)
        ours = FID().compute(features(made), Moments.of(real))
        theirs = tfgan.classifier_metrics().frechet_classifier_distance_from_activations(real, made)
        traces = np.trace(Moments.of(real).covariance) + np.trace(Moments.of(made).covariance)
        assert abs(ours - float(theirs)) < 1e-4 * traces


class TestFIDInfinity:
    def test_hardly_depends_on_the_number_of_images_while_fid_does(self):
        rng = np.random.default_rng(0)

        def draw(count, shift):
            return np.maximum(rng.normal(shift, 1, size=(count, 64)), 0).astype(np.float32)

        real = Moments.of(draw(30_000, 0.0))
        truth = FID().compute(features(draw(30_000, 0.1), images=()), real)
        whole = draw(2000, 0.1)
        few, many = (features(whole[:count], images=()) for count in (1000, 2000))
        bias = [FID().compute(made, real) - truth for made in (few, many)]
        left = [FIDInfinity().compute(made, real) - truth for made in (few, many)]
        assert bias[0] > 1.5 * bias[1] > 0
        assert max(map(abs, left)) < 0.5 * bias[1]

    def test_is_the_line_through_fids_at_fifteen_sizes(self):
        """By least squares written out, of FIDs by SciPy's root; all images are the last subset."""
        rng = np.random.default_rng(0)
        real, pool = rng.normal(size=(90, 4)), rng.normal(0.2, 1.1, size=(60, 4))
        sizes = [30 + round(30 * step / 14 + 1e-9) for step in range(15)]
        draws, x, y = np.random.default_rng(0), [], []
        for size in sizes:
            subset = pool[draws.permutation(60)[:size]]
            first, second = np.cov(real.T), np.cov(subset.T)
            cross = np.trace(scipy.linalg.sqrtm(first @ second)).real
            x.append(1 / size)
            y.append(
                np.sum((real.mean(0) - subset.mean(0)) ** 2)
                + np.trace(first + second) - 2 * cross
            )  # fmt: skip
        x, y = np.array(x), np.array(y)
        slope = np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2)
        value = FIDInfinity().compute(features(pool), Moments.of(real.astype(np.float32)))
        assert value == pytest.approx(y.mean() - slope * x.mean(), rel=1e-4)

    def test_wants_many_images(self):
        assert [FIDInfinity.fewest(d) for d in (128, 499, 500, 2048)] == [1000, 1000, 1002, 4098]
        assert FID.fewest(2048) == 1


class TestWD:
    def test_is_as_printed(self):
        first, second = random_covariance(6, 1), random_covariance(6, 2)
        root = scipy.linalg.sqrtm(first).real
        expected = 6.0 + np.trace(first + second - 2 * root @ second @ root)
        value = WD().compute(_with_moments(np.ones(6), second), Moments(np.zeros(6), first))
        assert value == pytest.approx(expected, rel=1e-9)

    def test_is_no_distance(self):
        made = _with_moments(np.zeros(3), 4 * np.eye(3))
        assert WD().compute(made, made.moments) == pytest.approx(2 * 12 - 2 * 48)


class TestKID:
    def test_is_the_unbiased_estimate(self):
        """E k(x, x') + E k(y, y') - 2 E k(x, y) without the diagonals, in one block."""
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(60, 5)), rng.normal(0.5, 2, size=(60, 5))

        def mean_kernel(a, b, off_diagonal=False):
            kernel = (a @ b.T / 5 + 1) ** 3
            return np.mean(kernel[~np.eye(60, dtype=bool)] if off_diagonal else kernel)

        expected = mean_kernel(x, x, True) + mean_kernel(y, y, True) - 2 * mean_kernel(x, y)
        assert KID().compute(features(y), reference(x)) == pytest.approx(expected, rel=1e-5)

    def test_of_sorted_images_is_that_of_shuffled_ones(self):
        """Folders come sorted by class; blocks of one class each would be far apart."""
        rng = np.random.default_rng(0)
        pool = np.repeat(5 * np.eye(4), 600, axis=0) + rng.normal(size=(2400, 4))
        order = rng.permutation(2400)
        value = KID().compute(features(pool), reference(pool[order]))
        assert abs(value) < 0.05 * KID().compute(features(pool[:1200]), reference(pool))

    def test_needs_the_real_features(self):
        with pytest.raises(ValueError, match="not only their moments"):
            KID().compute(features(np.zeros((3, 2))), Moments.of(np.zeros((3, 2), np.float32)))


class TestLabelAccuracy:
    def test_is_the_share_of_images_taken_for_what_they_are(self):
        labels = np.array([0, 1, 2, 1])
        made = features(np.zeros((4, 2)), np.eye(3)[[0, 1, 2, 2]], labels)
        assert LabelAccuracy().compute(made, made.moments) == 0.75

    def test_needs_labels(self):
        made = Features(np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32))
        with pytest.raises(ValueError, match="needs the classes"):
            LabelAccuracy().compute(made, made.moments)


LABELS = {"is": "is_c_9", "fid": "fid_c_9", "wd": "wd_c_9", "js_is": "js_is_c_9"}


class TestObjective:
    @pytest.mark.parametrize(
        ("text", "weights", "direction"),
        [
            ("fid", {"fid": 1}, "min"),
            ("js-is", {"js_is": 1}, "max"),
            ("js-is - 0.1*fid", {"js_is": 1, "fid": -0.1}, "max"),
            ("is - 0.01*fid", {"is": 1, "fid": -0.01}, "max"),
            ("0.01 * fid - is", {"fid": 0.01, "is": -1}, "min"),
            ("fid+2e-3*wd", {"fid": 1, "wd": 2e-3}, "min"),
            ("-0.5*fid + is", {"fid": -0.5, "is": 1}, "max"),
            ("2*fid", {"fid": 1}, "min"),  # a weight alone changes nothing
        ],
    )
    def test_sums_are_read(self, text, weights, direction):
        objective = Objective.parse(text, CRITERIA)
        assert (objective.weights, objective.direction) == (weights, direction)
        scores = {label: float(i + 2) for i, label in enumerate(LABELS.values())}
        expected = sum(weight * scores[LABELS[name]] for name, weight in weights.items())
        assert objective.value(scores, LABELS) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("is + 0.01*fid", "is should rise, fid should fall; choose signs"),
            ("fid - wd", "so that all terms improve in the same direction"),
            ("fidd", "'fidd' is not known; did you mean 'fid'?"),
            ("is - 0.01*fidd", "'fidd' is not known; did you mean 'fid'?"),
            ("is - 0*fid", "the weight of fid is 0; give another, or leave it out"),
            ("is - fid - fid", "names fid twice"),
            ("1e999*fid - is", "the weight of fid is inf"),
            (
                "fid,is",
                "'fid,is' is neither a criterion nor a sum such as 'is - 0.01*fid' (weights",
            ),
            ("is - 0.01 fid", "'is - 0.01 fid' is neither a criterion nor a sum"),
            ("", "names no criterion"),
        ],
    )
    def test_what_is_no_objective_is_refused(self, text, problem):
        with pytest.raises(ConfigError, match=re.escape(problem)):
            Objective.parse(text, CRITERIA)

    def test_positive_weights_get_their_signs(self):
        assert Objective.text_of({"is": 1, "fid": 0.01}, CRITERIA) == "is - 0.01*fid"
        assert Objective.text_of({"fid": 2, "js-is": 1}, CRITERIA) == "- 2.0*fid + js_is"
        assert Objective.text_of({"fid": 2, "wd": 1}, CRITERIA) == "2.0*fid + wd"
        assert Objective.text_of({"fid": 7}, CRITERIA) == "fid"
        exact = Objective.text_of({"is": 1, "fid": 0.000123456789}, CRITERIA)
        assert Objective.parse(exact, CRITERIA).weights["fid"] == -0.000123456789
        assert Objective.parse("is-fid", CRITERIA).text == "is - fid"
        for bad in ({"is": -1}, {"is": "much"}, {"is": True}, {}, {"isx": 1}):
            with pytest.raises(ConfigError, match="^criterion: "):
                Objective.text_of(bad, CRITERIA)

    def test_labels_name_networks_and_samples(self):
        objective = Objective.parse("is - 0.01*fid", CRITERIA)
        assert objective.label(LABELS) == "is_c_9-0.01*fid_c_9"
        assert objective.within({}).label(LABELS) == "scaled(is_c_9-0.01*fid_c_9)"
        assert Objective.parse("fid", CRITERIA).label(LABELS) == "fid_c_9"

    def test_bounds_scale_to_the_unit_interval(self):
        objective = Objective.parse("is - 0.5*fid", CRITERIA)
        scores = {"is_c_9": 4.0, "fid_c_9": 150.0}
        scaled = objective.within({"is": (2.0, 10.0), "fid": (100.0, 300.0)})
        assert scaled.value(scores, LABELS) == pytest.approx(0.25 - 0.5 * 0.25)
        only = objective.within({"fid": (100.0, 300.0)})  # one that has not varied yet
        assert only.value(scores, LABELS) == pytest.approx(4 - 0.5 * 0.25)

    def test_bounds_are_those_seen(self):
        labels = {name: LABELS[name] for name in ("is", "fid")}
        seen = [{"is_c_9": 2.0, "fid_c_9": 7.0}, {"is_c_9": 5.0, "fid_c_9": 7.0}]
        assert bounds_seen(seen, labels) == {"is": (2.0, 5.0)}
        assert bounds_seen([], labels) == {}


def one_hot(classes, count, scale=200.0):
    return scale * np.eye(classes)[np.arange(count) % classes]


class TestInceptionScores:
    @pytest.mark.parametrize("classes", [2, 5, 10])
    def test_of_sure_and_balanced_classes(self, classes):
        made = features(np.zeros((100, 2)), one_hot(classes, 100))
        assert InceptionScore().compute(made, made.moments) == pytest.approx(classes, rel=1e-6)
        # JS of a point mass and the uniform distribution over K classes, by its definition.
        k = classes
        js = 0.5 * math.log(2 * k / (k + 1)) + 0.5 * (
            math.log(2 / (k + 1)) / k + (k - 1) / k * math.log(2)
        )
        assert JSInceptionScore().compute(made, made.moments) == pytest.approx(math.exp(2 * js))

    @pytest.mark.parametrize("kind", [InceptionScore, JSInceptionScore])
    def test_of_one_class_or_of_no_idea_is_one(self, kind):
        for logits in (one_hot(1, 50) * np.ones((1, 7)), np.zeros((50, 7)), np.eye(7)[[3] * 50]):
            made = features(np.zeros((50, 2)), logits)
            assert kind().compute(made, made.moments) == pytest.approx(1, abs=1e-6)

    def test_is_against_its_definition(self):
        logits = np.random.default_rng(0).normal(size=(60, 8)) * 3
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        q = p.mean(axis=0)
        made = features(np.zeros((60, 2)), logits)
        expected = np.exp(np.mean(np.sum(p * np.log(p / q), axis=1)))
        assert InceptionScore().compute(made, made.moments) == pytest.approx(expected, rel=1e-5)
        m = (p + q) / 2
        js = (np.sum(p * np.log(p / m), axis=1) + np.sum(q * np.log(q / m), axis=1)) / 2
        expected = np.exp(np.mean(2 * js))
        assert JSInceptionScore().compute(made, made.moments) == pytest.approx(expected, rel=1e-5)

    def test_js_is_never_exceeds_four(self):
        made = features(np.zeros((500, 2)), one_hot(500, 500))
        assert 3.9 < JSInceptionScore().compute(made, made.moments) <= 4


def test_moments_are_numpys():
    pool = np.random.default_rng(0).normal(5, 2, size=(80, 7)).astype(np.float32)
    moments = Moments.of(pool)
    np.testing.assert_allclose(moments.mean, pool.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(moments.covariance, np.cov(pool.T.astype(np.float64)), rtol=1e-9)
    root = moments.covariance_root
    np.testing.assert_allclose(root @ root, moments.covariance, atol=1e-12)
    assert moments.covariance.dtype == np.float64


def _with_moments(mean, covariance):
    """Features whose moments are exactly these: their cached moments are put in place."""
    made = features(np.zeros((3, len(mean))))
    made.__dict__["moments"] = Moments(np.asarray(mean, float), np.asarray(covariance, float))
    return made


@pytest.mark.parametrize(
    ("kind", "name"), [(InceptionScore, "real_is"), (JSInceptionScore, "real_js_is")]
)
def test_the_real_images_own_score_stands_beside_that_of_generated_ones(kind, name):
    rng = np.random.default_rng(3)
    made, real = (rng.normal(size=(50, 4)).astype("float32") for _ in range(2))
    pool = np.zeros((50, 2), "float32")
    moments = dataclasses.replace(Moments.of(pool), logits=real)
    as_if_generated = kind().compute(Features(real, pool), moments)
    assert kind().figures(Features(made, pool), moments) == {name: as_if_generated}
    assert kind().figures(Features(made, pool), Moments.of(pool)) == {}


def test_the_inception_scores_deviation_is_that_over_ten_splits():
    logits = np.random.default_rng(3).normal(size=(205, 4)).astype("float32")
    p = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(axis=1, keepdims=True)
    scores = []
    for split in np.array_split(p[np.random.default_rng(0).permutation(205)], 10):
        kl = (split * (np.log(split) - np.log(split.mean(axis=0)))).sum(axis=1)
        scores.append(np.exp(kl.mean()))
    pool = np.zeros((205, 2), "float32")
    figures = InceptionScore().figures(Features(logits, pool), Moments.of(pool))
    assert figures == {"is_std": pytest.approx(np.std(scores), rel=1e-6)}
    few = InceptionScore().figures(Features(logits[:99], pool[:99]), Moments.of(pool))
    assert few == {}
