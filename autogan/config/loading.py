"""Builds configurations from files and flags."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from autogan.config.grammar import read_yaml, without_ranges_of
from autogan.config.searching import SearchConfig
from autogan.config.training import TrainConfig
from autogan.config.working import CONNECTIONS
from autogan.core.errors import ConfigError
from autogan.core.registry import suggestion
from autogan.core.text import check_plain, check_text
from autogan.criteria.networks.weights import KNOWN_FEATURES
from autogan.data import DATASETS
from autogan.models import GAN_TYPES

Config = TypeVar("Config", bound=TrainConfig)

_BEFORE_0_4 = {"penalty": "none", "beta1": 0.5, "generator_lr_scale": 1.0}  # defaults of gan
_COMMUNITY = re.compile(r"tfds:[\w-]+:[A-Za-z_]")  # a TFDS namespace before the name


def load_config(
    kind: type[Config], file: Path | None, flags: Mapping[str, Any] | None = None
) -> Config:
    """Read a YAML file, apply the flags over it, and validate.

    A file alone never makes code run. Parts named ``package.module:Name`` in it are refused unless
    the flag ``plugin_dirs`` names the folders of modules that may be imported. Keys whose value is
    executed or connected to (see `_doors`) count only from flags.

    Args:
        kind: the kind of configuration.
        file: a YAML mapping, or None.
        flags: more keys; None means that a flag was not given. ``params`` are merged.

    Raises:
        ConfigError: naming the key, the value and the remedy.
    """
    values = _read(file) if file else {}
    given = _given(flags)
    if file:
        _check_doors(kind, file, values, given)
    return _merged(kind, file, values, given)


def load_saved(
    kind: type[Config],
    file: Path,
    flags: Mapping[str, Any] | None = None,
    *,
    loads_features: bool = False,
) -> Config:
    """Read the file of a run, to use its record or images.

    The places of its workers and trackers do not matter: these keys are left out, though files of
    AutoGAN 0.3, or files changed by hand, may hold them. The SavedModel that the file names is not
    loaded, so it need not be trusted.

    Args:
        kind: see `load_config`.
        file: likewise.
        flags: likewise.
        loads_features: whether the run is resumed and loads its feature network; then the flags
            must name a SavedModel.

    Raises:
        ConfigError: see `load_config`.
    """
    left = (*CONNECTIONS, "log_to")
    values = {name: value for name, value in _read(file).items() if name not in left}
    if not values:  # a run's file holds all values, including defaults
        raise ConfigError("config", f"{file} is empty; restore it")
    values = _with_old_defaults(values)
    given = _given(flags)
    if loads_features:
        _check_doors(kind, file, values, given)
    return _merged(kind, file, values, given)


def _with_old_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """The keys of a run, with the defaults of AutoGAN 0.3, which its files did not hold.

    Its searches did not begin with the defaults.
    """
    if "search_method" in values and "first" not in values:
        values = {**values, "first": "none"}
    params = {} if values.get("params") is None else values["params"]
    if values.get("gan_type", "gan") != "gan" or not isinstance(params, dict):
        return values
    if "penalty_interval" in params:  # the file holds all values
        return values
    return {**values, "params": {**_BEFORE_0_4, **params}}


def left_out(file: Path) -> str:
    """The flags for the keys that `load_saved` leaves out of a file; empty if there are none."""
    values = _read(file)
    return _flags(_doors({name: values[name] for name in CONNECTIONS if name in values}))


def _read(file: Path) -> dict[str, Any]:
    values = read_yaml(file)
    _check_plain(values)
    return values


def own_flags(config: TrainConfig, command: Literal["search", "train", "sample"]) -> list[str]:
    """The words that a command needs to use a run's files again.

    They set the keys that count only from flags (see `load_config`), as far as the command has
    them.
    """
    folders = ",".join(map(str, config.plugin_dirs or ()))
    values = {"plugin_dirs": folders} if folders else {}
    doors = _doors({**config.as_dict(), "log_to": config.log_to})
    values |= {name: _text(value) for name, (value, _) in doors.items()}
    taken = {"sample": ("plugin_dirs",), "train": ("plugin_dirs", "features", "dataset", "log_to")}
    return _words({n: v for n, v in values.items() if n in taken.get(command, values)})


def _given(flags: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (flags or {}).items() if value is not None}


def _merged(
    kind: type[Config], file: Path | None, values: dict[str, Any], given: dict[str, Any]
) -> Config:
    """The configuration of a file's values and the flags, which override them."""
    params = given.pop("params", None)
    if params and isinstance(values.get("params", {}), dict):
        values["params"] = {**without_ranges_of(values.get("params", {}), params), **params}
    for one, other in (("steps", "epochs"), ("time", "max_minutes")):
        if one in given:
            values.pop(other, None)
        if other in given:
            values.pop(one, None)
    if file and (values.get("plugin_dirs") or _names_own_parts(values)):
        if not given.get("plugin_dirs"):
            folders = values.get("plugin_dirs") or [file.parent]
            shown = ",".join(map(str, folders)) if isinstance(folders, list) else str(folders)
            raise ConfigError(
                "plugin_dirs",
                f"{file} names parts that are somebody's own code, which would run as you; if you "
                f"trust it, name the folder of its modules: --plugin-dirs {shlex.quote(shown)}",
            )
    elif _names_own_parts(given):
        given.setdefault("plugin_dirs", [str(Path.cwd())])
    if "criterion" in given and not _scales(values.get("normalise"), given["criterion"]):
        values.pop("normalise", None)
    return validated(kind, {**values, **given})


def _check_doors(
    kind: type[TrainConfig], file: Path, values: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    """Refuse a file's values that would be executed or connected to, unless flags replace them.

    Raises:
        ConfigError: with the flags to give.
    """
    asked = [name for name in values if name in kind.model_fields and name not in given]
    open_ = _doors({name: values[name] for name in asked})
    if open_:
        field, (value, does) = next(iter(open_.items()))
        raise ConfigError(
            field, f"{file} names {value}, {does}; if you trust it, add {_flags(open_)}"
        )


def _doors(values: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    """A file's keys whose values run code or open connections, each with its value and the reason.

    Parts named ``package.module:Name`` are not among them: ``plugin_dirs`` covers these.
    """
    cluster = "a cluster whose programs would run as you"
    why = {
        "worker_command": "a command that would run as you",
        "engine": cluster,
        "ray_address": cluster,
        "features": "a SavedModel, which is a program and would run as you",
        "dataset": "a community dataset, whose code would be downloaded and run as you",
        "log_to": "a tracker, to which values would be sent as you",
    }
    harmless = {
        "engine": values.get("engine") == "local",
        "features": values.get("features") in KNOWN_FEATURES,
        "dataset": not _COMMUNITY.match(str(values.get("dataset"))),
    }
    return {
        name: (values[name], does)
        for name, does in why.items()
        if values.get(name) is not None and not harmless.get(name)
    }


def _flags(doors: Mapping[str, tuple[Any, str]]) -> str:
    """The flags with the same values."""
    return shlex.join(_words({name: _text(value) for name, (value, _) in doors.items()}))


def _text(value: Any) -> str:
    """A key's value in a flag's form."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _words(flags: Mapping[str, str]) -> list[str]:
    """The words that set flags on a command line."""
    return [
        word for name, value in flags.items() for word in (f"--{name.replace('_', '-')}", value)
    ]


def validated(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Build a configuration from plain values.

    Raises:
        ConfigError: naming the key, the value and the remedy.
    """
    known = kind.model_fields
    check_mapping(values)
    _check_plain(values)
    if _names_own_parts(values):
        values = {"plugin_dirs": [str(Path.cwd())], **values}
    for name in values:
        if name in known:
            continue
        if name in SearchConfig.model_fields:
            raise ConfigError(
                name, f"{values[name]!r} is a search's key; train its best.yaml, or use autogan "
                "search with this file"
            )  # fmt: skip
        if any(name == h.name for gan in GAN_TYPES for h in gan.hyperparameters):
            raise ConfigError(name, f"{values[name]!r} is a hyperparameter; write it under params")
        raise ConfigError(name, f"there is no such key; {suggestion(name, known)}")
    try:
        return kind(**values)
    except RecursionError:
        raise ConfigError("config", "is nested too deeply; give plain values") from None
    except ValidationError as error:
        first = error.errors()[0]
        # Pydantic also names the alternatives of a union; the key and a place in it are enough.
        field = ".".join(str(part) for part in first["loc"][:2] if str(part) in known)
        message = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        raise ConfigError(field, f"{first['input']!r}: {message}") from None


def check_mapping(values: object) -> None:
    """Refuse anything but a mapping of keys to values.

    Raises:
        ConfigError: showing it.
    """
    if not isinstance(values, Mapping):
        raise ConfigError("config", f"{values!r} is not a mapping; give keys and their values")
    for name in values:
        if not isinstance(name, str):
            raise ConfigError("config", f"{name!r} is not a key; keys are texts, such as dataset")


def _check_plain(values: Mapping[str, Any]) -> None:
    """Refuse values that are not safe to traverse or print, before any code does so."""
    for name, value in values.items():
        check_text(name, name)
        check_plain(name, value)


def _scales(normalise: Any, criterion: Any) -> bool:
    """Whether a file's ``normalise`` still applies to another criterion."""
    terms = re.findall(r"[\w.:]+", str(criterion))
    if isinstance(normalise, dict):
        return all(name in terms for name in normalise) and len(terms) > 1
    return normalise is not None and len(terms) > 1


def _names_own_parts(values: Mapping[str, Any]) -> bool:
    """Whether any part is named ``package.module:Name``, so that it is imported.

    Datasets such as ``folder:PATH`` are not such parts; sums and lists of criteria may hold some.
    """
    parts = ("gan_type", "search_method", "stopping", "criterion", "constraint", "also")
    left = [values.get(name) for name in parts]
    dataset = values.get("dataset")
    if isinstance(dataset, str) and dataset.partition(":")[0] not in DATASETS.names():
        left.append(dataset)
    while left:
        value = left.pop()
        if isinstance(value, Mapping | list | tuple):
            left.extend(value)
        elif isinstance(value, str) and ":" in value:
            return True
    return False
