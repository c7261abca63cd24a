"""Folders of images: what is read and how, what is left out, and that it is said."""

import inspect
import io
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from autogan.core.errors import ConfigError
from autogan.data import Reading, dataset_named, loaded, survey, told_of
from autogan.data.decoding import SUFFIXES
from autogan.data.looks import description
from autogan.data.pictures import PictureFiles, square
from autogan.data.reading import checked_background
from autogan.data.survey import surveyed

SQUARE = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4  # 0 to 252


def load(root, image_size=None, tell=lambda text: None, **reading):
    return loaded(dataset_named(f"folder:{root}", None), image_size, Reading(**reading), tell)


def refusal(root, image_size=None, **reading):
    with pytest.raises(ConfigError) as error:
        load(root, image_size, **reading)
    assert str(error.value).isprintable()
    return str(error.value)


def save(path, pixels=SQUARE, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(path, **how)


def made(root, *names):
    """Equal grey pictures below a folder."""
    for name in names:
        save(root / name)
    return root


def notes(root, image_size=None, **reading):
    return [*load(root, image_size, **reading).notes]


class TestSplits:
    @pytest.mark.parametrize(
        ("train", "test", "told"),
        [
            ("train", "test", []),
            ("Train", "Test", []),
            ("training", "testing", []),
            ("TRAINING", "val", ["the test images are those in val/"]),
            ("train", "validation", ["the test images are those in validation/"]),
            ("train", "Valid", ["the test images are those in Valid/"]),
        ],
    )
    def test_their_usual_names_in_any_case(self, tmp_path, train, test, told):
        made(tmp_path, *(f"{train}/{name}/{i}.png" for name in ("cat", "dog") for i in range(3)))
        made(tmp_path, *(f"{test}/{name}/a.png" for name in ("cat", "dog")))
        data = load(tmp_path)
        assert (data.classes, len(data.test)) == ({"cat": 3, "dog": 3}, 2)
        assert list(data.notes) == told

    def test_test_images_win_over_those_of_validation(self, tmp_path):
        made(tmp_path, "train/a.png", "test/a.png", "test/b.png", "val/a.png")
        data = load(tmp_path)
        assert (len(data.train), len(data.test)) == (1, 2)
        assert list(data.notes) == ["left out 1 file in val/ (test/ is the test split)"]

    def test_a_class_called_train(self, tmp_path):
        made(tmp_path, *(f"{name}/{i}.png" for name in ("bus", "car", "train") for i in range(4)))
        data = load(tmp_path)
        assert data.classes == {"bus": 4, "car": 4, "train": 4}
        assert list(data.notes) == ["train/ is read as a class, like bus/, car/"]

    def test_a_class_called_test(self, tmp_path):
        made(tmp_path, "oral/a.png", "test/a.png")
        assert notes(tmp_path) == ["test/ is read as a class, because there is no train/"]

    def test_folders_that_name_no_split_beside_two_that_do(self, tmp_path):
        made(tmp_path, "train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png")
        made(tmp_path, "extra/1.png", "extra/2.png")
        data = load(tmp_path)
        assert (len(data.train), len(data.test), list(data.classes)) == (2, 2, ["a", "b"])
        assert list(data.notes) == ["left out 2 files in extra/ (not a split)"]

    def test_pictures_outside_of_the_splits(self, tmp_path):
        made(tmp_path, "train/a.png", "cover.png")
        assert notes(tmp_path) == ["left out 1 picture outside of train/ (cover.png)"]

    def test_test_images_alone(self, tmp_path):
        made(tmp_path, "test/a.png")
        assert notes(tmp_path) == ["the images in test/ are read, because there is no train/"]

    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (
                ("train/a.png", "Train/a.png"),
                "Train/, train/ mean the same split; keep one of them",
            ),
            (("train/a.png", "test/a.png", "testing/a.png"), "test/, testing/ mean the same split"),
            (("train/a.png", "val/a.png", "valid/a.png"), "val/, valid/ mean the same split"),
            (
                ("train/cat/a.png", "extra/a.png"),
                "train/ may be a split or a class next to extra/; rename it if it is a class; "
                "else move extra/ elsewhere, or give the folder of the training images",
            ),
            (
                ("train/a.png", "test/a.png", "masks/a.png"),
                "train/, test/ may be splits or classes next to masks/",
            ),
            (("test/a.png", "val/a.png"), "test/, val/ without train/; call the training folder"),
            (
                ("cat/a.png", "dog/a.png", "test/cat/a.png"),
                "test/ contains the classes cat too; move cat/, dog/ into train/",
            ),
            (("train/cat/a.png", "train/dog/a.png", "test/a.png"), "classes cat, dog, test/ none"),
        ],
    )
    def test_what_is_not_clear_is_refused(self, tmp_path, names, expected):
        made(tmp_path, *names)
        assert expected in refusal(tmp_path)

    def test_an_empty_training_split(self, tmp_path):
        made(tmp_path, "test/a.png")
        (tmp_path / "train").mkdir()
        assert "train/ contains no images, unlike test/; put" in refusal(tmp_path)


class TestLinks:
    def test_a_linked_class_is_read(self, tmp_path):
        made(tmp_path / "pets", "cat/a.png", "dog/a.png")
        made(tmp_path / "far" / "away", "a.png", "b.png", "deep/c.png")
        (tmp_path / "pets" / "horse").symlink_to("../far/away")
        data = load(tmp_path / "pets")
        assert data.classes == {"cat": 1, "dog": 1, "horse": 3}
        assert not data.notes

    def test_links_that_lead_back_end(self, tmp_path):
        made(tmp_path, "a/x.png", "b/y.png")
        (tmp_path / "a" / "up").symlink_to("..")
        (tmp_path / "b" / "self").symlink_to(".")
        data = load(tmp_path)
        assert data.classes == {"a": 1, "b": 1}
        assert list(data.notes) == [
            "left out 2 linked folders that lead back to folders read anyway (b/self, a/up)"
        ]

    def test_a_folder_that_is_read_twice_is_said(self, tmp_path):
        made(tmp_path, "cat/x.png", "dog/y.png")
        (tmp_path / "hound").symlink_to("dog")
        data = load(tmp_path)
        assert data.classes == {"cat": 1, "dog": 1, "hound": 1}
        assert list(data.notes) == ["1 folder is read more than once, because of links"]

    def test_links_that_double_at_each_step_end(self, tmp_path):
        for i in range(30):
            made(tmp_path / "store", f"{i}/a.png")
            if i:
                for name in "xy":
                    (tmp_path / "store" / f"{i - 1}" / name).symlink_to(f"../{i}")
        begun = time.monotonic()
        (tmp_path / "pets").mkdir()
        (tmp_path / "pets" / "all").symlink_to("../store/0")
        assert len(load(tmp_path / "pets").train) <= 31
        assert time.monotonic() - begun < 30

    def test_folders_deeper_than_the_stack(self, tmp_path):
        """Of a low stack: pytest's own way of removing deeper folders would be too deep."""
        deep = tmp_path
        for _ in range(160):
            deep /= "d"
            deep.mkdir()
        save(deep / "a.png")
        usual = sys.getrecursionlimit()
        try:
            sys.setrecursionlimit(len(inspect.stack(0)) + 140)
            assert len(load(tmp_path).train) == 1
        finally:
            sys.setrecursionlimit(usual)


class TestClasses:
    def test_pictures_next_to_the_folders_are_named(self, tmp_path):
        made(tmp_path, "cat/a.png", "dog/a.png", "cover.png")
        data = load(tmp_path)
        assert (data.classes, len(data.train)) == ({}, 3)
        why = "1 picture (cover.png) is next to the folders cat/, dog/; move it into one"
        assert (list(data.notes), data.unlabelled) == ([f"no classes: {why}"], why)

    def test_a_folder_in_a_folder(self, tmp_path):
        made(tmp_path, "pets/cat/a.png", "pets/dog/a.png")
        assert load(tmp_path).unlabelled == (
            "all images are in pets/; to use its sub-folders as classes, give "
            f"folder:{tmp_path}/pets"
        )

    def test_endings_that_are_not_read_are_counted(self, tmp_path):
        made(tmp_path, "a.png", "b.jfif.png")
        for name in ("x.heic", "y.HEIC", "z.tga", "notes.txt", ".hidden.heic"):
            (tmp_path / name).write_bytes(b"?")
        assert notes(tmp_path) == [
            "left out 3 files (2 .heic, 1 .tga) with suffixes that cannot be read"
        ]

    def test_nothing_but_endings_that_are_not_read(self, tmp_path):
        (tmp_path / "x.heic").write_bytes(b"?")
        assert "no images there (1 file (1 .heic) with other suffixes)" in refusal(tmp_path)

    @pytest.mark.parametrize("ending", sorted(SUFFIXES))
    def test_every_ending_is_read(self, tmp_path, ending):
        how = {"lossless": True} if ending in (".webp", ".avif") else {}
        formats = {".jfif": "JPEG", ".jpe": "JPEG", ".pbm": "PPM", ".pnm": "PPM"}
        if ending in formats:
            how["format"] = formats[ending]
        save(tmp_path / f"a{ending.upper()}", **how)
        data = load(tmp_path)
        assert data.train.images.shape[:3] == (1, 8, 8)
        difference = data.train.images[0, ..., 0].astype(int) - SQUARE
        assert np.abs(difference).max() <= (12 if ending in (".avif", ".jpg") else 9)


class TestPackedByStyleGAN:
    def packed(self, root, labels, count=6):
        made(root, *(f"{i // 3:05d}/img{i:08d}.png" for i in range(count)))
        text = labels if isinstance(labels, str) else json.dumps(labels)
        (root / "dataset.json").write_text(text)
        return root

    def entries(self, numbers=(2, 0, 1, 1, 0, 2)):
        return [[f"{i // 3:05d}/img{i:08d}.png", n] for i, n in enumerate(numbers)]

    def test_its_labels_are_read(self, tmp_path):
        data = load(self.packed(tmp_path, {"labels": self.entries()[::-1]}))
        assert data.train.labels.tolist() == [2, 0, 1, 1, 0, 2]
        assert data.classes == {"0": 2, "1": 2, "2": 2}
        assert not data.notes

    def test_labels_of_splits(self, tmp_path):
        self.packed(tmp_path / "train", {"labels": self.entries()})
        self.packed(tmp_path / "test", {"labels": self.entries((0,) * 6)})
        data = load(tmp_path)
        assert (data.classes["2"], data.test.labels.tolist()) == (2, [0] * 6)

    @pytest.mark.parametrize("labels", [None, []])
    def test_none(self, tmp_path, labels):
        data = load(self.packed(tmp_path, {"labels": labels}))
        assert (data.classes, len(data.train)) == ({}, 6)
        assert data.unlabelled == "dataset.json says that there are no labels"

    @pytest.mark.parametrize("labels", [[1], {"info": {}}])
    def test_a_file_of_something_else_is_not_used(self, tmp_path, labels):
        data = load(self.packed(tmp_path, labels))
        assert list(data.classes) == ["00000", "00001"]
        assert data.notes[0] == (
            "dataset.json is not used: it has no labels in the format of StyleGAN's tool"
        )

    def test_packing_folders_without_their_file(self, tmp_path):
        made(tmp_path, "00000/a.png", "00001/a.png")
        assert notes(tmp_path) == [
            "00000/, 00001/ are read as classes; if StyleGAN's tool packed them, put its "
            "dataset.json next to them"
        ]

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda e: "", "JSONDecodeError"),
            (lambda e: "[" * 100_000, "dataset.json: "),
            (lambda e: {"labels": 7}, "labels is not a list of [name, number]"),
            (lambda e: {"labels": {"a": 1}}, "labels is not a list of [name, number]"),
            (lambda e: {"labels": [*e, 3]}, "3 is not [name, number]"),
            (lambda e: {"labels": [*e[:5], ["../x.png", 1]]}, "has no label for 1 file"),
            (lambda e: {"labels": [*e, ["/etc/x.png", 1]]}, "labels for 1 file ('/etc/x.png')"),
            (lambda e: {"labels": [*e, ["../x.png", 1]]}, "labels for 1 file ('../x.png')"),
            (lambda e: {"labels": e[:4]}, "no label for 2 files ('00001/img00000004.png', "),
            (lambda e: {"labels": [*e, [e[0][0], 7]]}, "has the labels 2 and 7"),
            (lambda e: {"labels": [[e[0][0], True], *e[1:]]}, "has the label True"),
            (lambda e: {"labels": [[e[0][0], 1.0], *e[1:]]}, "has the label 1.0"),
            (lambda e: {"labels": [[e[0][0], -1], *e[1:]]}, "has the label -1"),
            (lambda e: {"labels": [[e[0][0], [0, 1]], *e[1:]]}, "has the label [0, 1]"),
            (lambda e: {"labels": [[e[0][0], 10**9], *e[1:]]}, "labels up to 1000000000"),
            (lambda e: {"labels": [[e[0][0], "1"], *e[1:]]}, "has the label '1'"),
        ],
    )
    def test_a_broken_file_gets_one_line(self, tmp_path, change, expected):
        said = refusal(self.packed(tmp_path, change(self.entries())))
        assert expected in said
        assert said.startswith("dataset: ")


def composite(picture, background):
    """What shows when a picture lies on a background: float64 [height, width, 3]."""
    rgba = np.asarray(picture.convert("RGBA")).astype(float)
    alpha = rgba[..., 3:] / 255
    return rgba[..., :3] * alpha + np.array(background, float) * (1 - alpha)


MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")


@st.composite
def pictures(draw):
    """A file's bytes and ending, what it should look like without background, and its colours."""
    mode = draw(st.sampled_from(MODES))
    height, width = draw(st.integers(8, 12)), draw(st.integers(8, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    pixels = rng.integers(0, 256, (height, width, 4)).astype(np.uint8)
    how = {}
    if mode == "I;16":
        picture = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
        seen = Image.fromarray(pixels[..., 0]).convert("RGBA")
    elif mode == "P":
        picture = Image.fromarray(pixels[..., :3]).quantize(16)
        if draw(st.booleans()):
            how["transparency"] = bytes(rng.integers(0, 256, 16).astype(np.uint8))
        told = picture.copy()
        told.info.update(how)
        seen = told.convert("RGBA")
    elif mode == "LA":
        picture = Image.merge("LA", [Image.fromarray(pixels[..., i]) for i in (0, 3)])
        seen = picture.convert("RGBA")
    elif mode == "CMYK":
        picture = Image.fromarray(pixels[..., :3]).convert("CMYK")
        seen = picture.convert("RGB").convert("RGBA")
    else:
        picture = Image.fromarray(pixels).convert(mode, dither=Image.Dither.NONE)
        seen = picture.convert("RGBA")
        if mode in ("L", "RGB") and draw(st.booleans()):
            key = picture.getpixel((0, 0))
            how["transparency"] = key
            hidden = (np.asarray(picture).reshape(height, width, -1) == key).all(-1)
            rgba = np.asarray(seen).copy()
            rgba[hidden, 3] = 0
            seen = Image.fromarray(rgba)
    turn = draw(st.integers(1, 8)) if mode not in ("I;16",) else 1
    exif = Image.Exif()
    exif[0x0112] = turn
    ending = "tif" if mode == "CMYK" else "png"
    buffer = io.BytesIO()
    picture.save(buffer, {"tif": "TIFF", "png": "PNG"}[ending], exif=exif.tobytes(), **how)
    turned = {
        1: (), 2: (0,), 3: (3,), 4: (1,), 5: (5,), 6: (4,), 7: (6,), 8: (2,),
    }[turn]  # fmt: skip
    for method in turned:
        seen = seen.transpose(list(Image.Transpose)[method])
    return buffer.getvalue(), ending, seen


@given(
    st.lists(pictures(), min_size=1, max_size=4),
    st.sampled_from([None, "black", "white", "#2040f0"]),
    st.sampled_from([None, "grey", "rgb"]),
)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_any_mix_of_modes_is_read_as_it_looks(tmp_path_factory, files, background, channels):
    root = tmp_path_factory.mktemp("mix")
    for i, (data, ending, _) in enumerate(files):
        (root / f"{i}.{ending}").write_bytes(data)
    colour = {None: (255,) * 3, "white": (255,) * 3, "black": (0, 0, 0)}.get(
        background, (0x20, 0x40, 0xF0)
    )
    expected = [composite(seen, colour) for _, _, seen in files]
    grey = all((np.ptp(each, axis=2) < 0.01).all() for each in expected)
    transparent = sum(np.asarray(seen)[..., 3].min() < 255 for _, _, seen in files)
    data = load(root, 8, background=background, channels=channels, bits=16)
    count = {"grey": 1, "rgb": 3}.get(channels, 1 if grey else 3)
    assert data.image_shape == (8, 8, count)
    told = [note for note in data.notes if "transparent pixels" in note]
    assert len(told) == bool(transparent)
    for image, each in zip(data.train.images, expected, strict=True):
        whole = Image.fromarray(np.round(each).astype(np.uint8))
        cut = np.asarray(square(whole.convert("L") if count == 1 else whole, 8)).astype(int)
        assert np.abs(image.squeeze() - cut).max() <= 3


class TestDepth:
    def test_twelve_bits_in_files_of_sixteen(self, tmp_path):
        for i in range(3):
            save(tmp_path / f"{i}.png", np.uint16(SQUARE) * (16 if i else 4))
        save(tmp_path / "x.tif", np.uint16(SQUARE) * 16)
        data = load(tmp_path)
        np.testing.assert_array_equal(data.train.images[1, ..., 0], SQUARE)
        np.testing.assert_array_equal(data.train.images[3, ..., 0], SQUARE)
        # Not each by itself: one that is darker stays darker.
        np.testing.assert_array_equal(data.train.images[0, ..., 0], SQUARE >> 2)
        assert list(data.notes) == [
            "4 16-bit files with values up to 4032: read as 12 bits (change it with --bits)"
        ]

    @pytest.mark.parametrize(
        ("greatest", "bits"),
        [(0, 8), (255, 8), (256, 10), (1023, 10), (1024, 12), (4096, 14), (16384, 16)],
    )
    def test_as_few_bits_as_hold_the_greatest_value(self, tmp_path, greatest, bits):
        values = np.zeros((8, 8), np.uint16)
        values[3, 4] = greatest
        save(tmp_path / "a.png", values)
        image = load(tmp_path).train.images[0, ..., 0]
        assert image.max() == image[3, 4] == greatest >> (bits - 8)

    def test_one_dark_file_among_full_ones(self, tmp_path):
        save(tmp_path / "a.png", np.uint16(SQUARE))
        save(tmp_path / "b.png", np.uint16(SQUARE) * 257)
        data = load(tmp_path)
        assert (data.train.images[0].max(), data.train.images[1].max()) == (0, 252)
        assert not data.notes

    def test_as_said(self, tmp_path):
        save(tmp_path / "a.png", np.uint16(SQUARE) * 16)
        assert load(tmp_path, bits=16).train.images.max() == 252 >> 4
        assert load(tmp_path, bits=13).train.images.max() == 252 >> 1
        assert refusal(tmp_path, bits=10) == (
            "bits: 10 bits are too few for the files' values up to 4032; give 12, or leave it out"
        )

    def test_test_images_count_too(self, tmp_path):
        save(tmp_path / "train" / "a.png", np.uint16(SQUARE))
        save(tmp_path / "test" / "a.png", np.uint16(SQUARE) * 16)
        assert load(tmp_path).train.images.max() == 252 >> 4

    def test_a_grey_map_of_sixteen_bits(self, tmp_path):
        head = b"P5 8 8 4095\n"
        (tmp_path / "a.pgm").write_bytes(head + (np.uint16(SQUARE) * 16).astype(">u2").tobytes())
        image = load(tmp_path).train.images[0, ..., 0]
        assert np.abs(image.astype(int) - SQUARE).max() <= 1  # by its own scale

    @pytest.mark.parametrize(
        ("dtype", "kind"), [("f4", "floating-point numbers"), ("i4", "32-bit numbers")]
    )
    def test_numbers_of_32_bits_say_the_remedy(self, tmp_path, dtype, kind):
        save(tmp_path / "a.tif", SQUARE.astype(dtype))
        assert f"(its pixels are {kind}); scale them to 0..65535 and save" in refusal(tmp_path)

    def test_sixteen_bits_of_each_colour(self, tmp_path):
        # Pillow writes none: a PNG by hand.
        import struct
        import zlib

        def chunk(name, data):
            sum_ = struct.pack(">I", zlib.crc32(name + data))
            return struct.pack(">I", len(data)) + name + data + sum_

        rows = np.repeat(SQUARE[..., np.newaxis], 3, 2).astype(">u2") * 257
        rows[..., 0] = 0
        raw = b"".join(b"\0" + row.tobytes() for row in rows)
        head = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
        (tmp_path / "a.png").write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw))
            + chunk(b"IEND", b"")
        )  # fmt: skip
        data = load(tmp_path)
        np.testing.assert_array_equal(data.train.images[0, ..., 1], SQUARE)
        assert list(data.notes) == [
            "1 of 1 files have 16 bits per colour: only the upper 8 are used"
        ]


class TestTransparency:
    def test_ink_that_alpha_draws(self, tmp_path):
        ink = np.zeros((8, 8, 4), np.uint8)
        ink[..., 3] = SQUARE
        save(tmp_path / "a.png", ink)
        data = load(tmp_path)
        assert data.image_shape == (8, 8, 1)
        assert np.abs(data.train.images[0, ..., 0].astype(int) - (255 - SQUARE)).max() <= 1
        assert list(data.notes) == [
            "1 of 1 files have transparent pixels: shown on white (change it with --background)"
        ]
        assert notes(tmp_path, background="#FF0000") == [
            "1 of 1 files have transparent pixels: shown on #ff0000"
        ]
        assert load(tmp_path, background="#ff0000").image_shape == (8, 8, 3)

    def test_colours_left_over_under_it(self, tmp_path):
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 256, (8, 8, 4)).astype(np.uint8)
        noise[..., 3] = 0
        save(tmp_path / "a.png", noise)
        assert np.unique(load(tmp_path, background="black").train.images).tolist() == [0]

    def test_alpha_that_hides_nothing_is_not_mentioned(self, tmp_path):
        save(tmp_path / "a.png", Image.fromarray(SQUARE).convert("RGBA"))
        data = load(tmp_path)
        np.testing.assert_array_equal(data.train.images[0, ..., 0], SQUARE)
        assert not data.notes

    def test_a_transparent_value_of_sixteen_bits(self, tmp_path):
        save(tmp_path / "a.png", np.uint16(SQUARE) * 257, transparency=0)
        image = load(tmp_path).train.images[0, ..., 0]
        assert (image[0, 0], image[0, 1]) == (255, 4)
        image = load(tmp_path, background="#00ff00").train.images[0]
        assert (image[0, 0].tolist(), image[0, 1].tolist()) == ([0, 255, 0], [4, 4, 4])

    @pytest.mark.parametrize("given", ["white", "BLACK", "#aBc123", "abc123"])
    def test_colours(self, given):
        assert checked_background(given) == {"abc123": "#abc123"}.get(given, given.lower())

    @pytest.mark.parametrize("given", ["", "grey", "#fff", "#12345g", 0, None, [0, 0, 0]])
    def test_what_is_no_colour(self, given):
        with pytest.raises(ConfigError, match="background: .*; give white, black or '#rrggbb'"):
            checked_background(given)


class TestChannels:
    def test_grey_in_files_of_colour_is_grey(self, tmp_path):
        for i, ending in enumerate(("png", "jpg", "gif", "webp")):
            how = {"lossless": True} if ending == "webp" else {}
            save(tmp_path / f"{i}.{ending}", Image.fromarray(SQUARE).convert("RGB"), **how)
        data = load(tmp_path)
        assert data.image_shape == (8, 8, 1)
        np.testing.assert_array_equal(data.train.images[0, ..., 0], SQUARE)
        assert load(tmp_path, channels="rgb").image_shape == (8, 8, 3)

    def test_one_file_of_colour_among_grey_ones(self, tmp_path):
        made(tmp_path, *(f"{i}.png" for i in range(5)))
        red = np.zeros((8, 8, 3), np.uint8)
        red[..., 0] = 200
        save(tmp_path / "odd.png", red)
        assert load(tmp_path).image_shape == (8, 8, 3)
        assert notes(tmp_path) == [
            f"1 of 6 files are RGB ({tmp_path}/odd.png), the others grey: all are read as RGB "
            "(change it with --channels grey)"
        ]
        data = load(tmp_path, channels="grey")
        assert (data.image_shape, list(data.notes)) == (
            (8, 8, 1), ["1 of 6 files are RGB: converted to grey"]
        )  # fmt: skip
        assert (data.train.images[5] == round(200 * 0.299)).all()

    def test_other_datasets_are_made_alike(self):
        digits = dataset_named("digits", None)
        grey, rgb = (loaded(digits, None, Reading(channels=c)) for c in ("grey", "rgb"))
        assert (grey.image_shape, rgb.image_shape) == ((8, 8, 1), (8, 8, 3))
        assert (rgb.test.images == grey.test.images).all()
        assert (list(grey.notes), list(rgb.notes)) == ([], ["converted to RGB"])

    def test_what_is_for_files_alone_is_said(self):
        reading = Reading(bits=12, background="black")
        data = loaded(dataset_named("digits", None), None, reading)
        assert list(data.notes) == ["digits does not use bits, background"]

    def test_grey_pixels_do_not_depend_on_how_they_are_kept(self, tmp_path):
        rng = np.random.default_rng(0)
        for i in range(4):
            values = rng.integers(0, 256, (30, 20 + i)).astype(np.uint8)
            save(tmp_path / "a" / f"{i}.png", values)
            save(tmp_path / "b" / f"{i}.png", Image.fromarray(values).convert("RGB"))
        one, other = (load(tmp_path / name, 8).train for name in "ab")
        assert one.digest == other.digest


class TestUnreadable:
    def test_all_of_them_are_named_with_their_number(self, tmp_path):
        for i in range(9):
            save(tmp_path / f"{i}.png")
        whole = (tmp_path / "0.png").read_bytes()
        for i in range(1, 8):
            (tmp_path / f"{i}.png").write_bytes(whole[:-30] if i > 1 else b"")
        said = refusal(tmp_path)
        assert said.startswith("dataset: 7 of 9 files cannot be read as images: ")
        assert all(f"{tmp_path}/{i}.png" in said for i in range(1, 6))
        assert said.endswith(
            "and 2 more; repair or remove them, or leave them out with --skip-unreadable"
        )

    def test_they_can_be_left_out(self, tmp_path):
        made(tmp_path, *(f"{part}/{c}/{i}.png" for part in ("train", "test") for c in "ab"
                         for i in range(3)))  # fmt: skip
        (tmp_path / "train" / "a" / "1.png").write_bytes(b"torn")
        (tmp_path / "test" / "b" / "0.png").write_bytes(b"torn")
        data = load(tmp_path, skip_unreadable=True)
        assert (data.classes, data.test.class_counts) == ({"a": 2, "b": 3}, (3, 2))
        assert data.train.labels.tolist() == [0, 0, 1, 1, 1]
        assert data.notes[0].startswith("left out 2 files that cannot be read: ")

    def test_also_where_they_do_not_fit_into_memory(self, tmp_path, monkeypatch):
        monkeypatch.setattr("autogan.data.base.MEMORY_BYTES", 10)
        made(tmp_path, "a.png", "b.png")
        (tmp_path / "a.png").write_bytes((tmp_path / "b.png").read_bytes()[:-40])
        assert "a.png cannot be read as an image" in refusal(tmp_path)
        split = load(tmp_path, skip_unreadable=True).train
        assert isinstance(split.images, PictureFiles)
        np.testing.assert_array_equal(split.images[np.array([0])][0, ..., 0], SQUARE)

    def test_none_that_can_be_read(self, tmp_path):
        (tmp_path / "a.png").write_bytes(b"torn")
        assert "none of 1 files can be read" in refusal(tmp_path, skip_unreadable=True)

    def test_a_picture_that_is_too_large(self, tmp_path, monkeypatch):
        made(tmp_path, "a.png")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
        assert "a.png cannot be read as an image (its 64 pixels are too many; save a smaller" in (
            refusal(tmp_path)
        )

    def test_files_are_decoded_once_and_for_all(self, tmp_path, monkeypatch):
        made(tmp_path, "a.png", "b.png")
        (tmp_path / "b.png").write_bytes(b"torn")
        paths = [tmp_path / "a.png", tmp_path / "b.png"]
        for path in paths:
            os.utime(path, (1, 1))
        monkeypatch.setattr(survey, "_SETTLED", -10)
        first = surveyed(paths, lambda text: None)
        decoded = []
        monkeypatch.setattr(survey, "look", lambda path: decoded.append(path))
        assert surveyed(paths, lambda text: None) == first
        assert decoded == []
        monkeypatch.undo()
        save(tmp_path / "b.png", SQUARE // 2)
        assert not surveyed(paths, lambda text: None).unreadable

    def test_files_that_have_just_changed_are_not_remembered(self, tmp_path, monkeypatch):
        made(tmp_path, "a.png")
        surveyed([tmp_path / "a.png"], lambda text: None)
        decoded = []
        look = survey.look
        monkeypatch.setattr(survey, "look", lambda path: decoded.append(path) or look(path))
        surveyed([tmp_path / "a.png"], lambda text: None)
        assert decoded == [tmp_path / "a.png"]

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"sizes": [[1]]}', "[" * 9999])
    def test_a_damaged_memory_is_made_again(self, tmp_path, monkeypatch, text):
        made(tmp_path, "a.png")
        monkeypatch.setattr(survey, "_SETTLED", -10)
        first = surveyed([tmp_path / "a.png"], lambda text: None)
        place, _ = survey._place_of([tmp_path / "a.png"])
        assert place.exists()
        place.write_text(text)
        assert surveyed([tmp_path / "a.png"], lambda text: None) == first
        assert json.loads(place.read_text())

    def test_of_many_files_the_user_hears(self, tmp_path, monkeypatch):
        made(tmp_path, *(f"{i}.png" for i in range(4)))
        monkeypatch.setattr(survey, "_MANY", 3)
        monkeypatch.setattr(survey, "_PAUSE", -1)
        told = []
        load(tmp_path, tell=told.append)
        assert told[0] == "decoding 4 files once, to check that all can be read"
        assert told[-1] == "decoded 4 of 4 files"


class TestWhatIsSaid:
    def test_of_digits(self):
        data = loaded(dataset_named("digits", None), None, Reading())
        assert told_of(data) == ["1,437 grey 8x8 images in 10 classes, 360 test images"]

    def test_of_one_image(self, tmp_path):
        save(tmp_path / "a.png", np.zeros((8, 12, 3), np.uint8) + np.uint8([0, 0, 99]))
        assert description(load(tmp_path)) == "1 RGB 12x8 image"

    def test_enlarged_and_cropped(self, tmp_path):
        rng = np.random.default_rng(0)
        for i, (height, width) in enumerate([(32, 32), (32, 64), (100, 100)]):
            save(tmp_path / f"{i}.png", rng.integers(0, 256, (height, width)).astype(np.uint8))
        assert notes(tmp_path, 64) == [
            "2 of 3 files are smaller than 64 pixels: enlarged, up to 2-fold",
            "1 of 3 files are not square: cropped at the centre, by up to 50 %",
        ]
        assert len(notes(tmp_path, 16)) == 1

    def test_only_the_first_of_several_pictures_is_read(self, tmp_path):
        frames = [Image.fromarray(np.roll(SQUARE, i)) for i in range(3)]
        frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
        frames[0].save(tmp_path / "b.tif", save_all=True, append_images=frames[1:])
        made(tmp_path, "c.png")
        assert notes(tmp_path) == ["2 of 3 files contain several pictures: only the first is used"]

    def test_pictures_that_are_all_alike(self, tmp_path):
        for i in range(10):
            save(tmp_path / f"{i}.png", np.zeros((8, 8), np.uint8))
        assert told_of(load(tmp_path))[1:] == [
            "in a sample of 10 training images, 10 are the same picture: check the files",
            "in a sample of 10 training images, 10 are a single colour: check the files",
        ]

    def test_a_small_part_of_the_grey_levels(self, tmp_path):
        for i in range(3):
            save(tmp_path / f"{i}.png", np.roll(SQUARE >> 4, i))
        assert told_of(load(tmp_path))[1:] == [
            "the training images use only levels 0 to 15 of 0 to 255"
        ]

    def test_names_that_no_terminal_can_show(self, tmp_path):
        made(tmp_path, "a\n\x1b[31m.png", "cat/a.png", "dog/a.png")
        assert all(line.isprintable() for line in told_of(load(tmp_path)))


def test_the_way_of_reading_is_part_of_a_digest(tmp_path, monkeypatch):
    monkeypatch.setattr("autogan.data.base.MEMORY_BYTES", 10)
    for name, value in (("deep", np.uint16(SQUARE) * 16), ("flat", SQUARE)):
        save(tmp_path / name / "a.png", value)
    digests = {load(tmp_path / "deep", bits=bits).train.digest for bits in (None, 12, 13, 16)}
    assert len(digests) == 3
    # What has no meaning for the files changes nothing.
    digests = {load(tmp_path / "flat", bits=b).train.digest for b in (None, 12, 16)}
    assert len(digests) == 1


def test_paths_and_text_chunks_do_not_matter(tmp_path):
    extra = PngImagePlugin.PngInfo()
    extra.add_text("transparency", "0")
    save(tmp_path / "a.png", pnginfo=extra)
    assert not load(Path(tmp_path)).notes
