"""The documents lead to what is there: files, headings, scripts."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])


def prose(path):
    """A document without its code."""
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
    return "\n".join(line for line in text.splitlines() if not line.startswith("    "))


def anchors(path):
    """The names that headings have as links."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(path)):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_scripts_are_there(path):
    if path.name == "CHANGELOG.md":
        return  # it speaks of what was
    for name in re.findall(r"\bscripts/[\w/]+(?:\.py)?", path.read_text()):
        assert (CHECKOUT / name).exists(), name


def test_each_document_is_in_the_index():
    index = (CHECKOUT / "docs" / "README.md").read_text()
    for path in CHECKOUT.glob("docs/*.*"):
        assert path.suffix == ".png" or path.name == "README.md" or f"({path.name})" in index
