"""The record: what is on disk is whole, and a killed search goes on as if nothing had been."""

import json
import os

import pytest
from fakes import LABEL, FakeEngine, told

import autogan
from autogan.core import files
from autogan.core.errors import ConfigError
from autogan.run.ledger import Ledger
from autogan.search import State

SEARCH = {
    "params": {"learning_rate": [1e-4, 3e-4, 1e-3, 3e-3], "d_iter": [1, 2, 4]},
    "search_method": "explore",
    "trials": 6,
    "run_dir": "runs/a",
}


HEADER = {
    "objective": LABEL,
    "labels": {"fid": LABEL},
    "features": {"network": "fake"},
    "data": {"images": 640},
    "environment": {},
}


def outcome(root):
    """All of a search that must not depend on kills: the ledger without times, and the best."""
    return told(root), (root / "best.yaml").read_text(), os.readlink(root / "best")


@pytest.fixture
def undisturbed(tmp_path):
    autogan.run_search({**SEARCH, "run_dir": str(tmp_path / "whole" / "a")}, engine=FakeEngine())
    return outcome(tmp_path / "whole" / "a")


def test_ledger_round_trip(tmp_path):
    path = tmp_path / "trials.jsonl"
    ledger = Ledger(path)
    ledger.append("search", **HEADER)
    ledger.append("started", trial=0, params={"a": 1}, seed=5, origin="", folder="0000-a=1")
    ledger.append("evaluation", trial=0, step=10, scores={LABEL: 2.5})
    assert [t.number for t in Ledger(path).unfinished()] == [0]
    ledger.append("ended", trial=0, state="complete", value=2.5, step=10, last_value=2.5,
                  reason="", seconds=1.0)  # fmt: skip
    again = Ledger(path)
    assert again.trials == ledger.trials
    assert again.trials[0].state is State.COMPLETE
    assert again.header == HEADER
    assert again.folders == {0: "0000-a=1"}


@pytest.mark.parametrize(
    "torn", ['{"record": "sta', '{"record": "started", "trial": 1}', "\x00", "{" + 4096 * "\x00"]
)
def test_a_torn_last_line_is_healed(tmp_path, torn):
    path = tmp_path / "trials.jsonl"
    Ledger(path).append("search", **HEADER)
    with path.open("a") as file:
        file.write(torn)  # without its newline: the write did not end
    ledger = Ledger(path)
    ledger.append("started", trial=0, params={}, seed=0, origin="", folder="0000")
    assert [t.number for t in Ledger(path).trials] == [0]


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "trials.jsonl"
    Ledger(path).append("search", **HEADER)
    path.write_text("garbage\n" + path.read_text())
    with pytest.raises(ConfigError, match="line 1 is damaged"):
        Ledger(path)


def test_files_appear_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a" / "value.json"
    files.write_json(path, {"a": 1})

    def full(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        files.write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(path.parent.iterdir()) == [path]


def test_damaged_caches_are_made_again(tmp_path):
    import numpy as np

    path = tmp_path / "cache.npz"
    path.write_bytes(b"PK\x03\x04 torn")
    made = files.cached_arrays(path, lambda: {"a": np.arange(3)})
    assert made["a"].tolist() == [0, 1, 2]
    assert files.cached_arrays(path, dict)["a"].tolist() == [0, 1, 2]


WRITES = ("write_bytes", "append_line", "link")


def search_and_die(config, resume, point):
    """Run a search in a child process that is killed at its ``point``-th write.

    Even points are before a write, odd ones after it; of an appended line, half is written first.
    Returns whether the child came to its end.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    try:
        calls = iter(range(10**6))

        def wrapped(name, write):
            def writer(path, data, **how):
                call = next(calls)
                if call == point // 2 and point % 2 == 0:
                    if name == "append_line":
                        with path.open("a") as file:
                            file.write(data[: len(data) // 2])
                    os._exit(9)
                write(path, data, **how)
                if call == point // 2:
                    os._exit(9)

            return writer

        import autogan.run.loop

        for name in WRITES:
            replacement = wrapped(name, getattr(files, name))
            for module in (files, autogan.run.loop, autogan.run.ledger):
                if hasattr(module, name):
                    setattr(module, name, replacement)
        autogan.run_search(None if resume else config, resume=resume, engine=FakeEngine())
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def test_a_search_killed_at_any_write_ends_as_if_it_had_not_been(tmp_path, undisturbed):
    """Kill at every write in turn, resume, and compare everything with an undisturbed run."""
    point = 0
    while True:
        root = tmp_path / str(point) / "a"
        config = {**SEARCH, "run_dir": str(root)}
        survived = search_and_die(config, None, point)
        if survived:
            break
        if (root / "search.yaml").exists():
            autogan.run_search(resume=root, engine=FakeEngine())
        else:  # nothing had begun: the same command again
            autogan.run_search(config, engine=FakeEngine())
        assert outcome(root) == undisturbed, f"killed at point {point}"
        point += 1
    assert point > 80  # search.yaml, and per trial a line before, four after, best and its link


def test_a_search_killed_again_and_again(tmp_path, undisturbed):
    """Each run gets only a few writes further than the one before."""
    root = tmp_path / "again" / "a"
    config = {**SEARCH, "run_dir": str(root)}
    runs = 1
    search_and_die(config, None, 7)
    while not search_and_die(config, root, 9 + runs % 4):
        runs += 1
        assert runs < 60
    assert runs > 5
    assert outcome(root) == undisturbed


STARTED = {"record": "started", "trial": 0, "params": {"a": 1}, "seed": 5, "origin": "",
           "folder": "0000-a=1"}  # fmt: skip
EVALUATED = {"record": "evaluation", "trial": 0, "step": 10, "scores": {LABEL: 2.5}}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({**STARTED, "params": "x"}, "params: 'x'"),
        ({**STARTED, "params": {"a": [1]}}, "params.a"),
        ({**STARTED, "seed": "5"}, "seed: '5'"),
        ({**STARTED, "folder": "../../../x"}, "folder: '../../../x'"),
        ({**STARTED, "folder": ".."}, "folder: '..'"),
        ({**STARTED, "folder": "/etc"}, "folder: '/etc'"),
        ({**STARTED, "trial": 7}, "trial 7 follows trial -1"),
        ({**STARTED, "repeats": 3}, "trial 0 repeats trial 3"),
        ({**STARTED, "colour": "red"}, "colour: 'red'"),
        ({"record": "ended", "trial": 0}, "state: "),
        (EVALUATED, "trial 0 has not started"),
        ({"record": "search", **HEADER}, "the search begins twice"),
        ({"record": "dance"}, "unknown record 'dance'"),
        ({"record": []}, "unknown record []"),
        ([1, 2], "it is no mapping"),
    ],
)
def test_a_line_of_another_form_is_named(tmp_path, record, said):
    path = tmp_path / "trials.jsonl"
    Ledger(path).append("search", **HEADER)
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")
    with pytest.raises(ConfigError) as caught:
        Ledger(path)
    assert f"line 2 is damaged ({said}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({**EVALUATED, "scores": {"other": 1.0}}, "scores of other: other criteria"),
        ({**EVALUATED, "scores": {LABEL: "2"}}, "scores."),
        ({"record": "revived", "trial": 0}, "trial 0 is running, not stopped early"),
        ({"record": "retried", "trial": 0}, "trial 0 is running, not failed"),
    ],
)
def test_a_line_that_cannot_follow_is_named(tmp_path, record, said):
    path = tmp_path / "trials.jsonl"
    ledger = Ledger(path)
    ledger.append("search", **HEADER)
    ledger.append(**STARTED)
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")
    with pytest.raises(ConfigError, match="line 3 is damaged") as caught:
        Ledger(path)
    assert said in str(caught.value)


def test_a_record_without_its_header_is_named(tmp_path):
    path = tmp_path / "trials.jsonl"
    path.write_text(json.dumps(STARTED) + "\n")
    with pytest.raises(ConfigError, match=r"line 1 is damaged \(the search has not begun\)"):
        Ledger(path)


def test_every_changed_digit_of_the_record_is_noticed(tmp_path):
    """A value that became another one is as right a line as before: the checksum tells."""
    path = tmp_path / "trials.jsonl"
    ledger = Ledger(path)
    ledger.append("search", **HEADER)
    ledger.append(**STARTED)
    ledger.append(**EVALUATED)
    path.write_text(path.read_text().replace("2.5", "1.5"))
    with pytest.raises(ConfigError, match=r"line 3 is damaged \(its checksum is another one\)"):
        Ledger(path)


def test_a_record_that_cannot_follow_is_not_written(tmp_path):
    path = tmp_path / "trials.jsonl"
    ledger = Ledger(path)
    ledger.append("search", **HEADER)
    ledger.append(**STARTED)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="other criteria"):
        ledger.append(**{**EVALUATED, "scores": {"other": 1.0}})
    assert path.read_bytes() == before
