"""Tree-structured Parzen estimator (Bergstra et al., 2011), by Optuna."""

import hashlib
from collections.abc import Mapping
from typing import Any

from autogan.errors import ConfigError
from autogan.hyperparameters import Dimension, Value
from autogan.search.base import Proposal, SearchMethod, rng
from autogan.search.history import History, State
from autogan.search.space import Space, distinct_values, key, tidy

_ATTEMPTS = 20  # at a point that has not been tried, before one is drawn at random


class TPE(SearchMethod):
    """Draw where good trials were dense and bad ones were not.

    Optuna's sampler sees the history anew at each call, as a study in memory, so that nothing has
    to be kept. A list of numbers is one ordered axis, evenly spaced, whatever the numbers are;
    trials at values outside the space are left out. The first ten trials are random; running ones
    count as bad, a diverged one as the worst value so far.
    """

    name = "tpe"
    summary = "Parzen estimators of good and bad trials (Optuna's; pip install autogan[optuna])"

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Return the sampler's draw; see `SearchMethod.propose`."""
        optuna = _optuna()
        used = self.used(history)
        digest = hashlib.sha256(f"{seed}/{len(history.trials)}".encode()).digest()
        study = optuna.create_study(
            sampler=optuna.samplers.TPESampler(seed=int.from_bytes(digest[:4], "big")),
            direction="minimize" if history.direction == "min" else "maximize",
        )
        axes = {d.name: _Axis(d, optuna) for d in space.dimensions}
        study.add_trials(_trials(history, axes, optuna))
        distributions = {name: axis.distribution for name, axis in axes.items()}
        for _ in range(_ATTEMPTS):
            asked = study.ask(distributions).params
            point = {name: axis.decode(asked[name]) for name, axis in axes.items()}
            if key(point) not in used:
                return Proposal(point)
        point_left = space.draw(rng(seed, history), used)
        return None if point_left is None else Proposal(point_left)


class _Axis:
    """A dimension as Optuna sees it."""

    def __init__(self, dimension: Dimension, optuna: Any) -> None:
        self._numbers: tuple[Value, ...] | None = None
        interval = dimension.range
        if dimension.hyperparameter.kind == "choice":
            choices = distinct_values(dimension)
            self.distribution = optuna.distributions.CategoricalDistribution(choices)
        elif interval is None:
            self._numbers = tuple(sorted(distinct_values(dimension) or ()))
            last = len(self._numbers) - 1
            self.distribution = optuna.distributions.IntDistribution(0, last)
        elif numbers := distinct_values(dimension):
            self.distribution = optuna.distributions.IntDistribution(
                numbers[0], numbers[-1], log=interval.log
            )
        else:
            self.distribution = optuna.distributions.FloatDistribution(
                interval.low, interval.high, log=interval.log
            )

    def encode(self, value: Value) -> Any:
        """The value on the axis; ValueError if it does not lie there."""
        if self._numbers is not None:
            return self._numbers.index(value)
        if isinstance(value, str):
            return self.distribution.choices[self.distribution.choices.index(value)]
        if not self.distribution.low <= value <= self.distribution.high:
            raise ValueError(value)
        return value

    def decode(self, place: Any) -> Value:
        """The inverse of `encode`."""
        value: Value = place if self._numbers is None else self._numbers[place]
        return tidy(value) if isinstance(value, float) else value


def _trials(history: History, axes: Mapping[str, _Axis], optuna: Any) -> list[Any]:
    """The history as Optuna's trials; failed ones say nothing."""
    values = [trial.value for trial in history.ranked() if trial.value is not None]
    worst = values[-1] if values else 0.0
    made = []
    for trial in history.trials:
        if trial.state is State.FAILED:
            continue
        try:
            params = {name: axis.encode(trial.params[name]) for name, axis in axes.items()}
        except ValueError:
            continue
        running = trial.state is State.RUNNING
        made.append(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.RUNNING
                if running
                else optuna.trial.TrialState.COMPLETE,
                params=params,
                distributions={name: axis.distribution for name, axis in axes.items()},
                value=None if running else worst if trial.value is None else trial.value,
            )
        )
    return made


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "search_method", "tpe needs Optuna; pip install 'autogan[optuna]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
