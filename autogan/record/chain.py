"""The checksums of a record's lines."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from autogan.record.lines import Line, line_of

_CRC = "crc"  # of one line alone, as AutoGAN 0.3 wrote it
_CHAIN = "chain"  # of all lines up to this one


class Chain:
    """Reads and writes the lines of one record, each with a checksum of all lines up to it.

    This reveals a line that was changed, removed, duplicated or moved. Lines of AutoGAN 0.3 have a
    checksum of that line alone; new lines of such a record start the chain.
    """

    def __init__(self) -> None:
        self._link = 0
        self._begun = False  # whether some line has been linked

    def read(self, line: str) -> Line:
        """Take in the next line.

        Raises:
            ValueError: naming the problem in one line.
        """
        fields = json.loads(line)
        if not isinstance(fields, dict):
            raise ValueError("it is not a mapping")
        link, alone = fields.pop(_CHAIN, None), fields.pop(_CRC, None)
        text = json.dumps(fields)
        if link is None and alone is None:
            raise ValueError("it has no checksum")
        if alone is not None and alone != _hex(zlib.crc32(text.encode())):
            raise ValueError("its checksum does not match")
        following = zlib.crc32(text.encode(), self._link)
        if (link is None and self._begun) or (link is not None and link != _hex(following)):
            raise ValueError("its checksum does not match: it or a line above was changed or moved")
        read = line_of(fields)
        self._link, self._begun = following, link is not None
        return read

    def line(self, fields: Mapping[str, Any]) -> str:
        """The text of the next line, with these fields; call `written` once it is on the disk."""
        text = json.dumps(fields)
        return f'{text[:-1]}, "{_CHAIN}": "{_hex(zlib.crc32(text.encode(), self._link))}"}}'

    def written(self, fields: Mapping[str, Any]) -> None:
        """Take note that the line with these fields is on the disk."""
        self._link, self._begun = zlib.crc32(json.dumps(fields).encode(), self._link), True


def _hex(checksum: int) -> str:
    return f"{checksum:08x}"
