"""The training set as training takes it: batches in an order that is computed, not stored."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

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
    """Images and their labels, on the device as a whole or brought there batch by batch.

    Both ways train to the same bits.

    Args:
        images: all of them.
        labels: int64 [N] in 0..K-1, or None.
        resident: whether all images are held on the device at once.
    """

    def __init__(
        self, images: Images, labels: npt.NDArray[np.int64] | None = None, resident: bool = True
    ) -> None:
        self._images = images
        self._labels = labels
        self._held = tf.constant(images[np.arange(len(images))]) if resident else None
        self._reader = ThreadPoolExecutor(1)
        self._ahead: tuple[Index, Future[npt.NDArray[np.uint8]]] | None = None

    def __len__(self) -> int:
        return len(self._images)

    def images(self, index: Index, then: Index) -> tuple[tf.Tensor, tf.Tensor]:
        """Where to find the images of ``index``: a tensor of images, and their places in it.

        Args:
            index: the images that are wanted now.
            then: those that will be wanted next, as far as one knows; they are read meanwhile.
        """
        if self._held is not None:
            return self._held, tf.constant(index)
        if self._ahead is not None and np.array_equal(self._ahead[0], index):
            images = self._ahead[1].result()
        else:
            images = self._images[index]
        self._ahead = (then, self._reader.submit(self._images.__getitem__, then))
        return tf.constant(images), tf.range(len(index), dtype=tf.int64)

    def labels(self, index: Index) -> tf.Tensor:
        """The labels of ``index``, int64; none at all in an unlabelled set."""
        return tf.constant(self._labels[index] if self._labels is not None else [], tf.int64)

    def order(self, seed: int, stream: int, first: int, count: int) -> Index:
        """The indices at ``count`` places of an endless walk through the set, from ``first`` on.

        It goes through one random order of all images after another. Where an image stands in an
        order is computed (a block cipher), so that a walk can begin anywhere.

        Args:
            seed: of the trial; with ``stream`` it decides the orders.
            stream: which of several walks.
            first: the first place.
            count: how many places.
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
    """``count`` labels, int64, as frequent as ``class_counts`` says, in ascending order."""
    places = (np.arange(count) + 0.5) / count
    shares = np.cumsum(class_counts) / np.sum(class_counts)
    return np.searchsorted(shares, places).astype(np.int64)
