"""What is told of a search or training on its way."""

from collections.abc import Mapping

from autogan.record.words import Terms
from autogan.search import Trial


class Display:
    """Is told of everything and shows nothing; the base of those that show."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def begins(self, terms: Terms, best: Trial | None = None) -> None:
        """A search or training begins or goes on; what values are called, and the best so far."""

    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        """A trial begins or goes on, at a position among so many."""

    def progress(self, trial: int, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """The training of a trial has come to a step."""

    def evaluated(self, trial: Trial) -> None:
        """A trial has been evaluated; its last evaluation is the new one."""

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """A trial has ended, and this is the best so far."""

    def close(self) -> None:
        """Leave the terminal as it was."""
