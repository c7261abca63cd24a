"""The worker process, which serves a pipe.

The driver (`autogan.pool.pool`) writes one message per line to standard input and reads messages
from standard output until the call's reply (`autogan.pool.messages`). The end of the pipe means
that the driver is gone: the worker ends at once. Files that it was writing are complete or absent.

Datasets, feature networks, real statistics and GANs stay in memory between calls.
"""

import contextlib
import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import Any, Literal

from autogan.core.errors import ConfigError, StorageError, one_line
from autogan.core.invocation import command
from autogan.core.signals import SIGNALS
from autogan.pool.message import Call, Message
from autogan.pool.messages import (
    Answer,
    Evaluated,
    Failed,
    Interrupt,
    Note,
    Progress,
    Refused,
    decode,
    encode,
)
from autogan.search import Evaluation

_NO_STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.ESTALE, errno.EMFILE)


class Pipe:
    """The worker's end of the pipe: the driver of `autogan.worker.trial`."""

    def __init__(self) -> None:
        # Standard input and output are only for the pipe: libraries print to standard error, and
        # read an empty input.
        self._in = os.fdopen(os.dup(0), encoding="utf-8")
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self._answers: SimpleQueue[bool] = SimpleQueue()  # also True for each `Interrupt`
        self._interrupt = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, message: Message) -> None:
        """Write one message."""
        self._out.write(encode(message) + "\n")
        self._out.flush()

    def next_call(self) -> Call:
        """Wait for the next call."""
        return self._calls.get()

    def note(self, text: str) -> None:
        """See `autogan.worker.trial.Driver`."""
        self.send(Note(text=text))

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """See `autogan.worker.trial.Driver`."""
        self.send(Progress(step=step, steps=steps, losses=dict(losses)))

    def evaluated(self, evaluation: Evaluation) -> bool:
        """See `autogan.worker.trial.Driver`."""
        self.send(Evaluated(evaluation=evaluation))
        return self._answers.get()

    def interrupted(self) -> bool:
        """See `autogan.worker.trial.Driver`."""
        return self._interrupt.is_set()

    def _listen(self) -> None:
        """Receive the driver's messages; the end of the pipe or a broken line ends the process."""
        try:
            for line in self._in:
                self._take(decode(line))
        except Exception as error:
            print(f"cannot read a message of the driver: {one_line(error)}", file=sys.stderr)
        finally:
            os._exit(0)

    def _take(self, message: Message) -> None:
        if isinstance(message, Answer):
            self._answers.put(message.go_on)
        elif isinstance(message, Interrupt):
            self._interrupt.set()
            self._answers.put(True)  # so that the trial can save even if the driver cannot answer
        elif isinstance(message, Call):
            self._interrupt.clear()
            with contextlib.suppress(Empty):  # answers too late for the last trial
                while True:
                    self._answers.get_nowait()
            self._calls.put(message)


def serve(make_session: Callable[[Pipe], Any]) -> None:
    """Answer calls with the methods of a session until the driver is gone.

    The first call makes the session. The method with the call's name answers it.
    """
    for number in SIGNALS:  # the driver handles signals, and closes the pipe
        signal.signal(number, signal.SIG_IGN)
    pipe = Pipe()
    session: Any = None
    while True:
        call = pipe.next_call()
        try:
            session = session or make_session(pipe)
            pipe.send(getattr(session, type(call).__name__.lower())(call))
        except ConfigError as error:
            pipe.send(Refused(field=error.field, problem=error.problem))
        except Exception as error:
            pipe.send(failure(error))


def failure(error: Exception) -> Failed:
    """The report of an exception."""
    cause: Literal["itself", "memory", "disk"] = "itself"
    reason = one_line(error)
    if isinstance(error, StorageError):
        cause, reason = "disk", error.problem
    elif isinstance(error, OSError) and error.errno in _NO_STORAGE:
        cause, reason = "disk", StorageError.of(error).problem
    elif found := [n for n in _NO_STORAGE if os.strerror(n) in str(error)]:
        # TensorFlow's own error, from an event file.
        events = OSError(found[0], os.strerror(found[0]))
        cause, reason = "disk", StorageError.of(events, "the folder of the event files").problem
    elif isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        cause = "memory"
    return Failed(reason=reason, traceback=traceback.format_exc(), cause=cause)


def _without_tensorflow(error: Exception) -> ConfigError:
    """The error for a missing or broken TensorFlow."""
    # For a native library's failure, TensorFlow raises a traceback; the cause is in the context.
    cause = error.__context__ if isinstance(error.__context__, Exception) else error
    words = ["install"]
    if not isinstance(error, ModuleNotFoundError):
        words += ["--force-reinstall", "--no-deps"]  # other packages keep their versions
    again = command("pip", *words, "tensorflow>=2.21,<2.22")
    return ConfigError("tensorflow", f"cannot be imported ({one_line(cause)}); install it: {again}")


@contextlib.contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Hide packages that Keras imports only for wrappers that nothing here uses.

    Importing them takes a quarter of TensorFlow's start-up time (0.9 of 3.4 s).
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # makes its import fail
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def main() -> None:
    """Serve a real session."""

    def make_session(pipe: Pipe) -> Any:
        try:
            with _hidden("sklearn", "pandas"):
                import tensorflow  # noqa: F401 (takes seconds)
        except Exception as error:
            raise _without_tensorflow(error) from None
        from autogan.worker.session import Session

        return Session(pipe)

    serve(make_session)


if __name__ == "__main__":
    main()
