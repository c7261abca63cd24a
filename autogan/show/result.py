"""What a search found, and what a training came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Value
from autogan.decisions.budget import updates_of
from autogan.decisions.confirmation import Confirmed
from autogan.decisions.tally import Tally
from autogan.record.claim import at_work
from autogan.record.folder import SearchFolder, TrialFolder
from autogan.record.ledger import Ledger, Stint
from autogan.record.lines import Judged
from autogan.record.words import Terms
from autogan.search import Direction, State, Trial
from autogan.search.repeats import Standing
from autogan.show.summary import rows, summary, table_html


@dataclass(frozen=True, repr=False)
class SearchResult:
    """What a search found; printed, it is one line, and in a notebook a table of all trials.

    Attributes:
        config: of the search, resolved.
        folder: with everything in it.
        logs: what to show in TensorBoard.
        objective: the label of the criterion that decided.
        direction: ``min`` or ``max``.
        terms: what values are called.
        trials: all of them, in order. One that died has the value and step of its best generator
            before, which count for nothing else (see `Trial.worth`).
        points: the search's hyperparameters with all that is known of each; those to train again
            stand first (see `autogan.search.repeats.recommended`).
        best: the best training of the recommended hyperparameters; None if none ended with a
            value.
        in_hand: the training of the best generator of all, by luck or not, whatever became of it
            afterwards; None if there is none.
        hyperparameters: of the best trial, all of them.
        confirmed: what was trained again to name the best, the best first.
        front: of several criteria, the trials that none other beats, by number.
        judged: the best generator's scores on latent vectors that did not choose it.
        header: what all values depend on beside the configuration, as the record has it.
        folders: of the trials, by number.
        reached: trial and step of all evaluations and ends, in the order in which they were told.
        stints: of the workers with each trial, by its number; nothing of older versions.
        at: when the last record was written, in seconds since 1970; None if none says.
    """

    config: SearchConfig
    folder: SearchFolder
    logs: Path
    objective: str
    direction: Direction
    terms: Terms
    trials: list[Trial]
    points: Sequence[Standing]
    best: Trial | None
    in_hand: Trial | None
    hyperparameters: Mapping[str, Value]
    confirmed: list[Confirmed]
    front: list[Trial]
    judged: Judged | None
    header: Mapping[str, Any]
    folders: Mapping[int, TrialFolder]
    reached: Sequence[tuple[int, int]]
    stints: Mapping[int, Sequence[Stint]]
    at: float | None

    @classmethod
    def of(
        cls, config: SearchConfig, folder: SearchFolder, ledger: Ledger, tally: Tally
    ) -> "SearchResult":
        """What a search has found so far.

        Args:
            config: of the search, resolved.
            folder: of the search.
            ledger: its record.
            tally: of that record.
        """
        best = tally.best()
        return cls(
            config=config,
            terms=tally.terms,
            folder=folder,
            logs=folder.logs(config.log_dir),
            objective=ledger.header["objective"],
            direction=tally.direction,
            trials=tally.trials(),
            points=tally.ranked(),
            best=best,
            in_hand=tally.in_hand(),
            hyperparameters=tally.trial_config(best).params if best else {},
            confirmed=tally.confirmed(),
            front=tally.front(),
            judged=ledger.judgement(best) if best else None,
            header=ledger.header,
            folders={
                number: TrialFolder.of(folder.trial(name), config)
                for number, name in ledger.folders.items()
            },
            reached=ledger.reached,
            stints=ledger.stints,
            at=ledger.at,
        )

    @property
    def standing(self) -> Standing | None:
        """All that is known of the recommended hyperparameters."""
        return None if self.best is None else self.point(self.best.params)

    def point(self, params: Mapping[str, Value] | None) -> Standing | None:
        """All that is known of some hyperparameters; None if the search did not try them."""
        return next((each for each in self.points if each.first.params == params), None)

    @property
    def ended(self) -> bool:
        """Whether all is done: the best is judged at the end, if any trial came to a value."""
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
        """What came of the winner under fresh seeds, if it was confirmed."""
        params = self.best.params if self.best else None
        return next((each for each in self.confirmed if each.params == params), None)

    @property
    def seconds(self) -> float:
        """Of work on all trials; on those that have not ended, as far as the record tells."""
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
        """What the command line prints at the end of a search."""
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
                "to_dataframe", "pandas is not installed; pip install pandas"
            ) from None
        return pandas.DataFrame(rows(self))


@dataclass(frozen=True)
class TrainResult:
    """What a training came to.

    Attributes:
        config: of the training.
        folder: with everything in it.
        objective: the label of the criterion that decides.
        terms: what values are called.
        trial: its evaluations, value and state.
    """

    config: TrainConfig
    folder: TrialFolder
    objective: str
    terms: Terms
    trial: Trial
