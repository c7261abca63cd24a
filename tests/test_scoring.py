"""What stands beside a generator's values, written out once more from its parts."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from sessions import SessionEngine
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import autogan
from autogan.core.errors import ConfigError
from autogan.criteria import FID, KID, Authenticity, ClassFID, Features, Moments
from autogan.criteria.networks.untrained import RandomNetwork
from autogan.data import dataset_named
from autogan.pool.finished import Evaluate

OPTIONS = {
    "gan_type": "gan", "features": "random", "also": ["authenticity"], "steps": 4,
    "params": {"width": 8, "dense_width": 32}, "eval_samples": 150, "threads": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    return SessionEngine()


def trained(monkeypatch, engine, tmp_path, dataset="digits", **changes):
    """A short training, and its configuration."""
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: engine)
    values = {**OPTIONS, "dataset": dataset, "run_dir": tmp_path / "run", **changes}
    result = autogan.train(values)
    return result.folder, result.config


def scored(engine, folder, run, seed=5, **more):
    call = Evaluate(
        config=run.as_dict(), training=run.as_dict(), folder=str(folder.root), seed=seed, **more
    )
    return engine.session.evaluate(call)


class Again:
    """The parts: images of a generator by seeds, and features of images."""

    def __init__(self, engine, folder, run):
        bench = engine.session._bench
        self.trainer, _ = bench.restored(run, folder.root, "best")
        self.network = bench.network(run)

    def made(self, seed, count):
        images = self.trainer.generate(self.trainer.latents(count, 2**32 + seed))
        return self.network.features(images).pool


def fid(made, real):
    return FID().compute(Features(None, made), Moments.of(real))


def digits(network, split, count):
    data = dataset_named("digits", None).load(None)
    images, _ = getattr(data, split).subset(count)
    return network.features(images).pool


def by_name(values):
    return {label.split("_random")[0]: value for label, value in values.items()}


def label_of(name, values):
    return next(label for label in values if label.startswith(f"{name}_"))


def test_a_generators_values_and_all_beside_them(monkeypatch, engine, tmp_path):
    folder, run = trained(monkeypatch, engine, tmp_path)
    found, again = scored(engine, folder, run), Again(engine, folder, run)
    real = digits(again.network, "train", 150)
    unseen = digits(again.network, "test", 150)
    sets = [again.made(5 + number * 2**31, 150) for number in range(4)]
    values = [fid(made, real) for made in sets]
    assert by_name(found.scores)["fid"] == pytest.approx(np.mean(values))
    assert found.spread[label_of("fid", found.scores)] == pytest.approx(np.std(values, ddof=1))
    against = [fid(made, unseen) for made in sets]
    assert found.spread[label_of("fid", found.test)] == pytest.approx(np.std(against, ddof=1))
    assert by_name(found.floor)["fid"] == pytest.approx(fid(unseen, real))
    assert by_name(found.test)["fid"] == pytest.approx(np.mean(against))
    near = dataclasses.replace(Moments.of(real), pool=real)
    authentic = [Authenticity().compute(Features(None, made), near) for made in sets]
    assert found.copies["authenticity"] == authentic[0]
    assert by_name(found.scores)["authenticity"] == pytest.approx(np.mean(authentic))
    assert by_name(found.floor_spread).keys() == {"fid", "authenticity"}
    assert found.fewer is found.halves is None  # as many test images as generated ones


def test_tensorboard_shows_the_floor_of_a_winner(monkeypatch, engine, tmp_path):
    """As a line over the steps, and once, however often it is scored."""
    folder, run = trained(monkeypatch, engine, tmp_path)
    before = set(folder.logs.iterdir())
    scored(engine, folder, run)
    assert set(folder.logs.iterdir()) == before
    for _ in range(2):
        found = scored(engine, folder, run, draw_until=40)
    seen = EventAccumulator(str(folder.logs)).Reload()
    for label, value in found.floor.items():
        events = seen.Scalars(f"unseen real images/{label}")
        assert [(e.step, e.value) for e in events] == [
            (step, pytest.approx(value)) for step in (0, 40)
        ]


def test_many_images_are_scored_where_features_are_fast(monkeypatch, engine, tmp_path):
    monkeypatch.setattr("autogan.worker.scoring._MANY", 300)
    folder, run = trained(monkeypatch, engine, tmp_path)
    assert scored(engine, folder, run).more is None
    monkeypatch.setattr(RandomNetwork, "fast", True)
    found, again = scored(engine, folder, run), Again(engine, folder, run)
    real = digits(again.network, "train", 150)
    values = [fid(again.made(5 + number * 2**31, 300), real) for number in range(4)]
    assert by_name(found.more)["fid"] == pytest.approx(np.mean(values))
    label = label_of("fid", found.more)
    assert "_300_" in label
    assert found.spread[label] == pytest.approx(np.std(values, ddof=1))
    assert label_of("fid", found.scores) in found.spread
    given = run.model_copy(update={"generated": 200})
    assert scored(engine, folder, given).more is None


def test_without_a_criterion_the_recorded_ones_are_scored(monkeypatch, engine, tmp_path):
    folder, run = trained(monkeypatch, engine, tmp_path, criterion="none", also=["fid"])
    found = scored(engine, folder, run)
    assert by_name(found.scores).keys() == by_name(found.spread).keys() == {"fid"}


def test_a_value_that_is_not_finite_for_some_sets_is_left_out(monkeypatch, engine, tmp_path):
    folder, run = trained(monkeypatch, engine, tmp_path, also=["kid"])
    seen = []

    def sometimes(self, generated, real):
        seen.append(len(generated.pool))
        return np.nan if len(seen) % 3 == 2 else 1.0

    monkeypatch.setattr(KID, "compute", sometimes)
    found = scored(engine, folder, run)
    assert "kid" not in by_name(found.scores)
    wanted = run.model_copy(update={"criterion": "kid", "also": ["fid"]})
    with pytest.raises(ConfigError, match="kid is (nan|not finite)"):
        scored(engine, folder, wanted)


def test_fewer_test_images_are_matched_by_as_many_generated_ones(monkeypatch, engine, tmp_path):
    folder, run = trained(monkeypatch, engine, tmp_path, eval_samples=500)
    found, again = scored(engine, folder, run), Again(engine, folder, run)
    real = digits(again.network, "train", 500)
    rows = np.linspace(0, 499, 360).round().astype(int)
    several = [fid(again.made(5 + number * 2**31, 500)[rows], real) for number in range(4)]
    assert by_name(found.fewer)["fid"] == pytest.approx(np.mean(several))
    assert found.spread[label_of("fid", found.fewer)] == pytest.approx(np.std(several, ddof=1))
    assert found.fewer.keys() == found.floor.keys() == found.floor_spread.keys()
    assert all("_360_" in label for label in found.floor)


def test_fewer_images_show_all_classes_alike(monkeypatch, engine, tmp_path):
    """Those of a GAN with classes stand class after class."""
    changes = {"gan_type": "cgan", "eval_samples": 500, "also": ["class_fid"]}
    folder, run = trained(monkeypatch, engine, tmp_path, **changes)
    seen = []
    compute = ClassFID.compute

    def count(self, generated, real):
        seen.append(np.bincount(generated.labels, minlength=10))
        return compute(self, generated, real)

    monkeypatch.setattr(ClassFID, "compute", count)
    scored(engine, folder, run)
    several = [counts for counts in seen if counts.sum() == 360]
    assert len(several) == 10  # the floor, four times fewer, five times against the test images
    assert all(counts.min() > 25 for counts in several)


def test_more_images_are_generated_than_there_are_real_ones(monkeypatch, engine, tmp_path):
    folder, run = trained(monkeypatch, engine, tmp_path, generated=400)
    found, again = scored(engine, folder, run), Again(engine, folder, run)
    real = digits(again.network, "train", 150)
    values = [fid(again.made(5 + number * 2**31, 400), real) for number in range(4)]
    assert by_name(found.scores)["fid"] == pytest.approx(np.mean(values))
    assert all("_400_" in label for label in found.scores)
    evaluated = next(iter(autogan.load(folder.root).trial.evaluations))
    assert any("_400_" in label for label in evaluated.scores)


def test_halves_where_there_are_no_test_images(monkeypatch, engine, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "own").mkdir()
    for number in range(41):
        pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "own" / f"{number:02d}.png")
    folder, run = trained(monkeypatch, engine, tmp_path, f"folder:{tmp_path / 'own'}", also=[])
    found, again = scored(engine, folder, run), Again(engine, folder, run)
    assert found.floor is found.test is found.copies is found.fewer is None
    images = dataset_named(f"folder:{tmp_path / 'own'}", None).load(None).train.images
    pool = again.network.features(images).pool
    several = []
    for seed in range(100):
        order = np.random.default_rng(seed).permutation(41)
        several.append(fid(pool[order[21:]], pool[order[:21]]))
    ((label, mean),), ((_, deviation),) = found.halves.items(), found.halves_spread.items()
    assert "_20_" in label
    assert mean == pytest.approx(np.mean(several), abs=3 * np.std(several))
    assert 0.2 < deviation / np.std(several) < 3


def test_another_dataset_has_no_floor(monkeypatch, engine, tmp_path):
    """Its images were not there to be learned from; one half against the other says enough."""
    folder, run = trained(monkeypatch, engine, tmp_path)
    rng = np.random.default_rng(0)
    (tmp_path / "own").mkdir()
    for number in range(41):
        pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "own" / f"{number:02d}.png")
    other = run.model_copy(update={"dataset": f"folder:{tmp_path / 'own'}"})
    call = Evaluate(config=other.as_dict(), training=run.as_dict(), folder=str(folder.root))
    found = engine.session.evaluate(call)
    assert found.spread
    assert found.halves
    assert found.floor is found.copies is found.test is found.fewer is None


def test_published_statistics_have_no_halves(monkeypatch, engine, tmp_path):
    folder, run = trained(monkeypatch, engine, tmp_path, also=[])
    autogan.statistics("digits", tmp_path / "own.npz", options={"features": "random"})
    against = run.model_copy(update={"reference_statistics": tmp_path / "own.npz"})
    call = Evaluate(config=against.as_dict(), training=run.as_dict(), folder=str(folder.root))
    found, again = engine.session.evaluate(call), Again(engine, folder, run)
    real = digits(again.network, "train", 1437)
    values = [fid(again.made(number * 2**31, 150), real) for number in range(4)]
    assert by_name(found.scores)["fid"] == pytest.approx(np.mean(values))
    assert by_name(found.floor)["fid"] == pytest.approx(
        fid(digits(again.network, "test", 150), real)
    )
    assert not found.floor_spread
    assert found.test is found.halves is None
