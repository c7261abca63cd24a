"""The public functions that score images and trained generators."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from autogan.api import Checkpoint
from autogan.config import TrainConfig, load_config, load_saved
from autogan.core.errors import ConfigError
from autogan.core.files import check_free, look
from autogan.core.text import checked, dataset_path, listed, read_path
from autogan.criteria.corruptions import corruptions_of
from autogan.pool.crew import engine_of
from autogan.pool.finished import Counted, Evaluate, Scores, Statistics
from autogan.record.folder import run_of, training_in
from autogan.record.resume import moved_images
from autogan.run.opening import dataset_or_folder
from autogan.show.display import Display

_USUAL_IMAGES = 50_000  # most images of published statistics


def evaluate(
    images: Path | str,
    *,
    reference: str | None = None,
    criterion: str | Sequence[str] | None = None,
    checkpoint: Checkpoint = "best",
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    display: Display | None = None,
) -> dict[str, float]:
    """Score a trained generator or a set of images by several criteria.

    Args:
        images: the folder of a search or training, a folder of images, or a dataset's name.
        reference: a dataset's name or a folder of images to compare with, or an .npz file of
            their statistics; by default the generator's training images.
        criterion: names, in a list or separated by commas; by default those of the training, or
            fid.
        checkpoint: which of the trained generators.
        seed: of the latent vectors, which differ from those that chose the checkpoint.
        options: more keys of the configuration, such as ``features``.
        display: shows slow steps; None shows nothing.

    Returns:
        The values by label; of a generator, means over four sets of latent vectors. For a
        generator without another ``reference``, also: if its dataset has test images, the values
        against these, the values of equally many generated images, and with prefix ``unseen_``
        the values of the test images in place of generated ones; without test images, with prefix
        ``halves_``, the values of one half of the real images against the other; if few images
        are compared and features are fast, the values of 10,000 generated images; with prefix
        ``spread_`` the standard deviation of a value over the sets, with ``spread_unseen_`` and
        ``spread_halves_`` over splits of the real images.

    Raises:
        ConfigError: if it cannot be done.
    """
    given: dict[str, Any] = {"reference": reference, "criterion": criterion, "options": options}
    found, _ = scored(images, checkpoint=checkpoint, seed=seed, display=display, **given)
    return by_label(found)


def scored(
    images: Path | str,
    *,
    reference: str | None = None,
    criterion: str | Sequence[str] | None = None,
    checkpoint: Checkpoint = "best",
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    display: Display | None = None,
) -> tuple[Scores, TrainConfig]:
    """The values of `evaluate` as they were computed, and the configuration that they follow."""
    values = _with_criteria(options, criterion)
    trained = training_in(read_path("images", str(images)), "images")
    moved, file = moved_images(trained), trained / "config.yaml" if trained else None
    source: dict[str, Any] = {"seed": seed}
    if trained is None:
        source["dataset"] = dataset_or_folder(str(images), "images")
        if reference is None:
            raise ConfigError("reference", "none given; name a dataset or a folder of images")
        if values.get("generated") is not None:
            raise ConfigError(
                "generated", f"{values['generated']}, but {images} is not a run; leave it out"
            )
    if reference is not None:
        values |= _reference(reference, source.get("dataset"))
    run = load_config(TrainConfig, file, {**moved, **values})
    run = run.model_copy(update=_left_behind(file, moved, values, reference)).resolved()
    if not run.criteria():
        raise ConfigError("criterion", "none; name those to score with, such as fid")
    if trained is not None:
        own = {"plugin_dirs": run.plugin_dirs, **moved}
        training = load_saved(TrainConfig, trained / "config.yaml", own).resolved().as_dict()
        source |= {"training": training, "folder": str(trained), "checkpoint": checkpoint}
        if reference is None:
            source["run"] = str(run_of(trained))
    note = checked("display", display or Display(), Display).note
    with engine_of(run) as workers:
        return workers.call(Evaluate(config=run.as_dict(), **source), Scores, note), run


def by_label(found: Scores) -> dict[str, float]:
    """The values as `evaluate` returns them."""
    named = {
        "unseen": found.floor, "spread_unseen": found.floor_spread, "halves": found.halves,
        "spread_halves": found.halves_spread, "spread": found.spread,
    }  # fmt: skip
    more = {
        f"{name}_{label}": value
        for name, values in named.items()
        for label, value in (values or {}).items()
    }
    others = (found.test, found.fewer, found.more)
    return {**found.scores, **{k: v for each in others for k, v in (each or {}).items()}, **more}


def spoil(
    images: Path | str,
    *,
    reference: str | None = None,
    corrupt: str = "",
    keep_classes: str | Sequence[int | str] | None = None,
    criterion: str | Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    display: Display | None = None,
) -> dict[str, dict[str, float]]:
    """Measure how criteria respond to spoiled images.

    Args:
        images: a folder of images, or a dataset's name.
        reference: see `evaluate`; by default the images themselves.
        corrupt: ways and strengths, as ``blur=1,noise=0.1``; see `autogan.criteria.corruptions`.
        keep_classes: names or numbers; only images of these are used, repeated to the same number.
        criterion: see `evaluate`.
        options: likewise.
        display: likewise.

    Returns:
        The values by label, for the unchanged images and for each way to spoil them, by its name.

    Raises:
        ConfigError: if it cannot be done.
    """
    values = _with_criteria(options, criterion)
    name = dataset_or_folder(str(images), "images")
    against = _reference(str(images) if reference is None else reference, name)
    run = load_config(TrainConfig, None, {**values, **against}).resolved()
    call = Evaluate(
        config=run.as_dict(),
        dataset=name,
        corrupt=corruptions_of(corrupt) if corrupt else {},
        keep_classes=[] if keep_classes is None else listed(keep_classes),
    )
    with engine_of(run) as workers:
        found = workers.call(call, Scores, checked("display", display or Display(), Display).note)
    return {"as they are": found.scores, **found.spoiled}


def statistics(
    images: str,
    output: Path | str,
    *,
    form: Literal["fid", "adm"] = "fid",
    overwrite: bool = False,
    options: Mapping[str, Any] | None = None,
    display: Display | None = None,
) -> str:
    """Write statistics of real images, for comparisons by `evaluate` and other programs.

    Args:
        images: a folder of images, or a dataset's name.
        output: the file, NAME.npz.
        form: ``fid``: ``mu`` [D] and ``sigma`` [D, D], float64, of the features, as pytorch-fid and
            clean-fid have them; ``adm``: ``arr_0``, the images, uint8 [N, height, width, 3], from
            which ADM's evaluator computes its own.
        overwrite: replace the file if it exists.
        options: more keys of the configuration, such as ``features``; by default all images, at
            most 50,000, are used: ``eval_samples`` changes that.
        display: shows slow steps; None shows nothing.

    Returns:
        A description of the file written.

    Raises:
        ConfigError: if it cannot be done.
    """
    path = read_path("output", str(output))
    if path.suffix != ".npz":
        raise ConfigError("output", f"{output} does not end in .npz; give a name that does")
    check_free(path, "output", overwrite)
    given = {name: value for name, value in (options or {}).items() if value is not None}
    values = {"eval_samples": _USUAL_IMAGES, **given, "criterion": "fid"}
    values["dataset"] = dataset_or_folder(images, "images")
    run = load_config(TrainConfig, None, values).resolved()
    call = Statistics(config=run.as_dict(), form=form, output=str(path.absolute()))
    with engine_of(run) as workers:
        note = checked("display", display or Display(), Display).note
        found = workers.call(call, Counted, note)
    if not found.features:
        return f"{path}: {found.images} images"
    return f"{path}: {found.features} features of {found.images} images, by {found.network}"


def _reference(given: str, images: str | None) -> dict[str, Any]:
    """The keys that name the reference.

    Args:
        given: a dataset's name, a folder of images or an .npz file of their statistics.
        images: the images to score, whose form the images that accompany statistics have; None for
            the training images of a generator.
    """
    path = read_path("reference", given)
    if (
        path.suffix == ".npz"
        and dataset_path(given) is None
        and look(path, "reference") != "folder"
    ):
        return {"reference_statistics": path} | ({"dataset": images} if images else {})
    return {"dataset": dataset_or_folder(given, "reference")}


def _left_behind(
    file: Path | None, moved: Mapping[str, Any], values: Mapping[str, Any], reference: str | None
) -> dict[str, None]:
    """The keys of a training's file that given options override.

    Another reference overrides published statistics and a file of labels. Other criteria override
    the features if the training's criteria use none, because then nobody chose them.
    """
    left: dict[str, None] = {}
    if reference is not None and "reference_statistics" not in values:
        left["reference_statistics"] = None
    if file is not None and reference is not None and values.get("labels") is None:
        left["labels"] = None
    if file is not None and values.get("features") is None:
        plugins = {"plugin_dirs": values.get("plugin_dirs")}
        known = load_config(TrainConfig, file, {**plugins, **moved}).criteria().values()
        if not any(criterion.looks_at_features for criterion in known):
            left["features"] = None
    return left


def _with_criteria(
    options: Mapping[str, Any] | None, criterion: str | Sequence[str] | None
) -> dict[str, Any]:
    """The configuration's keys with the named criteria, if there are any."""
    if criterion is None:
        return dict(options or {})
    first, *more = listed(criterion)
    return {**(options or {}), "criterion": first, "also": more}
