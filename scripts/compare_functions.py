"""Compare search methods on functions whose minima are known, without training.

    python scripts/compare_functions.py [--seeds 20] [--methods random,gp]

Branin over two logarithmic ranges (as learning rates have) and Hartmann-6 over six linear ones are
smooth, without noise, and searched in ranges: the other end from the recorded tables of
`compare_search.py`, which are coarse lists and noisy. Printed is the regret, how far the best value
so far lies above the minimum, after so many trials: means over searches with 95 % intervals.
"""

import argparse
import math
import os
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from autogan.core.hyperparameters import Dimension, Hyperparameter, Range
from autogan.search import SEARCH_METHODS, Evaluation, History, Space, State, Trial

METHODS = ("random", "explore", "adaptive", "gp", "tpe", "cmaes")
SHOWN = (5, 10, 20, 40, 60)  # trials


def branin(place: Sequence[float]) -> float:
    """Branin's function, of a place in the unit square (Jones, 2001)."""
    x, y = 15 * place[0] - 5, 15 * place[1]
    valley = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


_WEIGHTS = (1.0, 1.2, 3.0, 3.2)
_SHARPNESS = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
_CENTRES = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann6(place: Sequence[float]) -> float:
    """Hartmann's function of a place in the unit cube of six dimensions (Dixon and Szegö, 1978)."""
    return -sum(
        weight
        * math.exp(-sum(s * (x - c) ** 2 for s, x, c in zip(sharpness, place, centre, strict=True)))
        for weight, sharpness, centre in zip(_WEIGHTS, _SHARPNESS, _CENTRES, strict=True)
    )


@dataclass(frozen=True)
class Function:
    """A function of a place in a unit cube, and what is known of it.

    Attributes:
        value: at a place.
        minimum: its least value.
        size: of the cube.
        log: whether it is searched over logarithmic ranges.
    """

    value: Callable[[Sequence[float]], float]
    minimum: float
    size: int
    log: bool

    def space(self) -> Space:
        """Six decades for each coordinate, or the unit cube itself."""
        interval = Range(1e-6, 1.0, log=True) if self.log else Range(0.0, 1.0)
        kind = "scale" if self.log else "share"
        return Space(
            tuple(
                Dimension(Hyperparameter(f"x{axis}", kind, 1.0, "", high=1.0), range=interval)
                for axis in range(self.size)
            )
        )

    def at(self, point: dict[str, float]) -> float:
        """The value at a point of the space."""
        coordinates = [float(value) for value in point.values()]
        return self.value([1 + math.log10(x) / 6 for x in coordinates] if self.log else coordinates)


FUNCTIONS = {
    "Branin over logarithmic ranges": Function(branin, 0.397887, 2, log=True),
    "Hartmann-6": Function(hartmann6, -3.32237, 6, log=False),
}


def regrets(task: tuple[str, str, int]) -> list[float]:
    """One search's regrets, after so many trials as `SHOWN` has."""
    name, method_name, seed = task
    function = FUNCTIONS[name]
    method, space = SEARCH_METHODS.get(method_name)(), function.space()
    trials: list[Trial] = []
    for number in range(SHOWN[-1]):
        proposal = method.propose(space, History(trials, "min"), seed)
        assert proposal is not None
        value = function.at(dict(proposal.point))
        evaluations = [Evaluation(1, {}, value)]
        trials.append(
            Trial(number, dict(proposal.point), origin=proposal.origin, state=State.COMPLETE,
                  evaluations=evaluations, value=value)
        )  # fmt: skip
    values = [function.at(trial.params) for trial in trials]
    return [min(values[:count]) - function.minimum for count in SHOWN]


def main() -> None:
    """Print a table for each function."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    with ProcessPoolExecutor(given.processes) as pool:
        for name in FUNCTIONS:
            print(f"\n{name}: regret against trials\n")
            print("| | " + " | ".join(map(str, SHOWN)) + " |")
            print("|---" * (len(SHOWN) + 1) + "|")
            for method in given.methods.split(","):
                rows = list(pool.map(regrets, [(name, method, s) for s in range(given.seeds)]))
                cells = [_mean(column) for column in zip(*rows, strict=True)]
                print(f"| {method} | " + " | ".join(cells) + " |", flush=True)


def _mean(values: Sequence[float]) -> str:
    """A mean with the half-width of its 95 % interval."""
    half = 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.fmean(values):.3f} ± {half:.3f}"


if __name__ == "__main__":
    main()
