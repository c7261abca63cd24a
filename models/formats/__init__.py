"""The file formats of exported generators, for programs that know nothing of AutoGAN.

Importing this package imports neither TensorFlow nor any other heavy library.
"""

from autogan.core.registry import Registry
from autogan.models.formats.base import Exported, Format
from autogan.models.formats.keras_file import KerasFile
from autogan.models.formats.onnx import ONNX
from autogan.models.formats.savedmodel import SavedModel
from autogan.models.formats.tflite import TFLite

FORMATS: Registry[Format] = Registry("format", Format)
for _format in (SavedModel, ONNX, KerasFile, TFLite):
    FORMATS.register(_format)

__all__ = ["FORMATS", "ONNX", "Exported", "Format", "KerasFile", "SavedModel", "TFLite"]
