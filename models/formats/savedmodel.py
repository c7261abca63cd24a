"""TensorFlow's SavedModel."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt
from typing_extensions import override

from autogan.models.formats.base import Exported, Format


class SavedModel(Format):
    """A folder that TensorFlow loads and TensorFlow Serving serves; images are identical."""

    name = "savedmodel"
    summary = "a folder for TensorFlow, TensorFlow Serving and TensorFlow.js"
    file = "generator"
    tolerance = 0.0
    precise = True
    imports = "import tensorflow as tf"
    use: ClassVar[str] = """\
generator = tf.saved_model.load(str(folder / "{file}")).signatures["serving_default"]
images = generator(**{name: tf.constant(x) for name, x in inputs.items()})["images"].numpy()
"""

    @override
    def write(self, made: Exported, path: Path) -> None:
        import tensorflow as tf

        function = made.function()
        concrete = function.get_concrete_function()
        module = tf.Module()
        module.kept = list(concrete.variables)  # including those of a first stage
        module.generate = function
        tf.saved_model.save(module, str(path), signatures=concrete)

    @override
    def read(self, path: Path, inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        import tensorflow as tf

        call = tf.saved_model.load(str(path)).signatures["serving_default"]
        given = {name: tf.constant(values) for name, values in inputs.items()}
        images: npt.NDArray[Any] = call(**given)["images"].numpy()
        return images
