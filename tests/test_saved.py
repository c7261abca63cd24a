"""Runs read from their folders: `autogan.load` and `autogan show`, while they run and after."""

import io
import json
import subprocess
import sys
from pathlib import Path
from shlex import quote

import pandas
import pytest
from fakes import FakeEngine
from pages import confirmed_on_disk, judge, search_on_disk

import autogan
from autogan.cli.printing import print_training
from autogan.core.errors import ConfigError
from autogan.record.claim import Claim
from autogan.record.lines import Evaluated, Placed, Started
from autogan.search import State

KEYS = {
    "dataset": "digits", "trials": 6, "stopping": "median", "search_method": "random",
    "params": {"learning_rate": "1e-4..1e-2:log"}, "run_dir": "runs/a",
}  # fmt: skip


def test_a_search_that_is_loaded_is_the_one_that_was_returned():
    result = autogan.run_search(KEYS, engine=FakeEngine())
    loaded = autogan.load("runs/a")
    for name in ("objective", "direction", "trials", "best", "hyperparameters", "judged", "front"):
        assert getattr(loaded, name) == getattr(result, name), name
    assert loaded.summary() == result.summary()
    assert loaded.state == "ended"
    assert loaded.updates() == sum(2 * trial.steps for trial in result.trials)


def test_a_confirmation_is_loaded_with_it(tmp_path):
    folder, config, ledger = confirmed_on_disk(tmp_path / "a", trials=6)
    judge(config, ledger)
    loaded = autogan.load(folder.root)
    assert len(loaded.confirmed) == 3
    assert loaded.confirmed[0].mean is not None
    assert loaded.ended


def test_reading_takes_no_lock_and_needs_no_tensorflow(tmp_path):
    search_on_disk(tmp_path / "a")
    claim = Claim(tmp_path / "a")
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import autogan; print(len(autogan.load('a').trials), autogan.load('a').state)"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (made.stdout, made.stderr) == ("12 running\n", "")
    claim.release()
    assert autogan.load(tmp_path / "a").state == "unfinished"


def test_whoever_looks_does_not_keep_a_command_out(tmp_path, monkeypatch):
    """A look holds the lock for an instant; a command that comes just then tries once more."""
    import fcntl

    (tmp_path / ".lock").touch()
    with (tmp_path / ".lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        monkeypatch.setattr("time.sleep", lambda seconds: fcntl.flock(file, fcntl.LOCK_UN))
        Claim(tmp_path).release()


def test_what_is_running_is_told(tmp_path, command):
    _, _, ledger = search_on_disk(tmp_path / "a", trials=3)
    ledger.append(Started(trial=3, params={"learning_rate": 0.002, "d_iter": 1, "loss": "hinge"},
                  seed=1, origin="random", folder="0003"))  # fmt: skip
    ledger.append(Placed(trial=3, worker="here/0"))
    ledger.append(Evaluated(trial=3, step=100, go_on=True,
                  scores={"fid_fake_9": 90.0, "is_fake_9": 2.0}))  # fmt: skip
    claim = Claim(tmp_path / "a")
    code, out, _ = command("show", tmp_path / "a")
    claim.release()
    assert code == 0
    first, counts, cost, running, *_ = out.splitlines()
    assert first == "gan on digits by random: running"
    assert counts == "4 trials: 3 complete, 1 running"
    assert cost.endswith("of training")
    assert running == ("running: trial 3 at step 100  learning_rate=0.002 d_iter=1 loss=hinge")
    code, out, _ = command("show", tmp_path / "a")
    assert "to be resumed: trial 3 at step 100" in out
    assert f"search --resume {quote(str(tmp_path / 'a'))}" in out


def test_the_table_has_a_row_for_each_evaluation(tmp_path, command):
    folder, _, ledger = search_on_disk(tmp_path / "a", trials=8)
    code, out, _ = command("show", folder.root, "--csv")
    assert code == 0
    table = pandas.read_csv(io.StringIO(out))
    told = sum(max(len(trial.evaluations), 1) for trial in ledger.trials)
    assert len(table) == told
    trials = table.drop_duplicates("trial")
    assert list(trials["trial"]) == list(range(8))
    assert list(trials["state"]) == [trial.state.value for trial in ledger.trials]
    assert trials["best_value"].dropna().tolist() == [
        trial.value for trial in ledger.trials if trial.value is not None
    ]
    assert table[table["kept"] == True]["fid"].tolist() == [  # noqa: E712
        trial.value for trial in ledger.trials if trial.value is not None
    ]
    assert trials["learning_rate"].tolist() == [
        trial.params["learning_rate"] for trial in ledger.trials
    ]


def test_json_holds_all_trials_and_evaluations(tmp_path, command):
    folder, config, ledger = search_on_disk(tmp_path / "a", trials=8)
    judge(config, ledger)
    code, out, _ = command("show", folder.root, "--json")
    values = json.loads(out)
    assert code == 0
    assert values["state"] == "ended"
    assert values["updates"] == autogan.load(folder.root).updates()
    assert [t["value"] for t in values["trials"]] == [t.value for t in ledger.trials]
    assert [len(t["evaluations"]) for t in values["trials"]] == [
        len(t.evaluations) for t in ledger.trials
    ]
    assert values["trials"][0]["stints"][0]["worker"] == "here/0"
    assert len(pandas.DataFrame(values["trials"])) == 8


def test_trainings_are_shown_too(command, capsys):
    ended = autogan.train({"dataset": "digits", "run_dir": "runs/t"}, engine=FakeEngine())
    print_training(ended, as_json=False)
    out = capsys.readouterr().out
    (how,) = [line for line in out.splitlines() if line.startswith("how good is it:  ")]
    assert how.endswith("autogan evaluate runs/t")
    Path("runs/t/config.yaml").write_text("dataset: digits\nalso: [is]\n")
    scores = [{"step": 10, "fid_fake_9": 5.5, "is_fake_9": 2.0, "variety": {}},
              {"step": 20, "fid_fake_9": 4.5, "is_fake_9": 3.0, "variety": {}}]  # fmt: skip
    Path("runs/t/scores.jsonl").write_text("".join(f"{json.dumps(s)}\n" for s in scores))
    result = autogan.load("runs/t")
    assert result.trial.state is State.RUNNING
    assert [e.value for e in result.trial.evaluations] == [5.5, 4.5]
    assert result.objective == "fid_fake_9"
    code, out, _ = command("show", "runs/t")
    assert code == 0
    assert "autogan evaluate" not in out  # it has no value yet
    assert "last evaluation: step 20, fid 4.5  (is 3)" in out
    _, out, _ = command("show", "runs/t", "--csv")
    assert pandas.read_csv(io.StringIO(out))["is"].tolist() == [2.0, 3.0]
    _, out, _ = command("show", "runs/t", "--json")
    assert json.loads(out)["objective"] == "fid_fake_9"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "run: runs/b holds no search or training; see: autogan list runs"),
        ({"search.yaml": "seed: 0"}, "run: runs/b holds a search that has not begun; run it first"),
        ({"config.yaml": "seed: 0", "result.json": "["},
         "run: runs/b/result.json is damaged; restore it, or train again"),
        ({"config.yaml": "seed: 0", "scores.jsonl": "[]\n"}, "run: runs/b/scores.jsonl is damaged"),
    ],
)  # fmt: skip
def test_what_is_no_run_is_refused(files, said, command):
    for name, text in {"x": "", **files}.items():
        path = Path("runs/b") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        autogan.load("runs/b")
    assert str(caught.value).startswith(said)
    code, out, err = command("show", "runs/b")
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_one_form_at_a_time(tmp_path, command):
    search_on_disk(tmp_path / "a", trials=2)
    code, _, err = command("show", tmp_path / "a", "--csv", "--json")
    assert (code, err) == (2, "autogan: csv: cannot be combined with --json; give one of them\n")
