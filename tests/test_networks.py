"""The networks of the general GAN: their forms, and each part against its formula in NumPy."""

import re
from collections import Counter
from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from autogan.models.networks.build import build_networks
from autogan.models.networks.graph import by_layers
from autogan.models.networks.layers import (
    MinibatchDeviation,
    OfClass,
    SeededDropout,
    SpectralConv2D,
    SpectralDense,
    iterate_power,
)
from autogan.models.networks.overcomplete import _steps
from autogan.models.networks.parts import Parts, attention_size, glorot, normal
from autogan.models.networks.residual import _discriminator_block, _generator_block
from autogan.models.networks.shape import NetworkShape
from autogan.models.training.state import initialise

NORMALISED = ["infogan", "strided", "sndcgan", "resnet", "resnet5", "igan", "igan_v2"]
ARCHITECTURES = [*NORMALISED, "r3gan"]
CONDITIONS = ["none", "input", "auxiliary", "projection"]
K, Z = 3, 5
RATE, DRAW = np.array(0.25, "float32"), np.array([7, 8])


def networks(architecture, size=16, condition="none", width=2, norm="none", seed=1, **fields):
    """The generator and the discriminator; as Keras starts them, if the seed is None."""
    shape = NetworkShape(
        size=size, channels=3, z_dim=Z, architecture=architecture, width=width, dense_width=6,
        discriminator_norm=norm, condition=condition, classes=0 if condition == "none" else K,
        **fields,
    )  # fmt: skip
    built = build_networks(shape)
    if seed is not None:
        initialise(built, seed)
    return built


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def one_hot(*labels):
    return np.eye(K, dtype="float32")[list(labels)]


def randomise(network, seed=0):
    """Give all trainable variables values of a usual size: no gain, shift or kernel is 0."""
    for number, variable in enumerate(network.trainable_variables):
        fan_in = max(1, np.prod(variable.shape[:-1]))
        variable.assign(random(*variable.shape, seed=[seed, number]) / np.sqrt(fan_in))


def spectral_layers(network):
    return [x for x in network.layers if isinstance(x, SpectralDense | SpectralConv2D)]


def layers_are_sound(network):
    """TensorFlow's gradient of a 1x1 convolution with a stride crashes on some processors."""
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D | layers.Conv2DTranspose):
            assert layer.kernel_size != (1, 1) or layer.strides == (1, 1), layer.name


class TestForms:
    @pytest.mark.parametrize("size", [8, 28, 64, 100])
    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_sizes(self, architecture, size):
        generator, discriminator = networks(architecture, size, attention=True, seed=None)
        assert generator.output_shape == (None, size, size, 3)
        assert discriminator.input_shape == (None, size, size, 3)
        assert discriminator.output_shape == (None, 1)
        layers_are_sound(generator)
        layers_are_sound(discriminator)
        maps = {
            layer.output.shape[1] for layer in (*generator.layers, *discriminator.layers)
            if layer.name.startswith("attend")
        }  # fmt: skip
        assert maps == {attention_size(size)}

    @pytest.mark.parametrize("condition", CONDITIONS)
    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_all_options_together(self, architecture, condition):
        """The order of the inputs is part of the contract; so are the names in a checkpoint."""
        generator, discriminator = networks(
            architecture, 16, condition, seed=None, norm="spectral", attention=True,
            minibatch_stddev=True, generator_norm="batch" if condition == "none" else "conditional",
            dropout=True, generator_dropout=True,
        )  # fmt: skip
        classes = [] if condition == "none" else [one_hot(0, 1, 2, 0)]
        made = generator([random(4, Z), *classes, RATE, DRAW], training=True).numpy()
        assert made.shape == (4, 16, 16, 3)
        given = classes if condition in ("input", "projection") else []
        judged = discriminator([made, *given, RATE, DRAW], training=True)
        if condition == "auxiliary":
            assert [heads.shape for heads in judged] == [(4, 1), (4, K)]
        else:
            assert judged.shape == (4, 1)
        for network in (generator, discriminator):
            layers_are_sound(network)
            assert {variable.name for variable in network.variables} <= {
                "kernel", "bias", "u", "gamma", "beta", "moving_mean", "moving_variance", "gain",
                "basis",
            }  # fmt: skip
        kernels = sum(variable.name == "kernel" for variable in discriminator.variables)
        assert len(spectral_layers(discriminator)) == (0 if architecture == "r3gan" else kernels)
        assert not spectral_layers(generator)

    def test_one_input_is_not_in_a_list(self):
        generator, discriminator = networks("sndcgan", 8)
        assert discriminator(generator(random(2, Z))).shape == (2, 1)

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_the_graph_shows_every_layer(self, architecture):
        generator, discriminator = networks(
            architecture, 16, "projection", seed=None, norm="layer", attention=True,
            minibatch_stddev=True, generator_norm="conditional", dropout=True,
        )  # fmt: skip

        @tf.function
        def judge(z, classes, rate, draw):
            with tf.name_scope("generator"):
                images = generator([z, classes], training=False)
            with tf.name_scope("discriminator"):
                return discriminator([images, classes, rate, draw], training=False)

        specs = [tf.TensorSpec([None, Z]), tf.TensorSpec([None, K]), tf.TensorSpec([])]
        specs.append(tf.TensorSpec([2], tf.int64))
        graph = by_layers(judge.get_concrete_function(*specs).graph)
        names = [node.name for node in graph.node]
        assert len(set(names)) == len(names)
        assert {name for node in graph.node for name in node.input} <= {
            *names, *(f"^{name}" for name in names), *(f"{name}:1" for name in names),
        }  # fmt: skip
        for network in (generator, discriminator):
            kinds = Counter(
                re.sub(r"(_\d+)+$", "", layer.name) for layer in network.layers
                if not isinstance(layer, layers.InputLayer)
            )  # fmt: skip
            expected = {
                f"{kind}_{number}" if number else kind
                for kind, count in kinds.items() for number in range(count)
            }  # fmt: skip
            shown = {
                name.split("/")[1] for name in names
                if name.startswith(f"{network.name}/") and name.count("/") > 1
            }  # fmt: skip
            assert shown == expected

    def test_a_seed_decides_the_start(self):
        start, again, other = (
            networks("resnet", 8, norm="spectral", seed=seed)[1].get_weights() for seed in (1, 1, 2)
        )
        assert all(np.array_equal(a, b) for a, b in zip(start, again, strict=True))
        drawn = [a.any() and a.size > 1 for a in start]  # of one number, u is a drawn sign
        equal = [np.array_equal(a, b) for a, b in zip(start, other, strict=True)]
        assert any(drawn)
        assert not any(np.logical_and(drawn, equal))

    @pytest.mark.parametrize(
        ("size", "side"),
        [(8, 4), (12, 6), (16, 8), (28, 14), (32, 16), (64, 32), (100, 25), (128, 32)],
    )
    def test_attention_is_on_the_largest_map_up_to_32(self, size, side):
        assert attention_size(size) == side

    @pytest.mark.parametrize(
        ("architecture", "width", "generator", "discriminator"),
        [("sndcgan", 64, 103.4e6, 215.6e6), ("resnet", 128, 1615e6, 269e6)],
    )
    def test_costs_are_the_papers(self, architecture, width, generator, discriminator):
        """Multiplications for an image, counted by hand; z of the papers has 128 numbers."""
        shape = NetworkShape(32, 3, 128, architecture, width, 0, "none")
        for network, expected in zip(
            build_networks(shape), (generator, discriminator), strict=True
        ):
            count = 0
            for layer in network.layers:
                if isinstance(layer, layers.Dense | layers.Conv2D | layers.Conv2DTranspose):
                    transposed = isinstance(layer, layers.Conv2DTranspose)
                    places = layer.input.shape if transposed else layer.output.shape
                    count += np.prod(places[1:-1], dtype=int) * np.prod(layer.kernel.shape)
            assert count == pytest.approx(expected, rel=5e-3)


class TestSpectral:
    @pytest.mark.parametrize("architecture", NORMALISED)
    def test_the_largest_singular_value_is_1(self, architecture):
        _, discriminator = networks(
            architecture, 16, "projection", width=4, norm="spectral", attention=True
        )
        for iterations, error in ((0, 0.1), (60, 0.02)):  # beside those of the start
            iterate_power(discriminator, iterations)
            for layer in spectral_layers(discriminator):
                kernel = layer.kernel.numpy()
                values = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)
                assert values[0] == pytest.approx(1, abs=error), layer.name
                assert np.linalg.norm(layer.u) == pytest.approx(1, rel=1e-5)

    @pytest.mark.parametrize("norm", ["spectral", "none"])
    def test_no_gradient_along_the_kernel(self, norm):
        """<dL/dW, W> is 0, as W / sigma is the same for all multiples of W; else it is not."""
        _, discriminator = networks("resnet", 16, "projection", norm=norm, attention=True)
        randomise(discriminator)
        shown, classes = random(4, 16, 16, 3), one_hot(0, 1, 2, 0)
        variables = [v for v in discriminator.trainable_variables if v.name == "kernel"]
        assert len(variables) == 13
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.tanh(discriminator([shown, classes], training=True)))
        for variable, gradient in zip(
            variables, tape.gradient(loss, [v.value for v in variables]), strict=True
        ):
            g, w = gradient.numpy().ravel(), variable.numpy().ravel()
            along = abs(g @ w) / np.linalg.norm(g) / np.linalg.norm(w)
            if norm == "spectral":
                assert along < 2e-4, variable.path
            else:
                assert along > 2e-3, variable.path

    @pytest.mark.parametrize(
        "layer", [SpectralDense(4), SpectralConv2D(4, 3)], ids=["dense", "convolution"]
    )
    def test_the_gradient_is_the_papers(self, layer):
        """(A - <A, W / sigma> v u^T) / sigma for L = <A, W / sigma>; one iteration is W^T W u."""
        layer.build([None, 5, 5, 2] if isinstance(layer, SpectralConv2D) else [None, 6])
        matrix = random(*layer._kernel.shape)
        weights = random(*matrix.shape, seed=1)
        u = random(4) / np.linalg.norm(random(4))
        layer._kernel.assign(matrix)
        layer.u.assign(u)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weights * layer.kernel)
        made = tape.gradient(loss, layer._kernel.value).numpy().reshape(-1, 4)
        matrix, weights = matrix.reshape(-1, 4), weights.reshape(-1, 4)
        sigma = np.linalg.norm(matrix @ u)
        along = (weights * matrix).sum() / sigma * np.outer(matrix @ u / sigma, u)
        np.testing.assert_allclose(made, (weights - along) / sigma, rtol=1e-4, atol=1e-6)
        layer.iterate()
        following = matrix.T @ matrix @ u
        np.testing.assert_allclose(layer.u, following / np.linalg.norm(following), rtol=1e-5)

    def test_only_iterating_changes_u(self):
        _, discriminator = networks("sndcgan", 8, norm="spectral")
        start = [layer.u.numpy() for layer in spectral_layers(discriminator)]
        kernels = [layer._kernel.numpy() for layer in spectral_layers(discriminator)]
        discriminator(random(4, 8, 8, 3), training=True)
        discriminator(random(4, 8, 8, 3), training=False)
        for layer, u in zip(spectral_layers(discriminator), start, strict=True):
            assert np.array_equal(layer.u, u)
        iterate_power(discriminator)
        moved = [
            not np.array_equal(layer.u, u)
            for layer, u in zip(spectral_layers(discriminator), start, strict=True)
        ]
        assert sum(moved) > len(moved) // 2  # where u has 1 element, it stays
        for layer, kernel in zip(spectral_layers(discriminator), kernels, strict=True):
            assert np.array_equal(layer._kernel, kernel)

    def test_u_is_no_parameter(self):
        _, discriminator = networks("sndcgan", 8, norm="spectral")
        assert not any(variable.name == "u" for variable in discriminator.trainable_variables)
        assert sum(variable.name == "u" for variable in discriminator.variables) == 8


def model_of(parts, call, *shape):
    """A network of what ``call`` makes of an input."""
    x = keras.Input(shape)
    return keras.Model(x if parts.classes is None else [x, parts.classes], call(x))


class TestNormalisation:
    @pytest.mark.parametrize("form", [(4,), (3, 5, 4)])
    def test_layer_norm_goes_over_the_whole_image(self, form):
        """Keras's own LayerNormalization goes over the channels of each pixel."""
        parts = Parts("layer", normal)
        network = model_of(parts, parts.normed, *form)
        gamma, beta, x = random(4), random(4, seed=1), random(2, *form, seed=2)
        network.set_weights([gamma, beta])
        axes = tuple(range(1, x.ndim))
        mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        expected = (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
        np.testing.assert_allclose(network(x), expected, rtol=1e-4, atol=1e-5)

    def test_batch_norm_under_a_penalty_is_keras_own(self):
        """The same features and moving statistics, in training and after."""
        theirs, ours = (Parts("batch", normal, penalised=p) for p in (False, True))
        theirs, ours = (model_of(parts, parts.normed, 3, 5, 4) for parts in (theirs, ours))
        assert [v.shape for v in ours.variables] == [v.shape for v in theirs.variables]
        for network in (theirs, ours):
            network.trainable_variables[0].assign(random(4))
            network.trainable_variables[1].assign(random(4, seed=1))
        for seed, training in ((2, True), (3, True), (4, False)):
            x = 2.0 + 3.0 * random(2, 3, 5, 4, seed=seed)
            made, expected = ours(x, training=training), theirs(x, training=training)
            np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)
        for mine, other in zip(ours.variables, theirs.variables, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("norm", ["batch", "layer"])
    @pytest.mark.parametrize("form", [(4,), (2, 1, 4)])
    def test_second_derivatives_are_right(self, norm, form):
        """Those of Keras's own batch normalisation are not: up to 13 % off here."""
        parts = Parts(norm, normal, penalised=True)
        network = model_of(parts, parts.normed, *form)
        x, weights = random(4, *form), random(4, *form, seed=1)
        # Without a layer before it the error would cancel out, as gradients add up to 0.
        before = random(4, *form, seed=2)

        def penalty(x):
            """The square of the gradient of what stands for a discriminator."""
            with tf.GradientTape() as tape:
                tape.watch(x)
                judged = tf.reduce_sum(weights * tf.tanh(network(x * before, training=True)))
            return tf.reduce_sum(tape.gradient(judged, x) ** 2)

        x = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = penalty(x)
        made = tape.gradient(value, x).numpy()
        slopes = np.zeros_like(made)
        for place in range(x.shape.num_elements()):
            change = np.zeros(x.shape, np.float32)
            change.flat[place] = 0.003
            slopes.flat[place] = (penalty(x + change) - penalty(x - change)) / 0.006
        np.testing.assert_allclose(made, slopes, rtol=0.01, atol=0.003 * np.abs(made).max())

    @pytest.mark.parametrize("form", [(4,), (3, 3, 4)])
    def test_conditional_norm_starts_as_batch_norm(self, form):
        classes, x = one_hot(2, 0, 2, 1), random(4, *form)
        parts = Parts("conditional", normal, classes=keras.Input([K]))
        ours = model_of(parts, parts.normed, *form)
        plain = Parts("batch", normal)
        theirs = model_of(plain, plain.normed, *form)
        for training in (True, False, True):
            made, expected = ours([x, classes], training=training), theirs(x, training=training)
            np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)
        moving = {v.name: v.numpy() for v in ours.variables if v.name.startswith("moving")}
        for variable in theirs.variables:
            if variable.name in moving:
                np.testing.assert_allclose(moving[variable.name], variable, rtol=1e-6)

    def test_conditional_norm_scales_and_shifts_by_class(self):
        parts = Parts("conditional", normal, classes=keras.Input([K]))
        network = model_of(parts, parts.normed, 2, 2, 4)
        gamma, beta, x = random(K, 4), random(K, 4, seed=1), random(3, 2, 2, 4)
        for variable in network.trainable_variables:
            variable.assign(gamma if variable.name == "gamma" else beta)
        normed = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
        for image, label in enumerate((2, 0, 1)):
            made = network([x, one_hot(2, 0, 1)], training=True)[image]
            expected = normed[image] * gamma[label] + beta[label]
            np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_classes_reach_a_generator_in_one_way(self, architecture):
        """By the normalisation alone, which at the start is the same for all; or beside z."""
        z = random(2, Z)
        for norm in ("conditional", "batch"):
            generator, _ = networks(architecture, 8, "projection", generator_norm=norm)
            one = generator([z, one_hot(0, 1)])
            two = generator([z, one_hot(1, 2)])
            by_norm = norm == "conditional" and architecture != "r3gan"
            assert np.array_equal(one, two) == by_norm
            if by_norm:
                randomise(generator)
                assert not np.allclose(generator([z, one_hot(0, 1)]), generator([z, one_hot(1, 2)]))

    @pytest.mark.parametrize("architecture", NORMALISED)
    def test_places(self, architecture):
        """None on what an image's first convolution makes, in D but IGAN's; none in G without."""
        counts = {"infogan": (3, 2), "strided": (2, 1), "sndcgan": (4, 6), "resnet": (5, 5),
                  "resnet5": (11, 11), "igan": (7, 8), "igan_v2": (11, 8)}  # fmt: skip
        for norm, d_norm in (("batch", "batch"), ("batch", "layer"), ("none", "spectral")):
            made, judged = (
                sum(layer.name.startswith(("batch_norm", "layer_norm")) for layer in network.layers)
                for network in networks(architecture, norm=d_norm, generator_norm=norm, seed=None)
            )
            assert made == (0 if norm == "none" else counts[architecture][0])
            assert judged == (0 if d_norm == "spectral" else counts[architecture][1])

    def test_deconvolutions_without_normalisation_have_a_bias(self):
        generator, _ = networks("sndcgan", 8, generator_norm="none")
        assert all(
            layer.use_bias for layer in generator.layers
            if isinstance(layer, layers.Conv2DTranspose)
        )  # fmt: skip


@pytest.mark.parametrize(
    ("size", "depth", "first"), [(64, 4, 4), (64, 5, 2), (64, 0, 4), (128, 5, 4), (256, 5, 8)]
)
def test_depth_is_the_number_of_growths(size, depth, first):
    """The landscape document's networks: 4 and 5 at 64 pixels, 5 beyond; else from 4x4."""
    generator, discriminator = networks("strided", size, depth=depth, seed=None)
    grown = [x for x in generator.layers if isinstance(x, layers.Conv2DTranspose)]
    halved = [x for x in discriminator.layers if isinstance(x, layers.Conv2D)]
    assert len(grown) == len(halved) == (depth or 4)
    assert grown[0].input.shape[1] == halved[-1].output.shape[1] == first


class TestOvercomplete:
    @pytest.mark.parametrize(
        ("size", "sides"),
        [(8, (4, [], [2])), (12, (4, [], [3])), (28, (7, [2], [2])), (36, (4, [3], [3])),
         (64, (4, [2, 2], [2, 2])), (96, (4, [3, 2], [2, 2])), (100, (25, [2], [2])),
         (256, (4, [2, 2, 2, 2], [2, 2]))],
    )  # fmt: skip
    def test_steps(self, size, sides):
        small, first, last = _steps(size)
        assert (small, first, last) == sides
        assert small * np.prod(first + last) == size

    def test_the_document_s_features_and_kernels(self):
        """At 96 pixels: 4x4x64 and 24x24x64 of z; 24x24 in one step, 4x4 from the larger ones."""
        generator, _ = networks("igan", 96, width=64, seed=None)
        begun = {x.output.shape[1:] for x in generator.layers if isinstance(x, layers.Reshape)}
        assert begun == {(4, 4, 64), (24, 24, 64)}
        grown = Counter(
            (x.kernel_size[0], x.strides[0], x.output.shape[1]) for x in generator.layers
            if isinstance(x, layers.Conv2DTranspose)
        )  # fmt: skip
        deep = [(3, 3, 12), (4, 2, 24), (4, 2, 48), (4, 2, 96)]
        assert grown == Counter([*deep, (24, 24, 96), (4, 4, 96)])
        assert {x.negative_slope for x in generator.layers if isinstance(x, layers.LeakyReLU)} == {
            0.02
        }

    def test_a_branch_and_a_discriminator_of_each_class(self):
        """What one class shows, and what is said of it, hangs on no other's weights."""
        generator, discriminator = networks("igan_v2", 8, "branches")
        z, images = random(2, Z), random(2, 8, 8, 3)
        for network, x, kinds in (
            (generator, z, layers.Conv2D), (discriminator, images, layers.Dense)
        ):  # fmt: skip
            ends = [
                each for each in network.layers
                if isinstance(each, kinds) and each.output.shape[-1] == network.output.shape[-1]
            ]  # fmt: skip
            assert len(ends) == K
            before = np.array([network([x, one_hot(k, k)]) for k in range(K)])
            ends[1].bias.assign(ends[1].bias + 1.0)
            after = np.array([network([x, one_hot(k, k)]) for k in range(K)])
            changed = [not np.array_equal(one, two) for one, two in zip(before, after, strict=True)]
            assert changed == [False, True, False]
            mixed = network([x, one_hot(2, 1)])
            np.testing.assert_allclose(mixed, [after[2][0], after[1][1]], rtol=1e-6)

    @pytest.mark.parametrize(("size", "side"), [(12, 4), (36, 12), (96, 24), (128, 32)])
    @pytest.mark.parametrize("architecture", ["igan", "igan_v2"])
    def test_attention_where_no_half_is_on_the_way(self, architecture, size, side):
        generator, _ = networks(architecture, size, attention=True, seed=None)
        maps = [x.output.shape[1] for x in generator.layers if x.name.startswith("attend")]
        assert maps == [side]

    def test_without_classes_there_is_one_branch(self):
        plain, _ = networks("igan_v2", 8, seed=None)
        classed, _ = networks("igan_v2", 8, "branches", seed=None)
        assert classed.count_params() > plain.count_params()
        assert not any(isinstance(layer, OfClass) for layer in plain.layers)


def last_dense(discriminator):
    """The layer of the logit."""
    dense = [x for x in discriminator.layers if isinstance(x, layers.Dense) and x.units == 1]
    assert len(dense) == 1
    return dense[0]


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "mlp"])
class TestProjection:
    def test_logits_are_those_of_no_class_and_a_product(self, architecture):
        _, discriminator = networks(architecture, 8, "projection")
        shown, classes = random(4, 8, 8, 3), one_hot(2, 0, 1, 2)
        dense = last_dense(discriminator)
        (embedding,) = (
            layer for layer in discriminator.layers
            if isinstance(layer, layers.Dense) and layer.kernel.shape[0] == K
        )  # fmt: skip
        features = keras.Model(discriminator.inputs, dense.input)([shown, classes]).numpy()
        plain = features @ dense.kernel.numpy() + dense.bias.numpy()
        table = random(*embedding.kernel.shape)
        embedding.kernel.assign(table)
        product = (table[[2, 0, 1, 2]] * features).sum(axis=1, keepdims=True)
        scale = np.abs(product).max()
        np.testing.assert_allclose(
            discriminator([shown, classes]), plain + product, rtol=1e-4, atol=1e-5 * scale
        )

    def test_without_vectors_it_is_the_unconditional_one(self, architecture):
        _, plain = networks(architecture, 8)
        _, discriminator = networks(architecture, 8, "projection", norm="none")
        for kind in (layers.Conv2D, layers.Dense):
            ours = [x for x in discriminator.layers if isinstance(x, kind)]
            if kind is layers.Dense:
                (embedding,) = (x for x in ours if x.kernel.shape[0] == K)
                embedding.kernel.assign(0 * embedding.kernel)
                ours.remove(embedding)
            for layer, other in zip(
                ours, [x for x in plain.layers if isinstance(x, kind)], strict=True
            ):
                layer.set_weights(other.get_weights())
        for layer, other in zip(
            [x for x in discriminator.layers if x.name.startswith("onto")],
            [x for x in plain.layers if x.name.startswith("onto")], strict=True,
        ):  # fmt: skip
            layer.set_weights(other.get_weights())
        shown = random(3, 8, 8, 3)
        assert np.array_equal(discriminator([shown, one_hot(0, 1, 2)]), plain(shown))


class TestAttention:
    def test_it_starts_as_the_identity_and_is_the_papers(self):
        """Queries on all places, keys and values on a map halved by max-pooling."""
        parts = Parts("none", glorot, attention=4)
        network = model_of(parts, parts.attended, 4, 4, 8)
        x = random(2, 4, 4, 8)
        assert np.array_equal(network(x), x)
        randomise(network)
        convolutions = {
            layer.filters: [] for layer in network.layers if isinstance(layer, layers.Conv2D)
        }
        for layer in network.layers:
            if isinstance(layer, layers.Conv2D):
                convolutions[layer.filters].append(layer)
        (back,), (values,) = convolutions[8], convolutions[4]
        attend = next(layer for layer in network.layers if layer.name.startswith("attend"))
        keys = attend.input[1]._keras_history.operation.input._keras_history.operation
        queries = attend.input[0]._keras_history.operation
        gain = next(v.numpy() for v in network.variables if v.name == "gain")

        def flat(layer, pooled=True):
            y = x @ layer.kernel.numpy()[0, 0]
            if pooled:
                y = y.reshape(2, 2, 2, 2, 2, -1).max(axis=(2, 4))
            return y.reshape(2, -1, y.shape[-1])

        scores = flat(queries, pooled=False) @ flat(keys).transpose(0, 2, 1)
        weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
        found = (weights @ flat(values)).reshape(2, 4, 4, 4) @ back.kernel.numpy()[0, 0]
        np.testing.assert_allclose(network(x), x + gain * found, rtol=1e-4, atol=1e-5)

    def test_other_maps_are_left_alone(self):
        parts = Parts("none", glorot, attention=8)
        assert len(model_of(parts, parts.attended, 4, 4, 8).layers) == 1


class TestMinibatchDeviation:
    @pytest.mark.parametrize("batch", [8, 4, 3])
    def test_it_is_a_plane_of_the_mean_deviation_in_a_group(self, batch):
        x = random(batch, 2, 3, 5)
        made = MinibatchDeviation()(x).numpy()
        group = min(4, batch)
        assert np.array_equal(made[..., :5], x)
        for image in range(batch):
            others = x[image % (batch // group) :: batch // group]
            assert len(others) == group
            expected = np.sqrt(others.var(axis=0) + 1e-8).mean()
            np.testing.assert_allclose(made[image, ..., 5], expected, rtol=1e-5)

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_only_with_it_the_others_of_a_batch_matter(self, architecture):
        x, other = random(4, 8, 8, 3), random(4, 8, 8, 3)
        other[1:] *= 3
        for wanted in (True, False):
            _, discriminator = networks(architecture, 8, minibatch_stddev=wanted)
            randomise(discriminator)
            same = np.allclose(discriminator(x)[0], discriminator(other)[0], rtol=1e-4)
            assert same != wanted


def activated(x, slope=0.0):
    return np.where(x > 0, x, slope * x)


class TestDense:
    """The first GAN's networks, written out."""

    @pytest.mark.parametrize("norm", ["batch", "none"])
    def test_the_generator(self, norm):
        generator, _ = networks("mlp", 8, generator_norm=norm)
        randomise(generator)
        z, weights = random(4, Z), [w.copy() for w in generator.get_weights()]
        x, given = z, iter(weights)
        if norm == "batch":  # trainable and moving statistics, layer by layer
            given = iter([v.numpy() for layer in generator.layers for v in layer.variables])
        for units in (6, 6):
            kernel, bias = next(given), next(given)
            assert kernel.shape[1] == units
            x = x @ kernel + bias
            if norm == "batch":
                gamma, beta, mean, variance = (next(given) for _ in range(4))
                x = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
            x = activated(x)
        images = np.tanh(x @ next(given) + next(given)).reshape(4, 8, 8, 3)
        np.testing.assert_allclose(generator(z), images, rtol=1e-4, atol=1e-5)

    def test_the_discriminator(self):
        _, discriminator = networks("mlp", 8)
        randomise(discriminator)
        kernels = discriminator.get_weights()
        x = shown = random(4, 8, 8, 3)
        x = x.reshape(4, -1)
        for layer in range(2):
            x = activated(x @ kernels[2 * layer] + kernels[2 * layer + 1], 0.2)
        judged = x @ kernels[4] + kernels[5]
        np.testing.assert_allclose(discriminator(shown), judged, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("norm", ["batch", "layer", "spectral"])
    @pytest.mark.parametrize("condition", CONDITIONS)
    def test_all_options(self, norm, condition):
        made = "batch" if condition == "none" else "conditional"
        generator, discriminator = networks("mlp", 8, condition, norm=norm, generator_norm=made)
        classes = [] if condition == "none" else [one_hot(0, 1, 2, 0)]
        images = generator([random(4, Z), *classes] if classes else random(4, Z))
        assert images.shape == (4, 8, 8, 3)
        norms = [sum(layer.name.startswith(("batch", "layer_n", "conditional"))
                     for layer in network.layers)
                 for network in (generator, discriminator)]  # fmt: skip
        assert norms == [2, 0 if norm == "spectral" else 1]


PLAIN = ["infogan", "strided", "sndcgan"]


class TestUpsampling:
    @pytest.mark.parametrize("size", [8, 28])
    @pytest.mark.parametrize("way", ["nearest", "pixel_shuffle"])
    @pytest.mark.parametrize("architecture", PLAIN)
    def test_no_transposed_convolution_is_left(self, architecture, way, size):
        generator, _ = networks(architecture, size, upsampling=way)
        assert generator(random(2, Z)).shape == (2, size, size, 3)
        kinds = {type(layer) for layer in generator.layers}
        assert layers.Conv2DTranspose not in kinds
        assert (layers.UpSampling2D in kinds) == (way == "nearest")

    @pytest.mark.parametrize("side", [4, 5])
    def test_nearest_is_a_convolution_of_repeated_pixels(self, side):
        parts = Parts("none", normal, upsampling="nearest")
        network = model_of(parts, lambda x: parts.deconv(x, 3, side), 4, 4, 2)
        randomise(network)
        kernel, bias = network.get_weights()
        assert kernel.shape == (side - 1 + side % 2,) * 2 + (2, 3)
        x = random(2, 4, 4, 2)
        np.testing.assert_allclose(
            network(x), convolved(doubled(x), kernel, bias), rtol=1e-4, atol=1e-5
        )

    def test_pixel_shuffle_lays_filters_out_side_by_side(self):
        parts = Parts("batch", normal, upsampling="pixel_shuffle")
        network = model_of(parts, lambda x: parts.deconv(x, 3, 4), 4, 6, 2)
        (kernel,) = network.get_weights()
        assert kernel.shape == (3, 3, 2, 12)
        x = random(2, 4, 6, 2)
        inner, made = convolved(x, kernel, 0.0), network(x).numpy()
        for row, column, filter_ in np.ndindex(8, 12, 3):
            place = 6 * (row % 2) + 3 * (column % 2) + filter_
            np.testing.assert_allclose(
                made[:, row, column, filter_], inner[:, row // 2, column // 2, place],
                rtol=1e-4, atol=1e-6,
            )  # fmt: skip


class TestDropout:
    def test_at_rate_0_nothing_changes(self):
        x = random(40, 50)
        x[0, 0] = np.nan
        np.testing.assert_array_equal(SeededDropout(0)(x, np.array(0, "float32"), DRAW), x)

    def test_what_it_keeps_makes_up_for_the_rest(self):
        made = SeededDropout(1)(np.ones([300, 300]), RATE, DRAW).numpy()
        assert set(np.unique(made)) == {0, np.float32(1 / 0.75)}
        assert (made == 0).mean() == pytest.approx(0.25, abs=0.01)
        assert made.mean() == pytest.approx(1, abs=0.01)

    def test_a_draw_and_a_layer_have_a_mask_of_their_own(self):
        def mask(number, draw):
            rate = np.array(0.5, "float32")
            return SeededDropout(number)(np.ones([20, 20]), rate, np.array(draw)).numpy()

        assert np.array_equal(mask(0, [7, 8]), mask(0, [7, 8]))
        masks = [mask(0, [7, 8]), mask(1, [7, 8]), mask(0, [7, 9]), mask(0, [8, 8])]
        for one, two in pairwise(masks):
            assert 0.4 < np.mean(one == two) < 0.6

    @pytest.mark.parametrize("architecture", [*ARCHITECTURES, "mlp"])
    def test_networks_draw_only_from_what_they_are_given(self, architecture):
        """In training or not; at rate 0 they are the networks without it."""
        given = (random(4, Z), random(4, 8, 8, 3))
        plain = networks(architecture, 8, norm="none")
        dropping = networks(architecture, 8, norm="none", dropout=True, generator_dropout=True)
        for x, one, two in zip(given, plain, dropping, strict=True):
            randomise(one)
            two.set_weights(one.get_weights())
            zero, half = (np.array(rate, "float32") for rate in (0, 0.5))
            np.testing.assert_allclose(two([x, zero, DRAW]), one(x), rtol=1e-5)
            first = two([x, half, DRAW], training=False).numpy()
            assert np.array_equal(first, two([x, half, DRAW], training=False))
            assert not np.allclose(first, two([x, half, DRAW + 1], training=False))
            activations = [layer for layer in two.layers if "re_lu" in layer.name]
            dropouts = [layer for layer in two.layers if isinstance(layer, SeededDropout)]
            assert len(dropouts) == len(activations)
            assert sorted(layer._number for layer in dropouts) == list(range(len(dropouts)))


def convolved(x, kernel, bias):
    """A convolution of stride 1 that keeps the size, in NumPy."""
    side = kernel.shape[0]
    edge = side // 2
    padded = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    return bias + sum(
        padded[:, i : i + x.shape[1], j : j + x.shape[2]] @ kernel[i, j]
        for i in range(side) for j in range(side)
    )  # fmt: skip


def pooled(x):
    return x.reshape(x.shape[0], x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).mean(axis=(2, 4))


def doubled(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def relu(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("architecture", ["infogan", "strided", "sndcgan"])
def test_without_a_norm_kernels_start_large_enough(architecture, norm):
    """DCGAN's 0.02 where a norm undoes the size of what it is given, else Glorot's."""
    generator_norm = norm if norm in ("none", "batch") else "batch"
    pair = networks(architecture, width=16, norm=norm, generator_norm=generator_norm)
    for network, own in zip(pair, (generator_norm, norm), strict=True):
        for layer in network.layers:
            if hasattr(layer, "kernel") and layer.kernel.shape.num_elements() > 200:
                places = np.prod(layer.kernel.shape[:-2], dtype=int)
                glorots = np.sqrt(2 / (places * sum(layer.kernel.shape[-2:])))
                glorots *= np.sqrt(2) if places == 9 else 1
                expected = glorots if own == "none" else 0.02
                assert layer.kernel.numpy().std() == pytest.approx(expected, rel=0.15)


class TestResidualBlocks:
    """As the papers draw them: the shortcut's 1x1 stands where the size is the larger one."""

    def weights(self, network):
        """The kernels and biases of the first and second 3x3 and of the 1x1."""
        randomise(network)
        found = [x for x in network.layers if isinstance(x, layers.Conv2D)]
        three = [x.get_weights() for x in found if x.kernel_size == (3, 3)]
        one = [x.get_weights() for x in found if x.kernel_size == (1, 1)]
        return (*three, *one)

    @pytest.mark.parametrize("first", [True, False])
    @pytest.mark.parametrize("halve", [True, False])
    def test_of_a_discriminator(self, first, halve):
        parts = Parts("none", glorot)
        network = model_of(
            parts, lambda x: _discriminator_block(x, 5, parts, halve, first), 4, 4, 3
        )
        one, two, around = self.weights(network)
        x = random(2, 4, 4, 3)
        deep = convolved(relu(convolved(x if first else relu(x), *one)), *two)
        shortcut = convolved(x, *around)
        assert one[0].shape[3] == (5 if first else 3)
        if halve:
            deep, shortcut = pooled(deep), pooled(shortcut)
        np.testing.assert_allclose(network(x), deep + shortcut, rtol=1e-4, atol=1e-5)

    def test_of_a_discriminator_that_keeps_all(self):
        parts = Parts("none", glorot)
        network = model_of(parts, lambda x: _discriminator_block(x, 3, parts, halve=False), 4, 4, 3)
        one, two = self.weights(network)
        x = random(2, 4, 4, 3)
        deep = convolved(relu(convolved(relu(x), *one)), *two)
        np.testing.assert_allclose(network(x), deep + x, rtol=1e-4, atol=1e-5)

    def test_of_a_generator(self):
        parts = Parts("none", glorot)
        network = model_of(parts, lambda x: _generator_block(x, 5, parts), 3, 3, 4)
        one, two, around = self.weights(network)
        x = random(2, 3, 3, 4)
        deep = convolved(relu(convolved(doubled(relu(x)), *one)), *two)
        expected = deep + convolved(doubled(x), *around)
        np.testing.assert_allclose(network(x), expected, rtol=1e-4, atol=1e-5)

    def test_the_features_of_resnet_are_sums(self):
        """Those of resnet5 are means."""
        for architecture, factor in (("resnet", 16), ("resnet5", 1)):
            _, discriminator = networks(architecture, 8)
            last = [x for x in discriminator.layers if isinstance(x, layers.ReLU)][-1]
            both = keras.Model(discriminator.input, [last.output, last_dense(discriminator).input])
            maps, features = both(random(2, 8, 8, 3))
            expected = factor * maps.numpy().mean(axis=(1, 2))
            np.testing.assert_allclose(features, expected, rtol=1e-5)

    @pytest.mark.parametrize("architecture", ["resnet", "resnet5"])
    def test_kernels_start_as_sngans(self, architecture):
        for network in networks(architecture, 8, width=16):
            for layer in network.layers:
                if isinstance(layer, layers.Conv2D | layers.Dense):
                    kernel = layer.kernel.numpy()
                    places = np.prod(kernel.shape[:-2], dtype=int)
                    limit = np.sqrt(6 / (places * sum(kernel.shape[-2:])))
                    limit *= np.sqrt(2) if places == 9 else 1
                    assert kernel.max() <= limit
                    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.25)


class TestR3GAN:
    def test_blocks_start_as_the_identity(self):
        """So at the start only the resampling and the outermost layers matter."""
        generator, discriminator = networks("r3gan", 16)
        for network in (generator, discriminator):
            kernels = [x.kernel.numpy() for x in network.layers if isinstance(x, layers.Conv2D)]
            assert sum(not kernel.any() for kernel in kernels) == 3

    def test_generators_interpolate(self):
        """Up is zeros between pixels, then [1, 2, 1] / 2 each way; at the edges, what there is."""
        generator, _ = networks("r3gan", 8)
        z = random(2, Z)
        weights = {variable.name: [] for variable in generator.variables}
        for variable in generator.variables:
            weights[variable.name].append(variable.numpy())
        small = (z @ weights["kernel"][0])[:, None, None] * weights["basis"][0]
        expected = small
        for axis in (1, 2):
            after = np.concatenate(
                [np.take(expected, range(1, 4), axis), np.take(expected, [3], axis)], axis
            )
            between = (expected + after) / 2
            expected = np.stack([expected, between], axis + 1).reshape(
                *expected.shape[:axis], 8, *expected.shape[axis + 1 :]
            )
        expected = expected @ weights["kernel"][-1][0, 0]
        np.testing.assert_allclose(generator(z), expected, rtol=1e-4, atol=1e-6)

    def test_discriminators_blur_as_they_halve(self):
        """Down is [1, 2, 1] / 4 each way at every second pixel; at the edges, what there is."""
        _, discriminator = networks("r3gan", 8)
        x = random(2, 8, 8, 3)
        kernels = [v.numpy() for v in discriminator.variables if v.name == "kernel"]
        (basis,) = (v.numpy() for v in discriminator.variables if v.name == "basis")
        features = x @ kernels[0][0, 0]
        for axis in (1, 2):
            features = np.moveaxis(features, axis, 0)
            beyond = np.concatenate([features[2::2], features[-1:]])
            features = (features[::2] + 2 * features[1::2] + beyond) / 4
            features = np.moveaxis(features, 0, axis)
        expected = (features * basis).sum(axis=(1, 2)) @ kernels[-1]
        np.testing.assert_allclose(discriminator(x), expected, rtol=1e-4, atol=1e-5)

    def test_signals_keep_their_size(self):
        """At the paper's start; images are not bounded."""
        generator, discriminator = networks("r3gan", 16, width=64)
        made = generator(random(200, Z)).numpy()
        assert 0.3 < made.std() < 3
        assert 0.1 < discriminator(random(200, 16, 16, 3)).numpy().std() < 3
