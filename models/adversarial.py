"""Adversarial training: two networks, their optimisers, and one compiled call of many steps."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.core.hyperparameters import Value
from autogan.core.registry import imported
from autogan.models.base import ImageShape
from autogan.models.batches import (
    LABELS_D,
    LABELS_G,
    REAL,
    TrainingSet,
    proportional_labels,
)
from autogan.models.graph import by_layers
from autogan.models.losses import LOSSES, Loss, class_error
from autogan.models.networks import NetworkShape, build_networks
from autogan.models.optimizers import OPTIMIZERS, Settings
from autogan.models.penalties import PENALTIES, clip_weights
from autogan.models.state import initialise, named_variables

if TYPE_CHECKING:
    from autogan.models.base import GANType

# Streams of random numbers. Each draw is a pure function of (seed, stream, update number): there
# is no generator state that a checkpoint could miss or an earlier trial could have moved on.
_LATENT_D, _LATENT_G, _PENALTY, _STREAMS = range(1, 5)

_GENERATE_BATCH = 256


class Latents(NamedTuple):
    """What images are generated from.

    Attributes:
        z: float32 [N, z_dim].
        labels: int64 [N], the classes to generate; empty for an unconditional GAN.
    """

    z: tf.Tensor
    labels: npt.NDArray[np.int64]


class _Batches(NamedTuple):
    """All that the updates of one compiled call consume, in their order.

    Attributes:
        images: uint8 [M, height, width, channels].
        places: of the real images among them, int64 [discriminator updates * batch].
        labels: of the real images, int64 [discriminator updates * batch], or none.
        d_labels: of the images generated for the discriminator's updates, likewise.
        g_labels: of those generated for the generator's updates, int64 [updates * batch] or none.
    """

    images: tf.Tensor
    places: tf.Tensor
    labels: tf.Tensor
    d_labels: tf.Tensor
    g_labels: tf.Tensor


class Adversarial:
    """A GAN of one shape, trained again and again with different seeds and settings.

    Building it costs seconds, `reset` hundredths of a second: all hyperparameters but those of the
    shape are arguments of the compiled training function.

    Args:
        gan_type: the parts to put together.
        image_shape: height, width and channels of the images; square, the side divisible by 4.
        shape: the type's shape hyperparameters, by name.
        class_counts: how many images of each class there are, for a conditional type.
    """

    def __init__(
        self,
        gan_type: "type[GANType]",
        image_shape: ImageShape,
        shape: Mapping[str, Any],
        class_counts: Sequence[int] = (),
    ) -> None:
        self.image_shape = image_shape
        self.class_counts = tuple(class_counts) if gan_type.condition != "none" else ()
        self.batch_size: int = shape["batch_size"]
        self.z_dim: int = shape["z_dim"]
        self._condition = gan_type.condition
        self._loss = _loss(gan_type.loss)
        self._loss_starts = {name: v.numpy() for name, v in self._loss.variables.items()}
        self._penalty = PENALTIES[gan_type.penalty] if gan_type.penalty else None
        self._clips = gan_type.clips
        self.generator, self.discriminator = build_networks(
            NetworkShape(
                size=image_shape[0],
                channels=image_shape[2],
                z_dim=self.z_dim,
                architecture=shape["architecture"],
                width=shape["width"],
                dense_width=shape["dense_width"],
                autoencoder=gan_type.autoencoder,
                discriminator_norm=gan_type.discriminator_norm,
                condition=gan_type.condition,
                classes=len(self.class_counts),
            )
        )
        optimizer = OPTIMIZERS[shape["optimizer"]]
        self._g_optimizer = optimizer([v.value for v in self.generator.trainable_variables])
        self._d_optimizer = optimizer([v.value for v in self.discriminator.trainable_variables])
        self._variables = named_variables(
            (self.generator, self.discriminator),
            {"generator": self._g_optimizer, "discriminator": self._d_optimizer},
            self._loss,
        )
        self._data = {h.name: h for h in gan_type.hyperparameters if not h.shape}
        self._train = tf.function(
            self._training_loop,
            input_signature=[
                _Batches(
                    tf.TensorSpec([None, *image_shape], tf.uint8),
                    *[tf.TensorSpec([None], tf.int64)] * 4,
                ),
                *[tf.TensorSpec([], tf.int64)] * 3,
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
        for name, start in self._loss_starts.items():
            self._loss.variables[name].assign(start)
        self._g_optimizer.reset()
        self._d_optimizer.reset()

    def train(
        self,
        data: TrainingSet,
        seed: int,
        start: int,
        steps: int,
        hyperparameters: Mapping[str, Value],
    ) -> tuple[int, dict[str, float]]:
        """Train for up to ``steps`` generator updates in one compiled call.

        Args:
            data: the training set; a conditional type wants labels.
            seed: of the trial; with ``start`` it decides every random number.
            start: generator updates done before this call.
            steps: generator updates to do; each follows ``d_iter`` discriminator updates on
                fresh batches.
            hyperparameters: all of the type's hyperparameters.

        Returns:
            The updates done, fewer than ``steps`` if a loss became NaN or infinite, and the means
            over them of ``g_loss``, ``d_loss`` and the curves of the type's loss; of a step's
            discriminator updates the last one's.
        """
        settings = {
            name: tf.constant(hyperparameters[name], tf.int64 if h.integer else tf.float32)
            for name, h in self._data.items()
        }
        scalars = [tf.constant(number, tf.int64) for number in (seed, start, steps)]
        batches = self._batches(data, seed, start, steps, int(hyperparameters["d_iter"]))
        done, losses = self._train(batches, *scalars, settings)
        return int(done), {name: float(loss) for name, loss in losses.items()}

    def latents(self, count: int, seed: int, classes: Sequence[int] | None = None) -> Latents:
        """Return ``count`` latent vectors, and classes for them; a function of the arguments.

        Args:
            count: how many.
            seed: of the vectors.
            classes: to go round and round; if None, all as often as in the training set.
        """
        z = tf.random.stateless_normal([count, self.z_dim], tf.constant([seed, _STREAMS], tf.int64))
        if not self.class_counts:
            return Latents(z, np.zeros(0, np.int64))
        if classes is None:
            return Latents(z, proportional_labels(count, self.class_counts))
        return Latents(z, np.resize(np.array(classes, np.int64), count))

    def generate(self, latents: Latents) -> npt.NDArray[np.uint8]:
        """Generate images, uint8 [N, height, width, channels], with moving batch-norm statistics.

        Raises:
            FloatingPointError: if the generator's output is NaN.
        """
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

    def generator_state(self) -> dict[str, npt.NDArray[Any]]:
        """The generator's part of `state`: enough to generate images."""
        return {name: v.numpy() for name, v in self._variables if name.startswith("generator/")}

    def restore_generator(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go back to a `generator_state`."""
        for name, variable in self._variables:
            if name.startswith("generator/"):
                variable.assign(state[name])

    @cached_property
    def graph(self) -> tf.compat.v1.GraphDef:
        """The TensorFlow graph of discriminator(generator(z)), for TensorBoard."""

        def judge(z: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
            with tf.name_scope("generator"):
                images = self._made(z, labels, training=False)
            with tf.name_scope("discriminator"):
                return self._judged(images, labels, training=False)[0]

        inputs = [tf.TensorSpec([None, self.z_dim]), tf.TensorSpec([None], tf.int64)]
        known = inputs if self.class_counts else inputs[:1]
        return by_layers(tf.function(judge).get_concrete_function(*known).graph)

    def _batches(
        self, data: TrainingSet, seed: int, start: int, steps: int, d_iter: int
    ) -> _Batches:
        """What a call of `train` consumes."""
        d_size, g_size = d_iter * self.batch_size, self.batch_size
        images, places = data.images(seed, start * d_size, steps * d_size)
        if not self.class_counts:
            return _Batches(images, places, *[tf.zeros([0], tf.int64)] * 3)
        return _Batches(
            images,
            places,
            data.labels(data.order(seed, REAL, start * d_size, steps * d_size)),
            data.labels(data.order(seed, LABELS_D, start * d_size, steps * d_size)),
            data.labels(data.order(seed, LABELS_G, start * g_size, steps * g_size)),
        )

    def _training_loop(
        self,
        batches: _Batches,
        seed: tf.Tensor,
        start: tf.Tensor,
        steps: tf.Tensor,
        settings: dict[str, tf.Tensor],
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        totals = {name: tf.constant(0.0) for name in ("d_loss", "g_loss", *self._loss.curves)}
        done, finite = tf.constant(0, tf.int64), tf.constant(True)
        d_iter = settings["d_iter"]
        while tf.logical_and(done < steps, finite):
            losses = {name: tf.constant(0.0) for name in totals if name != "g_loss"}
            for update in tf.range(done * d_iter, (done + 1) * d_iter):
                losses = self._discriminator_step(
                    batches, update, seed, start * d_iter + update, settings
                )
            g_loss = self._generator_step(batches, done, seed, start + done, settings)
            losses = {**losses, "g_loss": g_loss}
            totals = {name: total + losses[name] for name, total in totals.items()}
            done += 1
            finite = tf.math.is_finite(losses["d_loss"] + g_loss)
        count = tf.cast(tf.maximum(done, 1), tf.float32)
        return done, {name: total / count for name, total in totals.items()}

    def _discriminator_step(
        self,
        batches: _Batches,
        batch: tf.Tensor,
        seed: tf.Tensor,
        update: tf.Tensor,
        settings: dict[str, tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        """One update, on a batch of this call, with the random numbers of the training's update."""
        part = self._part(batch)
        real = tf.cast(tf.gather(batches.images, batches.places[part]), tf.float32) / 127.5 - 1.0
        labels, fake_labels = batches.labels[part], batches.d_labels[part]
        z = self._noise(seed, update, _LATENT_D)
        fake = self._made(z, fake_labels, training=True)
        with tf.GradientTape() as tape:
            real_logits, real_classes = self._judged(real, labels, training=True)
            fake_logits, fake_classes = self._judged(fake, fake_labels, training=True)
            loss = self._loss.discriminator(real_logits, fake_logits, settings)
            if self._condition == "auxiliary":
                told = class_error(real_classes, labels) + class_error(fake_classes, fake_labels)
                loss += settings["class_weight"] * told
            if self._penalty is not None:
                alpha = tf.random.stateless_uniform(
                    [self.batch_size, 1, 1, 1], _stream(seed, update, _PENALTY)
                )
                penalty = self._penalty(
                    lambda images: self._judged(images, labels, training=True)[0], real, fake, alpha
                )
                loss += settings["penalty_weight"] * penalty
        gradients = tape.gradient(loss, self._d_optimizer.parameters)
        rate = settings["learning_rate"]
        self._d_optimizer.apply(gradients, Settings(rate, settings["beta1"], settings["beta2"]))
        if self._clips:
            clip_weights(self._d_optimizer.parameters, settings["clip"])
        return {"d_loss": loss, **self._loss.updated(real_logits, fake_logits, settings)}

    def _generator_step(
        self,
        batches: _Batches,
        batch: tf.Tensor,
        seed: tf.Tensor,
        update: tf.Tensor,
        settings: dict[str, tf.Tensor],
    ) -> tf.Tensor:
        """One update; see `_discriminator_step`."""
        labels = batches.g_labels[self._part(batch)]
        z = self._noise(seed, update, _LATENT_G)
        with tf.GradientTape() as tape:
            made = self._made(z, labels, training=True)
            logits, classes = self._judged(made, labels, training=True)
            loss = self._loss.generator(logits, settings)
            if self._condition == "auxiliary":
                loss += settings["generator_class_weight"] * class_error(classes, labels)
        gradients = tape.gradient(loss, self._g_optimizer.parameters)
        rate = settings["learning_rate"] * settings["generator_lr_scale"]
        self._g_optimizer.apply(gradients, Settings(rate, settings["beta1"], settings["beta2"]))
        return loss

    def _noise(self, seed: tf.Tensor, update: tf.Tensor, stream: int) -> tf.Tensor:
        """The latent vectors of an update, float32 [batch, z_dim]."""
        return tf.random.stateless_normal(
            [self.batch_size, self.z_dim], _stream(seed, update, stream)
        )

    def _part(self, batch: tf.Tensor) -> slice:
        """Where a batch stands among the images or labels of a call."""
        return slice(batch * self.batch_size, (batch + 1) * self.batch_size)

    def _made(self, z: tf.Tensor, labels: tf.Tensor, training: bool) -> tf.Tensor:
        """Generated images, float32 [batch, height, width, channels]."""
        if self._condition == "none":
            return self.generator(z, training=training)
        return self.generator([z, self._one_hot(labels)], training=training)

    def _judged(
        self, images: tf.Tensor, labels: tf.Tensor, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """The discriminator's logits, [batch, 1], and class logits, [batch, K], if it has them."""
        if self._condition == "input":
            return self.discriminator([images, self._one_hot(labels)], training=training), None
        judged = self.discriminator(images, training=training)
        return tuple(judged) if self._condition == "auxiliary" else (judged, None)

    def _one_hot(self, labels: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(labels, len(self.class_counts))

    def _quantised_images(self, z: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = self._made(z, labels, training=False)
        finite = tf.reduce_all(tf.math.is_finite(images))
        return tf.cast(tf.round((tf.clip_by_value(images, -1, 1) + 1.0) * 127.5), tf.uint8), finite


def _stream(seed: tf.Tensor, update: tf.Tensor, stream: int) -> tf.Tensor:
    """The seed of one draw: int64 [2] from (trial's seed, update number, stream)."""
    return tf.stack([seed, update * _STREAMS + stream])


def _loss(name: str) -> Loss:
    """The loss that a GAN type names, with memory of its own."""
    kind = LOSSES[name] if name in LOSSES else imported("loss", name, Loss)
    return kind()
