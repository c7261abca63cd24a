"""Checking a search's record: that each decision in it follows from the lines above.

Whoever ran the trials, however many at a time and however often the search was interrupted: the
record is the order in which results counted, and from it every proposal, seed and answer can be
found again.
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
    """What a check has found.

    Attributes:
        lines: of the record that were checked: all, or those before the difference.
        decisions: among them.
        difference: what does not follow from the lines above it, in one line; empty if all does.
    """

    lines: int
    decisions: int
    difference: str = ""


def check_record(root: Path, plugin_dirs: Any = None) -> Checked:
    """Find every decision of a search again from the lines above it.

    Args:
        root: the search's folder.
        plugin_dirs: where parts of the user's own lie now, if not where they lay.

    Raises:
        ConfigError: if there is no search, or a line that no record can have.
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
    """What a search trains in full that does not follow from its proxy's record."""
    small = Tally(small_copy(config), Ledger(folder.proxy.ledger))
    chosen = small.chosen(proxy_of(config).top).model_dump()
    for name, found in Ledger(folder.ledger).header.get("proxy", {}).items():
        if found != chosen[name]:
            return f"line 1: the proxy's {name} are {found}, and its record leads to {chosen[name]}"
    return ""


def repaired(root: Path, plugin_dirs: Any, note: Callable[[str], None]) -> Checked:
    """Cut a damaged record before the first line that is wrong, keep a copy, and check the rest.

    Args:
        root: of the search.
        plugin_dirs: likewise.
        note: reports the cut.

    Raises:
        ConfigError: as `check_record`, and if a command works there.
    """
    claim = Claim(root)
    try:
        return check_record(root, plugin_dirs)
    except DamagedRecord as error:
        if error.path != SearchFolder(root).ledger and SearchFolder(root).ledger.exists():
            raise ConfigError(
                "folder",
                f"{error.path} is damaged in line {error.number}, and what it chose is trained in "
                "full already; restore it, or search anew",
            ) from None
        kept = cut(error.path, error.number)
        note(f"{error.path} was cut before line {error.number}; what it was is kept in {kept}")
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
                wrong = f"trial {line.trial} was told {said} at step {line.step}, and the "
                return Checked(
                    number - 1, count, f"line {number}: {wrong}lines above say otherwise"
                )
    return Checked(len(texts), count)


def _difference(decisions: Decisions, tally: Tally, line: Line) -> str:
    """What a line says that does not follow from those before it."""
    if isinstance(line, Ended):
        return _other_end(tally, line)
    if not isinstance(line, Started | Revived) or getattr(line, "by_hand", False):
        return ""
    begins = f"trial {line.trial} {line.name}"
    try:
        step = decisions.next()
    except AutoGANError as error:
        return f"{begins}, and the lines above lead to an error: {error}"
    if step.line is None:
        why = f" ({step.end})" if step.end else ""
        return f"{begins}, and nothing begins after the lines above{why}"
    told, wanted = _decided(line), _decided(step.line)
    for name in {**wanted, **told}:
        if told.get(name) != wanted.get(name):
            return (
                f"{begins} with {name} {told.get(name)}, and the lines above lead to "
                f"{wanted.get(name)}"
            )
    return ""


def _decided(line: Line) -> dict[str, Any]:
    """What of a line the search has decided."""
    return {name: each for name, each in line.fields.items() if name not in ("at", "by_hand")}


def _other_end(tally: Tally, line: Ended) -> str:
    """What a trial's end says that does not follow from its evaluations."""
    trial, labels = tally.ledger.trials[line.trial], tally.ledger.header["labels"]
    objective = tally.trial_config(trial).objective
    told = [
        e
        if e.collapsed or not objective.counts(e.scores, labels)
        else dataclasses.replace(e, value=objective.value(e.scores, labels))
        for e in trial.evaluations
    ]
    best = best_evaluation(told, objective.direction)
    last = told[-1].value if told else None
    wanted: dict[str, float | None] = {
        "step": None if best is None else best.step,
        "value": None if best is None else best.value,
        "last_value": None if best is None else last,
    }
    # Others may say nothing; and a value says nothing where all trials' scores decide it.
    whole = line.state in (State.COMPLETE, State.STOPPED)
    for name, found in wanted.items():
        said = getattr(line, name)
        if said is None and (found is None or not whole or line.value is None):
            continue
        if said is None or found is None or not math.isclose(said, found):
            return (
                f"trial {line.trial} ended with {name} {said}, and its evaluations lead to {found}"
            )
    reached = told[-1].step if told else 0
    if line.steps and line.steps < reached:
        return f"trial {line.trial} ended at step {line.steps}, and was evaluated at {reached}"
    return ""


def _read_limits(config: SearchConfig, line: Limits) -> dict[str, Any]:
    """The keys of a line of limits as those of a configuration."""
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
