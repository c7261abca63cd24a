"""A worker's device, and the environment that its results depend on."""

import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from threadpoolctl import threadpool_limits

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.invocation import command
from autogan.pool.places import GPU_MEMORY
from autogan.version import __version__


def set_device(run: TrainConfig) -> str:
    """Set threads and device, once, before TensorFlow's first operation; return its name.

    Raises:
        ConfigError: if there is no such device.
    """
    threadpool_limits(run.threads)  # NumPy's linear algebra
    tf.config.threading.set_intra_op_parallelism_threads(run.threads)
    tf.config.threading.set_inter_op_parallelism_threads(run.threads)
    gpus = tf.config.list_physical_devices("GPU")
    kind, _, index = run.device.partition(":")
    if kind == "gpu" and int(index or 0) >= len(gpus):
        raise ConfigError(
            "device",
            f"{run.device}, but TensorFlow sees {len(gpus)} GPUs; use --device cpu, or install "
            f"CUDA for TensorFlow: {_install_cuda()}",
        )
    chosen = gpus[int(index or 0)] if gpus and kind != "cpu" else None
    tf.config.set_visible_devices([chosen] if chosen else [], "GPU")
    if chosen is None:
        return "cpu"
    if limit := os.environ.get(GPU_MEMORY):  # other workers share the GPU's memory
        part = tf.config.LogicalDeviceConfiguration(memory_limit=int(limit))
        tf.config.set_logical_device_configuration(chosen, [part])
    else:
        tf.config.experimental.set_memory_growth(chosen, True)
    tf.config.experimental.enable_op_determinism()  # the CPU is deterministic without this
    details = tf.config.experimental.get_device_details(chosen)
    return str(details.get("device_name", "gpu"))


def device_notes(run: TrainConfig) -> Iterator[str]:
    """Notes on the device that `set_device` chose and, if there is one, on an idle better one."""
    chosen = tf.config.get_visible_devices("GPU")
    if chosen:
        details = tf.config.experimental.get_device_details(chosen[0])
        yield f"training on the GPU ({details.get('device_name', 'name unknown')})"
        return
    threads = "1 thread" if run.threads == 1 else f"{run.threads} threads"
    yield f"training on the CPU ({_processor()}), {threads} per training"
    if run.device == "auto" and _nvidia() and not tf.config.list_physical_devices("GPU"):
        yield (
            "this machine has an NVIDIA GPU, but TensorFlow does not see it; install CUDA for "
            f"TensorFlow: {_install_cuda()}; or use --device cpu to train without it"
        )


def _install_cuda() -> str:
    return command("pip", "install", "tensorflow[and-cuda]")


def _processor(info: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name if Linux reports it, else its architecture."""
    names = re.findall(r"^model name\s*: (.+)$", info.read_text(), re.M) if info.exists() else []
    return names[0] if names else platform.machine()


def _nvidia(root: Path = Path("/")) -> bool:
    """Whether the system has an NVIDIA GPU that the user does not hide on purpose."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    if (root / "dev/dxg").exists() and shutil.which("nvidia-smi"):  # WSL
        return True
    places = ("proc/driver/nvidia/gpus/*", "dev/nvidia[0-9]*")
    return any(found for place in places for found in root.glob(place))


def environment(device: str | None) -> dict[str, Any]:
    """Versions and machine; if workers share a GPU, also the megabytes of one worker's part."""
    limit = os.environ.get(GPU_MEMORY)
    return {
        **({"gpu_memory": int(limit)} if limit else {}),
        "autogan": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "device": device,
    }
