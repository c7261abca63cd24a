"""Freeze and thaw: a model of all curves chooses the training that gets more of the budget."""

import dataclasses
import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits
from typing_extensions import override

from autogan.search.history import History, State, Trial
from autogan.search.model import LOST, Model, enough, further_points
from autogan.search.stopping import StoppingRule, until_one_ends

_TAKEN, _ENDED = 0.6, 0.3  # full trainings per trial, and the share of trials that reach their end


class FreezeThaw(StoppingRule):
    """Go on with the most promising trial (after Swersky, Snoek and Adams, 2014, arXiv:1406.3896).

    After each evaluation a model of all trainings (`autogan.search.model.Model`) compares the
    running trial with all stopped ones and with new points, by the expected improvement on the best
    after a full training, times the probability that it lives. The paper models curves by
    exponential decays; here the length of the training is one more axis of the Gaussian process,
    and each training has its own term for its luck so far.
    """

    name = "thaw"
    summary = "a model of all curves chooses the trial that is most promising at its end"

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
        return until_one_ends(history)

    @override
    def expected(self, trials: int) -> tuple[float, float]:
        """See `StoppingRule.expected`: the mean over replays (docs/studies/search.md)."""
        return max(_TAKEN * trials, 1.0), max(_ENDED * trials, 1.0)

    def _chosen(self, history: History, *, new: bool) -> Trial | None:
        """The stopped trial to go on with; None if a new point, or nothing, is more promising."""
        first_seeds = [trial for trial in history.trials if trial.repeats is None]
        paused = [
            trial
            for trial in first_seeds
            if trial.state is State.STOPPED and math.isfinite(history.so_far(trial))
        ]
        known = [trial for trial in first_seeds if trial.evaluations or trial.dead]
        living = sum(not trial.dead for trial in known)
        if not paused or (new and not enough(self.space, len(known), living)):
            return None
        with threadpool_limits(1, "blas"):  # more threads would wait for each other
            return self._promising(history, paused, new=new)

    def _promising(self, history: History, paused: Sequence[Trial], *, new: bool) -> Trial | None:
        model = Model(self.space, history, self.evaluations).believing()
        gains = model.gains_ahead(paused)
        best = paused[int(np.argmax(gains))]
        if not new:
            ended = any(trial.whole for trial in history.trials)
            return best if not ended or gains.max() > LOST * model.luck else None
        drawn = further_points(self.space, history, self.seed)
        fresh = model.gains(drawn, model.reached) if drawn else np.zeros(1)
        return best if gains.max() >= fresh.max() else None
