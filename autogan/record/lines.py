"""The lines of a search's record, one type each; any other form is refused."""

import dataclasses
import itertools
import json
import math
import os
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from autogan.core.errors import printable
from autogan.core.hyperparameters import Value
from autogan.record.chosen import Chosen
from autogan.search import Evaluation, State, Trial

_LARGEST = 2**53  # limit of numbers that count something
_HUGE = 1e300  # limit of other numbers: sums and squares of larger ones overflow
_LONGEST = 255  # bytes of a folder's name, on any file system
_LATEST = 250e9  # seconds since 1970: some time in the year 9892


def _known_time(at: Any) -> Any:
    """The time, or None outside the calendar: a clock may be wrong, and no decision uses it."""
    known = not isinstance(at, int | float) or 0 <= at <= _LATEST
    return at if known else None


def _short_enough(name: str) -> str:
    if len(os.fsencode(name)) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} bytes")
    return name


Count = Annotated[int, Field(ge=0, le=_LARGEST)]
Seconds = Annotated[float, Field(ge=0, le=_LARGEST)]
Time = Annotated[float | None, BeforeValidator(_known_time)]
FolderName = Annotated[
    str, Field(pattern=r"^[^/\\\x00]*[^/\\\x00.][^/\\\x00]*$"), AfterValidator(_short_enough)
]


def _over(state: State) -> State:
    if state is State.RUNNING:
        raise ValueError("a trial that has ended is not running")
    return state


def _with_images(data: dict[str, Any]) -> dict[str, Any]:
    images = data.get("images")
    if type(images) is not int or images < 1:
        raise ValueError("the number of images is missing")
    return data


def _trials(earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for values in earlier:
        trial_of(values)
    return earlier


class Line(BaseModel):
    """One line; its fields are sound (`sound`).

    Attributes:
        name: of the kind of line, in its field ``record``.

    Raises:
        ValueError: naming the problem in one line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    name: ClassVar[str]

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**sound(fields))
        except ValidationError as error:
            raise ValueError(_said(error)) from None

    @property
    def fields(self) -> dict[str, Any]:
        """The line's fields in the file, except the checksum."""
        return {"record": self.name, **self.model_dump(mode="json", exclude_unset=True)}


class Begun(Line):
    """Everything that values depend on; the first line only.

    Attributes:
        objective: the label of the deciding value.
        labels: of the criteria, by name.
        features: network, hash of its weights and, for a classifier, its accuracy on unseen images;
            number and digest of the reference's images, split.
        data: the training set: images, classes, digest.
        environment: versions and device.
        earlier: trials of another search to learn from.
        proxy: the points to train in full, if the search has a proxy.
    """

    name = "search"
    objective: str
    labels: dict[str, str]
    features: dict[str, str | int | float]
    data: Annotated[dict[str, Any], AfterValidator(_with_images)]
    environment: dict[str, Any]
    earlier: Annotated[list[dict[str, Any]], AfterValidator(_trials)] = []
    proxy: Chosen | None = None


class Limits(Line):
    """The budget of a search and the points to try, at its start and each time it is resumed.

    Attributes:
        keys: of the configuration, those that may change when it is resumed.
    """

    name = "limits"
    keys: dict[str, Any]


class Changed(Line):
    """The training images have changed, and the user goes on with the new ones.

    Attributes:
        data: as in `Begun`, with the same number of images and the same classes.
    """

    name = "data"
    data: Annotated[dict[str, Any], AfterValidator(_with_images)]


class Joined(Line):
    """A worker joins whose versions or device differ from those at the start of the search."""

    name = "worker"
    worker: str
    environment: dict[str, Any]


class TrialLine(Line):
    """A line about a trial.

    Attributes:
        at: when the line was written, in seconds since 1970; no decision uses it.
    """

    trial: Count
    at: Time = None


class Started(TrialLine):
    """A trial begins.

    Attributes:
        folder: its name below ``trials``, not a path.
        bounds: the ranges of criteria by which its best evaluation is chosen.
    """

    name = "started"
    params: dict[str, Value]
    seed: Count
    origin: str
    folder: FolderName
    repeats: int | None = None
    confirms: bool = False
    bounds: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)]] | None = None

    def begun(self) -> Trial:
        """The trial at its start."""
        return Trial(
            self.trial, dict(self.params), self.seed, self.origin, self.repeats, self.confirms
        )


class Evaluated(TrialLine):
    """A trial's scores at a step, by label; see `autogan.search.Evaluation`.

    Attributes:
        scores: finite numbers; those that do not decide may be missing.
        go_on: the answer: whether the trial was to go on.
    """

    name = "evaluation"
    step: Count
    scores: dict[str, float]
    variety: dict[str, float] = {}
    collapsed: bool = False
    go_on: bool | None = None

    @classmethod
    def of(cls, trial: int, evaluation: Evaluation) -> "Evaluated":
        """The line of a trial's evaluation, without its value, which may depend on all trials."""
        fields = dataclasses.asdict(evaluation)
        del fields["value"]
        return cls(trial=trial, **fields)

    def answered(self, go_on: bool) -> "Evaluated":
        """The line with the answer."""
        return Evaluated(**{**self.model_dump(exclude_unset=True), "go_on": go_on})

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation, without a value."""
        return Evaluation(
            self.step, dict(self.scores), variety=dict(self.variety), collapsed=self.collapsed
        )


class Ended(TrialLine):
    """A trial's outcome: the fields of `autogan.search.Trial` of the same names."""

    OUTCOME: ClassVar = ("state", "value", "step", "last_value", "seconds", "reason", "steps")

    name = "ended"
    state: Annotated[State, Field(strict=False), AfterValidator(_over)]
    value: float | None
    step: Count | None
    last_value: float | None
    seconds: Seconds
    reason: str
    steps: Count

    @classmethod
    def of(cls, number: int, result: Trial, *, valued: bool) -> "Ended":
        """The line of a trial's end.

        Args:
            number: of the trial.
            result: its outcome.
            valued: whether its values depend on no other trial's scores.
        """
        outcome = {name: getattr(result, name) for name in cls.OUTCOME}
        outcome |= {} if valued else {"value": None, "last_value": None}
        return cls(trial=number, **{**outcome, "reason": printable(result.reason)})

    def end(self, trial: Trial) -> None:
        """Write the outcome into the trial."""
        for name in self.OUTCOME:
            setattr(trial, name, getattr(self, name))


class Revived(TrialLine):
    """A trial that was stopped early goes on; ``by_hand`` if the user trained it further.

    By hand, a trial that ran out of time may go on too.
    """

    name = "revived"
    by_hand: bool = False


class Placed(TrialLine):
    """A worker begins a trial, or goes on with it."""

    name = "placed"
    worker: str


class Lost(TrialLine):
    """A running trial's worker died; the trial is tried again."""

    name = "lost"
    reason: str


class Retried(TrialLine):
    """A failed trial is tried again at the user's request; or one out of time goes on."""

    name = "retried"


class Judged(TrialLine):
    """The best trial's scores on latent vectors that did not choose it, and scores to compare with.

    Attributes:
        step: of the checkpoint; all other fields as in `autogan.pool.messages.Scores`.
    """

    name = "judged"
    step: Count
    scores: dict[str, float]
    test: dict[str, float] | None
    spread: dict[str, float] | None = None
    floor: dict[str, float] | None = None
    floor_spread: dict[str, float] | None = None
    fewer: dict[str, float] | None = None
    more: dict[str, float] | None = None
    halves: dict[str, float] | None = None
    halves_spread: dict[str, float] | None = None
    copies: dict[str, float] | None = None


_KINDS = {
    kind.name: kind
    for kind in (
        Begun,
        Limits,
        Changed,
        Joined,
        Started,
        Placed,
        Evaluated,
        Ended,
        Revived,
        Lost,
        Retried,
        Judged,
    )
}


def line_of(fields: dict[str, Any]) -> Line:
    """The line that has these fields.

    Raises:
        ValueError: naming the problem in one line.
    """
    name = fields.get("record")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"unknown record {name!r}")
    return kind(**{key: value for key, value in fields.items() if key != "record"})


def trial_of(values: Any) -> Trial:
    """Rebuild a trial that went through `dataclasses.asdict` and JSON; ignores unknown names.

    Raises:
        ValueError: naming the problem in one line.
    """
    try:
        trial = _TRIAL.validate_json(json.dumps(sound(values)), strict=True)
    except ValidationError as error:
        raise ValueError(_said(error)) from None
    steps = [0, *(evaluation.step for evaluation in trial.evaluations)]
    if any(later <= earlier for earlier, later in itertools.pairwise(steps)):
        raise ValueError(f"evaluations: their steps are {steps[1:]}")
    for name in ("number", "seconds", "steps"):
        if not 0 <= getattr(trial, name) <= _LARGEST:
            raise ValueError(f"{name}: {getattr(trial, name)}")
    return trial


def sound(value: Any) -> Any:
    """A JSON value that can be shown and calculated with; escapes lone surrogates.

    Omits figures of variety that are not finite: a user's criterion may return any number.

    Raises:
        ValueError: if it holds a number that is not finite, or one that is too large.
    """
    if isinstance(value, dict):
        return {sound(name): sound(_finite(name, each)) for name, each in value.items()}
    if isinstance(value, list):
        return [sound(each) for each in value]
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if _infinite(value):
        raise ValueError(f"a number is {value}")
    if isinstance(value, int | float):
        largest = _LARGEST if isinstance(value, int) else _HUGE
        if abs(value) > largest:
            raise ValueError("a number is too large")
    return value


def _finite(name: str, value: Any) -> Any:
    if name != "variety" or not isinstance(value, dict):
        return value
    return {figure: each for figure, each in value.items() if not _infinite(each)}


def _infinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _said(error: ValidationError) -> str:
    """The first problem, in one line."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['input']!r}: {first['msg']}"


_TRIAL = TypeAdapter(Trial)
