"""Grid search."""

from autogan.search.base import Proposal, SearchMethod
from autogan.search.history import History
from autogan.search.space import Space, key


class GridSearch(SearchMethod):
    """Every combination once, in the order of the command line, the first dimension outermost."""

    name = "grid"
    summary = "every combination of the candidates, in order"
    needs_lists = True
    learns = False

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Return the first untried combination, without randomness."""
        tried = {key(trial.params) for trial in history.trials}
        return next((Proposal(point) for point in space.points() if key(point) not in tried), None)
