"""Datasets in one file: archives as the folders they were made from, arrays, what is refused."""

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import autogan
from autogan.core.errors import ConfigError
from autogan.data import archive, dataset_named
from autogan.data.loading import loaded
from autogan.data.reading import Reading


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGAN_CACHE", str(tmp_path / "cache"))


def picture(number=0, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8), number, np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def write_folder(root, names):
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(number))


def write_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return path


def read(name, tell=lambda text: None, **how):
    return loaded(dataset_named(name, None), None, Reading(**how), tell)


def same(a, b):
    assert a.train.digest == b.train.digest
    assert (a.names, a.image_shape, a.classes) == (b.names, b.image_shape, b.classes)
    assert (a.test and a.test.digest) == (b.test and b.test.digest)


PLAIN = [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(3)]
SPLIT = [f"{split}/{name}" for split in ("train", "test") for name in PLAIN]


class TestArchives:
    @pytest.mark.parametrize("names", [PLAIN, SPLIT], ids=["classes", "splits"])
    @pytest.mark.parametrize("form", ["zip", "tar", "gztar", "xztar"])
    def test_it_is_read_as_the_folder_it_was_made_from(self, names, form, tmp_path):
        write_folder(tmp_path / "pets", names)
        (tmp_path / "pets/notes.txt").write_text("no picture")
        made = shutil.make_archive(str(tmp_path / "pets"), form, tmp_path / "pets")
        same(read(f"file:{made}"), read(f"folder:{tmp_path / 'pets'}"))

    def test_styleganss_zip_has_its_labels(self, tmp_path):
        names = [f"{n // 2:05d}/img{n:08d}.png" for n in range(4)]
        labels = [[name, (n * 3) % 4] for n, name in enumerate(names)]
        files = [(name, picture(n)) for n, name in enumerate(names)]
        path = write_zip(
            tmp_path / "a.zip", [*files, ("dataset.json", json.dumps({"labels": labels}))]
        )
        assert read(f"file:{path}").train.labels.tolist() == [0, 3, 2, 1]

    def test_it_is_unpacked_once_and_anew_when_it_changes(self, tmp_path):
        path, told = write_zip(tmp_path / "a.zip", [("a.png", picture(1))]), []
        for _ in range(2):
            assert len(read(f"file:{path}", told.append).train) == 1
        assert len([line for line in told if line.startswith("unpacking")]) == 1
        write_zip(path, [("a.png", picture(1)), ("b.png", picture(2))])
        assert len(read(f"file:{path}", told.append).train) == 2

    def test_lsun(self, tmp_path):
        lmdb = pytest.importorskip("lmdb")
        root = tmp_path / "classroom_train_lmdb"
        with lmdb.open(str(root)) as database, database.begin(write=True) as writing:
            for number in range(3):
                writing.put(b"%040x" % number, picture(40 * number, "WEBP"))
        for name in (root, root / "data.mdb"):
            found = read(f"file:{name}")
            levels = [int(image.mean()) for image in found.train.images]
            np.testing.assert_allclose(levels, [0, 40, 80], atol=3)
            assert found.train.labels is None
        with lmdb.open(str(root)) as database, database.begin(write=True) as writing:
            writing.put(b"z", b"text")
        with pytest.raises(ConfigError, match="value 3 is not a JPEG, PNG or WebP picture"):
            read(f"file:{root}")

    def test_links_hidden_files_and_what_is_no_picture_are_left_out(self, tmp_path):
        path = tmp_path / "a.tar"
        with tarfile.open(path, "w") as made:

            def add(name, content=b"", **facts):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                for key, value in facts.items():
                    setattr(info, key, value)
                made.addfile(info, io.BytesIO(content))

            add("good.png", picture())
            add("link.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
            add("hard.png", type=tarfile.LNKTYPE, linkname="good.png")
            add("pipe.png", type=tarfile.FIFOTYPE)
            add(".hidden.png", picture())
            add("__MACOSX/._good.png", b"x")
            add("run.sh", b"touch x")
        assert len(read(f"file:{path}").train) == 1
        (folder,) = (tmp_path / "cache/archives").iterdir()
        assert [p.name for p in folder.rglob("*")] == ["good.png"]

    @pytest.mark.parametrize(
        ("name", "problem"),
        [("../out.png", "outside"), ("/out.png", "outside"), ("a/../../out.png", "outside"),
         ("C:/out.png", "outside"), ("a\\out.png", "outside"), ("x" * 300 + ".png", "can have")],
    )  # fmt: skip
    @pytest.mark.parametrize("form", ["zip", "tar"])
    def test_no_way_out(self, name, problem, form, tmp_path):
        path = tmp_path / f"a.{form}"
        if form == "zip":
            write_zip(path, [("a.png", picture()), (name, picture())])
        else:
            with tarfile.open(path, "w") as made:
                info = tarfile.TarInfo(name)
                info.size = len(picture())
                made.addfile(info, io.BytesIO(picture()))
        with pytest.raises(ConfigError, match=f"^dataset: .*{problem}.*pack it again$"):
            read(f"file:{path}")
        assert {p.name for p in tmp_path.rglob("*")} == {"cache", "archives", path.name}

    def test_what_is_too_large_is_not_unpacked(self, tmp_path, monkeypatch):
        monkeypatch.setattr(archive, "_MOST_OF_ONE", 2**20)
        path = write_zip(tmp_path / "a.zip", [("a.png", bytes(2**21))])
        with pytest.raises(ConfigError, match="'a.png' is larger than 1 MB"):
            read(f"file:{path}")
        monkeypatch.setattr(archive, "_MOST_FILES", 1)
        path = write_zip(tmp_path / "b.zip", [("a.png", picture()), ("b.png", picture())])
        with pytest.raises(ConfigError, match="contains more than 1 picture or 128 GB"):
            read(f"file:{path}")
        assert not list((tmp_path / "cache/archives").iterdir())

    def test_odd_archives(self, tmp_path):
        with pytest.warns(UserWarning, match="Duplicate"):
            write_zip(tmp_path / "twice.zip", [("a.png", picture()), ("a.png", picture())])
        write_zip(tmp_path / "empty.zip", [("a.txt", b"")])
        (tmp_path / "text.zip").write_text("no archive")
        whole = write_zip(tmp_path / "cut.zip", [("a.png", bytes(range(256)) * 50)]).read_bytes()
        (tmp_path / "cut.zip").write_bytes(whole[:200] + bytes(50) + whole[250:])
        for name, problem in {
            "twice.zip": "it contains 'a.png' twice", "empty.zip": "contains no pictures",
            "text.zip": "it is not a zip or tar archive", "cut.zip": "cannot be read",
            "gone.zip": "there is no such file",
        }.items():  # fmt: skip
            with pytest.raises(ConfigError, match=f"^dataset: .*{problem}"):
                read(f"file:{tmp_path / name}")
        with pytest.raises(ConfigError, match=f"is a folder; write folder:{tmp_path}$"):
            read(f"file:{tmp_path}")
        with pytest.raises(ConfigError, match=f"is a file; write file:{tmp_path}/cut.zip$"):
            read(f"folder:{tmp_path}/cut.zip")
        with pytest.raises(ConfigError, match="file has no path; write file:PATH"):
            read("file:")

    def test_encrypted(self, tmp_path):
        path = write_zip(tmp_path / "a.zip", [("a.png", picture())])
        data = bytearray(path.read_bytes())
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(mark) + offset] |= 1
        path.write_bytes(bytes(data))
        with pytest.raises(ConfigError, match=r"'a\.png' is encrypted"):
            read(f"file:{path}")


IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
CLASSES = np.array([0, 1, 2, 0, 1, 2])


class TestArrays:
    @pytest.mark.parametrize(
        ("images", "labels"),
        [("images", "labels"), ("x_train", "y_train"), ("train_images", "train_labels"),
         ("x", "y"), ("arr_0", "arr_1"), ("data", None)],
    )  # fmt: skip
    def test_usual_names(self, images, labels, tmp_path):
        arrays = {images: IMAGES} | ({labels: CLASSES[:, None]} if labels else {})
        np.savez_compressed(tmp_path / "a.npz", **arrays)
        found = read(f"file:{tmp_path}/a.npz")
        assert np.array_equal(found.train.images, IMAGES)
        assert (found.train.labels is None) == (labels is None)
        assert labels is None or found.train.labels.tolist() == CLASSES.tolist()

    def test_splits(self, tmp_path):
        np.savez(tmp_path / "a.npz", x_train=IMAGES[..., 0], y_train=CLASSES,
                 x_test=IMAGES[:2, ..., 0], y_test=CLASSES[:2])  # fmt: skip
        found = read(f"file:{tmp_path}/a.npz")
        assert found.image_shape == (8, 8, 1)
        assert found.test.labels.tolist() == [0, 1]
        np.savez(tmp_path / "b.npz", train_images=IMAGES, train_labels=CLASSES, test_images=IMAGES)
        found = read(f"file:{tmp_path}/b.npz")
        assert found.train.labels is None
        assert found.unlabelled == "one of the splits has no labels"

    @pytest.mark.parametrize(
        ("arrays", "problem"),
        [({"images": IMAGES.astype(float)}, "images are float64 .*multiply values"),
         ({"images": IMAGES.transpose(0, 3, 1, 2)}, "images are uint8 .6, 3, 8, 8."),
         ({"pictures": IMAGES}, "has pictures; name the images one of images, x_train"),
         ({"images": np.array([object()])}, "cannot be read"),
         ({"images": IMAGES, "labels": CLASSES[:3]}, "3 labels for 6 images"),
         ({"images": IMAGES, "labels": CLASSES + 0.5}, "labels are float64")],
    )  # fmt: skip
    def test_what_is_no_dataset(self, arrays, problem, tmp_path):
        np.savez(tmp_path / "a.npz", **arrays)
        with pytest.raises(ConfigError, match=f"^dataset: .*{problem}"):
            read(f"file:{tmp_path}/a.npz")

    def test_arrays_beyond_the_memory_are_not_read(self, tmp_path, monkeypatch):
        np.savez_compressed(tmp_path / "a.npz", images=np.zeros((2**12, 32, 32), np.uint8))
        monkeypatch.setattr("autogan.data.one_file._MOST_BYTES", 2**20)
        with pytest.raises(ConfigError, match="need 0.00419 GB, too much for the memory"):
            read(f"file:{tmp_path}/a.npz")


@pytest.mark.usefixtures("in_process")
class TestCommands:
    def test_trained_on_and_scored(self, tmp_path, command):
        rng = np.random.default_rng(0)
        np.savez(tmp_path / "a.npz", images=rng.integers(0, 256, (40, 8, 8), np.uint8))
        params = {"width": 8, "dense_width": 16, "batch_size": 8}
        common = {"features": "random", "criterion": "fid", "steps": 2, "run_dir": "run"}
        autogan.train({**common, "dataset": "file:a.npz", "gan_type": "dcgan", "params": params})
        assert f"dataset: file:{tmp_path}/a.npz" in Path("run/config.yaml").read_text()
        code, out, _ = command("evaluate", "a.npz", "--reference", "file:a.npz", "--features",
                               "random")  # fmt: skip
        assert code == 0
        assert float(out.split()[1]) == pytest.approx(0, abs=1e-6)
        Path("digits").write_text("a file of the user's, not the dataset")
        assert command("evaluate", "digits", "--reference", "digits", "--criterion", "ms_ssim",
                       "--eval-samples", "20")[0] == 0  # fmt: skip
        code, _, err = command("evaluate", "run", "--reference", "a.npz", "--features", "random")
        assert code == 2
        assert "not mu and sigma" in err
