"""Training as a whole: two steps of every GAN type against the same two steps written out here.

The steps written out share no code with `autogan.models`, nor its precision: they run eagerly, in
float64, on tiny networks; the package's own run in float32. What both share is the walk through
the training set (`TrainingSet.order`) and augmentation, which have tests of their own, and
TensorFlow's random numbers.

How far float32 may be from float64 depends on what is computed: where the parts of a gradient
nearly cancel, rounding is a large share of what is left, and Adam makes whole steps of it. So the
steps are written out twice, the second time from numbers that are off by roundings, and what that
changes is part of the tolerance, on whatever processor.
"""

import copy
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from autogan.models import GAN_TYPES
from autogan.models.networks.build import _ARCHITECTURES as ARCHITECTURES
from autogan.models.objectives.augmentation import augmented
from autogan.models.training.batches import TrainingSet

TYPES = list(GAN_TYPES)
BATCH, Z, SIDE, COUNTS = 4, 2, 4, (4, 3, 3)
PIXELS, CLASSES, STEPS, START, TOTAL = SIDE * SIDE, len(COUNTS), 2, 2, 9

LABELS = np.random.default_rng(0).permutation(np.repeat(range(CLASSES), COUNTS))
ATTRIBUTES = np.random.default_rng(2).integers(0, 2, (len(LABELS), 2), np.uint8)
PHOTOS = np.random.default_rng(1).integers(0, 256, (len(LABELS), SIDE, SIDE, 1), np.uint8)

# ---- What the types stand for --------------------------------------------------------------------

_DCGAN = {
    "loss": "non_saturating", "discriminator_norm": "batch", "generator_norm": "batch",
    "penalty": "none", "condition": "none", "autoencoder": False,
}  # fmt: skip
_SNGAN = {**_DCGAN, "loss": "hinge", "discriminator_norm": "spectral"}
WRITTEN_OUT = {
    "gan": _DCGAN,
    "dcgan": _DCGAN,
    "lsgan": {**_DCGAN, "loss": "least_squares"},
    "wgan": {**_DCGAN, "loss": "wasserstein", "penalty": "clipping"},
    "wgan_gp": {
        **_DCGAN, "loss": "wasserstein", "penalty": "gradient_norm", "discriminator_norm": "none",
    },
    "dragan": {**_DCGAN, "penalty": "dragan", "discriminator_norm": "none"},
    "sngan": _SNGAN,
    "sngan_projection": {**_SNGAN, "condition": "projection", "generator_norm": "conditional"},
    "r3gan": {
        **_DCGAN, "loss": "relativistic", "penalty": "r1_r2",
        "discriminator_norm": "none", "generator_norm": "none",
    },
    "began": {**_DCGAN, "loss": "equilibrium", "discriminator_norm": "none", "autoencoder": True},
    "igan": _DCGAN,
    "igan_v2": _DCGAN,
    "evolutionary": _DCGAN,
    "cgan": {**_DCGAN, "condition": "input"},
    "acgan": {**_DCGAN, "condition": "auxiliary"},
}  # fmt: skip

# What a type lets nobody choose, and does not have.
NEITHER = {
    "augment": "none", "augment_target": 0.0, "label_smoothing": 0.0, "input_noise": 0.0,
    "dropout": 0.0, "generator_dropout": 0.0, "ema": 0.0, "statistics": "moving", "balance": 0.0,
    "penalty_interval": 1,
}  # fmt: skip

# ---- Losses, on what D says of real and of generated images, float64 [batch, 1] ------------------

E = tf.reduce_mean


def softplus(x):
    return tf.math.log(1 + tf.exp(x))


def relu(x):
    return tf.maximum(x, 0)


def above_the_mean(high, low):
    """1807.00734, section 4.1.2, with the half of its author's code."""
    return (E(softplus(E(low) - high)) + E(softplus(low - E(high)))) / 2


LOSSES = {
    # 1406.2661: -E log D(x) - E log(1 - D(G(z))), where D is the sigmoid of the logit
    "non_saturating": (
        lambda real, fake, h: E(softplus(-real)) + E(softplus(fake)),
        lambda real, fake: E(softplus(-fake)),
    ),
    "minimax": (
        lambda real, fake, h: E(softplus(-real)) + E(softplus(fake)),
        lambda real, fake: -E(softplus(fake)),
    ),
    # 1611.04076, equation 9
    "least_squares": (
        lambda real, fake, h: E((real - 1) ** 2) / 2 + E(fake**2) / 2,
        lambda real, fake: E((fake - 1) ** 2) / 2,
    ),
    # 1701.07875, algorithm 1
    "wasserstein": (lambda real, fake, h: E(fake) - E(real), lambda real, fake: -E(fake)),
    # 1802.05957, equations 16 and 17
    "hinge": (
        lambda real, fake, h: E(relu(1 - real)) + E(relu(1 + fake)),
        lambda real, fake: -E(fake),
    ),
    # 1807.00734, equations 7 and 8
    "relativistic": (
        lambda real, fake, h: E(softplus(fake - real)),
        lambda real, fake: E(softplus(real - fake)),
    ),
    "relativistic_average": (
        lambda real, fake, h: above_the_mean(real, fake),
        lambda real, fake: above_the_mean(fake, real),
    ),
    # 1703.10717, section 3.4
    "equilibrium": (lambda real, fake, h: E(real) - h.k * E(fake), lambda real, fake: E(fake)),
}


def errors(loss, logits, targets):
    """Each image's part in the loss, if its target is between 0 and 1."""
    if loss == "least_squares":
        return (logits - targets) ** 2 / 2
    return targets * softplus(-logits) + (1 - targets) * softplus(logits)


def cross_entropy(class_logits, labels):
    if labels.ndim == 2:  # of each attribute, whether an image has it
        p = 1 / (1 + tf.exp(-class_logits))
        return -E(labels * tf.math.log(p) + (1 - labels) * tf.math.log(1 - p))
    p = tf.exp(class_logits) / tf.reduce_sum(tf.exp(class_logits), axis=1, keepdims=True)
    return -E([tf.math.log(p[image, label]) for image, label in enumerate(labels)])


# ---- Networks ------------------------------------------------------------------------------------
#
# No bias stands before a batch normalisation, which would undo it (beyond an activation too, where
# a unit has one sign in a whole batch): its gradient is rounding, and Adam makes whole steps of it.
# Nor is a critic normalised that is clipped: so small, it is linear
# in what is normalised, and its mean over a batch is the same whatever it is shown.


def package_generator(z, shape, parts):
    x = parts.activated(parts.normed(parts.dense(z, 3, bias=False)))
    return ops.tanh(layers.Reshape([SIDE, SIDE, 1])(parts.dense(x, PIXELS)))


def package_discriminator(images, shape, parts):
    x = parts.activated(parts.dense(layers.Flatten()(images), 4, bias=False), 0.2)
    return parts.activated(parts.normed(parts.dense(x, 3, bias=False)), 0.2)


def package_critic(images, shape, parts):
    x = parts.activated(parts.dense(layers.Flatten()(images), 4, bias=False), 0.2)
    return parts.activated(parts.dense(x, 3, bias=False), 0.2)


def package_errors(images, shape):
    flat = layers.Flatten()(images)
    x = layers.LeakyReLU(0.2)(layers.Dense(3)(flat))
    return ops.mean(ops.abs(flat - layers.Dense(PIXELS)(x)), 1, keepdims=True)


class Network:
    """The variables of one of them written out: by a layer and a name, as checkpoints order them.

    Args:
        names: what they are.
        values: of all of them.
    """

    def __init__(self, names, values):
        assert len(names) == len(values), (names, [value.shape for value in values])
        self.variables = {
            name: tf.Variable(value.astype("float64"))
            for name, value in zip(names, values, strict=True)
        }

    def __getitem__(self, name):
        return self.variables[name]

    @property
    def trainable(self):
        still = ("mean", "variance", "u")
        return [v for (_, name), v in self.variables.items() if name not in still]

    def dense(self, x, layer):
        kernel = self[layer, "kernel"]
        if (layer, "u") in self.variables:  # W / |W u|, and u does not learn
            kernel = kernel / tf.norm(tf.linalg.matvec(kernel, self[layer, "u"]))
        x = x @ kernel
        return x + self[layer, "bias"] if (layer, "bias") in self.variables else x

    def iterated(self):
        """One power iteration: u becomes W^T W u, of length 1."""
        for (layer, name), u in self.variables.items():
            if name == "u":
                kernel = self[layer, "kernel"].numpy()
                v = kernel.T @ (kernel @ u.numpy())
                u.assign(v / np.linalg.norm(v))

    def normed(self, x, norm, labels, training, momentum=0.9):
        if norm in ("none", "spectral"):
            return x
        gamma, beta = self["norm", "gamma"], self["norm", "beta"]
        axis = 1 if norm == "layer" else 0
        mean = tf.reduce_mean(x, axis, keepdims=True)
        variance = tf.reduce_mean((x - mean) ** 2, axis, keepdims=True)
        if norm != "layer" and training:
            for name, new in (("mean", mean), ("variance", variance)):
                moving = self["norm", name]
                moving.assign(momentum * moving + (1 - momentum) * new[0])
        elif norm != "layer":
            mean, variance = self["norm", "mean"], self["norm", "variance"]
        if norm == "conditional":  # of attributes, gamma is what each adds to a scale of 1
            given = vectors(labels)
            gamma, beta = given @ gamma + (1 if labels.ndim == 2 else 0), given @ beta
        return (x - mean) / tf.sqrt(variance + 1e-5) * gamma + beta


_NORMS = {"batch": ("gamma", "beta", "mean", "variance"), "layer": ("gamma", "beta")}
_NORMS["conditional"] = _NORMS["batch"]


def generator_names(f):
    norm = [("norm", name) for name in _NORMS.get(f["generator_norm"], ())]
    return [("first", "kernel"), *norm, ("last", "kernel"), ("last", "bias")]


def discriminator_names(f):
    def layer(name, bias=True):
        spectral = f["discriminator_norm"] == "spectral"
        wanted = ["kernel", *["bias"] * bias, *["u"] * spectral]
        return [(name, part) for part in wanted]

    if f["autoencoder"]:
        return layer("first") + layer("last")
    names = layer("first", bias=False) + layer("second", bias=False)
    if f["penalty"] != "clipping":
        names += [("norm", name) for name in _NORMS.get(f["discriminator_norm"], ())]
    if f["condition"] == "projection":
        names += layer("embedding", bias=False)
    names += layer("last")
    return names + (layer("classes") if f["condition"] == "auxiliary" else [])


def vectors(labels):
    """One-hot classes; attributes as they are."""
    return tf.constant(np.eye(CLASSES)[labels] if labels.ndim == 1 else labels.astype("float64"))


def dropped(x, rate, seed, layer):
    """A share of the activations is 0, and the others grow so that the mean stays."""
    if not rate:
        return x
    own = tf.random.experimental.stateless_fold_in(seed, layer)
    kept = tf.random.stateless_uniform(x.shape, own).numpy() >= np.float32(rate)
    return x * kept / (1 - rate)


def made_by(network, h, z, labels, seed=None, training=True, momentum=0.9):
    """Generated images, float64 [batch, PIXELS]; without a seed, without dropout."""
    if h.condition != "none" and h.generator_norm != "conditional":
        z = tf.concat([z, vectors(labels)], axis=1)
    x = network.normed(network.dense(z, "first"), h.generator_norm, labels, training, momentum)
    x = dropped(relu(x), h.generator_dropout if seed is not None else 0, seed, 0)
    return tf.tanh(network.dense(x, "last"))


def judged_by(network, h, pixels, labels, seed):
    """D's logits (an auto-encoder's errors), and its class logits where it has them."""

    def leaky(x):
        return tf.maximum(x, 0.2 * x)

    if h.autoencoder:
        decoded = network.dense(leaky(network.dense(pixels, "first")), "last")
        return tf.reduce_mean(tf.abs(pixels - decoded), axis=1, keepdims=True), None
    x = pixels
    if h.condition == "input":  # after each pixel its class
        planes = tf.repeat(vectors(labels)[:, None], PIXELS, axis=1)
        x = tf.reshape(tf.concat([x[:, :, None], planes], axis=2), [len(labels), -1])
    x = dropped(leaky(network.dense(x, "first")), h.dropout, seed, 0)
    norm = "none" if h.penalty == "clipping" else h.discriminator_norm
    x = network.normed(network.dense(x, "second"), norm, labels, training=True)
    x = dropped(leaky(x), h.dropout, seed, 1)
    logits = network.dense(x, "last")
    if h.condition == "projection":
        embedded = network.dense(vectors(labels), "embedding")
        logits += tf.reduce_sum(embedded * x, axis=1, keepdims=True)
    return logits, network.dense(x, "classes") if h.condition == "auxiliary" else None


# ---- The optimisers ------------------------------------------------------------------------------


class Adam:
    """1412.6980, in the order of the end of its section 2, with TensorFlow's epsilon."""

    def __init__(self, variables):
        self.variables, self.t = variables, 0
        self.m = [np.zeros(variable.shape) for variable in variables]
        self.v = [np.zeros(variable.shape) for variable in variables]

    def descend(self, gradients, rate, h):
        self.t += 1
        rate *= np.sqrt(1 - h.beta2**self.t) / (1 - h.beta1**self.t)
        for n, (variable, g) in enumerate(zip(self.variables, gradients, strict=True)):
            self.m[n] = h.beta1 * self.m[n] + (1 - h.beta1) * g.numpy()
            self.v[n] = h.beta2 * self.v[n] + (1 - h.beta2) * g.numpy() ** 2
            variable.assign(variable - rate * self.m[n] / (np.sqrt(self.v[n]) + 1e-7))

    def state(self):
        return [self.t, *(mean for pair in zip(self.m, self.v, strict=True) for mean in pair)]


class RMSProp:
    """Tieleman and Hinton, 2012, with epsilon beside the root, as in WGAN's own code."""

    def __init__(self, variables):
        self.variables, self.t = variables, 0
        self.v = [np.zeros(variable.shape) for variable in variables]

    def descend(self, gradients, rate, h):
        self.t += 1
        for n, (variable, g) in enumerate(zip(self.variables, gradients, strict=True)):
            self.v[n] = h.beta2 * self.v[n] + (1 - h.beta2) * g.numpy() ** 2
            variable.assign(variable - rate * g.numpy() / (np.sqrt(self.v[n]) + 1e-8))

    def state(self):
        return [self.t, *self.v]


class SGD:
    def __init__(self, variables):
        self.variables, self.t = variables, 0

    def descend(self, gradients, rate, h):
        self.t += 1
        for variable, g in zip(self.variables, gradients, strict=True):
            variable.assign(variable - rate * g.numpy())

    def state(self):
        return [self.t]


OPTIMIZERS = {"adam": Adam, "rmsprop": RMSProp, "sgd": SGD}

# ---- The steps -----------------------------------------------------------------------------------

# Streams of random numbers. Update n draws with the seed [trial's, 4 n + stream].
_APART = 2**40
Z_D, Z_G, ALPHA, EVALUATION = 1, 2, 3, 4
PERTURBATION, SMOOTHING, DROPOUT_IN_MAKING_D, DROPOUT_IN_MAKING_G = (
    _APART * number for number in (1, 2, 3, 4)
)
# Of each showing of images the first of three: augmentation, noise, dropout.
REAL_D, FAKE_D, BETWEEN, REAL_G, FAKE_G = (_APART * number for number in (5, 8, 11, 14, 17))
REAL_FITNESS, FAKE_FITNESS, Z_FITNESS, DROPOUT_IN_MAKING_FITNESS = (
    _APART * number for number in (20, 23, 26, 27)
)


class Images(NamedTuple):
    pixels: tf.Tensor  # float64 [batch, PIXELS], in [-1, 1]
    labels: np.ndarray  # [batch]


def share_of_rate(h, t):
    """What a schedule leaves of the learning rates at step t of TOTAL."""
    left = 1 - t / TOTAL
    ending = {
        "linear": left,
        "polynomial": left**h.schedule_power,
        "cosine": (1 + np.cos(np.pi * t / TOTAL)) / 2,
        "inverse": 1 / (1 + h.schedule_speed * t),
    }
    if h.schedule in ending:
        return h.schedule_end + (1 - h.schedule_end) * ending[h.schedule]
    if h.schedule == "step":
        return h.schedule_factor ** int(t / TOTAL * (h.schedule_drops + 1))
    return 1.0


class Training:
    """Two networks in training, and all that is remembered beside them.

    Args:
        h: all factors by name; k of an equilibrium.
        state: what the package begins with.
        seed: of the trial.
        off: whether weights and random numbers are off by a rounding.
        labels: of the photos: classes, or attributes.
    """

    def __init__(self, h, state, seed, off=False, labels=LABELS):
        self.labels = labels
        self.off, self.signs = off, np.random.default_rng(seed)
        state = {name: self.rounded(value) for name, value in state.items()}

        def of(network):
            return [value for name, value in state.items() if name.startswith(f"{network}/")]

        self.h, self.seed, self.data = h, seed, TrainingSet(PHOTOS, labels)
        self.G = Network(generator_names(vars(h)), of("generator"))
        self.D = Network(discriminator_names(vars(h)), of("discriminator"))
        self.averages = bool(h.ema) or h.statistics == "measured"
        self.shown = Network(generator_names(vars(h)), of("average")) if self.averages else self.G
        self.g_optimizer = OPTIMIZERS[h.optimizer](self.G.trainable)
        self.d_optimizer = OPTIMIZERS[h.optimizer](self.D.trainable)
        self.probability = float(state.get("augmentation/probability", 0))
        knows_right = h.loss not in ("wasserstein", "equilibrium")
        self.balance = h.balance if knows_right else 0
        self.accuracy = float(state.get("balance/accuracy", 0))
        self.curves = {}

    def rounded(self, values):
        """As they are, or off by a rounding: of what is drawn and held in float32."""
        if not self.off:
            return values
        errors = 2.0**-22 * self.signs.choice([-1, 1], np.shape(values))
        return values * (1 + errors) if np.issubdtype(values.dtype, np.floating) else values

    def drawn(self, draw, shape, stream, number):
        values = draw(shape, self.seed_of(stream, number)).numpy()
        return tf.constant(self.rounded(values.astype("float64")))

    def seed_of(self, stream, number):
        return tf.constant([self.seed, 4 * number + stream], tf.int64)

    def batch_of(self, walk, number):
        """The indices of the batch with that number in walk 0 (real), 1 (D's labels), 2 (G's)."""
        return self.data.order(self.seed, walk, number * BATCH, BATCH)

    def real(self, number):
        places = self.batch_of(0, number)
        pixels = PHOTOS[places].reshape(BATCH, PIXELS) / 127.5 - 1
        return Images(tf.constant(pixels), self.labels[places])

    def made(self, labels, stream, dropout, number, size=BATCH):
        z = self.drawn(tf.random.stateless_normal, [size, Z], stream, number)
        seed = self.seed_of(dropout, number)
        return Images(made_by(self.G, self.h, z, labels, seed), labels)

    def fakes(self, labels, number):
        return self.made(labels, Z_D, DROPOUT_IN_MAKING_D, number)

    def judged(self, images, showing, number, fading):
        """What D says of T(images) plus noise."""
        h, pixels = self.h, images.pixels
        if h.augment != "none":
            probability = self.probability if h.augment_target else h.augment_probability
            pixels = tf.reshape(tf.cast(pixels, tf.float32), [-1, SIDE, SIDE, 1])
            seed = self.seed_of(showing, number)
            pixels = augmented(pixels, h.augment, tf.constant(probability, tf.float32), seed)
            pixels = tf.cast(tf.reshape(pixels, [-1, PIXELS]), tf.float64)
        if h.input_noise:
            shape, stream = [len(pixels), SIDE, SIDE, 1], showing + _APART
            noise = self.drawn(tf.random.stateless_normal, shape, stream, number)
            pixels += h.input_noise * fading * tf.reshape(noise, [-1, PIXELS])
        return judged_by(
            self.D, h, pixels, images.labels, self.seed_of(showing + 2 * _APART, number)
        )

    def penalty(self, x, made, number, fading):
        """The term of the loss, by its name; without its weight."""
        h = self.h
        alpha = self.drawn(tf.random.stateless_uniform, [BATCH, 1, 1, 1], ALPHA, number)
        alpha = tf.reshape(alpha, [BATCH, 1])
        shape = [BATCH, SIDE, SIDE, 1]
        noise = self.drawn(tf.random.stateless_uniform, shape, PERTURBATION, number)
        deviation = tf.math.reduce_std(x.pixels)  # of all pixels of the batch
        near = x.pixels + alpha * deviation / 2 * tf.reshape(noise, [BATCH, PIXELS])
        between = (1 - alpha) * x.pixels + alpha * made.pixels

        def beside(pixels):  # as it is, with the labels of the real images
            seed = self.seed_of(BETWEEN + 2 * _APART, number)
            return judged_by(self.D, h, pixels, x.labels, seed)[0]

        def squared(judge, pixels):
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                said = judge(pixels)
            return tf.reduce_sum(tape.gradient(said, pixels) ** 2, axis=1)

        def norm(pixels):
            return tf.sqrt(squared(beside, pixels) + 1e-12)

        def half_at(images, showing):
            def judge(pixels):
                return self.judged(Images(pixels, images.labels), showing, number, fading)[0]

            return E(squared(judge, images.pixels)) / 2

        kernels = [v for (_, name), v in self.D.variables.items() if name == "kernel"]
        terms = {
            "gradient_norm": lambda: E((norm(between) - 1) ** 2),  # 1704.00028, algorithm 1
            "one_sided": lambda: E(relu(norm(between) - 1) ** 2),
            "zero_centred": lambda: E(squared(beside, between)),
            "dragan": lambda: E((norm(near) - 1) ** 2),  # 1705.07215
            "r1": lambda: half_at(x, REAL_D),  # 1801.04406, equations 9 and 10
            "r2": lambda: half_at(made, FAKE_D),
            "r1_r2": lambda: half_at(x, REAL_D) + half_at(made, FAKE_D),
            "l2": lambda: sum(tf.reduce_sum(w**2) / 2 for w in kernels) / len(kernels),
        }
        return terms[h.penalty]()

    def discriminator_step(self, number, rate, fading):
        h = self.h
        x = self.real(number)
        made = self.fakes(self.labels[self.batch_of(1, number)], number)
        self.D.iterated()
        with tf.GradientTape() as tape:
            real, real_classes = self.judged(x, REAL_D, number, fading)
            fake, fake_classes = self.judged(made, FAKE_D, number, fading)
            if h.label_smoothing and h.loss in ("non_saturating", "minimax", "least_squares"):
                u = self.drawn(tf.random.stateless_uniform, [2, BATCH, 1], SMOOTHING, number)
                loss = E(errors(h.loss, real, 1 - h.label_smoothing * u[0]))
                loss += E(errors(h.loss, fake, h.label_smoothing * u[1]))
            else:
                loss = LOSSES[h.loss][0](real, fake, h)
            parts = {"d_real": float(E(real)), "d_fake": float(E(fake))}
            if h.condition == "auxiliary":  # 1610.09585: each image by its own class
                told = cross_entropy(real_classes, x.labels)
                loss += h.class_weight * (told + cross_entropy(fake_classes, made.labels))
                parts["d_classes"] = float(told + cross_entropy(fake_classes, made.labels))
            if h.penalty not in ("none", "clipping"):
                parts["d_penalty"] = 0.0
                # 1912.04958, section 3.1: the first update of each interval
                interval = 1 if h.penalty == "l2" else h.penalty_interval
                if number % interval == 0:
                    penalty = self.penalty(x, made, number, fading)
                    loss += h.penalty_weight * interval * penalty
                    parts["d_penalty"] = interval * float(penalty)
        gradients = tape.gradient(loss, self.D.trainable)
        if self.balance:  # of a relativistic D, the share of pairs that it has in the right order
            middle = 0.5 if h.loss == "least_squares" else 0
            right = (real > fake) if h.loss.startswith("relativistic") else [
                real > middle, fake < middle
            ]  # fmt: skip
            self.accuracy = 0.99 * self.accuracy + 0.01 * np.mean(right)
        ahead = bool(self.balance) and self.accuracy > self.balance
        if not ahead:
            self.d_optimizer.descend(gradients, h.learning_rate * rate, h)
        if h.penalty == "clipping":
            for variable in self.D.trainable:
                variable.assign(np.clip(variable, -h.clip, h.clip))
        self.curves = {"d_loss": float(loss), **parts}
        if h.loss == "equilibrium":  # k of the next update, and the measure of section 3.4.1
            balance = float(h.gamma * E(real) - E(fake))
            h.k = min(max(h.k + h.lambda_k * balance, 0), 1)
            self.curves |= {"k": h.k, "convergence": float(E(real)) + abs(balance)}
        if h.augment != "none" and h.augment_target:
            relative = h.loss.startswith("relativistic")
            sure = np.sign(real - fake if relative else real).mean()
            self.probability += np.sign(sure - h.augment_target) * 3 / (TOTAL * h.d_iter)
            self.probability = min(max(self.probability, 0), h.augment_probability)
            self.curves["augmented"] = self.probability
        if self.balance:
            self.curves |= {"d_accuracy": self.accuracy, "d_skipped": ahead}

    def generator_step(self, step, rate, fading):
        h = self.h
        labels, last = self.labels[self.batch_of(2, step)], (step + 1) * h.d_iter - 1
        with tf.GradientTape() as tape:
            made = self.made(labels, Z_G, DROPOUT_IN_MAKING_G, step)
            fake, classes = self.judged(made, FAKE_G, step, fading)
            real = None
            if h.loss.startswith("relativistic"):
                real, _ = self.judged(self.real(last), REAL_G, step, fading)
            loss = LOSSES[h.loss][1](real, fake)
            if h.condition == "auxiliary":
                self.curves["g_classes"] = float(cross_entropy(classes, labels))
                loss += h.generator_class_weight * cross_entropy(classes, labels)
        gradients = tape.gradient(loss, self.G.trainable)
        rate *= h.learning_rate * h.generator_lr_scale
        ahead = bool(self.balance) and self.accuracy < 1 - self.balance
        if not ahead:
            self.g_optimizer.descend(gradients, rate, h)
        self.curves["g_loss"] = float(loss)
        if self.balance:
            self.curves["g_skipped"] = ahead
        self.average(step)

    def average(self, step):
        if self.averages:
            keep = min(self.h.ema, (1 + step) / (10 + step))
            for name, mean in self.shown.variables.items():
                mean.assign(keep * mean + (1 - keep) * self.G[name])

    def measure(self):
        """Statistics of 16 batches, whose images' classes are as frequent as in the data."""
        latents, labels = self.latents(16 * BATCH, 3)
        for n in range(16):
            own = slice(n, None, 16)
            made_by(self.shown, self.h, latents[own], labels[own], None, True, n / (n + 1))

    def latents(self, count, seed):
        z = tf.random.stateless_normal([count, Z], tf.constant([seed, EVALUATION], tf.int64))
        if self.labels.ndim == 2:
            places = [n * len(self.labels) // count for n in range(count)]
            return tf.cast(z, tf.float64), self.labels[places]
        shares = np.cumsum(COUNTS) / np.sum(COUNTS)
        return tf.cast(z, tf.float64), np.searchsorted(shares, (np.arange(count) + 0.5) / count)

    def run(self):
        """Two steps, from step START on; the losses to report."""
        reported = []
        for step in range(START, START + STEPS):
            rate, fading = share_of_rate(self.h, step), 1 - step / TOTAL
            for number in range(step * self.h.d_iter, (step + 1) * self.h.d_iter):
                self.discriminator_step(number, rate, fading)
            self.generator_step(step, rate, fading)
            reported.append(self.curves)
        if self.h.statistics == "measured":
            self.measure()
        return {name: np.mean([losses[name] for losses in reported]) for name in reported[0]}

    def state(self, names):
        """By the names of a checkpoint."""
        values = [*self.G.variables.values(), *self.D.variables.values()]
        values += self.shown.variables.values() if self.averages else []
        values += [*self.g_optimizer.state(), *self.d_optimizer.state()]
        if self.h.augment != "none" and self.h.augment_target:
            values.append(self.probability)
        if self.balance:
            values.append(self.accuracy)
        if self.h.loss == "equilibrium":
            values.append(self.h.k)
        return dict(zip(names, [np.asarray(value) for value in values], strict=True))


class Individual(NamedTuple):
    """A generator, and its optimiser."""

    G: Network
    optimizer: object

    def copy(self):
        names, values = zip(*self.G.variables.items(), strict=True)
        network = Network(names, [value.numpy() for value in values])
        optimizer = type(self.optimizer)(network.trainable)
        for name, value in vars(self.optimizer).items():
            if name != "variables":
                setattr(optimizer, name, copy.deepcopy(value))
        return Individual(network, optimizer)

    def values(self):
        return [*self.G.variables.values(), *self.optimizer.state()]


class Evolving(Training):
    """1803.00657, algorithm 1; the arguments are those of `Training`."""

    def __init__(self, h, state, seed, off=False, labels=LABELS):
        super().__init__(h, state, seed, off, labels)
        names = generator_names(vars(h))
        rows = [value for name, value in state.items() if name.startswith("survivors/")]
        self.survivors = []
        for number in range(h.survivors):
            network = Network(names, [row[number] for row in rows[: len(names)]])
            optimizer = OPTIMIZERS[h.optimizer](network.trainable)
            self.survivors.append(Individual(network, optimizer))
        self.become(self.survivors[0])

    def become(self, individual):
        self.G, self.g_optimizer = individual
        self.shown = self.shown if self.averages else self.G

    def fakes(self, labels, number):
        """As many of each survivor."""
        many, size = self.h.survivors, BATCH // self.h.survivors
        pixels = []
        for n, one in enumerate(self.survivors):
            self.become(one)
            own = labels[n * size : (n + 1) * size]
            made = self.made(own, Z_D, DROPOUT_IN_MAKING_D, number * many + n, size)
            pixels.append(made.pixels)
        self.become(self.survivors[0])
        return Images(tf.concat(pixels, 0), labels)

    def sample(self, labels, step):
        """What fitness is found by: the same z for all."""
        labels = np.concatenate([labels] * self.h.fitness_batches)
        return self.made(labels, Z_FITNESS, DROPOUT_IN_MAKING_FITNESS, step, len(labels))

    def fitness(self, labels, step, fading, of_real):
        made = self.sample(labels, step)
        with tf.GradientTape() as tape:
            said = self.judged(made, FAKE_FITNESS, step, fading)[0]
            loss = E(softplus(said))
        if self.h.fitness == "iegan":
            return np.mean(said), np.mean(differences(made.pixels))
        of_fake = tape.gradient(loss, self.D.trainable)
        both = [(a, b) for a, b in zip(of_real, of_fake, strict=True) if a is not None]
        squares = [np.sum((a + b) ** 2) for a, b in both]
        return np.mean(1 / (1 + np.exp(-said))), -np.log(np.sqrt(sum(squares)))

    def crossed(self, fitter, other, labels, step, fading):
        """The fitter one after an update towards the better image of each z."""
        best = None
        for child in (other, fitter.copy()):
            self.become(child.copy() if child is other else child)
            made = self.sample(labels, step)
            said = self.judged(made, FAKE_FITNESS, step, fading)[0].numpy()[:, 0]
            merit = said + 0.001 * differences(made.pixels)
            if best is None:
                best = merit, made.pixels
            else:
                target = tf.where((best[0] > merit)[:, None], best[1], made.pixels)
        with tf.GradientTape() as tape:
            loss = E((self.sample(labels, step).pixels - target) ** 2)
        return tape, loss

    def generator_step(self, step, rate, fading):
        h, labels = self.h, self.labels[self.batch_of(2, step)]
        rate *= h.learning_rate * h.generator_lr_scale
        of_real = None
        if h.fitness == "egan":
            x = self.real((step + 1) * h.d_iter - 1)
            with tf.GradientTape() as tape:
                loss = E(softplus(-self.judged(x, REAL_FITNESS, step, fading)[0]))
            of_real = tape.gradient(loss, self.D.trainable)
        children = []

        def born(tape, loss, kind):
            self.g_optimizer.descend(tape.gradient(loss, self.G.trainable), rate, h)
            quality, diversity = self.fitness(labels, step, fading, of_real)
            child = Individual(self.G, self.g_optimizer)
            children.append((quality + h.fitness_weight * diversity, kind, child,
                             float(loss), quality, diversity))  # fmt: skip

        for n, parent in enumerate(self.survivors):
            for kind in ("minimax", "non_saturating", "least_squares"):
                self.become(parent.copy())
                number = step * h.survivors + n
                with tf.GradientTape() as tape:
                    made = self.made(labels, Z_G, DROPOUT_IN_MAKING_G, number)
                    said, classes = self.judged(made, FAKE_G, number, fading)
                    if kind == "least_squares":  # of the output, not of the logit
                        loss = E((1 / (1 + tf.exp(-said)) - 1) ** 2)
                    else:
                        loss = LOSSES[kind][1](None, said)
                    if h.condition == "auxiliary":
                        loss += h.generator_class_weight * cross_entropy(classes, labels)
                born(tape, loss, kind)

        def fittest():
            return sorted(children, key=lambda child: -child[0])

        if h.crossover == "distilled":
            pair = [child[2] for child in fittest()[:2]]
            born(*self.crossed(*pair, labels, step, fading), "crossover")
        best = fittest()[: h.survivors]
        self.survivors = [child[2].copy() for child in best]
        self.become(self.survivors[0])
        self.average(step)
        kinds = ["minimax", "non_saturating", "least_squares"]
        kinds += ["crossover"] if h.crossover == "distilled" else []
        self.curves |= {
            "g_loss": best[0][3],
            "fitness_quality": np.mean([child[4] for child in best]),
            "fitness_diversity": np.mean([child[5] for child in best]),
            **{f"share_{kind}": np.mean([child[1] == kind for child in best]) for kind in kinds},
        }

    def state(self, names):
        names = list(names)
        rows = zip(*[one.values() for one in self.survivors], strict=True)
        survivors = [np.stack([np.asarray(value) for value in row]) for row in rows]
        own = [name for name in names if name.startswith("survivors/")]
        rest = super().state([name for name in names if name not in own])
        return rest | dict(zip(own, survivors, strict=True))


def differences(pixels):
    """The mean absolute difference of each image from the five before it, in a circle."""
    pixels = pixels.numpy()
    return np.mean([np.abs(pixels - np.roll(pixels, n, axis=0)).mean(1) for n in range(1, 6)], 0)


# ---- The comparison ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def build():
    """Builds GANs with tiny networks, each once."""
    gans = {}

    def build(kind, settings, xla=False, labels=LABELS):
        key = (kind, kind.shape_of(settings), xla, labels.ndim)
        if key not in gans:
            clips = kind.factor("penalty", settings) == "clipping"
            judge = package_critic if clips else package_discriminator
            with pytest.MonkeyPatch.context() as patch:
                pair = ARCHITECTURES["infogan"]._replace(
                    generator=package_generator, discriminator=judge
                )
                for name in ("infogan", "igan", "igan_v2"):
                    patch.setitem(ARCHITECTURES, name, pair)
                patch.setattr("autogan.models.networks.autoencoders.infogan_errors", package_errors)
                known = {"class_counts": COUNTS} if labels.ndim == 1 else {"attributes": labels}
                gans[key] = kind.build((SIDE, SIDE, 1), settings, xla=xla, **known)
        return gans[key]

    return build


def check_two_steps(build, kind, changes, seed=5, k=0.4, accuracy=0.549, labels=LABELS):
    """Train from random weights; returns the state, which is the one written out."""
    settings = kind.defaults()
    tiny = {"batch_size": BATCH, "z_dim": Z, "architecture": "infogan"}
    settings |= {name: value for name, value in (tiny | changes).items() if name in settings}
    for name, value in settings.items():
        if isinstance(value, float):
            settings[name] = float(np.float32(value))  # 1 - 0.999 depends on it in the fifth digit
    gan = build(kind, settings, labels=labels)
    gan.reset(0)
    state = begun(gan.state(), seed, k, accuracy)
    gan.restore(state)
    factors = {**NEITHER, **WRITTEN_OUT[kind.name], **settings, "k": float(state.get("loss/k", 0))}
    training = Evolving if kind.name == "evolutionary" else Training
    written_out, off = (
        training(SimpleNamespace(**factors), state, seed, off, labels) for off in (False, True)
    )
    losses, others = written_out.run(), off.run()
    done, reported = gan.train(TrainingSet(PHOTOS, labels), seed, START, STEPS, TOTAL, settings)

    assert done == STEPS
    assert reported.keys() == losses.keys()
    for name, loss in losses.items():
        check_close(reported[name], loss, others[name], name, least=1e-6)  # of logits about 1
    trained = gan.state()
    left, others = cancelled(written_out), off.state(trained)
    for name, value in written_out.state(trained).items():
        if name not in left:
            check_close(trained[name], value, others[name], name)
    check_images(gan, written_out, off)
    return trained


def check_close(found, value, other, name, least=0.0):
    """Equal to float32's precision: of the greatest value, and of what roundings change."""
    most = least + SHARE * np.abs(value).max() + ROUNDINGS * np.abs(value - other).max()
    np.testing.assert_allclose(found, value, rtol=0, atol=most, err_msg=name)


def begun(state, seed, k, accuracy):
    """Random values for all variables of the networks, and others than at the start beside them."""
    rng = np.random.default_rng(seed)
    state = dict(state)
    for name, value in state.items():
        if name.startswith(("generator/", "discriminator/", "average/")):
            state[name] = rng.normal(0, 0.5, value.shape).astype("float32")
            if name.endswith(("gamma", "variance")):
                state[name] = np.abs(state[name]) + np.float32(0.5)
    generator = [name for name in state if name.startswith("generator/")]
    own = [name for name in state if name.startswith("survivors/")]
    for name, of_generator in zip(own, generator, strict=False):  # after these the optimisers'
        more = np.abs(rng.normal(0, 0.5, state[name].shape).astype("float32")) + np.float32(0.5)
        state[name] = more if of_generator.endswith(("gamma", "variance")) else more - 1
        state[name][0] = state[of_generator]
    others = {"loss/k": k, "augmentation/probability": 0.45, "balance/accuracy": accuracy}
    return state | {name: np.float32(others[name]) for name in others if name in state}


def cancelled(written_out):
    """The bias of D's last layer, where only differences matter: its gradient is rounding."""
    if not written_out.h.loss.startswith("relativistic"):
        return set()
    networks = [*written_out.D.variables]
    learning = [name for name in networks if name[1] not in ("mean", "variance", "u")]
    place, among = networks.index(("last", "bias")), learning.index(("last", "bias"))
    slots = (1 + 2 * among, 2 + 2 * among) if written_out.h.optimizer == "adam" else (1 + among,)
    return {
        f"discriminator/{place:02d}_bias",
        *(f"optimizer/discriminator/{slot:02d}" for slot in slots),
    }


def check_images(gan, *written_out):
    """They are made by what is shown, with moving statistics and without dropout."""
    expected, other = (
        (made_by(one.shown, one.h, *one.latents(6, 5), training=False).numpy() + 1) * 127.5
        for one in written_out
    )
    images = gan.generate(gan.latents(6, 5)).reshape(6, PIXELS)
    most = 0.501 + ROUNDINGS * np.abs(expected - other).max()
    np.testing.assert_allclose(images, expected, rtol=0, atol=most)


SHARE = 1e-5  # of an array's greatest value: what float32 may be off where nothing cancels
ROUNDINGS = 40  # one after another in two steps: ten operations in each of four updates

# All numbers that are data, at values that are no type's defaults.
OTHER = {
    "learning_rate": 0.02,
    "generator_lr_scale": 2.5,
    "d_iter": 2,
    "beta1": 0.3,
    "beta2": 0.7,
    "clip": 0.3,
    "penalty_weight": 3.0,
    "gamma": 0.8,
    "lambda_k": 0.2,
    "class_weight": 0.4,
    "generator_class_weight": 2.0,
    "ema": 0.15,
    "balance": 0.55,
    "fitness_weight": 0.3,
    "augment_probability": 0.55,
    "augment_target": 0.3,
    "label_smoothing": 0.3,
    "input_noise": 0.4,
    "dropout": 0.25,
    "generator_dropout": 0.4,
    "schedule_end": 0.2,
    "schedule_power": 1.5,
    "schedule_speed": 0.3,
    "schedule_drops": 2,
    "schedule_factor": 0.3,
}
CASES = {
    "one discriminator update a step": {"d_iter": 1, "learning_rate": 0.01},
    "all settings changed": {**OTHER, "schedule": "polynomial"},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
@pytest.mark.usefixtures("eagerly")
def test_two_steps_of_every_type_are_those_written_out(build, kind, case):
    if kind.name not in WRITTEN_OUT:
        pytest.fail(f"write down what {kind.name} stands for, in {__name__}.WRITTEN_OUT")
    check_two_steps(build, kind, CASES[case])


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_every_setting_is_at_another_value_than_its_default(kind):
    """So no update that ignores one agrees with the one written out."""
    for h in kind.hyperparameters:
        if not h.shape and h.kind != "choice":
            assert h.name in OTHER, f"give {h.name} of {kind.name} a value in OTHER"
            assert h.check(OTHER[h.name]) != h.default, h.name


# Of `gan`: each value of each choice but its default, and all that meets in a step.
PLAIN = {"loss": "non_saturating", "discriminator_norm": "spectral", "penalty": "none"}
COMBINATIONS = {
    "r1 through augmentation": {
        "loss": "non_saturating", "discriminator_norm": "spectral", "penalty": "r1",
        "augment": "all", "augment_target": 0.0, "schedule": "cosine", "optimizer": "adam",
        "penalty_interval": 3,
    },
    "a norm between, not augmented": {
        "loss": "minimax", "discriminator_norm": "layer", "penalty": "gradient_norm",
        "condition": "input", "augment": "translation", "augment_target": 0.0,
        "statistics": "measured", "schedule": "step",
    },
    "adaptive augmentation": {
        "loss": "least_squares", "discriminator_norm": "spectral", "penalty": "r2",
        "condition": "projection", "generator_norm": "conditional", "augment": "color",
        "statistics": "measured", "ema": 0.0, "schedule": "linear",
    },
    "a clipped critic that tells classes": {
        "loss": "wasserstein", "discriminator_norm": "none", "penalty": "clipping",
        "condition": "auxiliary", "generator_norm": "none", "optimizer": "rmsprop",
        "schedule": "inverse",
    },
    "classes told beside hinge": {
        "loss": "hinge", "discriminator_norm": "layer", "penalty": "one_sided",
        "condition": "auxiliary", "augment": "cutout", "schedule": "polynomial",
    },
    "relativistic": {
        "loss": "relativistic", "discriminator_norm": "none", "penalty": "r1_r2",
        "condition": "projection", "generator_norm": "conditional", "penalty_interval": 2,
        "augment": "translation+cutout",
    },
    "relativistic average": {
        "loss": "relativistic_average", "discriminator_norm": "spectral",
        "penalty": "zero_centred", "condition": "input", "optimizer": "sgd",
    },
    "around real images of a class": {
        "loss": "hinge", "discriminator_norm": "spectral", "penalty": "dragan",
        "condition": "projection", "optimizer": "rmsprop",
    },
    "l2 and batches": {
        "loss": "non_saturating", "discriminator_norm": "batch", "penalty": "l2",
        "condition": "auxiliary", "generator_norm": "conditional",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", COMBINATIONS)
@pytest.mark.usefixtures("eagerly")
def test_two_steps_of_combinations_are_those_written_out(build, name):
    check_two_steps(build, GAN_TYPES.get("gan"), {**OTHER, **PLAIN, **COMBINATIONS[name]})


WITH_ATTRIBUTES = {
    "given to both networks": ("cgan", {}),
    "told by the discriminator": ("acgan", {"statistics": "measured"}),
    "given to a last layer and a norm": ("sngan_projection", {"ema": 0.0}),
    "of a population": (
        "evolutionary",
        {"condition": "auxiliary", "generator_norm": "conditional", "fitness_batches": 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_ATTRIBUTES)
@pytest.mark.usefixtures("eagerly")
def test_two_steps_with_attributes_are_those_written_out(build, name):
    kind, changes = WITH_ATTRIBUTES[name]
    check_two_steps(build, GAN_TYPES.get(kind), {**OTHER, **changes}, labels=ATTRIBUTES)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [("gan", {**OTHER, **PLAIN, **COMBINATIONS["adaptive augmentation"]}), ("began", OTHER)],
)
def test_they_are_the_same_when_compiled(build, kind, changes):
    check_two_steps(build, GAN_TYPES.get(kind), changes)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("gan", {**OTHER, **PLAIN, "loss": "relativistic", "penalty": "r1_r2", "dropout": 0.3,
                 "label_smoothing": 0.2, "input_noise": 0.3, "balance": 0.8, "ema": 0.9}),
        ("gan", {**OTHER, **PLAIN, **COMBINATIONS["r1 through augmentation"]}),
        ("dragan", OTHER),
        ("wgan", OTHER),
        ("acgan", OTHER),
        ("began", OTHER),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_xla_computes_the_same(build, kind, changes):
    check_two_steps(
        lambda *args, **more: build(*args, xla=True, **more), GAN_TYPES.get(kind), changes
    )


def test_combinations_have_each_value_of_each_choice():
    for h in GAN_TYPES.get("gan").hyperparameters:
        values = {PLAIN.get(h.name, h.default)}  # the types above have these
        values |= {c.get(h.name) for c in COMBINATIONS.values()} - {None}
        # Of networks: tests/test_networks.py and tests/test_parametrisation.py.
        of_networks = (
            "architecture", "attention", "minibatch_stddev", "parametrisation", "upsampling",
        )  # fmt: skip
        if h.choices and h.name not in of_networks:
            assert values == set(h.choices) - {"branches"}, h.name  # igan_v2's networks alone


EVOLUTIONS = {
    "several survivors": {"survivors": 2, "fitness_batches": 2, "condition": "auxiliary"},
    "children of two": {"survivors": 2, "crossover": "distilled", "condition": "input"},
    "by pixels": {"fitness": "iegan", "survivors": 4, "crossover": "distilled"},
    "what D sees is changed": {
        "augment": "translation", "dropout": 0.3, "input_noise": 0.3,
        "discriminator_norm": "spectral",
    },
}  # fmt: skip


@pytest.mark.parametrize("case", EVOLUTIONS)
@pytest.mark.usefixtures("eagerly")
def test_two_generations_are_those_written_out(build, case):
    kind = GAN_TYPES.get("evolutionary")
    plain = {name: OTHER[name] for name in ("beta1", "beta2", "fitness_weight", "learning_rate")}
    check_two_steps(build, kind, {**plain, "d_iter": 2, **EVOLUTIONS[case]})


def test_a_generation_is_the_same_when_compiled(build):
    changes = {"d_iter": 2, **EVOLUTIONS["children of two"]}
    check_two_steps(build, GAN_TYPES.get("evolutionary"), changes)


@pytest.mark.parametrize(("accuracy", "skipped"), [(0.9, "d"), (0.1, "g"), (0.5, "")])
@pytest.mark.usefixtures("eagerly")
def test_who_is_too_far_ahead_is_not_updated(build, accuracy, skipped):
    kind, changes = GAN_TYPES.get("gan"), {**PLAIN, "balance": 0.8}
    state = check_two_steps(build, kind, changes, accuracy=accuracy)
    for network in ("generator", "discriminator"):
        updates = state[f"optimizer/{network}/00"]
        assert updates == (0 if network[0] == skipped else STEPS), network


@pytest.mark.parametrize(("gamma", "k", "bound"), [(0.0, 0.4, 0), (1.0, 0.99, 1)])
@pytest.mark.usefixtures("eagerly")
def test_k_stays_between_0_and_1(build, gamma, k, bound):
    """The seed is one at which a generator's images are the easier ones for D."""
    kind = GAN_TYPES.get("began")
    changes = {**OTHER, "d_iter": 1, "gamma": gamma, "lambda_k": 1.0}
    state = check_two_steps(build, kind, changes, seed=6, k=k)
    assert state["loss/k"] == bound


@pytest.mark.usefixtures("eagerly")
def test_gradients_may_be_tiny(build):
    """A clipped critic's are: under RMSProp's root an epsilon of 1e-8 would drown them."""
    state = check_two_steps(build, GAN_TYPES.get("wgan"), {**OTHER, "clip": 1e-3})
    assert 0 < state["optimizer/generator/01"].max() < 1e-10
