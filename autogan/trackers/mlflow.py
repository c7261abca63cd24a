"""MLflow: a server, or a database in the working folder."""

import itertools
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from typing_extensions import override

from autogan.core.hyperparameters import Value
from autogan.trackers.base import PROJECT, Ending, Run, Tracker

_MOST = 100  # items of a kind that MLflow takes per call
_LONGEST = 500  # characters of a value in the oldest stores
_STATUSES: Mapping[Ending, str] = {
    "finished": "FINISHED",
    "failed": "FAILED",
    "interrupted": "KILLED",
}


class MLflow(Tracker):
    """A run for each trial, nested in the search's run.

    ``MLFLOW_TRACKING_URI`` and ``MLFLOW_EXPERIMENT_NAME`` say where, as usual.
    """

    name = "mlflow"
    summary = "MLflow's server, or a database in the working folder (an extra)"
    package = "mlflow"

    def __init__(self, group: str) -> None:
        super().__init__(group)
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client: Any = MlflowClient()
        self._name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self._client.get_experiment_by_name(self._name)
        self._experiment: str = (
            self._client.create_experiment(self._name) if found is None else found.experiment_id
        )

    @property
    @override
    def place(self) -> str:
        return f"the experiment {self._name}"

    @override
    def begin(self, run: Run, known: str | None) -> str:
        if known is None:
            return self._created(run)
        self._client.update_run(known, status="RUNNING")
        return known

    def _created(self, run: Run) -> str:
        from mlflow.entities import Param

        tags = {"mlflow.parentRunId": run.parent} if run.parent else {}
        made = self._client.create_run(self._experiment, tags=tags, run_name=run.name)
        number: str = made.info.run_id
        for part in _parts(run.config.items()):
            self._client.log_batch(number, params=[Param(k, _text(value)) for k, value in part])
        return number

    @override
    def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        for part in _parts(values.items()):
            metrics = [Metric(name, value, now, step) for name, value in part]
            self._client.log_batch(run, metrics=metrics)

    @override
    def end(self, run: str, ending: Ending, step: int, summary: Mapping[str, Value]) -> None:
        numbers = {k: float(v) for k, v in summary.items() if not isinstance(v, str | bool)}
        self.log(run, step, numbers)
        for name in summary.keys() - numbers.keys():
            self._client.set_tag(run, name, _text(summary[name]))
        self._client.set_terminated(run, _STATUSES[ending])


def _parts(items: Iterable[tuple[str, Any]]) -> Iterator[list[tuple[str, Any]]]:
    """The items in lists that are short enough for MLflow."""
    left = iter(items)
    while part := list(itertools.islice(left, _MOST)):
        yield part


def _text(value: Value) -> str:
    return str(value)[:_LONGEST]
