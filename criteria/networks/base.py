"""Feature networks, which map images to logits and pooled features."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.arrays import Images
from autogan.core.errors import ConfigError, one_line
from autogan.criteria.statistics import Features

Outputs = tuple[npt.NDArray[np.float32] | None, npt.NDArray[np.float32]]

_INCEPTION_SIZE = 299


class FeatureNetwork(ABC):
    """Maps images to features.

    Attributes:
        name: as in the labels of criteria.
        weights_hash: SHA-256 of the weights; values are comparable only if it is equal.
        resizes: whether it accepts images of any size and number of channels.
        classes: K, the number of its logits; 0 if it has none.
        batch_size: the number of images per call.
        fast: whether the features of ten thousand images take about a second on a CPU.
        accuracy: the share of the dataset's unseen images that it classifies correctly, 0 to 1;
            None if unknown.
    """

    name: str
    weights_hash: str
    resizes: bool
    classes: int
    batch_size: int
    fast: bool = False
    accuracy: float | None = None

    def features(self, images: Images) -> Features:
        """Return the features of uint8 images [N, height, width, 1 or 3]."""
        batches = [
            self.run(tf.constant(images[first : first + self.batch_size]))
            for first in range(0, len(images), self.batch_size)
        ]
        logits, pools = zip(*batches, strict=True)
        scores = None if logits[0] is None else np.concatenate(logits)
        return Features(scores, np.concatenate(pools))

    @abstractmethod
    def run(self, images: tf.Tensor) -> Outputs:
        """Return logits [N, K], if there are any, and pooled features [N, D] of one batch."""

    def keep(self, path: Path) -> None:  # noqa: B027 (most come from files of their own)
        """Copy weights that only this machine's cache holds to a run's file; default: nothing."""


class SavedModelNetwork(FeatureNetwork):
    """Any SavedModel with the signature of TF-GAN's Inception module.

    It takes float32 RGB images [N, height, width, 3] in [-1, 1] and returns a dictionary with
    ``pool_3`` [N, D] and, if it classifies, ``logits`` [N, K] (further axes of length 1 are
    flattened). Images are resized to the size that it declares, as TensorFlow 1 did it (bilinear,
    corners not aligned, no half-pixel centres), because published Inception figures depend on that.
    Grey images are repeated over the three channels.

    The name ``inception`` means TF-GAN's network, which declares no size: its images are always
    resized to 299.

    Args:
        name: for the labels of criteria; if None, the folder's name.
        folder: of the SavedModel.

    Raises:
        ConfigError: if it cannot be loaded or has another signature.
    """

    batch_size = 50

    def __init__(self, name: str | None, folder: Path) -> None:
        try:
            self._model: Callable[[tf.Tensor], Any] = tf.saved_model.load(str(folder))
        except Exception as error:
            raise ConfigError(
                "features", f"{folder} is not a SavedModel ({one_line(error)})"
            ) from error
        if not callable(self._model):
            raise ConfigError(
                "features",
                f"{folder} cannot be called; save a tf.Module or Keras model whose call takes "
                "images and returns pool_3, and logits if it has any",
            )
        self.name = name or folder.resolve().name
        size = _INCEPTION_SIZE if self.name == "inception" else None
        self._size = _declared_size(self._model) or size
        self.resizes = self._size is not None
        self._run = tf.function(self._call, reduce_retracing=True, autograph=False)
        self.weights_hash = _folder_hash(folder)
        self._check_signature(folder)

    def run(self, images: tf.Tensor) -> Outputs:
        """Return logits [N, K], if there are any, and pooled features [N, D] of one batch."""
        if images.shape[-1] == 1:
            images = tf.repeat(images, 3, axis=-1)
        logits, pool = self._run(images)
        return None if logits is None else logits.numpy(), pool.numpy()

    def _call(self, images: tf.Tensor) -> tuple[tf.Tensor | None, tf.Tensor]:
        x = tf.cast(images, tf.float32)
        if self._size:
            x = tf.raw_ops.ResizeBilinear(images=x, size=[self._size, self._size])
        outputs = self._model(x / 127.5 - 1.0)

        def flat(output: tf.Tensor) -> tf.Tensor:
            return tf.reshape(output, [tf.shape(x)[0], math.prod(output.shape[1:])])

        logits = outputs.get("logits")
        return None if logits is None else flat(logits), flat(outputs["pool_3"])

    def _check_signature(self, folder: Path) -> None:
        side = self._size or 32
        try:
            logits, _ = self.run(tf.zeros([2, side, side, 3], tf.uint8))
            self.classes = 0 if logits is None else logits.shape[1]
        except Exception as error:
            raise ConfigError(
                "features",
                f"{folder} does not map float32 RGB images [N, {side}, {side}, 3] to pool_3 (and "
                f"logits, if it has any) ({one_line(error)})",
            ) from error


def _declared_size(model: Any) -> int | None:
    """The side of the images that a SavedModel's call or serving signature declares, if any."""
    call = getattr(model, "__call__", None)  # noqa: B004 (the function itself is wanted)
    functions = list(getattr(call, "concrete_functions", []))
    functions += list(getattr(model, "signatures", {}).values())
    for function in functions:
        for spec in tf.nest.flatten(function.structured_input_signature):
            if isinstance(spec, tf.TensorSpec) and spec.shape.rank == 4 and spec.shape[1]:
                return int(spec.shape[1])
    return None


def _folder_hash(folder: Path) -> str:
    """SHA-256 of a SavedModel's graph and weights."""
    digest = hashlib.sha256()
    for path in [folder / "saved_model.pb", *sorted(folder.glob("variables/*"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()
