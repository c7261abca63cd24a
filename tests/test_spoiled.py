"""Records and results of which one field is of another kind: one line at most, never a traceback.

Their checksums are right: only a hand, or another version, writes such a field.
"""

import contextlib
import copy
import dataclasses
import io
import json
import random
import shutil

import pytest
from fakes import FakeEngine, Shuffled, records_of, write_records

import autogan
from autogan.cli.printing import print_run
from autogan.core.errors import AutoGANError, ConfigError
from autogan.record.ledger import Ledger
from autogan.search import State
from autogan.show.result import SearchResult

SEARCH = {
    "params": {"learning_rate": [1e-4, 3e-4, 1e-3, 3e-3], "d_iter": [1, 2]},
    "search_method": "random",
    "stopping": "asha",
    "steps": 30,
    "evaluate_every": 10,
    "trials": 6,
    "repeats": 2,
    "confirm": {"top": 1, "repeats": 2},
    "run_dir": "runs/a",
}

KINDS = [
    None, True, -1, 0, 7, 2**63, 10**400, 0.5, 1e308, float("nan"), float("inf"), "", "text", "/",
    "\ud800", "x" * 100_000, [], [[]], {}, {"a": {"b": [1]}},
]  # fmt: skip
GONE, OTHER = object(), object()
"""A field that is not there, and one of another name."""
SAMPLE = 120  # of all changes, in a run of the tests


def fields_of(values, path=()):
    """The paths of all fields, those of mappings within too."""
    for name, value in values.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from fields_of(value, (*path, name))


def with_field(values, path, kind):
    """A copy with one field of another kind, without it, or with another name for it."""
    copied = copy.deepcopy(values)
    inner = copied
    for name in path[:-1]:
        inner = inner[name]
    if kind in (GONE, OTHER):
        value = inner.pop(path[-1])
        if kind is OTHER:
            inner["other"] = value
    else:
        inner[path[-1]] = kind
    return copied


def changes_of(records, kinds):
    """Place, path and kind of all changes: of the first and the last record of each type."""
    places = {}
    for place, fields in enumerate(records):
        first, _ = places.get(fields["record"], (place, place))
        places[fields["record"]] = (first, place)
    return [
        (place, path, kind)
        for both in places.values()
        for place in dict.fromkeys(both)
        for path in fields_of(records[place])
        for kind in kinds
    ]


def show():
    """All forms in which a run is printed."""
    result = autogan.load("runs/a")
    with contextlib.redirect_stdout(io.StringIO()):
        for as_json, as_csv in ((False, False), (True, False), (False, True)):
            print_run(result, as_json, as_csv)


def refused(look):
    """Whether something is refused, in one line; anything else that it raises is a fault."""
    try:
        look()
    except AutoGANError as error:
        if "\n" in str(error):
            raise ValueError("more than a line") from error
        return True
    return False


@pytest.fixture
def records(tmp_path):
    """Of a search with lines of many kinds."""
    autogan.run_search(SEARCH, engine=Shuffled(2))
    path = tmp_path / "runs/a/trials.jsonl"
    found = records_of(path)
    found.insert(3, {"record": "worker", "worker": "w", "environment": {"fake": 2}})
    write_records(path, found)
    assert autogan.check("runs/a").difference == ""
    shutil.copytree("runs/a", "whole", symlinks=True)
    return found


def try_record(path, records, place, change, kind):
    """All that is done with a record, with one field changed."""
    changed = with_field(records[place], change, kind)
    write_records(path, [*records[:place], changed, *records[place + 1 :]])
    if refused(lambda: Ledger(path)):
        return  # and so by every command
    refused(show)
    refused(lambda: autogan.write_report("runs/a"))
    refused(lambda: autogan.check("runs/a"))
    refused(lambda: autogan.run_search(resume="runs/a", engine=Shuffled(2)))


@pytest.mark.parametrize(("kinds", "most"), [(KINDS, SAMPLE), ((GONE, OTHER), 40)])
def test_a_field_of_another_kind_is_one_line_or_harmless(records, tmp_path, kinds, most):
    path = tmp_path / "runs/a/trials.jsonl"
    changes = changes_of(records, kinds)
    for place, change, kind in random.Random(0).sample(changes, min(most, len(changes))):
        try:
            try_record(path, records, place, change, kind)
        except Exception as error:
            said = f"line {place + 1}, {'.'.join(change)} = {str(kind)[:30]!r}"
            raise AssertionError(said) from error
        shutil.rmtree("runs/a")
        shutil.copytree("whole", "runs/a", symlinks=True)


def test_labels_or_scores_that_lack_a_criterion(tmp_path):
    """What decides may be missing where a hand, or a version before 0.4, wrote the record."""
    autogan.run_search({**SEARCH, "criterion": "fid - is"}, engine=Shuffled(2))
    path = tmp_path / "runs/a/trials.jsonl"
    records = records_of(path)
    shutil.copytree("runs/a", "whole", symlinks=True)
    for place, change, kind in changes_of(records, (GONE, OTHER)):
        if change[0] in ("labels", "scores") and len(change) == 2:
            try_record(path, records, place, change, kind)
            shutil.rmtree("runs/a")
            shutil.copytree("whole", "runs/a", symlinks=True)
    write_records(path, [with_field(records[0], ("labels", "is"), OTHER), *records[1:]])
    for look in (
        lambda: autogan.load("runs/a"),
        lambda: autogan.check("runs/a"),
        lambda: autogan.run_search(resume="runs/a", engine=Shuffled(2)),
    ):
        with pytest.raises(ConfigError, match=r"line 1 is damaged \(labels: none of is\); restore"):
            look()


def test_a_result_of_another_kind_is_one_line_or_ignored(tmp_path):
    """result.json of a stopped trial, as if it had been trained on by hand."""
    result = autogan.run_search({**SEARCH, "repeats": 1, "confirm": None}, engine=FakeEngine())
    stopped = next(t for t in result.trials if t.state is State.STOPPED)
    folder = result.folders[stopped.number]
    values = {**dataclasses.asdict(stopped), "state": "complete", "environment": {}}
    shutil.copytree("runs/a", "whole", symlinks=True)
    junk = ["", "{", "null", "[" * 2000 + "]" * 2000, "{}", '{"state": "running"}']
    changes = [(path, kind) for path in fields_of(values) for kind in [*KINDS, "running"]]
    some = random.Random(0).sample(changes, 40)
    for text in [*junk, *(json.dumps(with_field(values, *each)) for each in some)]:
        folder.result.write_text(text)
        refused(lambda: autogan.run_search(resume="runs/a", engine=FakeEngine()))
        refused(show)
        refused(lambda: autogan.load(folder.root))
        shutil.rmtree("runs/a")
        shutil.copytree("whole", "runs/a", symlinks=True)
    assert isinstance(autogan.load("runs/a"), SearchResult)
