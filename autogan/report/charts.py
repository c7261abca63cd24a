"""Charts over time: scores during training, the best so far, where updates and hours went."""

import bisect
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from autogan.record.ledger import Stint
from autogan.record.words import duration, figure
from autogan.report.drawing.key import legend
from autogan.report.drawing.scales import Axis, Linear, Places
from autogan.report.drawing.svg import Frame, joined, picture, tag, told_apart
from autogan.report.view import KINDS, Measure, SearchView, View
from autogan.search import State, Trial

WIDTH, HEIGHT = 860, 300
MOST_CURVES = 300  # trials; if there are more, the best and some dead ones are drawn
_ORDER = ("failed", "dead", "stopped", "complete", "running", "best")  # the last is drawn on top
_ROW = 18  # pixels of a worker's row
_COLOURS = 6  # of lines in one chart, in the page's style
_GAP = 600.0  # seconds without work, as between a search and its resumption


def curves(view: View, measure: Measure, name: str) -> Markup:
    """A measure over the steps of training, a line per trial."""
    trials = [t for t in view.trials if any(measure.of(e) is not None for e in t.evaluations)]
    left_out = len(trials) - MOST_CURVES
    if left_out > 0:
        trials = _chosen(trials, measure)
    lines = {
        t.number: [(e.step, value) for e in t.evaluations if (value := measure.of(e)) is not None]
        for t in trials
    }
    values = [value for line in lines.values() for _, value in line]
    last = max((step for line in lines.values() for step, _ in line), default=1)
    y = measure.axis(values)
    frame = Frame(Linear(0, last), y, WIDTH, HEIGHT, "steps of training", measure.words)
    for trial in sorted(trials, key=lambda t: _ORDER.index(view.kind(t))):
        line, kind, tooltip = lines[trial.number], view.kind(trial), view.tooltip(trial)
        frame.line(line, kind, tooltip, trial.number)
        if len(line) == 1 or kind == "dead":
            frame.dot(*line[-1], kind, tooltip, trial.number)
        if kind == "best" and trial.number in measure.worths:
            frame.dot(trial.step, measure.worths[trial.number], kind, tooltip, trial.number)
    words = f"{len(trials)} trial{'' if len(trials) == 1 else 's'} over up to {last} steps"
    if measure.worths:
        best = measure.choose(measure.worths.values())
        words += f"; the best value is {figure(best)}"
    if left_out > 0:
        words += f"; {left_out} more trials are not drawn"
    return frame.svg(name, f"{measure.name} over training", words)


def so_far(view: View, measure: Measure) -> list[tuple[float, float]]:
    """The best value so far against the updates of both networks, as a stepped line.

    Dead and failed trials are left out. A confirmation does not search: its updates count only if
    the search went on after it.
    """
    line: list[tuple[float, float]] = []
    whole = 0.0
    for spent, trial, evaluation in view.told_at:
        if trial.confirms:
            continue
        whole = spent
        lost = trial.dead or trial.state is State.FAILED
        value = None if evaluation is None or lost else measure.of(evaluation)
        if value is None or not math.isfinite(value):
            continue
        best = measure.choose(value, line[-1][1]) if line else value
        if line and best != line[-1][1]:
            line.append((spent, line[-1][1]))
        if not line or best != line[-1][1]:
            line.append((spent, best))
    return [*line, (whole, line[-1][1])] if line else []


def overlaid(
    lines: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str, y: Axis, name: str
) -> Markup:
    """Several lines in one chart, under a key that names them.

    Args:
        lines: the points of each, by name; a line without points is left out, but keeps its colour.
        across: what the horizontal axis measures, from 0 on.
        up: what the vertical axis measures.
        y: the vertical axis.
        name: the chart's id in the page, after "chart-".
    """
    last = max(at for line in lines.values() for at, _ in line)
    frame = Frame(Linear(0, last or 1.0), y, WIDTH, HEIGHT, across, up)
    marks, words = [], []
    for place, (title, line) in enumerate(lines.items()):
        if not line:
            continue
        kind = f"run-{place % _COLOURS}"
        marks.append((tag("path", d="M0 6H24", class_=f"line {kind}"), title))
        frame.line(line, kind, title)
        if len(line) == 1:
            frame.dot(*line[0], kind, title)
        words.append(f"{title} reached {figure(line[-1][1])} after {line[-1][0]:.0f} {across}")
    return joined([legend(marks), frame.svg(name, f"{up} over {across}", "; ".join(words))])


def progress(view: SearchView, measure: Measure, name: str) -> Markup:
    """The best value so far, and each trial at its end, against the updates spent."""
    line = so_far(view, measure)
    ends = {trial.number: spent for spent, trial, _ in view.told_at if not trial.confirms}
    whole = max(ends.values(), default=1.0) or 1.0
    values = [value for _, value in line] + list(measure.worths.values())
    y = measure.axis(values)
    frame = Frame(Linear(0, whole), y, WIDTH, HEIGHT, "updates of both networks", measure.words)
    if line:
        frame.line(line, "sofar", "the best so far")
    shown = [t for t in view.trials if t.number in ends and t.number in measure.worths]
    for trial in sorted(shown, key=lambda t: _ORDER.index(view.kind(t))):
        value, kind = measure.worths[trial.number], view.kind(trial)
        frame.dot(ends[trial.number], value, kind, view.tooltip(trial), trial.number)
    words = "no value yet"
    if line:
        words = f"from {figure(line[0][1])} to {figure(line[-1][1])} in {whole:.0f} updates"
    return frame.svg(name, f"The best {measure.name} so far", words)


def cost(view: SearchView) -> Markup:
    """The updates of both networks, by the states of the trials that they were spent on."""
    result = view.result
    spent: Counter[str] = Counter()
    for trial in result.trials:
        spent["confirmation" if trial.confirms else trial.state.value] += result.updates(trial)
    whole = sum(spent.values()) or 1
    kinds = {**{state.value: kind for state, kind in KINDS.items()}, "confirmation": "confirms"}
    marks, left = [], 0.0
    shares = {state: count / whole for state, count in spent.most_common() if count}
    for state, share in shares.items():
        wide = share * WIDTH
        tooltip = f"{state}: {100 * share:.0f} % of the updates"
        marks.append(
            tag(
                "rect",
                tag("title", tooltip),
                x=f"{left:.1f}",
                y=0,
                height=26,
                width=f"{wide:.1f}",
                class_=f"bar {kinds[state]}",
            )
        )
        left += wide
    words = ", ".join(f"{100 * share:.0f} % {state}" for state, share in shares.items())
    svg = picture(
        "spent", "Updates of both networks by the trials' states", words, WIDTH, 26, marks
    )
    return joined([svg, tag("p", f"{words}.", class_="note")])


def timeline(view: SearchView) -> Markup | None:
    """Which worker had which trial when; None for records without times."""
    stints = [(n, s) for n, each in view.result.stints.items() for s in each if s.last > s.began]
    if not stints:
        return None
    starts = _worked([stint for _, stint in stints])
    end = max(starts(stint.last) for _, stint in stints)
    workers = sorted({s.worker for _, s in stints})
    unit, word = (3600.0, "hours") if end > 7200 else (60.0, "minutes")
    names = told_apart(workers, 20)
    rows = dict(zip(workers, names, strict=True))
    frame = Frame(
        Linear(0, end / unit),
        Places(names[::-1]),
        WIDTH,
        50 + _ROW * len(names),
        f"{word} of work",
        "",
    )
    for number, stint in stints:
        trial = view.result.trials[number]
        took = duration(stint.last - stint.began)
        low, high = (starts(at) / unit for at in (stint.began, stint.last))
        tooltip = f"{view.tooltip(trial)}; {took} on {stint.worker}"
        kind = f"bar {view.kind(trial)}"
        frame.bar(low, high, rows[stint.worker], _ROW - 4, kind, tooltip, number)
    words = f"{len(workers)} workers over {duration(end)}"
    return frame.svg("timeline", "Workers over time", words)


def _worked(stints: Sequence[Stint]) -> Callable[[float], float]:
    """A function from a time to the seconds of work before it, without long idle gaps."""
    begun = sorted(stints, key=lambda stint: stint.began)
    cuts: list[tuple[float, float]] = []  # when a gap ended, and the seconds of gaps until then
    last, lost = begun[0].began, begun[0].began
    for stint in begun:
        if stint.began - last > _GAP:
            lost += stint.began - last
        cuts.append((stint.began, lost))
        last = max(last, stint.last)
    return lambda at: at - cuts[max(bisect.bisect_right(cuts, (at, math.inf)) - 1, 0)][1]


def _chosen(trials: list[Trial], measure: Measure) -> list[Trial]:
    """The trials that are drawn: the first dead ones, and the best of the others."""
    dead = [trial for trial in trials if trial.dead][: MOST_CURVES // 10]
    alive = [trial for trial in trials if not trial.dead]
    alive.sort(key=lambda t: measure.sign * measure.worths.get(t.number, measure.sign * math.inf))
    return [*dead, *alive[: MOST_CURVES - len(dead)]]
