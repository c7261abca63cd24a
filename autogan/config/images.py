"""The keys that say which images are used, and how they are read."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from autogan.config.keys import key
from autogan.data import MAX_SIZE, MIN_SIZE, SIZE_STEP, Reading, checked_background


class ImageKeys(BaseModel):
    """The keys of a configuration that decide the images."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    dataset: Annotated[
        str,
        key(
            "data",
            "dataset name, folder:PATH or file:PATH; see: autogan list datasets",
            common=True,
        ),
    ] = "digits"
    data_dir: Annotated[
        Path | None,
        key("data", "folder that holds the dataset's files; without it they are downloaded"),
    ] = None
    image_size: Annotated[
        int | None,
        key("data", "side of the images in pixels; crops and resizes [their own size]", common=True,
            ge=MIN_SIZE, le=MAX_SIZE, multiple_of=SIZE_STEP),
    ] = None  # fmt: skip
    channels: Annotated[
        Literal["grey", "rgb"] | None,
        key("data", "grey or rgb for all images [grey if all of them are grey]"),
    ] = None
    bits: Annotated[
        int | None,
        key("data",
            "bits that the values of 16-bit grey files use [the fewest that hold the greatest "
            "value]",
            ge=8, le=16),
    ] = None  # fmt: skip
    background: Annotated[
        str | None,
        key("data", "colour behind transparent pixels: white, black or '#rrggbb' [white]"),
    ] = None
    skip_unreadable: Annotated[bool, key("data", "leave out files that cannot be read")] = False
    labels: Annotated[
        Path | None,
        key(
            "data",
            "a CSV file with a header and a line for each image: its path and its class, "
            "or attributes",
        ),
    ] = None

    @field_validator("background", mode="before")
    @classmethod
    def _known_background(cls, value: Any) -> Any:
        return None if value is None else checked_background(value)

    @property
    def reading(self) -> Reading:
        """The settings for reading images from files."""
        return Reading(self.channels, self.bits, self.background, self.skip_unreadable, self.labels)
