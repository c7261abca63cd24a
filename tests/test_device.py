"""What a search says of the device that it trains on."""

import pytest
import tensorflow as tf
from sessions import SessionEngine

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.pool.messages import Open, Opened
from autogan.worker import device
from autogan.worker.device import device_notes, set_device

GPU = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine without a GPU that TensorFlow sees, whose files lie below a folder."""
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    nvidia, processor = device._nvidia, device._processor
    monkeypatch.setattr(device, "_nvidia", lambda: nvidia(tmp_path))
    monkeypatch.setattr(device, "_processor", lambda: processor(tmp_path / "proc/cpuinfo"))
    for folder in ("proc", "dev", "bin"):
        (tmp_path / folder).mkdir()
    (tmp_path / "proc/cpuinfo").write_text(
        "".join(f"processor\t: {n}\nmodel name\t: AMD EPYC 7B13\n\n" for n in range(2))
    )
    return tmp_path


def notes(**keys):
    return list(device_notes(TrainConfig(threads=2, **keys)))


def test_the_processor_is_named(machine):
    assert notes() == ["training on the CPU (AMD EPYC 7B13), 2 threads per training"]
    (machine / "proc/cpuinfo").write_text("processor\t: 0\n")  # as on arm64
    assert notes()[0].startswith(f"training on the CPU ({device.platform.machine()})")
    assert next(device_notes(TrainConfig(threads=1))).endswith(", 1 thread per training")


def test_the_gpu_is_named(machine, monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [GPU])
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda gpu: {"device_name": "NVIDIA A100"}
    )
    assert notes() == ["training on the GPU (NVIDIA A100)"]


@pytest.mark.parametrize("place", ["proc/driver/nvidia/gpus/0000:01:00.0", "dev/nvidia0"])
def test_a_gpu_that_lies_idle_is_told(machine, place, monkeypatch):
    (machine / place).mkdir(parents=True)
    told = notes()[1]
    assert told.startswith(
        "this machine has an NVIDIA GPU, but TensorFlow does not see it; install "
    )
    assert "pip install 'tensorflow[and-cuda]'" in told
    assert len(notes(device="cpu")) == 1  # as the user wishes
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert len(notes()) == 1


def test_a_gpu_of_windows_is_told(machine):
    """Under WSL: there is /dev/dxg on machines without one as well."""
    (machine / "dev/dxg").touch()
    assert len(notes()) == 1
    (machine / "bin/nvidia-smi").write_text("#!/bin/sh\n")
    (machine / "bin/nvidia-smi").chmod(0o755)
    assert len(notes()) == 2


@pytest.mark.parametrize("name", ["nvidia-caps", "nvidiactl"])
def test_a_driver_alone_is_no_gpu(machine, name):
    (machine / "dev" / name).mkdir()
    assert len(notes()) == 1


def test_a_gpu_that_is_not_there_says_what_to_install(monkeypatch):
    monkeypatch.setattr(device, "threadpool_limits", lambda n: None)
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", lambda n: None)
    monkeypatch.setattr(tf.config.threading, "set_inter_op_parallelism_threads", lambda n: None)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(
        ConfigError, match=r"^device: gpu, but TensorFlow sees 0 GPUs; use --device cpu, or"
    ) as e:
        set_device(TrainConfig(device="gpu", threads=1))
    assert str(e.value).endswith("pip install 'tensorflow[and-cuda]'")


def test_a_run_is_told_of_its_device_before_anything_else(monkeypatch):
    engine, told = SessionEngine(), []
    monkeypatch.setattr(engine, "note", told.append)
    config = TrainConfig(dataset="digits", features="classifier", threads=1)
    engine.call(Open(config=config.resolved().as_dict()), Opened)
    assert told[0].startswith("training on the ")
