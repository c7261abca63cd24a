"""What a search's trials come to, found anew from the ledger whenever it is asked for."""

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
    """A question whose answer stays the same until the record has another line."""

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
        config, ledger: likewise.
    """

    def __init__(self, config: SearchConfig, ledger: Ledger) -> None:
        self.config = config
        self.ledger = ledger
        self._labels: dict[str, str] = ledger.header["labels"]
        if missing := [name for name in config.deciding() if name not in self._labels]:
            raise ValueError(f"labels: none of {', '.join(missing)}")
        self._found: dict[str, tuple[int, Any]] = {}  # and of how many lines, by question
        self._views: dict[int, tuple[int, Trial]] = {}  # likewise, by number

    @property
    def folder(self) -> SearchFolder:
        """The search's."""
        assert self.config.run_dir is not None
        return SearchFolder(self.config.run_dir)

    @property
    def direction(self) -> Direction:
        """Which way a trial's value is better: of several criteria it is a place in their order."""
        return "min" if len(self.config.objectives) > 1 else self.config.objective.direction

    @property
    def terms(self) -> Terms:
        """What values are called."""
        return Terms.of(self.config.criterion, self._labels, self.config.repeats)

    def trials(self) -> list[Trial]:
        """All trials, with the values of their evaluations by what is known by now."""
        return list(self._seen_trials())

    def history(self) -> History:
        """The search's own trials, without those of the confirmation."""
        return History([t for t in self.trials() if not t.confirms], self.direction)

    def first_seeds(self) -> History:
        """The same without repeated seeds, which are trained to their end: for stopping rules."""
        history = self.history()
        return History([t for t in history.trials if t.repeats is None], history.direction)

    def points(self) -> History:
        """The same with one trial for each point, for methods that know nothing of seeds."""
        history = self.history()
        if len(self.config.objectives) > 1:  # early scores have no place in their order
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
        if len(self.config.objectives) > 1:  # a place in an order is no value to be modelled
            return [Standing(trial, [trial]) for trial in history.ranked()]
        return recommended(self.config.space, history)

    def earlier(self) -> list[Trial]:
        """The trials of an earlier search that this one learns from, numbered from below."""
        trials = [Trial.from_dict(values) for values in self.ledger.header.get("earlier", [])]
        return [
            dataclasses.replace(trial, number=number - len(trials))
            for number, trial in enumerate(self._valued(trials))
        ]

    def chosen(self, top: int) -> Chosen:
        """The best points, for the search that this one is the proxy of.

        Args:
            top: how many.
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
        """The points that a confirmation would train again by what is known by now."""
        config = self.config
        if config.confirm is None:
            return []
        best = candidates(config.confirm, self.standings(), config.space)
        return [point.params for point in best]

    def confirmed(self) -> list[Confirmed]:
        """What came of the confirmation, the best first; nothing before its end."""
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
        """The trial of the best generator of all, whatever became of its training afterwards."""
        had = self._kept(trial for trial in self.trials() if trial.value is not None)
        if len(self.config.objectives) > 1:
            order = self._worths([self._losses(kept) for _, kept in had])
        else:
            sign = 1 if self.config.objective.direction == "min" else -1
            order = [sign * (trial.value or 0.0) for trial, _ in had]
        ranked = sorted((w, t.dead, t.number) for w, (t, _) in zip(order, had, strict=True))
        return next((self.trials()[number] for *_, number in ranked), None)

    def front(self) -> list[Trial]:
        """Of several criteria, the trials that none other beats."""
        placed = [trial for trial in self.trials() if trial.losses]
        layers = fronts([trial.losses for trial in placed])
        return [trial for trial, layer in zip(placed, layers, strict=True) if layer == 0]

    def trial_config(self, trial: Trial) -> TrainConfig:
        """What trains a trial, with the ranges of criteria that had been seen when it began."""
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
        """The same of this search's trials; those are kept of which nothing new was told."""
        if self.config.normalise == "history":
            return self._valued(trials)
        for trial in trials:
            touched = self.ledger.touched[trial.number]
            if self._views.get(trial.number, (-1, trial))[0] != touched:
                self._views[trial.number] = touched, self._view(trial, self.config.objective)
        return [self._views[trial.number][1] for trial in trials]

    def _view(self, trial: Trial, objective: Objective, *, whole: bool = False) -> Trial:
        """A trial with values; its own, too, if they depend on the whole history."""
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
        """The ranges of all criteria over the search's trials, at their kept evaluations."""
        kept = [trial.kept for trial in self.ledger.trials if not (trial.confirms or trial.dead)]
        return bounds_seen((e.scores for e in kept if e), self._labels)

    def _ordered(self, trials: list[Trial]) -> list[Trial]:
        """Trials with what several objectives say of them, and their place in the order."""
        valued = self._kept(trial for trial in trials if trial.worth is not None)
        losses = [self._losses(kept) for _, kept in valued]
        order = self._worths(losses)
        placed = {
            trial.number: dataclasses.replace(trial, losses=own, value=worth)
            for (trial, _), own, worth in zip(valued, losses, order, strict=True)
        }
        return [placed.get(trial.number, trial) for trial in trials]

    def _decides(self, evaluation: Evaluation) -> bool:
        """Whether an evaluation has all scores that decide, and holds the constraint."""
        objectives = self.config.objectives.values()
        return all(each.counts(evaluation.scores, self._labels) for each in objectives)

    def _kept(self, trials: Iterable[Trial]) -> list[tuple[Trial, Evaluation]]:
        """Trials with the evaluations whose generators were kept."""
        pairs = ((trial, trial.kept) for trial in trials)
        return [(trial, kept) for trial, kept in pairs if kept and self._decides(kept)]

    def _losses(self, evaluation: Evaluation) -> tuple[float, ...]:
        """Each objective's value, with the sign that makes it one that should fall."""
        return tuple(
            (1 if o.direction == "min" else -1) * o.value(evaluation.scores, self._labels)
            for o in self.config.objectives.values()
        )

    def _worths(self, losses: Sequence[tuple[float, ...]]) -> list[float]:
        """The places of several objectives' losses in their order; the lowest is the best."""
        prefer = self.config.prefer
        place = None if prefer is None else list(self.config.objectives).index(prefer)
        return worths(losses, place)


def fitting_tally(config: SearchConfig, ledger: Ledger) -> Tally:
    """The tally of a record that is one of its configuration: only a hand writes another.

    Raises:
        ConfigError: if its header lacks the label of a criterion that decides, or a trial has a
            hyperparameter that this GAN type has not, or a value of another kind.
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
                    f"{value!r}, which {config.gan_type} cannot have; restore the record",
                )
    return tally
