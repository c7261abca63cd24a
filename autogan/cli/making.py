"""The commands that use a trained generator: sample, export, play."""

from pathlib import Path
from typing import Annotated, Any

import typer

from autogan import making
from autogan.cli import completion
from autogan.cli.options import Checkpoint, Debug, options_of
from autogan.cli.printing import say, shown
from autogan.config import TrainConfig, read_weights
from autogan.core.errors import ConfigError, StorageError
from autogan.core.files import check_free, unused, write_bytes
from autogan.core.text import read_path
from autogan.data.grids import png
from autogan.record.folder import run_of


@options_of(TrainConfig, "data_dir", "device", "threads", "plugin_dirs")
def sample(
    folder: Annotated[Path, typer.Argument(help="of a search (its best trial) or a training")],
    count: Annotated[
        int | None,
        typer.Option(min=1, help="number of images, or interpolations [64; 8 of each given class]"),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            help="names or numbers of classes, such as cat,dog: a column each; attributes are set "
            "one at a time [all in a grid, else as in the training set]"
        ),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option(
            help="mix classes in each image, as in cat=0.7,dog=0.3; or set attributes from 0 to 1",
            metavar="NAME=WEIGHT,...",
        ),
    ] = None,
    interpolate: Annotated[
        int | None,
        typer.Option(min=2, help="images from one latent vector to another, in a row each"),
    ] = None,
    truncation: Annotated[
        float | None,
        typer.Option(
            help="keep the latent vectors' numbers within this distance of 0: less variety",
            metavar="NUMBER",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="of the latent vectors")] = 0,
    checkpoint: Checkpoint = "best",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="NAME.png for one grid, NAME.gif for an animation of the training, else a new "
            "folder of single images, by class if there are any, or with attributes.csv "
            "[samples-RUN.png]",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace NAME.png or NAME.gif")
    ] = False,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Generate images with a trained GAN."""
    run = run_of(read_path("folder", str(folder)))
    usual = Path(f"samples-{run.name}.png")
    if output is None and not overwrite:
        usual = unused(usual, "output")
    output = read_path("output", str(output or usual))
    weights = None if mix is None else read_weights("mix", mix)
    asked: dict[str, Any] = {
        "count": count, "classes": classes, "mix": weights, "truncation": truncation,
        "interpolate": interpolate,
    }  # fmt: skip
    kind = output.suffix.lower()
    if kind in (".png", ".gif"):
        check_free(output, "output", overwrite)
    given = [name for name, value in asked.items() if value is not None]
    if kind == ".gif" and given:
        raise ConfigError(
            "output", f"{output} shows the training's pictures; leave out --{given[0]}"
        )
    asked |= {"seed": seed, "checkpoint": checkpoint, "options": flags}
    try:
        if kind == ".gif":
            making.animate(folder, output, options=flags)
        elif kind == ".png":
            write_bytes(output, png(making.sample(folder, grid=True, **asked)))
        else:
            making.write_samples(folder, output, **asked)
    except StorageError as error:
        raise ConfigError("output", error.problem) from error
    say(output)


@options_of(TrainConfig, "device", "threads", "plugin_dirs")
def export(
    folder: Annotated[Path, typer.Argument(help="of a search (its best trial) or a training")],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="savedmodel, onnx, keras or tflite",
            metavar="NAME",
            autocompletion=completion.formats,
        ),
    ] = "savedmodel",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="a new folder [RUN-FORMAT]")
    ] = None,
    floats: Annotated[
        bool, typer.Option("--floats", help="float32 images with range [-1, 1], not uint8")
    ] = False,
    licence: Annotated[
        str, typer.Option(help="licence of the generator, for its card: CC-BY-4.0, MIT, ...")
    ] = "",
    checkpoint: Checkpoint = "best",
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Write a trained generator for use without AutoGAN."""
    with shown(quiet=False) as display:
        place = making.export(
            folder, format=format_, output=output, floats=floats, licence=licence,
            checkpoint=checkpoint, options=flags, display=display,
        )  # fmt: skip
    say(place)
    typer.echo(f"try it without AutoGAN: python {place / 'use.py'} (see its README.md)", err=True)


@options_of(TrainConfig, "device", "threads", "plugin_dirs")
def play(
    folder: Annotated[Path, typer.Argument(help="of a search (its best trial) or a training")],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="port of the page; 0 for any free port")
    ] = 8770,
    address: Annotated[
        str, typer.Option(help="address to listen on; 0.0.0.0 accepts other machines")
    ] = "127.0.0.1",
    open_: Annotated[bool, typer.Option("--open", help="show it in a browser")] = False,
    checkpoint: Checkpoint = "best",
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Play with a trained generator on a page: classes, mixtures, seeds. Ctrl-C ends it."""

    def tell(place: str) -> None:
        say(place)
        typer.echo("Ctrl-C ends it", err=True)
        if open_:
            typer.launch(place)

    making.play(folder, address=address, port=port, checkpoint=checkpoint, options=flags, tell=tell)
