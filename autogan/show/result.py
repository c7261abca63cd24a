"""The results of searches and trainings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Value
from autogan.decisions.budget import updates_of
from autogan.decisions.confirmation import Confirmed
from autogan.decisions.tally import Tally
from autogan.record.chosen import Chosen
from autogan.record.claim import at_work
from autogan.record.folder import TrialFolder, run_of
from autogan.record.ledger import Stint
from autogan.record.lines import Judged
from autogan.record.words import Terms, state_of
from autogan.search import Direction, Evaluation, State, Trial
from autogan.search.history import best_evaluation
from autogan.search.repeats import Standing
from autogan.show.summary import rows, summary, table_html


class SearchResult:
    """The result of a search; prints as one line, and in a notebook as a table of all trials.

    It reads the record on demand, so it follows a search that is still running.

    Args:
        tally: of the search.

    Attributes:
        config: of the search, resolved.
        folder: of the search.
        header: all that values depend on besides the configuration, from the record.
        objective: the label of the criterion that decided.
        direction: ``min`` or ``max``.
        terms: the names of the values.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally, self._ledger = tally, tally.ledger
        self.config, self.folder, self.header = tally.config, tally.folder, tally.ledger.header
        self.objective: str = self.header["objective"]
        self.direction, self.terms = tally.direction, tally.terms

    @property
    def logs(self) -> Path:
        """The folder for TensorBoard."""
        return self.folder.logs(self.config.log_dir)

    @property
    def trials(self) -> list[Trial]:
        """All trials, in order.

        A dead trial has the value and step of its best generator, which count for nothing else
        (see `Trial.worth`).
        """
        return self._tally.trials()

    @property
    def points(self) -> Sequence[Standing]:
        """The search's points with all that is known about each.

        The recommended point comes first (see `autogan.search.repeats.recommended`).
        """
        return self._tally.ranked()

    @property
    def best(self) -> Trial | None:
        """The best trial of the recommended point; None if no trial has a value."""
        return self._tally.best()

    @property
    def in_hand(self) -> Trial | None:
        """The trial of the best generator of all, lucky or not; None if there is none.

        It may have died afterwards.
        """
        return self._tally.in_hand()

    @property
    def hyperparameters(self) -> Mapping[str, Value]:
        """All hyperparameters of the best trial."""
        return self._tally.trial_config(self.best).params if self.best else {}

    @property
    def confirmed(self) -> list[Confirmed]:
        """The points that a confirmation trained again, the best first."""
        return self._tally.confirmed()

    @property
    def front(self) -> list[Trial]:
        """With several criteria, the trials that no other trial beats, by number."""
        return self._tally.front()

    @property
    def judged(self) -> Judged | None:
        """The best generator's scores on fresh latent vectors."""
        return self._ledger.judgement(self.best) if self.best else None

    @property
    def folders(self) -> Mapping[int, TrialFolder]:
        """The trials' folders, by number."""
        return self._tally.trial_folders()

    @property
    def reached(self) -> Sequence[tuple[int, int]]:
        """Trial and step of all evaluations and ends, in the recorded order."""
        return [(trial, step) for trial, step in self._ledger.course if step is not None]

    @property
    def stints(self) -> Mapping[int, Sequence[Stint]]:
        """The workers' stints on each trial, by the trial's number."""
        return self._ledger.stints

    @property
    def at(self) -> float | None:
        """The time of the last record, in seconds since 1970; None if records have no times."""
        return self._ledger.at

    @property
    def standing(self) -> Standing | None:
        """All that is known about the recommended point."""
        return None if self.best is None else self.point(self.best.params)

    def chosen(self, top: int) -> Chosen:
        """The best ``top`` points of a proxy, to be trained in full."""
        return self._tally.chosen(top)

    @property
    def proxy(self) -> Chosen | None:
        """The points that a proxy chose to be trained in full here; None without a proxy."""
        chosen = self.header.get("proxy")
        return None if chosen is None else Chosen(**chosen)

    def point(self, params: Mapping[str, Value] | None) -> Standing | None:
        """All that is known about some hyperparameters; None if the search did not try them."""
        return next((each for each in self.points if each.first.params == params), None)

    @property
    def ended(self) -> bool:
        """Whether all is done; if any trial has a value, judging the best comes last."""
        running = any(trial.state is State.RUNNING for trial in self.trials)
        return bool(self.trials) and not running and (self.best is None or self.judged is not None)

    @property
    def state(self) -> str:
        """``ended``, ``running`` while a command is at work in its folder, or ``unfinished``."""
        if self.ended:
            return "ended"
        return "running" if at_work(self.folder.root) else "unfinished"

    @property
    def confirmation(self) -> Confirmed | None:
        """The winner's values under fresh seeds; None without a confirmation."""
        params = self.best.params if self.best else None
        return next((each for each in self.confirmed if each.params == params), None)

    @property
    def seconds(self) -> float:
        """Seconds of work on all trials; for unfinished ones, as far as recorded."""
        return sum(
            sum(stint.last - stint.began for stint in self.stints.get(trial.number, ()))
            if trial.state is State.RUNNING
            else trial.seconds
            for trial in self.trials
        )

    def updates(self, *trials: Trial) -> int:
        """Updates of both networks in some trials, or in all of them."""
        return sum(updates_of(self.config, trial) for trial in trials or self.trials)

    def __repr__(self) -> str:
        return f"{self.terms.best(self.best)}  ({len(self.trials)} trials in {self.folder.root})"

    def _repr_html_(self) -> str:
        return table_html(self)

    def summary(self) -> str:
        """The text that the command line prints at the end of a search."""
        return summary(self)

    def to_dataframe(self) -> Any:
        """All trials as a pandas DataFrame, the best first.

        Raises:
            ConfigError: if pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise ConfigError(
                "to_dataframe", "pandas is not installed; install it: pip install pandas"
            ) from None
        return pandas.DataFrame(rows(self))


@dataclass(frozen=True)
class TrainResult:
    """The result of a training.

    Attributes:
        config: of the training.
        folder: of the training.
        objective: the label of the criterion that decides.
        terms: the names of the values.
        trial: its evaluations, value and state.
    """

    config: TrainConfig
    folder: TrialFolder
    objective: str
    terms: Terms
    trial: Trial

    @property
    def direction(self) -> Direction:
        """Whether lower (``min``) or higher values (``max``) are better."""
        return self.config.objective.direction

    @property
    def best(self) -> Evaluation | None:
        """The best evaluation so far, even if the training died later; the last if none decides."""
        return best_evaluation(self.trial.evaluations, self.config.objective.chooses)

    @property
    def folders(self) -> Mapping[int, TrialFolder]:
        """The training's folder by its number, in the form that a search has."""
        return {self.trial.number: self.folder}

    @property
    def state(self) -> str:
        """``ended``, or the reason why it ended early; ``running`` or ``unfinished``."""
        if self.trial.state is State.RUNNING:
            return "running" if at_work(run_of(self.folder.root)) else "unfinished"
        return "ended" if self.trial.state is State.COMPLETE else state_of(self.trial)

    @property
    def steps(self) -> int:
        """Generator updates; up to the last evaluation if it has not ended."""
        evaluated = self.trial.evaluations[-1].step if self.trial.evaluations else 0
        return max(evaluated, self.trial.steps)

    @property
    def pace(self) -> int:
        """Updates of both networks per step."""
        return self.config.gan.updates_per_step(self.config.hyperparameters())

    def updates(self) -> int:
        """Updates of both networks so far."""
        return self.pace * self.steps
