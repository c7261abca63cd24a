"""Points in words: how good their trainings were, and what to expect from another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autogan.config import own_flags, proxy_of
from autogan.core.invocation import command
from autogan.decisions.budget import updates_per_step
from autogan.decisions.confirmation import Confirmed
from autogan.record.words import aligned, describe, duration, figure, state_of
from autogan.search import Trial
from autogan.search.model import Outlook
from autogan.search.repeats import Standing
from autogan.search.space import key

if TYPE_CHECKING:
    from autogan.show.result import SearchResult

_FEW = 4  # seeds; an estimate from fewer is rough
_SURE = 0.95  # probability of survival below which a warning is due


def seeds(standing: Standing) -> str:
    """Such as ``under 3 seeds (1.02 to 1.19), none died`` or ``under one seed``."""
    ended = len(standing.ended)
    if not ended:
        return "when it was stopped early"
    if ended == 1:
        return "under one seed"
    values = standing.values
    extent = f" ({figure(min(values))} to {figure(max(values))})" if len(values) > 1 else ""
    died = f"{standing.died} of them died" if standing.died else "none died"
    return f"under {ended} seeds{extent}, {died}"


def expected(standing: Standing) -> Outlook | None:
    """The outlook; None if it is not known, or if its range has no width.

    Then no point has shown yet how much values vary, so that the range means nothing.
    """
    outlook = standing.outlook
    if outlook is None or figure(outlook.low) == figure(outlook.high):
        return None
    return outlook


def promise(standing: Standing) -> str:
    """The value to expect from a further training; empty if nothing is known."""
    outlook = expected(standing)
    if outlook is None:
        one = standing.outlook is not None and len(standing.ended) == 1
        return "one training says little about a further one" if one else ""
    words = f"expect {figure(outlook.low)} to {figure(outlook.high)} from a further training"
    if outlook.survival < _SURE:
        words += f" that lives; {100 * (1 - outlook.survival):.0f} % of them die"
    ended = len(standing.ended)
    if ended < _FEW:
        words += f" (rough: from {'one seed' if ended == 1 else f'{ended} seeds'})"
    return words


def plain_standing(standing: Standing) -> dict[str, Any]:
    """A standing as plain values, for JSON."""
    outlook = expected(standing)
    return {
        "trial": standing.first.number,
        "hyperparameters": dict(standing.first.params),
        "mean": standing.value,
        "values": standing.values,
        "seeds": len(standing.ended),
        "died": standing.died,
        "low": None if outlook is None else outlook.low,
        "high": None if outlook is None else outlook.high,
        "survival": None if standing.outlook is None else standing.outlook.survival,
    }


def points_table(result: "SearchResult", most: int, *, every: bool) -> list[str]:
    """A line per point, the recommended first: its mean, seeds, deaths and worst value.

    Points trained again under fresh seeds come first, then others trained to the end by their
    expected values, then the rest by value.

    Args:
        result: of a search in which points have several seeds.
        most: number of lines, unless ``every``.
        every: show all points, each with its trainings below it.
    """
    points = confirmed_first(result)
    names = [dimension.name for dimension in result.config.space.dimensions]
    again = ["under fresh seeds"] if result.confirmed else []
    head = ["first trial", *again, result.terms.objective, "seeds", "died", "worst", *names]
    rows: list[list[str]] = []
    for point, fresh in points if every else points[:most]:
        rows.append([
            name_of(point),
            *([str(fresh or "-")] if again else []),
            _figure(point.value),
            ended(point),
            str(point.died or "-"),
            _figure(worst(result, point)),
            *(_figure(point.first.params.get(name)) for name in names),
        ])  # fmt: skip
        if every:
            rows += [
                [f"  trial {trial.number}", *(" " for _ in again), _figure(trial.value),
                 state_of(trial)]
                for trial in point.trials
                if len(point.trials) > 1
            ]  # fmt: skip
    first = "those under fresh seeds, then " if again else ""
    order = f"the points: first {first}those trained to the end, by the values to expect"
    lines = [f"{order}:", *(f"  {line}" for line in aligned([head, *rows]))]
    left = len(points) - len(points[:most])
    return lines if every or left <= 0 else [*lines, f"  and {left} more points"]


def confirmed_first(result: "SearchResult") -> list[tuple[Standing, Confirmed | None]]:
    """The points with their results under fresh seeds: first those that have any, by these.

    Defaults that only the confirmation trained are a point without trials.
    """
    own = {key(point.first.params): point for point in result.points}
    fresh = {key(each.params): each for each in result.confirmed}
    first = [
        (own.pop(each) if each in own else Standing(Trial(-1, dict(found.params)), []), found)
        for each, found in fresh.items()
    ]
    return [*first, *((point, None) for point in own.values())]


def name_of(point: Standing) -> str:
    """The number of a point's first trial; ``defaults`` if only a confirmation trained them."""
    return str(point.first.number) if point.trials else "defaults"


def ended(point: Standing) -> str:
    """The number of a point's whole trainings, or its first trial's state; ``-`` if untried."""
    if not point.trials:
        return "-"
    return str(len(point.ended)) if point.ended else state_of(point.first)


def worst(result: "SearchResult", point: Standing) -> float | None:
    """The worst value of a point's whole trainings that did not die; None if fewer than two."""
    choose = max if result.direction == "min" else min
    return choose(point.values) if len(point.values) > 1 else None


def _figure(value: object) -> str:
    if value is None:
        return "-"
    return figure(value) if isinstance(value, float) else str(value)


def differ(result: "SearchResult") -> str:
    """A note if the best generator is from another trial."""
    best, hand = result.best, result.in_hand
    if best is None or hand is None or hand.number == best.number or result.front:
        return ""
    return f"; the best generator is trial {hand.number}'s"


def outdone(result: "SearchResult") -> list[str]:
    """A line on the best point that lost by its deaths: its mean is better than the winner's."""
    winner, sign = result.standing, 1 if result.direction == "min" else -1
    if winner is None or winner.value is None or result.confirmed or result.front:
        return []
    better = [
        (sign * point.value, point.first.number, died(point))
        for point in result.points
        if point.values
        and point.value is not None
        and sign * point.value < sign * winner.value
        and point.died * len(winner.ended) > winner.died * len(point.ended)
    ]
    return [
        f"trial {number}'s point has a better mean ({figure(sign * mean)}), but {lost}"
        for mean, number, lost in sorted(better)[:1]
    ]


def died(standing: Standing) -> str:
    """The number of a point's trainings that died, for a warning; empty if none did."""
    if not standing.died:
        return ""
    return f"{standing.died} of its {len(standing.ended)} trainings diverged or collapsed"


def in_hand(result: "SearchResult") -> list[str]:
    """A line about the best generator of all, if its training is not the recommended one.

    Luck is welcome here: this generator makes the best images so far.
    """
    trial, best = result.in_hand, result.best
    kept = trial.kept if trial else None
    if trial is None or kept is None or (best and trial.number == best.number) or result.front:
        return []
    root = result.folders[trial.number].root
    look = command("autogan", "sample", root, *own_flags(result.config, "sample"))
    own = result.point(trial.params)
    if trial.dead:
        why = f"; its training {trial.state.value} afterwards"
    elif own is not None and len(own.trials) > 1:
        why = f"; its hyperparameters reach {figure(own.value or 0.0)} {seeds(own)}"
    else:
        why = "; its hyperparameters may have been lucky"
    return [
        f"the best generator in hand: trial {trial.number}, {result.terms.evaluation(kept)} at "
        f"step {kept.step}{why}: {look}"
    ]


def of_defaults(result: "SearchResult") -> Standing | None:
    """All that is known about the GAN type's defaults; None if they were not tried."""
    return result.point(result.config.space.defaults())


def defaults(result: "SearchResult") -> list[str]:
    """The GAN type's defaults compared with the winner, in value and cost."""
    best = result.best
    own = of_defaults(result) if len(result.points) > 1 else None
    if best is None or own is None or result.confirmed or result.front:
        return []
    if own.first.params == best.params:
        return ["the defaults are the best point found"]
    if not own.ended and own.value is not None:
        return [_too_early(result, own.first, best)]
    cost, price = (
        updates_per_step(result.config, trial) * max(trial.steps for trial in result.trials)
        for trial in (own.first, best)
    )
    worth = "no value" if own.value is None else figure(own.value)
    standing = result.standing
    value = best.value if standing is None else standing.value
    return [
        f"the defaults (trial {own.first.number}): {worth} {seeds(own)}, {cost} updates of both "
        f"networks; the winner: {figure(value or 0.0)}, {price} updates"
    ]


def _too_early(result: "SearchResult", own: Trial, best: Trial) -> str:
    """A line on defaults that a rule stopped, with the winner's value by the same step."""
    steps = own.evaluations[-1].step
    values = [e.value for e in best.evaluations if e.step <= steps and e.value is not None]
    choose = min if result.direction == "min" else max
    there = f" (the winner had {figure(choose(values))} by then)" if values else ""
    return (
        f"the defaults (trial {own.number}) were stopped at step {steps} of {best.steps} with "
        f"{figure(own.value or 0.0)}{there}, too early to compare; --confirm compares them"
    )


def confirming(result: "SearchResult") -> list[str]:
    """The words of the command that confirms a search."""
    own = own_flags(result.config, "search")
    top = min(max(sum(bool(point.ended) for point in result.points), 1), 3)
    flags = ("--resume", str(result.folder.root), "--confirm", f"top={top},repeats=5")
    return ["autogan", "search", *flags, *own]


def by_proxy(result: "SearchResult") -> list[str]:
    """The points that a proxy chose, and their results in full; empty without a proxy.

    The proxy's values come from a smaller training: only their order matters.
    """
    chosen = result.proxy
    if chosen is None:
        return []
    show = command("autogan", "show", result.folder.proxy.root)
    size = proxy_of(result.config)
    cost = f"{duration(chosen.seconds)} of training"
    lines = [f"the proxy ({size}; {cost}; {show}) chose from {chosen.tried} points; these in full:"]
    for number, point, value in zip(chosen.trials, chosen.points, chosen.values, strict=True):
        here = result.point(point)
        full = "not trained" if here is None else "no value"
        if here is not None and here.value is not None:
            full = f"{figure(here.value)} {seeds(here)}"
        lines.append(
            f"  trial {number} of the proxy, {figure(value)} there: {full}  {describe(point)}"
        )
    return lines


@dataclass(frozen=True)
class Choice:
    """The choice of one criterion alone.

    Attributes:
        criterion: its name.
        value: the best value of all evaluations of trainings that did not die.
        trial: the trial of that evaluation.
    """

    criterion: str
    value: float
    trial: Trial


def by_criterion(result: "SearchResult") -> list[Choice]:
    """The choice of each recorded criterion, in order; empty if there is only one criterion."""
    labels: Mapping[str, str] = result.header["labels"]
    choices = []
    for name, criterion in result.config.criteria().items():
        if not criterion.chooses:
            continue
        sign = 1 if criterion.direction == "min" else -1
        values = [
            (sign * evaluation.scores[labels[name]], trial.number)
            for trial in result.trials
            if trial.worth is not None
            for evaluation in trial.evaluations
            if not evaluation.collapsed and labels.get(name) in evaluation.scores
        ]
        if values:
            value, number = min(values)
            choices.append(Choice(name, sign * value, result.trials[number]))
    return choices if len(choices) > 1 else []


def choices_table(result: "SearchResult") -> list[str]:
    """The choices of all criteria in words, a line each."""
    choices = by_criterion(result)
    if not choices:
        return []
    lines = [
        f"  {c.criterion}  {figure(c.value)}  trial {c.trial.number}  {describe(c.trial.params)}"
        for c in choices
    ]
    return ["each criterion alone would choose:", *lines]
