"""EfficientNet-Lite0: its weights' file, and features against its layers written out by NumPy."""

import os
import pickle
import struct
from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_sample_image

from autogan.core.errors import ConfigError
from autogan.core.files import Damaged
from autogan.criteria.networks.efficientnet import EfficientNet
from autogan.criteria.networks.torch_file import tensors
from autogan.criteria.networks.weights import efficientnet_weights


@pytest.fixture(scope="module")
def arrays():
    return tensors(efficientnet_weights())


@pytest.fixture(scope="module")
def network():
    return EfficientNet(efficientnet_weights())


class Writer(pickle.Pickler):
    """Writes what PyTorch writes: each `Named` as the name that it has there."""

    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None

    def reducer_override(self, value):
        return (value.call, value.arguments) if isinstance(value, Call) else NotImplemented


class Storage:
    def __init__(self, key, array, kind):
        self.array, self.id = array, ("storage", kind, key, "cpu", array.size, None)


class Call:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments


def _named(module, name):
    """A function that pickles as a name of a module that is not there."""

    def stand_in():
        raise AssertionError

    stand_in.__module__, stand_in.__qualname__, stand_in.__name__ = module, name, name
    return stand_in


REBUILD = _named("torch._utils", "_rebuild_tensor_v2")
FLOATS, LONGS = _named("torch", "FloatStorage"), _named("torch", "LongStorage")


@pytest.fixture
def written(monkeypatch):
    """Bytes of a file in PyTorch's form before 1.6, made here."""
    monkeypatch.setitem(os.sys.modules, "torch", SimpleNamespace(FloatStorage=FLOATS))
    os.sys.modules["torch"].LongStorage = LONGS
    monkeypatch.setitem(os.sys.modules, "torch._utils", SimpleNamespace(_rebuild_tensor_v2=REBUILD))

    def written(state, storages, magic=0x1950A86A20F9469CFC6C, keys=None):
        import io

        file = io.BytesIO()
        for part in (magic, 1001, {"little_endian": True}, state):
            Writer(file, 2).dump(part)
        Writer(file, 2).dump([s.id[2] for s in storages] if keys is None else keys)
        for storage in storages:
            file.write(struct.pack("<q", storage.array.size) + storage.array.tobytes())
        return file.getvalue()

    return written


def tensor(storage, offset, shape, strides):
    return Call(REBUILD, storage, offset, shape, strides, False, OrderedDict())


def test_tensors_are_read_with_their_offsets_and_strides(written):
    floats = Storage("7", np.arange(12, dtype="<f4"), FLOATS)
    longs = Storage("8", np.array([5], "<i8"), LONGS)
    state = OrderedDict(
        rows=tensor(floats, 0, (2, 3), (3, 1)),
        columns=tensor(floats, 6, (3, 2), (1, 3)),
        count=tensor(longs, 0, (), ()),
    )
    made = tensors(written(state, [floats, longs]))
    np.testing.assert_array_equal(made["rows"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(made["columns"], [[6, 9], [7, 10], [8, 11]])
    assert (made["count"], made["count"].dtype, made["rows"].dtype) == (5, "int64", "float32")


def test_a_tensor_does_not_lead_out_of_its_storage(written):
    floats = Storage("7", np.arange(12, dtype="<f4"), FLOATS)
    for offset, strides in ((8, (3, 1)), (0, (12, 1)), (-1, (3, 1)), (0, (-3, 1))):
        with pytest.raises(Damaged):
            tensors(written({"rows": tensor(floats, offset, (2, 3), strides)}, [floats]))


def test_no_other_name_is_called(written):
    floats = Storage("7", np.arange(12, dtype="<f4"), FLOATS)
    with pytest.raises(Damaged, match="it names .*mkdir, which weights do not need"):
        tensors(written({"rows": Call(os.mkdir, "made")}, [floats]))
    assert not os.path.exists("made")


def test_damage_is_noticed(written):
    floats = Storage("7", np.arange(12, dtype="<f4"), FLOATS)
    state = {"rows": tensor(floats, 0, (2, 3), (3, 1))}
    data = written(state, [floats])
    for cut in (0, 5, 40, len(data) // 2, len(data) - 50, len(data) - 1):
        with pytest.raises(Damaged):
            tensors(data[:cut])
    with pytest.raises(Damaged, match="it is not a file in the format before PyTorch 1.6"):
        tensors(written(state, [floats], magic=7))
    with pytest.raises(Damaged, match="its storages do not match its tensors"):
        tensors(written(state, [floats], keys=["9"]))


def convolved(x, kernel, step=1, groups=False):
    """The layer by its definition, in float64: x [N, H, W, C], PyTorch's kernel [F, C, k, k]."""
    size = kernel.shape[-1]
    rows, columns = -(-x.shape[1] // step), -(-x.shape[2] // step)
    pads = [
        max((n - 1) * step + size - m, 0)
        for n, m in zip((rows, columns), x.shape[1:3], strict=True)
    ]
    x = np.pad(x, [(0, 0), *[(pad // 2, pad - pad // 2) for pad in pads], (0, 0)])
    made = 0.0
    for i in range(size):
        for j in range(size):
            part = x[:, i : i + rows * step : step, j : j + columns * step : step][
                :, :rows, :columns
            ]
            each = kernel[:, :, i, j].astype(np.float64)
            made = made + (part * each[:, 0] if groups else part @ each.T)
    return made


def normal(x, arrays, name):
    scale, shift, mean, variance = (
        arrays[f"{name}.{each}"].astype(np.float64)
        for each in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + 1e-3) * scale + shift


def relu6(x):
    return np.clip(x, 0, 6)


def by_hand(x, arrays):
    """The network's equations, from the names in its file: float64 [N, H, W, 3] -> logits, pool."""
    x = relu6(normal(convolved(x, arrays["_conv_stem.weight"], 2), arrays, "_bn0"))
    halved = {1, 3, 5, 11}  # the blocks with stride 2
    for block in range(16):
        name, before = f"_blocks.{block}.", x
        if block:
            x = convolved(x, arrays[f"{name}_expand_conv.weight"])
            x = relu6(normal(x, arrays, f"{name}_bn0"))
        step = 2 if block in halved else 1
        x = convolved(x, arrays[f"{name}_depthwise_conv.weight"], step, groups=True)
        x = relu6(normal(x, arrays, f"{name}_bn1"))
        x = normal(convolved(x, arrays[f"{name}_project_conv.weight"]), arrays, f"{name}_bn2")
        x = x + before if x.shape == before.shape else x
    x = relu6(normal(convolved(x, arrays["_conv_head.weight"]), arrays, "_bn1"))
    pool = x.mean(axis=(1, 2))
    return pool @ arrays["_fc.weight"].T.astype(np.float64) + arrays["_fc.bias"], pool


def test_features_are_those_of_the_equations(network, arrays):
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.uint8)
    made = network.features(images)
    logits, pool = by_hand((images.astype(np.float64) - 127) / 128, arrays)
    np.testing.assert_allclose(made.pool, pool, atol=2e-5)
    np.testing.assert_allclose(made.logits, logits, atol=2e-4)
    assert made.logits.shape == (2, network.classes)


def test_photographs_are_known(network):
    """ImageNet's numbers: 985 is a daisy, 698 a palace, 483 a castle, 663 a monastery."""
    flower, china = (
        network.features(load_sample_image(name)[None]).logits[0]
        for name in ("flower.jpg", "china.jpg")
    )
    assert flower.argmax() == 985
    assert {698, 483, 663} < set(np.argsort(-china)[:5])


def test_sizes_and_grey_images(network):
    grey = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype(np.uint8)
    network.features(np.repeat(grey, 3, 3))
    made = network.features(grey)
    np.testing.assert_array_equal(made.pool, network.features(np.repeat(grey, 3, 3)).pool)
    big = tf.image.resize(tf.cast(grey, tf.float32), [224, 224], "bicubic", antialias=True)
    whole = np.clip(big, 0, 255).round().astype(np.uint8)
    near = network.features(whole).pool
    assert np.corrcoef(made.pool.ravel(), near.ravel())[0, 1] > 0.99
    assert (network.resizes, network.name) == (True, "efficientnet")


@pytest.mark.parametrize("change", ["missing", "shape", "dtype", "more"])
def test_other_weights_are_refused(monkeypatch, arrays, change):
    changed = dict(arrays)
    name = "_blocks.3._bn1.weight"
    if change == "more":
        changed["_fc.scale"] = changed["_fc.bias"]
        name = "_fc.scale is unknown"
    else:
        array = changed.pop(name)
        named = {"shape": array[:-1], "dtype": array.astype(np.float64)}
        changed |= {name: named[change]} if change in named else {}
    monkeypatch.setattr("autogan.criteria.networks.efficientnet.tensors", lambda data: changed)
    with pytest.raises(ConfigError, match=f"features: efficientnet: its weights: {name}"):
        EfficientNet(b"")
