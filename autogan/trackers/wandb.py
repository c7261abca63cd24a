"""Weights & Biases: its service, the user's own server, or files to send later."""

import os
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from autogan.core.hyperparameters import Value
from autogan.trackers.base import PROJECT, Ending, Run, Tracker


class WandB(Tracker):
    """A run for each trial and one for the search, in a group with the search's name.

    ``WANDB_MODE``, ``WANDB_PROJECT`` and all other variables of Weights & Biases count.
    """

    name = "wandb"
    summary = "Weights & Biases, online or offline (an extra)"
    package = "wandb"

    def __init__(self, group: str) -> None:
        super().__init__(group)
        import wandb

        self._wandb: Any = wandb
        mode = wandb.setup(self._settings()).settings.mode
        if mode == "online" and not wandb.login(prompt=False):
            raise PermissionError("no API key; run wandb login, or set WANDB_MODE=offline")
        self._project = os.environ.get("WANDB_PROJECT", PROJECT)
        self._runs: dict[str, Any] = {}

    @property
    @override
    def place(self) -> str:
        return f"the project {self._project}"

    def _settings(self) -> Any:
        """New settings for each run, because wandb writes the run's id into them.

        They keep wandb from printing, and from capturing what AutoGAN prints.
        """
        return self._wandb.Settings(silent=True, console="off")

    @override
    def begin(self, run: Run, known: str | None) -> str:
        made = self._wandb.init(
            project=self._project,
            group=self.group,
            job_type=run.kind,
            name=run.name,
            id=known,
            resume="allow" if known else None,
            config=dict(run.config),
            reinit="create_new",  # next to other open runs
            settings=self._settings(),
        )
        self._runs[made.id] = made
        name: str = made.id
        return name

    @override
    def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
        self._runs[run].log(dict(values), step=step, commit=True)

    @override
    def end(self, run: str, ending: Ending, step: int, summary: Mapping[str, Value]) -> None:
        ended = self._runs.pop(run)
        ended.summary.update(dict(summary))
        ended.finish(exit_code=0 if ending == "finished" else 1)
