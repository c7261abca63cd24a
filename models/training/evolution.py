"""Generators that evolve against one discriminator, as in E-GAN and IE-GAN."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from autogan.core.hyperparameters import Value
from autogan.models import draws
from autogan.models.objectives.losses import Minimax, NonSaturating, Values, class_error
from autogan.models.training.averages import AveragedGenerator
from autogan.models.training.context import Batch, Context, Curves
from autogan.models.training.networks import Networks
from autogan.models.training.state import initialise
from autogan.models.training.updates import Updates, scaled

MUTATIONS = ("minimax", "non_saturating", "least_squares")
"""The losses of children; each parent has one child for each."""

_TINY = 1e-12  # added to a gradient's norm, so that its logarithm is finite
_PAIRINGS = 5  # IE-GAN's diversity is the mean over this number of pairings of images
_CROSSOVER_WEIGHT = 1e-3  # of an image's diversity relative to its quality, in IE-GAN's code


class _Fitness(NamedTuple):
    """A child's fitness: quality + ``fitness_weight`` * diversity."""

    quality: tf.Tensor
    diversity: tf.Tensor


class Evolution(Updates):
    """The generator's step is one generation (Wang et al., 2018, arXiv:1803.00657, algorithm 1).

    Every survivor has a child for each of `MUTATIONS`: a copy, with the optimiser's state, after
    one update on that loss. The fittest children survive. The discriminator learns from images of
    all survivors. The networks' generator is the fittest survivor, which makes all images.

    With ``crossover``, the two fittest children have a child together, which also competes: the
    fitter one after an update towards the better of their two images for each z (Li et al., 2021,
    arXiv:2109.11078).

    Args:
        networks: the networks.
        factors: the hyperparameters that decide the computation, by name.
        average: of the fittest generator's weights, if there is one.
        batch_size: of both networks; divisible by the number of survivors.
        xla: see `Updates`.
    """

    def __init__(
        self,
        networks: Networks,
        factors: Mapping[str, Value],
        average: AveragedGenerator | None,
        batch_size: int,
        xla: bool = False,
    ) -> None:
        super().__init__(networks, factors, average, batch_size, xla)
        self._survivors = int(factors["survivors"])
        self._samples = int(factors["fitness_batches"])
        self._by_gradient = factors["fitness"] == "egan"
        self._crosses = factors["crossover"] == "distilled"
        self._count = len(MUTATIONS) * self._survivors
        weights = [v.value for v in networks.generator.variables]
        self._weights = len(weights)
        self._one = [*weights, *self.g_optimizer.variables]  # of the current generator
        self._parents = [_several(self._survivors, variable) for variable in self._one]
        self._children = [_several(self._count + self._crosses, variable) for variable in self._one]
        chosen = (*MUTATIONS, *(["crossover"] if self._crosses else []))
        self._shares = [f"share_{name}" for name in chosen]
        self.g_curves = ["g_loss", "fitness_quality", "fitness_diversity", *self._shares]

    @property
    def variables(self) -> dict[str, tf.Variable]:
        """See `Updates.variables`; it includes the survivors."""
        survivors = {f"survivors/{n:02d}": each for n, each in enumerate(self._parents)}
        return super().variables | survivors

    def reset(self, seed: int) -> None:
        """See `Updates.reset`; each survivor starts from different weights."""
        super().reset(seed)
        self._keep(self._parents, 0)
        for number in range(1, self._survivors):
            initialise([self._networks.generator], [seed, number])
            self._keep(self._parents, number)
        self._become(self._parents, 0)

    def _fake_images(self, labels: tf.Tensor, now: Context) -> tf.Tensor:
        """Images in equal numbers from all survivors, [batch, ...]."""
        made, size = [], self._batch_size // self._survivors
        for number in range(self._survivors):
            self._become(self._parents, number, weights=True)
            own = now.of(number, self._survivors)
            few = labels[number * size : (number + 1) * size]
            made.append(self._images(few, own, draws.LATENT_D, draws.GENERATOR_DROPOUT_D, size))
            self._keep(self._parents, number, weights=True)  # batch statistics have changed
        self._become(self._parents, 0, weights=True)
        return tf.concat(made, axis=0)

    def _generator_step(self, batch: Batch, now: Context) -> Curves:
        """One generation."""
        labels, settings = batch.g_labels, now.settings
        real = self._gradient_on_real(batch, now)
        children = self._count + int(self._crosses)
        empty = [tf.TensorArray(tf.float32, children, element_shape=[]) for _ in range(3)]

        def born(child: tf.Tensor, *found: tf.TensorArray) -> tuple[Any, ...]:
            parent, mutation = child // len(MUTATIONS), child % len(MUTATIONS)
            self._become(self._parents, parent)
            loss = self._mutated(labels, now.of(parent, self._survivors), mutation)
            fitness = self._fitness(labels, now, real)
            self._keep(self._children, child)
            numbers = (loss, fitness.quality, fitness.diversity)
            written = [a.write(child, n) for a, n in zip(found, numbers, strict=True)]
            return child + 1, *written

        _, losses, qualities, diversities = tf.while_loop(
            lambda child, *_: child < self._count, born, [tf.constant(0), *empty]
        )
        if self._crosses:
            so_far = _sum(qualities.stack(), diversities.stack(), settings)[: self._count]
            loss = self._crossed(tf.math.top_k(so_far, 2).indices, labels, now)
            fitness = self._fitness(labels, now, real)
            losses = losses.write(self._count, loss)
            qualities = qualities.write(self._count, fitness.quality)
            diversities = diversities.write(self._count, fitness.diversity)
            self._keep(self._children, self._count)
        loss, quality, diversity = losses.stack(), qualities.stack(), diversities.stack()
        fittest = tf.math.top_k(_sum(quality, diversity, settings), self._survivors).indices
        for survivors, all_ in zip(self._parents, self._children, strict=True):
            survivors.assign(tf.gather(all_, fittest))
        self._become(self._parents, 0)
        if self._average is not None:
            self._average.follow(settings["ema"], now.update)
        kinds = tf.where(fittest < self._count, fittest % len(MUTATIONS), len(MUTATIONS))
        shares = tf.reduce_mean(tf.one_hot(kinds, len(self._shares)), axis=0)
        return {
            "g_loss": tf.gather(loss, fittest[0]),
            "fitness_quality": tf.reduce_mean(tf.gather(quality, fittest)),
            "fitness_diversity": tf.reduce_mean(tf.gather(diversity, fittest)),
            **{name: shares[number] for number, name in enumerate(self._shares)},
        }

    def _mutated(self, labels: tf.Tensor, now: Context, mutation: tf.Tensor) -> tf.Tensor:
        """Update the generator on the loss of number ``mutation``; return the loss."""
        with tf.GradientTape() as tape:
            made = self._images(labels, now, draws.LATENT_G, draws.GENERATOR_DROPOUT_G)
            logits, classes = self._logits(made, labels, now, draws.FAKE_G)
            losses = [
                Minimax().generator(None, logits, now.settings),
                NonSaturating().generator(None, logits, now.settings),
                tf.reduce_mean(tf.square(tf.sigmoid(logits) - 1.0)),  # of D's output, not its logit
            ]
            loss = tf.gather(tf.stack(losses), mutation)
            if self._factors["condition"] == "auxiliary":
                loss += now.settings["generator_class_weight"] * class_error(classes, labels)
        self._follow(tape.gradient(loss, self.g_optimizer.parameters), now)
        return loss

    def _crossed(self, pair: tf.Tensor, labels: tf.Tensor, now: Context) -> tf.Tensor:
        """Become the fitter of two children, updated towards the better images of both."""
        images, merits = [], []
        for number in (1, 0):
            self._become(self._children, pair[number])
            made, named = self._sample(labels, now)
            logits = self._logits(made, named, now, draws.FAKE_FITNESS)[0][:, 0]
            images.append(made)
            merits.append(logits + _CROSSOVER_WEIGHT * _differences(made))
        better = tf.reshape(merits[0] > merits[1], [-1, 1, 1, 1])
        target = tf.where(better, images[0], images[1])
        with tf.GradientTape() as tape:
            made, _ = self._sample(labels, now)
            loss = tf.reduce_mean(tf.square(made - target))
        self._follow(tape.gradient(loss, self.g_optimizer.parameters), now)
        return loss

    def _fitness(self, labels: tf.Tensor, now: Context, real: list[tf.Tensor]) -> _Fitness:
        """The current generator's fitness; ``real`` is the result of `_gradient_on_real`."""
        made, named = self._sample(labels, now)
        if not self._by_gradient:
            logits = self._logits(made, named, now, draws.FAKE_FITNESS)[0]
            return _Fitness(tf.reduce_mean(logits), tf.reduce_mean(_differences(made)))
        with tf.GradientTape() as tape:
            logits = self._logits(made, named, now, draws.FAKE_FITNESS)[0]
            loss = tf.reduce_mean(tf.nn.softplus(logits))
        gradient = _gradient(tape, loss, self.d_optimizer.parameters)
        norm = tf.linalg.global_norm([a + b for a, b in zip(real, gradient, strict=True)])
        return _Fitness(tf.reduce_mean(tf.sigmoid(logits)), -tf.math.log(norm + _TINY))

    def _gradient_on_real(self, batch: Batch, now: Context) -> list[tf.Tensor]:
        """The gradient of E softplus(-D(x)) by D's weights, on its last update's real images."""
        if not self._by_gradient:
            return []
        with tf.GradientTape() as tape:
            logits = self._logits(scaled(batch.images), batch.labels, now, draws.REAL_FITNESS)[0]
            loss = tf.reduce_mean(tf.nn.softplus(-logits))
        return _gradient(tape, loss, self.d_optimizer.parameters)

    def _sample(self, labels: tf.Tensor, now: Context) -> tuple[tf.Tensor, tf.Tensor]:
        """Images and their classes; z is the same for all children."""
        named = tf.concat([labels] * self._samples, axis=0)
        size = self._samples * self._batch_size
        return self._images(named, now, draws.FITNESS, draws.GENERATOR_DROPOUT_FITNESS, size), named

    def _follow(self, gradients: list[tf.Tensor], now: Context) -> None:
        """Update the generator."""
        rate = now.settings["learning_rate"] * now.settings["generator_lr_scale"]
        self._apply(self.g_optimizer, gradients, rate, now, ahead=tf.constant(False))

    def _become(
        self, several: list[tf.Variable], number: tf.Tensor | int, weights: bool = False
    ) -> None:
        """Load one of several into the generator and its optimiser, or only into the generator."""
        for variable, each in list(zip(self._one, several, strict=True))[: self._end(weights)]:
            variable.assign(each[number])

    def _keep(
        self, several: list[tf.Variable], number: tf.Tensor | int, weights: bool = False
    ) -> None:
        """The reverse of `_become`."""
        for variable, each in list(zip(self._one, several, strict=True))[: self._end(weights)]:
            each[number].assign(variable)

    def _end(self, weights: bool) -> int | None:
        return self._weights if weights else None


def _several(count: int, variable: tf.Variable) -> tf.Variable:
    """A variable with room for ``count`` values of another."""
    return tf.Variable(tf.zeros([count, *variable.shape], variable.dtype), trainable=False)


def _sum(quality: tf.Tensor, diversity: tf.Tensor, settings: Values) -> tf.Tensor:
    """The fitness; NaN becomes the lowest fitness."""
    fitness = quality + settings["fitness_weight"] * diversity
    return tf.where(tf.math.is_nan(fitness), -float("inf"), fitness)


def _gradient(
    tape: tf.GradientTape, loss: tf.Tensor, variables: list[tf.Variable]
) -> list[tf.Tensor]:
    zero = tf.UnconnectedGradients.ZERO
    return list(tape.gradient(loss, variables, unconnected_gradients=zero))


def _differences(images: tf.Tensor) -> tf.Tensor:
    """Each image's mean difference in pixels from five others of its batch, float32 [N].

    IE-GAN's code pairs an image with random others. Here they are the next ones, which are just as
    random and never the image itself.
    """
    others = [tf.roll(images, shift, axis=0) for shift in range(1, _PAIRINGS + 1)]
    each = [tf.reduce_mean(tf.abs(images - other), axis=[1, 2, 3]) for other in others]
    return tf.add_n(each) / _PAIRINGS
