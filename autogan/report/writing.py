"""Pages as files: written once, or repeatedly while a run goes on.

The runs may be at work; nothing in them changes.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autogan.core.errors import ConfigError, StorageError
from autogan.core.files import look, unused, write_bytes
from autogan.core.text import read_path
from autogan.record.claim import at_work
from autogan.record.folder import records, run_of
from autogan.report.comparison import comparison_page
from autogan.report.search import search_page
from autogan.report.training import training_page
from autogan.show.result import SearchResult, TrainResult
from autogan.show.saved import load_run

_MARK = b'name="generator" content="AutoGAN'  # of a page's head
_LOOK = 5.0  # seconds between two looks at a run


def write_report(
    *folders: Path | str, output: Path | str | None = None, options: Mapping[str, Any] | None = None
) -> Path:
    """Write a page that shows a search or training, or compares several; works while they run.

    Args:
        folders: of the searches and trainings.
        output: the page, which may replace an earlier page; by default report.html in the run's
            folder, or for several runs the first of comparison.html, comparison-2.html, ... that
            is free.
        options: keys of the configuration, such as ``plugin_dirs``.

    Returns:
        The page's path.

    Raises:
        ConfigError: if a folder holds no run, a search that has not begun, or a damaged run; if the
            page cannot be written.
    """
    roots = _distinct(folders)
    return _write(roots, _place(roots, output), options, refresh=False)


def watch(
    *folders: Path | str, output: Path | str | None = None, options: Mapping[str, Any] | None = None
) -> Iterator[Path]:
    """Write a page (see `write_report`) after each change, until no run is at work any more.

    Yields:
        The page's path, each time after it was written.
    """
    roots = _distinct(folders)
    place = _place(roots, output)

    def news() -> list[tuple[list[int], bool]]:
        """Facts that change after each event: the records' sizes, and which runs are at work."""
        return [([*map(_size, records(root))], at_work(run_of(root))) for root in roots]

    while True:
        seen = news()
        running = any(working for _, working in seen)
        yield _write(roots, place, options, refresh=running)
        if not running:
            return
        while True:
            time.sleep(_LOOK)
            if news() != seen:
                break


def _distinct(folders: Sequence[Path | str]) -> list[Path]:
    """The runs' folders, each once.

    Raises:
        ConfigError: if there is none.
    """
    if not folders:
        raise ConfigError("run", "none given; name the folder of a search or training, or several")
    paths = [read_path("run", str(folder)) for folder in folders]
    return list({path.resolve(): path for path in paths}.values())


def _place(roots: Sequence[Path], output: Path | str | None) -> Path | None:
    """The page's path; None for the usual one in the folder of the only run."""
    if output is not None:
        return read_path("output", str(output))
    return unused(Path("comparison.html"), "output") if len(roots) > 1 else None


def _write(
    roots: Sequence[Path], place: Path | None, options: Mapping[str, Any] | None, *, refresh: bool
) -> Path:
    """Write a page.

    Args:
        roots: of its runs.
        place: see `_place`.
        options: see `write_report`.
        refresh: whether the browser loads the page again.
    """
    results = [load_run(root, options) for root in roots]
    if len(results) > 1:
        page = comparison_page(results, refresh=refresh)
    else:
        page = _page(results[0], refresh=refresh)
    path = place or results[0].folder.report
    _check_page(path)
    try:
        write_bytes(path, page.encode())
    except StorageError as error:
        raise ConfigError("output", error.problem) from error
    return path


def _page(result: SearchResult | TrainResult, *, refresh: bool) -> str:
    """The page of one run."""
    if isinstance(result, TrainResult):
        return training_page(result, refresh=refresh)
    return search_page(result, refresh=refresh)


def _size(path: Path) -> int:
    """A file's size in bytes; 0 if there is none."""
    return path.stat().st_size if look(path, "run") else 0


def _check_page(path: Path) -> None:
    """Refuse to overwrite anything but a page.

    Raises:
        ConfigError: naming what is there.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError("output", f"{path} does not end in .html; give a name that does")
    kind = look(path, "output")
    if path.is_symlink() or kind not in ("", "file"):
        raise ConfigError("output", f"{path} is not a file; give the name of a new file")
    if kind and _MARK not in path.read_bytes()[:4000]:
        raise ConfigError("output", f"{path} is not an AutoGAN page; give another name")
