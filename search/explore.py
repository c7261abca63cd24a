"""Exploit & explore, the search method of Auto-GAN (2018, sections 3.5 and 4.3.3)."""

from collections.abc import Mapping, Sequence

from autogan.core.hyperparameters import Dimension, Value
from autogan.search.base import Proposal, SearchMethod, rng
from autogan.search.history import History, Trial
from autogan.search.space import Point, Space, neighbours

_ORIGIN = "explore "


class Explore(SearchMethod):
    """Draw at random; after a draw at least as good as the best so far, step away from it.

    A draw that is at least as good as everything before it is *exploited*: each of its values is
    perturbed (`neighbours`), one combination of the perturbed values is tried at once, and all
    perturbed values join the bags from which later draws come. The step away may become the best,
    but the method does not step away from it again.

    The bags are never stored: each call rebuilds them from the history.
    """

    name = "explore"
    summary = "exploit & explore: random draws, and a step away from each new best"

    stays_in_space = False

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Step away from the last exploited draw, or draw again; see `SearchMethod.propose`."""
        exploited = _exploited(self.known(space, history), history)
        random = rng(seed, history)
        used = self.used(history)

        explored = {trial.origin for trial in history.trials}
        for trial in exploited:
            if (origin := f"{_ORIGIN}{trial.number}") not in explored:
                step = _around(space, trial.params).draw(random, used)
                if step is not None:
                    return Proposal(step, origin)

        point = space.draw(random, used, _appended(space, exploited))
        return None if point is None else Proposal(point)

    def learns_from(self, space: Space, point: Point) -> bool:
        """Learn from points within the ranges; lists are only a start, and set no limits."""
        return Space(tuple(d for d in space.dimensions if d.range)).spans(point)


def _exploited(known: Sequence[Trial], history: History) -> list[Trial]:
    """The draws at least as good as all trials before them."""
    exploited = []
    best: float | None = None
    for trial in known:
        if not trial.alive or trial.value is None:
            continue
        if best is None or history.at_least_as_good(trial.value, best):
            best = trial.value
            if not trial.origin.startswith(_ORIGIN):
                exploited.append(trial)
    return exploited


def _around(space: Space, point: Point) -> Space:
    """The space of the values next to those of ``point``."""
    return Space(
        tuple(
            Dimension(d.hyperparameter, neighbours(d.under(point), point[d.name]))
            if d.name in point
            else d
            for d in space.dimensions
        ),
        lambda step: not space.allows(step),
    )


def _appended(space: Space, exploited: Sequence[Trial]) -> Mapping[str, Sequence[Value]]:
    """The perturbed values of all exploited draws, by hyperparameter.

    Sizes and choices are left out: their steps are among the candidates, already in the bag.
    """
    appended: dict[str, list[Value]] = {}
    for dimension in space.dimensions:
        if dimension.hyperparameter.kind in ("size", "choice"):
            continue
        name = dimension.name
        appended[name] = [
            step
            for trial in exploited
            if (value := trial.params.get(name)) is not None
            for step in neighbours(dimension.under(trial.params), value)
            if step != value
        ]
    return appended
