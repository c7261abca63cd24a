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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Protocol, TypeVar

from autogan.core.errors import AutoGANError, ConfigError, DiskFull
from autogan.run.messages import (
    Answer,
    Call,
    Evaluated,
    Failed,
    Interrupt,
    Message,
    Note,
    Progress,
    Refused,
    Train,
    Trained,
    decode,
    encode,
)

_POLL = 0.2  # seconds between two looks at Ctrl-C
_GRACE = 10.0  # seconds for a worker to end whose pipe has ended
_TAIL = 4000  # characters of a dead worker's last words

# Not -m: that would import what lies in the working folder, a random.py of the user's, say.
WORKER = (
    sys.executable, "-c",
    "import sys; sys.path = [p for p in sys.path if p]; "
    "from autogan.run.worker import main; main()",
)  # fmt: skip

Reply = TypeVar("Reply", bound=Message)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Event:
    """What a worker says of a trial.

    Attributes:
        trial: its number.
        message: `Note`, `Progress` or `Evaluated` on the way; `Trained` or `Failed` at its end.
    """

    trial: int
    message: Message


class Engine(Protocol):
    """What runs trials; all that the search loop knows of workers."""

    def hold(self, descriptor: int) -> None:
        """Let all workers inherit the lock on the run's folder."""

    def call(self, call: Call, reply: type[Reply], tell: Tell = ...) -> Reply:
        """Do something that is no trial, and wait for its reply; notes on the way are told."""

    def free(self) -> bool:
        """Whether another trial can be started now."""

    def start(self, trial: int, minutes: float | None, call: Train) -> None:
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
        killed: whether a signal ended it, for which the machine is at fault.
    """

    def __init__(self, report: str, *, killed: bool = False) -> None:
        self.report = report
        self.killed = killed
        super().__init__(f"{report.splitlines()[0]} (--debug shows more)")


class LocalEngine:
    """One worker process on this machine, started when it is first needed.

    A worker that died, or whose memory holds enough, is replaced before the next call.

    Args:
        command: that starts a worker.
        clock: seconds since some moment; a trial's time is measured by it.
    """

    def __init__(
        self,
        command: Sequence[str] = WORKER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._clock = clock
        self._process: subprocess.Popen[str] | None = None
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._errors: IO[str] | None = None
        self._held: tuple[int, ...] = ()
        self._trial: int | None = None
        self._deadline: float | None = None
        self._full = False

    def hold(self, descriptor: int) -> None:
        """See `Engine.hold`; a worker that runs already is not told."""
        self._held = (descriptor,)

    def call(self, call: Call, reply: type[Reply], tell: Tell = lambda text: None) -> Reply:
        """Do something that is no trial, and wait for its reply; see `Engine.call`.

        Raises:
            ConfigError: if the worker refuses.
            DiskFull: if it found no space.
            WorkerFailed: if it fails or dies.
        """
        self._send(call)
        try:
            while not isinstance(message := self._receive(), reply | Failed):
                if isinstance(message, Note):
                    tell(message.text)
        except WorkerFailed:
            self.close()  # it is dead: the next call gets a fresh one
            raise
        if isinstance(message, Failed):
            if message.cause == "disk":
                raise DiskFull(message.reason)
            raise WorkerFailed(f"{message.reason}\n{message.traceback}")
        return message

    def free(self) -> bool:
        """Whether no trial is running."""
        return self._trial is None

    def start(self, trial: int, minutes: float | None, call: Train) -> None:
        """Begin a trial; see `Engine.start`."""
        if self._full:
            self.close()
        self._trial = trial
        self._deadline = self._clock() + 60 * minutes if minutes else None
        self._send(call)

    def next_event(self) -> Event | None:
        """See `Engine.next_event`; the worker's death is the trial's failure."""
        assert self._trial is not None
        message: Message | None
        try:
            message = self._receive()
            late = self._deadline is not None and self._clock() > self._deadline
            if late and (message is None or isinstance(message, Progress | Evaluated)):
                raise WorkerFailed("the trial took longer than max_trial_minutes")
        except WorkerFailed as failure:
            self.close()
            reason = failure.report.splitlines()[0]
            message = Failed(
                reason=reason,
                traceback=failure.report,
                cause="killed" if failure.killed else "itself",
            )
        except ConfigError as error:  # such as a picture that cannot be decoded
            message = Failed(reason=str(error), traceback=str(error))
        if message is None:
            return None
        event = Event(self._trial, message)
        if isinstance(message, Trained | Failed):
            self._trial = None
        if isinstance(message, Trained):
            self._full = message.full
        elif isinstance(message, Failed) and message.cause == "memory":
            self.close()  # a fresh one has more
        return event

    def answer(self, trial: int, go_on: bool) -> None:
        """Say whether the trial shall go on."""
        self._write(Answer(go_on=go_on))

    def interrupt(self) -> None:
        """Have the running trial save and end."""
        self._write(Interrupt())

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

    def _send(self, call: Call) -> None:
        if self._process is None:
            self._spawn()
        self._write(call)

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
            pass_fds=self._held,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        threading.Thread(
            target=_read_messages, args=(self._process, self._messages), daemon=True
        ).start()

    def _write(self, message: Message) -> None:
        assert self._process is not None and self._process.stdin is not None  # noqa: PT018
        try:
            self._process.stdin.write(encode(message) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it died: `_receive` will say so

    def _receive(self) -> Message | None:
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
            raise self._death()
        if isinstance(message, Refused):
            raise ConfigError(message.field, message.problem)
        return message

    def _death(self) -> WorkerFailed:
        assert self._process is not None and self._errors is not None  # noqa: PT018
        try:
            code = self._process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:  # it lives, but what it says cannot be read
            self._process.kill()
            self._process.wait()
            code = 0
        cause = f"the worker process ended with code {code}"
        if code < 0:
            cause = f"the worker process was ended by {signal.Signals(-code).name}"
            if code == -signal.SIGKILL:
                cause += " (out of memory?)"
            elif code == -signal.SIGILL:
                cause += " (TensorFlow's packages need a processor with AVX)"
        self._errors.seek(0)
        return WorkerFailed(f"{cause}\n{self._errors.read()[-_TAIL:]}", killed=code < 0)


def _read_messages(
    process: subprocess.Popen[str], messages: "queue.SimpleQueue[Message | None]"
) -> None:
    """Move messages from the pipe to a queue; None at its end."""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            messages.put(decode(line))
    except (ValueError, KeyError, json.JSONDecodeError):
        pass  # closed by us, or torn by a kill
    messages.put(None)
