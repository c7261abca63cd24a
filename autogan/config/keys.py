"""How keys of a configuration are declared."""

from typing import Any, Literal

from pydantic import Field

Panel = Literal["data", "training", "criteria", "search", "workers", "output"]
"""Where a key's flag stands in ``--help``."""


def key(panel: Panel, description: str, *, common: bool = False, **limits: Any) -> Any:
    """The declaration of a key.

    Args:
        panel: of its flag.
        description: of its flag; defaults that the field does not hold stand in brackets.
        common: whether ``--help`` shows it; ``--help-all`` shows all.
        limits: of its values, as pydantic's `Field` takes them.
    """
    extra: dict[str, Any] = {"panel": panel, "common": common}
    return Field(description=description, json_schema_extra=extra, **limits)
