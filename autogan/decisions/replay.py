"""Checking that each decision in a search's record follows from the lines above it.

The record holds the order in which results counted. Every proposal, seed and answer can be derived
from it again, whichever workers ran the trials, and however often the search was interrupted.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig, load_saved, proxy_of, small_copy
from autogan.core.errors import AutoGANError, ConfigError
from autogan.core.files import look
from autogan.decisions.decisions import Decisions
from autogan.decisions.tally import Tally
from autogan.record.chain import Chain
from autogan.record.claim import Claim
from autogan.record.file import DamagedRecord, RecordFile, cut
from autogan.record.folder import SearchFolder
from autogan.record.ledger import Ledger
from autogan.record.lines import Ended, Evaluated, Limits, Line, Revived, Started
from autogan.record.resume import LIMITS
from autogan.search import State
from autogan.search.history import best_evaluation


@dataclass(frozen=True)
class Checked:
    """The result of a check.

    Attributes:
        lines: the number of lines checked: all, or those before the difference.
        decisions: the number of decisions among them.
        difference: the first thing that does not follow from the lines above it, in one line;
            empty if there is none.
    """

    lines: int
    decisions: int
    difference: str = ""


def check_record(root: Path, plugin_dirs: Any = None) -> Checked:
    """Derive every decision of a search again from the lines above it.

    Args:
        root: the search's folder.
        plugin_dirs: the folders of the user's own parts, if they have moved.

    Raises:
        ConfigError: if there is no search, or a line is invalid.
    """
    folder = SearchFolder(root)
    if look(folder.config, "folder") != "file":
        raise ConfigError("folder", f"{root} holds no search; name a folder that has search.yaml")
    given = {"plugin_dirs": plugin_dirs} if plugin_dirs else {}
    config = load_saved(SearchConfig, folder.config, given).resolved()
    if config.proxy is None:
        return _checked(config, folder.ledger)
    of_proxy = check_record(folder.proxy.root, plugin_dirs)
    if of_proxy.difference or not folder.ledger.exists():
        return of_proxy
    if found := _other_choice(config, folder):
        return Checked(of_proxy.lines, of_proxy.decisions, found)
    own = _checked(config, folder.ledger)
    return Checked(of_proxy.lines + own.lines, of_proxy.decisions + own.decisions, own.difference)


def _other_choice(config: SearchConfig, folder: SearchFolder) -> str:
    """A difference between a search's points from its proxy and the proxy's record; or empty."""
    small = Tally(small_copy(config), Ledger(folder.proxy.ledger))
    chosen = small.chosen(proxy_of(config).top).model_dump()
    for name, found in Ledger(folder.ledger).header.get("proxy", {}).items():
        if found != chosen[name]:
            return f"line 1: the proxy's {name} are {found}, but its record gives {chosen[name]}"
    return ""


def repaired(root: Path, plugin_dirs: Any, note: Callable[[str], None]) -> Checked:
    """Cut a damaged record before the first invalid line, keep a copy, and check the rest.

    Args:
        root: of the search.
        plugin_dirs: as in `check_record`.
        note: reports the cut.

    Raises:
        ConfigError: as `check_record`, and if a command is at work in the folder.
    """
    claim = Claim(root)
    try:
        return check_record(root, plugin_dirs)
    except DamagedRecord as error:
        if error.path != SearchFolder(root).ledger and SearchFolder(root).ledger.exists():
            raise ConfigError(
                "folder",
                f"{error.path} is damaged in line {error.number}, but points that it chose have "
                "already been trained in full; restore it, or start a new search",
            ) from None
        kept = cut(error.path, error.number)
        note(f"cut {error.path} before line {error.number}; the original is in {kept}")
        return check_record(root, plugin_dirs)
    finally:
        claim.release()


def _checked(config: SearchConfig, path: Path) -> Checked:
    ledger, count = Ledger(None), 0
    tally, decisions = None, None
    chain, texts = Chain(), RecordFile(path).lines
    for number, text in enumerate(texts, start=1):
        try:
            line = chain.read(text)
            ledger.check(line)
            if decisions and tally and (found := _difference(decisions, tally, line)):
                return Checked(number - 1, count, f"line {number}: {found}")
            ledger.take_in(line)
            if isinstance(line, Limits):
                config = config.model_copy(update=_read_limits(config, line))
            if decisions is None or isinstance(line, Limits):
                tally = Tally(config, ledger)
                decisions = Decisions(tally)
        except (ValueError, RecursionError) as error:
            raise DamagedRecord("folder", path, number, error) from error
        if isinstance(line, Started | Revived):
            count += 1
        if isinstance(line, Evaluated) and line.go_on is not None:
            count += 1
            if decisions.goes_on(line.trial) != line.go_on:
                said = "to go on" if line.go_on else "to stop"
                wrong = f"trial {line.trial} was {said} at step {line.step}, but the lines above "
                return Checked(number - 1, count, f"line {number}: {wrong}give another answer")
    return Checked(len(texts), count)


def _difference(decisions: Decisions, tally: Tally, line: Line) -> str:
    """The first thing in a line that does not follow from the lines before it; or empty."""
    if isinstance(line, Ended):
        return _other_end(tally, line)
    if not isinstance(line, Started | Revived) or getattr(line, "by_hand", False):
        return ""
    begins = f"trial {line.trial} {line.name}"
    try:
        step = decisions.next()
    except AutoGANError as error:
        return f"{begins}, but the lines above lead to an error: {error}"
    if step.line is None:
        why = f" ({step.end})" if step.end else ""
        return f"{begins}, but after the lines above no trial begins{why}"
    found, wanted = _decided(line), _decided(step.line)
    for name in {**wanted, **found}:
        if found.get(name) != wanted.get(name):
            return (
                f"{begins} with {name} {found.get(name)}, but the lines above give "
                f"{wanted.get(name)}"
            )
    return ""


def _decided(line: Line) -> dict[str, Any]:
    """The fields of a line that the search has decided."""
    return {name: each for name, each in line.fields.items() if name not in ("at", "by_hand")}


def _other_end(tally: Tally, line: Ended) -> str:
    """The first thing in a trial's end that does not follow from its evaluations; or empty."""
    trial, labels = tally.ledger.trials[line.trial], tally.ledger.header["labels"]
    objective = tally.trial_config(trial).objective
    valued = [
        e
        if e.collapsed or not objective.counts(e.scores, labels)
        else dataclasses.replace(e, value=objective.value(e.scores, labels))
        for e in trial.evaluations
    ]
    best = best_evaluation(valued, objective.direction)
    last = valued[-1].value if valued else None
    wanted: dict[str, float | None] = {
        "step": None if best is None else best.step,
        "value": None if best is None else best.value,
        "last_value": None if best is None else last,
    }
    # Other states may lack them; so does a trial whose value depends on all trials' scores.
    whole = line.state in (State.COMPLETE, State.STOPPED)
    for name, found in wanted.items():
        said = getattr(line, name)
        if said is None and (found is None or not whole or line.value is None):
            continue
        if said is None or found is None or not math.isclose(said, found):
            return f"trial {line.trial} ended with {name} {said}, but its evaluations give {found}"
    reached = valued[-1].step if valued else 0
    if line.steps and line.steps < reached:
        return f"trial {line.trial} ended at step {line.steps}, but was evaluated at {reached}"
    return ""


def _read_limits(config: SearchConfig, line: Limits) -> dict[str, Any]:
    """The keys in a line of limits, as configuration values."""
    plain = config.as_dict()
    values = {name: line.keys.get(name) for name in LIMITS}
    read = SearchConfig(**{**plain, **{n: v for n, v in values.items() if v is not None}})
    fields = SearchConfig.model_fields
    return {
        name: fields[name].get_default(call_default_factory=True)
        if values[name] is None
        else getattr(read, name)
        for name in LIMITS
    }
