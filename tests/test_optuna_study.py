"""A search as a study of Optuna: every trial, its state, values and course."""

import pytest
from fakes import FakeEngine

import autogan
from autogan.core.errors import ConfigError
from autogan.search import State
from autogan.show.study import write_study

optuna = pytest.importorskip("optuna")
KINDS = optuna.trial.TrialState


def searched(**changes):
    config = {
        "dataset": "digits", "gan_type": "dcgan", "trials": 8, "steps": 30, "evaluate_every": 10,
        "search_method": "random", "run_dir": "runs/a",
        "params": {"learning_rate": "1e-4..1e-2:log", "d_iter": [1, 3], "optimizer": ["adam",
                   "rmsprop"]},
    }  # fmt: skip
    return autogan.run_search({**config, **changes}, engine=FakeEngine())


def study_of(path, name="a"):
    return optuna.load_study(study_name=name, storage=f"sqlite:///{path}")


def test_trials_states_values_and_courses(tmp_path):
    result = searched(stopping="asha")
    write_study(result, tmp_path / "a.db")
    study = study_of(tmp_path / "a.db")
    assert study.direction == optuna.study.StudyDirection.MINIMIZE
    assert study.user_attrs == {"criteria": ["fid"]}
    assert len(study.trials) == len(result.trials)
    stopped = 0
    for ours, theirs in zip(result.trials, study.trials, strict=True):
        assert theirs.number == ours.number
        assert theirs.params == ours.params
        assert theirs.user_attrs["seed"] == ours.seed
        assert theirs.user_attrs["state"] == ours.state.value
        assert theirs.intermediate_values == {e.step: e.value for e in ours.evaluations}
        expected = KINDS.PRUNED if ours.state is State.STOPPED else KINDS.COMPLETE
        assert theirs.state == expected
        stopped += expected == KINDS.PRUNED
        assert theirs.value == (None if expected == KINDS.PRUNED else ours.value)
        assert theirs.datetime_complete >= theirs.datetime_start
    assert 0 < stopped < len(result.trials)
    assert study.best_trial.value == min(t.value for t in result.trials if t.whole)


def test_several_criteria(tmp_path):
    result = searched(criterion="is,fid")
    write_study(result, tmp_path / "a.db")
    study = study_of(tmp_path / "a.db")
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert sorted(t.number for t in study.best_trials) == sorted(t.number for t in result.front)


def test_steps_outside_of_a_list(tmp_path):
    result = searched(search_method="explore", trials=12,
                      params={"learning_rate": [1e-3, 2e-3], "d_iter": [1, 3]})  # fmt: skip
    assert any(t.params["learning_rate"] not in (1e-3, 2e-3) for t in result.trials)
    write_study(result, tmp_path / "a.db")
    assert len(study_of(tmp_path / "a.db").trials) == 12


def test_dead_trials_have_failed(tmp_path):
    result = searched(trials=2)
    for trial, state in zip(result.trials, (State.COLLAPSED, State.RUNNING), strict=True):
        trial.state = state
    write_study(result, tmp_path / "a.db")
    assert [t.state for t in study_of(tmp_path / "a.db").trials] == [KINDS.FAIL, KINDS.RUNNING]


def test_the_command(tmp_path, command):
    result = searched(trials=2)
    assert command("show", "runs/a", "--optuna", "a.db")[:2] == (0, "a.db\n")
    assert len(study_of("a.db").trials) == 2
    code, out, err = command("show", "runs/a", "--optuna", "a.db")
    assert (code, out) == (2, "")
    assert err == "autogan: optuna: a.db exists; give another name, or --overwrite\n"
    assert command("show", "runs/a", "--optuna", "a.db", "--overwrite")[0] == 0
    assert command("show", "runs/a", "--optuna", "b.db", "--json")[0] == 2
    folder = result.folders[0].root
    (folder / "config.yaml").write_text((folder.parents[1] / "best.yaml").read_text())
    code, _, err = command("show", folder, "--optuna", "b.db")
    assert (code, err) == (2, f"autogan: optuna: b.db, but {folder} is a training; name a search\n")
    assert {path.name for path in tmp_path.iterdir()} == {"a.db", "runs"}


def test_a_place_that_cannot_be_written(tmp_path):
    result = searched(trials=1)
    (tmp_path / "file").write_text("")
    with pytest.raises((ConfigError, autogan.AutoGANError), match="file"):
        write_study(result, tmp_path / "file" / "a.db")
