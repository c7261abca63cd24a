"""The commands that score images."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from autogan import measure
from autogan.cli.options import Checkpoint, Corrupt, Debug, Json, KeepClasses, options_of
from autogan.cli.printing import print_scores, print_spoiled, say, shown
from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.text import read_path
from autogan.report.spoiled import write_spoiled


@options_of(
    TrainConfig, "data_dir", "image_size", "channels", "bits", "background", "skip_unreadable",
    "labels", "features", "eval_samples", "generated", "reference_split", "device", "threads",
    "plugin_dirs",
)  # fmt: skip
def evaluate(
    images: Annotated[str, typer.Argument(help="a run's folder, a folder of images, a dataset")],
    reference: Annotated[
        str | None,
        typer.Option(
            help="a dataset, a folder of images or an .npz of statistics [the run's dataset]"
        ),
    ] = None,
    criterion: Annotated[
        str | None, typer.Option(help="criteria, separated by commas [the run's; fid]")
    ] = None,
    checkpoint: Checkpoint = "best",
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="seed of the latent vectors")] = 0,
    corrupt: Corrupt = "",
    keep_classes: KeepClasses = None,
    page: Annotated[
        Path | None, typer.Option(help="with --corrupt: write tables and pictures to NAME.html")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the page")] = False,
    json_: Json = False,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Score a trained GAN, or compare two sets of images."""
    with shown(quiet=False) as display:
        given: dict[str, Any] = {
            "reference": reference, "criterion": criterion, "options": flags, "display": display,
        }  # fmt: skip
        if corrupt or keep_classes is not None:
            given |= {"corrupt": corrupt, "keep_classes": keep_classes}
            spoiled = measure.spoil(images, **given)
            if page is not None:
                write_spoiled(spoiled, read_path("page", str(page)), overwrite=overwrite)
            print_spoiled(spoiled, json_)
            return
        if page is not None:
            raise ConfigError("page", f"{page} needs --corrupt; give both")
        found, config = measure.scored(images, checkpoint=checkpoint, seed=seed, **given)
    print_scores(found, config, json_)


@options_of(
    TrainConfig, "data_dir", "image_size", "channels", "bits", "background", "skip_unreadable",
    "labels", "features", "eval_samples", "reference_split", "device", "threads", "plugin_dirs",
)  # fmt: skip
def statistics(
    images: Annotated[str, typer.Argument(help="a folder of images, or a dataset")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the file, NAME.npz")],
    form: Annotated[
        Literal["fid", "adm"],
        typer.Option(
            help="fid: mean and covariance, as from pytorch-fid and clean-fid; adm: the images "
            "themselves, as a reference for ADM's evaluator"
        ),
    ] = "fid",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file")] = False,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Write statistics of real images, for comparisons here or elsewhere."""
    with shown(quiet=False) as display:
        say(
            measure.statistics(
                images, output, form=form, overwrite=overwrite, options=flags, display=display
            )
        )
