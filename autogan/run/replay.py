"""Checking a search's record: that each decision in it follows from the lines above.

Whoever ran the trials, however many at a time and however often the search was interrupted: the
record is the order in which results counted, and from it every proposal, seed and answer can be
found again.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig, load_saved
from autogan.core.errors import AutoGANError, ConfigError
from autogan.run.decisions import Decisions
from autogan.run.folder import SearchFolder
from autogan.run.ledger import Ledger, lines_of
from autogan.run.records import Ended, Evaluated, Limits, Record, Revived, Started, from_line
from autogan.run.resume import LIMITS
from autogan.run.tally import Tally


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
    if not folder.config.is_file():
        raise ConfigError("folder", f"{root} holds no search; name a folder that has search.yaml")
    given = {"plugin_dirs": plugin_dirs} if plugin_dirs else {}
    config = load_saved(SearchConfig, folder.config, given).resolved()
    return _checked(config, folder.ledger)


def _checked(config: SearchConfig, path: Path) -> Checked:
    ledger, decisions, count = Ledger(None), None, 0
    lines = lines_of(path)
    for number, line in enumerate(lines, start=1):
        try:
            record = from_line(line)
            if decisions is not None and (found := _difference(decisions, ledger, record)):
                return Checked(number - 1, count, f"line {number}: {found}")
            ledger.take_in(record)
        except (ValueError, RecursionError) as error:
            raise ConfigError("folder", f"{path}, line {number} is damaged ({error})") from None
        if isinstance(record, Limits):
            config = config.model_copy(update=_read_limits(config, record))
        if decisions is None or isinstance(record, Limits):
            decisions = Decisions(config, ledger, Tally(config, ledger))
        if isinstance(record, Started | Revived):
            count += 1
        if isinstance(record, Evaluated) and record.go_on is not None:
            count += 1
            if decisions.goes_on(record.trial) != record.go_on:
                said = "to go on" if record.go_on else "to stop"
                wrong = f"trial {record.trial} was told {said} at step {record.step}, and the "
                return Checked(
                    number - 1, count, f"line {number}: {wrong}lines above say otherwise"
                )
    return Checked(len(lines), count)


def _difference(decisions: Decisions, ledger: Ledger, record: Record) -> str:
    """What a record says that does not follow from those before it."""
    if isinstance(record, Ended) and record.value is not None:
        kept = [e for e in ledger.trials[record.trial].evaluations if e.step == record.step]
        if not kept:
            return f"trial {record.trial} has no evaluation at step {record.step}"
    if not isinstance(record, Started | Revived) or getattr(record, "by_hand", False):
        return ""
    told = record.model_dump(exclude_unset=True, exclude={"at", "by_hand"})
    try:
        step = decisions.next()
    except AutoGANError as error:
        return (
            f"trial {record.trial} {record.record}, and the lines above lead to an error: {error}"
        )
    wanted = json.loads(json.dumps({"record": step.record, **step.fields}))
    if not step.record:
        why = f" ({step.end})" if step.end else ""
        return (
            f"trial {record.trial} {record.record}, and nothing begins after the lines above{why}"
        )
    for name in {**wanted, **told}:
        if told.get(name) != wanted.get(name):
            return (
                f"trial {record.trial} {record.record} with {name} {told.get(name)}, and the lines "
                f"above lead to {wanted.get(name)}"
            )
    return ""


def _read_limits(config: SearchConfig, record: Limits) -> dict[str, Any]:
    """The keys of a record of limits as those of a configuration."""
    plain = config.as_dict()
    values = {name: record.keys.get(name) for name in LIMITS}
    read = SearchConfig(**{**plain, **{n: v for n, v in values.items() if v is not None}})
    return {name: getattr(read, name) if values[name] is not None else None for name in LIMITS}
