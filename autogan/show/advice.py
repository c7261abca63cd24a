"""Advice for the next search, from a search's results."""

import math
from collections.abc import Sequence

from autogan.config import own_flags
from autogan.core.hyperparameters import Dimension, Value
from autogan.core.invocation import command
from autogan.search import History, Space, State
from autogan.search.cube import Cube
from autogan.search.space import distinct_values
from autogan.show.result import SearchResult
from autogan.show.verdict import BETTER, LUCK, verdict

_FEWEST = 8  # trials with a value; with fewer, chance alone may reach the end of a range
_BEST = 4  # number of points that count as the best
_EDGE = 0.05  # of a range
_NEARLY_ALL = 0.8


def advice(result: SearchResult) -> list[str]:
    """Changes to make in the next search, a sentence each.

    Ranges are left alone if a confirmation did not find the winner better than the defaults.
    """
    if result.confirmed and not (found := verdict(result)).endswith(BETTER):
        return [*(_more_seeds(result) if found.endswith(LUCK) else []), *_longer(result)]
    return [*_edges(result), *_longer(result)]


def _more_seeds(result: SearchResult) -> list[str]:
    """Advice on a confirmation that did not decide between the winner and the defaults."""
    confirm = result.config.confirm
    assert confirm is not None
    more = f"top={confirm.top},repeats={2 * confirm.repeats}"
    flags = ("--resume", result.folder.root, "--confirm", more)
    again = command("autogan", "search", *flags, *own_flags(result.config, "search"))
    return [f"The difference may be luck: take either, or train more seeds to decide: {again}"]


def _edges(result: SearchResult) -> list[str]:
    """Advice to widen ranges at whose ends the best trials lie."""
    own = [trial for trial in result.trials if not trial.confirms]
    ranked = History([t for t in own if t.repeats is None], result.direction).ranked()
    if len(ranked) < _FEWEST:
        return []
    said = []
    for dimension in result.config.space.dimensions:
        interval, declared = dimension.range, dimension.hyperparameter
        different = distinct_values(dimension)
        best = [t.params for t in ranked[:_BEST] if dimension.name in t.params]
        if interval is None or (different is not None and len(different) < 1 / _EDGE):
            said += _list_end(dimension, [point[dimension.name] for point in best])
            continue
        places = Cube(Space((dimension,))).places(best)
        for word, limit, declared_limit, near in (
            ("lower", interval.low, declared.low, [p < _EDGE for p in places]),
            ("upper", interval.high, declared.high, [p > 1 - _EDGE for p in places]),
        ):
            if 2 * sum(near) > _BEST and limit != declared_limit:
                said.append(
                    f"The best trials lie at the {word} end of {dimension.name}'s range "
                    f"({interval}): widen the range."
                )
    return said


def _list_end(dimension: Dimension, best: Sequence[Value]) -> list[str]:
    """Advice to extend a list of numbers if all of the best trials have its first or last one."""
    declared = dimension.hyperparameter
    if declared.kind == "choice" or len(best) < _BEST:
        return []
    numbers = sorted(map(float, distinct_values(dimension) or ()))
    for word, ordered, limit, all_there in (
        ("lowest", numbers[::-1], declared.low, max(map(float, best)) <= numbers[0]),
        ("highest", numbers, declared.high, min(map(float, best)) >= numbers[-1]),
    ):
        if all_there and ordered[-1] != limit and len(numbers) > 1:
            further = sorted([*numbers, _further(ordered, limit, integer=declared.integer)])
            listed, longer = (",".join(f"{n:g}" for n in each) for each in (numbers, further))
            return [
                f"The best trials have the {word} {dimension.name} ({ordered[-1]:g} of {listed}): "
                f"extend the list, for example with --param {dimension.name}={longer}"
            ]
    return []


def _further(numbers: Sequence[float], limit: float, *, integer: bool) -> float:
    """One more number at the end of a list, as far from its last one as that from the one before.

    Args:
        numbers: that rise or fall.
        limit: of the hyperparameter, in their direction.
        integer: whether it takes whole numbers only.
    """
    before, last = numbers[-2:]
    factors = min(before, last) > 0
    further = last * last / before if factors else 2 * last - before
    if integer:
        further = float(math.ceil(further) if last > before else math.floor(further))
    return min(further, limit) if last > before else max(further, limit)


def _longer(result: SearchResult) -> list[str]:
    """Advice to train longer if whole trainings were still improving at their end."""
    whole = [t for t in result.trials if t.state is State.COMPLETE and len(t.evaluations) > 1]
    last = [trial for trial in whole if trial.step == trial.evaluations[-1].step]
    if not whole or len(last) < _NEARLY_ALL * len(whole):
        return []
    config = result.config
    longer = ["--epochs", 2 * config.epochs] if config.epochs else ["--steps", 2 * last[0].steps]
    own = own_flags(config, "train")
    again = command("autogan", "train", result.folder.root, "--resume", *longer, *own)
    return [
        f"{len(last)} of {len(whole)} whole trainings were best at their last step: search with "
        f"{' '.join(map(str, longer))}, or train the winner longer: {again}"
    ]
