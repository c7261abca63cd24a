"""A search over time: scores over training, what it gained, where its updates and hours went."""

import math
from collections import Counter

from markupsafe import Markup

from autogan.report.scales import Linear, Places, fitting
from autogan.report.svg import Frame, picture, shortened, tag
from autogan.report.view import KINDS, Measure, View
from autogan.run.words import duration, figure
from autogan.search import Trial

WIDTH, HEIGHT = 860, 300
_MOST_CURVES = 300  # of the best trials, where there are more
_ORDER = ("failed", "dead", "stopped", "complete", "running", "best")  # the last is drawn on top
_ROW = 18  # pixels of a worker's row


def curves(view: View, measure: Measure, name: str) -> Markup:
    """A measure over the steps of training, a line for each trial."""
    trials = [t for t in view.trials if any(measure.of(e) is not None for e in t.evaluations)]
    left_out = len(trials) - _MOST_CURVES
    if left_out > 0:
        trials = _nearest(trials, measure, _MOST_CURVES)
    lines = {
        t.number: [(e.step, value) for e in t.evaluations if (value := measure.of(e)) is not None]
        for t in trials
    }
    values = [value for line in lines.values() for _, value in line]
    last = max((step for line in lines.values() for step, _ in line), default=1)
    y = fitting(values, factors=measure.direction == "min")
    frame = Frame(Linear(0, last), y, WIDTH, HEIGHT, "steps of training", measure.words)
    for trial in sorted(trials, key=lambda t: _ORDER.index(view.kind(t))):
        line, kind, told = lines[trial.number], view.kind(trial), view.told(trial)
        frame.line(line, kind, told, trial.number)
        if len(line) == 1 or kind == "dead":
            frame.dot(*line[-1], kind, told, trial.number)
        if kind == "best" and trial.number in measure.worths:
            frame.dot(trial.step, measure.worths[trial.number], kind, told, trial.number)
    words = f"{len(trials)} trials over up to {last} steps"
    if measure.worths:
        best = measure.choose(measure.worths.values())
        words += f"; the best value is {figure(best)}"
    if left_out > 0:
        words += f"; {left_out} further trials are not drawn"
    return frame.svg(name, f"{measure.name} over training", words)


def so_far(view: View, measure: Measure) -> list[tuple[float, float]]:
    """The best value so far after so many updates of both networks, as a line with steps."""
    line: list[tuple[float, float]] = []
    whole = 0.0
    for spent, trial, evaluation in view.told_at:
        whole = spent
        value = None if evaluation is None or trial.confirms else measure.of(evaluation)
        if value is None or not math.isfinite(value):
            continue
        best = measure.choose(value, line[-1][1]) if line else value
        if line and best != line[-1][1]:
            line.append((spent, line[-1][1]))
        if not line or best != line[-1][1]:
            line.append((spent, best))
    return [*line, (whole, line[-1][1])] if line else []


def progress(view: View, measure: Measure, name: str) -> Markup:
    """The best value so far, and each trial at its end, against the updates that were spent."""
    line = so_far(view, measure)
    ends = {trial.number: spent for spent, trial, _ in view.told_at}
    whole = max(ends.values(), default=1.0) or 1.0
    values = [value for _, value in line] + list(measure.worths.values())
    y = fitting(values, factors=measure.direction == "min")
    frame = Frame(Linear(0, whole), y, WIDTH, HEIGHT, "updates of both networks", measure.words)
    if line:
        frame.line(line, "sofar", "the best so far")
    shown = [t for t in view.trials if t.number in ends and t.number in measure.worths]
    for trial in sorted(shown, key=lambda t: _ORDER.index(view.kind(t))):
        value, kind = measure.worths[trial.number], view.kind(trial)
        frame.dot(ends[trial.number], value, kind, view.told(trial), trial.number)
    words = "no value yet"
    if line:
        words = f"from {figure(line[0][1])} to {figure(line[-1][1])} in {whole:.0f} updates"
    return frame.svg(name, f"The best {measure.name} so far", words)


def cost(view: View) -> Markup:
    """The updates of both networks, by what became of the trials that they were spent on."""
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
        told = f"{state}: {100 * share:.0f} % of the updates"
        marks.append(tag("rect", tag("title", told), x=f"{left:.1f}", y=0, height=26,
                         width=f"{wide:.1f}", class_=f"bar {kinds[state]}"))  # fmt: skip
        left += wide
    words = ", ".join(f"{100 * share:.0f} % {state}" for state, share in shares.items())
    return picture(
        "cost", "Updates of both networks by the trials' states", words, WIDTH, 26, marks
    )


def timeline(view: View) -> Markup | None:
    """Which worker had which trial when; nothing from records without times."""
    stints = [(n, s) for n, each in view.result.stints.items() for s in each if s.last > s.began]
    if not stints:
        return None
    start = min(s.began for _, s in stints)
    end = max(s.last for _, s in stints)
    workers = sorted({s.worker for _, s in stints})
    unit, word = (3600.0, "hours") if end - start > 7200 else (60.0, "minutes")
    height = 50 + _ROW * len(workers)
    names = [shortened(worker, 20) for worker in workers]
    rows = Places(list(reversed([f"{n}{'' if names.count(n) == 1 else f' {i}'}"
                                 for i, n in enumerate(names)])))  # fmt: skip
    frame = Frame(Linear(0, (end - start) / unit), rows, WIDTH, height,
                  f"{word} since the first trial", "")  # fmt: skip
    named = dict(zip(workers, reversed(rows.values), strict=True))
    for number, stint in stints:
        trial = view.result.trials[number]
        took = duration(stint.last - stint.began)
        low, high = ((at - start) / unit for at in (stint.began, stint.last))
        row = named[stint.worker]
        frame.bar(low, high, row, _ROW - 4, f"bar {view.kind(trial)}",
                  f"{view.told(trial)}; {took} on {stint.worker}", number)  # fmt: skip
    words = f"{len(workers)} workers over {duration(end - start)}"
    return frame.svg("timeline", "Workers over time", words)


def _nearest(trials: list[Trial], measure: Measure, count: int) -> list[Trial]:
    """The trials with the best values."""
    sign = 1 if measure.direction == "min" else -1
    worst = math.inf
    return sorted(trials, key=lambda t: sign * measure.worths.get(t.number, sign * worst))[:count]
