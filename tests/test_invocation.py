"""Commands that are printed run when they are pasted into a shell."""

import os
import shlex
import subprocess
import sys

import pytest

from autogan.core.invocation import command


def script(path, prints="me"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho {prints} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An environment with autogan in the folder ``.venv``, which is not on the path."""
    script(tmp_path / ".venv/bin/autogan")
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pasted(line):
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True).stdout.strip()


def test_a_program_off_the_path_is_called_by_its_shortest_path(environment, monkeypatch):
    assert command("autogan", "list") == ".venv/bin/autogan list"
    assert pasted(command("autogan", "list")) == "me list"
    monkeypatch.chdir("/")
    assert command("autogan") == shlex.quote(f"{environment}/.venv/bin/autogan".lstrip("/"))
    monkeypatch.chdir(environment / ".venv/bin")
    assert command("autogan") == "./autogan"
    assert pasted(command("autogan")) == "me"


def test_a_program_on_the_path_is_called_by_its_name(environment, monkeypatch):
    monkeypatch.setenv("PATH", f"{environment}/.venv/bin:{os.defpath}")
    assert command("autogan", "list") == "autogan list"
    assert pasted("autogan list") == "me list"


def test_a_link_on_the_path_will_do(environment, monkeypatch):
    """As pipx makes it."""
    (environment / "links").mkdir()
    (environment / "links/autogan").symlink_to(environment / ".venv/bin/autogan")
    monkeypatch.setenv("PATH", f"{environment}/links:{os.defpath}")
    assert command("autogan") == "autogan"


def test_another_ones_program_on_the_path_is_not_called(environment, monkeypatch):
    script(environment / "other/autogan", "another")
    monkeypatch.setenv("PATH", f"{environment}/other:{os.defpath}")
    assert pasted(command("autogan")) == "me"


@pytest.mark.parametrize("word", ["my runs/a", "a'b", "$HOME", "~", "a;b", "*", "-x=1..2:log", ""])
def test_words_reach_the_program_as_they_are(environment, monkeypatch, word):
    assert pasted(command("autogan", "search", word)) == f"me search {word}".strip()
    odd = script(environment / "my env's/bin/autogan")
    monkeypatch.setattr(sys, "executable", str(odd.with_name("python")))
    assert pasted(command("autogan", word)) == f"me {word}".strip()


def test_without_a_script_the_module_is_run(monkeypatch, tmp_path):
    """In the real environment: what is printed answers to --version."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.chdir(tmp_path)
    assert command("autogan", "--version") == "./python -m autogan --version"
    assert pasted(command("autogan", "--version")).startswith("autogan 0.")
    assert (
        command("tensorboard", "--logdir", "a b") == "./python -m tensorboard.main --logdir 'a b'"
    )
    assert pasted(command("pip", "--version")).startswith("pip ")
