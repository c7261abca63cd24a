"""Resuming an earlier run: which keys may change, and which must stay the same."""

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
"""The keys that decide what a search tries, and may still change when it is resumed."""

_COMPARED = ("images", "classes", "attributes")  # of the training set
MOVABLE = (
    "dataset", "data_dir", "labels", "features", "reference_statistics", "stage1", "warm_start",
)  # fmt: skip
"""The keys that may hold another path when a run is resumed; the contents must be the same, as the
record's digests, or the run's own copy, ensure."""

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
"""The keys that may change when a search is resumed; all others affect its results."""


def limits_of(config: SearchConfig) -> dict[str, Any]:
    """The values of those `LIMITS` that are set, for the record."""
    values = config.as_dict()
    return {name: values[name] for name in LIMITS if name in values}


def resumed_config(root: Path, changes: SearchConfig | Mapping[str, Any]) -> SearchConfig:
    """The configuration of an earlier search with the allowed changes.

    Raises:
        ConfigError: if there is no search, or the changes include another key.
    """
    path = SearchFolder(root).config
    if not isinstance(changes, SearchConfig):
        check_mapping(changes)
    if not look(path, "resume"):
        raise ConfigError("resume", f"{root} holds no search; begin one without --resume")
    if (whole := SearchFolder(root).whole) != root:
        raise ConfigError("resume", f"{root} is the proxy of a search; use --resume {whole}")
    given = changes if isinstance(changes, Mapping) else changes.model_dump(include={"plugin_dirs"})
    saved = load_saved(SearchConfig, path, {"plugin_dirs": given.get("plugin_dirs")})
    if isinstance(changes, SearchConfig):
        wanted = changes
    else:
        wanted = load_saved(SearchConfig, path, changes, loads_features=True)
    if wanted.threads is None:  # regardless of the number of workers now
        wanted = wanted.model_copy(update={"threads": saved.threads})
    if wanted.compiler == "auto":  # keep the earlier decision
        wanted = wanted.model_copy(update={"compiler": saved.compiler})
    if wanted.time is not None:  # likewise the length of a training
        limit = wanted.model_copy(update={"steps": saved.steps}).resolved().max_minutes
        wanted = wanted.model_copy(
            update={"steps": saved.steps, "max_minutes": limit, "time": None}
        )
    check_same(path, saved, wanted.resolved())
    update = {name: getattr(wanted, name) for name in (*RESUMABLE, *MOVABLE)} | {"run_dir": root}
    resumed = saved.model_copy(update=update).resolved()
    return resumed.with_points_inside(but=saved.resolved().enqueue)


def check_same(path: Path, saved: TrainConfig, wanted: TrainConfig) -> None:
    """Refuse to resume with another configuration, and show the differences."""
    before, now = saved.resolved().as_dict(), wanted.as_dict()
    names = [
        n
        for n in {**before, **now}
        if n not in RESUMABLE and not same_place(n, before.get(n), now.get(n))
    ]
    if names:
        changes = "; ".join(_changes(n, before.get(n), now.get(n)) for n in names)
        raise ConfigError(
            "resume",
            f"these values differ from {path}: {changes}; resume with the earlier values, or start "
            "again in another --run-dir",
        )


def _changes(name: str, before: Any, now: Any) -> str:
    """A key's earlier and new value; of a mapping, only the entries that differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        changed = [n for n in {**before, **now} if before.get(n) != now.get(n)]
        prefix = "" if name == "params" else f"{name} "
        return "; ".join(_changes(f"{prefix}{n}", before.get(n), now.get(n)) for n in changed)
    return f"{name} was {before}, now {now}"


def same_place(name: str, before: Any, now: Any) -> bool:
    """Whether two values of a key mean the same, except for the paths of files."""
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
    """The keys with the new paths of a training's images, if its search was resumed with others.

    Args:
        trained: the training's folder; None gives no keys.
    """
    config = None if trained is None else SearchFolder(run_of(trained)).config
    if trained is None or config is None or look(config, "images") != "file":
        return {}
    before, now = read_yaml(trained / "config.yaml"), read_yaml(config)
    names = [n for n in ("dataset", "data_dir", "labels") if n in now and before.get(n) != now[n]]
    return {n: now[n] for n in names if same_place(n, before.get(n), now[n])}


def same_training(path: Path, wanted: TrainConfig) -> bool:
    """Whether a training's saved configuration is the wanted one, except keys that may change."""
    try:
        plugins = {"plugin_dirs": wanted.plugin_dirs}
        check_same(path, load_saved(TrainConfig, path, plugins), wanted)
    except ConfigError:
        return False
    return True


def check_header(
    before: Mapping[str, Any], header: Mapping[str, Any], accept: bool = False
) -> list[str]:
    """Check that a resumed search measures values in the same way.

    Args:
        before: the header of its record.
        header: the header that it would have now.
        accept: whether to accept other training images if values are measured in the same way.

    Returns:
        Notes for the user if images, versions or device have changed.

    Raises:
        ConfigError: if the feature network or the images have changed.
    """
    notes = []
    if before["data"] != header["data"]:
        said = difference(before["data"], header["data"])
        if fault := _fault_of_images(before, header):
            raise ConfigError(
                "dataset",
                f"{said}: {fault}; restore the images, or start again in another --run-dir",
            )
        if not accept:
            raise ConfigError(
                "dataset",
                f"{said}, but values are measured as before; restore the images, or accept the "
                "new ones with --accept-changed-data",
            )
        notes.append(f"resuming with other images: {said}")
    for name, restore in (
        ("features", "restore the feature network, and the real images or their statistics"),
        ("labels", "use the version of AutoGAN that began the search"),
    ):
        if before[name] != header[name]:
            raise ConfigError(
                "features",
                f"{difference(before[name], header[name])}: the values would not be comparable; "
                f"{restore}, or start again in another --run-dir",
            )
    if before["environment"] != header["environment"]:
        notes.append(
            f"{difference(before['environment'], header['environment'])}: new results may differ "
            "from those so far"
        )
    return notes


def _fault_of_images(before: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """Why a search cannot go on with other images; empty if it can.

    Labels and features include a digest of the real images that values are computed against.
    """
    if any(before[name] != header[name] for name in ("features", "labels")):
        return "the values would not be comparable"
    if any(before["data"].get(name) != header["data"].get(name) for name in _COMPARED):
        return "the trainings would not be comparable"
    return ""


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The differences between two mappings, in words."""
    names = [n for n in {**before, **now} if before.get(n) != now.get(n)]
    return "; ".join(f"{n} was {before.get(n)}, is now {now.get(n)}" for n in names)
