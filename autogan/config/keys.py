"""Declarations of the keys of configurations."""

from typing import Any, Literal

from pydantic import Field

Panel = Literal["data", "training", "criteria", "search", "workers", "output"]
"""The panel of a key's flag in ``--help``."""


def key(panel: Panel, description: str, *, common: bool = False, **limits: Any) -> Any:
    """The declaration of a key.

    Args:
        panel: of its flag.
        description: of its flag; defaults that the field does not hold are in brackets.
        common: whether ``--help`` shows it; ``--help-all`` shows all flags.
        limits: of its values, as arguments of pydantic's `Field`.
    """
    extra: dict[str, Any] = {"panel": panel, "common": common}
    return Field(description=description, json_schema_extra=extra, **limits)
