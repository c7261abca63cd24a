"""ONNX, through tf2onnx."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt
from typing_extensions import override

from autogan.models.formats.base import Exported, Format

_OPSET = 17  # supported by all runtimes since 2022


class ONNX(Format):
    """One file for ONNX Runtime, browsers and other frameworks."""

    name = "onnx"
    summary = "a file for ONNX Runtime and other frameworks (an extra)"
    file = "generator.onnx"
    modules = ("tf2onnx", "onnxruntime")
    requires = ("tf2onnx>=1.17", "onnxruntime>=1.20")
    readers = ("onnxruntime",)
    imports = "import onnxruntime"
    use: ClassVar[str] = """\
session = onnxruntime.InferenceSession(str(folder / "{file}"))
images = session.run(["images"], inputs)[0]
"""

    @override
    def write(self, made: Exported, path: Path) -> None:
        import tf2onnx

        function = made.function()
        with self.converting():
            tf2onnx.convert.from_function(
                function, function.input_signature, opset=_OPSET, output_path=str(path)
            )

    @override
    def read(self, path: Path, inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        images: npt.NDArray[Any] = session.run(["images"], dict(inputs))[0]
        return images
