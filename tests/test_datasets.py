"""Datasets: what is read, how it is laid out, and how bad files are told."""

import gzip
import io
import pickle
import struct
import sys
import tarfile

import numpy as np
import pytest
from PIL import Image

from autogan.core.errors import ConfigError
from autogan.data import DATASETS, check_trainable, dataset_named
from autogan.data.base import resized
from autogan.data.pictures import PictureFiles, square


def load(name, data_dir=None, image_size=None):
    return dataset_named(name, data_dir).load(image_size)


def picture(path, size=(8, 8), mode="RGB", value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 0)).save(path)


def numbers(count, size=28, channels=None, seed=0):
    shape = (count, size, size) if channels is None else (count, size, size, channels)
    images = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    return images, (np.arange(count) % 10).astype(np.uint8)


def test_every_dataset_declares_itself():
    assert DATASETS.names() == ("digits", "mnist", "fashion_mnist", "cifar10", "folder", "tfds")
    assert all(kind.summary for kind in DATASETS)


def test_digits_come_offline():
    data = load("digits")
    assert data.image_shape == (8, 8, 1)
    assert (len(data.train), len(data.test)) == (1437, 360)
    assert data.train.images.dtype == np.uint8
    assert (data.train.images.min(), data.train.images.max()) == (0, 255)
    assert sorted(set(data.train.labels)) == list(range(10))
    assert data.train.images.tobytes() == load("digits").train.images.tobytes()


def test_resizing_keeps_range_and_channels():
    assert load("digits", image_size=16).image_shape == (16, 16, 1)
    flat = np.full((2, 8, 8, 3), 77, np.uint8)
    assert (resized(flat, 12) == 77).all()


class TestFiles:
    def test_npz(self, tmp_path):
        (x, y), (xt, yt) = numbers(20), numbers(5, seed=1)
        np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=xt, y_test=yt)
        for where in (tmp_path, tmp_path / "mnist.npz"):
            data = load("mnist", where)
            np.testing.assert_array_equal(data.train.images[..., 0], x)
            np.testing.assert_array_equal(data.test.labels, yt)
            assert data.train.labels.dtype == np.int64

    def test_npz_with_objects_is_not_unpickled(self, tmp_path):
        np.savez(tmp_path / "mnist.npz", x_train=np.array([print], object))
        with pytest.raises(ConfigError, match="data_dir: .*mnist cannot be read"):
            load("mnist", tmp_path)

    def test_npz_of_another_type_is_refused(self, tmp_path):
        x, y = numbers(4)
        np.savez(tmp_path / "mnist.npz", x_train=x / 255, y_train=y, x_test=x, y_test=y)
        with pytest.raises(ConfigError, match="data_dir: mnist: images are float64"):
            load("mnist", tmp_path)
        np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y[:2], x_test=x, y_test=y)
        with pytest.raises(ConfigError, match="data_dir: mnist: 2 labels for 4 images"):
            load("mnist", tmp_path)

    @pytest.mark.parametrize("packed", [False, True])
    def test_idx(self, tmp_path, packed):
        for stem, count in (("train", 6), ("t10k", 3)):
            images, labels = numbers(count)
            for name, array in ((f"{stem}-images-idx3", images), (f"{stem}-labels-idx1", labels)):
                header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
                data = header + array.tobytes()
                path = tmp_path / (f"{name}-ubyte.gz" if packed else f"{name}-ubyte")
                path.write_bytes(gzip.compress(data) if packed else data)
        data = load("fashion_mnist", tmp_path)
        np.testing.assert_array_equal(data.train.images[..., 0], numbers(6)[0])
        assert data.test.labels.tolist() == [0, 1, 2]

    def test_idx_cut_short_is_refused(self, tmp_path):
        for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3",
                     "t10k-labels-idx1"):  # fmt: skip
            (tmp_path / f"{name}-ubyte").write_bytes(b"\x00\x00\x08\x03" + b"\x00" * 5)
        with pytest.raises(ConfigError, match="data_dir: .*mnist cannot be read"):
            load("mnist", tmp_path)

    def test_no_files_names_them(self, tmp_path):
        with pytest.raises(ConfigError, match="data_dir: .* holds neither cifar10.npz"):
            load("cifar10", tmp_path)

    @pytest.mark.parametrize("packed", [False, True])
    def test_cifar_pickles(self, tmp_path, packed):
        folder = tmp_path / "cifar-10-batches-py"
        folder.mkdir()
        planes = np.arange(2 * 3072, dtype=np.uint32).astype(np.uint8).reshape(2, 3072)
        for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
            batch = {b"data": planes + np.uint8(i), b"labels": [i, 9]}
            (folder / name).write_bytes(pickle.dumps(batch, protocol=4))
        if packed:
            with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as tar:
                tar.add(folder, "cifar-10-batches-py")
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
        data = load("cifar10", tmp_path)
        assert data.train.images.shape == (10, 32, 32, 3)
        assert data.train.labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
        # Planes of red, green and blue, each row by row.
        assert data.train.images[0, 0, 1].tolist() == [
            planes[0, 1],
            planes[0, 1025],
            planes[0, 2049],
        ]

    def test_a_pickle_that_calls_something_is_refused(self, tmp_path):
        class Attack:
            def __reduce__(self):
                return (open, (str(tmp_path / "owned"), "w"))

        folder = tmp_path / "cifar-10-batches-py"
        folder.mkdir()
        (folder / "data_batch_1").write_bytes(pickle.dumps(Attack()))
        with pytest.raises(ConfigError, match="has no place in a CIFAR batch"):
            load("cifar10", tmp_path)
        assert not (tmp_path / "owned").exists()

    def test_a_failed_download_says_the_way_around(self, monkeypatch):
        import keras

        def unreachable():
            raise OSError("no route to host")

        monkeypatch.setattr(keras.datasets.mnist, "load_data", unreachable)
        with pytest.raises(ConfigError, match="dataset: mnist cannot be downloaded.*--data-dir"):
            load("mnist")


class TestFolders:
    def test_unlabelled(self, tmp_path):
        picture(tmp_path / "a.png")
        picture(tmp_path / "deep" / "b.JPG")
        (tmp_path / "notes.txt").write_text("no image")
        data = load(f"folder:{tmp_path}")
        assert data.train.images.shape == (2, 8, 8, 3)
        assert data.train.labels is None
        assert data.test is None

    def test_labels_from_sub_folders_and_splits(self, tmp_path):
        for split, count in (("train", 3), ("test", 2)):
            for name in ("cat", "dog"):
                for i in range(count):
                    picture(tmp_path / split / name / f"{i}.png", value=10 * i)
        data = load(f"folder:{tmp_path}")
        assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
        assert data.test.labels.tolist() == [0, 0, 1, 1]
        assert data.train.images[2, 0, 0].tolist() == [20, 0, 0]

    def test_splits_of_other_classes_are_refused(self, tmp_path):
        for path in ("train/cat/a", "train/dog/a", "test/cat/a", "test/cow/a"):
            picture(tmp_path / f"{path}.png")
        with pytest.raises(ConfigError, match="train/ has the classes cat, dog, test/ cat, cow"):
            load(f"folder:{tmp_path}")

    def test_grey_only_if_all_are(self, tmp_path):
        picture(tmp_path / "a.png", mode="L")
        assert load(f"folder:{tmp_path}").image_shape == (8, 8, 1)
        picture(tmp_path / "b.png")
        assert load(f"folder:{tmp_path}").image_shape == (8, 8, 3)

    def test_sixteen_bits_become_eight(self, tmp_path):
        ramp = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1024
        Image.fromarray(ramp).save(tmp_path / "a.png")
        made = load(f"folder:{tmp_path}").train.images
        np.testing.assert_array_equal(made[0, ..., 0], ramp >> 8)

    def test_cropped_at_the_centre_and_resized(self, tmp_path):
        wide = np.zeros((8, 24, 3), np.uint8)
        wide[:, 8:16] = 200  # the middle third
        Image.fromarray(wide).save(tmp_path / "a.png")
        made = load(f"folder:{tmp_path}", image_size=8).train.images
        assert (made == 200).all()

    def test_mixed_sizes_want_an_image_size(self, tmp_path):
        picture(tmp_path / "a.png", (8, 8))
        picture(tmp_path / "b.png", (9, 8))
        with pytest.raises(ConfigError, match="image_size: .*b.png has 9x8 pixels, .*a.png 8x8"):
            load(f"folder:{tmp_path}")
        assert load(f"folder:{tmp_path}", image_size=12).image_shape == (12, 12, 3)

    @pytest.mark.parametrize(
        ("make", "expected"),
        [
            (lambda p: None, "there is no such folder"),
            (lambda p: p.mkdir(), "no images there; known endings"),
            (lambda p: (p.mkdir(), (p / "a.png").write_bytes(b"torn")), "a.png cannot be read as"),
        ],
    )
    def test_bad_folders(self, tmp_path, make, expected):
        make(tmp_path / "x")
        with pytest.raises(ConfigError, match=f"dataset: .*{expected}"):
            load(f"folder:{tmp_path / 'x'}")

    def test_a_truncated_jpeg_is_named(self, tmp_path):
        buffer = io.BytesIO()
        Image.fromarray(numbers(1, 64, 3)[0][0]).save(buffer, "JPEG")
        (tmp_path / "a.jpg").write_bytes(buffer.getvalue()[:600])
        with pytest.raises(ConfigError, match="a.jpg cannot be read as an image .*(?i:truncated)"):
            load(f"folder:{tmp_path}")


@pytest.mark.parametrize("shape", [(8, 12, 1), (4, 4, 1), (132, 132, 3), (30, 30, 3)])
def test_images_that_networks_cannot_make(shape):
    with pytest.raises(ConfigError, match="image_size: .* give --image-size a multiple of 4"):
        check_trainable(shape)


def test_subsets_are_drawn_once_and_for_all():
    split = load("digits").train
    images, labels = split.subset(99999)
    np.testing.assert_array_equal(images, split.images)
    np.testing.assert_array_equal(labels, split.labels)
    images, labels = split.subset(50)
    assert images.shape == (50, 8, 8, 1)
    np.testing.assert_array_equal(images, split.subset(50)[0])
    places = [np.flatnonzero((split.images == image).all(axis=(1, 2, 3)))[0] for image in images]
    assert split.labels[places].tolist() == labels.tolist()


def test_the_real_mnist(shared_data):
    data = load("mnist", shared_data)
    assert data.image_shape == (28, 28, 1)
    assert (len(data.train), len(data.test)) == (60_000, 10_000)
    assert data.train.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_real_photographs_in_class_folders(shared_data, tmp_path):
    with tarfile.open(shared_data / "cifar10_5k.tar") as tar:
        members = [m for m in tar if m.name.startswith(("train/bird/000", "train/cat/000"))]
        tar.extractall(tmp_path, members, filter="data")
    data = load(f"folder:{tmp_path}")
    assert data.image_shape == (32, 32, 3)
    assert sorted(set(data.train.labels)) == [0, 1]


def test_too_many_files_for_memory_are_read_as_they_are_needed(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for i in range(12):
        path = tmp_path / "ab"[i % 2] / f"{i:02d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20 + i, 30, 3), np.uint8)).save(path)
    whole = load(f"folder:{tmp_path}", image_size=8).train
    monkeypatch.setattr("autogan.data.base.MEMORY_BYTES", 100)
    decoded = []
    read = PictureFiles._read
    monkeypatch.setattr(PictureFiles, "_read", lambda s, p: decoded.append(p) or read(s, p))
    split = load(f"folder:{tmp_path}", image_size=8).train
    assert (split.images.shape, split.fits_in_memory, decoded) == ((12, 8, 8, 3), False, [])
    chosen = np.array([3, 0, 11, 3])
    np.testing.assert_array_equal(split.images[chosen], whole.images[chosen])
    assert len(decoded) == 4
    np.testing.assert_array_equal(split.labels, whole.labels)
    np.testing.assert_array_equal(split.subset(5)[0], whole.subset(5)[0])


def test_a_file_that_is_cut_off_is_named_when_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("autogan.data.base.MEMORY_BYTES", 100)
    Image.effect_noise((64, 64), 90).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:1500])
    split = load(f"folder:{tmp_path}", image_size=8).train
    assert split.images.shape == (2, 8, 8, 1)
    with pytest.raises(ConfigError, match=r"b.png cannot be read as an image .*repair or remove"):
        split.images[np.array([0, 1])]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A dataset of TensorFlow Datasets as it lies on a disk: 6 pictures of 12x10, 4 of test."""
    tfds = pytest.importorskip("tensorflow_datasets", reason="the extra tfds is not installed")
    import tensorflow as tf

    root = tmp_path_factory.mktemp("tfds")
    pictures = np.random.default_rng(0).integers(0, 256, (10, 12, 10, 3), np.uint8)
    labels = np.arange(10) % 3

    def split(part):
        return tf.data.Dataset.from_tensor_slices({"image": pictures[part], "label": labels[part]})

    tfds.dataset_builders.store_as_tfds_dataset(
        name="tiny",
        version="1.0.0",
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                "label": tfds.features.ClassLabel(num_classes=3),
            }
        ),
        split_datasets={"train": split(slice(0, 6)), "validation": split(slice(6, 10))},
        data_dir=root,
    )
    return root, pictures, labels


class TestTensorFlowDatasets:
    def test_is_decoded_once_and_then_mapped(self, stored, monkeypatch):
        root, pictures, labels = stored
        data = load("tfds:tiny", root, 8)
        assert data.image_shape == (8, 8, 3)
        assert (len(data.train), len(data.test)) == (6, 4)
        assert isinstance(data.train.images, np.memmap)
        order = data.train.labels.argsort(kind="stable")
        assert data.train.labels[order].tolist() == sorted(labels[:6].tolist())
        expected = {square(Image.fromarray(picture), 8).tobytes() for picture in pictures[:6]}
        assert {image.tobytes() for image in data.train.images} == expected
        monkeypatch.setattr("autogan.data.tfds._decode", None)  # not again
        again = load("tfds:tiny", root, 8)
        np.testing.assert_array_equal(again.train.images, data.train.images)

    def test_pictures_of_many_shapes_need_a_size(self, stored):
        with pytest.raises(ConfigError, match="image_size: none given, .* give --image-size"):
            load("tfds:tiny", stored[0])

    def test_what_cannot_be_had_is_said_in_one_line(self, stored, tmp_path):
        with pytest.raises(
            ConfigError, match="tfds:no_such cannot be found .* --data-dir"
        ) as error:
            load("tfds:no_such", tmp_path, 8)
        assert len(str(error.value).splitlines()) == 1

    def test_without_the_extra_it_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
        with pytest.raises(ConfigError, match=r"pip install 'autogan\[tfds\]'"):
            load("tfds:mnist", None, 8)

    def test_names_nothing(self):
        with pytest.raises(ConfigError, match="write tfds:NAME"):
            load("tfds")


def test_classes_of_a_folder_have_names_in_their_natural_order(tmp_path):
    for i, name in enumerate(("10", "2", "owls", "cats", ".thumbs")):
        picture(tmp_path / name / f"{i}.png", mode="L")
    assert load(f"folder:{tmp_path}").classes == {"2": 1, "10": 1, "cats": 1, "owls": 1}
    digits = load("digits").classes
    assert (list(digits), sum(digits.values())) == (list("0123456789"), 1437)
