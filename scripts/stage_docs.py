"""Copy the documents into one folder, as pages of a site: scripts/stage_docs.py FOLDER.

On GitHub and in editors, README.md is at the top and most others are in docs. A site has one
folder, so the links are rewritten.
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
"""The documents outside docs, and their pages."""
INDEX = ROOT / "docs/README.md"
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def stage(folder: Path) -> None:
    """Write all pages into a folder, replacing its content."""
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
    """The path of a document or picture on the site; None if it is not part of it."""
    place = file.relative_to(ROOT)
    if str(place) in PAGES:
        return Path(PAGES[str(place)])
    if file == INDEX:  # the site has its own index
        return Path("guide.md")
    return place.relative_to("docs") if place.parts[0] == "docs" else None


def _relinked(document: Path, page: Path, link: re.Match[str]) -> str:
    """A document's link, rewritten for its page; only its text if it leads out of the site."""
    target = _page((document.parent / link["path"]).resolve())
    if target is None:
        return link["text"]
    way = "../" * (len(page.parts) - 1)
    return f"[{link['text']}]({way}{target}{link['anchor'] or ''})"


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
