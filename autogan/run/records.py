"""The lines of a search's record, one type each; what has another form is refused."""

import json
import zlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autogan.core.hyperparameters import Value
from autogan.search import State

_CRC = "crc"


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
    data: dict[str, Any]
    environment: dict[str, Any]
    earlier: list[dict[str, Any]] = []


class Limits(Record):
    """What a search may spend and try: at its start, and whenever it is resumed.

    Attributes:
        keys: of the configuration, those that may be others when it is resumed.
    """

    record: Literal["limits"]
    keys: dict[str, Any]


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

    trial: int = Field(ge=0)
    at: float | None = None


class Started(TrialRecord):
    """A trial begins.

    Attributes:
        folder: its name below ``trials``; no path.
        bounds: ranges of criteria by which its own best is chosen.
    """

    record: Literal["started"]
    params: dict[str, Value]
    seed: int
    origin: str
    folder: str = Field(pattern=r"^[^/\\\x00]*[^/\\\x00.][^/\\\x00]*$")
    repeats: int | None = None
    confirms: bool = False
    bounds: dict[str, list[float]] | None = None


class Evaluated(TrialRecord):
    """A trial's scores after a step, by label; see `autogan.search.Evaluation`.

    Attributes:
        go_on: what the trial was told thereupon.
    """

    record: Literal["evaluation"]
    step: int
    scores: dict[str, float]
    variety: dict[str, float] = {}
    collapsed: bool = False
    go_on: bool | None = None


class Ended(TrialRecord):
    """What came of a trial; see `autogan.search.Trial`."""

    record: Literal["ended"]
    state: State = Field(strict=False)
    value: float | None
    step: int | None
    last_value: float | None
    seconds: float
    reason: str
    steps: int = 0  # AutoGAN 0.1 wrote none


class Revived(TrialRecord):
    """A trial that was stopped early goes on; ``by_hand``, if the user has trained it on."""

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
    """A failed trial is tried again, as the user asked."""

    record: Literal["retried"]


class Judged(TrialRecord):
    """The best trial's scores on latent vectors that did not choose it.

    Attributes:
        step: of the checkpoint.
        scores: by label, against the reference.
        test: the same against the test images, if there are any.
    """

    record: Literal["judged"]
    step: int
    scores: dict[str, float]
    test: dict[str, float] | None


_KINDS: dict[str, type[Record]] = {
    "search": Begun,
    "limits": Limits,
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


def to_line(fields: dict[str, Any]) -> str:
    """A record as JSON, with a checksum of the rest at its end."""
    text = json.dumps(fields)
    return f'{text[:-1]}, "{_CRC}": "{_checksum(text)}"}}'


def from_line(line: str) -> Record:
    """The inverse of `to_line`; lines of AutoGAN 0.2 have no checksum.

    Raises:
        ValueError: naming in one line what is wrong.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("it is no mapping")
    checksum = fields.pop(_CRC, None)
    if checksum is not None and checksum != _checksum(json.dumps(fields)):
        raise ValueError("its checksum is another one")
    name = fields.get("record")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"unknown record {name!r}")
    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['input']!r}: {first['msg']}") from None


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"
