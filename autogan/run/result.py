"""What a search found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autogan.core.hyperparameters import Value
from autogan.run.confirmation import Confirmed
from autogan.run.folder import SearchFolder
from autogan.run.records import Judged
from autogan.search import Trial


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        folder: with everything in it.
        logs: what to show in TensorBoard.
        objective: the label of the criterion that decided.
        direction: ``min`` or ``max``.
        trials: all of them, in order.
        best: the trial with the best value, or of the best hyperparameters where these are judged
            by several seeds; None if none ended with a value.
        hyperparameters: of the best trial, all of them.
        confirmed: what was trained again to name the best, the best first.
        front: of several criteria, the trials that none other beats, by number.
        judged: the best generator's scores on latent vectors that did not choose it.
    """

    folder: SearchFolder
    logs: Path
    objective: str
    direction: str
    trials: list[Trial]
    best: Trial | None
    hyperparameters: Mapping[str, Value]
    confirmed: list[Confirmed]
    front: list[Trial]
    judged: Judged | None
