"""Random search (Bergstra and Bengio, 2012)."""

from autogan.search.base import Proposal, SearchMethod, rng
from autogan.search.history import History
from autogan.search.space import Space


class RandomSearch(SearchMethod):
    """Draw independently from the lists and ranges."""

    name = "random"
    summary = "independent draws from the candidates or ranges"
    learns = False

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Draw a point; see `SearchMethod.propose`."""
        point = space.draw(rng(seed, history), self.used(history))
        return None if point is None else Proposal(point)
