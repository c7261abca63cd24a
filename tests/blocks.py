"""The commands and programs of the documents, and the marks of those that no test runs."""

import re
import shlex
import textwrap
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).parents[1]
DOCUMENTS = [CHECKOUT / "README.md", *sorted(CHECKOUT.glob("docs/**/*.md"))]

TEXT = ("best of ", "data: ", "image,", "criterion: ", "runs/gan-mnist/")
"""How the blocks begin that show a file or what is printed. All others are to be run."""

_FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
_MARK = r" *<!-- not run: (?P<reason>[^>]+) -->\n\n"
_CODE = r"(?P<code>^ {4}.+\n(?:^ {4}.+\n|^\n(?= {4}))*)"
_BLOCK = re.compile(rf"(?:^{_MARK})?(?<=\n\n){_CODE}", re.M)
_COMMAND = re.compile(r"(?:.*\\\n)*.+\n")


class Block(NamedTuple):
    """Indented lines of a document.

    Attributes:
        row: of its first line, from 1.
        code: its lines, not indented.
        reason: why no test runs it; empty if one does.
    """

    row: int
    code: str
    reason: str

    @property
    def is_text(self):
        return self.code.startswith(TEXT)

    @property
    def is_python(self):
        return self.code.startswith("import ")

    def commands(self):
        """Each command's row and words, without comments and dots."""
        for match in _COMMAND.finditer(self.code):
            line = match[0].replace("\\\n", " ").replace(".venv/bin/autogan", "autogan")
            if words := [word for word in shlex.split(line, comments=True) if word != "..."]:
                yield self.row + self.code.count("\n", 0, match.start()), words


def blocks(path):
    """All indented blocks of a document; a mark at its head counts for each."""
    text = _FENCED.sub(lambda code: "\n" * code[0].count("\n"), path.read_text())
    head = re.match(_MARK, text)
    for match in _BLOCK.finditer(text):
        row = text.count("\n", 0, match.start("code")) + 1
        mark = match if match["reason"] else head
        yield Block(row, textwrap.dedent(match["code"]), mark["reason"] if mark else "")


def marks(path):
    """The number of a document's marks."""
    return path.read_text().count("<!-- not run")
