"""A generator in memory: latents, classes, mixtures, arcs; and what `autogan sample` writes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats
from sessions import SessionEngine

import autogan
from autogan.core.errors import ConfigError
from autogan.making import class_folders
from autogan.models import GAN_TYPES
from autogan.worker.generator import Generator

TINY = {"width": 2, "dense_width": 4, "batch_size": 4, "z_dim": 30}
NAMES = ("cat", "dog", "eel")


def generator(name="cgan", counts=(4, 4, 4), names=NAMES, **changes):
    kind = GAN_TYPES.get(name)
    settings = {n: {**kind.defaults(), **TINY, **changes}[n] for n in kind.defaults()}
    trainer = kind.build((8, 8, 1), settings, counts)
    trainer.reset(1)
    return Generator(trainer, names)


@pytest.fixture(scope="module")
def cats():
    return generator()


def refused(match, make, *given, **named):
    with pytest.raises(ConfigError, match=match):
        make(*given, **named)


class TestLatents:
    def test_classes_go_round_or_are_as_in_the_training_set(self, cats):
        assert cats.latents(5, classes="dog,eel").labels.tolist() == [1, 2, 1, 2, 1]
        assert cats.latents(classes=["eel"]).labels.tolist() == [2] * 8
        assert np.bincount(cats.latents(6).labels).tolist() == [2, 2, 2]
        assert len(cats.latents().z) == 64

    def test_truncated_numbers_are_truncated_normal(self, cats):
        free = cats.latents(400, seed=3).z.numpy()
        z = cats.latents(400, seed=3, truncation=0.7).z.numpy()
        assert np.abs(z).max() <= 0.7
        assert stats.kstest(z.ravel(), stats.truncnorm(-0.7, 0.7).cdf).pvalue > 0.01
        assert (np.argsort(free, axis=None) == np.argsort(z, axis=None)).mean() > 0.99
        wide = cats.latents(400, seed=3, truncation=8).z.numpy()
        np.testing.assert_allclose(wide, free, atol=1e-5)

    def test_interpolations_are_arcs_between_two_vectors(self, cats):
        z = cats.latents(3, seed=5, interpolate=7).z.numpy().reshape(3, 7, -1).astype(float)
        ends = cats.latents(6, seed=5).z.numpy()
        np.testing.assert_allclose(z[:, 0], ends[:3], atol=1e-6)
        np.testing.assert_allclose(z[:, -1], ends[3:], atol=1e-6)
        for arc in z:
            a, b = (v / np.linalg.norm(v) for v in (arc[0], arc[-1]))
            whole = np.arccos(a @ b)
            # Equal weights of equal angles: Shoemake's formula, written out for the middle.
            middle = (arc[0] + arc[-1]) * np.sin(whole / 2) / np.sin(whole)
            np.testing.assert_allclose(arc[3], middle, atol=1e-6)
        assert (
            cats.latents(2, interpolate=3, classes="dog,eel").labels.tolist() == [1] * 3 + [2] * 3
        )

    def test_one_direction_is_a_straight_line(self):
        from autogan.worker.generator import _arcs

        a = np.ones((1, 4), np.float32)
        assert _arcs(a, 3 * a, 3)[:, 0].tolist() == [1, 2, 3]

    def test_what_cannot_be(self, cats):
        plain = generator("dcgan", (), ())
        refused(r"^classes: 'cow': the classes are 0 to 2, named cat, dog, eel$",
                cats.latents, classes="cow")  # fmt: skip
        refused(r"^mix: 'cow': the classes", cats.latents, mix={"cow": 1})
        refused(
            r"^mix: cat=1 cannot be used with classes", cats.latents, classes="cat", mix={"cat": 1}
        )
        refused(r"^mix: cat=-1; give weights", cats.latents, mix={"cat": -1})
        refused(r"^mix: cat=0; give weights", cats.latents, mix={"cat": 0})
        refused(r"^mix: cat=nan; give weights", cats.latents, mix={"cat": np.nan})
        refused(r"^mix: cat=1: this GAN takes no classes", plain.latents, mix={"cat": 1})
        refused(r"^classes: cat: this GAN takes", plain.latents, classes="cat")
        refused(r"^truncation: 0; give a number above 0", cats.latents, truncation=0)
        refused(r"^interpolate: 1 images; give 2 or more", cats.latents, interpolate=1)
        refused(r"^count: 100000000; give 1 to 35791394 at a time", cats.latents, 10**8)
        refused(r"^z: 3x4; give rows of 30 numbers", cats, z=np.zeros((3, 4)))
        refused(r"^count: 3 cannot be used with z; give one of them", cats, 3, z=np.zeros((3, 30)))
        cats.trainer.mixes, before = False, cats.trainer.mixes
        refused(r"^mix: cat=1: this GAN type cannot mix classes", cats.latents, mix={"cat": 1})
        cats.trainer.mixes = before


class TestMixtures:
    @pytest.mark.parametrize(
        "changes",
        [{}, {"generator_norm": "conditional"}, {"name": "igan_v2", "condition": "branches"}],
        ids=["input", "conditional", "branches"],
    )
    def test_a_mixture_of_one_class_is_that_class(self, changes):
        made = generator(**changes)
        mixed = made(5, mix={"dog": 2.0})
        assert np.array_equal(mixed, made(5, classes="dog"))

    def test_branches_mix_their_images(self):
        made = generator("igan_v2", condition="branches")
        z = made.latents(4).z
        labels = np.tile(np.array([0.25, 0.75, 0], np.float32), (4, 1))
        each = [made.trainer.images(z, tf.fill([4], np.int64(k))).numpy() for k in (0, 1)]
        got = made.trainer.images(z, tf.constant(labels)).numpy()
        assert np.abs(each[0] - each[1]).max() > 0
        np.testing.assert_allclose(got, 0.25 * each[0] + 0.75 * each[1], atol=1e-6)

    def test_weights_are_scaled_to_a_sum_of_one(self, cats):
        labels = cats.latents(2, mix={"cat": 1, "eel": 3}).labels
        assert labels.dtype == np.float32
        assert labels.tolist() == [[0.25, 0, 0.75]] * 2


class TestFolders:
    def test_own_names_where_they_sort_as_the_classes(self):
        assert class_folders(["cat", "dog"]) == ["cat", "dog"]
        assert class_folders([str(n) for n in range(11)]) == [str(n) for n in range(11)]

    def test_numbers_before_names_that_do_not(self):
        assert class_folders(["T-shirt/top", "Pullover"]) == ["0 T-shirt_top", "1 Pullover"]
        names = [f"n{n}" for n in range(11)]
        assert class_folders(names) == sorted(class_folders(names))
        assert class_folders(["..", "a/../b"]) == ["0 _", "1 a_.._b"]
        assert class_folders(["a", "a."]) == ["0 a", "1 a"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs") / "cats"
    engine = SessionEngine()
    params = {"width": 8, "dense_width": 16, "batch_size": 8}
    autogan.train(
        {"dataset": "digits", "gan_type": "cgan", "criterion": "ms_ssim", "eval_samples": 50,
         "steps": 4, "evaluate_every": 2, "params": params, "run_dir": root}, engine=engine,
    )  # fmt: skip
    return root


@pytest.mark.usefixtures("in_process")
class TestRun:
    def test_the_images_in_memory_are_those_of_sample(self, run):
        made = autogan.load_generator(run)
        assert repr(made) == "<generator: 62 numbers to 8x8x1, 10 classes>"
        for asked in (
            {"count": 5, "seed": 7}, {"classes": "3,5"}, {"count": 2, "interpolate": 3},
            {"count": 3, "mix": {"1": 0.5, "7": 0.5}, "truncation": 0.5},
        ):  # fmt: skip
            there = autogan.sample(run, **asked)
            assert np.array_equal(made(asked.pop("count", None), **asked), there)
        z = made.latents(3, seed=1).z.numpy()
        assert np.array_equal(made(z=z, classes="4"), made(3, seed=1, classes="4"))
        refused("^folder: nowhere holds no search or training", autogan.load_generator, "nowhere")

    def test_grids(self, run, command):
        sizes = {}
        for name, words in {
            "all": (), "two": ("--classes", "1,2", "--count", "6"),
            "arcs": ("--interpolate", "5", "--count", "3"), "mixed": ("--mix", "1=0.2,2=0.8"),
        }.items():  # fmt: skip
            assert command("sample", run, "-o", f"{name}.png", *words)[0] == 0
            with Image.open(f"{name}.png") as picture:
                sizes[name] = picture.size
        cell, gap, head = 56 + 2, 2, 14
        assert sizes == {
            "all": (10 * cell + gap, 8 * cell + gap + head),
            "two": (2 * cell + gap, 3 * cell + gap + head),
            "arcs": (5 * cell + gap, 3 * cell + gap),
            "mixed": (8 * cell + gap, 8 * cell + gap),
        }

    def test_single_images_lie_by_class_and_can_be_scored(self, run, command, tmp_path):
        assert command("sample", run, "-o", "made", "--count", "20", "--seed", "2")[0] == 0
        images = autogan.sample(run, count=20, seed=2)
        labels = autogan.load_generator(run).latents(20, seed=2).labels
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            with Image.open(f"made/{label}/{number:06d}.png") as picture:
                assert np.array_equal(np.asarray(picture)[..., None], image)
        assert len(list((tmp_path / "made").rglob("*.png"))) == 20
        autogan.write_samples(run, Path("plain"))
        assert len(list((tmp_path / "plain").rglob("*.png"))) == 64
        code, out, _ = command("sample", run, "-o", "mixed", "--count", "3", "--mix", "1=1,2=1")
        assert (code, out) == (0, "mixed\n")
        assert len(list((tmp_path / "mixed").glob("*.png"))) == 3

    def test_an_animation_of_the_training(self, run, command):
        shutil.copytree(run, "copy")
        Path("copy/samples/step-mine.png").write_text("of the user's own")
        assert command("sample", "copy", "-o", "training.gif")[:2] == (0, "training.gif\n")
        with (
            Image.open("training.gif") as moving,
            Image.open(run / "samples/step-000002.png") as one,
        ):
            assert moving.n_frames == 2
            assert moving.size == one.size
            assert np.array_equal(np.asarray(moving.convert("L")), np.asarray(one.convert("L")))
        code, _, err = command("sample", run, "-o", "training.gif")
        assert (code, err) == (2, "autogan: output: training.gif exists; give another name, or "
                                  "--overwrite\n")  # fmt: skip
        code, _, err = command("sample", run, "-o", "other.gif", "--mix", "1=1")
        assert code == 2
        assert "other.gif shows the training's pictures; leave out --mix" in err

    @pytest.mark.parametrize("given", ["1", "1=x", "=1", "1=1,1=2"])
    def test_odd_weights(self, run, command, given):
        code, _, err = command("sample", run, "-o", "x.png", "--mix", given)
        assert (code, err.count("\n")) == (2, 1)
        assert err.startswith("autogan: mix: ")
        assert "write NAME=WEIGHT" in err
