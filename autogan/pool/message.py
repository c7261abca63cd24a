"""What every message between driver and worker is."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """One line on the pipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(Message):
    """What a worker is asked to do; its session's method of the same name does it.

    Attributes:
        config: a resolved `TrainConfig` as plain values.
    """

    config: dict[str, Any]
