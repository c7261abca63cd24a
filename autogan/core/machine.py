"""What this machine has: cores, memory, GPUs. TensorFlow is not asked: it takes seconds to load."""

import os
import shutil
import subprocess
from dataclasses import dataclass

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
    """The processor's cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
    return max(min(cores(), total // _WORKER_BYTES), 1)
