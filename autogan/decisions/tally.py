"""Trials and their values, derived from the ledger on demand."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Value
from autogan.criteria import Bounds, Objective, bounds_seen
from autogan.decisions.confirmation import Confirmed, candidates, confirmed
from autogan.record.chosen import Chosen
from autogan.record.file import DamagedRecord
from autogan.record.folder import SearchFolder, TrialFolder
from autogan.record.ledger import Ledger
from autogan.record.words import Terms
from autogan.search import Direction, Evaluation, History, Trial
from autogan.search.history import found_again
from autogan.search.pareto import fronts, worths
from autogan.search.repeats import Standing, merged, ranked, recommended

F = TypeVar("F")


def _remembered(find: Callable[["Tally"], F]) -> Callable[["Tally"], F]:
    """Cache a method's answer until the record has another line."""

    @functools.wraps(find)
    def answer(tally: "Tally") -> F:
        lines = tally.ledger.lines
        if tally._found.get(find.__name__, (-1, None))[0] != lines:
            tally._found[find.__name__] = lines, find(tally)
        found: F = tally._found[find.__name__][1]
        return found

    return answer


class Tally:
    """The trials of a ledger with the values that a configuration gives them.

    Args:
        config: of the search, resolved.
        ledger: of the search, with its header.

    Raises:
        ValueError: if the header lacks the label of a criterion that decides.

    Attributes:
        config, ledger: the arguments.
    """

    def __init__(self, config: SearchConfig, ledger: Ledger) -> None:
        self.config = config
        self.ledger = ledger
        self._labels: dict[str, str] = ledger.header["labels"]
        if missing := [name for name in config.deciding() if name not in self._labels]:
            raise ValueError(f"labels: none of {', '.join(missing)}")
        self._found: dict[str, tuple[int, Any]] = {}  # number of lines and answer, by method
        self._views: dict[int, tuple[int, Trial]] = {}  # number of lines and view, by trial

    @property
    def folder(self) -> SearchFolder:
        """The search's folder."""
        assert self.config.run_dir is not None
        return SearchFolder(self.config.run_dir)

    @property
    def direction(self) -> Direction:
        """Which way a trial's value is better; with several objectives it is a rank."""
        return "min" if len(self.config.objectives) > 1 else self.config.objective.direction

    @property
    def terms(self) -> Terms:
        """The names of values."""
        return Terms.of(self.config.criterion, self._labels, self.config.repeats)

    def trials(self) -> list[Trial]:
        """All trials, with the values of their evaluations as known so far."""
        return list(self._seen_trials())

    def history(self) -> History:
        """The search's own trials, without those of the confirmation."""
        return History([t for t in self.trials() if not t.confirms], self.direction)

    def first_seeds(self) -> History:
        """The history for stopping rules: without repeated seeds, which always train in full."""
        history = self.history()
        return History([t for t in history.trials if t.repeats is None], history.direction)

    def points(self) -> History:
        """The history with one trial per point, for methods that ignore seeds."""
        history = self.history()
        if len(self.config.objectives) > 1:  # early scores have no rank
            whole = [dataclasses.replace(trial, evaluations=[]) for trial in history.trials]
            return History(whole, history.direction)
        return merged(history)

    @_remembered
    def ranked(self) -> list[Standing]:
        """All points of the search, those that may be recommended first."""
        if len(self.config.objectives) > 1:
            return self.standings()
        return ranked(self.history(), self.standings())

    @_remembered
    def standings(self) -> list[Standing]:
        """The points of the search that may be recommended, the best first."""
        history = self.history()
        if len(self.config.objectives) > 1:  # a model needs values, not ranks
            return [Standing(trial, [trial]) for trial in history.ranked()]
        return recommended(self.config.space, history)

    def earlier(self) -> list[Trial]:
        """The trials of an earlier search to learn from, with negative numbers."""
        trials = [Trial.from_dict(values) for values in self.ledger.header.get("earlier", [])]
        return [
            dataclasses.replace(trial, number=number - len(trials))
            for number, trial in enumerate(self._valued(trials))
        ]

    def chosen(self, top: int) -> Chosen:
        """The best points of this proxy, for its search.

        Args:
            top: the number of points.
        """
        standings = self.standings()[:top]
        return Chosen(
            trials=[standing.first.number for standing in standings],
            points=[dict(standing.first.params) for standing in standings],
            values=[standing.value or 0.0 for standing in standings],
            tried=self.first_seeds().tries(),
            seconds=sum(trial.seconds for trial in self.trials()),
        )

    def candidates(self) -> list[Mapping[str, Value]]:
        """The points that a confirmation would train again at present."""
        config = self.config
        if config.confirm is None:
            return []
        best = candidates(config.confirm, self.standings(), config.space)
        return [point.params for point in best]

    def confirmed(self) -> list[Confirmed]:
        """The results of the confirmation, the best first; empty before its end."""
        if self.config.confirm is None:
            return []
        return confirmed(
            self.config.confirm, self.standings(), self.direction, self.config.space, self.trials()
        )

    @_remembered
    def best(self) -> Trial | None:
        """The best training of the recommended hyperparameters."""
        standings = self.standings()
        if not standings:
            return None
        winners = [result.params for result in self.confirmed() if result.values]
        params = [*winners, standings[0].first.params][0]
        same = [trial for trial in self.trials() if trial.params == params]
        return History(same, self.direction).best()

    def in_hand(self) -> Trial | None:
        """The trial with the best generator, even if its training died afterwards."""
        had = self._kept(trial for trial in self.trials() if trial.value is not None)
        if len(self.config.objectives) > 1:
            order = self._worths([self._losses(kept) for _, kept in had])
        else:
            sign = 1 if self.config.objective.direction == "min" else -1
            order = [sign * (trial.value or 0.0) for trial, _ in had]
        ranked = sorted((w, t.dead, t.number) for w, (t, _) in zip(order, had, strict=True))
        return next((self.trials()[number] for *_, number in ranked), None)

    def front(self) -> list[Trial]:
        """With several objectives, the trials that no other dominates."""
        placed = [trial for trial in self.trials() if trial.losses]
        layers = fronts([trial.losses for trial in placed])
        return [trial for trial, layer in zip(placed, layers, strict=True) if layer == 0]

    def trial_config(self, trial: Trial) -> TrainConfig:
        """A trial's configuration, with the ranges of criteria known when it began."""
        seen = self.ledger.bounds.get(trial.number)
        return self.config.trial_config(trial.params, trial.seed, seen)

    def trial_folder(self, number: int) -> TrialFolder:
        """The folder of the trial of this number."""
        return TrialFolder.of(self.folder.trial(self.ledger.folders[number]), self.config)

    @_remembered
    def trial_folders(self) -> Mapping[int, TrialFolder]:
        """The folders of all trials, by number."""
        return {number: self.trial_folder(number) for number in self.ledger.folders}

    @_remembered
    def _seen_trials(self) -> list[Trial]:
        trials = self._kept_views(self.ledger.trials)
        return self._ordered(trials) if len(self.config.objectives) > 1 else trials

    def _valued(self, trials: Sequence[Trial]) -> list[Trial]:
        """Trials with the values of their evaluations."""
        if self.config.normalise == "history":
            objective = self.config.objective.within(self.bounds())
            return [self._view(trial, objective, whole=True) for trial in trials]
        return [self._view(trial, self.config.objective) for trial in trials]

    def _kept_views(self, trials: Sequence[Trial]) -> list[Trial]:
        """The same for this search's trials; keeps those without a new line in the record."""
        if self.config.normalise == "history":
            return self._valued(trials)
        for trial in trials:
            touched = self.ledger.touched[trial.number]
            if self._views.get(trial.number, (-1, trial))[0] != touched:
                self._views[trial.number] = touched, self._view(trial, self.config.objective)
        return [self._views[trial.number][1] for trial in trials]

    def _view(self, trial: Trial, objective: Objective, *, whole: bool = False) -> Trial:
        """A trial with its evaluations' values, and its own if it depends on the whole history."""
        evaluations = [
            e
            if e.collapsed or not self._decides(e)
            else dataclasses.replace(e, value=objective.value(e.scores, self._labels))
            for e in trial.evaluations
        ]
        view = dataclasses.replace(trial, evaluations=evaluations)
        if whole and (kept := view.kept):
            view.value = kept.value
        return found_again(view, objective.direction)

    def bounds(self) -> Bounds:
        """The ranges of all criteria at the kept evaluations of the search's trials."""
        kept = [trial.kept for trial in self.ledger.trials if not (trial.confirms or trial.dead)]
        return bounds_seen((e.scores for e in kept if e), self._labels)

    def _ordered(self, trials: list[Trial]) -> list[Trial]:
        """Trials with their losses by several objectives, and their ranks as values."""
        valued = self._kept(trial for trial in trials if trial.worth is not None)
        losses = [self._losses(kept) for _, kept in valued]
        order = self._worths(losses)
        placed = {
            trial.number: dataclasses.replace(trial, losses=own, value=worth)
            for (trial, _), own, worth in zip(valued, losses, order, strict=True)
        }
        return [placed.get(trial.number, trial) for trial in trials]

    def _decides(self, evaluation: Evaluation) -> bool:
        """Whether an evaluation has all deciding scores and satisfies the constraint."""
        objectives = self.config.objectives.values()
        return all(each.counts(evaluation.scores, self._labels) for each in objectives)

    def _kept(self, trials: Iterable[Trial]) -> list[tuple[Trial, Evaluation]]:
        """Trials with the evaluations whose generators were kept."""
        pairs = ((trial, trial.kept) for trial in trials)
        return [(trial, kept) for trial, kept in pairs if kept and self._decides(kept)]

    def _losses(self, evaluation: Evaluation) -> tuple[float, ...]:
        """Each objective's value, with a sign such that lower is better."""
        return tuple(
            (1 if o.direction == "min" else -1) * o.value(evaluation.scores, self._labels)
            for o in self.config.objectives.values()
        )

    def _worths(self, losses: Sequence[tuple[float, ...]]) -> list[float]:
        """The ranks of several objectives' losses; the lowest is the best."""
        prefer = self.config.prefer
        place = None if prefer is None else list(self.config.objectives).index(prefer)
        return worths(losses, place)


def fitting_tally(config: SearchConfig, ledger: Ledger) -> Tally:
    """The tally of a record that fits its configuration: only edited files do not.

    Raises:
        ConfigError: if its header lacks the label of a criterion that decides, or a trial has a
            hyperparameter that this GAN type lacks, or a value of another kind.
    """
    try:
        tally = Tally(config, ledger)
    except ValueError as error:
        assert config.run_dir is not None
        path = SearchFolder(config.run_dir).ledger
        raise DamagedRecord("run_dir", path, 1, error) from None
    kinds = {h.name: str if h.kind == "choice" else int | float for h in config.gan.hyperparameters}
    for trial in ledger.trials:
        for name, value in trial.params.items():
            right = isinstance(value, kinds.get(name, ())) and not isinstance(value, bool)
            if not right:
                raise ConfigError(
                    "run_dir",
                    f"{config.run_dir}: trial {trial.number} of its record has {name} = "
                    f"{value!r}, which is invalid for {config.gan_type}; restore the record",
                )
    return tally
