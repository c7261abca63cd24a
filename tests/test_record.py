"""The record: what is on disk is whole, and a killed search goes on as if nothing had been."""

import json
import os
import zlib

import pytest
from fakes import LABEL, FakeEngine, records_of, told, write_records

import autogan
from autogan.core import files
from autogan.core.errors import ConfigError, SearchFailed, StorageError
from autogan.record.claim import Claim
from autogan.record.ledger import Ledger
from autogan.record.lines import Begun, Ended, Evaluated, Started, line_of
from autogan.search import State
from autogan.show.display import Display

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
    ledger.append(Begun(**HEADER))
    ledger.append(Started(trial=0, params={"a": 1}, seed=5, origin="", folder="0000-a=1"))
    ledger.append(Evaluated(trial=0, step=10, scores={LABEL: 2.5}))
    assert [t.number for t in Ledger(path).unfinished()] == [0]
    ledger.append(Ended(trial=0, state="complete", value=2.5, step=10, last_value=2.5,
                  reason="", seconds=1.0, steps=10))  # fmt: skip
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
    Ledger(path).append(Begun(**HEADER))
    with path.open("a") as file:
        file.write(torn)  # without its newline: the write did not end
    ledger = Ledger(path)
    ledger.append(Started(trial=0, params={}, seed=0, origin="", folder="0000"))
    assert [t.number for t in Ledger(path).trials] == [0]


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "trials.jsonl"
    Ledger(path).append(Begun(**HEADER))
    path.write_text("garbage\n" + path.read_text())
    with pytest.raises(ConfigError, match="line 1 is damaged"):
        Ledger(path)


def test_files_appear_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a" / "value.json"
    files.write_json(path, {"a": 1})

    def full(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space"):
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
            for module in (files, autogan.run.loop, autogan.record.file):
                if hasattr(module, name):
                    setattr(module, name, replacement)
        autogan.run_search(None if resume else config, resume=resume, engine=FakeEngine())
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


@pytest.mark.slow
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
        ({**STARTED, "folder": "x" * 256}, "folder: 'xxx"),
        ({**STARTED, "folder": "\u4e00" * 90}, "folder: "),
        ({**STARTED, "seed": 2**60}, "a number is too large"),
        ({**STARTED, "params": {"a": float("nan")}}, "a number is nan"),
        ({**STARTED, "bounds": {"fid": [1.0]}}, "bounds.fid: "),
        (EVALUATED, "trial 0 has not started"),
        ({"record": "search", **HEADER}, "the search begins twice"),
        ({"record": "dance"}, "unknown record 'dance'"),
        ({"record": []}, "unknown record []"),
    ],
)
def test_a_line_of_another_form_is_named(tmp_path, record, said):
    path = tmp_path / "trials.jsonl"
    write_records(path, [{"record": "search", **HEADER}, record])
    with pytest.raises(ConfigError) as caught:
        Ledger(path)
    assert f"line 2 is damaged ({said}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({**EVALUATED, "step": 20, "scores": {"other": 1.0}}, "scores of other: other criteria"),
        ({**EVALUATED, "step": 20, "scores": {LABEL: "2"}}, "scores."),
        (EVALUATED, "trial 0 is at step 10 after step 10"),
        ({**EVALUATED, "step": 5}, "trial 0 is at step 5 after step 10"),
        ({**STARTED, "trial": 1}, "the folder of trial 1 belongs to another trial"),
        ({"record": "revived", "trial": 0}, "trial 0 is running, not stopped early"),
        ({"record": "retried", "trial": 0}, "trial 0 is running, not failed"),
    ],
)
def test_a_line_that_cannot_follow_is_named(tmp_path, record, said):
    path = tmp_path / "trials.jsonl"
    write_records(path, [{"record": "search", **HEADER}, STARTED, EVALUATED, record])
    with pytest.raises(ConfigError, match="line 4 is damaged") as caught:
        Ledger(path)
    assert said in str(caught.value)


def test_a_record_without_its_header_is_named(tmp_path):
    path = tmp_path / "trials.jsonl"
    write_records(path, [STARTED])
    with pytest.raises(ConfigError, match=r"line 1 is damaged \(the search has not begun\)"):
        Ledger(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [("[1, 2]", "it is not a mapping"), (json.dumps(STARTED), "it has no checksum")],
)
def test_a_line_that_autogan_did_not_write_is_named(tmp_path, line, said):
    path = tmp_path / "trials.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(ConfigError, match=rf"line 1 is damaged \({said}\)"):
        Ledger(path)


def test_every_changed_digit_of_the_record_is_noticed(tmp_path):
    """A value that became another one is as right a line as before: the checksum tells."""
    path = tmp_path / "trials.jsonl"
    ledger = Ledger(path)
    ledger.append(Begun(**HEADER))
    ledger.append(line_of(STARTED))
    ledger.append(line_of(EVALUATED))
    path.write_text(path.read_text().replace("2.5", "1.5"))
    with pytest.raises(ConfigError, match=r"line 3 is damaged \(its checksum does not match"):
        Ledger(path)


def test_a_record_that_cannot_follow_is_not_written(tmp_path):
    path = tmp_path / "trials.jsonl"
    ledger = Ledger(path)
    ledger.append(Begun(**HEADER))
    ledger.append(line_of(STARTED))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="other criteria"):
        ledger.append(line_of({**EVALUATED, "scores": {"other": 1.0}}))
    assert path.read_bytes() == before


def test_figures_of_variety_that_are_not_finite_are_left_out(tmp_path):
    """A criterion of the user's own may tell anything beside its value."""
    path = tmp_path / "trials.jsonl"
    figures = {"mine": float("nan"), "yours": 1.0}
    for record in ({"record": "search", **HEADER}, STARTED, {**EVALUATED, "variety": figures}):
        Ledger(path).append(line_of(record))
    assert Ledger(path).trials[0].evaluations[0].variety == {"yours": 1.0}


class TestChain:
    """Each line's checksum begins from the one above."""

    @pytest.fixture
    def lines(self, tmp_path):
        """A search's lines, and the path of its record."""
        autogan.run_search(SEARCH, engine=FakeEngine())
        path = tmp_path / "runs/a/trials.jsonl"
        return path, path.read_text().splitlines(keepends=True)

    def refused(self, path, lines, number):
        path.write_text("".join(lines))
        for look in (autogan.load, autogan.check):
            with pytest.raises(ConfigError, match=f"line {number} is damaged"):
                look("runs/a")

    def test_a_line_that_was_removed_doubled_or_moved_is_named(self, lines):
        path, whole = lines
        for place in range(len(whole) - 1):
            number, line = place + 1, whole[place]
            self.refused(path, [*whole[:place], *whole[number:]], number)
            self.refused(path, [*whole[:number], line, *whole[number:]], number + 1)
            swapped = [*whole[:place], whole[number], line, *whole[number + 1 :]]
            self.refused(path, swapped, number)

    def test_a_record_of_an_earlier_version_goes_on_with_a_chain(self, lines):
        """It had a checksum for each line alone; what is linked to it protects it from then on."""
        path, whole = lines
        records = records_of(path)[: len(whole) // 2]
        texts = [json.dumps(fields) for fields in records]
        old = [f'{t[:-1]}, "crc": "{zlib.crc32(t.encode()):08x}"}}\n' for t in texts]
        path.write_text("".join(old))
        autogan.run_search(resume="runs/a", engine=FakeEngine())
        assert autogan.check("runs/a").difference == ""
        mixed = path.read_text().splitlines(keepends=True)
        assert mixed[: len(old)] == old
        assert all('"chain"' in line for line in mixed[len(old) :])
        assert len(mixed) >= len(whole)
        without = [line for place, line in enumerate(mixed) if place != 1]
        path.write_text("".join(without))
        with pytest.raises(ConfigError, match=f"line {len(old)} is damaged"):
            autogan.load("runs/a")

    def test_a_line_without_its_link_is_refused(self, lines):
        path, whole = lines
        fields = json.loads(whole[3])
        del fields["chain"]
        self.refused(path, [*whole[:3], json.dumps(fields) + "\n", *whole[4:]], 4)


class TestOtherWriters:
    """Two commands whose locks do not see each other."""

    def test_a_line_of_another_command_ends_this_one(self, tmp_path):
        path = tmp_path / "trials.jsonl"
        ours = Ledger(path)
        ours.append(Begun(**HEADER))
        theirs = Ledger(path)
        theirs.append(line_of(STARTED))
        before = path.read_bytes()
        for _ in range(2):
            with pytest.raises(SearchFailed):
                ours.append(line_of(STARTED))
        assert path.read_bytes() == before
        assert [t.number for t in Ledger(path).trials] == [0]

    def test_a_folder_that_another_command_has_claimed_is_left_alone(self, tmp_path):
        owned = [True, False]
        ledger = Ledger(tmp_path / "trials.jsonl", lambda: owned[0])
        ledger.append(Begun(**HEADER))
        before = (tmp_path / "trials.jsonl").read_bytes()
        owned.pop(0)
        with pytest.raises(SearchFailed, match="another command writes to .*, so this one stops"):
            ledger.append(line_of(STARTED))
        assert (tmp_path / "trials.jsonl").read_bytes() == before

    def test_the_record_stays_sound_when_a_second_search_is_let_in(self, monkeypatch):
        """The first one stops at its next line, and the second comes to the end."""
        monkeypatch.setattr("fcntl.flock", lambda *arguments: None)
        whole = autogan.run_search({**SEARCH, "run_dir": "runs/whole"}, engine=FakeEngine())
        results = []

        class Intrude(Display):
            def evaluated(self, trial):
                if trial.number == 2 and not results:
                    results.append(None)
                    results[0] = autogan.run_search(resume="runs/a", engine=FakeEngine())

        with pytest.raises(SearchFailed, match=r"another command writes to runs/a/trials\.jsonl"):
            autogan.run_search(SEARCH, engine=FakeEngine(), display=Intrude())
        assert [t.value for t in results[0].trials] == [t.value for t in whole.trials]
        assert autogan.check("runs/a").difference == ""


class TestRepair:
    """`autogan check RUN --repair`."""

    @pytest.mark.parametrize("number", [1, 2, 3, 9, 20])
    def test_a_record_is_cut_before_its_first_wrong_line(self, tmp_path, command, number):
        autogan.run_search(SEARCH, engine=FakeEngine())
        path = tmp_path / "runs/a/trials.jsonl"
        values = [t.value for t in autogan.load("runs/a").trials]
        lines = path.read_text().splitlines(keepends=True)
        damaged = "".join([*lines[: number - 1], "garbage\n", *lines[number:]])
        path.write_text(damaged)
        code, _, err = command("check", "runs/a")
        assert code == 2
        assert f"line {number} is damaged" in err
        assert "check runs/a --repair" in err
        assert path.read_text() == damaged
        code, _, err = command("check", "runs/a", "--repair")
        assert code == 0
        assert f"trials.jsonl before line {number}; the original is in" in err
        assert path.read_text() == "".join(lines[: number - 1])
        assert path.with_name("trials.jsonl.damaged-1").read_text() == damaged
        resumed = autogan.run_search(resume="runs/a", engine=FakeEngine())
        assert [t.value for t in resumed.trials] == values
        assert autogan.check("runs/a", repair=True).difference == ""
        assert not path.with_name("trials.jsonl.damaged-2").exists()

    def test_nothing_is_cut_while_a_command_works_there(self, tmp_path):
        autogan.run_search(SEARCH, engine=FakeEngine())
        claim = Claim(tmp_path / "runs/a")
        with pytest.raises(ConfigError, match="in use by another autogan command"):
            autogan.check("runs/a", repair=True)
        claim.release()
