"""Trackers: services that show the trials of searches, and trainings, to a team.

Importing this package does not import any tracker's library.
"""

from autogan.core.registry import Registry
from autogan.trackers.base import Ending, Run, Tracker
from autogan.trackers.mlflow import MLflow
from autogan.trackers.trackio import Trackio
from autogan.trackers.wandb import WandB

TRACKERS: Registry[Tracker] = Registry("log_to", Tracker)
for _tracker in (MLflow, WandB, Trackio):
    TRACKERS.register(_tracker)

__all__ = ["TRACKERS", "Ending", "MLflow", "Run", "Tracker", "Trackio", "WandB"]
