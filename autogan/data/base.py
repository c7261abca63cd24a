"""What a dataset is: a source of images and labels as uint8, in memory or on disk."""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from autogan.core.arrays import Attributes, Images, Labels
from autogan.core.errors import ConfigError
from autogan.core.registry import Part
from autogan.data.checks import check_attributes, checked_images, checked_labels
from autogan.data.pictures import PictureFiles, square
from autogan.data.reading import Reading

MIN_SIZE, MAX_SIZE, SIZE_STEP = 8, 256, 4
MEMORY_BYTES = 2**30  # images beyond this size are not held in memory
_SHOWN_NAMES = 20  # of classes, where one is not known
_MOST_ROWS = 10_000  # of attributes that a generator keeps
_BLOCK_BYTES = 2**24  # of mapped images read at once for their digest


@dataclass(frozen=True)
class Split:
    """A set of images.

    Attributes:
        images: uint8 [N, height, width, channels], channels 1 or 3 (grey ones may be given without
            channels); read when they are asked for where they are too many for memory.
        labels: int64 [N] in 0..K-1, attributes, uint8 [N, A] of 0 and 1 with A from 2 on, or None.

    Raises:
        ConfigError: if they are something else.
    """

    images: Images | PictureFiles
    labels: Labels | Attributes | None

    def __post_init__(self) -> None:
        if not isinstance(self.images, PictureFiles):
            object.__setattr__(self, "images", checked_images("dataset", "", self.images))
        if self.attributes is not None:
            check_attributes("dataset", self.attributes, len(self))
        elif self.labels is not None:
            labels = checked_labels("dataset", "", self.labels, len(self))
            object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def attributes(self) -> Attributes | None:
        """The attributes of each image, uint8 [N, A]; None where the labels are classes, or none.

        An array of one column holds classes.
        """
        found: Any = self.labels
        rows = isinstance(found, np.ndarray) and found.dtype == np.uint8 and found.ndim == 2
        return cast(Attributes, found) if rows and found.shape[1] > 1 else None

    @property
    def classes(self) -> Labels | None:
        """The class of each image, int64 [N]; None where there are none."""
        return cast(Labels | None, self.labels) if self.attributes is None else None

    @property
    def class_counts(self) -> tuple[int, ...]:
        """How many images of each class there are; empty without classes."""
        return () if self.classes is None else tuple(np.bincount(self.classes).tolist())

    @property
    def attribute_counts(self) -> tuple[int, ...]:
        """How many images have each attribute; empty without attributes."""
        rows = self.attributes
        return () if rows is None else tuple(rows.sum(axis=0, dtype=np.int64).tolist())

    @cached_property
    def drawn_attributes(self) -> Attributes | None:
        """The attributes of all images, or of 10,000 drawn with a fixed seed; None without any."""
        rows = self.attributes
        return None if rows is None else rows[_drawn(len(rows), _MOST_ROWS)]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of images and labels, in hexadecimal digits: equal for equal data.

        Of images in arrays it notices every pixel, the order and the shape. Files that are read as
        they are needed are too many to be read for it: of them it notices names (below the folder
        that holds them all), order and sizes in bytes, but not that a file was replaced by another
        of the same name and size. Where the files lie has no part in it.
        """
        attributes, labels = self.attributes, self.labels
        kind: bool | str = labels is not None
        if attributes is not None:
            kind = f"{attributes.shape[1]} attributes"
        known = sha256(repr((tuple(map(int, self.images.shape)), kind)).encode())
        if isinstance(self.images, PictureFiles):
            known.update(self.images.listing())
        else:
            rows = max(1, _BLOCK_BYTES // math.prod(self.images.shape[1:]))
            for first in range(0, len(self), rows):
                known.update(np.ascontiguousarray(self.images[first : first + rows]).data)
        if labels is not None:
            dtype = "<i8" if attributes is None else "u1"
            known.update(np.ascontiguousarray(labels, dtype).data)
        return known.hexdigest()

    @property
    def fits_in_memory(self) -> bool:
        """Whether all images may be held in memory at once."""
        return math.prod(self.images.shape) <= MEMORY_BYTES

    def subset(self, count: int) -> tuple[Images, Labels | None]:
        """``count`` images drawn with a fixed seed, and their classes; all if there are no more."""
        chosen = _drawn(len(self), count)
        return self.images[chosen], None if self.classes is None else self.classes[chosen]


def _drawn(count: int, most: int) -> npt.NDArray[np.int64]:
    """Of ``count`` places ``most``, drawn with a fixed seed, in order; all if there are no more."""
    if most >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


@dataclass(frozen=True)
class ImageData:
    """A dataset's splits; ``test`` is None where it has no test images.

    Attributes:
        train: the training images.
        test: those that are not trained on, or None.
        names: of the classes, in the order of their numbers, or of the attributes, where they have
            any.
        notes: what was left out or changed, and why: short lines for the user.
        unlabelled: why there are no classes, in words, where that is known.
    """

    train: Split
    test: Split | None
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unlabelled: str = ""

    def __post_init__(self) -> None:
        counts = self.train.class_counts
        labels = len(self.train.attribute_counts or counts)
        if self.names and len(self.names) != labels:
            each, all_ = "class", "classes"
            if self.train.attributes is not None:
                each, all_ = "attribute", "attributes"
            raise ConfigError(
                "dataset",
                f"{len(self.names)} names of {all_}, and labels of {labels}; give each {each} one "
                "name",
            )
        if self.test is None:
            return
        made, other = self.image_shape, tuple(self.test.images.shape[1:])
        if made[2] != other[2]:
            raise ConfigError(
                "dataset",
                f"training images have {made[2]} channels, test images {other[2]}; make both grey "
                "or both RGB",
            )
        if made != other:
            raise ConfigError(
                "image_size",
                f"training images have {made[1]}x{made[0]} pixels, test images "
                f"{other[1]}x{other[0]}; give --image-size to crop and resize them all",
            )
        if len(self.test.attribute_counts) != len(self.train.attribute_counts):
            raise ConfigError(
                "dataset",
                f"{len(self.train.attribute_counts)} attributes of training images, and "
                f"{len(self.test.attribute_counts)} of test images; give both the same",
            )
        unknown = len(self.test.class_counts) - 1
        if counts and unknown >= len(counts):
            raise ConfigError(
                "dataset",
                f"test images of class {unknown}, and training images of classes 0 to "
                f"{len(counts) - 1} alone; number the classes alike in both",
            )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        _, height, width, channels = self.train.images.shape
        return height, width, channels

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names or numbers of the classes or attributes; empty without either."""
        counts = self.train.attribute_counts or self.train.class_counts
        return self.names or tuple(map(str, range(len(counts))))

    @property
    def classes(self) -> dict[str, int]:
        """How many training images of each class there are, by its name or number."""
        return _by_name(self.label_names, self.train.class_counts)

    @property
    def attributes(self) -> dict[str, int]:
        """How many training images have each attribute, by its name or number."""
        return _by_name(self.label_names, self.train.attribute_counts)


class Dataset(Part):
    """A source of images.

    Args:
        argument: what stands after the colon of ``folder:PATH``; empty for all others.
        data_dir: where the user keeps the dataset's files; None to download them.
    """

    default_features: ClassVar[str] = ""  # the best pretrained network at hand
    takes_labels: ClassVar[bool] = False  # whether `Reading.labels` names its images

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


class FileDataset(Dataset):
    """A source of images in files, which may be read in several ways.

    Attributes:
        reading: how the user wants them to be read; set after the dataset is made.
        tell: reports what takes long while they are read.
    """

    reading: Reading = Reading()
    tell: Callable[[str], None] = staticmethod(lambda text: None)


def _by_name(names: Sequence[str], counts: Sequence[int]) -> dict[str, int]:
    """Counts by name; empty where there are none."""
    return dict(zip(names, counts, strict=True)) if counts else {}


def class_number(
    given: int | str, names: Sequence[str], field: str = "classes", kind: str = "classes"
) -> int:
    """The number of the class that a user calls by its name or, where none has it, by its number.

    Args:
        given: the name or number.
        names: of all.
        field: the key or argument that gives it.
        kind: ``classes``, or ``attributes``, which are numbered likewise.

    Raises:
        ConfigError: naming the field, if there is no such class.
    """
    if given in names:
        return names.index(str(given))
    if str(given).isdecimal() and int(given) < len(names):
        return int(given)
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
    raise ConfigError(field, f"{given!r}: the {kind} are 0 to {len(names) - 1}, named {shown}")


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
    """Cut the largest squares from the centres of images and resize them.

    Args:
        images: uint8 [N, height, width, channels].
        size: side of the squares; None to leave the images as they are.
    """
    if size is None or images.shape[1:3] == (size, size):
        return images
    from PIL import Image

    made = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for i, image in enumerate(images):
        picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
        made[i] = np.asarray(square(picture, size)).reshape(size, size, -1)
    return made
