"""One run is not a result: points that are trained under several seeds."""

import dataclasses
import math
import statistics
from collections.abc import Iterable, Sequence

from autogan.search.history import History, State, Trial


def points(history: History, repeats: int) -> History:
    """A history with one trial for each point: the mean over its seeds.

    A point's trial has the number, seed and origin of its first. It is running until it has been
    trained under all seeds or is given up (`_needs_another`); dead, if one of its trainings
    died; failed, if all failed.

    Args:
        history: of single trainings.
        repeats: how many seeds each point shall have.
    """
    if repeats == 1:
        return history
    groups = _groups(history.trials).values()
    limit = _limit(history, groups)
    merged = [_merged(group, _needs_another(history, group, repeats, limit)) for group in groups]
    return History(merged, history.direction)


def unfinished(history: History, repeats: int) -> Trial | None:
    """The first trial of a point that needs a further seed, if there is one."""
    if repeats == 1:
        return None
    groups = _groups(history.trials).values()
    limit = _limit(history, groups)
    for group in groups:
        if _needs_another(history, group, repeats, limit):
            return group[0]
    return None


def judged(points: History, repeats: int) -> list[Trial]:
    """The points that may be called the best, the best first.

    Those with a value; where several seeds decide, not those whose only one was stopped early.
    """
    return [t for t in points.ranked() if repeats == 1 or t.whole]


def _groups(trials: Sequence[Trial]) -> dict[int, list[Trial]]:
    """The trials of each point, in their order, by the number of the first."""
    groups: dict[int, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(trial.number if trial.repeats is None else trial.repeats, []).append(
            trial
        )
    return groups


def _limit(history: History, groups: Iterable[Sequence[Trial]]) -> float:
    """The best point's mean, as one that should fall; infinite before a point has two seeds."""
    counted = [[t for t in group if t.state is not State.FAILED] for group in groups]
    means = [
        statistics.fmean(history.sign * t.worth for t in group if t.worth is not None)
        for group in counted
        if len(group) > 1 and all(_has_come_to_a_value(t) for t in group)
    ]
    return min(means, default=math.inf)


def _needs_another(history: History, group: Sequence[Trial], repeats: int, limit: float) -> bool:
    """Whether a point, none of whose seeds is running, shall be trained once more.

    It is given up when the mean of its seeds so far is worse than the limit, and when one of them
    was out of time before it had a value.
    """
    counted = [trial for trial in group if trial.state is not State.FAILED]
    if not 0 < len(counted) < repeats or not all(_has_come_to_a_value(t) for t in counted):
        return False
    values = [history.sign * trial.worth for trial in counted if trial.worth is not None]
    return not values or statistics.fmean(values) <= limit


def _has_come_to_a_value(trial: Trial) -> bool:
    return trial.whole and (trial.state is State.COMPLETE or trial.value is not None)


def _merged(group: Sequence[Trial], needs_another: bool) -> Trial:
    counted = [trial for trial in group if trial.state is not State.FAILED] or group
    states = [trial.state for trial in counted]
    values = [trial.worth for trial in counted if trial.worth is not None]
    if State.RUNNING in states or needs_another:
        state = State.RUNNING
    elif dead := [trial.state for trial in counted if trial.dead]:
        state = dead[0]
    else:
        state = states[-1]
    lacking = any(t.state is State.TIMED_OUT and t.value is None for t in counted)
    merged = dataclasses.replace(group[0], state=state, evaluations=counted[0].evaluations)
    good = merged.alive and not lacking
    return dataclasses.replace(merged, value=statistics.fmean(values) if values and good else None)
