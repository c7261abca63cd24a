"""What a format is, and what there is to write in it."""

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

_COMPARED = 16  # images, of the written generator and of the original


@dataclass(frozen=True)
class Exported:
    """A generator as a format is given it.

    Its inputs are ``z``, float32 [N, z_dim], and with K classes ``classes``, int64 [N]; its output
    is ``images``, [N, height, width, channels], as uint8 or as float32 of which [-1, 1] is shown.

    Attributes:
        trainer: with the generator's weights restored.
        floats: whether the images are float32.
    """

    trainer: Trainer
    floats: bool = False

    @property
    def has_classes(self) -> bool:
        """Whether ``classes`` is an input."""
        return bool(self.trainer.class_counts)

    def function(self) -> Any:
        """The generator as a ``tf.function`` of its inputs, in their order."""
        import tensorflow as tf

        from autogan.models.training.trainer import quantised

        def images(z: tf.Tensor, classes: tf.Tensor) -> dict[str, tf.Tensor]:
            made = self.trainer.images(z, classes)
            return {"images": made if self.floats else quantised(made)}

        z = tf.TensorSpec([None, self.trainer.z_dim], tf.float32, "z")
        if self.has_classes:
            known = [z, tf.TensorSpec([None], tf.int64, "classes")]
            return tf.function(images, input_signature=known, autograph=False)
        nothing = tf.zeros([0], tf.int64)
        return tf.function(lambda z: images(z, nothing), input_signature=[z], autograph=False)


class Format(Part):
    """A way of writing a generator down.

    Attributes:
        name: as users write it after ``--format``.
        summary: one line for ``autogan list``.
        file: the name of the file or folder that is written.
        tolerance: by how much images of the written generator may differ from the original's,
            which are float32 in about [-1, 1]; as uint8 by one level, if it is above 0.
        precise: whether the generator is written in the precision in which it was trained, not in
            float32.
        modules: that it needs beyond those of AutoGAN's own dependencies.
        requires: what pip installs for them.
        imports: a line of Python that imports what reads the file.
        use: lines of Python that make a NumPy array ``images`` of the arrays in the dictionary
            ``inputs``; ``{file}`` stands for the file.
    """

    file: ClassVar[str]
    tolerance: ClassVar[float] = 1e-4
    precise: ClassVar[bool] = False
    modules: ClassVar[Sequence[str]] = ()
    requires: ClassVar[Sequence[str]] = ()
    imports: ClassVar[str]
    use: ClassVar[str]

    def check_installed(self) -> None:
        """Check that what it needs can be imported.

        Raises:
            ConfigError: with the command that installs it.
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
            The largest difference of a number in 16 images.

        Raises:
            ConfigError: if the format cannot hold the generator, or makes other images of it.
        """
        latents = made.trainer.latents(_COMPARED, 0)
        inputs: dict[str, npt.NDArray[Any]] = {"z": latents.z.numpy()}
        if made.has_classes:
            inputs["classes"] = latents.labels
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
                f"{self.name} makes other images of this generator (they differ by "
                f"{difference:.2g}, and {allowed:g} is allowed); use savedmodel",
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
        """The images that a written generator makes, by the format's own program.

        Args:
            path: as it was written.
            inputs: ``z``, float32 [N, z_dim], and ``classes``, int64 [N], if it takes them.
        """

    @contextlib.contextmanager
    def converting(self) -> Iterator[None]:
        """Refuse a generator that a converter of others raises anything of."""
        try:
            yield
        except Exception as error:
            raise ConfigError(
                "format",
                f"{self.name} cannot hold this generator ({one_line(error)}); use savedmodel",
            ) from error
