"""Losses, smoothed labels and penalties in numbers, against NumPy and closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from autogan.models import GAN_TYPES
from autogan.models.objectives.losses import LOSSES, smoothed
from autogan.models.objectives.penalties import PENALTIES, PenaltyInput
from autogan.models.training.batches import TrainingSet

REAL, FAKE = np.float32([[2.0], [-1.0], [0.5]]), np.float32([[0.3], [-2.0], [1.0]])


def softplus(x):
    return np.log1p(np.exp(x))


def relu(x):
    return np.maximum(x, 0)


def average_relativistic(high, low):
    """Jolicoeur-Martineau's code: halves of both terms."""
    return (softplus(low.mean() - high).mean() + softplus(low - high.mean()).mean()) / 2


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("non_saturating", softplus(-REAL).mean() + softplus(FAKE).mean(), softplus(-FAKE).mean()),
        ("minimax", softplus(-REAL).mean() + softplus(FAKE).mean(), -softplus(FAKE).mean()),
        ("wasserstein", FAKE.mean() - REAL.mean(), -FAKE.mean()),
        (
            "least_squares",
            np.square(REAL - 1).mean() / 2 + np.square(FAKE).mean() / 2,
            np.square(FAKE - 1).mean() / 2,
        ),
        ("hinge", relu(1 - REAL).mean() + relu(1 + FAKE).mean(), -FAKE.mean()),
        ("relativistic", softplus(FAKE - REAL).mean(), softplus(REAL - FAKE).mean()),
        (
            "relativistic_average",
            average_relativistic(REAL, FAKE),
            average_relativistic(FAKE, REAL),
        ),
        ("equilibrium", REAL.mean(), FAKE.mean()),  # k_0 is 0
    ],
)
def test_losses_are_the_papers(name, discriminator, generator):
    """On logits, outside [0, 1] too, and without smoothed labels."""
    loss = LOSSES[name]()
    real, fake = tf.constant(REAL), tf.constant(FAKE)
    assert float(loss.discriminator(real, fake, {})) == pytest.approx(discriminator, rel=1e-6)
    shown = real if loss.compares else None
    assert float(loss.generator(shown, fake, {})) == pytest.approx(generator, rel=1e-6)


def test_every_loss_is_tested():
    tested = test_losses_are_the_papers.pytestmark[0].args[1]
    assert {name for name, *_ in tested} == set(LOSSES)


def test_the_means_of_the_average_relativistic_loss_have_gradients():
    """Detached, the gradient at each generated image would be another."""
    fake = tf.Variable(FAKE)
    loss = LOSSES["relativistic_average"]()
    with tf.GradientTape() as tape:
        value = loss.generator(tf.constant(REAL), fake, {})
    gradient, step = tape.gradient(value, fake).numpy(), 1e-3
    for place in range(3):
        moved = FAKE.astype("float64")
        moved[place] += step
        up = average_relativistic(moved, REAL.astype("float64"))
        moved[place] -= 2 * step
        down = average_relativistic(moved, REAL.astype("float64"))
        assert gradient[place, 0] == pytest.approx((up - down) / (2 * step), rel=1e-3)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cross_entropy(logits, targets):
    return -(targets * np.log(sigmoid(logits)) + (1 - targets) * np.log(1 - sigmoid(logits)))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("non_saturating", cross_entropy),
        ("minimax", cross_entropy),
        ("least_squares", lambda logits, targets: (logits - targets) ** 2 / 2),
    ],
)
class TestSmoothing:
    def test_targets_move_by_each_images_share(self, name, error):
        shares = np.random.default_rng(0).uniform(size=(2, 3, 1)).astype("float32")
        expected = error(REAL, 1 - 0.4 * shares[0]).mean() + error(FAKE, 0.4 * shares[1]).mean()
        made = smoothed(LOSSES[name](), tf.constant(REAL), tf.constant(FAKE), 0.4, shares)
        assert float(made) == pytest.approx(expected, rel=1e-5)

    def test_none_is_the_loss_itself(self, name, error):
        loss, real, fake = LOSSES[name](), tf.constant(REAL), tf.constant(FAKE)
        made = smoothed(loss, real, fake, 0.0, tf.ones([2, 3, 1]))
        assert float(made) == pytest.approx(float(loss.discriminator(real, fake, {})), rel=1e-6)


def images():
    made = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8)
    return TrainingSet(made)


def tiny(name, **changes):
    """A GAN of a type, and its hyperparameters."""
    kind = GAN_TYPES.get(name)
    small = {"width": 4, "dense_width": 8, "batch_size": 6, "z_dim": 5}
    settings = {**kind.defaults(), **small, **changes}
    return kind.build((8, 8, 1), settings), settings


class TestEquilibrium:
    """k_t follows gamma E L(x) - E L(G(z)) and stays in [0, 1]."""

    @pytest.mark.parametrize(
        ("gamma", "lambda_k", "expected"),
        [(0.5, 0.1, [0.05, 0.10]), (0.5, 10.0, [1.0, 1.0]), (0.1, 0.1, [0.0, 0.0])],
    )
    def test_k_is_the_papers_and_clipped(self, gamma, lambda_k, expected):
        loss, settings = LOSSES["equilibrium"](), {"gamma": gamma, "lambda_k": lambda_k}
        real, fake = tf.constant([[2.0], [4.0]]), tf.constant([[0.5], [1.5]], tf.float32)
        for k in expected:  # E L(x) = 3, E L(G(z)) = 1
            curves = loss.updated(real, fake, settings)
            assert float(curves["k"]) == pytest.approx(k)
            assert float(curves["convergence"]) == pytest.approx(3 + abs(gamma * 3 - 1))
            assert float(loss.discriminator(real, fake, settings)) == pytest.approx(3 - k)

    def test_k_is_part_of_the_state_and_of_the_curves(self):
        gan, settings = tiny("began")
        gan.reset(0)
        _, curves = gan.train(images(), 0, 0, 4, 4, {**settings, "lambda_k": 0.3})
        state = gan.state()
        assert 0 < state["loss/k"] <= 1
        assert {"k", "convergence"} < set(curves)
        gan.reset(0)
        assert gan.state()["loss/k"] == 0


def test_weights_are_clipped_with_those_of_normalisation():
    gan, settings = tiny("wgan")
    gan.reset(0)
    gan.train(images(), 0, 0, 2, 2, {**settings, "clip": 0.02})
    clipped = {v.name for v in gan.discriminator.trainable_variables}
    assert {"kernel", "bias", "gamma", "beta"} <= clipped
    for variable in gan.discriminator.trainable_variables:
        assert np.abs(variable.numpy()).max() <= np.float32(0.02), variable.path
    assert max(np.abs(v.numpy()).max() for v in gan.generator.trainable_variables) > 0.02


NORM_1, NORM_2 = 0.7, 1.9  # of a linear critic's gradient, below and above 1


def update(judge, real=None, fake=None, alpha=None, noise=None, kernels=(), of_fake=None):
    """A discriminator update on five images of 2x2x3, as far as it matters."""
    rng = np.random.default_rng(0)
    images = [rng.normal(size=(5, 2, 2, 3)).astype("float32") for _ in range(2)]
    return PenaltyInput(
        real=tf.constant(images[0] if real is None else real),
        fake=tf.constant(images[1] if fake is None else fake),
        of_real=judge,
        of_fake=of_fake or judge,
        plain=judge,
        alpha=tf.fill([5, 1, 1, 1], 0.3) if alpha is None else tf.constant(alpha),
        noise=tf.fill([5, 2, 2, 3], 0.6) if noise is None else tf.constant(noise),
        kernels=kernels,
    )


def linear(norm):
    """D(x) = a·x with |a| = norm: its gradient is a everywhere."""
    direction = np.random.default_rng(1).normal(size=(2, 2, 3)).astype("float32")
    a = tf.constant(norm * direction / np.linalg.norm(direction))
    return lambda images: tf.reduce_sum(images * a, axis=[1, 2, 3])[:, None]


def quadratic(images):
    """D(x) = |x|^2 / 2: its gradient is x itself."""
    return tf.reduce_sum(images**2, axis=[1, 2, 3])[:, None] / 2


def norms(images):
    return np.linalg.norm(np.reshape(images, [len(images), -1]), axis=1)


@pytest.mark.parametrize("norm", [NORM_1, NORM_2])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gradient_norm", lambda n: (n - 1) ** 2),
        ("one_sided", lambda n: max(0, n - 1) ** 2),
        ("zero_centred", lambda n: n**2),
        ("dragan", lambda n: (n - 1) ** 2),
        ("r1", lambda n: n**2 / 2),
        ("r2", lambda n: n**2 / 2),
        ("r1_r2", lambda n: n**2),
    ],
)
def test_penalties_of_a_linear_critic(name, expected, norm):
    """The norm is over all pixels and channels of an image."""
    made = PENALTIES[name](update(linear(norm)))
    assert float(made) == pytest.approx(expected(norm), rel=1e-5, abs=1e-9)


class TestPointsOfPenalties:
    """On a quadratic critic a penalty tells where it looked."""

    rng = np.random.default_rng(2)
    real, fake = rng.normal(size=(2, 5, 2, 2, 3)).astype("float32")
    alpha = rng.uniform(size=(5, 1, 1, 1)).astype("float32")
    noise = rng.uniform(size=(5, 2, 2, 3)).astype("float32")
    between = (1 - alpha) * real + alpha * fake
    around = real + alpha * 0.5 * real.std() * noise

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("gradient_norm", np.mean((norms(between) - 1) ** 2)),
            ("one_sided", np.mean(relu(norms(between) - 1) ** 2)),
            ("zero_centred", np.mean(norms(between) ** 2)),
            ("dragan", np.mean((norms(around) - 1) ** 2)),
            ("r1", np.mean(norms(real) ** 2) / 2),
            ("r2", np.mean(norms(fake) ** 2) / 2),
            ("r1_r2", (np.mean(norms(real) ** 2) + np.mean(norms(fake) ** 2)) / 2),
        ],
    )
    def test_points(self, name, expected):
        at = update(quadratic, self.real, self.fake, self.alpha, self.noise)
        assert float(PENALTIES[name](at)) == pytest.approx(expected, rel=1e-5)

    def test_real_and_generated_images_are_judged_apart(self):
        """With their own labels, and through their own augmentation."""
        at = update(linear(NORM_1), of_fake=linear(NORM_2))
        assert float(PENALTIES["r1"](at)) == pytest.approx(NORM_1**2 / 2, rel=1e-5)
        assert float(PENALTIES["r2"](at)) == pytest.approx(NORM_2**2 / 2, rel=1e-5)


def test_l2_is_the_mean_over_kernels_of_half_the_sum_of_squares():
    """Of the kernels alone: 1/2 (1 + 4) and 1/2 (9), in the mean."""
    kernels = [tf.constant([[1.0], [2.0]]), tf.constant([[3.0]])]
    assert float(PENALTIES["l2"](update(None, kernels=kernels))) == pytest.approx((2.5 + 4.5) / 2)


@pytest.mark.parametrize("name", sorted(set(PENALTIES) - {"l2"}))
def test_no_gradient_is_no_nan(name):
    a = tf.Variable(tf.zeros([2, 2, 3]))
    with tf.GradientTape() as tape:
        judge = lambda images: tf.reduce_sum(images * a, axis=[1, 2, 3])[:, None]  # noqa: E731
        penalty = PENALTIES[name](update(judge))
    assert np.isfinite(tape.gradient(penalty, a).numpy()).all()


def test_each_image_has_one_place_between(monkeypatch, request):
    """One random number an image, not one a pixel nor one a batch; and one a pixel of noise."""
    seen = []
    monkeypatch.setitem(PENALTIES, "gradient_norm", lambda at: seen.append(at) or tf.constant(0.0))
    gan, settings = tiny("wgan_gp", d_iter=2)
    gan.reset(0)
    tf.config.run_functions_eagerly(True)
    request.addfinalizer(lambda: tf.config.run_functions_eagerly(False))
    gan.train(images(), 0, 0, 1, 1, settings)
    alphas, noises = ([getattr(at, name).numpy() for at in seen] for name in ("alpha", "noise"))
    assert [alpha.shape for alpha in alphas] == [(6, 1, 1, 1)] * 2
    assert [noise.shape for noise in noises] == [(6, 8, 8, 1)] * 2
    for drawn, count in ((alphas, 12), (noises, 12 * 64)):
        assert len(np.unique(drawn)) == count
        assert 0 <= np.min(drawn) <= np.max(drawn) < 1
