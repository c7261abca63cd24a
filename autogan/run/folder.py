"""Where things are on disk."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autogan.config import SearchConfig, TrainConfig, load_config
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Value

LOCK = ".lock"
_SEARCH_CONFIG = "search.yaml"
_TRIALS = "trials"
_PARTS_OF_RUNS = (
    "best", "best.yaml", _TRIALS, "trials.jsonl", "checkpoints", "samples", "scores.jsonl",
    "result.json", "traceback.txt", "events.out.tfevents.*",
)  # fmt: skip
_MAX_NAME = 120  # of a trial's folder; file systems allow 255, Windows 260 for a whole path


@dataclass(frozen=True)
class SearchFolder:
    """The folder of a search."""

    root: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.root / _SEARCH_CONFIG

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
    root = root.resolve()
    if root.parent.name == _TRIALS:
        return base / root.parent.parent.name / root.name
    return base / root.name


def lock(root: Path) -> int:
    """Make a folder, and lock it until the returned file descriptor or the process is closed.

    Raises:
        ConfigError: if another process has it, or it cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise ConfigError(
            "run_dir", f"{root} cannot be written ({error.strerror}); give another --run-dir"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise ConfigError(
            "run_dir", f"{root} is in use by another autogan command; wait for it to end"
        ) from None
    return descriptor


def earlier_run(root: Path, config_file: Path) -> TrainConfig | None:
    """The configuration of the run that ``root`` holds; None if it holds none.

    A run's folder has a lock beside its configuration: a file that only happens to have the
    configuration's name does not make one.
    """
    if not (config_file.is_file() and (root / LOCK).is_file()):
        return None
    kind = SearchConfig if config_file.name == _SEARCH_CONFIG else TrainConfig
    return load_config(kind, config_file)


def check_free(root: Path, config_file: Path, config: TrainConfig, *, overwrite: bool) -> None:
    """Refuse to begin a run where something is already, or where nothing can be written.

    Args:
        root: of the new run.
        config_file: its configuration, which is not there yet or belongs to an earlier run.
        config: of the new run.
        overwrite: whether an earlier run may be there.

    Raises:
        ConfigError: naming what can be done.
    """
    earlier = earlier_run(root, config_file)
    if earlier is not None and not overwrite:
        resume = f"--resume {root}" if config_file.name == _SEARCH_CONFIG else "--resume"
        raise ConfigError(
            "run_dir",
            f"{root} holds an earlier run; go on with it by {resume}, replace it by "
            "--overwrite, or give another --run-dir",
        )
    replaced = [root, *_moved_parts(root, earlier).values()] if earlier is not None else []
    replaced = [path.absolute() for path in replaced]
    for field, path in {"run_dir": root, **_moved_parts(root, config)}.items():
        if path.exists() and not path.is_dir():
            raise ConfigError(field, f"{path} is a file; give another folder")
        if path.is_dir() and path.absolute() not in replaced and any(map(_counts, path.iterdir())):
            raise ConfigError(field, f"{path} holds files of something else; give another folder")
        _check_writable(field, path)


def clear(root: Path, config_file: Path) -> None:
    """Delete the earlier run in ``root``, if there is one, and nothing else."""
    earlier = earlier_run(root, config_file)
    if earlier is None:
        return
    for path in _moved_parts(root, earlier).values():
        shutil.rmtree(path, ignore_errors=True)
    # The configuration goes last: until then a killed clearing can be asked for again.
    for pattern in (*_PARTS_OF_RUNS, config_file.name):
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _moved_parts(root: Path, config: TrainConfig) -> dict[str, Path]:
    bases = {name: getattr(config, name) for name in ("checkpoint_dir", "result_dir", "log_dir")}
    return {name: moved(root, base) for name, base in bases.items() if base is not None}


def _counts(path: Path) -> bool:
    """Whether a file makes a folder one of something else: a killed command's litter does not."""
    return path.name != LOCK and not (path.name.startswith(".") and path.suffix == ".tmp")


def _check_writable(field: str, path: Path) -> None:
    """Try it, and take away again what the trial made."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ConfigError(
            field, f"{path} cannot be written ({error.strerror}); give another folder"
        ) from None
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()
