"""What can be asked of AutoGAN, from the command line and from Python alike.

Each function takes a configuration and returns as objects what the command line prints. The work
is done in a worker process; nothing here imports TensorFlow.
"""

import contextlib
import dataclasses
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from autogan.config import (
    SearchConfig,
    TrainConfig,
    left_out,
    load_config,
    load_saved,
    own_flags,
    validated,
)
from autogan.core.errors import ConfigError
from autogan.core.files import read_arrays, sweep, write_yaml
from autogan.core.text import checked, listed, read_path
from autogan.data import grids
from autogan.display import usual_display
from autogan.report import write_page
from autogan.run.budget import Budget
from autogan.run.claim import Claim, beside_search, check_free, clear
from autogan.run.crew import make_engine
from autogan.run.display import Display
from autogan.run.engine import Engine
from autogan.run.folder import SearchFolder, TrialFolder, record_name, run_of, training_in
from autogan.run.ledger import Ledger
from autogan.run.loop import SearchLoop
from autogan.run.messages import (
    Evaluate,
    Open,
    Opened,
    Sample,
    Sampled,
    Scores,
    Time,
    Timed,
)
from autogan.run.opening import (
    dataset_or_folder,
    header_of,
    joining,
    opened_and_prepared,
    with_compiler,
)
from autogan.run.plan import Plan, first_trial, plan_of
from autogan.run.result import SearchResult, TrainResult
from autogan.run.resume import (
    check_fits,
    check_header,
    check_same,
    limits_of,
    moved_images,
    resumed_config,
)
from autogan.run.training import train_alone
from autogan.run.warmstart import earlier_trials, learning
from autogan.run.words import Terms

Checkpoint = Literal["best", "last"]


def plan(
    config: SearchConfig | Mapping[str, Any] | None = None,
    *,
    resume: Path | str | None = None,
    estimate: bool = False,
    display: Display | None = None,
) -> Plan:
    """Check a search, and say what it would do; creates nothing, and needs no feature network.

    Args:
        config: see `run_search`.
        resume: likewise.
        estimate: train a few steps to say how long all will take, and evaluate once for it
            if the feature network can be had.
        display: is told of what takes long; nobody if None.

    Raises:
        ConfigError: if it cannot be run.
    """
    run = _search_config(config, resume)
    trial = first_trial(run).as_dict()
    note = checked("display", display or Display(), Display).note
    with _engine(run, None) as engine:
        opened = engine.call(
            Open(config=trial, features=False, conditions=run.conditions, depth=run.most_depth),
            Opened,
            note,
        )
        timed = engine.call(Time(config=trial), Timed, note) if estimate else None
        return plan_of(run, opened, timed)


def run_search(
    config: SearchConfig | Mapping[str, Any] | None = None,
    *,
    resume: Path | str | None = None,
    overwrite: bool = False,
    retry_failed: bool = False,
    accept_changed_data: bool = False,
    display: Display | None = None,
    engine: Engine | None = None,
) -> SearchResult:
    """Search for the best hyperparameters.

    Args:
        config: of the search; with ``resume``, only the keys that change.
        resume: the folder of a search to go on with.
        overwrite: replace an earlier run in the folder.
        retry_failed: with ``resume``, try the trials again that had failed.
        accept_changed_data: with ``resume``, go on with others that are measured alike.
        display: is told of progress; if None, a notebook shows it and a program nothing.
        engine: runs the trials; workers as the configuration says if None.

    Raises:
        ConfigError: if it cannot be run; nothing was created.
        Interrupted: after Ctrl-C, SIGTERM or SIGHUP; it can be resumed.
        SearchFailed: after three failed trials in a row.
        StorageError: if a file cannot be written, as on a full disk; it can be resumed.
    """
    run = _search_config(config, resume)
    if resume is None and (retry_failed or accept_changed_data):
        name = "retry_failed" if retry_failed else "accept_changed_data"
        raise ConfigError(name, "True without --resume; name the search to go on with")
    folder = SearchFolder(_run_dir(run))
    display = checked("display", display or usual_display(), Display)
    here = run.engine == "local" and run.worker_command is None
    if resume is not None and here and (flags := left_out(folder.config)):
        display.note(f"the workers are on this machine: {flags} counts only if you give it")
    # The page comes when the folder is free again, for it says whether anybody works there.
    with (
        contextlib.ExitStack() as afterwards,
        _claimed(
            run, folder.root, folder.config, engine, resume is not None, overwrite, display
        ) as (claim, workers),
    ):
        begun = Ledger(folder.ledger, claim.held) if resume is not None else None
        kept = folder.root if resume is not None else None
        trial = first_trial(run)
        opened, prepared = opened_and_prepared(run, trial, kept, workers, display)
        run = with_compiler(run, trial, workers, display)
        run.rule(opened.images)
        Budget(run, opened.images).check()
        header = header_of(opened, prepared)
        if begun is not None and begun.header:
            check_fits(run, begun)
            check_header(begun.header, header, display, accept_changed_data)
        elif run.warm_start is not None:
            earlier = earlier_trials(run.warm_start, run, header)
            display.note(learning(earlier, run))
            header["earlier"] = [dataclasses.asdict(trial) for trial in earlier]
        claim.begin()
        if overwrite:
            clear(folder.root, folder.config)
        sweep(folder.root)
        record_name(folder.root, folder.config, run)
        ledger = begun or Ledger(folder.ledger, claim.held)
        again = shlex.join(["autogan", "search", "FILE", *own_flags(run, "search")])
        write_yaml(folder.config, run.saved(), f"Run this search again with: {again}")
        if not ledger.header:
            ledger.append("search", **header)
        if ledger.header["data"] != header["data"]:
            ledger.append("data", data=header["data"])
        limits = limits_of(run)
        if ledger.limits != limits:
            ledger.append("limits", keys=limits)
        workers.join(joining(trial, folder.root, claim, opened, prepared), display.note)
        loop = SearchLoop(run, folder, ledger, workers, display)
        afterwards.callback(lambda: write_page(loop.result(), display))
        if retry_failed:
            loop.retry_failed()
        return loop.run()


def train(
    config: TrainConfig | Mapping[str, Any],
    *,
    resume: bool = False,
    overwrite: bool = False,
    display: Display | None = None,
    engine: Engine | None = None,
) -> TrainResult:
    """Train one GAN, with one value for each hyperparameter.

    Args:
        config: of the training.
        resume: go on with an interrupted training of the same configuration in its folder.
        overwrite: replace an earlier run in the folder.
        display: is told of progress; if None, a notebook shows it and a program nothing.
        engine: runs it; a worker on this machine if None.

    Raises:
        ConfigError: if it cannot be run; nothing was created.
        Interrupted: after Ctrl-C; it can be resumed.
        SearchFailed: if it failed.
    """
    run = (config if isinstance(config, TrainConfig) else validated(TrainConfig, config)).resolved()
    run.hyperparameters()
    root = _run_dir(run)
    folder = TrialFolder.of(root, run)
    if resume:
        saved = load_saved(TrainConfig, folder.config, {"plugin_dirs": run.plugin_dirs})
        check_same(folder.config, saved, run)
    display = checked("display", display or usual_display(), Display)
    with _claimed(run, root, folder.config, engine, resume, overwrite, display) as (claim, workers):
        kept = run_of(root) if resume else None
        opened, prepared = opened_and_prepared(run, run, kept, workers, display)
        run = with_compiler(run, run, workers, display)
        claim.begin()
        if overwrite:
            clear(root, folder.config)
        record_name(root, folder.config, run)
        workers.join(joining(run, root, claim, opened, prepared), display.note)
        terms = Terms.of(run.criterion, prepared.labels)
        display.begins(terms)
        trial = train_alone(run, folder, workers, display)
        return TrainResult(run, folder, prepared.objective, terms, trial)


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
        reference: a dataset's name or a folder of images to compare with; by default what the
            generator was trained on.
        criterion: names, in a list or separated by commas; by default those of the training, or
            fid.
        checkpoint: which of the trained generators.
        seed: of the latent vectors, which are others than those that chose the checkpoint.
        options: further keys of the configuration, such as ``features``.
        display: is told what takes long; nobody if None.

    Returns:
        The values by label; of a trained generator, unless another ``reference`` is given, also
        those against its dataset's test images, where there are some.

    Raises:
        ConfigError: if it cannot be done.
    """
    values = dict(options or {})
    if criterion is not None:
        first, *more = listed(criterion)
        values |= {"criterion": first, "also": more}
    trained = training_in(read_path("images", str(images)), "images")
    moved, file = moved_images(trained), trained / "config.yaml" if trained else None
    source: dict[str, Any] = {"seed": seed}
    if trained is None:
        source["dataset"] = dataset_or_folder(str(images), "images")
        if reference is None:
            raise ConfigError("reference", "none given; name a dataset or a folder of images")
    if reference is not None:
        values |= {"dataset": dataset_or_folder(reference, "reference")}
    run = load_config(TrainConfig, file, {**moved, **values}).resolved()
    if trained is not None:
        own = {"plugin_dirs": run.plugin_dirs, **moved}
        training = load_saved(TrainConfig, trained / "config.yaml", own).resolved().as_dict()
        source |= {"training": training, "folder": str(trained), "checkpoint": checkpoint}
        if reference is None:
            source["run"] = str(run_of(trained))
    note = checked("display", display or Display(), Display).note
    with _engine(run, None) as workers:
        found = workers.call(Evaluate(config=run.as_dict(), **source), Scores, note)
        return {**found.scores, **(found.test or {})}


def sample(
    folder: Path | str,
    *,
    count: int | None = None,
    classes: str | Sequence[int | str] | None = None,
    grid: bool = False,
    seed: int = 0,
    checkpoint: Checkpoint = "best",
    options: Mapping[str, Any] | None = None,
) -> npt.NDArray[np.uint8]:
    """Generate images with a trained generator.

    Args:
        folder: of a search (its best trial is used) or a training.
        count: how many; 64 if None, or 8 of each class if those are given.
        classes: names or numbers, in a list or separated by commas, to go round and round, where
            the GAN type makes images of given classes; if None, all as often as in the training
            set, in order.
        grid: lay the images out in one picture; of a GAN type with classes, with a column for each
            of them (or of the first 16) under its name.
        seed: of the latent vectors.
        checkpoint: which of the trained generators.
        options: keys of the configuration, such as ``device``.

    Returns:
        uint8 [count, height, width, channels]; of a grid [height, width, channels].

    Raises:
        ConfigError: if there is no trained generator, or no such class.
    """
    trained = training_in(read_path("folder", str(folder)), "folder")
    if trained is None:
        raise ConfigError("folder", f"{folder} holds no search or training; train one first")
    run = load_saved(TrainConfig, trained / "config.yaml", options).resolved()
    with tempfile.TemporaryDirectory() as temporary, _engine(run, None) as workers:
        output = Path(temporary) / "images.npz"
        workers.call(
            Sample(
                config=run.as_dict(),
                folder=str(trained),
                checkpoint=checkpoint,
                count=count,
                seed=seed,
                classes=None if classes is None else listed(classes),
                in_turn=grid,
                output=str(output),
            ),
            Sampled,
        )
        made = read_arrays(output)
    images: npt.NDArray[np.uint8] = made["images"]
    columns = made["columns"].tolist()
    return grids.grid(images, len(columns), columns) if grid else images


def _search_config(
    config: SearchConfig | Mapping[str, Any] | None, resume: Path | str | None = None
) -> SearchConfig:
    """The resolved configuration of a new search, or of an earlier one in ``resume``."""
    if resume is not None:
        return resumed_config(read_path("resume", str(resume)), {} if config is None else config)
    run = (
        config
        if isinstance(config, SearchConfig)
        else validated(SearchConfig, {} if config is None else config)
    )
    return run.resolved().with_points_inside()


@contextlib.contextmanager
def _claimed(
    run: TrainConfig,
    root: Path,
    config_file: Path,
    engine: Engine | None,
    resume: bool,
    overwrite: bool,
    display: Display,
) -> Iterator[tuple[Claim, Engine]]:
    """A run's folder, locked for as long as we and our workers live, and workers that hold it."""
    if not resume:
        check_free(root, config_file, run, overwrite=overwrite)
    claim = Claim(root)
    try:
        if claim.note:
            display.note(claim.note)
        with beside_search(root), _engine(run, engine) as workers:
            if not resume:  # another command may have been here meanwhile
                check_free(root, config_file, run, overwrite=overwrite)
            yield claim, workers
    finally:
        claim.release()


def _run_dir(run: TrainConfig) -> Path:
    assert run.run_dir is not None
    return run.run_dir


@contextlib.contextmanager
def _engine(run: TrainConfig, engine: Engine | None) -> Iterator[Engine]:
    """The given engine, or one that lives for the length of a command."""
    workers = make_engine(run) if engine is None else checked("engine", engine, Engine)
    try:
        yield workers
    finally:
        workers.close()
