"""The speed of a training on this machine, measured on a few steps."""

import contextlib
import time

import numpy as np

from autogan.config import TrainConfig
from autogan.criteria.evaluator import Evaluator
from autogan.models.training.batches import TrainingSet
from autogan.models.training.trainer import Trainer

_STRIDE = 5  # steps per call
_ENOUGH = 2.0  # seconds of training to measure
_IMAGES = 200  # images to generate for the time of all


def timed_steps(trainer: Trainer, data: TrainingSet, run: TrainConfig) -> float:
    """Train some steps of a configuration and return the seconds of one; the result is dropped."""
    hyperparameters = run.hyperparameters()
    total, _ = run.schedule(len(data), trainer.batch_size)
    trainer.reset(run.seed)
    step, _ = trainer.train(data, run.seed, 0, _STRIDE, total, hyperparameters)  # compiles
    first, started = step, time.monotonic()
    while (passed := time.monotonic() - started) < _ENOUGH or step == first:
        done, _ = trainer.train(data, run.seed, step, _STRIDE, total, hyperparameters)
        step += done
    return passed / (step - first)


def timed_evaluation(trainer: Trainer, evaluator: Evaluator) -> float:
    """The seconds of an evaluation, with a few images repeated to the full number."""
    few = min(evaluator.generated, _IMAGES)
    latents = trainer.latents(few, 0)
    evaluator.features(trainer.generate(latents))  # compiles
    started = time.monotonic()
    images = trainer.generate(latents)
    features = evaluator.features(images, latents.classes)
    seen = time.monotonic() - started
    rows = np.arange(evaluator.generated) % few
    images, features = images[rows], features.rows(rows)
    started = time.monotonic()
    with contextlib.suppress(FloatingPointError):  # possible for an untrained network
        evaluator.variety(images, features)
        evaluator.score(features)
        evaluator.figures(features)
    return seen * evaluator.generated / few + time.monotonic() - started
