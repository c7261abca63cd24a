"""Longer trainings: more steps from the last state of a training that has ended."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogan.config import TrainConfig, load_saved
from autogan.core.errors import ConfigError
from autogan.core.files import look, made_beside
from autogan.core.invocation import command
from autogan.record.claim import LOCK, Claim, check_free
from autogan.record.folder import (
    PLACES,
    TrialFolder,
    existing_training,
    feature_weights,
    first_stage,
    real_images,
    run_of,
)


def lengthened(
    folder: Path,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    run_dir: Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> TrainConfig:
    """Prepare a training that has ended for more steps.

    A training continues in its own folder. A search's training is first copied into a new folder:
    the search's record describes it as it was.

    Args:
        folder: of a training, or of a search, whose best training continues.
        steps: generator updates, including those so far.
        epochs: passes over the training set, instead of ``steps``.
        run_dir: where to continue, if not in the folder.
        options: more keys that may change, such as ``device``.

    Returns:
        The configuration, to be run with ``resume``.

    Raises:
        ConfigError: if the training cannot continue.
    """
    trained = existing_training(folder, "config")
    if (steps is None) == (epochs is None):
        raise ConfigError("steps", "give --steps or --epochs, the total including those so far")
    root = Path(os.path.realpath(trained))
    saved = load_saved(TrainConfig, root / "config.yaml", options, loads_features=True).resolved()
    wanted = saved.model_copy(update={"steps": steps, "epochs": epochs})
    source = TrialFolder.of(root, saved)
    run = run_of(root)
    _check_can_go_on(root, source, steps, is_trial=run != root)
    if run == root and run_dir is None:
        claim = Claim(root)
        try:
            _begin_anew(source, wanted)
        finally:
            claim.release()
        return wanted.model_copy(update={"run_dir": root})
    place = run_dir or Path("runs") / f"{run.name}-longer"
    if look(place / LOCK, "run_dir"):
        on = command("autogan", "train", place, "--resume", "--steps", steps or "STEPS")
        raise ConfigError(
            "run_dir", f"{place} holds a run; resume it with {on}, or give another --run-dir"
        )
    wanted = wanted.model_copy(update={**dict.fromkeys(PLACES), "run_dir": place})
    check_free(place, place / "config.yaml", wanted, overwrite=False)
    _copy(source, run, wanted, place)
    return wanted


def _check_can_go_on(root: Path, source: TrialFolder, steps: int | None, *, is_trial: bool) -> None:
    """Refuse a training that has not ended, that died, or whose state is gone."""
    ended = source.ended()
    if ended is None and is_trial:
        raise ConfigError("config", f"{root} has not ended; resume its search")
    if ended is not None and ended.dead:
        raise ConfigError("config", f"{root} {ended.state.value} ({ended.reason}); train it again")
    if ended is not None and steps is not None and steps <= ended.steps:
        raise ConfigError("steps", f"{steps}, and {root} was trained for {ended.steps}; give more")
    if not look(source.state, "config"):
        again = command("autogan", "train", root / "config.yaml", "--steps", steps or "STEPS")
        raise ConfigError(
            "config",
            f"{root} has no saved state: since AutoGAN 0.4, a search keeps only its winner's; "
            f"train it again: {again}",
        )


def _begin_anew(folder: TrialFolder, config: TrainConfig) -> None:
    """Make a training unfinished again.

    Its file names no folder, like that of every training, so that it can be trained again.
    """
    folder.keep_config(config.model_copy(update={"run_dir": None}))
    folder.result.unlink(missing_ok=True)


def _copy(source: TrialFolder, run: Path, config: TrainConfig, place: Path) -> None:
    """Copy a training with all that its run keeps for it, completely or not at all."""
    with made_beside(place) as made:
        for folder in (source.checkpoints, source.samples):
            shutil.copytree(folder, made / folder.name)
        for path in source.logs.glob("events.out.tfevents.*"):
            shutil.copy2(path, made)
        for path in (source.scores, feature_weights(run), real_images(run), first_stage(run)):
            if path.is_dir():
                shutil.copytree(path, made / path.name)
            elif path.is_file():
                shutil.copy2(path, made)
        _begin_anew(TrialFolder.of(made, config), config)
        (made / LOCK).touch()  # marks it as a run's folder
