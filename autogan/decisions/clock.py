"""A clock of the work done, by which results count whatever the workers' pace."""

from autogan.decisions.budget import updates_per_step
from autogan.decisions.tally import Tally
from autogan.search import Trial

_ROUND = 0.5  # updates: what a step takes besides its own, evaluations among it
_ALONE = 32  # images: what an update takes besides its batch


class WorkClock:
    """When the next result of each trial counts, in work done since the search began.

    A trial begins at the time of the result that counted last, and each of its steps takes as
    long as its updates and images say. That is an estimate: where it is wrong, a worker waits for
    another one, and the order stays the same.

    Args:
        tally: the trials so far; all follows from its record.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._images: int = tally.ledger.header["data"]["images"]
        self._read = 0  # of the record's course
        self._now = 0.0
        self._at: dict[int, tuple[float, int]] = {}  # each trial's time and step, by number

    def due(self, trial: Trial) -> float:
        """When the next result of a running trial counts: its next evaluation, or its end."""
        self._catch_up()
        at, step = self._at[trial.number]
        config, batch_size = self._tally.config, self._batch_size(trial)
        steps, evaluate_every = config.schedule(self._images, batch_size)
        answer = self._tally.ledger.answers.get((trial.number, step), True)
        if not answer and len(trial.evaluations) > trial.revived:
            return at  # it was stopped, and only has to say so
        boundary = min(steps, (step // evaluate_every + 1) * evaluate_every)
        return at + self._work(trial, boundary - step)

    def _catch_up(self) -> None:
        """Take in what the record has more."""
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
        """Of this number of steps of a trial."""
        each = updates_per_step(self._tally.config, trial) + _ROUND
        return steps * each * (_ALONE + self._batch_size(trial))

    def _batch_size(self, trial: Trial) -> int:
        values = {**self._tally.config.fixed, **trial.params}
        return int(values["batch_size"])
