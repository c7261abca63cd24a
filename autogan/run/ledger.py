"""The record of a search: one append-only file of JSON lines.

Each line is one record, flushed to the disk before the search goes on:

    {"record": "search", ...}       what all values depend on; once, first
    {"record": "started", ...}      a trial's number, hyperparameters, seed and folder, and the
                                    ranges of criteria by which its own best is chosen
    {"record": "evaluation", ...}   a trial's scores after a step
    {"record": "ended", ...}        a trial's state, value, timing, and the reason of a failure
    {"record": "revived", ...}      a trial that was stopped early goes on

The driver alone writes it. A last line that a kill tore is cut off at the next write.
"""

import json
from pathlib import Path
from typing import Any

from autogan.core.errors import ConfigError
from autogan.core.files import append_line
from autogan.search import Evaluation, State, Trial


class Ledger:
    """The record on disk, and the trials that it tells of.

    Args:
        path: of the file, which need not exist.

    Raises:
        ConfigError: if a line other than a torn last one cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.header: dict[str, Any] = {}
        self.trials: list[Trial] = []
        self.folders: dict[int, str] = {}
        self.bounds: dict[int, dict[str, tuple[float, float]]] = {}
        text = path.read_text(errors="replace") if path.exists() else ""
        for number, line in enumerate(text.split("\n")[:-1], start=1):  # the last is torn or empty
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, IndexError, TypeError) as error:
                raise ConfigError(
                    "run_dir", f"{path}, line {number} is damaged ({error}); restore it or begin "
                    "a new search in another --run-dir"
                ) from error  # fmt: skip

    def append(self, record: str, **fields: Any) -> None:
        """Write one record and take it in."""
        line = {"record": record, **fields}
        append_line(self._path, json.dumps(line))
        self._take(json.loads(json.dumps(line)))

    def unfinished(self) -> list[Trial]:
        """The trials that have started and not ended."""
        return [trial for trial in self.trials if trial.state is State.RUNNING]

    def _take(self, record: dict[str, Any]) -> None:
        kind = record.pop("record")
        if kind == "search":
            self.header = record
            return
        number = record["trial"]
        if kind == "started":
            if number != len(self.trials):
                raise ValueError(f"trial {number} follows trial {len(self.trials) - 1}")
            own = {name: record[name] for name in ("repeats", "confirms") if name in record}
            self.trials.append(
                Trial(number, record["params"], record["seed"], record["origin"], **own)
            )
            self.folders[number] = record["folder"]
            if "bounds" in record:
                self.bounds[number] = {n: (b[0], b[1]) for n, b in record["bounds"].items()}
            return
        trial = self.trials[number]
        if kind == "evaluation":
            trial.evaluations.append(Evaluation(record["step"], record["scores"]))
        elif kind == "ended":
            trial.state = State(record["state"])
            trial.value, trial.step = record["value"], record["step"]
            trial.last_value = record["last_value"]
            trial.reason, trial.seconds = record["reason"], record["seconds"]
            trial.steps = record.get("steps", 0)  # AutoGAN 0.1 wrote none
        elif kind == "revived":
            trial.state, trial.revived = State.RUNNING, len(trial.evaluations)
        else:
            raise ValueError(f"unknown record {kind!r}")
