"""FID within classes, against its definition, and what it notices of digits that are spoiled."""

import dataclasses

import numpy as np
import pytest
import scipy.linalg
from sessions import SessionEngine
from sklearn.datasets import load_digits

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.criteria import FID, ClassFID, Features, Moments
from autogan.pool.messages import Open


def distance(ones, others):
    """Equation 6 of Heusel et al., by SciPy's matrix root."""
    a, b = (np.cov(rows, rowvar=False) for rows in (ones, others))
    root = scipy.linalg.sqrtm(a @ b).real
    return np.sum((ones.mean(0) - others.mean(0)) ** 2) + np.trace(a + b - 2 * root)


def compute(made, made_labels, real, real_labels):
    moments = dataclasses.replace(Moments.of(real), pool=real, labels=real_labels)
    return ClassFID().compute(Features(None, made, made_labels), moments)


def draw(seed, count=300):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    return (rng.normal(size=(count, 4)) + 5 * labels[:, None]).astype(np.float32), labels


def test_it_is_the_mean_over_classes():
    (made, made_labels), (real, real_labels) = draw(0), draw(1)
    each = [distance(real[real_labels == c], made[made_labels == c]) for c in range(3)]
    assert compute(made, made_labels, real, real_labels) == pytest.approx(np.mean(each), rel=1e-5)


def test_wrong_classes_are_noticed_where_fid_is_blind():
    (made, labels), (real, real_labels) = draw(0), draw(1)
    wrong = (labels + 1) % 3
    assert compute(made, wrong, real, real_labels) > 20 * compute(made, labels, real, real_labels)
    assert FID().compute(Features(None, made, wrong), Moments.of(real)) == FID().compute(
        Features(None, made, labels), Moments.of(real)
    )


def test_classes_with_few_images_are_left_out():
    (made, labels), (real, real_labels) = draw(0), draw(1)
    kept = labels != 2
    alone = np.where(real_labels == 2, 1, real_labels)
    assert compute(made[kept], labels[kept], real, real_labels) == compute(
        made[kept], labels[kept], real[real_labels != 2], real_labels[real_labels != 2]
    )
    assert np.isnan(compute(made[:1], labels[:1], real, alone))


def test_without_classes_it_says_so():
    (made, labels), (real, real_labels) = draw(0), draw(1)
    for own, theirs in ((None, real_labels), (labels, None)):
        with pytest.raises(ValueError, match="needs classes of both generated and real"):
            compute(made, own, real, theirs)


@pytest.mark.parametrize("spoiled", ["blurred", "one image a class", "labels"])
def test_it_notices_blur_collapse_and_wrong_labels(spoiled):
    """The thesis's wish: one number for sharpness, variety and conditions, on digits' pixels."""
    digits = load_digits()
    pixels, labels = (digits.data / 16).astype(np.float32), digits.target
    real, real_labels, made, made_labels = pixels[::2], labels[::2], pixels[1::2], labels[1::2]
    usual = compute(made, made_labels, real, real_labels)
    if spoiled == "blurred":
        made = (made + np.roll(made, 1, axis=1) + np.roll(made, 8, axis=1)) / 3
    elif spoiled == "labels":
        made_labels = np.roll(made_labels, 1)
    else:
        firsts = {label: made[made_labels == label][0] for label in range(10)}
        made = np.stack([firsts[label] for label in made_labels])
    assert compute(made, made_labels, real, real_labels) > 2 * usual


def test_it_needs_a_gan_with_classes_but_no_logits_of_them():
    def opened(**changes):
        config = TrainConfig(dataset="digits", criterion="class_fid", **changes).resolved()
        SessionEngine().session.open(Open(config=config.as_dict()))

    opened(gan_type="cgan", features="random")
    with pytest.raises(ConfigError, match="class_fid needs images of known classes, but gan takes"):
        opened(gan_type="gan", features="random")


def test_few_images_are_refused_before_a_training():
    assert ClassFID.shortage(49, 100, 8) == "at least 50 images on either side"
    assert ClassFID.shortage(100, 49, 8) == "at least 50 images on either side"
    assert ClassFID.shortage(50, 50, 8) == ""
    assert ClassFID.caution(81, 81, 8) == ""
    assert "the classes share 80 images of 8 features each" in ClassFID.caution(80, 90, 8)
