"""Datasets: images and labels as uint8, in memory or, where they are too many, on disk.

Knows nothing of TensorFlow until `keras.datasets` is needed for a download, or
`tensorflow_datasets` for one of its own.
"""

import gzip
import hashlib
import io
import math
import pickle
import tarfile
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from autogan.errors import ConfigError, one_line
from autogan.files import cache_root, mapped_arrays
from autogan.pictures import SUFFIXES, PictureFiles, labelled_files, square
from autogan.registry import Part, Registry, suggestion

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

MIN_SIZE, MAX_SIZE, SIZE_STEP = 8, 128, 4
MEMORY_BYTES = 2**30  # images beyond this size are not held in memory


@dataclass(frozen=True)
class Split:
    """A set of images.

    Attributes:
        images: uint8 [N, height, width, channels], channels 1 or 3; read when they are asked for
            where they are too many for memory.
        labels: int64 [N] in 0..K-1, or None.
    """

    images: Images | PictureFiles
    labels: Labels | None

    def __post_init__(self) -> None:
        shape, dtype = self.images.shape, getattr(self.images, "dtype", np.uint8)
        if len(shape) != 4 or shape[3] not in (1, 3) or dtype != np.uint8 or not len(self):
            raise ConfigError(
                "dataset",
                f"images are {np.dtype(dtype)} {list(shape)}; they must be uint8 [N, height, "
                "width, 1 or 3]",
            )
        if self.labels is not None and (len(self.labels) != len(self) or self.labels.min() < 0):
            raise ConfigError(
                "dataset",
                f"{len(self.labels)} labels from {self.labels.min()} on for {len(self)} images; "
                "there must be one for each, from 0 on",
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """How many images of each class there are; empty without labels."""
        return () if self.labels is None else tuple(np.bincount(self.labels).tolist())

    @property
    def fits_in_memory(self) -> bool:
        """Whether all images may be held in memory at once."""
        return math.prod(self.images.shape) <= MEMORY_BYTES

    def subset(self, count: int) -> tuple[Images, Labels | None]:
        """``count`` images drawn with a fixed seed, and their labels; all if there are no more."""
        chosen = np.arange(len(self))
        if count < len(self):
            chosen = np.sort(np.random.default_rng(0).permutation(len(self))[:count])
        labels = None if self.labels is None else self.labels[chosen]
        return self.images[chosen], labels


@dataclass(frozen=True)
class ImageData:
    """A dataset's splits; ``test`` is None where it has no test images.

    ``names`` are those of the classes, in the order of their numbers, where they have any.
    """

    train: Split
    test: Split | None
    names: tuple[str, ...] = ()

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        _, height, width, channels = self.train.images.shape
        return height, width, channels

    @property
    def classes(self) -> dict[str, int]:
        """How many training images of each class there are, by its name or number."""
        counts = self.train.class_counts
        names = self.names or tuple(map(str, range(len(counts))))
        return dict(zip(names, counts, strict=True))


class Dataset(Part):
    """A source of images.

    Args:
        argument: what stands after the colon of ``folder:PATH``; empty for all others.
        data_dir: where the user keeps the dataset's files; None to download them.
    """

    default_features: ClassVar[str] = "inception"

    def __init__(self, argument: str, data_dir: Path | None) -> None:
        if argument:
            raise ConfigError("dataset", f"{self.name}:{argument}: {self.name} takes no argument")
        self.data_dir = data_dir

    @abstractmethod
    def load(self, image_size: int | None) -> ImageData:
        """Read all images, at ``image_size`` pixels or, if None, at their own size.

        Raises:
            ConfigError: if they cannot be read.
        """


class Digits(Dataset):
    """1,797 grey 8x8 digits that come with scikit-learn (UCI, 1998); works offline."""

    name = "digits"
    summary = "scikit-learn's 1,797 grey 8x8 digits; offline"
    default_features = "classifier"

    def load(self, image_size: int | None) -> ImageData:
        """Four fifths of the digits are the training split, chosen once and for all."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
        images = resized(images, image_size)
        labels = digits.target.astype(np.int64)
        order = np.random.default_rng(0).permutation(len(images))
        train, test = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
        return ImageData(Split(images[train], labels[train]), Split(images[test], labels[test]))


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


class Folder(Dataset):
    """The images below a folder; with an image size, cropped at the centre to squares and resized.

    ``train/`` and ``test/`` are its splits where they exist. Labels come from sub-folders where
    there are two or more and every image lies in one. Grey if all files are grey, else RGB.
    """

    name = "folder"
    summary = "folder:PATH, any images below PATH, labels from sub-folders"

    def __init__(self, argument: str, data_dir: Path | None) -> None:
        if not argument:
            raise ConfigError("dataset", "folder names no folder; write folder:PATH")
        self.root = Path(argument).expanduser()
        self.data_dir = data_dir

    def load(self, image_size: int | None) -> ImageData:
        """Read all images; without ``image_size`` they must have one size already."""
        if not self.root.is_dir():
            raise ConfigError("dataset", f"folder:{self.root}: there is no such folder")
        train_root = self.root / "train" if (self.root / "train").is_dir() else self.root
        test_root = self.root / "test"
        has_test = train_root != self.root and test_root.is_dir()
        train, classes = labelled_files(train_root)
        test, test_classes = labelled_files(test_root) if has_test else ([], ())
        if not train:
            raise ConfigError(
                "dataset",
                f"folder:{train_root}: no images there; known endings: "
                f"{' '.join(sorted(SUFFIXES))}",
            )
        if test and test_classes != classes:
            raise ConfigError(
                "dataset",
                f"folder:{self.root}: train/ has the classes {', '.join(classes) or 'none'}, "
                f"test/ {', '.join(test_classes) or 'none'}; they must be the same",
            )
        files = PictureFiles.of([path for path, _ in train + test], image_size)
        labels = np.array([label for _, label in train + test], np.int64) if classes else None

        def split(first: int, last: int) -> Split:
            given = Split(files.part(first, last), None if labels is None else labels[first:last])
            return Split(*given.subset(last - first)) if given.fits_in_memory else given

        count = len(train)
        return ImageData(split(0, count), split(count, len(files)) if test else None, classes)


class TensorFlowDatasets(Dataset):
    """Any dataset of TensorFlow Datasets that has images, through the optional extra ``tfds``.

    Its pictures are decoded once, cropped at the centre to squares and resized, into a file of
    the user's cache, from where they are read as they are needed. The test split is ``test``, or
    ``validation`` where there is none. Labels are the feature ``label``, if there is one.
    """

    name = "tfds"
    summary = "tfds:NAME, any of TensorFlow Datasets, as tfds:celeb_a; pip install autogan[tfds]"

    def __init__(self, argument: str, data_dir: Path | None) -> None:
        if not argument:
            raise ConfigError(
                "dataset", "tfds names no dataset; write tfds:NAME, as in tfds:celeb_a"
            )
        self.argument = argument
        self.data_dir = data_dir

    def load(self, image_size: int | None) -> ImageData:
        """Download and prepare what is not there yet, and decode it at ``image_size``."""
        builder = self._builder()
        features = builder.info.features
        keys = sorted((k for k in features if _is_picture(features[k])), key="image".__ne__)
        if not keys:
            raise ConfigError("dataset", f"tfds:{self.argument} has no images: {list(features)}")
        key, shape = keys[0], features[keys[0]].shape
        if features[key].dtype != np.uint8:
            raise ConfigError(
                "dataset", f"tfds:{self.argument}: pictures of {features[key].dtype} are not 8 bits"
            )
        height, width, channels = shape[0], shape[1], 1 if shape[2] == 1 else 3
        if image_size is None and (height is None or height != width):
            raise ConfigError(
                "image_size",
                f"none given, and the pictures of tfds:{self.argument} are {width}x{height}; give "
                "--image-size to crop and resize them",
            )
        decoded = (image_size or height, channels)
        test = next((s for s in ("test", "validation") if s in builder.info.splits), None)
        if "train" not in builder.info.splits:
            raise ConfigError("dataset", f"tfds:{self.argument} has no split train")
        self._prepare(builder)
        return ImageData(
            self._split(builder, "train", key, *decoded),
            self._split(builder, test, key, *decoded) if test else None,
        )

    def _builder(self) -> Any:
        try:
            import tensorflow_datasets as tfds
        except ImportError as error:
            raise ConfigError(
                "dataset",
                f"tfds:{self.argument} needs TensorFlow Datasets ({error}); pip install "
                "'autogan[tfds]'",
            ) from None
        try:
            return tfds.builder(self.argument, data_dir=self.data_dir)
        except Exception as error:
            raise ConfigError(
                "dataset",
                f"tfds:{self.argument} cannot be found ({one_line(error)}); see the catalogue "
                "of TensorFlow Datasets for names, or give with --data-dir the root folder in "
                "which you prepared one of your own",
            ) from error

    def _prepare(self, builder: Any) -> None:
        try:
            builder.download_and_prepare()
        except Exception as error:
            raise ConfigError(
                "dataset",
                f"tfds:{self.argument} cannot be had ({one_line(error)}); prepare it with "
                "tensorflow_datasets on a machine that reaches it, and give the root folder (of "
                "all its datasets) with --data-dir",
            ) from error

    def _split(self, builder: Any, name: str, key: str, size: int, channels: int) -> Split:
        count = builder.info.splits[name].num_examples
        origin = hashlib.sha256(f"{builder.data_dir}/{size}".encode()).hexdigest()[:12]
        place = f"{builder.info.full_name.replace('/', '-')}-{name}-{origin}"
        features = builder.info.features
        labelled = "label" in features and hasattr(features["label"], "num_classes")
        images, labels = mapped_arrays(
            cache_root() / "datasets" / place,
            {"images": ((count, size, size, channels), np.uint8), "labels": ((count,), np.int64)},
            lambda arrays: _decode(builder, name, key, arrays, labelled),
        )
        return Split(images, np.array(labels) if labelled else None)


DATASETS: Registry[Dataset] = Registry("dataset", Dataset)
for _dataset in (Digits, MNIST, FashionMNIST, CIFAR10, Folder, TensorFlowDatasets):
    DATASETS.register(_dataset)


def dataset_named(name: str, data_dir: Path | None) -> Dataset:
    """Return the dataset that the user calls ``name``, such as ``mnist`` or ``folder:cats``.

    Raises:
        ConfigError: if there is none of that name.
    """
    kind, _, argument = name.partition(":")
    if ":" in name and kind not in DATASETS.names():  # package.module:Name, or that:ARGUMENT
        attribute, _, argument = argument.partition(":")
        kind = f"{kind}:{attribute}"
    elif kind.replace("-", "_") not in DATASETS.names():
        known = suggestion(name, DATASETS.names())
        raise ConfigError(
            "dataset", f"{name!r} is not known; {known}; a folder is folder:PATH, a dataset of "
            "TensorFlow Datasets tfds:NAME"
        )  # fmt: skip
    dataset = DATASETS.get(kind)
    try:
        return dataset(argument, data_dir)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError("dataset", f"{name}: {type(error).__name__}: {error}") from error


def check_trainable(image_shape: tuple[int, int, int]) -> None:
    """Check that the GAN networks can make such images.

    Raises:
        ConfigError: if they are not square, too small or large, or not divisible by 4.
    """
    height, width, _ = image_shape
    if height != width or not MIN_SIZE <= height <= MAX_SIZE or height % SIZE_STEP:
        raise ConfigError(
            "image_size",
            f"{width}x{height} images cannot be made; give --image-size a multiple of {SIZE_STEP} "
            f"from {MIN_SIZE} to {MAX_SIZE}",
        )


def resized(images: Images, size: int | None) -> Images:
    """Resize square images [N, height, width, channels]; unchanged if ``size`` is None."""
    if size is None or images.shape[1:3] == (size, size):
        return images
    from PIL import Image

    made = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for i, image in enumerate(images):
        picture = Image.fromarray(image.squeeze()).resize((size, size), Image.Resampling.BICUBIC)
        made[i] = np.asarray(picture).reshape(size, size, -1)
    return made


def _is_picture(feature: Any) -> bool:
    """Whether a feature of TensorFlow Datasets is a picture."""
    import tensorflow_datasets as tfds

    return isinstance(feature, tfds.features.Image)


def _decode(
    builder: Any, split: str, key: str, arrays: Mapping[str, npt.NDArray[Any]], labelled: bool
) -> None:
    """Fill arrays with a split's pictures and labels, in the order in which they are stored."""
    from PIL import Image

    _, side, _, channels = arrays["images"].shape
    examples = builder.as_dataset(split=split, shuffle_files=False).as_numpy_iterator()
    for i, example in enumerate(examples):
        picture = Image.fromarray(example[key].squeeze()).convert("L" if channels == 1 else "RGB")
        arrays["images"][i] = np.asarray(square(picture, side)).reshape(side, side, channels)
        if labelled:
            arrays["labels"][i] = example["label"]


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
