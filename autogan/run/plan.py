"""The plan of a search: its work and its cost."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.decisions.asking import proposed
from autogan.decisions.budget import Budget
from autogan.pool.messages import Opened, Timed
from autogan.search import History
from autogan.search.base import trial_seed

HOPEFUL = 3  # points of a running search whose trainings keep their states
_SAMPLES_BYTES = 300_000  # approximate size of a trial's grids and event files


@dataclass(frozen=True)
class Plan:
    """The plan of a search: its work and its cost. Costs are approximate.

    Attributes:
        config: resolved.
        trials: most trials to run; None if only max_minutes limits them.
        trainings: the same, including repeated seeds and the confirmation.
        full: the cost of all trainings in whole trainings, as a rule may stop some early.
        points: in the search space; None if they cannot be counted.
        images: in the training set.
        image_shape: height, width, channels.
        classes: number of images of each class, by its name, in the order of the class numbers.
        attributes: number of images that have each attribute, likewise.
        steps: generator updates of a trial (of the first trial, if the batch size is searched).
        updates: of both networks in a trial.
        megabytes: that a trial leaves on disk.
        stopped_megabytes: that each stopped trial takes in addition while the search runs, if a
            rule may revive it; the running trial and the best ones take as much.
        device: that it would run on, in words.
        training_seconds: of a whole training with its evaluations; None if it was not timed.
        evaluations_timed: whether evaluations are included: not without the feature network.
        done: updates of both networks that a resumed search has spent already.
        proxy: the plan of the search with the proxy, if there is one; all else is then about the
            full trainings.
    """

    config: SearchConfig
    trials: int | None
    trainings: int | None
    full: float | None
    points: int | None
    images: int
    image_shape: tuple[int, int, int]
    classes: dict[str, int]
    attributes: dict[str, int]
    steps: int
    updates: int
    megabytes: float
    stopped_megabytes: float
    device: str
    training_seconds: float | None = None
    evaluations_timed: bool = False
    done: int = 0
    proxy: "Plan | None" = None

    @property
    def most_megabytes(self) -> float:
        """The most disk space during the search, for all trainings (or for one)."""
        count = self.trainings or 1
        confirm, repeats = self.config.confirm, self.config.repeats
        hopeful = HOPEFUL * repeats
        if confirm is not None:  # the defaults are one more point
            hopeful += (confirm.top + 1) * (confirm.repeats + repeats)
        states = (self.trials or 1) if self.config.stopping_revives else 1 + min(hopeful, count)
        return count * self.megabytes + states * self.stopped_megabytes


def first_trial(run: SearchConfig) -> TrainConfig:
    """A trial of the search, for checks that concern all trials.

    Raises:
        ConfigError: if there is none.
    """
    history = History((), run.objective.direction)
    proposal = proposed(run, history)
    if proposal is None:
        raise ConfigError("params", "the search space has no points")
    return run.trial_config(proposal.point, trial_seed(run.seed, 0))


def plan_of(run: SearchConfig, opened: Opened, timed: Timed | None = None) -> Plan:
    """The plan of a search whose configuration a worker has opened, and timed if asked to.

    Raises:
        ConfigError: if its budget is too small.
    """
    rule = run.rule(opened.images)
    budget = Budget(run, opened.images)
    budget.check()
    hyperparameters = first_trial(run).hyperparameters()
    steps, evaluate_every = run.schedule(opened.images, int(hyperparameters["batch_size"]))
    confirmations = round(budget.confirmations([]))
    limits, points = [run.tries], run.space.size()
    if points is not None and run.distinct and run.method.stays_in_space:
        limits.append(points)

    def whole(trials: int) -> float:
        """The cost of ``trials`` trials in whole trainings."""
        first, ended = rule.expected(trials) if rule else (trials, trials)
        return first + further(first, ended) + confirmations

    def further(first: float, ended: float) -> float:
        """The most that further seeds cost: as much as the first seeds."""
        return min(first, ended * (run.repeats - 1))

    if run.max_steps is not None:
        fits = run.max_steps / budget.full
        most = min((limit for limit in limits if limit is not None), default=run.max_steps)
        limits.append(_least(lambda trials: whole(trials) >= fits, most))
    trials = min((limit for limit in limits if limit is not None), default=None)
    seconds = None
    if timed is not None:
        # The timed step is the first trial's; other trials make more or fewer updates per step.
        pace = timed.step / run.gan.updates_per_step(hyperparameters)
        evaluations = math.ceil(steps / evaluate_every) * (timed.evaluation or 0.0)
        seconds = pace * budget.full + evaluations
    return Plan(
        config=run,
        trials=trials,
        trainings=None
        if trials is None
        else trials + math.ceil(further(trials, trials)) + confirmations,
        full=None if trials is None else whole(trials),
        points=points,
        images=opened.images,
        image_shape=opened.image_shape,
        classes=opened.classes,
        attributes=opened.attributes,
        steps=steps,
        updates=round(budget.full),
        megabytes=(2 * opened.generator_bytes + _SAMPLES_BYTES) / 1e6,
        stopped_megabytes=opened.state_bytes / 1e6,
        device=str(opened.environment.get("device")),
        training_seconds=seconds,
        evaluations_timed=timed is not None and timed.evaluation is not None,
    )


def _least(enough: Callable[[int], bool], most: int) -> int:
    """The least number from 1 that is enough, by bisection; ``most`` if none below it is.

    Args:
        enough: whether a number is enough; if so, all larger ones must be, too.
        most: at least 1.
    """
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
