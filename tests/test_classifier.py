"""The classifier of the dataset itself: what it learns, what it keeps, what it tells of itself."""

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from sessions import SessionEngine, short_classifiers

import autogan
from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import read_arrays, write_arrays
from autogan.criteria import FID, InceptionScore
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.networks import classifier, classifier_models, classifier_training
from autogan.criteria.networks.classifier import ClassifierNetwork
from autogan.data import Digits
from autogan.pool.messages import Prepare, Prepared


def images_of(kind, count=40):
    """Noise of the kind that gets the small or the residual network; and labels."""
    shape = {"grey": (8, 8, 1), "colour": (24, 24, 3)}[kind]
    images = np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(np.uint8)
    return images, np.arange(count) % 4


SHORT = {"_STEPS_PER_CALL": 10, "_BATCH": 8, "_PATIENCE": 1e9}


def shorten(patch):
    """Trainings of a second."""
    for name, value in SHORT.items():
        patch.setattr(classifier_training, name, value)
    short_classifiers(patch, 20)


def own_threads():
    return tf.config.threading.get_intra_op_parallelism_threads()


@pytest.fixture
def short(monkeypatch):
    shorten(monkeypatch)


@pytest.fixture(scope="module")
def digits():
    return Digits("", None).load(None)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """As a session prepares it, whatever other tests left in the cache."""
    told = []
    run = TrainConfig(dataset="digits").resolved()
    engine = SessionEngine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        prepared = engine.call(Prepare(config=run.as_dict(), folder=""), Prepared, told.append)
        session = engine.session
        network, cache = session._bench.network(run), session._bench._cache()
        yield SimpleNamespace(
            engine=engine, prepared=prepared, told=told, network=network, cache=cache
        )


class TestOfDigits:
    def test_its_accuracy_is_the_share_of_test_images_told(self, trained, digits):
        logits = trained.network.features(digits.test.images).logits
        right = sum(
            int(row.argmax()) == k for row, k in zip(logits, digits.test.labels, strict=True)
        )
        assert right > 0.97 * 360
        assert trained.network.accuracy == trained.prepared.features["accuracy"] == right / 360
        assert trained.told[0] == "training a classifier on 1437 images; it is kept in the cache"
        told = f"the classifier's accuracy on unseen images is {right / 3.6:.1f} %"
        assert trained.told[-1] == told

    def test_a_plan_times_it_with_the_criteria(self, trained, monkeypatch):
        monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: trained.engine)
        monkeypatch.setattr("autogan.worker.timing._ENOUGH", 0.0)
        scored = []
        whole = Evaluator.score
        monkeypatch.setattr(Evaluator, "score", lambda self, made: scored.append(whole(self, made)))
        plan = autogan.plan(
            {
                "also": ["fid_inf", "precision", "ms_ssim"],
                "params": {"width": 4, "dense_width": 8, "z_dim": 2, "batch_size": 4},
                "trials": 1,
            },
            estimate=True,
        )
        assert plan.evaluations_timed
        assert plan.training_seconds > 0
        assert scored[0].keys() == {"fid", "fid_inf", "precision", "ms_ssim"}

    def test_is_kept(self, trained, digits, monkeypatch):
        monkeypatch.setattr(ClassifierNetwork, "_trained", None)  # may not be called
        train, test = digits.train, digits.test
        again = ClassifierNetwork(
            train.images, train.labels, trained.cache, unseen=(test.images, test.labels)
        )
        assert again.weights_hash == trained.network.weights_hash
        assert again.accuracy == trained.network.accuracy
        made = again.features(digits.test.images).pool
        np.testing.assert_array_equal(made, trained.network.features(digits.test.images).pool)

    def test_real_test_images_are_nearer_than_noise(self, trained, digits):
        evaluator = Evaluator(
            trained.network,
            {"fid": FID(), "is": InceptionScore()},
            digits.train.images,
            trained.cache,
        )
        real = evaluator.score(evaluator.features(digits.test.images))
        noise = np.random.default_rng(0).integers(0, 256, (360, 8, 8, 1)).astype(np.uint8)
        made = evaluator.score(evaluator.features(noise))
        assert list(real) == ["fid", "is"]
        assert real["fid"] < made["fid"] / 10
        assert real["is"] > 9 > made["is"]


@pytest.fixture(scope="module", params=["grey", "colour"])
def brief(request, tmp_path_factory):
    """A short training of each kind of network on few images."""
    images, labels = images_of(request.param)
    cache = tmp_path_factory.mktemp("brief")
    told = []
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        network = ClassifierNetwork(images, labels, cache, tell=told.append)
    return SimpleNamespace(
        kind=request.param, images=images, labels=labels, told=told, network=network
    )


@pytest.fixture(scope="module")
def hashes_elsewhere(tmp_path_factory):
    """Both kinds' weights from a process with random numbers of its own."""
    code = (
        "import numpy as np, pathlib\n"
        "from autogan.criteria.networks import classifier, classifier_training as training\n"
        "import tensorflow as tf\n"
        f"threads = {own_threads()}\n"
        "tf.config.threading.set_intra_op_parallelism_threads(threads)\n"
        "tf.config.threading.set_inter_op_parallelism_threads(threads)\n"
        f"vars(training).update({SHORT})\n"
        "for name, recipe in training.RECIPES.items():\n"
        "    training.RECIPES[name] = recipe._replace(steps=20, threads=threads)\n"
        "for shape in (8, 8, 1), (24, 24, 3):\n"
        "    rng = np.random.default_rng(0)\n"
        "    images = rng.integers(0, 256, (40, *shape)).astype(np.uint8)\n"
        "    labels, cache = np.arange(40) % 4, pathlib.Path('cache')\n"
        "    print(classifier.ClassifierNetwork(images, labels, cache).weights_hash)"
    )
    folder = tmp_path_factory.mktemp("elsewhere")
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder
    )
    return dict(zip(("grey", "colour"), out.stdout.split(), strict=True))


@pytest.mark.usefixtures("short")
class TestOfEachKind:
    def test_its_name_stands_for_its_version(self, brief):
        assert brief.network.name == {"grey": "classifier", "colour": "classifier3"}[brief.kind]
        assert brief.network.fast == (brief.kind == "grey")

    def test_does_not_learn_from_what_it_is_tested_on(self, brief, tmp_path, monkeypatch):
        """A tenth of each class, here one of ten: other pictures there, and it is the same.

        Whatever ran before in the process. Where it takes long, it tells how far it is.
        """
        images, labels = brief.images, brief.labels
        seen = {image.tobytes() for image in classifier._divided(images, labels)[0]}
        held = np.array([image.tobytes() not in seen for image in images])
        assert sorted(labels[held]) == [0, 1, 2, 3]
        others = np.where(held[:, None, None, None], 255 - images, images)
        tf.random.set_seed(1)
        np.random.seed(1)
        tf.random.normal([2])
        told = []
        monkeypatch.setattr(classifier_training, "_PATIENCE", 0)
        again = ClassifierNetwork(others, labels, tmp_path, tell=told.append)
        assert again.weights_hash == brief.network.weights_hash
        start = "training a classifier on 36 images; it is kept in the cache"
        assert brief.told == [start]
        assert [re.sub(r"\d+ s", "1 s", line) for line in told] == [
            start,
            "classifier: step 10 of 20, 1 s left",
        ]

    @pytest.mark.slow
    def test_is_the_same_in_another_process(self, brief, hashes_elsewhere):
        assert hashes_elsewhere[brief.kind] == brief.network.weights_hash

    def test_a_run_keeps_it(self, brief, tmp_path, monkeypatch):
        """And how accurate it is; a file of an earlier version tells nothing of that."""
        monkeypatch.setattr(ClassifierNetwork, "_trained", None)  # may not be called
        images, network, kept = brief.images, brief.network, tmp_path / "features.npz"

        def again():
            return ClassifierNetwork(images, brief.labels, tmp_path / "empty", kept)

        network.keep(kept)
        same = again()
        assert same.weights_hash == network.weights_hash
        assert same.accuracy == network.accuracy is not None
        np.testing.assert_array_equal(same.features(images).pool, network.features(images).pool)
        arrays = read_arrays(kept)
        del arrays["accuracy"]
        write_arrays(kept, arrays)
        assert (again().accuracy, again().weights_hash) == (None, network.weights_hash)
        kept.write_bytes(b"PK")
        with pytest.raises(
            ConfigError, match="features: .* is damaged .*; restore it, or remove it"
        ):
            again()


@pytest.mark.usefixtures("short")
def test_classes_of_few_images_hold_none_back(tmp_path):
    """Then nothing is known of its accuracy."""
    images, labels = images_of("grey", count=36)
    assert len(classifier._divided(images, labels)[0]) == 36
    assert ClassifierNetwork(images, labels, tmp_path).accuracy is None


@pytest.mark.usefixtures("short")
def test_the_colour_network_learns_shapes(tmp_path, monkeypatch):
    """Bars across or upright in any colour, anywhere, on noise: means of pixels do not tell."""
    longer = classifier_training.RECIPES["residual"]._replace(steps=100)
    monkeypatch.setitem(classifier_training.RECIPES, "residual", longer)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 100, (600, 24, 24, 3))
    labels = np.arange(600) % 2
    for image, label in zip(images, labels, strict=True):
        lines = image if label else image.swapaxes(0, 1)
        place = rng.integers(2, 20)
        lines[place : place + 3] += rng.integers(50, 156, 3)
    network = ClassifierNetwork(images.astype(np.uint8), labels, tmp_path)
    assert network.accuracy > 0.9
    pool = network.features(images.astype(np.uint8)).pool
    assert pool.shape == (600, 128)
    assert np.mean(pool.std(axis=0) > 1e-3) > 0.9  # alive


@pytest.mark.parametrize("size", [24, 40, 60, 128])
def test_images_of_all_sizes_have_as_many_features(size):
    images = np.random.default_rng(0).integers(0, 256, (4, size, size, 3)).astype(np.uint8)
    model = classifier_models.residual(images.shape[1:], 3)
    logits, pool = model(images)
    assert (logits.shape, pool.shape) == ((4, 3), (4, 128))


class TestThreads:
    """The number of threads is the recipe's, in this process or in one of its own."""

    def test_another_number_needs_a_process(self, monkeypatch):
        ran = []
        monkeypatch.setattr(classifier_training, "train", lambda *given: ran.append("here"))
        monkeypatch.setattr(
            classifier_training, "_trained_elsewhere", lambda *given: ran.append("elsewhere")
        )
        images, labels = images_of("grey")
        for threads in own_threads(), own_threads() + 1:
            recipe = classifier_training.RECIPES["small"]._replace(threads=threads)
            monkeypatch.setitem(classifier_training.RECIPES, "small", recipe)
            classifier_training.trained("small", images, labels, print)
        assert ran == ["here", "elsewhere"]

    @pytest.mark.slow
    def test_it_gives_the_weights_of_a_process_with_that_number(self, tmp_path, monkeypatch):
        recipe = classifier_training.RECIPES["small"]._replace(steps=50)
        monkeypatch.setitem(classifier_training.RECIPES, "small", recipe)
        images, labels = images_of("grey")
        told = []
        weights = classifier_training._trained_elsewhere("small", images, labels, told.append)
        np.savez(tmp_path / "images.npz", images=images, labels=labels)
        code = (
            "import numpy as np, tensorflow as tf\n"
            "from autogan.criteria.networks.classifier_training import RECIPES, train\n"
            "tf.config.threading.set_intra_op_parallelism_threads(1)\n"
            "tf.config.threading.set_inter_op_parallelism_threads(1)\n"
            "given = np.load('images.npz')\n"
            "recipe = RECIPES['small']._replace(steps=50)\n"
            "np.savez('weights.npz', *train(recipe, given['images'], given['labels'], print))"
        )
        subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
        with np.load(tmp_path / "weights.npz") as expected:
            for name, weight in zip(expected, weights, strict=True):
                np.testing.assert_array_equal(weight, expected[name])

    def test_what_it_prints_is_reported(self, monkeypatch):
        code = (
            "import sys, numpy as np; sys.stdin.buffer.read()\n"
            "for line in 'classifier: step 1', 'weights': print(line, flush=True)\n"
            "np.savez(sys.stdout.buffer, *[np.full(2, i) for i in range(12)])"
        )
        self.runs(monkeypatch, code)
        told = []
        weights = classifier_training._trained_elsewhere("small", *images_of("grey"), told.append)
        assert told == ["classifier: step 1"]
        assert [int(weight[0]) for weight in weights] == [*range(12)]  # arr_10 after arr_9

    def test_its_failure_is_reported(self, monkeypatch):
        self.runs(monkeypatch, "raise SystemExit('no memory')")  # without reading its input
        images = np.zeros((500, 24, 24, 3), np.uint8)
        with pytest.raises(RuntimeError, match="ended with code 1\nno memory"):
            classifier_training._trained_elsewhere("small", images, np.arange(500), print)

    def test_it_ends_where_nobody_listens(self, monkeypatch):
        code = "import time; print('classifier: step 1', flush=True); time.sleep(600)"
        self.runs(monkeypatch, code)

        def stop(line):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            classifier_training._trained_elsewhere("small", *images_of("grey"), stop)

    def test_it_ends_soon_after_its_parent(self):
        inner = (
            "import os, threading, time\n"
            "from autogan.criteria.networks.classifier_training import _end_with\n"
            "threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()\n"
            "print('began', flush=True); time.sleep(600)"
        )
        outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
        with subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE) as parent:
            assert parent.stdout.readline() == b"began\n"
            parent.kill()
            assert parent.stdout.read() == b""  # the pipe ends with the inner process

    def runs(self, monkeypatch, code):
        monkeypatch.setattr(
            classifier_training, "of_main", lambda module: (sys.executable, "-c", code)
        )
