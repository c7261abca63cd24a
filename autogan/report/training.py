"""A training's page: its head, and its sections under it."""

import shlex
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from autogan.config import own_flags
from autogan.core.files import look
from autogan.record.folder import run_of
from autogan.record.words import duration, figure
from autogan.report import pictures
from autogan.report.common import published, repetition, scores, traceback
from autogan.report.drawing.images import Album
from autogan.report.drawing.page import Section, document, facts, table
from autogan.report.drawing.svg import joined, tag
from autogan.report.losses import losses_of_one
from autogan.report.view import TrainingView
from autogan.search import State
from autogan.show.result import TrainResult


def training_page(result: TrainResult, *, refresh: bool = False) -> str:
    """A training's page, as a single self-contained HTML file.

    The same files give the same page.

    Args:
        result: of the training, so far.
        refresh: whether a browser reloads the page regularly, because it is being updated.

    Raises:
        ConfigError: if an event file cannot be read.
    """
    view = TrainingView(result)
    return document(view.title, _head(view), list(_sections(view, Album())), refresh=refresh)


def _head(view: TrainingView) -> Markup:
    result, best = view.result, view.result.best
    whole = "" if result.config.steps is None else f" of {result.config.steps}"
    worth = {
        f"best {result.terms.objective}": "none" if best is None else figure(best.value or 0.0),
        "at step": "-" if best is None else best.step,
    }
    numbers = {
        **({} if view.unscored else worth),
        "steps": f"{result.steps}{whole}",
        "updates of both networks": f"{result.updates():,}",
        "of training": duration(result.trial.seconds) if result.trial.seconds else "-",
        "state": result.state,
    }
    note = f"{result.folder.root}, {result.objective}.{published(view)}"
    return tag(
        "header",
        tag("h1", view.title),
        facts(numbers),
        _belief(view),
        _scoring(view),
        tag("p", note, class_="note"),
    )


def _belief(view: TrainingView) -> Markup:
    """The outcome of the training, and what to do next."""
    result, trial = view.result, view.result.trial
    root, run = result.folder.root.resolve(), run_of(result.folder.root)
    own = own_flags(result.config, "train")
    train = ["autogan", "train", str(result.folder.config)]
    resumed = [*train, "--run-dir", str(result.folder.root), "--resume"]
    then: list[str] = []
    if trial.dead:
        words = f"The training {trial.state.value}: {trial.reason}."
    elif run != root:
        words = f"This is a trial of the search in {run}."
    elif result.state == "running":
        words = "The training has not ended: its best checkpoint may still change."
    elif view.unscored and trial.state is State.COMPLETE:
        words = "No criterion decided, so the last generator is kept. Score it: "
        then = ["autogan", "evaluate", str(result.folder.root), "--criterion", "fid"]
    elif trial.state is State.RUNNING:
        words, then = "The training has not ended. Resume it with: ", resumed
    elif trial.resumable:
        words = f"The training ended early ({trial.reason or result.state}). Resume it with: "
        then = [*resumed, "--max-trial-minutes", "MORE"]
    else:
        words = "One training is not a result: another seed gives another value. Train it under "
        words, then = f"{words}fresh seeds: ", [*train, "--seeds", "5"]
    code = tag("code", shlex.join([*then, *own])) if then else ""
    return tag("p", words, code, class_=f"verdict{' doubt' if trial.dead or then else ''}")


def _scoring(view: TrainingView) -> Markup:
    """How to find out how good the generator is; empty without a value."""
    if view.result.trial.worth is None:
        return Markup("")
    own = own_flags(view.result.config, "sample")
    again = shlex.join(["autogan", "evaluate", str(view.result.folder.root), *own])
    words = "How good is it? Score it next to real images: "
    return tag("p", words, tag("code", again), class_="verdict")


def _sections(view: TrainingView, album: Album) -> Iterator[Section]:
    """All sections that have content, the most read first, reference at the end."""
    if images := pictures.development(view, album):
        several = len(view.trial.evaluations) > 1
        choose = "Choose a step; the arrow keys move from one to the next. " if several else ""
        yield Section(
            "images", "How did the images develop during training?",
            f"{choose}All grids use the same latent vectors. Look for shapes, for variety, and for "
            "images that repeat.",
            images,
        )  # fmt: skip
    if view.trial.evaluations and view.recorded:
        marked = "; the orange dot marks it" if view.best is not None else ""
        gaps = any(evaluation.value is None for evaluation in view.trial.evaluations)
        gap = " Images that collapsed or broke the constraint have no value." if gaps else ""
        reading = f"GANs often get worse late, so the best checkpoint is kept{marked}.{gap}"
        if view.unscored:
            reading = "No criterion decided, so the last generator is kept."
        yield scores(view, reading)
    yield from losses_of_one(view)
    folder = view.result.folder
    if view.result.state == "unfinished" and look(folder.traceback, "run") == "file":
        yield Section(
            "failures", "What went wrong?", f"The full traceback is in {folder.traceback}.",
            traceback(folder.traceback),
        )  # fmt: skip
    yield _hyperparameters(view)
    yield _configuration(view)


def _hyperparameters(view: TrainingView) -> Section:
    defaults, chosen = view.result.config.gan.defaults(), view.chosen(view.trial)
    head = ["hyperparameter", "value", "default"]

    def rows(names: Sequence[str]) -> list[list[object]]:
        return [[name, _shown(view.trial.params[name]), _shown(defaults.get(name, ""))]
                for name in names]  # fmt: skip

    usual = [name for name in view.trial.params if name not in chosen]
    words = "These differ from the defaults." if chosen else "All have their defaults."
    summary = tag("summary", "hyperparameters at their defaults")
    body = [
        *([table(head, rows(list(chosen)))] if chosen else []),
        tag("details", summary, table(head, rows(usual)), id="others-hyperparameters"),
    ]
    return Section("hyperparameters", "With which hyperparameters?", words, joined(body))


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _configuration(view: TrainingView) -> Section:
    folder, config = view.result.folder, view.result.config
    record = folder.result if look(folder.result, "run") == "file" else folder.scores
    again = ["autogan", "train", folder.config, "--run-dir", f"{folder.root}-again"]
    values = {name: value for name, value in config.as_dict().items() if name != "run_dir"}
    own = own_flags(config, "train")
    return repetition(view, {}, record, values, folder.config, [*again, *own])
