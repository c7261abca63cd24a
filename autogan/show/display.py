"""The events of a search or training that displays show."""

from collections.abc import Mapping

from autogan.record.words import Terms
from autogan.search import Trial


class Display:
    """Receives all events and shows none; the base class of displays."""

    def note(self, text: str) -> None:
        """Show a line of progress."""

    def begins(self, terms: Terms, best: Trial | None = None) -> None:
        """A search or training begins or resumes: the names of its values, and the best so far."""

    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        """A trial begins or resumes; ``position`` is its place among ``trials``."""

    def progress(self, trial: int, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """A trial's training has reached a step."""

    def evaluated(self, trial: Trial) -> None:
        """A trial has been evaluated; its last evaluation is the new one."""

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """A trial has ended; ``best`` is the best so far."""

    def close(self) -> None:
        """Restore the terminal."""
