"""MNIST, Fashion-MNIST and CIFAR-10: downloaded by Keras, or read from the files they come in."""

import gzip
import io
import pickle
import tarfile
from abc import abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from autogan.core.errors import ConfigError
from autogan.data.base import Dataset, ImageData, Images, Labels, Split, resized


class _KerasDataset(Dataset):
    """A dataset of `keras.datasets`, downloaded by Keras or read from ``data_dir``.

    ``data_dir`` holds the dataset's native files, or is or holds an .npz file of x_train, y_train,
    x_test and y_test.
    """

    files: ClassVar[str]
    """The native files, in words."""

    def load(self, image_size: int | None) -> ImageData:
        """Read from ``data_dir`` if given, else through Keras."""
        arrays = self._local(self.data_dir) if self.data_dir else self._downloaded()
        x_train, y_train, x_test, y_test = (np.asarray(array) for array in arrays)
        return ImageData(
            self._split(x_train, y_train, image_size), self._split(x_test, y_test, image_size)
        )

    def _downloaded(self) -> Iterable[Any]:
        import keras

        try:
            (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, self.name).load_data()
        except Exception as error:
            raise ConfigError(
                "dataset",
                f"{self.name} cannot be downloaded ({error}); give the folder of {self.name}.npz "
                f"or of {self.files} with --data-dir",
            ) from error
        return x_train, y_train, x_test, y_test

    def _local(self, folder: Path) -> Iterable[Any]:
        archives = [folder] if folder.suffix == ".npz" else [folder / f"{self.name}.npz"]
        try:
            for archive in archives:
                if archive.is_file():
                    with np.load(archive, allow_pickle=False) as arrays:
                        return [arrays[k] for k in ("x_train", "y_train", "x_test", "y_test")]
            arrays = self.read_native(folder)
        except Exception as error:
            raise ConfigError(
                "data_dir", f"{folder}: {self.name} cannot be read ({error})"
            ) from error
        if arrays is None:
            raise ConfigError(
                "data_dir",
                f"{folder} holds neither {self.name}.npz (x_train, y_train, x_test, y_test) nor "
                f"{self.files}",
            )
        return arrays

    @abstractmethod
    def read_native(self, folder: Path) -> Iterable[Any] | None:
        """Return x_train, y_train, x_test, y_test from native files; None if they are absent."""

    def _split(self, images: Any, labels: Any, image_size: int | None) -> Split:
        if images.ndim == 3:
            images = images[..., np.newaxis]
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            raise ConfigError(
                "data_dir",
                f"{self.name}: images are {images.dtype} {list(images.shape)}; they must be uint8 "
                "[N, height, width] or [N, height, width, 1 or 3]",
            )
        if labels.size != len(images):
            raise ConfigError(
                "data_dir", f"{self.name}: {labels.size} labels for {len(images)} images"
            )
        return Split(resized(images, image_size), labels.reshape(-1).astype(np.int64))


class _IdxDataset(_KerasDataset):
    """The four IDX files in which MNIST and its kin are published."""

    files = "train-images-idx3-ubyte and its three siblings, packed with gzip or not"

    def read_native(self, folder: Path) -> Iterable[Any] | None:
        """Read the four files; see `_KerasDataset.read_native`."""
        names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        paths = []
        for name in names:
            plain, packed = folder / f"{name}-ubyte", folder / f"{name}-ubyte.gz"
            if not (plain.is_file() or packed.is_file()):
                return None
            paths.append(plain if plain.is_file() else packed)
        return [_read_idx(path) for path in paths]


class MNIST(_IdxDataset):
    """70,000 grey 28x28 handwritten digits (LeCun et al., 1998)."""

    name = "mnist"
    summary = "70,000 grey 28x28 handwritten digits"


class FashionMNIST(_IdxDataset):
    """70,000 grey 28x28 pictures of clothes (Xiao et al., 2017)."""

    name = "fashion_mnist"
    summary = "70,000 grey 28x28 pictures of clothes"


class CIFAR10(_KerasDataset):
    """60,000 coloured 32x32 photographs in ten classes (Krizhevsky, 2009)."""

    name = "cifar10"
    summary = "60,000 coloured 32x32 photographs in ten classes"
    files = "cifar-10-batches-py or cifar-10-python.tar.gz"

    def read_native(self, folder: Path) -> Iterable[Any] | None:
        """Read the Python batches, packed or not; see `_KerasDataset.read_native`."""
        packed = folder / "cifar-10-python.tar.gz"
        unpacked = (
            folder if folder.name == "cifar-10-batches-py" else folder / "cifar-10-batches-py"
        )
        read: Callable[[str], bytes]
        if unpacked.is_dir():
            read = lambda name: (unpacked / name).read_bytes()  # noqa: E731
            return self._batches(read)
        if packed.is_file():
            with tarfile.open(packed) as tar:

                def member(name: str) -> bytes:
                    file = tar.extractfile(f"cifar-10-batches-py/{name}")
                    if file is None:
                        raise ValueError(f"{name} is missing in {packed.name}")
                    return file.read()

                return self._batches(member)
        return None

    def _batches(self, read: Callable[[str], bytes]) -> Iterable[Any]:
        train = [_read_cifar_batch(read(f"data_batch_{i}")) for i in range(1, 6)]
        x_test, y_test = _read_cifar_batch(read("test_batch"))
        x_train = np.concatenate([images for images, _ in train])
        y_train = np.concatenate([labels for _, labels in train])
        return x_train, y_train, x_test, y_test


def _read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes: magic 0, 0, 8, rank; sizes; values."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if data[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path.name} is no IDX file of bytes")
    rank = data[3]
    shape = np.frombuffer(data, ">u4", rank, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


class _CifarUnpickler(pickle.Unpickler):
    """Builds arrays from CIFAR's pickles and refuses whatever else a pickle may call."""

    _ALLOWED: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),  # its name since NumPy 2
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a CIFAR batch")
        if name == "_reconstruct":
            from numpy._core.multiarray import _reconstruct

            return _reconstruct
        return getattr(np, name)


def _read_cifar_batch(data: bytes) -> tuple[Images, Labels]:
    batch = _CifarUnpickler(io.BytesIO(data), encoding="bytes").load()
    images = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return images, np.asarray(batch[b"labels"], np.int64)
