"""The file format of LiteRT, formerly TensorFlow Lite."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt
from typing_extensions import override

from autogan.models.formats.base import Exported, Format


class TFLite(Format):
    """One file for phones and small computers."""

    name = "tflite"
    summary = "a file for LiteRT (TensorFlow Lite), on phones and small computers (an extra)"
    file = "generator.tflite"
    modules = ("ai_edge_litert.interpreter",)
    requires = ("ai-edge-litert>=2",)
    readers = ("ai-edge-litert",)
    imports = "from ai_edge_litert.interpreter import Interpreter"
    use: ClassVar[str] = """\
generator = Interpreter(str(folder / "{file}"))
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

        # Not from a SavedModel: some convolutions cannot be converted that way.
        function = made.function()
        concrete = function.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function)
        with self.converting():
            path.write_bytes(converter.convert())

    @override
    def read(self, path: Path, inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path))
        wanted = interpreter.get_input_details()
        for each in wanted:
            interpreter.resize_tensor_input(each["index"], inputs[each["name"]].shape)
        interpreter.allocate_tensors()
        for each in wanted:
            interpreter.set_tensor(each["index"], inputs[each["name"]])
        interpreter.invoke()
        images: npt.NDArray[Any] = interpreter.get_tensor(
            interpreter.get_output_details()[0]["index"]
        )
        return images
