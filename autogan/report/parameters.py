"""Charts of hyperparameters: each one, which of them matter, the two strongest together."""

import itertools
import statistics
from collections.abc import Sequence

from markupsafe import Markup

from autogan.core.hyperparameters import Dimension, Value
from autogan.record.words import figure
from autogan.report.charts import WIDTH
from autogan.report.drawing.scales import Axis, Linear, Places, Scale, over, short
from autogan.report.drawing.svg import Frame, picture, shortened, tag, told_apart
from autogan.report.effects import Effects
from autogan.report.seeds import Noise
from autogan.report.view import Measure, SearchView
from autogan.search import State, Trial

_SLICE = (370, 230)  # pixels
_PAIR = (560, 380)
_SHADES = 5  # for ranks, from the best to the worst fifth
_ROW = 26  # pixels of a bar
_FEWEST = 3  # values for a median
_GOLDEN = 0.618  # spreads equal values evenly


def slices(view: SearchView, measure: Measure, noise: Noise | None) -> list[Markup]:
    """A chart per hyperparameter: the trials' values over the hyperparameter's.

    Args:
        view: of the search.
        measure: the measure to show.
        noise: the effect of the seed alone, if it is known.
    """
    y = measure.axis(measure.worths.values())
    made = []
    for place, dimension in enumerate(view.result.config.space.dimensions):
        trials = [
            t for t in view.trials if _has(t, dimension) and (t.dead or t.number in measure.worths)
        ]
        if any(trial.number in measure.worths for trial in trials):
            made.append(_slice(view, measure, dimension, trials, y, noise, f"slice-{place}"))
    return made


def _slice(
    view: SearchView,
    measure: Measure,
    dimension: Dimension,
    trials: Sequence[Trial],
    y: Axis,
    noise: Noise | None,
    name: str,
) -> Markup:
    x = over(dimension, [trial.params[dimension.name] for trial in trials])
    frame = Frame(x, y, *_SLICE, shortened(dimension.name, 40), measure.name)
    places = isinstance(x, Places)
    spread = 24.0 if places and len(x.ticks()) <= 6 else 8.0 if places else 0.0
    edge = measure.worst(y)  # dead trials are drawn here
    by_value: dict[Value, list[float]] = {}
    for trial in sorted(trials, key=lambda t: view.kind(t) == "best"):
        value, worth = trial.params[dimension.name], measure.worths.get(trial.number, edge)
        aside = ((trial.number * _GOLDEN) % 1 - 0.5) * spread
        frame.dot(value, worth, view.kind(trial), view.tooltip(trial), trial.number, aside)
        if trial.state is State.COMPLETE:
            by_value.setdefault(value, []).append(worth)
    middles = {v: statistics.median(w) for v, w in by_value.items() if len(w) >= _FEWEST}
    for value, middle in middles.items() if places else ():
        tooltip = f"median of {len(by_value[value])} whole trainings: {figure(middle)}"
        frame.level(value, middle, 16, "median", tooltip)
    if noise is not None:
        best = measure.choose(measure.worths.values())
        tooltip = "differences smaller than this bar may be due to the seed alone"
        frame.margin(best, noise.behind(best, measure.direction), "noise", tooltip)
    words = f"{len(trials)} trials"
    if places and middles:
        each = ", ".join(f"{short(v)}: {figure(m)}" for v, m in middles.items())
        words += f"; medians of whole trainings: {each}"
    return frame.svg(name, f"{measure.name} over {dimension.name}", words)


def importance(found: Effects) -> Markup:
    """The share of the values' variance that each hyperparameter that matters explains."""
    matter = found.told
    height = 50 + _ROW * len(matter)
    names = told_apart([effect.dimension.name for effect in matter], 28)
    rows = Places(names[::-1])
    frame = Frame(Linear(0, 1), rows, WIDTH, height, "share of the variance over the space", "")
    shown = []
    for row, effect in zip(names, matter, strict=True):
        share = f"{_percent(effect.share)}, {_percent(effect.low)} to {_percent(effect.high)}"
        shown.append(f"{effect.dimension.name} {share}")
        frame.bar(0, effect.share, row, 14, "effect", shown[-1])
        frame.line([(effect.low, row), (effect.high, row)], "whisker", shown[-1])
        for end in (effect.low, effect.high):
            frame.stroke(end, row, 8, "whisker", shown[-1])
    title = "Share of the values' variance that each hyperparameter explains"
    return frame.svg("effects", title, f"{'; '.join(shown)}; from {found.trials} trials")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def pair(view: SearchView, measure: Measure, first: Dimension, second: Dimension) -> Markup:
    """Two hyperparameters together: cells with medians if both are lists, else shaded dots."""
    trials = [
        t for t in view.trials if _has(t, first) and _has(t, second) and t.number in measure.worths
    ]
    x, y = (over(d, [t.params[d.name] for t in trials]) for d in (first, second))
    frame = Frame(x, y, *_PAIR, shortened(first.name, 60), shortened(second.name, 40))
    title = f"{measure.name} over {first.name} and {second.name}"
    if isinstance(x, Places) and isinstance(y, Places):
        cells: dict[tuple[Value, Value], list[float]] = {}
        for t in trials:
            at = (t.params[first.name], t.params[second.name])
            cells.setdefault(at, []).append(measure.worths[t.number])
        middles = {at: statistics.median(values) for at, values in cells.items()}
        shades = _shades(measure, list(middles.values()))
        for (at, middle), shade in zip(middles.items(), shades, strict=True):
            n = len(cells[at])
            tooltip = f"{short(at[0])}, {short(at[1])}: median {figure(middle)} of {n} trials"
            frame.cell(*at, len(x.values), len(y.values), f"shade-{shade}", tooltip)
            frame.text(*at, f"{figure(middle)} ({n})", f"on-{shade}", rise=-4)
        words = f"{len(trials)} trials in {len(cells)} cells"
    else:
        shades = _shades(measure, [measure.worths[t.number] for t in trials])
        for trial, shade in zip(trials, shades, strict=True):
            at = (trial.params[first.name], trial.params[second.name])
            frame.dot(*at, f"shade-{shade}", view.tooltip(trial), trial.number, radius=5.5)
        words = f"{len(trials)} trials; the best fifth has the strongest colour"
    return frame.svg("pair", title, words)


def coordinates(view: SearchView, measure: Measure) -> Markup:
    """All hyperparameters on parallel axes, a line per trial."""
    dimensions = view.result.config.space.dimensions
    trials = [t for t in view.trials if t.number in measure.worths]
    width, height, top, bottom = WIDTH, 330, 20, 290
    scales: list[Scale] = [
        over(d, [t.params[d.name] for t in trials if _has(t, d)]) for d in dimensions
    ]
    scales.append(measure.axis(measure.worths.values()))
    lefts = [60 + place * (width - 120) / len(dimensions) for place in range(len(scales))]
    names = [*(d.name for d in dimensions), measure.name]
    marks = []
    shades = _shades(measure, [measure.worths[t.number] for t in trials])
    for shade, trial in sorted(zip(shades, trials, strict=True), key=lambda s: -s[0]):
        places: list[tuple[float, float]] = []
        for left, scale, dimension in zip(lefts, scales, (*dimensions, None), strict=True):
            if dimension is None:
                value: object = measure.worths[trial.number]
            elif _has(trial, dimension):
                value = trial.params[dimension.name]
            else:
                continue
            places.append((left, bottom - (bottom - top) * scale.at(value)))
        path = "L".join(f"{left:.1f} {down:.1f}" for left, down in places)
        kind = "best" if view.kind(trial) == "best" else f"stroke-{shade}"
        marks.append(
            tag(
                "path",
                tag("title", view.tooltip(trial)),
                d=f"M{path}",
                class_=f"line {kind}",
                data_t=trial.number,
            )
        )
    for left, scale, label in zip(lefts, scales, names, strict=True):
        marks.append(tag("path", d=f"M{left:.1f} {top}V{bottom}", class_="axis"))
        for value, tick in itertools.islice(scale.ticks(), 12):
            down = bottom - (bottom - top) * scale.at(value)
            marks.append(
                tag(
                    "text",
                    shortened(tick, 12),
                    x=f"{left - 4:.1f}",
                    y=f"{down + 4:.1f}",
                    text_anchor="end",
                    class_="over",
                )
            )
        longest = max(int((width - 60) / len(scales) / 7), 8)
        low = bottom + (18 if names.index(label) % 2 == 0 or len(names) < 6 else 34)
        marks.append(
            tag(
                "text",
                shortened(label, longest),
                x=f"{left:.1f}",
                y=low,
                text_anchor="middle",
                class_="label",
            )
        )
    words = f"{len(trials)} trials over {len(dimensions)} hyperparameters"
    return picture("coordinates", "Where the search looked", words, width, height, marks)


def _shades(measure: Measure, values: Sequence[float]) -> list[int]:
    """The fifth that each value belongs to; 0 is the best."""
    order = sorted(range(len(values)), key=lambda place: measure.sign * values[place])
    shades = [0] * len(values)
    for rank, place in enumerate(order):
        shades[place] = rank * _SHADES // len(values)
    return shades


def _has(trial: Trial, dimension: Dimension) -> bool:
    return dimension.name in trial.params
