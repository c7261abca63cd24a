"""Adversarial training: a GAN that is built once, and trained again and again."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.hyperparameters import Value
from autogan.models import schedules
from autogan.models.averages import AveragedGenerator
from autogan.models.base import ImageShape
from autogan.models.batches import (
    LABELS_D,
    LABELS_G,
    REAL,
    TrainingSet,
    proportional_labels,
)
from autogan.models.draws import EVALUATION
from autogan.models.factors import DEFAULTS, FACTORS, GRADIENT_PENALTIES
from autogan.models.graph import by_layers
from autogan.models.networks import NetworkShape, build_generator
from autogan.models.players import Players
from autogan.models.state import initialise, named_variables
from autogan.models.updates import Batches, Updates

if TYPE_CHECKING:
    from autogan.models.base import GANType

_GENERATE_BATCH = 256
_MEASURED_BATCHES, _MEASURED_LATENTS = 16, 3  # of batch statistics: how many, and their seed


class Latents(NamedTuple):
    """What images are generated from.

    Attributes:
        z: float32 [N, z_dim].
        labels: int64 [N], the classes to generate; empty for an unconditional GAN.
    """

    z: tf.Tensor
    labels: npt.NDArray[np.int64]


class Adversarial:
    """A GAN of one shape, trained again and again with different seeds and settings.

    Building it costs seconds, `reset` hundredths of a second: all hyperparameters but those of the
    shape are arguments of the compiled training function.

    Args:
        gan_type: what is fixed, and which hyperparameters there are.
        image_shape: height, width and channels of the images; square, the side divisible by 4.
        shape: the type's shape hyperparameters, by name; of a switch, whether it is above 0.
        class_counts: how many images of each class there are, for a conditional GAN.
    """

    def __init__(
        self,
        gan_type: "type[GANType]",
        image_shape: ImageShape,
        shape: Mapping[str, Any],
        class_counts: Sequence[int] = (),
    ) -> None:
        factors = {**DEFAULTS, **gan_type.fixed, **shape}
        conditional = factors["condition"] != "none"
        self.image_shape = image_shape
        self.class_counts = tuple(class_counts) if conditional else ()
        self.batch_size: int = factors["batch_size"]
        self.z_dim: int = factors["z_dim"]
        networks = NetworkShape(
            size=image_shape[0],
            channels=image_shape[2],
            z_dim=self.z_dim,
            architecture=factors["architecture"],
            width=factors["width"],
            dense_width=factors["dense_width"],
            autoencoder=gan_type.autoencoder,
            discriminator_norm=factors["discriminator_norm"],
            penalised=factors["penalty"] in GRADIENT_PENALTIES,
            generator_norm=factors["generator_norm"],
            condition=factors["condition"],
            classes=len(self.class_counts),
            attention=factors["attention"] == "self",
            minibatch_stddev=factors["minibatch_stddev"] == "groups",
            dropout=bool(factors["dropout"]),
            generator_dropout=bool(factors["generator_dropout"]),
        )
        self._players = Players(networks)
        self.generator, self.discriminator = self._players.generator, self._players.discriminator
        self._average: AveragedGenerator | None = None
        measured = factors["statistics"] == "measured"
        if factors["ema"] or measured:
            twin = build_generator(networks, "average")
            self._average = AveragedGenerator(self.generator, twin, measured)
        self._updates = Updates(self._players, factors, self._average, self.batch_size)
        trained = [self.generator, self.discriminator]
        self._shown = self._average.network if self._average else self.generator
        self._variables = named_variables(
            [*trained, self._shown] if self._average else trained,
            {"generator": self._updates.g_optimizer, "discriminator": self._updates.d_optimizer},
            self._updates.variables,
        )
        self._stale = False
        numbers = {h.name: h for h in (*FACTORS, *gan_type.hyperparameters) if h.kind != "choice"}
        self._data = {name: h for name, h in numbers.items() if not h.shape}
        self._fixed = gan_type.fixed
        self._train = tf.function(
            self._updates.run,
            input_signature=[
                Batches(
                    tf.TensorSpec([None, *image_shape], tf.uint8),
                    *[tf.TensorSpec([None], tf.int64)] * 4,
                    *[tf.TensorSpec([None], tf.float32)] * 2,
                ),
                *[tf.TensorSpec([], tf.int64)] * 4,
                {
                    name: tf.TensorSpec([], tf.int64 if h.integer else tf.float32)
                    for name, h in self._data.items()
                },
            ],
        )
        self._generate = tf.function(
            self._quantised_images,
            input_signature=[
                tf.TensorSpec([None, self.z_dim], tf.float32),
                tf.TensorSpec([None], tf.int64),
            ],
        )

    def reset(self, seed: int) -> None:
        """Start anew: fresh weights from ``seed``, empty optimisers."""
        initialise((self.generator, self.discriminator), seed)
        self._updates.reset()
        if self._average:
            self._average.reset()
        self._stale = True

    def train(
        self,
        data: TrainingSet,
        seed: int,
        start: int,
        steps: int,
        total: int,
        hyperparameters: Mapping[str, Value],
    ) -> tuple[int, dict[str, float]]:
        """Train for up to ``steps`` generator updates in one compiled call.

        Args:
            data: the training set; a conditional GAN wants labels.
            seed: of the trial; with ``start`` it decides every random number.
            start: generator updates done before this call.
            steps: generator updates to do; each follows ``d_iter`` discriminator updates on
                fresh batches.
            total: generator updates of the whole training, which schedules go by.
            hyperparameters: all of the type's hyperparameters.

        Returns:
            The updates done, fewer than ``steps`` if a loss became NaN or infinite, and the means
            over them of ``g_loss``, ``d_loss`` and the curves of the type's loss; of a step's
            discriminator updates the last one's.
        """
        factors = {**DEFAULTS, **self._fixed, **hyperparameters}
        settings = {
            name: tf.constant(factors[name], tf.int64 if h.integer else tf.float32)
            for name, h in self._data.items()
        }
        scalars = [tf.constant(number, tf.int64) for number in (seed, start, steps, total)]
        batches = self._batches(data, seed, start, steps, total, factors)
        done, losses = self._train(batches, *scalars, settings)
        self._stale = True
        return int(done), {name: float(loss) for name, loss in losses.items()}

    def latents(self, count: int, seed: int, classes: Sequence[int] | None = None) -> Latents:
        """Return ``count`` latent vectors, and classes for them; a function of the arguments.

        Args:
            count: how many.
            seed: of the vectors.
            classes: to go round and round; if None, all as often as in the training set.
        """
        z = tf.random.stateless_normal(
            [count, self.z_dim], tf.constant([seed, EVALUATION], tf.int64)
        )
        if not self.class_counts:
            return Latents(z, np.zeros(0, np.int64))
        if classes is None:
            return Latents(z, proportional_labels(count, self.class_counts))
        return Latents(z, np.resize(np.array(classes, np.int64), count))

    def generate(self, latents: Latents) -> npt.NDArray[np.uint8]:
        """Generate images, uint8 [N, height, width, channels].

        Raises:
            FloatingPointError: if the generator's output is NaN.
        """
        self._measure()
        images = []
        for first in range(0, latents.z.shape[0], _GENERATE_BATCH):
            part = slice(first, first + _GENERATE_BATCH)
            batch, finite = self._generate(latents.z[part], tf.constant(latents.labels[part]))
            if not finite:
                raise FloatingPointError("the generator's images are NaN")
            images.append(batch.numpy())
        return np.concatenate(images)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """All that training goes on from: weights, moving statistics, optimisers' state."""
        self._measure()
        return {name: variable.numpy() for name, variable in self._variables}

    @property
    def state_bytes(self) -> int:
        """How much `state` is."""
        return sum(math.prod(v.shape) * v.dtype.size for _, v in self._variables)

    @property
    def generator_bytes(self) -> int:
        """How much `generator_state` is."""
        return 4 * int(self.generator.count_params())

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go back to a `state`."""
        for name, variable in self._variables:
            variable.assign(state[name])
        self._stale = True

    def generator_state(self) -> dict[str, npt.NDArray[Any]]:
        """Enough to generate images: the generator's variables, averaged where images are."""
        self._measure()
        return {name: variable.numpy() for name, variable in self._shown_variables()}

    def restore_generator(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go back to a `generator_state`."""
        for name, variable in self._shown_variables():
            variable.assign(state[name])
        self._stale = False

    @cached_property
    def graph(self) -> tf.compat.v1.GraphDef:
        """The TensorFlow graph of discriminator(generator(z)), for TensorBoard."""

        def judge(z: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
            with tf.name_scope("generator"):
                made = self.generator(self._players.inputs(z, labels), training=False)
            with tf.name_scope("discriminator"):
                return self._players.judged(made, labels)[0]

        inputs = [tf.TensorSpec([None, self.z_dim]), tf.TensorSpec([None], tf.int64)]
        known = inputs if self.class_counts else inputs[:1]
        return by_layers(tf.function(judge).get_concrete_function(*known).graph)

    def _batches(
        self,
        data: TrainingSet,
        seed: int,
        start: int,
        steps: int,
        total: int,
        factors: Mapping[str, Value],
    ) -> Batches:
        """What a call of `train` consumes."""
        d_size, g_size = int(factors["d_iter"]) * self.batch_size, self.batch_size
        images, places = data.images(seed, start * d_size, steps * d_size)

        def labels(walk: int, size: int) -> tf.Tensor:
            if not self.class_counts:
                return tf.zeros([0], tf.int64)
            return data.labels(data.order(seed, walk, start * size, steps * size))

        return Batches(
            images,
            places,
            labels=labels(REAL, d_size),
            d_labels=labels(LABELS_D, d_size),
            g_labels=labels(LABELS_G, g_size),
            rates=tf.constant(schedules.rates(start, steps, total, factors)),
            fading=tf.constant(schedules.fading(start, steps, total)),
        )

    def _shown_variables(self) -> Iterator[tuple[str, tf.Variable]]:
        """The variables of the generator whose images count, under the generator's names."""
        of_shown = f"{self._shown.name}/"
        for name, variable in self._variables:
            if name.startswith(of_shown):
                yield f"generator/{name.removeprefix(of_shown)}", variable

    def _measure(self) -> None:
        """Measure the batch statistics of the averaged generator, if it changed."""
        if self._average and self._average.measured and self._stale:
            latents = self.latents(_MEASURED_BATCHES * self.batch_size, _MEASURED_LATENTS)
            parts = [slice(i, None, _MEASURED_BATCHES) for i in range(_MEASURED_BATCHES)]
            self._average.measure(
                self._players.inputs(latents.z[part], tf.constant(latents.labels[part]))
                for part in parts
            )
        self._stale = False

    def _quantised_images(self, z: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = self._shown(self._players.inputs(z, labels), training=False)
        finite = tf.reduce_all(tf.math.is_finite(images))
        return tf.cast(tf.round((tf.clip_by_value(images, -1, 1) + 1.0) * 127.5), tf.uint8), finite
