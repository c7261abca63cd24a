"""A clock of the work done: orders results independently of the workers' speed."""

from autogan.decisions.budget import updates_per_step
from autogan.decisions.tally import Tally
from autogan.search import Trial

_ROUND = 0.5  # overhead of a step, including evaluations, in updates
_ALONE = 32  # overhead of an update, in images


class WorkClock:
    """The time when the next result of each trial counts, in work since the search began.

    A trial begins at the time of the last result, and the time of each step follows from its
    updates and images. That is an estimate: where it is wrong, a worker waits for another one, and
    the order stays the same.

    Args:
        tally: the trials so far; the times follow from its record alone.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._images: int = tally.ledger.header["data"]["images"]
        self._read = 0  # of the record's course
        self._now = 0.0
        self._at: dict[int, tuple[float, int]] = {}  # each trial's time and step, by number

    def due(self, trial: Trial) -> float:
        """The time when a running trial's next result counts: its next evaluation or its end."""
        self._catch_up()
        at, step = self._at[trial.number]
        config, batch_size = self._tally.config, self._batch_size(trial)
        steps, evaluate_every = config.schedule(self._images, batch_size)
        answer = self._tally.ledger.answers.get((trial.number, step), True)
        if not answer and len(trial.evaluations) > trial.revived:
            return at  # it was stopped, and only its end is missing
        boundary = min(steps, (step // evaluate_every + 1) * evaluate_every)
        return at + self._work(trial, boundary - step)

    def _catch_up(self) -> None:
        """Take in the new lines of the record."""
        ledger = self._tally.ledger
        for number, step in ledger.course[self._read :]:
            at, before = self._at.get(number, (0.0, 0))
            if step is None:
                self._at[number] = self._now, before
                continue
            at += self._work(ledger.trials[number], max(step - before, 0))
            self._at[number] = at, step
            self._now = max(self._now, at)
        self._read = len(ledger.course)

    def _work(self, trial: Trial, steps: int) -> float:
        """The work in this number of steps of a trial."""
        each = updates_per_step(self._tally.config, trial) + _ROUND
        return steps * each * (_ALONE + self._batch_size(trial))

    def _batch_size(self, trial: Trial) -> int:
        values = {**self._tally.config.fixed, **trial.params}
        return int(values["batch_size"])
