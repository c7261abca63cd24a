"""The budget of a search: minutes of training, and updates of both networks."""

import itertools
import math
import random
import statistics
from collections.abc import Mapping, Sequence

from autogan.config import SEARCHED, SearchConfig
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Value
from autogan.decisions.confirmation import usual
from autogan.search import Point, State, Trial

_POINTS = 1000  # of the space, for the mean cost of a training


class Budget:
    """Counts the cost of all trainings of a search, including its confirmation.

    Args:
        config: of the search, resolved.
        images: in the training set.
        before: seconds of training already spent on the search's proxy.

    Attributes:
        full: updates of both networks in a full training, averaged over the space.
    """

    def __init__(self, config: SearchConfig, images: int, before: float = 0.0) -> None:
        self._config = config
        self._images = images
        most = math.inf if config.max_minutes is None else 60 * SEARCHED * config.max_minutes
        self._before = min(before, most)  # running trials may have exceeded their share
        self.full = statistics.fmean(map(self._whole, _points(config)))

    def check(self) -> None:
        """Refuse a budget that ends before the confirmation.

        Raises:
            ConfigError: naming a sufficient budget.
        """
        least = round(self.full * (1 + self.confirmations([])))
        limit = self._config.max_steps
        if self._config.confirm is not None and limit is not None and limit < least:
            raise ConfigError(
                "max_steps",
                f"{limit} is too small for a trial and the confirmation, which take about {least} "
                "updates; give more, or confirm fewer points",
            )

    def confirmations(
        self, trials: Sequence[Trial], candidates: Sequence[Mapping[str, Value]] = ()
    ) -> float:
        """The cost of the rest of the confirmation, in full trainings.

        Args:
            trials: all trainings so far.
            candidates: the points that would be confirmed now; if empty, the mean cost counts.
        """
        confirm = self._config.confirm
        if confirm is None:
            return 0.0
        done = sum(trial.confirms and trial.state is not State.FAILED for trial in trials)
        costs = [self._whole({**self._config.fixed, **point}) for point in candidates]
        each = statistics.fmean(costs) / self.full if costs else 1.0
        space = self._config.space
        points = confirm.top + space.allows(usual(space))
        return max(points * confirm.repeats - done, 0) * each

    def _whole(self, values: Mapping[str, Value]) -> float:
        """Updates of both networks in a full training."""
        values = {**self._config.gan.defaults(), **values}
        steps, _ = self._config.schedule(self._images, int(values["batch_size"]))
        return self._config.gan.updates_per_step(values) * steps

    def spent(self, trials: Sequence[Trial], reserve: float = 0.0) -> str:
        """Why no more trainings may begin; empty if one may.

        Args:
            trials: all trainings so far.
            reserve: the number of full trainings that must remain possible.
        """
        config = self._config
        if config.max_steps is None and config.max_minutes is None:
            return ""
        updates = sum(updates_of(config, trial) for trial in trials)
        seconds = sum(trial.seconds for trial in trials)
        kept = reserve * self.full
        rest = f"; the rest is reserved for {reserve:.3g} full trainings" if reserve else ""
        if config.max_steps is not None and updates + kept >= config.max_steps:
            return f"{updates} of max_steps {config.max_steps} are spent{rest}"
        kept_seconds = kept * seconds / updates if updates else 0.0
        limit, spent = config.max_minutes, self._before + seconds
        if limit is not None and spent + kept_seconds >= 60 * limit:
            return f"{spent / 60:.1f} of max_minutes {limit:g} are spent{rest}"
        return ""


def updates_per_step(config: SearchConfig, trial: Trial) -> int:
    """Updates of both networks in a step of a search's trial."""
    return config.gan.updates_per_step({**config.gan.defaults(), **config.fixed, **trial.params})


def updates_of(config: SearchConfig, trial: Trial) -> int:
    """Updates of both networks in a search's trial; while it runs, up to its last evaluation."""
    evaluated = trial.evaluations[-1].step if trial.evaluations else 0
    return max(evaluated, trial.steps) * updates_per_step(config, trial)


def _points(config: SearchConfig) -> list[dict[str, Value]]:
    """All hyperparameters at points of the space: at every point, or at many drawn ones."""
    space, size = config.space, config.space.size()
    points: list[Point]
    if size is not None and size <= _POINTS:
        points = list(itertools.islice(space.points(), _POINTS))
    else:
        rng = random.Random(0)
        points = [p for _ in range(_POINTS) if (p := space.draw(rng, set())) is not None]
    return [{**config.fixed, **point} for point in points]
