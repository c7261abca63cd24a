"""The page that compares several searches, as far as their values can be compared."""

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from autogan.record.words import describe, figure
from autogan.report.charts import WIDTH, so_far
from autogan.report.drawing.images import Album
from autogan.report.drawing.key import legend
from autogan.report.drawing.page import Section, document, table
from autogan.report.drawing.scales import Linear, Places
from autogan.report.drawing.svg import Frame, joined, tag, told_apart
from autogan.report.pictures import shown
from autogan.report.view import View
from autogan.show.judged import judged
from autogan.show.result import SearchResult

_COLOURS = 6  # of lines, in the page's style
_DIGITS = 8  # of a digest
_ROW = 34  # pixels of a search's row


def comparison_page(results: Sequence[SearchResult], *, refresh: bool = False) -> str:
    """A page that shows searches beside each other, as HTML that needs nothing else.

    Values are put on one axis only where they are of the same criterion, features and real images.

    Args:
        results: of the searches, so far; of different folders.
        refresh: whether a browser loads it again after a while, because it is written anew.
    """
    views = dict(zip(_names(results), map(View, results), strict=True))
    head = tag(
        "header",
        tag("h1", f"{len(results)} searches"),
        tag("p", ", ".join(views), class_="reading"),
    )
    return document(f"{len(results)} searches", head, list(_sections(views)), refresh=refresh)


def _sections(views: dict[str, View]) -> Iterator[Section]:
    yield Section(
        "searches",
        "What was searched, and what came of it?",
        "Values under different names cannot be compared. The mean is of fresh seeds, where the "
        "search was confirmed.",
        _overview(views),
    )
    groups = _groups(views)
    if len(groups) > 1:
        yield Section(
            "apart",
            "Which cannot be compared, and why?",
            "Values in different columns cannot be compared.",
            _apart(groups),
        )
    album = Album()
    for place, group in enumerate(group for group in groups if len(group) > 1):
        label = next(iter(group.values())).result.objective
        yield Section(
            f"progress-{place}",
            f"Which search found more for its updates? ({label})",
            "A line is the best value that a search had seen by then; its end is what the search "
            "cost, without the confirmation. One search is one throw of the dice: confirm before "
            "you conclude.",
            joined([_key(group), _progress(group, f"sofar-{place}")]),
        )
        yield Section(
            f"trials-{place}",
            f"What did the trials come to? ({label})",
            "A dot is a trial that was trained to its end, the orange one won; green dots are its "
            "fresh seeds; crosses at the edge diverged or collapsed.",
            _trials(group, f"strip-{place}"),
        )
    winners = ((name, view, view.best) for name, view in views.items())
    grids = [shown(view, album, best, name) for name, view, best in winners if best is not None]
    if any(grids):
        yield Section(
            "images",
            "What do the winners' images look like?",
            "Each search's winner at its best step.",
            tag("div", *filter(None, grids), class_="grids"),
        )


def _names(results: Sequence[SearchResult]) -> list[str]:
    """The folders' names, or their whole paths where names are alike."""
    names = [result.folder.root.resolve().name for result in results]
    whole = [str(result.folder.root) for result in results]
    return names if len(set(names)) == len(names) else whole


def _overview(views: dict[str, View]) -> Markup:
    fixed = _fixed(views)
    told = [_facts(view, fixed[name]) for name, view in views.items()]
    lines = [[fact, *(each[fact] for each in told)] for fact in told[0]]
    return table(["", *views], [line for line in lines if any(cell != "" for cell in line[1:])])


def _facts(view: View, fixed: str) -> dict[str, object]:
    """What is known of a search, by names that people read."""
    result, config, best = view.result, view.result.config, view.best
    tested = [line for line in judged(result) if line.endswith("test images")]
    return {
        "GAN type": config.gan_type,
        "dataset": config.dataset,
        "fixed otherwise": fixed,
        "search method": config.search_method,
        "stopping rule": config.stopping or "none",
        "value": result.objective,
        "best": view.worth,
        "mean of fresh seeds": str(result.confirmation or ""),
        "scored again": "".join(tested),
        "winner": "" if best is None else describe(best.params),
        "trials": str(len(result.trials)),
        "updates": f"{result.updates():,}",
        "state": result.state,
        "made with": _made_with(view),
    }


def _made_with(view: View) -> str:
    told = view.result.header["environment"]
    known = ("autogan", "tensorflow", "device")
    return ", ".join(f"{name} {told[name]}" for name in known if name in told)


def _measured(view: View) -> dict[str, Any]:
    """What values must share to be comparable, in words of the configuration."""
    features, config = view.result.header["features"], view.result.config
    own_scale = config.normalise == "history"  # which each search makes for itself
    return {
        "criterion": view.result.terms.objective,
        "scale": f"of {view.result.folder.root}" if own_scale else config.normalise,
        "value": view.result.objective,
        "feature network": features.get("network"),
        "weights": str(features.get("weights"))[:_DIGITS],
        "real images": str(features.get("digest"))[:_DIGITS],
        "number of images": features.get("samples"),
        "split": features.get("split"),
    }


def _groups(views: dict[str, View]) -> list[dict[str, View]]:
    """Searches whose values can be compared, together."""
    groups: list[dict[str, View]] = []
    for name, view in views.items():
        for group in groups:
            if _measured(next(iter(group.values()))) == _measured(view):
                group[name] = view
                break
        else:
            groups.append({name: view})
    return groups


def _apart(groups: Sequence[dict[str, View]]) -> Markup:
    """What differs, with a column for each group of searches."""
    told = [
        {"dataset": view.result.config.dataset, **_measured(view)}
        for view in (next(iter(group.values())) for group in groups)
    ]
    other = [name for name in told[0] if len({str(each[name]) for each in told}) > 1]
    lines = [[name, *(str(each[name]) for each in told)] for name in other]
    return table(["", *(", ".join(group) for group in groups)], lines)


def _fixed(views: dict[str, View]) -> dict[str, str]:
    """Of each search the fixed hyperparameters that are not the same in all of them."""
    fixed = {}
    for name, view in views.items():
        config = view.result.config
        searched = {dimension.name for dimension in config.space.dimensions}
        values = {**config.gan.defaults(), **config.fixed}
        fixed[name] = {n: value for n, value in values.items() if n not in searched}
    shared = list(dict.fromkeys(n for each in fixed.values() for n in each))
    other = [n for n in shared if len({each.get(n) for each in fixed.values()}) > 1]
    return {
        name: describe({n: each[n] for n in other if n in each}) for name, each in fixed.items()
    }


def _key(group: dict[str, View]) -> Markup:
    return legend(
        (tag("path", d="M0 6H24", class_=f"line run-{place % _COLOURS}"), name)
        for place, name in enumerate(group)
    )


def _progress(group: dict[str, View], name: str) -> Markup:
    lines = {run: so_far(view, view.measures[0]) for run, view in group.items()}
    measure = next(iter(group.values())).measures[0]
    points = [point for line in lines.values() for point in line]
    x = Linear(0, max((spent for spent, _ in points), default=1.0) or 1.0)
    y = measure.axis([value for _, value in points])
    frame = Frame(x, y, WIDTH, 320, "updates of both networks", measure.words)
    words = []
    for place, (run, line) in enumerate(lines.items()):
        if line:
            frame.line(line, f"run-{place % _COLOURS}", run)
            words.append(f"{run} came to {figure(line[-1][1])} in {line[-1][0]:.0f} updates")
    return frame.svg(name, f"The best {measure.name} so far", "; ".join(words))


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
            frame.dot(worths[trial.number], row, view.kind(trial), view.told(trial))
        dead = [trial for trial in view.trials if trial.dead]
        for place, trial in enumerate(dead):
            frame.dot(worst, row, "dead", view.told(trial), aside=-10.0 * (place % 20))
        for each in view.result.confirmed:
            for value in each.values if view.best and each.params == view.best.params else ():
                frame.dot(value, row, "confirms", f"{row}, a fresh seed: {figure(value)}")
        words.append(f"{row}: {len(whole)} trials, and {len(dead)} diverged or collapsed")
    return frame.svg(name, f"{measure.name} of all trials", "; ".join(words))
