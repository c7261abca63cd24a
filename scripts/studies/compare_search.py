"""Compare search methods and stopping rules on recorded tables of real trainings.

    python scripts/studies/compare_search.py tests/data/dcgan_digits.csv \
        tests/data/wgan_gp_digits.csv \
        --searches 60 --picture docs/studies/search/regret.png

Searches are replayed with AutoGAN's own methods and stopping rules. A trial's values are those
recorded for its hyperparameters (or for the nearest ones, if a method leaves the lists) under one
of the recorded seeds, drawn by the trial's number. The point that a search would return is judged
by its worth: the mean over all recorded seeds, trained to the end. Its regret is the difference
from the worth of the best combination. The generator in hand is judged by its own value: its regret
is the difference from the best value in the table. Budgets count updates of both networks; their
unit is a full trial of mean length. A search with several seeds races them, as AutoGAN does with
repeats. With N workers, N trials run side by side, each as long as its updates take. The script
prints means over searches with standard errors.

A training whose Inception Score is 1 at two evaluations in a row has collapsed: all its images look
the same to the classifier. It ends there as dead, as in AutoGAN. In its combination's worth it
counts, like a diverged one, as the worst value in the table.

`--diverging 0.67` lets that share of a table's combinations diverge before their first evaluation:
those with the largest learning rates first, as with real GANs. Among equal rates chance decides.
"""

import argparse
import csv
import dataclasses
import heapq
import math
import os
import random
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from experiments import print_table
from PIL import Image, ImageDraw

from autogan.core.hyperparameters import Dimension, Hyperparameter, Value
from autogan.models import GAN_TYPES
from autogan.search import SEARCH_METHODS, STOPPING_RULES, Evaluation, History, Space, State, Trial
from autogan.search.base import SearchMethod
from autogan.search.cube import Cube
from autogan.search.repeats import merged, raced, recommended
from autogan.search.space import Point
from autogan.search.stopping import Screening, StoppingRule

CASES = (
    "random",
    "explore",
    "grid",
    "adaptive",
    "tpe",
    "cmaes",
    "gp",
    *(f"{method} asha 5 seeds" for method in ("random", "adaptive", "tpe", "cmaes")),
    *(f"gp {rule} 5 seeds" for rule in ("median", "screening", "hyperband", "asha", "thaw")),
)
DRAWN = {
    "random": "gray",
    "explore": "peru",
    "gp": "salmon",
    "random asha 5 seeds": "green",
    "gp asha 5 seeds": "blue",
    "gp thaw 5 seeds": "red",
}
BUDGETS = (2, 5, 10, 20)  # in full trials
GRID = [n / 2 for n in range(1, 2 * BUDGETS[-1] + 1)]  # budgets of a picture
_COLLAPSED = 2  # evaluations in a row at which all images look the same

Stands = Sequence[tuple[float, float, float, float]]
"""Spent, regret, share that dies, regret in hand: at the start and after each training."""


class Table:
    """A recorded table.

    Attributes:
        space: its search space.
        curves: FID at each evaluation, by a combination's values and the seed.
        diverged: combinations and seeds of the trials that diverged.
        collapsed: combinations and seeds of the trials that collapsed; their curves end there.
        truth: each combination's worth, in which a dead trial counts as the worst of the others.
        died: the share of each combination's seeds under which it died.
        least, most: the best and the worst value of the complete trainings.
        evaluations: number of evaluations in a full trial.
        seeds: the least number of seeds recorded for a combination.
        unit: mean number of updates of both networks in a full trial.

    Args:
        file: the recorded table.
        diverging: the share of combinations that diverge before their first evaluation.
    """

    def __init__(self, file: Path, diverging: float = 0.0) -> None:
        with file.open() as lines:
            rows = list(csv.DictReader(lines))
        names = [*rows[0]][: [*rows[0]].index("seed")]
        gan = GAN_TYPES.get(max((n for n in GAN_TYPES.names() if file.stem.startswith(n)), key=len))
        declared = {h.name: h for h in gan.hyperparameters}
        self.curves: dict[tuple[Value, ...], dict[str, list[float]]] = defaultdict(dict)
        self.diverged: set[tuple[tuple[Value, ...], str]] = set()
        self.collapsed: set[tuple[tuple[Value, ...], str]] = set()
        named: set[tuple[tuple[Value, ...], str]] = set()  # recorded as collapsed
        alike = 0  # evaluations in a row; a training's lines follow each other
        for row in rows:
            point = tuple(_value(declared[name], row[name]) for name in names)
            curve = self.curves[point].setdefault(row["seed"], [])
            if (point, row["seed"]) in self.collapsed:
                continue
            if row["fid"]:
                curve.append(float(row["fid"]))
                alike = (alike if len(curve) > 1 else 0) + 1 if float(row["is"]) <= 1 else 0
                if alike == _COLLAPSED:
                    self.collapsed.add((point, row["seed"]))
            if row["state"] == State.DIVERGED.value:
                self.diverged.add((point, row["seed"]))
            if row["state"] == State.COLLAPSED.value:
                named.add((point, row["seed"]))
        self.collapsed |= named
        self.space = Space(
            tuple(
                Dimension(declared[name], tuple(sorted({point[i] for point in self.curves})))
                for i, name in enumerate(names)
            )
        )
        self._points = list(self.curves)
        self._lose(round(diverging * len(self._points)), names.index("learning_rate"))
        self._cube = Cube(self.space)
        self._places = self._cube.places([dict(zip(names, p, strict=True)) for p in self._points])
        self._d_iter = names.index("d_iter")
        steps = {int(row["step"]) for row in rows} - {0}
        self._stride, self.evaluations = min(steps), len(steps)
        whole = {
            (point, seed): min(curve)
            for point, seeds in self.curves.items()
            for seed, curve in seeds.items()
            if (point, seed) not in self.diverged | self.collapsed
        }
        self._whole, self.least, self.most = whole, min(whole.values()), max(whole.values())
        self.seeds = min(map(len, self.curves.values()))
        self.truth = {
            point: statistics.fmean(self.final(point, seed) for seed in seeds)
            for point, seeds in self.curves.items()
        }
        self.died = {
            point: statistics.fmean((point, seed) not in self._whole for seed in seeds)
            for point, seeds in self.curves.items()
        }
        self.unit = statistics.fmean(map(self.updates, self._points)) * self.evaluations

    def _lose(self, count: int, rate: int) -> None:
        """Make the combinations with the largest learning rates diverge under all seeds."""
        shuffled = random.Random(0).sample(self._points, len(self._points))
        for point in sorted(shuffled, key=lambda p: -float(p[rate]))[:count]:
            for seed, curve in self.curves[point].items():
                curve.clear()
                self.collapsed.discard((point, seed))
                self.diverged.add((point, seed))

    def updates(self, point: tuple[Value, ...]) -> float:
        """Updates of both networks between two evaluations."""
        return self._stride * (1 + float(point[self._d_iter]))

    def final(self, point: tuple[Value, ...], seed: str) -> float:
        """The best value of a trial that is not stopped; a dead one counts as the worst."""
        return self._whole.get((point, seed), self.most)

    def regret(self, point: tuple[Value, ...]) -> float:
        """The difference of a combination's worth from the best one."""
        return self.truth[point] - min(self.truth.values())

    def nearest(self, point: Point) -> tuple[Value, ...]:
        """The recorded combination nearest to a point."""
        if (values := tuple(point.values())) in self.curves:
            return values
        distances = ((self._places - self._cube.places([point])) ** 2).sum(1)
        return self._points[int(distances.argmin())]


@dataclass(frozen=True)
class Stand:
    """The state of a search.

    Attributes:
        spent: updates so far, in full trials.
        begun: number of trials so far.
        regret: of the recommended hyperparameters.
        died: the share of their seeds under which they die.
        in_hand: the difference of the best value from the table's best.
    """

    spent: float
    begun: int
    regret: float
    died: float
    in_hand: float


@dataclass
class Replay:
    """One search on a table.

    Attributes:
        trace: its state each time a trial ended or was stopped.
    """

    table: Table
    method: str
    rule: StoppingRule | None
    seed: int
    repeats: int = 1
    workers: int = 1
    trials: list[Trial] = field(default_factory=list)
    spent: float = 0.0
    trace: list[Stand] = field(default_factory=list)

    def run(
        self, budget: float, most_trials: float = math.inf, *, closing: bool = True
    ) -> "Replay":
        """Search until the budget is spent; ``closing`` includes the steps after the last trial.

        Trials that run at the same time take as long as their updates; the one that reaches its
        next evaluation first reports it first.
        """
        method = SEARCH_METHODS.get(self.method)()
        running: list[tuple[float, int]] = []  # when each trial reaches its next evaluation
        now = 0.0
        while True:
            while len(running) < self.workers and self.spent < budget:
                trial = self._next(method, most_trials, closing)
                if trial is None:
                    break
                if trial.number == len(self.trials):
                    self.trials.append(trial)
                trial.state = State.RUNNING
                heapq.heappush(running, (now + self._pace(trial), trial.number))
            if not running:
                return self
            now, number = heapq.heappop(running)
            trial = self.trials[number]
            self._train(trial)
            if trial.state is State.RUNNING:
                heapq.heappush(running, (now + self._pace(trial), number))
            else:
                self.trace.append(self._stand())

    def planned(self, budget: float) -> list[Stand]:
        """The final states of searches of 1, 2, 3, ... trials, whose number is fixed in advance.

        They share their first trials. All but the last keep within the budget.
        """
        ends: list[Stand] = []
        while not ends or ends[-1].spent <= budget:
            begun = len(self.trials)
            self.run(math.inf, begun + 1, closing=False)
            if len(self.trials) == begun:
                break  # all points are used
            trials = [
                dataclasses.replace(trial, evaluations=[*trial.evaluations])
                for trial in self.trials
            ]
            whole = dataclasses.replace(self, trials=trials, trace=self.trace[-1:])
            ends.append(whole.run(math.inf, begun + 1).trace[-1])
        return ends

    def _next(self, method: SearchMethod, most_trials: float, closing: bool) -> Trial | None:
        """The trial to train next, in the order of AutoGAN's search loop; None if none."""
        history, number = self._history(), len(self.trials)
        begun = self._seen_by_rule()
        if first := raced(self.table.space, history, self._most):
            return self._again(first)
        if self.rule and (stopped := self.rule.revived(begun, closing=False)):
            return stopped
        if self._begun() < most_trials:
            points = history if method.sees_seeds else merged(history)
            if proposal := method.propose(self.table.space, points, self.seed):
                return Trial(number, dict(proposal.point), origin=proposal.origin)
        first_run = any(t.state is State.RUNNING and not t.revived for t in self.trials)
        if not self.rule or not closing or first_run:
            return None
        if stopped := self.rule.revived(begun, closing=True):
            return stopped
        first = raced(self.table.space, history, self._most, closing=True)
        return self._again(first) if first else None

    def _again(self, first: Trial) -> Trial:
        return Trial(len(self.trials), first.params, repeats=first.number)

    @property
    def _most(self) -> int:
        return min(self.repeats, self.table.seeds)

    def _history(self) -> History:
        return History(self.trials, "min")

    def _begun(self) -> int:
        return sum(trial.repeats is None for trial in self.trials)

    def _seen_by_rule(self) -> History:
        """The stopping rule's history: without repeated seeds, unless the rule wants all."""
        if self.rule and self.rule.sees_seeds:
            return self._history()
        return History([trial for trial in self.trials if trial.repeats is None], "min")

    def _stand(self) -> Stand:
        """The state of the search, with the point that it would return now."""
        table, begun = self.table, self._begun()
        values = [t.value for t in self.trials if t.value is not None]
        in_hand = min(values, default=table.most) - table.least
        best = recommended(table.space, self._history())
        if not best:
            _, regret, died, _ = nothing(table)
            return Stand(self.spent, begun, regret, died, in_hand)
        point = table.nearest(best[0].first.params)
        return Stand(self.spent, begun, table.regret(point), table.died[point], in_hand)

    def _seeds(self, trial: Trial) -> list[str]:
        """The recorded seeds, in the order in which a trial's point uses them."""
        seeds = sorted(self.table.curves[self.table.nearest(trial.params)])
        first = trial.number if trial.repeats is None else trial.repeats
        return random.Random(f"{self.seed}/{first}").sample(seeds, len(seeds))

    def _train(self, trial: Trial) -> None:
        """Continue a trial to its next evaluation, at which it may end or be stopped."""
        table = self.table
        point = table.nearest(trial.params)
        again = trial.repeats is not None
        earlier = sum(t.repeats == trial.repeats for t in self.trials[: trial.number])
        recorded = self._seeds(trial)[earlier + 1 if again else 0]
        curve, lost = table.curves[point][recorded], (point, recorded) in table.diverged
        collapsed = (point, recorded) in table.collapsed
        done = len(trial.evaluations)
        self.spent += self._pace(trial)
        if done == len(curve):
            trial.state = State.DIVERGED
        else:
            trial.evaluations.append(Evaluation(done + 1, {}, curve[done]))
            if collapsed and done + 1 == len(curve):
                trial.state = State.DIVERGED  # the methods treat both alike
            elif done + 1 == table.evaluations:
                trial.state = State.DIVERGED if lost else State.COMPLETE
            elif self.rule and not again and not self.rule.goes_on(self._seen_by_rule(), trial):
                trial.state, trial.revived = State.STOPPED, done + 1
        if trial.state is not State.RUNNING:
            value = min(curve[: len(trial.evaluations)], default=None)
            trial.value = None if trial.state is State.DIVERGED else value

    def _pace(self, trial: Trial) -> float:
        """Updates from one evaluation of a trial to the next, in full trials."""
        return self.table.updates(self.table.nearest(trial.params)) / self.table.unit


@dataclass(frozen=True)
class Task:
    """A search to replay, on a table of which a share diverges."""

    file: Path
    case: str
    seed: int
    diverging: float


def nothing(table: Table) -> tuple[float, float, float, float]:
    """The state of a search without trials: the worst regret, and the mean share that dies."""
    worths, died = table.truth.values(), table.died.values()
    return 0.0, max(worths) - min(worths), statistics.fmean(died), table.most - table.least


def stands(task: Task) -> Stands:
    """Replay a search; return its states."""
    table, (method, *how) = load(task.file, task.diverging), task.case.split()
    rules = [STOPPING_RULES.get(name) for name in how if name in STOPPING_RULES.names()]
    rule = rules[0](table.evaluations, table.space, task.seed) if rules else None
    counts = {what: int(how[how.index(what) - 1]) for what in ("seeds", "workers") if what in how}
    seeds, workers = counts.get("seeds", 1), counts.get("workers", 1)
    replay = Replay(table, method, rule, task.seed, seeds, workers)
    planned = isinstance(rule, Screening)
    trace = replay.planned(BUDGETS[-1]) if planned else replay.run(BUDGETS[-1]).trace
    return reached(table, trace)


def reached(table: Table, trace: Sequence[Stand]) -> Stands:
    """The states of a search: before its first training, and then those of its trace."""
    return [nothing(table), *((s.spent, s.regret, s.died, s.in_hand) for s in trace)]


def at(trace: Stands, budget: float) -> tuple[float, float, float, float]:
    """The state of a search when a budget was spent."""
    return [stand for stand in trace if stand[0] <= budget][-1]


@cache
def load(file: Path, diverging: float) -> Table:
    """The table of a file, read once in each process."""
    return Table(file, diverging)


def main() -> None:
    """Print the regrets on each table, and draw them with ``--picture``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--searches", type=int, default=60)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument(
        "--diverging", type=float, default=0.0, help="share of combinations that diverge [0]"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--picture", type=Path, default=None)
    given = parser.parse_args()
    curves: dict[str, dict[str, list[float]]] = {}
    with ProcessPoolExecutor(given.processes) as pool:
        for file in given.tables:
            table = load(file, given.diverging)
            worths = table.truth.values()
            print(
                f"\n{file.stem}: {len(worths)} combinations; best FID {min(worths):.2f}, median "
                f"{statistics.median(worths):.0f}; a full trial is {table.unit:.0f} updates\n"
            )
            rows, curves[file.stem] = [], {}
            for case in given.cases.split(","):
                tasks = [Task(file, case, n, given.diverging) for n in range(given.searches)]
                traces = list(pool.map(stands, tasks, chunksize=5))
                rows.append(row(case, traces))
                curves[file.stem][case] = [
                    statistics.fmean(at(trace, budget)[1] for trace in traces) for budget in GRID
                ]
            print_table(heads(), rows)
    if given.picture is not None:
        draw(given.picture, curves)


def heads() -> list[str]:
    """The column headings of `row`."""
    kinds = ("regret", "dead", "in hand")
    return ["", *(f"{kind} at {budget}" for budget in BUDGETS for kind in kinds)]


def row(name: str, traces: Sequence[Stands]) -> list[str]:
    """Means with standard errors at each budget."""
    cells = [name]
    for budget in BUDGETS:
        _, regrets, dead, hands = zip(*(at(trace, budget) for trace in traces), strict=True)
        cells += [mean(regrets), f"{statistics.fmean(dead):.0%}", mean(hands)]
    return cells


def mean(values: Sequence[float], digits: int = 1) -> str:
    """The mean over several searches, with its standard error."""
    error = statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.fmean(values):.{digits}f} ± {error:.{digits}f}"


def draw(file: Path, tables: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Draw regret against updates, both on logarithmic scales."""
    width, height, margin, zoom = 420, 320, 44, 3  # drawn large, then reduced: smooth edges
    picture = Image.new("RGB", (width * len(tables) * zoom, height * zoom), "white")
    pen = ImageDraw.Draw(picture)
    low, high = math.log(0.1), math.log(1000)
    for column, (name, curves) in enumerate(tables.items()):

        def place(budget: float, regret: float, column: int = column) -> tuple[float, float]:
            right = math.log(2 * budget) / math.log(2 * BUDGETS[-1])
            up = (math.log(max(regret, 0.1)) - low) / (high - low)
            return (
                (column * width + margin + right * (width - margin - 12)) * zoom,
                (height - 30 - up * (height - 60)) * zoom,
            )

        title = f"{name}: regret of the hyperparameters (FID) against full trials"
        pen.text((place(0.5, 1000)[0], 4 * zoom), title, "black", font_size=11 * zoom)
        for regret in (0.1, 1, 10, 100):
            pen.line([*place(0.5, regret), *place(BUDGETS[-1], regret)], "gainsboro", zoom)
            x, y = place(0.5, regret)
            pen.text((x - 30 * zoom, y - 6 * zoom), f"{regret:g}", "black", font_size=10 * zoom)
        for budget in (1, *BUDGETS):
            x, y = place(budget, 0.1)
            pen.text((x - 4 * zoom, y + 4 * zoom), str(budget), "black", font_size=10 * zoom)
        known = [case for case in DRAWN if case in curves]
        for line, case in enumerate(known):
            line_points = [place(*pair) for pair in zip(GRID, curves[case], strict=True)]
            pen.line([xy for point in line_points for xy in point], DRAWN[case], 2 * zoom)
            x, y = place(0.55, 1)
            pen.text((x, y + 11 * line * zoom), case, DRAWN[case], font_size=10 * zoom)
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.resize((width * len(tables), height), Image.Resampling.LANCZOS).save(file)


def _value(hyperparameter: Hyperparameter, text: str) -> Value:
    """A cell as a value of the hyperparameter's type."""
    return hyperparameter.check(text if hyperparameter.kind == "choice" else float(text))


if __name__ == "__main__":
    main()
