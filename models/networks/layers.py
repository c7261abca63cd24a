"""Layers that Keras lacks. Initializers of the layers set all their variables' initial values.

Each layer keeps the initializer of its variable ``x`` as ``x_initializer``, like Keras's layers:
`autogan.models.training.state.initialise` finds it there.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from autogan.models import draws

_TINY = 1e-36  # added to a sum of squares: the norm of a kernel of zeros is 1e-18, not 0


class _Spectral:
    """Divides a layer's kernel by an estimate of its largest singular value.

    Miyato et al., 2018, arXiv:1802.05957: with the kernel as a matrix W [all inputs, outputs] and
    a unit vector ``u`` [outputs], the layer uses W / ||W u||. The gradient goes through the norm
    to W, not to ``u``. Only `iterate` changes ``u``. Keras's layer also changes the kernel in every
    call, and has no gradient through the norm.
    """

    _kernel: keras.Variable

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.u_initializer = keras.initializers.RandomNormal(stddev=1.0)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)  # type: ignore[misc]
        self.u = self.add_weight(  # type: ignore[attr-defined]
            name="u",
            shape=[self._kernel.shape[-1]],
            initializer=self.u_initializer,
            trainable=False,
        )

    @property
    def kernel(self) -> tf.Tensor:
        """W / ||W u||, in the shape of the kernel."""
        kernel = tf.convert_to_tensor(self._kernel)
        product = tf.linalg.matvec(self._matrix(), tf.convert_to_tensor(self.u))
        return kernel / tf.sqrt(tf.reduce_sum(tf.square(product)) + _TINY)

    def iterate(self, times: int = 1) -> None:
        """Run power iterations: each replaces u by W^T W u, normalised."""
        matrix, u = self._matrix(), tf.convert_to_tensor(self.u)[:, None]
        for _ in range(times):
            u = tf.matmul(matrix, tf.matmul(matrix, u), transpose_a=True)
            u = tf.math.l2_normalize(u, epsilon=_TINY)
        self.u.assign(u[:, 0])

    def _matrix(self) -> tf.Tensor:
        return tf.reshape(tf.convert_to_tensor(self._kernel), [-1, self._kernel.shape[-1]])


class SpectralDense(_Spectral, layers.Dense):
    """A dense layer with spectral normalisation."""


class SpectralConv2D(_Spectral, layers.Conv2D):
    """A convolution with spectral normalisation."""


def iterate_power(network: keras.Model, times: int = 1) -> None:
    """Run power iterations in each spectrally normalised layer; one per discriminator update."""
    for layer in network.layers:
        if isinstance(layer, _Spectral):
            layer.iterate(times)


class LayerNormalization(layers.GroupNormalization):
    """Normalisation of each image, over height, width and channels; a scale for each channel.

    Keras's layer takes the variance from ``tf.nn.moments``, which treats the mean as a constant, so
    that its second derivative, which gradient penalties need, is wrong.
    """

    def __init__(self) -> None:
        super().__init__(groups=1, epsilon=1e-5)

    def call(self, features: Any) -> Any:
        """Return the normalised features, in their shape."""
        axes = list(range(1, len(features.shape)))
        centred = features - tf.reduce_mean(features, axes, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axes, keepdims=True)
        return centred * tf.math.rsqrt(variance + self.epsilon) * self.gamma + self.beta


class BatchNormalization(layers.BatchNormalization):
    """Keras's batch normalisation with a correct second derivative; see `LayerNormalization`."""

    def call(self, features: Any, training: bool = False) -> Any:
        """Return the normalised features, in their shape."""
        if not training:
            return super().call(features)
        wide = tf.cast(features, tf.float32)  # as in Keras, whose statistics are float32
        axes = list(range(len(features.shape) - 1))
        mean = tf.reduce_mean(wide, axes)
        centred = wide - mean
        variance = tf.reduce_mean(tf.square(centred), axes)
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(self.momentum * moving + (1.0 - self.momentum) * now)
        gamma, beta = tf.cast(self.gamma, tf.float32), tf.cast(self.beta, tf.float32)
        normed = centred * tf.math.rsqrt(variance + self.epsilon) * gamma + beta
        return tf.cast(normed, features.dtype)


class ConditionalBatchNormalization(layers.BatchNormalization):
    """Batch normalisation with a scale and a shift for each class, or for an image's attributes.

    De Vries et al., 2017, arXiv:1707.00683. Initially, all classes have scale 1 and shift 0. The
    inputs are features, float32 [batch, ..., C], and classes, one-hot float32 [batch, K], or
    attributes, float32 [batch, A].

    The scale of class k is row k of gamma, that is, classes @ gamma. For attributes a, this product
    would be 0 for an image without any, and initially equal to their number. So write the rows as
    1 + delta: for a one-hot vector, whose sum is 1, classes @ (1 + delta) = 1 + classes @ delta.
    For attributes, the scale is therefore 1 + a @ delta: 1 without any, and initially 1 for all
    images, since delta starts at 0. The shift needs no such change: beta starts at 0.

    Args:
        attributes: whether the layer takes attributes; ``gamma`` is then delta.
        options: of Keras's layer.
    """

    def __init__(self, attributes: bool = False, **options: Any) -> None:
        start = "zeros" if attributes else "ones"
        super().__init__(center=False, scale=False, gamma_initializer=start, **options)
        self._attributes = attributes

    def build(self, features_shape: Any, classes_shape: Any) -> None:
        """Build for features and classes."""
        super().build(features_shape)
        shape = [classes_shape[-1], features_shape[-1]]
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer=self.gamma_initializer)
        self.beta = self.add_weight(name="beta", shape=shape, initializer=self.beta_initializer)

    def call(self, features: Any, classes: Any, training: bool = False) -> Any:
        """Return the normalised features, in their shape."""
        x = super().call(features, training=training)
        each = [-1, *[1] * (len(features.shape) - 2), features.shape[-1]]
        gamma = tf.reshape(tf.matmul(classes, self.gamma), each)
        if self._attributes:
            gamma = 1.0 + gamma
        return x * gamma + tf.reshape(tf.matmul(classes, self.beta), each)


class SeededDropout(layers.Layer):
    """Dropout whose rate and seed are inputs of the network.

    Args:
        number: of the layer in its network; layers with different numbers draw independent masks.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def call(self, features: Any, rate: Any, draw: Any) -> Any:
        """Return the features with a share ``rate`` set to 0 and the others times 1 / (1 - rate).

        Args:
            features: float32 of any shape.
            rate: a scalar float32 in [0, 1); at 0 the features stay unchanged.
            draw: int64 [2]; with ``number`` it decides the mask.
        """
        if tf.get_static_value(rate) == 0.0:  # no training: an exported network draws nothing
            return features
        seed = draws.folded(draw, self._number)
        rate = tf.cast(rate, tf.float32)
        kept = draws.uniform(tf.shape(features), seed) >= rate
        return features * tf.cast(tf.where(kept, 1.0 / (1.0 - rate), 0.0), features.dtype)


class Attend(layers.Layer):
    """For each place, the mean of values, weighted by how well their keys match its query."""

    def call(self, queries: Any, keys: Any, values: Any) -> Any:
        """Return float32 [batch, height, width, D].

        Args:
            queries: float32 [batch, height, width, C].
            keys: float32 [batch, h, w, C].
            values: float32 [batch, h, w, D].
        """
        flat = [tf.reshape(x, [-1, x.shape[1] * x.shape[2], x.shape[3]]) for x in (keys, values)]
        places = tf.reshape(queries, [-1, queries.shape[1] * queries.shape[2], queries.shape[3]])
        weights = tf.nn.softmax(tf.matmul(places, flat[0], transpose_b=True))
        mean = tf.matmul(weights, flat[1])
        return tf.reshape(mean, [-1, *queries.shape[1:3], values.shape[3]])


class Gain(layers.Layer):
    """A learned multiple of its input; it starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.gain_initializer = keras.initializers.Zeros()

    def build(self, input_shape: Any) -> None:
        """Build for inputs of any shape."""
        self.gain = self.add_weight(name="gain", shape=[], initializer=self.gain_initializer)

    def call(self, features: Any) -> Any:
        """Return the features, times the gain."""
        return features * self.gain


class MinibatchDeviation(layers.Layer):
    """A plane that measures how much the images of a group differ (Karras et al., 2018, section 3).

    Groups have 4 images, or all images of a smaller batch; a larger batch must be divisible by 4.
    Image n of a batch of N is in group n mod (N / 4), as in StyleGAN.
    """

    def call(self, features: Any) -> Any:
        """Map float32 [batch, height, width, C] to [batch, height, width, C + 1]."""
        batch = tf.shape(features)[0]
        group = tf.minimum(4, batch)
        _, height, width, channels = features.shape
        grouped = tf.reshape(features, [group, -1, height, width, channels])
        deviation = tf.sqrt(tf.math.reduce_variance(grouped, axis=0) + 1e-8)
        mean = tf.tile(tf.reduce_mean(deviation, axis=[1, 2, 3]), [group])
        plane = tf.broadcast_to(mean[:, None, None, None], [batch, height, width, 1])
        return tf.concat([features, plane], axis=3)


class _Basis(layers.Layer):
    """Holds ``basis``, [size, size, C]."""

    def __init__(self, size: int, deviation: float) -> None:
        super().__init__()
        self._size = size
        self.basis_initializer = keras.initializers.RandomNormal(stddev=deviation)

    def build(self, input_shape: Any) -> None:
        """Build for C channels."""
        shape = [self._size, self._size, input_shape[-1]]
        self.basis = self.add_weight(name="basis", shape=shape, initializer=self.basis_initializer)


class FromBasis(_Basis):
    """Maps [batch, C] to [batch, size, size, C]: each feature times its learned picture."""

    def call(self, features: Any) -> Any:
        """Return each channel's picture, times the feature."""
        return features[:, None, None, :] * self.basis


class OntoBasis(_Basis):
    """Maps [batch, size, size, C] to [batch, C]: each channel's product with a learned picture."""

    def call(self, features: Any) -> Any:
        """Return each channel's sum over pixels, weighted by the picture."""
        return tf.reduce_sum(features * self.basis, axis=[1, 2])


class OfClass(layers.Layer):
    """Selects each row from the one of K tensors [batch, ...] for its class, one-hot [batch, K]."""

    def call(self, classes: Any, *of_each: Any) -> Any:
        """Return the rows, [batch, ...]."""
        chosen = tf.reshape(classes, [-1, classes.shape[1], *[1] * (of_each[0].shape.rank - 1)])
        return tf.reduce_sum(tf.stack(of_each, axis=1) * chosen, axis=1)
