"""GAN types and criteria that need labels: what they make, and what they refuse."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from labels import plain
from PIL import Image
from sessions import SessionEngine

import autogan
from autogan.cli import main
from autogan.core.errors import ConfigError
from autogan.core.files import read_arrays, write_arrays
from autogan.data.grids import grid
from autogan.models import GAN_TYPES
from autogan.run.messages import Evaluate, Sample, Sampled

CONFIG = {
    "gan_type": "acgan",
    "dataset": "digits",
    "params": {"width": 4, "dense_width": 8, "batch_size": 8, "z_dim": 4},
    "steps": 6,
    "evaluate_every": 3,
    "eval_samples": 50,
    "also": ["label_accuracy"],
    "run_dir": "runs/a",
}
SUPERVISED = [kind.name for kind in GAN_TYPES if kind.condition != "none"]


def train(**changes):
    return autogan.train({**CONFIG, **changes}, engine=SessionEngine())


@pytest.fixture
def unlabelled(tmp_path):
    for i in range(9):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(tmp_path / f"{i}.png")
    return f"folder:{tmp_path}"


def test_classes_are_sampled_a_column_each(tmp_path, capsys, monkeypatch):
    engine = SessionEngine()
    monkeypatch.setattr("autogan.commands.LocalEngine", lambda: engine)
    result = autogan.train(CONFIG)
    labels = {"fid_classifier_50", "label_accuracy_classifier_50"}
    assert set(plain(result.trial.evaluations[0].scores)) == labels
    with Image.open(result.folder.sample(6)) as picture:
        # Ten columns of 56 pixels with gaps of 2; captions and six rows, none of them ragged.
        assert picture.size == (582, 14 + 350)
        assert np.asarray(picture)[-58:-2, -58:-2].min() < 250
    with pytest.raises(SystemExit) as exit_:
        main(["sample", "runs/a", "--classes", "0,3,7", "--output", "grid.png"])
    assert exit_.value.code == 0
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.size == (176, 14 + 466)  # three columns, captions and eight rows
    for given, problem in (("0,10", "'10': the classes are 0 to 9"), ("a,3", "'a': the classes")):
        with pytest.raises(SystemExit) as exit_:
            main(["sample", "runs/a", "--classes", given])
        assert exit_.value.code == 2
        error = capsys.readouterr().err
        assert error.startswith("autogan: classes: ")
        assert problem in error
    assert not (tmp_path / "samples-a.png").exists()


@pytest.fixture(scope="module")
def trained_on_pets(tmp_path_factory):
    """A generator of cats, dogs and threes, whose images are gone, and the session that made it."""
    root = tmp_path_factory.mktemp("pets")
    rng = np.random.default_rng(0)
    for name in ("cat", "dog", "3"):
        (root / "pets" / name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "pets" / name / f"{i}.png")
    params = {**CONFIG["params"], "learning_rate": 0.05}  # six usual steps leave all grey
    where = {"dataset": f"folder:{root / 'pets'}", "run_dir": root / "a"}
    engine = SessionEngine()
    result = autogan.train(
        {**CONFIG, **where, "features": "classifier", "params": params}, engine=engine
    )
    shutil.rmtree(root / "pets")
    return result.folder, engine


@pytest.fixture
def pets(trained_on_pets, monkeypatch):
    folder, engine = trained_on_pets
    monkeypatch.setattr("autogan.commands.LocalEngine", lambda: engine)
    return folder


def test_classes_are_called_by_name_without_the_dataset(pets):
    def sample(classes):
        return autogan.sample(pets.root, classes=classes)

    named = sample("dog, cat")
    assert named.shape == (16, 8, 8, 1)
    # Numeric names stand first: 3 is number 0. A name goes before a number.
    assert (named == sample([2, 1])).all()
    assert (named != sample([1, 2])).any()
    assert (sample(["3"]) == sample([0])).all()
    with pytest.raises(ConfigError, match="classes: 'dgo': the classes are 0 to 2, named 3, cat, "):
        sample("dgo")
    with pytest.raises(ConfigError, match="classes: 3: the classes are 0 to 2"):
        sample([3])
    with pytest.raises(ConfigError, match="classes: '': the classes"):
        sample(",")


def test_a_grid_has_a_column_for_each_class_under_its_name(pets):
    images = autogan.sample(pets.root, classes=[0, 1, 2], count=9)
    picture = autogan.sample(pets.root, grid=True, count=9)
    assert (picture == grid(images, 3, ["3", "cat", "dog"])).all()
    mixed = autogan.sample(pets.root, count=9)  # a third of each, in order
    assert (mixed != images).any()
    with Image.open(pets.sample(6)) as shown:
        made = np.asarray(shown)
    assert made.shape == (14 + 21 * 58 + 2, 176)  # 63 images of 64
    assert (made[:14] == picture[:14, :, 0]).all()


def test_generators_of_earlier_versions_know_numbers_alone(pets, tmp_path):
    before = autogan.sample(pets.root, classes="dog")
    shutil.copytree(pets.root, tmp_path / "old")
    file = tmp_path / "old/checkpoints/best.npz"
    arrays = read_arrays(file)
    assert arrays.pop("class_names").tolist() == ["3", "cat", "dog"]
    write_arrays(file, arrays)
    assert (autogan.sample("old", classes="2") == before).all()
    with pytest.raises(ConfigError, match="classes: 'dog': the classes are 0 to 2, named 0, 1, 2"):
        autogan.sample("old", classes="dog")


def test_a_sample_of_one_class_is_the_same_generators(tmp_path):
    train(params={**CONFIG["params"], "learning_rate": 0.05})  # six usual steps leave all grey
    engine = SessionEngine()
    run = yaml.safe_load((tmp_path / "runs/a/config.yaml").read_text())
    arrays = {}
    for name, classes in (("all", list(range(10))), ("three", [3])):
        call = Sample(config=run, folder="runs/a", checkpoint="best", count=10, seed=0,
                      output=f"{name}.npz", classes=classes)  # fmt: skip
        engine.call(call, Sampled)
        with np.load(tmp_path / f"{name}.npz") as file:
            arrays[name] = file["images"]
    others = (arrays["all"] != arrays["three"]).any(axis=(1, 2, 3))
    assert np.flatnonzero(~others).tolist() == [3]  # the same z and class


@pytest.mark.parametrize("gan_type", SUPERVISED)
def test_unlabelled_images_are_refused_before_anything_starts(gan_type, unlabelled, tmp_path):
    with pytest.raises(ConfigError, match=f"dataset: folder:.* has no labels, and {gan_type} "):
        train(gan_type=gan_type, dataset=unlabelled, also=[], features="inception")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("criterion", ["label_accuracy", "label_accuracy - 0.01*fid"])
def test_label_accuracy_wants_images_of_given_classes(criterion, tmp_path):
    with pytest.raises(ConfigError, match="needs images of known classes, and dcgan makes images"):
        train(gan_type="dcgan", criterion=criterion)
    assert not (tmp_path / "runs").exists()


def test_label_accuracy_wants_features_that_tell_the_classes(tmp_path):
    import tensorflow as tf

    module = tf.Module()

    def call(images):
        pool = tf.reduce_mean(images, axis=[1, 2])
        return {"logits": tf.tile(pool, [1, 2]), "pool_3": pool}

    spec = tf.TensorSpec([None, None, None, 3], tf.float32)
    module.__call__ = tf.function(call, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / "net"))
    with pytest.raises(ConfigError, match="net tells 6 classes and digits has 10; use --features"):
        train(features=str(tmp_path / "net"))
    assert not (tmp_path / "runs").exists()


def test_a_folders_own_labels_are_judged(tmp_path, capsys):
    """Of real digits in class folders the classifier tells nearly all."""
    digits = autogan.data.dataset_named("digits", None).load(None).test
    for i, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        folder = tmp_path / "real" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze()).save(folder / f"{i}.png")
    session = SessionEngine().session
    config = {"dataset": "digits", "features": "classifier", "criterion": "label_accuracy",
              "also": ["kid"], "threads": 2}  # fmt: skip

    def evaluate(folder):
        call = Evaluate(config=config, dataset=f"folder:{folder}")
        return plain(session.evaluate(call).scores)

    scores = evaluate(tmp_path / "real")
    assert scores["label_accuracy_classifier_360"] > 0.97
    assert abs(scores["kid_classifier_360"]) < 0.5
    with pytest.raises(ConfigError, match="the images have none; put each class into"):
        evaluate(tmp_path / "real" / "3")
    (tmp_path / "few").mkdir()
    for label in "37":
        (tmp_path / "real" / label).rename(tmp_path / "few" / label)
    with pytest.raises(ConfigError, match="the images show 2 classes, digits 10"):
        evaluate(tmp_path / "few")


def test_unsupervised_types_have_no_classes_to_sample():
    train(gan_type="dcgan", also=[])
    run = yaml.safe_load(Path("runs/a/config.yaml").read_text())
    with pytest.raises(ConfigError, match="classes: 0: dcgan makes images of no given class"):
        SessionEngine().session.sample(
            Sample(config=run, folder="runs/a", checkpoint="best", count=1, seed=0,
                   output="x.npz", classes=[0])
        )  # fmt: skip
