"""Text that comes from files cannot steer the terminal: ESC, OSC, C1 and bidirectional marks."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
import yaml
from fakes import FakeEngine, FakeSession
from pages import LABELS, search_on_disk

import autogan
from autogan.core.errors import SearchFailed, printable_lines
from autogan.record.chain import _CHAIN, Chain
from autogan.record.lines import Ended, Started
from autogan.show.displays import LiveDisplay, PlainDisplay

HOSTILE = "x\x1b[31mred\x1b]0;title\x07\x9b5m\u202eback\u2028line\ttab\rhome\x08\x7f"


def is_safe(text):
    return all(c == "\n" or c.isprintable() for c in text)


def hostile(value, place=()):
    """Each copy of a record in which one text is hostile, where that is for nobody to check."""
    if isinstance(value, str) and place[-1] not in ("record", "state", "folder", "crc"):
        yield HOSTILE
    elif isinstance(value, dict):
        for name, each in value.items():
            for made in hostile(each, (*place, name)):
                yield {**value, name: made}
            if place and place[-1] in ("classes", "environment", "labels", "scores", "params"):
                yield {**{n: v for n, v in value.items() if n != name}, HOSTILE: each}


def hostile_records(path):
    """All fields of the record, with one text hostile, for each text of the first of each kind."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for fields in records:
        fields.pop(_CHAIN)
    seen = set()
    for number, fields in enumerate(records):
        if fields["record"] not in seen:
            seen.add(fields["record"])
            for made in hostile(fields, ("record",)):
                yield [*records[:number], made, *records[number + 1 :]]


def write(path, records):
    chain, lines = Chain(), []
    for fields in records:
        lines.append(chain.line(fields))
        chain.written(fields)
    path.write_text("".join(f"{line}\n" for line in lines))


def test_no_text_of_a_record_reaches_the_terminal(tmp_path, command, monkeypatch):
    folder, _, ledger = search_on_disk(tmp_path / "runs" / "a", trials=8)
    ledger.append(Started(trial=8, seed=3, origin="random", folder="0008",
                  params={"learning_rate": 0.001, "d_iter": 1, "loss": "hinge"}))  # fmt: skip
    ledger.append(Ended(trial=8, state="failed", reason="no luck", value=None, step=None,
                  last_value=None, seconds=1.0, steps=0))  # fmt: skip
    monkeypatch.chdir(tmp_path)
    read = 0
    for count, records in enumerate(list(hostile_records(folder.ledger))):
        write(folder.ledger, records)
        for words in (["show"], ["show", "--csv"], ["check"], ["list", "runs"], ["report"],
                      ["search", "--resume"]):  # fmt: skip
            if words[0] in ("report", "search") and count % 4:
                continue
            named = [] if words[0] == "list" else [folder.root]
            if words[0] == "search":
                named += ["--trials", "0"]  # refused once all is read
            code, out, err = command(*words, *named)
            assert is_safe(out + err), (words, records)
            read += code == 0 and words == ["show", "--csv"]
    assert read > 5


@pytest.mark.parametrize("criterion", ["fid", "is"])
def test_no_label_of_a_criterion_reaches_the_terminal(criterion, tmp_path, command, monkeypatch):
    """One that all lines agree on: it is shown."""
    folder, _, _ = search_on_disk(tmp_path / "runs" / "a", trials=3)
    label, hostile = json.dumps(LABELS[criterion]), json.dumps(HOSTILE)
    lines = folder.ledger.read_text().replace(label, hostile).splitlines()
    records = [json.loads(line) for line in lines]
    for fields in records:
        fields.pop(_CHAIN)
    write(folder.ledger, records)
    monkeypatch.chdir(tmp_path)
    said = ""
    for words in (["show", folder.root], ["show", folder.root, "--csv"], ["check", folder.root],
                  ["list", "runs"], ["report", folder.root]):  # fmt: skip
        code, out, err = command(*words)
        assert code == 0 or words[0] == "check"  # these trials follow from nothing
        assert is_safe(out + err), words
        said += out
    assert ("[31mred" in said) == (criterion == "fid")  # labels are shown of what decides


def test_a_table_stays_a_table(tmp_path, command):
    folder, _, _ = search_on_disk(tmp_path / "a", trials=3)
    records = [r for r in hostile_records(folder.ledger) if r[1].get("origin") == HOSTILE]
    write(folder.ledger, records[0])
    code, out, _ = command("show", folder.root, "--csv")
    assert (code, is_safe(out)) == (0, True)
    assert len({len(row) for row in csv.reader(io.StringIO(out))}) == 1
    assert "\\x1b[31mred" in out


@pytest.mark.parametrize(
    "key",
    ["dataset", "features", "run_dir", "log_dir", "criterion", "also", "search_method", "stopping",
     "gan_type", "device", "prefer", "worker_command", "ray_address", "engine", "workers",
     "plugin_dirs", "params", "enqueue", "normalise", HOSTILE],
)  # fmt: skip
def test_no_value_of_a_configuration_reaches_the_terminal(key, command, monkeypatch):
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
    values = {HOSTILE: HOSTILE, "params": {HOSTILE: HOSTILE}, "normalise": {HOSTILE: [0, 1]},
              "enqueue": [{HOSTILE: HOSTILE}], "dataset": f"folder:{HOSTILE}",
              "also": [HOSTILE]}  # fmt: skip
    Path("mail.yaml").write_text(yaml.safe_dump({key: values.get(key, HOSTILE)}))
    code, out, err = command("search", "mail.yaml", "--dry-run")
    assert code == (0 if key in ("run_dir", "log_dir", "dataset") else 2)
    assert is_safe(out + err)


def test_no_name_of_a_folder_reaches_the_terminal(tmp_path, command, monkeypatch):
    name = HOSTILE.replace("/", "")
    search_on_disk(tmp_path / "runs" / name, trials=3)
    monkeypatch.chdir(tmp_path)
    root = Path("runs") / name
    for words in (["show", root], ["show", root, "--csv"], ["list", "runs"], ["report", root],
                  ["check", root], ["show", root / "no"], ["sample", root]):  # fmt: skip
        _, out, err = command(*words)
        assert is_safe(out + err), words


def test_no_word_of_a_worker_reaches_the_terminal(capsys):
    class Loud(FakeSession):
        def prepare(self, call):
            self._driver.note(HOSTILE)
            return super().prepare(call)

        def train(self, call):
            raise RuntimeError(HOSTILE)

    from rich.console import Console

    for display in (PlainDisplay, lambda: LiveDisplay(Console(file=sys.stderr, width=200))):
        engine = FakeEngine()
        engine._session = Loud(engine)
        shown = display()
        with pytest.raises(SearchFailed):
            autogan.run_search({"dataset": "digits", "run_dir": "runs/a"}, engine=engine,
                               overwrite=True, display=shown)  # fmt: skip
        shown.close()
        told = capsys.readouterr()
        assert "[31mred" in told.err
        assert is_safe(told.out + told.err)


def test_lines_stay_lines():
    assert printable_lines("a\nb\x1b") == "a\nb\\x1b"
    assert printable_lines("ü € ▁ ±\n") == "ü € ▁ ±\n"
