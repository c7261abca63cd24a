"""Where things are on disk."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autogan.config import TrainConfig
from autogan.errors import ConfigError
from autogan.hyperparameters import Value

LOCK = ".lock"
_TRIALS = "trials"
_MAX_NAME = 120  # of a trial's folder; file systems allow 255, Windows 260 for a whole path


@dataclass(frozen=True)
class SearchFolder:
    """The folder of a search."""

    root: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.root / "search.yaml"

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

    def trial(self, name: str) -> Path:
        """The folder of a trial."""
        return self.root / _TRIALS / name


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

    @property
    def scores(self) -> Path:
        """The evaluations, one a line."""
        return self.root / "scores.jsonl"

    @property
    def result(self) -> Path:
        """What came of it."""
        return self.root / "result.json"

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
    if root.parent.name == _TRIALS:
        return base / root.parent.parent.name / root.name
    return base / root.name


def check_free(root: Path, config_file: Path, config: TrainConfig) -> None:
    """Refuse to begin a run where something is already.

    Raises:
        ConfigError: naming what can be done.
    """
    if config_file.exists():
        raise ConfigError(
            "run_dir",
            f"{root} holds an earlier run; go on with it by --resume {root}, replace it by "
            "--overwrite, or give another --run-dir",
        )
    for field, path in {"run_dir": root, **_moved_parts(root, config)}.items():
        if path.exists() and not path.is_dir():
            raise ConfigError(field, f"{path} is a file; give another folder")
        if path.is_dir() and any(entry.name != LOCK for entry in path.iterdir()):
            raise ConfigError(field, f"{path} holds files of something else; give another folder")


def clear(root: Path, config_file: Path, config: TrainConfig) -> None:
    """Delete an earlier run, if there is one; nothing that is not a run is ever deleted."""
    if not config_file.exists():
        return
    for path in _moved_parts(root, config).values():
        shutil.rmtree(path, ignore_errors=True)
    # The configuration goes last: until then a killed clearing can be asked for again.
    for path in sorted(root.iterdir(), key=lambda path: path == config_file):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _moved_parts(root: Path, config: TrainConfig) -> dict[str, Path]:
    bases = {name: getattr(config, name) for name in ("checkpoint_dir", "result_dir", "log_dir")}
    return {name: moved(root, base) for name, base in bases.items() if base is not None}
