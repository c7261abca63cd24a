"""Compare search methods on functions whose minima are known, without training.

    python scripts/studies/compare_functions.py [--seeds 20] [--methods random,gp] [--functions \
        bowl]

Branin over two logarithmic ranges (like learning rates) and Hartmann-6 over six linear ones are
smooth, without noise, and searched in ranges. They are the opposite of the recorded tables of
`compare_search.py`, which are coarse lists with noise. The bowls have a different minimum for each
seed, and a noise of 20 %, like trainings under one seed. The script prints the regret after a
number of trials: how far the function at the trial with the best value lies above the minimum, as
means over searches with 95 % intervals. Then come the worst searches after 20 and 40 trials, and
the share of the trials from the ninth to the fortieth that lie within 0.02 of an earlier one, in
the unit cube.
"""

import argparse
import math
import os
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from autogan.core.hyperparameters import Dimension, Hyperparameter, Range
from autogan.search import SEARCH_METHODS, Evaluation, History, Point, Space, State, Trial

METHODS = ("random", "explore", "adaptive", "gp", "tpe", "cmaes")
SHOWN = (5, 10, 20, 40, 60)  # trials
_WORST = (20, 40)  # trials after which the worst search is shown
_DRAWN, _ENOUGH, _NEAR = 8, 40, 0.02  # trials whose least distance counts, and the limit of near


def branin(place: Sequence[float]) -> float:
    """Branin's function of a place in the unit square (Jones, 2001)."""
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


def bowl(offset: Sequence[float]) -> float:
    """A bowl, as a function of the offset from its minimum."""
    return 5 + 400 * sum(x**2 for x in offset)


@dataclass(frozen=True)
class Function:
    """A function of a place in a unit cube, with its properties.

    Attributes:
        value: the function.
        minimum: its least value.
        size: dimensions of the cube.
        log: whether it is searched over logarithmic ranges.
        noise: standard deviation of the logarithm of a trial's value; 0 for none. With noise, each
            seed has a different minimum, and ``value`` takes the offset from it.
    """

    value: Callable[[Sequence[float]], float]
    minimum: float
    size: int
    log: bool
    noise: float = 0.0

    def space(self) -> Space:
        """The search space: six decades for each coordinate, or the unit cube itself."""
        interval = Range(1e-6, 1.0, log=True) if self.log else Range(0.0, 1.0)
        kind = "scale" if self.log else "share"
        return Space(
            tuple(
                Dimension(Hyperparameter(f"x{axis}", kind, 1.0, "", high=1.0), range=interval)
                for axis in range(self.size)
            )
        )

    def place(self, point: Point) -> list[float]:
        """The place of a point in the unit cube."""
        coordinates = [float(value) for value in point.values()]
        return [1 + math.log10(x) / 6 for x in coordinates] if self.log else coordinates


FUNCTIONS = {
    "Branin over logarithmic ranges": Function(branin, 0.397887, 2, log=True),
    "Hartmann-6": Function(hartmann6, -3.32237, 6, log=False),
    "bowl of two logarithmic ranges, noise 20 %": Function(bowl, 5.0, 2, log=True, noise=0.2),
    "bowl of three logarithmic ranges, noise 20 %": Function(bowl, 5.0, 3, log=True, noise=0.2),
}


def searched(task: tuple[str, str, int]) -> tuple[list[float], float]:
    """The regrets of one search after the numbers of trials in `SHOWN`, and its repeated share."""
    name, method_name, seed = task
    function = FUNCTIONS[name]
    method, space = SEARCH_METHODS.get(method_name)(), function.space()
    lowest = np.random.default_rng(100 + seed).uniform(0.1, 0.9, function.size)
    if not function.noise:
        lowest = np.zeros(function.size)
    noise = np.random.default_rng(seed)
    trials: list[Trial] = []
    true = []
    for number in range(SHOWN[-1]):
        proposal = method.propose(space, History(trials, "min"), seed)
        assert proposal is not None
        true.append(function.value(np.subtract(function.place(proposal.point), lowest).tolist()))
        value = true[-1] * math.exp(function.noise * noise.normal()) if function.noise else true[-1]
        evaluations = [Evaluation(1, {}, value)]
        trials.append(
            Trial(
                number,
                dict(proposal.point),
                origin=proposal.origin,
                state=State.COMPLETE,
                evaluations=evaluations,
                value=value,
            )
        )
    best = [History(trials[:count], "min").ranked()[0].number for count in SHOWN]
    places = np.array([function.place(trial.params) for trial in trials[:_ENOUGH]])
    near = [
        np.linalg.norm(places[:number] - places[number], axis=1).min() < _NEAR
        for number in range(_DRAWN, _ENOUGH)
    ]
    return [true[number] - function.minimum for number in best], statistics.fmean(near)


def main() -> None:
    """Print a table for each function."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--functions", default="", help="part of the functions' names")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    heads = [*SHOWN, *(f"worst, {count}" for count in _WORST), "repeated"]
    with ProcessPoolExecutor(given.processes) as pool:
        for name in (name for name in FUNCTIONS if given.functions in name):
            print(f"\n{name}: regret against trials\n")
            print("| | " + " | ".join(map(str, heads)) + " |")
            print("|---" * (len(heads) + 1) + "|")
            for method in given.methods.split(","):
                found = list(pool.map(searched, [(name, method, seed) for seed in seeds]))
                columns = list(zip(*(regrets for regrets, _ in found), strict=True))
                worst = [max(columns[SHOWN.index(count)]) for count in _WORST]
                cells = [*map(_mean, columns), *(f"{regret:.3f}" for regret in worst)]
                cells.append(f"{statistics.fmean(share for _, share in found):.2f}")
                print(f"| {method} | " + " | ".join(cells) + " |", flush=True)


def _mean(values: Sequence[float]) -> str:
    """A mean with the half-width of its 95 % interval."""
    half = 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.fmean(values):.3f} ± {half:.3f}"


if __name__ == "__main__":
    main()
