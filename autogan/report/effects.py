"""How much of the trials' ranks each hyperparameter explains, and how much chance would."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autogan.core.hyperparameters import Dimension, Value
from autogan.report.view import View
from autogan.search import History
from autogan.search.history import standings

FEWEST = 12  # trials; below, even the first place is a guess
_GROUP = 6  # trials of a range that make a group, at least
_MOST_GROUPS = 5
_SHUFFLES = 200
_LEVEL = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """What a hyperparameter explains by itself.

    Attributes:
        dimension: the hyperparameter.
        share: of the variance of the trials' ranks, from about 0 to 1; the corrected ratio
            epsilon squared (Kelley, 1935), which is 0 in the mean where there is no effect.
        trials: in which it had a meaning.
    """

    dimension: Dimension
    share: float
    trials: int


@dataclass(frozen=True)
class Effects:
    """What all hyperparameters explain.

    Attributes:
        each: the largest first.
        chance: what the largest share exceeds in one of twenty searches where none has an effect.
        trials: that were compared.
    """

    each: Sequence[Effect]
    chance: float
    trials: int

    @property
    def told(self) -> list[Effect]:
        """Those that can be told from chance."""
        return [effect for effect in self.each if effect.share > self.chance]


def effects(view: View) -> Effects | None:
    """Compare trials by their ranks; None for too few of them.

    A trial that came to nothing is the worst, and one that was stopped early is compared where it
    had come to (`autogan.search.history.standings`). Of each point the first training counts.
    """
    history = History(view.trials, view.result.direction)
    trials = [trial for trial in history.telling if trial.repeats is None]
    if len(view.measures) > 1:  # early scores have no place in their order
        trials = [dataclasses.replace(trial, evaluations=[]) for trial in trials]
    if len(trials) < FEWEST:
        return None
    scores = np.array(standings(History(trials, history.direction), trials))
    rng = np.random.default_rng(0)
    rows = np.stack([scores, *(rng.permutation(scores) for _ in range(_SHUFFLES))])
    found: list[Effect] = []
    shuffled = np.full(_SHUFFLES, -np.inf)
    for dimension in view.result.config.space.dimensions:
        name = dimension.name
        used = np.array([name in trial.params for trial in trials])
        groups = _groups(
            dimension, [trial.params[name] for trial in trials if name in trial.params]
        )
        count = int(groups.max(initial=-1)) + 1
        if len(groups) < FEWEST or not 1 < count < len(groups):
            continue
        shares = _shares(rows[:, used], groups)
        found.append(Effect(dimension, float(shares[0]), len(groups)))
        shuffled = np.maximum(shuffled, shares[1:])
    if not found:
        return None
    found.sort(key=lambda effect: -effect.share)
    return Effects(found, float(np.quantile(shuffled, _LEVEL)), len(trials))


def _shares(rows: Floats, groups: npt.NDArray[np.int64]) -> Floats:
    """The corrected share of variance between groups in each row of scores."""
    members = np.eye(groups.max() + 1)[groups]
    size = members.sum(0)
    centred = rows - rows.mean(1, keepdims=True)
    between = ((centred @ members) ** 2 / size).sum(1)
    whole = (centred**2).sum(1)
    n, k = len(groups), len(size)
    raw = np.divide(between, whole, out=np.zeros_like(whole), where=whole > 0)
    corrected: Floats = 1 - (n - 1) / (n - k) * (1 - raw)
    return corrected


def _groups(dimension: Dimension, values: Sequence[Value]) -> npt.NDArray[np.int64]:
    """The group of each value: of a list its own, of a range neighbours of about equal number."""
    different = list(dict.fromkeys(values))
    numbers = [value for value in values if not isinstance(value, str)]
    if len(numbers) < len(values) or len(different) <= _MOST_GROUPS + 1:
        return np.array([different.index(value) for value in values], np.int64)
    count = min(_MOST_GROUPS, max(len(values) // _GROUP, 2))
    edges = np.quantile(np.array(numbers, float), np.linspace(0, 1, count + 1)[1:-1])
    found = np.searchsorted(np.unique(edges), np.array(numbers, float), side="left")
    return np.unique(found, return_inverse=True)[1]
