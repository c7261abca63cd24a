"""Any dataset of TensorFlow Datasets, through the optional extra ``tfds``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autogan.core.errors import ConfigError, one_line
from autogan.core.invocation import command
from autogan.data.base import FileDataset, ImageData
from autogan.data.libraries.decoded import Example, Source, decoded


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
        form = (image_size or height, channels, self.reading)
        test = next((s for s in ("test", "validation") if s in builder.info.splits), None)
        if "train" not in builder.info.splits:
            raise ConfigError("dataset", f"tfds:{self.argument} has no split train")
        self._prepare(builder)
        train, notes = decoded(self._source(builder, "train", key), *form)
        unseen, more = decoded(self._source(builder, test, key), *form) if test else (None, [])
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
                f"tfds:{self.argument} cannot be downloaded ({one_line(error)}); prepare it with "
                "tensorflow_datasets on a machine with a network, and give the root folder of all "
                "its datasets with --data-dir",
            ) from error

    def _source(self, builder: Any, split: str, key: str) -> Source:
        """A split whose pictures are the feature ``key``."""
        features = builder.info.features
        attributes = _attributes(features)
        labelled = "label" in features and hasattr(features["label"], "num_classes")

        def examples() -> Iterator[Example]:
            from PIL import Image

            for example in builder.as_dataset(split=split, shuffle_files=False).as_numpy_iterator():
                pixels = example[key]
                label = example["label"] if labelled else 0
                yield (
                    Image.fromarray(pixels.squeeze(axis=2) if pixels.shape[2] == 1 else pixels),
                    [example["attributes"][n] for n in attributes] if attributes else label,
                )

        return Source(
            dataset=f"tfds:{self.argument}",
            split=split,
            place=builder.info.full_name.replace("/", "-"),
            origin=str(builder.data_dir),
            count=builder.info.splits[split].num_examples,
            labelled=labelled,
            attributes=attributes,
            examples=examples,
        )


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
