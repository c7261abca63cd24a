"""What a tracker is: the three calls that it answers."""

import importlib.util
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Value
from autogan.core.invocation import command
from autogan.core.registry import Part

PROJECT = "autogan"
"""The project, or experiment, of all runs, unless the tracker's own variable names another."""

Ending = Literal["finished", "failed", "interrupted"]
"""How a run ends; an interrupted one may go on later."""


@dataclass(frozen=True)
class Run:
    """A run of a tracker: a search, or a training.

    Attributes:
        name: such as ``gan-digits-4f2a91 trial 3``; no other run has it.
        config: hyperparameters and all else that the run was begun with.
        kind: of what is logged.
        parent: of a trial, what `Tracker.begin` returned for its search.
    """

    name: str
    config: Mapping[str, Value]
    kind: Literal["search", "trial", "training"]
    parent: str | None = None


class Tracker(Part):
    """Logs runs somewhere else; a new one is made by each command.

    All calls come from one thread, in which they may wait. Several runs may be open at a time. An
    exception ends the logging, and nothing else.

    Args:
        group: the name of the search, or training; no other one has it.

    Attributes:
        package: that pip installs for it, and Python imports; empty if it needs none.
    """

    package: ClassVar[str] = ""

    def __init__(self, group: str) -> None:
        self.group = group

    @classmethod
    def check_installed(cls) -> None:
        """Check that its package is there, without importing it.

        Raises:
            ConfigError: with the command that installs it.
        """
        if cls.package and importlib.util.find_spec(cls.package) is None:
            install = command("pip", "install", cls.package)
            raise ConfigError("log_to", f"{cls.name} is not installed; install it: {install}")

    @abstractmethod
    def begin(self, run: Run, known: str | None) -> str:
        """Begin a run, or go on with it.

        Args:
            run: what is logged.
            known: what this returned when an earlier command began the run; None if none did.

        Returns:
            By what the other calls name the run: letters, digits and ``_-.`` alone.
        """

    @abstractmethod
    def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
        """Log an evaluation.

        Args:
            run: see `begin`.
            step: generator updates so far; they rise.
            values: finite ones, by the criteria's names.
        """

    @abstractmethod
    def end(self, run: str, ending: Ending, step: int, summary: Mapping[str, Value]) -> None:
        """End a run.

        Args:
            run: see `begin`.
            ending: how it ends.
            step: generator updates; of a search, trials.
            summary: what came of it; empty if it was logged already, or nothing is known yet.
        """
