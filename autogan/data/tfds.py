"""Any dataset of TensorFlow Datasets, through the optional extra ``tfds``."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autogan.core.errors import ConfigError, one_line
from autogan.core.files import cache_root, mapped_arrays
from autogan.core.invocation import command
from autogan.core.text import counted
from autogan.data.base import FileDataset, ImageData, Split
from autogan.data.decoding import flattened
from autogan.data.pictures import square
from autogan.data.reading import DEFAULT_BITS, Reading


class TensorFlowDatasets(FileDataset):
    """Any dataset of TensorFlow Datasets that has images, through the optional extra ``tfds``.

    Its pictures are decoded once, cropped at the centre to squares and resized, into a file of
    the user's cache, from where they are read as they are needed. The test split is ``test``, or
    ``validation`` where there is none. Labels are the feature ``label``, if there is one, and
    classes bear the names that it has; else the feature ``attributes``, if it holds truth values.
    """

    name = "tfds"
    summary = (
        "tfds:NAME, any of TensorFlow Datasets, as tfds:celeb_a (pip install tensorflow-datasets)"
    )

    def __init__(self, argument: str, data_dir: Path | None) -> None:
        if not argument:
            raise ConfigError(
                "dataset", "tfds names no dataset; write tfds:NAME, as in tfds:celeb_a"
            )
        if "[" in argument:
            raise ConfigError(
                "dataset",
                f"tfds:{argument}: a part of a split cannot be chosen; write "
                f"tfds:{argument.partition('[')[0]}, whose splits train and test are read",
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
        channels = {"grey": 1, "rgb": 3}.get(str(self.reading.channels), channels)
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
        train, notes = self._split(builder, "train", key, *decoded)
        unseen, more = self._split(builder, test, key, *decoded) if test else (None, [])
        names = getattr(features["label"], "names", ()) if "label" in features else ()
        known = len(train.class_counts)
        names = tuple(map(str, names[:known])) if known <= len(names) else ()
        why = "" if train.labels is not None else "it has no feature label that names classes"
        return ImageData(
            train,
            unseen,
            tuple(_attributes(features)) or names,
            notes=(*notes, *more),
            unlabelled=why,
        )

    def _builder(self) -> Any:
        try:
            import tensorflow_datasets as tfds
        except ImportError as error:
            raise ConfigError(
                "dataset",
                f"tfds:{self.argument} needs TensorFlow Datasets ({error}): "
                f"{command('pip', 'install', 'tensorflow-datasets', 'importlib_resources')}",
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

    def _split(
        self, builder: Any, name: str, key: str, size: int, channels: int
    ) -> tuple[Split, list[str]]:
        """A split, and what the user should know of it."""
        count = builder.info.splits[name].num_examples
        background = self.reading.colour
        features = builder.info.features
        attributes = _attributes(features)
        form = 3 if attributes else 2  # the arrays below, in which the cache may hold a dataset
        origin = hashlib.sha256(
            f"{form}/{builder.data_dir}/{size}/{channels}/{background}".encode()
        ).hexdigest()[:12]
        place = f"{builder.info.full_name.replace('/', '-')}-{name}-{origin}"
        labelled = "label" in features and hasattr(features["label"], "num_classes")

        def read(example: Any) -> Any:
            """An example's labels; 0 without any."""
            if attributes:
                return [example["attributes"][name] for name in attributes]
            return example["label"] if labelled else 0

        label = ((count, len(attributes)), np.uint8) if attributes else ((count,), np.int64)
        images, labels, found = mapped_arrays(
            cache_root() / "datasets" / place,
            {
                "images": ((count, size, size, channels), np.uint8),
                "labels": label,
                "found": ((2,), np.int64),  # examples, and those with transparent pixels
            },
            lambda arrays: _decode(builder, name, key, arrays, read, self.reading),
        )
        there, transparent = found.tolist()
        title = f"tfds:{self.argument}: the split {name}"
        if not there:
            raise ConfigError("dataset", f"{title} has no examples; prepare it again")
        notes = []
        if there != count:
            notes.append(
                f"{title} has {counted(there, 'example')}, and by its metadata {count:,}: "
                f"{min(there, count):,} are read"
            )
        if transparent:
            where = self.reading.background or "white (--background chooses)"
            notes.append(
                f"{transparent:,} images of {name} have transparent pixels: shown on {where}"
            )
        kept = min(there, count)
        known = labelled or attributes
        return Split(images[:kept], np.array(labels[:kept]) if known else None), notes


def _is_picture(feature: Any) -> bool:
    """Whether a feature of TensorFlow Datasets is a picture."""
    import tensorflow_datasets as tfds

    return isinstance(feature, tfds.features.Image)


def _attributes(features: Any) -> list[str]:
    """The names of the attributes that examples have; empty where they have a label, or none."""
    held = features["attributes"] if "attributes" in features and "label" not in features else {}
    if not hasattr(held, "items") or any(each.dtype != bool for each in held.values()):
        return []
    return sorted(held) if len(held) > 1 else []


def _decode(
    builder: Any,
    split: str,
    key: str,
    arrays: Mapping[str, npt.NDArray[Any]],
    labels_of: Callable[[Any], Any],
    reading: Reading,
) -> None:
    """Fill arrays with a split's pictures and labels, in the order in which they are stored.

    A split may hold fewer or more examples than its metadata says, for which there is room.
    """
    from PIL import Image

    most, side, _, channels = arrays["images"].shape
    arrays["found"][:] = 0
    examples = builder.as_dataset(split=split, shuffle_files=False).as_numpy_iterator()
    for i, example in enumerate(examples):
        arrays["found"][0] += 1
        if i >= most:
            continue
        picture = Image.fromarray(
            example[key].squeeze(axis=2) if example[key].shape[2] == 1 else example[key]
        )
        flat, transparent = flattened(picture, DEFAULT_BITS, reading.colour)
        arrays["found"][1] += transparent
        flat = square(flat.convert("L" if channels == 1 else "RGB"), side)
        arrays["images"][i] = np.asarray(flat).reshape(side, side, channels)
        arrays["labels"][i] = labels_of(example)
