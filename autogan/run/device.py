"""The device that a worker uses, and what else its results depend on beside a configuration."""

import os
import platform
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from threadpoolctl import threadpool_limits

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import cache_root
from autogan.version import __version__


def set_device(run: TrainConfig) -> str:
    """Set threads and device, once, before TensorFlow's first operation; return its name.

    Raises:
        ConfigError: if there is no such device.
    """
    threadpool_limits(run.threads)  # NumPy's linear algebra
    tf.config.threading.set_intra_op_parallelism_threads(run.threads)
    tf.config.threading.set_inter_op_parallelism_threads(run.threads)
    os.environ.setdefault("TFHUB_CACHE_DIR", str(cache_root() / "tfhub"))  # not in /tmp
    gpus = tf.config.list_physical_devices("GPU")
    kind, _, index = run.device.partition(":")
    if kind == "gpu" and int(index or 0) >= len(gpus):
        raise ConfigError(
            "device",
            f"{run.device} was asked for, and TensorFlow sees {len(gpus)} GPUs; use --device "
            "cpu, or install CUDA for TensorFlow: pip install tensorflow[and-cuda]",
        )
    chosen = gpus[int(index or 0)] if gpus and kind != "cpu" else None
    tf.config.set_visible_devices([chosen] if chosen else [], "GPU")
    if chosen is None:
        return "cpu"
    tf.config.experimental.set_memory_growth(chosen, True)
    tf.config.experimental.enable_op_determinism()  # on the CPU it holds without
    details = tf.config.experimental.get_device_details(chosen)
    return str(details.get("device_name", "gpu"))


def environment(device: str | None) -> dict[str, Any]:
    """Versions and machine."""
    return {
        "autogan": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "device": device,
    }
