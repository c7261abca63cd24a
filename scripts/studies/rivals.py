"""Other libraries' searches, driven step by step on a recorded table of trainings.

Each is used as its documentation describes: lists as categories, the best value so far reported at
each evaluation, the library asked whether to continue, and its best training returned. This needs
the extra `benchmark`.
"""

import math
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras_tuner
import optuna
import smac
import syne_tune
from compare_search import Table, nothing
from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace
from smac.intensifier import Intensifier
from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import choice
from syne_tune.optimizer.baselines import ASHA

from autogan.core.hyperparameters import Value

_MANY = 1000  # trainings: more than any budget here allows


class Bench:
    """Runs a search's trainings on a table, and records the search's states.

    Args:
        table: the table to search.
        search: the search's seed, which decides the trainings' recorded seeds.
        budget: in full trainings.

    Attributes:
        trace: the search's states, at the start and after each training.
    """

    def __init__(self, table: Table, search: int, budget: float) -> None:
        self.table, self._search, self._budget = table, search, budget
        self._begun, self._spent, self._in_hand = 0, 0.0, table.most
        self.trace: list[tuple[float, float, float, float]] = [nothing(table)]

    @property
    def open(self) -> bool:
        """Whether another training may start."""
        return self._spent < self._budget

    def begin(self, values: Mapping[str, Any], seed: int | None = None) -> "Training":
        """Start a training of a point, under a recorded seed drawn for it.

        Args:
            values: by name; some libraries convert them to NumPy types.
            seed: number of the seed among the point's seeds; None draws it by the number of the
                training.
        """
        point = self._point(values)
        seeds = sorted(self.table.curves[point])
        drawn = random.Random(f"{self._search}/{self._begun}").choice(seeds)
        self._begun += 1
        if seed is not None:
            drawn = random.Random(f"{self._search}/{point}").sample(seeds, len(seeds))[seed]
        return Training(self, point, drawn)

    def paid(self, updates: float) -> None:
        """Count the updates of a training that has reached its next evaluation."""
        self._spent += updates / self.table.unit

    def ended(self, training: "Training", chosen: Mapping[str, Any] | None) -> None:
        """Record the state after a training ended or paused; ``chosen`` is the library's best."""
        if not training.dead:
            self._in_hand = min(self._in_hand, training.value)
        if chosen is None:
            return
        point = self._point(chosen)
        left = self._in_hand - self.table.least
        regret, died = self.table.regret(point), self.table.died[point]
        self.trace.append((self._spent, regret, died, left))

    def _point(self, values: Mapping[str, Any]) -> tuple[Value, ...]:
        """The combination with these values."""
        dimensions = self.table.space.dimensions
        return tuple(next(c for c in d.candidates if c == values[d.name]) for d in dimensions)


class Training:
    """One training of a table.

    Attributes:
        point: the combination's values.
        value: the best so far; the table's worst for a dead training.
        done: number of evaluations so far.
    """

    def __init__(self, bench: Bench, point: tuple[Value, ...], seed: str) -> None:
        self._bench, self.point, table = bench, point, bench.table
        self._curve = table.curves[point][seed]
        self._dies = (point, seed) in table.diverged | table.collapsed
        self.value, self.done, self.dead = math.inf, 0, False

    @property
    def over(self) -> bool:
        """Whether it is complete, or died."""
        return self.dead or self.done == self._bench.table.evaluations

    def go_on(self) -> None:
        """Train to the next evaluation."""
        self._bench.paid(self._bench.table.updates(self.point))
        self.done += 1
        if self.done <= len(self._curve):
            self.value = min(self.value, self._curve[self.done - 1])
        if self._dies and self.done >= len(self._curve):
            self.value, self.dead = self._bench.table.most, True

    def whole(self) -> float:
        """Train to the end; return the final value."""
        while not self.over:
            self.go_on()
        return self.value


def optuna_tpe(pruner: Callable[[], optuna.pruners.BasePruner]) -> Callable[[Bench, int], None]:
    """Optuna's TPE with a pruner."""

    def search(bench: Bench, seed: int) -> None:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), pruner=pruner())
        while bench.open:
            trial = study.ask()
            training = bench.begin(
                {
                    d.name: trial.suggest_categorical(d.name, list(d.candidates))
                    for d in bench.table.space.dimensions
                }
            )
            pruned = False
            while not training.over and not pruned:
                training.go_on()
                if not training.over:
                    trial.report(training.value, training.done)
                    pruned = trial.should_prune()
            if pruned:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                study.tell(trial, training.value)
            found = any(t.state is optuna.trial.TrialState.COMPLETE for t in study.trials)
            bench.ended(training, study.best_params if found else None)

    return search


def syne_tune_asha(bench: Bench, seed: int) -> None:
    """Syne Tune's asynchronous successive halving, which stops trials and never resumes them."""
    space = {d.name: choice(list(d.candidates)) for d in bench.table.space.dimensions}
    scheduler = ASHA(
        space, metric="fid", time_attr="evaluation", max_t=bench.table.evaluations, random_seed=seed
    )
    best: tuple[float, Mapping[str, Any] | None] = (math.inf, None)
    for number in range(_MANY):
        suggested = scheduler.suggest()
        if not bench.open or suggested is None:
            return
        trial = Trial(number, suggested.config, None)
        scheduler.on_trial_add(trial)
        training, decision = bench.begin(suggested.config), "CONTINUE"
        while not training.over and decision == "CONTINUE":
            training.go_on()
            result = {"fid": training.value, "evaluation": training.done}
            decision = scheduler.on_trial_result(trial, result)
        if training.over:
            scheduler.on_trial_complete(trial, result)
            best = min(best, (training.value, suggested.config), key=lambda pair: pair[0])
        else:
            scheduler.on_trial_remove(trial)
        bench.ended(training, best[1])


def keras_tuner_hyperband(bench: Bench, seed: int) -> None:
    """KerasTuner's Hyperband, round after round, resuming from checkpoints."""
    known = keras_tuner.HyperParameters()
    for dimension in bench.table.space.dimensions:
        known.Choice(dimension.name, list(dimension.candidates))
    oracle = keras_tuner.oracles.HyperbandOracle(
        keras_tuner.Objective("fid", "min"),
        max_epochs=bench.table.evaluations,
        hyperband_iterations=_MANY,
        seed=seed,
        hyperparameters=known,
    )
    oracle.verbose = 0
    with tempfile.TemporaryDirectory() as folder:
        oracle._set_project_dir(folder, "search")
        trainings: dict[str, Training] = {}
        while bench.open:
            trial = oracle.create_trial("tuner")
            values = trial.hyperparameters.values
            training = trainings.get(values.get("tuner/trial_id", ""))
            training = trainings[trial.trial_id] = training or bench.begin(values)
            while not training.over and training.done < values["tuner/epochs"]:
                training.go_on()
            oracle.update_trial(trial.trial_id, {"fid": training.value}, step=training.done)
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
            whole = [t for t in oracle.get_best_trials(_MANY) if trainings[t.trial_id].over]
            bench.ended(training, whole[0].hyperparameters.values if whole else None)


def smac_facade(seeds: int) -> Callable[[Bench, int], None]:
    """SMAC's random forest, which trains candidates for the best under several seeds."""

    def search(bench: Bench, seed: int) -> None:
        space = ConfigurationSpace(seed=seed)
        for dimension in bench.table.space.dimensions:
            space.add(CategoricalHyperparameter(dimension.name, list(dimension.candidates)))
        with tempfile.TemporaryDirectory() as folder:
            scenario = smac.Scenario(
                space, output_directory=folder, n_trials=_MANY, seed=seed, deterministic=seeds == 1
            )
            facade = smac.HyperparameterOptimizationFacade(
                scenario,
                intensifier=Intensifier(scenario, max_config_calls=seeds),
                logging_level=False,
                overwrite=True,
            )
            known: dict[int, int] = {}  # SMAC's seeds, numbered
            while bench.open:
                info = facade.ask()
                number = known.setdefault(info.seed, len(known)) % bench.table.seeds
                training = bench.begin(info.config, number)
                facade.tell(info, smac.runhistory.TrialValue(cost=training.whole()))
                chosen = facade.intensifier.get_incumbents()
                bench.ended(training, dict(chosen[0]) if chosen else None)

    return search


def rivals() -> Iterator[tuple[str, Callable[[Bench, int], None]]]:
    """All other libraries' searches, with their names and versions."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruners: dict[str, Callable[[], optuna.pruners.BasePruner]] = {
        "no pruner": optuna.pruners.NopPruner,
        "MedianPruner": optuna.pruners.MedianPruner,
        "SuccessiveHalvingPruner": lambda: optuna.pruners.SuccessiveHalvingPruner(
            min_resource=1, reduction_factor=3
        ),
        "HyperbandPruner": lambda: optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=10, reduction_factor=3
        ),
    }
    for name, pruner in pruners.items():
        yield f"Optuna {optuna.__version__}: TPE, {name}", optuna_tpe(pruner)
    yield f"Syne Tune {syne_tune.__version__}: ASHA", syne_tune_asha
    yield f"KerasTuner {keras_tuner.__version__}: Hyperband", keras_tuner_hyperband
    for seeds in (1, 3):
        several = "1 seed" if seeds == 1 else f"{seeds} seeds"
        yield f"SMAC {smac.version}: random forest, {several}", smac_facade(seeds)
