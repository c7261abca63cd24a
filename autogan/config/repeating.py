"""The same training under several seeds, as a search of a single point."""

from pathlib import Path

from autogan.config.searching import SearchConfig
from autogan.config.training import TrainConfig


def under_seeds(config: TrainConfig, seeds: int, workers: int | str | None = None) -> SearchConfig:
    """A search that trains one configuration under several fresh seeds.

    Nothing is chosen: every trial draws the only point, under a different seed.

    Args:
        config: of the training; its seed decides the seeds of the trials.
        seeds: how many.
        workers: trainings at a time, ``auto``, or None for one per core on CPUs.
    """
    run = config.resolved()
    values = {name: getattr(run, name) for name in TrainConfig.model_fields}
    params: dict[str, object] = {**run.hyperparameters()}
    name = next(iter(params))  # a space needs a dimension; this one has a single value
    params[name] = [params[name]]
    folder = config.run_dir or Path("runs") / f"seeds-{run.default_folder()}"
    return SearchConfig(
        **{
            **values, "params": params, "run_dir": folder, "search_method": "random",
            "distinct": False, "first": "none", "trials": seeds, "repeats": 1,
            "workers": workers, "threads": config.threads,
        }
    )  # fmt: skip
