"""A page: one self-contained HTML file that loads nothing."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup

from autogan.report.drawing.svg import tag
from autogan.version import __version__

REFRESH = 30  # seconds until the page of a running search reloads


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        name: its id, for links.
        question: the question that it answers; its heading.
        reading: how to read it, in a sentence or two.
        body: the content.
        folded: whether it is closed at first.
    """

    name: str
    question: str
    reading: str
    body: Markup
    folded: bool = False

    @property
    def markup(self) -> Markup:
        """The whole section."""
        heading, reading = tag("h2", self.question), tag("p", self.reading, class_="reading")
        if not self.folded:
            return tag("section", heading, reading, self.body, id=self.name)
        inner = tag("details", tag("summary", heading), reading, self.body, id=f"{self.name}-more")
        return tag("section", inner, id=self.name)


def document(title: str, head: Markup, sections: Sequence[Section], *, refresh: bool) -> str:
    """A whole page.

    Its policy forbids the browser to load anything or to run scripts other than the page's own.

    Args:
        title: of the window.
        head: the part above all sections.
        sections: from top to bottom.
        refresh: whether the browser reloads the page regularly.
    """
    style, script = (_part(name) for name in ("style.css", "script.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    links = [tag("a", section.question, href=f"#{section.name}") for section in sections]
    page = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="generator", content=f"AutoGAN {__version__}"),
            tag("meta", http_equiv="refresh", content=REFRESH) if refresh else "",
            tag("title", title),
            tag("style", Markup(style)),
        ),
        tag(
            "body",
            head,
            tag("nav", *links, aria_label="sections"),
            tag("main", *(section.markup for section in sections)),
            tag("script", Markup(script)),
        ),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{page}\n"


def facts(values: Mapping[str, object]) -> Markup:
    """The first numbers of a page, by name."""
    pairs = [tag("div", tag("dt", name), tag("dd", value)) for name, value in values.items()]
    return tag("dl", *pairs, class_="facts")


def table(
    head: Sequence[object],
    rows: Sequence[Sequence[object]],
    name: str = "",
    trials: Sequence[int] = (),
) -> Markup:
    """A table; numbers are right-aligned.

    Args:
        head: the column headers.
        rows: cells: text, numbers or markup.
        name: its id, if it can be sorted and filtered.
        trials: the trial of each row, if rows can be highlighted.
    """
    numeric = [all(map(_is_number, column)) for column in zip(*rows, strict=True)]
    marked = [*trials, *[None] * (len(rows) - len(trials))]
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *map(_head, head, numeric))),
            tag(
                "tbody",
                *(
                    tag("tr", *map(_cell, row), data_t=trial)
                    for row, trial in zip(rows, marked, strict=True)
                ),
            ),
            id=name or None,
        ),
        class_="wide",
    )


def _head(value: object, numeric: bool) -> Markup:
    return tag("th", value, scope="col", class_="n" if numeric else None)


def _cell(value: object) -> Markup:
    return tag("td", value, class_="n" if _is_number(value) else None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _part(name: str) -> str:
    return files("autogan.report.drawing").joinpath(name).read_text(encoding="utf-8").strip()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
