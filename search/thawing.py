"""Freeze and thaw: a model of all curves says which training gets the next part of the budget."""

import dataclasses
import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits
from typing_extensions import override

from autogan.search.base import rng
from autogan.search.history import History, State, Trial
from autogan.search.model import Model, enough
from autogan.search.space import key
from autogan.search.stopping import StoppingRule

_DRAWN = 200  # new points, of which the best stands for what a new trial promises
_LOST = 0.33  # of the deviation of a training: a smaller gain is seen by no few seeds
_TAKEN, _ENDED = 0.6, 0.3  # full trainings for each trial, and the share that come to their end


class FreezeThaw(StoppingRule):
    """Go on with what promises most (after Swersky, Snoek and Adams, 2014, arXiv:1406.3896).

    After each evaluation a model of all trainings (`autogan.search.model.Model`) compares the
    running trial with all that were stopped, and with new points: by how much each is expected to
    improve on the best, were it trained to its end, times the chance that it lives. The paper
    models a curve by exponential decays; here the length of the training is one more axis of the
    Gaussian process, and a training's luck so far is its own.
    """

    name = "thaw"
    summary = "a model of all curves goes on with the trial that promises most at its end"

    sees_seeds: ClassVar[bool] = True

    @override
    def goes_on(self, history: History, trial: Trial) -> bool:
        paused = dataclasses.replace(trial, state=State.STOPPED, value=None)
        trials = [paused if t.number == trial.number else t for t in history.trials]
        chosen = self._chosen(History(trials, history.direction), new=True)
        return chosen is not None and chosen.number == trial.number

    @override
    def revived(self, history: History, *, closing: bool) -> Trial | None:
        return self._chosen(history, new=not closing)

    @override
    def finals(self, history: History) -> float:
        """See `StoppingRule.finals`: the best one, unless a trial has come to its end before."""
        return 0.0 if any(trial.whole for trial in history.trials) else 1.0

    @override
    def expected(self, trials: int) -> tuple[float, float]:
        """See `StoppingRule.expected`: the mean over replays (docs/studies/search.md)."""
        return max(_TAKEN * trials, 1.0), max(_ENDED * trials, 1.0)

    def _chosen(self, history: History, *, new: bool) -> Trial | None:
        """The stopped trial to go on with; None if a new point, or nothing, promises more."""
        first_seeds = [trial for trial in history.trials if trial.repeats is None]
        paused = [
            trial
            for trial in first_seeds
            if trial.state is State.STOPPED and math.isfinite(_reached(history, trial))
        ]
        known = [trial for trial in first_seeds if trial.evaluations or trial.dead]
        living = sum(not trial.dead for trial in known)
        if not paused or (new and not enough(self.space, len(known), living)):
            return None
        with threadpool_limits(1, "blas"):  # more would wait for each other: matrices are small
            return self._promising(history, paused, new=new)

    def _promising(self, history: History, paused: Sequence[Trial], *, new: bool) -> Trial | None:
        model = Model(self.space, history, self.evaluations).believing()
        gains = model.gains_ahead(paused)
        best = paused[int(np.argmax(gains))]
        if not new:
            ended = any(trial.whole for trial in history.trials)
            return best if not ended or gains.max() > _LOST * model.luck else None
        random, used = rng(self.seed, history), {key(trial.params) for trial in history.trials}
        drawn = [p for _ in range(_DRAWN) if (p := self.space.draw(random, used)) is not None]
        fresh = model.gains(drawn, model.reached) if drawn else np.zeros(1)
        return best if gains.max() >= fresh.max() else None


def _reached(history: History, trial: Trial) -> float:
    """A trial's best value so far, as one that should fall; infinite without one."""
    return history.after(trial, len(trial.evaluations))
