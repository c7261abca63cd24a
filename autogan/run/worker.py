"""The process that does the work: ``python -m autogan.run.worker``, on a pipe.

The driver (`autogan.run.engine`) writes one JSON line for a call to standard input and reads JSON
lines from standard output until the call's last, ``done``, ``refused`` or ``failed``. The end of
the pipe means that the driver is gone: the worker ends at once, and whatever it was writing is
whole or not there.

Datasets, feature networks, real statistics and built GANs stay in memory between calls.
"""

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

from autogan.core.errors import ConfigError, one_line


class Pipe:
    """The worker's end of the pipe; the driver that `autogan.run.trial` talks to."""

    def __init__(self) -> None:
        # Whatever libraries print goes to standard error: standard output is the pipe's.
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._calls: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._answers: SimpleQueue[bool] = SimpleQueue()
        self._interrupt = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, event: str, **fields: Any) -> None:
        """Write one message."""
        self._out.write(json.dumps({"event": event, **fields}) + "\n")
        self._out.flush()

    def next_call(self) -> dict[str, Any]:
        """Wait for the next call."""
        return self._calls.get()

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """See `autogan.run.trial.Driver`."""
        self.send("progress", step=step, steps=steps, losses=dict(losses))

    def evaluated(self, step: int, scores: Mapping[str, float]) -> bool:
        """See `autogan.run.trial.Driver`."""
        self.send("evaluation", step=step, scores=dict(scores))
        return self._answers.get()

    def interrupted(self) -> bool:
        """See `autogan.run.trial.Driver`."""
        return self._interrupt.is_set()

    def _listen(self) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            if message["call"] == "answer":
                self._answers.put(message["go_on"])
            elif message["call"] == "interrupt":
                self._interrupt.set()
            else:
                self._interrupt.clear()
                self._calls.put(message)
        os._exit(0)


def serve(make_session: Callable[[Pipe], Any]) -> None:
    """Answer calls with the methods of a session, made at the first, until the driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    pipe = Pipe()
    session: Any = None
    while True:
        message = pipe.next_call()
        name = message.pop("call")
        try:
            session = session or make_session(pipe)
            result = getattr(session, name)(**message)
            pipe.send("done", result=result, full=session.full)
        except ConfigError as error:
            pipe.send("refused", field=error.field, problem=error.problem)
        except Exception as error:
            pipe.send("failed", reason=one_line(error), traceback=traceback.format_exc())


def main() -> None:
    """Serve the real thing."""
    if sys.path[0] in ("", os.getcwd()):
        del sys.path[0]  # put there by python -m; the driver looks for plug-ins without it

    def make_session(pipe: Pipe) -> Any:
        from autogan.run.session import Session  # takes seconds: TensorFlow

        return Session(pipe)

    serve(make_session)


if __name__ == "__main__":
    main()
