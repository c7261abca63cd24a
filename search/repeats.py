"""One run is not a result: points that are trained under several seeds."""

import dataclasses
import statistics
from collections.abc import Sequence

from autogan.search.history import History, State, Trial


def points(history: History, repeats: int) -> History:
    """A history with one trial for each point: the mean over its seeds.

    A point's trial has the number, seed and origin of its first. It is running until it has been
    trained under all seeds or is given up (`is_hopeless`); diverged, if one of its trainings
    diverged; failed, if all failed.

    Args:
        history: of single trainings.
        repeats: how many seeds each point shall have.
    """
    if repeats == 1:
        return history
    groups = _groups(history.trials)
    return History(
        [_merged(history, group, repeats) for group in groups.values()], history.direction
    )


def unfinished(history: History, repeats: int) -> Trial | None:
    """The first trial of a point that needs a further seed, if there is one."""
    if repeats == 1:
        return None
    for group in _groups(history.trials).values():
        if _needs_another(history, group, repeats):
            return group[0]
    return None


def is_hopeless(history: History, group: Sequence[Trial]) -> bool:
    """Whether a point is given up: its best seed is worse than the worst one of the best point.

    Args:
        history: of all trainings.
        group: those of the point.
    """
    own = [history.sign * t.value for t in group if t.value is not None]
    complete = [
        [history.sign * t.value for t in other if t.value is not None]
        for other in _groups(history.trials).values()
        if len(other) > 1 and all(t.state is State.COMPLETE for t in other)
    ]
    if not own or not complete:
        return False
    best = min(complete, key=statistics.fmean)
    return min(own) > max(best)


def _groups(trials: Sequence[Trial]) -> dict[int, list[Trial]]:
    """The trials of each point, in their order, by the number of the first."""
    groups: dict[int, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(trial.number if trial.repeats is None else trial.repeats, []).append(
            trial
        )
    return groups


def _needs_another(history: History, group: Sequence[Trial], repeats: int) -> bool:
    """Whether a point, none of whose seeds is running, shall be trained once more."""
    counted = [trial for trial in group if trial.state is not State.FAILED]
    return (
        0 < len(counted) < repeats
        and all(trial.state is State.COMPLETE for trial in counted)
        and not is_hopeless(history, group)
    )


def _merged(history: History, group: Sequence[Trial], repeats: int) -> Trial:
    counted = [trial for trial in group if trial.state is not State.FAILED] or group
    states = [trial.state for trial in counted]
    values = [trial.value for trial in counted if trial.value is not None]
    if State.RUNNING in states or _needs_another(history, group, repeats):
        state = State.RUNNING
    elif State.DIVERGED in states:
        state = State.DIVERGED
    else:
        state = states[-1]
    good = state in (State.COMPLETE, State.STOPPED)
    return dataclasses.replace(
        group[0],
        state=state,
        evaluations=counted[-1].evaluations,
        value=statistics.fmean(values) if values and good else None,
    )
