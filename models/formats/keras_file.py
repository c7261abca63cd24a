"""Keras's own file format."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt
from typing_extensions import override

from autogan.core.errors import ConfigError
from autogan.models.formats.base import Exported, Format


class KerasFile(Format):
    """One file for Keras, which holds the layers themselves, so that training can continue."""

    name = "keras"
    summary = "a file for Keras, for generators with only Keras's own layers"
    file = "generator.keras"
    imports = "import keras"
    use: ClassVar[str] = """\
generator = keras.saving.load_model(str(folder / "{file}"))
images = generator(inputs).numpy()
"""

    @override
    def write(self, made: Exported, path: Path) -> None:
        import keras
        from keras import ops

        network = made.trainer.network
        if network is None:
            raise ConfigError(
                "format",
                "keras: the generator has a first stage or dropout; use savedmodel or onnx",
            )
        kinds = {type(layer) for layer in network._flatten_layers()}
        own = sorted(kind.__name__ for kind in kinds if not kind.__module__.startswith("keras."))
        if own:
            raise ConfigError(
                "format",
                f"keras: the generator has custom layers ({', '.join(own)}); use savedmodel or "
                "onnx",
            )
        given = {"z": keras.Input([made.trainer.z_dim], name="z")}
        inner = [given["z"]]
        if made.label_input == "classes":
            given["classes"] = keras.Input([], name="classes", dtype="int64")
            inner.append(ops.one_hot(given["classes"], made.trainer.conditions))
        elif made.label_input:
            given["attributes"] = keras.Input([made.trainer.conditions], name="attributes")
            inner.append(given["attributes"])
        images = network(inner[0] if len(inner) == 1 else inner)
        if not made.floats:
            images = ops.cast(ops.round((ops.clip(images, -1, 1) + 1.0) * 127.5), "uint8")
        with warnings.catch_warnings():
            # Keras 3.15 copies variables in a way that NumPy 2 warns about.
            warnings.simplefilter("ignore", DeprecationWarning)
            keras.Model(given, images, name="generator").save(path)

    @override
    def read(self, path: Path, inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        import keras

        images: npt.NDArray[Any] = keras.saving.load_model(path)(dict(inputs)).numpy()
        return images
