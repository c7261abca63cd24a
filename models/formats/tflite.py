"""LiteRT's file, formerly TensorFlow Lite's."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from autogan.core.errors import ConfigError, one_line
from autogan.models.formats.base import Exported, Format


class TFLite(Format):
    """One file for phones and small computers."""

    name = "tflite"
    summary = "a file for LiteRT (TensorFlow Lite), on phones and small computers (an extra)"
    file = "generator.tflite"
    modules = ("ai_edge_litert.interpreter",)
    requires = ("ai-edge-litert>=2",)
    imports = "from ai_edge_litert.interpreter import Interpreter"
    use: ClassVar[str] = """\
generator = Interpreter("{file}")
for given in generator.get_input_details():
    generator.resize_tensor_input(given["index"], inputs[given["name"]].shape)
generator.allocate_tensors()
for given in generator.get_input_details():
    generator.set_tensor(given["index"], inputs[given["name"]])
generator.invoke()
images = generator.get_tensor(generator.get_output_details()[0]["index"])
"""

    @override
    def write(self, made: Exported, path: Path) -> None:
        import tensorflow as tf

        # Not from a SavedModel: that way some convolutions cannot be converted.
        function = made.function()
        concrete = function.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function)
        try:
            path.write_bytes(converter.convert())
        except Exception as error:
            raise ConfigError(
                "format", f"tflite cannot hold it ({one_line(error)}); use savedmodel or onnx"
            ) from error

    @override
    def read(
        self, path: Path, z: npt.NDArray[np.float32], classes: npt.NDArray[np.int64]
    ) -> npt.NDArray[Any]:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path))
        given: dict[str, npt.NDArray[Any]] = {"z": z, "classes": classes}
        wanted = interpreter.get_input_details()
        for each in wanted:
            interpreter.resize_tensor_input(each["index"], given[each["name"]].shape)
        interpreter.allocate_tensors()
        for each in wanted:
            interpreter.set_tensor(each["index"], given[each["name"]])
        interpreter.invoke()
        images: npt.NDArray[Any] = interpreter.get_tensor(
            interpreter.get_output_details()[0]["index"]
        )
        return images
