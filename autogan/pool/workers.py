"""The workers of a pool: where each runs, its trial, and how long it has been silent."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autogan.pool.message import Message
from autogan.pool.messages import Train
from autogan.pool.places import Channel, Place

# A silence is reported after _NOTICE seconds or _UNUSUAL times the longest silence so far, the
# longer of the two. After _LOST times as long, at least two hours, the worker counts as lost.
_NOTICE = 600.0
_UNUSUAL = 20
_LOST = 12
# Interrupted trials must save and end in _SAVING seconds or _SLOW times the longest silence so far.
_SAVING = 60.0
_SLOW = 3
_HELD_UP = 60.0  # most seconds that count between two looks: after more, the driver itself slept


@dataclass
class Job:
    """A trial in the pool.

    Attributes:
        trial: its number.
        minutes: its time limit.
        call: the call that trains it.
        deadline: when it must have ended, once a worker runs it.
        heard: whether its worker has sent a message about it.
        asked: when its worker asked whether to continue; None once that is answered.
    """

    trial: int
    minutes: float | None
    call: Train
    deadline: float = math.inf
    heard: bool = False
    asked: float | None = None

    def answered(self, now: float) -> None:
        """Move the deadline by the time that its worker waited for an answer."""
        self.deadline, self.asked = self.due_by(now), None

    def due_by(self, now: float) -> float:
        """The deadline, plus the time that its worker has been waiting for an answer."""
        return self.deadline + (0.0 if self.asked is None else now - self.asked)


class Worker:
    """A worker of the pool, over all its processes.

    Attributes:
        place: where its process runs.
        channel: to the process; None while there is none.
        life: the number of processes so far.
        joining: whether it was asked to join the run and has not answered.
        environment: of the process, once it has joined.
        job: the trial in progress.
        full: whether it uses so much memory that a fresh process should replace it.
        proven: whether it has brought a trial to an evaluation.
        doubts: failures before its first evaluation.
        dismissed: whether it gets no more trials.
        silent: seconds since its last message or the start of its job.
        reported: whether its silence has been reported.
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
        """Send a message to the process, if there is one."""
        if self.channel is not None:
            self.channel.send(message)

    def end(self) -> None:
        """End the process; the next call starts a fresh one."""
        if self.channel is not None:
            self.channel.kill()
        self.channel = self.environment = None
        self.joining = self.full = False

    def trusted(self) -> None:
        """Trust the worker from now on: it has brought a trial to an evaluation."""
        self.proven, self.doubts = True, 0


class Silence:
    """How long workers with a trial have been silent, and how long is too long.

    Time is counted only from one look to the next, up to a limit: if the driver itself was held
    up, for example because its machine slept, no worker is blamed.

    Args:
        workers: of the pool.
        clock: returns seconds since a fixed moment.
    """

    def __init__(self, workers: Sequence[Worker], clock: Callable[[], float]) -> None:
        self._workers = workers
        self._clock = clock
        self._looked = clock()
        self._longest = 0.0

    def look(self) -> float:
        """Count the time since the last look; return the current time."""
        now = self._clock()
        for worker in self._workers:
            if worker.job is not None and worker.job.asked is None:
                worker.silent += min(now - self._looked, _HELD_UP)
        self._looked = now
        return now

    def ended_by(self, worker: Worker) -> None:
        """End a worker's silence: it has sent a message or been given a trial."""
        if worker.job is not None and worker.job.heard:
            self._longest = max(self._longest, worker.silent)
        worker.silent, worker.reported = 0.0, False

    def unusual(self) -> list[Worker]:
        """Workers whose silence should be reported now; each silence is returned once."""
        notice = self._notice()
        found = [w for w in self._workers if w.job and w.silent > notice and not w.reported]
        for worker in found:
            worker.reported = True
        return found

    def lost(self) -> list[Worker]:
        """Workers that have been silent for so long that they count as lost."""
        limit = _LOST * self._notice()
        return [worker for worker in self._workers if worker.job and worker.silent > limit]

    def saving(self) -> float:
        """Seconds that interrupted trials have to save and end."""
        return max(_SAVING, _SLOW * self._longest)

    def _notice(self) -> float:
        return max(_NOTICE, _UNUSUAL * self._longest)
