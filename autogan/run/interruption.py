"""Requests to stop: Ctrl-C, and the signals of schedulers and closed terminals."""

import signal
import threading
import time
from types import FrameType
from typing import Any

from autogan.core.errors import Interrupted
from autogan.core.signals import heeded
from autogan.pool.pool import Engine, Event
from autogan.show.display import Display

_TOGETHER = 1.0  # seconds: a closed terminal, say, sends SIGHUP twice


class StopSignals:
    """Catches Ctrl-C, SIGTERM and SIGHUP: trials save and end; a second signal ends at once.

    SIGTERM and SIGHUP that arrive together count as one. A context manager. Outside the main
    thread, where signals cannot be caught, it does nothing.

    Args:
        engine: runs the trials.
        display: shows a note.
        advice: how to resume later.

    Attributes:
        pressed: whether a signal has arrived.
        saved: whether nothing is left to save, so that even the first signal ends at once.
    """

    def __init__(self, engine: Engine, display: Display, advice: str) -> None:
        self.pressed = self.saved = False
        self.advice = advice
        self._at = 0.0  # when the first signal arrived
        self._noted = False
        self._engine, self._display = engine, display
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in heeded()}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def next_event(self) -> Event | None:
        """The engine's next event; passes a request to stop on to the engine."""
        if self.pressed and not self._noted:
            self._noted = True
            self._engine.interrupt()
            self._display.note("saving and stopping; Ctrl-C again stops at once")
        return self._engine.next_event()

    def interrupted(self) -> Interrupted:
        """The exception to raise when all is saved."""
        return Interrupted(f"stopped; {self.advice}")

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.saved:
            raise self.interrupted()
        if not self.pressed:
            self.pressed, self._at = True, time.monotonic()
        elif number == signal.SIGINT or time.monotonic() - self._at > _TOGETHER:
            raise Interrupted(f"stopped at once; {self.advice}")
