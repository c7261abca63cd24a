"""A run as the charts see it: its measures, its trials, and the best of them."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from autogan.core.hyperparameters import Value
from autogan.core.text import short_name
from autogan.criteria import CRITERIA, Objective
from autogan.decisions.budget import updates_per_step
from autogan.record.folder import real_images, run_of
from autogan.record.words import describe, figure, state_of
from autogan.report.drawing.scales import Axis, fitting
from autogan.search import Direction, Evaluation, History, State, Trial
from autogan.search.space import Key, key
from autogan.show.result import SearchResult, TrainResult

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
        name: for people.
        direction: which way is better.
        of: its value at an evaluation; None without one.
        worths: the trials' values by number, each at the evaluation that was kept.
    """

    name: str
    direction: Direction
    of: Callable[[Evaluation], float | None]
    worths: Mapping[int, float]

    @property
    def choose(self) -> Callable[..., float]:
        """A function that returns the best of several values."""
        return min if self.direction == "min" else max

    @property
    def sign(self) -> int:
        """The factor after which lower is better."""
        return 1 if self.direction == "min" else -1

    def axis(self, values: Iterable[float]) -> Axis:
        """An axis with room for values; logarithmic only if lower is better, as for FID."""
        return fitting(values, factors=self.direction == "min")

    def worst(self, axis: Axis) -> float:
        """The end of an axis at which dead trials are shown."""
        return axis.high if self.direction == "min" else axis.low

    @property
    def words(self) -> str:
        """The name, and which way is better."""
        return f"{self.name} ({'lower' if self.direction == 'min' else 'higher'} is better)"


@dataclass(frozen=True)
class View(ABC):
    """A run as the charts see it.

    Attributes:
        result: of the search or training, so far.
    """

    result: SearchResult | TrainResult

    @property
    @abstractmethod
    def trials(self) -> list[Trial]:
        """The trials to draw, by number."""

    @property
    @abstractmethod
    def measures(self) -> list[Measure]:
        """The measures that decide: one, or several for a search with a Pareto front."""

    @property
    @abstractmethod
    def best(self) -> Trial | None:
        """The trial of the best generator that counts; None if no trial has a value."""

    @property
    @abstractmethod
    def ranked(self) -> list[Trial]:
        """The trials whose images are shown, the best first."""

    @property
    @abstractmethod
    def told_at(self) -> list[tuple[float, Trial, Evaluation | None]]:
        """Each evaluation and end in order, with the updates spent until then."""

    @property
    @abstractmethod
    def features(self) -> Mapping[str, Any]:
        """The feature network and the real images, as far as recorded."""

    @property
    @abstractmethod
    def environment(self) -> Mapping[str, Any]:
        """Versions and device, as far as recorded."""

    @abstractmethod
    def name(self, trial: Trial) -> str:
        """A trial's name."""

    @abstractmethod
    def kind(self, trial: Trial) -> str:
        """The class of a trial's marks."""

    @abstractmethod
    def chosen(self, trial: Trial) -> Mapping[str, Value]:
        """The hyperparameters that distinguish a trial from others."""

    @property
    def orange(self) -> str:
        """The trial of the kind ``best``, in words; empty if there is none."""
        return "the winner"

    @cached_property
    def recorded(self) -> list[Measure]:
        """All recorded criteria, the deciding ones first."""
        shown = list(self.measures)
        kept = {t.number: None if t.dead else t.kept for t in self.trials}
        for label, name in self.result.terms.names.items():
            if name not in [measure.name for measure in shown]:
                known = {n: e.scores for n, e in kept.items() if e is not None}
                worths = {n: scores[label] for n, scores in known.items() if label in scores}
                direction = CRITERIA.get(name).direction
                shown.append(Measure(name, direction, _score(label), worths))
        return shown

    @property
    def worth(self) -> str:
        """The best trial's value as text; empty without one."""
        if self.best is None:
            return ""
        several = len(self.measures) > 1
        return self.result.terms.worth(self.best) if several else figure(self.best.value or 0.0)

    @property
    def title(self) -> str:
        """Such as ``gan on digits: fid``."""
        config = self.result.config
        return f"{config.gan_type} on {short_name(config.dataset)}: {self.result.terms.objective}"

    @property
    def real(self) -> Path:
        """A grid of the run's training images."""
        return real_images(run_of(self.result.folder.root))

    def tooltip(self, trial: Trial) -> str:
        """A trial's tooltip."""
        worth = ", ".join(
            f"{m.name} {figure(m.worths[trial.number])}"
            for m in self.measures
            if trial.number in m.worths
        )
        state = "" if trial.state is State.COMPLETE else f" {state_of(trial)}"
        value = f"{worth} at step {trial.step}" if worth else "no value"
        return f"{self.name(trial)}{state}: {value}  {describe(self.chosen(trial))}"


@dataclass(frozen=True)
class SearchView(View):
    """A search as the charts see it.

    Attributes:
        result: of the search, so far.
    """

    result: SearchResult

    @cached_property
    def trials(self) -> list[Trial]:
        """The search's trials, without those of the confirmation."""
        return [trial for trial in self.result.trials if not trial.confirms]

    @cached_property
    def measures(self) -> list[Measure]:
        """See `View.measures`."""
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
    def best(self) -> Trial | None:
        """The search's winner."""
        return self.result.best

    @cached_property
    def marked(self) -> Trial | None:
        """The search's trial of the winning point, which is marked as the winner.

        A confirmation may have trained a better generator of the same point, or the defaults.
        """
        best, fresh = self.best, self.result.confirmation
        if best is None or not best.confirms:
            return best
        return None if fresh is None or fresh.number is None else self.result.trials[fresh.number]

    @property
    def orange(self) -> str:
        """See `View.orange`; charts of the search show the search's own trial of a point."""
        if self.marked is None:
            return ""
        if self.marked is self.best:
            return "the winner"
        return f"trial {self.marked.number}, which has the winner's hyperparameters"

    @cached_property
    def ranked(self) -> list[Trial]:
        """The best trial of each point, the winner first, then by value."""
        history = History(self.trials, self.result.direction)
        ordered = [*([self.best] if self.best else []), *history.ranked()]
        found: dict[Key, Trial] = {}
        for trial in ordered:
            found.setdefault(key(trial.params), trial)
        return list(found.values())

    @property
    def features(self) -> Mapping[str, Any]:
        """See `View.features`."""
        known: Mapping[str, Any] = self.result.header["features"]
        return known

    @property
    def environment(self) -> Mapping[str, Any]:
        """See `View.environment`."""
        known: Mapping[str, Any] = self.result.header["environment"]
        return known

    def name(self, trial: Trial) -> str:
        """Such as ``trial 3``."""
        return f"trial {trial.number}"

    def kind(self, trial: Trial) -> str:
        """See `View.kind`."""
        if self.marked is not None and trial.number == self.marked.number:
            return "best"
        if trial.confirms:
            return "confirms"
        return KINDS[trial.state]

    def chosen(self, trial: Trial) -> Mapping[str, Value]:
        """The searched hyperparameters."""
        return trial.params

    @cached_property
    def paces(self) -> dict[int, int]:
        """Updates of both networks per step, by the trial's number."""
        return {t.number: updates_per_step(self.result.config, t) for t in self.result.trials}

    @cached_property
    def told_at(self) -> list[tuple[float, Trial, Evaluation | None]]:
        """See `View.told_at`; steps that a resumed trial repeats are counted once."""
        steps = dict.fromkeys(self.paces, 0)
        spent, told = 0, []
        by_step = {(t.number, e.step): e for t in self.result.trials for e in t.evaluations}
        for number, step in self.result.reached:
            spent += self.paces[number] * max(step - steps[number], 0)
            steps[number] = max(step, steps[number])
            told.append((float(spent), self.result.trials[number], by_step.get((number, step))))
        return told


@dataclass(frozen=True)
class TrainingView(View):
    """A training as the charts see it: its only trial.

    Attributes:
        result: of the training, so far.
    """

    result: TrainResult

    @property
    def unscored(self) -> bool:
        """Whether no criterion decides."""
        return self.result.config.objective.chooses is None

    @cached_property
    def trial(self) -> Trial:
        """The training, with its best value so far until it has ended."""
        trial, best = self.result.trial, self.result.best
        if trial.state is not State.RUNNING or best is None:
            return trial
        return dataclasses.replace(trial, value=best.value, step=best.step)

    @property
    def trials(self) -> list[Trial]:
        """The training alone."""
        return [self.trial]

    @cached_property
    def measures(self) -> list[Measure]:
        """The measure that decides, if there is one."""
        if self.unscored:
            return []
        worth, result = self.trial.worth, self.result
        worths = {} if worth is None else {self.trial.number: worth}
        return [Measure(result.terms.objective, result.direction, lambda e: e.value, worths)]

    @property
    def best(self) -> Trial | None:
        """The training, if it has a value and did not die."""
        return None if self.trial.worth is None else self.trial

    @property
    def ranked(self) -> list[Trial]:
        """The training, if it has been evaluated."""
        return [self.trial] if self.trial.evaluations else []

    @cached_property
    def told_at(self) -> list[tuple[float, Trial, Evaluation | None]]:
        """See `View.told_at`."""
        pace, trial = self.result.pace, self.trial
        told: list[tuple[float, Trial, Evaluation | None]] = []
        told += [(float(pace * each.step), trial, each) for each in trial.evaluations]
        return [*told, (float(pace * trial.steps), trial, None)] if trial.steps else told

    @property
    def features(self) -> Mapping[str, Any]:
        """Only the network: the labels of values cover the rest."""
        return {"network": self.result.config.features}

    @property
    def environment(self) -> Mapping[str, Any]:
        """See `View.environment`; empty until the training has ended."""
        return self.result.folder.environment()

    def name(self, trial: Trial) -> str:
        """The name of its folder."""
        return self.result.folder.root.resolve().name

    def kind(self, trial: Trial) -> str:
        """See `View.kind`."""
        return "dead" if trial.dead else "best"

    def chosen(self, trial: Trial) -> Mapping[str, Value]:
        """The hyperparameters that differ from the GAN type's defaults."""
        defaults = self.result.config.gan.defaults()
        return {n: value for n, value in trial.params.items() if value != defaults.get(n)}


def view_of(result: SearchResult | TrainResult) -> View:
    """A run as the charts see it."""
    return TrainingView(result) if isinstance(result, TrainResult) else SearchView(result)


def _value(objective: Objective, labels: Mapping[str, str]) -> Callable[[Evaluation], float | None]:
    def value(evaluation: Evaluation) -> float | None:
        if evaluation.collapsed or not objective.counts(evaluation.scores, labels):
            return None
        return objective.value(evaluation.scores, labels)

    return value


def _score(label: str) -> Callable[[Evaluation], float | None]:
    return lambda evaluation: evaluation.scores.get(label)
