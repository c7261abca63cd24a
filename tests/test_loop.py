"""The search loop: budgets, outcomes, resuming, and what it refuses."""

import json

import pytest
import yaml
from fakes import DIVERGE, LABEL, RAISE, FakeEngine

import autogan
from autogan.core.errors import ConfigError, SearchFailed
from autogan.run.claim import Claim
from autogan.run.loop import trial_seed
from autogan.run.messages import Prepared
from autogan.search import State

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
    assert len((tmp_path / "runs/a/trials.jsonl").read_text().splitlines()) == 1 + 6


def test_a_finished_search_is_resumed_with_more_trials():
    random = {"search_method": "random", "trials": 2, "params": {"learning_rate": "1e-4..1e-2"}}
    first = search(**random)
    engine = FakeEngine()
    more = autogan.run_search({"trials": 4}, resume="runs/a", engine=engine)
    assert engine.started == [2, 3]
    assert more.trials[:2] == first.trials
    whole = search(**{**random, "trials": 4, "run_dir": "runs/b"})
    assert [t.params for t in whole.trials] == [t.params for t in more.trials]


def test_resuming_with_another_configuration_shows_the_difference():
    search()
    with pytest.raises(ConfigError, match=r"resume: .*seed was 0, now 5"):
        autogan.run_search({"seed": 5}, resume="runs/a", engine=FakeEngine())


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
        with pytest.raises(ConfigError, match="run_dir: other holds files of something else"):
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
    with pytest.raises(ConfigError, match="result_dir: pictures/a holds files"):
        autogan.run_search({**GRID, "result_dir": "pictures"}, overwrite=True, engine=FakeEngine())
    assert (tmp_path / "runs/a/best.yaml").exists()
    autogan.run_search({**GRID, "trials": 1}, overwrite=True, engine=FakeEngine())
    assert (tmp_path / "runs/a/notes.txt").exists()
    assert len(list((tmp_path / "runs/a/trials").iterdir())) == 1


def test_a_run_that_appears_during_the_checks_is_not_lost(tmp_path, monkeypatch):
    """Another command is faster, between our look at the folder and our lock on it."""

    def slow(root):
        monkeypatch.setattr("autogan.commands.Claim", Claim)
        search()
        return Claim(root)

    monkeypatch.setattr("autogan.commands.Claim", slow)
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
    with pytest.raises(ConfigError, match="checkpoint_dir: ck/a holds files"):
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
    monkeypatch.setattr("autogan.commands.LocalEngine", FakeEngine)
    plan = autogan.plan({**GRID, "params": {"d_iter": [1, 3]}, "epochs": 2})
    assert (plan.points, plan.config.trials, plan.steps) == (2, 2, 20)
    assert plan.trainings == 2
    assert plan.updates == 20 * (1 + 2)  # of a trial, at the mean of d_iter
    plan = autogan.plan({**GRID, "params": {"d_iter": [1, 3]}, "steps": 20, "max_steps": 30})
    assert (plan.trials, plan.config.trials) == (1, None)
    unlimited = {"search_method": "random", "params": {"learning_rate": "1e-4..1e-2"}}
    assert autogan.plan({**GRID, **unlimited, "max_minutes": 5}).trials is None
    honest = {"repeats": 3, "confirm": {"top": 2, "repeats": 5}}
    assert autogan.plan({**GRID, **honest}).trainings == 3 * 3 + (2 + 1) * 5


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
    assert result.best.value == max(t.value for t in result.trials)
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
        assert result.best.value == target
