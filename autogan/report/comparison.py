"""The page that compares several searches, as far as their values can be compared."""

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from autogan.report.charts import WIDTH, so_far
from autogan.report.images import Album
from autogan.report.page import Section, document, table
from autogan.report.pictures import shown
from autogan.report.scales import Linear, Places, fitting
from autogan.report.svg import Frame, joined, shortened, tag
from autogan.report.view import View
from autogan.run.result import SearchResult
from autogan.run.words import describe, figure

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
    head = tag("header", tag("h1", f"{len(results)} searches"),
               tag("p", ", ".join(views), class_="reading"))  # fmt: skip
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
            "Each is compared with the first one.",
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
            "fresh seeds.",
            _trials(group, f"strip-{place}"),
        )
    winners = ((name, view, view.best) for name, view in views.items())
    grids = [shown(view, album, best, name) for name, view, best in winners if best is not None]
    if any(grids):
        yield Section(
            "images", "What do the winners' images look like?",
            "Each search's winner at its best step.",
            tag("div", *filter(None, grids), class_="grids"),
        )  # fmt: skip


def _names(results: Sequence[SearchResult]) -> list[str]:
    """The folders' names, or their whole paths where names are alike."""
    names = [result.folder.root.resolve().name for result in results]
    whole = [str(result.folder.root) for result in results]
    return names if len(set(names)) == len(names) else whole


def _overview(views: dict[str, View]) -> Markup:
    lines = []
    for name, view in views.items():
        result, best = view.result, view.best
        config = result.config
        mean = str(result.confirmation or "")
        several = len(view.measures) > 1
        worth = "" if best is None else result.terms.worth(best) if several else (
            figure(best.value or 0.0)
        )  # fmt: skip
        lines.append([
            name, config.gan_type, config.dataset, config.search_method, config.stopping or "none",
            result.objective, worth, mean, len(result.trials), result.updates(),
            "" if best is None else describe(best.params), result.state, _made_with(view),
        ])  # fmt: skip
    head = ["search", "GAN type", "dataset", "method", "stopping", "value", "best", "mean",
            "trials", "updates", "winner", "state", "made with"]  # fmt: skip
    return table(head, lines)


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
    name, first = next(iter(groups[0].items()))
    usual, items = {"dataset": first.result.config.dataset, **_measured(first)}, []
    for group in groups[1:]:
        other_one = next(iter(group.values()))
        own = {"dataset": other_one.result.config.dataset, **_measured(other_one)}
        other = [n for n in usual if usual[n] != own[n]]
        why = "; ".join(f"{n} {own[n]}, in {name} {usual[n]}" for n in other)
        items.append(tag("li", tag("strong", ", ".join(group)), f": {why}"))
    return tag("ul", *items)


def _key(group: dict[str, View]) -> Markup:
    items = []
    for place, name in enumerate(group):
        line = tag("path", d="M0 6H24", class_=f"line run-{place % _COLOURS}")
        svg = tag("svg", line, width=26, height=12, viewBox="0 0 26 12", aria_hidden="true")
        items.append(tag("li", svg, name))
    return tag("ul", *items, class_="key")


def _progress(group: dict[str, View], name: str) -> Markup:
    lines = {run: so_far(view, view.measures[0]) for run, view in group.items()}
    measure = next(iter(group.values())).measures[0]
    points = [point for line in lines.values() for point in line]
    x = Linear(0, max((spent for spent, _ in points), default=1.0) or 1.0)
    y = fitting([value for _, value in points], factors=measure.direction == "min")
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
    names = [shortened(run, 24) for run in group]
    names = [f"{run} {n}" if names.count(run) > 1 else run for n, run in enumerate(names)]
    x = fitting(values, factors=measure.direction == "min")
    height = 60 + _ROW * len(names)
    frame = Frame(x, Places(names[::-1]), WIDTH, height, measure.words, "")
    words = []
    for row, view in zip(names, group.values(), strict=True):
        worths = view.measures[0].worths
        whole = [t for t in view.trials if t.number in worths and view.kind(t) != "stopped"]
        for trial in sorted(whole, key=lambda t, v=view: v.kind(t) == "best"):  # type: ignore[misc]
            frame.dot(worths[trial.number], row, view.kind(trial), view.told(trial))
        for each in view.result.confirmed:
            for value in each.values if view.best and each.params == view.best.params else ():
                frame.dot(value, row, "confirms", f"{row}, a fresh seed: {figure(value)}")
        words.append(f"{row}: {len(whole)} trials")
    return frame.svg(name, f"{measure.name} of all trials", "; ".join(words))
