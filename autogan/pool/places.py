"""Where workers run: as processes on this machine, or behind a command such as ssh or srun.

A worker is a process on a pipe. It always runs `autogan.worker.serve`, no matter what starts it.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from autogan.core.errors import told
from autogan.core.invocation import of_main
from autogan.core.machine import Gpu
from autogan.pool.message import Message
from autogan.pool.messages import Note, Refused, decode, encode

_GRACE = 10.0  # seconds for a worker to end after its pipe has ended
_TAIL = 4000  # characters of a dead worker's last output
_CONTEXT = 500  # megabytes of GPU memory that CUDA takes per process
_BANNER = 1000  # most lines that a login may print before the worker's first message
_SHOWN = 100  # characters shown of a line that is not a message
_USABLE = 0.9  # of a GPU's memory
GPU_MEMORY = "AUTOGAN_GPU_MEMORY"  # in a worker's environment: megabytes that it may take

WORKER = of_main("autogan.worker.serve")

Hear = Callable[[Message | None], None]
"""Callback for each message of a worker (None at its end); runs in another thread."""


@dataclass(frozen=True)
class Death:
    """How a worker ended.

    Attributes:
        report: the cause; the first line is a summary.
        killed: whether a signal ended it, so that the machine is at fault.
    """

    report: str
    killed: bool


class Channel(Protocol):
    """The connection to a running worker."""

    def send(self, message: Message) -> None:
        """Send a message; a dead worker ignores it."""

    def death(self) -> Death:
        """How the worker ended; call this after its stream of messages has ended."""

    def kill(self) -> None:
        """End the worker now; files that it is writing are never left half-written."""


class Place(Protocol):
    """A place where a worker can run."""

    @property
    def name(self) -> str:
        """The worker's name, for the user."""

    def spawn(self, hear: Hear) -> Channel:
        """Start a worker; if it cannot be started, its channel answers calls with `Refused`."""


@dataclass(frozen=True)
class LocalPlace:
    """A process on this machine.

    Attributes:
        name: see `Place`.
        command: starts a worker, here or elsewhere, and forwards stdin and stdout.
        env: variables added to this process's environment.
    """

    name: str = "worker 1"
    command: Sequence[str] = WORKER
    env: Mapping[str, str] | None = None

    def spawn(self, hear: Hear) -> Channel:
        """See `Place.spawn`."""
        try:
            return ProcessChannel(self.command, self.env or {}, hear)
        except OSError as error:
            own = tuple(self.command) == WORKER
            field, what = ("workers", "a worker") if own else ("worker_command", self.command[0])
            problem = f"{what} cannot be started ({error.strerror})"
            return NoChannel(Refused(field=field, problem=problem), hear)


@dataclass(frozen=True)
class NoChannel:
    """A worker that could not be started, which refuses every call; see `Channel`."""

    refusal: Refused
    hear: Hear

    def send(self, message: Message) -> None:
        """See `Channel.send`."""
        self.hear(self.refusal)

    def death(self) -> Death:
        """See `Channel.death`."""
        return Death(self.refusal.problem, killed=False)

    def kill(self) -> None:
        """See `Channel.kill`."""


class ProcessChannel:
    """A worker process on a pipe.

    Args:
        command: starts the worker.
        env: variables added to this process's environment.
        hear: see `Hear`.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str], hear: Hear) -> None:
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (kept open)
        self._odd = ""  # a line of its output that is not a message
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # the driver handles Ctrl-C
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **env},
            )
        except OSError:
            self._errors.close()
            raise
        threading.Thread(target=self._listen, args=(hear,), daemon=True).start()

    def send(self, message: Message) -> None:
        """See `Channel.send`."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it died: `hear` will get None
            self.process.stdin.write(encode(message) + "\n")
            self.process.stdin.flush()

    def death(self) -> Death:
        """See `Channel.death`."""
        try:
            code = self.process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:  # it runs, but its messages cannot be read
            self.process.kill()
            self.process.wait()
            code = 0
        cause = f"the worker process ended with code {code}"
        if self._odd:
            cause = f"the worker process printed {self._odd!r}, which is not a message"
        elif code < 0:
            cause = f"the worker process was killed by {signal.Signals(-code).name}"
            if code == -signal.SIGKILL:
                cause += " (out of memory?)"
            elif code == -signal.SIGILL:
                cause += " (TensorFlow's packages need a CPU with AVX)"
        self._errors.seek(0)
        return Death(f"{cause}\n{self._errors.read()[-_TAIL:]}", killed=code < 0 and not self._odd)

    def kill(self) -> None:
        """See `Channel.kill`."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # unwritten output is lost anyway
                    pipe.close()
        self._errors.close()

    def _listen(self, hear: Hear) -> None:
        """Pass on the worker's messages until a line is not one.

        Lines that a login prints before the first message are skipped.
        """
        assert self.process.stdout is not None
        printed: list[str] | None = []  # before the first message
        with contextlib.suppress(OSError, ValueError):  # the pipe is closed when it is ended
            for line in self.process.stdout:
                try:
                    message = decode(line)
                except ValueError:
                    if printed is not None and len(printed) < _BANNER:
                        printed.append(line.strip())
                        continue
                    if line.endswith("\n"):  # else a kill cut it off
                        self._odd = told(line)[:_SHOWN]
                    break
                if said := _banner(printed):
                    hear(
                        Note(
                            text=f"the worker printed {said!r} before its first message; make the "
                            "login print nothing"
                        )
                    )
                printed = None
                hear(message)
        self._odd = self._odd or _banner(printed)
        if self._odd:
            self.process.kill()  # it may keep printing
        hear(None)


def _banner(printed: Sequence[str] | None) -> str:
    """The first line that is not empty."""
    return told(next(filter(None, printed or ()), ""))[:_SHOWN]


def local_places(
    count: int, gpus: Sequence[Gpu] = (), per_gpu: int = 1, command: Sequence[str] = WORKER
) -> list[LocalPlace]:
    """Places on this machine, assigned to its GPUs in turn.

    Args:
        count: number of workers.
        gpus: of the machine; none for training on the CPU.
        per_gpu: workers per GPU; each may take only its share of the memory.
        command: starts a worker.
    """
    places = []
    for number in range(count):
        env = {}
        if gpus:
            gpu = gpus[number % len(gpus)]
            env = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": gpu.name}
            if per_gpu > 1:
                env[GPU_MEMORY] = share_of(gpu, per_gpu)
        places.append(LocalPlace(f"worker {number + 1}", command, env))
    return places


def share_of(gpu: Gpu, workers: int) -> str:
    """Megabytes of a GPU's memory for each of its workers, for `GPU_MEMORY`; "" if unknown."""
    return str(int(_USABLE * gpu.megabytes / workers) - _CONTEXT) if gpu.megabytes else ""


def command_places(count: int, prefix: str) -> list[LocalPlace]:
    """Places behind a command, such as ``srun -N1 -n1`` or ``ssh HOST``, one for each worker.

    The worker's own command line follows as its last arguments; for ssh, it is quoted for the
    shell of the other machine.
    """
    words = shlex.split(prefix)
    own = [shlex.quote(word) for word in WORKER] if os.path.basename(words[0]) == "ssh" else WORKER
    return [LocalPlace(f"worker {n + 1}", [*words, *own]) for n in range(count)]
