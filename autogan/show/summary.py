"""The result of a search, in words and as a table."""

import html
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

from autogan.config import own_flags
from autogan.core.invocation import command
from autogan.record.words import aligned, describe, duration, figure, spark, state_of, trials
from autogan.search import State, Trial
from autogan.search.space import key
from autogan.show.judged import LUCKY, judged, judgement, reading, value_rows, warnings
from autogan.show.standings import (
    by_proxy,
    choices_table,
    defaults,
    differ,
    in_hand,
    outdone,
    points_table,
    promise,
    seeds,
)
from autogan.show.verdict import under_fresh_seeds

if TYPE_CHECKING:
    from autogan.show.result import SearchResult

_SHOWN = 20  # trials in a table


def summary(result: "SearchResult", *, every: bool = False) -> str:
    """The result of a search, for people: the winner, its value, and the best trials.

    Args:
        result: of the search.
        every: show all trials.
    """
    best = result.best
    if best is None:
        return "\n".join(
            [_without_best(result), *in_hand(result), *_late(result), *_table(result, every)]
        )
    lines = [f"best of {_counted(result)}: trial {best.number}{differ(result)}"]
    if len(result.points) == 1 and len(result.trials) > 1 and not result.confirmed:
        lines = [f"one configuration, {trials(len(result.trials))}{differ(result)}"]
    lines += [f"  {name} = {value}{_left(result, name)}" for name, value in best.params.items()]
    lines += [f"  fixed: {own}"] if (own := fixed(result)) else []
    if result.front:
        prefer = result.config.prefer
        chosen = "its knee" if prefer is None else f"the best by {prefer}"
        lines.append(f"  {result.terms.worth(best)} ({chosen}), at step {best.step}")
    else:
        lines += _value(result, best)
    said = [
        *under_fresh_seeds(result),
        *_course(result),
        *by_proxy(result),
        *_judged(result),
        *_warned(result),
        *outdone(result),
        *defaults(result),
        *choices_table(result),
    ]
    return "\n".join([*lines, *said, *in_hand(result), *_late(result), *_table(result, every)])


def standing(result: "SearchResult") -> list[str]:
    """A search's task, progress and cost; it may not have ended."""
    config = result.config
    method = (
        f"{config.search_method} with {config.stopping}"
        if config.stopping
        else (config.search_method)
    )
    state = result.state
    interrupted = "running" if state == "running" else "interrupted"
    counts = Counter(
        interrupted if trial.state is State.RUNNING else state_of(trial) for trial in result.trials
    )
    each = ", ".join(f"{count} {state}" for state, count in counts.items())
    whole = result.folder.whole
    small = "" if whole == result.folder.root else f"proxy (a smaller training) of {whole}; "
    lines = [
        f"{small}{config.gan_type} on {config.dataset} by {method}: {state}",
        f"{trials(len(result.trials))}: {each}" if each else "no trial has started",
        f"{result.updates()} updates of both networks, {duration(result.seconds)} of training",
    ]
    for trial in result.trials:
        if trial.state is State.RUNNING:
            last = f" at step {trial.evaluations[-1].step}" if trial.evaluations else ""
            verb = "running" if state == "running" else "to be resumed"
            lines.append(f"{verb}: trial {trial.number}{last}  {describe(trial.params)}")
    if state == "unfinished":
        own = own_flags(config, "search")
        again = command("autogan", "search", "--resume", result.folder.whole, *own)
        lines.append(f"resume with: {again}")
    return lines


def rows(result: "SearchResult") -> list[dict[str, Any]]:
    """A row per trial, the best first: its state, its result, its hyperparameters.

    Dead trials that had a value follow the others, and trials without a value come last.
    """
    sign = 1 if result.direction == "min" else -1
    places = {key(point.first.params): place for place, point in enumerate(result.points)}
    ordered = sorted(
        result.trials,
        key=lambda t: (
            t.value is None,
            t.dead,
            places.get(key(t.params), len(places)),
            sign * (t.value or 0.0),
            t.number,
        ),
    )
    again = any(trial.repeats is not None for trial in ordered)
    confirms = any(trial.confirms for trial in ordered)
    return [_row(result, trial, again, confirms) for trial in ordered]


def table_html(result: "SearchResult") -> str:
    """The trials as an HTML table, under a line that names the best."""
    made = rows(result)
    columns = list(dict.fromkeys(name for row in made for name in row))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(row.get(n)))}</td>" for n in columns) + "</tr>"
        for row in made
    )
    return (
        f"<p>{html.escape(str(result))}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(result: "SearchResult", trial: Trial, again: bool, confirms: bool) -> dict[str, Any]:
    # For collapsed images, the measured value: it decides nothing.
    shown = trial.kept or (trial.evaluations[-1] if trial.collapsed and trial.evaluations else None)
    scores = result.terms.named(shown) if shown else {}
    first = {name: scores.pop(name, None) for name in result.terms.deciding}
    if not result.front and len(first) == 1:
        measured = first.get(result.terms.objective) if trial.value is None else trial.value
        first = {result.terms.objective: measured}
    step = shown.step if shown else trial.step
    row: dict[str, Any] = {"trial": trial.number, **first, "step": step}
    row["state"] = state_of(trial)
    if again:
        row["another seed of"] = trial.repeats
    if confirms:
        row["confirms"] = trial.confirms
    searched = [d.name for d in result.config.space.dimensions]
    row |= {name: trial.params.get(name) for name in searched}
    return {**row, **scores, "seconds": round(trial.seconds, 1), "seed": trial.seed}


def _table(result: "SearchResult", every: bool) -> list[str]:
    """The best trials or all, a line each: the deciding value and the hyperparameters."""
    made = rows(result)
    if not made:
        return []
    if any(trial.repeats is not None for trial in result.trials):
        return ["", *points_table(result, _SHOWN, every=every), ""]
    most = len(made) if every else _SHOWN
    others = {n for n in result.terms.names.values() if n not in result.terms.deciding}
    shown = [name for name in made[0] if name not in {*others, "seconds", "seed"}]
    cells = [shown, *([_cell(row[name]) for name in shown] for row in made[:most])]
    lines = [f"  {line}" for line in aligned(cells)]
    more = len(made) - most
    if more > 0:
        again = command("autogan", "show", result.folder.root)
        lines.append(f"  and {more} more: {again}")
    return ["", *lines, ""]


def _cell(value: object) -> str:
    if value is None or value is False:
        return "-"
    if value is True:
        return "yes"
    return figure(value) if isinstance(value, float) else str(value)


def _counted(result: "SearchResult") -> str:
    """``8 trials``, or ``4 points in 11 trials`` if some were trained again."""
    points = len({key(trial.params) for trial in result.trials if not trial.confirms})
    count = trials(len(result.trials))
    again = any(t.repeats is not None or t.confirms for t in result.trials)
    whole = sum(trial.state is State.COMPLETE for trial in result.trials)
    stopped = any(trial.state is State.STOPPED for trial in result.trials)
    ended = f", {whole} trained to the end" if stopped else ""
    return f"{points} points in {count}{ended}" if again else f"{count}{ended}"


def fixed(result: "SearchResult") -> str:
    """The winner's hyperparameters that were neither searched nor left at their defaults."""
    usual, searched = result.config.gan.defaults(), result.best.params if result.best else {}
    own = {
        name: value
        for name, value in result.config.gan.meaningful(result.hyperparameters).items()
        if name not in searched and value != usual.get(name)
    }
    return describe(own)


def _left(result: "SearchResult", name: str) -> str:
    """The reason why a value is not one of the user's candidates; empty if it is one."""
    dimension = next((d for d in result.config.space.dimensions if d.name == name), None)
    assert result.best is not None
    if dimension is None or dimension.range or result.best.params[name] in dimension.candidates:
        return ""
    given = ", ".join(map(str, dimension.candidates))
    if result.best.origin == "enqueued":
        return f"  (your own point; the candidates are {given})"
    return f"  (not one of the candidates {given}: {result.config.search_method} may leave them)"


def _value(result: "SearchResult", best: Trial) -> list[str]:
    """The winner's value, after the mean if it has several seeds."""
    assert best.value is not None
    worth = f"{result.objective} = {figure(best.value)} at step {best.step}"
    fresh = result.confirmation
    if fresh is not None and fresh.mean is not None:
        return [f"  mean {fresh.outcome}, below; trial {best.number} has", f"  {worth}"]
    standing = result.standing
    if standing is None or standing.value is None:
        return [f"  {worth}"]
    mean = f"{result.terms.objective} {figure(standing.value)} {seeds(standing)}"
    if len(standing.trials) == 1:
        mean = f"{worth}, {seeds(standing)}"
    lines = ["  " + "; ".join(filter(None, (mean, promise(standing))))]
    if len(standing.trials) > 1:
        lines.append(f"  trial {best.number} is the best of them: {worth}")
    return lines


def _course(result: "SearchResult") -> list[str]:
    """The course of the best value so far, as a small picture."""
    choose = min if result.direction == "min" else max
    own = [t.worth for t in result.trials if t.worth is not None and not t.confirms]
    if len(own) < 2 or len(result.points) == 1 or result.front:
        return []
    bests = list(itertools.accumulate(own, choose))
    course = f"from {figure(bests[0])} to {figure(bests[-1])}"
    word = "lowest" if result.direction == "min" else "highest"
    return [f"{word} {result.terms.objective} so far: {spark(bests)} {course}"]


def _judged(result: "SearchResult") -> list[str]:
    """The values on fresh latent vectors as a table, and their meaning."""
    made = judged(result)
    if not made:
        return []
    lines = [*aligned(value_rows(made)), *judgement(result.judged, result.terms), LUCKY]
    return [f"on fresh latent vectors ({reading(made)}):", *(f"  {line}" for line in lines)]


def _warned(result: "SearchResult") -> list[str]:
    return [f"warning: {line}" for line in warnings(result)]


def _without_best(result: "SearchResult") -> str:
    """A line for a search without a best trial, with advice that depends on its trials' states."""
    states = [trial.state for trial in result.trials]
    advice = []
    if any(trial.dead for trial in result.trials):
        advice.append("try lower learning rates")
    if result.config.constraint is not None:
        advice.append(f"loosen the constraint {result.config.constraint}")
    if State.TIMED_OUT in states:
        advice.append("raise max_trial_minutes")
    failed = next((t for t in reversed(result.trials) if t.state is State.FAILED), None)
    if failed is not None:
        advice.append(
            f"{result.folders[failed.number].traceback} says why trial {failed.number} failed"
        )
    words = "".join(f"; {each}" for each in advice)
    count = trials(len(states))
    return f"none of {count} has a value{words} (everything is in {result.folder.root})"


def _late(result: "SearchResult") -> list[str]:
    """A line on how to resume trials that were out of time, if there are any."""
    late = sum(trial.state is State.TIMED_OUT for trial in result.trials)
    if not late:
        return []
    root = result.folder.root
    own = own_flags(result.config, "search")
    again = command("autogan", "search", "--resume", root, "--max-trial-minutes", "MORE", *own)
    verb = "was" if late == 1 else "were"
    return [f"{trials(late)} {verb} out of time; resume with: {again}"]
