"""One trial: a GAN trained under given hyperparameters, scored at intervals, kept on disk.

It runs in a worker process. Its files depend only on the configuration, not on the process's
earlier work or on interruptions.
"""

import dataclasses
import json
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import (
    Damaged,
    read_arrays,
    stored,
    sweep,
    write_arrays,
    write_bytes,
    write_json,
)
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.variety import Variety
from autogan.data.grids import GRID_CLASSES, grid, png, whole_rows
from autogan.models.training.batches import TrainingSet
from autogan.models.training.trainer import Trainer
from autogan.record.folder import TrialFolder
from autogan.search import Evaluation, State, Trial
from autogan.search.history import best_evaluation
from autogan.worker.events import TrialEvents

_EVALUATION_LATENTS = 1  # the seed for scoring, the same for all trials
_GRID_LATENTS = 2  # the seed for grids, the same for all trials
USER_LATENTS = 2**32  # added to the users' seeds, so that none is a seed that chose a checkpoint
_STEPS_PER_CALL = 20  # between two checks of the losses, the clock, Ctrl-C and the display
_FIRST_STEPS = 100  # too early for a collapse: WGAN-GPs made one picture at 90, good ones later


class Driver(Protocol):
    """The other end of the pipe, as a trial sees it."""

    def note(self, text: str) -> None:
        """Send a note for the user."""

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """Report the training's progress."""

    def evaluated(self, evaluation: Evaluation) -> bool:
        """Report an evaluation; return whether to go on (True if `interrupted` meanwhile)."""

    def interrupted(self) -> bool:
        """Whether to save and stop as soon as possible."""


def run_trial(
    config: TrainConfig,
    folder: TrialFolder,
    trainer: Trainer,
    data: TrainingSet,
    evaluator: Evaluator,
    driver: Driver,
    environment: Mapping[str, Any],
    name: str,
    begun: Trial,
    search: SearchConfig | None = None,
    class_names: Sequence[str] = (),
) -> Trial | None:
    """Train, evaluate and save; resume from the folder's checkpoint if there is one.

    Args:
        config: of the training; resolved.
        folder: for all files of the trial.
        trainer: of the configuration's shape.
        data: the training set.
        evaluator: of the configuration's criteria.
        driver: receives progress and decides on stopping.
        environment: versions and machine, on which the result also depends, for the record.
        name: of the training in TensorBoard.
        begun: the new trial: its number, hyperparameters, seed and origin.
        search: the trial's search, if it belongs to one.
        class_names: of the training set's classes or attributes, for the pictures and the files of
            a conditional GAN.

    Returns:
        The trial's result, or None if interrupted.

    Raises:
        ConfigError: if the folder was moved or removed meanwhile.
    """
    hyperparameters = config.hyperparameters()
    steps, evaluate_every = config.schedule(len(data), trainer.batch_size)
    objective, labels = config.objective, evaluator.labels()
    trial = dataclasses.replace(begun, evaluations=[])
    step = 0
    sizes: dict[str, int] = {}
    started = saved = time.monotonic()
    sweep(folder.root, folder.checkpoints, folder.samples)

    # Begin, or go back to the last checkpoint; a result not reported yet is reported now.
    if (ended := folder.ended()) and not ended.resumable:
        trial = ended
    elif state := _checkpoint(folder, driver):
        progress = json.loads(state.pop("progress").tobytes())
        _check_labels(progress.get("labels", []), list(labels.values()))
        trial.evaluations = [Evaluation(**each) for each in progress["evaluations"]]
        step, trial.seconds = progress["step"], progress["seconds"]
        sizes = progress.get("events", {})
        trainer.restore(state)
    else:
        trainer.reset(config.seed)
        folder.keep_config(config)
    goes_on = True  # the answer to the last evaluation counts, before a kill or now
    for evaluation in trial.evaluations:
        goes_on = driver.evaluated(evaluation)
    if trial.evaluations and driver.interrupted():  # the answers may come only from this
        return None
    if trial.state is not State.RUNNING:
        return trial
    if not goes_on and step < steps and not _collapsed(trial):
        trial.state = State.STOPPED

    before = trial.seconds
    images_per_step = config.gan.batches_per_step(hyperparameters) * trainer.batch_size
    stride = min(_STEPS_PER_CALL, data.steps_at_once(images_per_step))
    latents = trainer.latents(evaluator.generated, _EVALUATION_LATENTS)
    classes = range(min(trainer.conditions, GRID_CLASSES))  # one per column
    grid_latents = trainer.latents(whole_rows(len(classes)), _GRID_LATENTS, classes)
    shown = config.gan.meaningful(hyperparameters)
    events = TrialEvents(folder, name, shown, trainer, sizes, search, labels)
    limit = 60 * (config.max_trial_minutes or math.inf)  # seconds, including those before a resume
    lost: set[str] = set()  # criteria reported to have no finite score

    def save() -> None:
        nonlocal saved
        folder.check_there()
        saved = time.monotonic()
        trial.seconds = before + saved - started
        progress = {
            "step": step,
            "seconds": trial.seconds,
            "events": events.sizes(),
            "labels": list(labels.values()),
            "evaluations": [dataclasses.asdict(e) for e in trial.evaluations],
        }
        packed = np.frombuffer(json.dumps(progress).encode(), np.uint8)
        write_arrays(folder.state, {**trainer.state(), "progress": packed})

    while step < steps and trial.state is State.RUNNING and not _collapsed(trial):
        if before + time.monotonic() - started >= limit:
            save()
            trial.state = State.TIMED_OUT
            trial.reason = f"its {config.max_trial_minutes:g} minutes ended at step {step}"
            break

        # Train up to the next check or evaluation, in one compiled call: `run` and
        # `_generator_step` of `autogan.models.training.updates.Updates` (E-GAN has its own step).
        boundary = min(steps, (step // evaluate_every + 1) * evaluate_every)
        look = (step // stride + 1) * stride
        count = min(look, boundary) - step
        done, losses = trainer.train(data, config.seed, step, count, steps, hyperparameters)
        step += done
        events.losses(step, losses)
        driver.progress(step, steps, losses)
        if not np.isfinite(sum(losses.values())):
            trial.state = State.DIVERGED
            trial.reason = f"a loss became NaN or infinite at step {step}"

        # Evaluate and save.
        elif step == boundary:
            folder.check_there()
            try:
                made = trainer.generate(latents)
                features = evaluator.features(made, latents.classes)
                named = evaluator.score(features, (search or config).deciding())
            except FloatingPointError as error:
                trial.state, trial.reason = State.DIVERGED, f"{error} at step {step}"
                break
            if missing := [name for name in labels if name not in named and name not in lost]:
                lost.update(missing)
                driver.note(
                    f"{', '.join(missing)} is NaN or infinite: it does not decide, so the training "
                    "goes on without that score"
                )
            scores = {labels[name]: score for name, score in named.items()}
            variety = evaluator.variety(made, features)
            faded = variety.faded(Variety.of(e.variety) for e in trial.evaluations if e.variety)
            collapsed = (variety.collapsed or faded) and not _beginning(step, steps)
            counts = not collapsed and objective.counts(scores, labels)
            value = objective.value(scores, labels) if counts else None
            behind = evaluator.figures(features)
            figures = {**dataclasses.asdict(variety), **behind}
            trial.evaluations.append(Evaluation(step, scores, value, figures, collapsed))
            picture = grid(
                trainer.generate(grid_latents), len(classes), class_names[: len(classes)]
            )
            write_bytes(folder.sample(step), png(picture))
            best = best_evaluation(trial.evaluations, objective.chooses)
            label = objective.label(labels)
            events.evaluation(step, scores, label, best, variety, behind, picture)
            generator = {
                **trainer.generator_state(),
                "image_shape": np.array(trainer.image_shape),
                "class_counts": np.array(trainer.class_counts, np.int64),
                "class_names": np.array(class_names[: trainer.conditions], str),
            }
            if trainer.attributes is not None:
                generator["attributes"] = trainer.attributes
            if best and best.step == step:
                write_arrays(folder.best, generator)
            write_arrays(folder.last, generator)
            lines = [
                json.dumps(
                    {"step": e.step, **e.scores, "variety": e.variety, "collapsed": e.collapsed}
                )
                for e in trial.evaluations
            ]
            write_bytes(folder.scores, "".join(f"{line}\n" for line in lines).encode())
            save()
            asked = time.monotonic()
            goes_on = driver.evaluated(trial.evaluations[-1])
            started += time.monotonic() - asked  # the search may wait for other trials
            if not goes_on and step < steps and not _collapsed(trial):
                trial.state = State.STOPPED

        # Save between evaluations too, so that a kill costs only minutes.
        elif time.monotonic() - saved >= 60 * config.checkpoint_minutes:
            save()

        if trial.state is State.RUNNING and step < steps and driver.interrupted():
            save()
            events.close()
            return None

    folder.check_there()
    # End: the value is that of the best evaluation, because GANs may collapse late. A dead trial
    # has a value too: its generator is worth something, though its hyperparameters are not.
    best = best_evaluation(trial.evaluations, objective.chooses)
    if trial.state is State.RUNNING and (_collapsed(trial) or best is None):
        trial.state, last = State.COLLAPSED, trial.evaluations[-1]
        trial.reason = f"{Variety.of(last.variety)} at step {last.step}"
        if not last.collapsed:
            trial.reason = f"no evaluation met {config.constraint}"
    if trial.state is State.RUNNING:
        trial.state = State.COMPLETE
    if best is not None:
        trial.value, trial.step = best.value, best.step
        trial.last_value = trial.evaluations[-1].value
    trial.seconds, trial.steps = before + time.monotonic() - started, step
    events.end(dead=trial.dead or trial.collapsed)
    write_json(folder.result, {**dataclasses.asdict(trial), "environment": dict(environment)})
    if trial.dead:  # other trials can be trained longer
        folder.state.unlink(missing_ok=True)
    return trial


def _checkpoint(folder: TrialFolder, driver: Driver) -> dict[str, npt.NDArray[Any]] | None:
    """The state to resume from; None if it is missing, or damaged so that the trial restarts."""
    if not folder.state.exists():
        return None
    try:
        with stored(folder.state, "read"):
            return read_arrays(folder.state)
    except Damaged as error:
        driver.note(f"{error}; the training starts again from the beginning")
        return None


def _check_labels(before: Sequence[str], now: Sequence[str]) -> None:
    """Refuse to resume if new evaluations would not be comparable with the earlier ones.

    Raises:
        ConfigError: naming the labels.
    """
    if list(before) != list(now):
        raise ConfigError(
            "resume",
            f"the training was scored as {', '.join(before)}, but now it would be scored as "
            f"{', '.join(now)} (other images or features); restore these, or start a new training",
        )


def _beginning(step: int, steps: int) -> bool:
    """Whether a generator may have changed little since its start, after ``step`` of ``steps``.

    Its images are then alike, even more so with averaged weights; that does not mean a collapse.
    """
    return step < max(steps / 10, _FIRST_STEPS)


def _collapsed(trial: Trial) -> bool:
    """Whether the generator made the same or pale pictures at the last two evaluations."""
    return [e.collapsed for e in trial.evaluations[-2:]] == [True, True]
