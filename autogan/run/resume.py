"""Going on with an earlier run: what may change, and what must be as it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig, TrainConfig, load_config
from autogan.core.errors import ConfigError
from autogan.run.display import Display
from autogan.run.folder import SearchFolder
from autogan.run.ledger import Ledger

RESUMABLE = (
    "trials", "max_minutes", "max_steps", "target", "confirm", "max_trial_minutes", "run_dir",
    "plugin_dirs",
)  # fmt: skip
"""The keys that may change when a search is resumed; all others decide its results."""


def resumed_config(root: Path, changes: SearchConfig | Mapping[str, Any]) -> SearchConfig:
    """The configuration of an earlier search, with what may change changed.

    Raises:
        ConfigError: if there is no search, or something else was to be changed.
    """
    path = SearchFolder(root).config
    if not path.exists():
        raise ConfigError("resume", f"{root} holds no search; begin one without --resume")
    saved = load_config(SearchConfig, path)
    if isinstance(changes, SearchConfig):
        wanted = changes
    else:
        wanted = load_config(SearchConfig, path, changes)
    check_same(path, saved, wanted.resolved())
    update = {name: getattr(wanted, name) for name in RESUMABLE} | {"run_dir": root}
    return saved.model_copy(update=update).resolved()


def check_same(path: Path, saved: TrainConfig, wanted: TrainConfig) -> None:
    """Refuse to go on with another configuration, and show the difference."""
    before, now = saved.resolved().as_dict(), wanted.as_dict()
    names = [n for n in {**before, **now} if n not in RESUMABLE and before.get(n) != now.get(n)]
    if names:
        changes = "; ".join(f"{n} was {before.get(n)}, now {now.get(n)}" for n in names)
        raise ConfigError(
            "resume",
            f"{path} says otherwise: {changes}; resume with its own values, or begin anew in "
            "another --run-dir",
        )


def check_header(ledger: Ledger, header: Mapping[str, Any], display: Display) -> None:
    """Check that a search that goes on is still measured alike.

    Raises:
        ConfigError: if the feature network or the reference is another one now.
    """
    if not ledger.header:
        return
    if "data" in ledger.header and ledger.header["data"] != header["data"]:
        raise ConfigError(
            "dataset",
            f"{header['data']} now, {ledger.header['data']} in the record: other images; restore "
            "them, or begin anew",
        )
    if ledger.header["features"] != header["features"]:
        raise ConfigError(
            "features",
            f"{header['features']} now, {ledger.header['features']} in the record: the values "
            "would not be comparable; restore the feature network, or begin anew",
        )
    if ledger.header["environment"] != header["environment"]:
        display.note("versions or device are not those the search began with; results may differ")
