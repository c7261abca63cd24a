"""What a search found, and what a training came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Value
from autogan.run.confirmation import Confirmed
from autogan.run.folder import SearchFolder, TrialFolder
from autogan.run.records import Judged
from autogan.run.summary import rows, summary, table_html
from autogan.run.words import Terms
from autogan.search import Trial


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
        trials: all of them, in order.
        best: the trial with the best value, or of the best hyperparameters where these are judged
            by several seeds; None if none ended with a value.
        hyperparameters: of the best trial, all of them.
        confirmed: what was trained again to name the best, the best first.
        front: of several criteria, the trials that none other beats, by number.
        judged: the best generator's scores on latent vectors that did not choose it.
    """

    config: SearchConfig
    folder: SearchFolder
    logs: Path
    objective: str
    direction: str
    terms: Terms
    trials: list[Trial]
    best: Trial | None
    hyperparameters: Mapping[str, Value]
    confirmed: list[Confirmed]
    front: list[Trial]
    judged: Judged | None

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
        folder: with everything in it.
        objective: the label of the criterion that decides.
        terms: what values are called.
        trial: its evaluations, value and state.
    """

    folder: TrialFolder
    objective: str
    terms: Terms
    trial: Trial
