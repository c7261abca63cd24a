"""The page that compares searches and trainings, as far as their values can be compared."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from autogan.core.hyperparameters import Value
from autogan.record.words import describe, duration, figure
from autogan.report.charts import WIDTH, overlaid, so_far
from autogan.report.common import with_others
from autogan.report.drawing.images import Album
from autogan.report.drawing.page import Section, document, table
from autogan.report.drawing.scales import Places
from autogan.report.drawing.svg import Frame, tag, told_apart
from autogan.report.losses import losses_of_several
from autogan.report.pictures import shown
from autogan.report.view import Measure, SearchView, TrainingView, View, view_of
from autogan.search import Trial
from autogan.show.judged import against_test
from autogan.show.result import SearchResult, TrainResult

_DIGITS = 8  # of a digest
_ROW = 34  # pixels of a run's row


def comparison_page(results: Sequence[SearchResult | TrainResult], *, refresh: bool = False) -> str:
    """A page that compares searches and trainings, as a single self-contained HTML file.

    Values share an axis only if criterion, features and real images are the same.

    Args:
        results: of the searches and trainings, so far; of different folders.
        refresh: whether a browser reloads the page regularly, because it is being updated.
    """
    views = dict(zip(_names(results), map(view_of, results), strict=True))
    title = _title(views)
    head = tag("header", tag("h1", title), tag("p", ", ".join(views), class_="reading"))
    return document(title, head, list(_sections(views)), refresh=refresh)


def _title(views: Mapping[str, View]) -> str:
    """Such as ``2 searches, 1 training``."""
    searches = sum(isinstance(view, SearchView) for view in views.values())
    counts = {("search", "searches"): searches, ("training", "trainings"): len(views) - searches}
    return ", ".join(f"{n} {one if n == 1 else more}" for (one, more), n in counts.items() if n)


def _sections(views: dict[str, View]) -> Iterator[Section]:
    yield Section(
        "runs",
        "What was run, and how did it go?",
        "Values under different names cannot be compared. For a confirmed search, the mean is over "
        "the fresh seeds.",
        _overview(views),
    )
    groups = _groups(views)
    if len(groups) > 1:
        yield Section(
            "apart",
            "Which runs cannot be compared, and why?",
            "Values in different columns cannot be compared.",
            _apart(groups),
        )
    for place, group in enumerate(group for group in groups if len(group) > 1):
        yield from _compared(group, place, list(views))
    yield from losses_of_several(views)
    album = Album()
    best = ((name, view, _shown(view)) for name, view in views.items())
    grids = [shown(view, album, trial, name) for name, view, trial in best if trial is not None]
    if any(grids):
        yield Section(
            "images",
            "What do the best images look like?",
            "The winner of each search, and the kept generator of each training.",
            tag("div", *filter(None, grids), class_="grids"),
        )


def _shown(view: View) -> Trial | None:
    """The trial whose images stand for a run."""
    last = isinstance(view, TrainingView) and view.unscored
    return view.trials[0] if last else view.best


def _compared(group: dict[str, View], place: int, runs: Sequence[str]) -> Iterator[Section]:
    """The comparisons within a group of runs.

    Args:
        group: the runs.
        place: makes the sections' names unique.
        runs: the names of all runs, which give each of them the same colour in all charts.
    """
    label = next(iter(group.values())).result.objective
    searches = sum(isinstance(view, SearchView) for view in group.values())
    if progress := _progress(group, f"sofar-{place}", runs):
        yield Section(
            f"progress-{place}",
            f"Which run got better images from as many updates? ({label})",
            "Each line is a run's best value so far; it ends at what the run cost, without a "
            "search's confirmation. One run is one throw of the dice: train again under other "
            "seeds before you draw conclusions.",
            progress,
        )
    if len(group) - searches > 1:
        yield Section(
            f"curves-{place}",
            f"How did the scores change during training? ({label})",
            "Each line is a training. GANs often get worse late, so each keeps its best "
            "checkpoint.",
            _curves(group, place, runs),
        )
    if searches:
        yield Section(
            f"trials-{place}",
            f"How good were the trials? ({label})",
            "Each dot is a trial that was trained to its end. The orange dot has the winner's "
            "hyperparameters, green dots are their fresh seeds, and crosses at the edge diverged "
            "or collapsed. A training has one dot.",
            _trials(group, f"strip-{place}"),
        )


def _names(results: Sequence[SearchResult | TrainResult]) -> list[str]:
    """The folders' names, or their full paths if two names are equal."""
    names = [result.folder.root.resolve().name for result in results]
    whole = [str(result.folder.root) for result in results]
    return names if len(set(names)) == len(names) else whole


def _overview(views: dict[str, View]) -> Markup:
    fixed = _fixed(views)
    columns = [_facts(view, fixed[name]) for name, view in views.items()]
    lines = [[fact, *(each[fact] for each in columns)] for fact in columns[0]]
    return table(["", *views], [line for line in lines if any(cell != "" for cell in line[1:])])


def _facts(view: View, fixed: str) -> dict[str, str]:
    """The facts about a run, by readable names."""
    result = view.result
    seconds = result.seconds if isinstance(result, SearchResult) else result.trial.seconds
    facts = {
        "GAN type": result.config.gan_type,
        "dataset": result.config.dataset,
        "other fixed hyperparameters": fixed,
        **dict.fromkeys(("searched", "search method", "stopping rule", "seeds per point"), ""),
        "steps of a training": str(result.config.steps or f"{result.config.epochs} epochs"),
        "threads": str(result.config.threads),
        "value": result.objective,
        "best": view.worth,
        **dict.fromkeys(("mean of fresh seeds", "against the test images", "winner", "trials"), ""),
        "updates": f"{result.updates():,}",
        "training time": duration(seconds),
        "state": result.state,
        "environment": _made_with(view),
    }
    return {**facts, **_searched(view)} if isinstance(view, SearchView) else facts


def _searched(view: SearchView) -> dict[str, str]:
    """The facts that only searches have."""
    result, best = view.result, view.best
    return {
        "searched": ", ".join(map(str, result.config.space.dimensions)),
        "search method": result.config.search_method,
        "stopping rule": result.config.stopping or "none",
        "seeds per point": str(result.config.repeats),
        "mean of fresh seeds": str(result.confirmation or ""),
        "against the test images": against_test(result),
        "winner": "" if best is None else describe(best.params),
        "trials": str(len(result.trials)),
    }


def _made_with(view: View) -> str:
    known = ("autogan", "tensorflow", "device")
    return ", ".join(f"{n} {view.environment[n]}" for n in known if n in view.environment)


def _measured(view: View) -> dict[str, Any]:
    """The properties that comparable values must share, in terms of the configuration.

    Trainings record fewer of them: the label of their values covers the rest.
    """
    config, features = view.result.config, view.features
    own_scale = config.normalise == "history"  # each search has its own
    measured = {
        "criterion": view.result.terms.objective,
        "scale": f"of {view.result.folder.root}" if own_scale else config.normalise,
        "value": view.result.objective,
    }
    if isinstance(view, SearchView):
        measured |= {
            "feature network": features.get("network"),
            "weights": str(features.get("weights"))[:_DIGITS],
            "features of the real images": str(features.get("digest"))[:_DIGITS],
            "number of images": features.get("samples"),
            "split": features.get("split"),
        }
    return measured


def _comparable(one: View, other: View) -> bool:
    """Whether the values of two runs can be compared, according to both records."""
    first, second = _measured(one), _measured(other)
    return all(first[name] == second[name] for name in first.keys() & second.keys())


def _groups(views: dict[str, View]) -> list[dict[str, View]]:
    """Groups of runs whose values can be compared; leaves out trainings without values."""
    groups: list[dict[str, View]] = []
    for name, view in views.items():
        if isinstance(view, TrainingView) and (view.unscored or not view.trial.evaluations):
            continue
        for group in groups:
            if all(_comparable(each, view) for each in group.values()):
                group[name] = view
                break
        else:
            groups.append({name: view})
    return groups


def _apart(groups: Sequence[dict[str, View]]) -> Markup:
    """The differences, with a column for each group of runs."""
    firsts = [next(iter(group.values())) for group in groups]
    columns = [{"dataset": v.result.config.dataset, **_measured(v)} for v in firsts]
    names = dict.fromkeys(name for each in columns for name in each)
    lines = [[name, *(str(each.get(name, "")) for each in columns)] for name in names]
    other = [line for line in lines if len({*line[1:]} - {""}) > 1]
    return table(["", *(", ".join(group) for group in groups)], other)


def _fixed(views: dict[str, View]) -> dict[str, str]:
    """For each run, the fixed hyperparameters that differ between runs."""
    fixed = {name: _values(view) for name, view in views.items()}
    shared = list(dict.fromkeys(n for each in fixed.values() for n in each))
    other = [n for n in shared if len({each.get(n) for each in fixed.values()}) > 1]
    return {
        name: describe({n: each[n] for n in other if n in each}) for name, each in fixed.items()
    }


def _values(view: View) -> dict[str, Value]:
    """The hyperparameters that are not searched; for a training, all."""
    if isinstance(view, SearchView):
        return view.result.config.fixed
    return view.result.config.hyperparameters()


def _progress(group: dict[str, View], name: str, runs: Sequence[str]) -> Markup | None:
    """The best value so far against the updates, a line per run; None without a value."""
    lines = {
        run: so_far(group[run], group[run].measures[0]) if run in group else [] for run in runs
    }
    measure = next(iter(group.values())).measures[0]
    y = measure.axis(value for line in lines.values() for _, value in line)
    across = "updates of both networks"
    return overlaid(lines, across, measure.words, y, name) if any(lines.values()) else None


def _curves(group: Mapping[str, View], place: int, runs: Sequence[str]) -> Markup:
    """Each criterion that several trainings recorded, over the steps, a line per training."""
    recorded = {
        run: {m.name: m for m in view.recorded} if isinstance(view, TrainingView) else {}
        for run, view in group.items()
    }
    drawn: list[Markup] = []
    for name in dict.fromkeys(name for own in recorded.values() for name in own):
        lines = {
            run: _line(group[run], recorded[run].get(name)) if run in group else [] for run in runs
        }
        measure = next(own[name] for own in recorded.values() if name in own)
        y = measure.axis(value for line in lines.values() for _, value in line)
        chart = f"curves-{place}-{len(drawn)}"
        if sum(map(bool, lines.values())) > 1:
            drawn.append(overlaid(lines, "steps of training", measure.words, y, chart))
    return with_others(drawn, 1, f"curves-{place}")


def _line(view: View, measure: Measure | None) -> list[tuple[float, float]]:
    """A training's values over the steps; empty without a measure."""
    if measure is None:
        return []
    evaluations = view.trials[0].evaluations
    return [(float(e.step), value) for e in evaluations if (value := measure.of(e)) is not None]


def _trials(group: dict[str, View], name: str) -> Markup:
    measure = next(iter(group.values())).measures[0]
    values = [v for view in group.values() for v in view.measures[0].worths.values()]
    names = told_apart(group, 24)
    x = measure.axis(values)
    height = 60 + _ROW * len(names)
    frame = Frame(x, Places(names[::-1]), WIDTH, height, measure.words, "")
    worst = measure.worst(x)
    words = []
    for row, view in zip(names, group.values(), strict=True):
        worths = view.measures[0].worths
        whole = [t for t in view.trials if t.number in worths and view.kind(t) != "stopped"]
        for trial in sorted(whole, key=lambda t, v=view: v.kind(t) == "best"):  # type: ignore[misc]
            frame.dot(worths[trial.number], row, view.kind(trial), view.tooltip(trial))
        dead = [trial for trial in view.trials if trial.dead]
        for place, trial in enumerate(dead):
            frame.dot(worst, row, "dead", view.tooltip(trial), aside=-10.0 * (place % 20))
        for each in view.result.confirmed if isinstance(view, SearchView) else ():
            for value in each.values if view.best and each.params == view.best.params else ():
                frame.dot(value, row, "confirms", f"{row}, fresh seed: {figure(value)}")
        words.append(f"{row}: {len(whole)} trials; {len(dead)} diverged or collapsed")
    return frame.svg(name, f"{measure.name} of all trials", "; ".join(words))
