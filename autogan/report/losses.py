"""The parts of the loss over a training, of one training or of several."""

import math
from collections.abc import Iterator, Mapping

from autogan.record.events import Curve, losses
from autogan.report.charts import overlaid
from autogan.report.common import with_others
from autogan.report.drawing.page import Section
from autogan.report.drawing.scales import fitting
from autogan.report.view import TrainingView, View

_TOGETHER = {
    "the discriminator's output": ("d_real", "d_fake"),
    "loss": ("d_loss", "g_loss"),
    "penalty": ("d_penalty",),
    "classification error": ("d_classes", "g_classes"),
}
"""The parts that share an axis in a training's chart, by its label; others have their own."""

_POINTS = 300  # of a line; beyond that, neighbours are averaged

Line = list[tuple[float, float]]
"""Steps and values, by ascending steps."""


def losses_of_one(view: TrainingView) -> Iterator[Section]:
    """The parts of a training's loss; nothing without any."""
    lines = _lines(view)
    groups = {up: [n for n in names if n in lines] for up, names in _TOGETHER.items()}
    known = [name for names in groups.values() for name in names]
    groups |= {name: [name] for name in lines if name not in known}
    some = {up: {name: lines[name] for name in names} for up, names in groups.items() if names}
    yield from _section(
        "How did the loss change during training?",
        "Each point is a mean over some steps. d_real and d_fake are the discriminator's output "
        "for real and for generated images. Losses do not say how good the images are; a loss that "
        "jumps or runs away shows that the training is unstable.",
        some,
    )


def losses_of_several(views: Mapping[str, View]) -> Iterator[Section]:
    """Each part of the loss that several trainings recorded, with a line per training."""
    own = {n: _lines(v) if isinstance(v, TrainingView) else {} for n, v in views.items()}
    order = [name for names in _TOGETHER.values() for name in names]
    parts = dict.fromkeys([*order, *(name for lines in own.values() for name in lines)])
    by_part = {part: {run: lines.get(part, []) for run, lines in own.items()} for part in parts}
    shared = {part: lines for part, lines in by_part.items() if sum(map(bool, lines.values())) > 1}
    yield from _section(
        "How did the losses differ?",
        "Each line is a training, each point a mean over some steps. d_real and d_fake are the "
        "discriminator's output for real and for generated images. A lower loss does not mean "
        "better images, and different losses have different scales.",
        shared,
    )


def _section(
    question: str, reading: str, charts: Mapping[str, Mapping[str, Line]]
) -> Iterator[Section]:
    """A section with a chart for each group of lines; nothing without any.

    Args:
        question: that the section answers.
        reading: how to read the charts.
        charts: lines by name, by the label of their chart's vertical axis.
    """
    drawn = [
        overlaid(
            lines, "steps of training", up,
            fitting((value for line in lines.values() for _, value in line), factors=False),
            f"losses-{place}",
        )
        for place, (up, lines) in enumerate(charts.items())
    ]  # fmt: skip
    if drawn:
        yield Section("losses", question, reading, with_others(drawn, 2, "losses", "parts"))


def _lines(view: TrainingView) -> dict[str, Line]:
    """The parts of a training's loss that have finite values, by name."""
    lines = {name: _thinned(c) for name, c in losses(view.result.folder.logs).items()}
    return {name: line for name, line in lines.items() if line}


def _thinned(curve: Curve) -> Line:
    """A curve's finite values; of many, means of neighbours, at the step of the last of them."""
    finite = [(step, value) for step, value in curve if math.isfinite(value)]
    size = math.ceil(len(finite) / _POINTS)
    stretches = [finite[at : at + size] for at in range(0, len(finite), size or 1)]
    return [(float(s[-1][0]), sum(value for _, value in s) / len(s)) for s in stretches]
