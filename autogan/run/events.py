"""TensorBoard: losses, scores, sample grids, the networks' graph, and hyperparameters."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from autogan.core.hyperparameters import Dimension, Value
from autogan.models.adversarial import Adversarial
from autogan.run.folder import TrialFolder


class TrialEvents:
    """The event file of one trial.

    Args:
        folder: of the trial; its name is the trial's name in TensorBoard.
        hyperparameters: all of them.
        gan: whose graph is shown.
    """

    def __init__(
        self, folder: TrialFolder, hyperparameters: Mapping[str, Value], gan: Adversarial
    ) -> None:
        self._writer = tf.summary.create_file_writer(str(folder.logs))
        with self._writer.as_default():
            hparams.hparams(dict(hyperparameters), trial_id=folder.root.name)
            tf.summary.graph(gan.graph)

    def losses(self, step: int, losses: Mapping[str, float]) -> None:
        """Write each network's mean loss since the last call."""
        with self._writer.as_default(step=step):
            for name, loss in losses.items():
                tf.summary.scalar(f"losses/{name}", loss)

    def evaluation(
        self,
        step: int,
        scores: Mapping[str, float],
        best: Mapping[str, float],
        grid: npt.NDArray[np.uint8],
    ) -> None:
        """Write the criteria's values by label, the best so far, and a picture."""
        with self._writer.as_default(step=step):
            for label, score in scores.items():
                tf.summary.scalar(f"scores/{label}", score)
            for label, score in best.items():
                tf.summary.scalar(f"best/{label}", score)
            tf.summary.image("samples", grid[np.newaxis])
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def declare_search(
    logs: str, dimensions: Sequence[Dimension], objective: str | None, labels: Iterable[str]
) -> None:
    """Declare a search's hyperparameters and metrics, so that HParams shows all of them.

    The metrics are the best value of what decides, if that can be compared over trials, and the
    last values of all criteria (HParams shows a curve's last point). Numbers are declared with
    their limits and not as lists, since exploring leaves the lists.
    """
    searched = [hparams.HParam(dimension.name, _domain(dimension)) for dimension in dimensions]
    best = [] if objective is None else [f"best/{objective}"]
    metrics = [
        *(hparams.Metric(name, display_name=name) for name in best),
        *(hparams.Metric(f"scores/{label}", display_name=f"last {label}") for label in labels),
    ]
    writer = tf.summary.create_file_writer(logs)
    with writer.as_default():
        hparams.hparams_config(searched, metrics)
    writer.close()


def _domain(
    dimension: Dimension,
) -> hparams.Discrete | hparams.RealInterval | hparams.IntInterval | None:
    declared = dimension.hyperparameter
    if declared.kind == "choice":
        return hparams.Discrete(list(declared.choices))
    if math.isinf(declared.high):
        return None
    if declared.integer:
        return hparams.IntInterval(int(declared.low), int(declared.high))
    return hparams.RealInterval(float(declared.low), float(declared.high))
