"""MNIST, Fashion-MNIST and CIFAR-10: downloaded by Keras, or read from their original files."""

import os
import tarfile
from abc import abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from autogan.core.arrays import Images
from autogan.core.errors import ConfigError, one_line
from autogan.core.files import look
from autogan.data.base import Dataset, ImageData, Split, resized
from autogan.data.checks import checked_images, checked_labels
from autogan.data.formats import ARRAYS, Unreadable, read_cifar_batch, read_idx, read_npz


class _KerasDataset(Dataset):
    """A dataset of `keras.datasets`, downloaded by Keras or read from ``data_dir``.

    ``data_dir`` is a folder of the dataset's original files or of an .npz file with x_train,
    y_train, x_test and y_test, or is that .npz file.
    """

    files: ClassVar[str]
    """The original files, in words."""

    class_names: ClassVar[tuple[str, ...]] = ()
    """In the order of the classes' numbers; empty if the numbers are the names."""

    def load(self, image_size: int | None) -> ImageData:
        """Read from ``data_dir`` if given, else through Keras."""
        arrays = self._local(self.data_dir) if self.data_dir else self._downloaded()
        x_train, y_train, x_test, y_test = arrays
        train = self._split("training", x_train, y_train, image_size)
        test = self._split("test", x_test, y_test, image_size)
        count = len(train.class_counts)  # the user's own arrays may have other classes
        names = self.class_names[:count] if count <= len(self.class_names) else ()
        return ImageData(train, test, names)

    def _downloaded(self) -> Iterable[Any]:
        import keras

        try:
            (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, self.name).load_data()
        except Exception as error:
            raise ConfigError(
                "dataset",
                f"{self.name} cannot be downloaded ({error}); give --data-dir, the folder of "
                f"{self.name}.npz or of {self.files}",
            ) from error
        return x_train, y_train, x_test, y_test

    def _local(self, place: Path) -> Iterable[Any]:
        if look(place, "data_dir") == "other":
            raise ConfigError(
                "data_dir", f"{place} is neither a folder nor a file; give {self.name}.npz"
            )
        archive = place if os.path.isfile(place) else place / f"{self.name}.npz"
        try:
            arrays = read_npz(archive) if os.path.isfile(archive) else self.read_native(place)
        except Exception as error:  # readers of damaged files raise all kinds of errors
            said = str(error) if isinstance(error, Unreadable) else one_line(error)
            raise ConfigError(
                "data_dir", f"{place}: {self.name} cannot be read ({said}); get its files again"
            ) from error
        if arrays is None:
            raise ConfigError(
                "data_dir",
                f"{place} contains neither {self.name}.npz ({', '.join(ARRAYS)}) nor {self.files}",
            )
        return arrays

    @abstractmethod
    def read_native(self, folder: Path) -> Iterable[Any] | None:
        """Return x_train, y_train, x_test, y_test from the original files; None if not there."""

    def _split(self, part: str, images: Any, labels: Any, image_size: int | None) -> Split:
        name = f"{self.name}: {part}: "
        images = checked_images("data_dir", name, images)
        labels = checked_labels("data_dir", name, labels, len(images))
        return Split(resized(images, image_size), labels)


class _IdxDataset(_KerasDataset):
    """A dataset in four IDX files, as MNIST and its relatives are published."""

    files = "train-images-idx3-ubyte and its three siblings (also as .gz)"

    def read_native(self, folder: Path) -> Iterable[Any] | None:
        """Read the four files; see `_KerasDataset.read_native`."""
        names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        paths = []
        for name in names:
            plain, packed = folder / f"{name}-ubyte", folder / f"{name}-ubyte.gz"
            if not (os.path.isfile(plain) or os.path.isfile(packed)):
                return None
            paths.append(plain if os.path.isfile(plain) else packed)
        return [read_idx(path, int(path.name.partition("-idx")[2][0])) for path in paths]


class MNIST(_IdxDataset):
    """70,000 grey 28x28 handwritten digits (LeCun et al., 1998)."""

    name = "mnist"
    summary = "70,000 grey 28x28 handwritten digits"


class FashionMNIST(_IdxDataset):
    """70,000 grey 28x28 pictures of clothes (Xiao et al., 2017)."""

    name = "fashion_mnist"
    summary = "70,000 grey 28x28 pictures of clothes"
    class_names = (
        "t-shirt",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    )


class CIFAR10(_KerasDataset):
    """60,000 colour 32x32 photographs in ten classes (Krizhevsky, 2009)."""

    name = "cifar10"
    summary = "60,000 colour 32x32 photographs in ten classes"
    files = "cifar-10-batches-py or cifar-10-python.tar.gz"
    class_names = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )

    def read_native(self, folder: Path) -> Iterable[Any] | None:
        """Read the Python batches, packed or not; see `_KerasDataset.read_native`."""
        packed = folder / "cifar-10-python.tar.gz"
        unpacked = (
            folder if folder.name == "cifar-10-batches-py" else folder / "cifar-10-batches-py"
        )
        if os.path.isdir(unpacked):
            return self._batches(lambda name: _regular(unpacked / name).read_bytes())
        if os.path.isfile(packed):
            with tarfile.open(packed) as tar:
                return self._batches(lambda name: _unpacked(tar, name))
        return None

    def _batches(self, read: Callable[[str], bytes]) -> Iterable[Any]:
        def batch(name: str) -> tuple[Images, npt.NDArray[Any]]:
            return read_cifar_batch(name, read(name))

        train = [batch(f"data_batch_{i}") for i in range(1, 6)]
        x_test, y_test = batch("test_batch")
        x_train = np.concatenate([images for images, _ in train])
        y_train = np.concatenate([labels for _, labels in train])
        return x_train, y_train, x_test, y_test


def _regular(path: Path) -> Path:
    if not os.path.isfile(path):
        raise Unreadable(f"{path.name} is missing")
    return path


def _unpacked(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        file = tar.extractfile(f"cifar-10-batches-py/{name}")
    except KeyError:
        file = None
    if file is None:
        raise Unreadable(f"{name} is missing")
    return file.read()
