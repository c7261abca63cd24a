"""Early stopping: rules that stop poor trials by their intermediate values."""

import bisect
import functools
import itertools
import math
import random
import statistics
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from typing_extensions import override

from autogan.core.registry import Part
from autogan.search.history import History, State, Trial
from autogan.search.space import Space

REDUCTION = 3  # factor between rungs in trials and in training: the papers' eta
_MEDIAN_OF = 4  # fewest trials for a meaningful median
_NO_SPACE = Space(())  # for rules that do not use it
_ORDERS, _ORDERED = 12, 60  # random orders, of at most 60 trials, for estimates of the cost


class StoppingRule(Part):
    """Pure functions of the history, like a search method: a rule keeps no state between calls.

    A rule compares trials by the best value of each after the same number of evaluations.

    Args:
        evaluations: the number of evaluations in a full training.
        space: that is searched.
        seed: of the search, for rules that draw.
    """

    fewest_evaluations: ClassVar[int] = 2
    """The number of evaluations in a training from which the rule has an effect."""

    needs_trials: ClassVar[bool] = False
    """Whether the number of trials must be known in advance."""

    revives: ClassVar[bool] = True
    """Whether it may resume stopped trials."""

    sees_seeds: ClassVar[bool] = False
    """Whether its history has all trainings of a point; otherwise only those of the first seed."""

    def __init__(self, evaluations: int, space: Space = _NO_SPACE, seed: int = 0) -> None:
        self.evaluations = evaluations
        self.space = space
        self.seed = seed

    def expected(self, trials: int) -> tuple[float, float]:
        """The expected cost of trials in full trainings, and how many of them reach their end.

        The mean over orders of the trials, assuming that a better trial is better at every
        evaluation.
        """
        return trials, trials

    @abstractmethod
    def goes_on(self, history: History, trial: Trial) -> bool:
        """Whether a trial of the history goes on after its last evaluation."""

    def revived(self, history: History, *, closing: bool) -> Trial | None:
        """The stopped trial that should go on before a new one begins, if any.

        Args:
            history: all trials.
            closing: no new trial will begin.
        """
        return None

    def finals(self, history: History) -> float:
        """Budget to reserve for resuming stopped trials at the end, in full trainings.

        Args:
            history: all trials so far; one more may begin.
        """
        return 0.0


class MedianRule(StoppingRule):
    """Stop a trial that is worse than the median of others (after Golovin et al., 2017, Vizier).

    The rule compares a trial's best value so far with the others' best values after as many
    evaluations. Vizier compares it with their running averages; but here a trial's worth is its
    best evaluation, and GANs often get worse again.
    """

    name = "median"
    summary = "stop a trial that is worse than the median of the others at the same step"
    revives = False

    @override
    def goes_on(self, history: History, trial: Trial) -> bool:
        count = len(trial.evaluations)
        others = [_after(history, t, count) for t in history.trials if t.number != trial.number]
        known = [value for value in others if value is not None]
        own = _after(history, trial, count)
        return own is None or len(known) < _MEDIAN_OF or own <= statistics.median(known)

    @override
    def expected(self, trials: int) -> tuple[float, float]:
        return _mean_of_orders(trials, self._taken)

    def _taken(self, order: Sequence[int]) -> tuple[float, float]:
        """`expected` for one order of ranks."""
        lengths: list[int] = []

        def poor(rank: int, reached: int) -> bool:
            others = [o for o, n in zip(order, lengths, strict=False) if n >= reached]
            return len(others) >= _MEDIAN_OF and rank > statistics.median(others)

        for rank in order:
            # The median changes only where another trial has stopped.
            places = sorted({1, *(n + 1 for n in lengths if n + 1 < self.evaluations)})
            ends = (reached for reached in places if poor(rank, reached))
            lengths.append(next(ends, self.evaluations))
        return sum(lengths) / self.evaluations, lengths.count(self.evaluations)


class Screening(StoppingRule):
    """A tenth of the training for all, then the best few in full (after arXiv:2307.15422).

    No trial goes on before the last one has begun, so that all are compared with all. Then the best
    go on to their end; their number is such that their further training costs about as much as all
    the beginnings did. The number of trials must be known in advance, and there are no complete
    trials until the end.
    """

    name = "screening"
    summary = "a tenth of the training for all trials, then the best few in full"

    needs_trials = True

    @override
    def goes_on(self, history: History, trial: Trial) -> bool:
        return len(trial.evaluations) != self._beginning

    def revived(self, history: History, *, closing: bool) -> Trial | None:
        """The first of the best few that is still stopped, once all trials have begun."""
        if not closing:
            return None
        begun = [
            (value, trial.number, trial)
            for trial in history.trials
            if (value := _after(history, trial, self._beginning)) is not None
        ]
        best = sorted(begun)[: self._best_few(len(history.trials))]
        return next((trial for *_, trial in best if trial.state is State.STOPPED), None)

    @override
    def finals(self, history: History) -> float:
        left = 1 - self._beginning / self.evaluations
        return self._best_few(len(history.trials) + 1) * left

    @override
    def expected(self, trials: int) -> tuple[float, float]:
        ended = self._best_few(trials)
        begun = self._beginning / self.evaluations
        return trials * begun + ended * (1 - begun), ended

    def _best_few(self, trials: int) -> int:
        """The number of trials, out of ``trials``, that are trained in full."""
        share = min(self._beginning / (self.evaluations - self._beginning), 1 / REDUCTION)
        return max(round(share * trials), 1)

    @property
    def _beginning(self) -> int:
        """The number of evaluations in the first tenth of a training, at least 1."""
        return max(round(self.evaluations / 10), 1)


class SuccessiveHalving(StoppingRule):
    """Asynchronous successive halving (Li et al., 2020, arXiv:1810.05934).

    Trials pause at *rungs*: at the end, at a third of the training, at a ninth, and so on, as far
    as there are evaluations. The best third of the trials that have reached a rung go on from it:
    at once if they are among the best then, or later, after further trials have done worse. Once no
    more trials begin, the best at each rung goes on even if fewer than three have reached it.
    """

    name = "asha"
    summary = "successive halving: the best third of the trials at each rung goes on"

    fewest_evaluations = REDUCTION

    @override
    def goes_on(self, history: History, trial: Trial) -> bool:
        count = len(trial.evaluations)
        place = [t.number for t in history.trials].index(trial.number)
        bracket = self.bracket(place)
        if count not in self._rungs()[bracket:]:
            return True
        return trial.number in self._best(history, bracket, count, at_least=0)

    def revived(self, history: History, *, closing: bool) -> Trial | None:
        """A stopped trial in the best third of its rung, the highest rung first."""
        rungs = self._rungs()
        for rung in reversed(rungs[:-1]):
            for bracket in range(len(rungs)):
                best = self._best(history, bracket, rung, at_least=int(closing))
                for trial in history.trials:
                    stopped = trial.state is State.STOPPED and len(trial.evaluations) == rung
                    if stopped and trial.number in best:
                        return trial
        return None

    @override
    def finals(self, history: History) -> float:
        return until_one_ends(history)

    def expected(self, trials: int) -> tuple[float, float]:
        """See `StoppingRule.expected`: more than a third go on, because some go on too early."""
        costs = []
        for bracket, begun in enumerate(self.dealt(trials)):
            rungs = self._rungs()[bracket:]
            costs.append(_mean_of_orders(begun, functools.partial(self._taken, rungs)))
        return sum(whole for whole, _ in costs), sum(ended for _, ended in costs)

    def _taken(self, rungs: Sequence[int], order: Sequence[int]) -> tuple[float, float]:
        """`expected` for one order of ranks in a bracket with these rungs."""
        whole, below = 0.0, 0
        for rung in rungs:
            whole += len(order) * (rung - below) / self.evaluations
            below, ended = rung, len(order)
            order = _promoted(order)
        return whole, ended

    def dealt(self, trials: int) -> Sequence[int]:
        """The number of trials in each bracket."""
        return [trials]

    def bracket(self, place: int) -> int:
        """The number of lowest rungs that a trial skips, by its place in the history.

        Trials compete within their bracket.
        """
        return 0

    def _rungs(self) -> Sequence[int]:
        """The rungs as numbers of evaluations, the lowest first."""
        count = int(math.log(self.evaluations, REDUCTION) + 1e-9) + 1
        fractions = (self.evaluations / REDUCTION**power for power in range(count))
        return sorted({max(round(fraction), 1) for fraction in fractions})

    def _best(self, history: History, bracket: int, rung: int, at_least: int) -> list[int]:
        """The numbers of a bracket's trials in the best third at a rung.

        A dead trial competes, as the worst, up to the rung that it was training for when it died;
        at later rungs it does not count.
        """
        below = max((other for other in self._rungs()[bracket:] if other < rung), default=0)
        reached = []
        for place, trial in enumerate(history.trials):
            if self.bracket(place) != bracket:
                continue
            value = _after(history, trial, rung)
            if trial.dead:
                if len(trial.evaluations) >= below:
                    reached.append((math.inf, trial.number))
            elif value is not None:
                reached.append((value, trial.number))
        places = max(len(reached) // REDUCTION, at_least)
        return [number for _, number in sorted(reached)[:places]]


class Hyperband(SuccessiveHalving):
    """Successive halving from several lowest rungs at once (Li et al., 2018, arXiv:1603.06560).

    If early values mislead, trials that skip the first rungs decide. Trials are dealt to the
    brackets in turn, in the paper's proportions: the bracket that stops earliest has the most.
    """

    name = "hyperband"
    summary = "successive halving in brackets, some of which skip the first rungs"

    @override
    def bracket(self, place: int) -> int:
        ends = itertools.accumulate(self._sizes())
        return next(b for b, end in enumerate(ends) if place % sum(self._sizes()) < end)

    @override
    def dealt(self, trials: int) -> Sequence[int]:
        sizes = self._sizes()
        rounds, rest = divmod(trials, sum(sizes))
        ends = list(itertools.accumulate(sizes))
        return [
            rounds * size + min(max(rest - end + size, 0), size)
            for size, end in zip(sizes, ends, strict=True)
        ]

    def _sizes(self) -> Sequence[int]:
        """The number of trials that each bracket gets in a round."""
        highest = len(self._rungs()) - 1
        return [
            math.ceil((highest + 1) / (highest - spared + 1) * REDUCTION ** (highest - spared))
            for spared in range(highest + 1)
        ]


def until_one_ends(history: History) -> float:
    """See `StoppingRule.finals`: one training, unless a trial has already reached its end."""
    return 0.0 if any(trial.whole for trial in history.trials) else 1.0


def _promoted(order: Sequence[int]) -> list[int]:
    """The ranks that go on from a rung, in order, if trials arrive there in the given order."""
    arrived: list[int] = []
    gone: list[int] = []
    for rank in order:
        bisect.insort(arrived, rank)
        gone += [r for r in arrived[: len(arrived) // REDUCTION] if r not in gone]
    return gone or arrived[:1]  # the best at a rung goes on once no more trials begin


def _mean_of_orders(
    trials: int, taken: Callable[[Sequence[int]], tuple[float, float]]
) -> tuple[float, float]:
    """The means of two numbers over some orders of ranks; scaled up for many trials."""
    count = min(trials, _ORDERED)
    orders = [random.Random(n).sample(range(count), count) for n in range(_ORDERS)]
    first, second = zip(*map(taken, orders), strict=True)
    scale = trials / max(count, 1)
    return statistics.fmean(first) * scale, statistics.fmean(second) * scale


def _after(history: History, trial: Trial, count: int) -> float | None:
    """See `History.after`; None if the trial has too few evaluations, or failed."""
    if len(trial.evaluations) < count or trial.state is State.FAILED:
        return None
    return history.after(trial, count)
