"""The lines of a search's record, one type each; what has another form is refused."""

import itertools
import json
import math
import os
import zlib
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from autogan.core.hyperparameters import Value
from autogan.search import State, Trial

_CRC = "crc"  # of a line by itself, as AutoGAN 0.2 and 0.3 wrote it
_CHAIN = "chain"  # of all lines up to this one
_LARGEST = 2**53  # of a number that counts something
_HUGE = 1e300  # of any other: sums and squares of it would be infinite soon
_LONGEST = 255  # bytes of a folder's name, on any file system
_LATEST = 250e9  # seconds since 1970: some time in the year 9892


def _known_time(at: Any) -> Any:
    """A time that a calendar knows; a clock may be at any, and nothing is decided by it."""
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
        raise ValueError("a trial that has ended runs no more")
    return state


def _with_images(data: dict[str, Any]) -> dict[str, Any]:
    images = data.get("images")
    if type(images) is not int or images < 1:
        raise ValueError("no number of images")
    return data


def _trials(earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for values in earlier:
        trial_of(values)
    return earlier


class Record(BaseModel):
    """One line."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Begun(Record):
    """What all values depend on; once, first.

    Attributes:
        objective: the label of what decides.
        labels: of the criteria, by name.
        features: network, hash of its weights and, of a classifier, accuracy on unseen images;
            number and digest of the reference's images, split.
        data: the training set: images, classes, digest.
        environment: versions and device.
        earlier: trials of another search to learn from.
    """

    record: Literal["search"]
    objective: str
    labels: dict[str, str]
    features: dict[str, str | int | float]
    data: Annotated[dict[str, Any], AfterValidator(_with_images)]
    environment: dict[str, Any]
    earlier: Annotated[list[dict[str, Any]], AfterValidator(_trials)] = []


class Limits(Record):
    """What a search may spend and try: at its start, and whenever it is resumed.

    Attributes:
        keys: of the configuration, those that may be others when it is resumed.
    """

    record: Literal["limits"]
    keys: dict[str, Any]


class Changed(Record):
    """The training images are others than those so far, and the user goes on with them.

    Attributes:
        data: as in `Begun`; as many images, and of the same classes.
    """

    record: Literal["data"]
    data: Annotated[dict[str, Any], AfterValidator(_with_images)]


class Joined(Record):
    """A worker joins whose versions or device are not those that the search began with."""

    record: Literal["worker"]
    worker: str
    environment: dict[str, Any]


class TrialRecord(Record):
    """A line about a trial.

    Attributes:
        at: when it was written, in seconds since 1970; nothing is decided by it.
    """

    trial: Count
    at: Time = None


class Started(TrialRecord):
    """A trial begins.

    Attributes:
        folder: its name below ``trials``; no path.
        bounds: ranges of criteria by which its own best is chosen.
    """

    record: Literal["started"]
    params: dict[str, Value]
    seed: Count
    origin: str
    folder: FolderName
    repeats: int | None = None
    confirms: bool = False
    bounds: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)]] | None = None


class Evaluated(TrialRecord):
    """A trial's scores after a step, by label; see `autogan.search.Evaluation`.

    Attributes:
        scores: finite ones; those that do not decide may be missing.
        go_on: what the trial was told thereupon.
    """

    record: Literal["evaluation"]
    step: Count
    scores: dict[str, float]
    variety: dict[str, float] = {}
    collapsed: bool = False
    go_on: bool | None = None


class Ended(TrialRecord):
    """What came of a trial; see `autogan.search.Trial`."""

    record: Literal["ended"]
    state: Annotated[State, Field(strict=False), AfterValidator(_over)]
    value: float | None
    step: Count | None
    last_value: float | None
    seconds: Seconds
    reason: str
    steps: Count = 0  # AutoGAN 0.1 wrote none


class Revived(TrialRecord):
    """A trial that was stopped early goes on; ``by_hand``, if the user has trained it on.

    By hand, one that was out of time may go on, too.
    """

    record: Literal["revived"]
    by_hand: bool = False


class Placed(TrialRecord):
    """A worker begins a trial, or goes on with it."""

    record: Literal["placed"]
    worker: str


class Lost(TrialRecord):
    """The machine took a running trial away; it is tried again."""

    record: Literal["lost"]
    reason: str


class Retried(TrialRecord):
    """A failed trial is tried again, as the user asked; or one out of time goes on."""

    record: Literal["retried"]


class Judged(TrialRecord):
    """The best trial's scores on latent vectors that did not choose it.

    Attributes:
        step: of the checkpoint.
        scores: by label, against the reference.
        test: the same against the test images, if there are any.
    """

    record: Literal["judged"]
    step: Count
    scores: dict[str, float]
    test: dict[str, float] | None


_KINDS: dict[str, type[Record]] = {
    "search": Begun,
    "limits": Limits,
    "data": Changed,
    "worker": Joined,
    "placed": Placed,
    "started": Started,
    "evaluation": Evaluated,
    "ended": Ended,
    "revived": Revived,
    "lost": Lost,
    "retried": Retried,
    "judged": Judged,
}


class Chain:
    """Reads and writes the lines of one record, each with a checksum of all lines up to it.

    So a line that was changed, removed, doubled or moved is noticed. Lines of AutoGAN 0.3 have a
    checksum of their own alone, those before 0.2 none; a record that goes on is linked from there.
    """

    def __init__(self) -> None:
        self._link = 0
        self._begun = False  # whether some line has been linked

    def read(self, line: str) -> Record:
        """Take in the next line.

        Raises:
            ValueError: naming in one line what is wrong.
        """
        fields = json.loads(line)
        if not isinstance(fields, dict):
            raise ValueError("it is no mapping")
        link, alone = fields.pop(_CHAIN, None), fields.pop(_CRC, None)
        text = json.dumps(fields)
        if alone is not None and alone != _hex(zlib.crc32(text.encode())):
            raise ValueError("its checksum is another one")
        following = zlib.crc32(text.encode(), self._link)
        if (link is None and self._begun) or (link is not None and link != _hex(following)):
            raise ValueError("its checksum is another one: it or a line above was changed or moved")
        record = record_of(fields)
        self._link, self._begun = following, link is not None
        return record

    def line(self, fields: dict[str, Any]) -> str:
        """The next line for the fields of a record; `written` must follow."""
        text = json.dumps(fields)
        return f'{text[:-1]}, "{_CHAIN}": "{_hex(zlib.crc32(text.encode(), self._link))}"}}'

    def written(self, fields: dict[str, Any]) -> None:
        """The line of these fields is on the disk."""
        self._link, self._begun = zlib.crc32(json.dumps(fields).encode(), self._link), True


def record_of(fields: dict[str, Any]) -> Record:
    """The record that has these fields.

    Raises:
        ValueError: naming in one line what is wrong.
    """
    name = fields.get("record")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"unknown record {name!r}")
    try:
        return kind(**sound(fields))
    except ValidationError as error:
        raise ValueError(_said(error)) from None


def trial_of(values: Any) -> Trial:
    """A trial from what `dataclasses.asdict` and JSON made of it; unknown names are left out.

    Raises:
        ValueError: naming in one line what is wrong.
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
    """A value of JSON that can be shown and counted with; lone surrogates are escaped.

    Of figures of variety, which may be anything where the criterion is the user's own, those that
    are not finite are left out.

    Raises:
        ValueError: if it holds a number that is not finite, or too large to count.
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
    """What is wrong first, in one line."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['input']!r}: {first['msg']}"


def _hex(checksum: int) -> str:
    return f"{checksum:08x}"


_TRIAL = TypeAdapter(Trial)
