"""Several trials at a time: what the record promises, whatever their timing."""

import contextlib
import itertools
import json
import re
import shutil
import signal

import pytest
from fakes import LABEL, FakeEngine, Shuffled, pool_of, records_of, told, write_records

import autogan
from autogan.cli.main import main
from autogan.config import SearchConfig
from autogan.core.errors import ConfigError, Interrupted, SearchFailed
from autogan.core.machine import Gpu
from autogan.pool.messages import Failed, Trained
from autogan.pool.pool import Event
from autogan.record.ledger import Ledger
from autogan.search import SEARCH_METHODS, STOPPING_RULES, State, Trial

SEARCH = {
    "params": {"learning_rate": "1e-4..1e-3:log", "d_iter": [1, 2, 3]},
    "search_method": "random",
    "trials": 8,
    "steps": 30,
    "evaluate_every": 10,
    "run_dir": "runs/a",
}
LISTS = {"params": {"learning_rate": [1e-4, 2e-4, 4e-4, 8e-4], "d_iter": [1, 2]}}


def search(count=3, seed=0, name="a", **changes):
    engine = Shuffled(count, seed)
    result = autogan.run_search({**SEARCH, **changes, "run_dir": f"runs/{name}"}, engine=engine)
    return result, engine


def begun(root):
    """What was tried: the records of trials that started, by number."""
    records = [r for r in told(root) if r["record"] == "started"]
    return [{k: r[k] for k in ("trial", "params", "seed")} for r in records]


def space_of(method):
    return LISTS if SEARCH_METHODS.get(method).needs_lists else {}


@pytest.mark.parametrize("method", SEARCH_METHODS.names())
def test_every_decision_follows_from_the_lines_above(method):
    for seed in range(3):
        result, engine = search(
            3, seed, str(seed), search_method=method, confirm="top=2,repeats=2", **space_of(method)
        )
        assert engine.most == 3
        assert all(t.state is State.COMPLETE for t in result.trials)
        checked = autogan.check(f"runs/{seed}")
        assert checked.difference == ""
        assert checked.decisions >= 8 * 4


@pytest.mark.parametrize("rule", STOPPING_RULES.names())
def test_so_does_every_answer_of_a_stopping_rule(rule):
    for seed in range(4):
        result, _ = search(
            3, seed, str(seed), stopping=rule, trials=12, repeats=1 + seed % 2,
            confirm="top=2,repeats=2",
        )  # fmt: skip
        assert autogan.check(f"runs/{seed}").difference == ""
        assert result.confirmed


def test_the_best_few_are_chosen_when_all_have_shown_something():
    """Not while a trial is on its first way, which may be the best."""
    for seed in range(4):
        search(3, seed, str(seed), stopping="screening", trials=6)
        records = told(autogan_root(seed))
        revived = next(n for n, r in enumerate(records) if r["record"] == "revived")
        shown = {r["trial"] for r in records[:revived] if r["record"] == "evaluation"}
        assert shown == set(range(6))


def test_the_confirmation_begins_when_the_search_has_ended():
    for seed in range(4):
        search(3, seed, str(seed), confirm="top=2,repeats=2", trials=5)
        records = told(autogan_root(seed))
        begins = next(n for n, r in enumerate(records) if r.get("confirms"))
        assert sum(r["record"] == "ended" for r in records[:begins]) == 5


@pytest.mark.parametrize("method", ["grid", "random"])
def test_grid_and_random_try_the_same_whatever_the_timing(method):
    search(1, search_method=method, **space_of(method))
    for seed in range(6):
        search(1 + seed % 4, seed, "b", search_method=method, **space_of(method))
        assert begun(autogan_root("b")) == begun(autogan_root("a"))
        shutil.rmtree("runs/b")


@pytest.mark.parametrize("method", SEARCH_METHODS.names())
@pytest.mark.parametrize("rule", [None, "median", "asha"])
def test_by_work_the_same_search_with_as_many_workers(method, rule):
    """Whatever their pace: each line of the record."""
    more = {"search_method": method, "stopping": rule, "confirm": "top=2,repeats=2"}
    for seed in range(3):
        search(2 + (rule is None), seed, str(seed), **more, **space_of(method))
    assert told(autogan_root(0)) == told(autogan_root(1)) == told(autogan_root(2))
    assert autogan.check("runs/0").difference == ""


@pytest.mark.parametrize("rule", STOPPING_RULES.names())
def test_so_is_a_race_of_seeds_with_every_rule(rule):
    more = {"search_method": "gp", "stopping": rule, "repeats": 3, "trials": 8}
    for seed in range(2):
        search(3, seed, str(seed), **more)
    assert told(autogan_root(0)) == told(autogan_root(1))


class Dying(Shuffled):
    """Every third trial diverges before its first evaluation."""

    def _train(self, number, call):
        if number % 3 != 1:
            yield from super()._train(number, call)
        reason = "a loss became NaN at step 7"
        yield Trained(trial=Trial(number, {}, state=State.DIVERGED, steps=7, reason=reason))


def test_so_is_a_search_whose_trials_die_early():
    """The death counts in its turn, and its worker waits until then."""
    for seed in range(4):
        changes = {"search_method": "explore", "trials": 12, "run_dir": f"runs/{seed}"}
        autogan.run_search({**SEARCH, **changes}, engine=Dying(3, seed))
    records = [told(autogan_root(seed)) for seed in range(4)]
    assert all(found == records[0] for found in records)


def test_as_they_are_completed_a_learning_method_may_try_others():
    """Else the test above would prove nothing."""
    tried = set()
    for seed in range(4):
        search(3, seed, str(seed), search_method="explore", trials=12, order="completed")
        tried.add(json.dumps(begun(autogan_root(seed))))
    assert len(tried) > 1


def autogan_root(name):
    from pathlib import Path

    return Path("runs") / str(name)


class Pressed(Shuffled):
    """Ctrl-C comes after a number of events; what was on its way by then still arrives."""

    def __init__(self, count, events):
        super().__init__(count, events)
        self._left = events
        self._interrupted = False

    def next_event(self):
        self._left -= 1
        if self._left == 0:
            signal.raise_signal(signal.SIGINT)
        chosen = self._chance.choice(self._events).trial
        event = next(event for event in self._events if event.trial == chosen)
        self._events.remove(event)
        if isinstance(event.message, Trained):
            del self._running[event.trial]
        return event

    def answer(self, trial, go_on):
        if not self._interrupted:
            super().answer(trial, go_on)

    def interrupt(self):
        self._interrupted = True
        ended = {event.trial for event in self._events if isinstance(event.message, Trained)}
        left = self._running.keys() - ended
        self._events += [Event(trial, Trained(trial=None)) for trial in sorted(left)]


@pytest.mark.slow
class TestKilled:
    """A search that is killed after each line in turn, with three trials running."""

    def killed_after(self, lines, monkeypatch, **changes):
        """The record of a search that died when it had so many lines."""

        class Killed(BaseException):
            pass

        write = Ledger._write
        written = []

        def dying(self, fields):
            write(self, fields)
            written.append(fields)
            if len(written) == lines:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "_write", dying)
            try:
                search(3, lines, "a", **changes)
            except Killed:
                return True
        return False

    @pytest.mark.parametrize("rule", [None, "median", "asha"])
    def test_what_was_said_is_said_again(self, monkeypatch, rule):
        """No evaluation of the resumed search contradicts an answer that a trial had."""
        more = {"stopping": rule, "trials": 5, "search_method": "explore"}
        for lines in itertools.count(1):
            if not self.killed_after(lines, monkeypatch, **more):
                break
            autogan.run_search(resume="runs/a", engine=Shuffled(2, lines))
            checked = autogan.check("runs/a")
            assert checked.difference == "", f"killed after line {lines}"
            shutil.rmtree("runs/a")
        assert lines > 20

    def test_interrupted_anywhere_it_comes_to_the_same_record(self):
        """By Ctrl-C after each event in turn, and when it goes on once more."""
        more = {"stopping": "asha", "trials": 7, "search_method": "explore"}
        search(3, 0, "whole", **more)
        for events in itertools.count(1):
            try:
                name = {"run_dir": f"runs/{events}"}
                autogan.run_search({**SEARCH, **more, **name}, engine=Pressed(3, events))
            except Interrupted:
                with contextlib.suppress(Interrupted):
                    autogan.run_search(resume=f"runs/{events}", engine=Pressed(3, events))
                autogan.run_search(resume=f"runs/{events}", engine=Shuffled(3, events))
                assert told(autogan_root(events)) == told(autogan_root("whole")), events
            else:
                break
        assert events > 20

    def test_a_told_evaluation_gets_its_recorded_answer(self, tmp_path):
        """Though the rule would now say otherwise."""
        search(1, stopping="median", trials=12)
        root = tmp_path / "runs/a"
        ledger = Ledger(root / "trials.jsonl")
        stopped = next(t for t in ledger.trials if t.state is State.STOPPED)
        assert ledger.answers[stopped.number, stopped.evaluations[-1].step] is False
        records = records_of(root / "trials.jsonl")
        last = max(
            n for n, fields in enumerate(records)
            if (fields["record"], fields.get("trial")) == ("evaluation", stopped.number)
        )  # fmt: skip
        changed = {**records[last], "go_on": True}
        write_records(root / "trials.jsonl", [*records[:last], changed])
        result = autogan.run_search(resume="runs/a", engine=Shuffled(1))
        assert len(result.trials[stopped.number].evaluations) > len(stopped.evaluations)
        assert "was to go on" in autogan.check("runs/a").difference


class TestCheck:
    """What `autogan check` finds."""

    def changed(self, tmp_path, record, **fields):
        """The record with fields of its last line of a kind changed, and that line's number."""
        path = tmp_path / "runs/a/trials.jsonl"
        records = records_of(path)
        number = max(n for n, values in enumerate(records) if values["record"] == record)
        records[number].update(fields)
        write_records(path, records)
        return number + 1

    @pytest.mark.parametrize(
        ("record", "fields", "said"),
        [
            ("started", {"seed": 5}, "with seed 5, but the lines above give"),
            ("started", {"params": {"learning_rate": 2e-4, "d_iter": 1}}, "started with params"),
            ("started", {"origin": "enqueued"}, "with origin enqueued"),
            ("evaluation", {"go_on": False}, "was to stop at step 30"),
            ("ended", {"step": 15}, "ended with step 15, but its evaluations give 30"),
            ("ended", {"value": 1.0}, "ended with value 1.0, but its evaluations give"),
            ("ended", {"last_value": 1.0}, "ended with last_value 1.0, but its evaluations give"),
            ("ended", {"steps": 20}, "ended at step 20, but was evaluated at 30"),
        ],
    )
    def test_a_changed_line_is_named(self, tmp_path, record, fields, said):
        search()
        number = self.changed(tmp_path, record, **fields)
        found = autogan.check("runs/a").difference
        assert found.startswith(f"line {number}: trial ")
        assert said in found

    def test_a_trial_too_many_is_named(self, tmp_path):
        search(trials=3)
        path = tmp_path / "runs/a/trials.jsonl"
        records = records_of(path)
        first = next(fields for fields in records if fields["record"] == "started")
        write_records(path, [*records, {**first, "trial": 3, "folder": "0003"}])
        assert "after the lines above no trial begins (all 3 trials are done)" in (
            autogan.check("runs/a").difference
        )

    def test_a_search_that_was_given_more_is_as_good(self):
        search(2, trials=3)
        autogan.run_search({"trials": 6}, resume="runs/a", engine=Shuffled(3))
        checked = autogan.check("runs/a")
        assert (checked.difference, checked.decisions) == ("", 6 * 4)

    def test_the_command_says_it_in_a_line(self, capsys, tmp_path):
        search(trials=2)
        for code, said in ((0, "gives the same 8 decisions"), (1, "autogan: line ")):
            with pytest.raises(SystemExit) as exit_:
                main(["check", "runs/a"])
            captured = capsys.readouterr()
            assert exit_.value.code == code
            assert said in captured.out + captured.err
            self.changed(tmp_path, "started", seed=5)
        with pytest.raises(ConfigError, match="holds no search"):
            autogan.check(tmp_path)


class TestKeys:
    """The keys that say who works."""

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"workers": 0}, "workers: 0; give a number of at least 1, or auto"),
            ({"workers": "many"}, "workers: 'many'; give a number"),
            ({"workers": 2, "device": "gpu:1"}, "device: gpu:1 cannot be combined with"),
            ({"order": "numbered"}, "order: 'numbered'"),
            ({"worker_command": "'"}, 'worker_command: "\'": No closing quotation'),
            ({"worker_command": "ssh a", "engine": "ray"}, "cannot be combined with engine ray"),
            ({"worker_command": "ssh a", "workers": "auto"}, "auto counts only this machine's"),
            ({"ray_address": "auto"}, "ray_address: auto needs engine ray"),
        ],
    )
    def test_what_does_not_suit_is_refused(self, changes, said):
        with pytest.raises(ConfigError, match=re.escape(said)):
            search(**changes)

    def test_threads_are_dealt_out_once(self, monkeypatch):
        """They decide the bits: another number of workers leaves them as they were."""
        monkeypatch.setattr("autogan.config.working.cores", lambda: 8)
        result, _ = search(4, workers=4)
        assert (result.config.threads, result.config.workers) == (2, 4)
        again = autogan.run_search({"workers": 2}, resume="runs/a", engine=FakeEngine())
        assert (again.config.threads, again.config.workers) == (2, 2)

    @pytest.mark.parametrize(
        ("changes", "wanted"),
        [
            ({"search_method": "gp", "trials": 10}, 2),
            ({"trials": 20}, 4),
            ({"trials": 4}, 1),
            ({"max_minutes": 10}, 4),
            ({"search_method": "random", "max_minutes": 10}, 6),
            ({"trials": 20, "device": "gpu"}, 1),
            ({"search_method": "random", "trials": 5}, 5),
            ({"search_method": "random", "trials": 50}, 6),
            ({"search_method": "grid", "params": {"d_iter": [1, 2, 3]}}, 3),
            ({"trials": 20, "threads": 4}, 2),
            ({"trials": 20, "threads": 9}, 1),
            ({"trials": 20, "worker_command": "ssh a"}, 1),
            ({"trials": 20, "workers": 3}, 3),
        ],
    )
    def test_a_cpu_has_a_worker_a_core_that_is_worth_it(self, monkeypatch, changes, wanted):
        """A method that learns has five trials to learn from for each of them."""
        monkeypatch.setattr("autogan.config.working.cores", lambda: 8)
        monkeypatch.setattr("autogan.config.working.workers_that_fit", lambda: 6)
        config = SearchConfig(**changes).resolved()
        assert config.workers == wanted
        assert config.resolved().workers == wanted

    def test_gpus_have_one_worker_or_by_auto_one_each(self, monkeypatch):
        monkeypatch.setattr("autogan.config.working.workers_that_fit", lambda: 6)
        monkeypatch.setattr("autogan.config.working.gpus", lambda: [Gpu("0"), Gpu("1")])
        assert SearchConfig().resolved().workers == 1
        assert SearchConfig(workers="auto", workers_per_gpu=2).resolved().workers == 4
        on_cpu = SearchConfig(workers="auto", device="cpu", trials=50)
        assert on_cpu.resolved().workers == 6


class Failing(Shuffled):
    """All trials but the first fail at once."""

    interrupted = False

    def start(self, trial, minutes, call):
        if trial == 0:
            super().start(trial, minutes, call)
        else:
            self._running[trial] = None
            self._events.insert(0, Event(trial, Failed(reason="no luck", traceback="")))

    def next_event(self):
        event = self._events.pop(0)
        if isinstance(event.message, Failed | Trained):
            del self._running[event.trial]
        return event

    def interrupt(self):
        self.interrupted = True
        self._events = [e for e in self._events if e.trial] + [Event(0, Trained(trial=None))]


def test_when_failures_end_a_search_the_other_trials_save(tmp_path):
    engine = Failing(4)
    with pytest.raises(SearchFailed, match="3 trials failed in a row"):
        autogan.run_search(SEARCH, engine=engine)
    assert engine.interrupted
    assert Ledger(tmp_path / "runs/a/trials.jsonl").trials[0].state is State.RUNNING
    result = autogan.run_search(resume="runs/a", engine=Shuffled(2))
    assert result.trials[0].state is State.COMPLETE


def test_other_scores_than_before_are_told(tmp_path):
    """A trial that goes on comes to the same, or the user is told."""

    class Interrupted(BaseException):
        pass

    class Ends(Shuffled):
        def answer(self, trial, go_on):
            raise Interrupted

    with pytest.raises(Interrupted):
        autogan.run_search(SEARCH, engine=Ends(1))

    notes = []

    class Hears(autogan.show.display.Display):
        def note(self, text):
            notes.append(text)

    other = Shuffled(1, value=lambda call, step: 7.0)
    autogan.run_search({"trials": 1}, resume="runs/a", engine=other, display=Hears())
    assert any(
        f"has different scores at step 10 than before: {{'{LABEL}': 7.0}}" in n for n in notes
    )


def test_a_search_in_three_processes_is_that_in_one():
    config, results = {**SEARCH, "search_method": "grid", **LISTS}, []
    for count in (1, 3):
        pool = pool_of(count)
        results.append(autogan.run_search({**config, "run_dir": f"runs/{count}"}, engine=pool))
        pool.close()
    one, three = (
        {(t.number, e.step): e.scores for t in result.trials for e in t.evaluations}
        for result in results
    )
    assert one == three
    assert autogan.check("runs/3").difference == ""
