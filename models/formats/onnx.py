"""ONNX, through tf2onnx."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from autogan.core.errors import ConfigError, one_line
from autogan.models.formats.base import Exported, Format

_OPSET = 17  # known to all runtimes since 2022


class ONNX(Format):
    """One file for ONNX Runtime, browsers and other frameworks."""

    name = "onnx"
    summary = "a file for ONNX Runtime and other frameworks (an extra)"
    file = "generator.onnx"
    modules = ("tf2onnx", "onnxruntime")
    requires = ("tf2onnx>=1.17", "onnxruntime>=1.20")
    imports = "import onnxruntime"
    use: ClassVar[str] = """\
session = onnxruntime.InferenceSession("{file}")
images = session.run(["images"], inputs)[0]
"""

    @override
    def write(self, made: Exported, path: Path) -> None:
        import tf2onnx

        function = made.function()
        try:
            tf2onnx.convert.from_function(
                function, function.input_signature, opset=_OPSET, output_path=str(path)
            )
        except Exception as error:
            raise ConfigError(
                "format", f"onnx: tf2onnx cannot convert it ({one_line(error)}); use savedmodel"
            ) from error

    @override
    def read(
        self, path: Path, z: npt.NDArray[np.float32], classes: npt.NDArray[np.int64]
    ) -> npt.NDArray[Any]:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        given = {"z": z, "classes": classes} if len(classes) else {"z": z}
        images: npt.NDArray[Any] = session.run(["images"], given)[0]
        return images
