"""Datasets: sources of uint8 images and their labels, in memory or on disk."""

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
_SHOWN_NAMES = 20  # names of classes in an error
_MOST_ROWS = 10_000  # rows of attributes that a generator keeps
_BLOCK_BYTES = 2**24  # bytes of mapped images to read at once for their digest


@dataclass(frozen=True)
class Split:
    """A set of images.

    Attributes:
        images: uint8 [N, height, width, channels] with 1 or 3 channels (grey images may lack the
            last dimension); those that do not fit into memory are read on demand.
        labels: int64 [N] in 0..K-1; or attributes, uint8 [N, A] of 0 and 1 with A >= 2; or None.

    Raises:
        ConfigError: if the images or labels have another form.
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
        """The attributes of each image, uint8 [N, A]; None if there are classes or no labels.

        An array of one column contains classes.
        """
        found: Any = self.labels
        rows = isinstance(found, np.ndarray) and found.dtype == np.uint8 and found.ndim == 2
        return cast(Attributes, found) if rows and found.shape[1] > 1 else None

    @property
    def classes(self) -> Labels | None:
        """The class of each image, int64 [N]; None without classes."""
        return cast(Labels | None, self.labels) if self.attributes is None else None

    @property
    def class_counts(self) -> tuple[int, ...]:
        """The number of images of each class; empty without classes."""
        return () if self.classes is None else tuple(np.bincount(self.classes).tolist())

    @property
    def attribute_counts(self) -> tuple[int, ...]:
        """The number of images with each attribute; empty without attributes."""
        rows = self.attributes
        return () if rows is None else tuple(rows.sum(axis=0, dtype=np.int64).tolist())

    @cached_property
    def drawn_attributes(self) -> Attributes | None:
        """The attributes of all images, or of 10,000 drawn with a fixed seed; None without."""
        rows = self.attributes
        return None if rows is None else rows[_drawn(len(rows), _MOST_ROWS)]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of images and labels, in hexadecimal digits: equal for equal data.

        For images in arrays it covers every pixel, the order and the shape. Files that are read on
        demand are too many to read here: for these it covers the names (below their common folder),
        the order and the sizes in bytes. It does not notice a file that is replaced by another of
        the same name and size, and it does not depend on where the files are.
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
        """Whether all images may be in memory at once."""
        return math.prod(self.images.shape) <= MEMORY_BYTES

    def subset(self, count: int) -> tuple[Images, Labels | None]:
        """At most ``count`` images, drawn with a fixed seed, and their classes."""
        chosen = _drawn(len(self), count)
        return self.images[chosen], None if self.classes is None else self.classes[chosen]


def _drawn(count: int, most: int) -> npt.NDArray[np.int64]:
    """At most ``most`` of ``count`` places, drawn with a fixed seed, in ascending order."""
    if most >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


@dataclass(frozen=True)
class ImageData:
    """A dataset's splits.

    Attributes:
        train: the training images.
        test: images that no GAN is trained on; None if the dataset has no test images.
        names: of the classes, in the order of their numbers, or of the attributes; empty if they
            have only numbers.
        notes: short lines for the user on what was left out or changed, and why.
        unlabelled: why there are no classes, in words, if that is known; else empty.
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
                f"the labels have {labels} {all_}, but {len(self.names)} names are given; give "
                f"each {each} one name",
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
                f"{other[1]}x{other[0]}; give --image-size to crop and resize all images",
            )
        if len(self.test.attribute_counts) != len(self.train.attribute_counts):
            raise ConfigError(
                "dataset",
                f"training images have {len(self.train.attribute_counts)} attributes, test images "
                f"{len(self.test.attribute_counts)}; give both the same",
            )
        unknown = len(self.test.class_counts) - 1
        if counts and unknown >= len(counts):
            raise ConfigError(
                "dataset",
                f"test images have class {unknown}, training images only classes 0 to "
                f"{len(counts) - 1}; number the classes in the same way",
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
        """The number of training images of each class, by its name or number."""
        return _by_name(self.label_names, self.train.class_counts)

    @property
    def attributes(self) -> dict[str, int]:
        """The number of training images with each attribute, by its name or number."""
        return _by_name(self.label_names, self.train.attribute_counts)


class Dataset(Part):
    """A source of images.

    Args:
        argument: the text after the colon, as in ``folder:PATH``; empty for most datasets.
        data_dir: the folder of the dataset's files; None to download them.
    """

    default_features: ClassVar[str] = ""  # empty: the best pretrained network available
    takes_labels: ClassVar[bool] = False  # whether `Reading.labels` may name its images

    def __init__(self, argument: str, data_dir: Path | None) -> None:
        if argument:
            raise ConfigError("dataset", f"{self.name}:{argument}: {self.name} takes no argument")
        self.data_dir = data_dir

    @abstractmethod
    def load(self, image_size: int | None) -> ImageData:
        """Read all images, at ``image_size`` pixels or, if None, at their own size.

        Raises:
            ConfigError: if the images cannot be read.
        """


class FileDataset(Dataset):
    """A source of images in files, with options for reading them.

    Attributes:
        reading: the user's options; set after construction.
        tell: is called with notes on slow work.
    """

    reading: Reading = Reading()
    tell: Callable[[str], None] = staticmethod(lambda text: None)


def _by_name(names: Sequence[str], counts: Sequence[int]) -> dict[str, int]:
    """Counts by name; empty without counts."""
    return dict(zip(names, counts, strict=True)) if counts else {}


def class_number(
    given: int | str, names: Sequence[str], field: str = "classes", kind: str = "classes"
) -> int:
    """The number of the class that the user names; if no class has that name, it is the number.

    Args:
        given: the name or number.
        names: of all classes.
        field: the key or argument that gives it.
        kind: ``classes``, or ``attributes``, which are numbered in the same way.

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
    """Check that the GAN networks can make images of this shape.

    Raises:
        ConfigError: if the images are not square, too small or large, or not divisible by 4.
    """
    height, width, _ = image_shape
    if height != width or not MIN_SIZE <= height <= MAX_SIZE or height % SIZE_STEP:
        raise ConfigError(
            "image_size",
            f"the networks cannot make {width}x{height} images; give --image-size a multiple of "
            f"{SIZE_STEP} from {MIN_SIZE} to {MAX_SIZE}",
        )


def resized(images: Images, size: int | None) -> Images:
    """Crop images at the centre to the largest squares and resize them.

    Args:
        images: uint8 [N, height, width, channels].
        size: side of the resized squares; None leaves the images as they are.
    """
    if size is None or images.shape[1:3] == (size, size):
        return images
    from PIL import Image

    made = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for i, image in enumerate(images):
        picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
        made[i] = np.asarray(square(picture, size)).reshape(size, size, -1)
    return made
