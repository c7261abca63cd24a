"""The pool: whom it gives what, whom it believes, and how its workers come and go.

Its workers do here what they are told to; real processes are tests/test_engine.py's.
"""

import itertools

import pytest

from autogan.core.machine import Gpu
from autogan.pool.finished import Evaluate, Scores
from autogan.pool.messages import (
    Answer,
    Evaluated,
    Failed,
    Interrupt,
    Join,
    Joined,
    Note,
    Placed,
    Refused,
    Train,
    Trained,
)
from autogan.pool.places import Death, command_places, local_places, share_of
from autogan.pool.pool import Event, Pool
from autogan.search import Evaluation, Trial

LATE = "the worker did not end the trial, long after max_trial_minutes"
JOIN = Join(config={}, root="a", token="t", run="a", features={}, digest="d")
DEATH = "dies"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Workers here answer at once, or never: nothing is waited for."""
    monkeypatch.setattr("autogan.pool.pool._POLL", 0.0)


class Worker:
    """A worker that answers what it is told by a script of its own.

    Args:
        name: of its place.
        script: gives the answers to a message, `DEATH` for its end; None for the usual ones.
    """

    def __init__(self, name, script=None):
        self.name, self.script = name, script or (lambda worker, message: None)
        self.told, self.lives, self.hear = [], 0, None

    def spawn(self, hear):
        self.hear, self.lives = hear, self.lives + 1
        return self

    def send(self, message):
        self.told.append(message)
        if isinstance(message, Train):
            self.number = message.trial.number
        answers = self.script(self, message)
        for answer in self.usual(message) if answers is None else answers:
            self.hear(None if answer == DEATH else answer)
            if answer == DEATH:
                self.kill()

    def usual(self, message):
        if isinstance(message, Join):
            return [Joined(environment={"name": self.name})]
        if isinstance(message, Train):
            return [evaluated(10)]
        if isinstance(message, Answer):
            return [Trained(trial=Trial(self.number, {}))]
        if isinstance(message, Interrupt):
            return [Trained(trial=None)]
        return []

    def death(self):
        return Death("it died", killed=True)

    def kill(self):
        self.hear = lambda message: None


def evaluated(step):
    return Evaluated(evaluation=Evaluation(step, {"fid": 1.0}))


def train(number):
    return Train(config={}, folder="a", run="a", name="a", trial=Trial(number, {}))


def joined(*workers):
    pool = Pool(workers)
    pool.join(JOIN)
    return pool


def run(pool, trials):
    """Give the pool all trials, answer them, and return its events by trial."""
    left, events = list(range(trials)), []
    running = set()
    for _ in range(1000):
        while left and pool.free():
            running.add(left[0])
            pool.start(left[0], None, train(left.pop(0)))
        if not running:
            return events
        event = pool.next_event()
        if event is None:
            continue
        events.append(event)
        if isinstance(event.message, Evaluated):
            pool.answer(event.trial, go_on=True)
        if isinstance(event.message, Trained | Failed):
            running.remove(event.trial)
            if isinstance(event.message, Failed) and event.message.cause != "itself":
                left.insert(0, event.trial)
    raise AssertionError(f"{running} never ended")


def ended(events):
    return sorted(e.trial for e in events if isinstance(e.message, Trained))


def places(events):
    return {e.trial: e.message.worker for e in events if isinstance(e.message, Placed)}


def test_each_answer_reaches_its_own_trial():
    workers = [Worker(f"w{n}") for n in range(3)]
    pool = joined(*workers)
    events = run(pool, 9)
    assert ended(events) == list(range(9))
    for worker in workers:
        trained = [m.trial.number for m in worker.told if isinstance(m, Train)]
        assert len(trained) == 3
        assert sum(isinstance(m, Answer) for m in worker.told) == 3
        assert [t for t, name in places(events).items() if name == worker.name] == trained


def test_each_worker_joins_once_and_its_environment_is_told():
    workers = [Worker(f"w{n}") for n in range(2)]
    events = run(joined(*workers), 4)
    assert [sum(isinstance(m, Join) for m in w.told) for w in workers] == [1, 1]
    told = {
        e.message.worker: e.message.environment for e in events if isinstance(e.message, Placed)
    }
    assert told == {"w0": {"name": "w0"}, "w1": {"name": "w1"}}


def test_workers_come_when_there_is_work_for_them():
    workers = [Worker(f"w{n}") for n in range(3)]
    pool = joined(*workers)
    assert [w.lives for w in workers] == [1, 0, 0]
    run(pool, 1)
    assert [w.lives for w in workers] == [1, 0, 0]


def test_a_call_swallows_nothing_of_trials():
    """A judgement, say, while another worker trains."""
    slow = Worker("w0", lambda worker, message: [] if isinstance(message, Train) else None)

    def answers(worker, message):
        if not isinstance(message, Evaluate):
            return None
        slow.hear(Note(text="on the way"))
        slow.hear(evaluated(10))
        return [Scores(scores={"fid": 2.0})]

    pool = joined(slow, Worker("w1", answers))
    pool.start(0, None, train(0))
    assert isinstance(pool.next_event().message, Placed)
    assert pool.call(Evaluate(config={}), Scores).scores == {"fid": 2.0}
    assert [pool.next_event().message for _ in range(2)] == [Note(text="on the way"), evaluated(10)]


def fails(*numbers, cause="itself"):
    """Fails at its trainings of these numbers, counted from 0."""
    count = itertools.count()

    def script(worker, message):
        if isinstance(message, Train) and next(count) in numbers:
            return [Failed(reason="no luck", traceback="", cause=cause)]
        return None

    return script


def test_whoever_fails_before_it_has_proven_anything_is_not_believed():
    """Its trials go on elsewhere; after the second it gets no more."""
    bad = Worker("bad", fails(*range(99)))
    pool = joined(bad, Worker("good"))
    events = run(pool, 6)
    assert ended(events) == list(range(6))
    failures = [e.message for e in events if isinstance(e.message, Failed)]
    assert [f.cause for f in failures] == ["worker"] * 2
    assert failures[0].reason == "bad failed: no luck"
    notes = [e for e in events if isinstance(e.message, Note)]
    assert [(n.trial, n.message.text) for n in notes] == [
        (None, "bad gets no more trials: no luck")
    ]


def test_whoever_has_proven_something_is_believed():
    pool = joined(Worker("w0", fails(1)), Worker("w1", fails(1)))
    failures = [e.message for e in run(pool, 6) if isinstance(e.message, Failed)]
    assert [f.cause for f in failures] == ["itself"] * 2


def test_a_single_worker_is_believed():
    pool = joined(Worker("w0", fails(0, 1)))
    assert [e.message.cause for e in run(pool, 3) if isinstance(e.message, Failed)] == [
        "itself"
    ] * 2


def test_a_worker_that_dies_is_replaced_and_joins_again():
    count = itertools.count()

    def script(worker, message):
        return [evaluated(10), DEATH] if isinstance(message, Train) and next(count) == 0 else None

    worker = Worker("w0", script)
    events = run(joined(worker), 2)
    assert ended(events) == [0, 1]
    assert [e.message.cause for e in events if isinstance(e.message, Failed)] == ["killed"]
    assert worker.lives == 2
    assert sum(isinstance(m, Join) for m in worker.told) == 2


def refuses(worker, message):
    return (
        [Refused(field="run_dir", problem="it is another folder")]
        if isinstance(message, Join)
        else None
    )


def test_who_finds_another_folder_is_dismissed_and_no_trial_is_harmed():
    pool = joined(Worker("w0"), Worker("w1", refuses))
    events = run(pool, 6)
    assert ended(events) == list(range(6))
    assert not [e for e in events if isinstance(e.message, Failed)]
    notes = [e.message.text for e in events if isinstance(e.message, Note)]
    assert notes == ["w1 gets no more trials: run_dir: it is another folder"]


def test_who_never_comes_keeps_no_trial():
    """A node of a cluster that has no room yet."""
    never = Worker("w1", lambda worker, message: [])
    events = run(joined(Worker("w0"), never), 6)
    assert ended(events) == list(range(6))
    assert set(places(events).values()) == {"w0"}


def test_without_any_worker_left_trials_fail():
    first = itertools.count()

    def script(worker, message):
        if isinstance(message, Join) and next(first):
            return [DEATH]
        return [DEATH] if isinstance(message, Train) else None

    pool = joined(Worker("w0", script))
    pool.start(0, None, train(0))
    causes = []
    while len(causes) < 1:
        if (event := pool.next_event()) and isinstance(event.message, Failed):
            causes.append(event.message.cause)
    pool.start(0, None, train(0))
    while len(causes) < 2:
        if (event := pool.next_event()) and isinstance(event.message, Failed):
            causes.append(event.message.cause)
    assert causes == ["killed", "itself"]


def test_interrupted_all_save_and_those_who_wait_need_not():
    never = Worker("w1", lambda worker, message: [])
    pool = joined(Worker("w0", lambda w, m: [] if isinstance(m, Train) else None), never)
    for number in range(2):
        pool.start(number, None, train(number))
    assert not pool.free()
    assert isinstance(pool.next_event().message, Placed)
    pool.interrupt()
    events = [pool.next_event() for _ in range(2)]
    assert {e.trial for e in events} == {0, 1}
    assert all(e.message == Trained(trial=None) for e in events)


def silent(worker, message):
    """Says something of its trial, and nothing more."""
    return [evaluated(10)] if isinstance(message, Train) else ([] if worker.told[1:] else None)


def test_who_says_nothing_for_hours_is_reported_and_then_lost():
    now = [0.0]
    pool = Pool([Worker("w0", silent)], clock=lambda: now[0])
    pool.join(JOIN)
    pool.start(0, None, train(0))
    told = []
    while len(told) < 4:
        if event := pool.next_event():
            told.append((round(now[0]), event.trial, event.message))
            if isinstance(event.message, Evaluated):
                pool.answer(0, go_on=True)
        else:
            now[0] += 50
    notice, lost = told[2:]
    assert notice == (650, None, Note(
        text="w0 has been silent for 11 minutes; after hours of silence it counts as lost"
    ))  # fmt: skip
    assert lost[:2] == (7250, 0)
    assert (lost[2].cause, lost[2].reason) == ("killed", "w0 has been silent for 121 minutes")
    assert pool.free()


def test_how_long_is_too_long_follows_from_the_longest_silence():
    """Evaluations that take five minutes: nothing is said before an hour and forty minutes."""
    now, worker = [0.0], Worker("w0", silent)
    pool = Pool([worker], clock=lambda: now[0])
    pool.join(JOIN)
    pool.start(0, None, train(0))
    assert [isinstance(pool.next_event().message, kind) for kind in (Placed, Evaluated)]
    pool.answer(0, go_on=True)
    for step in (20, 30):
        for _ in range(6):
            now[0] += 50
            assert pool.next_event() is None
        worker.hear(evaluated(step))
        assert pool.next_event().message == evaluated(step)
        pool.answer(0, go_on=True)
    since = now[0]
    while (event := pool.next_event()) is None:
        now[0] += 50
    assert isinstance(event.message, Note)
    assert now[0] - since == pytest.approx(20 * 300, abs=60)
    pool.interrupt()
    since = now[0]
    while (event := pool.next_event()) is None:
        now[0] += 50
    assert event.message.text.startswith("trial 0 did not save in time: w0 was killed")
    assert pool.next_event() == Event(0, Trained(trial=None))
    assert now[0] - since == pytest.approx(3 * 300, abs=60)


def test_who_waits_for_an_answer_is_not_silent_and_loses_no_time():
    """The search may wait for other trials first, for hours."""
    now, worker = [0.0], Worker("w0", silent)
    pool = Pool([worker], clock=lambda: now[0])
    pool.join(JOIN)
    pool.start(0, 1.0, train(0))  # a minute, and so ten more
    assert [isinstance(pool.next_event().message, kind) for kind in (Placed, Evaluated)]
    for _ in range(400):
        now[0] += 50
        assert pool.next_event() is None
    pool.answer(0, go_on=True)
    since = now[0]
    while not isinstance((event := pool.next_event()) and event.message, Failed):
        now[0] += 50
    assert event.message.reason.startswith("the worker did not end the trial, long after")
    assert now[0] - since == pytest.approx(60 * 12, abs=60)


def test_a_trial_for_which_no_worker_is_left_is_given_back():
    """Else the search would wait for it, and whoever works for the search."""

    def never_joins(worker, message):
        return [DEATH] if isinstance(message, Join) else None

    pool = joined(Worker("w0", silent), Worker("w1", never_joins))
    for trial in range(2):
        pool.start(trial, None, train(trial))
    events = [event for _ in range(20) if (event := pool.next_event())]
    assert [e for e in events if isinstance(e.message, Trained)] == [Event(1, Trained(trial=None))]
    assert pool.free() == 0


def test_a_driver_that_slept_blames_no_worker():
    """Its clock jumps by a day between two looks."""
    now = [0.0]
    pool = Pool([Worker("w0", silent)], clock=lambda: now[0])
    pool.join(JOIN)
    pool.start(0, None, train(0))
    assert [isinstance(pool.next_event().message, kind) for kind in (Placed, Evaluated)]
    pool.answer(0, go_on=True)
    now[0] += 86400
    assert pool.next_event() is None
    assert not pool.free()


def test_who_has_said_nothing_of_its_trial_has_nothing_to_save():
    """It loads data or compiles, which takes longer than a scheduler waits."""
    worker = Worker("w0", lambda w, m: [] if isinstance(m, Train) else None)
    pool = joined(worker)
    pool.start(0, None, train(0))
    assert isinstance(pool.next_event().message, Placed)
    pool.interrupt()
    assert not any(isinstance(message, Interrupt) for message in worker.told)
    assert pool.next_event() == Event(0, Trained(trial=None))
    assert worker.lives == 1


def test_a_full_worker_is_replaced_before_its_next_trial():
    def script(worker, message):
        full = isinstance(message, Answer)
        return [Trained(trial=Trial(worker.number, {}), full=True)] if full else None

    worker = Worker("w0", script)
    run(joined(worker), 3)
    assert worker.lives == 3


def test_times_are_each_trials_own():
    """Two that hang, begun a quarter of an hour apart, with half an hour each.

    The worker should end them then; it is ended itself after twice that and ten minutes.
    """
    now = [0.0]
    hang = [Worker(f"w{n}", lambda w, m: [] if isinstance(m, Train) else None) for n in range(2)]
    pool = Pool(hang, clock=lambda: now[0])
    pool.join(JOIN)
    for number in range(2):
        pool.start(number, 30, train(number))
        while not isinstance(getattr(pool.next_event(), "message", None), Placed):
            pass
        now[0] += 900
    late = []
    while len(late) < 2:
        event = pool.next_event()
        if event is None:
            now[0] += 60
        elif isinstance(event.message, Failed):
            late.append((event.trial, now[0]))
            assert event.message.reason == LATE
    assert [trial for trial, _ in late] == [0, 1]
    assert late[0][1] == pytest.approx(4200, abs=120)
    assert late[1][1] == pytest.approx(5100, abs=120)


def test_gpus_are_dealt_out_with_their_memory():
    gpus = [Gpu("0", 80_000), Gpu("3", 40_000)]
    envs = [place.env for place in local_places(4, gpus, 2)]
    assert [env["CUDA_VISIBLE_DEVICES"] for env in envs] == ["0", "3", "0", "3"]
    assert [env["AUTOGAN_GPU_MEMORY"] for env in envs] == ["35500", "17500"] * 2
    assert "AUTOGAN_GPU_MEMORY" not in local_places(2, gpus)[0].env
    assert local_places(2)[0].env == {}
    assert share_of(Gpu("0"), 2) == ""


def test_commands_get_the_workers_own_as_their_last_arguments():
    slurm, ssh = (command_places(1, prefix)[0].command for prefix in ("srun -n 1", "ssh a"))
    assert slurm[:3] == ["srun", "-n", "1"]
    assert slurm[-1].endswith("main()")
    assert ssh[-1] == f"'{slurm[-1]}'"  # for the shell there


def test_a_process_that_was_ended_is_not_listened_to():
    """What it still says is not said of the next one's trial."""
    now = [0.0]
    worker = Worker("w0", lambda w, m: [] if isinstance(m, Train) else None)
    pool = Pool([worker], clock=lambda: now[0])
    pool.join(JOIN)
    pool.start(0, 1, train(0))
    said_by_the_first = worker.hear
    assert isinstance(pool.next_event().message, Placed)
    now[0] = 721.0
    assert pool.next_event().message.reason == LATE
    pool.start(1, None, train(1))
    while not isinstance(getattr(pool.next_event(), "message", None), Placed):
        pass
    said_by_the_first(Trained(trial=Trial(0, {})))
    worker.hear(evaluated(10))
    events = [event for _ in range(2) if (event := pool.next_event())]
    assert [(event.trial, event.message) for event in events] == [(1, evaluated(10))]
