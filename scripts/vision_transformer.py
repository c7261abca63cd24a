"""The vision transformers of DINOv2 and of CLIP's image tower, in TensorFlow.

Both are one network (Dosovitskiy et al., 2020, arXiv:2010.11929): patches of the image and a class
token pass through blocks of attention and of two dense layers. CLIP adds a norm before the blocks
and a projection after them, and has another activation.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Array = npt.NDArray[np.float32]


class Norm(NamedTuple):
    """A layer norm over D channels."""

    gain: Array  # [D]
    shift: Array  # [D]


class Dense(NamedTuple):
    """A dense layer."""

    kernel: Array  # [inputs, outputs]
    bias: Array  # [outputs]


class Block(NamedTuple):
    """Attention and two dense layers, each added to its input."""

    attention_norm: Norm
    query_key_value: Dense  # [D, 3 D]: all queries, then all keys, then all values
    attended: Dense  # [D, D]
    dense_norm: Norm
    expand: Dense  # [D, E]
    reduce: Dense  # [E, D]


class Weights(NamedTuple):
    """All weights, for P patches.

    ``positions`` are added to the tokens, of which the class token is the first. They include all
    else that is added there: the class token itself and the bias of the patches.
    """

    patches: Array  # [height, width, 3, D], a convolution's kernel
    positions: Array  # [1 + P, D]
    before: Norm | None
    blocks: Sequence[Block]
    after: Norm
    projection: Array | None  # [D, features]


class Layout(NamedTuple):
    """The part of a network that its weights do not show.

    ``size`` is the side of the images in pixels, a multiple of the patches' side. ``mean`` and
    ``deviation`` are those of the colours in [0, 1], for red, green and blue. ``activation`` is
    ``gelu``, or ``quick_gelu`` for x sigmoid(1.702 x).
    """

    size: int
    heads: int
    epsilon: float
    activation: str
    mean: Sequence[float]
    deviation: Sequence[float]


class VisionTransformer(tf.Module):
    """A network as `--features` expects it.

    Its call maps float32 RGB images [N, height, width, 3] in [-1, 1], of any size, to ``pool_3``
    [N, features], float32: the class token after the last norm, projected if there is a projection.

    Args:
        layout: see `Layout`.
        weights: float32.
    """

    def __init__(self, layout: Layout, weights: Weights) -> None:
        super().__init__()
        self._layout = layout
        self.weights = tf.nest.map_structure(
            lambda array: None if array is None else tf.Variable(array, trainable=False), weights
        )
        images = tf.TensorSpec([None, None, None, 3])
        self.__call__ = tf.function(self._features, input_signature=[images], autograph=False)

    def _features(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        layout, weights = self._layout, self.weights
        colours = resized((images + 1.0) * 127.5, layout.size) / 255.0
        colours = (colours - tf.constant(layout.mean)) / tf.constant(layout.deviation)
        x = tf.nn.conv2d(colours, weights.patches, weights.patches.shape[0], "VALID")
        x = tf.reshape(x, [-1, weights.positions.shape[0] - 1, x.shape[-1]])
        x = tf.pad(x, [[0, 0], [1, 0], [0, 0]]) + weights.positions
        if weights.before is not None:
            x = self._normed(x, weights.before)
        for block in weights.blocks:
            x += self._attention(self._normed(x, block.attention_norm), block)
            wide = self._activated(_dense(self._normed(x, block.dense_norm), block.expand))
            x += _dense(wide, block.reduce)
        pool = self._normed(x[:, 0], weights.after)
        if weights.projection is not None:
            pool = tf.matmul(pool, weights.projection)
        return {"pool_3": pool}

    def _attention(self, x: tf.Tensor, block: Any) -> tf.Tensor:
        """Attention of tokens [N, T, D] to each other, in heads of D / heads channels."""
        tokens, width = x.shape[1:]
        heads, channels = self._layout.heads, width // self._layout.heads
        parts = tf.reshape(_dense(x, block.query_key_value), [-1, tokens, 3, heads, channels])
        query, key, value = tf.unstack(
            tf.transpose(parts, [2, 0, 3, 1, 4])
        )  # [N, heads, T, channels]
        scores = tf.matmul(query, key, transpose_b=True) / channels**0.5
        mixed = tf.transpose(tf.matmul(tf.nn.softmax(scores), value), [0, 2, 1, 3])
        return _dense(tf.reshape(mixed, [-1, tokens, width]), block.attended)

    def _normed(self, x: tf.Tensor, norm: Any) -> tf.Tensor:
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        return tf.nn.batch_normalization(
            x, mean, variance, norm.shift, norm.gain, self._layout.epsilon
        )

    def _activated(self, x: tf.Tensor) -> tf.Tensor:
        if self._layout.activation == "quick_gelu":
            return x * tf.sigmoid(1.702 * x)
        return tf.nn.gelu(x)


def resized(images: tf.Tensor, size: int) -> tf.Tensor:
    """Resize to squares as Pillow does with 8-bit images: bicubic, antialiased, rounded twice.

    Args:
        images: grey levels from 0 to 255, float32 [N, height, width, 3].
        size: side of the squares in pixels.

    Returns:
        Whole grey levels from 0 to 255, float32 [N, size, size, 3].
    """
    for shape in ([tf.shape(images)[1], size], [size, size]):  # width, then height
        images = tf.image.resize(images, shape, "bicubic", antialias=True)
        images = tf.clip_by_value(tf.floor(images + 0.5), 0.0, 255.0)
    return images


def _dense(x: tf.Tensor, layer: Any) -> tf.Tensor:
    return tf.tensordot(x, layer.kernel, 1) + layer.bias
