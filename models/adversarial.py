"""Adversarial training: two networks, their optimisers, and one compiled call of many steps."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from autogan.hyperparameters import Value
from autogan.models.base import ImageShape
from autogan.models.losses import LOSSES
from autogan.models.networks import NetworkShape, build_networks
from autogan.models.optimizers import OPTIMIZERS, Settings
from autogan.models.penalties import PENALTIES

if TYPE_CHECKING:
    from autogan.models.base import GANType

# Streams of random numbers. Each draw is a pure function of (seed, stream, update number): there
# is no generator state that a checkpoint could miss or an earlier trial could have moved on.
_ORDER, _LATENT_D, _LATENT_G, _PENALTY, _STREAMS = range(5)

_GENERATE_BATCH = 256


class Adversarial:
    """A GAN of one shape, trained again and again with different seeds and settings.

    Building it costs seconds, `reset` hundredths of a second: all hyperparameters but those of the
    shape are arguments of the compiled training function.

    Args:
        gan_type: the parts to put together.
        image_shape: height, width and channels of the images; square, the side divisible by 4.
        shape: the type's shape hyperparameters, by name.
    """

    def __init__(
        self, gan_type: "type[GANType]", image_shape: ImageShape, shape: Mapping[str, Any]
    ) -> None:
        self.image_shape = image_shape
        self.batch_size: int = shape["batch_size"]
        self.z_dim: int = shape["z_dim"]
        self._loss = LOSSES[gan_type.loss]
        self._penalty = PENALTIES[gan_type.penalty] if gan_type.penalty else None
        self.generator, self.discriminator = build_networks(
            NetworkShape(
                size=image_shape[0],
                channels=image_shape[2],
                z_dim=self.z_dim,
                architecture=shape["architecture"],
                width=shape["width"],
                dense_width=shape["dense_width"],
                discriminator_norm=gan_type.discriminator_norm,
            )
        )
        optimizer = OPTIMIZERS[shape["optimizer"]]
        self._g_optimizer = optimizer([v.value for v in self.generator.trainable_variables])
        self._d_optimizer = optimizer([v.value for v in self.discriminator.trainable_variables])
        self._data = {h.name: h for h in gan_type.hyperparameters if not h.shape}
        self._train = tf.function(
            self._training_loop,
            input_signature=[
                tf.TensorSpec([None, *image_shape], tf.uint8),
                *[tf.TensorSpec([], tf.int64)] * 3,
                {
                    name: tf.TensorSpec([], tf.int64 if h.integer else tf.float32)
                    for name, h in self._data.items()
                },
            ],
        )
        self._generate = tf.function(
            self._quantised_images, input_signature=[tf.TensorSpec([None, self.z_dim], tf.float32)]
        )

    def reset(self, seed: int) -> None:
        """Start anew: fresh weights from ``seed``, empty optimisers."""
        seeds = np.random.SeedSequence(seed).generate_state(len(self._initial_values()))
        for (variable, initializer), s in zip(self._initial_values(), seeds, strict=True):
            config = initializer.get_config()
            if "seed" in config:
                initializer = initializer.from_config({**config, "seed": int(s)})
            variable.assign(initializer(variable.shape, dtype=variable.dtype))
        self._g_optimizer.reset()
        self._d_optimizer.reset()

    def train(
        self,
        images: tf.Tensor,
        seed: int,
        start: int,
        steps: int,
        hyperparameters: Mapping[str, Value],
    ) -> tuple[int, dict[str, float]]:
        """Train for up to ``steps`` generator updates in one compiled call.

        Args:
            images: the training set, uint8 [N, height, width, channels].
            seed: of the trial; with ``start`` it decides every random number.
            start: generator updates done before this call.
            steps: generator updates to do; each follows ``d_iter`` discriminator updates on
                fresh batches.
            hyperparameters: all of the type's hyperparameters.

        Returns:
            The updates done, fewer than ``steps`` if a loss became NaN or infinite, and the mean
            ``d_loss`` and ``g_loss`` over them.
        """
        settings = {
            name: tf.constant(hyperparameters[name], tf.int64 if h.integer else tf.float32)
            for name, h in self._data.items()
        }
        scalars = [tf.constant(number, tf.int64) for number in (seed, start, steps)]
        done, d_loss, g_loss = self._train(images, *scalars, settings)
        return int(done), {"d_loss": float(d_loss), "g_loss": float(g_loss)}

    def latents(self, count: int, seed: int) -> tf.Tensor:
        """Return ``count`` latent vectors, float32 [count, z_dim], a function of the arguments."""
        return tf.random.stateless_normal([count, self.z_dim], seed=[seed, _STREAMS])

    def generate(self, latents: tf.Tensor) -> npt.NDArray[np.uint8]:
        """Generate images, uint8 [N, height, width, channels], with moving batch-norm statistics.

        Raises:
            FloatingPointError: if the generator's output is NaN.
        """
        images = []
        for first in range(0, latents.shape[0], _GENERATE_BATCH):
            batch, finite = self._generate(latents[first : first + _GENERATE_BATCH])
            if not finite:
                raise FloatingPointError("the generator's images are NaN")
            images.append(batch.numpy())
        return np.concatenate(images)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """All that training goes on from: weights, moving statistics, optimisers' state."""
        return {name: variable.numpy() for name, variable in self._variables()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go back to a `state`."""
        for name, variable in self._variables():
            variable.assign(state[name])

    def generator_state(self) -> dict[str, npt.NDArray[Any]]:
        """The generator's part of `state`: enough to generate images."""
        return {name: v.numpy() for name, v in self._variables() if name.startswith("generator/")}

    def restore_generator(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go back to a `generator_state`."""
        for name, variable in self._variables():
            if name.startswith("generator/"):
                variable.assign(state[name])

    @cached_property
    def graph(self) -> Any:
        """The TensorFlow graph of discriminator(generator(z)), for TensorBoard."""

        def judge(z: tf.Tensor) -> tf.Tensor:
            with tf.name_scope("generator"):
                images = self.generator(z, training=False)
            with tf.name_scope("discriminator"):
                return self.discriminator(images, training=False)

        z = tf.TensorSpec([None, self.z_dim], tf.float32)
        return tf.function(judge).get_concrete_function(z).graph

    def _training_loop(
        self,
        images: tf.Tensor,
        seed: tf.Tensor,
        start: tf.Tensor,
        steps: tf.Tensor,
        settings: dict[str, tf.Tensor],
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        d_total, g_total = tf.constant(0.0), tf.constant(0.0)
        done, finite = tf.constant(0, tf.int64), tf.constant(True)
        d_iter = settings["d_iter"]
        while tf.logical_and(done < steps, finite):
            d_loss = tf.constant(0.0)
            for update in tf.range((start + done) * d_iter, (start + done + 1) * d_iter):
                d_loss = self._discriminator_step(images, seed, update, settings)
            g_loss = self._generator_step(seed, start + done, settings)
            d_total += d_loss
            g_total += g_loss
            done += 1
            finite = tf.math.is_finite(d_loss + g_loss)
        count = tf.cast(tf.maximum(done, 1), tf.float32)
        return done, d_total / count, g_total / count

    def _discriminator_step(
        self, images: tf.Tensor, seed: tf.Tensor, update: tf.Tensor, settings: dict[str, tf.Tensor]
    ) -> tf.Tensor:
        real = self._real_batch(images, seed, update)
        z = tf.random.stateless_normal(
            [self.batch_size, self.z_dim], _stream(seed, update, _LATENT_D)
        )
        fake = self.generator(z, training=True)
        with tf.GradientTape() as tape:
            loss = self._loss.discriminator(
                self.discriminator(real, training=True), self.discriminator(fake, training=True)
            )
            if self._penalty is not None:
                alpha = tf.random.stateless_uniform(
                    [self.batch_size, 1, 1, 1], _stream(seed, update, _PENALTY)
                )
                penalty = self._penalty(self.discriminator, real, fake, alpha)
                loss += settings["penalty_weight"] * penalty
        gradients = tape.gradient(loss, self._d_optimizer.parameters)
        rate = settings["learning_rate"]
        self._d_optimizer.apply(gradients, Settings(rate, settings["beta1"], settings["beta2"]))
        return loss

    def _generator_step(
        self, seed: tf.Tensor, update: tf.Tensor, settings: dict[str, tf.Tensor]
    ) -> tf.Tensor:
        z = tf.random.stateless_normal(
            [self.batch_size, self.z_dim], _stream(seed, update, _LATENT_G)
        )
        with tf.GradientTape() as tape:
            logits = self.discriminator(self.generator(z, training=True), training=True)
            loss = self._loss.generator(logits)
        gradients = tape.gradient(loss, self._g_optimizer.parameters)
        rate = settings["learning_rate"] * settings["generator_lr_scale"]
        self._g_optimizer.apply(gradients, Settings(rate, settings["beta1"], settings["beta2"]))
        return loss

    def _real_batch(self, images: tf.Tensor, seed: tf.Tensor, update: tf.Tensor) -> tf.Tensor:
        """The batch of a discriminator update, float32 in [-1, 1].

        Batches walk through one random order of all images after another; a batch may span two.
        Where an image stands in an order is computed (a block cipher), not stored.
        """
        count = tf.shape(images, tf.int64)[0]
        position = update * self.batch_size + tf.range(self.batch_size, dtype=tf.int64)
        order = position // count
        seeds = tf.stack(
            [tf.fill([self.batch_size], seed), tf.zeros_like(order) + _ORDER, order], 1
        )
        index = tf.raw_ops.RandomIndexShuffle(
            index=position % count, seed=seeds, max_index=count - 1, rounds=4
        )
        return tf.cast(tf.gather(images, index), tf.float32) / 127.5 - 1.0

    def _quantised_images(self, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = self.generator(z, training=False)
        finite = tf.reduce_all(tf.math.is_finite(images))
        return tf.cast(tf.round((tf.clip_by_value(images, -1, 1) + 1.0) * 127.5), tf.uint8), finite

    def _variables(self) -> Iterator[tuple[str, tf.Variable]]:
        """All state by name; numbered, since Keras's own names count on through a process."""
        for network in (self.generator, self.discriminator):
            for number, variable in enumerate(network.variables):
                yield f"{network.name}/{number:02d}_{variable.name}", variable.value
        for name, optimizer in (
            ("generator", self._g_optimizer),
            ("discriminator", self._d_optimizer),
        ):
            for number, variable in enumerate(optimizer.variables):
                yield f"optimizer/{name}/{number:02d}", variable

    def _initial_values(self) -> list[tuple[Any, keras.initializers.Initializer]]:
        """Each network variable with the initializer that its layer keeps for it.

        Keras layers keep the initializer of ``x`` as ``x_initializer``.
        """
        return [
            (variable, keras.initializers.get(getattr(layer, f"{variable.name}_initializer")))
            for network in (self.generator, self.discriminator)
            for layer in network.layers
            for variable in layer.variables
        ]


def _stream(seed: tf.Tensor, update: tf.Tensor, stream: int) -> tf.Tensor:
    """The seed of one draw: int64 [2] from (trial's seed, update number, stream)."""
    return tf.stack([seed, update * _STREAMS + stream])
