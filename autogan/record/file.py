"""The file of a search's record: whole lines, read once and appended to by one command alone."""

from collections.abc import Callable
from pathlib import Path

from autogan.core.errors import ConfigError, SearchFailed, told
from autogan.core.files import append_line, contents, look, opened, write_bytes
from autogan.core.invocation import command


class RecordFile:
    """A record on disk; its lines as they were found.

    Locks may fail, on file systems of several machines: so before each line the file is compared
    with what this command left.

    Args:
        path: of the file, which need not exist.
        owned: whether its folder is still this command's.

    Raises:
        ConfigError: if it cannot be read.

    Attributes:
        path: of the file.
        lines: that are whole: a last one that a kill tore is cut off at the next write.
    """

    def __init__(self, path: Path, owned: Callable[[], bool] = lambda: True) -> None:
        self.path = path
        self._owned = owned
        self._closed = False
        self._new = not look(path, "run_dir")
        try:
            data = b"" if self._new else contents(path)
        except OSError as error:
            raise ConfigError("run_dir", f"{path} cannot be read ({error.strerror})") from None
        self._size = len(data)
        self._whole = data.rfind(b"\n") + 1  # bytes of whole lines
        text = data.decode(errors="replace").rstrip("\0")
        self.lines = text.split("\n")[:-1]  # the last is torn, empty, or a block of zeros

    def append(self, line: str) -> None:
        """Write a line, and flush it to the disk.

        Raises:
            SearchFailed: see `check_own`.
            StorageError: if it cannot be written.
        """
        try:
            self.check_own()
            append_line(self.path, line, new=self._new)
            self._size = self._whole = self._whole + len(line.encode()) + 1
            self._new = False
            self.check_own()  # something may have come between the look and the line
        except BaseException:
            self.close()  # nothing may follow what is not there
            raise

    def check_own(self) -> None:
        """Refuse to write where something has changed that this command did not change.

        Raises:
            SearchFailed: if the file is gone, for somebody moved or removed the run's folder; or
                if another command writes there, whose lock this one does not see.
        """
        if self._closed:
            raise SearchFailed(f"nothing more is written to {self.path}")
        try:
            with opened(self.path) as file:  # of a shared folder this asks the server
                size = file.seek(0, 2)
        except FileNotFoundError:
            if self._new:
                return
            raise SearchFailed(
                f"{self.path} is gone; put the run's folder back to where it was, and resume"
            ) from None
        if size != self._size or not self._owned():
            resume = command("autogan", "search", "--resume", self.path.parent)
            raise SearchFailed(
                f"another command writes to {self.path}; this one ends without another line: see "
                f"that only one works there, and go on with: {resume}"
            )

    def close(self) -> None:
        """Let nothing more be written."""
        self._closed = True


class DamagedRecord(ConfigError):
    """A record has a line that no record can have there.

    Args:
        field: by which the user has named it.
        path: of the record.
        number: of the line, from 1 on.
        error: what is wrong with it.
    """

    def __init__(self, field: str, path: Path, number: int, error: Exception) -> None:
        self.path, self.number = path, number
        remedy = command("autogan", "check", path.parent, "--repair")
        super().__init__(
            field,
            f"{path}, line {number} is damaged ({told(str(error))}); restore it, or cut the "
            f"record before it (a copy is kept) by: {remedy}",
        )


def cut(path: Path, number: int) -> Path:
    """Cut a record before a line, and keep a copy of what it was.

    Args:
        path: of the record.
        number: of the line, from 1 on.

    Returns:
        Where the copy is.
    """
    data = contents(path)
    count = 1
    while (kept := path.with_name(f"{path.name}.damaged-{count}")).exists():
        count += 1
    write_bytes(kept, data)
    lines = data.split(b"\n")[: number - 1]
    write_bytes(path, b"".join(line + b"\n" for line in lines))
    return kept
