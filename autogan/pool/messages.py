"""All messages between driver and worker; each is one JSON line.

The driver sends calls; the worker answers each with its reply, or with `Refused` or `Failed`, and
sends `Note`, `Progress` and `Evaluated` in the meantime. The driver may send `Answer` and
`Interrupt` during a call.
"""

import json
from typing import Any, Literal

from autogan.pool import finished  # noqa: F401 (its messages are decoded here too)
from autogan.pool.message import Call, Message
from autogan.search import Evaluation, Trial

Cause = Literal["itself", "memory", "disk", "killed", "worker"]
"""The cause of a call's failure; see `Failed`."""


class Open(Call):
    """Check the parts of a configuration that need data, devices or TensorFlow.

    Attributes:
        folder: of a run that may keep a copy of its first stage; else empty.
        features: whether to check the feature network too.
        conditions: all values of ``condition`` that trainings may take, if there are more than
            that of ``config``.
        depth: the greatest ``depth`` that trainings may take.
    """

    folder: str = ""
    features: bool = True
    conditions: list[str] = []
    depth: int = 0


class Opened(Message):
    """Facts about the configuration; see `Open`.

    Attributes:
        images: number of images in the training set.
        image_shape: height, width, channels.
        classes: number of images per class, by name.
        attributes: number of images with each attribute, by name.
        digest: SHA-256 of the training set.
        generator_bytes: size of a saved generator.
        state_bytes: size of a checkpoint from which a training can resume.
        environment: everything except the configuration on which results depend.
    """

    images: int
    image_shape: tuple[int, int, int]
    classes: dict[str, int]
    digest: str
    generator_bytes: int
    state_bytes: int
    environment: dict[str, Any]
    attributes: dict[str, int] = {}


class Prepare(Call):
    """Train or load the feature network, and compute or load the real data's statistics.

    Attributes:
        folder: of a run that is resumed, whose feature network is used; empty for a new run.
    """

    folder: str


class Prepared(Message):
    """How images are measured; see `Prepare`.

    Attributes:
        objective: the label of the value that decides.
        labels: of the criteria, by name.
        features: network, hash of its weights and, of a classifier, accuracy on unseen images;
            number and digest of the reference's images, split.
    """

    objective: str
    labels: dict[str, str]
    features: dict[str, str | int | float]


class Time(Call):
    """Measure the time of a training step and, if ``evaluate``, of an evaluation."""

    evaluate: bool = True


class Timed(Message):
    """See `Time`.

    Attributes:
        step: seconds per training step.
        evaluation: seconds per evaluation; None if not requested, or if the feature network is
            not available locally.
    """

    step: float
    evaluation: float | None


class Join(Call):
    """Become a worker of a run: before the first training, check that everything is the same here.

    Attributes:
        root: the folder that the run has claimed.
        token: the content of `autogan.record.claim.WORKERS` in ``root``.
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
    """Train in a folder, or resume there: `autogan.worker.session.Session.train`.

    Attributes:
        folder: of the training.
        name: of the training in TensorBoard.
        trial: the trial at its start (number, hyperparameters, seed, origin), for its result.
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
        trial: the finished trial; None if it was interrupted.
        full: whether the worker uses so much memory that a fresh one should replace it.
    """

    trial: Trial | None
    full: bool = False


class Answer(Message):
    """The answer to an evaluation: whether the training continues."""

    go_on: bool


class Interrupt(Message):
    """Save and end the training as soon as possible."""


class Note(Message):
    """A line for the user."""

    text: str


class Placed(Message):
    """A worker has been given a training; sent by the pool of workers, not by the worker."""

    worker: str
    environment: dict[str, Any]


class Progress(Message):
    """A training has reached ``step`` of ``steps``; ``losses`` are means over the last steps."""

    step: int
    steps: int
    losses: dict[str, float]


class Evaluated(Message):
    """A training has been evaluated and waits for an `Answer`."""

    evaluation: Evaluation


class Refused(Message):
    """The user's input is wrong; see `autogan.core.errors.ConfigError`."""

    field: str
    problem: str


class Failed(Message):
    """A call ended in an error.

    Attributes:
        reason: one line.
        traceback: the full traceback.
        cause: ``memory``, ``disk`` or ``killed`` if the machine is at fault, ``worker`` if the
            worker has not brought any training to an evaluation yet; else ``itself``.
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
    """A message as one line, without the newline."""
    return json.dumps({"message": type(message).__name__, **message.model_dump(mode="json")})


def decode(line: str) -> Message:
    """The inverse of `encode`.

    Raises:
        ValueError: if the line is not a message.
    """
    try:
        fields = json.loads(line)
        return _KINDS[fields.pop("message")](**fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{line[:100]!r} is not a message") from error
