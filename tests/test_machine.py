"""What a machine has for us: a container's limits count, wherever the kernel tells them."""

import os

import pytest

from autogan.core import machine

GB = 2**30
V2, V1 = "0::/a/b\n", "12:cpu,cpuacct:/a\n4:memory:/a\n0::/\n"


@pytest.fixture
def host(monkeypatch, tmp_path):
    """A machine of 64 cores and 128 GB, whose kernel tells of itself below a folder."""
    monkeypatch.setattr(machine, "_ROOT", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(64), raising=False)
    monkeypatch.setattr(os, "sysconf", lambda name: 4096 if name == "SC_PAGE_SIZE" else 2**25)

    def write(groups, **files):
        files = {"proc/self/cgroup": groups, **{f"sys/fs/cgroup/{n}": t for n, t in files.items()}}
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def test_without_limits_all_counts(host):
    assert (machine.cores(), machine.workers_that_fit()) == (64, 64)
    host(V2, **{"a/b/cpu.max": "max 100000\n", "a/b/memory.max": "max\n"})
    assert (machine.cores(), machine.workers_that_fit()) == (64, 64)
    host(V1, **{"cpu,cpuacct/a/cpu.cfs_quota_us": "-1\n",
                "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
                "memory/a/memory.limit_in_bytes": "9223372036854771712\n"})  # fmt: skip
    assert (machine.cores(), machine.workers_that_fit()) == (64, 64)


@pytest.mark.parametrize(
    ("groups", "files", "cores", "workers"),
    [
        (V2, {"a/b/cpu.max": "400000 100000\n"}, 4, 4),
        (V2, {"a/cpu.max": "400000 100000\n", "a/b/cpu.max": "800000 100000"}, 4, 4),
        (V2, {"cpu.max": "250000 100000\n"}, 2, 2),
        ("0::/of/the/host\n", {"cpu.max": "250000 100000\n"}, 2, 2),
        ("0::/../x\n", {"cpu.max": "50000 100000\n"}, 1, 1),
        (V2, {"a/b/memory.max": f"{4 * GB}\n"}, 64, 2),
        (V2, {"a/memory.max": f"{GB}\n", "a/b/memory.max": "max\n"}, 64, 1),
        (V2, {"unified/a/b/cpu.max": "300000 100000\n"}, 3, 3),
        (V1, {"cpu,cpuacct/a/cpu.cfs_quota_us": "200000\n",
              "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"}, 2, 2),
        (V1, {"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "50000\n"}, 4, 4),
        (V1, {"memory/a/memory.limit_in_bytes": f"{6 * GB}\n"}, 64, 4),
    ],
)  # fmt: skip
def test_limits_count(host, groups, files, cores, workers):
    host(groups, **files)
    assert (machine.cores(), machine.workers_that_fit()) == (cores, workers)


@pytest.mark.parametrize(
    "text",
    ["", "x y", "-5 100000", "100000", "400000 0", "0 100000", b"\xff\xfe \x00", "1e5 1e5",
     "4 4 4", "\u0664 \u0664"],
)  # fmt: skip
def test_what_cannot_be_understood_is_no_limit(host, text):
    host(V2, **{"a/b/cpu.max": text})
    assert machine.cores() == 64
    host(text, **{"cpu.max": "100000 100000"})
    assert machine.cores() == 64


def test_no_limit_of_a_memory_is_nothing(host):
    host(V2, **{"a/b/memory.max": "0\n", "a/memory.max": "nothing"})
    assert machine.workers_that_fit() == 64
