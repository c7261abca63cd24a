"""The functions of AutoGAN, for the command line and for Python alike.

Each function takes a configuration and returns objects, which the command line prints. Workers
train, sample and score; nothing here imports TensorFlow.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from autogan.config import SearchConfig, TrainConfig, left_out, load_saved, small_copy, validated
from autogan.core.errors import ConfigError
from autogan.core.text import checked, read_path
from autogan.decisions.replay import Checked, check_record, repaired
from autogan.pool.crew import engine_of
from autogan.pool.messages import Open, Opened, Time, Timed
from autogan.pool.pool import Engine
from autogan.record.folder import SearchFolder, TrialFolder
from autogan.record.resume import check_same, resumed_config
from autogan.record.words import Terms
from autogan.report import write_page
from autogan.run.longer import lengthened
from autogan.run.opening import in_free_folder, opening
from autogan.run.pace import within_time
from autogan.run.plan import Plan, first_trial, plan_of
from autogan.run.searching import Manner, check_size, searched
from autogan.run.training import train_alone
from autogan.show.display import Display
from autogan.show.displays import usual_display
from autogan.show.result import SearchResult, TrainResult
from autogan.show.saved import load_run, load_search
from autogan.show.tracking import tracked_training

Checkpoint = Literal["best", "last"]
R = TypeVar("R", bound=TrainConfig)


def plan(
    config: SearchConfig | Mapping[str, Any] | None = None,
    *,
    resume: Path | str | None = None,
    overwrite: bool = False,
    estimate: bool = False,
    display: Display | None = None,
) -> Plan:
    """Check a search and return its plan; creates nothing, and needs no feature network.

    Args:
        config: see `run_search`.
        resume: likewise.
        overwrite: likewise.
        estimate: train a few steps to estimate the total time, and evaluate once if the feature
            network is available.
        display: shows slow steps; None shows nothing.

    Raises:
        ConfigError: if it cannot be run.
    """
    display = checked("display", display or Display(), Display)
    run = _search_config(config, resume, overwrite, display)
    first_trial(run)

    def planned(run: SearchConfig) -> Plan:
        trial = first_trial(run).as_dict()
        opened = engine.call(
            Open(config=trial, features=False, conditions=run.conditions, depth=run.most_depth),
            Opened,
            display.note,
        )
        asked = estimate or run.time is not None
        timed = engine.call(Time(config=trial), Timed, display.note) if asked else None
        if timed and run.time is not None:
            run = within_time(run, opened.images, timed, display)
        check_size(run, opened)
        made = plan_of(run, opened, timed if estimate else None)
        small = None if run.proxy is None else planned(small_copy(run))
        return dataclasses.replace(made, proxy=small)

    done = 0
    if resume is not None:
        done = load_search(Path(resume), {"plugin_dirs": run.plugin_dirs}).updates()
    with engine_of(run) as engine:
        return dataclasses.replace(planned(run), done=done)


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
        config: of the search; with ``resume``, only the keys that change. Without ``run_dir``, its
            folder is the first of ``runs/GAN_TYPE-DATASET``, ``runs/GAN_TYPE-DATASET-2``, ... that
            is free; with ``overwrite``, the first.
        resume: the folder of a search to resume.
        overwrite: replace an earlier run in the folder.
        retry_failed: with ``resume``, retry failed trials.
        accept_changed_data: with ``resume``, accept changed training images if values are measured
            against the same images.
        display: shows the progress; if None, only notebooks show it.
        engine: runs the trials; if None, workers according to the configuration.

    Raises:
        ConfigError: if it cannot be run; nothing was created.
        Interrupted: after Ctrl-C, SIGTERM or SIGHUP; it can be resumed.
        SearchFailed: after three failed trials in a row.
        StorageError: if a file cannot be written, as on a full disk; it can be resumed.
    """
    display = checked("display", display or usual_display(), Display)
    run = _search_config(config, resume, overwrite, display)
    if resume is None and (retry_failed or accept_changed_data):
        name = "retry_failed" if retry_failed else "accept_changed_data"
        raise ConfigError(name, "True without --resume; name the search to resume")
    folder = SearchFolder(_run_dir(run))
    if resume is not None and not run.remote and (flags := left_out(folder.config)):
        display.note(f"workers run on this machine; to run them elsewhere, give {flags} again")
    manner = Manner(
        resume=resume is not None,
        overwrite=overwrite,
        retry_failed=retry_failed,
        accept_changed_data=accept_changed_data,
    )
    return searched(run, manner, display, write_page, engine)


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
        config: of the training. Without ``run_dir``, its folder is the first of
            ``runs/train-GAN_TYPE-DATASET``, ``runs/train-GAN_TYPE-DATASET-2``, ... that is free;
            with ``resume`` or ``overwrite``, the first.
        resume: resume an interrupted training of the same configuration in its folder.
        overwrite: replace an earlier run in the folder.
        display: shows the progress; if None, only notebooks show it.
        engine: runs the training; if None, a worker on this machine.

    Raises:
        ConfigError: if it cannot be run; nothing was created.
        Interrupted: after Ctrl-C; it can be resumed.
        SearchFailed: if it failed.
    """
    display = checked("display", display or usual_display(), Display)
    given = config if isinstance(config, TrainConfig) else validated(TrainConfig, config)
    run = _placed(given, display, first=resume or overwrite)
    run.hyperparameters()
    root = _run_dir(run)
    folder = TrialFolder.of(root, run)
    if resume:
        saved = load_saved(TrainConfig, folder.config, {"plugin_dirs": run.plugin_dirs})
        check_same(folder.config, saved, run)
    with opening(
        run, root, folder.config, display, engine, resume=resume, overwrite=overwrite
    ) as start:
        start.check()
        start.begin()
        start.join()
        run, prepared = start.config, start.prepared
        terms = Terms.of(run.criterion, prepared.labels)
        display.begins(terms)
        with tracked_training(run, root, terms, display) as tracking:
            trial = train_alone(run, folder, start.workers, tracking)
            tracking.follow(trial)
        return TrainResult(run, folder, prepared.objective, terms, trial)


def train_longer(
    folder: Path | str,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    run_dir: Path | str | None = None,
    options: Mapping[str, Any] | None = None,
    display: Display | None = None,
    engine: Engine | None = None,
) -> TrainResult:
    """Train longer: continue a training that has ended from its last state.

    Args:
        folder: of a training, which continues there; or of a search, whose best training continues
            in a new folder.
        steps: generator updates, including those so far; or ``epochs``.
        epochs: passes over the training set, likewise.
        run_dir: where to continue; by default the folder, or ``runs/SEARCH-longer``.
        options: keys that may change, such as ``device``.
        display: see `train`.
        engine: likewise.

    Raises:
        ConfigError: if it died, its state is missing, or the folder is not free.
        Interrupted: after Ctrl-C; it can be resumed.
        SearchFailed: if it failed.
    """
    root = read_path("config", str(folder))
    place = None if run_dir is None else read_path("run_dir", str(run_dir))
    run = lengthened(root, steps=steps, epochs=epochs, run_dir=place, options=options)
    return train(run, resume=True, display=display, engine=engine)


def load(
    folder: Path | str, *, options: Mapping[str, Any] | None = None
) -> SearchResult | TrainResult:
    """Load the result so far of a search or training; works while it runs.

    Args:
        folder: of the search or training.
        options: keys of the configuration, such as ``plugin_dirs``.

    Raises:
        ConfigError: if there is none, it has not begun, or its files are damaged.
    """
    return load_run(read_path("run", str(folder)), options)


def check(
    folder: Path | str,
    *,
    repair: bool = False,
    options: Mapping[str, Any] | None = None,
    display: Display | None = None,
) -> Checked:
    """Verify a search's record by replaying every decision.

    Args:
        folder: of the search.
        repair: cut a damaged record before the first wrong line, so that the search can be resumed
            from there; a copy is kept.
        options: keys of the configuration, such as ``plugin_dirs``.
        display: shows the cut; None shows nothing.

    Raises:
        ConfigError: if there is no search, or its record is damaged; with ``repair``, if a command
            is at work in the folder.
    """
    root, plugin_dirs = read_path("folder", str(folder)), (options or {}).get("plugin_dirs")
    if not repair:
        return check_record(root, plugin_dirs)
    return repaired(root, plugin_dirs, (display or Display()).note)


def _search_config(
    config: SearchConfig | Mapping[str, Any] | None,
    resume: Path | str | None,
    overwrite: bool,
    display: Display,
) -> SearchConfig:
    """The resolved configuration of a new search, or of the one in ``resume``."""
    if resume is not None:
        return resumed_config(read_path("resume", str(resume)), {} if config is None else config)
    given = (
        config
        if isinstance(config, SearchConfig)
        else validated(SearchConfig, {} if config is None else config)
    )
    return _placed(given, display, first=overwrite).with_points_inside()


def _placed(given: R, display: Display, *, first: bool) -> R:
    """The resolved configuration, in a free folder if the user names none.

    Args:
        given: by the user.
        display: shows the folder's name if it is not the default one.
        first: whether the default folder is meant, though an earlier run is there.
    """
    run = given.resolved()
    return run if first or given.run_dir is not None else in_free_folder(run, display.note)


def _run_dir(run: TrainConfig) -> Path:
    assert run.run_dir is not None
    return run.run_dir
