"""GAN types: a contract for all of them; optimisers in numbers."""

import re
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf

from autogan.core.hyperparameters import met
from autogan.models import GAN_TYPES
from autogan.models.factors import DEFAULTS
from autogan.models.networks.build import _with_class_planes, build_networks
from autogan.models.networks.shape import NetworkShape
from autogan.models.objectives.losses import class_error
from autogan.models.training.batches import TrainingSet
from autogan.models.training.optimizers import OPTIMIZERS, Settings
from autogan.models.training.trainer import Latents
from autogan.models.types.gan import GAN

TINY = {"width": 4, "dense_width": 8, "batch_size": 6, "z_dim": 5, "optimizer": "adam"}
BUILT = ("gan", "wgan_gp", "sngan_projection", "acgan", "began", "igan_v2", "evolutionary")
"""Types that differ in what is compiled; the others are the first one with other values alone."""
COUNTS = (7, 7, 6)  # images of each class
TOTAL = 10  # steps of a training


def images(count=20, size=8, channels=1):
    made = np.random.default_rng(0).integers(0, 256, (count, size, size, channels), np.uint8)
    return TrainingSet(made, np.arange(count) % len(COUNTS))


def settings(kind, **changes):
    chosen = {**kind.defaults(), **TINY, **changes}
    return {name: chosen[name] for name in kind.defaults()}


@pytest.fixture(scope="module", params=BUILT)
def gan(request):
    """A tiny GAN of one of these types, built once."""
    kind = GAN_TYPES.get(request.param)
    built = kind.build((8, 8, 1), settings(kind), COUNTS)
    built.kind = kind
    return built


def trained(gan, seed=1, steps=3, **changes):
    gan.reset(seed)
    done, losses = gan.train(images(), seed, 0, steps, TOTAL, settings(gan.kind, **changes))
    return gan.state(), done, losses


def shapes(state):
    return {name: value.shape for name, value in state.items()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("kind", list(GAN_TYPES), ids=lambda kind: kind.name)
class TestDeclarations:
    def test_declares_itself(self, kind):
        names = [h.name for h in kind.hyperparameters]
        assert len(set(names)) == len(names)
        assert kind.summary
        for h in kind.hyperparameters:
            assert h.meaning
            assert h.check(h.default) == h.default
            assert [h.check(value) for value in h.search] == list(h.search)

    def test_what_is_not_built_below_has_no_code_of_its_own(self, kind):
        """Such a type is `gan` with the values that it fixes; tests/test_updates.py trains it."""
        parents = [c for c in kind.__mro__ if c not in GAN.__mro__]
        own = {name for c in parents for name, value in vars(c).items() if callable(value)}
        assert kind.name in BUILT or own == set()


class TestEveryType:
    def test_makes_images(self, gan):
        trained(gan)  # a conditional norm begins alike for all classes
        made = gan.generate(gan.latents(300, 0))
        assert (made.shape, made.dtype) == ((300, 8, 8, 1), np.uint8)
        if not gan.class_counts:
            return
        labels = gan.latents(300, 0).labels
        assert np.bincount(labels).tolist() == [105, 105, 90]  # as in the data
        assert gan.latents(5, 0, [2, 0]).labels.tolist() == [2, 0, 2, 0, 2]
        others = Latents(gan.latents(300, 0).z, (labels + 1) % 3)
        assert not np.array_equal(made, gan.generate(others))

    def test_trains_both_networks(self, gan):
        gan.reset(1)
        before = gan.state()
        after, done, losses = trained(gan)
        assert done == 3
        assert all(np.isfinite(list(losses.values())))
        changed = {name for name in before if not np.array_equal(before[name], after[name])}
        for network in (gan.generator, gan.discriminator):
            kernels = {n for n in before if n.startswith(network.name) and n.endswith("kernel")}
            assert kernels <= changed

    def test_same_seed_same_bits_whatever_ran_before(self, gan):
        first, _, _ = trained(gan, seed=1)
        other, _, _ = trained(gan, seed=2, learning_rate=0.05)
        again, _, _ = trained(gan, seed=1)
        assert same(first, again)
        assert not same(first, other)

    def test_same_bits_in_a_fresh_build(self, gan):
        first, _, _ = trained(gan)
        fresh = gan.kind.build((8, 8, 1), settings(gan.kind), COUNTS)
        fresh.kind = gan.kind
        assert same(first, trained(fresh)[0])

    def test_same_bits_in_calls_of_any_length_and_after_restoring(self, gan):
        whole, _, _ = trained(gan, steps=7)
        gan.reset(1)
        gan.train(images(), 1, 0, 2, TOTAL, settings(gan.kind))
        state = gan.state()
        trained(gan, seed=9)  # something else in between
        gan.restore(state)
        gan.train(images(), 1, 2, 5, TOTAL, settings(gan.kind))
        assert same(whole, gan.state())

    def test_the_graph_shows_the_layers_of_both_networks(self, gan):
        """Also of a GAN that was built later: Keras numbers layers through the process."""
        names = [node.name for node in gan.graph.node]
        assert len(set(names)) == len(names)
        used = {name.partition(":")[0] for node in gan.graph.node for name in node.input}
        assert used <= set(names)  # nothing points to a node by its former name
        inputs = {"z", "labels"} if gan.class_counts else {"z"}
        assert {name.partition("/")[0] for name in names} == inputs | {"generator", "discriminator"}
        assert inputs <= used
        for network in (gan.generator, gan.discriminator):
            counts = Counter(
                re.sub(r"(_\d+)+$", "", layer.name) for layer in network.layers
                if not isinstance(layer, keras.layers.InputLayer)
            )  # fmt: skip
            expected = {
                f"{kind}_{number}" if number else kind
                for kind, count in counts.items() for number in range(count)
            }  # fmt: skip
            shown = {
                name.split("/")[1] for name in names
                if name.startswith(f"{network.name}/") and name.count("/") > 1
            }  # fmt: skip
            assert shown - {"one_hot", "Mean", "strided_slice"} == expected  # without operations

    def test_generator_state_is_enough_to_sample(self, gan):
        trained(gan)
        made = gan.generate(gan.latents(9, 4))
        state = gan.generator_state()
        gan.reset(5)
        gan.restore_generator(state)
        assert np.array_equal(made, gan.generate(gan.latents(9, 4)))

    def test_every_setting_takes_effect_without_compiling_again(self, gan):
        """Each hyperparameter that is data changes the weights; one trace serves them all."""
        usual, _, _ = trained(gan, steps=2)
        other = {"learning_rate": 3e-3, "generator_lr_scale": 3.0, "d_iter": 2, "beta1": 0.25,
                 "beta2": 0.7, "penalty_weight": 3.0, "clip": 0.003, "gamma": 0.3,
                 "lambda_k": 0.01, "class_weight": 3.0, "generator_class_weight": 3.0,
                 "label_smoothing": 0.4, "input_noise": 0.5, "generator_dropout": 0.5}  # fmt: skip
        for h in gan.kind.hyperparameters:
            off = h.switch and not gan.kind.defaults()[h.name]  # then it is not even computed
            if h.name in other and not off and met(h.under, settings(gan.kind)):
                assert not same(usual, trained(gan, steps=2, **{h.name: other[h.name]})[0]), h.name
        assert gan._train.experimental_get_tracing_count() == 1

    @pytest.mark.usefixtures("eagerly")
    def test_every_shape_setting_takes_effect(self, gan):
        """In the variables' shapes, or else in what a step makes of them."""
        other = {"optimizer": "rmsprop", "batch_size": 5, "z_dim": 4,
                 "width": 3, "dense_width": 7}  # fmt: skip
        short = {"d_iter": 1} if "d_iter" in gan.kind.defaults() else {}
        usual, _, _ = trained(gan, steps=1, **short)
        for h in gan.kind.hyperparameters:
            if h.name in other and met(h.under, settings(gan.kind)):
                changed = settings(gan.kind, **{h.name: other[h.name]}, **short)
                fresh = gan.kind.build((8, 8, 1), changed, COUNTS)
                fresh.reset(1)
                if shapes(fresh.state()) == shapes(usual):
                    fresh.train(images(), 1, 0, 1, TOTAL, changed)
                    assert not same(usual, fresh.state()), h.name

    def test_stops_at_the_first_loss_that_is_not_finite(self, gan):
        """The last layer is NaN too: oneDNN's ReLU may make 0 of a NaN before it."""
        gan.reset(0)
        broken = {
            name: np.full_like(value, np.nan) if name.startswith("discriminator/") else value
            for name, value in gan.state().items()
        }
        gan.restore(broken)
        done, losses = gan.train(images(), 0, 0, 50, TOTAL, settings(gan.kind))
        assert done == 1
        assert not np.isfinite(sum(losses.values()))
        with pytest.raises(FloatingPointError, match="NaN"):
            gan.generate(gan.latents(2, 0))

    def test_d_iter_counts_discriminator_updates(self, gan):
        trained(gan, steps=4, d_iter=3)
        state = gan.state()
        assert state["optimizer/discriminator/00"] == 12
        assert state["optimizer/generator/00"] == 4


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (12, 3), (28, 1), (36, 3), (128, 3)])
@pytest.mark.parametrize(
    ("architecture", "autoencoder"),
    [("auto", False), ("infogan", False), ("strided", False), ("infogan", True), ("began", True)],
)
def test_networks_of_every_size(size, channels, architecture, autoencoder):
    shape = NetworkShape(size, channels, 5, architecture, 2, 4, "batch", autoencoder)
    generator, discriminator = build_networks(shape)
    made = generator(tf.zeros([2, 5]))
    assert made.shape == (2, size, size, channels)
    assert discriminator(made).shape == (2, 1)


@pytest.mark.parametrize("architecture", ["infogan", "strided"])
@pytest.mark.parametrize("condition", ["input", "auxiliary"])
def test_conditional_networks(architecture, condition):
    shape = NetworkShape(32, 3, 5, architecture, 2, 4, "batch", False, condition, 7)
    generator, discriminator = build_networks(shape)
    classes = tf.one_hot([3, 6], 7)
    made = generator([tf.zeros([2, 5]), classes])
    assert made.shape == (2, 32, 32, 3)
    if condition == "input":
        assert discriminator([made, classes]).shape == (2, 1)
    else:
        assert [output.shape for output in discriminator(made)] == [(2, 1), (2, 7)]


@pytest.mark.parametrize("architecture", ["infogan", "began"])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("l1", lambda pixels: np.abs(pixels).mean(1)),
        ("l2", lambda pixels: (pixels**2).mean(1)),
        ("rms", lambda pixels: np.linalg.norm(pixels, axis=1) / np.sqrt(pixels.shape[1])),
    ],
)
def test_an_autoencoder_says_its_error(architecture, error, expected):
    """With all weights 0 it decodes to 0, and errs by all of the image."""
    shape = NetworkShape(12, 3, 5, architecture, 2, 4, "none", True, error=error)
    _, discriminator = build_networks(shape)
    discriminator.set_weights([0 * weight for weight in discriminator.get_weights()])
    shown = tf.random.stateless_normal([4, 12, 12, 3], seed=[0, 0])
    pixels = shown.numpy().reshape(4, -1).astype(np.float64)
    np.testing.assert_allclose(discriminator(shown)[:, 0], expected(pixels), rtol=1e-5)


@pytest.mark.parametrize("architecture", ["infogan", "began"])
def test_an_autoencoder_ends_linear(architecture):
    """A tanh would lose its gradient on a black background."""
    _, discriminator = build_networks(NetworkShape(8, 1, 5, architecture, 2, 4, "none", True))
    black = tf.zeros([4, 8, 8, 1])  # whose error is the mean of |decoded|
    last = [layer for layer in discriminator.layers if layer.weights][-1]
    last.bias.assign(tf.ones_like(last.bias))
    before = discriminator(black).numpy()
    last.kernel.assign(1e3 * last.kernel)
    last.bias.assign(1e3 * last.bias)
    np.testing.assert_allclose(discriminator(black), 1e3 * before, rtol=1e-4)


@pytest.mark.parametrize("architecture", ["infogan", "strided"])
def test_discriminators_say_logits(architecture):
    """Losses want logits: nothing squashes them at the end."""
    shape = NetworkShape(8, 1, 5, architecture, 2, 4, "none")
    _, discriminator = build_networks(shape)
    shown = tf.random.stateless_normal([4, 8, 8, 1], seed=[0, 0])
    last = discriminator.layers[-1]
    before = discriminator(shown).numpy()
    last.kernel.assign(1e6 * last.kernel)
    np.testing.assert_allclose(discriminator(shown), 1e6 * before, rtol=1e-4)


def test_networks_have_the_references_weights():
    """The 28x28 network of 'Are GANs Created Equal?' (1711.10337), counted by hand."""
    generator, discriminator = build_networks(NetworkShape(28, 1, 62, "auto", 64, 1024, "batch"))
    dense = 62 * 1024 + 1024 + 4 * 1024 + 1024 * 6272 + 6272 + 4 * 6272
    assert generator.count_params() == dense + 16 * 128 * 64 + 4 * 64 + 16 * 64 + 1
    dense = 6272 * 1024 + 1024 + 4 * 1024 + 1024 + 1
    assert discriminator.count_params() == 16 * 64 + 64 + 16 * 64 * 128 + 128 + 4 * 128 + dense


def test_batches_go_through_all_images_in_a_new_order_each_time():
    data = images(count=15)

    def batch(update, seed=0, stream=0):
        return data.order(seed, stream, 5 * update, 5).tolist()

    first = batch(0) + batch(1) + batch(2)
    second = batch(3) + batch(4) + batch(5)
    assert sorted(first) == sorted(second) == list(range(15))
    assert first != second
    assert batch(0) != batch(0, seed=1)
    assert batch(0) != batch(0, stream=1)
    assert data.order(0, 0, 3, 9).tolist() == first[3:12]


class Source:
    """Images that are read when they are asked for."""

    def __init__(self, images):
        self._images, self.shape, self.reads = images, images.shape, []

    def __len__(self):
        return len(self._images)

    def __getitem__(self, index):
        self.reads.append(len(index))
        return self._images[index]


def test_images_read_batch_by_batch_train_to_the_same_bits(monkeypatch):
    """What does not fit on the device is read as it is needed."""
    monkeypatch.setattr("autogan.models.training.batches._BLOCK_BYTES", 10 * 64)
    made = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8)
    kind = GAN_TYPES.get("cgan")
    gan = kind.build((8, 8, 1), settings(kind), COUNTS)
    states = []
    for resident in (True, False):
        gan.reset(1)
        source = Source(made)
        data = TrainingSet(source, np.arange(20) % 3, resident)
        for start, steps in ((0, 3), (3, 1), (4, 4)):  # twelve images each, in blocks of ten
            gan.train(data, 1, start, steps, TOTAL, settings(kind, d_iter=2))
        states.append(gan.state())
    assert same(*states)
    data._reader.shutdown()
    assert source.reads == [10] * 11  # 96 images, and the block after them; none twice


def test_fewer_images_than_a_batch_are_enough():
    kind = GAN_TYPES.get("dcgan")
    gan = kind.build((8, 8, 1), settings(kind))
    gan.reset(0)
    assert gan.train(images(count=2), 0, 0, 2, TOTAL, settings(kind))[0] == 2


class TestConditioning:
    def test_cgan_shows_the_class_to_both_networks(self):
        kind = GAN_TYPES.get("cgan")
        gan = kind.build((8, 8, 1), settings(kind), COUNTS)
        gan.reset(0)
        shown = tf.random.stateless_normal([4, 8, 8, 1], seed=[0, 0])
        first = gan._networks.logits(shown, tf.constant([0, 0, 0, 0]))[0]
        other = gan._networks.logits(shown, tf.constant([0, 1, 0, 2]))[0]
        changed = np.abs(first - other).reshape(-1) > 0
        assert changed.tolist() == [False, True, False, True]
        planes = _with_class_planes(tf.zeros([2, 4, 4, 3]), tf.one_hot([2, 0], 3)).numpy()
        assert planes.shape == (2, 4, 4, 6)
        assert planes[0].mean(axis=(0, 1)).tolist() == [0, 0, 0, 0, 0, 1]

    def test_acgans_images_have_labels_of_their_own(self):
        """The error of telling classes is each image's against its own label."""
        logits = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
        labels = np.array([2, 0, 1, 1])
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        expected = -log_p[np.arange(4), labels].mean()
        assert float(class_error(logits, tf.constant(labels))) == pytest.approx(expected, rel=1e-5)
        kind = GAN_TYPES.get("acgan")
        gan = kind.build((8, 8, 1), settings(kind), COUNTS)
        batches = gan._batches(images(), 0, 0, 1, TOTAL, {**DEFAULTS, "d_iter": 2})
        assert batches.labels.shape == batches.d_labels.shape == (12,)
        assert batches.g_labels.shape == (6,)
        assert batches.labels.numpy().tolist() != batches.d_labels.numpy().tolist()
        assert batches.d_labels.numpy()[:6].tolist() != batches.g_labels.numpy().tolist()

    def test_generated_labels_are_as_frequent_as_in_the_data(self):
        """One walk through all orders' labels meets each class as often as the data has it."""
        kind = GAN_TYPES.get("acgan")
        gan = kind.build((8, 8, 1), settings(kind, batch_size=5), COUNTS)
        batches = gan._batches(images(), 0, 0, 4, TOTAL, DEFAULTS)
        for labels in (batches.labels, batches.d_labels, batches.g_labels):
            assert np.bincount(labels.numpy()).tolist() == list(COUNTS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_do_what_keras_does(name):
    start = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    gradients = np.random.default_rng(1).normal(size=(9, 3, 2)).astype("float32")
    ours, theirs = tf.Variable(start), keras.Variable(start)
    optimizer = OPTIMIZERS[name]([ours])
    if name == "adam":
        keras_optimizer = keras.optimizers.Adam(0.01, beta_1=0.3, beta_2=0.8)
    elif name == "sgd":
        keras_optimizer = keras.optimizers.SGD(0.01)
    else:
        keras_optimizer = keras.optimizers.RMSprop(0.01, rho=0.8)
    keras_optimizer.build([theirs])
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], Settings(0.01, 0.3, 0.8))
        keras_optimizer.apply([tf.constant(gradient)])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-5, atol=1e-6)
    optimizer.reset()
    assert all(not np.any(v.numpy()) for v in optimizer.variables)


def test_weights_start_as_declared():
    kind = GAN_TYPES.get("dcgan")
    gan = kind.build((28, 28, 1), kind.defaults())
    gan.reset(3)
    state = gan.state()
    for name, value in state.items():
        if name.endswith("_kernel"):
            assert value.std() == pytest.approx(0.02, rel=0.1), name
        elif name.endswith(("_gamma", "_moving_variance")):
            assert (value == 1).all()
        else:
            assert (value == 0).all(), name


def test_calls_are_as_long_as_memory_allows(monkeypatch):
    monkeypatch.setattr("autogan.models.training.batches._CALL_BYTES", 64 * 100)
    made = np.zeros((20, 8, 8, 1), np.uint8)
    assert TrainingSet(made).steps_at_once(30) > 10**6
    assert TrainingSet(made, resident=False).steps_at_once(30) == 3
    assert TrainingSet(made, resident=False).steps_at_once(300) == 1


@pytest.mark.parametrize("size", [1.0, 1e-6])
def test_rmsprop_is_the_papers_at_gradients_of_any_size(size):
    """v - lr g / (sqrt(E g^2) + 1e-8): under the root, Keras's epsilon would leave 0.3 % of it."""
    gradients = size * np.random.default_rng(1).normal(size=(9, 3, 2)).astype("float32")
    ours, mean, value = tf.Variable(np.zeros([3, 2], "float32")), 0.0, 0.0
    optimizer = OPTIMIZERS["rmsprop"]([ours])
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], Settings(0.01, 0.0, 0.8))
        mean = 0.8 * mean + 0.2 * gradient.astype("float64") ** 2
        value = value - 0.01 * gradient / (np.sqrt(mean) + 1e-8)
    np.testing.assert_allclose(ours.numpy(), value, rtol=1e-4)
