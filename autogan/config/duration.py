"""Durations in the form that people write."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from autogan.core.errors import ConfigError

_UNITS = {"h": 60.0, "m": 1.0, "s": 1 / 60}
_PARTS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([hms])", re.ASCII)


def minutes_of(value: Any) -> Any:
    """The minutes in a text such as 30m, 2h or 1h30m; a plain number is in minutes.

    Raises:
        ConfigError: if a text has another form.
    """
    if not isinstance(value, str):
        return value
    text = value.replace(" ", "").lower()
    parts = _PARTS.findall(text)
    if "".join(map("".join, parts)) == text and parts:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        return float(text)
    except ValueError:
        raise ConfigError(
            "time", f"{value!r} is not a duration; write it as 30m or 1h30m"
        ) from None


Minutes = Annotated[float, BeforeValidator(minutes_of)]
"""A number of minutes, or a text such as 30m, 2h or 1h30m."""
