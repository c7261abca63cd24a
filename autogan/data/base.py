"""What a dataset is: a source of images and labels as uint8, in memory or on disk."""

import hashlib
import math
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from autogan.core.errors import ConfigError
from autogan.core.registry import Part
from autogan.data.pictures import PictureFiles

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
    def digest(self) -> str:
        """SHA-256."""
        return hashlib.sha256(
            np.ascontiguousarray(self.images[np.arange(len(self))]).data
        ).hexdigest()

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
