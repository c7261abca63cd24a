"""The feature network that AutoGAN trains itself: a classifier of the dataset."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.arrays import Images, Labels
from autogan.core.errors import ConfigError
from autogan.core.files import Damaged, arrays_digest, cached_arrays, read_arrays, write_arrays
from autogan.criteria.networks.base import FeatureNetwork
from autogan.criteria.networks.classifier_training import RECIPES, trained
from autogan.criteria.networks.weights import Tell

_FAST_SIDE = 28  # pixels, up to which the small network takes a second for 10,000 images
_COLOUR_SIDE = 24  # pixels, from which colour images get their own network
_ACCURACY = "accuracy"  # its name in the file of weights


class ClassifierNetwork(FeatureNetwork):
    """A convolutional network trained on the dataset's own labels, and cached.

    Inception's features mean little for 8x8 or grey images, and Inception is not available offline;
    for such data the authors of the usual FID tools recommend a classifier of the data itself.

    Grey and tiny images get a small network, called ``classifier``. Colour images of 24 pixels and
    more get a residual network, which learns from shifted and mirrored images; its name ends in its
    version.

    Its weights depend on the training set, the device and the versions only, not on the number of
    threads or on earlier computations in the process.

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
        colour = shape[2] == 3 and min(shape[:2]) >= _COLOUR_SIDE
        self._recipe = "residual" if colour else "small"
        recipe = RECIPES[self._recipe]
        self.name = f"classifier{recipe.version}" if colour else "classifier"
        self.classes = int(labels.max()) + 1
        self.fast = not colour and max(shape[:2]) <= _FAST_SIDE
        self._model = recipe.network(shape, self.classes)
        self._run = tf.function(
            lambda x: self._model(x, training=False),
            input_signature=[tf.TensorSpec([None, *shape], tf.uint8)],
            autograph=False,
        )
        if kept is not None and kept.exists():
            self._arrays: Mapping[str, npt.NDArray[Any]] = _kept_arrays(kept)
        else:
            data = (images, labels, *unseen) if unseen else _divided(images, labels)
            place = cache / "classifiers" / f"{_digest(recipe.version, *data)}.npz"
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
        weights = trained(self._recipe, images, labels, tell)
        self._model.set_weights(weights)
        arrays = {f"{i:02d}": weight for i, weight in enumerate(weights)}
        if len(unseen):
            right = self.features(unseen).known_logits.argmax(axis=1) == classes
            arrays[_ACCURACY] = np.array(np.mean(right))
        return arrays


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
