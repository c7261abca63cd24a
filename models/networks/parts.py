"""The parts of networks, as the hyperparameters require them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import keras
from keras import layers

from autogan.models.networks.layers import (
    Attend,
    BatchNormalization,
    ConditionalBatchNormalization,
    Gain,
    LayerNormalization,
    MinibatchDeviation,
    SeededDropout,
    SpectralConv2D,
    SpectralDense,
)

Start = Callable[[int], keras.initializers.Initializer]
"""The initializer of a convolution's kernel of that side; a dense layer has side 1."""


def normal(side: int) -> keras.initializers.Initializer:
    """DCGAN's initializer: normal with deviation 0.02."""
    return keras.initializers.RandomNormal(stddev=0.02)


def glorot(side: int) -> keras.initializers.Initializer:
    """SNGAN's initializer: Glorot's uniform, times sqrt(2) in 3x3 convolutions."""
    scale = 2.0 if side == 3 else 1.0
    return keras.initializers.VarianceScaling(scale, "fan_avg", "uniform")


def count_halvings(size: int, smallest: int) -> int:
    """The number of halvings until a side is odd or at most ``smallest``."""
    count = 0
    while size > smallest and size % 2 == 0:
        size //= 2
        count += 1
    return count


def attention_size(size: int) -> int:
    """The side of the feature map with attention: the largest of at most 32 below ``size``.

    The sides below ``size`` are halves, rounded up.
    """
    side = (size + 1) // 2
    while side > 32:
        side = (side + 1) // 2
    return side


@dataclass
class Parts:
    """The parts of one network. Each takes and returns features of Keras's functional interface.

    Attributes:
        norm: of the generator or the discriminator; see `NetworkShape`.
        start: the kernels' initializer, unless the architecture gives another.
        attention: the side of the feature map with attention, or 0.
        minibatch_stddev: whether `deviation` adds its plane.
        penalised: see `NetworkShape`.
        classes: one-hot classes, [batch, K], or attributes, [batch, A], if the network takes them.
        attributes: whether ``classes`` are attributes.
        dropout: the network's inputs ``rate`` and ``draw``, if it has them.
        upsampling: of a generator; see `NetworkShape`.
    """

    norm: str
    start: Start
    attention: int = 0
    minibatch_stddev: bool = False
    penalised: bool = False
    classes: Any = None
    attributes: bool = False
    dropout: tuple[Any, ...] = ()
    upsampling: str = "transposed"
    _numbers: Any = field(default_factory=count)

    def dense(
        self,
        x: Any,
        units: int,
        bias: bool = True,
        start: Start | None = None,
        name: str | None = None,
    ) -> Any:
        """A dense layer."""
        kind = SpectralDense if self.norm == "spectral" else layers.Dense
        kernel = (start or self.start)(1)
        return kind(units, use_bias=bias, kernel_initializer=kernel, name=name)(x)

    def conv(
        self,
        x: Any,
        filters: int,
        side: int,
        stride: int = 1,
        bias: bool = True,
        start: Start | None = None,
    ) -> Any:
        """A convolution that keeps the size, or divides it by the stride and rounds up."""
        kind = SpectralConv2D if self.norm == "spectral" else layers.Conv2D
        # At one pixel, TensorFlow leaves parts of a strided kernel's gradient undefined in bfloat16
        # (`findings/tensorflow_bfloat16_kernel_gradient.sh`).
        exact = {"dtype": "float32"} if x.shape[1] == 1 else {}
        kernel = (start or self.start)(side)
        return kind(
            filters, side, stride, "same", use_bias=bias, kernel_initializer=kernel, **exact
        )(x)

    def seeded(self, z: Any, side: int, filters: int) -> Any:
        """A generator's first feature map, from a dense layer."""
        return layers.Reshape([side, side, filters])(self.dense(z, side * side * filters))

    def deconv(self, x: Any, filters: int, side: int, last: bool = False, stride: int = 2) -> Any:
        """An upsampling; it has a bias only if no normalisation, which would undo it, follows.

        Only generators use it. In place of a transposed convolution there may be a convolution of
        the next odd side: after pixels are repeated, or before filters are arranged as pixels.
        """
        bias, odd = last or self.norm == "none", side - 1 + side % 2
        if self.upsampling == "nearest":
            return self.conv(layers.UpSampling2D(stride)(x), filters, odd, bias=bias)
        if self.upsampling == "pixel_shuffle":
            return _laid_out(self.conv(x, filters * stride * stride, odd, bias=bias), stride)
        return layers.Conv2DTranspose(
            filters, side, stride, "same", use_bias=bias, kernel_initializer=self.start(side)
        )(x)

    def normed(self, x: Any, conditional: bool = True) -> Any:
        """The network's normalisation; ``conditional=False`` makes a conditional one plain here."""
        options = {"momentum": 0.9, "epsilon": 1e-5}
        if self.norm == "conditional" and conditional:
            norm = ConditionalBatchNormalization(self.attributes, **options)
            return norm(x, self.classes)
        if self.norm in ("batch", "conditional"):
            kind = BatchNormalization if self.penalised else layers.BatchNormalization
            return kind(**options)(x)
        if self.norm == "layer":
            return LayerNormalization()(x)
        return x

    def activated(self, x: Any, slope: float = 0.0) -> Any:
        """ReLU, leaky if there is a slope; then dropout."""
        x = layers.LeakyReLU(slope)(x) if slope else layers.ReLU()(x)
        return SeededDropout(next(self._numbers))(x, *self.dropout) if self.dropout else x

    def attended(self, x: Any) -> Any:
        """The map, with `self_attention` if its side is the one for attention."""
        return self.self_attention(x) if x.shape[1] == self.attention else x

    def self_attention(self, x: Any) -> Any:
        """Self-attention (Zhang et al., 2019, arXiv:1805.08318).

        x + gain * (1x1 convolution of the attended values): queries and keys have an eighth of the
        channels, values half. Max-pooling halves the map of keys and values; nothing has a bias.
        """
        channels = x.shape[3]
        queries = self._plain(x, max(1, channels // 8))
        keys = layers.MaxPooling2D()(self._plain(x, max(1, channels // 8)))
        values = layers.MaxPooling2D()(self._plain(x, max(1, channels // 2)))
        found = self._plain(Attend()(queries, keys, values), channels)
        return layers.Add()([x, Gain()(found)])

    def deviation(self, x: Any) -> Any:
        """The features, with the plane of `MinibatchDeviation` if it is switched on."""
        return MinibatchDeviation()(x) if self.minibatch_stddev else x

    def _plain(self, x: Any, filters: int) -> Any:
        return self.conv(x, filters, 1, bias=False)


def _laid_out(x: Any, factor: int) -> Any:
    """Sub-pixel convolution's last step (Shi et al., 2016, arXiv:1609.05158).

    Features [batch, height, width, factor * factor * C] become [batch, factor * height,
    factor * width, C].
    """
    height, width, filters = x.shape[1:]
    left = filters // (factor * factor)
    x = layers.Reshape([height, width, factor, factor, left])(x)
    x = layers.Permute([1, 3, 2, 4, 5])(x)  # [batch, height, factor, width, factor, C]
    return layers.Reshape([factor * height, factor * width, left])(x)
