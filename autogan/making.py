"""The public functions that make images with a trained generator."""

import io
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from autogan.api import Checkpoint
from autogan.config import TrainConfig, load_saved
from autogan.core.errors import ConfigError
from autogan.core.files import (
    contents,
    look,
    made_beside,
    read_arrays,
    unused,
    write_bytes,
    write_yaml,
)
from autogan.core.text import checked, listed, natural, read_path, short_name
from autogan.data import grids
from autogan.data.label_file import write_label_file
from autogan.models.formats import FORMATS
from autogan.play.player import Player
from autogan.play.server import serve
from autogan.pool.crew import engine_of
from autogan.pool.finished import Export, Sample, Sampled, Written
from autogan.record.folder import SearchFolder, TrialFolder, best_trial, existing_training, run_of
from autogan.show.card import card, program, without_places
from autogan.show.display import Display
from autogan.show.result import SearchResult, TrainResult
from autogan.show.saved import load_run

_FRAME, _LAST_FRAME = 250, 2000  # milliseconds for each picture of an animation, and for the last
_UNFIT = re.compile(r"[^\w +.-]")  # characters not allowed in the name of a class's folder


def sample(
    folder: Path | str,
    *,
    count: int | None = None,
    classes: str | Sequence[int | str] | None = None,
    mix: Mapping[str, float] | None = None,
    truncation: float | None = None,
    interpolate: int | None = None,
    grid: bool = False,
    seed: int = 0,
    checkpoint: Checkpoint = "best",
    options: Mapping[str, Any] | None = None,
) -> npt.NDArray[np.uint8]:
    """Generate images with a trained generator.

    Each call starts a process, which takes seconds; `autogan.load_generator` keeps the generator in
    memory.

    Args:
        folder: of a search (its best trial is used) or a training.
        count: number of images, or of interpolations; if None, 64, or 8 of each given class.
        classes: names or numbers, in a list or separated by commas, that the images take in turn,
            for a generator that takes classes or attributes; if None, all as often as in the
            training set, in order. Attributes are set one at a time.
        mix: weights by class: each image shows this mixture of classes. For attributes, weights
            from 0 to 1.
        truncation: keep the latent vectors' numbers within this distance of 0.
        interpolate: images in each interpolation between two latent vectors; one row of a grid.
        grid: arrange the images in one picture; with classes, in a column for each of them (or of
            the first 16) under its name.
        seed: of the latent vectors.
        checkpoint: which checkpoint of the generator.
        options: keys of the configuration, such as ``device``.

    Returns:
        uint8 [count, height, width, channels]; for a grid [height, width, channels].

    Raises:
        ConfigError: if there is no trained generator, or no such class.
    """
    made = _made(
        folder, options, classes, mix, checkpoint=checkpoint, count=count, seed=seed, in_turn=grid,
        truncation=truncation, interpolate=interpolate,
    )  # fmt: skip
    images: npt.NDArray[np.uint8] = made["images"]
    if not grid:
        return images
    captions = made["captions"].tolist()
    return grids.grid(images, interpolate or len(captions), captions)


def write_samples(folder: Path | str, output: Path, **asked: Any) -> None:
    """Generate images like `sample`, and write each into a file.

    Images of classes go into a sub-folder for each class, which `autogan evaluate` and other
    programs understand. Attributes are listed in attributes.csv, which ``--labels`` reads.

    Args:
        folder: see `sample`.
        output: the folder, new or empty.
        asked: the other arguments of `sample`, without ``grid``.

    Raises:
        ConfigError: see `sample`; or if the folder is not empty.
    """
    if look(output, "output") == "folder" and any(output.iterdir()):
        raise ConfigError("output", f"{output} is not empty; give a new folder, or NAME.png")
    made = _made(folder, **asked)
    names = [f"{number:06d}.png" for number in range(len(made["images"]))]
    if made["labels"].ndim == 2:
        write_label_file(output / "attributes.csv", names, made["classes"], made["labels"])
    elif len(made["labels"]):
        folders = class_folders(made["classes"].tolist())
        names = [f"{folders[n]}/{name}" for n, name in zip(made["labels"], names, strict=True)]
    for name, image in zip(names, made["images"], strict=True):
        write_bytes(output / name, grids.png(image))


def animate(folder: Path | str, output: Path, *, options: Mapping[str, Any] | None = None) -> None:
    """Write the sample pictures of a training as an animation, from the first to the last.

    Args:
        folder: of a search (its best trial is shown) or a training.
        output: the file, NAME.gif.
        options: keys of the configuration, such as ``plugin_dirs``.

    Raises:
        ConfigError: if there is no training, or it has no pictures.
    """
    trained, run = _trained(folder, options)
    samples = TrialFolder.of(trained.resolve(), run).samples
    steps = {path.stem.removeprefix("step-"): path for path in samples.glob("step-*.png")}
    pictures = [steps[step] for step in sorted(filter(str.isdecimal, steps), key=int)]
    try:
        frames = [Image.open(io.BytesIO(contents(path))).convert("RGB") for path in pictures]
    except (OSError, ValueError) as error:
        raise ConfigError("folder", f"a picture of {trained} cannot be read ({error})") from None
    if not frames:
        raise ConfigError("folder", f"{trained} has no pictures; train it first")
    times = [_FRAME] * (len(frames) - 1) + [_LAST_FRAME]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0
    )  # fmt: skip
    write_bytes(output, buffer.getvalue())


def export(
    folder: Path | str,
    *,
    format: str = "savedmodel",
    output: Path | str | None = None,
    floats: bool = False,
    licence: str = "",
    checkpoint: Checkpoint = "best",
    options: Mapping[str, Any] | None = None,
    display: Display | None = None,
) -> Path:
    """Write a trained generator for use without AutoGAN.

    The written generator is compared with the original before it is kept: a SavedModel makes the
    same bits, other formats make numbers that differ by at most 1e-4. Next to it are a model card
    (``README.md``), a program that uses it (``use.py``), a picture of 16 images and the
    configuration.

    Args:
        folder: of a search (its best trial is written) or a training.
        format: see ``autogan list formats``.
        output: a new or empty folder; by default RUN-FORMAT, or RUN-FORMAT-2 if that exists.
        floats: write a generator of float32 images, whose visible range is [-1, 1], not of uint8.
        licence: of the generator, as an SPDX identifier, for the card.
        checkpoint: which checkpoint of the generator.
        options: keys of the configuration, such as ``device``.
        display: shows notes on slow work; None shows nothing.

    Returns:
        The folder.

    Raises:
        ConfigError: if there is no trained generator, or the format does not support it.
    """
    trained, run = _trained(folder, options)
    kind = FORMATS.get(format)
    usual = unused(Path(f"{run_of(trained).name}-{kind.name}"), "output", folder=True)
    place = read_path("output", str(output or usual))
    if look(place, "output") and (look(place, "output") != "folder" or any(place.iterdir())):
        raise ConfigError("output", f"{place} exists; give a new folder")
    note = checked("display", display or Display(), Display).note
    with made_beside(place) as made, engine_of(run) as workers:
        call = Export(
            config=run.as_dict(), folder=str(trained), checkpoint=checkpoint,
            format=FORMATS.key(format), floats=floats, output=str(made.absolute()),
        )  # fmt: skip
        written = workers.call(call, Written, note)
        use = program(kind, written, floats)
        text = card(_result(trained, options), kind, written, use, licence)
        write_bytes(made / "use.py", use.encode())
        write_bytes(made / "README.md", text.encode())
        write_yaml(made / "config.yaml", without_places(run.as_dict()))
    return place


def _result(trained: Path, options: Mapping[str, Any] | None) -> SearchResult | TrainResult:
    """The result of the search whose best trial is this training; else of the training."""
    search = SearchFolder(run_of(trained))
    best = best_trial(search) if look(search.config, "folder") == "file" else None
    is_best = best is not None and best.resolve() == trained.resolve()
    return load_run(search.root if is_best else trained, options)


def play(
    folder: Path | str,
    *,
    address: str = "127.0.0.1",
    port: int = 8770,
    checkpoint: Checkpoint = "best",
    options: Mapping[str, Any] | None = None,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve a page to play with a trained generator, until interrupted.

    Args:
        folder: of a search (its best trial is used) or a training.
        address: to listen on; the default accepts only this machine.
        port: to listen on; 0 for any free port.
        checkpoint: which checkpoint of the generator.
        options: keys of the configuration, such as ``device``.
        tell: is called with the page's address once it can be opened.

    Raises:
        ConfigError: if there is no trained generator, or the port is not available.
    """
    trained, run = _trained(folder, options)
    with tempfile.TemporaryDirectory() as temporary, engine_of(run) as workers:
        player = Player(run.as_dict(), trained, checkpoint, workers, Path(temporary))
        title = f"{run.gan_type} trained on {short_name(run.dataset)}"
        serve(player, title, address, port, tell)


def class_folders(classes: Sequence[str]) -> list[str]:
    """Names of folders for the classes, which sort in the order of the classes.

    They are the classes' names, unless these sort differently or a file system may refuse one.
    """
    fit = [_UNFIT.sub("_", name).strip(". ")[:100] or "_" for name in classes]
    if fit == list(classes) == sorted(set(fit), key=natural):
        return fit
    digits = len(str(len(fit) - 1))
    return [f"{number:0{digits}d} {name}" for number, name in enumerate(fit)]


def _made(
    folder: Path | str,
    options: Mapping[str, Any] | None = None,
    classes: str | Sequence[int | str] | None = None,
    mix: Mapping[str, float] | None = None,
    **asked: Any,
) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a worker's answer to `Sample`."""
    trained, run = _trained(folder, options)
    with tempfile.TemporaryDirectory() as temporary, engine_of(run) as workers:
        output = Path(temporary) / "images.npz"
        call = Sample(
            config=run.as_dict(), folder=str(trained), output=str(output),
            classes=None if classes is None else listed(classes),
            mix=None if mix is None else dict(mix), **asked,
        )  # fmt: skip
        workers.call(call, Sampled)
        return read_arrays(output)


def _trained(folder: Path | str, options: Mapping[str, Any] | None) -> tuple[Path, TrainConfig]:
    """The folder and the configuration of the training in a folder, or of its best trial."""
    trained = existing_training(read_path("folder", str(folder)), "folder")
    return trained, load_saved(TrainConfig, trained / "config.yaml", options).resolved()
