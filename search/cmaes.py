"""Covariance matrix adaptation evolution strategy (Hansen, 2016, arXiv:1604.00772)."""

from typing import Any

import numpy as np

from autogan.core.errors import ConfigError
from autogan.core.invocation import command
from autogan.search.base import Proposal, SearchMethod, digest, rng
from autogan.search.cube import Cube
from autogan.search.history import History, standings
from autogan.search.space import Space, key

_ATTEMPTS = 20
_SIGMA = 0.3  # the first step size, of a cube with sides 1


class CMAES(SearchMethod):
    """Draw from a normal distribution that moves and shrinks towards good trials.

    The distribution is found again from the history at each call: the trials are told to it
    generation by generation, in their order, whatever method proposed them.
    """

    name = "cmaes"
    summary = "evolution of a normal distribution (pip install cmaes)"

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Draw from the distribution; see `SearchMethod.propose`."""
        used, cube = self.used(history), Cube(space)
        known = history.telling
        if cube.size > 1:  # the strategy needs two dimensions
            optimizer = _cma()(
                mean=np.full(cube.size, 0.5),
                sigma=_SIGMA,
                bounds=np.tile([0.0, 1.0], (cube.size, 1)),
                seed=digest(seed, history),
            )
            size = optimizer.population_size
            places = cube.places([t.params for t in known])
            for begin in range(0, len(known) - size + 1, size):
                told = slice(begin, begin + size)
                scores = standings(history, known[told])
                optimizer.tell(list(zip(places[told], scores, strict=True)))
            for _ in range(_ATTEMPTS):
                point = cube.point(optimizer.ask())
                if key(point) not in used and space.allows(point):
                    return Proposal(point)
        left = space.draw(rng(seed, history), used)
        return None if left is None else Proposal(left)


def _cma() -> Any:
    try:
        from cmaes import CMA
    except ImportError:
        raise ConfigError(
            "search_method", f"cmaes needs a package: {command('pip', 'install', 'cmaes')}"
        ) from None
    return CMA
