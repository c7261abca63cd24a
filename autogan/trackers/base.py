"""The base class of trackers, and its three methods."""

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
"""The project or experiment of all runs, unless the tracker's own variable names another."""

Ending = Literal["finished", "failed", "interrupted"]
"""How a run ends; an interrupted run may resume later."""


@dataclass(frozen=True)
class Run:
    """A tracker's run: a search, or a training.

    Attributes:
        name: unique, such as ``gan-digits-4f2a91 trial 3``.
        config: the hyperparameters and all else that the run begins with.
        kind: the kind of run.
        parent: for a trial, the name that `Tracker.begin` returned for its search.
    """

    name: str
    config: Mapping[str, Value]
    kind: Literal["search", "trial", "training"]
    parent: str | None = None


class Tracker(Part):
    """Logs runs elsewhere; each command creates a new tracker.

    All calls come from one thread, and may block. Several runs may be open at a time. An exception
    ends the logging, and nothing else.

    Args:
        group: the unique name of the search or training.

    Attributes:
        package: the package that pip installs and Python imports; empty if it needs none.
    """

    package: ClassVar[str] = ""

    def __init__(self, group: str) -> None:
        self.group = group

    @classmethod
    def check_installed(cls) -> None:
        """Check that its package is installed, without importing it.

        Raises:
            ConfigError: with the command that installs it.
        """
        if cls.package and importlib.util.find_spec(cls.package) is None:
            install = command("pip", "install", cls.package)
            raise ConfigError("log_to", f"{cls.name} is not installed; install it: {install}")

    @property
    def place(self) -> str:
        """The place of the runs, such as ``the project autogan``; empty if it is not known."""
        return ""

    @abstractmethod
    def begin(self, run: Run, known: str | None) -> str:
        """Begin or resume a run.

        Args:
            run: the run to log.
            known: the name that this method returned to an earlier command; None for a new run.

        Returns:
            The name of the run in all other calls: only letters, digits and ``_-.``.
        """

    @abstractmethod
    def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
        """Log an evaluation.

        Args:
            run: see `begin`.
            step: generator updates so far; increasing.
            values: finite values, by the criteria's names.
        """

    @abstractmethod
    def end(self, run: str, ending: Ending, step: int, summary: Mapping[str, Value]) -> None:
        """End a run.

        Args:
            run: see `begin`.
            ending: how it ends.
            step: generator updates; for a search, trials.
            summary: its result; empty if it was logged already or is not known yet.
        """
