"""Logbooks of trackers: a file in the run's folder, with a line for all that was logged."""

import re
import secrets
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autogan.core.errors import StorageError
from autogan.core.files import append_line, contents, look, stored

FOLDER = "trackers"
"""The folder of logbooks, in the folder of a run."""

_Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-][a-zA-Z0-9_.-]*$", max_length=300)]


class Logged(BaseModel):
    """A line of a logbook: how much of a run has been logged.

    Attributes:
        group: see `autogan.trackers.base.Tracker`.
        key: of the run within its search.
        run: the tracker's name for it.
        step: of the last evaluation; -1 if there is none yet.
        summary: a digest of the last summary; empty if there is none yet.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    group: _Name
    key: str
    run: _Name
    step: int = -1
    summary: str = ""


class Logbook:
    """The logbook of one tracker for a search or training.

    Args:
        root: the folder of the run.
        tracker: the tracker's name.

    Raises:
        StorageError: if the file is damaged.

    Attributes:
        group: see `autogan.trackers.base.Tracker`; set by the run's first command.
        runs: the last line about each run, by its key.
    """

    def __init__(self, root: Path, tracker: str) -> None:
        self._root = root
        self._path = root / FOLDER / f"{tracker.replace(':', '.')}.jsonl"
        self.runs: dict[str, Logged] = {}
        lines = contents(self._path).split(b"\n")[:-1] if look(self._path, "log_to") else []
        try:
            read = [Logged.model_validate_json(line) for line in lines]
        except ValidationError as error:
            raise StorageError(
                f"{self._path} is damaged ({error.errors()[0]['msg']}); delete it to log all again"
            ) from None
        self.runs = {logged.key: logged for logged in read}
        name = re.sub(r"[^a-zA-Z0-9_-]", "_", root.resolve().name)[:100] or "run"
        self.group = read[-1].group if read else f"{name}-{secrets.token_hex(3)}"

    def keep(self, logged: Logged) -> None:
        """Record what has been logged.

        Raises:
            StorageError: if it cannot be written, or the run's folder is gone.
        """
        if not self._root.is_dir():
            raise StorageError(f"{self._root} is gone")
        with stored(self._path):
            self._path.parent.mkdir(exist_ok=True)
        append_line(self._path, logged.model_dump_json(), new=True)
        self.runs[logged.key] = logged
