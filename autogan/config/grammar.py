"""The grammar of configurations: YAML, hyperparameters, ranges and paths.

Hyperparameters are under ``params``: a single value is fixed, a list holds candidates, and
``low..high`` or ``low..high:log`` is a range. ``NAME[CHOICE=VALUE]`` is another range of NAME, for
one value of the hyperparameter CHOICE.
"""

import importlib.resources
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.core.hyperparameters import Dimension, Hyperparameter, Range, Value
from autogan.core.registry import suggestion
from autogan.core.text import check_text, read_path
from autogan.criteria import CRITERIA, NOTHING
from autogan.models import GAN_TYPES, GANType

Setting = Value | list[Value]

_RANGE = re.compile(r"^(?P<low>[^:]+?)\.\.(?P<high>[^:]+?)(?P<log>:log)?$")
_LONGEST_RANGE = 200  # characters
_PARAM = re.compile(r"(?P<name>[^=\[]*(\[[^\]]*\])?)=(?P<value>.*)", re.DOTALL)
_UNDER = re.compile(r"(?P<name>[^\[]+)\[(?P<choice>[^=\]]+)=(?P<value>[^\]]+)\]")
_BRACKET = re.compile(r"[\[\]{}]")
_MAX_BYTES, _MAX_BRACKETS = 2**20, 50  # of a configuration file; open at once


def packaged_configs() -> dict[str, Path]:
    """The bundled configurations, by name."""
    folder = Path(str(importlib.resources.files("autogan.configs")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping, in which ``2e-4`` is a number and no key is repeated.

    Args:
        path: of a file, or the name of a bundled configuration.

    Raises:
        ConfigError: if there is no such file, or it holds something else.
    """
    read_path("config", str(path))
    if not look(path, "config"):
        path = packaged_configs().get(str(path), path)
    if look(path, "config") not in ("", "file"):
        best = path / "best.yaml"
        remedy = f"give {best}" if look(best, "config") == "file" else "give a YAML file"
        raise ConfigError("config", f"{path} is not a file; {remedy}")
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        known = suggestion(str(path), packaged_configs())
        raise ConfigError("config", f"{path} cannot be read ({error.strerror}); {known}") from None
    if len(data) > _MAX_BYTES:
        raise ConfigError(str(path), f"is larger than {_MAX_BYTES} bytes; give a YAML file")
    try:
        values = _yaml(data.decode())
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not text in UTF-8; give a YAML file") from None
    except ValueError as error:
        raise ConfigError(str(path), f"{error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(str(path), "must hold a mapping of keys to values")
    return {str(name): value for name, value in values.items()}


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


def read_weights(field: str, text: str) -> dict[str, float]:
    """Read ``cat=0.7,dog=0.3``.

    Raises:
        ConfigError: naming the field and the part that has another form.
    """
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, weight = part.rpartition("=")
        try:
            value = float(weight)
        except ValueError:
            equals = ""
        if not equals or not name.strip() or name.strip() in weights:
            raise ConfigError(field, f"{part!r} in {text!r}; write NAME=WEIGHT, each name once")
        weights[name.strip()] = value
    return weights


def check_chooses(names: Iterable[str], criterion: str) -> None:
    """Check that a search's criteria can choose among trials.

    Args:
        names: of the criteria that take part in the decision.
        criterion: the key itself.

    Raises:
        ConfigError: naming a criterion that does not measure quality, or ``none``.
    """
    if NOTHING in criterion.split(","):
        raise ConfigError(
            "criterion", f"{criterion}, but searches and --seeds compare values; give fid, say"
        )
    for name in names:
        if not CRITERIA.get(name).chooses:
            raise ConfigError(
                "criterion",
                f"{name} says whether images are copies, not whether they are good; use it as a "
                f"constraint, or record it with --also {name}",
            )


def check_normalise(
    given: str | Mapping[str, tuple[float, float]], criterion: str, names: list[str], search: bool
) -> None:
    """Check the key ``normalise`` against what it scales.

    Args:
        given: ``history``, or ranges by criterion.
        criterion: the deciding one, as the user wrote it.
        names: of the criteria in it.
        search: whether it belongs to a search.

    Raises:
        ConfigError: if the two do not fit together.
    """
    if len(names) <= 1:
        raise ConfigError(
            "normalise",
            f"{given} does not apply to the criterion {criterion}; it is for sums such as is - "
            "0.5*fid",
        )
    if isinstance(given, str):
        if not search:
            raise ConfigError(
                "normalise", "history works only in a search; give ranges: is=1..10,fid=0..400"
            )
        return
    for name, (low, high) in given.items():
        if name not in names:
            raise ConfigError(
                "normalise", f"{name!r} is not part of {criterion}; {suggestion(name, names)}"
            )
        if not -math.inf < low < high < math.inf:
            raise ConfigError(
                "normalise",
                f"{name}={low:g}..{high:g}: the ends must be finite; give the lower one first",
            )


def parse_param(text: str) -> tuple[str, Setting]:
    """Read ``NAME=VALUE``, ``NAME=V1,V2,...`` or ``NAME=LOW..HIGH[:log]``.

    The name may also be ``NAME[CHOICE=VALUE]``, a range for one value of another hyperparameter.

    Raises:
        ConfigError: if it has another form.
    """
    match = _PARAM.fullmatch(text)
    name, value = (match["name"], match["value"]) if match else ("", "")
    if not (name.strip() and value.strip()):
        raise ConfigError("param", f"{text!r} is not of the form NAME=VALUE or NAME=V1,V2,...")
    listed = value.strip().removeprefix("[").removesuffix("]")
    values = [_scalar("param", part) for part in listed.split(",")]
    if any(part is None for part in values):
        raise ConfigError("param", f"{text!r} has an empty value")
    return name.strip().replace("-", "_"), values[0] if len(values) == 1 else values


def parse_params(texts: Sequence[str]) -> dict[str, Setting]:
    """Read several hyperparameters; see `parse_param`.

    Raises:
        ConfigError: if one is given twice.
    """
    params: dict[str, Setting] = {}
    for name, setting in map(parse_param, texts):
        if name in params:
            raise ConfigError(
                name, f"given twice, {params[name]} and {setting}; give it once: {name}=V1,V2"
            )
        params[name] = setting
    return params


def without_ranges_of(params: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A file's hyperparameters, without the ranges ``NAME[...]`` of those that flags replace."""
    return {name: value for name, value in params.items() if name.partition("[")[0] not in given}


def settings_of(gan: type[GANType], params: Mapping[str, Setting]) -> dict[str, Value | Dimension]:
    """Each given hyperparameter as a fixed value or, with several, a dimension.

    Raises:
        ConfigError: naming the hyperparameter, its value and the remedy.
    """
    declared = {h.name: h for h in gan.hyperparameters}
    settings: dict[str, Value | Dimension] = {}
    under: dict[str, dict[tuple[str, str], Range]] = {}
    for name, setting in params.items():
        match = _UNDER.fullmatch(name)
        own = match["name"] if match else name
        if own not in declared:
            raise ConfigError("params", f"{own!r} ({setting}) is {_undeclared(own, gan)}")
        made = _setting(declared[own], setting, name)
        if match is None:
            settings[name] = made
        elif isinstance(made, Dimension) and made.range:
            under.setdefault(own, {})[match["choice"], match["value"]] = made.range
        else:
            raise ConfigError(name, f"{setting} is not a range; give LOW..HIGH or LOW..HIGH:log")
    for name, ranges in under.items():
        settings[name] = _decided(gan, name, ranges, settings)
    return settings


def _decided(
    gan: type[GANType],
    name: str,
    ranges: Mapping[tuple[str, str], Range],
    settings: Mapping[str, Value | Dimension],
) -> Dimension:
    """A hyperparameter whose range depends on the value of a choice.

    Raises:
        ConfigError: naming it, its range and the remedy.
    """
    (by, value), first = next(iter(ranges.items()))
    field = f"{name}[{by}={value}]"
    choice = next((h for h in gan.hyperparameters if h.name == by and h.kind == "choice"), None)
    if choice is None:
        choices = [h.name for h in gan.hyperparameters if h.kind == "choice"]
        raise ConfigError(field, f"{by!r} is not a choice of {gan.name}; {suggestion(by, choices)}")
    setting = settings.get(by, gan.factor(by, {}))
    searched = setting.candidates if isinstance(setting, Dimension) else choice.choices
    for other, value in ranges:
        field = f"{name}[{other}={value}]"
        if other != by:
            raise ConfigError(field, f"the range already depends on {by}; name only {by}")
        if value not in choice.choices:
            hint = suggestion(value, choice.choices)
            raise ConfigError(field, f"{by} has no value {value!r}; {hint}")
        if value not in searched:
            tried = ", ".join(map(str, searched))
            raise ConfigError(field, f"{by} {value} is not searched, but {tried}; leave it out")
    base = settings.get(name)
    if not isinstance(base, Dimension) or base.range is None:
        raise ConfigError(
            f"{name}[{by}={value}]",
            f"{first} applies only to {by} {value}; give {name} a range for all others, too",
        )
    found = dict.fromkeys(choice.choices, base.range)
    for (_, value), interval in ranges.items():
        field = f"{name}[{by}={value}]"
        if interval.log != base.range.log:
            raise ConfigError(
                field, f"{interval} and {base.range} differ in scale; write :log in both or neither"
            )
        found[value] = interval
    if not isinstance(setting, Dimension):
        return Dimension(base.hyperparameter, range=found[str(setting)])
    used = [found[str(candidate)] for candidate in searched]
    low, high = min(r.low for r in used), max(r.high for r in used)
    return Dimension(base.hyperparameter, (), Range(low, high, base.range.log), by, found)


def _undeclared(name: str, gan: type[GANType]) -> str:
    """The reason why a GAN type has no such hyperparameter, and the remedy."""
    others = ", ".join(g.name for g in GAN_TYPES if name in g.defaults())
    if "[" in name:
        return "not readable; write NAME[CHOICE=VALUE], such as penalty_weight[penalty=l2]"
    if name in gan.fixed:
        return f"fixed: {gan.name} has {name} {gan.fixed[name]}; to choose it, use gan_type gan"
    if others:
        return f"not a hyperparameter of {gan.name}, but of {others}; choose one with gan_type"
    return f"not a hyperparameter of {gan.name}; {suggestion(name, gan.defaults())}"


def _setting(hyperparameter: Hyperparameter, setting: Setting, field: str) -> Value | Dimension:
    """One setting; ``field`` names it in errors."""

    def check(value: Any) -> Value:
        try:
            return hyperparameter.check(value)
        except (ValueError, OverflowError) as error:
            raise ConfigError(field, str(error)) from None

    if isinstance(setting, list):
        if not setting:
            raise ConfigError(field, "[] has no candidates; give at least one value")
        return Dimension(hyperparameter, tuple(check(value) for value in setting))
    match = _RANGE.match(setting[:_LONGEST_RANGE]) if isinstance(setting, str) else None
    if hyperparameter.kind == "choice":
        return check(setting)
    if match is None:
        if isinstance(setting, str) and ".." in setting:
            raise ConfigError(field, f"{setting} is not a range; write LOW..HIGH or LOW..HIGH:log")
        return check(setting)
    low, high = (float(check(_scalar(field, match[end]))) for end in ("low", "high"))
    log = match["log"] is not None
    if low >= high:
        raise ConfigError(field, f"{setting}: the lower end must come first")
    if log and low <= 0:
        raise ConfigError(field, f"{setting}: a log range must begin above 0")
    return Dimension(hyperparameter, range=Range(low, high, log))


def _scalar(field: str, text: str) -> Any:
    """Read a number or word as YAML does."""
    check_text(field, text)
    try:
        value = _yaml(text.strip())
    except ValueError:
        value = ()
    if not isinstance(value, str | int | float | None):
        raise ConfigError(field, f"{text!r} is neither a number nor a word")
    return value


def _yaml(text: str) -> Any:
    """Read YAML.

    Raises:
        ValueError: saying what is wrong with it.
    """
    try:
        depth = 0
        for bracket in _BRACKET.findall(text):  # PyYAML takes minutes for thousands of them
            depth += 1 if bracket in "[{" else -1
            if depth > _MAX_BRACKETS:
                raise RecursionError
        return yaml.load(text, _Loader)
    except RecursionError:
        raise ValueError("is nested too deeply; give a flat mapping") from None
    except Exception as error:  # of `!!bool x` a KeyError, of `!!int ""` an IndexError, ...
        raise ValueError(f"is not valid YAML ({error})") from None


class _Loader(yaml.SafeLoader):
    """SafeLoader's YAML 1.1, but with YAML 1.2's floats and without repeated keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a word or a number", key_node.start_mark
                )
            key = str(self.construct_object(key_node, deep=True))
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def named(values: Mapping[str, Value]) -> str:
    """Values with their names, for a line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())
