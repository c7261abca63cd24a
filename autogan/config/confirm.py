"""The key that requests a confirmation."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from autogan.core.errors import ConfigError


class Confirm(BaseModel):
    """A confirmation: train the best points again, and name the winner by the results."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    top: Annotated[int, Field(ge=1, description="points, the best of the search")]
    repeats: Annotated[int, Field(ge=2, description="fresh seeds for each")]

    @staticmethod
    def parse(text: str) -> dict[str, str]:
        """The values of ``top=3,repeats=5``, unchecked.

        Raises:
            ConfigError: if it has another form.
        """
        given = dict(part.partition("=")[::2] for part in text.replace(" ", "").split(","))
        if set(given) != set(Confirm.model_fields):
            raise ConfigError("confirm", f"{text!r}; write it as top=3,repeats=5")
        return given
