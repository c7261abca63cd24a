"""Bayesian optimisation with a Gaussian process (Snoek et al., 2012)."""

import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits
from typing_extensions import override

from autogan.search.base import Proposal, SearchMethod, digest, rng
from autogan.search.cube import Cube, Places
from autogan.search.history import History
from autogan.search.model import Model, drawn_first, enough
from autogan.search.space import Point, Space, key

_SPREAD = 3  # draws for a first trial, which takes the farthest one from the other trials
_DRAWN = 300  # candidates from the whole space
_PARENTS, _NEAR = 5, 40  # good points, and candidates near each
_STEPS = (0.02, 0.2)  # the least and the largest standard deviation of such a step
_CROSSED = 0.1  # the share of a near candidate's hyperparameters that come from a random draw
_APART = 0.03  # the least distance of a proposal from all trials
_FAR, _EVERY = 0.2, 4  # that of every fourth proposal, at most

Floats = npt.NDArray[np.float64]


class GaussianProcess(SearchMethod):
    """Model how good trainings are, and try the point with the largest expected improvement.

    The model sees each training separately, including stopped trainings and further seeds (see
    `autogan.search.model.Model`). The improvement is that of the noise-free function at full
    length, relative to its lowest estimate at any tried point (Snoek et al., 2012, equation 2). It
    is multiplied by the probability that training lives there (Gelbart, Snoek and Adams, 2014,
    arXiv:1403.5607). The model assumes that running trainings end as it predicts.

    The first trials, two more than there are hyperparameters and at most eight, are random, and
    further ones until four live; each is the one of three draws that is farthest from the other
    trials. Later proposals keep a least distance from all trials, because a point next to another
    one adds little information.
    """

    name = "gp"
    summary = "Gaussian process with expected improvement: few, expensive trials"
    sees_seeds: ClassVar[bool] = True

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Return the point of largest expected improvement; see `SearchMethod.propose`."""
        # The matrices are small: more threads would only wait for each other.
        with threadpool_limits(1, "blas"):
            return self._promising(space, history, seed)

    def _promising(self, space: Space, history: History, seed: int) -> Proposal | None:
        random, used = rng(seed, history), self.used(history)
        first = space.draw(random, used)
        if first is None:
            return None
        cube = Cube(space)
        tried = cube.places([trial.params for trial in history.trials])
        known = self.known(space, history)
        sound = list({key(t.params): t.params for t in known if t.worth is not None}.values())
        points_known = len({key(trial.params) for trial in known})
        if not enough(space, points_known, len(sound)):
            drawn = [first, *(p for _ in range(_SPREAD - 1) if (p := space.draw(random, used)))]
            return Proposal(drawn[int(np.argmax(_distances(tried, cube.places(drawn))))])

        learnt = [t for t in history.trials if self.learns_from(space, t.params)]
        model = Model(space, History(learnt, history.direction)).believing()
        means, _ = model.predict(sound)
        parents = [sound[place] for place in np.argsort(means, kind="stable")[:_PARENTS]]

        # Candidates from the whole space, and near the best points.
        size = space.size()
        if size is not None and size <= _DRAWN:
            points = list(space.points())
        else:
            points = [p for _ in range(_DRAWN) if (p := space.draw(random, used))]
        numbers = np.random.default_rng(digest(seed, history))
        near = _near(cube, cube.places(parents), cube.places([first, *points]), numbers)
        points = [first, *points, *near]
        left = [point for point in points if key(point) not in used and space.allows(point)]
        gains = model.gains(left, float(means.min()))
        if self.distinct:
            gains[~_apart(tried, cube.places(left))] = -1.0
        return Proposal(left[int(np.argmax(gains))])

    @override
    def drawn_first(self, space: Space) -> int:
        return drawn_first(space)


def _near(cube: Cube, good: Places, drawn: Places, numbers: np.random.Generator) -> list[Point]:
    """Points a step away from good ones, with some hyperparameters from random draws.

    Steps alone would hardly ever change a choice.
    """
    parents = np.repeat(good, _NEAR, axis=0)
    count = len(parents)
    least, largest = map(math.log, _STEPS)
    steps = np.exp(numbers.uniform(least, largest, (count, 1)))
    places = numbers.normal(parents, steps)
    crossed = numbers.random((count, len(cube.sizes))) < _CROSSED
    others = drawn[numbers.integers(len(drawn), size=count)]
    places = np.where(np.repeat(crossed, cube.sizes, axis=1), others, places)
    return [cube.point(place) for place in places]


def _distances(tried: Places, places: Places) -> Floats:
    """The distance of each place to the nearest tried one; infinite if there are none."""
    return np.array([np.linalg.norm(tried - p, axis=1).min(initial=math.inf) for p in places])


def _apart(tried: Places, places: Places) -> npt.NDArray[np.bool_]:
    """Which places are far enough from all tried ones; at least one always is.

    The least distance is `_APART`, and every fourth time `_FAR`, but never more than evenly spread
    trials have. Far proposals reveal a model's errors about unseen regions.
    """
    distances = _distances(tried, places)
    spread = (4 * len(tried)) ** (-1 / places.shape[1])
    least = min(spread, _FAR if len(tried) % _EVERY == 0 else _APART, float(distances.max()))
    apart: npt.NDArray[np.bool_] = distances >= least
    return apart
