"""Find wording that is not plain English: scripts/words.py [FILES].

Checks documents, docstrings, comments and messages. Each rule has a pattern and better words;
CONTRIBUTING.md has the glossary. Exits with 1 if it finds any.
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("autogan", "models", "search", "criteria", "configs", "scripts", "docs")
RULES = (
    (r"\btold\b", "reported, shown, notified, known, given"),
    (r"\bso many\b", "that many, this number of, or the number"),
    (r"\b(?:one's|ones) own\b", "your own, or own"),
    (r"\bthat which\b", "a noun"),
    (r"\bbeside\b", "next to, with, under, except"),
    (r"\bhears? (?:of|that|from)\b", "is notified of"),
    (r"\banew\b", "again"),
    (r"\b(?:has|have|had) (?:a|no) meaning\b", "applies, does not apply"),
    (r"\bcan(?:not)? be had\b", "is available, cannot be downloaded"),
    (r"\bwhatever\b", "any, or every"),
    (r"\b(?:by|from|with|than|of) what\b", "a noun"),
    (r"^What (?!if\b)[^?]*$", "a noun: begin with the thing, not with What"),
    (r"(?<![Tt]here )\b(?:is|are|was|were) no (?!longer|more|less|better|worse|one|other|"
     r"such|need|reason|match)[a-z-]+(?! to)\b", "is not a"),
    (r"\bcome(?:s)? by\b", "get"),
    (r"\b(?:thereby|hereby|thereof|therein)\b", "a plain word"),
)  # fmt: skip
_MARKDOWN_CODE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|^    [^\n]*$", re.S | re.M)


def main(paths: list[str]) -> int:
    """Print each find with its place and better words; return the exit code."""
    files = [Path(path) for path in paths] or list(_files())
    found = [line for file in files for line in _finds(file)]
    print(*found, sep="\n", end="\n" * bool(found))
    return int(bool(found))


def _files() -> Iterator[Path]:
    """All files whose words users or developers read; docs/log.md is left as it was written."""
    for pattern in ("*.md", *(f"{folder}/**/*.{kind}" for folder in FOLDERS for kind in _KINDS)):
        yield from (p for p in sorted(ROOT.glob(pattern)) if p.name != "log.md")


def _finds(file: Path) -> Iterator[str]:
    texts = _markdown if file.suffix == ".md" else _python if file.suffix == ".py" else _plain
    whole = file.read_text()
    if file.name == "CHANGELOG.md":  # its newest section: what was published stays as it is
        whole = "\n## ".join(whole.split("\n## ")[:2])
    for row, text in texts(whole):
        words = " ".join(text.split())
        for pattern, better in RULES:
            for match in re.finditer(pattern, words):
                name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
                yield f"{name}:{row}: {match[0][:60]!r} -> {better}"


def _plain(text: str) -> Iterator[tuple[int, str]]:
    yield from enumerate(text.splitlines(), 1)


def _markdown(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs without code, with their first rows."""
    prose = _MARKDOWN_CODE.sub(lambda code: "\n" * code[0].count("\n"), text)
    row = 1
    for paragraph in prose.split("\n\n"):
        yield row, paragraph
        row += paragraph.count("\n") + 2


def _python(text: str) -> Iterator[tuple[int, str]]:
    """Comments, docstrings and strings of more than one word."""
    middle = getattr(tokenize, "FSTRING_MIDDLE", -1)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")
        elif token.type in (tokenize.STRING, middle):
            words = token.string.lstrip("rbfRBF").strip("\"'")
            for number, paragraph in enumerate(words.split("\n\n")):
                if " " in paragraph:
                    yield token.start[0] + number, paragraph


_KINDS = ("md", "py", "yaml", "js", "html")

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
