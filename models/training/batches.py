"""The training set in batches, in an order that is computed, not stored."""

import math
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.arrays import Attributes, Labels

# Walks through the training set: for the real images, and for the labels of generated images, which
# are thus as frequent as in the data.
REAL, LABELS_D, LABELS_G = range(3)

_BLOCK_BYTES = 2**25  # of images to read at once
_CALL_BYTES = 2**28  # of images for one compiled call, at most

Index = npt.NDArray[np.int64]


class Images(Protocol):
    """uint8 images [N, height, width, channels]: an array, or a source that reads on demand."""

    @property
    def shape(self) -> tuple[int, ...]:
        """N, height, width, channels."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Index) -> npt.NDArray[np.uint8]:
        """The images at an array of indices."""


class TrainingSet:
    """Images and their labels, all on the device or copied there batch by batch.

    Both ways give the same bits in training.

    Args:
        images: all of them.
        labels: int64 [N] in 0..K-1, attributes, uint8 [N, A] of 0 and 1, or None.
        resident: whether to keep all images on the device.
    """

    def __init__(
        self, images: Images, labels: Labels | Attributes | None = None, resident: bool = True
    ) -> None:
        self._images = images
        self._labels = labels
        self._held = tf.constant(images[np.arange(len(images))]) if resident else None
        self._image_bytes = math.prod(images.shape[1:])
        self._block_size = max(_BLOCK_BYTES // self._image_bytes, 1)
        self._blocks: dict[tuple[int, int], Future[npt.NDArray[np.uint8]]] = {}
        self._reader = ThreadPoolExecutor(1)

    def __len__(self) -> int:
        return len(self._images)

    def images(self, seed: int, first: int, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The images at ``count`` places of the walk of real images: a tensor, and places in it.

        Images not on the device are read in blocks, and the next block is read in the background.
        """
        if self._held is not None:
            return self._held, tf.constant(self.order(seed, REAL, first, count))
        begin, end = first // self._block_size, (first + count - 1) // self._block_size + 1
        wanted = {(seed, number) for number in range(begin, end + 1)}
        self._blocks = {key: block for key, block in self._blocks.items() if key in wanted}
        for key in sorted(wanted - self._blocks.keys()):
            self._blocks[key] = self._reader.submit(self._read, *key)
        blocks = [self._blocks[seed, number].result() for number in range(begin, end)]
        start = first - begin * self._block_size
        images = np.concatenate(blocks)[start : start + count]
        return tf.constant(images), tf.range(count, dtype=tf.int64)

    def _read(self, seed: int, number: int) -> npt.NDArray[np.uint8]:
        """A block of the walk of real images."""
        first = number * self._block_size
        return self._images[self.order(seed, REAL, first, self._block_size)]

    def steps_at_once(self, images_per_step: int) -> int:
        """The number of steps whose images may be in memory at once; no limit if all are there."""
        if self._held is not None:
            return sys.maxsize
        return max(_CALL_BYTES // (self._image_bytes * images_per_step), 1)

    def labels(self, index: Index) -> tf.Tensor:
        """The labels of ``index`` in a labelled set: int64 [n], or attributes as float32 [n, A]."""
        assert self._labels is not None
        return tf.constant(self._labels[index], tf.int64 if self._labels.ndim == 1 else tf.float32)

    def order(self, seed: int, stream: int, first: int, count: int) -> Index:
        """The indices at ``count`` places of an endless walk through the set, from ``first`` on.

        The walk is one random order of all images after another. An image's place in an order is
        computed (by a block cipher), so that a walk can begin anywhere.

        Args:
            seed: of the trial; with ``stream`` it decides the orders.
            stream: the walk: `REAL`, `LABELS_D` or `LABELS_G`.
            first: the first place.
            count: number of places.
        """
        place = np.arange(first, first + count)
        rounds, rest = np.divmod(place, len(self))
        seeds = np.stack([np.full(count, seed), np.full(count, stream), rounds], axis=1)
        index = tf.raw_ops.RandomIndexShuffle(
            index=rest, seed=seeds, max_index=len(self) - 1, rounds=4
        )
        shuffled: Index = index.numpy()
        return shuffled


def proportional_labels(count: int, class_counts: Sequence[int]) -> npt.NDArray[np.int64]:
    """``count`` labels, int64, with the frequencies of ``class_counts``, in ascending order."""
    places = (np.arange(count) + 0.5) / count
    shares = np.cumsum(class_counts) / np.sum(class_counts)
    return np.searchsorted(shares, places).astype(np.int64)


def drawn_attributes(count: int, attributes: Attributes) -> npt.NDArray[np.float32]:
    """``count`` rows of attributes, float32 [count, A], from evenly spaced places."""
    return attributes[np.arange(count) * len(attributes) // count].astype(np.float32)
