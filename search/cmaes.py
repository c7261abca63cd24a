"""Covariance matrix adaptation evolution strategy (Hansen, 2016, arXiv:1604.00772)."""

from typing import Any

import numpy as np
from typing_extensions import override

from autogan.core.errors import ConfigError
from autogan.core.invocation import command
from autogan.search.base import Proposal, SearchMethod, digest, rng
from autogan.search.cube import Cube
from autogan.search.history import History, rank_scores
from autogan.search.space import Space, key

_ATTEMPTS = 20  # to find an untried point, before drawing one at random
_SIGMA = 0.3  # the first step size, in the unit cube


class CMAES(SearchMethod):
    """Draw from a normal distribution that moves and shrinks towards good trials.

    Each call rebuilds the distribution from the history: it takes in the trials generation by
    generation, in their order, regardless of the method that proposed them. The first generation
    is drawn as by random search: uniform draws have nearly the deviation of the first distribution
    (0.29), and favour neither the middle nor, as clipped normal draws do, the ends.
    """

    name = "cmaes"
    summary = "evolution of a normal distribution (pip install cmaes)"

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Draw from the distribution; see `SearchMethod.propose`."""
        used, cube = self.used(history), Cube(space)
        known = self.known(space, history)
        optimizer = _optimizer(cube.size, digest(seed, history))
        size = optimizer.population_size
        places = cube.places([t.params for t in known])
        for begin in range(0, len(known) - size + 1, size):
            generation = slice(begin, begin + size)
            scores = rank_scores(history, known[generation])
            optimizer.tell(list(zip(places[generation], scores, strict=True)))
        for _ in range(_ATTEMPTS if len(known) >= size else 0):
            point = cube.point(optimizer.ask())
            if key(point) not in used and space.allows(point):
                return Proposal(point)
        left = space.draw(rng(seed, history), used)
        return None if left is None else Proposal(left)

    @override
    def drawn_first(self, space: Space) -> int:
        return int(_optimizer(Cube(space).size, 0).population_size)


def _optimizer(size: int, seed: int) -> Any:
    """The strategy at its start.

    Raises:
        ConfigError: if the package is missing, or too old to search a single dimension.
    """
    try:
        from cmaes import CMA
    except ImportError:
        raise ConfigError(
            "search_method",
            f"cmaes is not installed; install it: {command('pip', 'install', 'cmaes')}",
        ) from None
    try:
        return CMA(
            mean=np.full(size, 0.5), sigma=_SIGMA, bounds=np.tile([0.0, 1.0], (size, 1)), seed=seed
        )
    except AssertionError:
        raise ConfigError(
            "search_method",
            "cmaes needs a newer package to search a single number; install it: "
            f"{command('pip', 'install', 'cmaes>=0.13')}, or use another method",
        ) from None
