"""A second stage enlarges the images of a finished training, and keeps what it needs of it."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from sessions import SessionEngine, short_classifiers

import autogan
from autogan.config import TrainConfig, load_config
from autogan.core.errors import ConfigError
from autogan.models import GAN_TYPES
from autogan.models.training.batches import TrainingSet
from autogan.pool.finished import Sample, Sampled

TINY = {"width": 2, "dense_width": 4, "batch_size": 4, "z_dim": 3}
COUNTS = (5, 5)
SMALL = {
    "dataset": "digits", "eval_samples": 50, "steps": 30, "evaluate_every": 15,
    "params": {"width": 8, "dense_width": 16, "batch_size": 8, "learning_rate": 5e-3},
}  # fmt: skip
LARGE = {**SMALL, "image_size": 16}


def built(name="dcgan", size=8, stage1=None, counts=(), **changes):
    kind = GAN_TYPES.get(name)
    settings = {n: {**kind.defaults(), **TINY, **changes}[n] for n in kind.defaults()}
    gan = kind.build((size, size, 1), settings, counts, stage1)
    gan.settings = settings
    return gan


def trained(gan, size, steps=2):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, size, size, 1), np.uint8)
    gan.reset(1)
    gan.train(TrainingSet(images, np.arange(12) % 2), 1, 0, steps, 9, gan.settings)
    return gan


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.usefixtures("eagerly")
class TestNetworks:
    @pytest.mark.parametrize(("small", "large"), [(4, 8), (4, 16), (12, 24)])
    def test_twofold_and_fourfold(self, small, large):
        gan = built("gan", large, built(size=small), attention="self", generator_dropout=0.1)
        assert gan.z_dim == TINY["z_dim"]
        assert gan.generate(gan.latents(3, 0)).shape == (3, large, large, 1)

    def test_it_begins_with_the_small_images_enlarged(self):
        first = trained(built("cgan", counts=COUNTS), 8)
        gan = built("gan", 16, first, COUNTS, condition="input")
        gan.reset(3)
        z, labels = gan.latents(4, 0)
        enlarged = tf.image.resize(first.images(z, labels), [16, 16], "bilinear")
        np.testing.assert_allclose(gan.images(z, labels), enlarged, atol=1e-6)

    def test_images_go_through_both(self):
        first = trained(built(), 8)
        gan = trained(built(size=16, stage1=first), 16)
        z = gan.latents(5, 0)
        made, state = gan.generate(z), first.state()
        first.reset(7)
        assert not np.array_equal(gan.generate(z), made)
        first.restore(state)
        assert np.array_equal(gan.generate(z), made)

    def test_the_first_stage_is_not_trained(self):
        first = trained(built(), 8)
        before = first.state()
        gan = trained(built(size=16, stage1=first), 16)
        assert same(first.state(), before)
        assert gan.generator.count_params() * 4 == gan.generator_bytes
        assert same(gan.state(), trained(built(size=16, stage1=first), 16).state())

    @pytest.mark.parametrize("condition", ["none", "input", "projection"])
    def test_the_first_stage_is_told_the_classes(self, condition):
        first = trained(built("cgan", counts=COUNTS), 8)
        gan = trained(built("gan", 16, first, COUNTS, condition=condition), 16)
        assert gan.class_counts == COUNTS
        z, labels = gan.latents(4, 0, [0])
        assert not np.array_equal(gan.images(z, labels), gan.images(z, labels + 1))

    def test_the_graph_shows_both_stages(self):
        gan = built(size=16, stage1=built())
        tops = {node.name.partition("/")[0] for node in gan.graph.node}
        assert tops == {"z", "stage1", "generator", "discriminator"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Trainings at 8 pixels, one with classes, one beyond at 16, and what the features come to."""
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGAN_CACHE", str(root / "cache"))  # of weak classifiers
        short_classifiers(patch, 50)
        engine = SessionEngine()
        for name, kind in (("plain", "dcgan"), ("classes", "cgan")):
            autogan.train({**SMALL, "gan_type": kind, "run_dir": root / name}, engine=engine)
        enlarge(engine, root / "plain", root / "second")
        yield root, engine


def enlarge(engine, stage1, root, **changes):
    config = {**LARGE, "gan_type": "dcgan", "stage1": stage1, "run_dir": root, **changes}
    return autogan.train(config, engine=engine)


def sampled(engine, root, tmp_path):
    """As `autogan sample` asks for it."""
    run = load_config(TrainConfig, root / "config.yaml").resolved()
    call = Sample(
        config=run.as_dict(), folder=str(root), checkpoint="best", count=3, seed=0, classes=None,
        in_turn=False, output=str(tmp_path / "images.npz"),
    )  # fmt: skip
    engine.call(call, Sampled)
    with np.load(tmp_path / "images.npz") as arrays:
        return arrays["images"]


class TestRuns:
    def test_what_the_first_stage_is_made_of_is_kept(self, runs, tmp_path):
        root, engine = runs
        gone = tmp_path / "gone"
        shutil.copytree(root / "plain", gone)
        enlarge(engine, gone, tmp_path / "second")
        before = sampled(engine, tmp_path / "second", tmp_path)
        shutil.rmtree(gone)
        assert np.array_equal(sampled(SessionEngine(), tmp_path / "second", tmp_path), before)
        assert before.shape == (3, 16, 16, 1)

    def test_a_third_stage(self, runs, tmp_path):
        root, engine = runs
        second, third = tmp_path / "second", tmp_path / "third"
        shutil.copytree(root / "second", second)
        enlarge(engine, second, third, image_size=32)
        shutil.rmtree(second)
        assert sampled(SessionEngine(), third, tmp_path).shape == (3, 32, 32, 1)

    def test_a_search(self, runs, tmp_path):
        root, engine = runs
        search = {**LARGE, "gan_type": "dcgan", "stage1": root / "plain", "trials": 2,
                  "search_method": "random", "run_dir": tmp_path / "search"}  # fmt: skip
        result = autogan.run_search(search, engine=engine)
        assert len(result.trials) == 2
        assert (tmp_path / "search" / "stage1" / "config.yaml").is_file()
        assert sampled(engine, result.folder.best, tmp_path).shape == (3, 16, 16, 1)

    def test_a_first_stage_with_classes(self, runs, tmp_path):
        root, engine = runs
        result = enlarge(engine, root / "classes", tmp_path / "second", also=["label_accuracy"])
        assert any("label_accuracy" in label for label in result.trial.evaluations[0].scores)

    @pytest.mark.parametrize(
        ("stage1", "changes", "message"),
        [
            ("nothing", {}, "stage1: PATH holds no search or training; train one first"),
            (
                "plain",
                {"image_size": 24},
                "image_size: 24, but PATH makes images of 8 pixels; give 16 or 32",
            ),
            (
                "plain",
                {"gan_type": "cgan"},
                "condition: input, but PATH takes no classes; choose none, or a "
                "first stage that learned classes",
            ),
            (
                "plain",
                {"params": {"z_dim": 9}},
                "z_dim: 9 cannot be combined with stage1, which decides it; leave it out",
            ),
            (
                "plain",
                {"params": {"architecture": "strided", "depth": 5}},
                "depth: 5: images of 16 pixels are halved to one in 4 steps; give at most 4",
            ),
        ],
    )
    def test_what_cannot_be_is_refused_in_one_line(self, runs, tmp_path, stage1, changes, message):
        root, engine = runs
        with pytest.raises(ConfigError) as caught:
            enlarge(engine, root / stage1, tmp_path / "refused", **changes)
        assert str(caught.value) == message.replace("PATH", str(root / stage1))
        assert not (tmp_path / "refused").exists()

    def test_other_classes_are_refused(self, runs, tmp_path):
        root, engine = runs
        from PIL import Image

        for label in "ab":
            (tmp_path / "photos" / label).mkdir(parents=True)
            for n in range(30):
                picture = np.random.default_rng(n).integers(0, 256, (16, 16), np.uint8)
                Image.fromarray(picture).save(tmp_path / "photos" / label / f"{n}.png")
        config = {"dataset": f"folder:{tmp_path / 'photos'}", "features": "classifier"}
        with pytest.raises(ConfigError, match="makes images of 10 classes, but .* has 2"):
            enlarge(engine, root / "classes", tmp_path / "refused", **config)
