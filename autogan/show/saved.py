"""Loads runs from disk without a worker, a lock or TensorFlow: ended, stopped or running."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig, TrainConfig, load_saved
from autogan.core.errors import ConfigError
from autogan.core.files import contents, look
from autogan.criteria.variety import Variety
from autogan.decisions.tally import fitting_tally
from autogan.record.folder import SearchFolder, TrialFolder
from autogan.record.ledger import Ledger
from autogan.record.lines import trial_of
from autogan.record.words import Terms
from autogan.search import Evaluation, Trial
from autogan.search.history import found_again
from autogan.show.result import SearchResult, TrainResult


def load_run(root: Path, options: Mapping[str, Any] | None) -> SearchResult | TrainResult:
    """Load the result so far of the search or training in a folder.

    Args:
        root: its folder.
        options: keys of the configuration, such as ``plugin_dirs``.

    Raises:
        ConfigError: if there is none, it has not begun, or its files are damaged.
    """
    if look(SearchFolder(root).config, "run") == "file":
        return load_search(root, options)
    if look(root / "config.yaml", "run") == "file":
        return _training(root, options)
    raise ConfigError("run", _nothing(root))


def load_search(root: Path, options: Mapping[str, Any] | None) -> SearchResult:
    """Load the result so far of the search in a folder.

    Arguments and errors are the same as for `load_run`, which detects searches.
    """
    folder = SearchFolder(root)
    config = load_saved(
        SearchConfig, folder.config, {**_given(options), "run_dir": root}
    ).resolved()
    ledger = Ledger(folder.ledger)
    if not ledger.header and look(folder.proxy.ledger, "run") == "file":
        return load_search(folder.proxy.root, options)  # all there is so far
    if not ledger.header:
        raise ConfigError("run", f"{root} holds a search that has not begun; run it first")
    return SearchResult(fitting_tally(config, ledger))


def _nothing(root: Path) -> str:
    if look(root, "run") != "folder":
        return f"{root} is not a folder; see: autogan list runs"
    return f"{root} holds no search or training; see: autogan list runs"


def _training(root: Path, options: Mapping[str, Any] | None) -> TrainResult:
    config = load_saved(TrainConfig, root / "config.yaml", _given(options)).resolved()
    folder = TrialFolder.of(root, config)
    if look(folder.result, "run") and folder.ended() is None:
        raise ConfigError("run", f"{folder.result} is damaged; restore it, or train again")
    trial = folder.ended() or Trial(0, config.gan.meaningful(config.hyperparameters()), config.seed)
    trial.evaluations = trial.evaluations or _evaluations(folder.scores)
    labels = _labels(config, trial)
    trial.evaluations = [
        e
        if e.collapsed or not config.objective.counts(e.scores, labels)
        else dataclasses.replace(e, value=config.objective.value(e.scores, labels))
        for e in trial.evaluations
    ]
    trial = found_again(trial, config.objective.direction)
    objective = config.objective.label(labels) if labels else config.criterion
    return TrainResult(config, folder, objective, Terms.of(config.criterion, labels), trial)


def _labels(config: TrainConfig, trial: Trial) -> dict[str, str]:
    """The labels of a training's criteria, by name, as far as it has scores.

    In the criteria's order, without criteria that have no finite value.
    """
    most = max((e.scores for e in trial.evaluations), key=len, default={})
    criteria, labels = config.criteria(), iter(most)
    if len(most) == len(criteria) or not most:
        return dict(zip(criteria, labels, strict=False))
    own = {kind.name: name for name, kind in criteria.items()}
    fits = {label: [n for n in own if label.startswith(f"{n}_")] for label in most}
    return {own[max(names, key=len)]: label for label, names in fits.items() if names}


def _evaluations(path: Path) -> list[Evaluation]:
    """The evaluations that a training has written so far."""
    try:
        lines = contents(path).decode().splitlines() if look(path, "run") else []
        values = {"number": 0, "params": {}, "evaluations": [*map(_evaluation, lines)]}
        return trial_of(values).evaluations
    except OSError as error:
        raise ConfigError("run", f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError("run", f"{path} is damaged ({error}); train again") from None


def _evaluation(line: str) -> dict[str, Any]:
    """An evaluation's fields, in the form of `dataclasses.asdict`, from its line."""
    scores = json.loads(line)
    step, variety = scores.pop("step"), scores.pop("variety", {})
    alike = bool(variety) and Variety.of(variety).collapsed
    collapsed = scores.pop("collapsed", alike)  # AutoGAN 0.3 wrote none
    return {"step": step, "scores": scores, "variety": variety, "collapsed": collapsed}


def _given(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The given options."""
    return {name: value for name, value in (options or {}).items() if value}
