"""Learning from an earlier search."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig, load_saved
from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.record.folder import SearchFolder
from autogan.record.ledger import Ledger
from autogan.record.resume import difference, same_place
from autogan.record.words import trials
from autogan.search import History, Trial

_SAME = (
    "gan_type",
    "dataset",
    "data_dir",
    "labels",
    "image_size",
    "stage1",
    "steps",
    "epochs",
    "evaluate_every",
    "criterion",
    "constraint",
    "normalise",
    "features",
    "eval_samples",
    "reference_split",
)
"""The keys on which a trial's values depend, apart from its hyperparameters."""


def earlier_trials(path: Path, run: SearchConfig, header: Mapping[str, Any]) -> list[Trial]:
    """The trials of an earlier search that the new search could have run itself.

    Args:
        path: folder of the earlier search.
        run: the new search, resolved.
        header: of the new search's ledger.

    Returns:
        The trials that have died or have a value, with the hyperparameters that the new search
        varies.

    Raises:
        ConfigError: if there is no such search, its values are not comparable, or none of its
            trials has the values that the new search holds fixed.
    """
    folder = SearchFolder(path)
    if look(folder.config, "warm_start") != "file":
        raise ConfigError("warm_start", f"{path} holds no search; give the folder of one")
    earlier, ledger = (
        load_saved(SearchConfig, folder.config, {"plugin_dirs": run.plugin_dirs}).resolved(),
        Ledger(folder.ledger),
    )
    saved, wanted = earlier.as_dict(), run.as_dict()
    for name in _SAME:
        before, now = saved.get(name), wanted.get(name)
        if before != now and (name == "stage1" or not same_place(name, before, now)):
            raise ConfigError(
                "warm_start",
                f"{path} has {name} {before}, but this search has {now}: their values are not "
                "comparable; leave it out, or use the same settings",
            )
    for name in ("data", "features", "labels"):
        if ledger.header.get(name) != header[name]:
            changed = difference(ledger.header.get(name, {}), header[name])
            raise ConfigError(
                "warm_start", f"{path} was measured with other {name}: {changed}; leave it out"
            )
    taken = []
    fixed, searched = run.fixed, [d.name for d in run.space.dimensions]
    wholes = [{**run.gan.defaults(), **earlier.fixed, **t.params} for t in ledger.trials]
    for trial, whole in zip(ledger.trials, wholes, strict=True):
        wanted = {**fixed, **{name: whole[name] for name in searched}}
        alike = run.gan.meaningful(whole) == run.gan.meaningful(wanted)
        if alike and (trial.dead or trial.alive):
            params = run.space.existing({name: whole[name] for name in searched})
            if run.space.allows(params):
                taken.append(dataclasses.replace(trial, params=params, origin="", repeats=None))
    if not taken:
        new = [f"{n}={v}" for n, v in fixed.items() if all(whole[n] != v for whole in wholes)]
        raise ConfigError(
            "warm_start",
            f"none of the {len(wholes)} trials in {path} ended with the values fixed here"
            + (f": {', '.join(new)}" if new else ""),
        )
    return taken


def learning(earlier: Sequence[Trial], run: SearchConfig) -> str:
    """The number of an earlier search's trials that a method learns from, in words."""
    known = run.method.known(run.space, History(earlier, run.objective.direction))
    beyond = len(earlier) - len(known)
    words = f"learning from {trials(len(known))} of {run.warm_start}"
    if not beyond:
        return words
    return f"{words}, but not from {trials(beyond)} with values outside this search's space"
