"""The choice of a stopping rule if the user leaves it open."""

import math
from typing import TYPE_CHECKING

from autogan.config.training import DEFAULT_STEPS
from autogan.search import STOPPING_RULES

if TYPE_CHECKING:
    from autogan.config.searching import SearchConfig

_USUAL = "asha"
_FEW_TRIALS = 10  # with fewer, a rule would leave too few


def suitable_rule(config: "SearchConfig", trials: int | None, size: int | None) -> str | None:
    """The rule to use; None if a rule would help little.

    Args:
        config: of the search.
        trials: their number, if it is known.
        size: number of points in its space, if they can be counted.
    """
    if min(n for n in (trials, size, _FEW_TRIALS) if n is not None) < _FEW_TRIALS:
        return None
    steps = config.steps or (DEFAULT_STEPS if config.epochs is None else None)
    if config.evaluate_every is None:
        evaluations = steps or _FEW_TRIALS  # ten, or fewer if there are fewer steps
    else:
        evaluations = math.ceil((steps or 0) / config.evaluate_every)  # with epochs, unknown: 0
    enough = evaluations >= STOPPING_RULES.get(_USUAL).fewest_evaluations
    return _USUAL if enough else None
