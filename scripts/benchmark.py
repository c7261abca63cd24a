#!/usr/bin/env python3
"""Compare AutoGAN with the usual way, side by side in one run.

    scripts/setup benchmark && .venv/bin/python scripts/benchmark.py [search step gap memory fid]

The usual way is the Keras GAN training step under ``tf.function``, rebuilt for each trial, with
the usual FID and Optuna's ask-and-tell loop. Both sides do the same work (networks, updates,
images, features) and compute the real statistics once. Ratios are (usual / AutoGAN): above 1,
AutoGAN is faster.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import autogan
from autogan.pool.places import Hear, LocalPlace, ProcessChannel
from autogan.pool.pool import Pool
from autogan.search import Trial
from autogan.show.displays import Display

PARTS = ("search", "step", "gap", "memory", "fid")
NETWORK = {"width": 32, "dense_width": 256, "batch_size": 64, "z_dim": 62}
SAMPLES = 1437  # all of the digits' training images


def main() -> None:
    """Run the chosen parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="part", help=", ".join(PARTS))
    parser.add_argument("--trials", type=int, default=30, help="trials per search [30]")
    parser.add_argument("--steps", type=int, default=300, help="steps per trial [300]")
    parser.add_argument("--usual-search", metavar="FEATURES", help=argparse.SUPPRESS)
    parser.add_argument("--tuner", default="optuna", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.usual_search:
        features, tuner, size = options.usual_search, options.tuner, options.size
        usual_search(features, tuner, options.trials, options.steps, size)
        return
    # Both sides train their classifier before timing starts: it is kept from search to search.
    cache = tempfile.TemporaryDirectory()
    os.environ["AUTOGAN_CACHE"] = cache.name
    for part in options.parts:
        globals()[f"compare_{part}"](options)


def compare_search(options: argparse.Namespace) -> None:
    """Time a whole search, from start to end: one process per side, one after the other."""
    with tempfile.TemporaryDirectory() as temporary:
        inception_like = save_inception_like(Path(temporary) / "features2048")
        for features in ("classifier", str(inception_like)):
            own = [sys.executable, "-m", "autogan", "search", "--gan-type", "dcgan",
                   "--run-dir", f"{temporary}/run",
                   "--overwrite", "--features", features, "--search-method", "random",
                   "--param", "learning_rate=1e-4..1e-2:log", "--trials", str(options.trials),
                   "--steps", str(options.steps), "--evaluate-every", str(options.steps),
                   *(f"--param={name}={value}" for name, value in NETWORK.items())]  # fmt: skip
            usual = [sys.executable, __file__, "--usual-search", features,
                     "--trials", str(options.trials), "--steps", str(options.steps)]  # fmt: skip
            run([*own, "--trials", "1", "--steps", "1"])
            run([*usual, "--trials", "1", "--steps", "1"])
            ours = seconds(run, own)
            for tuner in ("optuna", "keras_tuner"):
                theirs = seconds(run, [*usual, "--tuner", tuner])
                report(f"search, {options.trials} trials of {options.steps} steps, "
                       f"{Path(features).name}, against {tuner}", theirs, ours)  # fmt: skip


def compare_step(options: argparse.Namespace) -> None:
    """Time a training step, in turns: one usual call, and calls of 20 steps with each compiler."""
    from autogan.models import GAN_TYPES

    for size, width, dense, count in ((8, 32, 256, 200), (8, 16, 256, 200),
                                      (28, 32, 256, 40), (28, 64, 1024, 20)):  # fmt: skip
        images = np.random.default_rng(0).integers(0, 256, (SAMPLES, size, size, 1))
        images = images.astype(np.uint8)
        kind = GAN_TYPES.get("dcgan")
        hyperparameters = {**kind.defaults(), **NETWORK, "width": width, "dense_width": dense}
        sides = {
            "usual": UsualTraining(images, width, dense, 2e-4),
            "graph": OwnTraining(kind, images, hyperparameters),
            "XLA": OwnTraining(kind, images, hyperparameters, xla=True),
        }
        for side in sides.values():
            side.train(20)  # compile
        turns = [[seconds(side.train, count) for side in sides.values()] for _ in range(7)]
        for name, *times in zip(sides, *turns, strict=True):
            each = 1e3 * statistics.median(times) / count
            ratio = statistics.median(turn[0] / own for turn, own in zip(turns, times, strict=True))
            print(f"step, {size}x{size}, width {width}, {name}: {each:.1f} ms, ratio {ratio:.2f}",
                  flush=True)  # fmt: skip


def compare_gap(options: argparse.Namespace) -> None:
    """Time from a trial's last step to the next one's first: evaluation, files, proposal, reset."""
    watch = Watch()
    small_search(watch, trials=12, steps=100)
    gaps = watch.gaps[1:]  # the first one includes compiling the evaluation
    print(f"gap between trials: median {statistics.median(gaps):.2f} s, largest {max(gaps):.2f} s"
          f", including the last evaluation of {SAMPLES} images", flush=True)  # fmt: skip


def compare_memory(options: argparse.Namespace) -> None:
    """Measure the growth of the worker's resident memory from trial 20 to 100 of short ones.

    Also compare its memory after ten trials of 28x28 pixels with that of the usual way's process.
    """
    watch = Watch()
    small_search(watch, trials=100, steps=20)
    resident = watch.megabytes[20:]
    slope = np.polyfit(np.arange(len(resident)), resident, 1)[0]
    print(f"memory: {resident[0]:.1f} MB after 20 trials, {resident[-1]:.1f} MB after 100, "
          f"{slope:.3f} MB per trial", flush=True)  # fmt: skip
    watch = Watch()
    small_search(watch, trials=10, steps=20, image_size=28)
    usual = [sys.executable, __file__, "--usual-search", "classifier", "--size", "28",
             "--trials", "10", "--steps", "20"]  # fmt: skip
    theirs = float(run(usual).split()[-1])
    print(f"memory after 10 trials of 28x28: usual {theirs:.0f} MB, worker "
          f"{watch.megabytes[-1]:.0f} MB, ratio {theirs / watch.megabytes[-1]:.1f}",
          flush=True)  # fmt: skip


def compare_fid(options: argparse.Namespace) -> None:
    """Time FID from features to number; both sides have the real statistics, as in a search."""
    from autogan.criteria import FID, Features, Moments

    rng = np.random.default_rng(0)
    real, made = np.maximum(rng.normal(size=(2, 10_000, 2048)), 0).astype(np.float32)
    moments = Moments.of(real)
    moments = Moments(moments.mean, moments.covariance, moments.covariance_root)
    values: list[float] = []
    ours = seconds(lambda: values.append(FID().compute(Features(made[:, :10], made), moments)))
    theirs = seconds(lambda: values.append(usual_fid(moments.mean, moments.covariance, made)))
    report("FID, 2048 features of 10,000 images", theirs, ours)
    print(f"  values {values[0]:.6f} and {values[1]:.6f}", flush=True)


def usual_fid(mean: Any, covariance: Any, made: Any) -> float:
    """FID as most tools compute it, from the root of the product of the two covariances."""
    import scipy.linalg

    other = np.cov(made, rowvar=False)
    root = scipy.linalg.sqrtm(covariance @ other)
    difference = mean - made.mean(axis=0, dtype=np.float64)
    return float(difference @ difference + np.trace(covariance + other - 2 * np.real(root)))


class Watch(Display):
    """A display that measures gaps and memory from a search's events."""

    def __init__(self) -> None:
        self.engine = Pool([Kept(watch=self)])
        self.worker: ProcessChannel | None = None
        self.gaps: list[float] = []
        self.megabytes: list[float] = []
        self._last = (0.0, 0)
        self._steps_per_second: list[float] = []
        self._end: float | None = None

    def progress(self, trial: int, step: int, steps: int, losses: Any) -> None:
        """Record the time; a trial's first report comes after its first steps."""
        now = time.monotonic()
        when, before = self._last
        if step > before:
            self._steps_per_second.append((step - before) / (now - when))
        elif self._end is not None and self._steps_per_second:
            self.gaps.append(now - self._end - step / statistics.median(self._steps_per_second))
        self._last = (now, step)
        self._end = now if step == steps else None

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """Record the worker's memory."""
        assert self.worker is not None
        self.megabytes.append(megabytes_of(self.worker.process.pid))


@dataclass(frozen=True)
class Kept(LocalPlace):
    """A place that gives its worker's process to a `Watch`.

    Attributes:
        watch: gets the process.
    """

    watch: Watch | None = None

    @override
    def spawn(self, hear: Hear) -> ProcessChannel:
        worker = super().spawn(hear)
        assert self.watch is not None
        self.watch.worker = worker
        return worker


class OwnTraining:
    """AutoGAN's training, without a search around it."""

    def __init__(self, kind: Any, images: Any, hyperparameters: Any, xla: bool = False) -> None:
        from autogan.models.training.batches import TrainingSet

        self._gan = kind.build(images.shape[1:], hyperparameters, xla=xla)
        self._gan.reset(0)
        self._images, self._hyperparameters = TrainingSet(images), hyperparameters
        self._step = 0

    def train(self, steps: int) -> None:
        """Train in calls of 20 steps, as a trial does."""
        for _ in range(0, steps, 20):
            self._gan.train(self._images, 0, self._step, 20, self._step + 20, self._hyperparameters)
            self._step += 20


class UsualTraining:
    """The DCGAN of the tutorials, with AutoGAN's networks."""

    def __init__(self, images: Any, width: int, dense: int, learning_rate: float) -> None:
        import keras
        import tensorflow as tf

        from autogan.models.networks.build import build_networks
        from autogan.models.networks.shape import NetworkShape

        generator, discriminator = build_networks(
            NetworkShape(images.shape[1], 1, NETWORK["z_dim"], "infogan", width,
                         dense, "batch")
        )  # fmt: skip
        self.generator = generator
        g_optimizer = keras.optimizers.Adam(learning_rate, beta_1=0.5)
        d_optimizer = keras.optimizers.Adam(learning_rate, beta_1=0.5)
        entropy = keras.losses.BinaryCrossentropy(from_logits=True)
        scaled = (images / 127.5 - 1).astype(np.float32)
        batch = NETWORK["batch_size"]
        self._batches = iter(
            tf.data.Dataset.from_tensor_slices(scaled)
            .shuffle(len(images))
            .repeat()
            .batch(batch)
            .prefetch(2)
        )

        @tf.function
        def step(real: Any) -> None:
            fake = generator(tf.random.normal([batch, NETWORK["z_dim"]]), training=True)
            with tf.GradientTape() as tape:
                on_real = discriminator(real, training=True)
                on_fake = discriminator(fake, training=True)
                loss = entropy(tf.ones_like(on_real), on_real)
                loss += entropy(tf.zeros_like(on_fake), on_fake)
            variables = discriminator.trainable_variables
            d_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            with tf.GradientTape() as tape:
                z = tf.random.normal([batch, NETWORK["z_dim"]])
                on_fake = discriminator(generator(z, training=True), training=True)
                loss = entropy(tf.ones_like(on_fake), on_fake)
            variables = generator.trainable_variables
            g_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

        self._step = step

    def train(self, steps: int) -> None:
        """Call the step ``steps`` times."""
        for _ in range(steps):
            self._step(next(self._batches))


def usual_search(features: str, tuner: str, trials: int, steps: int, size: int | None) -> None:
    """Run the usual search, with Optuna's or KerasTuner's random search.

    Prints the best hyperparameters and, last, the process's resident memory in megabytes.
    """
    import keras
    import tensorflow as tf

    from autogan.data import dataset_named

    images = dataset_named("digits", None).load(size).train.images
    network = feature_network(features, size)
    real = network.features(images).moments

    def trained(learning_rate: float) -> float:
        """Train and score once."""
        keras.backend.clear_session()
        training = UsualTraining(images, NETWORK["width"], NETWORK["dense_width"], learning_rate)
        training.train(steps)
        made = training.generator.predict(
            tf.random.normal([SAMPLES, NETWORK["z_dim"]]), batch_size=256, verbose=0
        )
        made = np.round((made + 1) * 127.5).astype(np.uint8)
        return usual_fid(real.mean, real.covariance, network.features(made).pool)

    best = (by_keras_tuner if tuner == "keras_tuner" else by_optuna)(trained, trials)
    print(best, megabytes_of(os.getpid()))


def megabytes_of(process: int) -> float:
    """A process's resident memory in megabytes."""
    status = Path(f"/proc/{process}/status").read_text()
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes.split()[1]) / 1024


def by_optuna(trained: Callable[[float], float], trials: int) -> Any:
    """Search with Optuna's ask-and-tell interface; return the best hyperparameters."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial, trained(trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)))
    return study.best_params


def by_keras_tuner(trained: Callable[[float], float], trials: int) -> Any:
    """Search with KerasTuner, as its guide describes for a custom training loop."""
    import keras_tuner

    class Tuner(keras_tuner.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            rate = trial.hyperparameters.Float("learning_rate", 1e-4, 1e-2, sampling="log")
            return trained(rate)

    with tempfile.TemporaryDirectory() as folder:
        tuner = Tuner(max_trials=trials, directory=folder, seed=0, overwrite=True)
        tuner.search()
        return tuner.get_best_hyperparameters()[0].values


def feature_network(features: str, size: int | None) -> Any:
    """The same feature network for both sides."""
    from autogan.criteria.networks.base import SavedModelNetwork
    from autogan.criteria.networks.classifier import ClassifierNetwork
    from autogan.data import dataset_named

    if features != "classifier":
        return SavedModelNetwork(Path(features).name, Path(features))
    train = dataset_named("digits", None).load(size).train
    assert train.labels is not None
    return ClassifierNetwork(train.images, train.labels, Path(os.environ["AUTOGAN_CACHE"]))


def save_inception_like(folder: Path) -> Path:
    """Save a small network with Inception's signature: 1008 classes, 2048 features."""
    code = f"""
import tensorflow as tf
module = tf.Module()
module.kernel = tf.Variable(tf.random.stateless_normal([192, 2048], [0, 0]) / 8)
module.last = tf.Variable(tf.random.stateless_normal([2048, 1008], [1, 0]) / 40)
def call(images):
    small = tf.reshape(tf.image.resize(images, [8, 8]), [-1, 192])
    pool = tf.nn.relu(small @ module.kernel)
    return {{"logits": pool @ module.last, "pool_3": pool}}
spec = tf.TensorSpec([None, None, None, 3], tf.float32)
module.__call__ = tf.function(call, input_signature=[spec])
tf.saved_model.save(module, {str(folder)!r})
"""
    run([sys.executable, "-c", code])
    return folder


def small_search(watch: Watch, trials: int, steps: int, **others: Any) -> None:
    """Run a search whose trials differ only in the learning rate."""
    with tempfile.TemporaryDirectory() as temporary:
        config = {
            "params": {**NETWORK, "learning_rate": "1e-4..1e-2:log"},
            "steps": steps,
            "evaluate_every": steps,
            "search_method": "random",
            "trials": trials,
            "run_dir": f"{temporary}/run",
            **others,
        }
        autogan.run_search(config, display=watch, engine=watch.engine)


def run(command: list[str]) -> str:
    """Run a process and return its output; its standard error is shown only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def seconds(work: Callable[..., Any], *arguments: Any) -> float:
    """The seconds that a call takes."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def report(what: str, theirs: float, ours: float) -> None:
    """Print one comparison."""
    print(f"{what}: usual {theirs:.1f} s, autogan {ours:.1f} s, ratio {theirs / ours:.1f}",
          flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
