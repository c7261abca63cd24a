"""One run is not a result: which points to train again, and which to recommend.

The generator of a lucky training is worth keeping, but luck does not make its hyperparameters the
best. These functions judge points by all their trainings and their neighbours'
(`autogan.search.model`).
"""

import dataclasses
import math
import statistics
from collections.abc import Sequence

from autogan.search.history import History, State, Trial
from autogan.search.model import LOST, Model, Outlook, further_points
from autogan.search.space import Key, Space, key

_SHARE = 0.5  # largest share of all training for further seeds
_PER_NOISE = 3.0  # that share, relative to the seeds' share of the variance
_CANDIDATES = 3  # trained points before one of them is trained again
_SURELY_WORSE = 2.0  # a point is surely worse if even this many deviations better are not enough


@dataclasses.dataclass(frozen=True)
class Standing:
    """A point, its trainings, and its outlook.

    Attributes:
        first: its first trial, whose number stands for the point.
        trials: all its trainings that did not fail, in order.
        outlook: for a further training; None if not known.
    """

    first: Trial
    trials: Sequence[Trial]
    outlook: Outlook | None = None

    @property
    def ended(self) -> list[Trial]:
        """Its trainings that died, or reached their end with a value."""
        return [trial for trial in self.trials if trial.concluded]

    @property
    def died(self) -> int:
        """The number of its trainings that died."""
        return sum(trial.dead for trial in self.trials)

    @property
    def values(self) -> list[float]:
        """The values of its whole trainings that live."""
        return [t.value for t in self.ended if t.worth is not None and t.value is not None]

    @property
    def value(self) -> float | None:
        """The mean of `values`; without any, the mean value of its stopped trainings."""
        early = [t.worth for t in self.trials if t.worth is not None]
        return statistics.fmean(self.values or early) if self.values or early else None


def recommended(space: Space, history: History) -> list[Standing]:
    """The recommended points, the best first.

    A point is judged by a further training that is one deviation worse than expected, where death
    counts as the worst of all values.

    Args:
        space: that was searched.
        history: of single trainings.

    Returns:
        Points with a training that reached its end and lives; if there are none, all points with a
        value.
    """
    groups = _groups(history)
    whole = [each for each in groups if each.values]
    begun = [each for each in groups if each.value is not None]
    return _ordered(Model(space, history), whole or begun) if begun else []


def _ordered(model: Model, points: Sequence[Standing]) -> list[Standing]:
    """Points with their outlooks, the best first."""
    found = _judged(model, points)
    return sorted(found, key=lambda each: (_outlook(each).cautious, each.first.number))


def ranked(history: History, first: Sequence[Standing]) -> list[Standing]:
    """All points: first those that may be recommended, then the others by their values."""
    known = {each.first.number for each in first}
    rest = [each for each in _groups(history) if each.first.number not in known]
    by_value = sorted(
        rest,
        key=lambda each: (
            each.value is None,
            history.sign * (each.value or 0.0),
            each.first.number,
        ),
    )
    return [*first, *by_value]


def raced(space: Space, history: History, most: int, *, closing: bool = False) -> Trial | None:
    """The first trial of a point that should be trained under a further seed, if any.

    It is the most hopeful of the points that may be the best. Further seeds take at most half of
    all training, and less if the seed matters little: their share is three times the seed's share
    of the variance.

    Args:
        space: that is searched.
        history: of single trainings.
        most: the limit of seeds per point.
        closing: no new point will be tried, so that few trained points must suffice.
    """
    if most == 1:
        return None
    groups = _groups(history)
    trained = [each for each in groups if each.values]
    if len(trained) < (1 if closing else _CANDIDATES):
        return None
    model = Model(space, history)
    further = sum(_length(t) for t in history.trials if t.repeats is not None)
    share = min(_SHARE, _PER_NOISE * model.noise)
    if further >= share * sum(_length(trial) for trial in history.trials):
        return None
    standings = _ordered(model, trained)
    best = standings[0]
    known = _outlook(best).expected + _outlook(best).deviation
    open_ones = [
        each
        for each in standings
        if len(each.trials) < most and all(t.state is not State.RUNNING for t in each.trials)
    ]
    if not open_ones:
        return None
    chosen = min(open_ones, key=lambda each: _outlook(each).hopeful)
    found = _outlook(chosen)
    if found.expected - _SURELY_WORSE * found.deviation > known:
        return None
    return chosen.first


@dataclasses.dataclass(frozen=True)
class Settled:
    """Why a search may end: a further point's expected gain is smaller than the seed's effect.

    Attributes:
        now: the expected value of the recommended point.
        then: the same after the largest expected gain of a further point.
        low, high: the range of four in five trainings of the recommended point.
    """

    now: float
    then: float
    low: float
    high: float


def settled(space: Space, history: History, seed: int) -> Settled | None:
    """Whether the best further point's expected gain is lost in the noise of a training.

    None if it is not, or if the recommended point has not ended two trainings yet.

    Args:
        space: that is searched.
        history: of single trainings.
        seed: of the search.
    """
    trained = [each for each in _groups(history) if each.values]
    if len(trained) < _CANDIDATES:
        return None
    model = Model(space, history)
    standing = _ordered(model, trained)[0]
    if len(standing.ended) < 2:
        return None
    best, model = _outlook(standing), model.believing()
    drawn = further_points(space, history, seed)
    gain = float(model.gains(drawn, best.expected).max()) if drawn else 0.0
    if gain > LOST * best.spread:
        return None
    now, then = model.value(best.expected), model.value(best.expected - gain)
    return Settled(now, then, best.low, best.high)


def merged(history: History) -> History:
    """A history with one trial per point, for methods that ignore seeds.

    Its value is the mean over its trainings, in which a dead one counts as the worst value of all:
    bad, but not fatal. It is running while any of them is, and dead or failed if all of them are.

    Args:
        history: of single trainings.
    """
    worths = [history.sign * t.worth for t in history.trials if t.worth is not None]
    worst = max(worths, default=math.inf) * history.sign
    groups: dict[int, list[Trial]] = {}  # by draw: a point drawn twice counts as two
    for trial in history.trials:
        first = trial.number if trial.repeats is None else trial.repeats
        groups.setdefault(first, []).append(trial)
    return History([_merged(group, worst) for group in groups.values()], history.direction)


def _merged(group: Sequence[Trial], worst: float) -> Trial:
    counted = [t for t in group if t.state is not State.FAILED] or group
    if len(counted) == 1:
        return dataclasses.replace(counted[0], number=group[0].number, repeats=None)
    states = [trial.state for trial in counted]
    living = [trial for trial in counted if not trial.dead]
    state = State.RUNNING if State.RUNNING in states else (living or counted)[-1].state
    values = [worst if t.dead else t.worth for t in counted if t.dead or t.worth is not None]
    known = [value for value in values if value is not None and living]
    return dataclasses.replace(
        group[0],
        state=state,
        evaluations=(living or counted)[0].evaluations,
        value=statistics.fmean(known) if known and state is not State.RUNNING else None,
    )


def _groups(history: History) -> list[Standing]:
    """The points in the order of their first trials, ignoring failed trials."""
    groups: dict[Key, list[Trial]] = {}
    for trial in history.trials:
        if trial.state is not State.FAILED:
            groups.setdefault(key(trial.params), []).append(trial)
    return [Standing(group[0], group) for group in groups.values()]


def _judged(model: Model, points: Sequence[Standing]) -> list[Standing]:
    """The same points with their outlooks."""
    outlooks = model.outlooks([point.first for point in points])
    return [
        dataclasses.replace(point, outlook=outlook)
        for point, outlook in zip(points, outlooks, strict=True)
    ]


def _outlook(point: Standing) -> Outlook:
    assert point.outlook is not None
    return point.outlook


def _length(trial: Trial) -> int:
    """A training's length in evaluations; at least 1, even if it died before its first."""
    return max(len(trial.evaluations), 1)
