"""What a search method sees of the past: the trials, their states and their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from autogan.hyperparameters import Value

Direction = Literal["min", "max"]


class State(str, Enum):
    """What became of a trial."""

    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped early"
    DIVERGED = "diverged"  # NaN, Inf or constant images: the region is bad
    FAILED = "failed"  # a crash or a time-out: says nothing about the point


@dataclass(frozen=True)
class Evaluation:
    """The scores of a trial's generator after ``step`` generator updates, by criterion label."""

    step: int
    scores: dict[str, float]


@dataclass
class Trial:
    """One trial.

    Attributes:
        number: counts from 0.
        params: the searched hyperparameters' values.
        seed: of the training.
        origin: how the method came to it, such as ``explore 3`` for a step away from trial 3.
        state: what became of it.
        evaluations: in the order of their steps.
        value: the objective's best evaluation, the trial's worth; None without one.
        step: the step of that evaluation.
        last_value: the objective's last evaluation.
        reason: of a failure or divergence, in one line.
        seconds: of work.
    """

    number: int
    params: dict[str, Value]
    seed: int = 0
    origin: str = ""
    state: State = State.RUNNING
    evaluations: list[Evaluation] = field(default_factory=list)
    value: float | None = None
    step: int | None = None
    last_value: float | None = None
    reason: str = ""
    seconds: float = 0.0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Trial":
        """The inverse of `dataclasses.asdict`, after a passage through JSON."""
        evaluations = [Evaluation(**evaluation) for evaluation in values["evaluations"]]
        return cls(**{**values, "state": State(values["state"]), "evaluations": evaluations})


@dataclass(frozen=True)
class History:
    """The trials so far, in the order of their numbers, and which way the objective is better."""

    trials: Sequence[Trial]
    direction: Direction

    def at_least_as_good(self, value: float, other: float) -> bool:
        """Whether ``value`` is as good as ``other`` or better."""
        return value <= other if self.direction == "min" else value >= other

    def ranked(self) -> list[Trial]:
        """The trials that ended with a value, the best first; the earlier of equals first."""
        sign = 1 if self.direction == "min" else -1
        ended = [t for t in self.trials if t.state in (State.COMPLETE, State.STOPPED)]
        scored = [(sign * t.value, t.number, t) for t in ended if t.value is not None]
        return [trial for _, _, trial in sorted(scored, key=lambda item: item[:2])]

    def best(self) -> Trial | None:
        """The best trial, if any ended with a value."""
        return next(iter(self.ranked()), None)

    def tries(self) -> int:
        """How many trials count against the budget: all but the failed ones."""
        return sum(trial.state is not State.FAILED for trial in self.trials)
