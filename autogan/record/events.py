"""The parts of a training's loss, read from TensorBoard's event files without TensorFlow."""

import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autogan.core.errors import ConfigError
from autogan.core.files import contents

_LOSSES = "losses/"  # before the part's name, in tags
_BEFORE = struct.Struct("<QI")  # of an event, its length in bytes and a checksum of that
_AFTER = 4  # bytes of its own checksum
_NUMBER = struct.Struct("<f")

Curve = list[tuple[int, float]]
"""Steps and values, by ascending steps."""


def losses(logs: Path) -> dict[str, Curve]:
    """The parts of a training's loss, by name, such as ``d_real``.

    Each value is the mean over the steps since the one before it. It may be infinite or NaN. A file
    is read as far as it is whole: a running training may be writing it.

    Args:
        logs: the folder of the event files.

    Raises:
        ConfigError: if a file cannot be read.
    """
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for path in sorted(logs.glob("events.out.tfevents.*")):
        for event in _events(path):
            for value in event.summary.value:
                number = value.tensor.tensor_content
                if value.tag.startswith(_LOSSES) and len(number) == _NUMBER.size:
                    found[value.tag.removeprefix(_LOSSES)][event.step] = _NUMBER.unpack(number)[0]
    return {name: sorted(curve.items()) for name, curve in found.items()}


def _events(path: Path) -> Iterator[Any]:
    """The events of a file, up to the first that is not whole.

    Each is a protocol buffer (tensorboard/compat/proto/event.proto) between its length and
    checksums (tensorflow/core/lib/io/record_writer.h).
    """
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event

    try:
        data = contents(path)
    except OSError as error:
        raise ConfigError("run", f"{path} cannot be read ({error.strerror})") from None
    place = 0
    while place + _BEFORE.size <= len(data):
        start = place + _BEFORE.size
        end = start + _BEFORE.unpack_from(data, place)[0]
        if end + _AFTER > len(data):
            return
        try:
            yield Event.FromString(data[start:end])
        except DecodeError:
            return
        place = end + _AFTER
