"""Datasets: what is read, how it is laid out, and how bad files are told."""

import gzip
import io
import os
import pickle
import struct
import sys
import tarfile
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from autogan.core.errors import ConfigError
from autogan.data import DATASETS, Reading, check_trainable, class_number, dataset_named, loaded
from autogan.data.base import ImageData, Split, resized
from autogan.data.formats import ARRAYS
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


def refusal(name, data_dir=None, image_size=None):
    with pytest.raises(ConfigError) as error:
        load(name, data_dir, image_size)
    assert str(error.value).isprintable()
    return str(error.value)


IDX = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy_head(shape):
    buffer = io.BytesIO()
    head = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, head)
    return buffer.getvalue()


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def changed(**arrays):
    """The arrays of an .npz file with some made anew of what they were; None leaves one out."""
    return lambda given: {**given, **{name: make(given[name]) for name, make in arrays.items()}}


SHAPES = "uint8 [N, height, width] or [N, height, width, 1 or 3]"
WHOLE = "they must be whole numbers from 0, one for each image"
X, Y = "mnist: training: images are", "mnist: training: labels are"

CHANGES = {
    "floats": (
        changed(x_train=lambda x: x / 255),
        f"{X} float64 [4, 28, 28]; they must be {SHAPES}; multiply values in [0, 1] by 255, round",
    ),
    "test floats": (
        changed(x_test=lambda x: x.astype("f4")),
        "mnist: test: images are float32 [2, 28, 28]; they must be",
    ),
    "wide integers": (
        changed(x_train=lambda x: x.astype(np.int64)),
        f"{X} int64 [4, 28, 28]; they must be {SHAPES}; save values from 0 to 255 with",
    ),
    "signed bytes": (changed(x_train=lambda x: x.astype(np.int8)), f"{X} int8 "),
    "16 bits": (changed(x_train=lambda x: x.astype(np.uint16)), f"{X} uint16 "),
    "truths": (
        changed(x_train=lambda x: x > 9),
        f"{X} bool [4, 28, 28]; they must be {SHAPES}; save them as images * 255",
    ),
    "complex": (changed(x_train=lambda x: x * 1j), f"{X} complex128 "),
    "texts": (changed(x_train=lambda x: x.astype(str)), f"{X} <U3 "),
    "times": (changed(x_train=lambda x: x.astype("M8[s]")), f"{X} datetime64[s] "),
    "a structure": (
        changed(x_train=lambda x: x.astype([("a\nb", "u1")])),
        f"{X} structured [4, 28, 28]; they must be {SHAPES}; save plain numbers",
    ),
    "objects": (
        changed(x_train=lambda x: x.astype(object)),
        "DIR: mnist cannot be read (x_train contains Python objects, which could run code "
        "when unpickled; save it as an array of numbers)",
    ),
    "object labels": (
        changed(y_test=lambda y: np.array([print, 1])),
        "DIR: mnist cannot be read (y_test contains Python objects",
    ),
    "a number": (changed(x_train=lambda x: x[0, 0, 0]), f"{X} uint8 []; they must be {SHAPES}"),
    "one image": (changed(x_train=lambda x: x[0]), f"{X} uint8 [28, 28]; they must be"),
    "channels first": (
        changed(x_train=lambda x: np.stack([x] * 3, 1)),
        f"{X} uint8 [4, 3, 28, 28]; they must be {SHAPES}",
    ),
    "two channels": (changed(x_train=lambda x: np.stack([x] * 2, 3)), f"{X} uint8 [4, 28, 28, 2]"),
    "five dimensions": (changed(x_train=lambda x: x[..., None, None]), f"{X} uint8 [4, 28, 28, 1"),
    "no images": (
        changed(x_train=lambda x: x[:0], y_train=lambda y: y[:0]),
        f"{X} uint8 [0, 28, 28]; they must be {SHAPES}, at least one image of at least one",
    ),
    "no pixels": (changed(x_train=lambda x: x[:, :0]), f"{X} uint8 [4, 0, 28]; they must"),
    "no test images": (changed(x_test=lambda x: x[:0]), "mnist: test: images are uint8 [0, 28"),
    "float labels": (
        changed(y_train=lambda y: y.astype(float)),
        f"{Y} float64 [4]; {WHOLE}; save them with astype('int64')",
    ),
    "labels that are NaN": (changed(y_train=lambda y: y * np.nan), f"{Y} float64 [4]; {WHOLE}"),
    "labels true or false": (changed(y_train=lambda y: y > 1), f"{Y} bool [4]; {WHOLE}"),
    "labels in words": (changed(y_train=lambda y: y.astype(str)), f"{Y} <U3 [4]; {WHOLE}"),
    "labels one-hot": (
        changed(y_train=lambda y: np.eye(4, dtype=int)),
        f"{Y} int64 [4, 4]; {WHOLE}, [N] or [N, 1]; if they are one-hot, save labels.argmax(",
    ),
    "one label": (changed(y_train=lambda y: y[0]), "mnist: training: 1 labels for 4 images"),
    "fewer labels": (
        changed(y_train=lambda y: y[:2]),
        "mnist: training: 2 labels for 4 images; give one for each image, from 0",
    ),
    "no labels": (changed(y_train=lambda y: y[:0]), "mnist: training: 0 labels for 4 images"),
    "more labels": (changed(y_test=lambda y: np.arange(3)), "mnist: test: 3 labels for 2 images"),
    "negative labels": (
        changed(y_train=lambda y: y.astype(int) - 1),
        "mnist: training: 4 labels from -1 for 4 images; give one for each image, from 0",
    ),
    "a thousand million classes": (
        changed(y_train=lambda y: y.astype(int) * 10**9),
        "mnist: training: labels up to 3000000000 for 4 images; number the classes from 0, each "
        "below 1000",
    ),
    "labels of 64 bits": (
        changed(y_train=lambda y: np.full(4, 2**64 - 1, np.uint64)),
        "mnist: training: labels up to 18446744073709551615 for 4 images",
    ),
    "lacking": (
        lambda given: {**given, "y_train": None, "x_test": None},
        "DIR: mnist cannot be read (mnist.npz lacks y_train, x_test; it contains x_train, y_test)",
    ),
}  # fmt: skip

ACCEPTED = {
    "a channel": changed(x_train=lambda x: x[..., None], x_test=lambda x: x[..., None]),
    "three": changed(x_train=lambda x: np.stack([x] * 3, 3), x_test=lambda x: np.stack([x] * 3, 3)),
    "another order": changed(x_train=np.asfortranarray, x_test=np.asfortranarray),
    "labels in a column": changed(y_train=lambda y: y[:, None]),
    "labels of the other end": changed(y_train=lambda y: y.astype(">i4")),
    "further arrays": lambda given: {**given, "notes": np.array("by hand")},
    "one class": changed(y_train=lambda y: y * 0, y_test=lambda y: y * 0),
    "more classes than images": changed(y_train=lambda y: np.full(4, 999)),
}


def test_every_dataset_declares_itself():
    known = ("digits", "mnist", "fashion_mnist", "cifar10", "folder", "file", "tfds", "hf")
    assert DATASETS.names() == known
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

    @pytest.mark.parametrize("change", CHANGES)
    def test_what_an_npz_file_may_not_hold(self, tmp_path, change):
        make, expected = CHANGES[change]
        x, y = numbers(4)
        arrays = make({"x_train": x, "y_train": y, "x_test": x[:2], "y_test": y[:2]})
        np.savez(tmp_path / "mnist.npz", **{k: v for k, v in arrays.items() if v is not None})
        said = refusal("mnist", tmp_path)
        assert said.startswith(f"data_dir: {expected}".replace("DIR", str(tmp_path)))

    @pytest.mark.parametrize("change", ACCEPTED)
    def test_what_an_npz_file_may_hold(self, tmp_path, change):
        x, y = numbers(4)
        arrays = ACCEPTED[change]({"x_train": x, "y_train": y, "x_test": x[:2], "y_test": y[:2]})
        np.savez(tmp_path / "mnist.npz", **arrays)
        data = load("mnist", tmp_path)
        np.testing.assert_array_equal(data.train.images[..., 0], x)
        assert data.train.images.shape[3] in (1, 3)
        assert (data.train.labels.dtype, data.train.labels.shape) == (np.int64, (4,))

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "mnist.npz is not an .npz file; write it with numpy.savez"),
            (b"GIF89a", "mnist.npz is not an .npz file"),
            (pickle.dumps({"x_train": 1}), "mnist.npz is not an .npz file"),
            (npy(np.zeros((4, 8, 8), np.uint8)), "mnist.npz is not an .npz file"),
            (zipped(**{"a\n\x1b.txt": b"x"}), "mnist.npz lacks x_train, y_train, x_test, y_test; "
             "it contains a \\x1b.txt"),
            (zipped(**{f"{n}.npy": b"no array" for n in ARRAYS}), "images are of type bytes"),
            (zipped(**{f"{n}.npy": npy(np.zeros(9, np.uint8))[:-3] for n in ARRAYS}),
             "mnist cannot be read (ValueError: "),
            (zipped(**{f"{n}.npy": npy_head((2**40, 28, 28)) for n in ARRAYS}),
             "mnist cannot be read ("),
            (zipped(x=b"y" * 400)[:-30], "mnist.npz is not an .npz file"),
        ],
    )  # fmt: skip
    def test_an_npz_file_that_is_something_else(self, tmp_path, content, expected):
        (tmp_path / "mnist.npz").write_bytes(content)
        for place in (tmp_path, tmp_path / "mnist.npz"):
            assert expected in refusal("mnist", place)

    def test_classes_have_names_where_numbers_say_nothing(self, tmp_path):
        for dataset, classes, known in (
            ("cifar10", 10, "bird cat deer dog"),
            ("cifar10", 3, "bird"),
            ("cifar10", 11, "2 3 4 5"),  # another dataset under this name
            ("fashion_mnist", 10, "pullover dress coat sandal"),
            ("mnist", 10, "2 3 4 5"),
        ):
            x, y = numbers(classes)[0], np.arange(classes)
            np.savez(tmp_path / f"{dataset}.npz", x_train=x, y_train=y, x_test=x, y_test=y)
            data = load(dataset, tmp_path)
            assert list(data.classes)[2:6] == known.split()
            assert len(data.classes) == classes

    def test_images_that_are_not_square_are_cropped_as_those_of_folders_are(self, tmp_path):
        for channels in (None, 3):
            x, y = numbers(3, 24, channels)[0][:, :12], np.arange(3)
            np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)
            for i, image in enumerate(x):
                Image.fromarray(image).save(tmp_path / f"{i}.png")
            made = load("mnist", tmp_path, image_size=8).train.images
            assert made.shape == (3, 8, 8, channels or 1)
            expected = load(f"folder:{tmp_path}", image_size=8).train.images
            np.testing.assert_array_equal(made, expected)
            with pytest.raises(ConfigError, match="the networks cannot make 24x12 images; give"):
                check_trainable(load("mnist", tmp_path).image_shape)

    def test_pipes_and_other_things_do_not_hang(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        assert "pipe is neither a folder nor a file" in refusal("mnist", tmp_path / "pipe")
        os.mkfifo(tmp_path / "mnist.npz")
        assert "contains neither mnist.npz" in refusal("mnist", tmp_path)
        (tmp_path / "cifar-10-batches-py").mkdir()
        os.mkfifo(tmp_path / "cifar-10-batches-py" / "data_batch_1")
        assert "data_batch_1 is missing" in refusal("cifar10", tmp_path)
        assert "there is no such folder" in refusal(f"folder:{tmp_path / 'pipe'}")

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

    @pytest.mark.parametrize("packed", [False, True])
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "is not an IDX file of bytes"),
            (b"\0\0\x08", "is not an IDX file of bytes"),
            (b"\0\0\x0d\3", "is not an IDX file of bytes"),
            (b"\0\0\x08\1\0\0\0\1!", "has 1 dimensions, not 3"),
            (b"\0\0\x08\xff" + b"\0\0\0\1" * 255, "has 255 dimensions, not 3"),
            (b"\0\0\x08\3\0\0\0\1\0", "should contain a longer header, but contains 0"),
            (b"\0\0\x08\3" + b"\0\0\0\2" * 3 + b"x" * 7, "[2, 2, 2] values, but contains 7"),
            (b"\0\0\x08\3" + b"\0\0\0\2" * 3 + b"x" * 9, "[2, 2, 2] values, but contains more"),
            (b"\0\0\x08\3" + b"\x80\0\0\0" * 3 + b"x" * 9, "2147483648] values, but contains 9"),
            (b"\0\0\x08\3" + b"\0\0\0\0" * 3, "train-labels-idx1-ubyte"),
        ],
    )  # fmt: skip
    def test_idx_files_of_wrong_sizes(self, tmp_path, packed, content, expected):
        for name in IDX:
            data = gzip.compress(content) if packed else content
            (tmp_path / f"{name}-ubyte{'.gz' * packed}").write_bytes(data)
        assert expected in refusal("mnist", tmp_path)

    @pytest.mark.parametrize("damage", [lambda d: d[:-9], lambda d: d[1:], lambda d: d[:40] * 2])
    def test_damaged_gzip_files(self, tmp_path, damage):
        data = gzip.compress(b"\0\0\x08\3" + b"\0\0\0\x20" * 3 + np.random.bytes(32**3))
        for name in IDX:
            (tmp_path / f"{name}-ubyte.gz").write_bytes(damage(data))
        assert "mnist cannot be read (" in refusal("mnist", tmp_path)

    @pytest.mark.parametrize(
        ("batch", "expected"),
        [
            (b"", "cifar10 cannot be read (EOFError"),
            (b"\x80\x04]", "cifar10 cannot be read ("),
            (7, "data_batch_1 is not a mapping of data and labels"),
            ({b"data": 1}, "data_batch_1 is not a mapping of data and labels"),
            ({b"data": 1, b"labels": []}, "data_batch_1: data is not a uint8 array"),
            ({b"data": np.zeros((2, 3072)), b"labels": [0, 1]}, "data is not a uint8 array"),
            (
                {b"data": np.zeros((2, 3071), np.uint8), b"labels": [0, 1]},
                "data is [2, 3071], not [N, 3072]",
            ),
            (
                {b"data": np.zeros((2, 3072), np.uint8), b"labels": [0]},
                "data_batch_1: labels are int64 [1], not 2 integers",
            ),
            ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 0.5]}, "labels are float64"),
            ({b"data": np.zeros((1, 3072), np.uint8), b"labels": [10**30]}, "labels are object"),
            ({b"data": np.zeros((1, 3072), np.uint8), b"labels": None}, "labels are object []"),
            ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [[0], [0, 1]]}, "cannot be read"),
            ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, -1]}, "10 labels from -1 for"),
            (
                {b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 10**9]},
                "cifar10: training: labels up to 1000000000 for 10 images",
            ),
        ],
    )
    def test_cifar_batches_of_wrong_content(self, tmp_path, batch, expected):
        folder = tmp_path / "cifar-10-batches-py"
        folder.mkdir()
        for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
            data = batch if isinstance(batch, bytes) else pickle.dumps(batch)
            (folder / name).write_bytes(data)
        assert expected in refusal("cifar10", tmp_path)

    def test_a_packed_batch_that_is_missing(self, tmp_path):
        with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz"):
            pass
        assert "data_batch_1 is missing" in refusal("cifar10", tmp_path)
        (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"no archive")
        assert "cifar10 cannot be read (ReadError" in refusal("cifar10", tmp_path)

    def test_no_files_names_them(self, tmp_path):
        with pytest.raises(ConfigError, match="data_dir: .* contains neither cifar10.npz"):
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
        with pytest.raises(ConfigError, match="is not allowed in a CIFAR batch"):
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
        with pytest.raises(
            ConfigError, match="image_size: .*b.png has 9x8 pixels, .*a.png has 8x8"
        ):
            load(f"folder:{tmp_path}")
        assert load(f"folder:{tmp_path}", image_size=12).image_shape == (12, 12, 3)

    @pytest.mark.parametrize(
        ("make", "expected"),
        [
            (lambda p: None, "there is no such folder"),
            (lambda p: p.mkdir(), "no images there; known suffixes"),
            (lambda p: (p.mkdir(), (p / "a.png").write_bytes(b"torn")), "a.png cannot be read as"),
        ],
    )
    def test_bad_folders(self, tmp_path, make, expected):
        make(tmp_path / "x")
        with pytest.raises(ConfigError, match=f"dataset: .*{expected}"):
            load(f"folder:{tmp_path / 'x'}")

    def test_only_files_count(self, tmp_path):
        picture(tmp_path / "a.png", value=1)
        (tmp_path / "b.png").symlink_to("a.png")
        (tmp_path / "c.png").mkdir()
        os.mkfifo(tmp_path / "d.png")
        (tmp_path / "e.png").symlink_to("/dev/zero")
        assert len(load(f"folder:{tmp_path}").train) == 2
        (tmp_path / "f.png").symlink_to("nowhere")
        assert "f.png cannot be read as an image (FileNotFound" in refusal(f"folder:{tmp_path}")

    def test_names_that_no_terminal_can_show(self, tmp_path):
        for name in (b"two\nlines", b"\xff\xfe", b"\x1b[31m", "\N{OWL}".encode()):
            folder = tmp_path / os.fsdecode(name)
            for i in range(2):
                picture(folder / f"{i}{os.fsdecode(name)}.png")
        data = load(f"folder:{tmp_path}")
        assert list(data.classes) == ["\\x1b[31m", "two\\nlines", "\\udcff\\udcfe", "\N{OWL}"]
        assert sum(data.classes.values()) == 8
        picture(folder / "x.png", (9, 8))
        assert "has 9x8 pixels" in refusal(f"folder:{tmp_path}")
        (tmp_path / os.fsdecode(b"two\nlines") / os.fsdecode(b"\xff.png")).write_bytes(b"torn")
        assert "\\udcff.png cannot be read" in refusal(f"folder:{tmp_path}", image_size=8)

    def test_a_truncated_jpeg_is_named(self, tmp_path):
        buffer = io.BytesIO()
        Image.fromarray(numbers(1, 64, 3)[0][0]).save(buffer, "JPEG")
        (tmp_path / "a.jpg").write_bytes(buffer.getvalue()[:600])
        with pytest.raises(ConfigError, match="a.jpg cannot be read as an image .*(?i:truncated)"):
            load(f"folder:{tmp_path}")


@pytest.mark.parametrize("shape", [(8, 12, 1), (4, 4, 1), (260, 260, 3), (30, 30, 3)])
def test_images_that_networks_cannot_make(shape):
    with pytest.raises(ConfigError, match="image_size: .* give --image-size a multiple of 4"):
        check_trainable(shape)


def split_of(count=4, side=8, channels=1, classes=2):
    images = numbers(count, side, channels)[0]
    return Split(images, np.arange(count) % classes)


class TestSplits:
    def test_both_are_of_one_kind(self):
        with pytest.raises(ConfigError, match="image_size: training images have 8x8 pixels, test"):
            ImageData(split_of(), split_of(side=12))
        with pytest.raises(ConfigError, match="dataset: training images have 1 channels, test im"):
            ImageData(split_of(), split_of(channels=3))

    def test_a_class_that_training_does_not_have(self):
        ImageData(split_of(classes=3), split_of(classes=2))
        message = "dataset: test images have class 2, training images only classes 0 to 1"
        with pytest.raises(ConfigError, match=message):
            ImageData(split_of(classes=2), split_of(classes=3))

    def test_each_class_has_a_name(self):
        assert ImageData(split_of(), None, ("a", "b")).classes == {"a": 2, "b": 2}
        with pytest.raises(
            ConfigError, match="dataset: the labels have 2 classes, but 3 names are given"
        ):
            ImageData(split_of(), None, ("a", "b", "c"))

    @pytest.mark.parametrize(
        ("given", "number"), [("dog", 2), ("0", 1), (0, 0), ("2", 2), (2, 2), ("cat", 0)]
    )
    def test_a_name_goes_before_a_number(self, given, number):
        assert class_number(given, ["cat", "0", "dog"]) == number

    @pytest.mark.parametrize("given", ["dgo", "", "3", 3, -1, "-1", "1.0", "²", "DOG"])
    def test_a_class_that_is_not_there(self, given):
        with pytest.raises(ConfigError) as error:
            class_number(given, ["cat", "0", "dog"])
        assert str(error.value) == (
            f"classes: {given!r}: the classes are 0 to 2, named cat, 0, dog"
        )

    def test_of_many_classes_the_first_are_named(self):
        with pytest.raises(ConfigError, match="0 to 99, named c0, c1, .*, c18, c19, ...$"):
            class_number("x", [f"c{i}" for i in range(100)])

    def test_grey_images_may_come_without_channels(self):
        split = Split(np.zeros((2, 8, 8), np.uint8), np.zeros((2, 1), np.uint8))
        assert (split.images.shape, split.labels.shape) == ((2, 8, 8, 1), (2,))

    @pytest.mark.parametrize("labels", [[0, 1], np.zeros(2), np.array(["a", "b"])])
    def test_labels_are_whole_numbers(self, labels):
        with pytest.raises(ConfigError, match="dataset: labels are .*; they must be whole numbers"):
            Split(np.zeros((2, 8, 8, 1), np.uint8), labels)


class TestDigests:
    def test_equal_for_equal_data(self):
        digest = split_of().digest
        assert len(digest) == 64
        assert int(digest, 16) >= 0
        assert split_of().digest == digest
        assert Split(np.asfortranarray(split_of().images), np.array([0, 1, 0, 1])).digest == digest

    def test_different_after_any_change(self):
        split = split_of()
        pixel, label = split.images.copy(), split.labels.copy()
        pixel[3, 7, 7, 0] ^= 1
        label[3] ^= 1
        backwards = split.images[::-1]
        splits = (
            split,
            Split(pixel, split.labels),
            Split(split.images, label),
            Split(split.images, None),
            Split(backwards, split.labels),
            Split(split.images.reshape(4, 4, 16, 1), split.labels),
            Split(split.images[:3], split.labels[:3]),
        )
        assert len({s.digest for s in splits}) == len(splits)

    def test_mapped_images_are_read_in_blocks(self, tmp_path, monkeypatch):
        split = split_of(7)
        np.save(tmp_path / "images.npy", split.images)
        monkeypatch.setattr("autogan.data.base._BLOCK_BYTES", 130)  # two images
        mapped = Split(np.load(tmp_path / "images.npy", mmap_mode="r"), split.labels)
        assert isinstance(mapped.images, np.memmap)
        assert mapped.digest == split.digest

    def test_of_files(self, tmp_path, monkeypatch):
        monkeypatch.setattr("autogan.data.base.MEMORY_BYTES", 100)

        def digest(root, size=8):
            return load(f"folder:{root}", image_size=size).train.digest

        def made(name, values=(1, 2, 3)):
            for i, value in enumerate(values):
                picture(tmp_path / name / "ab"[i % 2] / f"{i}.bmp", value=value)
            return tmp_path / name

        first = digest(made("x"))
        assert digest(made("y")) == first  # wherever it lies
        assert digest(tmp_path / "x", 12) != first
        assert digest(made("more", (1, 2, 3, 4))) != first
        assert digest(made("changed", (1, 2, 9))) == first  # what it does not notice
        (tmp_path / "y" / "a" / "0.bmp").rename(tmp_path / "y" / "a" / "9.bmp")
        assert digest(tmp_path / "y") != first
        split = load(f"folder:{tmp_path / 'x'}", image_size=8).train
        assert Split(split.images, split.labels[::-1]).digest != first
        (tmp_path / "x" / "a" / "0.bmp").unlink()
        with pytest.raises(ConfigError, match="0.bmp cannot be read"):
            split.images.listing()


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


def test_a_file_that_is_cut_off_later_is_named_when_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("autogan.data.base.MEMORY_BYTES", 100)
    for name in "ab":
        Image.effect_noise((64, 64), 90).save(tmp_path / f"{name}.png")
    split = load(f"folder:{tmp_path}", image_size=8).train
    assert split.images.shape == (2, 8, 8, 1)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:1500])
    with pytest.raises(ConfigError, match=r"b.png cannot be read as an image .*restore it"):
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
                "label": tfds.features.ClassLabel(names=["cat", "dog", "fish"]),
            }
        ),
        split_datasets={"train": split(slice(0, 6)), "validation": split(slice(6, 10))},
        data_dir=root,
    )
    return root, pictures, labels


class TestTensorFlowDatasets:
    def test_attributes_take_the_place_of_a_label(self, tmp_path):
        """As CelebA has them: a dictionary of truth values."""
        tfds = pytest.importorskip("tensorflow_datasets", reason="the extra tfds is not installed")
        import tensorflow as tf

        pictures = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
        has = {"Young": pictures[:, 0, 0, 0] > 99, "Male": pictures[:, 0, 0, 1] > 99}
        examples = tf.data.Dataset.from_tensor_slices({"image": pictures, "attributes": has})
        tfds.dataset_builders.store_as_tfds_dataset(
            name="faces",
            version="1.0.0",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 3), encoding_format="png"),
                    "attributes": dict.fromkeys(has, np.bool_),
                }
            ),
            split_datasets={"train": examples},
            data_dir=tmp_path,
        )
        data = load("tfds:faces", tmp_path)
        assert data.names == ("Male", "Young")
        first = np.asarray(data.train.images)[:, 0, 0]
        assert np.array_equal(data.train.labels, first[:, [1, 0]] > 99)
        assert (data.train.labels.dtype, data.unlabelled) == (np.uint8, "")

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
        monkeypatch.setattr("autogan.data.libraries.decoded._decode", None)  # not again
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
        with pytest.raises(ConfigError, match=r"pip install tensorflow-datasets importlib"):
            load("tfds:mnist", None, 8)

    def test_names_nothing(self):
        with pytest.raises(ConfigError, match="write tfds:NAME"):
            load("tfds")

    def test_classes_keep_their_names(self, stored):
        assert load("tfds:tiny", stored[0], 8).classes == {"cat": 2, "dog": 2, "fish": 2}

    def test_a_part_of_a_split_is_refused(self):
        assert refusal("tfds:tiny[train]") == (
            "dataset: tfds:tiny[train]: a part of a split cannot be chosen; write tfds:tiny, "
            "whose splits train and test are read"
        )

    def test_grey_or_rgb_as_asked(self, stored):
        root, pictures, _ = stored
        dataset = dataset_named("tfds:tiny", root)
        data = loaded(dataset, 8, Reading(channels="grey"))
        assert data.image_shape == (8, 8, 1)
        expected = {
            square(Image.fromarray(picture).convert("L"), 8).tobytes() for picture in pictures[:6]
        }
        assert {image.tobytes() for image in data.train.images} == expected

    @pytest.mark.parametrize(("told", "read"), [(4, 4), (9, 6)])
    def test_a_split_of_another_size_than_its_metadata_says(self, stored, monkeypatch, told, read):
        dataset = dataset_named("tfds:tiny", stored[0])
        builder = dataset._builder()
        kept = builder.info.splits

        class Claims(dict):
            def __init__(self):
                super().__init__(kept.items())

            def __getitem__(self, name):
                return SimpleNamespace(num_examples=told) if name == "train" else kept[name]

        info = SimpleNamespace(
            features=builder.info.features, splits=Claims(), full_name=f"tiny-{told}"
        )
        claiming = SimpleNamespace(
            info=info, data_dir=builder.data_dir, as_dataset=builder.as_dataset,
            download_and_prepare=lambda: None,
        )  # fmt: skip
        monkeypatch.setattr(dataset, "_builder", lambda: claiming)
        for _ in range(2):  # decoded, and from the cache
            data = dataset.load(8)
            assert len(data.train) == len(data.train.labels) == read
            assert data.train.images.reshape(read, -1).max(axis=1).min() > 0  # none is black
            assert list(data.notes) == [
                f"tfds:tiny: the split train has 6 examples, and by its metadata {told}: "
                f"{read} are read"
            ]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A dataset of Hugging Face on disk: 6 pictures of 12x10, 4 of validation, 2 of no class."""
    datasets = pytest.importorskip("datasets", reason="the extra hf is not installed")
    datasets.disable_progress_bars()
    pictures = np.random.default_rng(0).integers(0, 256, (12, 12, 10, 3), np.uint8)
    classes = datasets.ClassLabel(names=["cat", "dog", "fish"])
    kinds = datasets.Features({"img": datasets.Image(), "label": classes})

    def split(part, labels):
        held = {"img": [Image.fromarray(p) for p in pictures[part]], "label": labels}
        return datasets.Dataset.from_dict(held, features=kinds)

    root = tmp_path_factory.mktemp("hf") / "pets"
    datasets.DatasetDict(
        train=split(slice(0, 6), [0, 1, 2, 0, 1, 2]),
        validation=split(slice(6, 10), [0, 1, 2, 0]),
        test=split(slice(10, 12), [-1, -1]),
    ).save_to_disk(root)
    return root, pictures


class TestHuggingFace:
    def test_is_decoded_once_and_then_mapped(self, saved, monkeypatch):
        root, pictures = saved
        data = load(f"hf:{root}", None, 8)
        assert (data.image_shape, data.names) == ((8, 8, 3), ("cat", "dog", "fish"))
        expected = [np.asarray(square(Image.fromarray(picture), 8)) for picture in pictures]
        np.testing.assert_array_equal(data.train.images, expected[:6])
        np.testing.assert_array_equal(data.test.images, expected[6:10])  # test has no classes
        assert data.train.labels.tolist() == [0, 1, 2, 0, 1, 2]
        monkeypatch.setattr("autogan.data.libraries.decoded._decode", None)  # not again
        again = load(f"hf:{root}", None, 8)
        assert again.train.digest == data.train.digest

    def test_pictures_that_are_not_square_need_a_size(self, saved):
        with pytest.raises(ConfigError, match="image_size: none given, .* are 10x12; give"):
            load(f"hf:{saved[0]}")

    @pytest.mark.parametrize(
        ("odd", "said"),
        [
            (Image.new("L", (12, 12)), "image_size: none given, and picture 1 .* 12x12 pixels"),
            (Image.new("RGB", (8, 8)), "channels: none given, and picture 1 .* has colours"),
        ],
    )
    def test_pictures_unlike_the_first_are_refused(self, tmp_path, odd, said):
        datasets = pytest.importorskip("datasets", reason="the extra hf is not installed")
        held = {"image": [Image.new("L", (8, 8)), odd]}
        kinds = datasets.Features({"image": datasets.Image()})
        datasets.Dataset.from_dict(held, features=kinds).save_to_disk(tmp_path / "two")
        with pytest.raises(ConfigError, match=said):
            load(f"hf:{tmp_path / 'two'}")

    def test_a_dataset_without_splits_is_one_of_training_images(self, tmp_path):
        datasets = pytest.importorskip("datasets", reason="the extra hf is not installed")
        held = {"image": [Image.new("L", (8, 8), shade) for shade in (0, 99)]}
        kinds = datasets.Features({"image": datasets.Image()})
        datasets.Dataset.from_dict(held, features=kinds).save_to_disk(tmp_path / "two")
        data = load(f"hf:{tmp_path / 'two'}")
        assert (data.image_shape, data.test, data.train.labels) == ((8, 8, 1), None, None)
        assert data.unlabelled == "it has no feature of the kind ClassLabel"

    @pytest.mark.parametrize(
        ("odd", "said"),
        [
            (
                {"image": None},
                r"row 1 of the split train cannot be read \(ValueError: there is none\)",
            ),
            (
                {"image": {"bytes": b"junk", "path": None}},
                "row 1 of the split train cannot be read",
            ),
            ({"label": -1}, r"row 1 of the split train has no class \(-1\); remove such rows"),
        ],
    )
    def test_rows_that_cannot_be_used_are_named(self, tmp_path, odd, said):
        datasets = pytest.importorskip("datasets", reason="the extra hf is not installed")
        whole = {"image": Image.new("L", (8, 8)), "label": 0}
        kinds = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])}
        made = datasets.Dataset.from_list([whole, whole | odd], features=datasets.Features(kinds))
        made.save_to_disk(tmp_path / "odd")
        with pytest.raises(ConfigError, match=said):
            load(f"hf:{tmp_path / 'odd'}")

    def test_without_images_it_is_refused(self, tmp_path):
        datasets = pytest.importorskip("datasets", reason="the extra hf is not installed")
        datasets.Dataset.from_dict({"text": ["a"]}).save_to_disk(tmp_path / "words")
        with pytest.raises(ConfigError, match=r"has no images, but \['text'\]"):
            load(f"hf:{tmp_path / 'words'}")

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("hf", "write hf:NAME"),
            ("hf:./nothing", "there is no such folder"),
            ("hf:~", "cannot be read .* save_to_disk"),
        ],
    )
    def test_other_places_are_refused(self, name, said, tmp_path, monkeypatch):
        pytest.importorskip("datasets", reason="the extra hf is not installed")
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(ConfigError, match=said):
            load(name)

    def test_without_a_network_it_says_what_to_do(self, monkeypatch):
        datasets = pytest.importorskip("datasets", reason="the extra hf is not installed")

        def load_dataset(name, config, *, cache_dir):
            assert (name, config, cache_dir) == ("org/pets", "small", None)
            raise ConnectionError("no network")

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        with pytest.raises(ConfigError, match="hf:org/pets:small cannot be loaded .*hf:/PATH"):
            load("hf:org/pets:small")

    def test_without_the_extra_it_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "datasets", None)
        with pytest.raises(ConfigError, match="pip install 'datasets>=4'"):
            load("hf:ylecun/mnist")


def test_classes_of_a_folder_have_names_in_their_natural_order(tmp_path):
    for i, name in enumerate(("10", "2", "owls", "cats", ".thumbs")):
        picture(tmp_path / name / f"{i}.png", mode="L")
    assert load(f"folder:{tmp_path}").classes == {"2": 1, "10": 1, "cats": 1, "owls": 1}
    digits = load("digits").classes
    assert (list(digits), sum(digits.values())) == (list("0123456789"), 1437)
