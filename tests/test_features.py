"""Feature networks, and the evaluator that passes images through them once."""

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf
from labels import plain
from PIL import Image
from sessions import SessionEngine

from autogan.core.errors import ConfigError
from autogan.core.files import cached_arrays
from autogan.criteria import CRITERIA, FID, MSSSIM, Features, InceptionScore, Moments
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.networks.base import SavedModelNetwork
from autogan.criteria.networks.untrained import RandomNetwork
from autogan.pool.messages import Open, Prepare


def noise(count=12, size=8, channels=3, seed=0):
    made = np.random.default_rng(seed).integers(0, 256, (count, size, size, channels))
    return made.astype(np.uint8)


@pytest.fixture
def save(tmp_path):
    def save(size=None, classes=7, width=5, call=None):
        module = tf.Module()
        rng = tf.random.Generator.from_seed(0)
        module.kernel = tf.Variable(rng.normal([3, width]))
        module.last = tf.Variable(rng.normal([width, classes]))

        def usual(images):
            pool = tf.tanh(tf.reduce_mean(images, axis=[1, 2]) @ module.kernel)
            return {"logits": pool @ module.last, "pool_3": pool[:, None, None, :]}

        spec = tf.TensorSpec([None, size, size, 3], tf.float32)
        module.__call__ = tf.function(call or usual, input_signature=[spec])
        tf.saved_model.save(module, str(tmp_path / "net"))
        return tmp_path / "net"

    return save


def test_images_reach_the_network_in_its_range(save):
    """The mean colour in [-1, 1] decides this network's features: they are known."""
    network = SavedModelNetwork("net", save())
    images = noise(3)
    kernel = tf.random.Generator.from_seed(0).normal([3, 5]).numpy()
    expected = np.tanh((images / 127.5 - 1.0).mean(axis=(1, 2)) @ kernel)
    made = network.features(images)
    np.testing.assert_allclose(made.pool, expected, atol=1e-5)
    assert made.logits.shape == (3, 7)
    assert not network.resizes


def test_the_declared_size_is_resized_to(save):
    network = SavedModelNetwork("net", save(size=20))
    assert network.resizes
    for size in (8, 20, 33):
        flat = np.full((2, size, size, 3), 51, np.uint8)
        np.testing.assert_allclose(
            network.features(flat).pool, network.features(flat[:, :8, :8]).pool, atol=1e-6
        )


def test_resizing_is_tensorflow_ones(save):
    """From 2 to 4 pixels, corners not aligned, no half-pixel centres: a, (a+b)/2, b, b."""

    def call(images):
        rows = images[:, :, 0, 0]
        return {"logits": rows, "pool_3": rows}

    network = SavedModelNetwork("net", save(size=4, call=call))
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 1] = 255
    np.testing.assert_allclose(network.features(image).pool, [[-1, 0, 1, 1]], atol=1e-6)


def test_grey_images_are_repeated_over_the_channels(save):
    network = SavedModelNetwork("net", save())
    grey = noise(4, channels=1)
    colour = np.repeat(grey, 3, axis=3)
    np.testing.assert_array_equal(network.features(grey).pool, network.features(colour).pool)


def test_batches_are_put_together(save):
    network = SavedModelNetwork("net", save())
    images = noise(23)
    whole = network.features(images)
    network.batch_size = 5
    parts = network.features(images)
    np.testing.assert_allclose(whole.pool, parts.pool, atol=1e-6)
    assert parts.logits.shape == (23, 7)


def test_inceptions_real_size(tmp_path, save):
    """299 pixels, 1008 classes, 2048 features: the shapes of the real thing."""
    network = SavedModelNetwork("inception", save(size=299, classes=1008, width=2048))
    made = network.features(noise(3, size=28, channels=1))
    assert (made.logits.shape, made.pool.shape) == ((3, 1008), (3, 2048))


def _tensor(images):
    return tf.reduce_mean(images, axis=[1, 2])


def _logits_alone(images):
    return {"logits": tf.reduce_mean(images, axis=[1, 2])}


def _pool_alone(images):
    return {"pool_3": tf.reduce_mean(images, axis=[1, 2])}


def test_logits_may_be_absent(save, tmp_path):
    """As DINOv2 and CLIP have none; what compares features is computed all the same."""
    network = SavedModelNetwork("net", save(call=_pool_alone))
    assert network.classes == 0
    network.batch_size = 5
    images = noise(23)
    made = network.features(images)
    assert made.logits is None
    np.testing.assert_allclose(made.pool, (images / 127.5 - 1.0).mean(axis=(1, 2)), atol=1e-5)
    criteria = {kind.name: kind() for kind in CRITERIA if not kind.needs & {"logits", "labels"}}
    assert {"fid", "wd", "kid", "recall", "ms_ssim"} <= set(criteria)
    evaluator = Evaluator(network, criteria, images, tmp_path, unseen=noise(9, seed=2))
    scores = evaluator.score(evaluator.features(noise(23, seed=1)))
    assert list(scores) == list(criteria)


@pytest.mark.parametrize(
    ("call", "expected"),
    [(_tensor, "does not map float32 RGB images"), (_logits_alone, "KeyError: 'pool_3'")],
)
def test_another_signature_is_refused(save, call, expected):
    with pytest.raises(ConfigError, match=f"features: .*{expected}"):
        SavedModelNetwork("net", save(call=call))


def test_what_is_no_saved_model_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="features: .* is not a SavedModel"):
        SavedModelNetwork("net", tmp_path)
    tf.saved_model.save(tf.Module(), str(tmp_path / "empty"))
    with pytest.raises(ConfigError, match="features: .* cannot be called"):
        SavedModelNetwork("net", tmp_path / "empty")


def test_inception_is_resized_to_even_if_it_declares_nothing(save):
    network = SavedModelNetwork("inception", save())
    assert network.name == "inception"
    assert network._size == 299


def test_a_copy_of_inception_measures_what_the_downloaded_one_does(save):
    """Given by path; a network whose features depend on the size of the images that it gets."""

    def call(images):
        rows = tf.cast(tf.shape(images)[1], tf.float32) + images[:, :3, 0, 0]
        return {"logits": rows, "pool_3": rows}

    folder = save(call=call)
    copy = folder.rename(folder.with_name("inception"))
    downloaded, given = SavedModelNetwork("inception", copy), SavedModelNetwork(None, copy)
    images = noise(size=28, channels=1)
    made = given.features(images).pool
    np.testing.assert_array_equal(made, downloaded.features(images).pool)
    assert made.min() >= 299 - 1
    assert (given.name, given.resizes) == (downloaded.name, True)
    assert given.weights_hash == downloaded.weights_hash


def test_more_images_may_be_generated_than_there_are_real_ones(tmp_path):
    """Their number stands in the labels; values of another number are other values."""
    usual = Evaluator(RandomNetwork((8, 8, 3)), {"fid": FID()}, noise(12), tmp_path)
    more = Evaluator(RandomNetwork((8, 8, 3)), {"fid": FID()}, noise(12), tmp_path, generated=50)
    assert (usual.samples, usual.generated) == (12, 12)
    assert (more.samples, more.generated) == (12, 50)
    ((label,), (other,)) = ([*e.labels().values()] for e in (usual, more))
    assert other == label.replace("_12_", "_50_")


class Network:
    """Counts how often it is run."""

    name, weights_hash, calls = "counting", "a", 0

    def features(self, images):
        self.calls += 1
        flat = images.reshape(len(images), -1)[:, :4].astype(np.float32)
        return Features(flat, flat)


def test_all_criteria_share_one_pass_and_real_statistics_are_cached(tmp_path):
    network = Network()
    criteria = {"fid": FID(), "is": InceptionScore()}
    evaluator = Evaluator(network, criteria, noise(), tmp_path)
    assert (network.calls, evaluator.samples) == (1, 12)
    assert plain(evaluator.labels()["fid"]) == "fid_counting_12"
    evaluator.score(evaluator.features(noise(seed=1)))
    assert network.calls == 2
    cached = Evaluator(network, {"fid": FID()}, noise(), tmp_path).real
    assert network.calls == 2
    np.testing.assert_array_equal(cached.covariance, evaluator.real.covariance)
    Evaluator(network, {"fid": FID()}, noise(seed=3), tmp_path)  # other images: another entry
    network.weights_hash = "b"
    Evaluator(network, {"fid": FID()}, noise(), tmp_path)  # other weights: another entry
    assert network.calls == 4


def test_criteria_are_handed_images_only_if_they_ask(tmp_path):
    classes = np.arange(12) % 3
    blind = Evaluator(Network(), {"fid": FID()}, noise(), tmp_path, classes=classes)
    seeing = Evaluator(
        Network(), {"fid": FID(), "ms_ssim": MSSSIM()}, noise(), tmp_path, classes=classes
    )
    made = noise(seed=1)
    features = blind.features(made, classes)
    assert (features.images, blind.real.images, blind.real.labels) == (None, None, None)
    assert blind.figures(features) == {}
    features = seeing.features(made, classes)
    assert features.images is made
    np.testing.assert_array_equal(seeing.real.images, noise())
    figures = seeing.figures(features)
    assert list(figures) == ["ms_ssim", "real_ms_ssim"]
    assert seeing.figures(seeing.features(noise(), classes))["ms_ssim"] == figures["real_ms_ssim"]
    assert plain(seeing.labels()["ms_ssim"]) == "ms_ssim_counting_12"


def test_features_that_are_not_finite_are_named(tmp_path):
    class Overflowing(Network):
        def features(self, images):
            made = super().features(images)
            made.pool[0, 0] = np.nan if self.calls > 1 else 0
            return made

    evaluator = Evaluator(Overflowing(), {"fid": FID()}, noise(), tmp_path)
    with pytest.raises(FloatingPointError, match="features of counting are not finite"):
        evaluator.score(evaluator.features(noise(seed=1)))


def test_networks_of_users_are_told_apart(save):
    network = SavedModelNetwork(None, save())
    assert network.name == "net"


def test_values_that_are_not_finite_are_named(tmp_path):
    evaluator = Evaluator(Network(), {"fid": FID()}, noise(), tmp_path)
    evaluator.real.mean[:] = np.inf
    with pytest.raises(FloatingPointError, match="fid is inf"):
        evaluator.score(evaluator.features(noise(seed=1)))


def test_the_first_of_two_writers_of_a_cache_wins(tmp_path):
    """The second goes on with what the first wrote, not with what it made itself."""
    path = tmp_path / "made.npz"

    def slower():
        assert cached_arrays(path, lambda: {"a": np.array([1])})["a"] == 1
        return {"a": np.array([2])}

    assert cached_arrays(path, slower)["a"] == 1
    assert cached_arrays(path, dict)["a"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["made.npz"]


@pytest.mark.parametrize("seed", range(5))
def test_every_changed_byte_of_a_cached_file_is_noticed(tmp_path, seed):
    """Flipped anywhere, it is made again; a handful of places for each of five files."""
    rng = np.random.default_rng(seed)
    path = tmp_path / "made.npz"
    made = {"mean": rng.normal(size=5), "covariance": rng.normal(size=(5, 5))}
    cached_arrays(path, lambda: made)
    whole = path.read_bytes()
    for place in rng.integers(0, len(whole), 40):
        data = bytearray(whole)
        data[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        again = cached_arrays(path, lambda: made)
        assert again.keys() == made.keys()
        assert all(np.array_equal(again[name], made[name]) for name in made)


def test_labels_differ_where_values_cannot_be_compared(tmp_path):
    """Other weights, other real images, another number of them, the other split."""
    network, other = Network(), Network()
    other.weights_hash = "b"
    labels = [
        Evaluator(net, {"fid": FID()}, images, tmp_path, split).labels()["fid"]
        for net in (network, other)
        for images in (noise(), noise(seed=3), noise(count=9))
        for split in ("train", "test")
    ]
    assert len(set(labels)) == 3 * 2 * 2
    assert all(label.startswith("fid_counting_") for label in labels)
    assert sum("_test_" in label for label in labels) == 6


def test_values_are_plain_numbers(tmp_path):
    """A criterion of the user's own may return NumPy's: they are written as JSON."""

    class Mean(FID):
        def compute(self, generated, real):
            return np.float32(generated.pool.mean())

    evaluator = Evaluator(Network(), {"fid": Mean()}, noise(), tmp_path)
    scores = evaluator.score(evaluator.features(noise(seed=1)))
    assert type(scores["fid"]) is float


class TestRandom:
    """The network that has learned nothing."""

    def test_its_weights_are_the_same_everywhere(self):
        assert RandomNetwork((8, 8, 1)).weights_hash[:12] == "3823796321a9"

    @pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 32, 3), (64, 64, 3)])
    def test_it_gives_128_features_and_no_logits(self, shape):
        images = np.random.default_rng(0).integers(0, 256, (3, *shape)).astype(np.uint8)
        features = RandomNetwork(shape).features(images)
        assert features.logits is None
        assert features.pool.shape == (3, 128)

    def test_its_features_written_out(self):
        """One convolution of 8x8 images, by SciPy, and the means of the quarters."""
        network = RandomNetwork((8, 8, 1))
        image = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 1)).astype(np.uint8)
        kernel, bias = (weight.numpy() for weight in network._model.weights)
        scaled = image[0, :, :, 0] / 127.5 - 1
        maps = [
            scipy.signal.correlate2d(scaled, kernel[:, :, 0, f], "same") + bias[f]
            for f in range(32)
        ]
        leaky = np.stack([np.where(each > 0, each, 0.2 * each) for each in maps], axis=-1)
        quarters = leaky.reshape(2, 4, 2, 4, 32).mean(axis=(1, 3)).reshape(-1)
        np.testing.assert_allclose(network.features(image).pool[0], quarters, rtol=1e-4, atol=1e-5)

    def test_images_without_labels_can_be_searched_offline(self, tmp_path):
        rng = np.random.default_rng(0)
        for i in range(40):
            Image.fromarray(rng.integers(0, 256, (8, 8)).astype(np.uint8)).save(
                tmp_path / f"{i}.png"
            )
        session = SessionEngine().session
        config = {
            "dataset": f"folder:{tmp_path}", "features": "random", "gan_type": "dcgan",
            "params": {"width": 8, "dense_width": 8, "batch_size": 8},
        }  # fmt: skip
        session.open(Open(config=config))
        prepared = session.prepare(Prepare(config=config, folder=""))
        assert prepared.objective.startswith("fid_random_40_")
        with pytest.raises(ConfigError, match="is needs logits, but random has none"):
            session.open(Open(config={**config, "criterion": "is"}))


class TestFloor:
    """What real images score in the place of generated ones."""

    def floor(self, tmp_path, criteria, shift=0.0):
        rng = np.random.default_rng(0)
        pool = rng.normal(size=(600, 4)).astype(np.float32)
        pool[400:] += shift

        class Table:
            """Images are numbers of rows of the table."""

            name, weights_hash = "table", "a"

            def features(self, images):
                rows = images.reshape(len(images), -1).astype(np.int64) @ (1, 256)
                return Features(None, pool[rows])

        rows = np.arange(600)
        images = np.stack([rows % 256, rows // 256], axis=1).astype(np.uint8).reshape(600, 1, 2, 1)
        evaluator = Evaluator(Table(), criteria, images[:400], tmp_path)
        unseen = evaluator.features(images[400:])
        return pool, unseen, *evaluator.floor(unseen)

    def test_its_value_is_that_of_the_unseen_images(self, tmp_path):
        pool, unseen, values, spread = self.floor(tmp_path, {"fid": FID()})
        assert values == {"fid": FID().compute(unseen, Moments.of(pool[:400]))}
        assert spread.keys() == {"fid"}

    def test_what_looks_at_neighbours_has_one_and_what_looks_at_images_none(self, tmp_path):
        class Images(FID):
            needs = frozenset({"images"})

        criteria = {"recall": CRITERIA.get("recall")(), "images": Images()}
        _, _, values, spread = self.floor(tmp_path, criteria)
        assert values.keys() == {"recall", "images"}
        assert values["recall"] > 0.9
        assert spread.keys() == {"recall"}

    def test_its_deviation_is_that_over_random_splits(self, tmp_path):
        """Against two hundred splits made here: five ones know a deviation to a factor of two."""
        pool, _, _, spread = self.floor(tmp_path, {"fid": FID()})
        rng, values = np.random.default_rng(7), []
        for _ in range(200):
            order = rng.permutation(600)
            known, others = pool[order[:400]], pool[order[400:]]
            values.append(FID().compute(Features(None, others), Moments.of(known)))
        assert 0.4 < spread["fid"] / np.std(values) < 2

    def test_images_of_another_distribution_leave_it_alone(self, tmp_path):
        """The splits mix both, so that their deviation does not grow with the distance."""
        _, _, values, spread = self.floor(tmp_path, {"fid": FID()}, shift=3.0)
        assert values["fid"] > 30
        assert spread["fid"] < 3

    def test_halves_stand_in_where_there_are_no_further_images(self, tmp_path):
        """Against two hundred halvings made here, of the table's first four hundred rows."""
        rng = np.random.default_rng(0)
        pool = rng.normal(size=(400, 4)).astype(np.float32)

        class Table:
            name, weights_hash = "table", "b"

            def features(self, images):
                return Features(None, pool[: len(images)])

        evaluator = Evaluator(Table(), {"fid": FID()}, noise(400, 2, 1), tmp_path)
        means, spread = evaluator.halves()
        values = []
        for _ in range(200):
            order = rng.permutation(400)
            known, others = pool[order[:200]], pool[order[200:]]
            values.append(FID().compute(Features(None, others), Moments.of(known)))
        assert 0.7 < means["fid"] / np.mean(values) < 1.4
        assert 0.3 < spread["fid"] / np.std(values) < 2.5
