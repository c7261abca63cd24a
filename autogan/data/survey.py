"""What a folder's files hold, found by decoding each once; the user's cache remembers it."""

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

_FORM = 1  # of the cache's files; another one is made anew
_MANY = 5000  # files of which the user hears that they are decoded
_SHOWN = 5  # files that cannot be read, by their names
_SETTLED = 2.0  # seconds after which a change of a file shows in its time stamps
_PAUSE = 15.0  # seconds between two words on how far it is

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Unreadable:
    """A file that cannot be read: its place among all, why, and what to do."""

    place: int
    problem: str
    remedy: str


@dataclass(frozen=True)
class Survey:
    """What files hold, those that cannot be read left out.

    Attributes:
        sizes: width, height and how many files have them, the first file's first.
        other_size: place of the first file whose size is another one; None if all are equal.
        coloured: how many files have a pixel that is not grey.
        first_coloured: place of the first of them, or None.
        deep: how many are grey with 16 bits.
        greatest: value of all of those; -1 without any.
        wide: how many are coloured with 16 bits per channel.
        transparent: how many have a pixel that lets the background through.
        frames: how many hold further pictures after the first.
        unreadable: those that cannot be read.
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
        """As many of 8, 10, 12, 14 and 16 as hold the greatest value of 16-bit files."""
        return next(bits for bits in (8, 10, 12, 14, 16) if self.greatest < 2**bits)


def surveyed(paths: Sequence[Path], tell: Tell) -> Survey:
    """Decode all files once, or remember what came of it.

    Args:
        paths: of the files.
        tell: reports it if it takes long.
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
    """Name the files that cannot be read.

    Raises:
        ConfigError: if there are some.
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
    """The first files that cannot be read, with the first one's problem, and how many more."""
    shown = [str(paths[each.place]) for each in bad[:_SHOWN]]
    shown[0] += f" ({bad[0].problem})"
    more = f" and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
    return ", ".join(shown) + more


def _looks(paths: Sequence[Path], tell: Tell) -> list[Look]:
    if len(paths) > _MANY:
        tell(f"decoding {counted(len(paths), 'file')} once, to see that all can be read")
    looks, told = [], time.monotonic()
    for each in in_threads(look, paths):
        looks.append(each)
        if time.monotonic() - told > _PAUSE:
            told = time.monotonic()
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
    """Where the cache keeps what these files hold, and whether their time stamps can be trusted.

    A file that changes within a tick of the clock may keep its time stamps: files that have just
    been written are decoded again.
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
    """A survey in the cache; None if there is none, or it is damaged."""
    try:
        fields = json.loads(path.read_text())
        fields["sizes"] = tuple((int(w), int(h), int(n)) for w, h, n in fields["sizes"])
        fields["unreadable"] = tuple(Unreadable(**each) for each in fields["unreadable"])
        return Survey(**fields)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
