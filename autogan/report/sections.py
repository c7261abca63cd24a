"""The sections of a search's page; each answers a question."""

import shlex
from collections.abc import Iterator

from markupsafe import Markup

from autogan.config import own_flags, proxy_of
from autogan.core.files import look
from autogan.record.chosen import Chosen
from autogan.record.words import describe, duration, figure, origin, state_of
from autogan.report import charts, parameters, pictures, seeds
from autogan.report.common import marks, repetition, scores, traceback
from autogan.report.drawing.images import Album
from autogan.report.drawing.page import Section, table
from autogan.report.drawing.scales import short
from autogan.report.drawing.svg import joined, tag
from autogan.report.effects import Effects, early, effects
from autogan.report.view import SearchView
from autogan.search import State
from autogan.show.advice import advice
from autogan.show.judged import LUCKY, judged, judgement, reading, value_rows
from autogan.show.standings import by_criterion, confirmed_first, ended, expected, name_of, worst
from autogan.show.summary import fixed, rows

_THUMBNAILS = 100  # trials with one in the table


def sections(view: SearchView, album: Album) -> Iterator[Section]:
    """All sections that have content, the most read first, reference at the end."""
    noise = seeds.noise(view) if len(view.measures) == 1 else None
    if view.best is not None:
        yield _winner(view)
    if view.result.proxy is not None:
        yield _proxy(view, view.result.proxy)
    if view.result.confirmed:
        yield Section(
            "confirmation", "Is the winner lucky?",
            "Green dots are trainings under fresh seeds, and the long line is their mean. The "
            "short orange line is what the search saw. If the dots lie on its worse side, the "
            "search was lucky.",
            seeds.confirmation(view),
        )  # fmt: skip
    if grids := pictures.gallery(view, album):
        real = ", next to real images" if view.real.exists() else ""
        yield Section(
            "images", "What do the images look like?",
            f"The best trials at their best steps{real}. Look for shapes, for "
            "variety, and for images that repeat.",
            grids,
        )  # fmt: skip
        if over := pictures.becoming(view, album):
            yield Section(
                "becoming", "How did the images develop during training?",
                "Choose a step; the arrow keys move from one to the next.", over,
            )  # fmt: skip
    yield from _scores(view)
    if choices := by_criterion(view.result):
        rows = [[c.criterion, short(c.value), c.trial.number, describe(c.trial.params)]
                for c in choices]  # fmt: skip
        yield Section(
            "choices", "What would each criterion choose?",
            "The best value of each recorded criterion, ignoring all others.",
            table(["criterion", "value", "trial", "hyperparameters"], rows),
        )  # fmt: skip
    yield from _hyperparameters(view, noise)
    if len(view.measures) > 1 and view.result.front:
        yield Section(
            "trade", "What are the trade-offs?",
            "No other trial beats the blue dots in all criteria; the orange one of them was "
            "chosen. Hollow dots are beaten.",
            seeds.front(view),
        )  # fmt: skip
    if len(view.measures) == 1 and (dots := seeds.several_seeds(view)):
        apart = (
            "These pairs are too few to show how much the seed alone decides."
            if noise is None
            else "Two trainings that differ only in the seed typically differ by "
            f"{noise.words(noise.middle)} (the median), and by {noise.words(noise.largest)} at "
            "most."
        )
        yield Section(
            "noise", "How much does the seed matter?",
            "Each row is one choice of hyperparameters, and each dot a training under another "
            f"seed; crosses at the edge diverged or collapsed. {apart}",
            dots, folded=True,
        )  # fmt: skip
    yield from _accounts(view, album)


def _proxy(view: SearchView, chosen: Chosen) -> Section:
    result, lines = view.result, []
    for number, point, value in zip(chosen.trials, chosen.points, chosen.values, strict=True):
        here = result.point(point)
        worth = "" if here is None or here.value is None else short(here.value)
        trained = 0 if here is None else len(here.ended)
        lines.append([number, short(value), worth, trained, describe(point)])
    name = result.terms.objective
    head = ["trial of the proxy", f"{name} there", f"{name} in full", "seeds in full", "point"]
    page = result.folder.proxy.report
    link = tag("a", "its page", href=str(page.relative_to(result.folder.root)))
    return Section(
        "proxy", "What did the proxy choose?",
        f"The search used a smaller training first ({proxy_of(result.config)}; "
        f"{duration(chosen.seconds)} of training). The best of its {chosen.tried} points were then "
        "trained in full. Values of the smaller training can be compared with each other "
        "alone.",
        joined([table(head, lines), tag("p", "All of the proxy's trials: ", link, ".")]),
    )  # fmt: skip


def _winner(view: SearchView) -> Section:
    result, best = view.result, view.best
    assert best is not None
    searched = {d.name: d for d in result.config.space.dimensions}
    lines = []
    for name, value in best.params.items():
        dimension = searched[name]
        span = dimension.under(best.params).range or ", ".join(
            map(short, dict.fromkeys(dimension.candidates))
        )
        lines.append([name, f"{value:.6g}" if isinstance(value, float) else value,
                      dimension.hyperparameter.default, span])  # fmt: skip
    config, folder = result.config, result.folder
    repeat = ["autogan", "train", folder.best_config, *own_flags(config, "train")]
    commands = [
        ("repeat it", repeat),
        ("train it under other seeds", [*repeat, "--seeds", "5"]),
        ("make images", ["autogan", "sample", folder.best, *own_flags(config, "sample")]),
        ("score it again", ["autogan", "evaluate", folder.best, *own_flags(config, "sample")]),
        ("see its curves", ["tensorboard", "--logdir", result.logs]),
    ]  # fmt: skip
    shell = "\n".join(f"{shlex.join(map(str, words))}    # {what}" for what, words in commands)
    scored = judged(result)
    head, *values = value_rows(scored) or [[]]
    meaning = [*judgement(result.judged, result.terms), *([LUCKY] if result.judged else [])]
    body = [
        table(["hyperparameter", "winner", "default", "searched"], lines),
        *(
            [
                tag("p", f"Scored again with fresh latent vectors ({reading(scored)}):"),
                table(head, values),
            ]
            if result.judged
            else []
        ),
        *(tag("p", f"{line[0].upper()}{line[1:]}.") for line in meaning),
        *(tag("p", line, class_="verdict doubt") for line in advice(result)),
        tag("pre", shell),
    ]
    who = f"Trial {best.number}, {result.terms.worth(best)} at step {best.step}."
    found = result.confirmation
    if found is not None:
        point = "The defaults" if found.number is None else f"The hyperparameters of trial "\
            f"{found.number}"  # fmt: skip
        who = f"{point}, by fresh seeds; their best generator is trial {best.number}'s, "\
            f"{result.terms.worth(best)} at step {best.step}."  # fmt: skip
    return Section(
        "winner", "Which hyperparameters won?",
        f"{who} Everything else was fixed{f': {own}' if (own := fixed(result)) else ''}; best.yaml "
        "holds every value.",
        joined(body),
    )  # fmt: skip


def _scores(view: SearchView) -> Iterator[Section]:
    if any(trial.evaluations for trial in view.trials):
        few = f" Only {charts.MOST_CURVES} trials are drawn, including the best."
        few = few if len(view.trials) > charts.MOST_CURVES else ""
        dot = f"; the orange dot marks that of {view.orange}" if view.orange else ""
        yield scores(
            view,
            "Each line is a trial. GANs often get worse late, so each trial keeps its best "
            f"checkpoint{dot}.{few}",
        )
    if any(m.worths for m in view.measures):
        better = "lower" if view.measures[0].direction == "min" else "higher"
        better = better if len(view.measures) == 1 else "nearer to it"
        each = [charts.progress(view, m, f"progress-{n}") for n, m in enumerate(view.measures)]
        yield Section(
            "progress", "Was the search still improving?",
            "The line is the best value so far; each dot is a trial at its end. If the line has "
            f"long been flat and the dots get no {better}, more trials promise little.",
            joined(each),
        )  # fmt: skip


def _hyperparameters(view: SearchView, noise: seeds.Noise | None) -> Iterator[Section]:
    measure = view.measures[0]
    if slices := parameters.slices(view, measure, noise):
        equals = " Differences smaller than the bar on the right may be due to the seed alone."
        bar = equals if noise else ""
        dead = any(trial.dead for trial in view.trials)
        crosses = ", and crosses at the edge diverged or collapsed" if dead else ""
        yield Section(
            "slices", "What does each hyperparameter do?",
            "Each dot is a trial; hollow ones were stopped early, so their values come from fewer "
            f"steps{crosses}. Short lines are medians of whole trainings.{bar}",
            joined([marks(view, view.trials),
                    tag("div", *slices, class_="slices")]),
        )  # fmt: skip
    found = effects(view)
    if found is None:
        return
    yield _importance(found, early(view))
    if len(found.each) > 1:
        first, second = (effect.dimension for effect in found.each[:2])
        yield Section(
            "pairs", "Do two hyperparameters work together?",
            f"{first.name} and {second.name} are the most likely to matter. The stronger a mark's "
            "colour, the better its rank: the best fifth of the trials has the strongest. If both "
            "take listed values, each cell shows the median and the number of trials.",
            parameters.pair(view, measure, first, second), folded=True,
        )  # fmt: skip
    if len(view.result.config.space.dimensions) > 1:
        line = f", and the orange line is {view.orange}" if view.orange else ""
        yield Section(
            "where", "Where did the search look?",
            "Each line is a trial; it runs through all its hyperparameters to its value on the "
            f"right. The best fifth has the strongest colour{line}.",
            parameters.coordinates(view, measure), folded=True,
        )  # fmt: skip


def _importance(found: Effects, began: str) -> Section:
    """The section on which hyperparameters matter; ``began`` says how far trials were trained."""
    matter = found.told
    others = [effect.dimension.name for effect in found.each if effect not in matter]
    rest = f" For {', '.join(others)}, these trials do not show an effect." if others else ""
    reading = (
        "Each bar is the share of the values' variance over the whole search space that a "
        "hyperparameter explains, alone or with others, estimated by a model of "
        f"{found.trials} trials. The whisker holds the share with a probability of 80 %; the rest "
        f"is chance and other hyperparameters.{rest}"
    )
    if not matter:
        reading = "These trials do not show that any hyperparameter matters."
    reading = " ".join(filter(None, (reading, began)))
    chart = parameters.importance(found) if matter else Markup("")
    return Section("importance", "Which hyperparameters matter?", reading, chart)


def _accounts(view: SearchView, album: Album) -> Iterator[Section]:
    result = view.result
    if result.updates():
        over_time = charts.timeline(view)
        yield Section(
            "cost", "Where did the updates and the time go?",
            f"{result.updates():,} updates of both networks, {duration(result.seconds)} of "
            "training. The bar divides them by the trials' states; the chart below it leaves out "
            "idle gaps of more than ten minutes.",
            joined([marks(view, result.trials), charts.cost(view),
                    *([over_time] if over_time else [])]),
        )  # fmt: skip
    if failures := _failures(view):
        yield failures
    if view.best is not None and any(len(point.trials) > 1 for point in result.points):
        yield _points(view)
    if result.trials:
        yield _all_trials(view, album)
    yield _configuration(view)


def _failures(view: SearchView) -> Section | None:
    wrong = [
        t for t in view.result.trials
        if t.dead or t.collapsed or t.state is State.FAILED or t.times_lost
    ]  # fmt: skip
    if not wrong:
        return None
    lines = []
    for trial in wrong:
        path = view.result.folders[trial.number].traceback
        early = trial.collapsed and not trial.dead
        seen = view.result.terms.evaluation(trial.evaluations[-1]) if early else ""
        reason: Markup | str = trial.reason or seen or f"lost {trial.times_lost} times"
        if trial.state is State.FAILED and look(path, "run") == "file":
            reason = joined([tag("p", reason), traceback(path)])
        lines.append([trial.number, state_of(trial), reason, describe(trial.params)])
    return Section(
        "failures", "What went wrong?",
        "Diverged and collapsed trials count as the worst; failed ones do not count. Trials listed "
        "as stopped early had collapsed at their last evaluation. If these trials share a value of "
        "a hyperparameter, leave that value out.",
        table(["trial", "state", "reason", "hyperparameters"], lines), folded=len(lines) > 8,
    )  # fmt: skip


def _points(view: SearchView) -> Section:
    result = view.result
    lines, again = [], ["under fresh seeds"] if result.confirmed else []
    for point, fresh in confirmed_first(result):
        outlook = expected(point)
        expect = "" if outlook is None else f"{figure(outlook.low)} to {figure(outlook.high)}"
        trials = ", ".join(str(trial.number) for trial in point.trials)
        lines.append([
            name_of(point), *(str(fresh or "") for _ in again), _shown(point.value), ended(point),
            point.died or "",
            _shown(worst(result, point)), expect, trials, describe(point.first.params),
        ])  # fmt: skip
    head = ["point", *again, f"{result.terms.objective}, mean", "seeds", "died", "worst",
            "a further training", "trials", "hyperparameters"]  # fmt: skip
    return Section(
        "points", "How good is each point?",
        "The recommended point comes first. The mean is over the whole trainings that did not die; "
        "the range should hold four of five further trainings that do not die.",
        table(head, lines),
    )  # fmt: skip


def _all_trials(view: SearchView, album: Album) -> Section:
    result, lines, numbers = view.result, [], []
    made = rows(result)
    trials = {trial.number: trial for trial in result.trials}
    hidden = ("seconds", "seed", "confirms", "another seed of")
    names = [n for n in dict.fromkeys(n for row in made for n in row) if n not in hidden]
    thumbnails = 0
    for row in made:
        trial = trials[row["trial"]]
        image: Markup | str | None = ""
        if row["step"] is not None and thumbnails < _THUMBNAILS:
            path = result.folders[trial.number].sample(row["step"])
            image = album.show(path, f"images of trial {trial.number}", "thumbnail") or ""
            thumbnails += 1
        how = "confirmation" if trial.confirms else origin(trial)
        if view.best is not None and trial.number == view.best.number:
            how = f"the winner; {how}" if how else "the winner"
        cells = [_shown(row.get(name)) for name in names]
        lines.append([image, *cells, how, round(trial.seconds), trial.seed])
        numbers.append(trial.number)
    head = ["images", *names, "origin", "seconds", "seed"]
    return Section(
        "trials", "All trials",
        "The best first. Click a column header to sort, or a row to highlight the trial in all "
        "charts.",
        table(head, lines, "all-trials", numbers),
    )  # fmt: skip


def _configuration(view: SearchView) -> Section:
    result = view.result
    folder, config = result.folder, result.config
    again = ["autogan", "search", folder.config, *own_flags(config, "search")]
    data = result.header["data"]
    return repetition(view, data, folder.ledger, config.saved(), folder.config, again)


def _shown(value: object) -> object:
    """A cell's value; numbers are rounded to four digits."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    return _Figure(value) if isinstance(value, float) else value


class _Figure(float):
    """A number that is printed with four digits."""

    def __str__(self) -> str:
        return figure(float(self))

    def __html__(self) -> str:
        return str(self)
