"""Text that comes from files cannot steer the terminal: ESC, OSC, C1 and bidirectional marks."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
import yaml
from fakes import FakeEngine, FakeSession
from pages import search_on_disk

import autogan
from autogan.core.errors import SearchFailed, printable_lines
from autogan.display import LiveDisplay, PlainDisplay
from autogan.run.records import from_line, to_line

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
            if place and place[-1] in ("labels", "classes", "scores", "environment", "params"):
                yield {**{n: v for n, v in value.items() if n != name}, HOSTILE: each}


def lines_with_hostile_text(path):
    """The record, with one text of one line hostile, for each text there is in it."""
    lines = path.read_text().splitlines()
    seen = set()
    for number, line in enumerate(lines):
        record = json.loads(line)
        kind = record["record"]
        if kind in seen:
            continue
        seen.add(kind)
        plain = {n: v for n, v in record.items() if n not in ("crc", "chain")}
        for made in hostile(plain, (kind,)):
            yield lines, number, made


def test_no_text_of_a_record_reaches_the_terminal(tmp_path, command, monkeypatch):
    folder, _, ledger = search_on_disk(tmp_path / "runs" / "a", trials=8)
    ledger.append("started", trial=8, seed=3, origin="random", folder="0008",
                  params={"learning_rate": 0.001, "d_iter": 1, "loss": "hinge"})  # fmt: skip
    ledger.append("ended", trial=8, state="failed", reason="no luck")
    monkeypatch.chdir(tmp_path)
    count = 0
    for lines, number, made in list(lines_with_hostile_text(folder.ledger)):
        try:
            written = to_line(made)
            from_line(written)
        except (ValueError, TypeError):
            continue  # which no reader takes
        folder.ledger.write_text("".join(f"{x}\n" for x in [*lines[:number], written,
                                                             *lines[number + 1 :]]))  # fmt: skip
        for words in (["show"], ["show", "--csv"], ["check"], ["list", "runs"], ["report"],
                      ["search", "--resume"]):  # fmt: skip
            if words[0] in ("report", "search") and count % 4:
                continue
            named = [] if words[0] == "list" else [folder.root]
            if words[0] == "search":
                named += ["--trials", "0"]  # refused once all is read
            _, out, err = command(*words, *named)
            assert is_safe(out + err), (words, made)
        count += 1
    assert count > 5


def test_what_is_escaped_can_be_told(tmp_path, command):
    folder, _, _ = search_on_disk(tmp_path / "a", trials=3)
    text = folder.ledger.read_text().splitlines()
    header = {n: v for n, v in json.loads(text[0]).items() if n not in ("crc", "chain")}
    folder.ledger.write_text("\n".join([to_line({**header, "objective": HOSTILE}), *text[1:], ""]))
    code, out, err = command("show", folder.root, "--csv")
    assert is_safe(out + err)
    if code == 0:
        assert len(list(csv.reader(io.StringIO(out)))) > 3


@pytest.mark.parametrize(
    "key",
    ["dataset", "features", "run_dir", "log_dir", "criterion", "also", "search_method", "stopping",
     "gan_type", "device", "prefer", "worker_command", "ray_address", "engine", "workers",
     "plugin_dirs", "params", "enqueue", "normalise", HOSTILE],
)  # fmt: skip
def test_no_value_of_a_configuration_reaches_the_terminal(key, command):
    values = {HOSTILE: HOSTILE, "params": {HOSTILE: HOSTILE}, "normalise": {HOSTILE: [0, 1]},
              "enqueue": [{HOSTILE: HOSTILE}], "dataset": f"folder:{HOSTILE}",
              "also": [HOSTILE]}  # fmt: skip
    Path("mail.yaml").write_text(yaml.safe_dump({key: values.get(key, HOSTILE)}))
    code, out, err = command("search", "mail.yaml", "--dry-run")
    assert code == 2
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
