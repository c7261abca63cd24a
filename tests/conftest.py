"""What all tests share: no network, no traces in the home folder, fixed random numbers."""

import io
import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from cpu import Meter, Sum, takes_all
from hypothesis import settings

from autogan.core.signals import SIGNALS

if sys.__stdin__ is None:  # closed, as by a shell's <&-: pytest's own in its place asks it things
    sys.__stdin__ = io.TextIOWrapper(io.BytesIO(), "utf-8")

# By these, Rich and Typer draw and paint also where there is no terminal.
for _name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "GITHUB_ACTIONS"):
    os.environ.pop(_name, None)
if not os.access(Path(__file__).parents[1], os.W_OK):  # where Hypothesis notes its failures
    settings.register_profile("read-only", database=None)
    settings.load_profile("read-only")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the slow tests too")
    parser.addoption("--cpu-limit", type=int, help="most processor seconds of all tests together")


def pytest_collection_modifyitems(config, items):
    """Without ``--slow``, leave out the slow tests where all would run; named ones always run."""
    if takes_all(config):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if not item.get_closest_marker("slow")]


def pytest_configure(config):
    config.pluginmanager.register(Meter())
    if not hasattr(config, "workerinput"):  # xdist's own processes only measure
        config.pluginmanager.register(Sum(config))


@pytest.fixture(autouse=True)
def _one_worker(monkeypatch):
    """A search has one worker unless its test says otherwise, however many cores there are."""
    monkeypatch.setattr("autogan.config.working.workers_that_fit", lambda: 1)


SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("AUTOGAN_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    patch.setenv("COLUMNS", "200")
    patch.setenv("TERM", "xterm-256color")
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _heeded_signals():
    """A shell's ``&`` and nohup have signals ignored, here and by all that a test starts."""
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)


@pytest.fixture(autouse=True)
def _seeds():
    random.seed(0)
    np.random.seed(0)


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path, monkeypatch):
    """Relative paths such as runs/ stay out of the checkout."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(capsys):
    """Runs the command line here; returns the exit code, what was printed, and the errors."""

    from autogan.cli.main import main

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments)])
        told = capsys.readouterr()
        return stop.value.code, told.out, told.err

    return run


@pytest.fixture
def shared_data():
    if not SHARED.is_dir():
        pytest.skip(f"the real datasets are not at {SHARED}")
    return SHARED


@pytest.fixture
def eagerly():
    """Steps that are not compiled, where each is trained for a few steps alone."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def in_process(monkeypatch):
    """Let commands do their work in this process: its TensorFlow is imported already."""
    from sessions import SessionEngine

    engine = SessionEngine()
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: engine)
