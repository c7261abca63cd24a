"""The base classes of all messages between driver and worker."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """One line on the pipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(Message):
    """A request to a worker; the method of the same name of its session carries it out.

    Attributes:
        config: a resolved `TrainConfig` as plain values.
    """

    config: dict[str, Any]
