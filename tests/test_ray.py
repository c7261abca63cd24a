"""Workers on a Ray cluster: a small one in this machine, of nodes that can be lost."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

import pytest
from fakes import FAKE_WORKER, told

import autogan
from autogan.config import SearchConfig
from autogan.core.errors import ConfigError
from autogan.pool.messages import Open, Opened
from autogan.pool.places import Death
from autogan.pool.pool import Pool, WorkerFailed
from autogan.pool.ray import RayPlace, Relay, ray_places
from autogan.search import State
from autogan.show.display import Display

pytestmark = pytest.mark.slow

SEARCH = {
    "params": {"learning_rate": "1e-4..1e-3:log", "d_iter": [1, 2, 3]},
    "search_method": "random",
    "trials": 6,
    "run_dir": "runs/a",
    "device": "cpu",
    "threads": 1,
}


def test_without_ray_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match="engine: ray is not installed; .* 'ray>=2.49'"):
        autogan.run_search({**SEARCH, "engine": "ray"})


def test_a_cluster_of_its_own_listens_to_this_machine_alone(monkeypatch):
    """Ray runs code for whoever can connect."""
    given = {}
    fake = types.SimpleNamespace(
        is_initialized=lambda: False,
        init=lambda address, **more: given.update(more, address=address),
        cluster_resources=dict,
    )
    monkeypatch.setitem(sys.modules, "ray", fake)
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "1")
    run = SearchConfig(**SEARCH, engine="ray", ray_address="local").resolved()
    ray_places(run)
    assert given["address"] == "local"
    assert given["include_dashboard"] is False
    assert os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"  # read when Ray is imported
    monkeypatch.delenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER")
    ray_places(run.model_copy(update={"ray_address": "there:6379"}))
    assert given["address"] == "there:6379"
    assert "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER" not in os.environ


class TestRelay:
    """What runs in Ray's actor, without Ray."""

    def test_it_hands_lines_on(self):
        relay = Relay(False, 1, FAKE_WORKER)
        from autogan.pool.messages import decode, encode

        relay.write(encode(Open(config={})))
        lines = relay.read()
        while not lines:
            lines = relay.read()
        assert decode(lines[0]).images == 640
        relay._worker.process.kill()
        while None not in lines:
            lines += relay.read()
        assert relay.death() == Death(
            "the worker process was killed by SIGKILL (out of memory?)\n", killed=True
        )
        relay._worker.kill()

    def test_it_hides_gpus_that_ray_gave_to_nobody(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        code = "import os, sys; print(os.environ['CUDA_VISIBLE_DEVICES'] == '', file=sys.stderr)"
        relay = Relay(False, 1, (sys.executable, "-c", code))
        while None not in relay.read():
            pass
        assert relay.death().report.splitlines()[1] == "True"
        assert "OMP_NUM_THREADS" not in os.environ
        relay._worker.kill()


@pytest.fixture(scope="module")
def cluster():
    """A head without room for workers, and two nodes with room for one each."""
    ray = pytest.importorskip("ray", reason="the extra ray is not installed")
    from ray.cluster_utils import Cluster

    with (
        tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as home,
        pytest.MonkeyPatch.context() as p,
    ):
        p.setenv("HOME", home)
        p.setenv("RAY_USAGE_STATS_ENABLED", "0")
        p.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
        made = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0, "include_dashboard": False, "object_store_memory": 80 * 2**20,
                "_system_config": {"health_check_period_ms": 500},
            },
        )  # fmt: skip
        made.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        made.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        p.setenv("RAY_ADDRESS", made.address)
        ray.init(made.address, log_to_driver=False, logging_level="ERROR")
        yield made
        ray.shutdown()
        made.shutdown()


def pool_on(cluster, count, needs=None):
    needs = needs or {"num_cpus": 1, "num_gpus": 0}
    return Pool(
        [RayPlace(f"worker {n}", needs, first=n == 0, command=FAKE_WORKER) for n in range(count)]
    )


@pytest.mark.filterwarnings("ignore")  # Ray's own
class TestCluster:
    """In the order of the lines: a node is lost in the end."""

    def test_a_search_on_two_nodes(self, cluster):
        pool = pool_on(cluster, 2)
        result = autogan.run_search(SEARCH, engine=pool)
        pool.close()
        assert [t.state for t in result.trials] == [State.COMPLETE] * 6
        from fakes import pool_of

        local = pool_of(1)
        whole = autogan.run_search({**SEARCH, "run_dir": "runs/b"}, engine=local)
        local.close()
        assert [t.evaluations for t in result.trials] == [t.evaluations for t in whole.trials]
        assert autogan.check("runs/a").difference == ""

    def test_a_worker_that_dies_is_known_by_its_last_words(self, cluster):
        pool = pool_on(cluster, 1)
        assert pool.call(Open(config={}), Opened).images == 640
        crash = Open(config={"params": {"z_dim": -1}})
        with pytest.raises(ConfigError, match="z_dim"):
            pool.call(crash, Opened)
        pool.close()
        dying = (sys.executable, "-c", "raise SystemExit('my last words')")
        last = Pool([RayPlace("w", {"num_cpus": 1, "num_gpus": 0}, first=True, command=dying)])
        with pytest.raises(WorkerFailed) as error:
            last.call(Open(config={}), Opened)
        assert "my last words" in error.value.report
        last.close()

    def test_what_no_node_has_is_told(self, cluster, monkeypatch):
        monkeypatch.setattr("autogan.pool.ray._PATIENCE", 0.5)
        pool = pool_on(cluster, 1, {"num_cpus": 5, "num_gpus": 0})
        with pytest.raises(ConfigError, match="workers: no node of the Ray cluster has 5 CPUS"):
            pool.call(Open(config={}), Opened)
        pool.close()

    def test_places_are_as_the_configuration_says(self, cluster):
        run = SearchConfig(**{**SEARCH, "workers": 2, "engine": "ray"}).resolved()
        places = ray_places(run)
        assert [p.name for p in places] == ["worker 1", "worker 2"]
        assert [(p._needs, p._first) for p in places] == [
            ({"num_cpus": 1, "num_gpus": 0}, True), ({"num_cpus": 1, "num_gpus": 0}, False)
        ]  # fmt: skip

    def test_a_driver_that_is_killed_leaves_no_worker(self, cluster, tmp_path):
        mark = str(tmp_path)  # on the worker's command line: other tests have workers, too
        code = f"""
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
import ray
from fakes import FAKE_WORKER, HANG
from autogan.pool.pool import Pool
from autogan.pool.messages import Open, Opened, Train
from autogan.pool.ray import RayPlace
from autogan.search import Trial
ray.init({cluster.address!r}, log_to_driver=False, logging_level="ERROR")
command = (*FAKE_WORKER, {mark!r})
place = RayPlace("w", {{"num_cpus": 1, "num_gpus": 0}}, first=True, command=command)
pool = Pool([place])
pool.call(Open(config={{}}), Opened)
call = Train(config={{"params": {{"z_dim": HANG}}}}, folder={str(tmp_path / "a")!r}, run="a",
             name="a", trial=Trial(0, {{}}))
pool.start(0, None, call)
print("begun", flush=True)
while True:
    pool.next_event()
"""
        driver = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert driver.stdout.readline() == "begun\n"
        while not (tmp_path / "a").exists():
            time.sleep(0.05)
        assert workers(mark)
        driver.kill()
        driver.wait()
        driver.stdout.close()
        for _ in range(1200):
            if not workers(mark):
                break
            time.sleep(0.05)
        assert not workers(mark)

    def test_a_node_that_is_lost_takes_no_trial_with_it(self, cluster, tmp_path):
        """It goes on on the other one, to the same values."""
        lost = []

        class Lose(Display):
            def evaluated(self, trial):
                if not lost and trial.number == 2:
                    node, process = home_of(cluster, pool, trial.number)
                    cluster.remove_node(node, allow_graceful=False)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)  # it may outlive its node for a moment
                    lost.append(node)

        pool = pool_on(cluster, 2)
        result = autogan.run_search({**SEARCH, "run_dir": "runs/c"}, engine=pool, display=Lose())
        pool.close()
        assert lost
        assert [t.state for t in result.trials] == [State.COMPLETE] * 6
        root = tmp_path / "runs/c"
        assert autogan.check(root).difference == ""
        assert [r for r in told(root) if r["record"] == "lost"]


def home_of(cluster, pool, trial):
    """The node whose worker has a trial, and the process of the worker's actor there."""
    from ray._private.state import actors

    worker = next(w for w in pool._workers if w.job and w.job.trial == trial)
    actor = actors(worker.channel._actor._actor_id.hex())
    place = actor["Address"]["NodeID"]
    node = next(node for node in cluster.list_all_nodes() if node.node_id == place)
    return node, actor["Pid"]


def workers(mark):
    """The processes of fake workers that have a mark on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if {FAKE_WORKER[1].encode(), mark.encode()} <= {*words}:
            found.append(path)
    return found
