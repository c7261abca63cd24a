"""Adversarial training: a GAN that is built once and trained many times."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import tensorflow as tf
from typing_extensions import override

from autogan.core.arrays import Attributes
from autogan.core.hyperparameters import Value
from autogan.models.base import ImageShape
from autogan.models.factors import DEFAULTS, FACTORS, GRADIENT_PENALTIES
from autogan.models.networks.build import build_generator
from autogan.models.networks.graph import by_layers
from autogan.models.networks.shape import NetworkShape
from autogan.models.training import schedules
from autogan.models.training.averages import AveragedGenerator
from autogan.models.training.batches import LABELS_D, LABELS_G, REAL, TrainingSet
from autogan.models.training.context import Batches
from autogan.models.training.networks import Dropout, Networks, computed_in
from autogan.models.training.state import initialise, named_variables
from autogan.models.training.trainer import Trainer
from autogan.models.training.updates import Updates

if TYPE_CHECKING:
    from autogan.models.base import GANType

_MEASURED_BATCHES, _MEASURED_LATENTS = 16, 3  # for batch statistics: the number and the seed


class Adversarial(Trainer):
    """A generator and a discriminator, trained against each other.

    All hyperparameters except those of the shape are arguments of the compiled training function.

    Args:
        gan_type: declares the fixed factors and the hyperparameters.
        image_shape: height, width and channels of the images; square, the side divisible by 4.
        shape: the type's shape hyperparameters, by name; for a switch, whether it is above 0.
        class_counts: the number of images of each class, for a conditional GAN.
        attributes: the attributes of images of the training set, uint8 [M, A], in place of classes.
        stage1: a trained GAN whose images the generator enlarges, instead of beginning with z; it
            is not trained further, and does not belong to the state.
        updates: the class whose updates make a step.
        xla: whether XLA compiles the updates.
        precision: of the networks' arithmetic; inputs and outputs are float32.
    """

    def __init__(
        self,
        gan_type: "type[GANType]",
        image_shape: ImageShape,
        shape: Mapping[str, Any],
        class_counts: Sequence[int] = (),
        stage1: Trainer | None = None,
        updates: type[Updates] = Updates,
        xla: bool = False,
        precision: str = "float32",
        attributes: Attributes | None = None,
    ) -> None:
        factors = {**DEFAULTS, **gan_type.fixed, **shape}
        conditional = factors["condition"] != "none" or (stage1 and stage1.conditions)
        super().__init__(
            image_shape,
            factors["batch_size"],
            stage1.z_dim if stage1 else factors["z_dim"],
            class_counts if conditional else (),
            attributes if conditional else None,
        )
        pair = NetworkShape(
            size=image_shape[0],
            channels=image_shape[2],
            z_dim=self.z_dim,
            architecture=factors["architecture"],
            width=factors["width"],
            dense_width=factors["dense_width"],
            depth=factors["depth"],
            stage1=stage1.image_shape[0] if stage1 else 0,
            autoencoder=gan_type.autoencoder,
            error=factors.get("error", "l1"),
            discriminator_norm=factors["discriminator_norm"],
            penalised=factors["penalty"] in GRADIENT_PENALTIES,
            generator_norm=factors["generator_norm"],
            condition=factors["condition"],
            classes=self.conditions,
            attributes=self.attributes is not None,
            attention=factors["attention"] == "self",
            minibatch_stddev=factors["minibatch_stddev"] == "groups",
            dropout=bool(factors["dropout"]),
            generator_dropout=bool(factors["generator_dropout"]),
            parametrisation=factors["parametrisation"],
            upsampling=factors["upsampling"],
        )
        self._networks = Networks(pair, stage1, precision)
        self.generator, self.discriminator = self._networks.generator, self._networks.discriminator
        self._average: AveragedGenerator | None = None
        measured = factors["statistics"] == "measured"
        if factors["ema"] or measured:
            with computed_in(precision):
                twin = build_generator(pair, "average")
            self._average = AveragedGenerator(self.generator, twin, measured)
        self._updates = updates(self._networks, factors, self._average, self.batch_size, xla)
        trained = [self.generator, self.discriminator]
        self._shown = self._average.network if self._average else self.generator
        self._variables = named_variables(
            [*trained, self._shown] if self._average else trained,
            {"generator": self._updates.g_optimizer, "discriminator": self._updates.d_optimizer},
            self._updates.variables,
        )
        self._stale = False
        self.mixes = bool(self.conditions) and (stage1 is None or stage1.mixes)
        if not pair.stage1 and not pair.generator_dropout:
            self.network = self._shown
        numbers = {h.name: h for h in (*FACTORS, *gan_type.hyperparameters) if h.kind != "choice"}
        self._data = {name: h for name, h in numbers.items() if not h.shape}
        self._fixed = gan_type.fixed
        self._train = tf.function(
            self._updates.run,
            input_signature=[
                Batches(
                    tf.TensorSpec([None, *image_shape], tf.uint8),
                    tf.TensorSpec([None], tf.int64),
                    *[self._label_spec] * 3,
                    *[tf.TensorSpec([None], tf.float32)] * 2,
                ),
                *[tf.TensorSpec([], tf.int64)] * 4,
                {
                    name: tf.TensorSpec([], tf.int64 if h.integer else tf.float32)
                    for name, h in self._data.items()
                },
            ],
            autograph=False,
        )

    @property
    def _label_spec(self) -> tf.TensorSpec:
        """The specification of the labels in training; see `Batches`."""
        if self.attributes is None:
            return tf.TensorSpec([None], tf.int64)
        return tf.TensorSpec([None, self.conditions], tf.float32)

    @property
    @override
    def variables(self) -> Mapping[str, tf.Variable]:
        return self._variables

    @property
    @override
    def shown(self) -> str:
        return f"{self._shown.name}/"

    @override
    def reset(self, seed: int) -> None:
        initialise((self.generator, self.discriminator), seed)
        self._updates.reset(seed)
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
        """See `Trainer.train`; a step has ``d_iter`` discriminator updates and a generator update.

        A step's discriminator curves come from its last discriminator update.
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

    @override
    def images(self, z: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return tf.cast(self._shown(self._networks.inputs(z, labels), training=False), tf.float32)

    @override
    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        super().restore(state)
        self._stale = True

    @override
    def restore_generator(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        super().restore_generator(state)
        self._stale = False

    @cached_property
    def graph(self) -> tf.compat.v1.GraphDef:
        """The TensorFlow graph of discriminator(generator(z)), for TensorBoard."""
        shown = Dropout(0.5)  # so that the graph shows dropout layers, if there are any

        def judge(z: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
            with tf.name_scope("generator"):
                made = self.generator(self._networks.inputs(z, labels, shown), training=False)
            with tf.name_scope("discriminator"):
                return self._networks.logits(made, labels, shown)[0]

        inputs = [tf.TensorSpec([None, self.z_dim]), self._label_spec]
        known = inputs if self.conditions else inputs[:1]
        return by_layers(tf.function(judge, autograph=False).get_concrete_function(*known).graph)

    def _batches(
        self,
        data: TrainingSet,
        seed: int,
        start: int,
        steps: int,
        total: int,
        factors: Mapping[str, Value],
    ) -> Batches:
        """The batches for a call of `train`."""
        d_size, g_size = int(factors["d_iter"]) * self.batch_size, self.batch_size
        images, places = data.images(seed, start * d_size, steps * d_size)

        def labels(walk: int, size: int) -> tf.Tensor:
            if not self.conditions:
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

    def _settle(self) -> None:
        """Measure the averaged generator's batch statistics, if it has changed."""
        if self._average and self._average.measured and self._stale:
            latents = self.latents(_MEASURED_BATCHES * self.batch_size, _MEASURED_LATENTS)
            parts = [slice(i, None, _MEASURED_BATCHES) for i in range(_MEASURED_BATCHES)]
            self._average.measure(
                self._networks.inputs(latents.z[part], tf.constant(latents.labels[part]))
                for part in parts
            )
        self._stale = False
