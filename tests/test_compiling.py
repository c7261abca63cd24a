"""How the training step is compiled, in which precision, and who decides."""

import numpy as np
import pytest
import tensorflow as tf
from fakes import FakeEngine, FakeSession
from test_models import BUILT, COUNTS, TOTAL, images, same, settings

import autogan
from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.machine import Gpu, gpus
from autogan.models import GAN_TYPES
from autogan.models.base import GANType
from autogan.pool.messages import Timed
from autogan.show.display import Display
from autogan.worker import device

GRID = {"params": {"learning_rate": [1e-4, 3e-4]}, "search_method": "grid", "run_dir": "runs/a"}

# The other types are `gan` with other values: tests/test_models.py says so.
DIFFERENT = [GAN_TYPES.get(name) for name in (*BUILT, "r3gan")]


def trained(kind, steps=2, **how):
    gan = kind.build((8, 8, 1), settings(kind), COUNTS, **how)
    gan.reset(1)
    done, losses = gan.train(images(), 1, 0, steps, TOTAL, settings(kind))
    assert done == steps
    assert all(np.isfinite(list(losses.values())))
    return gan, losses


@pytest.mark.parametrize("kind", DIFFERENT, ids=lambda kind: kind.name)
@pytest.mark.usefixtures("eagerly")
@pytest.mark.slow
def test_every_type_computes_in_bfloat16(kind):
    """What goes in and comes out, and all that is kept, stays float32."""
    gan, losses = trained(kind, precision="bfloat16")
    exact, exact_losses = trained(kind)
    assert all(value.dtype != tf.bfloat16 for value in gan.variables.values())
    assert {a.dtype for a in gan.state().values()} == {a.dtype for a in exact.state().values()}
    made = gan.generate(gan.latents(8, 0))
    assert (made.shape, made.dtype) == ((8, 8, 8, 1), np.uint8)
    assert not same(gan.state(), exact.state())
    loss = next(iter(losses))
    assert losses[loss] == pytest.approx(exact_losses[loss], rel=0.2, abs=0.05)


@pytest.mark.usefixtures("eagerly")
def test_what_is_built_afterwards_is_exact_again():
    trained(GAN_TYPES.get("dcgan"), precision="bfloat16")
    assert tf.keras.config.dtype_policy().name == "float32"


@pytest.mark.slow
def test_xla_comes_to_the_same_bits_again():
    kind = GAN_TYPES.get("dcgan")
    gan, _ = trained(kind, xla=True)
    first = gan.state()
    gan.reset(1)
    gan.train(images(), 1, 0, 1, TOTAL, settings(kind))
    gan.train(images(), 1, 1, 1, TOTAL, settings(kind))  # in calls of another length
    assert same(first, gan.state())


class Own(GANType):
    """A type with a way of training of its own, which knows none of this."""

    name = "own_compiling"
    summary = "own"
    hyperparameters = GAN_TYPES.get("dcgan").hyperparameters

    @classmethod
    def build(cls, image_shape, hyperparameters, class_counts=()):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("kind", "keys", "said"),
    [
        ("evolutionary", {"compiler": "xla"}, "compiler: xla cannot compile evolutionary"),
        ("own_compiling", {"compiler": "xla"}, "compiler: xla cannot compile own_compiling"),
        ("own_compiling", {"precision": "bfloat16"}, "precision: bfloat16, but own_compiling"),
    ],
)
def test_what_a_type_does_not_offer_is_refused(kind, keys, said):
    if kind not in GAN_TYPES.names():
        GAN_TYPES.register(Own)
    try:
        with pytest.raises(ConfigError, match=f"^{said}.*leave it out"):
            TrainConfig(gan_type=kind, **keys)
    finally:
        GAN_TYPES._parts.pop("own_compiling", None)


class Timing(FakeSession):
    """Steps are faster under one of the compilers."""

    faster = "xla"

    def time(self, call):
        assert not call.evaluate
        return Timed(step=0.1 if call.config["compiler"] == self.faster else 0.3, evaluation=None)


class Heard(Display):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.mark.parametrize("faster", ["graph", "xla"])
def test_the_faster_one_is_taken_once_and_kept(faster, monkeypatch):
    monkeypatch.setattr(Timing, "faster", faster)
    engine, heard = FakeEngine(), Heard()
    engine._session = Timing(engine)
    search = {**GRID, "compiler": "auto"}
    result = autogan.run_search(search, engine=engine, display=heard)
    assert result.config.compiler == faster
    told = next(note for note in heard.notes if note.startswith("compiler "))
    assert told.startswith(f"compiler {faster}: a step takes ")
    monkeypatch.setattr(Timing, "faster", "graph" if faster == "xla" else "xla")
    assert autogan.run_search(resume="runs/a", engine=engine).config.compiler == faster


def test_what_xla_cannot_compile_is_not_timed_by_it():
    engine, heard = FakeEngine(), Heard()
    engine._session = Timing(engine)
    search = {**GRID, "gan_type": "evolutionary", "compiler": "auto"}
    assert autogan.run_search(search, engine=engine, display=heard).config.compiler == "graph"


class TestGpus:
    """GPUs as NVIDIA's tool tells of them, and what a worker that shares one may take."""

    @pytest.fixture
    def two(self, monkeypatch, tmp_path):
        (tmp_path / "nvidia-smi").write_text(
            "#!/bin/sh\necho '0, GPU-aa, 81559'\necho '1, GPU-bb, 40960'\n"
        )
        (tmp_path / "nvidia-smi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    @pytest.mark.usefixtures("two")
    def test_those_that_may_be_used_are_found(self, monkeypatch):
        assert gpus() == [Gpu("0", 81559), Gpu("1", 40960)]
        for visible, found in (
            ("1", [Gpu("1", 40960)]), ("1,0", [Gpu("1", 40960), Gpu("0", 81559)]),
            ("GPU-bb", [Gpu("GPU-bb", 40960)]), ("", []), ("-1", []),
        ):  # fmt: skip
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
            assert gpus() == found

    def test_there_may_be_none(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        assert gpus() == []

    @pytest.mark.parametrize("limit", [None, "35500"])
    def test_a_worker_takes_its_part_alone(self, monkeypatch, limit):
        taken = []
        gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
        for owner, name in (
            (device, "threadpool_limits"),
            (tf.config.threading, "set_intra_op_parallelism_threads"),
            (tf.config.threading, "set_inter_op_parallelism_threads"),
            (tf.config.experimental, "enable_op_determinism"),
            (tf.config, "set_visible_devices"),
        ):
            monkeypatch.setattr(owner, name, lambda *args: None)
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [gpu])
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {})
        monkeypatch.setattr(
            tf.config.experimental, "set_memory_growth", lambda *args: taken.append("growth")
        )
        monkeypatch.setattr(
            tf.config,
            "set_logical_device_configuration",
            lambda gpu, parts: taken.append(parts[0].memory_limit),
        )
        if limit is not None:
            monkeypatch.setenv("AUTOGAN_GPU_MEMORY", limit)
        assert device.set_device(TrainConfig(threads=1)) == "gpu"
        assert taken == ([35500] if limit else ["growth"])
        assert ("gpu_memory" in device.environment("gpu")) == (limit is not None)
