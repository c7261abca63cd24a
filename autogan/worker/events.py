"""TensorBoard's files: criteria, losses, sample grids, the networks' graph, hyperparameters."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import summary as hparams_summary

from autogan.config import SearchConfig
from autogan.core.hyperparameters import Dimension, Value
from autogan.criteria.variety import Variety
from autogan.models.training.trainer import Trainer
from autogan.record.folder import TrialFolder
from autogan.search import Evaluation


class TrialEvents:
    """The event files of one trial.

    A trial that resumes from a checkpoint truncates its files to their sizes at that moment, so
    that no step is shown twice.

    Args:
        folder: of the trial.
        name: of the trial in TensorBoard.
        hyperparameters: those that apply.
        gan: the trainer whose graph is shown.
        sizes: the result of `sizes` at the checkpoint; empty for a new trial.
        search: the trial's search, if it belongs to one.
        labels: of the criteria, by name.
    """

    def __init__(
        self,
        folder: TrialFolder,
        name: str,
        hyperparameters: Mapping[str, Value],
        gan: Trainer,
        sizes: Mapping[str, int],
        search: SearchConfig | None,
        labels: Mapping[str, str],
    ) -> None:
        self._folder = folder
        for path in self._files():
            if path.name in sizes:
                with path.open("r+b") as file:
                    file.truncate(min(sizes[path.name], path.stat().st_size))
            else:
                path.unlink()
        _write_failure(folder.failed_status)
        self._writer = tf.summary.create_file_writer(str(folder.logs))
        if not sizes:
            with self._writer.as_default():
                hparams.hparams(dict(hyperparameters), trial_id=name)
                if search is not None:
                    _declare(search, labels)
                tf.summary.graph(gan.graph)

    def sizes(self) -> dict[str, int]:
        """The size of each event file so far in bytes, by the file's name."""
        self._writer.flush()
        return {path.name: path.stat().st_size for path in self._files()}

    def losses(self, step: int, losses: Mapping[str, float]) -> None:
        """Write each network's mean loss since the last call."""
        with self._writer.as_default(step=step):
            for name, loss in losses.items():
                tf.summary.scalar(f"losses/{name}", loss)

    def evaluation(
        self,
        step: int,
        scores: Mapping[str, float],
        objective: str,
        best: Evaluation | None,
        variety: Variety,
        figures: Mapping[str, float],
        grid: npt.NDArray[np.uint8],
    ) -> None:
        """Write the criteria's scores by label, the best value so far, figures and a picture.

        ``figures`` are the components of criteria's scores, by name.
        """
        with self._writer.as_default(step=step):
            for label, score in scores.items():
                tf.summary.scalar(f"criteria/{label}", score)
            if best is not None and best.value is not None:
                tf.summary.scalar(f"best/{objective}", best.value)
            tf.summary.scalar("variety/different pictures", variety.distinct)
            tf.summary.scalar("variety/deviation of pixels", variety.deviation)
            tf.summary.scalar("variety/coverage", variety.coverage)
            tf.summary.scalar("variety/good", variety.good)
            for name, figure in figures.items():
                tf.summary.scalar(f"variety/{name}", figure)
            tf.summary.image("samples", grid[np.newaxis])
        self._writer.flush()

    def end(self, *, dead: bool) -> None:
        """Write how the trial ended, and close the files; a trial that fails does not call this."""
        with self._writer.as_default(step=0):
            ended = hparams_summary.session_end_pb(
                api_pb2.STATUS_FAILURE if dead else api_pb2.STATUS_SUCCESS
            )
            tf.summary.experimental.write_raw_pb(ended.SerializeToString())
        self.close()
        self._folder.failed_status.unlink(missing_ok=True)

    def close(self) -> None:
        """Flush and close the files."""
        self._writer.close()

    def _files(self) -> list[Path]:
        return sorted(self._folder.logs.glob("events.out.tfevents.*"))


def _write_failure(path: Path) -> None:
    """Write an event file that says only that the session has failed.

    TensorBoard keeps the first status that it reads of a session. So nothing says that it is
    running: a page that is open when the session ends would show it as running forever.
    """
    _write_events(path, {0: hparams_summary.session_end_pb(api_pb2.STATUS_FAILURE)})


def write_floor(folder: TrialFolder, floor: Mapping[str, float], step: int) -> None:
    """Draw the values of unseen real images as level lines, for comparison with the trial's curves.

    Args:
        folder: of the trial.
        floor: the values, by label.
        step: the last of the lines.
    """
    values = [
        tf.compat.v1.Summary.Value(tag=f"unseen real images/{label}", simple_value=value)
        for label, value in floor.items()
    ]
    summary = tf.compat.v1.Summary(value=values)
    _write_events(folder.logs / "events.out.tfevents.0.floor", {0: summary, step: summary})


def _write_events(path: Path, summaries: Mapping[int, Any]) -> None:
    """Write an event file with a summary for each step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    now = time.time()
    events = [tf.compat.v1.Event(wall_time=now, file_version="brain.Event:2")]
    for step, summary in summaries.items():
        events.append(tf.compat.v1.Event(wall_time=now, step=step, summary=summary))
    with tf.io.TFRecordWriter(str(path)) as writer:
        for event in events:
            writer.write(event.SerializeToString())


def _declare(search: SearchConfig, labels: Mapping[str, str]) -> None:
    """Declare a search's hyperparameters and metrics, so that HParams shows all of them.

    HParams takes the first declaration that it finds. So each trial has one: a separate file for
    the search would be listed as one more trial.

    The metrics are the best value, if values can be compared over trials, and the last scores of
    all criteria (HParams shows a curve's last point). Numbers are declared with their limits and
    not as lists, since exploration leaves the lists.
    """
    objective = search.objective
    metrics = [
        hparams.Metric(f"criteria/{label}", display_name=f"last {name}")
        for name, label in labels.items()
    ]
    # Scaled by the history, each trial's curve has its own scale: a table cannot compare them.
    if search.normalise != "history":
        tag = f"best/{objective.label(labels)}"
        metrics.insert(0, hparams.Metric(tag, display_name=f"best {objective.text}"))
    searched = [hparams.HParam(each.name, _domain(each)) for each in search.space.dimensions]
    hparams.hparams_config(searched, metrics)


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
