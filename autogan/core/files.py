"""Files that are whole or not there, whatever moment the power fails.

Everything that a later command relies on is written through this module.
"""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import platformdirs
import yaml


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it into it; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_of(path)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_of(path: Path) -> Path:
    """Where a file is written first. One name for all writers, so that a kill leaves no litter.

    A run's folder is locked: it has one writer.
    """
    return path.with_name(f".{path.name}.tmp")


def append_line(path: Path, line: str) -> None:
    """Append a line to a file and flush it to the disk; a torn last line is cut off before."""
    with path.open("a+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def link(path: Path, target: str) -> None:
    """Make ``path`` a symbolic link to ``target``, in place of an older one."""
    temporary = temporary_of(path)
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


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays as an .npz file."""
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez(buffer, **named)
    write_bytes(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read an .npz file; nothing in it is unpickled."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def cache_root() -> Path:
    """The user's cache folder, or the one that AUTOGAN_CACHE names."""
    return Path(os.environ.get("AUTOGAN_CACHE") or platformdirs.user_cache_path("autogan"))


def mapped_arrays(
    folder: Path,
    specs: Mapping[str, tuple[tuple[int, ...], npt.DTypeLike]],
    fill: Callable[[Mapping[str, npt.NDArray[Any]]], None],
) -> list[npt.NDArray[Any]]:
    """Arrays that stay on the disk, filled once and kept in a folder of the cache.

    Args:
        folder: their place.
        specs: their shapes and dtypes, by name.
        fill: writes into arrays of these names.

    Returns:
        The arrays, mapped read-only, in the order of ``specs``.
    """
    if not folder.exists():
        own = folder.with_name(f"{folder.name}.{os.getpid()}")  # a cache has many writers
        own.mkdir(parents=True, exist_ok=True)
        arrays = {
            name: np.lib.format.open_memmap(own / f"{name}.npy", "w+", dtype, shape)
            for name, (shape, dtype) in specs.items()
        }
        try:
            fill(arrays)
            for array in arrays.values():
                array.flush()
            with contextlib.suppress(OSError):  # another process was faster
                own.replace(folder)
        finally:
            shutil.rmtree(own, ignore_errors=True)
    return [np.load(folder / f"{name}.npy", mmap_mode="r") for name in specs]


def cached_arrays(
    path: Path, make: Callable[[], Mapping[str, npt.NDArray[Any]]]
) -> Mapping[str, npt.NDArray[Any]]:
    """Read an .npz file, or make its arrays and keep them there if it is absent or damaged.

    A cache has many writers: each writes a file of its own and renames it. One that cannot be
    written is done without.
    """
    try:
        return read_arrays(path)
    except (OSError, ValueError, EOFError, BadZipFile):
        arrays = make()
    with contextlib.suppress(OSError):
        own = path.with_name(f"{path.name}.{os.getpid()}")
        write_arrays(own, arrays)
        own.replace(path)
    return arrays
