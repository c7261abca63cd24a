"""Work on many files in parallel."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_THREADS = 8  # Pillow decodes without Python's lock

T = TypeVar("T")
R = TypeVar("R")


def in_threads(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """The function's values in the order of the items, each as soon as it is ready."""
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(function, items)
