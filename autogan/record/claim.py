"""The ownership of a run's folder: free, an earlier run's, or ours while we work in it.

Two files in the folder hold it. The command that works in it locks `LOCK` exclusively; its workers
share a lock on `WORKERS`. A killed command releases its lock at once, but the next one also waits
for its last worker to end, on any machine. `WORKERS` holds a token that tells a worker on another
machine whether it sees the same folder.
"""

import contextlib
import errno
import os
import platform
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autogan.config import PROXY, TrainConfig, read_yaml
from autogan.core.errors import ConfigError
from autogan.core.files import contents, look
from autogan.record.folder import SEARCH_CONFIG, TRIALS, moved, run_of

LOCK = ".lock"
WORKERS = ".workers"
_PATIENCE = 10.0  # seconds for the workers of a killed command to end
_GLANCE = 0.05  # seconds for a process that only looks (`at_work`) to release the lock
_PARTS_OF_RUNS = (
    "best",
    "best.yaml",
    "trackers",
    TRIALS,
    "trials.jsonl",
    "checkpoints",
    "samples",
    "scores.jsonl",
    "result.json",
    "traceback.txt",
    ".name",
    "features.npz",
    "stage1",
    "real.png",
    "report.html",
    PROXY,
    "events.out.tfevents.*",
)
_PARTS_OF_TRIALS = (
    "checkpoints/best.npz",
    "checkpoints/last.npz",
    "checkpoints/state.npz",
    "samples/step-*.png",
    "events.out.tfevents.*",
)
_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)  # another process has the lock
_GIVEN_UP = (FileExistsError, FileNotFoundError)  # another command is just removing its folder
_MOVABLE = ("checkpoint_dir", "result_dir", "log_dir")


class Claim:
    """A run's folder, locked by this process.

    A folder that the claim created is removed at its release, unless the run has begun.

    Args:
        root: the run's folder; it is created.

    Raises:
        ConfigError: if another command or its workers use it, or it cannot be written.

    Attributes:
        token: that its workers must find in the folder.
        note: a warning about the lock for the user; empty if the lock works.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made = [folder for folder in (root, *root.parents) if not look(folder, "run_dir")]
        self._new = not look(root / LOCK, "run_dir")
        self.note = ""
        self._descriptor = self._taken(root)
        self._begun = False
        self._process = os.getpid()
        self.token = secrets.token_hex(8)
        try:
            self._await_workers()
        except BaseException:
            self.release()
            raise

    def begin(self) -> None:
        """Begin the run: from now on its folder stays."""
        self._begun = True

    def release(self) -> None:
        """Release the folder."""
        if self._new and not self._begun:
            with contextlib.suppress(OSError):
                for name in (WORKERS, LOCK):
                    (self._root / name).unlink(missing_ok=True)
            for folder in self._made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
        if os.getpid() == self._process:  # a forked child may keep the descriptor open
            _unlock(self._descriptor)
        os.close(self._descriptor)

    def held(self) -> bool:
        """Whether the folder is still ours: no command that cannot see our lock has claimed it."""
        try:
            return contents(self._root / WORKERS) == self.token.encode()
        except OSError:
            return True  # a missing folder has no other owner

    def _await_workers(self) -> None:
        """Wait for an earlier command's workers to end, and write the token for our own."""
        import fcntl

        patience = time.monotonic() + _PATIENCE
        try:
            file = (self._root / WORKERS).open("a+")
        except OSError as error:
            raise _unwritable(self._root / WORKERS, error) from None
        with file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if error.errno not in _HELD:
                        break  # a file system without locks; `note` says so
                    if time.monotonic() > patience:
                        raise in_use(self._root) from None
                time.sleep(0.05)
            file.truncate(0)
            file.write(self.token)
            file.flush()
            _unlock(file.fileno())

    def _taken(self, root: Path) -> int:
        lock = root / LOCK
        try:
            import fcntl
        except ImportError:
            raise ConfigError(
                "run_dir",
                f"{root} cannot be locked on this system; run AutoGAN on Linux, macOS or WSL",
            ) from None
        patience = time.monotonic() + _GLANCE
        while True:
            try:
                root.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as error:
                if isinstance(error, _GIVEN_UP) and time.monotonic() < patience:
                    continue
                blocked = lock if isinstance(error, IsADirectoryError) else root
                raise _unwritable(blocked, error) from None
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in _HELD:
                    self.note = (
                        f"{root} cannot be locked here ({error.strerror}): do not start a second "
                        "command on it"
                    )
                    return descriptor
                os.close(descriptor)
                if time.monotonic() < patience:
                    time.sleep(0.01)
                    continue
                raise in_use(root) from None
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                    return descriptor
            os.close(descriptor)  # its last owner removed the file: there is a new one now


def _unwritable(path: Path, error: OSError) -> ConfigError:
    remedy = "remove it" if isinstance(error, IsADirectoryError) else "give another --run-dir"
    return ConfigError("run_dir", f"{path} cannot be written ({error.strerror or error}); {remedy}")


def in_use(root: Path) -> ConfigError:
    """The error for a folder that another command uses."""
    return ConfigError(
        "run_dir", f"{root} is in use by another autogan command; wait for it to end"
    )


def at_work(root: Path) -> bool:
    """Whether a command works in a run's folder; changes nothing; False if that is unknown."""
    try:
        import fcntl

        descriptor = os.open(root / LOCK, os.O_RDONLY | os.O_NONBLOCK)
    except (ImportError, OSError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _HELD
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def beside_search(root: Path) -> Iterator[None]:
    """Keep the search of a trial from starting while the user trains the trial.

    Args:
        root: the folder of a training; without effect unless it is a search's trial.

    Raises:
        ConfigError: if the search is running.
    """
    run = run_of(root)
    if run == root.resolve():
        yield
        return
    import fcntl

    try:
        descriptor = os.open(run / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _unwritable(run, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            os.close(descriptor)
            raise in_use(run) from None
    process = os.getpid()
    try:
        yield
    finally:
        if os.getpid() == process:
            _unlock(descriptor)
        os.close(descriptor)


def _unlock(descriptor: int) -> None:
    """Release a lock, even if another process has the descriptor too."""
    import fcntl

    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def share(root: Path, token: str) -> int:
    """Lock a claimed folder as one of its workers, until the returned descriptor is closed.

    Args:
        root: the folder.
        token: of its claim.

    Raises:
        ConfigError: if the folder of this name is another one on this machine.
    """
    import fcntl

    descriptor, found = -1, b""
    with contextlib.suppress(OSError):
        descriptor = os.open(root / WORKERS, os.O_RDWR)
        found = os.read(descriptor, 100)
    if found != token.encode():
        if descriptor >= 0:
            os.close(descriptor)
        raise ConfigError(
            "run_dir",
            f"{root} is a different folder on {platform.node()}; give one that all workers share",
        )
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def earlier_run(root: Path, config_file: Path) -> dict[str, Any] | None:
    """The configuration keys of the run in ``root``; None if there is no run.

    A run's folder has a lock and a configuration: a file that happens to have the configuration's
    name is not enough.
    """
    if not all(look(path, "run_dir") == "file" for path in (config_file, root / LOCK)):
        return None
    return read_yaml(config_file)


def check_free(root: Path, config_file: Path, config: TrainConfig, *, overwrite: bool) -> None:
    """Refuse to begin a run in folders that have other contents or cannot be written.

    Args:
        root: of the new run.
        config_file: its configuration, which is absent or belongs to an earlier run.
        config: of the new run.
        overwrite: whether an earlier run may be there.

    Raises:
        ConfigError: naming the remedies.
    """
    earlier = earlier_run(root, config_file)
    if earlier is not None and not overwrite:
        resume = f"--resume {root}" if config_file.name == SEARCH_CONFIG else "--resume"
        raise ConfigError(
            "run_dir",
            f"{root} holds an earlier run; continue it with {resume}, replace it with "
            "--overwrite, or give another --run-dir",
        )
    replaced = [root, *_moved_parts(root, earlier).values()] if earlier is not None else []
    own = [path.absolute() for path in replaced]
    for field, path in {"run_dir": root, **_moved_parts(root, dict(config))}.items():
        kind = look(path, field)
        if kind not in ("", "folder"):
            raise ConfigError(field, f"{path} is a file; give another folder")
        if kind and path.absolute() not in own and any(map(_counts, _inside(field, path))):
            raise ConfigError(field, f"{path} holds other files; give another folder")
        _check_writable(field, path)


def clear(root: Path, config_file: Path) -> None:
    """Delete the earlier run in ``root``, if there is one, and no other files."""
    earlier = earlier_run(root, config_file)
    if earlier is None:
        return
    if look(root / PROXY / LOCK, "run_dir") == "file":
        Claim(root / PROXY).release()  # the workers of a killed command may still write there
    for path in _moved_parts(root, earlier).values():
        for folder in (*path.glob("[0-9][0-9][0-9][0-9]*"), path):
            _clear_moved(folder)
    # The configuration goes last: until then a killed command can be repeated.
    for pattern in (*_PARTS_OF_RUNS, config_file.name):
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _clear_moved(folder: Path) -> None:
    """Delete a trial's files in a folder outside its run, and the folder if it is empty then.

    The user chose that folder, and may keep other files there.
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


def _inside(field: str, folder: Path) -> list[Path]:
    """The contents of a folder."""
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise ConfigError(field, f"{folder} cannot be read ({error.strerror})") from None


def _counts(path: Path) -> bool:
    """Whether a file shows that a folder is in use; leftovers of a killed command do not."""
    return path.name not in (LOCK, WORKERS) and not (
        path.name.startswith(".") and path.suffix == ".tmp"
    )


def _check_writable(field: str, path: Path) -> None:
    """Refuse a folder that cannot be written; leaves nothing behind."""
    missing = [folder for folder in (path, *path.parents) if not look(folder, field)]
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
