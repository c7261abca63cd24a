"""The only access to TensorFlow-GAN 2.1.0.

Its own ``__init__`` fails on TensorFlow 2.16 and later, because it imports ``tf.estimator``, which
is gone. The sub-packages used here do not need it: they load once ``sys.modules`` has empty parent
packages.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

_EMPTY_PARENTS = ("tensorflow_gan", "tensorflow_gan.python", "tensorflow_gan.python.eval")


def losses() -> Any:
    """TF-GAN's losses on plain tensors (``tfgan.losses.wargs``)."""
    return _load("tensorflow_gan.python.losses.losses_impl")


def classifier_metrics() -> Any:
    """TF-GAN's scores from a classifier's outputs (imports TensorFlow Probability: a second)."""
    return _load("tensorflow_gan.python.eval.classifier_metrics")


def _load(name: str) -> Any:
    if _EMPTY_PARENTS[0] not in sys.modules:
        spec = importlib.util.find_spec(_EMPTY_PARENTS[0])
        if spec is None or not spec.submodule_search_locations:
            raise ImportError("tensorflow-gan is not installed: pip install tensorflow-gan==2.1.0")
        root = spec.submodule_search_locations[0]
        for parent in _EMPTY_PARENTS:
            package = ModuleType(parent)
            package.__path__ = ["/".join([root, *parent.split(".")[1:]])]
            sys.modules[parent] = package
    return importlib.import_module(name)
