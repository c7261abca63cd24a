"""The worker process: it dies, hangs, is replaced, and never outlives its driver."""

import os
import signal
import subprocess
import sys
import time

import pytest
from fakes import CHATTER, CRASH, FAKE_WORKER, HANG, LABEL, RAISE

import autogan
from autogan.core.errors import ConfigError, Interrupted, one_line
from autogan.run.engine import CtrlC, LocalEngine
from autogan.search import State


@pytest.fixture
def engine():
    engine = LocalEngine(FAKE_WORKER)
    yield engine
    engine.close()


def config(**changes):
    return {
        "params": {"learning_rate": [1e-4, 3e-4]},
        "search_method": "grid",
        "run_dir": "runs/a",
        **changes,
    }


def wait_until_gone(pid):
    for _ in range(6000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # A zombie of ours still answers signals: look at its state.
        with open(f"/proc/{pid}/stat") as file:
            if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        time.sleep(0.01)
    return False


def test_a_search_in_a_worker_process(engine):
    result = autogan.run_search(config(), engine=engine)
    assert [t.state for t in result.trials] == [State.COMPLETE, State.COMPLETE]
    assert result.objective == LABEL


def test_a_crash_fails_the_trial_and_the_search_goes_on(engine, tmp_path):
    result = autogan.run_search(config(params={"z_dim": [CRASH, 62]}), engine=engine)
    assert [t.state for t in result.trials] == [State.FAILED, State.COMPLETE]
    assert result.trials[0].reason == "the worker process ended with code 7"
    traceback = tmp_path / "runs/a/trials/0000-z_dim=11/traceback.txt"
    assert "the last words" in traceback.read_text()


def test_a_worker_that_dies_between_trials_fails_one_of_them(engine):
    """Its pipe is broken when the next trial is sent."""

    class Kill(autogan.run.display.Display):
        def trial_ended(self, trial, best):
            if trial.number == 0:
                engine._process.kill()
                engine._process.wait()

    rates = [1e-4, 3e-4, 1e-3]
    result = autogan.run_search(
        config(params={"learning_rate": rates}), engine=engine, display=Kill()
    )
    states = [t.state for t in result.trials]
    assert states == [State.COMPLETE, State.FAILED, State.COMPLETE]
    assert "SIGKILL" in result.trials[1].reason


@pytest.mark.parametrize("behaviour", [HANG, CHATTER])
def test_a_trial_that_takes_too_long_fails(behaviour):
    """An hour passes while the first trial runs, whether it is silent or talks."""
    hours = []

    class Wait(autogan.run.display.Display):
        def trial_ended(self, trial, best):
            hours.clear()

        def trial_started(self, trial, position, trials):
            if trial.number == 0:
                hours.extend([0, 1])  # one look at the clock sets the deadline

    engine = LocalEngine(FAKE_WORKER, clock=lambda: 3600 * hours.pop(0) if hours else 0.0)
    result = autogan.run_search(
        config(params={"z_dim": [behaviour, 62]}, max_trial_minutes=30),
        engine=engine,
        display=Wait(),
    )
    engine.close()
    assert [t.state for t in result.trials] == [State.FAILED, State.COMPLETE]
    assert result.trials[0].reason == "the trial took longer than max_trial_minutes"


def test_an_exception_keeps_the_worker(engine):
    result = autogan.run_search(config(params={"z_dim": [RAISE, 62]}), engine=engine)
    assert [t.state for t in result.trials] == [State.FAILED, State.COMPLETE]
    assert result.trials[0].reason == "RuntimeError: no luck today"


def test_a_refusal_is_the_users_error(engine):
    with pytest.raises(ConfigError, match="^d_iter: "):
        engine.call("open", config={"params": {"d_iter": [1, 2]}})


def test_a_worker_ends_when_its_driver_is_killed(tmp_path):
    """The driver has begun a trial that never ends, and is killed with SIGKILL."""
    code = f"""
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from fakes import FAKE_WORKER, HANG
from autogan.run.engine import LocalEngine
engine = LocalEngine(FAKE_WORKER)
engine.start(0, None, config={{"params": {{"z_dim": HANG}}}}, folder="hang")
print(engine._process.pid, flush=True)
engine.next_event()
while True:
    engine.next_event()
"""
    driver = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid = int(driver.stdout.readline())
    os.kill(pid, 0)
    driver.kill()
    driver.wait()
    driver.stdout.close()
    assert wait_until_gone(pid)


def test_ctrl_c_saves_and_can_be_resumed(engine, tmp_path):
    """Ctrl-C during the first trial: it stays unfinished, and resuming gives the same result."""
    pressed = []

    class Press(autogan.run.display.Display):
        def evaluated(self, trial):
            if not pressed:
                pressed.append(os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(Interrupted, match="--resume runs/a"):
        autogan.run_search(config(), engine=engine, display=Press())
    resumed = autogan.run_search(resume="runs/a", engine=LocalEngine(FAKE_WORKER))
    whole = autogan.run_search(config(run_dir="runs/b"), engine=LocalEngine(FAKE_WORKER))
    assert [t.value for t in resumed.trials] == [t.value for t in whole.trials]
    assert [t.evaluations for t in resumed.trials] == [t.evaluations for t in whole.trials]


def test_a_second_ctrl_c_ends_at_once(engine):
    before = signal.getsignal(signal.SIGINT)
    with CtrlC(engine, autogan.run.display.Display(), "go on later") as ctrl_c:
        os.kill(os.getpid(), signal.SIGINT)
        assert ctrl_c.pressed
        with pytest.raises(Interrupted, match="stopped at once; go on later"):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("it broke\nand more", "ValueError: it broke"),
        ("Graph execution error:\n\nout of memory\n\t [[{{node a/b}}]]\nHint: x", "out of memory"),
        ("", "ValueError"),
        ("x" * 1000, "x" * 288),
    ],
)
def test_errors_of_others_are_told_in_one_line(said, line):
    told = one_line(ValueError(said))
    assert told == (line if line.startswith("ValueError") else f"ValueError: {line}")
