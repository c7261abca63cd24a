"""Adaptive exploring: AutoGAN's own variant of exploit & explore, for small or noisy searches."""

import random
from collections.abc import Mapping, Sequence

from typing_extensions import override

from autogan.search.base import Proposal, SearchMethod, rng
from autogan.search.cube import Cube
from autogan.search.history import History, Trial, rank_scores
from autogan.search.space import Space, key

_RANDOM = 0.1  # the share of draws from the whole space, for points that steps cannot reach
_FIRST, _SMALLEST, _LARGEST = 0.3, 0.1, 0.6  # step sizes in the unit cube
_LONGER, _SHORTER = 1.3, 0.93  # factors after success and failure: steady at one success in five
_CROSSED = 0.3  # the share of coordinates that come from another good point
_ATTEMPTS = 100  # to step to an untried point

_ORIGIN = "adaptive "


class AdaptiveExplore(SearchMethod):
    """Step away from several good points; steps grow after success and shrink after failure.

    The differences from exploit & explore: it steps away from several good points, more often from
    the better ones, because with noisy values the single best is often a lucky one. A step changes
    one or two hyperparameters. Its length is measured along each one's candidates or range, and
    adapts to the success of earlier steps (the one-fifth rule, Rechenberg, 1973). The method draws
    at random while there are fewer than two trials per dimension, and sometimes later. Steps do not
    depend on the last trial alone, so that many trials can run at once.
    """

    name = "adaptive"
    summary = "steps away from several good points, longer after success, shorter after failure"

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Step away from a good point, or draw a new one; see `SearchMethod.propose`."""
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
    """The length of the next step, from the success of all steps so far."""
    size = _FIRST
    for trial in known:
        if trial.origin.startswith(_ORIGIN):
            parent = int(trial.origin.removeprefix(_ORIGIN))
            better = parent in standing and standing[trial.number] < standing[parent]
            size = min(max(size * (_LONGER if better else _SHORTER), _SMALLEST), _LARGEST)
    return size
