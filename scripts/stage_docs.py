"""Copy the documents into one folder, as pages of a site: scripts/stage_docs.py FOLDER.

On GitHub and in editors, the documents are read where they stand: README.md at the top, the others
in docs. A site has one folder, so links are written anew.
"""

import re
import shutil
import sys
from functools import partial
from pathlib import Path

import autogan

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "AGENTS.md": "agents.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Documents outside of docs, and the pages that they become."""
INDEX = ROOT / "docs/README.md"
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def stage(folder: Path) -> None:
    """Write all pages into a folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.md"))
    for document in [*(ROOT / name for name in PAGES), *sorted(ROOT.glob("docs/**/*.md"))]:
        page = _page(document)
        if document != INDEX and page is not None:
            text = _LINK.sub(partial(_relinked, document, page), document.read_text())
            (folder / page).write_text(text)
    names = "\n\n".join(f"::: autogan.{name}" for name in autogan.__all__ if name != "__version__")
    (folder / "api.md").write_text(f"# Functions and classes\n\n{names}\n")


def _page(file: Path) -> Path | None:
    """Where a document or picture stands on the site; None if it is not there."""
    place = file.relative_to(ROOT)
    if str(place) in PAGES:
        return Path(PAGES[str(place)])
    if file == INDEX:  # the site's own menu takes its place
        return Path("guide.md")
    return place.relative_to("docs") if place.parts[0] == "docs" else None


def _relinked(document: Path, page: Path, link: re.Match[str]) -> str:
    """A document's link as it is on its page; its words alone, if it leads out of the site."""
    target = _page((document.parent / link["path"]).resolve())
    if target is None:
        return link["text"]
    way = "../" * (len(page.parts) - 1)
    return f"[{link['text']}]({way}{target}{link['anchor'] or ''})"


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
