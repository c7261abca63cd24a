"""Optuna's samplers as search methods: pure functions of the history, like AutoGAN's own."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from typing_extensions import override

from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Dimension, Value
from autogan.core.invocation import command
from autogan.search.base import Proposal, SearchMethod, digest, rng
from autogan.search.cube import Interval
from autogan.search.history import History, State, Trial, rank_scores
from autogan.search.space import Point, Space, distinct_values, key, tidy

_ATTEMPTS = 20  # to find an untried point, before drawing one at random
_STARTUP = 10  # draws before TPE estimates densities
_POPULATION = 10  # of a generation of NSGA-II: budgets here are small


class OptunaMethod(SearchMethod):
    """A sampler that gets the whole history at each call, as a study in memory.

    A list of numbers is one ordered axis with even spacing; a value between two counts as the
    nearer one. Trials are ranked by their `rank_scores`, or by all objectives if there are several;
    a dead trial counts as the worst so far.
    """

    generations: ClassVar[int | None] = None
    """The number of trials in a generation, for samplers with generations."""

    @abstractmethod
    def sampler(self, samplers: Any, seed: int) -> Any:
        """Create one of the module's ``samplers``."""

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Return the sampler's draw; see `SearchMethod.propose`."""
        optuna = _optuna(self.name)
        used = self.used(history)
        axes = [_Axis(dimension, optuna.distributions) for dimension in space.decisive_first]
        past = self._past(space, history, axes, optuna.trial)
        study = optuna.create_study(
            sampler=self.sampler(optuna.samplers, digest(seed, history)),
            directions=["minimize"] * len(next(iter(history.losses), (0.0,))),
        )
        study.add_trials(past)
        for _ in range(_ATTEMPTS):
            point: dict[str, Value] = {}
            trial = study.ask()
            for axis in axes:
                if space.exists(axis.dimension.name, point):
                    point[axis.dimension.name] = axis.suggested(trial, point)
            point = space.existing(point)  # a choice may come after dimensions that depend on it
            if key(point) not in used and space.allows(point):
                return Proposal(point)
        point_left = space.draw(rng(seed, history), used)
        return None if point_left is None else Proposal(point_left)

    def _past(
        self, space: Space, history: History, axes: Sequence["_Axis"], trials: Any
    ) -> list[Any]:
        """The history as Optuna's trials, without failed ones and those outside the space."""
        ended = self.known(space, history)
        values = {
            trial.number: [standing]
            for trial, standing in zip(ended, rank_scores(history, ended), strict=True)
        }
        if history.losses:
            worst = [max(column) for column in zip(*history.losses, strict=True)]
            values = {trial.number: list(trial.losses) or worst for trial in ended}
        made: list[Any] = []
        complete = 0
        for trial in history.trials:
            if trial.state is State.FAILED or not space.spans(trial.params):
                continue
            own = [axis for axis in axes if axis.dimension.name in trial.params]
            running = trial.number not in values
            generation = complete // self.generations if self.generations else 0
            complete += not running
            made.append(
                trials.create_trial(
                    state=trials.TrialState.RUNNING if running else trials.TrialState.COMPLETE,
                    params={a.dimension.name: a.encode(trial) for a in own},
                    distributions={a.dimension.name: a.distribution for a in own},
                    values=None if running else values[trial.number],
                    system_attrs={"NSGAIISampler:generation": generation},
                )
            )
        return made


class TPE(OptunaMethod):
    """Draw where good trials are dense and bad ones are not (Bergstra et al., 2011).

    The first ten trials are random; running trials count as bad.
    """

    name = "tpe"
    summary = "Parzen estimators of good and bad trials (Optuna's; pip install optuna)"

    @override
    def sampler(self, samplers: Any, seed: int) -> Any:
        return samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP)

    @override
    def drawn_first(self, space: Space) -> int:
        return _STARTUP


class NSGAII(OptunaMethod):
    """Cross and mutate the trials that no other dominates (Deb et al., 2002)."""

    name = "nsga2"
    summary = "genetic algorithm for several criteria (Optuna's; pip install optuna)"
    generations = _POPULATION

    @override
    def sampler(self, samplers: Any, seed: int) -> Any:
        return samplers.NSGAIISampler(population_size=_POPULATION, seed=seed)

    @override
    def drawn_first(self, space: Space) -> int:
        return _POPULATION


class _Axis:
    """A dimension as Optuna sees it; a range that depends on another value runs from 0 to 1."""

    def __init__(self, dimension: Dimension, distributions: Any) -> None:
        self.dimension = dimension
        self._numbers: tuple[float, ...] | None = None
        interval = dimension.range
        values = distinct_values(dimension)
        if dimension.hyperparameter.kind == "choice":
            self.distribution = distributions.CategoricalDistribution(values)
        elif dimension.by:
            self.distribution = distributions.FloatDistribution(0.0, 1.0)
        elif interval is None:
            self._numbers = tuple(sorted(v for v in values or () if not isinstance(v, str)))
            self.distribution = distributions.IntDistribution(0, len(self._numbers) - 1)
        elif values:
            self.distribution = distributions.IntDistribution(
                values[0], values[-1], log=interval.log
            )
        else:
            self.distribution = distributions.FloatDistribution(
                interval.low, interval.high, log=interval.log
            )

    def suggested(self, trial: Any, point: Point) -> Value:
        """Ask Optuna's trial for a value; the point has the values that decide its range."""
        name, kind = self.dimension.name, self.distribution
        if self.dimension.by:
            share = float(trial.suggest_float(name, kind.low, kind.high))
            return Interval(self.dimension.under(point)).value([share])
        if self._numbers is not None:
            place: int = trial.suggest_int(name, kind.low, kind.high)
            return self._numbers[place]
        if hasattr(kind, "choices"):
            return str(trial.suggest_categorical(name, kind.choices))
        if self.dimension.hyperparameter.integer:
            return int(trial.suggest_int(name, kind.low, kind.high, log=kind.log))
        return tidy(trial.suggest_float(name, kind.low, kind.high, log=kind.log))

    def encode(self, trial: Trial) -> Any:
        """A trial's value as Optuna sees it."""
        value = trial.params[self.dimension.name]
        if self.dimension.by:
            return Interval(self.dimension.under(trial.params)).place(value)[0]
        if self._numbers is None:
            return value
        off = [abs(number - float(value)) for number in self._numbers]
        return off.index(min(off))


def _optuna(method: str) -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "search_method",
            f"{method} needs Optuna; install it: {command('pip', 'install', 'optuna')}",
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
