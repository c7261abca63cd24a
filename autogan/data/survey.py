"""A survey of a folder's files: each is decoded once, and the user's cache keeps the result."""

import contextlib
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import PIL

from autogan.core.errors import ConfigError, StorageError
from autogan.core.files import cache_root, write_json
from autogan.core.text import counted
from autogan.data.decoding import Look, look
from autogan.data.threads import in_threads

_FORM = 1  # format of the cache's files; those of other formats are ignored
_MANY = 5000  # with more files than this, a note says that they are being decoded
_SHOWN = 5  # unreadable files to name
_SETTLED = 2.0  # seconds after which a change of a file shows in its time stamps
_PAUSE = 15.0  # seconds between two notes on progress

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Unreadable:
    """A file that cannot be read: its place among all, the problem, and the remedy."""

    place: int
    problem: str
    remedy: str


@dataclass(frozen=True)
class Survey:
    """The properties of all readable files, and the list of the others.

    Attributes:
        sizes: width, height and the number of files of that size; the first file's size is first.
        other_size: place of the first file of another size; None if all sizes are equal.
        coloured: number of files with a pixel that is not grey.
        first_coloured: place of the first such file, or None.
        deep: number of grey files with 16 bits.
        greatest: the greatest value in these; -1 if there are none.
        wide: number of colour files with 16 bits per channel.
        transparent: number of files with a pixel through which the background shows.
        frames: number of files with more pictures than the first.
        unreadable: files that cannot be read.
    """

    sizes: tuple[tuple[int, int, int], ...]
    other_size: int | None
    coloured: int
    first_coloured: int | None
    deep: int
    greatest: int
    wide: int
    transparent: int
    frames: int
    unreadable: tuple[Unreadable, ...]

    @property
    def bits(self) -> int:
        """The fewest of 8, 10, 12, 14 or 16 bits that hold the greatest value of 16-bit files."""
        return next(bits for bits in (8, 10, 12, 14, 16) if self.greatest < 2**bits)


def surveyed(paths: Sequence[Path], tell: Tell) -> Survey:
    """Decode all files once, or read the earlier result from the cache.

    Args:
        paths: of the files.
        tell: is called with notes on progress if there are many files.
    """
    place, settled = _place_of(paths)
    known = _read(place)
    if known is not None:
        return known
    made = _survey(_looks(paths, tell))
    if settled:
        with contextlib.suppress(OSError, StorageError):
            write_json(place, asdict(made))
    return made


def refuse_unreadable(paths: Sequence[Path], survey: Survey) -> None:
    """Refuse files that cannot be read.

    Raises:
        ConfigError: naming them, if there are any.
    """
    bad = survey.unreadable
    if not bad:
        return
    remedy = bad[0].remedy or "repair or remove " + ("it" if len(bad) == 1 else "them")
    remedy += f", or leave {'it' if len(bad) == 1 else 'them'} out with --skip-unreadable"
    if len(bad) == 1:
        problem = f"{paths[bad[0].place]} cannot be read as an image ({bad[0].problem})"
    else:
        problem = (
            f"{len(bad):,} of {len(paths):,} files cannot be read as images: {named(paths, bad)}"
        )
    raise ConfigError("dataset", f"{problem}; {remedy}")


def named(paths: Sequence[Path], bad: Sequence[Unreadable]) -> str:
    """The first unreadable files, with the first one's problem, and the number of the others."""
    shown = [str(paths[each.place]) for each in bad[:_SHOWN]]
    shown[0] += f" ({bad[0].problem})"
    more = f" and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
    return ", ".join(shown) + more


def _looks(paths: Sequence[Path], tell: Tell) -> list[Look]:
    if len(paths) > _MANY:
        tell(f"decoding {counted(len(paths), 'file')} once, to check that all can be read")
    looks, noted = [], time.monotonic()
    for each in in_threads(look, paths):
        looks.append(each)
        if time.monotonic() - noted > _PAUSE:
            noted = time.monotonic()
            tell(f"decoded {len(looks):,} of {len(paths):,} files")
    return looks


def _survey(looks: Sequence[Look]) -> Survey:
    good = [(place, each) for place, each in enumerate(looks) if not each.problem]
    sizes = Counter((each.width, each.height) for _, each in good)
    first = next(iter(sizes), None)
    others = (place for place, each in good if (each.width, each.height) != first)
    coloured = [place for place, each in good if not each.grey]
    return Survey(
        sizes=tuple((width, height, count) for (width, height), count in sizes.items()),
        other_size=next(others, None),
        coloured=len(coloured),
        first_coloured=coloured[0] if coloured else None,
        deep=sum(each.greatest >= 0 for _, each in good),
        greatest=max((each.greatest for _, each in good), default=-1),
        wide=sum(each.wide for _, each in good),
        transparent=sum(each.transparent for _, each in good),
        frames=sum(each.frames for _, each in good),
        unreadable=tuple(
            Unreadable(place, each.problem, each.remedy)
            for place, each in enumerate(looks)
            if each.problem
        ),
    )


def _place_of(paths: Sequence[Path]) -> tuple[Path, bool]:
    """The survey's place in the cache, and whether the files' time stamps can be trusted.

    A file that changes within a tick of the clock may keep its time stamps, so surveys of files
    that have just been written are not kept.
    """
    digest = hashlib.sha256(f"{_FORM}/{PIL.__version__}".encode())
    newest = 0
    for path in paths:
        try:
            found = os.stat(path)
            facts = (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        except OSError:
            facts = (-1, 0, 0)
        newest = max(newest, *facts[1:])
        digest.update(b"\0%s/%r" % (os.fsencode(os.path.abspath(path)), facts))
    settled = newest < (time.time() - _SETTLED) * 1e9
    return cache_root() / "surveys" / f"{digest.hexdigest()[:32]}.json", settled


def _read(path: Path) -> Survey | None:
    """A survey in the cache; None if it is missing or damaged."""
    try:
        fields = json.loads(path.read_text())
        fields["sizes"] = tuple((int(w), int(h), int(n)) for w, h, n in fields["sizes"])
        fields["unreadable"] = tuple(Unreadable(**each) for each in fields["unreadable"])
        return Survey(**fields)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
