"""One trial in this process: what it leaves, how it goes on, how it ends badly."""

import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.metadata import (
    parse_experiment_plugin_data,
    parse_session_end_info_plugin_data,
    parse_session_start_info_plugin_data,
)

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import read_arrays
from autogan.criteria import FID, InceptionScore
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.statistics import Features
from autogan.models import GAN_TYPES
from autogan.models.training.batches import TrainingSet
from autogan.record.events import losses
from autogan.record.folder import TrialFolder
from autogan.search import State, Trial
from autogan.worker import trial as trial_module
from autogan.worker.trial import run_trial

PARAMS = {"width": 4, "dense_width": 8, "batch_size": 8, "z_dim": 4}
LABELS = np.arange(40) % 2
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1)).astype(np.uint8)
BUILT = ("dcgan", "sngan_projection", "evolutionary")


class Linear:
    """A feature network of random projections."""

    name, weights_hash, resizes, batch_size = "linear", "0", False, 99

    def features(self, images):
        flat = images.reshape(len(images), -1).astype(np.float32) / 255
        kernel = np.random.default_rng(0).normal(size=(flat.shape[1], 6)).astype(np.float32)
        return Features(flat @ kernel, flat @ kernel)


CRITERIA = {"fid": FID(), "is": InceptionScore()}
with tempfile.TemporaryDirectory() as _cache:
    FID_LABEL, IS_LABEL = Evaluator(Linear(), CRITERIA, IMAGES, Path(_cache)).labels().values()


class Driver:
    """Goes on until told otherwise; interrupts at given steps."""

    def __init__(self, interrupt_at=(), stop_at=None):
        self.evaluations = []
        self.steps = []
        self.notes = []
        self._interrupt_at, self._stop_at = set(interrupt_at), stop_at

    def note(self, text):
        self.notes.append(text)

    def progress(self, step, steps, losses):
        self.steps.append(step)

    def evaluated(self, evaluation):
        self.evaluations.append((evaluation.step, evaluation.scores))
        return evaluation.step != self._stop_at

    def interrupted(self):
        if self.steps and self.steps[-1] in self._interrupt_at:
            self._interrupt_at.discard(self.steps[-1])
            return True
        return False


def params_of(kind, **changes):
    """Those of the tiny hyperparameters that a type has."""
    return {n: value for n, value in {**PARAMS, **changes}.items() if n in kind.defaults()}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Some GANs, images and an evaluator, shared by all tests as in a worker."""
    cache = tmp_path_factory.mktemp("statistics")
    kinds = map(GAN_TYPES.get, BUILT)
    gans = {k.name: k.build((8, 8, 1), k.defaults() | params_of(k), (20, 20)) for k in kinds}
    return SimpleNamespace(
        gans=gans,
        images=TrainingSet(IMAGES, LABELS),
        evaluator=Evaluator(Linear(), CRITERIA, IMAGES, cache),
    )


def run(
    world, root, driver=None, gan_type="dcgan", steps=50, minutes=10.0, search=None,
    criterion="fid", max_minutes=None, constraint=None, **changes,
):  # fmt: skip
    params = params_of(GAN_TYPES.get(gan_type), **changes)
    config = TrainConfig(
        gan_type=gan_type, criterion=criterion, also=["fid", "is"], steps=steps,
        evaluate_every=25, seed=3, params=params, checkpoint_minutes=minutes,
        max_trial_minutes=max_minutes, constraint=constraint,
    )  # fmt: skip
    folder = TrialFolder.of(root, config)
    driver = driver or Driver()
    gan = world.gans[gan_type]
    return folder, run_trial(
        config,
        folder,
        gan,
        world.images,
        world.evaluator,
        driver,
        {"a": 1},
        "a 7",
        Trial(7, {"width": 4}, 3, "explore 2"),
        search,
    )


def test_a_trial_leaves_all_that_is_promised(world, tmp_path):
    driver = Driver()
    folder, trial = run(world, tmp_path / "t", driver)
    assert trial.state is State.COMPLETE
    assert [e.step for e in trial.evaluations] == [25, 50]
    assert driver.steps == [20, 25, 40, 50]
    assert driver.evaluations == [(e.step, e.scores) for e in trial.evaluations]
    assert set(trial.evaluations[0].scores) == {FID_LABEL, IS_LABEL}
    values = [e.scores[FID_LABEL] for e in trial.evaluations]
    assert (trial.value, trial.last_value) == (min(values), values[-1])
    assert trial.step == [25, 50][values.index(min(values))]
    assert trial.steps == 50

    result = json.loads(folder.result.read_text())
    assert (result["number"], result["state"], result["value"]) == (7, "complete", trial.value)
    assert (result["params"], result["origin"]) == ({"width": 4}, "explore 2")  # as in the record
    assert result["environment"] == {"a": 1}
    lines = [json.loads(line) for line in folder.scores.read_text().splitlines()]
    assert lines == [
        {"step": e.step, **e.scores, "variety": e.variety, "collapsed": False}
        for e in trial.evaluations
    ]
    assert folder.config.read_text().startswith("# Train this again")
    assert {p.name for p in folder.checkpoints.iterdir()} == {
        "best.npz", "last.npz", "state.npz",
    }  # fmt: skip
    for step in (25, 50):
        with Image.open(folder.sample(step)) as grid:
            assert grid.size == (466, 466)  # 8 x 8 images, enlarged to 56 pixels, and gaps of 2


def test_without_a_criterion_the_last_generator_is_kept(world, tmp_path):
    """Others may be recorded; the alarm for collapses stays."""
    folder, trial = run(world, tmp_path / "t", steps=100, criterion="none")
    assert trial.state is State.COMPLETE
    assert (trial.value, trial.last_value, trial.step) == (None, None, 100)
    assert all(set(e.scores) == {FID_LABEL, IS_LABEL} for e in trial.evaluations)
    best, last = (read_arrays(path) for path in (folder.best, folder.last))
    assert all(np.array_equal(best[name], last[name]) for name in last)


def test_the_best_checkpoint_is_the_best_evaluations(world, tmp_path):
    folder, trial = run(world, tmp_path / "t", steps=100)
    gan = world.gans["dcgan"]
    for path, value in ((folder.best, trial.value), (folder.last, trial.last_value)):
        gan.restore_generator(read_arrays(path))
        made = gan.generate(gan.latents(40, 1))
        assert world.evaluator.score(world.evaluator.features(made))["fid"] == value


@pytest.mark.parametrize("gan_type", BUILT)
def test_interrupted_anywhere_it_ends_with_the_same_bits(world, tmp_path, gan_type):
    whole_folder, whole = run(world, tmp_path / "whole", gan_type=gan_type)
    folder, trial = run(world, tmp_path / "t", Driver(interrupt_at=[20]), gan_type)
    assert trial is None
    run(world, tmp_path / "other", gan_type=gan_type, learning_rate=0.05)  # another trial between
    _, trial = run(world, tmp_path / "t", Driver(interrupt_at=[25]), gan_type)
    assert trial is None
    _, trial = run(world, tmp_path / "t", Driver(interrupt_at=[40]), gan_type)
    assert trial is None
    driver = Driver()
    _, trial = run(world, tmp_path / "t", driver, gan_type)
    assert trial.evaluations == whole.evaluations
    assert [step for step, _ in driver.evaluations] == [25, 50]  # the first one is told again
    for name in ("best.npz", "last.npz"):
        made = read_arrays(folder.checkpoints / name)
        expected = read_arrays(whole_folder.checkpoints / name)
        assert all(np.array_equal(made[key], expected[key]) for key in expected)


def test_a_finished_trial_is_told_again_and_not_run_again(world, tmp_path):
    _, first = run(world, tmp_path / "t")
    driver = Driver()
    _, again = run(world, tmp_path / "t", driver)
    assert again == first
    assert driver.steps == []
    assert [step for step, _ in driver.evaluations] == [25, 50]


def test_told_to_stop_it_stops_early_with_its_value(world, tmp_path):
    _, trial = run(world, tmp_path / "t", Driver(stop_at=25))
    assert trial.state is State.STOPPED
    assert trial.value == trial.evaluations[0].scores[FID_LABEL]


def test_a_stopped_trial_can_go_on_to_the_same_end(world, tmp_path):
    """From its checkpoint, when it is started again and told to; told to stop, it stays."""
    whole_folder, whole = run(world, tmp_path / "whole", steps=75)
    folder, stopped = run(world, tmp_path / "t", Driver(stop_at=25), steps=75)
    assert folder.state.exists()
    driver = Driver(stop_at=25)
    _, again = run(world, tmp_path / "t", driver, steps=75)
    assert (again.state, again.evaluations) == (State.STOPPED, stopped.evaluations)
    assert driver.steps == []

    driver = Driver()
    _, trial = run(world, tmp_path / "t", driver, steps=75)
    assert driver.steps == [40, 50, 60, 75]
    assert trial.state is State.COMPLETE
    assert (trial.evaluations, trial.value) == (whole.evaluations, whole.value)
    assert folder.state.exists()  # it can be trained on
    for name in ("best.npz", "last.npz"):
        made = read_arrays(folder.checkpoints / name)
        expected = read_arrays(whole_folder.checkpoints / name)
        assert all(np.array_equal(made[key], expected[key]) for key in expected)


def test_a_stopped_trial_without_its_checkpoint_begins_anew_to_the_same_end(world, tmp_path):
    folder, _ = run(world, tmp_path / "t", Driver(stop_at=25))
    folder.state.unlink()
    _, again = run(world, tmp_path / "t")
    _, whole = run(world, tmp_path / "whole")
    assert again.state is State.COMPLETE
    assert again.evaluations == whole.evaluations


def test_nan_weights_are_a_divergence(world, tmp_path, monkeypatch):
    gan = world.gans["dcgan"]
    monkeypatch.setattr(gan, "train", lambda *a: (a[3], {"d_loss": float("nan"), "g_loss": 0.0}))
    _, trial = run(world, tmp_path / "t")
    assert trial.state is State.DIVERGED
    assert trial.reason == "a loss became NaN or infinite at step 20"


def late(monkeypatch, per_look):
    """Let each look at the clock be these minutes after the last."""
    now = [0.0]

    def monotonic():
        now[0] += 60 * per_look
        return now[0]

    monkeypatch.setattr(trial_module, "time", SimpleNamespace(monotonic=monotonic))


class Given(FID):
    """Has the values that are given, one after the other."""

    name = "given"

    def __init__(self, *values):
        self.values = list(values)

    def compute(self, generated, real):
        return self.values.pop(0)


def test_what_is_only_recorded_may_be_nan(world, tmp_path):
    """The training goes on; a note says so once, and that value is missing."""
    driver = Driver()
    given = Given(1.0, float("nan"), 2.0, float("inf"))
    evaluator = Evaluator(Linear(), {"fid": FID(), "is": given}, IMAGES, tmp_path / "cache")
    world = SimpleNamespace(**{**vars(world), "evaluator": evaluator})
    folder, trial = run(world, tmp_path / "t", driver, steps=100)
    assert trial.state is State.COMPLETE
    fid, own = evaluator.labels().values()
    assert [e.scores.get(own) for e in trial.evaluations] == [1.0, None, 2.0, None]
    assert all(e.scores[fid] == e.value for e in trial.evaluations)
    assert [note for note in driver.notes if "is NaN or infinite" in note] == driver.notes
    assert len(driver.notes) == 1
    for path in (folder.scores, folder.result):
        assert "NaN" not in path.read_text()
    assert [step for step, _ in curves(folder.logs)[f"criteria/{own}"]] == [25, 75]


def test_what_decides_may_not(world, tmp_path):
    """Neither alone, nor as a term of a sum, nor as one of several criteria of a search."""
    searches = {
        "alone": (SearchConfig(criterion="is"), "is"),
        "sum": (SearchConfig(criterion="is - 0.5*fid"), "is - 0.5*fid"),
        "several": (SearchConfig(criterion="fid,is"), "fid"),
    }
    for name, (search, criterion) in searches.items():
        evaluator = Evaluator(
            Linear(), {"fid": FID(), "is": Given(1.0, float("nan"))}, IMAGES, tmp_path / "cache"
        )
        own = SimpleNamespace(**{**vars(world), "evaluator": evaluator})
        _, trial = run(own, tmp_path / name, search=search, criterion=criterion)
        assert (trial.state, trial.reason) == (State.DIVERGED, "is is nan at step 50")
        assert (trial.step, trial.value) == (25, trial.evaluations[0].value)  # had before


@pytest.mark.parametrize(
    ("minutes", "steps", "value"), [(2.5, [25, 50], True), (0.5, [], False)]
)  # fmt: skip
def test_out_of_time_it_ends_with_what_it_has(world, tmp_path, monkeypatch, minutes, steps, value):
    late(monkeypatch, 0.2)
    folder, trial = run(world, tmp_path / "t", steps=2000, max_minutes=minutes)
    assert trial.state is State.TIMED_OUT
    assert not trial.dead
    assert trial.reason == f"its {minutes:g} minutes ended at step {trial.steps}"
    assert 60 * minutes <= trial.seconds < 60 * minutes + 60
    assert [e.step for e in trial.evaluations][: len(steps)] == steps
    assert (trial.value is not None) == value == folder.best.exists()
    assert status_of(folder.logs) == api_pb2.STATUS_SUCCESS
    assert folder.state.exists()


def test_out_of_time_it_goes_on_to_the_same_end(world, tmp_path, monkeypatch):
    """If it gets more; with no more time it ends at once, wherever it is begun again."""
    _, whole = run(world, tmp_path / "whole", steps=100)
    with monkeypatch.context() as slow:
        late(slow, 0.2)
        folder, trial = run(world, tmp_path / "t", steps=100, max_minutes=1.5)
        assert trial.state is State.TIMED_OUT
        driver = Driver()
        _, again = run(world, tmp_path / "t", driver, steps=100, max_minutes=1.5)
        assert (again.state, again.evaluations) == (State.TIMED_OUT, trial.evaluations)
        assert driver.steps == []
        driver = Driver()
        _, done = run(world, tmp_path / "t", driver, steps=100, max_minutes=60)
    assert driver.steps[0] > trial.steps
    assert done.state is State.COMPLETE
    assert done.seconds > trial.seconds
    assert (done.evaluations, done.value) == (whole.evaluations, whole.value)
    assert folder.state.exists()


@pytest.mark.parametrize(
    ("steps", "first"), [(10, 100), (900, 100), (1000, 100), (1010, 101), (20_000, 2000)]
)
def test_what_a_generator_makes_at_its_start_is_no_collapse(steps, first):
    assert trial_module._beginning(first - 1, steps)
    assert not trial_module._beginning(first, steps)


def test_a_generator_that_starts_with_one_picture_goes_on(world, tmp_path, monkeypatch):
    """Evaluated at each of its first steps; what is alike later is a collapse at the second."""
    collapsing(world, monkeypatch, 0, 1, 2, 5, 6)
    monkeypatch.setattr(trial_module, "_FIRST_STEPS", 100)
    driver = Driver()
    _, trial = run(world, tmp_path / "t", driver, steps=400)
    assert trial.state is State.COLLAPSED
    assert [e.step for e in trial.evaluations][-1] == 175
    assert [e.collapsed for e in trial.evaluations] == [False] * 5 + [True, True]
    assert [e.variety["distinct"] for e in trial.evaluations[:3]] == [1, 1, 1]
    assert all(e.value is not None for e in trial.evaluations[:5])


def collapsing(world, monkeypatch, *evaluations):
    """Let a GAN make one picture at the evaluations of these numbers, which count from 0."""
    gan, made = world.gans["dcgan"], []

    def generate(latents):
        if latents.z.shape[0] != len(IMAGES):  # a grid
            return IMAGES[:1].repeat(latents.z.shape[0], axis=0)
        made.append(latents)
        return IMAGES[:1].repeat(40, axis=0) if len(made) - 1 in evaluations else IMAGES[::-1]

    monkeypatch.setattr(gan, "generate", generate)
    monkeypatch.setattr(trial_module, "_FIRST_STEPS", 0)  # which would take longer


def test_one_picture_at_two_evaluations_running_is_a_collapse(world, tmp_path, monkeypatch):
    collapsing(world, monkeypatch, 1, 2)
    driver = Driver()
    folder, trial = run(world, tmp_path / "t", driver, steps=200)
    assert trial.state is State.COLLAPSED
    assert trial.reason == "1 picture among 40 images at step 75"
    best = trial.evaluations[0]
    assert (trial.value, trial.step) == (best.value, 25)  # what it had before
    assert trial.worth is None
    assert json.loads(folder.result.read_text())["value"] == best.value
    assert [step for step, _ in driver.evaluations] == [25, 50, 75]
    assert [e.collapsed for e in trial.evaluations] == [False, True, True]
    assert trial.evaluations[1].variety["distinct"] == 1
    assert folder.best.exists()  # of step 25, for whoever wants it
    assert not folder.state.exists()


def test_a_generator_that_dies_pale_has_collapsed(world, tmp_path, monkeypatch):
    """All its pictures differ, by one grey level; one that began so had not died."""
    pale = np.random.default_rng(0).integers(127, 129, IMAGES.shape).astype(np.uint8)
    for strong, state in (([0], State.COLLAPSED), ([], State.COMPLETE)):
        made = []

        def generate(latents, strong=strong, made=made):
            if latents.z.shape[0] != len(IMAGES):  # a grid
                return IMAGES[:1].repeat(latents.z.shape[0], axis=0)
            made.append(latents)
            return IMAGES[::-1] if len(made) - 1 in strong else pale

        monkeypatch.setattr(world.gans["dcgan"], "generate", generate)
        monkeypatch.setattr(trial_module, "_FIRST_STEPS", 0)
        _, trial = run(world, tmp_path / state.value, steps=100)
        assert trial.state is state
        assert trial.reason == (
            "pale images, with a contrast of 0.5 grey levels at step 75" if strong else ""
        )


def test_a_collapse_is_none_the_less_one_if_a_rule_stops_the_trial(world, tmp_path, monkeypatch):
    """At the second collapsed evaluation; undisturbed, and killed while it is told."""
    collapsing(world, monkeypatch, 1, 2)
    _, whole = run(world, tmp_path / "whole", Driver(stop_at=75), steps=200)

    class Killed(Driver):
        def evaluated(self, evaluation):
            if evaluation.step == 75:
                raise KeyboardInterrupt
            return True

    collapsing(world, monkeypatch, 1, 2)
    with pytest.raises(KeyboardInterrupt):
        run(world, tmp_path / "t", Killed(), steps=200)
    _, resumed = run(world, tmp_path / "t", Driver(stop_at=75), steps=200)
    assert (whole.state, whole.step) == (State.COLLAPSED, 25)
    ends = [(t.state, t.value, t.step, t.reason) for t in (resumed, whole)]
    assert ends[0] == ends[1]


def test_one_collapsed_evaluation_is_never_the_best(world, tmp_path, monkeypatch):
    collapsing(world, monkeypatch, 0, 2)
    _, trial = run(world, tmp_path / "t", steps=100)
    assert trial.state is State.COMPLETE
    assert trial.step == 50
    assert [e.value is None for e in trial.evaluations] == [True, False, True, False]


def test_a_trial_that_has_never_made_different_pictures_has_collapsed(world, tmp_path, monkeypatch):
    collapsing(world, monkeypatch, 0)
    folder, trial = run(world, tmp_path / "t", steps=25)
    assert trial.state is State.COLLAPSED
    assert trial.value is None
    assert not folder.best.exists()


def test_a_collapse_is_one_after_a_kill_too(world, tmp_path, monkeypatch):
    """Killed while the second collapsed evaluation is told: the checkpoint has it."""
    collapsing(world, monkeypatch, 0, 1)

    class Killed(Driver):
        def evaluated(self, evaluation):
            if evaluation.step == 50:
                raise KeyboardInterrupt
            return True

    with pytest.raises(KeyboardInterrupt):
        run(world, tmp_path / "t", Killed(), steps=100)
    _, trial = run(world, tmp_path / "t", steps=100)
    assert trial.state is State.COLLAPSED
    assert [e.step for e in trial.evaluations] == [25, 50]


class Killed(Driver):
    """Is killed at a step, before it can save."""

    def __init__(self, step):
        super().__init__()
        self._step = step

    def progress(self, step, steps, losses):
        super().progress(step, steps, losses)
        if step == self._step:
            raise KeyboardInterrupt


def test_a_kill_between_evaluations_costs_minutes_at_most(world, tmp_path):
    """Checkpoints come by time too; the training that goes on from one ends with the same bits."""
    _, whole = run(world, tmp_path / "whole")
    for minutes, expected in ((10.0, 25), (1e-9, 40)):
        root = tmp_path / str(minutes)
        with pytest.raises(KeyboardInterrupt):
            run(world, root, Killed(50), minutes=minutes)
        folder = TrialFolder.of(root, TrainConfig())
        progress = json.loads(read_arrays(folder.state)["progress"].tobytes())
        assert progress["step"] == expected
        _, trial = run(world, root, minutes=minutes)
        assert trial.evaluations == whole.evaluations


def test_curves_have_no_step_twice_after_a_kill(world, tmp_path):
    """Killed at 40 after the checkpoint at 25, and again: the curves are an undisturbed run's."""
    folder, _ = run(world, tmp_path / "whole", steps=75)
    expected = curves(folder.logs)
    for step in (40, 60):
        with pytest.raises(KeyboardInterrupt):
            run(world, tmp_path / "t", Killed(step), steps=75)
    folder, _ = run(world, tmp_path / "t", steps=75)
    assert curves(folder.logs) == expected
    assert [step for step, _ in expected["losses/d_loss"]] == [20, 25, 40, 50, 60, 75]


def test_a_damaged_checkpoint_costs_time_alone(world, tmp_path):
    _, whole = run(world, tmp_path / "whole")
    folder, _ = run(world, tmp_path / "t", Driver(interrupt_at=[40]))
    data = bytearray(folder.state.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    folder.state.write_bytes(data)
    driver = Driver()
    _, trial = run(world, tmp_path / "t", driver)
    assert driver.notes[0].endswith("the training starts again from the beginning")
    assert trial.evaluations == whole.evaluations


@pytest.mark.parametrize(
    ("driver", "status"),
    [(Driver(), "STATUS_SUCCESS"), (Driver(stop_at=25), "STATUS_SUCCESS"),
     (Driver(interrupt_at=[40]), "STATUS_UNKNOWN")],
)  # fmt: skip
def test_tensorboard_knows_how_a_trial_stands(world, tmp_path, driver, status):
    folder, _ = run(world, tmp_path / "t", driver)
    assert api_pb2.Status.Name(status_of(folder.logs)) == status
    run(world, tmp_path / "t")
    assert status_of(folder.logs) == api_pb2.STATUS_SUCCESS


def test_going_on_under_another_measure_is_refused(world, tmp_path):
    """Other real images: what was scored before cannot be compared with what comes."""
    run(world, tmp_path / "t", Driver(interrupt_at=[40]))
    other = Evaluator(Linear(), CRITERIA, IMAGES[:20], tmp_path / "cache")
    with pytest.raises(ConfigError, match="resume: the training was scored as fid_linear_40_"):
        run(SimpleNamespace(**{**vars(world), "evaluator": other}), tmp_path / "t")


def test_tensorboard_can_be_told_of_a_failure(world, tmp_path):
    """By whoever notices it: the worker may be gone."""
    with pytest.raises(KeyboardInterrupt):
        run(world, tmp_path / "t", Killed(40))
    folder = TrialFolder.of(tmp_path / "t", TrainConfig())
    assert status_of(folder.logs) == api_pb2.STATUS_UNKNOWN
    folder.failed_status.replace(folder.status)
    assert status_of(folder.logs) == api_pb2.STATUS_FAILURE
    run(world, tmp_path / "t")
    assert status_of(folder.logs) == api_pb2.STATUS_SUCCESS


def test_tensorboard_knows_of_a_divergence(world, tmp_path, monkeypatch):
    gan = world.gans["dcgan"]
    monkeypatch.setattr(gan, "train", lambda *a: (a[3], {"d_loss": float("nan"), "g_loss": 0.0}))
    folder, _ = run(world, tmp_path / "t")
    assert status_of(folder.logs) == api_pb2.STATUS_FAILURE


def status_of(logs):
    """What HParams takes for a session's status: the first that it reads."""
    found = EventAccumulator(str(logs)).Reload().summary_metadata.get("_hparams_/session_end_info")
    if found is None:
        return api_pb2.STATUS_UNKNOWN
    return parse_session_end_info_plugin_data(found.plugin_data.content).status


def curves(logs):
    """All points of all curves, by tag."""
    events = EventAccumulator(str(logs), size_guidance={"tensors": 0}).Reload()
    points = {
        tag: sorted((e.step, tf.make_ndarray(e.tensor_proto).item()) for e in events.Tensors(tag))
        for tag in events.Tags()["tensors"]
        if tag.startswith(("losses/", "criteria/", "best/"))
    }
    graphs = [
        event for path in sorted(logs.glob("events.*"))
        for event in tf.compat.v1.train.summary_iterator(str(path)) if event.graph_def
    ]  # fmt: skip
    return {**points, "graphs": len(graphs)}


def test_tensorboard_gets_everything(world, tmp_path):
    folder, trial = run(world, tmp_path / "t")
    events = EventAccumulator(str(folder.logs), size_guidance={"tensors": 0}).Reload()
    tags = events.Tags()
    assert {"losses/d_loss", "losses/g_loss", f"criteria/{FID_LABEL}", "samples"} <= set(
        tags["tensors"]
    )
    assert tags["graph"]
    names = {node.name.split("/")[0] for node in _graph(events).node}
    assert {"generator", "discriminator"} <= names
    scores = [
        (e.step, float(tf.make_ndarray(e.tensor_proto)))
        for e in events.Tensors(f"criteria/{FID_LABEL}")
    ]
    assert scores == [(e.step, pytest.approx(e.scores[FID_LABEL])) for e in trial.evaluations]
    best = [float(tf.make_ndarray(e.tensor_proto)) for e in events.Tensors(f"best/{FID_LABEL}")]
    assert best[-1] == pytest.approx(trial.value)
    assert "beta1" in hparams(events)
    parts = {tag: points for tag, points in curves(folder.logs).items() if "losses/" in tag}
    assert {f"losses/{name}": curve for name, curve in losses(folder.logs).items()} == parts


def test_tensorboard_shows_hyperparameters_that_have_a_meaning(world, tmp_path):
    folder, _ = run(world, tmp_path / "t", optimizer="rmsprop")
    shown = hparams(EventAccumulator(str(folder.logs)).Reload())
    # RMSprop has no beta1, a constant schedule no speed, no augmentation no probability, and
    # networks of auto no depth.
    without = {"beta1", "depth"} | {
        name
        for name in GAN_TYPES.get("dcgan").defaults()
        if name.startswith(("schedule_", "augment_"))
    }
    assert len(without) > 2
    assert shown == set(GAN_TYPES.get("dcgan").defaults()) - without


def hparams(events):
    """The names of all hyperparameters that HParams shows of a training."""
    metadata = events.summary_metadata["_hparams_/session_start_info"]
    return set(parse_session_start_info_plugin_data(metadata.plugin_data.content).hparams)


@pytest.mark.parametrize(
    ("changes", "best"),
    [({}, {"best fid": f"best/{FID_LABEL}"}),
     ({"criterion": "is - 0.5*fid"},
      {"best is - 0.5*fid": f"best/{IS_LABEL}-0.5*{FID_LABEL}"}),
     ({"criterion": "is - 0.5*fid", "normalise": "history"}, {})],
)  # fmt: skip
def test_every_trial_declares_its_search(world, tmp_path, changes, best):
    """Once, also where it was interrupted; a training by itself declares nothing."""
    params = {"learning_rate": "1e-4..1e-2", "d_iter": [1, 3]}
    search = SearchConfig(params=params, **{"also": ["is"], **changes})
    folder, _ = run(world, tmp_path / "t", Driver(interrupt_at=[40]), search=search)
    run(world, tmp_path / "t", search=search)
    [declared] = experiments(folder.logs)
    assert {info.display_name: info.name.tag for info in declared.metric_infos} == {
        **best, "last fid": f"criteria/{FID_LABEL}", "last is": f"criteria/{IS_LABEL}"
    }  # fmt: skip
    rate, d_iter = declared.hparam_infos
    assert (rate.name, d_iter.name) == ("learning_rate", "d_iter")
    assert rate.domain_interval.min_value < 1e-4  # the limits, not the range
    folder, _ = run(world, tmp_path / "alone")
    assert experiments(folder.logs) == []


def experiments(logs):
    """All declarations of a search in the event files."""
    return [
        parse_experiment_plugin_data(value.metadata.plugin_data.content)
        for path in sorted(logs.glob("events.*"))
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value if value.tag == "_hparams_/experiment"
    ]  # fmt: skip


def _graph(events):
    graph = tf.compat.v1.GraphDef()
    graph.ParseFromString(events.Graph().SerializeToString())
    return graph


class TestConstraint:
    """Evaluations that break it have scores and no value."""

    def test_the_best_is_among_those_that_hold_it(self, world, tmp_path):
        _, free = run(world, tmp_path / "free", steps=100)
        scores = [e.scores[FID_LABEL] for e in free.evaluations]
        bound = sorted(scores)[1]  # the second best breaks it, and so does the best
        _, trial = run(world, tmp_path / "bound", steps=100, constraint=f"fid>{bound!r}")
        held = [score if score > bound else None for score in scores]
        assert [e.value for e in trial.evaluations] == held
        assert [e.scores for e in trial.evaluations] == [e.scores for e in free.evaluations]
        assert trial.value == sorted(scores)[2]
        assert trial.last_value == held[-1]
        assert trial.state is State.COMPLETE

    def test_a_training_that_never_holds_it_is_worth_nothing(self, world, tmp_path):
        _, trial = run(world, tmp_path, constraint="fid<0")
        assert (trial.state, trial.value) == (State.COLLAPSED, None)
        assert trial.reason == "no evaluation met fid<0"
        assert len(trial.evaluations) == 2
