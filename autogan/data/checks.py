"""Checks that arrays can be images and labels; the errors say how to repair them."""

import functools
from typing import Any

import numpy as np

from autogan.core.arrays import Attributes, Images, Labels
from autogan.core.errors import ConfigError

MOST_CLASSES = 1000  # class numbers below this are plausible even with fewer images

_IMAGES = "they must be uint8 [N, height, width] or [N, height, width, 1 or 3]"
_LABELS = "they must be whole numbers from 0, one for each image"
_REMEDIES = {
    "f": "multiply values in [0, 1] by 255, round, and save them with astype('uint8')",
    "b": "save them as images * 255, with astype('uint8')",
    "i": "save values from 0 to 255 with astype('uint8')",
    "u": "save values from 0 to 255 with astype('uint8')",
}


def checked_images(field: str, name: str, images: Any) -> Images:
    """Images as [N, height, width, 1 or 3].

    Args:
        field: the key that names their source, for errors.
        name: a prefix of errors, which says where they are from.
        images: the object to check.

    Raises:
        ConfigError: if it is not a uint8 array of such a shape, or is empty.
    """
    refuse = functools.partial(_refuse, field, name, images, "images")
    if not isinstance(images, np.ndarray):
        raise refuse(f"{_IMAGES}; save them with numpy.savez")
    if images.dtype != np.uint8:
        raise refuse(f"{_IMAGES}; {_REMEDIES.get(images.dtype.kind, 'save plain numbers')}")
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise refuse(_IMAGES)
    if not images.size:
        raise refuse(f"{_IMAGES}, at least one image of at least one pixel")
    checked: Images = images
    return checked


def checked_labels(field: str, name: str, labels: Any, count: int) -> Labels:
    """Labels as int64 [N].

    Args:
        field: the key that names their source, for errors.
        name: a prefix of errors, which says where they are from.
        labels: the object to check; an array [N] or [N, 1] is right.
        count: number of images.

    Raises:
        ConfigError: if they are not whole numbers of plausible classes, one for each image.
    """
    refuse = functools.partial(_refuse, field, name, labels, "labels")
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        raise refuse(f"{_LABELS}; save them with astype('int64')")
    if labels.ndim > 1 and labels.shape != (count, 1):
        hint = "; if they are one-hot, save labels.argmax(axis=1)" if labels.ndim == 2 else ""
        raise refuse(f"{_LABELS}, [N] or [N, 1]{hint}")
    lowest, highest = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if labels.size != count or lowest < 0:
        start = f" from {lowest}" if lowest < 0 else ""
        raise ConfigError(
            field,
            f"{name}{labels.size} labels{start} for {count} images; give one for each image, "
            "from 0",
        )
    most = max(count, MOST_CLASSES)
    if highest >= most:
        raise ConfigError(
            field,
            f"{name}labels up to {highest} for {count} images; number the classes from 0, each "
            f"below {most}",
        )
    return labels.reshape(-1).astype(np.int64, copy=False)


def check_attributes(field: str, labels: Attributes, count: int) -> None:
    """Check attributes.

    Args:
        field: the key that names their source, for errors.
        labels: uint8 [N, A].
        count: number of images.

    Raises:
        ConfigError: if they are not rows of 0 and 1, one for each image.
    """
    if len(labels) != count:
        raise ConfigError(field, f"attributes of {len(labels)} for {count} images; give each a row")
    if labels.max(initial=0) > 1:
        raise ConfigError(field, f"attributes up to {labels.max()}; give only 0 and 1")


def _refuse(field: str, name: str, found: Any, what: str, problem: str) -> ConfigError:
    if isinstance(found, np.ndarray):
        kind = f"{found.dtype if found.dtype.names is None else 'structured'} {list(found.shape)}"
    else:
        kind = f"of type {type(found).__name__}"
    return ConfigError(field, f"{name}{what} are {kind}; {problem}")
