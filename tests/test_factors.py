"""The factors of a GAN: what presets leave of them, what cannot be together, and that each counts.

All trainings are eager unless a test is about compiling: most build another GAN.
"""

import itertools

import numpy as np
import pytest
import tensorflow as tf
import yaml

from autogan.core.hyperparameters import Hyperparameter, conditions, met
from autogan.models import GAN_TYPES, draws
from autogan.models.factors import DEFAULTS, FACTORS, conflict, doubt, narrowed
from autogan.models.training.batches import TrainingSet
from autogan.models.types.gan import GAN

DECLARED = {h.name: h for h in FACTORS}
COUNTS, TOTAL = (7, 7, 6), 6
TINY = {"width": 2, "dense_width": 4, "batch_size": 4, "z_dim": 3, "architecture": "infogan",
        "learning_rate": 0.01, "discriminator_norm": "spectral"}  # fmt: skip
PRESETS = [kind for kind in GAN_TYPES if issubclass(kind, GAN) and kind is not GAN]
ids = {"ids": lambda kind: kind.name}


# ---- Declarations --------------------------------------------------------------------------------


def choice(name, *values, **options):
    return Hyperparameter(name, "choice", values[0], "", choices=values, **options)


def share(name, **options):
    return Hyperparameter(name, "share", 0.5, "", high=1.0, search=(0.1, 0.5), **options)


class TestNarrowed:
    ALL = (
        choice("a", "x", "y", "z"),
        choice("b", "x", "y", under={"a": ("x", "y")}),
        share("c", under={"a": ("y",), "b": ("y",)}),
        share("d", under={"b": ("x",)}),
        share("e"),
    )

    def names(self, **fixed):
        return [h.name for h in narrowed(self.ALL, fixed, {}, {})]

    def test_nothing_fixed_leaves_everything_as_it_is(self):
        assert narrowed(self.ALL, {}, {}, {}) == self.ALL

    def test_what_is_fixed_is_gone_and_what_has_no_meaning_under_it(self):
        assert self.names(e=0.1) == ["a", "b", "c", "d"]
        assert self.names(b="x") == ["a", "d", "e"]
        assert self.names(a="x") == ["b", "d", "e"]
        assert self.names(a="z") == ["e"]  # d too: it is under b, which is under a

    def test_conditions_that_are_met_are_gone(self):
        left = {h.name: h.under for h in narrowed(self.ALL, {"a": "y"}, {}, {})}
        assert left == {"b": {}, "c": {"b": ("y",)}, "d": {"b": ("x",)}, "e": {}}

    def test_defaults_and_candidates_are_replaced(self):
        left = narrowed(self.ALL, {}, {"e": 0.25}, {"c": (), "d": (0.9,)})
        found = {h.name: (h.default, h.search) for h in left}
        assert found["c"] == (0.5, ())
        assert found["d"] == (0.5, (0.9,))
        assert found["e"] == (0.25, (0.1, 0.5))


@pytest.mark.parametrize("kind", PRESETS, **ids)
def test_what_a_preset_fixes_is_what_the_general_type_may_have(kind):
    """But for BEGAN's loss, which wants an auto-encoder."""
    for name, value in kind.fixed.items():
        if value != "equilibrium":
            assert DECLARED[name].check(value) == value
    declared = {h.name: h for h in kind.hyperparameters}
    assert not declared.keys() & kind.fixed.keys()
    assert kind.other_defaults.keys() | kind.candidates.keys() <= declared.keys()
    for h in kind.hyperparameters:
        assert h.under.keys() <= declared.keys()
        assert met(conditions(DECLARED.get(h.name, h), DECLARED), kind.fixed)


RATES, BETAS, ITERATIONS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3), (0.0, 0.5, 0.9), (1, 2, 5)
USUAL = {"learning_rate": RATES, "d_iter": ITERATIONS, "beta1": BETAS}
_IGAN = {"learning_rate": RATES, "d_iter": ITERATIONS, "penalty_weight": (1.0, 5.0, 10.0)}
SPACES = {
    "dcgan": USUAL,
    "lsgan": USUAL,
    "cgan": USUAL,
    "wgan": {
        "learning_rate": (5e-5, 2e-4, 5e-4, 1e-3), "d_iter": ITERATIONS, "clip": (0.01, 0.03, 0.1),
    },
    "wgan_gp": {**USUAL, "penalty_weight": (1.0, 10.0)},
    "dragan": {**USUAL, "penalty_weight": (1.0, 10.0)},
    "sngan": USUAL,
    "sngan_projection": USUAL,
    "r3gan": {"learning_rate": RATES, "penalty_weight": (0.01, 0.05, 0.5, 5.0)},
    "igan": _IGAN,
    "igan_v2": _IGAN,
    "evolutionary": {
        "learning_rate": RATES, "d_iter": (1, 3), "fitness_weight": (0.001, 0.004, 0.01, 0.1),
    },
    "began": {
        **USUAL, "learning_rate": (8e-5, 2e-4, 5e-4, 1e-3), "gamma": (0.3, 0.5, 0.7, 1.0),
        "lambda_k": (1e-3, 2e-2),
    },
    "acgan": {
        **USUAL, "class_weight": (0.5, 1.0, 2.0), "generator_class_weight": (0.1, 1.0),
    },
}  # fmt: skip
_DCGAN = {"learning_rate": 2e-4, "beta1": 0.5, "beta2": 0.999, "d_iter": 1, "optimizer": "adam",
          "batch_size": 64, "z_dim": 62, "architecture": "auto", "width": 64,
          "dense_width": 1024, "generator_lr_scale": 1.0}  # fmt: skip
OF_TYPES = {
    "dcgan": _DCGAN,
    "lsgan": _DCGAN,
    "cgan": _DCGAN,
    "acgan": {**_DCGAN, "class_weight": 1.0, "generator_class_weight": 1.0},
    "wgan": {
        **_DCGAN, "learning_rate": 5e-5, "beta1": 0.0, "beta2": 0.99, "d_iter": 5,
        "optimizer": "rmsprop", "clip": 0.01,
    },
    "wgan_gp": {
        **_DCGAN, "learning_rate": 1e-4, "beta2": 0.9, "d_iter": 5, "penalty_weight": 10.0,
    },
    "began": {
        **_DCGAN, "learning_rate": 8e-5, "batch_size": 16, "z_dim": 64, "gamma": 0.5,
        "lambda_k": 1e-3,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", PRESETS, **ids)
def test_each_preset_has_its_own_default_space(kind):
    assert {h.name: h.search for h in kind.hyperparameters if h.search} == SPACES[kind.name]


@pytest.mark.parametrize("name", OF_TYPES)
def test_the_older_types_train_as_before_there_was_a_general_one(name):
    """With its defaults, and all that came with the general type switched off."""
    of_type = GAN_TYPES.get(name).defaults()
    assert OF_TYPES[name].items() <= of_type.items()
    later = {"attention": "none", "minibatch_stddev": "none", "ema": 0.0, "statistics": "moving",
             "augment": "none", "label_smoothing": 0.0, "input_noise": 0.0, "dropout": 0.0,
             "generator_dropout": 0.0, "schedule": "constant", "augment_target": 0.0,
             "generator_norm": "batch"}  # fmt: skip
    for factor, value in later.items():
        assert GAN_TYPES.get(name).factor(factor, of_type) == value, factor


def test_no_choice_is_a_word_that_yaml_takes_for_something_else():
    for h in {h for kind in GAN_TYPES for h in kind.hyperparameters}:
        for value in h.choices:
            assert yaml.safe_load(value) == value
            assert value.lower() not in ("y", "n", "yes", "no", "on", "off", "true", "false")


# ---- What cannot be together, or should not ------------------------------------------------------


def meaningful(**changes):
    return GAN.meaningful({**DEFAULTS, **changes})


@pytest.mark.parametrize(
    ("said", "bad", "good"),
    [
        (
            "penalty clipping limits weights that discriminator_norm spectral scales",
            {"penalty": "clipping", "discriminator_norm": "spectral"},
            {"discriminator_norm": "none"},
        ),
        (
            "generator_norm conditional has a scale for each class, but condition is none",
            {"generator_norm": "conditional"},
            {"condition": "input"},
        ),
        (
            "groups of four images, but batch_size is 6",
            {"minibatch_stddev": "groups", "batch_size": 6},
            {"batch_size": 8},
        ),
        (
            "attention self needs feature maps; architecture mlp has none",
            {"attention": "self", "architecture": "mlp"},
            {"attention": "none"},
        ),
        (
            "minibatch_stddev groups needs feature maps",
            {"minibatch_stddev": "groups", "architecture": "mlp"},
            {"minibatch_stddev": "none"},
        ),
        (
            "parametrisation mup has rates for adam and rmsprop, not for sgd",
            {"parametrisation": "mup", "optimizer": "sgd"},
            {"optimizer": "rmsprop"},
        ),
    ],
)
def test_conflicts(said, bad, good):
    assert said in conflict(meaningful(**bad))
    assert said in GAN.conflict({**DEFAULTS, **bad})
    assert not conflict(meaningful(**{**bad, **good}))
    # Networks that are never normalised have neither norm.
    if "norm" in said:
        assert not conflict(meaningful(**bad, architecture="r3gan"))


@pytest.mark.parametrize(
    ("said", "bad", "good"),
    [
        (
            "penalty dragan needs the gradient of each image",
            {"penalty": "dragan", "discriminator_norm": "batch"},
            {"discriminator_norm": "layer"},
        ),
        (
            "penalty zero_centred needs the gradient of each image",
            {"penalty": "zero_centred", "discriminator_norm": "batch"},
            {"penalty": "r1"},
        ),
        (
            "penalty clipping belongs to loss wasserstein, not to hinge",
            {"penalty": "clipping", "loss": "hinge", "discriminator_norm": "none"},
            {"loss": "wasserstein"},
        ),
        (
            "loss wasserstein needs a discriminator of bounded slope",
            {"loss": "wasserstein", "discriminator_norm": "layer", "penalty": "l2"},
            {"penalty": "gradient_norm"},
        ),
        (
            "loss hinge needs a discriminator of bounded slope",
            # Its networks are never normalised.
            {"loss": "hinge", "discriminator_norm": "spectral", "architecture": "r3gan"},
            {"architecture": "resnet"},
        ),
        (
            "condition projection works poorly without discriminator_norm spectral",
            {"condition": "projection", "discriminator_norm": "batch"},
            {"discriminator_norm": "spectral"},
        ),
    ],
)
def test_doubts(said, bad, good):
    assert said in doubt(meaningful(**bad))
    assert said in GAN.doubt({**DEFAULTS, **bad})
    assert not doubt(meaningful(**{**bad, **good}))


@pytest.mark.parametrize("kind", list(GAN_TYPES), **ids)
def test_no_type_is_in_conflict_or_doubt_by_default(kind):
    assert kind.conflict(kind.defaults()) == ""
    assert kind.doubt(kind.defaults()) == ""


def test_what_a_preset_fixes_counts_in_its_conflicts():
    r3gan = GAN_TYPES.get("r3gan")
    conditional = {"architecture": "resnet", "generator_norm": "conditional"}
    assert "condition is none" in r3gan.conflict({**r3gan.defaults(), **conditional})


def test_what_a_preset_fixes_is_not_counted_where_it_has_no_meaning():
    sngan = GAN_TYPES.get("sngan")
    assert not sngan.doubt(sngan.defaults())
    unnormalised = {**sngan.defaults(), "architecture": "r3gan"}
    assert "loss hinge needs a discriminator of bounded slope" in sngan.doubt(unnormalised)


# ---- Each counts ---------------------------------------------------------------------------------


def images(size=8, channels=1):
    made = np.random.default_rng(0).integers(0, 256, (20, size, size, channels), np.uint8)
    return TrainingSet(made, np.arange(20) % len(COUNTS))


def settings(**changes):
    chosen = {**DEFAULTS, **TINY, **changes}
    assert not GAN.conflict(chosen)
    return chosen


def built(size=8, channels=1, **changes):
    return GAN.build((size, size, channels), settings(**changes), COUNTS)


def train(gan, start, steps, size=8, channels=1, **changes):
    return gan.train(images(size, channels), 1, start, steps, TOTAL, settings(**changes))


def outcome(gan, steps=2, **changes):
    """The weights in training, and images, after some steps."""
    gan.reset(1)
    train(gan, 0, steps, **changes)
    return weights(gan), gan.generate(gan.latents(12, 0))


def weights(gan):
    state = gan.state()
    return {n: v for n, v in state.items() if n.startswith(("generator/", "discriminator/"))}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


# An accuracy that the discriminator is above or the generator below after the first update.
BALANCED = 0.5005
# What makes a hyperparameter's value count, beside a choice that it is under.
CONTEXTS = {
    "penalty_weight": {"penalty": "r1"},
    "penalty_interval": {"penalty": "r1"},
    "class_weight": {"condition": "auxiliary"},
    "generator_class_weight": {"condition": "auxiliary"},
    "generator_norm": {"condition": "input"},
    "augment_target": {"augment": "all", "loss": "hinge"},
    "clip": {"penalty": "clipping", "discriminator_norm": "none"},
    # Four updates, after which gradients are so long that one_sided counts.
    "penalty": {"discriminator_norm": "none", "learning_rate": 0.3, "d_iter": 4},
    "statistics": {"generator_norm": "batch", "learning_rate": 0.1},
    "ema": {"learning_rate": 0.1},
    "schedule_drops": {"schedule": "step"},
    "schedule_factor": {"schedule": "step"},
    "attention": {"architecture": "strided"},
    "depth": {"architecture": "strided"},
}
STEPS = {"schedule": 4, "schedule_drops": 4, "schedule_factor": 4, "statistics": 2}
NUMBERS = {
    "learning_rate": 0.02, "generator_lr_scale": 2.0, "d_iter": 2, "beta1": 0.25, "beta2": 0.7,
    "batch_size": 8, "z_dim": 4, "width": 3, "dense_width": 5, "penalty_weight": 3.0,
    "penalty_interval": 2, "clip": 0.003, "class_weight": 3.0, "generator_class_weight": 3.0,
    "ema": 0.05,
    "augment_probability": 0.4, "augment_target": 0.9, "label_smoothing": 0.2, "input_noise": 0.2,
    "dropout": 0.2, "generator_dropout": 0.2, "schedule_end": 0.3, "schedule_power": 3.0,
    "schedule_speed": 0.1, "schedule_drops": 5, "schedule_factor": 0.2, "depth": 2,
    "balance": BALANCED,
}  # fmt: skip
ONLY_IMAGES = ("ema", "statistics")
SIZES = {"attention": 16}


@pytest.mark.parametrize("name", DECLARED)
@pytest.mark.usefixtures("eagerly")
def test_each_takes_effect(name):
    """Each value of each choice, and another one of each number, in the weights or the images."""
    h = DECLARED[name]
    context = {parent: values[-1] for parent, values in h.under.items() if parent != "architecture"}
    context |= CONTEXTS.get(name, {})
    values = h.choices if h.choices else (h.default, NUMBERS[name])
    if name == "architecture":
        values = [value for value in values if value != "auto"]
    found = []
    for value in values:
        chosen = {**context, name: value}
        if not GAN.conflict({**DEFAULTS, **TINY, **chosen}):
            gan = built(SIZES.get(name, 8), **chosen)
            found.append(outcome(gan, STEPS.get(name, 2), size=SIZES.get(name, 8), **chosen))
    assert len(found) > 1
    for a, b in itertools.combinations(found, 2):
        if name in ONLY_IMAGES:
            assert same(a[0], b[0])
            assert not np.array_equal(a[1], b[1])
        else:
            assert not same(a[0], b[0])


def test_auto_is_infogan_below_32_pixels():
    counts = {
        (size, architecture): GAN.build(
            (size, size, 1), settings(architecture=architecture), COUNTS
        ).generator.count_params()
        for size, architecture in itertools.product((28, 32), ("auto", "infogan", "strided"))
    }
    assert counts[28, "auto"] == counts[28, "infogan"] != counts[28, "strided"]
    assert counts[32, "auto"] == counts[32, "strided"] != counts[32, "infogan"]


SWITCHES = [h.name for h in FACTORS if h.switch]


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_that_is_off_is_not_there(name):
    """No part of the shape but that; another amount is the same shape."""
    amounts = (0.6, 0.9) if name == "balance" else (0.1, 0.3)
    on, more = (GAN.shape_of(settings(**CONTEXTS.get(name, {}), **{name: v})) for v in amounts)
    off = GAN.shape_of(settings(**CONTEXTS.get(name, {}), **{name: 0.0}))
    assert on == more != off
    assert dict(off) | {name: True} == dict(on)


@pytest.mark.usefixtures("eagerly")
def test_switches_that_are_off_leave_no_trace():
    """The same bits as a type that has none of them, and no state of theirs."""

    class Without(GAN):
        name = "without"
        fixed = dict.fromkeys(SWITCHES, 0.0)

    assert not any(h.switch for h in Without.hyperparameters)
    chosen = settings(augment="all", generator_norm="batch")
    left = {name: chosen[name] for name in Without.defaults()}
    with_, without = built(augment="all"), Without.build((8, 8, 1), left, COUNTS)
    for gan in (with_, without):
        gan.reset(1)
    train(with_, 0, 2, augment="all")
    without.train(images(), 1, 0, 2, TOTAL, left)
    assert same(with_.state(), without.state())
    assert with_.state().keys() == without.state().keys()
    assert not any(n.startswith(("average/", "augmentation/")) for n in with_.state())


def test_the_amount_of_a_switch_is_data():
    """One trace for two amounts of all of them, and each amount counts."""
    on = {"augment": "translation", "learning_rate": 0.1, **dict.fromkeys(SWITCHES, 0.2)}
    on |= {"balance": 0.9}
    gan = built(**on)
    usual, made = outcome(gan, 4, **on)
    # The ramp of averages is at 0.1; a target of 1 is never passed.
    amounts = {**dict.fromkeys(SWITCHES, 0.45), "ema": 0.05, "augment_target": 1.0}
    amounts |= {"balance": BALANCED}
    for name, amount in amounts.items():
        weights_, images_ = outcome(gan, 4, **{**on, name: amount})
        assert same(usual, weights_) == (name == "ema"), name
        assert name != "ema" or not np.array_equal(made, images_)
    assert gan._train.experimental_get_tracing_count() == 1


def test_what_has_no_meaning_is_not_computed():
    """Label smoothing may be set for those of the searched losses that have targets."""
    for chosen in (
        {"loss": "hinge", "label_smoothing": 0.1},
        {"augment_target": 0.6},
        {"loss": "wasserstein", "augment": "color", "augment_target": 0.6},
    ):
        off = {**chosen, **{name: 0.0 for name in SWITCHES if name in chosen}}
        assert dict(GAN.shape_of(settings(**chosen))).items() <= {
            **DEFAULTS, **dict(GAN.shape_of(settings(**off))),
        }.items()  # fmt: skip


# ---- Random combinations -------------------------------------------------------------------------


def random_combination(seed):
    """A valid one of all choices, in which about half of the switches are on."""
    rng = np.random.default_rng(seed)
    while True:
        drawn = {h.name: str(rng.choice(h.choices)) for h in FACTORS if h.choices}
        drawn |= {name: float(rng.choice((0.0, 0.3))) for name in SWITCHES}
        # The larger networks are in test_networks.py; each takes seconds here.
        drawn["architecture"] = str(rng.choice(("infogan", "infogan", "strided", "r3gan")))
        drawn["attention"] = "none"  # its gain starts at 0: kernels behind it hardly move at first
        if not GAN.conflict({**DEFAULTS, **TINY, **drawn}):
            return drawn


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.usefixtures("eagerly")
def test_random_combinations_train_and_go_on_from_any_step(seed):
    chosen = {**random_combination(seed), "learning_rate": 1e-3}

    gan = built(channels=3, **chosen)
    gan.reset(1)
    before = weights(gan)
    done, losses = train(gan, 0, 5, channels=3, **chosen)
    whole, made = gan.state(), gan.generate(gan.latents(4, 0))
    assert done == 5
    assert all(np.isfinite(list(losses.values()))), losses
    changed = {name for name in before if not np.array_equal(before[name], whole[name])}
    for network in ("generator", "discriminator"):
        kernels = {n for n in before if n.startswith(network) and n.endswith("kernel")}
        assert kernels
        assert kernels <= changed

    gan.reset(1)
    train(gan, 0, 2, channels=3, **chosen)
    state = {name: value.copy() for name, value in gan.state().items()}
    fresh = built(channels=3, **chosen)  # elsewhere, after another training
    fresh.reset(9)
    train(fresh, 0, 1, channels=3, **chosen)
    fresh.restore(state)
    train(fresh, 2, 1, channels=3, **chosen)
    train(fresh, 3, 2, channels=3, **chosen)
    assert same(whole, fresh.state())
    assert np.array_equal(made, fresh.generate(fresh.latents(4, 0)))


@pytest.mark.usefixtures("eagerly")
def test_what_training_remembers_is_state():
    """Power iterations, averages and the probability of augmentation."""
    chosen = {"ema": 0.3, "augment": "color", "augment_target": 0.6}
    gan = built(**chosen)
    _, made = outcome(gan, **chosen)
    state = gan.state()
    kinds = {"u": "_u", "average": "average/", "probability": "augmentation/probability"}
    for kind in kinds.values():
        assert any(kind in name for name in state)
        changed = {n: v + 0.5 if kind in n else v for n, v in state.items()}
        gan.restore(changed)
        assert same(gan.state(), changed)
    gan.restore(state)
    assert np.array_equal(made, gan.generate(gan.latents(12, 0)))


# ---- Random numbers ------------------------------------------------------------------------------


def streams():
    """All of `autogan.models.draws`, by name."""
    found = {}
    for name, value in vars(draws).items():
        if name.isupper() and not name.startswith("_"):
            parts = value._asdict().items() if isinstance(value, tuple) else [("", value)]
            found |= {f"{name} {part}".strip(): number for part, number in parts}
    return found


def test_no_two_streams_meet_in_a_million_updates():
    """Their numbers at update n are 4 n + stream: two of one residue are as far apart as that."""
    numbers = streams()
    assert len(numbers) == 4 + 4 + 7 * 3 + 2
    updates = 10**6
    for (a, x), (b, y) in itertools.combinations(numbers.items(), 2):
        step = int(draws.draw(tf.constant(0, tf.int64), tf.constant(1, tf.int64), 0)[1])
        assert (x - y) % step or abs(x - y) > step * updates, f"{a} meets {b}"
    assert max(numbers.values()) + 4 * updates < 2**63


def test_each_showing_draws_for_itself():
    seed, update = tf.constant(5, tf.int64), tf.constant(7, tf.int64)
    drawn = {
        name: tuple(tf.random.stateless_uniform([4], draws.draw(seed, update, number)).numpy())
        for name, number in streams().items()
    }
    assert len(set(drawn.values())) == len(drawn)
    other = draws.draw(seed, update + 1, draws.REAL_D.noise)
    assert tuple(tf.random.stateless_uniform([4], other).numpy()) != drawn["REAL_D noise"]
