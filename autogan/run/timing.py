"""How fast a training goes here, from a few steps of it."""

import time

from autogan.config import TrainConfig
from autogan.criteria.networks import FeatureNetwork
from autogan.models.adversarial import Adversarial
from autogan.models.batches import TrainingSet

_STRIDE = 5  # steps at once
_ENOUGH = 2.0  # seconds of steps
_IMAGES = 200  # whose scoring stands for that of all


def timed_steps(gan: Adversarial, data: TrainingSet, run: TrainConfig) -> float:
    """Train some steps of a configuration, forget them, and return the seconds of one."""
    hyperparameters = run.hyperparameters()
    total, _ = run.schedule(len(data), gan.batch_size)
    gan.reset(run.seed)
    step, _ = gan.train(data, run.seed, 0, _STRIDE, total, hyperparameters)  # which compiles
    first, started = step, time.monotonic()
    while (passed := time.monotonic() - started) < _ENOUGH or step == first:
        done, _ = gan.train(data, run.seed, step, _STRIDE, total, hyperparameters)
        step += done
    return passed / (step - first)


def timed_evaluation(gan: Adversarial, network: FeatureNetwork, samples: int) -> float:
    """The seconds in which so many images are made and seen by the features, about."""
    few = min(samples, _IMAGES)
    latents = gan.latents(few, 0)
    network.features(gan.generate(latents))  # which compiles
    started = time.monotonic()
    network.features(gan.generate(latents))
    return (time.monotonic() - started) * samples / few
