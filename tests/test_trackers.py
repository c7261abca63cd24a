"""Trackers: all that the record tells is logged, once, and a tracker that fails changes nothing."""

import contextvars
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from fakes import DIVERGE, RAISE, FakeEngine

import autogan
from autogan.cli.main import main
from autogan.config import SearchConfig, TrainConfig, load_config, own_flags
from autogan.core.errors import ConfigError, Interrupted, SearchFailed
from autogan.show import tracking
from autogan.show.display import Display
from autogan.trackers import MLflow, Trackio, WandB
from autogan.trackers.feed import Entry, Feed

LINES = """
import json, os, threading
from autogan.trackers import Tracker


class Lines(Tracker):
    name, summary = "lines", "calls as lines of JSON"

    def __init__(self, group):
        super().__init__(group)
        self.fails = os.environ.get("FAILS", "")
        self.say("begins", group)

    @property
    def place(self):
        return os.environ.get("PLACE", "")

    def say(self, what, *values):
        if what == self.fails:
            raise SystemExit("no luck\\nat all")
        if what == self.fails.removesuffix("s forever"):
            threading.Event().wait()
        print("chatter")
        with open("calls.jsonl", "a") as file:
            file.write(json.dumps([what, *values]) + "\\n")

    def begin(self, run, known):
        name = known or run.name.replace(" ", "-")
        self.say("begin", name, run.kind, run.parent, known is not None, dict(run.config))
        return name

    def log(self, run, step, values):
        self.say("log", run, step, dict(values))

    def end(self, run, ending, step, summary):
        self.say("end", run, ending, step, dict(summary))
"""
SEARCH = {
    "dataset": "digits",
    "params": {"learning_rate": [1e-4, 3e-4, 1e-3], "d_iter": [1, 2]},
    "search_method": "random",
    "stopping": "median",
    "also": ["is"],
    "trials": 4,
    "run_dir": "runs/a",
}
LOGGED = {**SEARCH, "log_to": "lines_module:Lines"}


@pytest.fixture(autouse=True)
def _own_tracker(tmp_path, monkeypatch):
    (tmp_path / "lines_module.py").write_text(LINES)
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("lines_module", None)


class Notes(Display):
    """Keeps the notes; presses Ctrl-C's equivalent at an evaluation, if that is asked for."""

    def __init__(self, stop_at=None):
        self.notes, self.evaluations, self.stop_at = [], 0, stop_at

    def note(self, text):
        self.notes.append(text)

    def evaluated(self, trial):
        self.evaluations += 1
        if self.evaluations == self.stop_at:
            raise Interrupted("stopped at once")


def search(config=None, display=None, **options):
    return autogan.run_search(config or LOGGED, engine=FakeEngine(), display=display, **options)


def calls(what=None):
    read = [json.loads(line) for line in Path("calls.jsonl").read_text().splitlines()]
    return read if what is None else [call[1:] for call in read if call[0] == what]


def recorded(root="runs/a"):
    """Step and scores of all evaluations by the trial's number, as the file of the record says."""
    found = {}
    for line in Path(root, "trials.jsonl").read_text().splitlines():
        fields = json.loads(line)
        if fields["record"] == "evaluation":
            scores = {name.split("_")[0]: score for name, score in fields["scores"].items()}
            found.setdefault(fields["trial"], []).append([fields["step"], scores])
    return found


def logged():
    """The same, as it was logged."""
    found = {}
    for run, step, values in calls("log"):
        found.setdefault(int(run.rpartition("-")[2]), []).append([step, values])
    return found


def test_all_that_the_record_tells_is_logged_once():
    result = search()
    assert logged() == recorded()
    group = calls("begins")[0][0]
    assert group.startswith("a-")
    begun = calls("begin")
    assert [b[:4] for b in begun] == [
        [group, "search", None, False],
        *([f"{group}-trial-{n}", "trial", group, False] for n in range(4)),
    ]
    for trial, (*_, config) in zip(result.trials, begun[1:], strict=True):
        assert trial.params.items() <= config.items()
        assert (config["trial"], config["seed"]) == (trial.number, trial.seed)
        assert config["width"] == 64  # one that is not searched
    assert begun[0][4]["dataset"] == "digits"
    ends = {run: rest for run, *rest in calls("end")}
    for trial in result.trials:
        ending, step, summary = ends[f"{group}-trial-{trial.number}"]
        assert (ending, step, summary["state"]) == ("finished", trial.steps, trial.state.value)
        assert (summary["best_fid"], summary["best_step"]) == (trial.value, trial.step)
    ending, trials, winner = ends[group]
    best = result.best
    assert (ending, trials, winner["best_trial"]) == ("finished", 4, best.number)
    assert winner["best_learning_rate"] == best.params["learning_rate"]
    assert (winner["best_fid"], winner["best_step"]) == (best.value, best.step)


def test_a_trial_that_dies_has_failed():
    search({**LOGGED, "params": {"z_dim": [DIVERGE], "d_iter": [1, 2]}, "trials": 1,
            "first": "none", "stopping": "none"})  # fmt: skip
    (_, ending, _, summary), (_, whole, _, winner) = calls("end")
    assert (ending, summary["state"], whole, winner) == ("failed", "diverged", "finished", {})
    assert summary["reason"]


def test_going_on_logs_nothing_twice():
    search()
    before = len(calls())
    search({"trials": 4, "log_to": "lines_module:Lines"}, resume="runs/a")
    assert [call[0] for call in calls()[before:]] == ["begins"]
    search({"trials": 6, "log_to": "lines_module:Lines"}, resume="runs/a")
    assert logged() == recorded()
    assert sorted(logged()) == [*range(6)]
    group = calls("begins")[0][0]
    assert calls("begins") == [[group]] * 3
    again = [b[:2] for b in calls("begin") if b[3]]
    assert again in ([], [[group, "search"]])  # as the winner stays, or is another one now
    steps = [trials for run, _, trials, _ in calls("end") if run == group]
    assert steps in ([4], [4, 6])


@pytest.mark.parametrize("stop_at", [1, 2, 5])
def test_a_search_that_was_stopped_goes_on_in_the_same_runs(stop_at):
    with pytest.raises(Interrupted):
        search(display=Notes(stop_at))
    endings = [ending for _, ending, *_ in calls("end")]
    assert endings.count("interrupted") == 2  # the search, and its running trial
    search({"log_to": "lines_module:Lines"}, resume="runs/a")
    assert logged() == recorded()
    names = [name for name, *_, known, _ in calls("begin") if not known]
    assert len(names) == len(set(names)) == 5


def test_a_tracker_that_comes_later_is_given_all():
    search(SEARCH)
    search({"log_to": "lines_module:Lines"}, resume="runs/a")
    assert logged() == recorded()
    assert [ending for _, ending, *_ in calls("end")] == ["finished"] * 5


def test_a_new_search_in_the_folder_has_new_runs():
    search()
    search(overwrite=True)
    one, other = (group for (group,) in calls("begins"))
    assert one != other
    assert len(calls("begin")) == 10


def test_a_trial_that_replaces_one_of_a_cut_record_has_a_run_of_its_own(tmp_path):
    entry = Entry("trial 0: rate=1 5", "trial 0", "trial", {"rate": 1}, [(1, {"fid": 2.0})])
    for key in ("trial 0: rate=1 5", "trial 0: rate=2 5"):
        sys.path.append(str(tmp_path))
        feed = Feed("lines_module:Lines", tmp_path)
        feed.put(Entry(key, *list(vars(entry).values())[1:]))
        feed.end()
        assert feed.wait(20)
        assert not feed.fault
    assert [known for *_, known, _ in calls("begin")] == [False, False]


@pytest.mark.parametrize("place", ["the project x", ""])
def test_the_end_says_where_it_was_logged(place, monkeypatch):
    monkeypatch.setenv("PLACE", place)
    notes = Notes()
    search(display=notes)
    training = {"dataset": "digits", "run_dir": "runs/t", "log_to": "lines_module:Lines"}
    autogan.train(training, engine=FakeEngine(), display=notes)
    said = [note for note in notes.notes if note.startswith("lines_module:Lines: ")]
    wanted = [f"lines_module:Lines: logged {n} to {place}" for n in ("4 trials", "the training")]
    assert said == (wanted if place else [])


@pytest.mark.parametrize(
    ("kind", "variable", "place"),
    [(MLflow, "MLFLOW_EXPERIMENT_NAME", "the experiment"), (WandB, "WANDB_PROJECT", "the project"),
     (Trackio, "TRACKIO_PROJECT", "the project")],
)  # fmt: skip
def test_a_tracker_knows_its_place(kind, variable, place, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", FakeWandB("online", True))
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(MlflowClient=FakeMLflow))
    monkeypatch.delenv(variable, raising=False)
    assert kind("a").place == f"{place} autogan"
    monkeypatch.setenv(variable, "ours")
    assert kind("a").place == f"{place} ours"


def untimed(root):
    """The record without times."""
    lines = [json.loads(line) for line in Path(root, "trials.jsonl").read_text().splitlines()]
    left = ("at", "chain", "seconds")
    return [{k: v for k, v in line.items() if k not in left} for line in lines]


@pytest.mark.parametrize("fails", ["begins", "begin", "log", "end", "logs forever"])
def test_a_tracker_that_fails_changes_nothing(fails, monkeypatch):
    monkeypatch.setenv("FAILS", fails)
    monkeypatch.setattr(tracking, "_GLANCE", 0.1)
    monkeypatch.setattr(tracking, "_PATIENCE", 0.1)
    with_it, without = Notes(), Notes()
    search(display=with_it)
    search({**SEARCH, "run_dir": "runs/b"}, without)
    more = [note for note in with_it.notes if note not in without.notes]
    assert more[-1].startswith("nothing more is logged to lines_module:Lines: ")
    assert len(more) == (2 if "forever" in fails else 1)
    assert ("SystemExit: no luck" in more[-1]) == ("forever" not in fails)
    texts = [json.dumps(untimed(root)).replace(root, "") for root in ("runs/a", "runs/b")]
    assert texts[0] == texts[1]
    if "forever" in fails:
        return
    monkeypatch.delenv("FAILS")  # what it was not given, it is given the next time
    search({"log_to": "lines_module:Lines"}, resume="runs/a")
    assert logged() == recorded()


def test_a_damaged_logbook_leaves_the_tracker_out():
    search()
    book = Path("runs/a/trackers/lines_module.Lines.jsonl")
    for text in ('{"group":"a","key":"search","run":"../b"}\n', "{}\n", "x\n", "\xff\n"):
        book.write_bytes(text.encode("latin-1"))
        display = Notes()
        search({"log_to": "lines_module:Lines"}, display, resume="runs/a")
        assert [note for note in display.notes if f"{book} is damaged" in note]


def test_a_folder_that_is_gone_is_not_made_again(tmp_path):
    sys.path.append(str(tmp_path))
    feed = Feed("lines_module:Lines", tmp_path / "gone")
    feed.put(Entry("search", "", "search", {}))
    feed.end()
    assert feed.wait(20)
    assert feed.fault == f"{tmp_path}/gone is gone"
    assert not (tmp_path / "gone").exists()


def test_no_file_keeps_it_and_it_may_change():
    search()
    names = ("search.yaml", "best.yaml", "best/config.yaml")
    for path in (Path("runs/a", name) for name in names):
        if path.exists():
            assert "log_to" not in yaml.safe_load(path.read_text())
    flags = {"log_to": "lines_module:Lines"}
    config = load_config(SearchConfig, Path("runs/a/search.yaml"), flags)
    assert own_flags(config, "search") == ["--log-to", "lines_module:Lines"]
    search({"trials": 5}, resume="runs/a")
    assert len(autogan.load("runs/a").trials) == 5


def test_what_trackers_print_is_no_result(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["search", "--param", "d_iter=1,2", "--trials", "2", "--search-method", "random",
              "--log-to", "lines_module:Lines", "--json", "--run-dir", "runs/a"])  # fmt: skip
    assert exit_.value.code == 0
    assert len(json.loads(capsys.readouterr().out)["trials"]) == 2
    assert len(calls("log")) == 6


def test_a_training_is_one_run():
    values = {"dataset": "digits", "run_dir": "runs/t", "log_to": "lines_module:Lines"}
    result = autogan.train(values, engine=FakeEngine())
    ((name, kind, parent, known, config),) = calls("begin")
    assert (kind, parent, known, config["dataset"]) == ("training", None, False, "digits")
    assert [[step, v["fid"]] for _, step, v in calls("log")] == [
        [e.step, *e.scores.values()] for e in result.trial.evaluations
    ]
    ((ended, ending, _, summary),) = calls("end")
    assert (ended, ending, summary["state"]) == (name, "finished", "complete")
    result.folder.keep_config(result.config)
    autogan.train(values, resume=True, engine=FakeEngine())  # its worker tells all again
    assert len(calls("log")) == 3
    assert [known for *_, known, _ in calls("begin")] == [False, True]
    assert [ending for _, ending, *_ in calls("end")] == ["finished"] * 2


def test_a_training_that_fails_has_failed():
    values = {"dataset": "digits", "run_dir": "runs/t", "params": {"z_dim": RAISE}}
    with pytest.raises(SearchFailed):
        autogan.train({**values, "log_to": "lines_module:Lines"}, engine=FakeEngine())
    ((_, ending, _, summary),) = calls("end")
    assert (ending, summary["state"]) == ("failed", "failed")
    assert "no luck today" in summary["reason"]


@pytest.mark.parametrize(
    ("given", "said"),
    [("mlfow", r"'mlfow' is not known; did you mean 'mlflow'\?"),
     ("lines_module:Lines,lines_module:Lines", "'lines_module:Lines' is named twice"),
     ("lines_module:Nothing", "'lines_module:Nothing' cannot be imported"),
     ("trackio", "trackio is not installed; install it: .*pip install trackio")],
)  # fmt: skip
def test_what_cannot_be_logged_to_is_refused(given, said, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for kind in (SearchConfig, TrainConfig):
        with pytest.raises(ConfigError, match=f"^log_to: {said}"):
            kind(log_to=given)
    assert not Path("runs").exists()


def test_their_libraries_are_not_imported_to_begin_with():
    code = (
        "import sys, autogan.cli.main;"
        "print([m for m in ('mlflow', 'wandb', 'trackio') if m in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout == "[]\n"


EVALUATIONS = [(10, {"fid": 3.0, "is": 1.5}), (20, {"fid": 2.0, "is": 2.5})]
OVER = {"state": "stopped early", "best_fid": 2.0, "best_step": 20}


def feed_all(name, root):
    """A trial in two commands, of which the first is stopped; then the search's end."""
    config = {"learning_rate": 0.01, "loss": "hinge"}
    whole = Entry("search", "", "search", {"dataset": "digits"})
    trial = Entry("trial 0", "trial 0", "trial", config, EVALUATIONS[:1])
    more = Entry("trial 0", "trial 0", "trial", config, EVALUATIONS, "finished", 20, OVER)
    won = Entry("search", "", "search", {"dataset": "digits"}, (), "finished", 1, {"best_fid": 2.0})
    for entries in ([whole, trial], [whole, trial, more, won], [whole, more, won]):
        feed = Feed(name, root)
        for entry in entries:
            feed.put(entry)
        feed.end()
        assert feed.wait(100)
        assert feed.fault == ""


@pytest.mark.filterwarnings("ignore")  # of a library below it
def test_mlflow(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/m.db")
    feed_all("mlflow", tmp_path)
    client = mlflow.MlflowClient()
    number = client.get_experiment_by_name("autogan").experiment_id
    trial, whole = client.search_runs([number])  # the last one first
    assert trial.data.tags["mlflow.parentRunId"] == whole.info.run_id
    assert trial.data.tags["state"] == "stopped early"
    assert trial.data.params == {"learning_rate": "0.01", "loss": "hinge"}
    assert [run.info.status for run in (trial, whole)] == ["FINISHED"] * 2
    history = client.get_metric_history(trial.info.run_id, "fid")
    assert [(m.step, m.value) for m in history] == [(10, 3.0), (20, 2.0)]
    assert whole.data.metrics == {"best_fid": 2.0}


def in_a_process(tmp_path, code, **environment):
    """Run code after `feed_all`; return the last line that it prints, which is JSON.

    In a process of its own: these packages read the environment when they are imported, and leave
    threads.
    """
    feed = (
        "import sys, json; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "import test_trackers\n"
        "test_trackers.feed_all(sys.argv[2], Path.cwd())\n"
    )
    made = subprocess.run(
        [sys.executable, "-c", feed + code, Path(__file__).parent, environment.pop("name")],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **environment},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout.splitlines()[-1])


def test_trackio(tmp_path):
    pytest.importorskip("trackio", reason="the extra trackio is not installed")
    code = (
        "import trackio; from trackio.sqlite_storage import SQLiteStorage\n"
        "print(json.dumps({run.name: SQLiteStorage.get_logs('autogan', run.name)"
        " for run in trackio.Api().runs('autogan')}))"
    )
    runs = in_a_process(tmp_path, code, name="trackio", TRACKIO_DIR=str(tmp_path / "store"))
    whole, trial = sorted(runs, key=len)
    assert trial == f"{whole}-trial-0"
    assert [(e["step"], e.get("fid")) for e in runs[trial]] == [(10, 3.0), (20, 2.0), (20, None)]
    assert OVER.items() <= runs[trial][-1].items()
    assert [e["best_fid"] for e in runs[whole]] == [2.0]


class FakeTrackio(SimpleNamespace):
    """The calls of Trackio that are used, where the package is not installed.

    A second run in one context ends the first, as the real one does.
    """

    def __init__(self):
        super().__init__(runs={}, open=contextvars.ContextVar("open", default=None))

    def init(self, *, name, resume, **values):
        assert resume == "allow"
        assert self.open.get() is None
        self.open.set(name)
        run = self.runs.setdefault(name, SimpleNamespace(history=[], ends=0))
        run.values = values
        run.log = lambda values, step: run.history.append((step, values))
        run.finish = lambda: setattr(run, "ends", run.ends + 1)
        return run


def test_trackio_by_a_fake(tmp_path, monkeypatch):
    fake = FakeTrackio()
    monkeypatch.setitem(sys.modules, "trackio", fake)
    feed_all("trackio", tmp_path)
    (_, whole), (name, trial) = fake.runs.items()
    assert name.endswith("trial-0")
    assert trial.history == [*EVALUATIONS, (20, OVER)]
    assert whole.history == [(1, {"best_fid": 2.0})]
    assert trial.ends == 2  # once for each command that held it open
    assert trial.values["group"] == whole.values["group"]


def test_wandb(tmp_path):
    """Its files, a LevelDB log of protocol buffers, as its command ``sync`` sends them."""
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    code = """
import struct
from wandb.proto.wandb_internal_pb2 import Record

def records(data, place=7, record=b""):
    while place < len(data):
        if (rest := 32768 - place % 32768) < 7:
            place += rest
            continue
        size, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        record += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):
            yield Record.FromString(record)
            record = b""

def plain(items):
    return {i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in items}

runs = []
for path in sorted(Path("wandb").glob("offline-run-*/*.wandb"), key=lambda p: p.stat().st_mtime):
    said = [*records(path.read_bytes())]
    run = next(r.run for r in said if r.HasField("run"))
    runs.append({
        "id": run.run_id, "name": run.display_name, "group": run.run_group, "kind": run.job_type,
        "config": plain(run.config.update),
        "history": [plain(r.history.item) for r in said if r.HasField("history")],
        "summary": {k: v for r in said if r.HasField("summary")
                    for k, v in plain(r.summary.update).items()},
        "exit": [r.exit.exit_code for r in said if r.HasField("exit")],
    })
print(json.dumps(runs))
"""
    runs = in_a_process(tmp_path, code, name="wandb", WANDB_MODE="offline")
    first, then = (run for run in runs if run["kind"] == "trial")
    assert first["id"] == then["id"]
    assert first["name"] == f"{first['group']} trial 0"
    assert first["config"]["learning_rate"] == 0.01
    history = [(e["_step"], e["fid"], e["is"]) for r in (first, then) for e in r["history"]]
    assert history == [(10, 3.0, 1.5), (20, 2.0, 2.5)]
    assert OVER.items() <= then["summary"].items()
    assert (first["exit"], then["exit"]) == ([1], [0])
    whole = [run for run in runs if run["kind"] == "search"]
    assert len({run["id"] for run in whole}) == 1
    assert whole[-1]["summary"]["best_fid"] == 2.0


class FakeWandB(SimpleNamespace):
    """The calls of Weights & Biases that are used, where the package is not installed."""

    def __init__(self, mode, knows_key):
        super().__init__(runs={}, taken=[], mode=mode, knows_key=knows_key)

    def Settings(self, **values):
        return SimpleNamespace(**values)

    def setup(self, settings):
        assert settings.console == "off"
        return SimpleNamespace(settings=SimpleNamespace(mode=self.mode))

    def login(self, *, prompt):
        assert prompt is False
        return self.knows_key

    def init(self, *, id, settings, reinit, resume, **values):
        assert all(
            settings is not each for each in self.taken
        )  # the real one writes the run's id into it
        assert reinit == "create_new"
        assert (id is None) == (resume is None)
        self.taken.append(settings)
        run = self.runs.setdefault(
            id or f"r{len(self.runs)}", SimpleNamespace(history=[], summary={}, codes=[])
        )
        run.id = next(name for name, each in self.runs.items() if each is run)
        run.values = values
        run.log = lambda values, step, commit: run.history.append((step, values["fid"]))
        run.finish = lambda exit_code: run.codes.append(exit_code)
        return run


def test_wandb_by_a_fake(tmp_path, monkeypatch):
    fake = FakeWandB("online", True)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    feed_all("wandb", tmp_path)
    whole, trial = fake.runs.values()
    assert (trial.history, trial.summary, trial.codes) == ([(10, 3.0), (20, 2.0)], OVER, [1, 0])
    assert (whole.summary, whole.codes) == ({"best_fid": 2.0}, [1, 0])
    assert trial.values["group"] == whole.values["name"]


@pytest.mark.parametrize(("mode", "fault"), [("online", "wandb login"), ("offline", "")])
def test_wandb_asks_nobody_for_a_key(mode, fault, tmp_path, monkeypatch):
    """A question in the terminal would stop the search."""
    monkeypatch.setitem(sys.modules, "wandb", FakeWandB(mode, False))
    feed = Feed("wandb", tmp_path)
    feed.end()
    assert feed.wait(20)
    assert fault in feed.fault
    assert bool(fault) == bool(feed.fault)


class FakeMLflow:
    """The calls of MLflow's client that are used, where the package is not installed."""

    def __init__(self):
        self.runs, self.experiments = {}, {}

    def get_experiment_by_name(self, name):
        return self.experiments.get(name)

    def create_experiment(self, name):
        self.experiments[name] = SimpleNamespace(experiment_id="7")
        return "7"

    def create_run(self, experiment, *, tags, run_name):
        assert experiment == "7"
        number = f"r{len(self.runs)}"
        self.runs[number] = SimpleNamespace(
            name=run_name, tags=tags, params={}, metrics=[], status="RUNNING",
            info=SimpleNamespace(run_id=number),
        )  # fmt: skip
        return self.runs[number]

    def update_run(self, run, *, status):
        self.runs[run].status = status

    def log_batch(self, run, metrics=(), params=()):
        assert 0 < len(metrics) + len(params) <= 100
        self.runs[run].metrics += [(name, value, step) for name, value, _, step in metrics]
        self.runs[run].params.update(params)

    def set_tag(self, run, name, value):
        self.runs[run].tags[name] = value

    def set_terminated(self, run, status):
        self.runs[run].status = status


def test_mlflow_by_a_fake(tmp_path, monkeypatch):
    client = FakeMLflow()
    entities = SimpleNamespace(Metric=lambda *values: values, Param=lambda *values: values)
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(MlflowClient=lambda: client))
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)
    feed_all("mlflow", tmp_path)
    whole, trial = client.runs.values()
    assert trial.tags == {"mlflow.parentRunId": "r0", "state": "stopped early"}
    assert trial.params == {"learning_rate": "0.01", "loss": "hinge"}
    assert [m for m in trial.metrics if m[0] == "fid"] == [("fid", 3.0, 10), ("fid", 2.0, 20)]
    assert ("best_step", 20.0, 20) in trial.metrics
    assert len(trial.metrics) == 6
    assert whole.metrics == [("best_fid", 2.0, 1)]
    assert [run.status for run in (whole, trial)] == ["FINISHED"] * 2
