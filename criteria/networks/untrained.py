"""An untrained feature network, which needs neither labels nor a download."""

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.files import arrays_digest
from autogan.criteria.networks.base import FeatureNetwork

_SMALLEST = 8  # the last convolution works on a side of this many pixels, or up to twice that
_FILTERS = 32
_LEAK = 0.2


class RandomNetwork(FeatureNetwork):
    """Convolutions with random weights from a fixed seed: a makeshift if no other network works.

    Such features rank generators much as trained ones do (Naeem et al., 2020, arXiv:2002.09797,
    section 4, with a VGG16 of random weights, for data without labels), though they carry no
    knowledge of the images' content. This network has 3x3 convolutions of 32 filters (He et al.,
    2015, arXiv:1502.01852) with leaky ReLUs and means of 2x2 pixels between them, down to at most
    15 pixels; then the means of the map's four quarters, 128 features.

    Args:
        image_shape: height, width and channels of the images.
    """

    name = "random"
    resizes = False
    classes = 0
    batch_size = 256

    def __init__(self, image_shape: tuple[int, int, int]) -> None:
        layers = keras.layers
        images = keras.Input(image_shape, dtype="uint8")
        x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
        while True:
            x = layers.LeakyReLU(_LEAK)(layers.Conv2D(_FILTERS, 3, padding="same")(x))
            if min(x.shape[1:3]) < 2 * _SMALLEST:
                break
            x = layers.AveragePooling2D(2)(x)
        quarter = (x.shape[1] // 2, x.shape[2] // 2)
        pool = layers.Flatten()(layers.AveragePooling2D(quarter)(x))
        self._model = keras.Model(images, pool)
        weights = _drawn([tuple(weight.shape) for weight in self._model.weights])
        self._model.set_weights(weights)
        self.weights_hash = arrays_digest({f"{i:02d}": each for i, each in enumerate(weights)})
        self._run = tf.function(
            lambda x: self._model(x, training=False),
            input_signature=[tf.TensorSpec([None, *image_shape], tf.uint8)],
            autograph=False,
        )

    def run(self, images: tf.Tensor) -> tuple[None, npt.NDArray[np.float32]]:
        """Return no logits, and the features [N, 128] of one batch."""
        return None, self._run(images).numpy()


def _drawn(shapes: list[tuple[int, ...]]) -> list[npt.NDArray[np.float32]]:
    """Kernels with He's variance, and small biases; from NumPy, so the same on every machine."""
    rng = np.random.default_rng(0)
    return [
        (
            rng.normal(size=shape) * (np.sqrt(2 / np.prod(shape[:-1])) if len(shape) > 1 else 0.1)
        ).astype(np.float32)
        for shape in shapes
    ]
