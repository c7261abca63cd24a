"""Writing files so that they are complete or absent, even if the power fails.

This module writes every file that a later command relies on.
"""

import contextlib
import errno
import hashlib
import io
import itertools
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
    """A file's content is not the content that was written."""


def look(path: Path | str, field: str) -> Literal["", "file", "folder", "other"]:
    """The kind of thing at a path, following links; empty if nothing is there.

    Use this for all such questions: up to Python 3.13 `Path.exists` raises if a folder above cannot
    be entered, and `os.path.exists` then says that nothing is there, although nobody knows.

    Args:
        path: of a file or folder.
        field: the key or argument that names it.

    Raises:
        ConfigError: if the system denies access.
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
    """Refuse to write to a path that exists, unless it may be overwritten.

    Raises:
        ConfigError: naming the field and the path.
    """
    if look(path, field) and not overwrite:
        raise ConfigError(field, f"{path} exists; give another name, or --overwrite")


def unused(path: Path, field: str, *, folder: bool = False) -> Path:
    """The path itself, or the first of NAME-2, NAME-3, ... with the same ending that is free.

    Args:
        path: of a file or folder to create.
        field: the key or argument that it belongs to.
        folder: whether it is a folder, whose name has no ending.

    Raises:
        ConfigError: if the path cannot be looked up.
    """
    stem, ending = (path.name, "") if folder else (path.stem, path.suffix)
    others = (path.with_name(f"{stem}-{number}{ending}") for number in itertools.count(2))
    return next(each for each in itertools.chain([path], others) if not look(each, field))


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file open for reading; refuses pipes and devices, where reading may never end.

    Raises:
        OSError: if it cannot be opened, or is not a file.
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
    """Turn errors of the file system into `StorageError`."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError.of(error, path.parent if full else path, verb) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write a temporary file next to the path and rename it; creates the folder if needed."""
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
    """A folder to fill; moved to its place at the end, so that it is complete or absent.

    Args:
        place: of the folder; nothing is there, or an empty folder.

    Raises:
        StorageError: if the folder cannot be created or renamed.
    """
    with stored(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        made = scratch / "made"  # with the usual permissions, unlike mkdtemp's
        with stored(place):
            made.mkdir()
        yield made
        with stored(place):
            made.rename(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def temporary_of(path: Path) -> Path:
    """A temporary name for a file, unique to this process on all machines.

    A worker that was taken for lost may still write where another one has taken over.
    """
    return path.with_name(f".{_own(path).name}.tmp")


def _own(path: Path) -> Path:
    """A name next to a path, unique to this process on all machines."""
    return path.with_name(f"{path.name}.{platform.node()}-{os.getpid()}")


def sweep(*folders: Path) -> None:
    """Remove temporary files that killed processes left behind."""
    for folder in folders:
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


def append_line(path: Path, line: str, *, new: bool = False) -> None:
    """Append a line to a file and flush it to the disk, after removing a torn last line.

    Args:
        path: of the file.
        line: without a newline at its end.
        new: whether the file may be absent.

    Raises:
        StorageError: if the line cannot be written; the next call removes any part of it.
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
    """Make ``path`` a symbolic link to ``target``, replacing an older one."""
    temporary = temporary_of(path)
    with stored(path):
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(path)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a value as indented JSON."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def write_yaml(path: Path, value: Mapping[str, Any], heading: str = "") -> None:
    """Write a mapping as YAML, keeping its order, under a comment."""
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
    """Write arrays as an .npz file together with a digest of them all."""
    write_npz(path, {**arrays, _DIGEST: np.array(arrays_digest(arrays))})


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read an .npz file and verify its digest; nothing in it is unpickled.

    Raises:
        Damaged: if it is not such a file, or its content has changed.
        OSError: if it cannot be opened.
    """
    with opened(path) as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            seal = arrays.pop(_DIGEST, None)
        except Exception as error:  # a damaged archive can raise anything
            raise Damaged(f"{path} is damaged ({type(error).__name__})") from error
    if str(seal) != arrays_digest(arrays):
        raise Damaged(f"{path} is damaged (its digest does not match)")
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

    If an array is missing, or has another shape or dtype, the folder is filled again.

    Args:
        folder: of the arrays.
        specs: their shapes and dtypes, by name.
        fill: writes their values; called with the empty arrays by name.

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
    """The arrays in a folder; None unless all have the shapes and dtypes of ``specs``."""
    try:
        arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in specs]
    except Exception:  # a damaged header can raise anything
        return None
    kinds = [(array.shape, array.dtype) for array in arrays]
    return arrays if kinds == [(s, np.dtype(d)) for s, d in specs.values()] else None


def cached_arrays(
    path: Path, make: Callable[[], Mapping[str, npt.NDArray[Any]]]
) -> Mapping[str, npt.NDArray[Any]]:
    """Read an .npz file from the cache, or compute its arrays and cache them.

    A cache has many writers. The first one wins: a process that has computed the same arrays
    meanwhile reads those on the disk, so that all processes use the same ones. A damaged file is
    replaced. If the cache cannot be written, the arrays are returned without caching.
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
