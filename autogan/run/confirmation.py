"""Naming a winner: the best points of a search, trained again under fresh seeds.

The best of many noisy values is a lucky one. What a point is worth shows under seeds that had no
part in choosing it; and whether the search was worth its while, beside the GAN type's defaults.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autogan.config import Confirm
from autogan.core.hyperparameters import Value
from autogan.search import History, Space, State, Trial
from autogan.search.space import Key, key

_DEFAULTS = -1  # a number that no trial has


@dataclass(frozen=True)
class Confirmed:
    """What came of a point that was trained again.

    Attributes:
        number: of the trial that the search had found; None for the GAN type's defaults.
        params: those that were searched.
        observed: the value by which the search had chosen it; None for the defaults.
        values: of the new trainings that came to one.
        lost: how many of them diverged.
    """

    number: int | None
    params: Mapping[str, Value]
    observed: float | None
    values: list[float]
    lost: int

    @property
    def mean(self) -> float | None:
        """Of the new values; None without any."""
        return statistics.fmean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Their standard deviation; None for less than two."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


def next_training(
    confirm: Confirm, points: History, space: Space, trials: Sequence[Trial]
) -> Trial | None:
    """The point that is to be trained under a further seed; None when all is done.

    Args:
        confirm: how many points, and how often.
        points: what the search has found.
        space: that was searched.
        trials: all trainings, those of the confirmation among them.

    Returns:
        The search's trial, or one without a place in it that holds the defaults.
    """
    for candidate in _candidates(confirm, points, space):
        if len(_again(candidate, trials)) < confirm.repeats:
            return candidate
    return None


def confirmed(
    confirm: Confirm, points: History, space: Space, trials: Sequence[Trial]
) -> list[Confirmed]:
    """What came of all points, the best first; nothing until the last one is done.

    A point that diverged more often is worse, whatever its other values are. The arguments are
    those of `next_training`.
    """
    results = []
    for candidate in _candidates(confirm, points, space):
        again = [trial for trial in _again(candidate, trials) if trial.state is not State.RUNNING]
        if len(again) < confirm.repeats:
            return []
        values = [trial.value for trial in again if trial.value is not None]
        number = None if candidate.number == _DEFAULTS else candidate.number
        lost = len(again) - len(values)
        results.append(Confirmed(number, candidate.params, candidate.value, values, lost))
    return sorted(results, key=lambda result: (result.lost, points.sign * (result.mean or 0.0)))


def advantage(winner: Confirmed, other: Confirmed) -> tuple[float, float, float]:
    """How much larger the winner's mean is, with its 95 % interval (Welch, 1947).

    Both must have two values or more.
    """
    from scipy.stats import ttest_ind  # takes half a second

    interval = ttest_ind(winner.values, other.values, equal_var=False).confidence_interval(0.95)
    difference = statistics.fmean(winner.values) - statistics.fmean(other.values)
    return difference, float(interval.low), float(interval.high)


def _candidates(confirm: Confirm, points: History, space: Space) -> list[Trial]:
    """The search's best points, and the defaults if they are not one of them."""
    different: dict[Key, Trial] = {}
    for trial in points.ranked():
        different.setdefault(key(trial.params), trial)
    best = list(different.values())[: confirm.top]
    defaults = space.existing({d.name: d.hyperparameter.default for d in space.dimensions})
    if not best or any(trial.params == defaults for trial in best):
        return best
    return [*best, Trial(_DEFAULTS, defaults)]


def _again(candidate: Trial, trials: Sequence[Trial]) -> list[Trial]:
    """The trainings that confirm a candidate; a failed one says nothing."""
    return [
        trial
        for trial in trials
        if trial.confirms and trial.params == candidate.params and trial.state is not State.FAILED
    ]
