"""The generator behind the page: the fields of a request, and the picture it returns."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogan.core.errors import ConfigError
from autogan.core.files import read_arrays
from autogan.data.grids import grid, png
from autogan.pool.finished import Sample, Sampled
from autogan.pool.pool import Engine

MOST_IMAGES, MOST_STEPS = 64, 16  # most images or rows of a picture; most images of a row
_MOST_CLASSES = 1000  # in one mixture
_SEEDS = 2**31


class Player:
    """Makes pictures with a training's generator, one at a time.

    Args:
        config: of the training, resolved, as plain values.
        folder: of the training.
        checkpoint: which of its generators.
        workers: one of them keeps the generator in memory.
        scratch: a folder for images from the worker.

    Attributes:
        classes: the names of the classes or attributes; empty if the generator takes none.
        attributes: whether they are attributes.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        folder: Path,
        checkpoint: str,
        workers: Engine,
        scratch: Path,
    ) -> None:
        self._config, self._folder, self._checkpoint = dict(config), folder, checkpoint
        self._workers, self._scratch = workers, scratch
        self._lock = threading.Lock()  # requests come from several threads
        made = self._made({"count": 1, "seed": 0})
        self.classes: list[str] = made["classes"].tolist()
        self.attributes = bool(made["attributes"])

    def picture(self, asked: Mapping[str, str]) -> bytes:
        """A grid of images as PNG.

        Args:
            asked: ``seed``, ``count``, ``truncation`` and ``interpolate`` as text, and weights of
                classes or attributes by their numbers, as ``class3``.

        Raises:
            ConfigError: if a field is unknown or its value is not allowed.
        """
        numbers = {
            "seed": (0, _SEEDS - 1),
            "count": (1, MOST_IMAGES),
            "interpolate": (2, MOST_STEPS),
        }
        given: dict[str, Any] = {"seed": 0, "count": 16}
        weights: dict[str, float] = {}
        for name, text in asked.items():
            if name in numbers:
                given[name] = _whole(name, text, *numbers[name])
            elif name == "truncation":
                given[name] = _number(name, text)
            elif name.startswith("class") and name[5:].isdecimal() and len(weights) < _MOST_CLASSES:
                number = _whole(name, name[5:], 0, max(len(self.classes) - 1, 0))
                weights[str(number)] = _number(name, text)
            else:
                raise ConfigError(name[:50], "unknown field")
        chosen = {name: weight for name, weight in weights.items() if weight > 0}
        if len(chosen) == 1 and not self.attributes:
            given["classes"] = [int(number) for number in chosen]
        elif chosen or self.attributes:
            given["mix"] = {self.classes[int(number)]: w for number, w in chosen.items()}
        made = self._made(given)
        return png(grid(made["images"], given.get("interpolate", 0)))

    def _made(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays of a worker's answer to `Sample`."""
        with self._lock:
            output = self._scratch / "images.npz"
            call = Sample(
                config=self._config, folder=str(self._folder), checkpoint=self._checkpoint,  # type: ignore[arg-type]
                output=str(output), **given,
            )  # fmt: skip
            self._workers.call(call, Sampled)
            return read_arrays(output)


def _whole(name: str, text: str, low: int, high: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise ConfigError(name, f"{text[:20]!r}; give a whole number from {low} to {high}")
    return number


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= 1000:
        raise ConfigError(name, f"{text[:20]!r}; give a number from 0 to 1000")
    return number
