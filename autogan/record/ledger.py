"""The record of a search: one append-only file of JSON lines.

Each line (`autogan.record.lines`) is flushed to the disk before the search goes on:

    {"record": "search", ...}       everything that values depend on; the first line only
    {"record": "limits", ...}       the budget of the search, from here on
    {"record": "data", ...}         other training images, which the user accepted
    {"record": "started", ...}      a trial's number, hyperparameters, seed and folder
    {"record": "placed", ...}       the worker that trains it
    {"record": "worker", ...}       a worker whose environment differs from the first one's
    {"record": "evaluation", ...}   a trial's scores at a step, and the answer whether it goes on
    {"record": "ended", ...}        a trial's state, value, timing, and the reason for a failure
    {"record": "revived", ...}      a trial that was stopped early goes on
    {"record": "lost", ...}         a trial's worker died; the trial is tried again
    {"record": "retried", ...}      a failed trial is tried again, or one out of time goes on
    {"record": "judged", ...}       the best trial's scores on fresh latent vectors

Only the driver writes the record, in the order in which events counted. Each decision (to start a
trial, to resume a stopped one, the answer to an evaluation) follows from the lines above it,
regardless of the workers' timing. `autogan.decisions.replay` checks that. The next write removes a
last line torn by a kill.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from autogan.record.chain import Chain
from autogan.record.file import DamagedRecord, RecordFile
from autogan.record.lines import (
    Begun,
    Changed,
    Ended,
    Evaluated,
    Joined,
    Judged,
    Limits,
    Line,
    Lost,
    Placed,
    Retried,
    Revived,
    Started,
    TrialLine,
)
from autogan.search import State, Trial

L = TypeVar("L", bound=Line)


@dataclass
class Stint:
    """A worker's time with a trial.

    Attributes:
        worker: its name.
        began, last: when it began, and when it last reported, in seconds since 1970.
    """

    worker: str
    began: float
    last: float


class Ledger:
    """The record on disk, and the trials in it.

    Args:
        path: of the file, which need not exist; None for a record in memory.
        owned: tells whether the folder still belongs to this command.

    Raises:
        ConfigError: if a line is invalid, except for a torn last one.

    Attributes:
        header: the first line, by its fields.
        limits: the last line of limits, by the configuration's keys.
        trials: all that have started.
        folders: of the trials, by number.
        answers: whether each trial was to go on, by its number and the evaluation's step.
        bounds: the ranges of the criteria when each trial began, by number.
        judged: the last judgement.
        lines: the number of lines taken in.
        touched: the number of lines up to the last one about each trial, by its number.
        course: trial and step of all evaluations and ends, in the order in which they counted;
            trial and None for each start or resumption.
        stints: of the workers with each trial, by its number.
        at: when the last line was written, in seconds since 1970; None if unknown.
    """

    def __init__(self, path: Path | None, owned: Callable[[], bool] = lambda: True) -> None:
        self.header: dict[str, Any] = {}
        self.limits: dict[str, Any] = {}
        self.trials: list[Trial] = []
        self.folders: dict[int, str] = {}
        self.answers: dict[tuple[int, int], bool] = {}
        self.bounds: dict[int, dict[str, tuple[float, float]]] = {}
        self.judged: Judged | None = None
        self.lines = 0
        self.touched: dict[int, int] = {}
        self.course: list[tuple[int, int | None]] = []
        self.stints: dict[int, list[Stint]] = {}
        self.at: float | None = None
        self._chain = Chain()
        self._file = RecordFile(path, owned) if path else None
        for number, line in enumerate(self._file.lines if self._file else (), start=1):
            try:
                self.take_in(self._chain.read(line))
            except (ValueError, RecursionError) as error:
                assert path is not None
                raise DamagedRecord("run_dir", path, number, error) from error

    def append(self, line: Line) -> None:
        """Write one line and take it in.

        Raises:
            ValueError: if it cannot follow the lines so far.
            SearchFailed: see `RecordFile.check_own`.
        """
        line = self._stamped(line)
        self.check(line)
        self._write(line)
        self._take(line)

    def evaluated(self, line: Evaluated, answer: Callable[[], bool]) -> bool:
        """Write an evaluation and the answer to it in one line; return the answer.

        Args:
            line: without the answer.
            answer: called once the evaluation has been taken in; whether the trial goes on.

        Raises:
            SearchFailed: see `RecordFile.check_own`; or raised by ``answer``, after which nothing
                more is written: later decisions could depend on a line that is not on the disk.
        """
        line = self._stamped(line)
        self.take_in(line)
        try:
            answered = line.answered(answer())
        except BaseException:
            assert self._file is not None
            self._file.close()
            raise
        self._write(answered)
        assert answered.go_on is not None
        self.answers[line.trial, line.step] = answered.go_on
        return answered.go_on

    def check_own(self) -> None:
        """See `RecordFile.check_own`."""
        assert self._file is not None
        self._file.check_own()

    def take_in(self, line: Line) -> None:
        """Apply a line that is already on the disk.

        Raises:
            ValueError: if it cannot follow the lines so far.
        """
        self.check(line)
        self._take(line)

    def unfinished(self) -> list[Trial]:
        """The trials that have started but not ended."""
        return [trial for trial in self.trials if trial.state is State.RUNNING]

    def judgement(self, best: Trial) -> Judged | None:
        """The judgement of a trial's best generator, if that generator was judged."""
        judged = self.judged
        alike = judged and (judged.trial, judged.step) == (best.number, best.step)
        return judged if alike else None

    def check(self, line: Line) -> None:
        """Refuse a line that cannot follow the lines so far.

        Raises:
            ValueError: naming the problem.
        """
        if isinstance(line, Begun):
            if self.header:
                raise ValueError("the search begins twice")
            return
        if not self.header:
            raise ValueError("the search has not begun")
        if isinstance(line, Changed):
            if {**self.header["data"], "digest": ""} != {**line.data, "digest": ""}:
                raise ValueError("the number of images or classes differs")
            return
        if isinstance(line, Limits | Joined):
            return
        assert isinstance(line, TrialLine)
        if isinstance(line, Started):
            if line.trial != len(self.trials):
                raise ValueError(f"trial {line.trial} follows trial {len(self.trials) - 1}")
            if line.repeats is not None and not 0 <= line.repeats < line.trial:
                raise ValueError(f"trial {line.trial} repeats trial {line.repeats}")
            if line.folder in self.folders.values():
                raise ValueError(f"the folder of trial {line.trial} belongs to another trial")
            return
        if line.trial >= len(self.trials):
            raise ValueError(f"trial {line.trial} has not started")
        state, wanted = self.trials[line.trial].state, _MUST_BE[type(line)]
        if wanted and state not in wanted:
            words = " or ".join(each.value for each in wanted)
            raise ValueError(f"trial {line.trial} is {state.value}, not {words}")
        if not isinstance(line, Evaluated):
            return
        # Criteria that are only recorded may lack a value.
        if not line.scores or set(line.scores) - set(self.header["labels"].values()):
            raise ValueError(f"scores of {', '.join(line.scores) or 'nothing'}: other criteria")
        before = self.trials[line.trial].evaluations
        if before and line.step <= before[-1].step:
            last = before[-1].step
            raise ValueError(f"trial {line.trial} is at step {line.step} after step {last}")

    def _write(self, line: Line) -> None:
        assert self._file is not None
        fields = line.fields
        self._file.append(self._chain.line(fields))
        self._chain.written(fields)

    def _stamped(self, line: L) -> L:
        """The line with the time, if its type has one."""
        if not isinstance(line, TrialLine):
            return line
        return line.model_copy(update={"at": self._now()})

    def _now(self) -> float:
        """The time in seconds since 1970."""
        return round(time.time(), 3)

    def _take(self, line: Line) -> None:
        self.lines += 1
        if isinstance(line, Begun):
            self.header = line.model_dump(exclude_defaults=True)
            return
        if isinstance(line, Limits):
            self.limits = line.keys
            return
        if isinstance(line, Changed):
            self.header = {**self.header, "data": line.data}
            return
        if isinstance(line, Joined):
            return
        assert isinstance(line, TrialLine)
        self.touched[line.trial] = self.lines
        self._clock(line)
        if isinstance(line, Started):
            self.trials.append(line.begun())
            self.folders[line.trial] = line.folder
            if line.bounds is not None:
                self.bounds[line.trial] = {n: (b[0], b[1]) for n, b in line.bounds.items()}
            self.course.append((line.trial, None))
            return
        trial = self.trials[line.trial]
        if isinstance(line, Evaluated):
            self.course.append((line.trial, line.step))
            trial.evaluations.append(line.evaluation)
            if line.go_on is not None:
                self.answers[line.trial, line.step] = line.go_on
        elif isinstance(line, Ended):
            line.end(trial)
            self.course.append((line.trial, line.steps))
        elif isinstance(line, Revived | Retried):
            trial.state, trial.revived, trial.reason = State.RUNNING, len(trial.evaluations), ""
            trial.times_lost = 0
            self.course.append((line.trial, None))
        elif isinstance(line, Lost):
            trial.times_lost += 1
        elif isinstance(line, Judged):
            self.judged = line

    def _clock(self, line: TrialLine) -> None:
        """Note when the line was written, and which worker it reports on."""
        if line.at is None:
            return
        self.at = line.at
        stints = self.stints.setdefault(line.trial, [])
        if isinstance(line, Placed):
            stints.append(Stint(line.worker, line.at, line.at))
        elif stints and isinstance(line, Evaluated | Ended | Lost):
            stints[-1].last = line.at


_MUST_BE: dict[type[Line], tuple[State, ...]] = {
    Placed: (State.RUNNING,),
    Evaluated: (State.RUNNING,),
    Ended: (State.RUNNING,),
    Revived: (State.STOPPED, State.TIMED_OUT),
    Lost: (State.RUNNING,),
    Retried: (State.FAILED, State.TIMED_OUT),
    Judged: (),
}
"""The states that allow each type of line about a trial; an empty tuple allows all."""
