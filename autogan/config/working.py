"""The keys of workers: how many there are, where they run, and in which order results count."""

import shlex
from typing import Annotated, Any, Literal

from pydantic import field_validator, model_validator

from autogan.config.keys import key
from autogan.config.training import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.machine import Gpu, cores, gpus, workers_that_fit

CONNECTIONS = ("engine", "ray_address", "worker_command")
"""The keys that make workers run elsewhere. They are executed or connected to, so files cannot set
them; they do not affect results, so files do not keep them."""


class Working(TrainConfig):
    """The keys of workers.

    Except for the number of workers and the order in which results count, they do not affect
    results.
    """

    workers: Annotated[
        int | Literal["auto"] | None,
        key("workers",
            "trainings at the same time, each in its own process; auto: one per GPU or core, but "
            "at least five trials per worker if the method learns [auto on CPUs, else 1]",
            common=True),
    ] = None  # fmt: skip
    workers_per_gpu: Annotated[
        int, key("workers", "workers that share a GPU, each with a fixed part of its memory", ge=1)
    ] = 1
    engine: Annotated[
        Literal["local", "ray"], key("workers", "where workers run: local, or ray (a Ray cluster)")
    ] = "local"
    ray_address: Annotated[
        str | None,
        key("workers",
            "address of the Ray cluster, HOST:PORT; local starts one [RAY_ADDRESS, or the cluster"
            " of this machine]"),
    ] = None  # fmt: skip
    worker_command: Annotated[
        str | None,
        key("workers",
            "command prefix that starts a worker elsewhere and forwards stdin and stdout, such as"
            " 'srun -N1 -n1 --gpus=1 --overlap' or 'ssh HOST'"),
    ] = None  # fmt: skip
    order: Annotated[
        Literal["work", "completed"] | None,
        key("workers",
            "order in which results count: work (by the updates done, so the same search tries "
            "the same trials) or completed (as they arrive, so no worker waits) [work; completed "
            "with workers elsewhere]"),
    ] = None  # fmt: skip

    @field_validator("workers", mode="before")
    @classmethod
    def _read_workers(cls, value: Any) -> Any:
        if value in ("auto", None):
            return value
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            number = 0
        if number < 1 or isinstance(value, float | bool):
            raise ConfigError("workers", f"{value!r}; give a number of at least 1, or auto")
        return number

    @field_validator("worker_command")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                words = shlex.split(value)
            except ValueError as error:
                raise ConfigError("worker_command", f"{value!r}: {error}") from None
            if not words:
                raise ConfigError("worker_command", "is empty; give a command, such as ssh HOST")
        return value

    @model_validator(mode="after")
    def _places_suit(self) -> "Working":
        remote = self.remote
        if self.worker_command is not None and self.engine == "ray":
            raise ConfigError(
                "worker_command",
                f"{self.worker_command} cannot be combined with engine ray; give one of them",
            )
        if self.ray_address is not None and self.engine != "ray":
            raise ConfigError("ray_address", f"{self.ray_address} needs engine ray; add it")
        if self.workers == "auto" and remote:
            raise ConfigError("workers", "auto counts only this machine's workers; give a number")
        several = self.workers not in (1, None) or self.workers_per_gpu > 1 or remote
        if several and self.device.startswith("gpu:"):
            raise ConfigError(
                "device", f"{self.device} cannot be combined with several workers, which share all "
                "visible GPUs; set CUDA_VISIBLE_DEVICES, and give gpu"
            )  # fmt: skip
        return self

    @property
    def remote(self) -> bool:
        """Whether workers run elsewhere."""
        return self.worker_command is not None or self.engine == "ray"

    def saved(self) -> dict[str, Any]:
        """The keys for a file of the run: those of `as_dict` without `CONNECTIONS`."""
        return {n: value for n, value in self.as_dict().items() if n not in CONNECTIONS}

    def local_gpus(self) -> list[Gpu]:
        """The machine's GPUs, if the configuration uses them."""
        return [] if self.device == "cpu" else gpus()

    def working(self, useful: int | None) -> dict[str, Any]:
        """The keys whose defaults depend on the machine or on other keys.

        Args:
            useful: most workers that a search can make good use of; None if unknown.
        """
        workers = self.workers
        if workers is None and (self.remote or self.device.startswith("gpu")):
            workers = 1
        elif workers in (None, "auto"):
            if of_gpus := len(self.local_gpus()):
                workers = 1 if workers is None else self.workers_per_gpu * of_gpus
            else:
                limits = [workers_that_fit(), useful, self.threads and cores() // self.threads]
                workers = max(min(limit for limit in limits if limit is not None), 1)
        assert isinstance(workers, int)
        threads = self.threads or max(cores() // (1 if self.worker_command else workers), 1)
        order = self.order or ("completed" if self.remote else "work")
        return {"workers": workers, "order": order, "threads": threads}
