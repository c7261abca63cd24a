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
from autogan.search.tpe import TPE

SEARCH_METHODS: Registry[SearchMethod] = Registry("search_method", SearchMethod)
for _method in (GridSearch, RandomSearch, Explore, TPE):
    SEARCH_METHODS.register(_method)

__all__ = [
    "SEARCH_METHODS",
    "TPE",
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
