"""Trackio: a database on this machine, a server, or a Hugging Face Space."""

import contextvars
import os
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from autogan.core.hyperparameters import Value
from autogan.trackers.base import PROJECT, Ending, Run, Tracker


class Trackio(Tracker):
    """A run for each trial and one for the search, in a group with the search's name.

    ``TRACKIO_DIR``, ``TRACKIO_SPACE_ID`` and ``TRACKIO_SERVER_URL`` say where, as usual.
    """

    name = "trackio"
    summary = "Trackio, on this machine or in a Space (an extra)"
    package = "trackio"

    def __init__(self, group: str) -> None:
        super().__init__(group)
        self._project = os.environ.get("TRACKIO_PROJECT", PROJECT)
        self._runs: dict[str, Any] = {}

    @property
    @override
    def place(self) -> str:
        return f"the project {self._project}"

    @override
    def begin(self, run: Run, known: str | None) -> str:
        import trackio

        name = known or run.name.replace(" ", "-")  # Trackio identifies runs by name
        made = contextvars.Context().run(  # in this context, it would end the previous run
            trackio.init,
            project=self._project,
            name=name,
            group=self.group,
            config=dict(run.config),
            resume="allow",
            embed=False,
            auto_log_gpu=False,  # several runs share the machine
            auto_log_cpu=False,
        )
        self._runs[name] = made
        return name

    @override
    def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
        self._runs[run].log(dict(values), step=step)

    @override
    def end(self, run: str, ending: Ending, step: int, summary: Mapping[str, Value]) -> None:
        ended = self._runs.pop(run)
        if summary:
            ended.log(dict(summary), step=step)
        ended.finish()
