"""The file of a search's record: whole lines, read once, appended to by a single command."""

from collections.abc import Callable
from pathlib import Path

from autogan.core.errors import ConfigError, SearchFailed, told
from autogan.core.files import append_line, contents, look, opened, write_bytes
from autogan.core.invocation import command


class RecordFile:
    """A record on disk, and the lines that it had when it was opened.

    Locks may fail on shared file systems. Therefore each write first checks that the file still has
    the size that this command left.

    Args:
        path: of the file, which need not exist.
        owned: tells whether the folder still belongs to this command.

    Raises:
        ConfigError: if the file cannot be read.

    Attributes:
        path: of the file.
        lines: the complete ones; the next write removes a last line torn by a kill.
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
            self.check_own()  # another command may have written after the first check
        except BaseException:
            self.close()  # nothing may follow a missing line
            raise

    def check_own(self) -> None:
        """Refuse to write if anything but this command has changed the file.

        Raises:
            SearchFailed: if the file is gone, because the run's folder was moved or removed; or
                if another command writes to it, whose lock this one cannot see.
        """
        if self._closed:
            raise SearchFailed(f"nothing more is written to {self.path}")
        try:
            with opened(self.path) as file:  # in a shared folder, opening asks the server
                size = file.seek(0, 2)
        except FileNotFoundError:
            if self._new:
                return
            raise SearchFailed(
                f"{self.path} is gone; move the run's folder back, and resume"
            ) from None
        if size != self._size or not self._owned():
            resume = command("autogan", "search", "--resume", self.path.parent)
            raise SearchFailed(
                f"another command writes to {self.path}, so this one stops writing; make sure that "
                f"only one command works there, and resume with: {resume}"
            )

    def close(self) -> None:
        """Refuse all further writes."""
        self._closed = True


class DamagedRecord(ConfigError):
    """A line of a record is invalid.

    Args:
        field: the key or argument that named the record.
        path: of the record.
        number: of the line, counted from 1.
        error: the problem with the line.
    """

    def __init__(self, field: str, path: Path, number: int, error: Exception) -> None:
        self.path, self.number = path, number
        problem, remedy = told(str(error)), command("autogan", "check", path.parent, "--repair")
        super().__init__(
            field,
            f"{path}, line {number} is damaged ({problem}); restore it, or cut the "
            f"record before it, keeping a copy, with: {remedy}",
        )


def cut(path: Path, number: int) -> Path:
    """Cut a record before a line, and keep a copy of the original.

    Args:
        path: of the record.
        number: of the line, counted from 1.

    Returns:
        The path of the copy.
    """
    data = contents(path)
    count = 1
    while (kept := path.with_name(f"{path.name}.damaged-{count}")).exists():
        count += 1
    write_bytes(kept, data)
    lines = data.split(b"\n")[: number - 1]
    write_bytes(path, b"".join(line + b"\n" for line in lines))
    return kept
