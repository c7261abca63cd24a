"""Calls to search methods and stopping rules, which may be the user's own and do anything."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from autogan.config import SearchConfig
from autogan.core.errors import AutoGANError, ConfigError, SearchFailed, one_line
from autogan.decisions.tally import Tally
from autogan.search import History, Proposal, State, Trial
from autogan.search.stopping import StoppingRule

T = TypeVar("T")


def asked(part: str, question: Callable[[], T]) -> T:
    """A part's answer to a question; reports any exception in one line.

    Args:
        part: the part's name, such as "the search method grid".
        question: calls the part.

    Raises:
        SearchFailed: if the part raises anything but an `AutoGANError`.
    """
    try:
        return question()
    except AutoGANError:
        raise
    except (Exception, SystemExit) as error:
        raise SearchFailed(f"{part} failed: {one_line(error)} (--debug shows more)") from error


def proposed(config: SearchConfig, known: History) -> Proposal | None:
    """The next point that a search's method proposes, if any.

    Raises:
        SearchFailed: if the method raises anything.
        ConfigError: if it returns anything but a `Proposal` or None.
    """
    name = config.search_method
    found: Any = asked(
        f"the search method {name}", lambda: config.method.propose(config.space, known, config.seed)
    )
    if found is None:
        return None
    if not isinstance(found, Proposal):
        raise ConfigError(
            "search_method", f"{name} returned {found!r}; it must return a Proposal or None"
        )
    if not isinstance(found.point, Mapping) or not isinstance(found.origin, str):
        raise ConfigError(
            "search_method",
            f"{name} returned {found!r}; its point must be a mapping, and its origin a text",
        )
    return found


class AskedRule:
    """A stopping rule whose answers are checked.

    Args:
        config: of a search with a stopping rule.
        rule: that answers.
    """

    def __init__(self, config: SearchConfig, rule: StoppingRule) -> None:
        self._part = f"the stopping rule {config.stopping}"
        self._rule = rule

    def goes_on(self, tally: Tally, number: int) -> bool:
        """Whether the trial of this number goes on; see `StoppingRule.goes_on`."""
        history = self._seen(tally)
        trial = next(trial for trial in history.trials if trial.number == number)
        answer: Any = asked(self._part, lambda: self._rule.goes_on(history, trial))
        if not isinstance(answer, bool | np.bool_):
            raise self._wrong(answer, "True or False")
        return bool(answer)

    def revived(self, tally: Tally, *, closing: bool) -> Trial | None:
        """See `StoppingRule.revived`."""
        history = self._seen(tally)
        answer: Any = asked(self._part, lambda: self._rule.revived(history, closing=closing))
        if answer is not None and (
            not isinstance(answer, Trial) or answer.number not in _resumable(history)
        ):
            raise self._wrong(answer, "a trial that was stopped, or None")
        trial: Trial | None = answer
        return trial

    def finals(self, tally: Tally) -> float:
        """See `StoppingRule.finals`."""
        history = self._seen(tally)
        answer: Any = asked(self._part, lambda: self._rule.finals(history))
        if isinstance(answer, bool) or not isinstance(answer, int | float | np.number):
            raise self._wrong(answer, "a number")
        number = float(answer)
        if not 0 <= number < np.inf:
            raise self._wrong(answer, "0 or a positive number")
        return number

    def _seen(self, tally: Tally) -> History:
        return tally.history() if self._rule.sees_seeds else tally.first_seeds()

    def _wrong(self, answer: Any, wanted: str) -> SearchFailed:
        return SearchFailed(f"{self._part} returned {answer!r}; it must return {wanted}")


def _resumable(history: History) -> set[int]:
    """The numbers of the stopped trials that can go on."""
    return {
        trial.number
        for trial in history.trials
        if trial.state is State.STOPPED and trial.repeats is None
    }
