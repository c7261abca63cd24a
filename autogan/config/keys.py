"""How keys of a configuration are declared."""

from typing import Any, Literal

from pydantic import Field

Panel = Literal["data", "training", "criteria", "search", "workers", "output"]
"""Where a key's flag stands in ``--help``."""


def key(panel: Panel, description: str, **limits: Any) -> Any:
    """The declaration of a key."""
    return Field(description=description, json_schema_extra={"panel": panel}, **limits)
