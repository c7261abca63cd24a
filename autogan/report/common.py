"""Parts that the pages of searches and trainings share."""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from autogan.core.files import contents
from autogan.record.words import apart
from autogan.report import charts
from autogan.report.drawing.key import key
from autogan.report.drawing.page import Section, table
from autogan.report.drawing.svg import joined, tag
from autogan.report.view import View
from autogan.search import Trial
from autogan.version import __version__

_TRACE = 12  # last lines of a traceback


def published(view: View) -> str:
    """The reason why values cannot be compared with published ones; empty if they can."""
    network, samples = (view.features.get(name) for name in ("network", "samples"))
    line = apart(network, "" if samples is None else f"on {samples} images")
    return f" {line}" if line else ""


def marks(view: View, trials: Sequence[Trial]) -> Markup:
    """A key to the marks of some trials."""
    return key([view.kind(trial) for trial in trials], view.orange)


def scores(view: View, reading: str) -> Section:
    """Every recorded criterion over the steps; criteria that do not decide are folded."""
    each = [charts.curves(view, m, f"curves-{place}") for place, m in enumerate(view.recorded)]
    kinds = marks(view, view.trials) if len(view.trials) > 1 else ""
    body = joined([kinds, with_others(each, max(len(view.measures), 1), "curves")])
    return Section("curves", "How did the scores change during training?", reading, body)


def with_others(drawn: Sequence[Markup], first: int, name: str, words: str = "criteria") -> Markup:
    """Charts, all but the first ones folded.

    Args:
        drawn: the charts.
        first: how many are open.
        name: the folded part's id, after "others-".
        words: what the charts show.
    """
    if not drawn[first:]:
        return joined(drawn)
    summary = tag("summary", f"the other {words}")
    folded = tag("details", summary, *drawn[first:], id=f"others-{name}")
    return joined([*drawn[:first], folded])


def traceback(path: Path) -> Markup:
    """The last lines of a failed training's traceback, folded."""
    last = contents(path).decode(errors="replace").splitlines()[-_TRACE:]
    return tag("details", tag("summary", "traceback"), tag("pre", "\n".join(last)))


def repetition(
    view: View,
    data: Mapping[str, Any],
    record: Path,
    values: Mapping[str, Any],
    file: Path,
    again: Sequence[object],
) -> Section:
    """A section on everything that the values depend on, how to repeat the run and cite it.

    Args:
        view: of the run.
        data: what is recorded about the training images.
        record: the file that holds the evaluations; it may be missing.
        values: the keys of the configuration.
        file: the file of the configuration.
        again: the words of the command that repeats the run.
    """
    digest = hashlib.sha256(contents(record)).hexdigest() if record.exists() else "-"
    facts = [
        *(["images", f"{key} {value}"] for key, value in data.items()
          if not isinstance(value, dict)),
        *(["features", f"{key} {value}"] for key, value in view.features.items()),
        *(["environment", f"{key} {value}"] for key, value in view.environment.items()),
        ["value", view.result.objective],
        ["record", f"{record.name}, SHA-256 {digest}"],
    ]  # fmt: skip
    label = view.result.objective.replace("_", r"\_")  # LaTeX would read _ as a subscript
    cite = (
        f"@software{{autogan,\n  title   = {{AutoGAN: automatic search for GAN hyperparameters}},"
        f"\n  version = {{{__version__}}},\n  note    = {{{label}; record "
        f"{digest[:16]}}}\n}}"
    )
    body = [
        tag("h3", "Conditions of the values"),
        table(["", ""], facts),
        tag("h3", file.name),
        tag("p", f"Run it again: {shlex.join(map(str, again))}"),
        tag("pre", yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)),
        tag("h3", "BibTeX"),
        tag("pre", cite),
    ]
    return Section(
        "configuration", "How do I repeat and cite this?",
        f"Compare values named {view.result.objective} only with values of the same name.",
        joined(body), folded=True,
    )  # fmt: skip
