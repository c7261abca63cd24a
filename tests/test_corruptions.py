"""Images that are spoiled on purpose, and what criteria say of them."""

import json

import numpy as np
import pytest
from sessions import SessionEngine

import autogan
from autogan.cli.main import main
from autogan.core.errors import ConfigError
from autogan.criteria.corruptions import CORRUPTIONS, corrupted, corruptions_of
from autogan.data import dataset_named
from autogan.pool.finished import Evaluate
from autogan.report.spoiled import spoiled_page

IMAGES = dataset_named("digits", None).load(None).train.images[:100]
USUAL = {"blur": 1, "noise": 0.1, "rectangles": 0.3, "swirl": 1, "salt_pepper": 0.1,
         "repeats": 0.5, "foreign": 0.5}  # fmt: skip


@pytest.mark.parametrize("name", CORRUPTIONS)
class TestEach:
    @pytest.mark.parametrize("shape", [(6, 8, 8, 1), (3, 12, 16, 3)])
    def test_makes_other_images_of_the_same_shape(self, name, shape):
        images = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
        before = images.copy()
        spoiled = corrupted(images, name, USUAL[name])
        assert (spoiled.shape, spoiled.dtype) == (shape, np.uint8)
        assert (spoiled != images).any()
        np.testing.assert_array_equal(images, before)
        np.testing.assert_array_equal(corrupted(images, name, USUAL[name]), spoiled)

    def test_is_weaker_where_it_is_to_be(self, name):
        differences = [
            np.abs(corrupted(IMAGES, name, share * USUAL[name]).astype(float) - IMAGES).mean()
            for share in (0.01, 0.5, 1.0)
        ]
        assert differences == sorted(differences)
        assert differences[0] < 0.5 * differences[2]

    def test_no_more_than_there_is(self, name):
        most = CORRUPTIONS[name].most
        assert corruptions_of(f"{name}={most}") == {name: most}
        with pytest.raises(ConfigError, match=f"give {name} a number above 0 up to {most:g}: "):
            corruptions_of(f"{name}={2 * most}")
        corrupted(IMAGES[:3], name, most)


class TestForms:
    """What each of them is, by what is left of simple images."""

    def test_blur_keeps_what_is_even_and_spreads_a_point(self):
        even = np.full((1, 9, 9, 1), 77, np.uint8)
        np.testing.assert_array_equal(corrupted(even, "blur", 2), even)
        point = np.zeros((1, 9, 9, 1), np.uint8)
        point[0, 4, 4] = 255
        spread = corrupted(point, "blur", 1)[0, :, :, 0] / 255
        assert spread[4, 4] == pytest.approx(1 / (2 * np.pi), abs=0.01)
        assert spread[4, 5] / spread[4, 4] == pytest.approx(np.exp(-0.5), abs=0.05)

    def test_noise_has_its_deviation(self):
        grey = np.full((50, 16, 16, 1), 128, np.uint8)
        assert corrupted(grey, "noise", 0.1).std() == pytest.approx(25.5, rel=0.05)

    def test_rectangles_are_black(self):
        white = np.full((20, 10, 10, 3), 255, np.uint8)
        spoiled = corrupted(white, "rectangles", 0.2)
        assert set(np.unique(spoiled)) == {0, 255}
        black = (spoiled[..., 0] == 0).sum(axis=(1, 2))
        assert black.max() <= 5 * 4
        assert black.min() >= 4
        assert not corrupted(white, "rectangles", 1.0).any()

    def test_a_swirl_turns_the_centre_and_leaves_the_border(self):
        image = np.zeros((1, 21, 21, 1), np.uint8)
        image[0, 10, 11] = 255  # beside the centre, to the right
        image[0, 0, :] = 99
        turned = corrupted(image, "swirl", np.pi / 2)[0, :, :, 0]
        np.testing.assert_array_equal(turned[0], image[0, 0, :, 0])
        above, below = turned[9, 10], turned[11, 10]
        assert max(above, below) > 150
        assert turned[10, 11] < 60

    def test_salt_and_pepper_in_equal_parts(self):
        grey = np.full((50, 16, 16, 3), 128, np.uint8)
        spoiled = corrupted(grey, "salt_pepper", 0.2)
        shares = [(spoiled == value).mean() for value in (0, 255, 128)]
        assert shares == pytest.approx([0.1, 0.1, 0.8], abs=0.01)
        assert (spoiled == spoiled[..., :1]).all()  # of all channels alike

    def test_repeats_and_foreign_images_are_a_share(self):
        repeated = corrupted(IMAGES, "repeats", 0.3)
        assert (repeated == IMAGES[-1]).all(axis=(1, 2, 3)).sum() == 31  # with itself
        foreign = corrupted(IMAGES, "foreign", 0.3)
        assert (foreign == IMAGES).all(axis=(1, 2, 3)).sum() == 70


@pytest.mark.parametrize(
    ("text", "message"),
    [("bluur=1", "did you mean 'blur'"), ("blur", "give blur a number"), ("", "corrupt: ''"),
     ("blur=0", "above 0"), ("noise=nan", "above 0"), ("noise=x", "above 0")],
)  # fmt: skip
def test_others_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        corruptions_of(text)


@pytest.fixture(scope="module")
def found():
    config = {"dataset": "digits", "features": "random", "also": ["clipped_coverage"]}
    call = Evaluate(
        config=config, dataset="digits", keep_classes=["3", 4],
        corrupt={"noise": 0.1, "repeats": 0.5},
    )  # fmt: skip
    return SessionEngine().session.evaluate(call)


class TestScores:
    def test_spoiled_images_have_worse_values(self, found):
        assert list(found.spoiled) == ["noise 0.1", "repeats 0.5", "only classes 3, 4"]
        for values in found.spoiled.values():
            assert values.keys() == found.scores.keys()
            fid, coverage = values
            assert values[fid] > found.scores[fid]
            assert values[coverage] <= found.scores[coverage] == 1.0

    def test_two_of_ten_classes_cover_a_fifth(self, found):
        coverage = list(found.scores)[1]
        assert 0.05 < found.spoiled["only classes 3, 4"][coverage] < 0.5

    def test_classes_want_labels(self, tmp_path):
        from PIL import Image

        for i, image in enumerate(IMAGES[:20, ..., 0]):
            Image.fromarray(image).save(tmp_path / f"{i}.png")
        name = f"folder:{tmp_path}"
        config = {"dataset": name, "features": "random"}
        with pytest.raises(ConfigError, match="has no classes; leave it out"):
            SessionEngine().session.evaluate(
                Evaluate(config=config, dataset=name, keep_classes=[1])
            )


def test_the_command_prints_a_row_for_each(capsys, monkeypatch):
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: SessionEngine())
    monkeypatch.setattr("autogan.api.engine_of", autogan.pool.crew.engine_of)
    flags = ["evaluate", "digits", "--reference", "digits", "--features", "random"]
    with pytest.raises(SystemExit):
        main([*flags, "--corrupt", "blur=1,noise=0.1"])
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[0].startswith("fid_random_1437_")
    assert [row.split()[0] for row in rows] == ["as", "blur", "noise"]
    with pytest.raises(SystemExit):
        main([*flags, "--corrupt", "blur=1", "--json"])
    assert list(json.loads(capsys.readouterr().out)) == ["as they are", "blur 1"]


class TestPage:
    def test_it_has_a_row_for_each_way_and_a_picture_for_each_criterion(self):
        found = {
            "as they are": {"fid_a_9": 0.0, "is_a_9": 8.5},
            "blur 1": {"fid_a_9": 12.5, "is_a_9": 3.25},
            "<b>noise 0.1": {"fid_a_9": 200.0},
        }
        page = spoiled_page(found)
        assert page.count("<svg") == 2
        assert page.count('class="bar complete"') == 3  # of which a missing value has none
        assert "blur 1: 12.5, as they are 0" in page
        assert "&lt;b&gt;noise 0.1" in page
        assert "<b>noise" not in page

    def test_the_command_writes_it_once(self, capsys, monkeypatch, tmp_path):
        monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: SessionEngine())
        path = tmp_path / "page.html"
        flags = ["evaluate", "digits", "--reference", "digits", "--features", "random"]
        for more, code in (([], 0), ([], 2), (["--overwrite"], 0)):
            with pytest.raises(SystemExit) as exit_:
                main([*flags, "--corrupt", "blur=1", "--page", str(path), *more])
            assert exit_.value.code == code
        assert f"page: {path} exists; give another name, or --overwrite" in capsys.readouterr().err
        assert "blur 1" in path.read_text()
        with pytest.raises(SystemExit):
            main([*flags, "--page", str(path)])
        assert "page.html needs --corrupt; give both" in capsys.readouterr().err
