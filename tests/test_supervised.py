"""GAN types and criteria that need labels: what they make, and what they refuse."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from labels import plain
from PIL import Image
from sessions import SessionEngine
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import autogan
from autogan.cli.main import main
from autogan.core.errors import ConfigError
from autogan.data.grids import grid
from autogan.models import GAN_TYPES
from autogan.pool.finished import Evaluate, Sample, Sampled

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
SUPERVISED = [
    kind.name for kind in GAN_TYPES if kind.factor("condition", kind.defaults()) != "none"
]


def train(**changes):
    return autogan.train({**CONFIG, **changes}, engine=SessionEngine())


@pytest.fixture
def unlabelled(tmp_path):
    for i in range(9):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(tmp_path / f"{i}.png")
    return f"folder:{tmp_path}"


def test_classes_are_sampled_a_column_each(tmp_path, capsys, monkeypatch):
    engine = SessionEngine()
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: engine)
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
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: engine)
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
    assert made.shape == (14 + 12 * 58 + 2, 176)  # 36 images in twelve rows
    assert (made[:14] == picture[:14, :, 0]).all()


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
    with pytest.raises(ConfigError, match=f"dataset: folder:.* has no labels .*, but {gan_type} "):
        train(gan_type=gan_type, dataset=unlabelled, also=[], features="inception")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("criterion", ["label_accuracy", "label_accuracy - 0.01*fid"])
def test_label_accuracy_wants_images_of_given_classes(criterion, tmp_path):
    with pytest.raises(
        ConfigError, match="needs images of known classes, but dcgan takes no classes"
    ):
        train(gan_type="dcgan", criterion=criterion)
    assert not (tmp_path / "runs").exists()


def save(path, *, logits=True, size=None):
    """A feature network of mean colours, with six classes or none."""
    import tensorflow as tf

    module = tf.Module()

    def call(images):
        pool = tf.reduce_mean(images, axis=[1, 2])
        return {"logits": tf.tile(pool, [1, 2]), "pool_3": pool} if logits else {"pool_3": pool}

    spec = tf.TensorSpec([None, size, size, 3], tf.float32)
    module.__call__ = tf.function(call, input_signature=[spec])
    tf.saved_model.save(module, str(path))


@pytest.mark.parametrize("criterion", ["is", "js_is", "label_accuracy", "js_is - 0.1*fid"])
def test_criteria_of_classes_want_logits(criterion, tmp_path):
    save(tmp_path / "net", logits=False)
    name = criterion.split()[0]
    with pytest.raises(ConfigError, match=f"criterion: {name} needs logits, but .*net has none"):
        train(features=str(tmp_path / "net"), criterion=criterion, also=[])
    session = SessionEngine().session
    config = {"dataset": "digits", "features": str(tmp_path / "net"), "criterion": criterion}
    with pytest.raises(ConfigError, match=f"criterion: {name} needs logits"):
        session.evaluate(Evaluate(config=config, dataset="digits"))
    assert not (tmp_path / "runs").exists()


def test_features_without_logits_are_enough_for_a_weighted_sum(tmp_path):
    """And both sides' similarity of pairs, within classes, is recorded and shown."""
    save(tmp_path / "net", logits=False)
    features = {"features": str(tmp_path / "net"), "criterion": "fid - 0.1*recall"}
    result = train(**features, also=["ms_ssim", "kid"])
    evaluation = result.trial.evaluations[-1]
    scores = plain(evaluation.scores)
    assert list(scores) == ["fid_net_50", "recall_net_50", "ms_ssim_net_50", "kid_net_50"]
    assert plain(result.objective) == "fid_net_50-0.1*recall_net_50"
    if evaluation.value is not None:
        expected = scores["fid_net_50"] - 0.1 * scores["recall_net_50"]
        assert evaluation.value == pytest.approx(expected)
    figures = evaluation.variety
    distance = abs(figures["ms_ssim"] - figures["real_ms_ssim"])
    assert scores["ms_ssim_net_50"] == pytest.approx(distance)
    assert 0.1 < figures["real_ms_ssim"] < 0.9
    line = json.loads(result.folder.scores.read_text().splitlines()[-1])
    assert line["variety"]["real_ms_ssim"] == figures["real_ms_ssim"]
    events = EventAccumulator(str(result.folder.logs))
    events.Reload()
    assert {"variety/ms_ssim", "variety/real_ms_ssim"} <= set(events.Tags()["tensors"])


def test_evaluate_tells_both_sides_similarity(tmp_path):
    """Of real digits against themselves it is one number; of other sizes it is refused."""
    save(tmp_path / "net", size=16)
    session = SessionEngine().session
    told = []
    session._driver.note = told.append
    config = {"dataset": "digits", "features": str(tmp_path / "net"), "criterion": "ms_ssim"}
    scores = session.evaluate(Evaluate(config=config, dataset="digits")).scores
    assert plain(scores) == {"ms_ssim_net_1437": 0}
    note = told[-1]
    words = note.replace(",", "").split()
    assert words[0::2][:2] == ["ms_ssim", "real_ms_ssim"]
    assert words[1] == words[3]
    assert note.endswith("(against the train split)")
    folder = tmp_path / "other"
    folder.mkdir()
    for i in range(3):
        Image.fromarray(np.zeros((20, 20), np.uint8)).save(folder / f"{i}.png")
    with pytest.raises(ConfigError, match="others are grey 20x20, but ms_ssim takes only one kind"):
        session.evaluate(Evaluate(config=config, dataset=f"folder:{folder}"))


def test_few_images_are_too_few_to_extrapolate_from(tmp_path):
    too_few = "criterion: fid_inf needs at least 1000 generated images, but there are 50 against 50"
    save(tmp_path / "net")
    features = {"features": str(tmp_path / "net"), "also": ["fid_inf"]}
    with pytest.raises(ConfigError, match=too_few):
        train(gan_type="dcgan", **features)
    assert not (tmp_path / "runs").exists()
    session = SessionEngine().session
    config = {"dataset": "digits", "features": str(tmp_path / "net"), "criterion": "fid_inf"}
    with pytest.raises(ConfigError, match=too_few):
        session.evaluate(Evaluate(config={**config, "eval_samples": 50}, dataset="digits"))
    scores = session.evaluate(Evaluate(config=config, dataset="digits")).scores
    assert plain(scores) == {"fid_inf_net_1437": pytest.approx(0, abs=0.01)}


def test_label_accuracy_wants_features_that_tell_the_classes(tmp_path):
    save(tmp_path / "net")
    with pytest.raises(
        ConfigError, match="net has logits of 6 classes, digits has 10 classes; use --features"
    ):
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
    with pytest.raises(ConfigError, match="the images have no classes; put each class into"):
        evaluate(tmp_path / "real" / "3")
    (tmp_path / "few").mkdir()
    for label in "37":
        (tmp_path / "real" / label).rename(tmp_path / "few" / label)
    with pytest.raises(ConfigError, match="the images have 2 classes, digits has 10"):
        evaluate(tmp_path / "few")


def test_unsupervised_types_have_no_classes_to_sample():
    train(gan_type="dcgan", also=[])
    run = yaml.safe_load(Path("runs/a/config.yaml").read_text())
    with pytest.raises(ConfigError, match="classes: 0: this GAN takes no classes"):
        SessionEngine().session.sample(
            Sample(config=run, folder="runs/a", checkpoint="best", count=1, seed=0,
                   output="x.npz", classes=[0])
        )  # fmt: skip
