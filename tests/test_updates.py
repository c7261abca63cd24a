"""Training as a whole: two steps of every GAN type against the same two steps written out here.

The step written out shares no code with `autogan.models`, nor its precision: it runs eagerly, in
float64, on tiny networks; the package's own runs in float32. What both share is the walk through
the training set (`TrainingSet.order`, tested by itself) and TensorFlow's random numbers.
"""

from types import SimpleNamespace
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from autogan.models import GAN_TYPES
from autogan.models.batches import TrainingSet

TYPES = list(GAN_TYPES)
BATCH, Z, SIDE, COUNTS = 4, 2, 2, (4, 3, 3)
PIXELS, CLASSES, STEPS = SIDE * SIDE, len(COUNTS), 2

LABELS = np.random.default_rng(0).permutation(np.repeat(range(CLASSES), COUNTS))
PHOTOS = np.random.default_rng(1).integers(0, 256, (len(LABELS), SIDE, SIDE, 1), np.uint8)

# ---- The losses of every type, as its paper has them ---------------------------------------------
#
# D says float64 [batch, 1] of images. It is shown the real images first: moving statistics remember
# best what they saw last. `h` holds the hyperparameters, and k and alpha where a type has them.


class Images(NamedTuple):
    pixels: tf.Tensor  # float64 [batch, SIDE, SIDE, 1], in [-1, 1]
    labels: np.ndarray  # [batch]


E = tf.reduce_mean


def log_sigmoid(logits):
    return -tf.math.log(1 + tf.exp(-logits))


def cross_entropy(class_logits, labels):
    p = tf.exp(class_logits) / tf.reduce_sum(tf.exp(class_logits), axis=1, keepdims=True)
    return -E([tf.math.log(p[image, label]) for image, label in enumerate(labels)])


class DCGAN:
    """1511.06434, with the losses of 1406.2661; D there is the sigmoid of the network's logit."""

    condition, norm, autoencoder, clips = "none", "batch", False, False

    def discriminator(self, D, x, made, h):
        """-E log D(x) - E log(1 - D(G(z))), and what is worth a curve."""
        return -E(log_sigmoid(D(x))) - E(log_sigmoid(-D(made))), {}

    def generator(self, D, made, h):
        """-E log D(G(z))."""
        return -E(log_sigmoid(D(made)))


class CGAN(DCGAN):
    """1411.1784: both networks are given the classes."""

    condition = "input"


class ACGAN(DCGAN):
    """1610.09585: all images are judged by their own classes too, real and generated."""

    condition = "auxiliary"

    def discriminator(self, D, x, made, h):
        """-L_S - L_C."""
        (real, real_classes), (generated, generated_classes) = D(x), D(made)
        told = cross_entropy(real_classes, x.labels) + cross_entropy(generated_classes, made.labels)
        return -E(log_sigmoid(real)) - E(log_sigmoid(-generated)) + h.class_weight * told, {}

    def generator(self, D, made, h):
        """L_S - L_C, or what of them depends on G, and non-saturating."""
        generated, classes = D(made)
        told = cross_entropy(classes, made.labels)
        return -E(log_sigmoid(generated)) + h.generator_class_weight * told


class LSGAN(DCGAN):
    """1611.04076, equation 9."""

    def discriminator(self, D, x, made, h):
        """E (D(x) - 1)^2 / 2 + E D(G(z))^2 / 2."""
        return E((D(x) - 1) ** 2) / 2 + E(D(made) ** 2) / 2, {}

    def generator(self, D, made, h):
        """E (D(G(z)) - 1)^2 / 2."""
        return E((D(made) - 1) ** 2) / 2


class WGAN(DCGAN):
    """1701.07875, algorithm 1, whose critic ascends what stands here with a minus."""

    clips = True

    def discriminator(self, D, x, made, h):
        """-(E D(x) - E D(G(z)))."""
        return -(E(D(x)) - E(D(made))), {}

    def generator(self, D, made, h):
        """-E D(G(z))."""
        return -E(D(made))


class WGANGP(WGAN):
    """1704.00028, algorithm 1."""

    norm, clips = "none", False

    def discriminator(self, D, x, made, h):
        """E D(G(z)) - E D(x) + lambda E (||grad D(between)|| - 1)^2."""
        between = (1 - h.alpha) * x.pixels + h.alpha * made.pixels
        with tf.GradientTape() as tape:
            tape.watch(between)
            said = D(Images(between, x.labels))
        gradient = tf.reshape(tape.gradient(said, between), [BATCH, PIXELS])
        penalty = E((tf.norm(gradient, axis=1) - 1) ** 2)
        return E(D(made)) - E(D(x)) + h.penalty_weight * penalty, {}


class BEGAN:
    """1703.10717, section 3.4; D says the errors L of an auto-encoder."""

    condition, norm, autoencoder, clips = "none", "none", True, False

    def discriminator(self, D, x, made, h):
        """L(x) - k L(G(z)); k of the next update, and the measure of section 3.4.1."""
        real, generated = E(D(x)), E(D(made))
        balance = float(h.gamma * real - generated)
        k = min(max(h.k + h.lambda_k * balance, 0), 1)
        return real - h.k * generated, {"k": k, "convergence": float(real) + abs(balance)}

    def generator(self, D, made, h):
        """L(G(z))."""
        return E(D(made))


WRITTEN_OUT = {
    "dcgan": DCGAN(),
    "lsgan": LSGAN(),
    "wgan": WGAN(),
    "wgan_gp": WGANGP(),
    "began": BEGAN(),
    "cgan": CGAN(),
    "acgan": ACGAN(),
}

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


OPTIMIZERS = {"adam": Adam, "rmsprop": RMSProp}

# ---- The steps -----------------------------------------------------------------------------------


def steps_written_out(type_, networks, optimizer, data, seed, start, h):
    """Two steps, from step ``start`` on: the state after them, and the losses to report."""
    generator, discriminator = networks
    g_optimizer = OPTIMIZERS[optimizer](generator.trainable_variables)
    d_optimizer = OPTIMIZERS[optimizer](discriminator.trainable_variables)
    reported = []

    def G(z, labels):
        inputs = z if type_.condition == "none" else [z, one_hot(labels)]
        return Images(generator(inputs, training=True), labels)

    def D(images):
        shown = images.pixels
        if type_.condition == "input":
            shown = [shown, one_hot(images.labels)]
        return discriminator(shown, training=True)

    def batch_of(walk, number):
        """The indices of the batch with that number in walk 0 (real), 1 (D's labels), 2 (G's)."""
        return data.order(seed, walk, number * BATCH, BATCH)

    def drawn(draw, shape, stream, number):
        """Of stream 1 (z of D's updates), 2 (z of G's) or 3 (alpha), at the update's number."""
        return tf.cast(draw(shape, seed=[seed, 4 * number + stream]), tf.float64)

    for step in range(start, start + STEPS):
        for update in range(step * h.d_iter, (step + 1) * h.d_iter):
            places = batch_of(0, update)
            x = Images(tf.constant(PHOTOS[places] / 127.5 - 1), LABELS[places])
            z = drawn(tf.random.stateless_normal, [BATCH, Z], 1, update)
            made = G(z, LABELS[batch_of(1, update)])
            h.alpha = drawn(tf.random.stateless_uniform, [BATCH, 1, 1, 1], 3, update)
            with tf.GradientTape() as tape:
                d_loss, curves = type_.discriminator(D, x, made, h)
            gradients = tape.gradient(d_loss, [v.value for v in discriminator.trainable_variables])
            d_optimizer.descend(gradients, h.learning_rate, h)
            if type_.clips:
                for variable in discriminator.trainable_variables:
                    variable.assign(np.clip(variable, -h.clip, h.clip))
            h.k = curves.get("k")
        labels = LABELS[batch_of(2, step)]
        z = drawn(tf.random.stateless_normal, [BATCH, Z], 2, step)
        with tf.GradientTape() as tape:
            g_loss = type_.generator(D, G(z, labels), h)
        gradients = tape.gradient(g_loss, [v.value for v in generator.trainable_variables])
        g_optimizer.descend(gradients, h.learning_rate * h.generator_lr_scale, h)
        reported.append({"d_loss": float(d_loss), "g_loss": float(g_loss), **curves})

    state = weights(networks)
    for network, own in (("generator", g_optimizer), ("discriminator", d_optimizer)):
        for number, value in enumerate(own.state()):
            state[f"optimizer/{network}/{number:02d}"] = value
    if h.k is not None:
        state["loss/k"] = h.k
    return state, {name: np.mean([losses[name] for losses in reported]) for name in reported[0]}


def one_hot(labels):
    return tf.constant(np.eye(CLASSES)[labels])


def weights(networks):
    return {
        f"{network.name}/{number:02d}_{variable.name}": variable.numpy()
        for network in networks
        for number, variable in enumerate(network.variables)
    }


# ---- The comparison ------------------------------------------------------------------------------


def tiny_networks(type_, dtype):
    """A generator of one layer and a discriminator of two.

    No bias stands before a normalisation, which would undo it: its gradient is rounding, and Adam
    makes whole steps of it. Nor is a critic normalised that is clipped: so small, it is linear in
    what is normalised, and its mean over a batch is the same whatever it is shown.
    """
    ours = keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        z, given, photo = (keras.Input(s) for s in ([Z], [CLASSES], [SIDE, SIDE, 1]))
        inputs = z if type_.condition == "none" else [z, given]
        x = z if type_.condition == "none" else layers.Concatenate()(inputs)
        x = layers.BatchNormalization(momentum=0.9)(layers.Dense(PIXELS, use_bias=False)(x))
        x = layers.Reshape([SIDE, SIDE, 1])(layers.Activation("tanh")(x))
        generator = keras.Model(inputs, x, name="generator")

        inputs = [photo, given] if type_.condition == "input" else photo
        flat = x = layers.Flatten()(photo)
        if type_.condition == "input":
            x = layers.Concatenate()([x, given])
        if type_.norm == "batch" and not type_.clips:
            x = layers.BatchNormalization(momentum=0.9)(layers.Dense(3, use_bias=False)(x))
        else:
            x = layers.Dense(3)(x)
        x = layers.LeakyReLU(0.2)(x)
        if type_.autoencoder:
            says = keras.ops.mean(keras.ops.abs(flat - layers.Dense(PIXELS)(x)), 1, keepdims=True)
        else:
            says = layers.Dense(1)(x)
        if type_.condition == "auxiliary":
            says = [says, layers.Dense(CLASSES)(x)]
        return generator, keras.Model(inputs, says, name="discriminator")
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy(ours)


@pytest.fixture(scope="module")
def build():
    """Builds GANs with tiny networks, each once."""
    gans = {}

    def build(kind, optimizer):
        type_ = WRITTEN_OUT[kind.name]

        def networks(shape):
            assert (shape.z_dim, shape.size, shape.channels) == (Z, SIDE, 1)
            assert shape.condition == type_.condition
            assert shape.classes == (0 if type_.condition == "none" else CLASSES)
            assert shape.discriminator_norm == type_.norm
            assert shape.autoencoder == type_.autoencoder
            return tiny_networks(type_, "float32")

        if (kind, optimizer) not in gans:
            chosen = {"batch_size": BATCH, "z_dim": Z, "optimizer": optimizer}
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("autogan.models.adversarial.build_networks", networks)
                shape = (SIDE, SIDE, 1)
                gans[kind, optimizer] = kind.build(shape, {**kind.defaults(), **chosen}, COUNTS)
        return gans[kind, optimizer]

    return build


def check_two_steps(gan, kind, optimizer, changes, seed=3, start=2, k=0.4):
    """Train from random weights; returns the state, which is the one written out."""
    type_ = WRITTEN_OUT[kind.name]
    gan.reset(0)
    rng = np.random.default_rng(seed)
    state = gan.state()
    for name, value in state.items():
        if name.startswith(("generator/", "discriminator/")):
            state[name] = rng.normal(0, 0.5, value.shape).astype("float32")
            if name.endswith(("gamma", "variance")):
                state[name] = np.abs(state[name]) + np.float32(0.5)
        elif name == "loss/k":
            state[name] = np.float32(k)
    gan.restore(state)
    networks = tiny_networks(type_, "float64")
    for network in networks:
        for number, variable in enumerate(network.variables):
            variable.assign(state[f"{network.name}/{number:02d}_{variable.name}"])

    settings = {name: changes.get(name, default) for name, default in kind.defaults().items()}
    for name, value in settings.items():
        if isinstance(value, float):
            settings[name] = float(np.float32(value))  # 1 - 0.999 depends on it in the fifth digit
    data = TrainingSet(PHOTOS, LABELS)
    h = SimpleNamespace(**settings, k=float(state.get("loss/k", 0)))
    expected, losses = steps_written_out(type_, networks, optimizer, data, seed, start, h)
    done, reported = gan.train(data, seed, start, STEPS, settings)

    assert done == STEPS
    assert reported == pytest.approx(losses, rel=1e-5, abs=1e-6)
    trained = gan.state()
    assert trained.keys() == expected.keys()
    for name, value in expected.items():
        close = {"rtol": 1e-5, "atol": 1e-5 * np.abs(value).max()}
        np.testing.assert_allclose(trained[name], value, **close, err_msg=name)
    return trained


# All that is data to the compiled function, at values that are no type's defaults.
OTHER = {
    "learning_rate": 0.02,
    "generator_lr_scale": 2.5,
    "d_iter": 3,
    "beta1": 0.3,
    "beta2": 0.7,
    "clip": 0.3,
    "penalty_weight": 3.0,
    "gamma": 0.8,
    "lambda_k": 0.2,
    "class_weight": 0.4,
    "generator_class_weight": 2.0,
}
CASES = {
    "one discriminator update a step": {"d_iter": 1, "learning_rate": 0.01},
    "all settings changed": OTHER,
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_two_steps_are_those_written_out(build, kind, optimizer, case, request):
    """Compiled with the type's own optimiser, eagerly with the other, which takes less long."""
    if kind.name not in WRITTEN_OUT:
        pytest.fail(f"write the losses of {kind.name} out, in {__name__}.WRITTEN_OUT")
    if optimizer != kind.defaults()["optimizer"]:
        tf.config.run_functions_eagerly(True)
        request.addfinalizer(lambda: tf.config.run_functions_eagerly(False))
    check_two_steps(build(kind, optimizer), kind, optimizer, CASES[case])


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_every_setting_is_at_another_value_than_its_default(kind):
    """So no update that ignores one agrees with the one written out."""
    for h in kind.hyperparameters:
        if not h.shape:
            assert h.name in OTHER, f"give {h.name} of {kind.name} a value in OTHER"
            assert h.check(OTHER[h.name]) != h.default, h.name


@pytest.mark.parametrize(("gamma", "k", "bound"), [(0.0, 0.4, 0), (1.0, 0.99, 1)])
def test_k_stays_between_0_and_1(build, gamma, k, bound):
    """The seed is one at which a generator's images are the easier ones for D."""
    kind, changes = GAN_TYPES.get("began"), {**OTHER, "gamma": gamma, "lambda_k": 1.0}
    state = check_two_steps(build(kind, "adam"), kind, "adam", changes, seed=1, k=k)
    assert state["loss/k"] == bound


def test_gradients_may_be_tiny(build):
    """A clipped critic's are: under RMSProp's root an epsilon of 1e-8 would drown them."""
    kind = GAN_TYPES.get("wgan")
    changes = {**OTHER, "clip": 1e-3}
    state = check_two_steps(build(kind, "rmsprop"), kind, "rmsprop", changes)
    assert 0 < state["optimizer/generator/01"].max() < 1e-10
