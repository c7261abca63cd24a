"""Search: the space, the history, the methods that propose trials and the rules that stop them.

Independent of TensorFlow, GANs and criteria.
"""

from autogan.core.registry import Registry
from autogan.search.adaptive import AdaptiveExplore
from autogan.search.base import Proposal, SearchMethod
from autogan.search.cmaes import CMAES
from autogan.search.explore import Explore
from autogan.search.gp import GaussianProcess
from autogan.search.grid import GridSearch
from autogan.search.history import Direction, Evaluation, History, State, Trial
from autogan.search.optuna_samplers import NSGAII, TPE
from autogan.search.random_search import RandomSearch
from autogan.search.space import Point, Space
from autogan.search.stopping import (
    Hyperband,
    MedianRule,
    Screening,
    StoppingRule,
    SuccessiveHalving,
)
from autogan.search.thawing import FreezeThaw

SEARCH_METHODS: Registry[SearchMethod] = Registry("search_method", SearchMethod)
for _method in (
    GridSearch,
    RandomSearch,
    Explore,
    AdaptiveExplore,
    TPE,
    GaussianProcess,
    CMAES,
    NSGAII,
):
    SEARCH_METHODS.register(_method)

STOPPING_RULES: Registry[StoppingRule] = Registry("stopping", StoppingRule)
for _rule in (MedianRule, Screening, SuccessiveHalving, Hyperband, FreezeThaw):
    STOPPING_RULES.register(_rule)

__all__ = [
    "SEARCH_METHODS",
    "STOPPING_RULES",
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
    "StoppingRule",
    "Trial",
]
