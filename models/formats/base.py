"""The base class of formats, and the generator that a format writes."""

from __future__ import annotations

import contextlib
import importlib
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from autogan.core.errors import ConfigError, one_line
from autogan.core.invocation import command
from autogan.core.registry import Part

if TYPE_CHECKING:
    from autogan.models.training.trainer import Trainer

_COMPARED = 16  # images, from the written generator and from the original


@dataclass(frozen=True)
class Exported:
    """A generator, ready for a format to write.

    Its inputs are ``z``, float32 [N, z_dim], and with K classes ``classes``, int64 [N], or with A
    attributes ``attributes``, float32 [N, A] in [0, 1]. Its output is ``images``, [N, height,
    width, channels], uint8, or float32 whose visible range is [-1, 1].

    Attributes:
        trainer: with the generator's weights restored.
        floats: whether the images are float32.
    """

    trainer: Trainer
    floats: bool = False

    @property
    def label_input(self) -> str:
        """The name of the input that says what images show; empty if there is none."""
        if self.trainer.attributes is not None:
            return "attributes"
        return "classes" if self.trainer.class_counts else ""

    def function(self) -> Any:
        """The generator as a ``tf.function`` of its inputs, in this order."""
        import tensorflow as tf

        from autogan.models.training.trainer import quantised

        def images(z: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
            made = self.trainer.images(z, labels)
            return {"images": made if self.floats else quantised(made)}

        z = tf.TensorSpec([None, self.trainer.z_dim], tf.float32, "z")
        labels = {
            "classes": tf.TensorSpec([None], tf.int64, "classes"),
            "attributes": tf.TensorSpec([None, self.trainer.conditions], tf.float32, "attributes"),
        }
        if self.label_input:
            known = [z, labels[self.label_input]]
            return tf.function(images, input_signature=known, autograph=False)
        nothing = tf.zeros([0], tf.int64)
        return tf.function(lambda z: images(z, nothing), input_signature=[z], autograph=False)


class Format(Part):
    """A file format for generators.

    Attributes:
        name: as users write it after ``--format``.
        summary: one line for ``autogan list``.
        file: the name of the written file or folder.
        tolerance: the greatest difference allowed between images of the written generator and of
            the original, float32 in about [-1, 1]; for uint8 images, one level if it is above 0.
        precise: whether the generator keeps the precision in which it was trained, rather than
            float32.
        modules: required modules that are not dependencies of AutoGAN.
        requires: the packages to install for them with pip.
        readers: the packages to install with pip where only the written generator is used.
        imports: a line of Python that imports the file's reader.
        use: lines of Python that compute a NumPy array ``images`` from the arrays in the
            dictionary ``inputs``; ``{file}`` stands for the file's name, in the `Path` ``folder``.
    """

    file: ClassVar[str]
    tolerance: ClassVar[float] = 1e-4
    precise: ClassVar[bool] = False
    modules: ClassVar[Sequence[str]] = ()
    requires: ClassVar[Sequence[str]] = ()
    readers: ClassVar[Sequence[str]] = ("tensorflow",)
    imports: ClassVar[str]
    use: ClassVar[str]

    def check_installed(self) -> None:
        """Check that the format's modules can be imported.

        Raises:
            ConfigError: with the command that installs them.
        """
        for module in self.modules:
            try:
                importlib.import_module(module)
            except Exception as error:
                install = command("pip", "install", *self.requires)
                raise ConfigError(
                    "format",
                    f"{self.name} needs {module}, which cannot be imported "
                    f"({type(error).__name__}: {error}); install it: {install}",
                ) from None

    def write_checked(self, made: Exported, path: Path) -> float:
        """Write a generator, and compare its images with those of the original.

        Returns:
            The largest difference between two numbers in 16 images.

        Raises:
            ConfigError: if the format cannot hold the generator, or changes its images.
        """
        latents = made.trainer.latents(_COMPARED, 0)
        inputs: dict[str, npt.NDArray[Any]] = {"z": latents.z.numpy()}
        if made.label_input:
            inputs[made.label_input] = latents.labels
        ours: npt.NDArray[Any] = made.trainer.generate(latents)
        if made.floats:
            ours = made.function()(*inputs.values())["images"].numpy()
        self.write(made, path)
        theirs = self.read(path, inputs)
        difference = np.inf
        if theirs.shape == ours.shape and theirs.dtype == ours.dtype:
            difference = float(np.abs(theirs.astype(np.float64) - ours).max())
        allowed = self.tolerance if made.floats else math.ceil(self.tolerance)  # a level of 255
        if not difference <= allowed:
            raise ConfigError(
                "format",
                f"{self.name} changes this generator's images (by {difference:.2g}; {allowed:g} is "
                "allowed); use savedmodel",
            )
        return difference

    @abstractmethod
    def write(self, made: Exported, path: Path) -> None:
        """Write a generator.

        Args:
            made: the generator.
            path: a new file or folder.

        Raises:
            ConfigError: if the format cannot hold it.
        """

    @abstractmethod
    def read(self, path: Path, inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Generate images with a written generator and the format's own program.

        Args:
            path: the written file or folder.
            inputs: see `Exported`.
        """

    @contextlib.contextmanager
    def converting(self) -> Iterator[None]:
        """Refuse a generator for which another project's converter raises an error."""
        try:
            yield
        except Exception as error:
            raise ConfigError(
                "format",
                f"{self.name} cannot hold this generator ({one_line(error)}); use savedmodel",
            ) from error
