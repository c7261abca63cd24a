"""Any dataset of the Hugging Face Hub with images, through the optional extra ``hf``."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autogan.core.errors import ConfigError, one_line
from autogan.core.files import look
from autogan.core.invocation import command
from autogan.core.text import is_path, read_path
from autogan.data.base import FileDataset, ImageData
from autogan.data.libraries.decoded import Example, Source, decoded

_GREY = ("1", "L", "LA", "I", "I;16")  # modes of Pillow's pictures without colour


class HuggingFace(FileDataset):
    """A dataset of the Hugging Face Hub, or a folder that ``save_to_disk`` has written.

    Its pictures are decoded once, cropped at the centre to squares and resized, into a file of
    the user's cache. The test split is ``test``, or ``validation`` if there is none, or if its
    classes are secret (-1). The pictures are the feature ``image``, or the first one of images;
    classes are the feature ``label``, or the first one that names classes. No code of a dataset's
    author runs: since version 4 the library reads data files only.
    """

    name = "hf"
    summary = "hf:NAME or hf:NAME:CONFIG of the Hugging Face Hub, hf:/PATH (pip install datasets)"

    def __init__(self, argument: str, data_dir: Path | None) -> None:
        if not argument:
            raise ConfigError(
                "dataset", "hf names no dataset; write hf:NAME, as in hf:ylecun/mnist"
            )
        self.argument = argument
        self.data_dir = data_dir

    def load(self, image_size: int | None) -> ImageData:
        """Download what is not there yet, and decode it at ``image_size``."""
        splits = self._splits()
        if "train" not in splits:
            raise ConfigError("dataset", f"{self._title} has no split train, but {[*splits]}")
        train = splits["train"]
        key, label = self._features(train)
        if not len(train):
            raise ConfigError("dataset", f"{self._title}: the split train has no images")
        first = self._row("train", train, 0, key)[key]
        width, height = first.size
        if image_size is None and width != height:
            raise ConfigError(
                "image_size",
                f"none given, and the pictures of {self._title} are {width}x{height}; give "
                "--image-size to crop and resize them",
            )
        grey = first.mode in _GREY if self.reading.channels is None else None
        channels = 1 if grey or self.reading.channels == "grey" else 3
        names = tuple(map(str, train.features[label].names)) if label else ()
        known = (n for n in ("test", "validation") if n in splits and len(splits[n]))
        test = next((n for n in known if not label or splits[n][0][label] >= 0), None)

        def alike(number: int, picture: Any) -> None:
            """Refuse a picture that is unlike the first where nothing says what to do with it."""
            if image_size is None and picture.size != first.size:
                pixels = "x".join(map(str, picture.size))
                raise ConfigError(
                    "image_size",
                    f"none given, and picture {number} of {self._title} has {pixels} pixels; give "
                    "--image-size to crop and resize them all",
                )
            if grey and picture.mode not in _GREY:
                raise ConfigError(
                    "channels",
                    f"none given, and picture {number} of {self._title} has colours, the first has "
                    "none; give --channels rgb, or grey",
                )

        found = [
            decoded(
                self._source(name, splits[name], (key, label), alike),
                image_size or height, channels, self.reading,
            )
            for name in ("train", *([test] if test else []))
        ]  # fmt: skip
        return ImageData(
            found[0][0],
            found[1][0] if test else None,
            names[: len(found[0][0].class_counts)],
            notes=tuple(note for _, notes in found for note in notes),
            unlabelled="" if label else "it has no feature of the kind ClassLabel",
        )

    @property
    def _title(self) -> str:
        return f"hf:{self.argument}"

    def _splits(self) -> dict[str, Any]:
        """The splits, by name, whose pictures are read when they are asked for."""
        try:
            import datasets
        except ImportError as error:
            raise ConfigError(
                "dataset",
                f"{self._title} needs the package datasets ({error}): "
                f"{command('pip', 'install', 'datasets>=4')}",
            ) from None
        datasets.disable_progress_bars()
        datasets.logging.set_verbosity_error()
        if is_path(self.argument):
            return self._saved(datasets)
        name, _, config = self.argument.partition(":")
        try:
            return dict(datasets.load_dataset(name, config or None, cache_dir=self.data_dir))
        except Exception as error:
            raise ConfigError(
                "dataset",
                f"{self._title} cannot be loaded ({one_line(error)}); download it on a machine "
                "with a network, write it by save_to_disk, and name that folder: hf:/PATH",
            ) from error

    def _saved(self, datasets: Any) -> dict[str, Any]:
        """The splits of a folder; a dataset without splits is one of training images."""
        path = read_path("dataset", self.argument)
        if look(path, "dataset") != "folder":
            raise ConfigError("dataset", f"{self._title}: there is no such folder")
        try:
            held = datasets.load_from_disk(str(path))
        except Exception as error:
            raise ConfigError(
                "dataset",
                f"{self._title} cannot be read ({one_line(error)}); name a folder that "
                "save_to_disk of Hugging Face's datasets has written, without empty splits",
            ) from error
        return dict(held) if isinstance(held, dict) else {"train": held}

    def _features(self, split: Any) -> tuple[str, str]:
        """The names of the pictures' feature, and of that with their classes or an empty one."""
        kinds = {name: type(feature).__name__ for name, feature in split.features.items()}
        pictures = sorted((n for n, k in kinds.items() if k == "Image"), key="image".__ne__)
        if not pictures:
            raise ConfigError("dataset", f"{self._title} has no images, but {[*kinds]}")
        labels = sorted((n for n, k in kinds.items() if k == "ClassLabel"), key="label".__ne__)
        return pictures[0], labels[0] if labels else ""

    def _row(self, name: str, split: Any, number: int, key: str) -> Any:
        """A row of a split, whose picture can be read."""
        try:
            example = split[number]
            if example[key] is None:
                raise ValueError("there is none")
            example[key].load()
        except Exception as error:  # damaged pictures raise all kinds of errors
            raise ConfigError(
                "dataset",
                f"{self._title}: the picture in row {number} of the split {name} cannot be read "
                f"({one_line(error)}); remove such rows (Dataset.filter), and save it again",
            ) from error
        return example

    def _source(
        self, name: str, split: Any, features: tuple[str, str], check: Callable[[int, Any], None]
    ) -> Source:
        """A split, whose pictures are checked by their number as they are read."""
        key, label = features

        def examples() -> Iterator[Example]:
            for number in range(len(split)):
                example = self._row(name, split, number, key)
                check(number, example[key])
                if label and (example[label] is None or example[label] < 0):
                    raise ConfigError(
                        "dataset",
                        f"{self._title}: row {number} of the split {name} has no class "
                        f"({example[label]}); remove such rows (Dataset.filter), and save it again",
                    )
                yield example[key], int(example[label]) if label else 0

        return Source(
            dataset=self._title,
            split=name,
            place="hf-" + "".join(c if c.isalnum() else "-" for c in self.argument)[-60:],
            origin=f"{self.argument}/{split._fingerprint}/{key}/{label}",
            count=len(split),
            labelled=bool(label),
            attributes=(),
            examples=examples,
        )
