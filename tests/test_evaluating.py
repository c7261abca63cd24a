"""Images against images: read alike, never stretched, and said what they are."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sessions import SessionEngine

from autogan.core.errors import ConfigError
from autogan.criteria.networks.base import FeatureNetwork
from autogan.data import dataset_named
from autogan.pool.finished import Evaluate
from autogan.pool.messages import Open
from autogan.worker.scoring import Scoring


class Squares(FeatureNetwork):
    """Sixteen pixels of images that it makes squares."""

    name, weights_hash, resizes, classes, batch_size = "squares", "0", True, 0, 100

    def run(self, images):
        small = tf.image.resize(tf.cast(images, tf.float32), [4, 4])
        return None, tf.reshape(tf.reduce_mean(small, -1), [-1, 16]).numpy() / 255


@pytest.fixture
def session():
    made = SessionEngine().session
    made.told = []
    made._driver.note = made.told.append
    made._bench.network = lambda run, folder="": Squares()
    return made


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The same digits as they are, with margins, and in colour with one that has some."""
    root = tmp_path_factory.mktemp("digits")
    images = dataset_named("digits", None).load(None).train.images[:60, ..., 0]
    for name in ("plain", "wide", "high", "colour"):
        (root / name).mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).save(root / "plain" / f"{i}.png")
        Image.fromarray(np.pad(image, ((0, 0), (4, 4)))).save(root / "wide" / f"{i}.png")
        Image.fromarray(np.pad(image, ((8, 8), (0, 0)))).save(root / "high" / f"{i}.png")
        rgb = np.repeat(image[..., np.newaxis], 3, 2)
        rgb[0, 0] = (9, 0, 0)
        Image.fromarray(rgb).save(root / "colour" / f"{i}.png")
    return root


def evaluated(session, images, reference, **keys):
    config = {"dataset": f"folder:{reference}", "features": "net", **keys}
    name = images if images == "digits" else f"folder:{images}"
    (value,) = session.evaluate(Evaluate(config=config, dataset=name)).scores.values()
    return value


@pytest.mark.parametrize("names", [("plain", "wide"), ("wide", "plain"), ("wide", "high")])
def test_other_aspect_ratios_are_cropped_and_not_stretched(session, digits, names):
    images, reference = (digits / name for name in names)
    assert evaluated(session, images, reference) == pytest.approx(0, abs=1e-9)
    sizes = {"plain": "8x8", "wide": "16x8", "high": "8x24"}
    first, second = (sizes[name] for name in names)
    assert session.told[0] == (
        f"the images have {first} pixels, those of folder:{reference} {second}: cropped at the "
        "centre to squares"
    )


def test_one_aspect_ratio_is_left_as_it_is(session, digits):
    assert evaluated(session, digits / "wide", digits / "wide") == pytest.approx(0, abs=1e-9)
    assert session.told == ["reference: 60 grey 16x8 images", "images: 60 grey 16x8 images"]


def test_grey_against_rgb_is_refused_before_a_classifier_is_trained(session, digits):
    def never(run, folder=""):
        raise AssertionError("trained")

    session._bench.network = never
    with pytest.raises(ConfigError) as error:
        evaluated(session, digits / "colour", "", dataset="digits", features="classifier")
    assert str(error.value) == (
        "reference: digits has grey 8x8 images, the others are RGB 8x8, but the features "
        "classifier take only one kind; give --channels grey to read them alike"
    )
    assert session.told == []


def test_the_flag_that_it_names_helps(session, digits, monkeypatch):
    monkeypatch.setattr(Scoring, "_resizes", lambda self, run: False)  # as a classifier
    images = digits / "colour"
    with pytest.raises(ConfigError, match="give --channels grey"):
        evaluated(session, images, digits / "plain")
    assert evaluated(session, images, digits / "plain", channels="grey") < 1e-3
    assert session.told[1:] == [
        "images: 60 grey 8x8 images", "images: 60 of 60 files are RGB: converted to grey"
    ]  # fmt: skip


def opened(session, folder, **keys):
    params = {"width": 8, "dense_width": 8, "batch_size": 8}
    config = {"dataset": f"folder:{folder}", "features": "net", "params": params, **keys}
    return session.open(Open(config=config, features=False))


def test_a_search_begins_with_what_its_images_are(session, digits, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).symlink_to(digits / "plain")
    (tmp_path / "x.heic").touch()
    opened(session, tmp_path)
    assert session.told[-3:] == [
        "data: 120 grey 8x8 images in 2 classes",
        "data: 1 folder is read more than once, because of links",
        "data: left out 1 file (1 .heic) with suffixes that cannot be read",
    ]


def test_where_labels_are_needed_it_is_said_why_there_are_none(session, digits, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).symlink_to(digits / "plain")
    Image.new("L", (8, 8)).save(tmp_path / "cover.png")
    why = r"\(1 picture \(cover.png\) is next to the folders cat/, dog/; move it into one\)"
    with pytest.raises(ConfigError, match=f"has no labels {why}, but cgan learns classes"):
        opened(session, tmp_path, gan_type="cgan")
    with pytest.raises(ConfigError, match=f"has none {why}; use --features inception"):
        opened(session, tmp_path, features="classifier")


def test_a_file_of_labels_names_the_reference_alone(session, digits, tmp_path):
    lines = [f"{i}.png,{'even' if i % 2 else 'odd'}\n" for i in range(60)]
    labels = tmp_path / "labels.csv"
    labels.write_text("".join(["image,class\n", *lines]))
    for made in ("plain", "digits"):
        images = digits / made if made != "digits" else made
        assert evaluated(session, images, digits / "plain", labels=labels) == pytest.approx(
            evaluated(session, images, digits / "plain")
        )
    assert "reference: 60 grey 8x8 images in 2 classes" in session.told
