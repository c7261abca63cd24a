"""Where things are on disk."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.core.hyperparameters import Value
from autogan.run.records import trial_of
from autogan.search import State, Trial

SEARCH_CONFIG = "search.yaml"
TRIALS = "trials"
_MAX_NAME = 120  # of a trial's folder; file systems allow 255, Windows 260 for a whole path


@dataclass(frozen=True)
class SearchFolder:
    """The folder of a search."""

    root: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.root / SEARCH_CONFIG

    @property
    def ledger(self) -> Path:
        """The record of all trials."""
        return self.root / "trials.jsonl"

    @property
    def best_config(self) -> Path:
        """The best trial's configuration."""
        return self.root / "best.yaml"

    @property
    def best(self) -> Path:
        """A link to the best trial's folder."""
        return self.root / "best"

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.root / "report.html"

    def trial(self, name: str) -> Path:
        """The folder of a trial."""
        return self.root / TRIALS / name

    def logs(self, log_dir: Path | None) -> Path:
        """What to show in TensorBoard: the folder of all trials, without the link to the best."""
        return self.root / TRIALS if log_dir is None else moved(self.root, log_dir)


def trial_name(number: int, params: Mapping[str, Value]) -> str:
    """Such as ``0006-learning_rate=0.002-d_iter=9``."""
    values = (f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in params.items())
    return "-".join([f"{number:04d}", *values])[:_MAX_NAME]


@dataclass(frozen=True)
class TrialFolder:
    """The folder of one training, parts of which the user may have moved elsewhere.

    Attributes:
        root: of the training.
        checkpoints: of the full state while it runs, and of the best and last generators.
        samples: of the image grids.
        logs: of TensorBoard's event files.
    """

    root: Path
    checkpoints: Path
    samples: Path
    logs: Path

    @classmethod
    def of(cls, root: Path, config: TrainConfig) -> "TrialFolder":
        """The folders of a training in ``root``."""
        return cls(
            root,
            moved(root, config.checkpoint_dir) / "checkpoints",
            moved(root, config.result_dir) / "samples",
            moved(root, config.log_dir),
        )

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.root / "config.yaml"

    def check_there(self) -> None:
        """Refuse to write where the folder was once: it would be in the way of its return.

        Raises:
            ConfigError: if it was moved or removed.
        """
        if not self.root.is_dir():
            raise ConfigError(
                "run_dir", f"{self.root} is gone; put it back to where it was, and resume"
            )

    @property
    def scores(self) -> Path:
        """The evaluations, one a line."""
        return self.root / "scores.jsonl"

    @property
    def result(self) -> Path:
        """What came of it."""
        return self.root / "result.json"

    def ended(self) -> Trial | None:
        """What came of the training by its own result; nothing without one that can be read."""
        try:
            trial = trial_of(json.loads(self.result.read_text()))
        except (OSError, ValueError, RecursionError):
            return None
        return None if trial.state is State.RUNNING else trial

    @property
    def traceback(self) -> Path:
        """Why it failed."""
        return self.root / "traceback.txt"

    @property
    def state(self) -> Path:
        """All that an interrupted training goes on from."""
        return self.checkpoints / "state.npz"

    @property
    def best(self) -> Path:
        """The generator at the best evaluation."""
        return self.checkpoints / "best.npz"

    @property
    def last(self) -> Path:
        """The generator at the last evaluation."""
        return self.checkpoints / "last.npz"

    @property
    def status(self) -> Path:
        """Tells TensorBoard that the training has failed.

        Its name sorts after those of other event files: TensorBoard may be reading one of them.
        """
        return self.logs / "events.out.tfevents.status"

    @property
    def failed_status(self) -> Path:
        """What `status` becomes when the training fails, ready for whoever notices it."""
        return self.logs / ".failed"

    def sample(self, step: int) -> Path:
        """The grid of images made after ``step`` updates."""
        return self.samples / f"step-{step:06d}.png"


def moved(root: Path, base: Path | None) -> Path:
    """Where a part of a run goes: into ``root``, or below the folder that the user gave for it.

    There it is named after the run: runs/a becomes base/a, and its trial runs/a/trials/0001 becomes
    base/a/0001.
    """
    if base is None:
        return root
    root = root.resolve()
    if root.parent.name == TRIALS:
        return base / root.parent.parent.name / root.name
    return base / root.name


def feature_weights(run: Path) -> Path:
    """The weights of the feature network that was trained for the run in a folder."""
    return run / "features.npz"


def real_images(run: Path) -> Path:
    """A grid of images that the run in a folder learns from."""
    return run / "real.png"


def first_stage(run: Path) -> Path:
    """The copy of the training whose images the run in a folder enlarges."""
    return run / "stage1"


def training_in(path: Path, field: str) -> Path | None:
    """The folder of the training that a path means, a search's best one, if it means one.

    Raises:
        ConfigError: naming the field, if it is a search without a best trial.
    """
    if look(path / "config.yaml", field) == "file":
        return path
    search_folder = SearchFolder(path)
    if look(search_folder.config, field) != "file":
        return None
    if not look(search_folder.best, field):
        raise ConfigError(field, f"{path} is a search without a best trial; name one of its trials")
    return search_folder.best


def run_of(root: Path) -> Path:
    """The run's folder that a training belongs to: of its search, or its own."""
    root = root.resolve()
    searched = root.parent.name == TRIALS and bool(
        look(root.parent.parent / SEARCH_CONFIG, "run_dir")
    )
    return root.parent.parent if searched else root
