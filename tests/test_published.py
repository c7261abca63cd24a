"""Files of real images' statistics: those of others, and those that this program writes."""

import json

import numpy as np
import pytest

import autogan
from autogan.cli.main import main
from autogan.core.errors import ConfigError
from autogan.criteria import CRITERIA, FID, Features, Moments
from autogan.criteria.evaluator import Evaluator
from autogan.criteria.networks.untrained import RandomNetwork
from autogan.criteria.published import Published, check_needs


def images(count=40, seed=0):
    made = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3))
    return made.astype(np.uint8)


@pytest.fixture(scope="module")
def network():
    return RandomNetwork((8, 8, 3))


def moments(network):
    return Moments.of(network.features(images(seed=1)).pool)


def others(path, network, **more):
    """A file as pytorch-fid and clean-fid write it."""
    real = moments(network)
    np.savez(path, **{"mu": real.mean, "sigma": real.covariance, **more})
    return path


def test_a_file_of_others_is_compared_with(network, tmp_path):
    published = Published.read(others(tmp_path / "theirs.npz", network))
    evaluator = Evaluator(network, {"fid": FID()}, images(), tmp_path, published=published)
    made = evaluator.features(images(30, seed=2))
    assert evaluator.score(made)["fid"] == FID().compute(made, moments(network))


def test_labels_name_the_statistics_not_the_images(network, tmp_path):
    published = Published.read(others(tmp_path / "theirs.npz", network))
    usual, one, two = (
        Evaluator(network, {"fid": FID()}, real, tmp_path, published=published).labels()["fid"]
        for real, published in (
            (images(), None),
            (images(), published),
            (images(seed=5), published),
        )
    )
    assert usual != one == two


def test_what_adm_adds_is_left_alone(network, tmp_path):
    more = {"arr_0": images(), "mu_s": np.zeros(3), "sigma_s": np.eye(3)}
    read = Published.read(others(tmp_path / "adm.npz", network, **more))
    np.testing.assert_array_equal(read.moments.mean, moments(network).mean)
    assert (read.network, read.weights) == ("", "")


def test_what_is_written_is_read_and_is_what_others_read(network, tmp_path):
    written = Published(moments(network), "random", network.weights_hash)
    written.write(tmp_path / "ours.npz")
    read = Published.read(tmp_path / "ours.npz")
    assert (read.network, read.weights) == ("random", network.weights_hash)
    with np.load(tmp_path / "ours.npz") as theirs:
        np.testing.assert_array_equal(theirs["mu"][:], written.moments.mean)
        np.testing.assert_array_equal(theirs["sigma"][:], read.moments.covariance)
        assert theirs["mu"].dtype == theirs["sigma"].dtype == np.float64


class Opened:
    """Unpickling it would be noticed."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"arr_0": images()}, "holds arr_0, but not mu and sigma"),
        ({"mu": np.zeros(3), "sigma": np.eye(4)}, r"mu of shape \(3,\) and sigma of \(4, 4\)"),
        ({"mu": np.zeros((3, 3)), "sigma": np.eye(3)}, "not D and D x D"),
        ({"mu": np.zeros(0), "sigma": np.zeros((0, 0))}, "not D and D x D"),
        ({"mu": np.full(3, np.nan), "sigma": np.eye(3)}, "NaN or infinite"),
        ({"mu": np.zeros(3), "sigma": np.full((3, 3), np.inf)}, "NaN or infinite"),
        ({"mu": np.zeros(3), "sigma": -np.eye(3)}, "not symmetric, or negative"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, 2], [0, 1]])}, "not symmetric, or negative"),
        ({"mu": np.zeros(3, int), "sigma": np.eye(3)}, "not of floating-point numbers"),
        ({"mu": np.array(["a"]), "sigma": np.eye(1)}, "not of floating-point numbers"),
        (
            {"mu": np.array([Opened()], object), "sigma": np.eye(1)},
            r"is not an .npz file \(ValueError",
        ),
    ],
)
def test_other_contents_are_named(tmp_path, arrays, problem):
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(ConfigError, match=f"^reference_statistics: .*odd.npz .*{problem}"):
        Published.read(tmp_path / "odd.npz")


def test_files_that_are_no_archives_are_named(tmp_path):
    (tmp_path / "text.npz").write_text("mu")
    np.save(tmp_path / "array.npy", np.eye(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    for name, problem in (
        ("text", "is not an .npz file"),
        ("array", "is not an .npz file"),
        ("none", "No such file"),
    ):
        with pytest.raises(ConfigError, match=f"{name}.npz .*{problem}"):
            Published.read(tmp_path / f"{name}.npz")


def test_features_of_another_network_are_refused(network, tmp_path):
    real = moments(network)
    for published, problem in (
        (Published(Moments(np.zeros(3), np.eye(3))), "3 features of another network, but random"),
        (Published(real, "inception", "ab"), "128 features of inception, but random has 128"),
        (Published(real, "random", "abcdefgh"), "by random with other weights .abcdef, here "),
    ):
        with pytest.raises(ConfigError, match=f"^reference_statistics: they .*{problem}"):
            Evaluator(network, {"fid": FID()}, images(), tmp_path, published=published)


def test_criteria_that_need_more_are_refused(tmp_path):
    """All that look at single real images; each other one has a value."""
    for kind in CRITERIA:
        criteria = {kind.name: kind()}
        if kind.needs <= {"logits", "labels"}:
            check_needs(criteria, tmp_path)
            continue
        with pytest.raises(ConfigError, match=f"^criterion: {kind.name} needs the real images"):
            check_needs(criteria, tmp_path)


def test_the_floor_has_no_deviation_of_its_own(network, tmp_path):
    published = Published.read(others(tmp_path / "theirs.npz", network))
    evaluator = Evaluator(network, {"fid": FID()}, images(), tmp_path, published=published)
    unseen = evaluator.features(images(20, seed=3))
    assert evaluator.floor(unseen) == ({"fid": FID().compute(unseen, moments(network))}, {})
    assert isinstance(unseen, Features)


@pytest.mark.usefixtures("in_process")
class TestCommand:
    def run(self, capsys, *arguments):
        with pytest.raises(SystemExit) as exit_:
            main(list(arguments))
        return exit_.value.code, *capsys.readouterr()

    def test_statistics_are_written_and_compared_with(self, capsys, tmp_path):
        file = str(tmp_path / "digits.npz")
        code, out, _ = self.run(capsys, "statistics", "digits", "-o", file, "--features", "random")
        assert (code, out) == (0, f"{file}: 128 features of 1437 images, by random\n")
        code, out, err = self.run(
            capsys, "evaluate", "digits", "--reference", file, "--features", "random", "--json"
        )
        ((label, value),) = json.loads(out).items()
        assert label.startswith("fid_random_1437_")
        assert value == pytest.approx(0, abs=1e-3)
        assert "reference:" not in err
        code, out, err = self.run(
            capsys, "statistics", "digits", "-o", file, "--features", "random"
        )
        assert code == 2
        assert err.endswith(f"output: {file} exists; give another name, or --overwrite\n")

    def test_adms_form_holds_colour_images(self, tmp_path):
        said = autogan.statistics("digits", tmp_path / "adm.npz", form="adm")
        assert said == f"{tmp_path / 'adm.npz'}: 1437 images"
        with np.load(tmp_path / "adm.npz") as archive:
            assert archive.files == ["arr_0"]
            assert (archive["arr_0"].shape, archive["arr_0"].dtype) == ((1437, 8, 8, 3), "uint8")

    def test_a_name_must_end_in_npz(self, tmp_path):
        with pytest.raises(ConfigError, match="^output: .* does not end in .npz; give a name"):
            autogan.statistics("digits", tmp_path / "digits.csv")

    def test_another_reference_leaves_a_runs_own_statistics_alone(self, tmp_path):
        autogan.statistics("digits", tmp_path / "own.npz", options={"features": "random"})
        made = autogan.train({
            "gan_type": "gan", "dataset": "digits", "features": "random", "steps": 2,
            "params": {"width": 8, "dense_width": 32}, "run_dir": tmp_path / "run",
            "reference_statistics": tmp_path / "own.npz",
        })  # fmt: skip
        own = next(iter(autogan.evaluate(made.folder.root)))
        assert own in made.trial.evaluations[-1].scores
        (tmp_path / "own.npz").unlink()
        (tmp_path / "moved.npz").touch()
        other = next(iter(autogan.evaluate(made.folder.root, reference="digits")))
        assert other != own
        with pytest.raises(ConfigError, match="own.npz cannot be read .* give its present path"):
            autogan.evaluate(made.folder.root)

    def test_criteria_of_spoiled_images_may_be_of_statistics(self, tmp_path):
        file = str(tmp_path / "own.npz")
        autogan.statistics("digits", file, options={"features": "random"})
        found = autogan.spoil(
            "digits", reference=file, corrupt="blur=1", options={"features": "random"}
        )
        (usual,), (blurred,) = (values.values() for values in found.values())
        assert blurred > usual

    def test_images_that_are_no_run_are_not_generated(self):
        with pytest.raises(ConfigError, match="^generated: 20, but digits is not a run"):
            autogan.evaluate("digits", reference="digits", options={"generated": 20})


def test_criteria_that_were_not_of_a_run_have_features_of_their_own(
    monkeypatch, tmp_path, in_process
):
    """A run by MS-SSIM alone has the untrained network, which nobody chose to judge by."""
    made = autogan.train({
        "gan_type": "gan", "dataset": "digits", "criterion": "ms_ssim", "steps": 2,
        "params": {"width": 8, "dense_width": 32}, "run_dir": tmp_path / "run",
        "eval_samples": 60,
    })  # fmt: skip
    assert made.config.features == "random"
    assert next(iter(autogan.evaluate(made.folder.root, criterion="fid"))).startswith(
        "fid_classifier_60_"
    )
    assert "ms_ssim_random_60_" in next(iter(autogan.evaluate(made.folder.root)))
