"""How a classifier is trained, always with the same number of threads.

The weights depend on the number of threads, because it decides the order of sums. TensorFlow cannot
change it once it runs. So a process with another number starts one of its own for the training.
"""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.arrays import Images, Labels
from autogan.core.invocation import of_main
from autogan.criteria.networks.classifier_models import residual, small
from autogan.criteria.networks.weights import Tell

_BATCH = 64
_STEPS_PER_CALL = 50
_PATIENCE = 15.0  # least seconds between two lines of progress
_TAIL = 2000  # bytes of a failed process's errors
_READY = b"weights\n"  # the line before the weights

Weights = list[npt.NDArray[Any]]


class Recipe(NamedTuple):
    """Everything but the images that determines a classifier's weights.

    Attributes:
        version: of network and training, which names of values and cached files contain.
        network: creates it for images [height, width, channels] and a number of classes.
        steps: of the training.
        threads: of the CPU.
    """

    version: int
    network: Callable[[tuple[int, ...], int], keras.Model]
    steps: int
    threads: int


RECIPES = {"small": Recipe(2, small, 1000, 1), "residual": Recipe(3, residual, 6000, 2)}


def trained(name: str, images: Images, labels: Labels, tell: Tell) -> Weights:
    """The weights of a classifier after its training, in Keras's order.

    Args:
        name: of the recipe in `RECIPES`.
        images: uint8 [N, height, width, channels].
        labels: int64 [N], in 0..K-1.
        tell: receives lines on the progress.

    Raises:
        RuntimeError: if the process that trains fails.
    """
    recipe = RECIPES[name]
    own = (
        tf.config.threading.get_intra_op_parallelism_threads(),
        tf.config.threading.get_inter_op_parallelism_threads(),
    )
    if tf.config.get_visible_devices("GPU") or own == 2 * (recipe.threads,):
        return train(recipe, images, labels, tell)
    return _trained_elsewhere(name, images, labels, tell)


def train(recipe: Recipe, images: Images, labels: Labels, tell: Tell) -> Weights:
    """Train in this process, with its threads; see `trained`."""
    shape, classes = images.shape[1:], int(labels.max()) + 1
    keras.utils.set_random_seed(0)  # before the weights are drawn
    model = recipe.network(shape, classes)
    data = tf.data.Dataset.from_tensor_slices((images, labels))
    data = data.shuffle(len(images), seed=0).repeat()
    trainer = keras.Model(model.input, model.output[0])
    if recipe.network is residual:
        data = _varied(data, shape, classes)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, recipe.steps - recipe.steps // 5, warmup_target=0.1,
            warmup_steps=recipe.steps // 5,
        )  # fmt: skip
        trainer.compile(
            keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=5e-4),
            keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
            steps_per_execution=_STEPS_PER_CALL,
        )
    else:
        trainer.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, recipe.steps)),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            steps_per_execution=_STEPS_PER_CALL,
        )
    trainer.fit(
        data.batch(_BATCH),
        steps_per_epoch=recipe.steps,
        shuffle=False,
        verbose=0,
        callbacks=[_Telling(recipe.steps, tell)],
    )
    weights: Weights = model.get_weights()
    return weights


def _trained_elsewhere(name: str, images: Images, labels: Labels, tell: Tell) -> Weights:
    """Train in a process of its own: arrays go in, lines on the progress and arrays come out."""
    given: dict[str, Any] = {
        "images": images, "labels": labels, "recipe": name, "steps": RECIPES[name].steps,
    }  # fmt: skip
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            of_main(__name__), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=env
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError), process.stdin as file:  # see its code
                np.savez(file, **given)
            with process.stdout as file:
                while (line := file.readline()) not in (b"", _READY):
                    tell(line.decode(errors="replace").strip())
                made = file.read()
            code = process.wait()
        finally:
            process.kill()
            process.wait()
        errors.seek(0)
        if code:
            last = errors.read()[-_TAIL:].decode(errors="replace")
            raise RuntimeError(f"the training of the classifier ended with code {code}\n{last}")
    return list(_unpacked(made).values())


def main() -> None:
    """The process of `_trained_elsewhere`."""
    parent, out = os.getppid(), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries print to standard error
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    given = _unpacked(sys.stdin.buffer.read())
    recipe = RECIPES[str(given["recipe"])]._replace(steps=int(given["steps"]))
    tf.config.threading.set_intra_op_parallelism_threads(recipe.threads)
    tf.config.threading.set_inter_op_parallelism_threads(recipe.threads)

    def tell(line: str) -> None:
        out.write(f"{line}\n".encode())
        out.flush()

    weights = train(recipe, given["images"], given["labels"], tell)
    out.write(_READY)
    np.savez(out, *weights)
    out.close()


def _unpacked(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an .npz file, in its order."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _end_with(parent: int) -> None:
    """End this process soon after its parent, which may be killed."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


class _Telling(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports a training's progress, at every tenth of it but not too often."""

    def __init__(self, steps: int, tell: Tell) -> None:
        super().__init__()
        self._steps, self._tell = steps, tell
        self._began = self._reported = time.monotonic()
        self._tenths = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after every few steps; ``batch`` is the last one, counted from 0."""
        step, now = batch + 1, time.monotonic()
        tenths = 10 * step // self._steps
        if self._tenths < tenths < 10 and now - self._reported >= _PATIENCE:
            self._reported, self._tenths = now, tenths
            left = (self._steps - step) * (now - self._began) / step
            self._tell(f"classifier: step {step} of {self._steps}, {left:.0f} s left")


def _varied(data: tf.data.Dataset, shape: tuple[int, ...], classes: int) -> tf.data.Dataset:
    """Shift images by up to a tenth of their size, mirror half of them, one-hot encode labels.

    Each image's random numbers depend on its place in the sequence.
    """
    height, width, _ = shape
    borders = [[height // 10] * 2, [width // 10] * 2, [0, 0]]

    def varied(number: tf.Tensor, pair: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.pad(pair[0], borders, "REFLECT")
        image = tf.image.stateless_random_crop(image, shape, tf.stack([0, number]))
        image = tf.image.stateless_random_flip_left_right(image, tf.stack([1, number]))
        return image, tf.one_hot(pair[1], classes)

    return tf.data.Dataset.zip(tf.data.Dataset.counter(), data).map(varied)
