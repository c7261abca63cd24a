"""Reading PyTorch's weights files without PyTorch, and without executing anything in them."""

import collections
import io
import pickle
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autogan.core.files import Damaged

_MAGIC = 0x1950A86A20F9469CFC6C  # the file's first pickle
_PROTOCOL = 1001  # the second one
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage(NamedTuple):
    """A run of numbers at the end of the file."""

    key: str
    dtype: np.dtype[Any]
    size: int  # number of numbers


class _Tensor(NamedTuple):
    """A part of a storage, with offset and strides in numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def tensors(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """The tensors of a state dictionary by name, from a file in the format before PyTorch 1.6.

    Such a file has a few pickles (a magic number, a version, the sizes of numbers, the dictionary,
    the storages' keys) and then each storage: its length in eight bytes, and its numbers. A pickle
    can call any function by its name. This reader knows only four names, and maps each to a class
    or function of its own.

    Args:
        data: the whole file.

    Returns:
        Arrays, float32 or int64, with their tensors' shapes.

    Raises:
        Damaged: if it is not such a file, or incomplete.
    """
    stream = io.BytesIO(data)
    try:
        if _Reader(stream).load() != _MAGIC or _Reader(stream).load() != _PROTOCOL:
            raise Damaged("it is not a file in the format before PyTorch 1.6")
        _Reader(stream).load()  # sizes of numbers, which follow from the storages' types
        reader = _Reader(stream)
        named: dict[str, _Tensor] = dict(reader.load())
        keys = _Reader(stream).load()
        if sorted(keys) != sorted(reader.storages):
            raise Damaged("its storages do not match its tensors")
        numbers = {key: _numbers(stream, reader.storages[key]) for key in keys}
        return {name: _array(each, numbers[each.storage.key]) for name, each in named.items()}
    except Damaged:
        raise
    except Exception as error:  # a damaged pickle can raise anything
        raise Damaged(f"it cannot be read ({type(error).__name__}: {error})") from error


class _Reader(pickle.Unpickler):
    """Reads one pickle, in which only a state dictionary's own names may occur."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str, /) -> Any:
        """The stand-in for a known name.

        Raises:
            Damaged: if the name is unknown.
        """
        known = {
            "collections.OrderedDict": collections.OrderedDict,
            "torch._utils._rebuild_tensor_v2": _tensor,
            "torch.FloatStorage": _DTYPES["FloatStorage"],
            "torch.LongStorage": _DTYPES["LongStorage"],
        }
        if f"{module}.{name}" not in known:
            raise Damaged(f"it names {module}.{name}, which weights do not need")
        return known[f"{module}.{name}"]

    def persistent_load(self, pid: Any, /) -> _Storage:
        """The storage that holds a tensor."""
        _, dtype, key, _, count, _ = pid
        return self.storages.setdefault(key, _Storage(key, dtype, count))


def _tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: object) -> _Tensor:
    """The stand-in for `_rebuild_tensor_v2`; ignores gradients and hooks."""
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _numbers(stream: io.BytesIO, storage: _Storage) -> bytes:
    """Read the next storage of a file."""
    count = int.from_bytes(stream.read(8), "little")
    found = stream.read(storage.size * storage.dtype.itemsize)
    if count != storage.size or len(found) != count * storage.dtype.itemsize:
        raise Damaged(f"its storage {storage.key} is incomplete")
    return found


def _array(tensor: _Tensor, numbers: bytes) -> npt.NDArray[Any]:
    """A tensor as an array; NumPy refuses strides that lead out of its storage."""
    dtype = tensor.storage.dtype
    offset, *strides = (dtype.itemsize * step for step in (tensor.offset, *tensor.strides))
    return np.ndarray(tensor.shape, dtype, numbers, offset, strides)
