"""Being asked to stop: Ctrl-C, and the signals of schedulers and closed terminals."""

import signal
import threading
from types import FrameType
from typing import Any

from autogan.core.errors import Interrupted
from autogan.core.signals import heeded
from autogan.run.display import Display
from autogan.run.engine import Engine, Event


class StopSignals:
    """Catches Ctrl-C, SIGTERM and SIGHUP: trials save and end; a second Ctrl-C ends at once.

    A context manager. Outside the main thread, where signals cannot be caught, it does nothing.

    Args:
        engine: runs the trials.
        display: is told.
        advice: how to go on later.
    """

    def __init__(self, engine: Engine, display: Display, advice: str) -> None:
        self.pressed = False
        self.advice = advice
        self._told = False
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
        """The engine's next event, with the wish to stop passed on to it."""
        if self.pressed and not self._told:
            self._told = True
            self._engine.interrupt()
            self._display.note("saving and stopping; Ctrl-C again stops at once")
        return self._engine.next_event()

    def interrupted(self) -> Interrupted:
        """What to raise when all is saved."""
        return Interrupted(f"stopped; {self.advice}")

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.pressed and number == signal.SIGINT:
            raise Interrupted(f"stopped at once; {self.advice}")
        self.pressed = True
