"""Generators for other programs: the same images, a card, and a program that uses them."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from sessions import SessionEngine

import autogan
from autogan.core.errors import ConfigError
from autogan.models import GAN_TYPES
from autogan.models.formats import FORMATS, Exported, SavedModel
from autogan.models.formats.base import Format

NEEDED = {"onnx": "tf2onnx", "tflite": "ai_edge_litert"}
TINY = {"width": 4, "dense_width": 8, "z_dim": 8, "batch_size": 4}
GENERATORS = {
    "infogan": ("gan", {}, 8), "classes": ("cgan", {}, 8), "attributes": ("cgan", {}, 8),
    "began": ("began", {}, 32),
    "strided": ("gan", {"architecture": "strided"}, 16),
    "sndcgan": ("gan", {"architecture": "sndcgan"}, 16),
    "resnet5": ("gan", {"architecture": "resnet5"}, 16),
    "attention": ("gan", {"architecture": "resnet", "attention": "self"}, 16),
    "r3gan": ("r3gan", {}, 16), "igan": ("igan", {}, 16),
    "branches": ("igan_v2", {"condition": "branches"}, 16),
    "conditional": ("gan", {"condition": "projection", "generator_norm": "conditional"}, 8),
    "dropout": ("gan", {"generator_dropout": 0.5}, 8), "evolutionary": ("evolutionary", {}, 8),
    "average": ("gan", {"ema": 0.9, "statistics": "measured"}, 8),
}  # fmt: skip
NOT_KERAS = {"attention", "r3gan", "igan", "branches", "conditional", "dropout"}


def needs(name):
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    return FORMATS.get(name)()


def built(name, stage1=None):
    kind, changes, size = GENERATORS[name]
    kind = GAN_TYPES.get(kind)
    settings = {n: {**kind.defaults(), **TINY, **changes}[n] for n in kind.defaults()}
    conditional = kind.factor("condition", settings) != "none"
    more = {} if stage1 is None else {"stage1": stage1}
    if name == "attributes":
        more["attributes"] = np.array([[0, 1], [1, 1]], np.uint8)
    elif conditional:
        more["class_counts"] = (3, 3)
    trainer = kind.build((size, size, 1), settings, **more)
    trainer.reset(1)
    return trainer


@pytest.mark.parametrize("name", GENERATORS)
def test_all_generators_can_be_exported_and_make_the_same_images(name, tmp_path):
    trainer = built(name)
    for kind in FORMATS:
        if kind.name in NEEDED:
            pytest.importorskip(NEEDED[kind.name])
        for floats in (False, True) if kind.precise or name == "classes" else (True,):
            made, path = Exported(trainer, floats), tmp_path / f"{floats}-{kind.file}"
            if kind.name == "keras" and name in NOT_KERAS:
                with pytest.raises(ConfigError, match="^format: keras: the generator"):
                    kind().write_checked(made, path)
                continue
            difference = kind().write_checked(made, path)
            # Rounding may lie between two levels of a pixel.
            assert difference <= (kind.tolerance and (1e-5 if floats else 1))
            latents = trainer.latents(5, 9)
            inputs = {"z": latents.z.numpy()}
            if len(latents.labels):
                inputs["attributes" if name == "attributes" else "classes"] = latents.labels
            again = kind().read(path, inputs)
            assert (again.shape, again.dtype) == (
                (5, *trainer.image_shape), np.float32 if floats else np.uint8,
            )  # fmt: skip
            if not floats and kind.precise:
                assert np.array_equal(again, trainer.generate(latents))


def test_a_first_stage_goes_with_the_second(tmp_path):
    kind = GAN_TYPES.get("dcgan")
    settings = {n: {**kind.defaults(), **TINY}[n] for n in kind.defaults()}
    trainer = kind.build((16, 16, 1), settings, (), stage1=built("infogan"))
    trainer.reset(2)
    assert SavedModel().write_checked(Exported(trainer), tmp_path / "both") == 0
    with pytest.raises(ConfigError, match="has a first stage or dropout"):
        FORMATS.get("keras")().write(Exported(trainer), tmp_path / "x.keras")


@pytest.mark.parametrize("wrong", ["values", "shape", "nan"])
def test_a_format_that_makes_other_images_is_refused(wrong, tmp_path):
    class Wrong(SavedModel):
        name = "wrong"

        def read(self, path, inputs):
            images = super().read(path, inputs)
            if wrong == "shape":
                return images[:, 1:]
            images[0, 0, 0] += np.nan if wrong == "nan" else 1e-3
            return images

    with pytest.raises(ConfigError, match="^format: wrong changes this generator's images"):
        Wrong().write_checked(Exported(built("infogan"), floats=True), tmp_path / "x")


def test_what_is_missing_is_named():
    class Missing(SavedModel):
        modules = ("no_such_module",)
        requires = ("no-such-package>=2",)

    with pytest.raises(ConfigError, match="no_such_module, which cannot .*install 'no-such-packag"):
        Missing().check_installed()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    engine = SessionEngine()
    common = {
        "dataset": "digits", "gan_type": "cgan", "criterion": "fid", "eval_samples": 60,
        "features": "random", "steps": 4, "evaluate_every": 2,
    }  # fmt: skip
    params = {"width": 8, "dense_width": 16, "batch_size": 8}
    autogan.train({**common, "params": params, "run_dir": root / "one"}, engine=engine)
    many = {**params, "learning_rate": [1e-3, 2e-3]}
    autogan.run_search(
        {**common, "params": many, "trials": 2, "search_method": "grid", "run_dir": root / "many",
}, engine=engine,
    )  # fmt: skip
    return root


USERS = """import runpy, sys
import numpy as np
from PIL import Image
sys.modules["autogan"] = None  # cannot be imported
images = runpy.run_path("made/use.py")["images"]
assert images.shape == (16, 8, 8, 1) and images.dtype == np.uint8
assert np.array_equal(np.asarray(Image.open("images.png")), np.hstack(images)[:, :, 0])
"""


@pytest.mark.usefixtures("in_process")
class TestCommand:
    @pytest.mark.parametrize("name", ["savedmodel", "onnx", "keras", "tflite"])
    def test_the_program_works_without_autogan(self, runs, name, command, tmp_path):
        needs(name)
        code, out, _ = command("export", runs / "many", "--format", name, "-o", "made")
        assert (code, out) == (0, "made\n")
        names = {path.name for path in (tmp_path / "made").iterdir()}
        assert names == {
            "README.md",
            "use.py",
            "samples.png",
            "config.yaml",
            FORMATS.get(name).file,
        }
        assert not list(tmp_path.glob(".made*"))
        subprocess.run([sys.executable, "-c", USERS], check=True, capture_output=True)

    def test_the_card(self, runs, command, tmp_path):
        command("export", runs / "many", "-o", "made", "--licence", "CC0-1.0")
        card = (tmp_path / "made/README.md").read_text()
        assert card.startswith("---\nlicense: CC0-1.0\n")
        result = autogan.load(runs / "many")
        for text in (
            "# cgan trained on digits", "The best of 2 trials of a search by grid",
            f"| learning_rate | {result.best.params['learning_rate']} |", "| width | 8 |",
            " 60 unseen real |", "is random, not Inception", "trained under one seed",
            f"seed {result.best.seed}.", (tmp_path / "made/use.py").read_text(), "0 to 9.",
        ):  # fmt: skip
            assert text in card
        assert str(tmp_path) not in card
        values = yaml.safe_load((tmp_path / "made/config.yaml").read_text())
        assert values["dataset"] == "digits"
        assert "run_dir" not in values

    def test_a_training_and_a_trial_that_is_not_the_best(self, runs, command, tmp_path):
        result = autogan.load(runs / "many")
        other = next(t for t in result.trials if t.number != result.best.number)
        for number, folder in enumerate((runs / "one", result.folders[other.number].root)):
            assert (
                autogan.export(folder, output=f"made{number}", floats=True).name == f"made{number}"
            )
            card = (tmp_path / f"made{number}/README.md").read_text()
            assert "license: other" in card
            assert "One training: cgan on digits, seed" in card
            assert "float32, about -1 to 1" in card

    def test_bad_input_leaves_nothing_behind(self, runs, command, tmp_path):
        (tmp_path / "taken").mkdir()
        (tmp_path / "taken/file").write_text("mine")
        for words, line in (
            (("nowhere",), "folder: nowhere holds no search or training; train one first"),
            ((runs / "one", "--format", "onxx"), "format: 'onxx' is not known; did you mean "
             "'onnx'? known: keras, onnx, savedmodel, tflite"),
            ((runs / "one", "-o", "taken"), "output: taken exists; give a new folder"),
            ((runs / "one", "-o", "taken/file"), "output: taken/file exists; give a new folder"),
        ):  # fmt: skip
            code, out, err = command("export", *words)
            assert (code, out, err) == (2, "", f"autogan: {line}\n")
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "taken"]

    def test_a_refusal_leaves_nothing_behind(self, runs, tmp_path, monkeypatch):
        def refuse(self, made, path):
            path.write_bytes(b"half")
            raise ConfigError("format", "no")

        monkeypatch.setattr(SavedModel, "write", refuse)
        with pytest.raises(ConfigError, match="^format: no$"):
            autogan.export(runs / "one", output="made")
        assert not list(tmp_path.iterdir())

    def test_no_place_of_this_machine_is_passed_on(self, runs, tmp_path):
        root = tmp_path / "moved"
        shutil.copytree(runs / "one", root)
        text = (root / "config.yaml").read_text().replace("dataset: digits", "dataset: folder:/a/b")
        (root / "config.yaml").write_text(text + "data_dir: /a/data\n")
        made = autogan.export(root, output="made")
        assert "/a/" not in "".join((made / n).read_text() for n in ("README.md", "config.yaml"))
        assert yaml.safe_load((made / "config.yaml").read_text())["dataset"] == "folder:b"


def test_formats_say_what_they_are():
    for kind in FORMATS:
        assert issubclass(kind, Format)
        assert kind.summary
        compile(f"{kind.imports}\n{kind.use}", kind.name, "exec")
