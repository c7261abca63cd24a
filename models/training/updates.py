"""The compiled part of training: steps of discriminator updates and one generator update."""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import tensorflow as tf

from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Value
from autogan.core.registry import imported
from autogan.models import draws
from autogan.models.draws import Showing
from autogan.models.networks.layers import iterate_power
from autogan.models.objectives.augmentation import augmented
from autogan.models.objectives.losses import LOSSES, Loss, Values, class_error, smoothed
from autogan.models.objectives.penalties import PENALTIES, PenaltyInput, clip_weights
from autogan.models.training.averages import AveragedGenerator
from autogan.models.training.context import Batch, Batches, Context, Curves
from autogan.models.training.networks import Dropout, Networks
from autogan.models.training.optimizers import OPTIMIZERS, Optimizer, Settings

_MEMORY = 0.99  # decay of the running mean of the discriminator's accuracy
_GUESSING = 0.5  # the accuracy of an untrained discriminator
_RISE = 3.0  # the probability of augmentation can go from 0 to 1 in a third of a training


_Loop = tuple[tf.Tensor, tf.Tensor, Curves]
"""Steps done, whether the losses are finite, and the sums of the curves so far."""


class Updates:
    """The training of two networks: loss, penalty, optimisers, and the processing of images.

    Args:
        networks: the networks.
        factors: the hyperparameters that decide the computation, by name.
        average: the generator with averaged weights, if there is one.
        batch_size: of both networks.
        xla: whether XLA compiles the two updates; it would make the loop around them slower.
    """

    def __init__(
        self,
        networks: Networks,
        factors: Mapping[str, Value],
        average: AveragedGenerator | None,
        batch_size: int,
        xla: bool = False,
    ) -> None:
        self._compiled: Callable[..., Any] = (
            tf.function(jit_compile=True, autograph=False) if xla else _as_it_is
        )
        self.loss = _loss(str(factors["loss"]))
        self._loss_starts = {name: v.numpy() for name, v in self.loss.variables.items()}
        optimizer = OPTIMIZERS[str(factors["optimizer"])]
        generator, discriminator = networks.generator, networks.discriminator
        of_g, of_d = ([v.value for v in n.trainable_variables] for n in (generator, discriminator))
        self.g_optimizer = optimizer(of_g, networks.g_rates)
        self.d_optimizer = optimizer(of_d, networks.d_rates)
        self._networks = networks
        self._factors = factors
        self._penalty = PENALTIES.get(str(factors["penalty"]))
        self._interval = int(factors["penalty_interval"])
        self._average = average
        self._batch_size = batch_size
        self._adapts = bool(factors["augment_target"])
        self._probability = tf.Variable(0.0, trainable=False)
        self._balances = bool(factors["balance"])
        self._accuracy = tf.Variable(_GUESSING, trainable=False)
        classes = factors["condition"] == "auxiliary"
        self.curves = ["d_loss", "d_real", "d_fake"]
        self.curves += ["d_classes"] if classes else []
        self.curves += ["d_penalty"] if self._penalty is not None else []
        self.curves += self.loss.curves
        self.curves += ["augmented"] if self._adapts else []
        self.curves += ["d_accuracy", "d_skipped"] if self._balances else []
        self.g_curves = ["g_loss", *(["g_classes"] if classes else [])]
        self.g_curves += ["g_skipped"] if self._balances else []

    @property
    def variables(self) -> dict[str, tf.Variable]:
        """The state of training except weights and optimisers, by name."""
        own = {"augmentation/probability": self._probability} if self._adapts else {}
        own |= {"balance/accuracy": self._accuracy} if self._balances else {}
        return own | {f"loss/{name}": v for name, v in self.loss.variables.items()}

    def reset(self, seed: int) -> None:
        """Reset everything for a training of that seed; the networks are initialised already."""
        for name, start in self._loss_starts.items():
            self.loss.variables[name].assign(start)
        self._probability.assign(0.0)
        self._accuracy.assign(_GUESSING)
        self.g_optimizer.reset()
        self.d_optimizer.reset()

    def run(
        self,
        batches: Batches,
        seed: tf.Tensor,
        start: tf.Tensor,
        steps: tf.Tensor,
        total: tf.Tensor,
        settings: dict[str, tf.Tensor],
    ) -> tuple[tf.Tensor, Curves]:
        """Train for ``steps`` steps; see `adversarial.Adversarial.train`.

        Loops and conditions are TensorFlow functions: AutoGraph would take longer to read Python's
        than TensorFlow takes to build the graph.
        """
        d_iter = settings["d_iter"]
        discriminator_step = self._compiled(self._discriminator_step)
        generator_step = self._compiled(self._generator_step)

        def step(done: tf.Tensor, finite: tf.Tensor, totals: Curves) -> _Loop:
            rate = batches.rates[done]
            noise = settings["input_noise"] * batches.fading[done]
            end = (done + 1) * d_iter

            def update(number: tf.Tensor, losses: Curves) -> tuple[tf.Tensor, Curves]:
                now = Context(seed, start * d_iter + number, settings, rate, noise)
                batch = self._batch(batches, number, done)
                if self._interval == 1:
                    return number + 1, discriminator_step(batch, now, total)
                # The first of every few updates has the penalty for all: StyleGAN2's lazy
                # regularisation (Karras et al., 2020, arXiv:1912.04958, section 3.1). The condition
                # is outside the tape, since XLA cannot differentiate it twice.
                return number + 1, tf.cond(
                    now.update % self._interval == 0,
                    lambda: discriminator_step(batch, now, total, True),
                    lambda: discriminator_step(batch, now, total, False),
                )

            first = done * d_iter, _zeros(self.curves)
            _, losses = tf.while_loop(lambda number, _: number < end, update, first)
            now = Context(seed, start + done, settings, rate, noise)
            last = self._batch(batches, end - 1, done)
            losses = {**losses, **generator_step(last, now)}
            totals = {name: so_far + losses[name] for name, so_far in totals.items()}
            finite = tf.math.is_finite(losses["d_loss"] + losses["g_loss"])
            return done + 1, finite, totals

        nothing = tf.constant(0, tf.int64), tf.constant(True), _zeros(self.curves + self.g_curves)
        done, _, totals = tf.while_loop(
            lambda done, finite, _: tf.logical_and(done < steps, finite), step, nothing
        )
        count = tf.cast(tf.maximum(done, 1), tf.float32)
        return done, {name: sum_ / count for name, sum_ in totals.items()}

    def _discriminator_step(
        self, batch: Batch, now: Context, total: tf.Tensor, penalised: bool = True
    ) -> Curves:
        """One update of D with the random numbers of this update.

        loss = discriminator(D(x), D(G(z))) + class_weight class_error
             + penalty_weight penalty_interval penalty, if the update is ``penalised``

        D's weights descend along its gradient, unless D is too far ahead (`balance`).
        """
        settings, real = now.settings, scaled(batch.images)  # [batch, height, width, channels]
        labels, fake_labels = batch.labels, batch.d_labels  # [batch] each
        fake = self._fake_images(fake_labels, now)  # as real
        iterate_power(self._networks.discriminator)  # once: all passes see the same weights
        with tf.GradientTape() as tape:
            # Logits are [batch, 1]; an auxiliary classifier's class logits are [batch, K].
            real_logits, real_classes = self._logits(real, labels, now, draws.REAL_D)
            fake_logits, fake_classes = self._logits(fake, fake_labels, now, draws.FAKE_D)
            if self._factors["label_smoothing"]:
                shares = draws.uniform([2, self._batch_size, 1], now.draw(draws.SMOOTHING))
                most = settings["label_smoothing"]  # for real images, and for generated ones
                loss = smoothed(self.loss, real_logits, fake_logits, most, shares)
            else:
                loss = self.loss.discriminator(real_logits, fake_logits, settings)
            # Further terms, before their weights; a lazy penalty counts for all updates.
            parts: Curves = {} if self._penalty is None else {"d_penalty": tf.zeros([])}
            if self._factors["condition"] == "auxiliary":
                error = class_error(real_classes, labels) + class_error(fake_classes, fake_labels)
                loss += settings["class_weight"] * error
                parts["d_classes"] = error
            if self._penalty is not None and penalised:
                penalty = self._penalty(self._penalty_input(real, fake, labels, fake_labels, now))
                loss += settings["penalty_weight"] * self._interval * penalty
                parts["d_penalty"] = self._interval * penalty
        gradients = tape.gradient(loss, self.d_optimizer.parameters)
        balance = self._follow_accuracy(real_logits, fake_logits, settings)
        ahead = self._accuracy > settings["balance"]
        self._apply(self.d_optimizer, gradients, settings["learning_rate"], now, ahead)
        if self._factors["penalty"] == "clipping":
            clip_weights(self.d_optimizer.parameters, settings["clip"])
        judged = {"d_real": tf.reduce_mean(real_logits), "d_fake": tf.reduce_mean(fake_logits)}
        curves = {"d_loss": loss, **judged, **parts}
        curves |= self.loss.updated(real_logits, fake_logits, settings) | balance
        return curves | self._adapt_augmentation(real_logits, fake_logits, settings, total)

    def _generator_step(self, batch: Batch, now: Context) -> Curves:
        """One update of G and of its average; the real images are those of D's last update.

        loss = generator(D(x), D(G(z))) + generator_class_weight class_error

        G's weights descend along its gradient, unless G is too far ahead (`balance`).
        """
        labels, settings = batch.g_labels, now.settings
        with tf.GradientTape() as tape:
            # [batch, height, width, channels], then [batch, 1] and [batch, K]
            images = self._images(labels, now, draws.LATENT_G, draws.GENERATOR_DROPOUT_G)
            logits, classes = self._logits(images, labels, now, draws.FAKE_G)
            loss = self.loss.generator(self._real_logits(batch, now), logits, settings)
            parts: Curves = {}
            if self._factors["condition"] == "auxiliary":
                parts["g_classes"] = class_error(classes, labels)
                loss += settings["generator_class_weight"] * parts["g_classes"]
        gradients = tape.gradient(loss, self.g_optimizer.parameters)
        rate = settings["learning_rate"] * settings["generator_lr_scale"]
        ahead = self._accuracy < 1.0 - settings["balance"]
        self._apply(self.g_optimizer, gradients, rate, now, ahead)
        if self._average is not None:
            self._average.follow(settings["ema"], now.update)
        return {"g_loss": loss, **parts, **self._skip_curve("g_skipped", ahead)}

    def _real_logits(self, batch: Batch, now: Context) -> tf.Tensor | None:
        """D's logits for the real images, [batch, 1]; None if the loss does not need them."""
        if not self.loss.compares:
            return None
        return self._logits(scaled(batch.images), batch.labels, now, draws.REAL_G)[0]

    def _penalty_input(
        self,
        real: tf.Tensor,
        fake: tf.Tensor,
        labels: tf.Tensor,
        fake_labels: tf.Tensor,
        now: Context,
    ) -> PenaltyInput:
        """A penalty's input."""

        def plain(images: tf.Tensor) -> tf.Tensor:
            return self._networks.logits(images, labels, now.dropout(draws.BETWEEN), training=True)[
                0
            ]

        return PenaltyInput(
            real,
            fake,
            of_real=lambda images: self._logits(images, labels, now, draws.REAL_D)[0],
            of_fake=lambda images: self._logits(images, fake_labels, now, draws.FAKE_D)[0],
            plain=plain,
            alpha=draws.uniform([self._batch_size, 1, 1, 1], now.draw(draws.ALPHA)),
            noise=draws.uniform(tf.shape(real), now.draw(draws.PERTURBATION)),
            kernels=[v for v in self.d_optimizer.parameters if v.shape.rank > 1],
        )

    def _fake_images(self, labels: tf.Tensor, now: Context) -> tf.Tensor:
        """Generated images for D, float32 [batch, height, width, channels]."""
        return self._images(labels, now, draws.LATENT_D, draws.GENERATOR_DROPOUT_D)

    def _images(
        self, labels: tf.Tensor, now: Context, stream: int, dropout: int, size: int | None = None
    ) -> tf.Tensor:
        """Generated images, float32 [size or batch, height, width, channels]."""
        shape = [size or self._batch_size, self._networks.shape.z_dim]
        z = draws.normal(shape, now.draw(stream))  # [size, z_dim]
        drops = Dropout(now.settings["generator_dropout"], now.draw(dropout))
        return self._networks.images(self._networks.inputs(z, labels, drops))

    def _logits(
        self, images: tf.Tensor, labels: tf.Tensor, now: Context, showing: Showing
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """D's logits for images, [batch, 1], and for their classes, [batch, K] or None.

        Augmentation, noise and dropout are applied.
        """
        policy = str(self._factors["augment"])
        if policy != "none":
            probability = now.settings["augment_probability"]
            if self._adapts:
                probability = self._probability
            images = augmented(images, policy, probability, now.draw(showing.augmentation))
        if self._factors["input_noise"]:
            normal = draws.normal(tf.shape(images), now.draw(showing.noise))
            images += now.noise * normal
        return self._networks.logits(images, labels, now.dropout(showing), training=True)

    def _adapt_augmentation(
        self, real: tf.Tensor, fake: tf.Tensor, settings: Values, total: tf.Tensor
    ) -> Curves:
        """Adapt the probability of augmentation to D's confidence.

        ADA (Karras et al., 2020, arXiv:2006.06676, section 3): it rises while the mean sign of D's
        logits on real images, relative to the border between real and generated, is greater than
        ``augment_target``, and falls while it is less. A relativistic D has no border; there it is
        the sign of D's preference for the real image.
        """
        if not self._adapts:
            return {}
        against = fake if self.loss.compares else self.loss.border
        sure = tf.reduce_mean(tf.sign(real - against))
        pace = _RISE / tf.cast(total * settings["d_iter"], tf.float32)
        moved = self._probability + pace * tf.sign(sure - settings["augment_target"])
        most = settings["augment_probability"]
        self._probability.assign(tf.clip_by_value(moved, 0.0, most))
        return {"augmented": self._probability.read_value()}

    def _follow_accuracy(self, real: tf.Tensor, fake: tf.Tensor, settings: Values) -> Curves:
        """Update the mean accuracy of D, which decides on skips; return it and the share of skips.

        The accuracy is the mean of the shares of real and generated images that D classifies
        correctly; for a relativistic D, the share of pairs in which it prefers the real image.
        """
        if not self._balances:
            return {}
        if self.loss.compares:
            right = tf.reduce_mean(tf.cast(real > fake, tf.float32))
        else:
            correct = [real > self.loss.border, fake < self.loss.border]
            right = tf.reduce_mean(tf.cast(correct, tf.float32))
        self._accuracy.assign(_MEMORY * self._accuracy + (1.0 - _MEMORY) * right)
        now = self._accuracy.read_value()
        return {"d_accuracy": now, **self._skip_curve("d_skipped", now > settings["balance"])}

    def _skip_curve(self, name: str, ahead: tf.Tensor) -> Curves:
        """The curve of a network's skipped updates."""
        return {name: tf.cast(ahead, tf.float32)} if self._balances else {}

    def _apply(
        self,
        optimizer: Optimizer,
        gradients: Sequence[tf.Tensor],
        rate: tf.Tensor,
        now: Context,
        ahead: tf.Tensor,
    ) -> None:
        """Update a network, unless it is too far ahead of the other."""
        own = Settings(rate * now.rate, now.settings["beta1"], now.settings["beta2"])
        if not self._balances:
            optimizer.apply(gradients, own)
            return

        def update() -> tf.Tensor:
            optimizer.apply(gradients, own)
            return tf.constant(True)

        tf.cond(ahead, lambda: tf.constant(False), update)

    def _batch(self, batches: Batches, d_update: tf.Tensor, g_update: tf.Tensor) -> Batch:
        """The batch of the updates with these numbers, counted from the beginning of the call."""
        size = self._batch_size
        of_d, of_g = (slice(n * size, (n + 1) * size) for n in (d_update, g_update))
        images = tf.gather(batches.images, batches.places[of_d])
        images = tf.ensure_shape(images, [size, *images.shape[1:]])
        return Batch(images, batches.labels[of_d], batches.d_labels[of_d], batches.g_labels[of_g])


def _zeros(names: Sequence[str]) -> Curves:
    return {name: tf.constant(0.0) for name in names}


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def scaled(images: tf.Tensor) -> tf.Tensor:
    """uint8 images as float32 in [-1, 1]."""
    return tf.cast(images, tf.float32) / 127.5 - 1.0


def _loss(name: str) -> Loss:
    """A new instance of the loss that a GAN type names."""
    kind = LOSSES[name] if name in LOSSES else imported("loss", name, Loss)
    if len(signature(kind.generator).parameters) != len(signature(Loss.generator).parameters):
        raise ConfigError("loss", f"{name}: its generator must take (real, fake, settings)")
    return kind()
