"""Search: the space, the history, and the methods that propose the next trial.

Knows nothing of TensorFlow, GANs or criteria.
"""

from autogan.registry import Registry
from autogan.search.base import Proposal, SearchMethod
from autogan.search.explore import Explore
from autogan.search.grid import GridSearch
from autogan.search.history import Direction, Evaluation, History, State, Trial
from autogan.search.random_search import RandomSearch
from autogan.search.space import Point, Space

SEARCH_METHODS: Registry[SearchMethod] = Registry("search_method", SearchMethod)
SEARCH_METHODS.register(GridSearch)
SEARCH_METHODS.register(RandomSearch)
SEARCH_METHODS.register(Explore)

__all__ = [
    "SEARCH_METHODS",
    "Direction",
    "Evaluation",
    "Explore",
    "GridSearch",
    "History",
    "Point",
    "Proposal",
    "RandomSearch",
    "SearchMethod",
    "Space",
    "State",
    "Trial",
]
