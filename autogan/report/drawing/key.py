"""Keys that explain the marks of charts."""

from collections.abc import Collection, Iterable

from markupsafe import Markup

from autogan.report.drawing.svg import tag

_MEANINGS = {
    "complete": "trained to its end",
    "stopped": "stopped early",
    "dead": "diverged or collapsed",
    "failed": "failed",
    "running": "not ended",
    "confirms": "confirmation",
}


def key(kinds: Collection[str], best: str) -> Markup:
    """The marks of these kinds with their meanings, without repetitions.

    Args:
        kinds: of the marks.
        best: the meaning of the kind ``best``.
    """
    entries, meanings = [], {"best": best, **_MEANINGS}
    for kind in filter(kinds.__contains__, meanings):
        line = tag("path", d="M0 6H14", class_=f"line {kind}")
        mark = (
            tag("path", d="M16 3l6 6m0-6l-6 6", class_=f"cross {kind}")
            if kind == "dead"
            else (tag("circle", cx=19, cy=6, r=3.5, class_=kind))
        )
        entries.append((line + mark, meanings[kind]))
    return legend(entries)


def legend(entries: Iterable[tuple[Markup, str]]) -> Markup:
    """A list of marks, drawn in 26 by 12 pixels, with their labels."""
    items = [
        tag(
            "li",
            tag("svg", marks, width=26, height=12, viewBox="0 0 26 12", aria_hidden="true"),
            words,
        )
        for marks, words in entries
    ]
    return tag("ul", *items, class_="key")
