"""Compare AutoGAN's searches with Optuna's, on recorded tables of real trainings.

    python scripts/studies/compare_rivals.py tests/data/gan_default_mnist.csv --searches 60

Optuna is used as its documentation does: lists as categories, the value so far reported at each
evaluation, a pruner asked whether to go on, and the study's best trial returned. A trial that
collapses or diverges is reported as the worst value of the table. It is counted as all searches are
counted here (see compare_search.py): in updates of both networks, in units of a full trial of mean
length, a trial's values being those of one of its recorded seeds; what is returned is judged by the
mean over all recorded seeds, dead ones as the worst. Printed are means over searches with standard
errors: the regret of the returned hyperparameters, the share of their seeds that die, and the
regret of the best generator in hand.
"""

import argparse
import math
import random
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import optuna
from compare_search import Replay, Table
from experiments import print_table

from autogan.core.hyperparameters import Value
from autogan.search import STOPPING_RULES

BUDGETS = (2, 5, 10, 20)
PRUNERS: dict[str, Callable[[], optuna.pruners.BasePruner]] = {
    "no pruner": optuna.pruners.NopPruner,
    "MedianPruner": optuna.pruners.MedianPruner,
    "SuccessiveHalvingPruner": lambda: optuna.pruners.SuccessiveHalvingPruner(
        min_resource=1, reduction_factor=3
    ),
    "HyperbandPruner": lambda: optuna.pruners.HyperbandPruner(
        min_resource=1, max_resource=10, reduction_factor=3
    ),
}
OWN = {
    "AutoGAN: gp, asha, 5 seeds (the default)": ("gp", "asha", 5),
    "AutoGAN: random, asha, 5 seeds": ("random", "asha", 5),
    "AutoGAN: random": ("random", None, 1),
}
Stands = Sequence[tuple[float, float, float, float]]
"""Spent, regret, share that dies, regret in hand: after each training."""


def main() -> None:
    """Print a row for each search and table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--searches", type=int, default=60)
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for file in given.tables:
        table = Table(file)
        print(f"\n{file.stem}: {len(table.truth)} combinations\n")
        rows = []
        for name, own in OWN.items():
            rows.append(row(name, [replayed(table, *own, seed) for seed in range(given.searches)]))
        for name, pruner in PRUNERS.items():
            traces = [studied(table, pruner(), seed) for seed in range(given.searches)]
            rows.append(row(f"Optuna {optuna.__version__}: TPE, {name}", traces))
        kinds = ("regret", "dead", "in hand")
        print_table(["", *(f"{kind} at {b}" for b in BUDGETS for kind in kinds)], rows)


def row(name: str, traces: Sequence[Stands]) -> list[str]:
    """Means with standard errors at each budget."""
    cells = [name]
    for budget in BUDGETS:
        ends = [[s for s in trace if s[0] <= budget or s is trace[0]][-1] for trace in traces]
        _, regrets, dead, hands = zip(*ends, strict=True)
        cells += [_mean(regrets), f"{statistics.fmean(dead):.0%}", _mean(hands)]
    return cells


def replayed(table: Table, method: str, rule: str | None, seeds: int, search: int) -> Stands:
    """One of AutoGAN's own searches."""
    stopping = STOPPING_RULES.get(rule)(table.evaluations) if rule else None
    trace = Replay(table, method, stopping, search, seeds).run(BUDGETS[-1]).trace
    return [_nothing(table), *((s.spent, s.regret, s.died, s.in_hand) for s in trace)]


def studied(table: Table, pruner: optuna.pruners.BasePruner, search: int) -> Stands:
    """One of Optuna's searches."""
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=search), pruner=pruner)
    trace, spent, least = [_nothing(table)], 0.0, min(table.truth.values())
    in_hand = table.most
    while spent < BUDGETS[-1]:
        trial = study.ask()
        point: tuple[Value, ...] = tuple(
            trial.suggest_categorical(d.name, list(d.candidates)) for d in table.space.dimensions
        )
        seeds = sorted(table.curves[point])
        seed = random.Random(f"{search}/{trial.number}").choice(seeds)
        curve = table.curves[point][seed]
        dies = (point, seed) in table.diverged | table.collapsed
        best, pruned = math.inf, False
        for place in range(table.evaluations):
            spent += table.updates(point) / table.unit
            if place == len(curve):
                break
            best = min(best, curve[place])
            trial.report(best, place + 1)
            if place + 1 < len(curve) and trial.should_prune():
                pruned = True
                break
            if place + 1 == len(curve):
                break
        if pruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, table.most if dies else best)
        if pruned or not dies:
            in_hand = min(in_hand, best)
        found = [t for t in study.trials if t.state is optuna.trial.TrialState.COMPLETE]
        if found:
            chosen = tuple(study.best_params[d.name] for d in table.space.dimensions)
            regret, died = table.truth[chosen] - least, table.died[chosen]
            trace.append((spent, regret, died, in_hand - table.least))
    return trace


def _nothing(table: Table) -> tuple[float, float, float, float]:
    """How a search stands that has nothing yet."""
    worths = table.truth.values()
    died = statistics.fmean(table.died.values())
    return 0.0, max(worths) - min(worths), died, table.most - table.least


def _mean(values: Sequence[float]) -> str:
    error = statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.fmean(values):.1f} ± {error:.1f}"


if __name__ == "__main__":
    main()
