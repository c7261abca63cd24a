"""Confirmation: the best points of a search, trained again under fresh seeds.

The best of many noisy values owes part of its rank to luck. Seeds that had no part in the choice
show a point's true value, and a comparison with the GAN type's defaults shows whether the search
was worthwhile.
"""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autogan.config import Confirm
from autogan.core.hyperparameters import Value
from autogan.record.words import figure
from autogan.search import Direction, Space, State, Trial
from autogan.search.repeats import Standing

_DEFAULTS = -1  # a number that no trial has


@dataclass(frozen=True)
class Confirmed:
    """The result of training a point again under fresh seeds.

    Attributes:
        number: of the trial that the search chose; None for the GAN type's defaults.
        params: the searched hyperparameters.
        observed: the value by which the search chose the point; None for the defaults.
        values: of the new trainings that have one.
        lost: the number of new trainings that diverged or collapsed.
    """

    number: int | None
    params: Mapping[str, Value]
    observed: float | None
    values: list[float]
    lost: int

    @property
    def mean(self) -> float | None:
        """The mean of the new values; None without any."""
        return statistics.fmean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """The standard deviation of the new values; None for fewer than two."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def trained(self) -> int:
        """The number of new trainings."""
        return len(self.values) + self.lost

    @property
    def outcome(self) -> str:
        """Such as ``3.274 ± 0.12 under 5 fresh seeds, 1 of 5 diverged or collapsed``."""
        return self._said(f" under {self.trained} fresh seeds")

    def __str__(self) -> str:
        """Such as ``3.274 ± 0.12, 1 of 5 diverged or collapsed``."""
        return self._said("")

    def _said(self, seeds: str) -> str:
        """The mean and its deviation, the seeds in words, and the trainings that were lost."""
        mean = "no value" if self.mean is None else figure(self.mean)
        deviation = "" if self.spread is None else f" ± {self.spread:.3g}"
        lost = f", {self.lost} of {self.trained} diverged or collapsed" if self.lost else ""
        return f"{mean}{deviation}{seeds}{lost}"


def next_training(
    confirm: Confirm, standings: Sequence[Standing], space: Space, trials: Sequence[Trial]
) -> Trial | None:
    """The point to train next under a fresh seed; None if the confirmation is complete.

    Args:
        confirm: the number of points, and of trainings of each.
        standings: the points of the search, the best first.
        space: that was searched.
        trials: all trainings, including those of the confirmation.

    Returns:
        The search's trial; for the defaults, a trial that is not in the search.
    """
    for candidate in candidates(confirm, standings, space):
        if len(_again(candidate, trials)) < confirm.repeats:
            return candidate
    return None


def confirmed(
    confirm: Confirm,
    standings: Sequence[Standing],
    direction: Direction,
    space: Space,
    trials: Sequence[Trial],
) -> list[Confirmed]:
    """The results of all points, the best first; empty until the last training is done.

    A point that died more often ranks lower, regardless of its values. The arguments are those of
    `next_training`, and which way the objective is better.
    """
    results = []
    for candidate in candidates(confirm, standings, space):
        again = [trial for trial in _again(candidate, trials) if trial.state is not State.RUNNING]
        if len(again) < confirm.repeats:
            return []
        values = [trial.worth for trial in again if trial.worth is not None]
        number = None if candidate.number == _DEFAULTS else candidate.number
        lost = len(again) - len(values)
        results.append(Confirmed(number, candidate.params, candidate.value, values, lost))
    sign = 1 if direction == "min" else -1
    return sorted(results, key=lambda result: (result.lost, sign * (result.mean or 0.0)))


@dataclass(frozen=True)
class Advantage:
    """How much larger one point's values are than another's.

    Attributes:
        shift: the median of all differences between a value of the one and a value of the other.
        low, high: its interval; infinite if there are too few seeds, or a bound is a diverged run.
    """

    shift: float
    low: float
    high: float


def advantage(
    winner: Confirmed, other: Confirmed, choices: int, worst: float, level: float = 0.95
) -> Advantage:
    """Compare the winner with another point by ranks (Hodges and Lehmann, 1963).

    The interval assumes nothing about the values' distribution: it holds all shifts that the
    rank-sum test (Mann and Whitney, 1947) does not reject. A diverged run counts as a value worse
    than all others. Because the winner was chosen by these same values, the level has Bonferroni's
    correction for the number of choices, so that the interval holds whichever point was chosen.

    Args:
        winner: of the confirmation.
        other: the point to compare with.
        choices: the number of points among which the winner was chosen.
        worst: the value of a diverged run: infinity with the sign that is bad.
        level: of the interval.
    """
    ones = winner.values + [worst] * winner.lost
    others = other.values + [worst] * other.lost
    pairs = sorted(0.0 if a == b else a - b for a in ones for b in others)
    place = _place(len(ones), len(others), (1 - level) / 2 / choices)
    if not place:
        return Advantage(_middle(pairs), -math.inf, math.inf)
    return Advantage(_middle(pairs), pairs[place - 1], pairs[-place])


def _middle(ordered: Sequence[float]) -> float:
    """The median; the lower of two middle values if one of them is infinite."""
    low, high = statistics.median_low(ordered), statistics.median_high(ordered)
    return (low + high) / 2 if math.isfinite(low) and math.isfinite(high) else low


def _place(n: int, m: int, tail: float) -> int:
    """The place of the interval's bounds in the sorted differences, from 1 at either end.

    It is the largest k with P(U < k) <= tail, where U counts the pairs of n and m values in which
    the first is larger, if all come from one distribution; 0 if there is none.
    """
    # ways[u]: orders of i values among j others in which the first is larger in u pairs
    counts = [[[1] if 0 in (i, j) else [] for j in range(m + 1)] for i in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            last_is_first, last_is_other = counts[i - 1][j], counts[i][j - 1]
            ways = [0] * (i * j + 1)
            for u, count in enumerate(last_is_first):
                ways[u + j] += count  # it is larger than all j others
            for u, count in enumerate(last_is_other):
                ways[u] += count
            counts[i][j] = ways
    below = 0.0
    for u, count in enumerate(counts[n][m]):
        below += count / math.comb(n + m, n)
        if below > tail:
            return u
    return n * m


def usual(space: Space) -> dict[str, Value]:
    """The GAN type's defaults for the searched hyperparameters."""
    return space.existing({d.name: d.hyperparameter.default for d in space.dimensions})


def candidates(confirm: Confirm, standings: Sequence[Standing], space: Space) -> list[Trial]:
    """The search's best points with their values there, and the defaults.

    The defaults are left out if they are invalid together with the fixed values.

    The arguments are those of `next_training`.
    """
    best = [
        dataclasses.replace(standing.first, value=standing.value)
        for standing in standings[: confirm.top]
    ]
    defaults = usual(space)
    known = any(trial.params == defaults for trial in best)
    if not best or known or not space.allows(defaults):
        return best
    return [*best, Trial(_DEFAULTS, defaults)]


def _again(candidate: Trial, trials: Sequence[Trial]) -> list[Trial]:
    """The trainings that confirm a candidate, without failed ones."""
    return [
        trial
        for trial in trials
        if trial.confirms and trial.params == candidate.params and trial.state is not State.FAILED
    ]
