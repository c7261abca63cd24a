"""Workers on the nodes of a Ray cluster.

For each worker Ray starts a small actor, which forwards the pipe of an ordinary worker process. It
knows nothing of the search. A lost node is a lost worker to the pool, which handles that.
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

_PATIENCE = 60.0  # seconds to wait for a node with room for the first worker
_HEARTBEAT = 10.0  # seconds after which `Relay.read` returns even without a message
READ, WRITE = "reading", "writing"  # Ray's names for the relay's two threads
_CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # without clusters, Ray listens only on 127.0.0.1
_STORE_BYTES = 80 * 2**20  # of Ray's object store, which is hardly used


def ray_places(run: SearchConfig) -> list["RayPlace"]:
    """Places on the configuration's cluster.

    Raises:
        ConfigError: if Ray is not installed, or there is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a search tool does not phone home
    address = run.ray_address or os.environ.get("RAY_ADDRESS") or "auto"
    if address == "local":  # a cluster runs code for anyone who can connect
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
                f"{address}: {line}; start a cluster with ray start --head, or give local",
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
        needs: the resources that Ray reserves for the worker.
        per_gpu: workers per GPU.
        first: whether the run cannot start without this worker; if so, the wait is limited.
        command: starts a worker.
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
        patience: seconds to wait for a node with room; None for no limit.
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
        # One thread waits in `read`, the other writes: neither blocks the other.
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
            problem = f"no node of the Ray cluster has {wanted} free; request less, or add nodes"
            hear(Refused(field="workers", problem=problem))
        except ray.exceptions.RayActorError as error:
            line = str(error).strip().splitlines()[0]
            self._death = Death(f"the worker's node was lost: {line}", killed=True)
            hear(None)
        except Exception as error:  # the cluster is going down
            self._death = Death(f"Ray: {error}", killed=True)
            hear(None)


class Relay:
    """The code of Ray's actor: forwards the pipe of a worker process.

    Args:
        gpu: whether Ray has assigned a GPU.
        per_gpu: workers per GPU.
        command: starts the worker; if None, the usual command on that node.
    """

    def __init__(self, gpu: bool, per_gpu: int, command: Sequence[str] | None = None) -> None:
        os.environ.pop("OMP_NUM_THREADS", None)  # Ray sets it; the configuration decides instead
        env = {}
        if not gpu:
            env["CUDA_VISIBLE_DEVICES"] = ""  # without a GPU, Ray would leave all visible
        elif per_gpu > 1:
            env[GPU_MEMORY] = share_of(gpus()[0], per_gpu)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._worker = ProcessChannel(
            command or WORKER, env, lambda m: self._lines.put(None if m is None else encode(m))
        )

    def ready(self) -> bool:
        """Return True once the actor runs."""
        return True

    def read(self) -> list[str | None]:
        """The worker's new messages, None at its end; empty if none comes for a while."""
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
        """Send a message to the worker."""
        self._worker.send(decode(line))


def _ray() -> Any:
    """The module ``ray``, an optional dependency, which is loaded only when needed.

    Raises:
        ImportError: if it is not installed.
    """
    return importlib.import_module("ray")
