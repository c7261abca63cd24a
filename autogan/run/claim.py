"""Whose a run's folder is: free, an earlier run's, or ours while we work in it."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogan.config import TrainConfig, read_yaml
from autogan.core.errors import ConfigError
from autogan.run.folder import SEARCH_CONFIG, TRIALS, moved

LOCK = ".lock"
_PARTS_OF_RUNS = (
    "best", "best.yaml", TRIALS, "trials.jsonl", "checkpoints", "samples", "scores.jsonl",
    "result.json", "traceback.txt", "features.npz", "stage1",
    "events.out.tfevents.*",
)  # fmt: skip
_PARTS_OF_TRIALS = (
    "checkpoints/best.npz", "checkpoints/last.npz", "checkpoints/state.npz", "samples/step-*.png",
    "events.out.tfevents.*",
)  # fmt: skip
_MOVABLE = ("checkpoint_dir", "result_dir", "log_dir")


class Claim:
    """A run's folder, locked by this process and by the workers that inherit the descriptor.

    The lock lasts until all of them have ended or `release` was called. A folder that was made for
    it disappears again at its release, unless the run has begun in it.

    Args:
        root: the run's folder; it is made.

    Raises:
        ConfigError: if another process has it, or it cannot be written.
    """

    def __init__(self, root: Path) -> None:
        self._lock = root / LOCK
        self._made = [folder for folder in (root, *root.parents) if not folder.exists()]
        self._new = not self._lock.exists()
        self.descriptor = self._taken(root)
        self._begun = False

    def begin(self) -> None:
        """The run begins: from now on its folder stays."""
        self._begun = True

    def release(self) -> None:
        """Give the folder up."""
        if self._new and not self._begun:
            with contextlib.suppress(OSError):
                self._lock.unlink()
            for folder in self._made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
        os.close(self.descriptor)

    def _taken(self, root: Path) -> int:
        try:
            import fcntl
        except ImportError:
            raise ConfigError(
                "run_dir", f"{root} cannot be locked on this system; run AutoGAN on Linux, macOS "
                "or WSL"
            ) from None  # fmt: skip
        while True:
            try:
                root.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as error:
                raise ConfigError(
                    "run_dir", f"{root} cannot be written ({error.strerror}); give another "
                    "--run-dir"
                ) from None  # fmt: skip
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                raise ConfigError(
                    "run_dir", f"{root} is in use by another autogan command; wait for it to end"
                ) from None
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(descriptor), os.stat(self._lock)):
                    return descriptor
            os.close(descriptor)  # its last owner took the file away: there is another one now


def earlier_run(root: Path, config_file: Path) -> dict[str, Any] | None:
    """The keys of the run that ``root`` holds; None if it holds none.

    A run's folder has a lock beside its configuration: a file that only happens to have the
    configuration's name does not make one.
    """
    if not (config_file.is_file() and (root / LOCK).is_file()):
        return None
    return read_yaml(config_file)


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
        resume = f"--resume {root}" if config_file.name == SEARCH_CONFIG else "--resume"
        raise ConfigError(
            "run_dir",
            f"{root} holds an earlier run; go on with it by {resume}, replace it by "
            "--overwrite, or give another --run-dir",
        )
    replaced = [root, *_moved_parts(root, earlier).values()] if earlier is not None else []
    own = [path.absolute() for path in replaced]
    for field, path in {"run_dir": root, **_moved_parts(root, dict(config))}.items():
        if path.exists() and not path.is_dir():
            raise ConfigError(field, f"{path} is a file; give another folder")
        if path.is_dir() and path.absolute() not in own and any(map(_counts, path.iterdir())):
            raise ConfigError(field, f"{path} holds files of something else; give another folder")
        _check_writable(field, path)


def clear(root: Path, config_file: Path) -> None:
    """Delete the earlier run in ``root``, if there is one, and nothing of anybody else's."""
    earlier = earlier_run(root, config_file)
    if earlier is None:
        return
    for path in _moved_parts(root, earlier).values():
        for folder in (*path.glob("[0-9][0-9][0-9][0-9]*"), path):
            _clear_moved(folder)
    # The configuration goes last: until then a killed clearing can be asked for again.
    for pattern in (*_PARTS_OF_RUNS, config_file.name):
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _clear_moved(folder: Path) -> None:
    """Delete what a trial wrote into a folder outside its run, and then the folder if it is empty.

    The user chose that folder, and may keep other things there.
    """
    for pattern in _PARTS_OF_TRIALS:
        for path in folder.glob(pattern):
            path.unlink()
    for path in (folder / "checkpoints", folder / "samples", folder):
        with contextlib.suppress(OSError):
            path.rmdir()


def _moved_parts(root: Path, keys: Mapping[str, Any]) -> dict[str, Path]:
    """The folders that a run uses outside its own, by the key that names them."""
    return {name: moved(root, Path(keys[name])) for name in _MOVABLE if keys.get(name)}


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
