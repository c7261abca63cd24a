"""The record of a search: one append-only file of JSON lines.

Each line is one record (`autogan.run.records`), flushed to the disk before the search goes on:

    {"record": "search", ...}       what all values depend on; once, first
    {"record": "started", ...}      a trial's number, hyperparameters, seed and folder
    {"record": "evaluation", ...}   a trial's scores after a step
    {"record": "ended", ...}        a trial's state, value, timing, and the reason of a failure
    {"record": "revived", ...}      a trial that was stopped early goes on
    {"record": "lost", ...}         the machine took a trial away; it is tried again
    {"record": "retried", ...}      a failed trial is tried again
    {"record": "judged", ...}       the best trial's scores on fresh latent vectors

The driver alone writes it. A last line that a kill tore is cut off at the next write.
"""

import json
from pathlib import Path
from typing import Any

from autogan.core.errors import ConfigError, SearchFailed
from autogan.core.files import append_line
from autogan.run.records import (
    Begun,
    Ended,
    Evaluated,
    Judged,
    Lost,
    Record,
    Retried,
    Revived,
    Started,
    TrialRecord,
    from_line,
    to_line,
)
from autogan.search import Evaluation, State, Trial


class Ledger:
    """The record on disk, and the trials that it tells of.

    Args:
        path: of the file, which need not exist.

    Raises:
        ConfigError: if a line other than a torn last one is not a record that may stand there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.header: dict[str, Any] = {}
        self.trials: list[Trial] = []
        self.folders: dict[int, str] = {}
        self.bounds: dict[int, dict[str, tuple[float, float]]] = {}
        self.judged: Judged | None = None
        self.records = 0  # how many have been taken in
        text = path.read_text(errors="replace") if path.exists() else ""
        lines = text.rstrip("\0").split("\n")[:-1]  # the last is torn, empty, or a block of zeros
        for number, line in enumerate(lines, start=1):
            try:
                record = from_line(line)
                self._check(record)
                self._take(record)
            except (ValueError, RecursionError) as error:
                raise ConfigError(
                    "run_dir", f"{path}, line {number} is damaged ({error}); restore it or begin "
                    "a new search in another --run-dir"
                ) from error  # fmt: skip

    def append(self, record: str, **fields: Any) -> None:
        """Write one record and take it in.

        Raises:
            SearchFailed: if the file is gone: somebody moved or removed the run's folder.
        """
        line = to_line(json.loads(json.dumps({"record": record, **fields})))
        taken = from_line(line)
        self._check(taken)
        try:
            append_line(self._path, line, new=record == "search")
        except FileNotFoundError:
            raise SearchFailed(
                f"{self._path} is gone; put the run's folder back to where it was, and resume"
            ) from None
        self._take(taken)

    def unfinished(self) -> list[Trial]:
        """The trials that have started and not ended."""
        return [trial for trial in self.trials if trial.state is State.RUNNING]

    def judgement(self, best: Trial) -> Judged | None:
        """The judgement of a trial's best generator, if it is the one that was judged."""
        judged = self.judged
        alike = judged and (judged.trial, judged.step) == (best.number, best.step)
        return judged if alike else None

    def _check(self, record: Record) -> None:
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
        assert isinstance(record, TrialRecord)
        if isinstance(record, Started):
            if record.trial != len(self.trials):
                raise ValueError(f"trial {record.trial} follows trial {len(self.trials) - 1}")
            if record.repeats is not None and not 0 <= record.repeats < record.trial:
                raise ValueError(f"trial {record.trial} repeats trial {record.repeats}")
            return
        if record.trial >= len(self.trials):
            raise ValueError(f"trial {record.trial} has not started")
        state, wanted = self.trials[record.trial].state, _MUST_BE[type(record)]
        if wanted is not None and state is not wanted:
            raise ValueError(f"trial {record.trial} is {state.value}, not {wanted.value}")
        labels = set(self.header["labels"].values())
        if isinstance(record, Evaluated) and set(record.scores) != labels:
            raise ValueError(f"scores of {', '.join(record.scores)}: other criteria")

    def _take(self, record: Record) -> None:
        self.records += 1
        if isinstance(record, Begun):
            self.header = record.model_dump(exclude={"record"}, exclude_defaults=True)
            return
        assert isinstance(record, TrialRecord)
        if isinstance(record, Started):
            self._begin(record)
            return
        trial = self.trials[record.trial]
        if isinstance(record, Evaluated):
            trial.evaluations.append(
                Evaluation(
                    record.step,
                    dict(record.scores),
                    variety=dict(record.variety),
                    collapsed=record.collapsed,
                )
            )
        elif isinstance(record, Ended):
            trial.state = record.state
            trial.value, trial.step = record.value, record.step
            trial.last_value = record.last_value
            trial.reason, trial.seconds = record.reason, record.seconds
            trial.steps = record.steps
        elif isinstance(record, Revived | Retried):
            trial.state, trial.revived, trial.reason = State.RUNNING, len(trial.evaluations), ""
            trial.times_lost = 0
        elif isinstance(record, Lost):
            trial.times_lost += 1
        elif isinstance(record, Judged):
            self.judged = record

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


_MUST_BE: dict[type[Record], State | None] = {
    Evaluated: State.RUNNING,
    Ended: State.RUNNING,
    Revived: State.STOPPED,
    Lost: State.RUNNING,
    Retried: State.FAILED,
    Judged: None,
}
"""The state in which a trial must be for a record about it."""
