"""Datasets: uint8 images and their labels, in memory or, if they are too large for it, on disk.

Imports TensorFlow only when `keras.datasets` downloads a dataset, or when `tensorflow_datasets`
reads one.
"""

from pathlib import Path

from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.core.registry import Registry, suggestion
from autogan.data.base import (
    MAX_SIZE,
    MEMORY_BYTES,
    MIN_SIZE,
    SIZE_STEP,
    Dataset,
    FileDataset,
    ImageData,
    Split,
    check_trainable,
    class_number,
)
from autogan.data.digits import Digits
from autogan.data.folder import Folder
from autogan.data.keras_family import CIFAR10, MNIST, FashionMNIST
from autogan.data.libraries.hugging_face import HuggingFace
from autogan.data.libraries.tfds import TensorFlowDatasets
from autogan.data.loading import loaded, told_of
from autogan.data.one_file import OneFile
from autogan.data.reading import Reading, checked_background

DATASETS: Registry[Dataset] = Registry("dataset", Dataset)
for _dataset in (
    Digits, MNIST, FashionMNIST, CIFAR10, Folder, OneFile, TensorFlowDatasets, HuggingFace,
):  # fmt: skip
    DATASETS.register(_dataset)


def dataset_named(name: str, data_dir: Path | None) -> Dataset:
    """Return the dataset of a name that the user gives, such as ``mnist`` or ``folder:cats``.

    Raises:
        ConfigError: if no dataset has that name.
    """
    kind, _, argument = name.partition(":")
    if ":" in name and kind not in DATASETS.names():  # package.module:Name, or with :ARGUMENT
        attribute, _, argument = argument.partition(":")
        kind = f"{kind}:{attribute}"
    elif kind.replace("-", "_") not in DATASETS.names():
        placed = look(name, "dataset")
        if placed in ("folder", "file"):
            raise ConfigError(
                "dataset", f"{name!r} is not known; a {placed} here has that name: {placed}:{name}"
            )
        known = suggestion(name, DATASETS.names())
        raise ConfigError(
            "dataset",
            f"{name!r} is not known; {known}; write folder:PATH for a folder, file:PATH for an "
            "archive, tfds:NAME for TensorFlow Datasets, hf:NAME for Hugging Face",
        )
    dataset = DATASETS.get(kind)
    try:
        return dataset(argument, data_dir)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError("dataset", f"{name}: {type(error).__name__}: {error}") from error


__all__ = [
    "DATASETS",
    "MAX_SIZE",
    "MEMORY_BYTES",
    "MIN_SIZE",
    "SIZE_STEP",
    "Dataset",
    "FileDataset",
    "ImageData",
    "Reading",
    "Split",
    "check_trainable",
    "checked_background",
    "class_number",
    "dataset_named",
    "loaded",
    "told_of",
]
