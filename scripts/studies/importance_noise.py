"""Count how often a search's page calls a hyperparameter important, without training.

    python scripts/studies/importance_noise.py [--searches 100] [--methods gp,random] [--cases \
        one,none]

A search minimises a function of x only; its space also has y and z, which do nothing. The values
have log-normal noise of 0.3. The script prints the share of searches in which the page says that x
matters, and in which it says that y or z matters, after 20 and 30 points. The cases:

    one     x is a range of three decades; the logarithm of the value is the square of its distance
            from the middle in decades
    none    nothing matters; x is counted with y and z
    dead    as one, but a training diverges more than 0.75 decades above the middle
    choice  x is one of three choices, whose logarithms are 0, 0.75 and 1.5
    asha    as one, with asha; a value falls with the training's length
"""

import argparse
import math
import os
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from autogan.core.hyperparameters import Dimension, Hyperparameter, Range, Value
from autogan.report.effects import effects
from autogan.report.view import Measure, SearchView
from autogan.search import SEARCH_METHODS, STOPPING_RULES, Evaluation, History, Space, State, Trial

METHODS = ("random", "explore", "adaptive", "gp", "cmaes", "tpe")
POINTS = (20, 30)
NOISE = 0.3  # standard deviation of the logarithm
_EVALUATIONS = 10  # per training, with a stopping rule

_X = Dimension(Hyperparameter("x", "scale", 1e-3, "", high=1.0), range=Range(1e-4, 1e-1, log=True))
_CHOICE = Dimension(
    Hyperparameter("x", "choice", "a", "", choices=("a", "b", "c")), ("a", "b", "c")
)
_Y = Dimension(Hyperparameter("y", "share", 0.5, "", high=1.0), range=Range(0.0, 1.0))
_Z = Dimension(Hyperparameter("z", "count", 1, "", high=9), (1, 2, 3))


def _decades(point: Mapping[str, Value]) -> float:
    """The distance of x above the middle of its range, in decades."""
    return math.log10(float(point["x"])) + 2.5


@dataclass(frozen=True)
class Case:
    """A function to minimise.

    Attributes:
        log: its logarithm without noise; infinite where a training diverges.
        x: the dimension that it depends on.
        matters: whether it depends on x.
        stopping: the early-stopping rule; empty for none.
    """

    log: Callable[[Mapping[str, Value]], float]
    x: Dimension = _X
    matters: bool = True
    stopping: str = ""

    @property
    def space(self) -> Space:
        """The search space."""
        return Space((self.x, _Y, _Z))


CASES = {
    "one": Case(lambda point: _decades(point) ** 2),
    "none": Case(lambda point: 0.0, matters=False),
    "dead": Case(lambda point: math.inf if _decades(point) > 0.75 else _decades(point) ** 2),
    "choice": Case(lambda point: {"a": 0.0, "b": 0.75, "c": 1.5}[str(point["x"])], x=_CHOICE),
    "asha": Case(lambda point: _decades(point) ** 2, stopping="asha"),
}


def searched(case: Case, method_name: str, points: int, seed: int) -> list[Trial]:
    """The trials of one search, one after the other."""
    method, rng = SEARCH_METHODS.get(method_name)(), random.Random(f"{method_name}/{seed}")
    rule = STOPPING_RULES.get(case.stopping)(_EVALUATIONS) if case.stopping else None
    trials: list[Trial] = []
    luck: list[float] = []

    def go_on(trial: Trial) -> None:
        trial.state = State.RUNNING
        while trial.state is State.RUNNING:
            done = len(trial.evaluations) + 1
            value = math.exp(case.log(trial.params) + luck[trial.number])
            length = done / _EVALUATIONS if rule else 1.0
            trial.evaluations.append(Evaluation(done, {}, value / length))
            if rule is None or done == _EVALUATIONS:
                trial.state = State.COMPLETE
            elif not rule.goes_on(History(trials, "min"), trial):
                trial.state = State.STOPPED
        trial.value = min(e.value for e in trial.evaluations if e.value is not None)

    while len(trials) < points:
        history = History(trials, "min")
        if rule and (revived := rule.revived(history, closing=False)):
            go_on(revived)
            continue
        proposal = method.propose(case.space, history, seed)
        if proposal is None:
            break
        trial = Trial(len(trials), dict(proposal.point), origin=proposal.origin)
        trials.append(trial)
        luck.append(rng.gauss(0, NOISE))
        if math.isinf(case.log(trial.params)):
            trial.state = State.DIVERGED
        else:
            go_on(trial)
    return trials


def important(case: Case, trials: Sequence[Trial]) -> set[str]:
    """The hyperparameters that the page calls important."""
    worths = {trial.number: trial.value for trial in trials if trial.value is not None}
    view: Any = SimpleNamespace(
        trials=trials,
        measures=[Measure("fid", "min", lambda evaluation: evaluation.value, worths)],
        result=SimpleNamespace(direction="min", config=SimpleNamespace(space=case.space)),
    )
    found = effects(cast(SearchView, view))
    return {effect.dimension.name for effect in found.told} if found else set()


def verdicts(task: tuple[str, str, int]) -> list[set[str]]:
    """The important hyperparameters after each number of points of one search."""
    name, method, seed = task
    case = CASES[name]
    if case.stopping:  # a trial of the first points may resume later
        return [important(case, searched(case, method, points, seed)) for points in POINTS]
    trials = searched(case, method, max(POINTS), seed)
    return [important(case, trials[:points]) for points in POINTS]


def main() -> None:
    """Print a table for each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    with ProcessPoolExecutor(given.processes) as pool:
        for name in given.cases.split(","):
            case = CASES[name]
            print(f"\n{name}: share of {given.searches} searches that call it important\n")
            print("| method, points | x | y or z |\n|---|---|---|")
            for method in given.methods.split(","):
                tasks = [(name, method, seed) for seed in range(given.searches)]
                rows = list(pool.map(verdicts, tasks))
                for points, found in zip(POINTS, zip(*rows, strict=True), strict=True):
                    right = sum("x" in names for names in found) if case.matters else 0
                    wrong = sum(bool(names - {"x"} if case.matters else names) for names in found)
                    x, others = (f"{100 * n / given.searches:.0f} %" for n in (right, wrong))
                    x = x if case.matters else "-"
                    print(f"| {method}, {points} | {x} | {others} |", flush=True)


if __name__ == "__main__":
    main()
