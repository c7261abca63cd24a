"""The grammar of configurations: YAML, hyperparameters, ranges and paths.

Hyperparameters stand under ``params``: a single value is fixed, a list holds candidates,
``low..high`` or ``low..high:log`` is a range.
"""

import importlib.resources
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Dimension, Hyperparameter, Range, Value
from autogan.core.registry import suggestion
from autogan.models import GAN_TYPES, GANType

Setting = Value | list[Value]

_RANGE = re.compile(r"^(?P<low>[^:]+?)\.\.(?P<high>[^:]+?)(?P<log>:log)?$")
_MAX_COMPONENT, _MAX_PATH = 255, 4000  # bytes; file systems and Linux allow 255 and 4,096


def packaged_configs() -> dict[str, Path]:
    """The bundled configurations, by name."""
    folder = Path(str(importlib.resources.files("autogan.configs")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping, in which ``2e-4`` is a number and no key stands twice.

    Args:
        path: of a file, or the name of a bundled configuration.

    Raises:
        ConfigError: if there is no such file or it is something else.
    """
    read_path("config", str(path))
    if not path.exists():
        path = packaged_configs().get(str(path), path)
    if path.exists() and not path.is_file():
        raise ConfigError("config", f"{path} is not a file; give a YAML file")
    try:
        text = path.read_text()
    except OSError as error:
        known = suggestion(str(path), packaged_configs())
        raise ConfigError("config", f"{path} cannot be read ({error.strerror}); {known}") from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not text; give a YAML file") from None
    try:
        values = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(str(path), f"is not valid YAML ({error})") from None
    except RecursionError:
        raise ConfigError(str(path), "is nested too deeply; give a flat mapping") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(str(path), "must hold a mapping of keys to values")
    return {str(name): value for name, value in values.items()}


def read_path(field: str, text: str) -> Path:
    """A path as the user wrote it, with ``~`` expanded.

    Raises:
        ConfigError: if no file can have that name.
    """
    check_text(field, text)
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(field, f"{text}: {error}; give a full path") from None
    whole = os.fsencode(path)
    if len(whole) > _MAX_PATH or any(len(os.fsencode(p)) > _MAX_COMPONENT for p in path.parts):
        raise ConfigError(field, f"{text[:40]}... is {len(whole)} bytes long; give a shorter path")
    return path


def check_text(field: str, value: object) -> None:
    """Refuse text, also within lists and mappings, that no file could hold.

    Raises:
        ConfigError: naming the field.
    """
    seen: set[int] = set()  # YAML's aliases can make a value contain itself
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, str):
            bad = next((c for c in part if c == "\0" or "\ud800" <= c <= "\udfff"), None)
            if bad is not None:
                raise ConfigError(field, f"{part!r} holds the character {bad!r}; leave it out")
        elif isinstance(part, Mapping | list | tuple) and id(part) not in seen:
            seen.add(id(part))
            left.extend([*part, *part.values()] if isinstance(part, Mapping) else part)


def read_ranges(text: str) -> dict[str, tuple[float, float]]:
    """Read ``is=1..10,fid=0..400``."""
    ranges = {}
    for part in text.split(","):
        name, _, ends = part.partition("=")
        low, _, high = ends.partition("..")
        try:
            ranges[name.strip()] = (float(low), float(high))
        except ValueError:
            raise ConfigError(
                "normalise", f"{part!r} is neither history nor of the form is=1..10,fid=0..400"
            ) from None
    return ranges


def parse_param(text: str) -> tuple[str, Setting]:
    """Read ``NAME=VALUE``, ``NAME=V1,V2,...`` or ``NAME=LOW..HIGH[:log]``.

    Raises:
        ConfigError: if it has another form.
    """
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise ConfigError("param", f"{text!r} is not of the form NAME=VALUE or NAME=V1,V2,...")
    listed = value.strip().removeprefix("[").removesuffix("]")
    values = [_scalar("param", part) for part in listed.split(",")]
    if any(part is None for part in values):
        raise ConfigError("param", f"{text!r} has an empty value")
    return name.strip().replace("-", "_"), values[0] if len(values) == 1 else values


def parse_params(texts: Sequence[str]) -> dict[str, Setting]:
    """Read several; see `parse_param`.

    Raises:
        ConfigError: if one is given twice.
    """
    params: dict[str, Setting] = {}
    for name, setting in map(parse_param, texts):
        if name in params:
            raise ConfigError(name, f"{setting} after {params[name]}; give it once: {name}=V1,V2")
        params[name] = setting
    return params


def settings_of(gan: type[GANType], params: Mapping[str, Setting]) -> dict[str, Value | Dimension]:
    """Each given hyperparameter as a fixed value or, with several, a dimension.

    Raises:
        ConfigError: naming the hyperparameter, its value and what would be right.
    """
    declared = {h.name: h for h in gan.hyperparameters}
    settings: dict[str, Value | Dimension] = {}
    for name, setting in params.items():
        if name not in declared:
            known = suggestion(name, declared)
            others = [g.name for g in GAN_TYPES if name in g.defaults()]
            if others:
                known = f"it is one of {', '.join(others)}; choose it with gan_type"
            raise ConfigError(
                "params", f"{name!r} ({setting}) is no hyperparameter of {gan.name}; {known}"
            )
        settings[name] = _setting(declared[name], setting)
    return settings


def _setting(hyperparameter: Hyperparameter, setting: Setting) -> Value | Dimension:
    def check(value: Any) -> Value:
        try:
            return hyperparameter.check(value)
        except (ValueError, OverflowError) as error:
            raise ConfigError(hyperparameter.name, str(error)) from None

    if isinstance(setting, list):
        if not setting:
            raise ConfigError(hyperparameter.name, "[] has no candidates; give at least one value")
        return Dimension(hyperparameter, tuple(check(value) for value in setting))
    match = _RANGE.match(setting) if isinstance(setting, str) else None
    if match is None or hyperparameter.kind == "choice":
        return check(setting)
    low, high = (float(check(_scalar(hyperparameter.name, match[end]))) for end in ("low", "high"))
    log = match["log"] is not None
    if low >= high:
        raise ConfigError(hyperparameter.name, f"{setting}: the first end must be the lower one")
    if log and low <= 0:
        raise ConfigError(hyperparameter.name, f"{setting}: a log range must begin above 0")
    return Dimension(hyperparameter, range=Range(low, high, log))


def _scalar(field: str, text: str) -> Any:
    """Read a number or word as YAML does."""
    check_text(field, text)
    try:
        return yaml.load(text.strip(), _Loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise ConfigError(field, f"{text!r} is neither a number nor a word") from None


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as SafeLoader reads it, but with YAML 1.2's floats and without double keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)
