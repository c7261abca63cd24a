"""The maximal update parametrisation: what narrow networks learn by says what wide ones do."""

import numpy as np
import pytest
import tensorflow as tf

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.models import GAN_TYPES
from autogan.models.networks.parametrisation import BASE
from autogan.models.networks.shape import NetworkShape
from autogan.models.training.batches import TrainingSet
from autogan.models.training.networks import Networks
from autogan.models.training.state import initialise

GAN = GAN_TYPES.get("gan")
IMAGES = np.random.default_rng(0).integers(0, 256, (256, 8, 8, 1)).astype(np.uint8)


def shape(parametrisation="mup", width=32, dense_width=512, architecture="infogan", **others):
    known = {"discriminator_norm": "batch", "size": 8, "channels": 1, "z_dim": 16}
    return NetworkShape(
        width=width,
        dense_width=dense_width,
        architecture=architecture,
        parametrisation=parametrisation,
        **{**known, **others},
    )


def kernels(network, rates):
    """Deviation of the first weights, and rate, of each kernel, by its shape."""
    return {
        tuple(v.shape): (float(np.std(v.numpy())), rate)
        for v, rate in zip(network.trainable_variables, rates, strict=True)
        if len(v.shape) > 1
    }


def settings(width, parametrisation):
    return {
        **GAN.defaults(),
        "width": width,
        "dense_width": 16 * width,
        "parametrisation": parametrisation,
        "discriminator_norm": "none",
        "generator_norm": "none",
        "penalty": "none",
        "learning_rate": 1e-3,
    }


class TestTable:
    """Half as wide as the base, m is 1/2: rates of 1 or 2, deviations of 1, sqrt(2) or 2."""

    def networks(self, **others):
        made = Networks(shape(**others))
        initialise((made.generator, made.discriminator), 0)
        return made

    def test_infogans_generator(self):
        made = self.networks()
        found = kernels(made.generator, made.g_rates)
        z, hidden, growing, last = (16, 512), (512, 256), (4, 4, 32, 64), (4, 4, 1, 32)
        assert {name: rate for name, (_, rate) in found.items()} == {
            z: 1.0, hidden: 2.0, growing: 2.0, last: 2.0,
        }  # fmt: skip
        wanted = {z: 0.02, hidden: 0.02 * 2**0.5, growing: 0.02 * 2**0.5, last: 0.02 * 2}
        for name, deviation in wanted.items():
            assert found[name][0] == pytest.approx(deviation, rel=0.1)

    def test_infogans_discriminator(self):
        made = self.networks()
        found = kernels(made.discriminator, made.d_rates)
        image, hidden, dense, judge = (4, 4, 1, 32), (4, 4, 32, 64), (256, 512), (512, 1)
        assert {name: rate for name, (_, rate) in found.items()} == {
            image: 1.0, hidden: 2.0, dense: 2.0, judge: 2.0,
        }  # fmt: skip
        wanted = {image: 0.02, hidden: 0.02 * 2**0.5, dense: 0.02 * 2**0.5, judge: 0.02 * 2}
        for name, deviation in wanted.items():
            assert found[name][0] == pytest.approx(deviation, rel=0.1)

    def test_glorots_start_goes_by_the_bases_fans(self):
        """Without a norm: variance 2 / (inputs + outputs) of the base, over the square of m."""
        made = self.networks(discriminator_norm="none")
        deviation, _ = kernels(made.discriminator, made.d_rates)[512, 1]
        assert deviation == pytest.approx(2 * (2 / 1025) ** 0.5, rel=0.1)

    def test_spectral_kernels_too(self):
        made = self.networks(discriminator_norm="spectral")
        assert kernels(made.discriminator, made.d_rates)[512, 1][1] == 2.0

    def test_biases_and_norms_keep_the_rate(self):
        made = self.networks()
        pairs = zip(made.discriminator.trainable_variables, made.d_rates, strict=True)
        assert {rate for v, rate in pairs if len(v.shape) == 1} == {1.0}

    def test_vectors_of_classes_are_weights_of_an_output(self):
        made = self.networks(condition="projection", classes=10)
        found = kernels(made.discriminator, made.d_rates)
        assert found[10, 512][1] == 2.0
        base = (2 / (10 + 1024)) ** 0.5
        assert found[10, 512][0] == pytest.approx(2 * base, rel=0.1)

    def test_what_is_given_classes_is_an_input(self):
        made = self.networks(condition="input", classes=10)
        assert kernels(made.generator, made.g_rates)[26, 512][1] == 1.0

    @pytest.mark.parametrize("architecture", ["strided", "sndcgan", "resnet", "resnet5", "r3gan"])
    def test_every_architecture_has_rates_of_1_and_2(self, architecture):
        made = Networks(shape(architecture=architecture, size=32))
        assert set(made.g_rates) == set(made.d_rates) == {1.0, 2.0}

    def test_zeros_stay_zeros(self):
        made = self.networks(architecture="r3gan", size=32)
        assert any(
            deviation == 0.0 for deviation, _ in kernels(made.generator, made.g_rates).values()
        )

    def test_at_the_bases_width_it_is_the_standard(self):
        made = [Networks(shape(name, **BASE)) for name in ("standard", "mup")]
        for one in made:
            initialise((one.generator, one.discriminator), 0)
            assert {*one.g_rates, *one.d_rates} == {1.0}
        for one, other in zip(*([*m.generator.variables] for m in made), strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())

    def test_the_standard_knows_no_rates(self):
        made = Networks(shape("standard"))
        assert {*made.g_rates, *made.d_rates} == {1.0}


def test_adams_first_step_is_as_long_as_each_layers_rate():
    """It moves a weight by the learning rate, whatever its gradient: g / sqrt(g^2)."""
    values = {**settings(32, "mup"), "learning_rate": 1e-4, "generator_lr_scale": 3.0, "beta1": 0.0}
    trainer = GAN.build((8, 8, 1), values)
    trainer.reset(0)
    networks = trainer._networks
    sides = ((networks.generator, networks.g_rates, 3e-4),
             (networks.discriminator, networks.d_rates, 1e-4))  # fmt: skip
    before = [[v.numpy() for v in network.trainable_variables] for network, _, _ in sides]
    trainer.train(TrainingSet(IMAGES, None, True), 0, 0, 1, 100, values)
    for (network, rates, usual), start in zip(sides, before, strict=True):
        for variable, rate, old in zip(network.trainable_variables, rates, start, strict=True):
            longest = np.abs(variable.numpy() - old).max()
            assert longest == pytest.approx(rate * usual, rel=0.05), variable.shape  # by epsilon


def moved(width, parametrisation):
    """How far two steps move a network's images and logits, in the mean."""
    trainer = GAN.build((8, 8, 1), settings(width, parametrisation))
    data = TrainingSet(IMAGES, None, True)
    latents, real = trainer.latents(64, 0).z, tf.cast(IMAGES[:64], tf.float32) / 127.5 - 1.0
    found = []
    for seed in range(3):
        trainer.reset(seed)
        before = trainer.generator(latents), trainer.discriminator(real)
        trainer.train(data, seed, 0, 2, 100, settings(width, parametrisation))
        after = trainer.generator(latents), trainer.discriminator(real)
        found.append(
            [float(tf.reduce_mean(tf.abs(b - a))) for a, b in zip(before, after, strict=True)]
        )
    return np.mean(found, axis=0)


def test_a_step_moves_what_networks_of_all_widths_say_as_much():
    """The coordinate check of Yang et al., 2022, appendix D.1."""
    narrow, wide = (moved(width, "mup") for width in (8, 64))
    assert (narrow / wide < 2.5).all()
    assert (wide / narrow < 2.5).all()
    narrow, wide = (moved(width, "standard") for width in (8, 64))
    assert wide[1] / narrow[1] > 3  # of the discriminator


@pytest.mark.parametrize(
    ("gan_type", "params", "message"),
    [
        ("gan", {"parametrisation": "mup", "attention": "self"}, "has no rule for attention self"),
        ("began", {"parametrisation": "mup"}, "began has parametrisation standard"),
    ],
)
def test_what_it_does_not_cover_is_refused(gan_type, params, message):
    with pytest.raises(ConfigError, match=message):
        TrainConfig(gan_type=gan_type, params=params)
