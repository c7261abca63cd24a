"""The feature network that AutoGAN trains itself: a classifier of the dataset."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.arrays import Images, Labels
from autogan.core.errors import ConfigError
from autogan.core.files import Damaged, arrays_digest, cached_arrays, read_arrays, write_arrays
from autogan.criteria.networks.base import FeatureNetwork
from autogan.criteria.networks.weights import Tell

_SMALL_VERSION, _SMALL_STEPS = 2, 1000  # versions of network and training, part of cache keys
_COLOUR_VERSION, _COLOUR_STEPS = 3, 6000
_COLOUR_SIDE = 24  # pixels, from which colour images get their own network
_BATCH = 64
_STEPS_PER_CALL = 50
_PATIENCE = 15.0  # least seconds between two lines of progress
_ACCURACY = "accuracy"  # its name in the file of weights


class ClassifierNetwork(FeatureNetwork):
    """A convolutional network trained on the dataset's own labels, and cached.

    Inception's features mean little for 8x8 or grey images, and Inception is not available offline;
    for such data the authors of the usual FID tools recommend a classifier of the data itself.

    Grey and tiny images get a small network, called ``classifier``. Colour images of 24 pixels and
    more get a residual network, which learns from shifted and mirrored images; its name ends in its
    version.

    Its weights depend on the training set, the number of threads and the versions only, not on
    earlier computations in the process.

    Args:
        images: uint8 [N, height, width, channels], the training set.
        labels: int64 [N], in 0..K-1.
        cache: folder of trained classifiers.
        kept: a file written by `keep`; if it exists, its weights are used.
        unseen: further images and labels to test on; if None, every tenth image of each class is
            used for testing instead of training.
        tell: receives lines on slow work.

    Raises:
        ConfigError: if the kept file is damaged, or is for other images.
    """

    resizes = False
    batch_size = 256

    def __init__(
        self,
        images: Images,
        labels: Labels,
        cache: Path,
        kept: Path | None = None,
        unseen: tuple[Images, Labels] | None = None,
        tell: Tell = lambda text: None,
    ) -> None:
        shape = images.shape[1:]
        self._colour = shape[2] == 3 and min(shape[:2]) >= _COLOUR_SIDE
        self.name = f"classifier{_COLOUR_VERSION}" if self._colour else "classifier"
        self.classes = int(labels.max()) + 1
        keras.utils.set_random_seed(0)  # before the weights are drawn
        self._model = (_residual if self._colour else _small)(shape, self.classes)
        self._run = tf.function(
            lambda x: self._model(x, training=False),
            input_signature=[tf.TensorSpec([None, *shape], tf.uint8)],
            autograph=False,
        )
        if kept is not None and kept.exists():
            self._arrays: Mapping[str, npt.NDArray[Any]] = _kept_arrays(kept)
        else:
            version = _COLOUR_VERSION if self._colour else _SMALL_VERSION
            data = (images, labels, *unseen) if unseen else _divided(images, labels)
            place = cache / "classifiers" / f"{_digest(version, *data)}.npz"
            self._arrays = cached_arrays(place, lambda: self._trained(*data, tell))
        weights = {name: self._arrays[name] for name in self._arrays if name != _ACCURACY}
        try:
            self._model.set_weights([weights[name] for name in sorted(weights)])
        except ValueError:
            raise ConfigError(
                "features",
                f"the weights in {kept} belong to a classifier of other images or of another "
                "version; compare with images of the same size and classes, or start a new run",
            ) from None
        self.weights_hash = arrays_digest(weights)
        if _ACCURACY in self._arrays:
            self.accuracy = float(self._arrays[_ACCURACY])

    def run(self, images: tf.Tensor) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return logits [N, K] and pooled features [N, 128] of one batch."""
        logits, pool = self._run(images)
        return logits.numpy(), pool.numpy()

    def keep(self, path: Path) -> None:
        """See `FeatureNetwork.keep`; a file that exists is left alone."""
        if not path.exists():
            write_arrays(path, self._arrays)

    def _trained(
        self, images: Images, labels: Labels, unseen: Images, classes: Labels, tell: Tell
    ) -> dict[str, npt.NDArray[Any]]:
        """Train, and return the weights in order, and the accuracy on unseen images."""
        tell(f"training a classifier on {len(images)} images; it is kept in the cache")
        steps = _COLOUR_STEPS if self._colour else _SMALL_STEPS
        data = tf.data.Dataset.from_tensor_slices((images, labels))
        data = data.shuffle(len(images), seed=0).repeat()
        trainer = keras.Model(self._model.input, self._model.output[0])
        if self._colour:
            data = _varied(data, images.shape[1:], self.classes)
            rate = keras.optimizers.schedules.CosineDecay(
                0.0, steps - steps // 5, warmup_target=0.1, warmup_steps=steps // 5
            )
            trainer.compile(
                keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=5e-4),
                keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
                steps_per_execution=_STEPS_PER_CALL,
            )
        else:
            trainer.compile(
                keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
                keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                steps_per_execution=_STEPS_PER_CALL,
            )
        trainer.fit(
            data.batch(_BATCH),
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
            callbacks=[_Telling(steps, tell)],
        )
        arrays = {f"{i:02d}": weight for i, weight in enumerate(self._model.get_weights())}
        if len(unseen):
            right = self.features(unseen).known_logits.argmax(axis=1) == classes
            arrays[_ACCURACY] = np.array(np.mean(right))
        return arrays


class _Telling(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports a training's progress, at every tenth of it but not too often."""

    def __init__(self, steps: int, tell: Tell) -> None:
        super().__init__()
        self._steps, self._tell = steps, tell
        self._reported, self._tenths = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after every few steps; ``batch`` is the last one, counted from 0."""
        step, now = batch + 1, time.monotonic()
        tenths = 10 * step // self._steps
        if self._tenths < tenths < 10 and now - self._reported >= _PATIENCE:
            self._reported, self._tenths = now, tenths
            self._tell(f"classifier: step {step} of {self._steps}")


def _divided(images: Images, labels: Labels) -> tuple[Images, Labels, Images, Labels]:
    """Images and labels for training, and for testing: a random tenth of each class."""
    order = np.random.default_rng(0).permutation(len(labels))
    tenths = [order[labels[order] == label][9::10] for label in range(labels.max() + 1)]
    unseen = np.zeros(len(labels), bool)
    unseen[np.concatenate(tenths)] = True
    return images[~unseen], labels[~unseen], images[unseen], labels[unseen]


def _digest(version: int, *arrays: npt.NDArray[Any]) -> str:
    """A digest of everything that a trained classifier and its accuracy depend on."""
    digest = hashlib.sha256(f"{version}/{[array.shape for array in arrays]}".encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:20]


def _kept_arrays(path: Path) -> Mapping[str, npt.NDArray[Any]]:
    try:
        return read_arrays(path)
    except Damaged as error:
        raise ConfigError(
            "features", f"{error}; restore it, or remove it to train the classifier again"
        ) from None


def _varied(data: tf.data.Dataset, shape: tuple[int, ...], classes: int) -> tf.data.Dataset:
    """Shift images by up to a tenth of their size, mirror half of them, one-hot encode labels.

    Each image's random numbers depend on its place in the sequence.
    """
    height, width, _ = shape
    borders = [[height // 10] * 2, [width // 10] * 2, [0, 0]]

    def varied(number: tf.Tensor, pair: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.pad(pair[0], borders, "REFLECT")
        image = tf.image.stateless_random_crop(image, shape, tf.stack([0, number]))
        image = tf.image.stateless_random_flip_left_right(image, tf.stack([1, number]))
        return image, tf.one_hot(pair[1], classes)

    return tf.data.Dataset.zip(tf.data.Dataset.counter(), data).map(varied)


def _small(image_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Convolutions and pooling down to at most 7x7, a dense layer (the features), and logits."""
    layers = keras.layers
    images = keras.Input(image_shape, dtype="uint8")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    filters = 32
    while x.shape[1] > 7:
        x = layers.MaxPooling2D()(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        filters = min(2 * filters, 128)
    pool = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return keras.Model(images, [layers.Dense(classes)(pool), pool])


def _residual(image_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Patches at about 16x16 places, three levels of two convolutions, means (the features).

    The second convolution of a level adds to its input. There is no shortcut with strided 1x1
    convolutions, because they crash TensorFlow on some CPUs.
    """
    layers = keras.layers

    def convolved(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
        x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))

    images = keras.Input(image_shape, dtype="uint8")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    stride = max(min(image_shape[:2]) // 16, 2)  # so that images of all sizes take similar time
    x = convolved(x, 32, 2 * stride + 1, stride)
    x = layers.Add()([x, convolved(x, 32)])
    for filters in (64, 128):
        x = convolved(layers.MaxPooling2D()(x), filters)
        x = layers.Add()([x, convolved(x, filters)])
    pool = layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, [layers.Dense(classes)(pool), pool])
