"""What driver and worker say to each other: one JSON line each, of these types alone.

The driver makes calls; the worker answers each with its reply, or with `Refused` or `Failed`, and
tells `Note`, `Progress` and `Evaluated` on the way. `Answer` and `Interrupt` come in between.
"""

import json
from typing import Any, Literal

from autogan.pool import finished  # noqa: F401 (its messages are decoded here too)
from autogan.pool.message import Call, Message
from autogan.search import Evaluation, Trial

Cause = Literal["itself", "memory", "disk", "killed", "worker"]
"""At whose fault a call ended in an error; see `Failed`."""


class Open(Call):
    """Check all of a configuration that needs data, devices or TensorFlow.

    Attributes:
        folder: of the run, if it may keep what it was begun with; else empty.
        features: whether the feature network is checked too.
        conditions: what trainings may have as ``condition``, if not that of ``config`` alone.
        depth: the most that trainings may have as ``depth``.
    """

    folder: str = ""
    features: bool = True
    conditions: list[str] = []
    depth: int = 0


class Opened(Message):
    """What the configuration comes to; see `Open`.

    Attributes:
        images: in the training set.
        image_shape: height, width, channels.
        classes: how many images each class has, by its name.
        digest: SHA-256 of the training set.
        generator_bytes: of a saved generator.
        state_bytes: of a checkpoint from which a training can go on.
        environment: what results depend on beside the configuration.
    """

    images: int
    image_shape: tuple[int, int, int]
    classes: dict[str, int]
    digest: str
    generator_bytes: int
    state_bytes: int
    environment: dict[str, Any]


class Prepare(Call):
    """Train or load the feature network, and compute or load the real data's statistics.

    Attributes:
        folder: of a run that is gone on with, whose feature network is taken; empty for a new one.
    """

    folder: str


class Prepared(Message):
    """What values are measured by; see `Prepare`.

    Attributes:
        objective: the label of what decides.
        labels: of the criteria, by name.
        features: network, hash of its weights and, of a classifier, accuracy on unseen images;
            number and digest of the reference's images, split.
    """

    objective: str
    labels: dict[str, str]
    features: dict[str, str | int | float]


class Time(Call):
    """Train a few steps and, if that is asked for, evaluate once, and measure how fast."""

    evaluate: bool = True


class Timed(Message):
    """See `Time`.

    Attributes:
        step: seconds of a generator step with the discriminator's.
        evaluation: seconds of an evaluation; None if it was not asked for, or the feature network
            is not at hand.
    """

    step: float
    evaluation: float | None


class Join(Call):
    """Become a worker of a run: see that everything is the same here, before the first training.

    Attributes:
        root: the folder that the run has claimed, whose `autogan.record.claim.WORKERS` holds
        token: this.
        run: the folder that keeps the feature network.
        features: see `Prepared`.
        digest: see `Opened`.
    """

    root: str
    token: str
    run: str
    features: dict[str, str | int | float]
    digest: str


class Joined(Message):
    """See `Join`; ``environment`` as in `Opened`."""

    environment: dict[str, Any]


class Train(Call):
    """Train in a folder, or go on there: `autogan.worker.session.Session.train`.

    Attributes:
        name: of the training in TensorBoard.
        trial: as it has begun: its number, hyperparameters, seed and origin, for its result.
        run: the folder of the run, which keeps the feature network.
        search: the configuration of the search, if the training is a trial of one.
    """

    folder: str
    run: str
    name: str
    trial: Trial
    search: dict[str, Any] | None = None


class Trained(Message):
    """See `Train`.

    Attributes:
        trial: what came of it; None if it was interrupted.
        full: whether the worker's memory holds enough, so that a fresh one should follow.
    """

    trial: Trial | None
    full: bool = False


class Answer(Message):
    """To an evaluation: whether the training goes on."""

    go_on: bool


class Interrupt(Message):
    """Save and end the training as soon as possible."""


class Note(Message):
    """Something that the user should know."""

    text: str


class Placed(Message):
    """A worker has been given a training; the pool of workers says so, not the worker."""

    worker: str
    environment: dict[str, Any]


class Progress(Message):
    """A training has come to a step of so many; ``losses`` are means over the steps before."""

    step: int
    steps: int
    losses: dict[str, float]


class Evaluated(Message):
    """A training has been evaluated, and waits for an `Answer`."""

    evaluation: Evaluation


class Refused(Message):
    """What the user gave is wrong; see `autogan.core.errors.ConfigError`."""

    field: str
    problem: str


class Failed(Message):
    """A call ended in an error.

    Attributes:
        reason: in one line.
        traceback: in full.
        cause: ``memory``, ``disk`` or ``killed`` where the machine is at fault, ``worker`` where a
            worker fails that has brought no training anywhere yet; else ``itself``.
    """

    reason: str
    traceback: str
    cause: Cause = "itself"


_KINDS = {
    kind.__name__: kind
    for kind in (*Call.__subclasses__(), *Message.__subclasses__())
    if kind is not Call
}


def encode(message: Message) -> str:
    """A message as one line without its end."""
    return json.dumps({"message": type(message).__name__, **message.model_dump(mode="json")})


def decode(line: str) -> Message:
    """The inverse of `encode`.

    Raises:
        ValueError: if it is no message.
    """
    try:
        fields = json.loads(line)
        return _KINDS[fields.pop("message")](**fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{line[:100]!r} is no message") from error
