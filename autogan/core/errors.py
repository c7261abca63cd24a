"""The errors a user meets.

    AutoGANError
      ConfigError     some input is wrong; nothing was created                  (exit code 2)
      SearchFailed    the search cannot go on; its folder keeps all results     (exit code 1)
      StorageError    a file of the run cannot be written; the rest is saved    (exit code 1)
      Interrupted     the user stopped the run; it can be resumed             (exit code 130)

Each carries one line for the terminal. Any other exception that escapes is a bug.
"""

import errno
import os
import re

_IN_LAYER = re.compile(r"^Exception encountered when calling .*?\x1b\[1m(.*?)\x1b\[0m", re.S)
_LONGEST_FIELD, _LONGEST_PROBLEM = 100, 1000  # characters


class AutoGANError(Exception):
    """Base of all errors whose message is meant for the user."""

    exit_code = 1


class ConfigError(AutoGANError):
    """A configuration, file or flag that cannot be used.

    Args:
        field: the key or flag at fault, as the user writes it.
        problem: the value, what is wrong with it and what would be right. It becomes one line:
            characters that a terminal cannot show are escaped, and a very long line loses its
            middle.
    """

    exit_code = 2

    def __init__(self, field: str, problem: str) -> None:
        self.field = _shortened(printable(field), _LONGEST_FIELD)
        self.problem = told(problem)
        super().__init__(f"{self.field}: {self.problem}")


class SearchFailed(AutoGANError):
    """Trials failed in a way that makes it pointless to go on."""


class StorageError(AutoGANError):
    """A file of a run cannot be written or read; what was written before is whole.

    Args:
        problem: the file or folder, and the system's error.
        advice: how to go on once the problem is fixed.
    """

    def __init__(self, problem: str, advice: str = "") -> None:
        self.problem = told(problem)
        super().__init__("; ".join(filter(None, [self.problem, advice])))

    @classmethod
    def of(cls, error: OSError, path: object = None, verb: str = "written") -> "StorageError":
        """The error for an `OSError` on a path, by default on the path that it names."""
        name = error.filename if path is None else path
        place = "a file of the run" if name is None else os.fsdecode(str(name))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return cls(f"no space left in {place}")
        if error.errno == errno.EISDIR:
            return cls(f"{place} is a folder, but a file belongs there; move it away")
        return cls(f"{place} cannot be {verb} ({error.strerror or error})")


class Interrupted(AutoGANError):
    """Ctrl-C, SIGTERM or SIGHUP stopped the command; its work so far is saved."""

    exit_code = 130


def one_line(error: BaseException) -> str:
    """A foreign exception's name and message in one line of at most 300 characters.

    The message is its first line; of TensorFlow's errors, the line before the node,
    ``[[{{node ...}}]]``; of an error in a Keras layer or a converted function, the last line of the
    original error.
    """
    text = str(error)
    if found := _IN_LAYER.search(text):  # Keras wraps it in its words on the layer
        text = found[1].strip().splitlines()[-1]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("in user code:"):  # from AutoGraph; a traceback follows
        return lines[-1][:300]
    node = next((place for place, line in enumerate(lines) if line.startswith("[[")), 1)
    said = lines[max(node - 1, 0)] if lines else ""
    return f"{type(error).__name__}: {said}"[:300].removesuffix(": ")


def printable(text: str) -> str:
    """Text with control characters, surrogates and the like escaped, so that it fits one line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    """The same for text with several lines."""
    return "\n".join(map(printable, text.split("\n")))


def told(text: str) -> str:
    """Text as one line for the terminal, without the middle of a very long one."""
    return _shortened(printable(" ".join(text.split())), _LONGEST_PROBLEM)


def _shortened(text: str, length: int) -> str:
    """Text without its middle, if it is longer."""
    if len(text) <= length:
        return text
    return f"{text[: length // 2 - 3]} ... {text[-(length // 2 - 2) :]}"
