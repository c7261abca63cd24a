"""Adaptive exploring: exploit & explore for small budgets and noisy criteria; our own."""

import random
from collections.abc import Mapping, Sequence

from typing_extensions import override

from autogan.search.base import Proposal, SearchMethod, rng
from autogan.search.cube import Cube
from autogan.search.history import History, Trial, rank_scores
from autogan.search.space import Space, key

_RANDOM = 0.1  # the share of draws from the whole space, for what steps cannot reach
_FIRST, _SMALLEST, _LARGEST = 0.3, 0.1, 0.6  # step sizes, of a cube with sides 1
_LONGER, _SHORTER = 1.3, 0.93  # of a step that succeeded, that failed: steady at one in five
_CROSSED = 0.3  # the share of coordinates that come from another good point
_ATTEMPTS = 100  # at a step to a point that has not been tried

_ORIGIN = "adaptive "


class AdaptiveExplore(SearchMethod):
    """Step away from several good points, by steps that grow with success and shrink without.

    What it changes of exploit & explore: several points are stepped away from instead of the one
    that is the best so far, which with noisy values is a lucky one; the better of them more often.
    A step changes one or two hyperparameters. Its length is measured along each one's candidates
    or range, and follows the success of earlier steps (the one-fifth rule, Rechenberg, 1973). So
    long as there are fewer than two trials for each dimension, and now and then later, it draws at
    random. Steps do not depend on the last trial alone, so that many can be run at once.
    """

    name = "adaptive"
    summary = "steps away from several good points, longer after success, shorter after failure"

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Step away from a good point, or draw anew; see `SearchMethod.propose`."""
        random, used, cube = rng(seed, history), self.used(history), Cube(space)
        known = self.known(space, history)
        if len(known) >= self.drawn_first(space) and random.random() >= _RANDOM:
            numbers = [trial.number for trial in known]
            standing = dict(zip(numbers, rank_scores(history, known), strict=True))
            ranked = sorted(known, key=lambda trial: (standing[trial.number], trial.number))
            good = ranked[: max(round(len(known) ** 0.5), 2)]
            places = cube.places([trial.params for trial in good]).tolist()
            size = _step_size(known, standing)
            for _ in range(_ATTEMPTS):
                parent = min(random.randrange(len(good)), random.randrange(len(good)))
                point = cube.point(_step(places, parent, size, random))
                if key(point) not in used and space.allows(point):
                    return Proposal(point, f"{_ORIGIN}{good[parent].number}")
        drawn = space.draw(random, used)
        return None if drawn is None else Proposal(drawn)

    @override
    def drawn_first(self, space: Space) -> int:
        return 2 * Cube(space).size


def _step(
    places: Sequence[Sequence[float]], parent: int, size: float, random: random.Random
) -> list[float]:
    """A place near one of the good ones."""
    place = list(places[parent])
    moved = 1 + (random.random() < 0.5)
    for axis in random.sample(range(len(place)), min(moved, len(place))):
        if random.random() < _CROSSED:
            place[axis] = random.choice(places)[axis]
        else:
            place[axis] += random.gauss(0, size)
    return place


def _step_size(known: Sequence[Trial], standing: Mapping[int, float]) -> float:
    """The length of the next step, from the success of all so far."""
    size = _FIRST
    for trial in known:
        if trial.origin.startswith(_ORIGIN):
            parent = int(trial.origin.removeprefix(_ORIGIN))
            better = parent in standing and standing[trial.number] < standing[parent]
            size = min(max(size * (_LONGER if better else _SHORTER), _SMALLEST), _LARGEST)
    return size
