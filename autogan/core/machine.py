"""The machine's cores, memory and GPUs, found without TensorFlow, which takes seconds to load."""

import math
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/")  # of the file system with Linux's /proc and /sys
_NUMBER = re.compile(r"[0-9]{1,20}\Z")
_WORKER_BYTES = 3 * 2**29  # about the memory that a worker takes


@dataclass(frozen=True)
class Gpu:
    """A GPU.

    Attributes:
        name: in CUDA_VISIBLE_DEVICES.
        megabytes: of memory; 0 if unknown.
    """

    name: str
    megabytes: int = 0


def cores() -> int:
    """The number of cores that this process may use, under a container's limit too."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(int(min(count, _container_cores())), 1)


def _container_cores() -> float:
    """The number of cores that control groups allow (`docker run --cpus`), or infinity."""
    found = [math.inf]
    for folder in _control_groups("cpu"):
        quota, period = folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"
        for words in (_words(folder / "cpu.max"), _words(quota) + _words(period)):
            numbers = [int(word) for word in words if _NUMBER.match(word)]
            if len(numbers) == len(words) == 2 and min(numbers) > 0:
                found.append(numbers[0] / numbers[1])
    return min(found)


def _container_bytes() -> float:
    """The bytes of memory that control groups allow (`docker run --memory`), or infinity."""
    found = [math.inf]
    for folder in _control_groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            found += [int(word) for word in _words(folder / name) if _NUMBER.match(word)]
    return min(number for number in found if number > 0)


def _control_groups(controller: str) -> list[Path]:
    """The folders of this process's control groups (version 2 or 1), each with its parents.

    A container may see the path of its host, of which only the root exists.
    """
    folders = []
    for line in _lines(_ROOT / "proc/self/cgroup"):
        _, names, place = (*line.split(":", 2), "", "")[:3]  # number, controllers, path
        if not place or (names and controller not in names.split(",")):
            continue
        parts = [part for part in place.split("/") if part not in ("", ".", "..")]
        for base in (names, controller) if names else ("", "unified"):
            top = _ROOT / "sys/fs/cgroup" / base
            folders += [top.joinpath(*parts[:n]) for n in range(len(parts), -1, -1)]
    return folders


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except (OSError, ValueError):
        return []


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()


def gpus() -> list[Gpu]:
    """The NVIDIA GPUs that this process may use, in CUDA's order."""
    if shutil.which("nvidia-smi") is None:
        return []
    query = ("nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits")
    found = subprocess.run(query, capture_output=True, text=True, check=False)
    rows = [[cell.strip() for cell in line.split(",")] for line in found.stdout.splitlines()]
    known = {}
    for index, uuid, megabytes in (row for row in rows if len(row) == 3):
        known[index] = known[uuid] = Gpu(index, int(megabytes) if megabytes.isdigit() else 0)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return list(dict.fromkeys(known.values()))
    names = [name.strip() for name in visible.split(",")]
    return [Gpu(name, known[name].megabytes) for name in names if name in known]


def workers_that_fit() -> int:
    """The number of single-threaded workers that the cores and the memory allow."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        total = cores() * _WORKER_BYTES
    total = int(min(total, _container_bytes()))
    return max(min(cores(), total // _WORKER_BYTES), 1)
