"""Attributes in place of classes: what networks, losses, samples and files make of them."""

import csv
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sessions import SessionEngine

import autogan
from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.data import ImageData, Reading, Split, dataset_named, loaded, told_of
from autogan.models import GAN_TYPES, GANType
from autogan.models.networks.layers import ConditionalBatchNormalization
from autogan.models.objectives.losses import class_error
from autogan.models.training.batches import TrainingSet, drawn_attributes
from autogan.play.player import Player
from autogan.play.server import page
from autogan.pool.messages import Open
from autogan.record.ledger import Ledger
from autogan.worker.generator import Generator

NAMES = ("odd", "large")
ROWS = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [1, 1]], np.uint8)
TINY = {"width": 2, "dense_width": 4, "batch_size": 4, "z_dim": 3}
rng = np.random.default_rng(0)


def built(name="cgan", rows=ROWS, **changes):
    kind = GAN_TYPES.get(name)
    settings = {n: {**kind.defaults(), **TINY, **changes}[n] for n in kind.defaults()}
    trainer = kind.build((8, 8, 1), settings, attributes=rows)
    trainer.reset(1)
    return trainer


def data(labels, names=(), test=None):
    images = np.zeros((len(labels), 8, 8, 1), np.uint8)
    return ImageData(Split(images, labels), test, names)


class TestNetworks:
    def test_the_error_is_the_mean_over_images_and_attributes(self):
        logits = rng.normal(size=(4, 3)).astype("float32")
        wanted = rng.integers(0, 2, (4, 3)).astype("float32")
        p = 1 / (1 + np.exp(-logits.astype(float)))
        each = np.where(wanted == 1, -np.log(p), -np.log(1 - p))
        made = class_error(tf.constant(logits), tf.constant(wanted))
        assert float(made) == pytest.approx(each.sum() / 12, rel=1e-6)

    def test_a_conditional_norm_begins_with_scale_1_whatever_is_set(self):
        norm = ConditionalBatchNormalization(attributes=True, epsilon=1e-5)
        x = rng.normal(size=(5, 2, 2, 3)).astype("float32")
        made = norm(tf.constant(x), tf.constant(ROWS, tf.float32), training=True)
        normed = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
        np.testing.assert_allclose(made, normed, rtol=1e-4, atol=1e-5)

    def test_and_then_adds_what_each_attribute_adds(self):
        norm = ConditionalBatchNormalization(attributes=True, epsilon=1e-5)
        x, vectors = rng.normal(size=(4, 3)), np.array([[0, 0], [1, 0], [1, 1], [0.5, 0.25]])
        norm.build(x.shape, vectors.shape)
        delta, beta = rng.normal(size=(2, 2, 3))
        norm.gamma.assign(delta)
        norm.beta.assign(beta)
        made = norm(tf.constant(x, tf.float32), tf.constant(vectors, tf.float32), training=True)
        normed = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
        for image, (a, b) in enumerate(vectors):
            scale, shift = 1 + a * delta[0] + b * delta[1], a * beta[0] + b * beta[1]
            np.testing.assert_allclose(made[image], normed[image] * scale + shift, rtol=1e-3)

    def test_of_one_hot_vectors_it_is_the_norm_of_classes(self):
        x, classes = tf.constant(rng.normal(size=(6, 3)), tf.float32), tf.one_hot([0, 1, 2] * 2, 3)
        one, other = (ConditionalBatchNormalization(attributes) for attributes in (False, True))
        for norm in (one, other):
            norm.build(x.shape, classes.shape)
        gamma = rng.normal(size=(3, 3)).astype("float32")
        one.gamma.assign(gamma)
        other.gamma.assign(gamma - 1)
        made, expected = (norm(x, classes, training=True) for norm in (other, one))
        np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)

    def test_the_inputs_are_called_what_they_are(self):
        trainer = built("sngan_projection")
        assert [i.name for i in trainer.generator.inputs] == ["z", "attributes"]
        assert [i.name for i in trainer.discriminator.inputs] == ["images", "attributes"]


class TestDraws:
    def test_training_draws_rows_of_real_images_by_the_walks_of_classes(self):
        trainer = built()
        images = np.zeros((5, 8, 8, 1), np.uint8)
        both = [TrainingSet(images, labels) for labels in (ROWS, np.arange(5))]
        factors = {"d_iter": 2, "schedule": "constant"}
        made = trainer._batches(both[0], 3, 0, 2, 9, {**trainer._fixed, **factors})
        for name, walk, count in (("labels", 0, 16), ("d_labels", 1, 16), ("g_labels", 2, 8)):
            numbers = both[1].labels(both[1].order(3, walk, 0, count)).numpy()
            rows = getattr(made, name)
            assert rows.dtype == tf.float32
            assert np.array_equal(rows, ROWS[numbers])

    def test_latents_take_rows_from_places_as_far_apart_as_can_be(self):
        assert drawn_attributes(5, ROWS).tolist() == ROWS.tolist()
        many = drawn_attributes(10, ROWS)
        assert (many.dtype, many.tolist()) == (np.float32, ROWS.repeat(2, axis=0).tolist())
        assert drawn_attributes(2, ROWS).tolist() == ROWS[[0, 2]].tolist()
        latents = built().latents(10, 3)
        assert np.array_equal(latents.labels, many)
        assert latents.classes is None

    def test_a_split_draws_at_most_10_000(self):
        rows = np.stack([np.arange(12_000) % 2, np.arange(12_000) < 3000], 1).astype(np.uint8)
        split = Split(np.zeros((12_000, 1, 1, 1), np.uint8), rows)
        assert split.drawn_attributes.shape == (10_000, 2)
        assert split.drawn_attributes.mean(axis=0) == pytest.approx([0.5, 0.25], abs=0.02)
        assert data(ROWS).train.drawn_attributes.tolist() == ROWS.tolist()


class TestGenerator:
    def test_weights_are_taken_as_they_are(self):
        made = Generator(built(), NAMES)
        assert repr(made) == "<generator: 3 numbers to 8x8x1, 2 attributes>"
        labels = made.latents(2, mix={"large": 0.25}).labels
        assert (labels.dtype, labels.tolist()) == (np.float32, [[0, 0.25]] * 2)
        assert made.latents(1, mix={"0": 1, "large": 1}).labels.tolist() == [[1, 1]]
        assert made.latents(2, mix={}).labels.tolist() == [[0, 0]] * 2

    def test_attributes_in_turn_change_nothing_else(self):
        made = Generator(built(), NAMES)
        z, labels = made.latents(5, classes="large,odd")
        assert labels.tolist() == [[0, 1], [1, 0], [0, 1], [1, 0], [0, 1]]
        plain = made.latents(5).z
        assert np.array_equal(z, tf.gather(plain, [0, 0, 1, 1, 2]))

    def test_ways_keep_their_attributes(self):
        made = Generator(built(), NAMES)
        z, labels = made.latents(2, interpolate=3, classes="odd,large")
        assert labels.tolist() == [[1, 0]] * 3 + [[0, 1]] * 3
        assert np.array_equal(z, made.latents(2, interpolate=3).z)

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({"mix": {"odd": 1.5}}, "mix: odd=1.5; give attributes weights from 0 to 1"),
            ({"mix": {"odd": -1}}, "mix: odd=-1; give attributes weights from 0 to 1"),
            ({"mix": {"odd": np.nan}}, "mix: odd=nan; give attributes weights from 0 to 1"),
            ({"mix": {"even": 1}}, "mix: 'even': the attributes are 0 to 1, named odd, large"),
            ({"classes": "even"}, "classes: 'even': the attributes are 0 to 1, named odd, large"),
        ],
    )
    def test_what_cannot_be(self, asked, expected):
        with pytest.raises(ConfigError) as error:
            Generator(built(), NAMES).latents(1, **asked)
        assert str(error.value) == expected


class TestData:
    def test_names_counts_and_shares(self):
        made = data(ROWS, NAMES)
        assert (made.attributes, made.classes) == ({"odd": 3, "large": 3}, {})
        assert told_of(made)[0] == "5 grey 8x8 images with 2 attributes (odd 60 %, large 60 %)"
        assert data(ROWS).label_names == ("0", "1")
        many = data(np.ones((3, 7), np.uint8), tuple("abcdefg"))
        assert "(a 100 %, b 100 %, c 100 %, d 100 %, e 100 %, ...)" in told_of(many)[0]

    def test_a_digest_notices_them(self):
        kinds = [ROWS, ROWS[::-1], ROWS[:, [0, 1, 1]], ROWS[:, :1], None]
        splits = [Split(np.zeros((5, 8, 8), np.uint8), labels) for labels in kinds]
        assert len({split.digest for split in splits}) == len(kinds)

    def test_a_subset_has_no_classes(self):
        assert data(ROWS).train.subset(3)[1] is None
        assert data(ROWS).train.class_counts == ()

    def test_one_column_holds_classes(self):
        train = data(ROWS[:, :1]).train
        assert train.labels.tolist() == ROWS[:, 0].tolist()
        assert train.class_counts == (2, 3)

    @pytest.mark.parametrize(
        ("labels", "names", "test", "expected"),
        [
            (2 * ROWS, (), None, "attributes up to 2; give only 0 and 1"),
            (ROWS, ("a",), None, "the labels have 2 attributes, but 1 names are given; give each"),
            (
                ROWS,
                (),
                np.ones((1, 3), np.uint8),
                "training images have 2 attributes, test images 3",
            ),
            (ROWS, (), np.zeros(1, np.int64), "training images have 2 attributes, test images 0"),
        ],
    )
    def test_what_cannot_be(self, labels, names, test, expected):
        with pytest.raises(ConfigError, match=f"^dataset: {expected}"):
            data(labels, names, test if test is None else data(test).train)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Digits as files, with a list of which are odd and which above 4."""
    root = tmp_path_factory.mktemp("digits")
    train = dataset_named("digits", None).load(None).train
    (root / "images").mkdir()
    with (root / "digits.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *NAMES])
        for number in range(60):
            image, label = train.images[number, ..., 0], int(train.labels[number])
            Image.fromarray(image).save(root / "images" / f"{number}.png")
            writer.writerow([f"{number}.png", label % 2, int(label > 4)])
    return root


def config(digits, **changes):
    return {
        "dataset": f"folder:{digits}/images", "labels": digits / "digits.csv", "gan_type": "gan",
        "criterion": "fid", "also": "ms_ssim", "features": "random", "eval_samples": 60, "steps": 4,
        "evaluate_every": 2, **changes, "params": {**TINY, "penalty": "none",
                                                   **changes.get("params", {})},
    }  # fmt: skip


CONDITIONS = {
    "input": {"condition": "input"},
    "projection": {
        "condition": "projection", "generator_norm": "conditional", "statistics": "measured",
        "discriminator_norm": "spectral",
    },
    "auxiliary": {"condition": "auxiliary"},
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(digits, tmp_path_factory):
    root, engine = tmp_path_factory.mktemp("runs"), SessionEngine()
    for name, params in CONDITIONS.items():
        autogan.train(config(digits, params=params, run_dir=root / name), engine=engine)
    return root, engine


@pytest.mark.usefixtures("in_process")
class TestRuns:
    @pytest.mark.parametrize("name", CONDITIONS)
    def test_samples_and_exports(self, runs, name, command):
        run = runs[0] / name
        made = autogan.load_generator(run)
        assert made.classes == NAMES
        for asked in ({"mix": {"odd": 1, "large": 0.5}}, {"classes": "large"}, {}):
            assert np.array_equal(made(6, **asked), autogan.sample(run, count=6, **asked))
        for words, width in ((), 2), (("--mix", "odd=1,large=0.5"), 8), (("--classes", "odd"), 1):
            assert command("sample", run, "-o", "a.png", "--overwrite", *words)[0] == 0
            with Image.open("a.png") as picture:
                assert picture.size[0] == width * 58 + 2
        for kind, file in ("savedmodel", "generator"), ("onnx", "generator.onnx"):
            if kind == "onnx":
                pytest.importorskip("tf2onnx")
            autogan.export(run, format=kind, output=kind)
            assert Path(kind, file).exists()
            program = Path(kind, "use.py").read_text()
            assert 'inputs["attributes"] = rng.integers(0, 2, [16, 2])' in program
            card = Path(kind, "README.md").read_text()
            assert "`attributes` holds a row per image, numbers from 0 to 1: 0 odd" in card

    def test_single_images_come_with_a_file_of_labels(self, runs):
        run = runs[0] / "input"
        autogan.write_samples(run, Path("made"), count=10)
        labels = autogan.load_generator(run).latents(10).labels
        again = loaded(
            dataset_named("folder:made", None), None, Reading(labels=Path("made/attributes.csv"))
        )
        assert again.names == NAMES
        assert np.array_equal(again.train.labels, labels)
        autogan.write_samples(run, Path("mixed"), count=2, mix={"odd": 0.5})
        assert sorted(path.name for path in Path("mixed").iterdir()) == ["000000.png", "000001.png"]

    def test_the_page_sets_them_as_its_sliders_say(self, runs, tmp_path):
        root, engine = runs
        run = TrainConfig(**config(tmp_path, run_dir=root / "input", params=CONDITIONS["input"]))
        player = Player(run.resolved().as_dict(), root / "input", "best", engine, tmp_path)
        text = page(player, "digits").decode()
        assert "<legend>Attributes</legend>" in text
        assert "<span>odd</span>" in text
        made = autogan.load_generator(root / "input")
        for fields, mix in ({}, {}), ({"class1": "0.5"}, {"large": 0.5}):
            picture = player.picture({"count": "4", **fields})
            Path("shown.png").write_bytes(picture)
            with Image.open("shown.png") as shown:
                expected = autogan.data.grids.grid(made(4, mix=mix))[..., 0]
                assert np.array_equal(np.asarray(shown), expected)

    def test_evaluation_goes_without_classes(self, runs):
        scores = autogan.evaluate(runs[0] / "auxiliary", criterion="fid,ms_ssim")
        assert all(np.isfinite(value) for value in scores.values())
        with pytest.raises(ConfigError, match="label_accuracy needs images of known classes"):
            autogan.evaluate(runs[0] / "auxiliary", criterion="label_accuracy")

    def test_a_second_stage_wants_the_same_attributes(self, digits, runs):
        root, engine = runs
        values = config(digits, image_size=16, stage1=root / "input", run_dir="second")
        del values["params"]["z_dim"]
        autogan.train(values, engine=engine)
        assert autogan.load_generator("second").classes == NAMES
        other = Path("other.csv")
        other.write_text((digits / "digits.csv").read_text().replace("odd,large", "large,odd"))
        values |= {"labels": other, "run_dir": "third"}
        with pytest.raises(ConfigError) as error:
            autogan.train(values, engine=engine)
        assert str(error.value) == (
            f"stage1: {root / 'input'} makes images with the attributes odd, large, but "
            f"folder:{digits}/images has large, odd; train both stages on the same images"
        )


def test_a_search_records_them(digits, tmp_path):
    params = {"condition": "input", "learning_rate": [1e-3, 2e-3]}
    values = config(digits, params=params, trials=2, search_method="grid", run_dir="search")
    autogan.run_search(values, engine=SessionEngine())
    header = Ledger(Path("search/trials.jsonl")).header
    assert header["data"]["attributes"].keys() == set(NAMES)
    assert header["data"]["classes"] == {}
    assert autogan.check("search")


class Alone(GANType):
    """A type of a user's that knows no attributes."""

    name, summary, fixed = "alone", "", {"condition": "input"}
    hyperparameters = GAN_TYPES.get("cgan").hyperparameters

    @classmethod
    def build(cls, image_shape, hyperparameters, class_counts=()):
        raise AssertionError


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"criterion": "label_accuracy"}, "criterion: label_accuracy needs images of known "),
        ({"also": "class_fid"}, "criterion: class_fid needs images of known classes, but .* has "
                                "attributes; choose another criterion, such as fid"),
        ({"features": "classifier"}, "features: classifier needs classes, but .* has "
                                     "attributes; use --features inception"),
        ({"gan_type": "igan_v2", "params": {"condition": "branches"}},
         "condition: branches needs classes, but .* has attributes; choose input"),
        ({"gan_type": "alone", "params": {}},
         "gan_type: alone learns classes, but .* has attributes; choose another"),
    ],
)  # fmt: skip
def test_what_wants_classes_is_refused(digits, changes, expected, monkeypatch):
    monkeypatch.setattr(GAN_TYPES, "_parts", {**GAN_TYPES._parts, "alone": Alone})
    values = {**config(digits), "params": {"condition": "input"}, **changes}
    run = TrainConfig(**values).resolved()
    with pytest.raises(ConfigError, match=f"^{expected}"):
        SessionEngine().session.open(Open(config=run.as_dict()))


def test_a_training_without_a_condition_leaves_them_alone(digits):
    run = TrainConfig(**config(digits)).resolved()
    opened = SessionEngine().session.open(Open(config=run.as_dict()))
    assert opened.attributes.keys() == set(NAMES)
