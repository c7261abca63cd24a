"""Lists of all parts that can be chosen, and of runs: the output of ``autogan list``."""

import dataclasses
import itertools
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.config import packaged_configs
from autogan.core.errors import AutoGANError, ConfigError
from autogan.core.files import look
from autogan.core.registry import Part, Registry, imported, suggestion
from autogan.criteria import CRITERIA
from autogan.data import DATASETS
from autogan.models import GAN_TYPES
from autogan.models.formats import FORMATS
from autogan.record.folder import SearchFolder
from autogan.record.words import trials
from autogan.search import SEARCH_METHODS, STOPPING_RULES
from autogan.show.result import SearchResult, TrainResult
from autogan.show.saved import load_run
from autogan.trackers import TRACKERS

RUNS = Path("runs")

_KINDS: Mapping[str, Registry[Any]] = {
    "gan-types": GAN_TYPES,
    "datasets": DATASETS,
    "criteria": CRITERIA,
    "search-methods": SEARCH_METHODS,
    "stopping-rules": STOPPING_RULES,
    "formats": FORMATS,
    "trackers": TRACKERS,
}
_FACTS = {
    "default_features": "default feature network: {}",
    "needs_lists": "needs a list of candidates for each hyperparameter, not a range",
    "fewest_evaluations": "needs at least {} evaluations of a training",
    "needs_trials": "must know the number of trials beforehand",
}
"""Other facts that parts of some kinds declare, in words for those that are true."""
_NEEDS = {
    "labels": "needs images made for known classes",
    "logits": "needs features with logits",
    "images": "compares the images themselves, of one size",
}


@dataclass(frozen=True)
class Listing:
    """A list, for people and for programs.

    Attributes:
        lines: of text.
        values: all that is known, as plain values.
    """

    lines: list[str]
    values: Any


def listing(what: str | None) -> Listing:
    """List all kinds, all of one kind, one part or configuration by its name, or the runs.

    A user's part, ``module:Name``, is also imported from the working folder.

    Raises:
        ConfigError: if nothing has that name.
    """
    configs = {name: path.read_text() for name, path in packaged_configs().items()}
    kind, name = (what or "").replace("_", "-"), (what or "").replace("-", "_")
    if what is None:
        return _overview(configs)
    if kind in _KINDS:
        parts = list(_KINDS[kind])
        return Listing([_line(part) for part in parts], [_values(part) for part in parts])
    if kind == "configs":
        return Listing([_config_line(*item) for item in configs.items()], configs)
    if kind == "runs":
        runs = [_run(path) for path in sorted(RUNS.glob("*"))]
        found = [run for run in runs if run is not None]
        lines = [_run_line(**run) for run in found] or [f"there are no runs in {RUNS.resolve()}"]
        return Listing(lines, found)
    if name in configs:
        return Listing(configs[name].splitlines(), {name: configs[name]})
    parts = [registry.get(name) for registry in _KINDS.values() if name in registry.names()]
    if what and ":" in what:
        parts = [_own(what)]
    if not parts:
        raise ConfigError("list", f"{what!r} cannot be listed; {suggestion(what, names())}")
    return Listing(
        [line for part in parts for line in (_line(part), *_details(part))],
        [_values(part) for part in parts],
    )


def names() -> list[str]:
    """All names that can be listed."""
    known = [*_KINDS, "configs", "runs", *packaged_configs()]
    return known + [name for registry in _KINDS.values() for name in registry.names()]


def _own(name: str) -> type[Part]:
    """A user's part of any kind.

    Raises:
        ConfigError: if it cannot be imported, or lacks something.
    """
    sys.path.append(str(Path.cwd()))
    part = imported("list", name, Part)
    kind = next((each for each in _KINDS.values() if issubclass(part, each.base)), None)
    return part if kind is None else kind.get(name)


def _overview(configs: Mapping[str, str]) -> Listing:
    names: dict[str, Iterable[str]] = {kind: kinds.names() for kind, kinds in _KINDS.items()}
    return Listing(
        [
            *(
                f"{kind:16}{', '.join(each)}"
                for kind, each in {**names, "configs": configs}.items()
            ),
            "",
            "one kind:   autogan list gan-types",
            "one name:   autogan list gan",
            "your runs:  autogan list runs",
        ],
        {
            **{kind: [_values(part) for part in parts] for kind, parts in _KINDS.items()},
            "configs": configs,
        },
    )


def _line(part: Any) -> str:
    better = {"min": " (lower is better)", "max": " (higher is better)"}
    return f"{part.name}: {part.summary}{better.get(getattr(part, 'direction', ''), '')}"


def _details(part: Any) -> list[str]:
    facts = {text: getattr(part, name, None) for name, text in _FACTS.items()}
    lines = [f"  {text.format(value)}" for text, value in facts.items() if value]
    lines += [f"  {text}" for need, text in _NEEDS.items() if need in getattr(part, "needs", ())]
    if fixed := getattr(part, "fixed", {}):
        lines.append(f"  fixed: {', '.join(f'{n} {v}' for n, v in fixed.items())}")
    for h in getattr(part, "hyperparameters", ()):
        lines += [f"  {h.name} = {h.default}  ({h.limits()})", f"      {h.meaning}"]
        if h.search:
            lines.append(f"      searched by default: {', '.join(map(str, h.search))}")
        if h.under:
            wanted = [f"{name} {', '.join(values)}" for name, values in h.under.items()]
            lines.append(f"      only with {'; and '.join(wanted)}")
    return lines


def _values(part: Any) -> dict[str, Any]:
    """All that a part declares."""
    names = ("name", "summary", "direction", *_FACTS)
    values = {name: getattr(part, name) for name in names if hasattr(part, name)}
    if hasattr(part, "needs"):
        values["needs"] = sorted(part.needs)
    if hasattr(part, "hyperparameters"):
        values["fixed"] = dict(part.fixed)
        values["hyperparameters"] = [dataclasses.asdict(h) for h in part.hyperparameters]
    return values


def _config_line(name: str, text: str) -> str:
    """A bundled configuration's own summary: its command, and the first sentence after it."""
    heading = itertools.takewhile(lambda line: line.startswith("# "), text.splitlines())
    command, *rest = [line[2:] for line in heading]
    return f"{name} ({command.split()[1]}): {' '.join(rest).partition('. ')[0].removesuffix('.')}"


def _run(root: Path) -> dict[str, Any] | None:
    """All that is known about the run in a folder; None if the folder holds no run."""
    try:
        files = (SearchFolder(root).config, root / "config.yaml")
        if not any(look(path, "run") == "file" for path in files):
            return None
        result = load_run(root, {})
    except (AutoGANError, OSError, ValueError, KeyError, TypeError) as error:
        return {"folder": str(root), "problem": str(error)}
    return {"folder": str(root), **_result(result)}


def _result(result: SearchResult | TrainResult) -> dict[str, Any]:
    config = result.config
    common = {"gan_type": config.gan_type, "dataset": config.dataset, "criterion": config.criterion}
    if isinstance(result, TrainResult):
        return {**common, "value": result.trial.value, "state": result.state}
    best = result.best
    # With several criteria there is no single value.
    value = None if best is None or best.losses else best.value
    number = best and best.number
    return {
        **common,
        "trials": len(result.trials),
        "best": number,
        "value": value,
        "state": result.state,
    }


def _run_line(**run: Any) -> str:
    if "problem" in run:
        return f"{run['folder']}: cannot be read: {run['problem']}"
    words = [f"{run['gan_type']} on {run['dataset']}", run["state"]]
    if "trials" in run:
        words.append(trials(run["trials"]))
    best = [] if run["value"] is None else [f"{run['criterion']} {run['value']:.6g}"]
    if run.get("best") is not None:
        best.append(f"in trial {run['best']}")
    words += [f"best {' '.join(best)}"] if best else []
    return f"{run['folder']}: {', '.join(words)}"
