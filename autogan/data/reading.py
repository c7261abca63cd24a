"""The user's options for reading pictures from files."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autogan.core.errors import ConfigError

Colour = tuple[int, int, int]

DEFAULT_BITS = 16  # of a file with 16 bits per pixel

_NAMED = {"white": "#ffffff", "black": "#000000"}
_HEX = re.compile(r"#?([0-9a-f]{6})")


@dataclass(frozen=True)
class Reading:
    """Options for reading a dataset's files; by default, the files decide.

    Attributes:
        channels: ``grey`` or ``rgb`` for all images; None: grey if all are grey, else RGB.
        bits: that the values of 16-bit files use, 8 to 16; None: the fewest that suffice.
        background: the colour behind transparent pixels: ``white``, ``black`` or ``#rrggbb``;
            None: white.
        skip_unreadable: whether to leave out files that cannot be read; else they are an error.
        labels: a CSV file of the images' labels; see `autogan.data.label_file`.
    """

    channels: Literal["grey", "rgb"] | None = None
    bits: int | None = None
    background: str | None = None
    skip_unreadable: bool = False
    labels: Path | None = None

    def __post_init__(self) -> None:
        if self.background is not None:
            object.__setattr__(self, "background", checked_background(self.background))

    @property
    def colour(self) -> Colour:
        """The background's red, green and blue, 0 to 255 each."""
        name = self.background or "white"
        red, green, blue = bytes.fromhex(_NAMED.get(name, name)[1:])
        return red, green, blue

    @property
    def of_files(self) -> list[str]:
        """The names of the given options that apply only to files."""
        given = {
            "bits": self.bits is not None,
            "background": self.background is not None,
            "skip_unreadable": self.skip_unreadable,
        }
        return [name for name, is_given in given.items() if is_given]


def checked_background(value: Any) -> str:
    """A background as ``white``, ``black`` or ``#rrggbb`` in lower case.

    Raises:
        ConfigError: if it is something else.
    """
    text = value.lower() if isinstance(value, str) else ""
    digits = _HEX.fullmatch(text)
    if text in _NAMED:
        return text
    if digits is None:
        raise ConfigError("background", f"{value!r}; give white, black or '#rrggbb', in quotes")
    return f"#{digits[1]}"
