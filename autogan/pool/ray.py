"""Workers on the nodes of a Ray cluster.

Ray starts a small actor for each worker, which hands the pipe of an ordinary worker process on. It
knows nothing of the search: what is lost with a node is a worker, and the pool deals with that.
"""

import contextlib
import importlib
import logging
import os
import queue
import threading
from collections.abc import Sequence
from typing import Any

from autogan.config import SearchConfig
from autogan.core.errors import ConfigError
from autogan.core.invocation import command as command_line
from autogan.core.machine import gpus
from autogan.pool.message import Message
from autogan.pool.messages import Refused, decode, encode
from autogan.pool.places import GPU_MEMORY, WORKER, Death, Hear, ProcessChannel, share_of

_PATIENCE = 60.0  # seconds for a node to have room for the first worker
_HEARTBEAT = 10.0  # seconds after which a relay says that it has nothing to say
READ, WRITE = "reading", "writing"  # Ray's names for the relay's two threads
_CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # without them Ray listens on 127.0.0.1 alone
_STORE_BYTES = 80 * 2**20  # of Ray's object store: hardly anything goes through it


def ray_places(run: SearchConfig) -> list["RayPlace"]:
    """Places on the cluster that a configuration names.

    Raises:
        ConfigError: if Ray is not installed, or there is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a search tool does not phone home
    address = run.ray_address or os.environ.get("RAY_ADDRESS") or "auto"
    if address == "local":  # a cluster runs code for whoever can connect
        os.environ[_CLUSTERS] = "0"
    try:
        ray = _ray()
    except ImportError:
        install = command_line("pip", "install", "ray>=2.49")
        raise ConfigError("engine", f"ray is not installed; install it: {install}") from None
    own: dict[str, Any] = {}
    if address == "local":
        own = {"include_dashboard": False, "object_store_memory": _STORE_BYTES}
    if not ray.is_initialized():
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **own)
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            line = str(error).strip().splitlines()[0]
            raise ConfigError(
                "ray_address",
                f"{address}: {line}; start a cluster by ray start --head, or give local",
            ) from None
    count = 0.0 if run.device == "cpu" else float(ray.cluster_resources().get("GPU", 0))
    assert isinstance(run.workers, int)
    needs = {
        "num_cpus": 1 if count else run.threads,
        "num_gpus": 1 / run.workers_per_gpu if count else 0,
    }
    return [
        RayPlace(f"worker {n + 1}", needs, run.workers_per_gpu, first=n == 0)
        for n in range(run.workers or 1)
    ]


class RayPlace:
    """A place in a Ray cluster; see `autogan.pool.places.Place`.

    Args:
        name: of the worker.
        needs: the resources that Ray sets aside for it.
        per_gpu: workers that share a GPU.
        first: whether nothing can be done without it: then it is not waited for without end.
        command: that starts a worker.
    """

    def __init__(
        self,
        name: str,
        needs: dict[str, Any],
        per_gpu: int = 1,
        *,
        first: bool = False,
        command: Sequence[str] | None = None,
    ) -> None:
        self.name = name
        self._needs = needs
        self._per_gpu = per_gpu
        self._first = first
        self._command = command

    def spawn(self, hear: Hear) -> "RayChannel":
        """See `autogan.pool.places.Place.spawn`."""
        patience = _PATIENCE if self._first else None
        return RayChannel(self._needs, self._per_gpu, self._command, hear, patience)


class RayChannel:
    """A worker behind an actor; see `autogan.pool.places.Channel`.

    Args:
        needs: see `RayPlace`.
        per_gpu: likewise.
        command: likewise.
        hear: see `autogan.pool.places.Hear`.
        patience: seconds to wait for a node that has room; without end if None.
    """

    def __init__(
        self,
        needs: dict[str, Any],
        per_gpu: int,
        command: Sequence[str] | None,
        hear: Hear,
        patience: float | None,
    ) -> None:
        self._needs = needs
        # One thread waits in `read`, the other writes: neither holds the other up.
        relay = _ray().remote(max_restarts=0, concurrency_groups={READ: 1, WRITE: 1})(Relay)
        self._actor = relay.options(**needs).remote(bool(needs["num_gpus"]), per_gpu, command)
        self._death = Death("the worker's node was lost", killed=True)
        threading.Thread(target=self._listen, args=(hear, patience), daemon=True).start()

    def send(self, message: Message) -> None:
        """See `Channel.send`."""
        self._actor.write.options(concurrency_group=WRITE).remote(encode(message))

    def death(self) -> Death:
        """See `Channel.death`."""
        return self._death

    def kill(self) -> None:
        """See `Channel.kill`."""
        _ray().kill(self._actor)

    def _listen(self, hear: Hear, patience: float | None) -> None:
        ray = _ray()

        def ask(method: str, timeout: float | None = None) -> Any:
            actor_method = getattr(self._actor, method).options(concurrency_group=READ)
            return ray.get(actor_method.remote(), timeout=timeout)

        try:
            ask("ready", patience)
            while True:
                for line in ask("read"):
                    if line is None:
                        self._death = ask("death")
                        hear(None)
                        return
                    hear(decode(line))
        except ray.exceptions.GetTimeoutError:
            wanted = ", ".join(f"{n:g} {what[4:].upper()}" for what, n in self._needs.items() if n)
            problem = f"no node of the Ray cluster has {wanted} free; ask for less, or add nodes"
            hear(Refused(field="workers", problem=problem))
        except ray.exceptions.RayActorError as error:
            line = str(error).strip().splitlines()[0]
            self._death = Death(f"the worker's node was lost: {line}", killed=True)
            hear(None)
        except Exception as error:  # of a cluster that goes down
            self._death = Death(f"Ray: {error}", killed=True)
            hear(None)


class Relay:
    """Hands the pipe of a worker process on: what runs in Ray's actor.

    Args:
        gpu: whether Ray has given it one.
        per_gpu: workers that share it.
        command: that starts the worker; the usual one of its node if None.
    """

    def __init__(self, gpu: bool, per_gpu: int, command: Sequence[str] | None = None) -> None:
        os.environ.pop("OMP_NUM_THREADS", None)  # Ray's; ours are the configuration's
        env = {}
        if not gpu:
            env["CUDA_VISIBLE_DEVICES"] = ""  # Ray leaves all to whom it gives none
        elif per_gpu > 1:
            env[GPU_MEMORY] = share_of(gpus()[0], per_gpu)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._worker = ProcessChannel(
            command or WORKER, env, lambda m: self._lines.put(None if m is None else encode(m))
        )

    def ready(self) -> bool:
        """Answer once it lives."""
        return True

    def read(self) -> list[str | None]:
        """What the worker has said, None at its end; nothing after a while without."""
        lines: list[str | None] = []
        with contextlib.suppress(queue.Empty):
            lines.append(self._lines.get(timeout=_HEARTBEAT))
            while True:
                lines.append(self._lines.get_nowait())
        return lines

    def death(self) -> Death:
        """How the worker ended."""
        return self._worker.death()

    def write(self, line: str) -> None:
        """Tell the worker something."""
        self._worker.send(decode(line))


def _ray() -> Any:
    """The module; it is not always there, and is loaded only where it is needed.

    Raises:
        ImportError: if it is not there.
    """
    return importlib.import_module("ray")
