"""What is shown on the way: to whom, and that it never ends a search."""

import io
import sys

import pytest
from fakes import FakeEngine
from rich.console import Console

from autogan.cli import main
from autogan.display import LiveDisplay

SEARCH = ["search", "--param", "learning_rate=1e-4,1e-3", "--search-method", "grid"]


@pytest.fixture(autouse=True)
def _in_process(monkeypatch):
    monkeypatch.setattr("autogan.commands.LocalEngine", FakeEngine)


def run(*flags):
    with pytest.raises(SystemExit) as exit_:
        main([*SEARCH, *flags])
    return exit_.value.code


class Broken(io.StringIO):
    """A pipe whose reader has gone, or a terminal that was closed."""

    def write(self, text):
        raise BrokenPipeError("nobody reads")


def test_a_terminal_that_is_closed_ends_no_search(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", Broken())
    assert run() == 0
    assert "best of 2 trials" in capsys.readouterr().out


def test_quiet_shows_the_result_alone(capsys):
    assert run("--quiet") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "best of 2 trials" in captured.out


def test_no_colour_where_none_is_wanted(monkeypatch):
    """https://no-color.org"""
    shown = {}
    for colours in (True, False):
        if not colours:
            monkeypatch.setenv("NO_COLOR", "1")
        file = io.StringIO()
        display = LiveDisplay(Console(file=file, force_terminal=True, width=80))
        display.note("something")
        display.close()
        shown[colours] = file.getvalue()
    assert "something" in shown[False]
    assert "\x1b[3" not in shown[False]
