"""A search's page: its head, and its sections under it."""

import datetime
import shlex

from markupsafe import Markup

from autogan.core.errors import one_line
from autogan.core.files import write_bytes
from autogan.record.words import duration, figure
from autogan.report.common import published
from autogan.report.drawing.images import Album
from autogan.report.drawing.page import document, facts
from autogan.report.drawing.svg import tag
from autogan.report.sections import sections
from autogan.report.view import SearchView
from autogan.search.repeats import Standing
from autogan.show.display import Display
from autogan.show.judged import warnings
from autogan.show.result import SearchResult
from autogan.show.standings import confirming, defaults, in_hand, promise, seeds
from autogan.show.summary import standing
from autogan.show.verdict import BETTER, LUCK, WORSE, verdict

_TRAINED = "The winner was trained again under fresh seeds"
_VERDICTS = {
    BETTER: "Under fresh seeds the winner is better than the defaults",
    LUCK: "Under fresh seeds the winner may be no better than the defaults",
    WORSE: "Under fresh seeds the winner is worse than the defaults",
}
"""The meaning of a verdict (`autogan.show.verdict`), by its end."""


def search_page(result: SearchResult, *, refresh: bool = False) -> str:
    """A search's page, as a single self-contained HTML file.

    The same record and images give the same page.

    Args:
        result: of the search, so far.
        refresh: whether a browser reloads the page regularly, because it is being updated.
    """
    view = SearchView(result)
    made = list(sections(view, Album()))
    return document(view.title, _head(view), made, refresh=refresh)


def write_page(result: SearchResult, display: Display) -> None:
    """Write a search's page into its folder; an error here does not stop a search.

    A folder that was moved away is not created again.
    """
    if not result.folder.config.is_file():
        return
    try:
        write_bytes(result.folder.report, search_page(result).encode())
    except Exception as error:  # an error in the page must not spoil a finished search
        display.note(f"the page {result.folder.report} cannot be written ({one_line(error)})")


def _head(view: SearchView) -> Markup:
    result = view.result
    numbers = {
        _what(view): _worth(view),
        "trials": len(result.trials),
        "updates of both networks": f"{result.updates():,}",
        "of training, all workers": duration(result.seconds),
        "state": result.state,
    }
    about, counts, *_ = standing(result)
    return tag(
        "header",
        tag("h1", view.title),
        tag("p", f"{about}. {counts}.", class_="reading"),
        facts(numbers),
        _belief(view),
        *(tag("p", line, class_="verdict doubt") for line in [*warnings(result), *in_hand(result)]),
        *(tag("p", line, class_="verdict") for line in defaults(result)),
        tag(
            "p",
            f"{result.folder.root}, {result.objective}{_when(result)}.{published(view)}",
            class_="note",
        ),
    )


def _worth(view: SearchView) -> str:
    if standing := _mean(view):
        return figure(standing.value or 0.0)
    return str(view.result.confirmation or view.worth or "none")


def _mean(view: SearchView) -> Standing | None:
    """The winner's hyperparameters if the page begins with the mean of their seeds."""
    standing = view.result.standing
    if view.result.confirmation is not None or standing is None or len(standing.values) < 2:
        return None
    return standing


def _what(view: SearchView) -> str:
    """The name of the first number."""
    fresh, name = view.result.confirmation, view.result.terms.objective
    if standing := _mean(view):
        return f"{name} of the winner, mean of {len(standing.values)} seeds"
    if fresh is None or len(fresh.values) < 2:
        return f"{name} of the winner"
    lost = f", of which {fresh.lost} died" if fresh.lost else ""
    return f"{name} of the winner, mean ± standard deviation of {fresh.trained} fresh seeds{lost}"


def _belief(view: SearchView) -> Markup:
    """Whether to believe the winner, in one sentence."""
    result, best = view.result, view.best
    again = shlex.join(confirming(result))
    if best is None:
        return tag("p", "No trial has a value yet.", class_="verdict")
    if not result.ended:
        return tag("p", "The search has not ended: the winner may still change.", class_="verdict")
    if len(view.measures) > 1:
        words = "Each trial of the front is one training, and one training is not a result: train "
        return tag("p", f"{words}your choice again under other seeds.", class_="verdict doubt")
    if result.confirmed:
        found = verdict(result)
        lead = next((words for end, words in _VERDICTS.items() if found.endswith(end)), _TRAINED)
        kind = "good" if found.endswith(BETTER) else "doubt"
        if result.confirmed[0].number is None:
            lead, kind = "Under fresh seeds the defaults did best", "doubt"
        difference = found.replace("against the defaults:", "Median difference from the defaults:")
        return tag(
            "p",
            tag("strong", f"{lead}."),
            f" {difference[0].upper()}{difference[1:]}.",
            class_=f"verdict {kind}",
        )
    standing = result.standing
    lead, luck = "One training is not a result", "The best of many noisy values is partly luck."
    if standing is not None and len(standing.ended) > 1:
        known = filter(None, (seeds(standing), promise(standing)))
        lead = f"{result.terms.objective} {figure(standing.value or 0.0)} {'; '.join(known)}"
        luck = "The same seeds chose the winner, so part of this is luck."
    return tag("p", f"{lead}. {luck} Confirm it: ", tag("code", again), class_="verdict doubt")


def _when(result: SearchResult) -> str:
    """When the record was last written: the page shows the state at that time."""
    if result.at is None:
        return ""
    when = datetime.datetime.fromtimestamp(result.at, datetime.timezone.utc)
    return f"; last record {when:%Y-%m-%d %H:%M} UTC"
