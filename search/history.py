"""The history that a search method sees: the trials, their states and their values."""

import bisect
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import NormalDist
from typing import Any, Literal

from autogan.core.hyperparameters import Value

Direction = Literal["min", "max"]


class State(str, Enum):
    """The state of a trial."""

    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped early"  # it can go on from its checkpoint
    TIMED_OUT = "out of time"  # likewise, with a longer time limit
    DIVERGED = "diverged"  # NaN or infinity: the region is bad
    COLLAPSED = "collapsed"  # the same pictures again and again: the region is bad
    FAILED = "failed"  # a crash: says nothing about the point


@dataclass(frozen=True)
class Evaluation:
    """The scores of a trial's generator after ``step`` generator updates.

    Attributes:
        step: counted from the trial's beginning.
        scores: by criterion label; a criterion that is only recorded has none if its value was not
            finite.
        value: the objective's; None if not computed yet, or if the images had collapsed.
        variety: how much the images differ; see `autogan.criteria.variety.Variety`.
        collapsed: whether they were the same pictures again and again.
    """

    step: int
    scores: dict[str, float]
    value: float | None = None
    variety: dict[str, float] = field(default_factory=dict)
    collapsed: bool = False

    @property
    def different(self) -> float:
        """The number of different pictures relative to real images, in [0, 1].

        It is 1 if they were not counted.
        """
        real = self.variety.get("real_distinct", 0.0)
        return min(self.variety.get("distinct", real) / real, 1.0) if real else 1.0


def best_evaluation(
    evaluations: Sequence[Evaluation], direction: Direction | None
) -> Evaluation | None:
    """The best evaluation without collapsed images; the earliest if several are equal.

    Args:
        evaluations: in order.
        direction: which way values are better; None takes the last evaluation.
    """
    if direction is None:
        return next((e for e in reversed(evaluations) if not e.collapsed), None)
    sign = 1 if direction == "min" else -1
    sound = [(sign * e.value, e) for e in evaluations if e.value is not None]
    return min(sound, key=lambda pair: pair[0])[1] if sound else None


@dataclass
class Trial:
    """One trial.

    Attributes:
        number: counted from 0.
        params: the searched hyperparameters' values.
        seed: of the training.
        origin: how the method found the point, such as ``explore 3`` for a step away from trial 3.
        repeats: the number of the trial whose hyperparameters it trains under another seed.
        confirms: whether it belongs to the confirmation after the search, which methods never see.
        state: of the trial.
        evaluations: in the order of their steps.
        value: the objective's value at the best evaluation; None without one. A resumed trial keeps
            its old value until it ends again. A dead trial has the value of its best generator
            before, which decides nothing: see `worth`.
        losses: with several objectives, each one's value at that evaluation, with a sign such that
            lower is better.
        step: the step of that evaluation.
        last_value: the objective's value at the last evaluation.
        revived: the number of evaluations when it last went on after a stop, which are not judged
            again; 0 if it was never stopped.
        reason: for a failure, divergence, collapse or time-out, in one line.
        seconds: of work.
        steps: generator updates at its end.
        times_lost: how often its worker died since the search last started or resumed it.
    """

    number: int
    params: dict[str, Value]
    seed: int = 0
    origin: str = ""
    repeats: int | None = None
    confirms: bool = False
    state: State = State.RUNNING
    evaluations: list[Evaluation] = field(default_factory=list)
    value: float | None = None
    losses: tuple[float, ...] = ()
    step: int | None = None
    last_value: float | None = None
    revived: int = 0
    reason: str = ""
    seconds: float = 0.0
    steps: int = 0
    times_lost: int = 0

    @property
    def dead(self) -> bool:
        """Whether it diverged or collapsed, which is worse than any value."""
        return self.state in (State.DIVERGED, State.COLLAPSED)

    @property
    def worth(self) -> float | None:
        """The value that counts in a search; None for a dead trial, or without a value."""
        return None if self.dead else self.value

    @property
    def whole(self) -> bool:
        """Whether it was trained as far as allowed: to its end, or to its time limit."""
        return self.state in (State.COMPLETE, State.TIMED_OUT)

    @property
    def concluded(self) -> bool:
        """Whether it died, or reached its end with a value."""
        return self.dead or (self.whole and self.value is not None)

    @property
    def resumable(self) -> bool:
        """Whether it has ended but can go on from its checkpoint."""
        return self.state in (State.STOPPED, State.TIMED_OUT)

    @property
    def alive(self) -> bool:
        """Whether it has ended without dying or failing."""
        return self.whole or self.state is State.STOPPED

    @property
    def collapsed(self) -> bool:
        """Whether its last images had collapsed, at its death or at an early stop."""
        seen = bool(self.evaluations) and self.evaluations[-1].collapsed
        return self.state is State.COLLAPSED or (seen and self.state is State.STOPPED)

    @property
    def kept(self) -> Evaluation | None:
        """The evaluation of the generator kept as its best, once it has ended."""
        return next((e for e in self.evaluations if e.step == self.step), None)

    def labels(self) -> set[str]:
        """The criterion labels of its evaluations' scores."""
        return {label for evaluation in self.evaluations for label in evaluation.scores}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Trial":
        """The inverse of `dataclasses.asdict`, after a passage through JSON."""
        evaluations = [Evaluation(**evaluation) for evaluation in values["evaluations"]]
        losses = tuple(values.get("losses", ()))
        state = State(values["state"])
        return cls(**{**values, "state": state, "evaluations": evaluations, "losses": losses})


def found_again(trial: Trial, direction: Direction) -> Trial:
    """A trial with its best value before it died, which records of AutoGAN 0.3 lack."""
    best = best_evaluation(trial.evaluations, direction)
    if not trial.dead or trial.step is not None or best is None:
        return trial
    return dataclasses.replace(trial, value=best.value, step=best.step)


@dataclass(frozen=True)
class History:
    """The trials so far, in the order of their numbers, and which way the objective is better."""

    trials: Sequence[Trial]
    direction: Direction

    @property
    def sign(self) -> int:
        """The factor that turns the objective into one where lower is better."""
        return 1 if self.direction == "min" else -1

    def at_least_as_good(self, value: float, other: float) -> bool:
        """Whether ``value`` is as good as ``other`` or better."""
        return value <= other if self.direction == "min" else value >= other

    def after(self, trial: Trial, count: int) -> float:
        """A trial's best value over its first ``count`` evaluations, signed so that lower wins."""
        ended = trial.state is not State.RUNNING  # a resumed trial still has its old value
        if ended and trial.worth is not None and count >= len(trial.evaluations):
            return self.sign * trial.worth
        values = [e.value for e in trial.evaluations[:count] if e.value is not None]
        return min((self.sign * value for value in values), default=math.inf)

    def so_far(self, trial: Trial) -> float:
        """A trial's best value over all its evaluations, likewise; infinite without one."""
        return self.after(trial, len(trial.evaluations))

    def ranked(self) -> list[Trial]:
        """The trials that have a value, the best first; of equal ones, the earlier first."""
        good = [t for t in self.trials if t.state is not State.FAILED]
        scored = [(self.sign * t.worth, t.number, t) for t in good if t.worth is not None]
        return [trial for _, _, trial in sorted(scored, key=lambda item: item[:2])]

    def best(self) -> Trial | None:
        """The best trial, if any has a value."""
        return next(iter(self.ranked()), None)

    @property
    def losses(self) -> list[tuple[float, ...]]:
        """The trials' losses if several objectives decide; otherwise empty."""
        return [trial.losses for trial in self.trials if trial.losses]

    @property
    def telling(self) -> list[Trial]:
        """The trials with an outcome: neither running nor failed."""
        return [t for t in self.trials if t.state not in (State.RUNNING, State.FAILED)]

    def tries(self) -> int:
        """The number of trials that count against the budget: all but the failed ones."""
        return sum(trial.state is not State.FAILED for trial in self.trials)


def rank_scores(history: History, trials: Sequence[Trial]) -> list[float]:
    """How good trials are, as normal scores of their ranks; the best has the lowest.

    Ranks work for criteria of any scale, and make a dead trial the worst without a number for it.
    Trials of different lengths are compared over their common part: all by their first evaluation;
    then those with a second are reordered among themselves by the best of both, and so on.
    """
    order = [trial for trial in trials if not trial.dead]
    length = {trial.number: max(len(trial.evaluations), 1) for trial in order}
    for count in range(1, max(length.values(), default=0) + 1):
        places = [place for place, trial in enumerate(order) if length[trial.number] >= count]
        reached = sorted((order[place] for place in places), key=lambda t: history.after(t, count))
        for place, trial in zip(places, reached, strict=True):
            order[place] = trial
    ranks = {trial.number: float(rank) for rank, trial in enumerate(order)}
    return normal_scores([ranks.get(trial.number, math.inf) for trial in trials])


def normal_scores(values: Sequence[float]) -> list[float]:
    """The quantiles of a normal distribution at the values' ranks; ties share the middle rank."""
    ranked, normal = sorted(values), NormalDist()
    middles = {
        value: bisect.bisect_left(ranked, value) + bisect.bisect_right(ranked, value)
        for value in set(values)
    }
    return [normal.inv_cdf(middles[value] / (2 * len(values))) for value in values]
