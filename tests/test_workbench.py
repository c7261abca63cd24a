"""What a worker keeps built, what it drops, and when it has grown too large."""

import gc
import weakref

import numpy as np
import pytest

from autogan.config import TrainConfig
from autogan.models import GAN
from autogan.models.training.batches import TrainingSet
from autogan.worker import workbench
from autogan.worker.workbench import Workbench, memory_bytes

SHAPE = (8, 8, 1)


def config(width):
    params = {"width": width, "dense_width": 8, "batch_size": 8, "z_dim": 4}
    return TrainConfig(dataset="digits", params=params)


class Built:
    """A GAN that refers to itself, as a compiled function and its graph do."""

    def __init__(self, width):
        self.state_bytes = width
        self.me = self


@pytest.fixture
def built(monkeypatch):
    """The widths of all GANs, in the order in which they were built."""
    widths = []

    def build(image_shape, hyperparameters, class_counts=()):
        widths.append(hyperparameters["width"])
        return Built(widths[-1])

    monkeypatch.setattr(GAN, "build", build)
    return widths


def use(bench, widths):
    return [bench.trainer(config(width), SHAPE, ()) for width in widths]


def test_the_last_ones_are_kept(monkeypatch, built):
    monkeypatch.setattr(workbench, "_MAX_GANS", 3)
    bench = Workbench(print)
    one, _, _, again = use(bench, [1, 2, 3, 1])
    assert one is again
    use(bench, [4])  # in place of the second, which was not used for longest
    use(bench, [1, 3, 4])
    assert built == [1, 2, 3, 4]
    use(bench, [2])
    assert built == [1, 2, 3, 4, 2]


def test_large_ones_are_fewer(monkeypatch, built):
    """Each is taken to be as large as the last; one is kept, however large it is."""
    monkeypatch.setattr(workbench, "_MAX_GAN_BYTES", 100)
    bench = Workbench(print)
    use(bench, [30, 31, 32])
    use(bench, [30, 31, 32])
    assert built == [30, 31, 32]
    use(bench, [33])
    use(bench, [31, 32, 33])
    assert built == [30, 31, 32, 33]
    use(bench, [500, 500])
    use(bench, [501, 501])
    assert built == [30, 31, 32, 33, 500, 501]


@pytest.mark.usefixtures("built")
def test_what_is_dropped_is_gone_before_the_next_is_built(monkeypatch):
    monkeypatch.setattr(workbench, "_MAX_GANS", 1)
    bench = Workbench(print)
    known = weakref.ref(use(bench, [1])[0])
    gc.disable()
    try:
        alive = []
        monkeypatch.setattr(GAN, "build", lambda *_: alive.append(known()) or Built(2))
        use(bench, [2])
    finally:
        gc.enable()
    assert alive == [None]


def test_a_dropped_gan_built_again_comes_to_the_same_bits(monkeypatch):
    monkeypatch.setattr(workbench, "_MAX_GANS", 1)
    bench = Workbench(print)
    images = np.random.default_rng(0).integers(0, 256, (16, *SHAPE)).astype(np.uint8)
    data = TrainingSet(images, None)

    def trained(width):
        run = config(width)
        gan = bench.trainer(run, SHAPE, ())
        gan.reset(7)
        gan.train(data, 7, 0, 2, 2, run.hyperparameters())
        return gan.state()

    first, other, again = trained(1), trained(2), trained(1)
    assert first.keys() == other.keys() == again.keys()
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_a_worker_is_full_that_has_grown_since_its_first_trial(monkeypatch):
    held = 10**9
    monkeypatch.setattr(workbench, "memory_bytes", lambda: held)
    bench = Workbench(print)
    assert not bench.full
    held += 2**31
    assert not bench.full
    held += 1
    assert bench.full


def test_the_memory_of_this_process():
    before = memory_bytes()
    held = np.ones(2**26, np.uint8)
    assert 2**25 < memory_bytes() - before < 2**27
    assert held.all()
