"""The worker process: it dies, hangs, is replaced, and never outlives its driver."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import CHATTER, CRASH, FAKE_WORKER, HANG, KILLED, LABEL, RAISE, pool_of

import autogan
from autogan.core.errors import AutoGANError, ConfigError, Interrupted, one_line
from autogan.pool.finished import Sample, Sampled
from autogan.pool.messages import Interrupt, Open, Opened, encode
from autogan.pool.places import WORKER, command_places
from autogan.pool.pool import Pool, WorkerFailed
from autogan.record.claim import Claim, share
from autogan.run.interruption import StopSignals
from autogan.search import State
from autogan.show.display import Display
from autogan.worker.serve import _without_tensorflow


@pytest.fixture
def engine():
    engine = pool_of(1)
    yield engine
    engine.close()


def process_of(engine, worker=0):
    return engine._workers[worker].channel.process


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


def test_a_worker_that_is_killed_loses_no_trial(engine, tmp_path):
    """The machine is at fault, not the trial: it is tried again, to the same values."""
    kills = []

    class Kill(Display):
        def evaluated(self, trial):
            if trial.number == 1 and len(kills) < 2:
                kills.append(process_of(engine).kill())

    rates = [1e-4, 3e-4, 1e-3]
    grid = config(params={"learning_rate": rates})
    result = autogan.run_search(grid, engine=engine, display=Kill())
    assert [t.state for t in result.trials] == [State.COMPLETE] * 3
    assert result.trials[1].times_lost == len(kills) == 2
    whole = autogan.run_search({**grid, "run_dir": "runs/b"}, engine=pool_of(1))
    assert [t.value for t in result.trials] == [t.value for t in whole.trials]
    assert [t.evaluations for t in result.trials] == [t.evaluations for t in whole.trials]


def test_a_trial_that_is_lost_again_and_again_fails(engine):
    class Kill(Display):
        def evaluated(self, trial):
            if trial.number == 0:
                process_of(engine).kill()

    grid = config(params={"z_dim": [KILLED, 62]})
    result = autogan.run_search(grid, engine=engine, display=Kill())
    assert [t.state for t in result.trials] == [State.FAILED, State.COMPLETE]
    assert result.trials[0].reason == "lost 3 times: MemoryError: not enough of it"


def test_a_worker_that_dies_is_replaced_before_the_next_call(engine):
    engine.call(Open(config={}), Opened)
    process_of(engine).kill()
    with pytest.raises(WorkerFailed, match="killed by SIGKILL"):
        engine.call(Open(config={}), Opened)
    assert engine.call(Open(config={}), Opened).images == 640


def test_notes_on_the_way_to_a_reply_are_told(engine):
    told = []
    call = Sample(config={}, folder="a", checkpoint="best", count=3, seed=0, output="a.npz")
    engine.call(call, Sampled, told.append)
    assert told == ["making 3 images"]


def test_the_lock_outlives_workers(engine, tmp_path):
    """A second command is refused while a worker is being replaced, and free when all is done."""
    refusals = []

    class Intrude(Display):
        def trial_ended(self, trial, best):
            engine.close()
            with pytest.raises(ConfigError, match="in use by another autogan command"):
                Claim(tmp_path / "runs/a")
            refusals.append(trial.number)

    autogan.run_search(config(), engine=engine, display=Intrude())
    assert refusals == [0, 1]
    Claim(tmp_path / "runs/a").release()


def test_a_claim_leaves_nothing_unless_the_run_begins(tmp_path):
    Claim(tmp_path / "x/y").release()
    assert not (tmp_path / "x").exists()
    claim = Claim(tmp_path / "x/y")
    claim.begin()
    claim.release()
    Claim(tmp_path / "x/y").release()
    assert (tmp_path / "x/y/.lock").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_schedulers_signals_stop_as_ctrl_c_does(engine, number):
    """Two at the same moment are one wish: a closed terminal sends two."""
    pressed = []

    class Press(Display):
        def evaluated(self, trial):
            pressed.append(os.kill(os.getpid(), number))
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match="^stopped; .*--resume runs/a"):
        autogan.run_search(config(), engine=engine, display=Press())
    assert signal.getsignal(number) is before
    resumed = autogan.run_search(resume="runs/a", engine=pool_of(1))
    assert [t.state for t in resumed.trials] == [State.COMPLETE, State.COMPLETE]


def test_signals_that_are_ignored_stay_so(engine):
    """Under nohup a closed terminal ends nothing."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals(engine, Display(), "go on later") as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.pressed
    finally:
        signal.signal(signal.SIGHUP, before)


def test_who_asks_for_input_does_not_take_the_drivers_messages(tmp_path):
    """A part of the user's own calls input(): it finds the end, and the call fails."""
    file = tmp_path / "asks.py"
    file.write_text(
        "from autogan.worker.serve import serve\n"
        "class Session:\n"
        "    def __init__(self, pipe): pass\n"
        "    def open(self, call): input('name? ')\n"
        "serve(Session)\n"
    )
    engine = pool_of(1, (sys.executable, str(file)))
    with pytest.raises(WorkerFailed, match="EOFError"):
        engine.call(Open(config={}), Opened)
    engine.close()


def test_an_interrupt_answers_a_trial_that_waits(tmp_path):
    """A driver that cannot record an evaluation cannot answer it either; the trial saves."""
    file = tmp_path / "waits.py"
    file.write_text(
        "import os\n"
        "from autogan.worker.serve import serve\n"
        "from autogan.search import Evaluation\n"
        "class Session:\n"
        "    def __init__(self, pipe): self._pipe = pipe\n"
        "    def open(self, call):\n"
        "        self._pipe.evaluated(Evaluation(1, {}))\n"
        "        os._exit(7 if self._pipe.interrupted() else 8)\n"
        "serve(Session)\n"
    )
    worker = subprocess.Popen(
        [sys.executable, str(file)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        print(encode(Open(config={})), encode(Interrupt()), sep="\n", file=worker.stdin, flush=True)
        assert worker.wait(60) == 7
    finally:
        worker.kill()
        worker.stdin.close()
        worker.wait()


def test_workers_import_nothing_from_the_working_folder(tmp_path):
    """The user's random.py is not Python's."""
    for name in ("random", "numpy", "queue", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken from the working folder')")
    engine = pool_of(1, WORKER)
    with pytest.raises(ConfigError, match="gan_type: 'none' is not known"):
        engine.call(Open(config={"gan_type": "none"}), Opened)
    engine.close()


def worker_with(tmp_path, tensorflow):
    """A real worker, whose TensorFlow is this code."""
    (tmp_path / "stand-in").mkdir()
    (tmp_path / "stand-in/tensorflow.py").write_text(tensorflow)
    return (
        sys.executable, "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path / 'stand-in')!r});"
        "from autogan.worker.serve import main; main()",
    )  # fmt: skip


BROKEN = """
try:
    raise ImportError("libcudart.so.12: no such file")
except ImportError:
    raise ImportError("Traceback (most recent call last):\\n  and 40 lines more")
"""


@pytest.mark.parametrize(
    ("tensorflow", "told"),
    [
        (
            "raise ModuleNotFoundError(\"No module named 'tensorflow'\")",
            r"\(ModuleNotFoundError: No module named 'tensorflow'\); install it: .*pip install 't",
        ),
        (
            BROKEN,
            r"\(ImportError: libcudart.so.12: no such file\); install it: "
            r".*pip install --force-reinstall --no-deps 'tens",
        ),
        ("raise TypeError('Descriptors cannot')", r"\(TypeError: Descriptors cannot\); install it"),
    ],
)
def test_without_tensorflow_one_line_says_what_to_do(tmp_path, tensorflow, told):
    engine = pool_of(1, worker_with(tmp_path, tensorflow))
    with pytest.raises(ConfigError, match=f"^tensorflow: cannot be imported {told}"):
        engine.call(Open(config={}), Opened)
    engine.close()


def test_the_tensorflow_to_install_is_the_one_that_is_asked_for():
    wanted = re.search(r"'(tensorflow\S*)'", str(_without_tensorflow(ImportError("x"))))[1]
    declared = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert f'    "{wanted}",\n' in declared


@pytest.mark.parametrize(
    ("prefix", "line"),
    [
        ("nosuchcommand -n1", r"^worker_command: nosuchcommand cannot be started \(No such file"),
        ("/tmp", r"^worker_command: /tmp cannot be started \(Permission denied\)$"),
        ("{tmp}/empty", r"^worker_command: .*/empty cannot be started \(Exec format error\)$"),
        ("echo Welcome to node17", "printed 'Welcome to node17 .*', which is not a message"),
        ("sh -c yes", "printed 'y.*, which is not a message"),
    ],
)
def test_a_command_that_starts_no_worker_is_one_line(tmp_path, prefix, line):
    (tmp_path / "empty").touch(mode=0o755)
    engine = Pool(command_places(1, prefix.format(tmp=tmp_path)))
    for _ in range(2):
        with pytest.raises(AutoGANError, match=line):
            engine.call(Open(config={}), Opened)
    engine.close()


def test_what_a_login_prints_is_skipped_and_reported(tmp_path, monkeypatch):
    script = tmp_path / "ssh-like"
    script.write_text('#!/bin/sh\necho\necho Welcome to node17\necho "{}"\nexec "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr("autogan.pool.places.WORKER", FAKE_WORKER)
    notes = []

    class Noting(Display):
        def note(self, text):
            notes.append(text)

    engine = Pool(command_places(1, str(script)))
    result = autogan.run_search(config(), engine=engine, display=Noting())
    assert [t.state for t in result.trials] == [State.COMPLETE] * 2
    assert "the worker printed 'Welcome to node17' before its first message; make the login " \
        "print nothing" in notes  # fmt: skip


def test_a_worker_that_says_what_is_no_message_is_named(tmp_path):
    file = tmp_path / "odd.py"
    file.write_text(
        "from autogan.pool.messages import Note, encode\n"
        "print(encode(Note(text='one')), flush=True)\n"
        'print(\'{"message": "Opened"}\', flush=True)\n'
        "import time; time.sleep(60)\n"
    )
    engine = pool_of(1, (sys.executable, str(file)))
    with pytest.raises(WorkerFailed, match=r"printed '.\"message.*Opened.*, which is not a mess"):
        engine.call(Open(config={}), Opened)
    engine.close()


def test_a_processor_that_tensorflow_is_not_built_for(tmp_path):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    engine = pool_of(1, worker_with(tmp_path, code))
    with pytest.raises(WorkerFailed, match="killed by SIGILL .*need a CPU with AVX"):
        engine.call(Open(config={}), Opened)


@pytest.mark.parametrize("behaviour", [HANG, CHATTER])
def test_a_worker_that_does_not_end_its_trial_in_time_is_ended(behaviour):
    """Ten minutes pass with each look while the first trial runs, whether it talks or not."""
    now, pace = [0.0], [0.0]

    class Wait(Display):
        def trial_ended(self, trial, best):
            pace[0] = 0.0

        def trial_started(self, trial, position, trials):
            if trial.number == 0:
                pace[0] = 600.0

    def clock():
        now[0] += pace[0]
        return now[0]

    engine = pool_of(1, clock=clock)
    result = autogan.run_search(
        config(params={"z_dim": [behaviour, 62]}, max_trial_minutes=30),
        engine=engine,
        display=Wait(),
    )
    engine.close()
    assert [t.state for t in result.trials] == [State.FAILED, State.COMPLETE]
    assert result.trials[0].reason == (
        "the worker did not end the trial, long after max_trial_minutes"
    )


def test_an_exception_keeps_the_worker(engine):
    result = autogan.run_search(config(params={"z_dim": [RAISE, 62]}), engine=engine)
    assert [t.state for t in result.trials] == [State.FAILED, State.COMPLETE]
    assert result.trials[0].reason == "RuntimeError: no luck today"


def test_a_refusal_is_the_users_error(engine):
    with pytest.raises(ConfigError, match="^d_iter: "):
        engine.call(Open(config={"params": {"d_iter": [1, 2]}}), Opened)


def test_a_worker_ends_when_its_driver_is_killed(tmp_path):
    """The driver has begun a trial that never ends, and is killed with SIGKILL."""
    code = f"""
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from fakes import HANG, pool_of
from autogan.pool.messages import Train
from autogan.search import Trial
engine = pool_of(1)
config = {{"params": {{"z_dim": HANG}}}}
call = Train(config=config, folder="hang", run="hang", name="hang", trial=Trial(0, {{}}))
engine.start(0, None, call)
print(engine._workers[0].channel.process.pid, flush=True)
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


def test_workers_behind_a_command(tmp_path, monkeypatch):
    """A stand-in for srun: it takes flags of its own, and becomes the worker."""
    script = tmp_path / "srun"
    script.write_text(f'#!/bin/sh\necho $$ >> {tmp_path}/started\nshift\nexec "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr("autogan.pool.places.WORKER", FAKE_WORKER)
    more = {"workers": 2, "worker_command": f"{script} -n1", "run_dir": "runs/b"}
    result = autogan.run_search(config(**more))
    engine = pool_of(1)
    alone = autogan.run_search(config(), engine=engine)
    engine.close()
    assert [t.evaluations for t in result.trials] == [t.evaluations for t in alone.trials]
    assert len((tmp_path / "started").read_text().split()) == 2


def test_ctrl_c_saves_and_can_be_resumed(engine, tmp_path):
    """Ctrl-C during the first trial: it stays unfinished, and resuming gives the same result."""
    pressed = []

    class Press(Display):
        def evaluated(self, trial):
            if not pressed:
                pressed.append(os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(Interrupted, match="--resume runs/a"):
        autogan.run_search(config(), engine=engine, display=Press())
    resumed = autogan.run_search(resume="runs/a", engine=pool_of(1))
    whole = autogan.run_search(config(run_dir="runs/b"), engine=pool_of(1))
    assert [t.value for t in resumed.trials] == [t.value for t in whole.trials]
    assert [t.evaluations for t in resumed.trials] == [t.evaluations for t in whole.trials]


def test_a_second_ctrl_c_ends_at_once(engine):
    before = signal.getsignal(signal.SIGINT)
    with StopSignals(engine, Display(), "go on later") as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.pressed
        with pytest.raises(Interrupted, match="stopped at once; go on later"):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_of_a_scheduler_ends_at_once(engine, number, monkeypatch):
    now = [5.0]
    monkeypatch.setattr("autogan.run.interruption.time.monotonic", lambda: now[0])
    with StopSignals(engine, Display(), "go on later") as stop:
        signal.raise_signal(number)
        now[0] += 0.9
        signal.raise_signal(number)  # still the same wish
        assert stop.pressed
        now[0] += 0.2
        with pytest.raises(Interrupted, match="stopped at once; go on later"):
            signal.raise_signal(number)


def test_the_first_signal_ends_the_judging(tmp_path, engine):
    """All trials are saved by then: nothing is waited for, and a resumed search judges."""
    whole = autogan.run_search(config(run_dir="runs/b"), engine=pool_of(1))

    class Press(Display):
        def note(self, text):
            if text.startswith("judging"):
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="^stopped; resume with: .*--resume runs/a"):
        autogan.run_search(config(), engine=engine, display=Press())
    assert "judged" not in (tmp_path / "runs/a/trials.jsonl").read_text()
    resumed = autogan.run_search(resume="runs/a", engine=pool_of(1))
    assert resumed.judged.scores == whole.judged.scores


def test_a_worker_that_hangs_ends_no_later_than_its_time_to_save(tmp_path):
    """Deaf to the wish to stop: it is ended, and its trial stays unfinished in the record."""
    now, notes = [0.0], []

    class Press(Display):
        def progress(self, number, step, steps, losses):
            now[0] += 25.0
            if now[0] == 25.0:
                os.kill(os.getpid(), signal.SIGTERM)

        def note(self, text):
            notes.append(text)

    engine = pool_of(1, clock=lambda: now[0])
    with pytest.raises(Interrupted, match="^stopped; resume with"):
        autogan.run_search(config(params={"z_dim": [CHATTER, 62]}), engine=engine, display=Press())
    engine.close()
    assert notes[-2:] == [
        "saving and stopping; Ctrl-C again stops at once",
        "trial 0 did not save in time: worker 1 was killed; the trial resumes from its last "
        "checkpoint",
    ]
    assert [t.state for t in autogan.load("runs/a").trials] == [State.RUNNING]


@pytest.mark.parametrize(
    "said", [b'{"message": "Ans', b"\xff\xfe\n", b"[1]\n", b'{"message": "Answer"}\n', b"7\n"]
)
def test_a_worker_ends_with_its_pipe_whatever_the_last_line_holds(said):
    worker = subprocess.Popen(
        FAKE_WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    worker.communicate(said, timeout=60)
    assert worker.returncode == 0


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("it broke\nand more", "ValueError: it broke"),
        ("Graph execution error:\n\nout of memory\n\t [[{{node a/b}}]]\nHint: x", "out of memory"),
        ("", "ValueError"),
        ("x" * 1000, "x" * 288),
        ('in user code:\n\n    File "a.py", line 3\n\n    ValueError: no x', "ValueError: no x"),
        (
            "Exception encountered when calling L.call().\n\n\x1b[1mit: \n\nno x\x1b[0m\n\nGiven",
            "no x",
        ),
    ],
)
def test_errors_of_others_are_told_in_one_line(said, line):
    told = one_line(ValueError(said))
    assert told == (line if line.startswith("ValueError") else f"ValueError: {line}")


class TestLocks:
    """A run's folder is its command's and its workers'."""

    def test_a_command_waits_for_the_workers_of_a_killed_one(self, tmp_path, monkeypatch):
        """Its own lock is gone with it; a worker may write on for a moment."""
        monkeypatch.setattr("autogan.record.claim._PATIENCE", 0.2)
        killed = Claim(tmp_path / "a")
        killed.begin()
        worker = share(tmp_path / "a", killed.token)
        killed.release()
        with pytest.raises(ConfigError, match="in use by another autogan command"):
            Claim(tmp_path / "a")
        os.close(worker)
        Claim(tmp_path / "a").release()

    def test_a_worker_that_sees_another_folder_is_refused(self, tmp_path):
        claim = Claim(tmp_path / "a")
        (tmp_path / "b").mkdir()
        for root, token in ((tmp_path / "a", "another"), (tmp_path / "b", claim.token)):
            with pytest.raises(ConfigError, match="is a different folder on .*; give one that all"):
                share(root, token)
        os.close(share(tmp_path / "a", claim.token))
        claim.release()

    def test_a_forked_child_keeps_no_lock(self, tmp_path):
        """A pool of the user's own program, say, that lives on after the search."""
        claim = Claim(tmp_path / "a")
        claim.begin()
        (read, write), child = os.pipe(), os.fork()
        if not child:
            os.close(write)
            os.read(read, 1)  # until the parent is done
            os._exit(0)
        os.close(read)
        claim.release()
        Claim(tmp_path / "a").release()
        os.close(write)
        os.waitpid(child, 0)

    def test_a_forked_child_gives_up_nothing_of_its_parents(self, tmp_path):
        claim = Claim(tmp_path / "a")
        claim.begin()
        child = os.fork()
        if not child:
            claim.release()
            os._exit(0)
        os.waitpid(child, 0)
        with pytest.raises(ConfigError, match="in use by another autogan command"):
            Claim(tmp_path / "a")
        claim.release()

    def test_a_folder_that_another_command_has_claimed_is_no_longer_held(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("fcntl.flock", lambda *arguments: None)
        first = Claim(tmp_path / "a")
        first.begin()
        assert first.held()
        second = Claim(tmp_path / "a")
        assert (first.held(), second.held()) == (False, True)
        second.release()
        first.release()

    def test_several_workers_share_it(self, tmp_path):
        claim = Claim(tmp_path / "a")
        for descriptor in [share(tmp_path / "a", claim.token) for _ in range(3)]:
            os.close(descriptor)
        claim.release()


def test_ctrl_c_reaches_all_workers(tmp_path):
    """Both trials save, and go on to the same values."""
    pressed = []

    class Press(Display):
        def evaluated(self, trial):
            if not pressed and trial.number == 1:
                pressed.append(os.kill(os.getpid(), signal.SIGINT))

    several = config(params={"learning_rate": [1e-4, 3e-4, 1e-3, 3e-3]})
    pool = pool_of(2)
    with pytest.raises(Interrupted, match="--resume runs/a"):
        autogan.run_search(several, engine=pool, display=Press())
    pool.close()
    pool = pool_of(3)
    resumed = autogan.run_search(resume="runs/a", engine=pool)
    whole = autogan.run_search({**several, "run_dir": "runs/b"}, engine=pool)
    pool.close()
    assert [t.evaluations for t in resumed.trials] == [t.evaluations for t in whole.trials]
    assert autogan.check("runs/a").difference == ""
