"""Who works in a pool: its places, what each does, and how long it has been silent."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autogan.pool.message import Message
from autogan.pool.messages import Train
from autogan.pool.places import Channel, Place

_NOTICE = 600.0  # seconds of silence that are reported, at least
_UNUSUAL = 20  # times the longest silence so far, likewise
_LOST = 12  # times as long, and the worker counts as lost: after two hours at least
_SAVING = 60.0  # seconds in which interrupted trials must save and end, at least
_SLOW = 3  # times the longest silence so far, likewise
_HELD_UP = (
    60.0  # seconds between two looks that count, at most: after more, the driver itself slept
)


@dataclass
class Job:
    """A trial in the pool.

    Attributes:
        trial: its number.
        minutes: that it may take.
        call: that trains it.
        deadline: by when it must have ended, once a worker has it.
        heard: whether its worker has said something of it.
        asked: when its worker asked whether to go on, if that has not been answered yet.
    """

    trial: int
    minutes: float | None
    call: Train
    deadline: float = math.inf
    heard: bool = False
    asked: float | None = None

    def answered(self, now: float) -> None:
        """Its worker goes on; what it waited is no part of the trial's time."""
        self.deadline, self.asked = self.due_by(now), None

    def due_by(self, now: float) -> float:
        """By when it must have ended; later, the longer it waits for an answer."""
        return self.deadline + (0.0 if self.asked is None else now - self.asked)


class Worker:
    """A place in the pool, and who works there.

    Attributes:
        place: where.
        channel: to the process; None while there is none.
        life: counts the processes.
        joining: whether it was asked to join the run and has not answered.
        environment: of the process, once it has joined.
        job: what it does.
        full: whether its memory holds enough, so that a fresh one should follow.
        proven: whether it has brought a trial to an evaluation.
        doubts: how often it failed before it had.
        dismissed: whether it gets no more trials.
        silent: seconds since it said something or was given its job.
        reported: whether the user knows of its silence.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.channel: Channel | None = None
        self.life = 0
        self.joining = self.full = self.proven = self.dismissed = False
        self.environment: dict[str, Any] | None = None
        self.job: Job | None = None
        self.doubts = 0
        self.silent, self.reported = 0.0, False

    def send(self, message: Message) -> None:
        """Tell the process something, if there is one."""
        if self.channel is not None:
            self.channel.send(message)

    def end(self) -> None:
        """End the process; the next call starts a fresh one."""
        if self.channel is not None:
            self.channel.kill()
        self.channel = self.environment = None
        self.joining = self.full = False

    def trusted(self) -> None:
        """It has brought a trial somewhere."""
        self.proven, self.doubts = True, 0


class Silence:
    """How long workers with a trial say nothing, and how long is too long.

    Only looks tell how much time has passed: a driver that was itself held up, with its machine
    say, blames no worker.

    Args:
        workers: of the pool.
        clock: seconds since some moment.
    """

    def __init__(self, workers: Sequence[Worker], clock: Callable[[], float]) -> None:
        self._workers = workers
        self._clock = clock
        self._looked = clock()
        self._longest = 0.0

    def look(self) -> float:
        """Count the time since the last look; returns what the clock says now."""
        now = self._clock()
        for worker in self._workers:
            if worker.job is not None and worker.job.asked is None:
                worker.silent += min(now - self._looked, _HELD_UP)
        self._looked = now
        return now

    def ended_by(self, worker: Worker) -> None:
        """A worker has said something, or has been given a trial."""
        if worker.job is not None and worker.job.heard:
            self._longest = max(self._longest, worker.silent)
        worker.silent, worker.reported = 0.0, False

    def unusual(self) -> list[Worker]:
        """Those whose silence should be reported, once each."""
        notice = self._notice()
        found = [w for w in self._workers if w.job and w.silent > notice and not w.reported]
        for worker in found:
            worker.reported = True
        return found

    def lost(self) -> list[Worker]:
        """Those that have been silent for so long that they count as lost."""
        limit = _LOST * self._notice()
        return [worker for worker in self._workers if worker.job and worker.silent > limit]

    def saving(self) -> float:
        """Seconds in which interrupted trials must save and end."""
        return max(_SAVING, _SLOW * self._longest)

    def _notice(self) -> float:
        return max(_NOTICE, _UNUSUAL * self._longest)
