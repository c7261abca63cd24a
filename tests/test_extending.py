"""Parts of one's own: the documentation's worked example runs, and bad parts are refused."""

import importlib.metadata
import re
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import yaml
from fakes import FakeEngine
from labels import plain
from sessions import SessionEngine

import autogan
from autogan.cli.listing import listing
from autogan.config import SearchConfig, TrainConfig, load_config, validated
from autogan.core.errors import ConfigError
from autogan.core.registry import Registry
from autogan.criteria import CRITERIA, Criterion
from autogan.data import Dataset, ImageData, Split, dataset_named
from autogan.models import DCGAN, GAN_TYPES, GANType
from autogan.models.training.batches import TrainingSet
from autogan.search import SEARCH_METHODS, History, Proposal, SearchMethod, State

DOCUMENT = Path(__file__).parents[1] / "docs" / "extending.md"


@pytest.fixture
def example(tmp_path, monkeypatch):
    """The files of the document, in a folder of their own; none is importable by itself."""
    folder = tmp_path / "own"
    folder.mkdir()
    blocks = re.findall(r"```\w+\n# (\S+)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    for name, text in blocks:
        (folder / name).write_text(text)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield folder
    for name, _ in blocks:
        sys.modules.pop(name.removesuffix(".py"), None)


def test_the_worked_example_runs(example):
    config = load_config(
        SearchConfig,
        example / "own.yaml",
        {"eval_samples": 50, "plugin_dirs": [example], "log_to": "my_tracker:Table"},
    )
    result = autogan.run_search(config, engine=SessionEngine())
    assert [t.state for t in result.trials] == [State.COMPLETE, State.COMPLETE]
    assert plain(result.objective) == "is_classifier_50+2*contrast_classifier_50"
    scores = plain(result.best.evaluations[-1].scores)
    value = scores["is_classifier_50"] + 2 * scores["contrast_classifier_50"]
    assert result.best.last_value == pytest.approx(value)
    assert result.folder.root == Path("runs/weighted-Blobs")
    saved = yaml.safe_load(result.folder.best_config.read_text())
    assert saved["plugin_dirs"] == [str(example)]
    assert saved["gan_type"] == "my_gan:WeightedGAN"
    rows = [line.split(",") for line in Path("table.csv").read_text().splitlines()]
    logged = [float(value) for run, _, name, value in rows if name == "objective"]
    assert logged == [e.value for trial in result.trials for e in trial.evaluations]


def test_its_own_training_is_searched_resumed_and_sampled(example, tmp_path):
    """A type without a discriminator; two ways to the same step come to the same bits."""
    options = {"dataset": "digits", "gan_type": "my_imle:IMLE", "plugin_dirs": [example],
               "eval_samples": 50, "params": {"candidates": 16}, "steps": 4}  # fmt: skip
    engine = SessionEngine()
    search = {"trials": 2, "search_method": "random", "max_steps": 100, "run_dir": "runs/a"}
    result = autogan.run_search({**options, **search}, engine=engine)
    assert [t.state for t in result.trials] == [State.COMPLETE] * 2
    assert sum(t.steps for t in result.trials) == 8
    kind = GAN_TYPES.get("my_imle:IMLE")
    assert kind.updates_per_step(kind.defaults()) == kind.batches_per_step(kind.defaults()) == 1
    gan = kind.build((8, 8, 1), kind.defaults())
    images = TrainingSet(np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8), None)
    states = []
    for calls in ([(0, 4)], [(0, 1), (1, 3)]):
        gan.reset(3)
        for start, steps in calls:
            gan.restore(gan.state())
            gan.train(images, 3, start, steps, 4, kind.defaults())
        states.append(gan.state())
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])
    assert gan.generate(gan.latents(5, 0)).shape == (5, 8, 8, 1)
    with pytest.raises(ConfigError, match="my_imle:IMLE makes images only from noise"):
        TrainConfig(**options, stage1=tmp_path)


def test_its_search_method_is_pure(example):
    sys.path.append(str(example))
    method = SEARCH_METHODS.get("my_search:Halton")()
    config = load_config(SearchConfig, example / "own.yaml", {"plugin_dirs": [example]})
    history = History((), "max")
    first = method.propose(config.space, history, 3)
    assert first == method.propose(config.space, history, 3)
    assert 1e-4 <= first.point["learning_rate"] <= 1e-2


def test_its_feature_network_fits(example, tmp_path):
    sys.path.append(str(example))
    from my_features import FeatureNetwork

    from autogan.criteria.networks.base import SavedModelNetwork

    FeatureNetwork(classes=4, size=32, weights=None).save(str(tmp_path / "net"))
    network = SavedModelNetwork(None, tmp_path / "net")
    features = network.features(np.zeros([3, 8, 8, 1], np.uint8))
    assert (network.classes, network.resizes) == (4, True)
    assert (features.logits.shape, features.pool.shape) == ((3, 4), (3, 1280))


def test_a_dataset_of_ones_own_may_take_an_argument(example):
    sys.path.append(str(example))
    with pytest.raises(ConfigError, match="blobs takes no argument"):
        dataset_named("my_data:Blobs:fine", None)


class Taken(Criterion):
    name, summary, direction = "fid", "a name that is taken", "min"


class Unnamed(Criterion):
    direction = "min"


class Undirected(Criterion):
    name, summary, direction = "undirected", "no direction", "lower"

    def compute(self, generated, real):
        return 0.0


class Flagged(Undirected):
    """As criteria were declared up to 0.3."""

    name, direction, needs_logits = "flagged", "min", True


class Wanting(Undirected):
    name, direction, needs = "wanting", "min", frozenset({"luck"})


class Empty(Criterion):
    name, summary, direction = "empty", "nothing to compute", "min"


class Sizeless(GANType):
    name, summary, hyperparameters = "sizeless", "it has no sizes", ()


class Former(DCGAN):
    name, loss = "former", "hinge"


class Longer(DCGAN):
    name, hyperparameters = "longer", (*DCGAN.hyperparameters,)


class Misspelt(DCGAN):
    name, fixed = "misspelt", {**DCGAN.fixed, "penalti": "r1"}


class Unknown(DCGAN):
    name, fixed = "unknown", {**DCGAN.fixed, "penalty": "r3"}


class Clashing(DCGAN):
    name, fixed = "clashing", {**DCGAN.fixed, "generator_norm": "conditional"}


class Counting(Dataset):
    name, summary = "counting", "as many images as its argument says"

    def __init__(self, argument, data_dir):
        self.count = int(argument)

    def load(self, image_size):
        return ImageData(Split(np.zeros((self.count, 8, 8, 1), np.uint8), None), None)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Sizeless", "it lacks the hyperparameter batch_size"),
        ("Former", "loss is an attribute of the class; move its content into fixed"),
        ("Longer", "hyperparameters is an attribute of the class; move its content into own"),
        ("Misspelt", "'penalti' is not a factor; did you mean 'penalty'?"),
        ("Unknown", "penalty: 'r3' is not one of none, gradient_norm"),
        (
            "Clashing",
            "its defaults are an invalid combination: generator_norm conditional has a scale",
        ),
    ],
)
def test_a_gan_type_that_cannot_be_is_refused(name, message):
    with pytest.raises(ConfigError, match=message):
        GAN_TYPES.get(f"test_extending:{name}")


def test_a_dataset_of_ones_own_takes_its_argument():
    assert len(dataset_named("test_extending:Counting:12", None).load(None).train) == 12
    with pytest.raises(ConfigError, match="dataset: test_extending:Counting:x: ValueError"):
        dataset_named("test_extending:Counting:x", None)
    with pytest.raises(ConfigError, match=r"uint8 \[0, 8, 8, 1\]; they must be uint8 \[N, height"):
        dataset_named("test_extending:Counting:0", None).load(None)
    with pytest.raises(ConfigError, match="2 labels from -1 for 1 images; give one"):
        Split(np.zeros((1, 8, 8, 1), np.uint8), np.array([-1, 0]))


def test_two_criteria_of_one_name_are_refused():
    own = {"also": ["test_extending:Mean", "test_extending:OtherMean"]}
    with pytest.raises(ConfigError, match="also: two criteria have the name 'mean'"):
        validated(SearchConfig, own)


class Mean(Undirected):
    name, direction = "mean", "max"


class OtherMean(Mean):
    pass


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere:Part", "criterion: 'nowhere:Part' cannot be imported (ModuleNotFoundError: "),
        ("json:Part", "'json:Part' cannot be imported (AttributeError: "),
        ("json:JSONDecoder", "does not derive from autogan.criteria.base.Criterion"),
        ("test_extending:Taken", "is called 'fid', which is taken; rename it"),
        ("test_extending:Unnamed", "has no name; give it a text"),
        ("test_extending:Undirected", "its direction must be min or max"),
        ("test_extending:Flagged", "needs_logits has no effect; write needs = {'logits'}"),
        ("test_extending:Wanting", "its needs must be a set of some of images, labels, logits, "),
        ("test_extending:Empty", "it has no compute"),
    ],
)
def test_bad_parts_are_refused_in_one_line(name, problem):
    with pytest.raises(ConfigError, match=re.escape(problem)) as error:
        CRITERIA.get(name)
    assert "\n" not in str(error.value)


def test_a_gan_type_whose_loss_is_none_is_refused():
    class Odd(GAN_TYPES.get("dcgan")):
        fixed: ClassVar = {**DCGAN.fixed, "loss": "json:JSONDecoder"}

    with pytest.raises(ConfigError, match=r"loss: .* does not derive from .*Loss"):
        Odd.build((8, 8, 1), {**Odd.defaults(), "width": 2, "dense_width": 2})


def test_parts_of_installed_packages_are_known_by_name(example, monkeypatch):
    sys.path.append(str(example))
    points = [
        importlib.metadata.EntryPoint("weighted", "my_gan:WeightedGAN", "autogan.gan_type"),
        importlib.metadata.EntryPoint("weighted", "nowhere:Other", "autogan.gan_type"),
        importlib.metadata.EntryPoint("my-broken", "nowhere:Part", "autogan.gan_type"),
        importlib.metadata.EntryPoint("dcgan", "my_gan:WeightedGAN", "autogan.gan_type"),
    ]
    monkeypatch.setattr(
        importlib.metadata,
        "entry_points",
        lambda group: points if group == "autogan.gan_type" else [],
    )
    registry = Registry("gan_type", GANType)
    registry.register(GAN_TYPES.get("dcgan"))
    assert registry.names() == ("dcgan", "weighted", "my_broken")  # ours cannot be replaced
    assert registry.get("dcgan") is GAN_TYPES.get("dcgan")
    assert [kind.name for kind in registry] == ["dcgan", "weighted"]  # what can be had
    with pytest.raises(ConfigError, match="cannot be imported"):
        registry.get("my-broken")
    assert registry.key("weighted") == "weighted"


def test_without_a_file_modules_are_found_in_the_working_folder(example, monkeypatch):
    monkeypatch.chdir(example)
    config = load_config(SearchConfig, None, {"gan_type": "my_gan:WeightedGAN"})
    assert config.plugin_dirs == [example]
    assert config.gan.name == "weighted"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("my_gan:WeightedGAN", "weighted: convolutional GAN with a weighted hinge loss"),
        ("my_criterion:Contrast", "contrast: "),
        ("my_search:Halton", "halton: "),
    ],
)
def test_a_part_is_listed(example, monkeypatch, name, line):
    monkeypatch.chdir(example)
    assert listing(name).lines[0].startswith(line)


def test_what_is_no_part_is_not_listed(example, monkeypatch):
    monkeypatch.chdir(example)
    with pytest.raises(ConfigError, match="does not derive from autogan.core.registry.Part"):
        listing("my_loss:WeightedHinge")


def test_a_run_can_be_judged_by_a_criterion_of_ones_own(example, monkeypatch, tmp_path):
    """The run names no part of one's own; the flag's module lies in the working folder."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("dataset: digits\n")
    monkeypatch.chdir(example)
    flags = {"criterion": "my_criterion:Contrast"}
    config = load_config(TrainConfig, tmp_path / "run" / "config.yaml", flags)
    assert config.plugin_dirs == [example]
    assert list(config.criteria()) == ["my_criterion:Contrast"]


def test_plugin_dirs_are_kept_as_absolute_paths(example, monkeypatch):
    monkeypatch.chdir(example.parent)
    config = validated(SearchConfig, {"plugin_dirs": "own", "gan_type": "my_gan:WeightedGAN"})
    assert config.plugin_dirs == [example]


def test_a_loss_starts_each_training_as_it_was_made(example):
    import tensorflow as tf

    from autogan.models.objectives.losses import LOSSES

    class Weighted(LOSSES["non_saturating"]):
        def __init__(self):
            super().__init__()
            self.variables = {"weight": tf.Variable(3.0, trainable=False)}

        def updated(self, real, fake, settings):
            self.variables["weight"].assign_add(1.0)
            return {}

    monkey = pytest.MonkeyPatch()
    monkey.setitem(LOSSES, "weighted", Weighted)

    class Type(DCGAN):
        fixed: ClassVar = {**DCGAN.fixed, "loss": "weighted"}

    gan = Type.build((8, 8, 1), {**Type.defaults(), "width": 2, "dense_width": 2})
    monkey.undo()
    gan._updates.loss.variables["weight"].assign(9.0)
    gan.reset(0)
    assert gan.state()["loss/weight"] == 3.0


class Wild(SearchMethod):
    name, summary = "wild", "leaves the limits at the second trial"

    def propose(self, space, history, seed):
        return Proposal({"learning_rate": 7.0 if history.trials else 1e-3})


def test_a_search_method_that_leaves_the_limits_is_told_so(tmp_path):
    config = {"search_method": "test_extending:Wild", "params": {"learning_rate": [1e-3, 1e-2]}}
    with pytest.raises(ConfigError, match=r"search_method: .*Wild proposed .*7.0 is not a number"):
        autogan.run_search({**config, "run_dir": "runs/a"}, engine=FakeEngine())
    assert (tmp_path / "runs/a/trials.jsonl").read_text().count('"started"') == 1
