"""Labels that the user lists in a CSV file: what is read, and what is refused and how."""

import contextlib
import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.data import Reading, dataset_named, loaded
from autogan.data.label_file import read_label_file, write_label_file

FILE = Path("labels.csv")


def images(*names):
    """Grey pictures below pets/, each of a level of its own."""
    for level, name in enumerate(names):
        path = Path("pets", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 10 * level, np.uint8)).save(path)


def load(text, dataset="folder:pets", **how):
    FILE.write_bytes(text if isinstance(text, bytes) else text.encode())
    return loaded(dataset_named(dataset, None), None, Reading(labels=FILE, **how))


def refusal(text, dataset="folder:pets"):
    with pytest.raises(ConfigError) as error:
        load(text, dataset)
    assert error.value.field == "labels"
    assert str(error.value).isprintable()
    return error.value.problem.removeprefix("labels.csv: ")


def by_level(split, names):
    """The name of the class of each image, by the image's level."""
    levels = split.images[:, 0, 0, 0] // 10
    return {int(n): names[label] for n, label in zip(levels, split.labels, strict=True)}


def test_each_image_has_the_class_of_its_line():
    images("x/a.png", "x/b.png", "y/c.png")
    data = load("image,class\ny/c.png,cat\nx/b.png,10\nx/a.png,9\n")
    assert data.names == ("9", "10", "cat")  # sorted as sub-folders are
    assert by_level(data.train, data.names) == {0: "9", 1: "10", 2: "cat"}
    assert data.train.labels.dtype == np.int64
    assert data.notes == ("labels come from labels.csv, not from dataset.json or sub-folders",)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffimage,class\r\na.png,cat\r\n\r\nx/b.png,dog\r\n",
        'image, class\n"a.png", "cat"\n"x/b.png", dog ',
        "file,kind\n./a.png,cat\nb.png,dog\n",  # a bare name that only one image has
    ],
)
def test_ways_to_write_the_same(text):
    images("a.png", "x/b.png")
    assert by_level(load(text).train, ["cat", "dog"]) == {0: "cat", 1: "dog"}


def test_commas_and_quotes_in_names_are_read_as_the_csv_module_writes_them():
    images('a,"1".png', "b.png")
    with FILE.open("w", newline="") as file:
        csv.writer(file).writerows([["image", "class"], ['a,"1".png', "one, two"], ["b.png", "b"]])
    data = load(FILE.read_bytes())
    assert data.classes == {"b": 1, "one, two": 1}


def test_splits_keep_working():
    images("train/a.png", "train/b.png", "test/a.png", "val/a.png")
    lines = "image,class\ntrain/a.png,x\ntrain/b.png,y\ntest/a.png,y\n"
    data = load(lines)
    assert by_level(data.train, data.names) == {0: "x", 1: "y"}
    assert by_level(data.test, data.names) == {2: "y"}
    assert len(load(lines + "val/a.png,z\n").names) == 2  # which is left out
    assert "test images have the class z" in refusal(lines.replace("test/a.png,y", "test/a.png,z"))


def test_archives_are_read_as_their_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGAN_CACHE", str(tmp_path / "cache"))
    images("a.png", "b.png")
    shutil.make_archive("pets", "zip", "pets")
    data = load("image,class\na.png,dog\nb.png,cat\n", "file:pets.zip")
    assert by_level(data.train, data.names) == {0: "dog", 1: "cat"}


def test_files_that_cannot_be_read_take_their_labels_along():
    images("a.png", "b.png", "c.png")
    Path("pets/b.png").write_bytes(b"no picture")
    data = load("image,class\na.png,x\nb.png,y\nc.png,y\n", skip_unreadable=True)
    assert by_level(data.train, data.names) == {0: "x", 2: "y"}


@pytest.mark.parametrize("absent", ["0", "-1"])
def test_several_columns_are_attributes(absent):
    images("train/a.png", "train/b.png", "train/c.png", "test/a.png")
    lines = "file, smiling,young \ntrain/b.png,x,1\ntest/a.png,1,1\ntrain/c.png,x,x\n"
    data = load((lines + "./train/a.png,1, 1\n").replace("x", absent))
    assert data.names == ("smiling", "young")
    assert data.train.labels.dtype == np.uint8
    assert data.train.labels.tolist() == [[1, 1], [0, 1], [0, 0]]
    assert data.test.labels.tolist() == [[1, 1]]
    assert data.train.classes is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image,x,y\na.png,1,0\nb.png,1,2\n", "line 3 has '2' for y; give 1 or 0 (or 1 or -1)"),
        ("image,x,y\na.png,1,yes\n", "line 2 has 'yes' for y; give 1 or 0"),
        ("image,x,y\na.png,1\n", "line 2 is 'a.png,1'; give an image and 2 values"),
        ("image,x,y\na.png,1,\n", "line 2 is 'a.png,1,'; give an image and 2 values"),
        ("image,x,x\na.png,1,0\n", "its header is 'image,x,x'; give each column a "),
        ("image,x,\na.png,1,0\n", "its header is 'image,x,'; give each column a different"),
        ("image,x,y\na.png,1,0\nb.png,-1,1\n", "it contains both 0 and -1; use 0 if"),
        ("image,x,y\na.png,1,0\n", "1 image has no line (b.png); give each image one line"),
    ],
)
def test_wrong_attributes_are_named(text, expected):
    images("a.png", "b.png")
    assert refusal(text).startswith(expected)


def test_attributes_are_written_as_they_are_read():
    images("a.png", "b,1.png")
    rows = np.array([[0, 1], [1, 1]], np.float32)
    write_label_file(FILE, ["a.png", "b,1.png"], ["x", "y, z"], rows)
    data = load(FILE.read_bytes())
    assert data.names == ("x", "y, z")
    assert data.train.labels.tolist() == rows.tolist()


def test_other_labels_are_other_data():
    images("a.png", "b.png")
    one, other = (load(f"image,class\na.png,{a}\nb.png,{b}\n") for a, b in ("xy", "yx"))
    assert one.train.digest != other.train.digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "its first line, '', is not a header of two columns or more; begin with one"),
        ("a.png,x\nb.png,y\n", "its first line, 'a.png,x', is not a header of two"),
        ("image;class\na.png;x\n", "its first line, 'image;class', has no commas; separate"),
        ("image,class\na.png\n", "line 2 is 'a.png'; give an image and a class"),
        ("image,class\na.png, \n", "line 2 is 'a.png,'; give an image and a class"),
        ("image,class\n\na.png,x,y\n", "line 3 is 'a.png,x,y'; give an image and a class"),
        ("image,class\na.png,x\nx/../a.png,y\n", "3 images have no line (c.png, x/b.png, y/b.png)"),
        ("image,class\na.png,x\n./a.png,y\n", "line 3 repeats ./a.png; keep one line for it"),
        ("image,class\na.png,x\nc.png,x\nx/b.png,x\ny/b.png,x\n",
         "all images have the class x; give two classes or more"),
        ('image,class\n"a.png,x\n', "it cannot be read (Error: unexpected end of data)"),
        (b"image,class\n\xff.png,x\n", "it cannot be read (UnicodeDecodeError: "),
        ("image,class\na.png," + "x" * 200_000, "it cannot be read (Error: field larger than"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text, expected):
    images("a.png", "x/b.png", "y/b.png", "c.png")
    assert refusal(text).startswith(expected)


def test_images_without_a_line_and_lines_without_an_image_are_counted_and_named():
    images("c.png", "d.png", "x/b.png", "y/b.png")
    lines = "".join(f"gone/{n}.png,x\n" for n in range(6))
    assert refusal(f"image,class\nb.png,x\nc.png,y\nd.png,y\n{lines}") == (
        "2 images have no line (x/b.png, y/b.png) and 7 lines match no image, or several (b.png, "
        "gone/0.png, gone/1.png, gone/2.png, gone/3.png, ...); give each image one line, with its "
        "path below the dataset's root"
    )


def test_files_that_are_too_large_or_none(monkeypatch):
    images("a.png", "b.png")
    monkeypatch.setattr("autogan.data.label_file._MOST_LINES", 3)
    assert "more than 3 lines" in refusal("image,class\na.png,x\nb.png,y\n\n\nc.png,x\n")
    monkeypatch.setattr("autogan.data.label_file._MOST_BYTES", 10)
    assert "it has more than 0 MB" in refusal("image,class\n")
    FILE.unlink()
    FILE.mkdir()
    with pytest.raises(ConfigError, match="^labels: labels.csv: is a folder; give the path"):
        loaded(dataset_named("folder:pets", None), None, Reading(labels=FILE))


def test_datasets_without_files_of_their_own_refuse_it():
    np.savez("arrays.npz", images=np.zeros((4, 8, 8), np.uint8))
    assert refusal("image,class\n", "digits").startswith("labels.csv, but digits is not a dataset")
    assert "arrays.npz contains arrays; leave it out" in refusal("image,class\n", "file:arrays.npz")


def test_its_path_is_kept_whole(tmp_path):
    config = TrainConfig(dataset="folder:pets", labels="labels.csv")
    assert config.as_dict()["labels"] == str(tmp_path / "labels.csv")


rows = st.lists(st.sampled_from(["a.png", "b.png", "x", "y", "0", "1", "-1", "", '"']), max_size=4)


@given(
    st.binary(max_size=80)
    | st.lists(rows.map(",".join), max_size=4).map("\n".join)
    | st.text('image,clsx.png/\n"\r\0\ufeff ', max_size=60)
)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_any_file_is_read_or_refused_in_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with contextlib.suppress(ConfigError):
        names, (labels,) = read_label_file(path, ["a.png", "b.png"], [["a.png", "b.png"]])
        assert labels.shape == ((2,) if labels.dtype == np.int64 else (2, len(names)))
        assert 0 <= labels.min() <= labels.max() < max(len(names), 2)
