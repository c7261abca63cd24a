"""The images below a folder."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from autogan.core.arrays import Attributes, Labels
from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.core.text import counted, read_path
from autogan.data.base import FileDataset, ImageData, Split
from autogan.data.decoding import WHITE
from autogan.data.layout import layout_of
from autogan.data.pictures import PictureFiles
from autogan.data.reading import DEFAULT_BITS
from autogan.data.survey import Survey, named, refuse_unreadable, surveyed


class Folder(FileDataset):
    """The images below a folder; with an image size, cropped at the centre to squares and resized.

    ``train/`` and ``test/`` (or ``val/``) are its splits, if they exist. Labels come from the
    user's file, else from StyleGAN's ``dataset.json``, else from sub-folders, if there are two or
    more and every image is in one. Images are grey if every pixel is, else RGB. All files are
    decoded once before anything else.
    """

    name = "folder"
    summary = "folder:PATH, any images below PATH, labels from sub-folders or --labels FILE.csv"
    takes_labels = True

    def __init__(self, argument: str, data_dir: Path | None) -> None:
        if not argument:
            raise ConfigError("dataset", "folder has no path; write folder:PATH")
        self.root = read_path("dataset", argument)
        self.data_dir = data_dir

    def load(self, image_size: int | None) -> ImageData:
        """Read all images; without ``image_size`` they must all have the same size."""
        kind = look(self.root, "dataset")
        if kind == "file":
            raise ConfigError("dataset", f"folder:{self.root} is a file; write file:{self.root}")
        if kind != "folder":
            raise ConfigError("dataset", f"folder:{self.root}: there is no such folder")
        layout = layout_of(self.root, self.reading.labels)
        parts = [layout.train] if layout.test is None else [layout.train, layout.test]
        paths = [path for part in parts for path in part.paths]
        survey = surveyed(paths, self.tell)
        if not self.reading.skip_unreadable:
            refuse_unreadable(paths, survey)
        _check_sizes(paths, survey, image_size)
        lost = {each.place for each in survey.unreadable}
        splits, first = [], 0
        for part in parts:
            places = range(first, first := first + len(part.files))
            kept = [place for place in places if place not in lost]
            if not kept:
                raise ConfigError("dataset", f"none of the files in {part.root} can be read")
            own = [place - places[0] for place in kept]
            splits.append((kept, None if part.labels is None else part.labels[own]))
        shape = self._shape(survey, image_size)
        return ImageData(
            self._split(paths, survey, shape, image_size, *splits[0]),
            self._split(paths, survey, shape, image_size, *splits[1]) if layout.test else None,
            layout.train.names,
            notes=(*layout.notes, *layout.train.notes, *self._notes(paths, survey, image_size)),
            unlabelled=layout.train.unlabelled,
        )

    def _shape(self, survey: Survey, image_size: int | None) -> tuple[int, int, int]:
        """Height, width and channels of the images."""
        width, height, _ = survey.sizes[0]
        side = (height, width) if image_size is None else (image_size, image_size)
        tinted = survey.transparent and len(set(self.reading.colour)) > 1
        coloured = bool(survey.coloured or tinted)
        if self.reading.channels is not None:
            coloured = self.reading.channels == "rgb"
        return *side, 3 if coloured else 1

    def _bits(self, survey: Survey) -> int:
        """The bits that the values of 16-bit files use."""
        if not survey.deep:
            return DEFAULT_BITS
        bits = self.reading.bits or survey.bits
        if survey.greatest >> bits:
            raise ConfigError(
                "bits",
                f"{bits} bits are too few for the files' values up to {survey.greatest}; give "
                f"{survey.bits}, or leave it out",
            )
        return bits

    def _split(
        self,
        paths: Sequence[Path],
        survey: Survey,
        shape: tuple[int, int, int],
        image_size: int | None,
        places: Sequence[int],
        labels: Labels | Attributes | None,
    ) -> Split:
        """The files at some places, decoded now if they all fit into memory."""
        files = PictureFiles(
            tuple(paths[place] for place in places),
            (len(places), *shape),
            crop=image_size is not None,
            bits=self._bits(survey),
            background=self.reading.colour if survey.transparent else WHITE,
        )
        split = Split(files, labels)
        return Split(files[np.arange(len(places))], labels) if split.fits_in_memory else split

    def _notes(
        self, paths: Sequence[Path], survey: Survey, image_size: int | None
    ) -> Iterator[str]:
        """Notes for the user on how the files are read."""
        read = len(paths) - len(survey.unreadable)

        def some(count: int) -> str:
            return f"all {read:,} files" if count == read > 1 else f"{count:,} of {read:,} files"

        if survey.unreadable:
            lost = counted(len(survey.unreadable), "file")
            yield f"left out {lost} that cannot be read: {named(paths, survey.unreadable)}"
        if survey.deep and self._bits(survey) != DEFAULT_BITS:
            yield (
                f"{counted(survey.deep, '16-bit file')} with values up to {survey.greatest}: read "
                f"as {self._bits(survey)} bits (change it with --bits)"
            )
        if survey.wide:
            yield f"{some(survey.wide)} have 16 bits per colour: only the upper 8 are used"
        if survey.transparent:
            where = self.reading.background or "white (change it with --background)"
            yield f"{some(survey.transparent)} have transparent pixels: shown on {where}"
        if survey.frames:
            yield f"{some(survey.frames)} contain several pictures: only the first is used"
        yield from self._notes_on_colour(paths, survey, read)
        if image_size is not None:
            yield from _notes_on_sizes(survey, image_size, some)

    def _notes_on_colour(self, paths: Sequence[Path], survey: Survey, read: int) -> Iterator[str]:
        if self.reading.channels == "grey" and survey.coloured:
            yield f"{survey.coloured:,} of {read:,} files are RGB: converted to grey"
        elif self.reading.channels is None and 0 < survey.coloured < read:
            assert survey.first_coloured is not None
            example = "" if survey.coloured > read // 2 else f" ({paths[survey.first_coloured]})"
            yield (
                f"{survey.coloured:,} of {read:,} files are RGB{example}, the others grey: all "
                "are read as RGB (change it with --channels grey)"
            )


def _check_sizes(paths: Sequence[Path], survey: Survey, image_size: int | None) -> None:
    """Refuse files of several sizes, unless the user gives a size.

    Raises:
        ConfigError: naming a file whose size is not that of the first, or if no file is readable.
    """
    if not survey.sizes:
        raise ConfigError("dataset", f"none of {len(paths):,} files can be read as an image")
    if image_size is not None or survey.other_size is None:
        return
    lost = {each.place for each in survey.unreadable}
    first = next(place for place in range(len(paths)) if place not in lost)
    (width, height, _), (w, h, _) = survey.sizes[:2]
    raise ConfigError(
        "image_size",
        f"{paths[survey.other_size]} has {w}x{h} pixels, {paths[first]} has {width}x{height}; give "
        "--image-size to crop and resize all images",
    )


def _notes_on_sizes(survey: Survey, side: int, some: Callable[[int], str]) -> Iterator[str]:
    """Notes on the files that are enlarged or cropped to squares of ``side`` pixels."""
    small = sum(count for width, height, count in survey.sizes if min(width, height) < side)
    if small:
        least = min(min(width, height) for width, height, _ in survey.sizes)
        times = f"{side / least:.3g}-fold"
        yield f"{some(small)} are smaller than {side} pixels: enlarged, up to {times}"
    cropped = [(w, h, n) for w, h, n in survey.sizes if w != h]
    if cropped:
        most = max(1 - min(w, h) / max(w, h) for w, h, _ in cropped)
        count = sum(n for _, _, n in cropped)
        yield f"{some(count)} are not square: cropped at the centre, by up to {100 * most:.0f} %"
