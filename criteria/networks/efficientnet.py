"""EfficientNet-Lite0, a network trained on ImageNet, with weights from a Python package."""

import hashlib
from collections.abc import Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.errors import ConfigError
from autogan.core.files import Damaged
from autogan.criteria.networks.base import FeatureNetwork, Outputs
from autogan.criteria.networks.torch_file import tensors

_SIZE = 224  # pixels of a side
_MEAN, _SCALE = 127.0, 128.0  # grey levels: x -> (x - mean) / scale
_EPSILON = 1e-3  # of the normalisations
_STEM, _POOLED, _CLASSES = 32, 1280, 1000
# Each stage's blocks: number, kernel, stride of the first one, expansion, filters.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)

Array: TypeAlias = npt.NDArray[np.float32]


class EfficientNet(FeatureNetwork):
    """EfficientNet-Lite0 (Tan and Le, 2019, arXiv:1905.11946; its Lite form of 2020).

    It has 1280 pooled features and ImageNet's 1000 logits. Images of any size are resized to 224
    pixels (bicubic, antialiased), and grey ones repeated over the three channels. Each convolution
    is merged with its normalisation, which changes values by rounding only.

    Args:
        data: the file of its weights, as PyTorch wrote it.

    Raises:
        ConfigError: if the weights are not this network's.
    """

    name = "efficientnet"
    resizes = True
    classes = _CLASSES
    batch_size = 50

    def __init__(self, data: bytes) -> None:
        self.weights_hash = hashlib.sha256(data).hexdigest()
        try:
            self._model = _network(tensors(data))
        except Damaged as error:
            raise ConfigError("features", f"efficientnet: its weights: {error}") from error
        self._run = tf.function(self._call, reduce_retracing=True, autograph=False)

    def run(self, images: tf.Tensor) -> Outputs:
        """Return logits [N, 1000] and pooled features [N, 1280] of one batch."""
        if images.shape[-1] == 1:
            images = tf.repeat(images, 3, axis=-1)
        logits, pool = self._run(images)
        return logits.numpy(), pool.numpy()

    def _call(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = tf.image.resize(images, [_SIZE, _SIZE], "bicubic", antialias=True)
        outputs: tuple[tf.Tensor, tf.Tensor] = self._model((x - _MEAN) / _SCALE, training=False)
        return outputs


class _Weights:
    """The weights by PyTorch's names; each is taken once.

    Args:
        arrays: all weights.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._arrays = {n: array for n, array in arrays.items() if not n.endswith("_tracked")}

    def take(self, name: str, *shape: int) -> Array:
        """Take the float32 array with a name and shape.

        Raises:
            Damaged: if there is none.
        """
        array = self._arrays.pop(name, None)
        if array is None or array.shape != shape or array.dtype != np.float32:
            raise Damaged(f"{name} is not a float32 array of shape {shape}")
        return array

    def normalised(self, kernel: Array, name: str) -> list[Array]:
        """A kernel, filters on the first axis, and a bias that include the normalisation."""
        count = len(kernel)
        scale, shift, mean, variance = (
            self.take(f"{name}.{each}", count)
            for each in ("weight", "bias", "running_mean", "running_var")
        )
        gain = scale / np.sqrt(variance + _EPSILON)
        return [kernel * gain[:, None, None, None], shift - mean * gain]

    def check_all_taken(self) -> None:
        """Raise `Damaged` if any weights are left."""
        if self._arrays:
            raise Damaged(f"{next(iter(self._arrays))} is unknown")


def _network(arrays: Mapping[str, npt.NDArray[Any]]) -> keras.Model:
    """The network with its weights: images float32 [N, 224, 224, 3] -> logits, pooled features."""
    weights = _Weights(arrays)
    images = keras.Input((_SIZE, _SIZE, 3))
    x = _convolved(images, weights, "_conv_stem", "_bn0", _STEM, kernel=3, step=2)
    x = keras.layers.ReLU(6)(x)  # [N, 112, 112, 32]
    number = 0
    for blocks, kernel, step, expansion, filters in _STAGES:
        for block in range(blocks):
            name = f"_blocks.{number}."
            x = _block(x, weights, name, kernel, 1 if block else step, expansion, filters)
            number += 1
    x = _convolved(x, weights, "_conv_head", "_bn1", _POOLED)
    x = keras.layers.ReLU(6)(x)  # [N, 7, 7, 1280]
    pool = keras.layers.GlobalAveragePooling2D()(x)
    dense = keras.layers.Dense(_CLASSES)
    logits = dense(pool)
    rows = weights.take("_fc.weight", _CLASSES, _POOLED)
    dense.set_weights([rows.T, weights.take("_fc.bias", _CLASSES)])
    weights.check_all_taken()
    return keras.Model(images, (logits, pool))


def _block(
    x: tf.Tensor, weights: _Weights, name: str, kernel: int, step: int, expansion: int, filters: int
) -> tf.Tensor:
    """Expand, filter each channel separately, project; add x if the shape is the same."""
    before = x
    if expansion > 1:
        wide = expansion * x.shape[-1]
        x = _convolved(x, weights, f"{name}_expand_conv", f"{name}_bn0", wide)
        x = keras.layers.ReLU(6)(x)
    count = x.shape[-1]
    layer = keras.layers.DepthwiseConv2D(kernel, step, padding="same")
    x = keras.layers.ReLU(6)(layer(x))
    each = weights.take(f"{name}_depthwise_conv.weight", count, 1, kernel, kernel)
    each, bias = weights.normalised(each, f"{name}_bn1")
    layer.set_weights([each.transpose(2, 3, 0, 1), bias])
    x = _convolved(x, weights, f"{name}_project_conv", f"{name}_bn2", filters)
    return keras.layers.Add()([x, before]) if x.shape == before.shape else x


def _convolved(
    x: tf.Tensor,
    weights: _Weights,
    name: str,
    normal: str,
    filters: int,
    kernel: int = 1,
    step: int = 1,
) -> tf.Tensor:
    """A convolution merged with the normalisation that follows it."""
    layer = keras.layers.Conv2D(filters, kernel, step, padding="same")
    channels = x.shape[-1]
    x = layer(x)
    array = weights.take(f"{name}.weight", filters, channels, kernel, kernel)
    array, bias = weights.normalised(array, normal)
    layer.set_weights([array.transpose(2, 3, 1, 0), bias])
    return x
