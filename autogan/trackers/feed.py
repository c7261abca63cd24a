"""A tracker at work in its own thread: nothing waits for it, and its errors stop nothing."""

import json
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from autogan.core.errors import AutoGANError, one_line
from autogan.core.hyperparameters import Value
from autogan.trackers import TRACKERS
from autogan.trackers.base import Ending, Run, Tracker
from autogan.trackers.logbook import Logbook, Logged

SEARCH = "search"
"""The key of the search's run itself."""

THREAD = "autogan tracker "
"""The prefix of the threads' names."""


@dataclass(frozen=True)
class Entry:
    """All that is known about a run so far. Nothing in it is logged twice.

    Attributes:
        key: the run's key in the logbook.
        title: of the run within its search, such as ``trial 3``; empty for the search.
        kind: see `autogan.trackers.base.Run`.
        config: likewise.
        evaluations: step and values of each, in order.
        ending: how it ended; None while it runs.
        step: see `autogan.trackers.base.Tracker.end`.
        summary: likewise.
    """

    key: str
    title: str
    kind: Literal["search", "trial", "training"]
    config: Mapping[str, Value]
    evaluations: Sequence[tuple[int, Mapping[str, float]]] = ()
    ending: Ending | None = None
    step: int = 0
    summary: Mapping[str, Value] = field(default_factory=dict)


class Feed:
    """Feeds a tracker with all that it has not logged yet.

    Args:
        name: of the tracker.
        root: the folder of the search or training, which keeps the logbook.

    Attributes:
        name: likewise.
        fault: why the tracker is no longer used; empty if it is.
        place: see `autogan.trackers.base.Tracker.place`; empty until the tracker has begun.
    """

    def __init__(self, name: str, root: Path) -> None:
        self.name, self.fault, self.place = name, "", ""
        self._root = root
        self._entries: SimpleQueue[Entry | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=THREAD + name, daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Log the news in an entry; returns at once."""
        self._entries.put(entry)

    def end(self) -> None:
        """End the logging; runs that have not ended are interrupted. Returns at once."""
        self._entries.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait until all is logged, at most ``seconds``; return whether it is."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            logbook = Logbook(self._root, self.name)
            tracker = TRACKERS.get(self.name)(logbook.group)
            self.place = tracker.place
            log = _Log(tracker, logbook)
            while (entry := self._entries.get()) is not None:
                log.take(entry)
            log.interrupt()
        except (Exception, SystemExit) as error:
            self.fault = str(error) if isinstance(error, AutoGANError) else one_line(error)


class _Log:
    """A tracker and its logbook."""

    def __init__(self, tracker: Tracker, logbook: Logbook) -> None:
        self._tracker, self._logbook = tracker, logbook
        self._open: dict[str, int] = {}  # the last step, by key

    def take(self, entry: Entry) -> None:
        """Log the news in an entry."""
        before = self._logbook.runs.get(entry.key)
        last = -1 if before is None else before.step
        new = [(step, values) for step, values in entry.evaluations if step > last]
        summary = _digest(entry.summary)
        told = before is not None and before.summary == summary
        known = told if entry.ending else before is not None and entry.kind == "search"
        if known and not new and entry.key not in self._open:
            return
        logged = self._begun(entry, before)
        for step, values in new:
            self._tracker.log(logged.run, step, values)
            logged = logged.model_copy(update={"step": step})
            self._logbook.keep(logged)
        if entry.ending:
            rest = {} if told else entry.summary
            self._tracker.end(logged.run, entry.ending, entry.step, rest)
            self._logbook.keep(logged.model_copy(update={"summary": summary}))
            del self._open[entry.key]

    def interrupt(self) -> None:
        """End all open runs; they may resume later."""
        for key in [*self._open]:
            logged = self._logbook.runs[key]
            self._tracker.end(logged.run, "interrupted", max(logged.step, 0), {})

    def _begun(self, entry: Entry, before: Logged | None) -> Logged:
        """Open a run, and return what has been logged of it."""
        if entry.key in self._open:
            assert before is not None
            return before
        group, search = self._logbook.group, self._logbook.runs.get(SEARCH)
        parent = search.run if search and entry.kind == "trial" else None
        run = Run(f"{group} {entry.title}".strip(), entry.config, entry.kind, parent)
        known = self._tracker.begin(run, None if before is None else before.run)
        logged = before or Logged(group=group, key=entry.key, run=known)
        if before is None:
            self._logbook.keep(logged)
        self._open[entry.key] = logged.step
        return logged


def _digest(values: Mapping[str, Value]) -> str:
    return f"{zlib.crc32(json.dumps(dict(values), sort_keys=True).encode()):08x}"
