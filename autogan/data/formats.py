"""Readers of published datasets in arrays: .npz, IDX, CIFAR's batches."""

import gzip
import io
import math
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from autogan.core.arrays import Images

ARRAYS = ("x_train", "y_train", "x_test", "y_test")

_BLOCK_BYTES = 2**20


class Unreadable(Exception):
    """A file does not have the expected content; the message describes the problem."""


def read_npz(path: Path) -> list[Any]:
    """Read x_train, y_train, x_test and y_test from an .npz file, without unpickling.

    Raises:
        Unreadable: if it is something else, or lacks one of the arrays.
    """
    if not zipfile.is_zipfile(path):
        raise Unreadable(f"{path.name} is not an .npz file; write it with numpy.savez")
    with np.load(path, allow_pickle=False) as arrays:
        missing = [name for name in ARRAYS if name not in arrays.files]
        if missing:
            there = ", ".join(sorted(arrays.files)[:10]) or "nothing"
            raise Unreadable(f"{path.name} lacks {', '.join(missing)}; it contains {there}")
        return [_member(arrays, name) for name in ARRAYS]


def _member(arrays: Any, name: str) -> Any:
    try:
        return arrays[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise Unreadable(
            f"{name} contains Python objects, which could run code when unpickled; save it as an "
            "array of numbers"
        ) from None


def read_idx(path: Path, rank: int) -> npt.NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes: magic 0, 0, 8, rank; sizes; values.

    Raises:
        Unreadable: if it is something else, or its length does not match its header.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        head = file.read(4)
        if head[:3] != b"\x00\x00\x08" or len(head) < 4:
            raise Unreadable(f"{path.name} is not an IDX file of bytes")
        if head[3] != rank:
            raise Unreadable(f"{path.name} has {head[3]} dimensions, not {rank}")
        sizes = file.read(4 * rank)
        shape = tuple(np.frombuffer(sizes, ">u4").tolist()) if len(sizes) == 4 * rank else ()
        wanted = math.prod(shape)
        data = b"".join(_blocks(file, wanted + 1)) if shape else b""
    if not shape or len(data) != wanted:
        said = f"{list(shape)} values" if shape else "a longer header"
        held = "more" if shape and len(data) > wanted else len(data)
        raise Unreadable(f"{path.name} should contain {said}, but contains {held}")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _blocks(file: Any, count: int) -> Iterator[bytes]:
    """At most ``count`` bytes of a file, in blocks: a false count does not allocate memory."""
    while count > 0 and (block := file.read(min(count, _BLOCK_BYTES))):
        count -= len(block)
        yield block


def read_cifar_batch(name: str, data: bytes) -> tuple[Images, npt.NDArray[Any]]:
    """Read one of CIFAR-10's Python batches: a pickled mapping of planes and labels.

    Raises:
        Unreadable: if it is something else.
    """
    batch = _CifarUnpickler(io.BytesIO(data), encoding="bytes").load()
    if not isinstance(batch, dict) or not {b"data", b"labels"} <= set(batch):
        raise Unreadable(f"{name} is not a mapping of data and labels")
    planes, labels = batch[b"data"], np.asarray(batch[b"labels"])
    if not isinstance(planes, np.ndarray) or planes.dtype != np.uint8:
        raise Unreadable(f"{name}: data is not a uint8 array")
    if planes.ndim != 2 or planes.shape[1] != 3072:
        raise Unreadable(f"{name}: data is {list(planes.shape)}, not [N, 3072]")
    if labels.dtype.kind not in "iu" or labels.shape != (len(planes),):
        raise Unreadable(
            f"{name}: labels are {labels.dtype} {list(labels.shape)}, not {len(planes)} integers"
        )
    return planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels


class _CifarUnpickler(pickle.Unpickler):
    """Builds arrays from CIFAR's pickles and refuses all other calls in a pickle."""

    _ALLOWED: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),  # its name since NumPy 2
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise Unreadable(f"{module}.{name} is not allowed in a CIFAR batch")
        if name == "_reconstruct":
            from numpy._core.multiarray import _reconstruct

            return _reconstruct
        return getattr(np, name)
