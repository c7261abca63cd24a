"""What a search would do and cost."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.run.loop import trial_seed
from autogan.search import History

_SAMPLES_BYTES = 300_000  # about what grids and event files of a trial take


@dataclass(frozen=True)
class Plan:
    """What a search would do and cost.

    Attributes:
        config: resolved.
        trials: to run at most; None if only max_minutes limits them.
        trainings: the same with repeated seeds and the confirmation.
        points: in the search space; None if they cannot be counted.
        images: in the training set.
        image_shape: height, width, channels.
        classes: images of each class, by its name, in the order of their numbers.
        steps: generator updates of a trial (of the first, where the batch size is searched).
        updates: of both networks in a trial, about.
        megabytes: that a trial leaves on disk, about.
    """

    config: SearchConfig
    trials: int | None
    trainings: int | None
    points: int | None
    images: int
    image_shape: tuple[int, int, int]
    classes: dict[str, int]
    steps: int
    updates: int
    megabytes: float


def first_trial(run: SearchConfig) -> TrainConfig:
    """A trial of the search, to check what all of them share."""
    history = History((), run.objective.direction)
    proposal = run.method.propose(run.space, history, run.seed)
    if proposal is None:
        raise ConfigError("params", "the search space has no points")
    return run.trial_config(proposal.point, trial_seed(run.seed, 0))


def plan_of(run: SearchConfig, facts: Mapping[str, Any]) -> Plan:
    """The plan of a search of which a worker has told the facts."""
    hyperparameters = first_trial(run).hyperparameters()
    steps, _ = run.schedule(facts["images"], int(hyperparameters["batch_size"]))
    d_iters = [d for d in run.space.dimensions if d.name == "d_iter"]
    candidates = [*d_iters[0].candidates] if d_iters else [hyperparameters["d_iter"]]
    if d_iters and d_iters[0].range:
        candidates = [d_iters[0].range.low, d_iters[0].range.high]
    updates = steps * (1 + statistics.fmean(float(d) for d in candidates))
    limits, points = [run.trials], run.space.size()
    if points is not None and run.distinct and run.method.stays_in_space:
        limits.append(points)
    if run.max_steps is not None:
        limits.append(math.ceil(run.max_steps / updates))
    trials = min((limit for limit in limits if limit is not None), default=None)
    confirm = (run.confirm.top + 1) * run.confirm.repeats if run.confirm else 0
    return Plan(
        config=run,
        trials=trials,
        trainings=None if trials is None else trials * run.repeats + confirm,
        points=points,
        images=facts["images"],
        image_shape=tuple(facts["image_shape"]),
        classes=facts["data"]["classes"],
        steps=steps,
        updates=round(updates),
        megabytes=(2 * facts["generator_bytes"] + _SAMPLES_BYTES) / 1e6,
    )
