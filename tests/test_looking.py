"""`autogan report`: where the page goes, pages of running searches, and of several."""

from pathlib import Path
from shlex import quote

import pytest
from fakes import RAISE, FakeEngine, records_of, write_records
from pages import judge, search_on_disk

import autogan
from autogan import api
from autogan.cli.main import main
from autogan.core.errors import ConfigError, SearchFailed
from autogan.record.lines import Ended, Started
from autogan.report import watch, write_report

KEYS = {
    "dataset": "digits", "trials": 3, "search_method": "random", "run_dir": "runs/a",
    "params": {"learning_rate": "1e-4..1e-2:log"},
}  # fmt: skip


def test_every_search_ends_with_its_page(capsys):
    result = autogan.run_search(KEYS, engine=FakeEngine())
    page = Path("runs/a/report.html")
    assert f"Trial {result.best.number}, " in page.read_text()
    with pytest.raises(SystemExit):
        main(["show", "runs/a"])
    assert "see it all:      runs/a/report.html\n" in capsys.readouterr().out


def test_so_does_one_that_fails():
    failing = {**KEYS, "params": {**KEYS["params"], "z_dim": RAISE}}
    with pytest.raises(SearchFailed):
        autogan.run_search(failing, engine=FakeEngine())
    assert "no luck today" in Path("runs/a/report.html").read_text()


def test_a_page_that_cannot_be_written_ends_no_search(monkeypatch):
    def broken(result):
        raise RuntimeError("a bug")

    notes = []
    display = autogan.show.display.Display()
    display.note = notes.append
    monkeypatch.setattr("autogan.report.search.search_page", broken)
    assert autogan.run_search(KEYS, engine=FakeEngine(), display=display).best is not None
    assert notes[-1] == "the page runs/a/report.html cannot be written (RuntimeError: a bug)"


def test_overwriting_replaces_the_page():
    autogan.run_search(KEYS, engine=FakeEngine())
    before = Path("runs/a/report.html").read_text()
    autogan.run_search({**KEYS, "seed": 1}, overwrite=True, engine=FakeEngine())
    assert Path("runs/a/report.html").read_text() != before


def test_the_page_goes_where_it_is_wanted(tmp_path, command):
    search_on_disk(tmp_path / "a", trials=3)
    assert command("report", "a") == (0, "a/report.html\n", "")
    assert command("report", "a", "-o", "b/c.html") == (0, "b/c.html\n", "")
    assert Path("b/c.html").read_text() == Path("a/report.html").read_text()
    assert write_report("a", output="d.html") == Path("d.html")


def test_what_cannot_be_shown_is_refused(tmp_path, command):
    search_on_disk(tmp_path / "a", trials=3)
    Path("b").mkdir()
    assert command("report", "b") == (
        2, "", "autogan: run: b holds no search or training; see: autogan list runs\n"
    )  # fmt: skip
    assert (
        command("report", "none")[2]
        == "autogan: run: none is not a folder; see: autogan list runs\n"
    )
    Path("c.html").mkdir()
    for output, said in {
        "b": "b does not end in .html; give a name that does",
        "c.html": "c.html is not a file; give the name of a new file",
        "a/trials.jsonl": "a/trials.jsonl does not end in .html; give a name that does",
    }.items():
        assert command("report", "a", "-o", output) == (2, "", f"autogan: output: {said}\n")
    assert command("report", "a", "-o", "a/search.yaml/x.html")[2].startswith(
        "autogan: output: a/search.yaml/x.html cannot be written ("
    )
    assert not Path("a/report.html").exists()


def test_nothing_else_is_written_over(tmp_path, command):
    search_on_disk(tmp_path / "a", trials=3)
    Path("mine.html").write_text("<p>my own page</p>")
    assert command("report", "a", "-o", "mine.html")[2] == (
        "autogan: output: mine.html is not an AutoGAN page; give another name\n"
    )
    assert Path("mine.html").read_text() == "<p>my own page</p>"
    Path("link.html").symlink_to("a/trials.jsonl")
    assert command("report", "a", "-o", "link.html")[0] == 2
    assert (
        command("report", "a", "-o", "new.html")[0]
        == command("report", "a", "-o", "new.html")[0]
        == 0
    )


def test_python_writes_it_after_loading():
    """The package `autogan.report` is another thing than the function."""
    autogan.run_search(KEYS, engine=FakeEngine())
    assert autogan.load("runs/a").best is not None
    assert autogan.write_report("runs/a") == Path("runs/a/report.html")


def test_it_is_opened_if_that_is_asked_for(tmp_path, command, monkeypatch):
    search_on_disk(tmp_path / "a", trials=3)
    opened = []
    monkeypatch.setattr("typer.launch", opened.append)
    assert command("report", "a", "--open")[0] == 0
    assert opened == [(tmp_path / "a" / "report.html").as_uri()]


def test_a_watched_search_is_shown_until_it_ends(tmp_path, monkeypatch):
    """Written at the beginning, at news and when it has ended; not when nothing has happened."""
    _, config, ledger = search_on_disk(tmp_path / "a", trials=3)
    ledger.append(Started(trial=3, params=ledger.trials[0].params, seed=1, origin="",
                  folder="0003"))  # fmt: skip
    working, slept, written = [True], [], []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            ledger.append(Ended(trial=3, state="failed", value=None, step=None,
                          last_value=None, seconds=1.0, reason="", steps=0))  # fmt: skip
        if len(slept) == 6:
            judge(config, ledger)
            working[0] = False

    monkeypatch.setattr("time.sleep", sleep)
    for module in ("autogan.report.writing", "autogan.show.result"):
        monkeypatch.setattr(f"{module}.at_work", lambda root: working[0])
    for page in watch("a"):
        written.append(page.read_text())
    assert ['content="30"' in text for text in written] == [True, True, False]
    assert "4 trials: 3 complete, 1 running" in written[0]
    assert "4 trials: 3 complete, 1 failed" in written[1]
    assert "ended" in written[2]


def test_a_page_that_is_written_once_does_not_load_itself_again(tmp_path, command, monkeypatch):
    search_on_disk(tmp_path / "a", trials=3)
    monkeypatch.setattr("autogan.report.writing.at_work", lambda root: True)
    assert command("report", "a")[0] == 0
    assert '<meta http-equiv="refresh"' not in Path("a/report.html").read_text()


def test_searches_are_compared_where_that_can_be(tmp_path, command):
    for name, keys in {"a": {}, "b": {"search_method": "tpe"}, "c": {}}.items():
        _, config, ledger = search_on_disk(tmp_path / name, trials=6, **keys)
        judge(config, ledger)
    record = tmp_path / "c" / "trials.jsonl"
    header, *rest = records_of(record)
    header["features"]["weights"] = "other"
    write_records(record, [header, *rest])
    assert command("report", "a", "b", "c") == (0, "comparison.html\n", "")
    page = Path("comparison.html").read_text()
    assert "3 searches" in page
    assert "<td>weights</td><td>abcd</td><td>other</td>" in page
    assert page.count('class="line run-') == 4  # two searches, in the key and in the chart
    assert "b reached " in page
    assert "c reached " not in page


def test_names_that_are_alike_are_told_apart(tmp_path, command):
    for name in ("x/a", "y/a"):
        search_on_disk(tmp_path / name, trials=3)
    assert command("report", "x/a", "y/a")[0] == 0
    page = Path("comparison.html").read_text()
    assert "x/a reached " in page
    assert "y/a reached " in page


def test_the_same_search_twice_is_one(tmp_path, command):
    search_on_disk(tmp_path / "a", trials=3)
    assert command("report", "a", "./a") == (0, "a/report.html\n", "")
    with pytest.raises(ConfigError, match="run: none given"):
        write_report()


def test_a_second_comparison_takes_the_next_free_name(tmp_path, command):
    for name in ("a", "b"):
        search_on_disk(tmp_path / name, trials=3)
    assert command("report", "a", "b") == (0, "comparison.html\n", "")
    Path("comparison.html").write_text("an own note")
    assert command("report", "a", "b") == (0, "comparison-2.html\n", "")
    assert command("report", "a", "b", "--watch") == (0, "comparison-3.html\n", "")
    assert command("report", "a", "b", "-o", "comparison-2.html")[:2] == (0, "comparison-2.html\n")
    assert Path("comparison.html").read_text() == "an own note"
    assert not Path("comparison-4.html").exists()


def test_an_interrupted_search_is_not_called_running():
    failing = {**KEYS, "params": {**KEYS["params"], "z_dim": RAISE}}
    with pytest.raises(SearchFailed):
        autogan.run_search(failing, engine=FakeEngine())
    page = Path("runs/a/report.html").read_text()
    assert "<dd>unfinished</dd>" in page or "<dd>ended</dd>" in page
    assert '<meta http-equiv="refresh"' not in page


def test_watching_several_waits_for_news_of_those_that_run(tmp_path, monkeypatch):
    """One of two has ended: that is no news."""
    for name in ("a", "b"):
        search_on_disk(tmp_path / name, trials=3)
    slept = []

    def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("time.sleep", sleep)
    working = {tmp_path / "a": lambda: len(slept) < 5, tmp_path / "b": lambda: False}
    monkeypatch.setattr("autogan.report.writing.at_work", lambda root: working[root.resolve()]())
    assert list(watch("a", "b")) == [Path("comparison.html")] * 2


def test_show_prints_every_trial(tmp_path, capsys):
    """The end of a search prints the best, and the command that prints all."""
    folder, config, ledger = search_on_disk(tmp_path / "a", trials=25)
    judge(config, ledger)
    api.load(folder.root)
    with pytest.raises(SystemExit):
        main(["show", str(folder.root)])
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if " more" in line]
    numbers = {line.split()[0] for line in lines if line.startswith("  ") and line.split()}
    assert {str(number) for number in range(25)} <= numbers
    (more,) = [line for line in api.load(folder.root).summary().splitlines() if "more:" in line]
    assert more.startswith("  and 5 more: ")
    assert more.endswith(f"show {quote(str(folder.root))}")


def test_a_run_as_a_configuration_names_the_file_in_it(tmp_path, capsys):
    search_on_disk(tmp_path / "a", trials=1)
    (tmp_path / "a" / "best.yaml").touch()
    with pytest.raises(SystemExit):
        main(["train", str(tmp_path / "a")])
    assert f"give {tmp_path / 'a' / 'best.yaml'}" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["train", "--param", "lr=1"])
    assert "did you mean 'learning_rate'?" in capsys.readouterr().err
