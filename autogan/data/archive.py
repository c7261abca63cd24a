"""Pictures in one file, unpacked into the user's cache: zip and tar archives, LSUN's lmdb.

Only pictures and StyleGAN's dataset.json are unpacked, into plain files below one folder. The
paths, sizes and counts that an archive declares are not trusted.
"""

import contextlib
import hashlib
import io
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from autogan.core.errors import ConfigError, StorageError, one_line
from autogan.core.files import cache_root, made_beside, stored
from autogan.core.invocation import command
from autogan.core.text import counted
from autogan.data.decoding import SUFFIXES
from autogan.data.packed import LABELS

_MOST_FILES = 5_000_000  # pictures to unpack
_MOST_BYTES = 2**37  # of all pictures together
_MOST_OF_ONE = 2**28  # bytes of one picture
_BLOCK = 2**20
_LONGEST = 200  # bytes of a file's name, so that the path in the cache is not too long
_DRIVE = re.compile(r"^[A-Za-z]:")
_MAGIC = {b"\xff\xd8": ".jpg", b"\x89P": ".png", b"RI": ".webp"}

Entry = tuple[str, Callable[[], IO[bytes]]]
"""The name of a file in an archive, and a function that opens it."""


class _Bad(Exception):
    """The problem with an archive, in words."""


def unpacked(path: Path, tell: Callable[[str], None]) -> Path:
    """Unpack an archive into the cache, unless it is there already; return the folder.

    Args:
        path: of a zip or tar archive, compressed or not, or of an lmdb folder.
        tell: is called with a note when unpacking starts.

    Raises:
        ConfigError: if it is something else, is damaged, or would write outside of the folder.
        StorageError: if the cache cannot be written.
    """
    if path.suffix == ".mdb":
        path = path.parent
    place = cache_root() / "archives" / _name(path)
    if place.is_dir():
        return place
    try:
        with made_beside(place) as made:
            tell(f"unpacking the pictures of {path} into {place}")
            if not _filled(path, made):
                raise ConfigError("dataset", f"{path} contains no pictures; give another file")
    except StorageError:
        if not place.is_dir():  # else another process was faster
            raise
    return place


def _filled(path: Path, folder: Path) -> int:
    """Unpack an archive's pictures into a folder; return their number."""
    try:
        with _entries(path) as entries:
            return _write(entries, folder)
    except (ConfigError, StorageError):
        raise
    except Exception as error:  # readers of damaged archives raise all kinds of errors
        said = str(error) if isinstance(error, _Bad) else one_line(error)
        raise ConfigError("dataset", f"{path} cannot be read ({said}); pack it again") from error


def _name(path: Path) -> str:
    """The name of an archive's folder in the cache, which changes with the archive."""
    found = os.stat(path / "data.mdb" if path.is_dir() else path)
    facts = f"{os.path.abspath(path)}/{found.st_size}/{found.st_mtime_ns}"
    return hashlib.sha256(os.fsencode(facts)).hexdigest()[:32]


@contextlib.contextmanager
def _entries(path: Path) -> Iterator[Iterator[Entry]]:
    """The files in an archive."""
    import tarfile

    if path.is_dir():
        yield _of_lmdb(path)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield _of_zip(archive)
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            yield _of_tar(tar)
    else:
        raise _Bad("it is not a zip or tar archive")


def _of_zip(archive: zipfile.ZipFile) -> Iterator[Entry]:
    for info in archive.infolist():
        if info.is_dir():
            continue
        if info.flag_bits & 1:
            raise _Bad(f"{info.filename!r} is encrypted")
        yield info.filename, lambda info=info: archive.open(info)  # type: ignore[misc]


def _of_tar(archive: Any) -> Iterator[Entry]:
    for member in archive:
        if member.isfile():  # no links and no devices
            yield member.name, lambda member=member: archive.extractfile(member)  # type: ignore[misc]


def _of_lmdb(folder: Path) -> Iterator[Entry]:
    """The encoded pictures in LSUN's lmdb, in the order of their keys, with numbered names."""
    try:
        import lmdb
    except ImportError:
        install = command("pip", "install", "lmdb>=1.4")
        raise ConfigError("dataset", f"{folder} needs lmdb; install it: {install}") from None
    with (
        lmdb.open(str(folder), readonly=True, lock=False, create=False) as database,
        database.begin(buffers=False) as transaction,
    ):
        for number, (_, value) in enumerate(transaction.cursor()):
            ending = _MAGIC.get(bytes(value[:2]))
            if ending is None:
                raise _Bad(f"value {number} is not a JPEG, PNG or WebP picture")
            thousand = f"{number // 1000:06d}"  # one folder for all would be slow to list
            yield f"images/{thousand}/{number:09d}{ending}", lambda value=value: io.BytesIO(value)  # type: ignore[misc]


def _write(entries: Iterator[Entry], folder: Path) -> int:
    """Write pictures and labels below a folder; return the number of pictures."""
    count = size = 0
    for name, opened in entries:
        parts = _parts(name)
        if parts is None:
            continue
        target = folder.joinpath(*parts)
        if target.exists():
            raise _Bad(f"it contains {name!r} twice")
        count += parts[-1] != LABELS
        with stored(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            file = target.open("wb")
        with file, opened() as source:
            left = _MOST_OF_ONE
            while block := source.read(min(_BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    raise _Bad(f"{name!r} is larger than {_MOST_OF_ONE >> 20} MB")
                with stored(target):
                    file.write(block)
        size += _MOST_OF_ONE - left
        if count > _MOST_FILES or size > _MOST_BYTES:
            pictures = counted(_MOST_FILES, "picture")
            raise _Bad(f"it contains more than {pictures} or {_MOST_BYTES >> 30} GB")
    return count


def _parts(name: str) -> tuple[str, ...] | None:
    """The path of an archive's file below the folder; None for files that are not unpacked.

    Raises:
        _Bad: if the path leads elsewhere, or no file can have the name.
    """
    path = PurePosixPath(name)
    if path.suffix.lower() not in SUFFIXES and path.name != LABELS:
        return None
    parts = tuple(part for part in path.parts if part != ".")
    if any(part.startswith(".") and part != ".." for part in parts) or "__MACOSX" in parts:
        return None  # hidden files, as in folders
    if path.is_absolute() or ".." in parts or "\\" in name or _DRIVE.match(name):
        raise _Bad(f"{name!r} would be written outside of its folder")
    if "\0" in name or any(len(os.fsencode(part)) > _LONGEST for part in parts):
        raise _Bad(f"no file can have the name {name[:50]!r}...")
    return parts
