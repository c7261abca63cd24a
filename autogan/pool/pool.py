"""The driver's end of the pipes: a pool of workers that run trials and stay alive between them."""

import math
import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from typing_extensions import override

from autogan.core.errors import AutoGANError, ConfigError, StorageError
from autogan.pool.message import Call, Message
from autogan.pool.messages import (
    Answer,
    Cause,
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
from autogan.pool.places import Death, Place
from autogan.pool.workers import Job, Silence, Worker

_POLL = 0.2  # seconds between checks for Ctrl-C
_GRACE = 10.0  # minutes for building networks and evaluating beyond a trial's time limit
_DOUBTS = 2  # failures after which an unproven worker gets no more trials

Reply = TypeVar("Reply", bound=Message)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Event:
    """A message about a trial, or a note by the pool itself.

    Attributes:
        trial: its number; None for a `Note` by the pool.
        message: `Placed`, `Note`, `Progress` or `Evaluated` during the trial; `Trained` or
            `Failed` at its end.
    """

    trial: int | None
    message: Message


class Engine(Protocol):
    """The search loop's interface to the workers that run its trials."""

    def call(self, call: Call, reply: type[Reply], tell: Tell = ...) -> Reply:
        """Make a call other than a trial and wait for its reply; ``tell`` gets the notes."""

    def join(self, call: Join, tell: Tell = ...) -> None:
        """Let a worker join a run; workers that start later join before their first trial."""

    def free(self) -> int:
        """The number of further trials that can start now."""

    def start(self, trial: int, minutes: float | None, call: Train) -> None:
        """Start a trial; it fails if it runs far longer than ``minutes``. Its events follow."""

    def next_event(self) -> Event | None:
        """The next event of any trial; None if there is none for a short time."""

    def answer(self, trial: int, go_on: bool) -> None:
        """Answer an evaluation: whether the trial continues."""

    def interrupt(self) -> None:
        """Make all running trials save and end as soon as possible."""

    def close(self) -> None:
        """End all workers."""


class WorkerFailed(AutoGANError):
    """The worker raised an unexpected error, or died.

    Args:
        report: the cause; the first line is a summary.
    """

    def __init__(self, report: str) -> None:
        self.report = report
        super().__init__(f"{report.splitlines()[0]} (--debug shows more)")


class Pool(Engine):
    """Workers at given places, each started when it is first needed.

    A trial waits until a worker has joined the run and is free. The pool replaces a worker that
    died or uses too much memory. If one of several workers fails before it has brought any trial
    to an evaluation, the pool blames the worker, not the trial: the trial continues elsewhere, and
    after its second such failure the worker gets no more trials. The pool reports a worker that is
    silent for much longer than any was before, and replaces it after hours.

    Args:
        places: for the workers.
        clock: returns seconds since a fixed moment; used to measure trials.
    """

    def __init__(
        self, places: Sequence[Place], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workers = [Worker(place) for place in places]
        self._clock = clock
        self._silence = Silence(self._workers, clock)
        self._saved_by = math.inf  # when interrupted trials must have ended
        self._join: Join | None = None
        self._waiting: deque[Job] = deque()
        # Messages, each with the worker's process: those of processes that were ended are ignored.
        self._heard: queue.SimpleQueue[tuple[Worker, int, Message | None]] = queue.SimpleQueue()
        self._later: deque[tuple[Worker, Message | None]] = deque()  # arrived during a call
        self._events: deque[Event] = deque()  # not returned yet

    def call(self, call: Call, reply: type[Reply], tell: Tell = lambda text: None) -> Reply:
        """See `Engine.call`.

        Raises:
            ConfigError: if the worker refuses the call.
            StorageError: if the worker could not write a file.
            WorkerFailed: if the worker fails or dies.
        """
        worker = self._idle()[0]
        if worker.channel is None:
            self._spawn(worker)
        worker.send(call)
        while True:
            heard = self._hear()
            if heard is None:
                continue
            other, message = heard
            if other is not worker:
                self._later.append(heard)
            elif message is None:
                raise WorkerFailed(self._death(worker).report)
            elif isinstance(message, Refused):
                raise ConfigError(message.field, message.problem)
            elif isinstance(message, Failed) and message.cause == "disk":
                raise StorageError(message.reason)
            elif isinstance(message, Failed):
                raise WorkerFailed(f"{message.reason}\n{message.traceback}")
            elif isinstance(message, reply):
                return message
            elif isinstance(message, Note):
                tell(message.text)

    def join(self, call: Join, tell: Tell = lambda text: None) -> None:
        """See `Engine.join`; raises the errors of `call`."""
        self._join = call
        worker = self._idle()[0]
        worker.environment = self.call(call, Joined, tell).environment

    @override
    def free(self) -> int:
        idle = sum(not (worker.job or worker.dismissed) for worker in self._workers)
        return max(idle - len(self._waiting), 0)

    @override
    def start(self, trial: int, minutes: float | None, call: Train) -> None:
        self._saved_by = math.inf
        self._waiting.append(Job(trial, minutes, call))
        self._place()

    def next_event(self) -> Event | None:
        """See `Engine.next_event`; if a worker dies, its trial fails."""
        if not self._events:
            worker, message = self._later.popleft() if self._later else self._hear() or (None, None)
            self._look(worker if isinstance(message, Trained | Failed) else None)
            if worker is not None and worker.channel is not None:
                self._take(worker, message)
                self._place()
        return self._events.popleft() if self._events else None

    @override
    def answer(self, trial: int, go_on: bool) -> None:
        for worker in self._workers:
            if worker.job is not None and worker.job.trial == trial:
                worker.job.answered(self._clock())
                worker.send(Answer(go_on=go_on))

    def interrupt(self) -> None:
        """See `Engine.interrupt`; a trial not saved in time resumes from its last checkpoint."""
        while self._waiting:
            self._events.append(Event(self._waiting.popleft().trial, Trained(trial=None)))
        self._saved_by = min(self._saved_by, self._clock() + self._silence.saving())
        for worker in self._workers:
            if worker.job is None:
                continue
            if worker.job.heard:
                worker.send(Interrupt())
            else:  # it is loading or compiling, and has nothing to save yet
                self._end(worker, Trained(trial=None))
                worker.end()

    @override
    def close(self) -> None:
        for worker in self._workers:
            worker.end()
            worker.job = None
        self._waiting.clear()
        self._events.clear()

    def _idle(self) -> list[Worker]:
        """Workers without a trial; those that are ready and most trusted come first."""
        idle = [worker for worker in self._workers if not (worker.job or worker.dismissed)]
        return sorted(idle, key=lambda w: (w.channel is None, w.joining, w.doubts))

    def _place(self) -> None:
        """Give waiting trials to joined workers; let as many others join as trials still wait."""
        coming = sum(worker.joining for worker in self._workers)
        for worker in self._idle():
            if worker.full:
                worker.end()
            joined = self._join is None or worker.environment is not None
            if joined and self._waiting:
                self._begin(worker, self._waiting.popleft())
            elif not joined and not worker.joining and coming < len(self._waiting):
                if worker.channel is None:
                    self._spawn(worker)
                assert self._join is not None
                worker.joining = True
                worker.send(self._join)
                coming += 1

    def _begin(self, worker: Worker, job: Job) -> None:
        """Give a worker its trial and start the trial's clock."""
        if worker.channel is None:
            self._spawn(worker)
        worker.job = job
        if job.minutes:
            job.deadline = self._clock() + 60 * (2 * job.minutes + _GRACE)
        self._silence.ended_by(worker)
        worker.send(job.call)
        placed = Placed(worker=worker.place.name, environment=worker.environment or {})
        self._events.append(Event(job.trial, placed))

    def _spawn(self, worker: Worker) -> None:
        worker.life += 1
        life = worker.life
        worker.channel = worker.place.spawn(lambda said: self._heard.put((worker, life, said)))

    def _hear(self) -> tuple[Worker, Message | None] | None:
        """The next message and its worker (message None at its end); None if none comes soon."""
        try:
            worker, life, message = self._heard.get(timeout=_POLL)
        except queue.Empty:
            return None
        return (worker, message) if worker.channel and worker.life == life else None

    def _look(self, but: Worker | None) -> None:
        """End the trials whose time is over, except that of a worker that has just finished."""
        now = self._silence.look()
        for worker in self._workers:
            if worker.job and worker is not but and now > worker.job.due_by(now):
                reason = "the worker did not end the trial, long after max_trial_minutes"
                self._end(worker, Failed(reason=reason, traceback=reason))
                worker.end()
            elif worker.job and worker is not but and now > self._saved_by:
                self._tell(
                    f"trial {worker.job.trial} did not save in time: {worker.place.name} was "
                    "killed; the trial resumes from its last checkpoint"
                )
                self._end(worker, Trained(trial=None))
                worker.end()
        for worker in self._silence.unusual():
            self._tell(f"{self._silent(worker)}; after hours of silence it counts as lost")
        for worker in self._silence.lost():
            silent = self._silent(worker)
            self._end(worker, Failed(reason=silent, traceback=silent, cause="killed"))
            worker.end()

    def _silent(self, worker: Worker) -> str:
        return f"{worker.place.name} has been silent for {worker.silent / 60:.0f} minutes"

    def _tell(self, text: str) -> None:
        """Add a note for the user about the workers."""
        self._events.append(Event(None, Note(text=text)))

    def _take(self, worker: Worker, message: Message | None) -> None:
        """Handle a worker's message, or its end."""
        self._silence.ended_by(worker)
        if message is None:
            death = self._death(worker)
            self._fail(worker, death.report, "killed" if death.killed else "itself")
        elif isinstance(message, Joined):
            worker.environment, worker.joining = message.environment, False
        elif isinstance(message, Refused):
            self._fail(worker, str(ConfigError(message.field, message.problem)), "itself")
        elif isinstance(message, Failed):
            self._fail(worker, f"{message.reason}\n{message.traceback}", message.cause)
            if message.cause == "memory":
                worker.end()  # a fresh one has more memory
        elif isinstance(message, Trained):
            worker.full = message.full
            worker.trusted()
            self._end(worker, message)
        elif worker.job is not None:
            worker.job.heard = True
            if isinstance(message, Evaluated):
                worker.trusted()
                worker.job.asked = self._clock()
            self._events.append(Event(worker.job.trial, message))
        elif isinstance(message, Note):
            self._events.append(Event(None, message))

    def _fail(self, worker: Worker, report: str, cause: Cause) -> None:
        """Handle a worker's failure; the report's first line is a summary."""
        reason, name = report.partition("\n")[0], worker.place.name
        others = any(not other.dismissed for other in self._workers if other is not worker)
        doubtful = cause == "itself" and not worker.proven and others
        if worker.job is not None:
            shown = f"{name} failed: {reason}" if doubtful else reason
            final: Cause = "worker" if doubtful else cause
            self._end(worker, Failed(reason=shown, traceback=report, cause=final))
        elif not others:  # and it could not even join: no trial can run
            while self._waiting:
                failed = Failed(reason=reason, traceback=report)
                self._events.append(Event(self._waiting.popleft().trial, failed))
        if doubtful or worker.joining:
            worker.doubts += 1
            worker.dismissed = others and worker.doubts >= _DOUBTS
            if worker.dismissed:
                self._tell(f"{name} gets no more trials: {reason}")
                if len(self._waiting) > len(self._idle()):  # no worker is left for it
                    self._events.append(Event(self._waiting.pop().trial, Trained(trial=None)))
            worker.end()

    def _end(self, worker: Worker, message: Trained | Failed) -> None:
        """End a worker's trial, which frees the worker."""
        assert worker.job is not None
        self._events.append(Event(worker.job.trial, message))
        worker.job = None

    def _death(self, worker: Worker) -> Death:
        """How a worker has ended; the next call starts a fresh one."""
        assert worker.channel is not None
        death, joining = worker.channel.death(), worker.joining
        worker.end()
        worker.joining = joining
        return death
