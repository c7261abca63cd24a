"""Pages as files: written once, or again and again while a search runs.

The runs may be at work, and are not touched.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autogan.core.errors import ConfigError, StorageError
from autogan.core.files import look, write_bytes
from autogan.core.text import read_path
from autogan.record.claim import at_work
from autogan.record.folder import SearchFolder
from autogan.report.comparison import comparison_page
from autogan.report.search import search_page
from autogan.show.saved import load_search

_MARK = b'name="generator" content="AutoGAN'  # of a page's head
_LOOK = 5.0  # seconds between two looks at a running search


def write_report(
    *folders: Path | str, output: Path | str | None = None, options: Mapping[str, Any] | None = None
) -> Path:
    """Write a page that shows a search, or compares several; works while they run.

    Args:
        folders: of the searches.
        output: the page; by default report.html in the search's folder; comparison.html of
            several.
        options: keys of the configuration, such as ``plugin_dirs``.

    Returns:
        Where the page is.

    Raises:
        ConfigError: if one is no search, has not begun or is damaged; if the page cannot be
            written.
    """
    return _write(folders, output, options, refresh=False)


def watch(
    *folders: Path | str, output: Path | str | None = None, options: Mapping[str, Any] | None = None
) -> Iterator[Path]:
    """Write a page (see `write_report`) whenever there is news, until no search runs any more.

    Yields:
        Where the page is, after each time that it was written.
    """
    records = [SearchFolder(read_path("run", str(folder))).ledger for folder in folders]

    def news() -> list[tuple[int, bool]]:
        """What changes when something has happened: the records' sizes, and who is at work."""
        sizes = (record.stat().st_size if look(record, "run") else 0 for record in records)
        return [(size, at_work(record.parent)) for size, record in zip(sizes, records, strict=True)]

    while True:
        seen = news()
        running = any(working for _, working in seen)
        yield _write(folders, output, options, refresh=running)
        if not running:
            return
        while True:
            time.sleep(_LOOK)
            if news() != seen:
                break


def _write(
    folders: Sequence[Path | str],
    output: Path | str | None,
    options: Mapping[str, Any] | None,
    *,
    refresh: bool,
) -> Path:
    """See `write_report`; ``refresh`` lets the browser load the page again."""
    paths = [read_path("run", str(folder)) for folder in folders]
    roots = {path.resolve(): path for path in paths}
    results = [load_search(root, options) for root in roots.values()]
    if not results:
        raise ConfigError("run", "none given; name the folder of a search, or of several")
    if len(results) > 1:
        page, usual = comparison_page(results, refresh=refresh), Path("comparison.html")
    else:
        page, usual = search_page(results[0], refresh=refresh), results[0].folder.report
    path = usual if output is None else read_path("output", str(output))
    _check_page(path)
    try:
        write_bytes(path, page.encode())
    except StorageError as error:
        raise ConfigError("output", error.problem) from error
    return path


def _check_page(path: Path) -> None:
    """Refuse to write a page over something else.

    Raises:
        ConfigError: saying what it is.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError("output", f"{path} is no page's name; give one that ends in .html")
    kind = look(path, "output")
    if path.is_symlink() or kind not in ("", "file"):
        raise ConfigError("output", f"{path} is no file; give the name of a new one")
    if kind and _MARK not in path.read_bytes()[:4000]:
        raise ConfigError("output", f"{path} is not a page of AutoGAN's; give another name")
