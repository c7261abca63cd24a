"""How files and flags become a configuration."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from autogan.config.grammar import read_yaml
from autogan.config.searching import SearchConfig
from autogan.config.training import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.registry import suggestion
from autogan.core.text import check_plain, check_text
from autogan.data import DATASETS
from autogan.models import GAN_TYPES

Config = TypeVar("Config", bound=TrainConfig)


def load_config(
    kind: type[Config], file: Path | None, flags: Mapping[str, Any] | None = None
) -> Config:
    """Read a YAML file, lay the flags over it, and validate.

    Args:
        kind: what is being configured.
        file: a YAML mapping, or None.
        flags: further keys; None stands for a flag that was not given. ``params`` are merged.

    A file alone never makes code run: parts named ``package.module:Name`` in it are refused unless
    the flags name the folders of modules that may be imported, in ``plugin_dirs``.

    Raises:
        ConfigError: naming the key, the value and what would be right.
    """
    values = read_yaml(file) if file else {}
    _check_plain(values)
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    params = given.pop("params", None)
    if params and isinstance(values.get("params", {}), dict):
        values["params"] = {**values.get("params", {}), **params}
    if "steps" in given:
        values.pop("epochs", None)
    if "epochs" in given:
        values.pop("steps", None)
    if file and (values.get("plugin_dirs") or _names_own_parts(values)):
        if not given.get("plugin_dirs"):
            folders = values.get("plugin_dirs") or [file.parent]
            shown = ",".join(map(str, folders)) if isinstance(folders, list) else folders
            raise ConfigError(
                "plugin_dirs",
                f"{file} names parts that are code of somebody's own, which would run as you; if "
                f"you trust it, name the folder of its modules: --plugin-dirs {shown}",
            )
    elif _names_own_parts(given):
        given.setdefault("plugin_dirs", [str(Path.cwd())])
    if "criterion" in given and not _scales(values.get("normalise"), given["criterion"]):
        values.pop("normalise", None)
    return validated(kind, {**values, **given})


def validated(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Build a configuration from plain values.

    Raises:
        ConfigError: naming the key, the value and what would be right.
    """
    known = kind.model_fields
    _check_plain(values)
    if _names_own_parts(values):
        values = {"plugin_dirs": [str(Path.cwd())], **values}
    for name in values:
        if name in known:
            continue
        if name in SearchConfig.model_fields:
            raise ConfigError(
                name, f"{values[name]!r} belongs to a search; train its best.yaml, or use "
                "autogan search with this file"
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
        # Pydantic names the alternatives of a union too; the key, and a place in it, is enough.
        field = ".".join(str(part) for part in first["loc"][:2] if str(part) in known)
        message = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        raise ConfigError(field, f"{first['input']!r}: {message}") from None


def _check_plain(values: Mapping[str, Any]) -> None:
    """Refuse what nobody may walk through or print, before anybody does."""
    for name, value in values.items():
        check_text(name, name)
        check_plain(name, value)


def _scales(normalise: Any, criterion: Any) -> bool:
    """Whether a file's ``normalise`` still has a meaning under another criterion."""
    terms = re.findall(r"[\w.:]+", str(criterion))
    if isinstance(normalise, dict):
        return all(name in terms for name in normalise) and len(terms) > 1
    return normalise is not None and len(terms) > 1


def _names_own_parts(values: Mapping[str, Any]) -> bool:
    """Whether a part is named as ``package.module:Name``, which is then looked for on a path.

    Of datasets, ``folder:PATH`` and the like are none; a sum or list of criteria may hold some.
    """
    parts = ("gan_type", "search_method", "stopping", "criterion", "also")
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
