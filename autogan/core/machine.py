"""What this machine has: cores, memory, GPUs. TensorFlow is not asked: it takes seconds to load."""

import math
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/")  # of the file system in which Linux tells of itself
_NUMBER = re.compile(r"[0-9]{1,20}\Z")
_WORKER_BYTES = 3 * 2**29  # of memory that a worker takes, about


@dataclass(frozen=True)
class Gpu:
    """A GPU.

    Attributes:
        name: by which CUDA_VISIBLE_DEVICES means it.
        megabytes: of its memory; 0 if unknown.
    """

    name: str
    megabytes: int = 0


def cores() -> int:
    """The processor's cores that this process may use, a container's limit among others."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(int(min(count, _container_cores())), 1)


def _container_cores() -> float:
    """The cores that control groups allow (`docker run --cpus`); infinite without a limit."""
    found = [math.inf]
    for folder in _control_groups("cpu"):
        quota, period = folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"
        for words in (_words(folder / "cpu.max"), _words(quota) + _words(period)):
            numbers = [int(word) for word in words if _NUMBER.match(word)]
            if len(numbers) == len(words) == 2 and min(numbers) > 0:
                found.append(numbers[0] / numbers[1])
    return min(found)


def _container_bytes() -> float:
    """The memory that control groups allow (`docker run --memory`); infinite without a limit."""
    found = [math.inf]
    for folder in _control_groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            found += [int(word) for word in _words(folder / name) if _NUMBER.match(word)]
    return min(number for number in found if number > 0)


def _control_groups(controller: str) -> list[Path]:
    """The folders of this process's control groups, of version 2 or 1, each with those above it.

    A container may see the path of its host, where only the root exists.
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
    """NVIDIA's GPUs that this process may use, in the order in which CUDA counts them."""
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
    """How many workers with one thread each the cores and the memory suffice for."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        total = cores() * _WORKER_BYTES
    total = int(min(total, _container_bytes()))
    return max(min(cores(), total // _WORKER_BYTES), 1)
