"""The workers that a configuration asks for."""

import contextlib
from collections.abc import Iterator

from autogan.config import SearchConfig, TrainConfig
from autogan.core.text import checked
from autogan.pool.places import LocalPlace, command_places, local_places
from autogan.pool.pool import Engine, Pool


def make_engine(run: TrainConfig) -> Engine:
    """The workers that a search's configuration names; otherwise one on this machine.

    Args:
        run: the resolved configuration.

    Raises:
        ConfigError: if the workers are not available.
    """
    if not isinstance(run, SearchConfig):
        return Pool([LocalPlace()])
    assert isinstance(run.workers, int)
    if run.engine == "ray":
        from autogan.pool.ray import ray_places

        return Pool(ray_places(run))
    if run.worker_command is not None:
        return Pool(command_places(run.workers, run.worker_command))
    several = run.workers > 1 or run.workers_per_gpu > 1
    gpus = run.local_gpus() if several else ()
    return Pool(local_places(run.workers, gpus, run.workers_per_gpu))


@contextlib.contextmanager
def engine_of(run: TrainConfig, engine: Engine | None = None) -> Iterator[Engine]:
    """Yield the given engine, or a new one for this command; close it at the end."""
    workers = make_engine(run) if engine is None else checked("engine", engine, Engine)
    try:
        yield workers
    finally:
        workers.close()
