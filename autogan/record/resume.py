"""Going on with an earlier run: what may change, and what must be as it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig, TrainConfig, check_mapping, load_saved, read_yaml
from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.core.text import dataset_path
from autogan.criteria.networks.weights import KNOWN_FEATURES
from autogan.record.folder import SearchFolder, run_of

LIMITS = ("trials", "max_minutes", "max_steps", "target", "confirm", "enqueue")
"""The keys that decide what a search tries, and may yet change when it is resumed."""

_COMPARED = ("images", "classes", "attributes")  # of the training set
MOVABLE = (
    "dataset", "data_dir", "labels", "features", "reference_statistics", "stage1", "warm_start",
)  # fmt: skip
"""The keys that may hold another path when a run goes on: what lies there must be the same, and
the record's digests, or the run's own copy, vouch for it."""

RESUMABLE = (
    *LIMITS,
    "max_trial_minutes",
    "run_dir",
    "plugin_dirs",
    "checkpoint_minutes",
    "workers",
    "workers_per_gpu",
    "engine",
    "ray_address",
    "worker_command",
    "log_to",
)
"""The keys that may change when a search is resumed; all others decide its results."""


def limits_of(config: SearchConfig) -> dict[str, Any]:
    """The values of `LIMITS`, those that are set, for the record."""
    values = config.as_dict()
    return {name: values[name] for name in LIMITS if name in values}


def resumed_config(root: Path, changes: SearchConfig | Mapping[str, Any]) -> SearchConfig:
    """The configuration of an earlier search, with what may change changed.

    Raises:
        ConfigError: if there is no search, or something else was to be changed.
    """
    path = SearchFolder(root).config
    if not isinstance(changes, SearchConfig):
        check_mapping(changes)
    if not look(path, "resume"):
        raise ConfigError("resume", f"{root} holds no search; begin one without --resume")
    if (whole := SearchFolder(root).whole) != root:
        raise ConfigError("resume", f"{root} is the proxy of a search; go on with --resume {whole}")
    given = changes if isinstance(changes, Mapping) else changes.model_dump(include={"plugin_dirs"})
    saved = load_saved(SearchConfig, path, {"plugin_dirs": given.get("plugin_dirs")})
    if isinstance(changes, SearchConfig):
        wanted = changes
    else:
        wanted = load_saved(SearchConfig, path, changes, loads_features=True)
    if wanted.threads is None:  # whatever the number of workers is now
        wanted = wanted.model_copy(update={"threads": saved.threads})
    if wanted.compiler == "auto":  # which was decided then
        wanted = wanted.model_copy(update={"compiler": saved.compiler})
    if wanted.time is not None:  # likewise how long a training is
        limit = wanted.model_copy(update={"steps": saved.steps}).resolved().max_minutes
        wanted = wanted.model_copy(
            update={"steps": saved.steps, "max_minutes": limit, "time": None}
        )
    check_same(path, saved, wanted.resolved())
    update = {name: getattr(wanted, name) for name in (*RESUMABLE, *MOVABLE)} | {"run_dir": root}
    resumed = saved.model_copy(update=update).resolved()
    return resumed.with_points_inside(but=saved.resolved().enqueue)


def check_same(path: Path, saved: TrainConfig, wanted: TrainConfig) -> None:
    """Refuse to go on with another configuration, and show the difference."""
    before, now = saved.resolved().as_dict(), wanted.as_dict()
    names = [
        n
        for n in {**before, **now}
        if n not in RESUMABLE and not same_place(n, before.get(n), now.get(n))
    ]
    if names:
        changes = "; ".join(f"{n} was {before.get(n)}, now {now.get(n)}" for n in names)
        raise ConfigError(
            "resume",
            f"{path} says otherwise: {changes}; resume with its own values, or begin anew in "
            "another --run-dir",
        )


def same_place(name: str, before: Any, now: Any) -> bool:
    """Whether two values of a key mean the same, but for where files lie."""
    if name not in MOVABLE or before == now:
        return bool(before == now)
    if name == "data_dir":
        return True
    if name == "dataset":
        return all(dataset_path(str(value)) is not None for value in (before, now))
    if name == "features":
        return all(value not in (None, *KNOWN_FEATURES) for value in (before, now))
    return before is not None and now is not None


def moved_images(trained: Path | None) -> dict[str, Any]:
    """The keys that say where a training's images lie now, if its search was resumed with others.

    Args:
        trained: the training's folder; of None there is nothing to say.
    """
    config = None if trained is None else SearchFolder(run_of(trained)).config
    if trained is None or config is None or look(config, "images") != "file":
        return {}
    before, now = read_yaml(trained / "config.yaml"), read_yaml(config)
    names = [n for n in ("dataset", "data_dir", "labels") if n in now and before.get(n) != now[n]]
    return {n: now[n] for n in names if same_place(n, before.get(n), now[n])}


def same_training(path: Path, wanted: TrainConfig) -> bool:
    """Whether a training's file says what is wanted, but for what may change."""
    try:
        plugins = {"plugin_dirs": wanted.plugin_dirs}
        check_same(path, load_saved(TrainConfig, path, plugins), wanted)
    except ConfigError:
        return False
    return True


def check_header(
    before: Mapping[str, Any], header: Mapping[str, Any], accept: bool = False
) -> list[str]:
    """Check that a search that goes on is still measured alike.

    Args:
        before: the header of its record.
        header: what it would be now.
        accept: whether other training images will do where all values are measured alike.

    Returns:
        What is to be said if images, versions or device are others.

    Raises:
        ConfigError: if the feature network or the images are other ones now.
    """
    notes = []
    if before["data"] != header["data"]:
        said = difference(before["data"], header["data"])
        if fault := _fault_of_images(before, header):
            raise ConfigError(
                "dataset",
                f"{said}: {fault}; restore the images, or begin anew in another --run-dir",
            )
        if not accept:
            raise ConfigError(
                "dataset",
                f"{said}: the values are measured as before; restore the images, or go on with "
                "these by --accept-changed-data",
            )
        notes.append(f"going on with other images: {said}")
    for name, restore in (
        ("features", "restore the feature network, and the real images or their statistics"),
        ("labels", "use the version of AutoGAN that began it"),
    ):
        if before[name] != header[name]:
            raise ConfigError(
                "features",
                f"{difference(before[name], header[name])}: the values would not be comparable; "
                f"{restore}, or begin anew in another --run-dir",
            )
    if before["environment"] != header["environment"]:
        notes.append(
            f"{difference(before['environment'], header['environment'])}: results may differ from "
            "those so far"
        )
    return notes


def _fault_of_images(before: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """Why a search cannot go on with other images; empty if it can.

    Labels and features hold a digest of the real images that values are compared with.
    """
    if any(before[name] != header[name] for name in ("features", "labels")):
        return "the values would not be comparable"
    if any(before["data"].get(name) != header["data"].get(name) for name in _COMPARED):
        return "the trainings would not be comparable"
    return ""


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs between two mappings, in words."""
    names = [n for n in {**before, **now} if before.get(n) != now.get(n)]
    return "; ".join(f"{n} was {before.get(n)}, is now {now.get(n)}" for n in names)
