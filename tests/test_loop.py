"""The search loop: budgets, outcomes, resuming, and what it refuses."""

import dataclasses
import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from fakes import DIVERGE, FULL, LABEL, RAISE, FakeEngine, FakeSession, pool_of

import autogan
from autogan.config import SearchConfig, TrainConfig, grammar, load_config
from autogan.core.errors import ConfigError, SearchFailed, StorageError
from autogan.core.files import write_bytes, write_json
from autogan.core.invocation import command
from autogan.decisions.replay import check_record
from autogan.pool.messages import Prepared
from autogan.record.claim import Claim, beside_search
from autogan.record.ledger import Ledger
from autogan.search import Evaluation, Proposal, State, Trial
from autogan.search.base import trial_seed
from autogan.show.display import Display
from autogan.show.displays import PlainDisplay

GRID = {
    "params": {"learning_rate": [1e-4, 3e-4, 1e-3]},
    "search_method": "grid",
    "run_dir": "runs/a",
}


def search(**changes):
    return autogan.run_search({**GRID, **changes}, engine=FakeEngine())


def test_a_search_returns_the_best_and_leaves_its_record(tmp_path):
    result = search()
    assert [t.params["learning_rate"] for t in result.trials] == [1e-4, 3e-4, 1e-3]
    assert all(t.state is State.COMPLETE for t in result.trials)
    assert result.best.value == min(t.value for t in result.trials)
    assert result.objective == LABEL
    best = yaml.safe_load((tmp_path / "runs/a/best.yaml").read_text())
    assert best["params"] == result.hyperparameters
    assert best["seed"] == result.best.seed == trial_seed(0, result.best.number)
    link = tmp_path / "runs/a/best"
    assert link.resolve().name.startswith(f"{result.best.number:04d}-learning_rate=")
    assert yaml.safe_load((tmp_path / "runs/a/search.yaml").read_text())["trials"] == 3


def test_values_are_the_best_evaluations():
    for trial in search().trials:
        scores = [e.scores[LABEL] for e in trial.evaluations]
        assert trial.value == min(scores)
        assert trial.last_value == scores[-1]
        assert trial.evaluations[scores.index(min(scores))].step == trial.step


def test_tensorboard_is_to_show_the_trials_alone():
    """Not the search's folder: there the link to the best would be one more run."""
    assert search().logs == Path("runs/a/trials")
    assert search(run_dir="runs/b", log_dir="logs").logs == Path("logs/b")


def test_diverged_trials_are_recorded_and_never_the_best():
    result = search(params={"z_dim": [DIVERGE, 62]})
    assert [t.state for t in result.trials] == [State.DIVERGED, State.COMPLETE]
    assert result.trials[0].value is None
    assert result.best.number == 1


def test_failed_trials_leave_their_traceback_and_do_not_count(tmp_path):
    result = search(params={"z_dim": [RAISE, 62, 63]}, trials=2)
    assert [t.state for t in result.trials] == [State.FAILED, State.COMPLETE, State.COMPLETE]
    assert result.trials[0].reason == "RuntimeError: no luck today"
    traceback = tmp_path / "runs/a/trials/0000-z_dim=12/traceback.txt"
    assert "no luck today" in traceback.read_text()


def test_three_failures_in_a_row_end_the_search(tmp_path):
    params = {"z_dim": [RAISE], "d_iter": [1, 2, 3, 4]}
    with pytest.raises(
        SearchFailed, match="3 trials failed in a row, the last with: RuntimeError: no luck"
    ):
        search(params=params)
    assert len((tmp_path / "runs/a/trials.jsonl").read_text().splitlines()) == 2 + 6


def test_a_finished_search_is_resumed_with_more_trials():
    random = {"search_method": "random", "trials": 2, "params": {"learning_rate": "1e-4..1e-2"}}
    first = search(**random)
    engine = FakeEngine()
    more = autogan.run_search({"trials": 4}, resume="runs/a", engine=engine)
    assert engine.started == [2, 3]
    assert more.trials[:2] == first.trials
    whole = search(**{**random, "trials": 4, "run_dir": "runs/b"})
    assert [t.params for t in whole.trials] == [t.params for t in more.trials]


def test_a_resumed_search_with_too_few_trials_says_that_all_count(capsys):
    random = {"search_method": "random", "params": {"learning_rate": "1e-4..1e-2"}}
    first = search(**random, trials=4)
    for trials, said in (
        (2, "4 trials are done already; --trials counts all of them, so give more than 4 to go on"),
        (4, "all 4 trials are done"),
    ):
        again = autogan.run_search(
            {"trials": trials}, resume="runs/a", engine=FakeEngine(), display=PlainDisplay()
        )
        assert said in capsys.readouterr().err.splitlines()
        assert again.trials == first.trials
    assert not autogan.check("runs/a").difference


def test_resuming_with_another_configuration_shows_the_difference():
    search()
    with pytest.raises(ConfigError, match=r"resume: .*seed was 0, now 5"):
        autogan.run_search({"seed": 5}, resume="runs/a", engine=FakeEngine())
    with pytest.raises(ConfigError, match=r"runs/a/search.yaml: width was 64, now 8; resume with"):
        autogan.run_search({"params": {"width": 8}}, resume="runs/a", engine=FakeEngine())


def test_resuming_nothing_is_refused():
    with pytest.raises(ConfigError, match="resume: runs/none holds no search"):
        autogan.run_search(resume="runs/none", engine=FakeEngine())


def test_a_folder_is_not_reused_silently(tmp_path):
    search()
    with pytest.raises(ConfigError, match=r"run_dir: runs/a holds an earlier run.*--resume"):
        search()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.doc").write_text("years of work")
    (tmp_path / "other" / "search.yaml").write_text("the: user's own\n")
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="run_dir: other holds other files"):
            autogan.run_search(
                {**GRID, "run_dir": "other"}, overwrite=overwrite, engine=FakeEngine()
            )
    assert (tmp_path / "other" / "thesis.doc").exists()


def test_overwriting_replaces_all_of_an_earlier_run(tmp_path):
    elsewhere = {"checkpoint_dir": "checkpoints", "log_dir": "logs"}
    search(**elsewhere)
    (tmp_path / "checkpoints" / "a" / "0000").mkdir(parents=True)
    (tmp_path / "checkpoints" / "b").mkdir()
    autogan.run_search(
        {**GRID, **elsewhere, "params": {"z_dim": [5]}}, overwrite=True, engine=FakeEngine()
    )
    assert [p.name for p in (tmp_path / "runs/a/trials").iterdir()] == ["0000-z_dim=5"]
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["b"]


def test_overwriting_deletes_the_runs_own_files_alone(tmp_path):
    search()
    (tmp_path / "runs/a/notes.txt").write_text("mine")
    (tmp_path / "pictures/a").mkdir(parents=True)
    (tmp_path / "pictures/a/holiday.jpg").write_text("mine")
    with pytest.raises(ConfigError, match="result_dir: pictures/a holds other files"):
        autogan.run_search({**GRID, "result_dir": "pictures"}, overwrite=True, engine=FakeEngine())
    assert (tmp_path / "runs/a/best.yaml").exists()
    autogan.run_search({**GRID, "trials": 1}, overwrite=True, engine=FakeEngine())
    assert (tmp_path / "runs/a/notes.txt").exists()
    assert len(list((tmp_path / "runs/a/trials").iterdir())) == 1


def test_overwriting_leaves_the_users_files_in_moved_folders(tmp_path):
    """Only what a trial wrote goes from folders that the user chose for it."""
    moved = {"checkpoint_dir": "ck", "result_dir": "res", "log_dir": "logs"}
    search(**moved)
    trial = "0000-learning_rate=0.0001"
    ours = ("ck/a/{}/checkpoints/best.npz", "res/a/{}/samples/step-000010.png",
            "logs/a/{}/events.out.tfevents.1", "logs/a/events.out.tfevents.2")  # fmt: skip
    users = ("ck/a/notes.txt", "ck/a/{}/checkpoints/mine.npz", "res/a/{}/samples/mine.png",
             "logs/a/mine/events.csv")  # fmt: skip
    for name in (*ours, *users):
        write_bytes(tmp_path / name.format(trial), b"x")
    autogan.run_search({**GRID, **moved}, overwrite=True, engine=FakeEngine())
    for name in ours:
        assert not (tmp_path / name.format(trial)).exists(), name
    for name in users:
        assert (tmp_path / name.format(trial)).exists(), name


def test_a_run_that_appears_during_the_checks_is_not_lost(tmp_path, monkeypatch):
    """Another command is faster, between our look at the folder and our lock on it."""

    def slow(root):
        monkeypatch.setattr("autogan.run.opening.Claim", Claim)
        search()
        return Claim(root)

    monkeypatch.setattr("autogan.run.opening.Claim", slow)
    with pytest.raises(ConfigError, match="runs/a holds an earlier run"):
        autogan.run_search({**GRID, "seed": 5}, engine=FakeEngine())
    assert "seed: 0" in (tmp_path / "runs/a/search.yaml").read_text()


def test_a_refused_resumption_changes_nothing(tmp_path, monkeypatch):
    search()
    before = (tmp_path / "runs/a/search.yaml").read_text()
    monkeypatch.setattr(
        "fakes.FakeSession.prepare",
        lambda *a: Prepared(objective=LABEL, labels={"fid": LABEL}, features={"network": "other"}),
    )
    with pytest.raises(ConfigError, match="features"):
        autogan.run_search({"trials": 9}, resume="runs/a", engine=FakeEngine())
    assert (tmp_path / "runs/a/search.yaml").read_text() == before


def test_a_folder_with_a_killed_commands_litter_is_free(tmp_path):
    (tmp_path / "runs/a").mkdir(parents=True)
    (tmp_path / "runs/a/.lock").touch()
    (tmp_path / "runs/a/.search.yaml.tmp").write_text("torn")
    assert search().best


def test_moved_parts_that_cannot_be_written_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="log_dir: /proc/x/a cannot be written"):
        search(log_dir="/proc/x")
    assert list(tmp_path.iterdir()) == []


def test_moved_parts_of_another_run_are_not_touched(tmp_path):
    (tmp_path / "ck" / "a").mkdir(parents=True)
    (tmp_path / "ck" / "a" / "x").write_text("x")
    with pytest.raises(ConfigError, match="checkpoint_dir: ck/a holds other files"):
        search(checkpoint_dir="ck")


def test_another_feature_network_ends_a_resumption(monkeypatch):
    search()

    def prepare(self, call):
        return Prepared(objective=LABEL, labels={"fid": LABEL}, features={"network": "other"})

    monkeypatch.setattr("fakes.FakeSession.prepare", prepare)
    with pytest.raises(ConfigError, match="features: .*would not be comparable"):
        autogan.run_search({"trials": 3}, resume="runs/a", engine=FakeEngine())


def test_trials_have_their_own_seeds():
    assert len({trial_seed(s, n) for s in range(10) for n in range(100)}) == 1000
    assert all(0 <= trial_seed(0, n) < 2**31 for n in range(100))


def test_plans_count(monkeypatch):
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
    plan = autogan.plan({**GRID, "params": {"d_iter": [1, 3]}, "epochs": 2})
    assert (plan.points, plan.config.trials, plan.steps) == (2, 2, 20)
    assert plan.trainings == 2
    assert plan.updates == 20 * (1 + 2)  # of a trial, at the mean of d_iter
    plan = autogan.plan({**GRID, "params": {"d_iter": [1, 3]}, "steps": 20, "max_steps": 30})
    assert (plan.trials, plan.config.trials) == (1, None)
    unlimited = {"search_method": "random", "params": {"learning_rate": "1e-4..1e-2"}}
    assert autogan.plan({**GRID, **unlimited, "max_minutes": 5}).trials is None
    honest = {"repeats": 3, "confirm": {"top": 2, "repeats": 5}}
    stopped = {"stopping": "asha", "evaluate_every": 1, "steps": 30}
    kept = autogan.plan({**GRID, **stopped})
    samples = (
        kept.megabytes - 2 * 1000 / 1e6
    )  # the fake's generator has 1,000 bytes, its state 4,000
    assert kept.most_megabytes == pytest.approx(3 * (samples + 2e-3) + 3 * 4e-3)
    forgotten = autogan.plan({**GRID, **stopped, "stopping": "median"})
    assert forgotten.most_megabytes == pytest.approx(3 * (samples + 2e-3) + 4 * 4e-3)
    assert autogan.plan({**GRID, **honest}).trainings == 2 * 3 + (2 + 1) * 5
    assert autogan.plan({**GRID, **honest}).full == 2 * 3 + (2 + 1) * 5
    screened = {
        "stopping": "screening",
        "evaluate_every": 3,
        "steps": 30,
        "search_method": "random",
    }
    plan = autogan.plan({**GRID, **screened, "params": {"d_iter": [1, 2]}, "distinct": False,
                         "trials": 27, "repeats": 2})  # fmt: skip
    assert plan.full == pytest.approx(27 * 0.1 + 3 * 0.9 + 3)  # the best three in full, twice


@pytest.mark.parametrize("stopping", ["asha", "screening", None])
def test_a_plan_under_max_steps_counts_what_a_rule_saves(monkeypatch, stopping):
    """Its trials cost the budget, as exactly as whole numbers of them can."""
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
    flags = {"steps": 30, "evaluate_every": 3, "stopping": stopping, "max_steps": 20 * 30 * 2}
    if stopping == "screening":
        flags["trials"] = 500
    plan = autogan.plan({**GRID, **flags, "search_method": "random", "distinct": False,
                         "params": {"learning_rate": "1e-4..1e-2"}})  # fmt: skip
    assert plan.full == pytest.approx(20, abs=1)
    assert (plan.trials > 30) == (stopping is not None)


@pytest.mark.parametrize("stopping", ["asha", "hyperband", "median", None])
@pytest.mark.parametrize("max_steps", [10**15, 2**62])
def test_a_plan_under_any_budget_is_made_at_once(monkeypatch, stopping, max_steps):
    """And it ends with the points that there are."""
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
    budget = {"steps": 30, "evaluate_every": 3, "stopping": stopping, "max_steps": max_steps}
    plan = autogan.plan({**GRID, **budget, "params": {"d_iter": [1, 2, 3]}})
    assert plan.trials == 3
    open_ended = {"search_method": "random", "params": {"learning_rate": "1e-4..1e-2"}}
    assert autogan.plan({**GRID, **budget, **open_ended}).trials > 10**10
    assert autogan.plan({**GRID, **budget, **open_ended, "trials": 7}).trials == 7


def test_a_plan_is_dry(tmp_path, monkeypatch):
    """Beside an earlier run, and without the feature network."""
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
    search()
    before = sorted(tmp_path.rglob("*"))
    asked = []
    monkeypatch.setattr(
        FakeSession, "open", lambda s, c, o=FakeSession.open: asked.append(c) or o(s, c)
    )
    assert autogan.plan(GRID).training_seconds is None
    assert sorted(tmp_path.rglob("*")) == before
    assert [call.features for call in asked] == [False]


def test_a_plan_tells_how_long_all_will_take(monkeypatch):
    """The fake takes half a second for a step with one discriminator update, two to evaluate."""
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
    plan = autogan.plan(
        {**GRID, "params": {"d_iter": [1, 3]}, "steps": 20, "evaluate_every": 10}, estimate=True
    )
    assert plan.training_seconds == pytest.approx(20 * 0.5 * 1.5 + 2 * 2.0)  # (2 + 4) / 2 updates
    assert plan.evaluations_timed


def test_the_default_space_and_all_defaults_are_spelled_out(tmp_path):
    searched = autogan.run_search(
        {
            "run_dir": "runs/a",
            "gan_type": "dcgan",
            "trials": 1,
            "search_method": "random",
            "params": {"width": 8},
        },
        engine=FakeEngine(),
    )
    saved = yaml.safe_load((tmp_path / "runs/a/search.yaml").read_text())
    declared = searched.config.gan.hyperparameters
    assert saved["params"] == {
        **{h.name: list(h.search) if h.search else h.default for h in declared}, "width": 8,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "trials", "told"),
    [
        ("gp", 3, "gp draws its first 3 trials at random: with 3 it chooses none"),
        ("gp", 4, ""),
        ("tpe", 10, "tpe draws its first 10 trials at random: with 10 it chooses none"),
        ("nsga2", 11, ""),
        ("cmaes", 2, "cmaes draws its first 4 trials at random: with 2 it chooses none"),
        ("adaptive", 2, "adaptive draws its first 2 trials at random: with 2 it chooses none"),
        ("random", 1, ""),
    ],
)
def test_a_method_that_would_only_draw_says_so(method, trials, told):
    config = SearchConfig(
        dataset="digits", params={"learning_rate": "1e-4..1e-2:log"}, search_method=method,
        trials=trials,
    ).resolved()  # fmt: skip
    assert [line.split(";")[0] for line in config.useless()] == ([told] if told else [])


class TestEnqueue:
    """A point of the user's own is tried first."""

    def test_first_of_all_and_counted(self):
        own = {"learning_rate": 7e-4}
        result = search(params={"learning_rate": "1e-4..1e-3"}, search_method="random", trials=3,
                        enqueue=[own, {}])  # fmt: skip
        assert [t.origin for t in result.trials] == ["enqueued", "enqueued", ""]
        assert result.trials[0].params == own
        assert result.trials[1].params == {"learning_rate": 1e-3}  # the default
        assert len(result.trials) == 3

    def test_what_was_not_tried_is_told(self, capsys):
        own = [{"learning_rate": rate} for rate in (5e-4, 6e-4, 7e-4)]
        autogan.run_search(
            {"params": {"learning_rate": "1e-4..1e-3"}, "search_method": "random", "trials": 1,
             "enqueue": own},
            engine=FakeEngine(), display=PlainDisplay(),
        )  # fmt: skip
        told = "2 enqueued points were not tried; resume with more --trials"
        assert told in capsys.readouterr().err

    def test_once_each_and_later_too(self):
        own = {"learning_rate": 7e-4}
        flags = {"params": {"learning_rate": "1e-4..1e-3"}, "search_method": "random", "trials": 2}
        search(**flags, enqueue=[own, own])
        again = autogan.run_search(
            {"enqueue": [own, {"learning_rate": 8e-4}], "trials": 4},
            resume="runs/a", engine=FakeEngine(),
        )  # fmt: skip
        assert [t.params["learning_rate"] for t in again.trials if t.origin == "enqueued"] == [
            7e-4,
            8e-4,
        ]

    def test_as_text_and_with_conditions(self):
        point = "optimizer=rmsprop,learning_rate=0.001"
        params = {
            "optimizer": ["adam", "rmsprop"],
            "beta1": [0.0, 0.5],
            "learning_rate": [1e-4, 1e-3],
        }
        result = search(params=params, enqueue=point, search_method="random", trials=1)
        assert result.best.params == {"optimizer": "rmsprop", "learning_rate": 0.001}
        assert result.config.enqueue == (result.best.params,)

    def test_a_point_out_of_its_range_is_refused_and_leaves_nothing(self, tmp_path):
        ranges = {"learning_rate": "1e-4..1e-2:log", "d_iter": "2..4"}
        for own, problem in (
            ({"learning_rate": 0.5, "d_iter": 3}, "learning_rate 0.5 is outside its range 0.0001"),
            ({"d_iter": 5}, "d_iter 5 is outside its range 2..4; give a value inside, or widen"),
        ):
            with pytest.raises(ConfigError, match=f"^enqueue: {problem}"):
                search(params=ranges, search_method="random", enqueue=[own])
        assert not (tmp_path / "runs").exists()
        found = search(params=ranges, search_method="random", trials=1,
                       enqueue=[{"learning_rate": 1e-2}])  # fmt: skip
        assert found.trials[0].params == {"learning_rate": 1e-2, "d_iter": 2}  # its default is 1

    def test_one_that_an_older_version_took_can_be_gone_on_with(self):
        inside, outside = {"learning_rate": 1e-3}, {"learning_rate": 0.5}
        search(params={"learning_rate": "1e-4..1e-2:log"}, search_method="random", trials=1,
               enqueue=[inside])  # fmt: skip
        file = Path("runs/a/search.yaml")
        saved = yaml.safe_load(file.read_text())
        file.write_text(yaml.safe_dump({**saved, "enqueue": [inside, outside]}))
        again = autogan.run_search({"trials": 3}, resume="runs/a", engine=FakeEngine())
        assert [t.params["learning_rate"] for t in again.trials][:2] == [1e-3, 0.5]
        with pytest.raises(ConfigError, match="enqueue: learning_rate 0.7 is outside"):
            autogan.run_search({"enqueue": [inside, outside, {"learning_rate": 0.7}], "trials": 4},
                               resume="runs/a", engine=FakeEngine())  # fmt: skip

    @pytest.mark.parametrize(
        ("method", "rate", "learns"),
        [("gp", 0.5, False), ("gp", 5e-4, True), ("explore", 0.5, False)],
    )
    def test_what_is_none_of_the_candidates_is_noted(self, method, rate, learns, capsys):
        """Between two candidates a value is learned from; beyond them it is not."""
        autogan.run_search(
            {"params": {"learning_rate": [1e-4, 1e-3]}, "search_method": method, "trials": 1,
             "enqueue": [{"learning_rate": rate}]},
            engine=FakeEngine(), display=PlainDisplay(),
        )  # fmt: skip
        told = (
            f"learning_rate {rate} of an enqueued point is not one of the candidates "
            "0.0001, 0.001: it is tried"
        )
        beyond = f", but {method} does not learn from it"
        err = capsys.readouterr().err
        assert told in err
        assert (told + beyond in err) == (method == "gp" and not learns)

    @pytest.mark.parametrize(
        ("point", "problem"),
        [
            ({"width": 8}, "'width' is not searched"),
            ({"learning_rate": -1}, "-1 is not a number from"),
            ("learning_rate", "'learning_rate' is not of the form"),
            ({"learning_rate": [1e-4, 1e-3]}, "is not a number"),
        ],
    )
    def test_refusals(self, point, problem):
        with pytest.raises(ConfigError, match=problem):
            search(enqueue=[point])


def test_training_keeps_the_same_rules(tmp_path):
    config = {"params": {"learning_rate": 1e-3}, "run_dir": "runs/t"}
    result = autogan.train(config, engine=FakeEngine())
    assert result.trial.value == min(e.scores[LABEL] for e in result.trial.evaluations)
    (tmp_path / "runs/t/config.yaml").write_text("params: {learning_rate: 0.001}\n")
    assert (tmp_path / "runs/t/.lock").exists()
    with pytest.raises(ConfigError, match="run_dir: runs/t holds an earlier run"):
        autogan.train(config, engine=FakeEngine())
    with pytest.raises(ConfigError, match="resume: .*seed was 0, now 3"):
        autogan.train({**config, "seed": 3}, resume=True, engine=FakeEngine())


IS = "is_fake_9"


def test_a_weighted_sum_decides(tmp_path):
    result = search(criterion="is - 0.01*fid")
    assert result.objective == f"{IS}-0.01*{LABEL}"
    for trial in result.trials:
        sums = [e.scores[IS] - 0.01 * e.scores[LABEL] for e in trial.evaluations]
        assert trial.value == pytest.approx(max(sums))
    assert result.best.value == max(t.value for t in result.trials)
    assert f"{IS}-0.01*{LABEL}" in (tmp_path / "runs/a/best.yaml").read_text()


def test_sums_scaled_by_the_history_are_of_one_scale_and_never_stored(tmp_path):
    changes = {
        "criterion": "is - 0.5*fid",
        "normalise": "history",
        "params": {"learning_rate": [1e-4, 3e-4, 1e-3, 3e-3]},
    }
    result = search(**changes)
    kept = [next(e.scores for e in t.evaluations if e.step == t.step) for t in result.trials]
    ranges = {
        label: (min(k[label] for k in kept), max(k[label] for k in kept)) for label in (IS, LABEL)
    }

    def scaled(scores, label):
        low, high = ranges[label]
        return (scores[label] - low) / (high - low)

    for trial, scores in zip(result.trials, kept, strict=True):
        assert trial.value == pytest.approx(scaled(scores, IS) - 0.5 * scaled(scores, LABEL))
    assert result.in_hand.value == max(t.value for t in result.trials)
    lines = (tmp_path / "runs/a/trials.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [r["value"] for r in records if r["record"] == "ended"] == [None] * 4

    # A trial's own configuration holds the ranges that had been seen when it began.
    best = yaml.safe_load((tmp_path / "runs/a/best.yaml").read_text())
    number = result.best.number
    expected = {
        name: [min(k[label] for k in kept[:number]), max(k[label] for k in kept[:number])]
        for name, label in (("is", IS), ("fid", LABEL))
        if number > 1
    }
    assert best["normalise"] == expected

    # Two trials and then two more come to the same as four.
    first = search(**{**changes, "trials": 2, "run_dir": "runs/b"})
    assert len(first.trials) == 2
    resumed = autogan.run_search({"trials": 4}, resume="runs/b", engine=FakeEngine())
    assert [t.value for t in resumed.trials] == [t.value for t in result.trials]


RANDOM = {"search_method": "random", "params": {"learning_rate": "1e-4..1e-2:log"}}


class TestBudgets:
    """A search ends before a trial that would begin beyond a budget."""

    def test_steps_count_updates_of_both_networks(self, tmp_path):
        d_iter = {**RANDOM["params"], "d_iter": 3}
        result = search(**RANDOM | {"params": d_iter, "steps": 30, "max_steps": 300})
        assert len(result.trials) == 3  # 30 steps of four updates each: 120, 240, 360
        more = autogan.run_search({"max_steps": 400}, resume="runs/a", engine=FakeEngine())
        assert len(more.trials) == 4

    def test_steps_count_trials_that_diverge_before_an_evaluation(self):
        diverging = {"params": {**RANDOM["params"], "z_dim": DIVERGE, "d_iter": 3}}
        result = search(**RANDOM | diverging | {"steps": 30, "max_steps": 300})
        assert len(result.trials) == 3

    def test_minutes_count_trials_work(self, monkeypatch):
        monkeypatch.setattr("fakes.SECONDS", 60.0)
        assert len(search(**RANDOM, max_minutes=4.5).trials) == 5

    def test_trials_limit_too(self):
        assert len(search(**RANDOM, max_steps=10**6, trials=2).trials) == 2

    def test_without_any_budget_there_are_ten_trials(self):
        assert len(search(**RANDOM).trials) == 10

    @pytest.mark.parametrize("criterion", ["fid", "is"])
    def test_a_target_ends_the_search(self, criterion):
        whole = search(**RANDOM, criterion=criterion, trials=8)
        values = [t.value for t in whole.trials]
        better = min if criterion == "fid" else max
        target = better(values[:4])
        first = values.index(target)
        result = search(**RANDOM, criterion=criterion, target=target, run_dir="runs/b")
        assert len(result.trials) == first + 1
        assert result.in_hand.value == target


SCREENING = {**RANDOM, "stopping": "screening", "trials": 20, "steps": 30, "evaluate_every": 10}


class TestBudgetsBound:
    """The whole search, with the last full trainings and the confirmation, keeps to a budget."""

    def spent(self, result):
        return sum(t.steps * 2 for t in result.trials)  # d_iter is 1

    def test_the_last_full_trainings_are_kept_a_reserve_for(self):
        """A third of a training is 20 updates: before, 20 beginnings took all 400."""
        result = search(**SCREENING, max_steps=400)
        states = [t.state for t in result.trials]
        assert states.count(State.COMPLETE) >= 1
        assert result.best.state is State.COMPLETE
        assert 400 - 60 <= self.spent(result) <= 400

    def test_further_seeds_of_the_last_few_are_too(self):
        result = search(**SCREENING, max_steps=600, repeats=2)
        assert sum(t.repeats is not None for t in result.trials) >= 1
        assert self.spent(result) <= 600 + 60

    def test_asha_trains_one_in_full_even_if_little_is_left(self):
        asha = {**SCREENING, "stopping": "asha", "search_method": "random"}
        result = search(**asha, max_steps=130)
        assert State.COMPLETE in [t.state for t in result.trials]
        assert self.spent(result) <= 130 + 60

    def test_a_confirmation_is_part_of_it(self):
        """Eight trainings of the confirmation are 480 updates; 520 are left for the search."""
        confirm = {"confirm": {"top": 1, "repeats": 4}}
        result = search(**RANDOM, steps=30, max_steps=1000, **confirm)
        assert sum(t.confirms for t in result.trials) == 8
        assert len(result.confirmed) == 2
        assert 1000 - 60 <= self.spent(result) <= 1000 + 60

    def test_minutes_are_kept_for_it_too(self, monkeypatch):
        monkeypatch.setattr("fakes.SECONDS", 60.0)
        confirm = {"confirm": {"top": 1, "repeats": 2}}
        result = search(**RANDOM, steps=30, max_minutes=10, **confirm)
        assert result.confirmed
        assert sum(t.confirms for t in result.trials) == 2 * len(result.confirmed)
        assert 7 <= len(result.trials) <= 10

    def test_a_budget_that_cannot_hold_it_is_refused(self, tmp_path):
        confirm = {"confirm": {"top": 3, "repeats": 5}}
        with pytest.raises(
            ConfigError, match="max_steps: 400 is too small for a trial and the confirmation"
        ):
            search(**RANDOM, steps=30, max_steps=400, **confirm)
        assert list(tmp_path.iterdir()) == []

    def test_a_search_without_a_full_training_says_so(self):
        notes = []

        class Notes(Display):
            def note(self, text):
                notes.append(text)

        autogan.run_search(
            {**GRID, **SCREENING, "max_steps": 15}, engine=FakeEngine(), display=Notes()
        )
        assert any("no trial was trained to its end" in note for note in notes)


class TestMachinesFaults:
    def test_a_full_disk_fails_no_trial(self, monkeypatch, tmp_path):
        """One line that says how to go on; resumed, the search is as if nothing had been."""
        full = {"params": {"z_dim": [FULL, 20, 21]}}
        with pytest.raises(StorageError) as caught:
            search(**full)
        again = command("autogan", "search", "--resume", "runs/a")
        assert str(caught.value) == f"no space left in runs/a; resume with: {again}"
        monkeypatch.setattr("fakes.FULL", -1)
        resumed = autogan.run_search(resume="runs/a", engine=FakeEngine())
        assert [t.state for t in resumed.trials] == [State.COMPLETE] * 3

    def test_a_record_that_cannot_be_written_loses_nothing(self, monkeypatch, tmp_path):
        """The file system is full at the fifth line of the record."""
        whole = search(run_dir="runs/whole")
        calls = iter(range(100))

        def full(descriptor):
            if next(calls) == 14:
                raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(StorageError, match="no space left in runs/a.*; resume with"):
                search()
        resumed = autogan.run_search(resume="runs/a", engine=FakeEngine())
        assert [t.value for t in resumed.trials] == [t.value for t in whole.trials]

    def test_failed_points_are_tried_again_when_asked(self, monkeypatch):
        failing = {"params": {"z_dim": [RAISE, 20]}}
        first = search(**failing)
        assert first.trials[0].state is State.FAILED
        unasked = autogan.run_search(resume="runs/a", engine=FakeEngine())
        assert unasked.trials[0].state is State.FAILED
        monkeypatch.setattr("fakes.RAISE", -1)
        again = autogan.run_search(resume="runs/a", retry_failed=True, engine=FakeEngine())
        assert [t.state for t in again.trials] == [State.COMPLETE] * 2
        assert again.trials[0].seed == first.trials[0].seed
        with pytest.raises(ConfigError, match="retry_failed: True without --resume"):
            autogan.run_search(GRID, retry_failed=True, engine=FakeEngine())

    def test_a_folder_that_is_moved_meanwhile_stops_the_search(self, tmp_path):
        class Move(Display):
            def trial_ended(self, trial, best):
                if trial.number == 0:
                    (tmp_path / "runs/a").rename(tmp_path / "moved")

        with pytest.raises(
            SearchFailed, match="runs/a/trials.jsonl is gone; move the run's folder"
        ):
            autogan.run_search(GRID, engine=FakeEngine(), display=Move())
        assert not (tmp_path / "runs/a/trials.jsonl").exists()
        shutil.rmtree(tmp_path / "runs/a", ignore_errors=True)
        (tmp_path / "moved").rename(tmp_path / "runs/a")
        resumed = autogan.run_search(resume="runs/a", engine=FakeEngine())
        assert [t.state for t in resumed.trials] == [State.COMPLETE] * 3

    def test_a_folder_that_is_moved_at_an_evaluation_stops_the_search(self, tmp_path):
        """The worker waits for an answer that cannot be recorded; it saves nothing in the way."""

        class Move(Display):
            def evaluated(self, trial):
                if trial.number == 1 and len(trial.evaluations) == 1:
                    (tmp_path / "runs/a").rename(tmp_path / "moved")

        pool = pool_of(1)
        with pytest.raises(
            SearchFailed, match="runs/a/trials.jsonl is gone; move the run's folder"
        ):
            autogan.run_search(GRID, engine=pool, display=Move())
        pool.close()
        shutil.rmtree(tmp_path / "runs/a", ignore_errors=True)  # the fake worker's checkpoint
        (tmp_path / "moved").rename(tmp_path / "runs/a")
        resumed = autogan.run_search(resume="runs/a", engine=FakeEngine())
        whole = search(run_dir="runs/b")
        assert [t.evaluations for t in resumed.trials] == [t.evaluations for t in whole.trials]
        assert autogan.check("runs/a").difference == ""

    @pytest.mark.parametrize(
        ("proposed", "said"),
        [
            (
                ({"learning_rate": 1e-3}, ""),
                r"grid returned \(\{'learning_rate': 0.001\}, ''\); it",
            ),
            ("a text", "grid returned 'a text'; it must return a Proposal or None"),
            (
                Proposal({"learning_rate": 1e-3}, 5),
                "its point must be a mapping, and its origin a text",
            ),
            (Proposal([1e-3]), "its point must be a mapping, and its origin a text"),
            (Proposal({"learning_rate": 10**400}), ".*"),
            (Proposal({"learning_rate": [1]}), ".*"),
            (Proposal({}), r"grid proposed \{\}: it lacks 'learning_rate'"),
        ],
    )
    @pytest.mark.parametrize("first", [0, 1])
    def test_a_method_that_returns_something_else_is_one_line(
        self, monkeypatch, proposed, said, first
    ):
        def propose(self, space, history, seed):
            many = len(history.trials) >= first
            return proposed if many else Proposal({"learning_rate": 1e-4})

        monkeypatch.setattr("autogan.search.grid.GridSearch.propose", propose)
        with pytest.raises(ConfigError, match=f"^(search_method|learning_rate): .*{said}") as told:
            search()
        assert "\n" not in str(told.value)

    def test_a_method_that_cannot_be_made_is_one_line(self, monkeypatch):
        def init(self, distinct=True):
            raise ZeroDivisionError("of mine")

        monkeypatch.setattr("autogan.search.grid.GridSearch.__init__", init)
        with pytest.raises(ConfigError, match="grid cannot be created .ZeroDivisionError: of mine"):
            search()

    @pytest.mark.parametrize(
        ("method", "answer", "said"),
        [
            ("goes_on", 1, "returned 1; it must return True or False"),
            ("goes_on", "yes", "returned 'yes'; it must return True or False"),
            ("goes_on", None, "returned None; it must return True or False"),
            ("goes_on", ZeroDivisionError("of mine"), "failed: ZeroDivisionError: of mine"),
            ("goes_on", SystemExit(3), "failed: SystemExit: 3"),
            ("revived", 0, "returned 0; it must return a trial that was stopped, or None"),
            ("revived", Trial(7, {}), ".*it must return a trial that was stopped, or None"),
            ("finals", "many", "returned 'many'; it must return a number"),
            ("finals", float("nan"), "returned nan; it must return 0 or a positive number"),
        ],
    )
    def test_a_rule_that_answers_something_else_is_one_line(
        self, monkeypatch, method, answer, said
    ):
        """And the record stays readable: nothing is written that no record may have."""

        def answers(self, *args, **how):
            if isinstance(answer, BaseException):
                raise answer
            return answer

        rule = {"stopping": "median", "steps": 30, "evaluate_every": 10}
        with monkeypatch.context() as patch:
            patch.setattr(f"autogan.search.stopping.MedianRule.{method}", answers, raising=False)
            with pytest.raises(SearchFailed, match=f"the stopping rule median {said}") as told:
                search(**rule)
        assert "\n" not in str(told.value)
        assert len(autogan.load("runs/a").trials) <= 1
        resumed = autogan.run_search(resume="runs/a", engine=FakeEngine())
        assert [t.state for t in resumed.trials] == [State.COMPLETE] * 3
        assert autogan.check("runs/a").difference == ""

    def test_a_rule_may_answer_with_numpys_truth(self, monkeypatch):
        monkeypatch.setattr(
            "autogan.search.stopping.MedianRule.goes_on",
            lambda self, history, trial: np.min([1.0]) <= np.min([2.0]),
        )
        search(stopping="median", steps=30, evaluate_every=10)
        assert set(Ledger(Path("runs/a/trials.jsonl")).answers.values()) == {True}

    def test_a_method_that_raises_is_one_line(self, monkeypatch):
        def propose(self, space, history, seed):
            if history.trials:
                raise ZeroDivisionError("of mine")
            return Proposal({"learning_rate": 1e-3})

        monkeypatch.setattr("autogan.search.grid.GridSearch.propose", propose)
        with pytest.raises(SearchFailed, match="search method grid failed: ZeroDivisionError: of"):
            search()


class TestIdentity:
    """What values depend on is in the record, and must be the same when a search goes on."""

    def test_changed_images_are_refused(self, monkeypatch):
        search()
        monkeypatch.setattr(FakeSession, "data", "b")
        with pytest.raises(ConfigError, match="dataset: digest was a, is now b, .*restore the im"):
            autogan.run_search({"trials": 9}, resume="runs/a", engine=FakeEngine())
        with pytest.raises(ConfigError, match="warm_start: .*other data: digest was a, is now b"):
            search(run_dir="runs/b", warm_start="runs/a")

    def test_changed_images_can_be_accepted_where_values_are_measured_as_before(
        self, monkeypatch, tmp_path
    ):
        search(trials=1)
        monkeypatch.setattr(FakeSession, "data", "b")

        def resumed(trials, **how):
            return autogan.run_search(
                {"trials": trials}, resume="runs/a", engine=FakeEngine(), **how
            )

        before = (tmp_path / "runs/a/trials.jsonl").read_bytes()
        with pytest.raises(ConfigError, match="measured as before; .* with --accept-changed-data$"):
            resumed(2)
        assert (tmp_path / "runs/a/trials.jsonl").read_bytes() == before
        assert len(resumed(2, accept_changed_data=True).trials) == 2
        assert len(resumed(3).trials) == 3  # from here on, those are the images
        assert [
            r["data"]["digest"]
            for r in map(json.loads, Path("runs/a/trials.jsonl").read_text().splitlines())
            if r["record"] == "data"
        ] == ["b"]
        assert not check_record(tmp_path / "runs/a").difference
        monkeypatch.setattr(FakeSession, "data", "a")
        with pytest.raises(ConfigError, match="dataset: digest was b, is now a"):
            resumed(3)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("labels", "digest was a, is now b: the values would not be comparable; restore the"),
            ("images", "images was 640, is now 641; digest was a, is now b: the trainings would"),
        ],
    )
    def test_values_are_never_mixed(self, monkeypatch, name, expected):
        search(trials=2)
        monkeypatch.setattr(FakeSession, "data", "b")
        first, prepared = FakeSession.open, FakeSession.prepare

        def other(self, call):
            if name == "labels":
                return prepared(self, call).model_copy(update={"labels": {"fid": "fid_other"}})
            return first(self, call).model_copy(update={"images": 641})

        monkeypatch.setattr(FakeSession, "prepare" if name == "labels" else "open", other)
        with pytest.raises(ConfigError, match=f"dataset: {expected}"):
            autogan.run_search(
                {"trials": 3}, resume="runs/a", engine=FakeEngine(), accept_changed_data=True
            )

    def test_images_are_accepted_of_a_search_that_goes_on(self):
        with pytest.raises(ConfigError, match="accept_changed_data: True without --resume"):
            autogan.run_search(GRID, accept_changed_data=True, engine=FakeEngine())

    def test_saved_paths_are_whole(self, tmp_path):
        for name in ("pics", "ck"):
            (tmp_path / name).mkdir()
        search(dataset="folder:pics", features="net", checkpoint_dir="ck", data_dir="pics")
        saved = yaml.safe_load((tmp_path / "runs/a/search.yaml").read_text())
        best = yaml.safe_load((tmp_path / "runs/a/best.yaml").read_text())
        for keys in (saved, best):
            assert keys["dataset"] == f"folder:{tmp_path}/pics"
            assert keys["features"] == f"{tmp_path}/net"
            assert keys["checkpoint_dir"] == f"{tmp_path}/ck"
            assert keys["data_dir"] == f"{tmp_path}/pics"
        assert saved["run_dir"] == f"{tmp_path}/runs/a"


def saving():
    """A fake engine whose trainings leave a state."""

    class Saving(FakeSession):
        def train(self, call):
            write_bytes(Path(call.folder) / "checkpoints" / "state.npz", b"state")
            return super().train(call)

    engine = FakeEngine()
    engine._session = Saving(engine)
    return engine


def test_a_winner_that_a_confirmation_trained_keeps_its_state(tmp_path):
    changes = {"trials": 4, "confirm": {"top": 2, "repeats": 3}, "run_dir": "runs/a"}
    result = autogan.run_search({**GRID, **RANDOM, **changes}, engine=saving())
    assert result.best.confirms is not None
    left = {int(p.parts[-3][:4]) for p in tmp_path.glob("runs/a/trials/*/*/state.npz")}
    assert left == {result.best.number}


def test_stopped_trials_state_is_deleted_when_no_rule_asks_for_it(tmp_path):
    """By the median rule at once; by others when the search has ended."""
    held, root = [], []

    class Watch(Display):
        def trial_started(self, trial, position, trials):
            held.append(len(list(tmp_path.glob(f"{root[-1]}/trials/*/checkpoints/state.npz"))))

    for rule in ("median", "screening"):
        held.clear()
        root.append(f"runs/{rule}")
        engine = saving()
        changes = {"stopping": rule, "trials": 12, "steps": 30, "evaluate_every": 10}
        result = autogan.run_search(
            {**GRID, **RANDOM, **changes, "run_dir": f"runs/{rule}"}, engine=engine, display=Watch()
        )
        assert State.STOPPED in [t.state for t in result.trials]
        stopped = [t.number for t in result.trials if t.state is State.STOPPED]
        left = {int(p.parts[-3][:4]) for p in tmp_path.glob(f"runs/{rule}/trials/*/*/state.npz")}
        assert not left & set(stopped)
        if rule == "median":  # only complete ones hold some: the fake never deletes its own
            assert max(held) <= sum(t.state is State.COMPLETE for t in result.trials) + 1
        else:
            assert max(held) == 12


def test_loop_costs_of_many_trials_are_small(monkeypatch):
    """Nothing is parsed again at a proposal: hyperparameters are read once from a configuration."""
    calls = []
    real = grammar.yaml.load
    monkeypatch.setattr(grammar.yaml, "load", lambda *a: calls.append(1) or real(*a))
    search(**RANDOM, trials=8, max_steps=10**9)
    few = len(calls)
    calls.clear()
    search(**RANDOM, trials=16, max_steps=10**9, run_dir="runs/b")
    assert len(calls) - few <= 8 * 4  # the trials' own configurations, each read a few times


def test_overwriting_measures_by_nothing_of_the_run_that_goes(monkeypatch):
    """Its classifier's weights lie in the folder while the new search is being checked."""
    asked = []

    class Asked(FakeSession):
        def prepare(self, call):
            asked.append(call.folder)
            return super().prepare(call)

    for how in ({}, {"overwrite": True}):
        engine = FakeEngine()
        engine._session = Asked(engine)
        autogan.run_search(GRID, engine=engine, **how)
    engine = FakeEngine()
    engine._session = Asked(engine)
    autogan.run_search(resume="runs/a", engine=engine)
    assert asked == ["", "", os.path.realpath("runs/a")]


def test_a_dear_winner_is_confirmed_to_the_end():
    """The best points cost seven times the others; the reserve is by what they cost."""
    params = {"learning_rate": "1e-4..1e-2:log", "d_iter": [1, 13]}
    confirm = {"top": 3, "repeats": 5}
    result = search(
        search_method="random", params=params, steps=30, max_steps=14000, confirm=confirm
    )
    assert result.confirmed
    assert sum(t.steps * (1 + t.params["d_iter"]) for t in result.trials) <= 14000 + 14 * 30


def stopped_trial():
    """A search by the median rule, and a trial of it that was stopped, with its folder."""
    rates = [4e-4, 4.1e-4, 3.9e-4, 4.2e-4, 1e-2, 2e-2]
    flags = {"stopping": "median", "steps": 30, "evaluate_every": 10}
    result = search(params={"learning_rate": rates}, **flags)
    stopped = next(t for t in result.trials if t.state is State.STOPPED)
    return result, stopped, next((result.folder.root / "trials").glob(f"{stopped.number:04d}-*"))


def test_a_stopped_trial_that_was_trained_on_by_hand_counts():
    """As `autogan train TRIAL/config.yaml --run-dir TRIAL --resume` leaves it."""
    result, stopped, folder = stopped_trial()
    told = Evaluation(30, {LABEL: 1e-3}, 1e-3)
    by_hand = dataclasses.replace(
        stopped, state=State.COMPLETE, evaluations=[*stopped.evaluations, told],
        value=1e-3, step=30, last_value=1e-3, steps=30,
    )  # fmt: skip
    write_json(folder / "result.json", {**dataclasses.asdict(by_hand), "environment": {}})
    config = result.config.trial_config(stopped.params, stopped.seed)
    (folder / "config.yaml").write_text(yaml.safe_dump(config.as_dict()))
    again = autogan.run_search(resume="runs/a", engine=FakeEngine())
    assert again.trials[stopped.number].state is State.COMPLETE
    assert (again.in_hand.number, again.in_hand.value) == (stopped.number, 1e-3)
    once_more = autogan.run_search(resume="runs/a", engine=FakeEngine())
    assert once_more.trials == again.trials


def test_another_training_in_a_stopped_trials_folder_does_not_count():
    """As `autogan train ... --run-dir TRIAL --overwrite` with other hyperparameters leaves it."""
    result, stopped, folder = stopped_trial()
    other = dataclasses.replace(stopped, state=State.COMPLETE, value=1e-3, step=30, steps=300)
    write_json(folder / "result.json", {**dataclasses.asdict(other), "environment": {}})
    config = result.config.trial_config({"learning_rate": 9e-4}, stopped.seed)
    (folder / "config.yaml").write_text(yaml.safe_dump(config.as_dict()))
    again = autogan.run_search(resume="runs/a", engine=FakeEngine())
    assert again.trials == result.trials


class TestByHand:
    """A trial is trained by hand: not while its search is at work, nor the other way round."""

    def train(self, root, **more):
        config = load_config(TrainConfig, root / "config.yaml", {"run_dir": root})
        return autogan.train(config, resume=True, engine=FakeEngine(), **more)

    def test_a_running_search_keeps_its_trials(self):
        result, _, folder = stopped_trial()
        claim = Claim(result.folder.root)
        write_config(result, folder)
        with pytest.raises(ConfigError, match=r"^run_dir: .*runs/a is in use by another autogan"):
            self.train(folder)
        claim.release()
        assert self.train(folder).trial.state is State.COMPLETE

    def test_a_trial_in_training_holds_its_search_off(self):
        result, _, folder = stopped_trial()
        write_config(result, folder)
        refusals = []

        class Resume(Display):
            def trial_started(self, trial, position, trials):
                with pytest.raises(ConfigError, match="runs/a is in use by another autogan"):
                    autogan.run_search(resume="runs/a", engine=FakeEngine())
                with beside_search(folder.parent / "another"):
                    refusals.append(trial.number)  # other trials may be trained meanwhile

        self.train(folder, display=Resume())
        assert len(refusals) == 1
        Claim(result.folder.root).release()


def write_config(result, folder):
    """A trial's configuration, as its worker writes it."""
    trial = next(t for t in result.trials if folder.name.startswith(f"{t.number:04d}-"))
    config = result.config.trial_config(trial.params, trial.seed)
    (folder / "config.yaml").write_text(yaml.safe_dump(config.as_dict()))
