"""A worker that needs no TensorFlow: its trials are a formula.

Run as a program it is a worker process for a pool (`pool_of`); `FakeEngine` is the same in-process.
The parameter ``z_dim`` makes a trial misbehave: see `FakeSession.train`.
"""

import contextlib
import errno
import json
import os
import queue
import random
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

from autogan.config import TrainConfig
from autogan.core.files import write_json
from autogan.pool.finished import Sampled, Scores
from autogan.pool.messages import (
    Evaluated,
    Failed,
    Joined,
    Opened,
    Prepared,
    Progress,
    Refused,
    Timed,
    Trained,
    decode,
    encode,
)
from autogan.pool.places import local_places
from autogan.pool.pool import Event, Pool
from autogan.record.chain import Chain
from autogan.record.folder import TrialFolder
from autogan.search import Evaluation, State, Trial
from autogan.worker.serve import failure, serve

LABEL = "fid_fake_9"
SECONDS = 0.0  # that each trial claims to have taken
CRASH, RAISE, HANG, DIVERGE, CHATTER, KILLED, FULL, SLOW = 11, 12, 13, 14, 15, 16, 17, 18


def labels_of(config):
    """The labels of a configuration's criteria."""
    return {name: f"{name}_fake_9" for name in config.criteria()}


def score(config, step):
    """The value of a trial at a step: a bowl over the learning rate, and noise from the seed."""
    rate = config.hyperparameters()["learning_rate"]
    return 1e4 * (rate - 4e-4) ** 2 * 1e4 + config.seed % 97 / 97 + 10 / step


class FakeSession:
    """The calls of `autogan.worker.session.Session`, answered by a formula."""

    data = "a"  # stands for the training images
    variety: ClassVar = {}  # of all generated images
    collapses_at = 99  # step
    collapsing: ClassVar = range(99)  # trials
    missing: ClassVar = ()  # criteria that come to no finite value

    def __init__(self, driver):
        self._driver = driver

    def open(self, call):
        run = TrainConfig(**call.config)
        run.hyperparameters()
        return Opened(
            images=640,
            image_shape=(8, 8, 1),
            classes={},
            digest=self.data,
            generator_bytes=1000,
            state_bytes=4000,
            environment={"fake": 1},
        )

    def prepare(self, call):
        run = TrainConfig(**call.config)
        return Prepared(
            objective=run.objective.label(labels_of(run)),
            labels=labels_of(run),
            features={"network": "fake"},
        )

    def join(self, call):
        return Joined(environment={"fake": 1})

    def time(self, call):
        return Timed(step=0.5, evaluation=2.0)

    def evaluate(self, call):
        """The best evaluation's scores again, and one worse on the test images."""
        run = TrainConfig(**call.config)
        scores = {label: score(run, 30) + call.seed for label in labels_of(run).values()}
        return Scores(scores=scores, test={f"{k}_test": v + 1 for k, v in scores.items()})

    def sample(self, call):
        self._driver.note(f"making {call.count} images")
        return Sampled()

    def train(self, call):
        """Three segments, each checkpointed before it is sent; a slow one takes a minute."""
        run = TrainConfig(**call.config)
        root = Path(call.folder)
        root.mkdir(parents=True, exist_ok=True)
        behaviour = run.hyperparameters()["z_dim"]
        if behaviour == CRASH:
            print("the last words", file=sys.stderr, flush=True)
            os._exit(7)
        if behaviour == RAISE:
            raise RuntimeError("no luck today")
        if behaviour == FULL:
            raise OSError(errno.ENOSPC, "No space left on device", "runs/a")
        if behaviour == KILLED:
            raise MemoryError("not enough of it")
        while behaviour in (HANG, CHATTER):
            time.sleep(60 if behaviour == HANG else 0.02)
            self._driver.progress(1, 30, {"d_loss": 0.0})
        if ended := TrialFolder.of(root, run).ended():  # as the user trained it on by hand
            for evaluation in ended.evaluations:
                self._driver.evaluated(evaluation)
            return Trained(trial=ended)
        trial = Trial(call.trial.number, {}, run.seed, state=State.COMPLETE)
        state = root / "state.json"
        done = json.loads(state.read_text())["done"] if state.exists() else 0
        objective, labels = run.objective, labels_of(run)
        dies = self.collapses_at < 30 and trial.number in self.collapsing
        for step in (10, 20, 30) if behaviour != DIVERGE else ():
            minutes = step / 10 - 1 if behaviour == SLOW else 0
            if step > done and run.max_trial_minutes and minutes >= run.max_trial_minutes:
                trial.state, trial.reason = State.TIMED_OUT, f"out of time at step {step - 10}"
                break
            values = {"fid": score(run, step), "is": 1 + run.seed % 13}
            scores = {labels[n]: values[n] for n in run.criteria() if n not in self.missing}
            collapsed = dies and step >= self.collapses_at
            trial.evaluations.append(Evaluation(step, scores, None, self.variety, collapsed))
            if step > done:
                self._driver.progress(step, 30, {"d_loss": 0.0})
                write_json(state, {"done": step})
            goes_on = self._driver.evaluated(trial.evaluations[-1])
            if self._driver.interrupted():
                return Trained(trial=None)
            if not goes_on and step >= done and step < 30:
                trial.state = State.STOPPED
                break
        if dies:
            trial.state, trial.reason = State.COLLAPSED, "1 picture among 256 images"
        elif behaviour == DIVERGE:
            trial.state, trial.reason = State.DIVERGED, "a loss became NaN before an evaluation"
        counted = [e for e in trial.evaluations if objective.counts(e.scores, labels)]
        if trial.evaluations and not counted and not dies:
            trial.state, trial.reason = State.COLLAPSED, f"no evaluation met {run.constraint}"
        if sound := [e for e in counted if not e.collapsed]:
            choose = min if objective.direction == "min" else max
            best = choose(sound, key=lambda e: objective.value(e.scores, labels))
            trial.value, trial.step = objective.value(best.scores, labels), best.step
            last = trial.evaluations[-1]
            counts = not last.collapsed and objective.counts(last.scores, labels)
            trial.last_value = objective.value(last.scores, labels) if counts else None
        trial.seconds = SECONDS if behaviour != SLOW else 6.0 * trial.evaluations[-1].step
        trial.steps = trial.evaluations[-1].step if trial.evaluations else 30
        return Trained(trial=trial)


class FakeEngine:
    """Does a worker's work in this process, in a thread while a trial runs.

    Args:
        session: answers the calls; a fake one by default.
    """

    def __init__(self, session=None):
        self._session = session or FakeSession(self)
        self._events = queue.SimpleQueue()
        self._answers = queue.SimpleQueue()
        self._trial = None
        self._hears = None
        self._wish = False
        self.started = []

    def join(self, call, tell=None):
        self.call(call, Joined, tell)

    def call(self, call, reply, tell=None):
        """Every message goes through the form that it has on the pipe."""
        self._hears = tell
        answer = decode(encode(self._answer(decode(encode(call)))))
        self._hears = None
        assert isinstance(answer, reply)
        return answer

    def free(self):
        return int(self._trial is None)

    def start(self, trial, minutes, call):
        self._trial, self._wish = trial, False
        self._answers = queue.SimpleQueue()
        self.started.append(trial)
        threading.Thread(target=self._run, args=(decode(encode(call)),), daemon=True).start()

    def _run(self, call):
        try:
            self._tell(self._answer(call))
        except Exception as error:
            self._tell(failure(error))

    def _answer(self, call):
        return getattr(self._session, type(call).__name__.lower())(call)

    def next_event(self):
        event = self._events.get()
        if isinstance(event.message, Trained | Failed | Refused):
            self._trial = None
        return event

    def answer(self, trial, go_on):
        self._answers.put(go_on)

    def interrupt(self):
        self._wish = True
        self._answers.put(True)

    def close(self):
        pass

    # The driver that the session talks to.
    def note(self, text):
        if self._hears:
            self._hears(text)

    def progress(self, step, steps, losses):
        self._tell(Progress(step=step, steps=steps, losses=losses))

    def evaluated(self, evaluation):
        self._tell(Evaluated(evaluation=evaluation))
        return self._answers.get()

    def interrupted(self):
        return self._wish

    def _tell(self, message):
        self._events.put(Event(self._trial, decode(encode(message))))


def told(root):
    """The record of a search without what timing and workers decide."""
    lines = (root / "trials.jsonl").read_text().splitlines()
    timing = ("seconds", "at", "chain")
    records = [{k: v for k, v in json.loads(line).items() if k not in timing} for line in lines]
    return [record for record in records if record["record"] != "placed"]


def records_of(path):
    """The records in a file, by their fields."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return [{k: v for k, v in r.items() if k not in ("chain", "crc")} for r in records]


def write_records(path, records):
    """Write records as lines with the right checksums."""
    chain, lines = Chain(), []
    for fields in records:
        lines.append(chain.line(fields))
        chain.written(fields)
    path.write_text("".join(f"{line}\n" for line in lines))


class Shuffled:
    """Trials of a formula, so many at a time, whose events come in an order that chance decides.

    Args:
        count: of the workers.
        seed: of the order.
        value: of a trial's number and step.
    """

    def __init__(self, count, seed=0, value=None):
        self._count, self._chance = count, random.Random(seed)
        self._value = value or (lambda call, step: score(TrainConfig(**call.config), step))
        self._running, self._events = {}, []
        self.most = 0

    def join(self, call, tell=None):
        pass

    def call(self, call, reply, tell=None):
        return getattr(FakeSession(None), type(call).__name__.lower())(call)

    def free(self):
        return self._count - len(self._running)

    def start(self, trial, minutes, call):
        self._running[trial] = self._train(trial, call)
        self._events.append(Event(trial, next(self._running[trial])))
        self.most = max(self.most, len(self._running))

    def _train(self, number, call):
        run = TrainConfig(**call.config)
        labels, objective = labels_of(run), run.objective
        trial = Trial(number, {}, run.seed, state=State.COMPLETE)
        for step in (10, 20, 30):
            scores = {label: self._value(call, step) for label in labels.values()}
            trial.evaluations.append(Evaluation(step, scores))
            go_on = yield Evaluated(evaluation=trial.evaluations[-1])
            if not go_on and step < 30:
                trial.state = State.STOPPED
                break
        best = min(trial.evaluations, key=lambda e: objective.value(e.scores, labels))
        trial.value, trial.step = objective.value(best.scores, labels), best.step
        trial.last_value = objective.value(trial.evaluations[-1].scores, labels)
        trial.steps = trial.evaluations[-1].step
        yield Trained(trial=trial)

    def next_event(self):
        event = self._events.pop(self._chance.randrange(len(self._events)))
        if isinstance(event.message, Trained):
            del self._running[event.trial]
        return event

    def answer(self, trial, go_on):
        self._events.append(Event(trial, self._running[trial].send(go_on)))

    def interrupt(self):
        self._events = [Event(trial, Trained(trial=None)) for trial in self._running]

    def close(self):
        pass


FAKE_WORKER = (sys.executable, __file__)


def pool_of(count, command=FAKE_WORKER, **more):
    """Workers in processes of their own."""
    return Pool(local_places(count, command=command), **more)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(FakeSession)
