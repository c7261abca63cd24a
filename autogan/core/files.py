"""Files that are whole or not there, whatever moment the power fails.

Everything that a later command relies on is written through this module.
"""

import contextlib
import errno
import hashlib
import io
import json
import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt
import platformdirs
import yaml

from autogan.core.errors import ConfigError, StorageError

_DIGEST = "sha256"  # the name of the array that seals a file of arrays
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EBADF)


class Damaged(ValueError):
    """A file does not hold what was written into it."""


def look(path: Path | str, field: str) -> Literal["", "file", "folder", "other"]:
    """What a path leads to, through links; empty if nothing is there.

    All questions of this kind go through here: up to Python 3.13 `Path.exists` raises where a
    folder above is closed, and `os.path.exists` says that nothing is there, which is not known.

    Args:
        path: of a file or folder.
        field: the key or argument that names it.

    Raises:
        ConfigError: if the system does not let us look.
    """
    try:
        mode = os.stat(path).st_mode
    except ValueError:  # a name that no file can have
        return ""
    except OSError as error:
        if error.errno in _ABSENT:
            return ""
        raise ConfigError(field, f"{path} cannot be read ({error.strerror})") from None
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def check_free(path: Path, field: str, overwrite: bool) -> None:
    """Refuse to write where something lies already, unless it is to be replaced.

    Raises:
        ConfigError: naming the field and the path.
    """
    if look(path, field) and not overwrite:
        raise ConfigError(field, f"{path} exists; give another name, or --overwrite")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file for reading. A pipe or device, where reading may never end, is refused.

    Raises:
        OSError: if it cannot be opened, or is no file.
    """

    def without_waiting(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    with open(path, "rb", opener=without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe or device", str(path))
        yield file


def contents(path: Path) -> bytes:
    """All bytes of a file; see `opened`."""
    with opened(path) as file:
        return file.read()


@contextlib.contextmanager
def stored(path: Path, verb: str = "written") -> Iterator[None]:
    """Raises `StorageError` where the file system cannot write (or read) a file."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError.of(error, path.parent if full else path, verb) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it into it; its folder is made."""
    temporary = temporary_of(path)
    with stored(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def made_beside(place: Path) -> Iterator[Path]:
    """A folder to fill, renamed into its place at the end: that is whole or not there.

    Args:
        place: nothing is there, or an empty folder.

    Raises:
        StorageError: if it cannot be made or renamed.
    """
    with stored(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        made = scratch / "made"  # with the rights of any other folder
        with stored(place):
            made.mkdir()
        yield made
        with stored(place):
            made.rename(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def temporary_of(path: Path) -> Path:
    """Where a file is written first: a name that no other process has, on any machine.

    A worker that was thought to be lost may still write where another one goes on.
    """
    return path.with_name(f".{_own(path).name}.tmp")


def _own(path: Path) -> Path:
    """A name beside a path that no other process has, on any machine."""
    return path.with_name(f"{path.name}.{platform.node()}-{os.getpid()}")


def sweep(*folders: Path) -> None:
    """Remove what killed processes have left half-written."""
    for folder in folders:
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


def append_line(path: Path, line: str, *, new: bool = False) -> None:
    """Append a line to a file and flush it to the disk; a torn last line is cut off before.

    Args:
        path: of the file.
        line: without its end.
        new: whether the file may be absent.

    Raises:
        StorageError: if it cannot be written; what was written of the line is cut off the next
            time.
        FileNotFoundError: if the file is absent and not new.
    """
    if not new and not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with stored(path), path.open("a+b" if new else "r+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
                file.seek(0, os.SEEK_END)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def link(path: Path, target: str) -> None:
    """Make ``path`` a symbolic link to ``target``, in place of an older one."""
    temporary = temporary_of(path)
    with stored(path):
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(path)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a value as indented JSON."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def write_yaml(path: Path, value: Mapping[str, Any], heading: str = "") -> None:
    """Write a mapping as YAML in its own order, under a comment."""
    text = "".join(f"# {line}\n" for line in heading.splitlines())
    text += yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True)
    write_bytes(path, text.encode())


def write_npz(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays as an .npz file for other programs."""
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez(buffer, **named)
    write_bytes(path, buffer.getvalue())


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays as an .npz file, sealed by a digest of them all."""
    write_npz(path, {**arrays, _DIGEST: np.array(arrays_digest(arrays))})


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read an .npz file; nothing in it is unpickled.

    Raises:
        Damaged: if it is something else, or not what was written.
        OSError: if it cannot be opened.
    """
    with opened(path) as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            seal = arrays.pop(_DIGEST, None)
        except Exception as error:  # a damaged archive raises whatever its bytes lead to
            raise Damaged(f"{path} is damaged ({type(error).__name__})") from error
    if str(seal) != arrays_digest(arrays):
        raise Damaged(f"{path} is damaged (its digest is another one)")
    return arrays


def arrays_digest(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """SHA-256 of arrays: their names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}/{array.dtype.str}/{array.shape}/".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def cache_root() -> Path:
    """The user's cache folder, or the one that AUTOGAN_CACHE names."""
    return Path(os.environ.get("AUTOGAN_CACHE") or platformdirs.user_cache_path("autogan"))


def mapped_arrays(
    folder: Path,
    specs: Mapping[str, tuple[tuple[int, ...], npt.DTypeLike]],
    fill: Callable[[Mapping[str, npt.NDArray[Any]]], None],
) -> list[npt.NDArray[Any]]:
    """Arrays that stay on the disk, filled once and kept in a folder of the cache.

    A folder that lacks one of them, or holds another one, is made again.

    Args:
        folder: their place.
        specs: their shapes and dtypes, by name.
        fill: writes into arrays of these names.

    Returns:
        The arrays, mapped read-only, in the order of ``specs``.
    """
    if (arrays := _mapped(folder, specs)) is None:
        shutil.rmtree(folder, ignore_errors=True)
        own = _own(folder)
        own.mkdir(parents=True, exist_ok=True)
        made = {
            name: np.lib.format.open_memmap(own / f"{name}.npy", "w+", dtype, shape)
            for name, (shape, dtype) in specs.items()
        }
        try:
            fill(made)
            for array in made.values():
                array.flush()
            with contextlib.suppress(OSError):  # another process was faster
                own.replace(folder)
        finally:
            shutil.rmtree(own, ignore_errors=True)
        arrays = _mapped(folder, specs)
    if arrays is None:
        raise Damaged(f"{folder} cannot be written; remove it")
    return arrays


def _mapped(
    folder: Path, specs: Mapping[str, tuple[tuple[int, ...], npt.DTypeLike]]
) -> list[npt.NDArray[Any]] | None:
    """The arrays of `mapped_arrays` that a folder holds; None unless all are of their kind."""
    try:
        arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in specs]
    except Exception:  # a damaged head raises whatever its bytes lead to
        return None
    kinds = [(array.shape, array.dtype) for array in arrays]
    return arrays if kinds == [(s, np.dtype(d)) for s, d in specs.values()] else None


def cached_arrays(
    path: Path, make: Callable[[], Mapping[str, npt.NDArray[Any]]]
) -> Mapping[str, npt.NDArray[Any]]:
    """Read an .npz file of the cache, or make its arrays and keep them there.

    A cache has many writers. The first one wins: whoever made the same meanwhile gets what is on
    the disk, so that all go on with the same arrays. A damaged file is made again. Where the cache
    cannot be written, it is done without.
    """
    with contextlib.suppress(OSError):
        try:
            return read_arrays(path)
        except Damaged:
            path.unlink()
    arrays = make()
    own = _own(path)
    try:
        write_arrays(own, arrays)
        try:
            os.link(own, path)
        except FileExistsError:
            pass  # another process was faster
        except OSError:
            own.replace(path)  # a file system without hard links
        return read_arrays(path)
    except (OSError, StorageError, Damaged):
        return arrays
    finally:
        with contextlib.suppress(OSError):
            own.unlink(missing_ok=True)
