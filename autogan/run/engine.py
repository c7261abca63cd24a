"""The driver's end of the pipe: a worker process that runs trials and lives on between them."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol

from autogan.core.errors import AutoGANError, ConfigError, Interrupted
from autogan.run.display import Display

_POLL = 0.2  # seconds between two looks at Ctrl-C
_TAIL = 4000  # characters of a dead worker's last words


@dataclass(frozen=True)
class Event:
    """What a worker says of a trial.

    Attributes:
        trial: its number.
        kind: ``progress`` or ``evaluation`` on the way; ``done`` or ``failed`` at its end.
        fields: of the message; ``failed`` has a ``reason`` in one line and a ``traceback``.
    """

    trial: int
    kind: str
    fields: dict[str, Any]


class Engine(Protocol):
    """What runs trials; all that the search loop knows of workers."""

    def call(self, name: str, **arguments: Any) -> Mapping[str, Any]:
        """Do something that is no trial, and wait for its result."""

    def free(self) -> bool:
        """Whether another trial can be started now."""

    def start(self, trial: int, minutes: float | None, **arguments: Any) -> None:
        """Begin a trial, which fails after so many minutes; its events follow."""

    def next_event(self) -> Event | None:
        """The next event of any trial; None if there is none for a moment."""

    def answer(self, trial: int, go_on: bool) -> None:
        """Say, after an evaluation, whether the trial shall go on."""

    def interrupt(self) -> None:
        """Have all running trials save and end as soon as possible."""

    def close(self) -> None:
        """End all workers."""


class WorkerFailed(AutoGANError):
    """The worker raised something unforeseen, or died.

    Args:
        report: what is known of its end; the first line says it in short.
    """

    def __init__(self, report: str) -> None:
        self.report = report
        super().__init__(f"{report.splitlines()[0]} (--debug shows more)")


class LocalEngine:
    """One worker process on this machine, started when it is first needed.

    A worker that died, or whose memory holds enough, is replaced before the next call; the new one
    takes over the lock on the run's folder.

    Args:
        command: that starts a worker.
        clock: seconds since some moment; a trial's time is measured by it.
    """

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-m", "autogan.run.worker"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._clock = clock
        self._process: subprocess.Popen[str] | None = None
        self._messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._errors: IO[str] | None = None
        self._claim: dict[str, Any] | None = None
        self._trial: int | None = None
        self._deadline: float | None = None
        self._full = False

    def call(self, name: str, **arguments: Any) -> Mapping[str, Any]:
        """Do something that is no trial, and wait for its result.

        Raises:
            ConfigError: if the worker refuses.
            WorkerFailed: if it fails or dies.
        """
        if name == "claim":
            self._claim = None
        self._send(name, arguments)
        while (message := self._receive()) is None:
            pass
        if message["event"] == "failed":
            raise WorkerFailed(f"{message['reason']}\n{message['traceback']}")
        if name == "claim":
            self._claim = arguments
        result: Mapping[str, Any] = message["result"]
        return result

    def free(self) -> bool:
        """Whether no trial is running."""
        return self._trial is None

    def start(self, trial: int, minutes: float | None, **arguments: Any) -> None:
        """Begin a trial; see `Engine.start`."""
        if self._full:
            self.close()
        self._trial = trial
        self._deadline = self._clock() + 60 * minutes if minutes else None
        self._send("train", arguments)

    def next_event(self) -> Event | None:
        """See `Engine.next_event`; the worker's death is the trial's failure."""
        assert self._trial is not None
        try:
            message = self._receive()
            late = self._deadline is not None and self._clock() > self._deadline
            if late and (message is None or message["event"] in ("progress", "evaluation")):
                raise WorkerFailed("the trial took longer than max_trial_minutes")
            if message is None:
                return None
        except WorkerFailed as failure:
            self.close()
            reason = failure.report.splitlines()[0]
            message = {"event": "failed", "reason": reason, "traceback": failure.report}
        except ConfigError as error:  # such as a picture that cannot be decoded
            message = {"event": "failed", "reason": str(error), "traceback": str(error)}
        event = Event(self._trial, message.pop("event"), message)
        if event.kind in ("done", "failed"):
            self._trial = None
        if event.kind == "done":
            self._full = message["full"]
        return event

    def answer(self, trial: int, go_on: bool) -> None:
        """Say whether the trial shall go on."""
        self._write({"call": "answer", "go_on": go_on})

    def interrupt(self) -> None:
        """Have the running trial save and end."""
        self._write({"call": "interrupt"})

    def close(self) -> None:
        """End the worker."""
        if self._process is None:
            return
        self._process.kill()  # nothing it writes can be torn
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # what could not be written is lost anyway
                    pipe.close()
        if self._errors:
            self._errors.close()
        self._process = None
        self._full = False

    def _send(self, name: str, arguments: Mapping[str, Any]) -> None:
        if self._process is None:
            self._spawn()
            if self._claim is not None:
                self.call("claim", **self._claim)
        self._write({"call": name, **arguments})

    def _spawn(self) -> None:
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (kept open)
        self._messages = queue.SimpleQueue()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is ours; the worker is told
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        threading.Thread(
            target=_read_messages, args=(self._process, self._messages), daemon=True
        ).start()

    def _write(self, message: Mapping[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None  # noqa: PT018
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it died: `_receive` will say so

    def _receive(self) -> dict[str, Any] | None:
        """The next message; None if there is none for a moment.

        Raises:
            ConfigError: if the worker refuses.
            WorkerFailed: if it is dead.
        """
        try:
            message = self._messages.get(timeout=_POLL)
        except queue.Empty:
            return None
        if message is None:
            raise WorkerFailed(self._last_words())
        if message["event"] == "refused":
            raise ConfigError(message["field"], message["problem"])
        return message

    def _last_words(self) -> str:
        assert self._process is not None and self._errors is not None  # noqa: PT018
        code = self._process.wait()
        cause = f"the worker process ended with code {code}"
        if code < 0:
            cause = f"the worker process was ended by {signal.Signals(-code).name}"
            if code == -signal.SIGKILL:
                cause += " (out of memory?)"
        self._errors.seek(0)
        return f"{cause}\n{self._errors.read()[-_TAIL:]}"


def _read_messages(
    process: subprocess.Popen[str], messages: "queue.SimpleQueue[dict[str, Any] | None]"
) -> None:
    """Move messages from the pipe to a queue; None at its end."""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            messages.put(json.loads(line))
    except ValueError:
        pass  # closed by us, or torn by a kill
    messages.put(None)


class CtrlC:
    """Catches Ctrl-C: the first has the running trials save and end, the second ends at once.

    A context manager. Outside the main thread, where signals cannot be caught, it does nothing.

    Args:
        engine: runs the trials.
        display: is told.
        advice: how to go on later.
    """

    def __init__(self, engine: Engine, display: Display, advice: str) -> None:
        self.pressed = False
        self._told = False
        self._engine, self._display, self._advice = engine, display, advice

    def __enter__(self) -> "CtrlC":
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._before)

    def next_event(self) -> Event | None:
        """The engine's next event, with Ctrl-C passed on to it."""
        if self.pressed and not self._told:
            self._told = True
            self._engine.interrupt()
            self._display.note("saving and stopping; Ctrl-C again stops at once")
        return self._engine.next_event()

    def interrupted(self) -> Interrupted:
        """What to raise when all is saved."""
        return Interrupted(f"stopped; {self._advice}")

    def _handle(self, *_: object) -> None:
        if self.pressed:
            raise Interrupted(f"stopped at once; {self._advice}")
        self.pressed = True
