"""A search as the charts see it: what is measured, what came of each trial, which are the best."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from autogan.criteria import CRITERIA, Objective
from autogan.decisions.budget import updates_per_step
from autogan.record.words import describe, figure, state_of
from autogan.report.drawing.scales import Axis, fitting
from autogan.search import Direction, Evaluation, History, State, Trial
from autogan.search.space import Key, key
from autogan.show.result import SearchResult

KINDS = {
    State.COMPLETE: "complete",
    State.STOPPED: "stopped",
    State.TIMED_OUT: "stopped",
    State.DIVERGED: "dead",
    State.COLLAPSED: "dead",
    State.FAILED: "failed",
    State.RUNNING: "running",
}
"""The class of a trial's marks."""


@dataclass(frozen=True)
class Measure:
    """A number by which trials are compared.

    Attributes:
        name: as people read it.
        direction: which way it is better.
        of: its value at an evaluation, if it has one there.
        worths: the trials' values by number, each at the evaluation that was kept.
    """

    name: str
    direction: Direction
    of: Callable[[Evaluation], float | None]
    worths: Mapping[int, float]

    @property
    def choose(self) -> Callable[..., float]:
        """The better of several values."""
        return min if self.direction == "min" else max

    @property
    def sign(self) -> int:
        """What makes it one that should fall."""
        return 1 if self.direction == "min" else -1

    def axis(self, values: Iterable[float]) -> Axis:
        """An axis with room for values; by factors only where they should fall, as FID does."""
        return fitting(values, factors=self.direction == "min")

    def worst(self, axis: Axis) -> float:
        """The end of an axis where those are shown that diverged or collapsed."""
        return axis.high if self.direction == "min" else axis.low

    @property
    def words(self) -> str:
        """Its name, and which way is better."""
        return f"{self.name} ({'lower' if self.direction == 'min' else 'higher'} is better)"


@dataclass(frozen=True)
class View:
    """A search and what follows from it.

    Attributes:
        result: of the search, so far.
    """

    result: SearchResult

    @cached_property
    def trials(self) -> list[Trial]:
        """The search's own, without those of the confirmation."""
        return [trial for trial in self.result.trials if not trial.confirms]

    @cached_property
    def measures(self) -> list[Measure]:
        """What decides: one measure, or several where the search has found a front."""
        result = self.result
        objectives = result.config.objectives
        if len(objectives) == 1:
            worths = {t.number: t.worth for t in result.trials if t.worth is not None}
            name = result.terms.objective
            return [Measure(name, result.direction, lambda e: e.value, worths)]
        labels = result.header["labels"]
        measures = []
        for place, (name, each) in enumerate(objectives.items()):
            sign = 1 if each.direction == "min" else -1
            worths = {t.number: sign * t.losses[place] for t in self.trials if t.losses}
            measures.append(Measure(name, each.direction, _value(each, labels), worths))
        return measures

    @cached_property
    def recorded(self) -> list[Measure]:
        """All criteria whose values were recorded, those that decide first."""
        shown = list(self.measures)
        kept = {t.number: None if t.dead else t.kept for t in self.trials}
        for name, label in self.result.header["labels"].items():
            if name not in [measure.name for measure in shown]:
                known = {n: e.scores for n, e in kept.items() if e is not None}
                worths = {n: scores[label] for n, scores in known.items() if label in scores}
                direction = CRITERIA.get(name).direction
                shown.append(Measure(name, direction, _score(label), worths))
        return shown

    @cached_property
    def best(self) -> Trial | None:
        """The search's winner."""
        return self.result.best

    @property
    def worth(self) -> str:
        """What the winner came to in its own training; empty without one."""
        if self.best is None:
            return ""
        several = len(self.measures) > 1
        return self.result.terms.worth(self.best) if several else figure(self.best.value or 0.0)

    @cached_property
    def marked(self) -> Trial | None:
        """The search's own trial of the winning point that is marked as the winner.

        A confirmation may have trained a better generator of the same point, or the defaults.
        """
        best, fresh = self.best, self.result.confirmation
        if best is None or not best.confirms:
            return best
        return None if fresh is None or fresh.number is None else self.result.trials[fresh.number]

    @cached_property
    def ranked(self) -> list[Trial]:
        """The best trial of each point, the winner first and then by their values."""
        history = History(self.trials, self.result.direction)
        ordered = [*([self.best] if self.best else []), *history.ranked()]
        found: dict[Key, Trial] = {}
        for trial in ordered:
            found.setdefault(key(trial.params), trial)
        return list(found.values())

    def kind(self, trial: Trial) -> str:
        """The class of a trial's marks."""
        if self.marked is not None and trial.number == self.marked.number:
            return "best"
        if trial.confirms:
            return "confirms"
        return KINDS[trial.state]

    def told(self, trial: Trial) -> str:
        """What is said of a trial where one points at it."""
        worth = ", ".join(
            f"{m.name} {figure(m.worths[trial.number])}"
            for m in self.measures
            if trial.number in m.worths
        )
        state = "" if trial.state is State.COMPLETE else f" {state_of(trial)}"
        return f"trial {trial.number}{state}: {worth or 'no value'}  {describe(trial.params)}"

    @cached_property
    def paces(self) -> dict[int, int]:
        """Updates of both networks in a step, by the trial's number."""
        return {t.number: updates_per_step(self.result.config, t) for t in self.result.trials}

    @cached_property
    def told_at(self) -> list[tuple[float, Trial, Evaluation | None]]:
        """Each evaluation and end in its order, with the updates that the search had spent by then.

        A trial that is gone on with from a checkpoint is counted once.
        """
        steps = dict.fromkeys(self.paces, 0)
        spent, told = 0, []
        by_step = {(t.number, e.step): e for t in self.result.trials for e in t.evaluations}
        for number, step in self.result.reached:
            spent += self.paces[number] * max(step - steps[number], 0)
            steps[number] = max(step, steps[number])
            told.append((float(spent), self.result.trials[number], by_step.get((number, step))))
        return told


def _value(objective: Objective, labels: Mapping[str, str]) -> Callable[[Evaluation], float | None]:
    def value(evaluation: Evaluation) -> float | None:
        if evaluation.collapsed or not objective.counts(evaluation.scores, labels):
            return None
        return objective.value(evaluation.scores, labels)

    return value


def _score(label: str) -> Callable[[Evaluation], float | None]:
    return lambda evaluation: evaluation.scores.get(label)
