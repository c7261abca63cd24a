"""Generated images: the best ones, others for comparison, and their development."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from autogan.record.words import describe, figures, state_of
from autogan.report.drawing.images import Album, Part
from autogan.report.drawing.svg import joined, tag
from autogan.report.view import SearchView, TrainingView, View
from autogan.search import History, State, Trial

TOP = 4  # trials whose images are shown
_DEFAULTS = "the defaults: trial"
_STEPS = 10  # of their trainings, at most


def gallery(view: SearchView, album: Album) -> Markup | None:
    """The best trials' images at their best steps, real images, and others for comparison."""
    others, real = _others(view), view.real
    paths = [*(_best_grid(view, t) for t in (*view.ranked[:TOP], *others.values())), real]
    part: Part = "whole" if album.fits(paths, "whole", share=0.6) else "quarter"
    best = [shown(view, album, t, f"trial {t.number}", part) for t in view.ranked[:TOP]]
    if not any(best):
        return None
    first = [*best, _truth(view, album, part)]
    more = [shown(view, album, trial, why, part) for why, trial in others.items()]
    parts = [tag("div", *filter(None, first), class_="grids")]
    if any(more):
        trained = any(why.startswith(_DEFAULTS) for why in others)
        names = "the defaults, and other trials" if trained else "other trials"
        summary = tag("summary", f"For comparison: {names}")
        inside = tag("div", *filter(None, more), class_="grids")
        parts.append(tag("details", summary, inside, id="others"))
    parts.append(tag("p", _caption(view), class_="note"))
    return joined(parts)


def becoming(view: View, album: Album, *, truth: bool = False) -> Markup | None:
    """The best trials' images over training, with a control that needs no script.

    It moves between evaluations, not steps: steps may differ between batch sizes. None if there is
    only one evaluation. With ``truth``, real images stand next to them.
    """
    trials = view.ranked[:TOP]
    rounds = range(max((len(trial.evaluations) for trial in trials), default=0))
    if len(rounds) < 2:
        return None
    chosen, part = _fitting(view, album, rounds)
    names = [_round_name(trials, place) for place in chosen]
    opened = _opened(view, chosen)
    controls, frames = [], []
    for place, (at, name) in enumerate(zip(chosen, names, strict=True)):
        here = place == opened
        control = tag(
            "input",
            type="radio",
            name="step",
            id=f"step-{place}",
            value=name,
            class_=f"s{place}",
            checked=here,
        )
        controls.append(tag("span", control, " ", tag("label", name, for_=f"step-{place}")))
        grids = (_at(view, album, trial, at, part) for trial in trials)
        frames.append(tag("div", *grids, class_=f"frame f{place}{' opened' if here else ''}"))
    legend = "after steps:" if names[0].isdigit() else "at evaluation:"
    control = tag("fieldset", tag("legend", legend), *controls, class_="steps")
    real = _truth(view, album, part) if truth else None
    return tag("div", control, *frames, *([real] if real else []), class_="over")


def _opened(view: View, chosen: Sequence[int]) -> int:
    """The place of the winner's best evaluation among those shown, or of the nearest one."""
    steps = [evaluation.step for evaluation in view.best.evaluations] if view.best else []
    if view.best is None or view.best.step not in steps:
        return len(chosen) - 1
    kept = steps.index(view.best.step)
    return min(range(len(chosen)), key=lambda place: abs(chosen[place] - kept))


def development(view: TrainingView, album: Album) -> Markup | None:
    """A training's images over its evaluations, next to real ones; None if there are none yet."""
    steps = [evaluation.step for evaluation in view.trial.evaluations]
    if not any(view.result.folder.sample(step).is_file() for step in steps):
        return None
    if len(steps) > 1:
        return becoming(view, album, truth=True)
    made = shown(view, album, view.trial, view.name(view.trial))
    real = _truth(view, album, "whole") if made else None
    return tag("div", *filter(None, (made, real)), class_="grids") if made else None


def _truth(view: View, album: Album, part: Part) -> Markup | None:
    """A grid of real images; None if there is no file."""
    image = album.show(view.real, "real images", part)
    return _figure(image, "real images of the training set") if image else None


def _round_name(trials: Sequence[Trial], place: int) -> str:
    """The step of an evaluation, or its number if steps differ between trials."""
    steps = {t.evaluations[place].step for t in trials if place < len(t.evaluations)}
    return str(steps.pop()) if len(steps) == 1 else f"no. {place + 1}"


def _fitting(view: View, album: Album, rounds: Sequence[int]) -> tuple[list[int], Part]:
    """The evaluations that there is room for, and how much of each grid to show."""
    parts: tuple[Part, ...] = ("whole", "quarter")
    for part in parts:
        for most in (_STEPS, 8, 6, 4):
            some = _thinned(rounds, most)
            paths = [
                view.result.folders[trial.number].sample(trial.evaluations[place].step)
                for trial in view.ranked[:TOP]
                for place in some
                if place < len(trial.evaluations)
            ]
            if album.fits(paths, part):
                return some, part
    return _thinned(rounds, 2), "quarter"


def _others(view: SearchView) -> dict[str, Trial]:
    """Trials for comparison: the defaults, the median, the worst, and a dead one."""
    fresh = [t for t in view.result.trials if t.confirms and t.worth is not None]
    defaults = next((c.params for c in view.result.confirmed if c.number is None), None)
    of_defaults = History([t for t in fresh if t.params == defaults], view.result.direction).best()
    whole = [t for t in view.ranked if t.state is State.COMPLETE and t not in view.ranked[:TOP]]
    dead = [t for t in view.trials if t.dead and t.evaluations]
    found = {}
    if of_defaults is not None and of_defaults not in view.ranked[:TOP]:
        found[f"{_DEFAULTS} {of_defaults.number}"] = of_defaults
    if len(whole) > 2:
        middle = whole[len(whole) // 2]
        found[f"the median of the search's whole trainings: trial {middle.number}"] = middle
    if whole:
        found[f"the search's worst whole training: trial {whole[-1].number}"] = whole[-1]
    if dead:
        found[f"{dead[0].state.value}: trial {dead[0].number}"] = dead[0]
    return found


def shown(
    view: View, album: Album, trial: Trial, title: str, part: Part = "whole"
) -> Markup | None:
    """A trial's grid at its best step, or at its last if it has none; None without a file."""
    step = _best_step(trial)
    image = album.show(_best_grid(view, trial), f"images of {view.name(trial)}, step {step}", part)
    if image is None:
        return None
    named = ((m.name, m.worths[trial.number]) for m in view.measures if trial.number in m.worths)
    worths = figures(named)
    words = [f"{title}, step {step}", worths or trial.reason, describe(view.chosen(trial))]
    return _figure(image, *filter(None, words))


def _best_step(trial: Trial) -> int:
    if trial.step is not None and not trial.dead:  # for a dead trial: how it died
        return trial.step
    return trial.evaluations[-1].step if trial.evaluations else 0


def _best_grid(view: View, trial: Trial) -> Path:
    return view.result.folders[trial.number].sample(_best_step(trial))


def _at(view: View, album: Album, trial: Trial, place: int, part: Part) -> Markup:
    """A trial's grid at an evaluation, or a placeholder."""
    if place >= len(trial.evaluations):
        last = trial.evaluations[-1].step if trial.evaluations else 0
        words = f"{state_of(trial)} at step {last}"
        return _figure(tag("div", words, class_="empty"), view.name(trial))
    evaluation = trial.evaluations[place]
    path = view.result.folders[trial.number].sample(evaluation.step)
    name = f"{view.name(trial)}, step {evaluation.step}"
    image = album.show(path, f"images of {name}", part)
    values = [(m.name, v) for m in view.measures if (v := m.of(evaluation)) is not None]
    caption = f"{name}: {figures(values) or 'no value'}"
    return _figure(image or tag("div", "no image here", class_="empty"), caption)


def _figure(image: Markup, *words: str) -> Markup:
    lines = [part for word in words for part in (word, tag("br"))][:-1]
    return tag("figure", image, tag("figcaption", *lines))


def _caption(view: SearchView) -> str:
    """How the grids were made, for readers."""
    sizes = {trial.params.get("z_dim") for trial in view.ranked[:TOP]}
    types = {trial.params.get("condition") for trial in view.ranked[:TOP]}
    same = "All grids use the same latent vectors, none of them hand-picked"
    if len(sizes | types) > 2:
        same = "The latent vectors come from one seed, but differ in size"
    return (
        f"{same}. The images are compressed for viewing; the originals are in each trial's samples "
        "folder."
    )


def _thinned(steps: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of the steps, evenly spaced, including the last."""
    if len(steps) <= most:
        return list(steps)
    return [steps[-1 - place * len(steps) // most] for place in range(most)][::-1]
