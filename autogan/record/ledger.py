"""The record of a search: one append-only file of JSON lines.

Each line is one record (`autogan.record.lines`), flushed to the disk before the search goes on:

    {"record": "search", ...}       what all values depend on; once, first
    {"record": "limits", ...}       what the search may spend, from here on
    {"record": "data", ...}         other training images, which the user accepted
    {"record": "started", ...}      a trial's number, hyperparameters, seed and folder
    {"record": "placed", ...}       the worker that trains it
    {"record": "worker", ...}       a worker that is not like the first one
    {"record": "evaluation", ...}   a trial's scores after a step, and what it was told thereupon
    {"record": "ended", ...}        a trial's state, value, timing, and the reason of a failure
    {"record": "revived", ...}      a trial that was stopped early goes on
    {"record": "lost", ...}         the machine took a trial away; it is tried again
    {"record": "retried", ...}      a failed trial is tried again, one out of time goes on
    {"record": "judged", ...}       the best trial's scores on fresh latent vectors

The driver alone writes it, and it is the order of all that happened: each decision (a trial that
starts, a stopped one that goes on, the answer to an evaluation) follows from the lines above it,
whatever the workers' timing was. `autogan.decisions.replay` checks that. A last line that a kill
tore is cut off at the next write.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.record.file import DamagedRecord, RecordFile
from autogan.record.lines import (
    Begun,
    Chain,
    Changed,
    Ended,
    Evaluated,
    Joined,
    Judged,
    Limits,
    Lost,
    Placed,
    Record,
    Retried,
    Revived,
    Started,
    TrialRecord,
    record_of,
)
from autogan.search import Evaluation, State, Trial


@dataclass
class Stint:
    """A worker's time with a trial.

    Attributes:
        worker: its name.
        began, last: when it began, and when it told something last, in seconds since 1970.
    """

    worker: str
    began: float
    last: float


class Ledger:
    """The record on disk, and the trials that it tells of.

    Args:
        path: of the file, which need not exist; None for a record in memory.
        owned: whether its folder is still this command's.

    Raises:
        ConfigError: if a line other than a torn last one is not a record that may stand there.

    Attributes:
        header: the first record, by its fields.
        limits: the last of those records, by the configuration's keys.
        trials: all that have started.
        folders: of the trials, by number.
        answers: whether each trial was told to go on, by its number and the evaluation's step.
        bounds: of the criteria when each trial began, by number.
        judged: the last judgement.
        records: how many have been taken in.
        touched: how many had been when the last one about each trial was, by number.
        reached: trial and step of all evaluations and ends, in the order in which they were told.
        stints: of the workers with each trial, by its number.
        at: when the last record was written, in seconds since 1970; None if none says.
    """

    def __init__(self, path: Path | None, owned: Callable[[], bool] = lambda: True) -> None:
        self.header: dict[str, Any] = {}
        self.limits: dict[str, Any] = {}
        self.trials: list[Trial] = []
        self.folders: dict[int, str] = {}
        self.answers: dict[tuple[int, int], bool] = {}
        self.bounds: dict[int, dict[str, tuple[float, float]]] = {}
        self.judged: Judged | None = None
        self.records = 0
        self.touched: dict[int, int] = {}
        self.reached: list[tuple[int, int]] = []
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

    def append(self, record: str, **fields: Any) -> None:
        """Write one record and take it in.

        Raises:
            SearchFailed: see `RecordFile.check_own`.
        """
        fields = _plain({"record": record, **_stamp(record), **fields})
        taken = record_of(fields)
        self.check(taken)
        self._write(fields)
        self._take(taken)

    def evaluated(self, answer: Callable[[], bool], **fields: Any) -> bool:
        """Write an evaluation with what the trial is told thereupon, in one line; return that.

        Args:
            answer: is asked once the evaluation has been taken in.
            fields: of the record.

        Raises:
            SearchFailed: see `RecordFile.check_own`; or the answer's own, after which nothing more
                is written: other decisions could rest on what is not on the disk.
        """
        fields = _plain({"record": "evaluation", **_stamp("evaluation"), **fields})
        taken = record_of(fields)
        assert isinstance(taken, Evaluated)
        self.take_in(taken)
        try:
            go_on = answer()
            fields["go_on"] = go_on
            record_of(fields)
        except BaseException:
            assert self._file is not None
            self._file.close()
            raise
        self._write(fields)
        self.answers[taken.trial, taken.step] = go_on
        return go_on

    def check_own(self) -> None:
        """See `RecordFile.check_own`."""
        assert self._file is not None
        self._file.check_own()

    def take_in(self, record: Record) -> None:
        """Let a record count that is written already.

        Raises:
            ValueError: if it cannot follow those so far.
        """
        self.check(record)
        self._take(record)

    def unfinished(self) -> list[Trial]:
        """The trials that have started and not ended."""
        return [trial for trial in self.trials if trial.state is State.RUNNING]

    def judgement(self, best: Trial) -> Judged | None:
        """The judgement of a trial's best generator, if it is the one that was judged."""
        judged = self.judged
        alike = judged and (judged.trial, judged.step) == (best.number, best.step)
        return judged if alike else None

    def check(self, record: Record) -> None:
        """Refuse what cannot follow the records so far.

        Raises:
            ValueError: saying why.
        """
        if isinstance(record, Begun):
            if self.header:
                raise ValueError("the search begins twice")
            return
        if not self.header:
            raise ValueError("the search has not begun")
        if isinstance(record, Changed):
            if {**self.header["data"], "digest": ""} != {**record.data, "digest": ""}:
                raise ValueError("the number of images or classes is another one")
            return
        if isinstance(record, Limits | Joined):
            return
        assert isinstance(record, TrialRecord)
        if isinstance(record, Started):
            if record.trial != len(self.trials):
                raise ValueError(f"trial {record.trial} follows trial {len(self.trials) - 1}")
            if record.repeats is not None and not 0 <= record.repeats < record.trial:
                raise ValueError(f"trial {record.trial} repeats trial {record.repeats}")
            if record.folder in self.folders.values():
                raise ValueError(f"the folder of trial {record.trial} is another trial's")
            return
        if record.trial >= len(self.trials):
            raise ValueError(f"trial {record.trial} has not started")
        state, wanted = self.trials[record.trial].state, _MUST_BE[type(record)]
        if wanted and state not in wanted:
            words = " or ".join(each.value for each in wanted)
            raise ValueError(f"trial {record.trial} is {state.value}, not {words}")
        if not isinstance(record, Evaluated):
            return
        # Criteria that are only recorded may lack a value.
        if not record.scores or set(record.scores) - set(self.header["labels"].values()):
            raise ValueError(f"scores of {', '.join(record.scores) or 'nothing'}: other criteria")
        before = self.trials[record.trial].evaluations
        if before and record.step <= before[-1].step:
            last = before[-1].step
            raise ValueError(f"trial {record.trial} is at step {record.step} after step {last}")

    def _write(self, fields: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.append(self._chain.line(fields))
        self._chain.written(fields)

    def _take(self, record: Record) -> None:
        self.records += 1
        if isinstance(record, Begun):
            self.header = record.model_dump(exclude={"record"}, exclude_defaults=True)
            return
        if isinstance(record, Limits):
            self.limits = record.keys
            return
        if isinstance(record, Changed):
            self.header = {**self.header, "data": record.data}
            return
        if isinstance(record, Joined):
            return
        assert isinstance(record, TrialRecord)
        self.touched[record.trial] = self.records
        self._clock(record)
        if isinstance(record, Started):
            self._begin(record)
            return
        trial = self.trials[record.trial]
        if isinstance(record, Evaluated):
            self.reached.append((record.trial, record.step))
            trial.evaluations.append(
                Evaluation(
                    record.step,
                    dict(record.scores),
                    variety=dict(record.variety),
                    collapsed=record.collapsed,
                )
            )
            if record.go_on is not None:
                self.answers[record.trial, record.step] = record.go_on
        elif isinstance(record, Ended):
            trial.state = record.state
            trial.value, trial.step = record.value, record.step
            trial.last_value = record.last_value
            trial.reason, trial.seconds = record.reason, record.seconds
            trial.steps = record.steps
            self.reached.append((record.trial, record.steps))
        elif isinstance(record, Revived | Retried):
            trial.state, trial.revived, trial.reason = State.RUNNING, len(trial.evaluations), ""
            trial.times_lost = 0
        elif isinstance(record, Lost):
            trial.times_lost += 1
        elif isinstance(record, Judged):
            self.judged = record

    def _clock(self, record: TrialRecord) -> None:
        """Take down when it was written, and of whose work it tells."""
        if record.at is None:
            return
        self.at = record.at
        stints = self.stints.setdefault(record.trial, [])
        if isinstance(record, Placed):
            stints.append(Stint(record.worker, record.at, record.at))
        elif stints and isinstance(record, Evaluated | Ended | Lost):
            stints[-1].last = record.at

    def _begin(self, record: Started) -> None:
        self.trials.append(
            Trial(
                record.trial,
                dict(record.params),
                record.seed,
                record.origin,
                repeats=record.repeats,
                confirms=record.confirms,
            )
        )
        self.folders[record.trial] = record.folder
        if record.bounds is not None:
            self.bounds[record.trial] = {n: (b[0], b[1]) for n, b in record.bounds.items()}


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as they are read again."""
    plain: dict[str, Any] = json.loads(json.dumps(fields))
    return plain


def _stamp(record: str) -> dict[str, float]:
    """The time, for records that bear one."""
    return {} if record in ("search", "limits", "data", "worker") else {"at": round(time.time(), 3)}


_MUST_BE: dict[type[Record], tuple[State, ...]] = {
    Placed: (State.RUNNING,),
    Evaluated: (State.RUNNING,),
    Ended: (State.RUNNING,),
    Revived: (State.STOPPED, State.TIMED_OUT),
    Lost: (State.RUNNING,),
    Retried: (State.FAILED, State.TIMED_OUT),
    Judged: (),
}
"""The states in one of which a trial must be for a record about it; any if there are none."""
