"""Configuration: what is accepted, what is refused and how, and what follows."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from autogan.cli.main import app
from autogan.config import (
    SearchConfig,
    TrainConfig,
    load_config,
    load_saved,
    packaged_configs,
    parse_param,
    parse_params,
    validated,
)
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Range
from autogan.models import GAN_TYPES
from autogan.search import SEARCH_METHODS


def write(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def test_flags_over_file_over_defaults(tmp_path):
    path = write(tmp_path, "gan_type: wgan_gp\nsteps: 10\nparams: {d_iter: 2, width: 8}\n")
    flags = {"steps": 20, "seed": None, "params": {"d_iter": [1, 3]}}
    config = load_config(SearchConfig, path, flags)
    assert (config.gan_type, config.steps, config.seed) == ("wgan_gp", 20, 0)
    assert config.params == {"d_iter": [1, 3], "width": 8}


def test_no_params_on_the_command_line_leaves_those_of_the_file(tmp_path):
    path = write(tmp_path, "params: {d_iter: 2}\n")
    assert load_config(TrainConfig, path, {"params": {}}).params == {"d_iter": 2}


def test_epochs_on_the_command_line_replace_steps_of_the_file(tmp_path):
    path = write(tmp_path, "steps: 10\n")
    config = load_config(TrainConfig, path, {"epochs": 3})
    assert (config.steps, config.epochs) == (None, 3)
    assert config.schedule(images=130, batch_size=64)[0] == 9


def test_yaml_reads_numbers_as_people_write_them(tmp_path):
    path = write(tmp_path, "params: {learning_rate: [2e-4, 1E-3, .5e-2, 0.01]}\n")
    (dimension,) = load_config(SearchConfig, path).space.dimensions
    assert dimension.candidates == (2e-4, 1e-3, 5e-3, 1e-2)


def test_resolved_configuration_survives_a_passage_through_yaml(tmp_path):
    config = validated(
        SearchConfig,
        {"params": {"learning_rate": "1e-5..1e-2:log", "d_iter": [1, 4]}, "also": "is,wd"},
    ).resolved()
    path = write(tmp_path, yaml.safe_dump(config.as_dict(), sort_keys=False))
    again = load_config(SearchConfig, path).resolved()
    assert again.as_dict() == config.as_dict()
    assert again.features == "classifier"
    assert again.space.dimensions[0].range == Range(1e-5, 1e-2, log=True)


def test_trial_config_trains_the_trial(tmp_path):
    search = validated(SearchConfig, {"params": {"width": 8, "d_iter": [1, 4]}}).resolved()
    config = search.trial_config({"d_iter": 4}, 77)
    assert config.hyperparameters() == {**GAN_TYPES.get("gan").defaults(), "width": 8, "d_iter": 4}
    assert config.seed == 77
    assert validated(TrainConfig, config.as_dict()) == config


def test_without_candidates_the_default_space_is_searched():
    config = validated(SearchConfig, {"params": {"d_iter": 2}})
    names = [d.name for d in config.space.dimensions]
    assert names == ["learning_rate", "penalty_weight"]
    assert config.fixed["d_iter"] == 2


def test_runs_of_0_3_keep_the_defaults_that_they_had(tmp_path):
    """Their files name none; those of today name all, and users' own files mean today's."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text("gan_type: gan\nparams: {width: 8, beta1: 0.9}\n")
    before = load_saved(TrainConfig, old)
    values = before.hyperparameters()
    assert [values[n] for n in ("penalty", "beta1", "generator_lr_scale")] == ["none", 0.9, 1.0]
    now = load_config(TrainConfig, old)
    assert now.hyperparameters()["penalty"] == "r1"
    new.write_text(yaml.safe_dump({"gan_type": "gan", "params": now.resolved().params}))
    assert load_saved(TrainConfig, new).hyperparameters() == now.hyperparameters()
    old.write_text("gan_type: sngan\nparams: {width: 8}\n")
    assert load_saved(TrainConfig, old).hyperparameters()["beta1"] == 0.5


def test_grid_runs_all_its_points_by_default():
    values = {"search_method": "grid", "params": {"d_iter": [1, 2, 3], "beta1": [0.0, 0.5]}}
    assert validated(SearchConfig, values).resolved().trials == 6


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"gan_typ": "dcgan"}, "gan_typ: there is no such key; did you mean 'gan_type'?"),
        ({"gan_type": "dgan"}, "gan_type: 'dgan' is not known; did you mean 'dcgan'?"),
        ({"criterion": "fidd"}, "criterion: 'fidd' is not known; did you mean 'fid'?"),
        ({"criterion": "none"}, "criterion: none, but searches and --seeds compare values; give"),
        ({"criterion": "fid,none"}, "criterion: fid,none, but searches and --seeds compare values"),
        ({"criterion": "none - fid"}, "criterion: 'none' is not known"),
        ({"criterion": "is + fid"}, "criterion: 'is + fid': is should rise, fid should fall"),
        ({"criterion": {"is": -1}}, "criterion: is: -1 is not a weight; give a positive number"),
        ({"normalise": "history"}, "normalise: history does not apply to the criterion"),
        (
            {"criterion": "is - fid", "normalise": "always"},
            "normalise: 'always' is neither history nor of the form is=1..10,fid=0..400",
        ),
        (
            {"criterion": "is - fid", "normalise": {"wd": [0, 1]}},
            "normalise: 'wd' is not part of is - fid; known: fid, is",
        ),
        (
            {"criterion": "is - fid", "normalise": {"is": [1]}},
            "normalise: is: [1] is not a range; give [LOW, HIGH]",
        ),
        (
            {"criterion": "is - fid", "normalise": "history", "target": 0.9},
            "target: 0.9 cannot be combined with normalise history, which rescales values",
        ),
        (
            {"criterion": "is - fid", "normalise": "is=9..1"},
            "normalise: is=9..1: the ends must be finite; give the lower one first",
        ),
        ({"search_method": "grd"}, "search_method: 'grd' is not known; did you mean 'grid'?"),
        ({"dataset": "minst"}, "dataset: 'minst' is not known; did you mean 'mnist'?"),
        ({"dataset": "mnist:x"}, "dataset: mnist:x: mnist takes no argument"),
        ({"dataset": "folder"}, "dataset: folder has no path; write folder:PATH"),
        ({"steps": "many"}, "steps: 'many': "),
        ({"steps": 0}, "steps: 0: "),
        ({"steps": 5, "epochs": 2}, "epochs: 2 cannot be combined with steps 5; give one of them"),
        ({"image_size": 30}, "image_size: 30: "),
        ({"device": "tpu"}, "device: 'tpu': "),
        ({"reference_split": "dev"}, "reference_split: 'dev': "),
        (
            {"learning_rate": 1e-3},
            "learning_rate: 0.001 is a hyperparameter; write it under params",
        ),
        (
            {"params": {"learning_rat": 1e-3}},
            "params: 'learning_rat' (0.001) is not a hyperparameter of gan; did you mean",
        ),
        (
            {"gan_type": "dcgan", "params": {"clip": 0.1}},
            "params: 'clip' (0.1) is not a hyperparameter of dcgan, but of gan, wgan, igan, "
            "igan_v2, evolutionary; choose one",
        ),
        (
            {"criterion": ["is", "fid"], "target": 3.0},
            "target: 3.0 cannot be combined with several criteria",
        ),
        ({"plugin_dirs": "nowhere"}, "plugin_dirs: "),
        ({"target": float("nan")}, "target: nan: "),
        (
            {"criterion": "is - fid", "normalise": "fid=0..inf"},
            "normalise: fid=0..inf: the ends must be finite; give the lower one first",
        ),
        ({"dataset": "celeb_a"}, "dataset: 'celeb_a' is not known; "),
        ({"params": {"learning_rate": "fast"}}, "learning_rate: 'fast' is not a number"),
        ({"params": {"learning_rate": [1e-3, 9.0]}}, "learning_rate: 9.0 is not a number from"),
        ({"params": {"d_iter": True}}, "d_iter: True is not an integer"),
        ({"params": {"learning_rate": "[..1"}}, "learning_rate: '[' is neither a number nor"),
        ({"params": {"d_iter": 1.5}}, "d_iter: 1.5 is not an integer"),
        ({"params": {"d_iter": []}}, "d_iter: [] has no candidates"),
        ({"params": {"optimizer": "lion"}}, "optimizer: 'lion' is not one of adam, rmsprop"),
        ({"params": {"learning_rate": "1e-2..1e-4"}}, "learning_rate: 1e-2..1e-4: the lower end"),
        ({"params": {"beta1": "0..0.9:log"}}, "beta1: 0..0.9:log: a log range must begin above 0"),
        ({"params": {"learning_rate": "a..b"}}, "learning_rate: 'a' is not a number"),
    ],
)
def test_bad_values_are_refused_in_one_line(values, expected):
    with pytest.raises(ConfigError) as error:
        validated(SearchConfig, values)
    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)


def test_weighted_criteria_from_files_and_flags(tmp_path):
    path = write(tmp_path, "criterion: {is: 1, fid: 0.01}\nnormalise: {is: [1, 10]}\n")
    config = load_config(SearchConfig, path, {"also": "fid,wd"})
    assert config.criterion == "is - 0.01*fid"
    assert list(config.criteria()) == ["is", "fid", "wd"]
    assert config.resolved().also == ["wd"]
    assert config.objective.bounds == {"is": (1.0, 10.0)}
    flags = {"criterion": "0.5*fid - is", "normalise": "is=1..10,fid=0..400"}
    config = load_config(SearchConfig, None, flags)
    assert config.objective.direction == "min"
    assert config.objective.bounds == {"is": (1.0, 10.0), "fid": (0.0, 400.0)}
    for criterion, kept in (("is - 0.5*fid", True), ("fid", False), ("fid + wd", False)):
        other = load_config(SearchConfig, path, {"criterion": criterion})
        assert (other.normalise is not None) == kept  # its ranges, while they mean something
    with pytest.raises(ConfigError, match="normalise: history works only in a search"):
        validated(TrainConfig, {"criterion": "is - fid", "normalise": "history"})


def test_a_trial_of_a_normalised_search_can_be_trained_again():
    values = {"criterion": "is - fid", "normalise": "history", "params": {"d_iter": [1, 2]}}
    config = validated(SearchConfig, values)
    seen = {"is": (1.0, 5.0), "wd": (0.0, 1.0)}
    trial = config.trial_config({"d_iter": 2}, 0, seen)
    assert trial.normalise == {"is": (1.0, 5.0)}
    assert validated(TrainConfig, trial.as_dict()) == trial
    first = config.trial_config({"d_iter": 1}, 0)
    assert validated(TrainConfig, first.as_dict()).objective.label({"is": "i", "fid": "f"}) == (
        "scaled(i-f)"
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"params": {"learning_rate": 1e-3}, "gan_type": "dcgan"}, None),
        (
            {"search_method": "grid", "params": {"learning_rate": "1e-4..1e-2"}},
            "learning_rate: 0.0001..0.01 is a range, but grid needs a list",
        ),
        (
            {"params": {"optimizer": "rmsprop", "beta1": [0.0, 0.5]}},
            r"beta1: \[0.0, 0.5\] with optimizer rmsprop: it applies only with optimizer adam",
        ),
        (
            {"params": {h.name: h.default for h in GAN_TYPES.get("gan").hyperparameters}},
            "each has one value, and gan's default space has nothing else to search; give one",
        ),
    ],
)
def test_spaces_that_cannot_be_searched(values, expected):
    config = validated(SearchConfig, values)
    if expected is None:
        config.resolved()
        return
    with pytest.raises(ConfigError, match=expected):
        config.resolved()


def test_what_has_no_meaning_is_not_searched_and_has_its_default():
    rmsprop = validated(SearchConfig, {"params": {"optimizer": "rmsprop"}})
    assert "beta1" not in [d.name for d in rmsprop.space.dimensions]
    both = validated(
        SearchConfig, {"params": {"beta1": [0.0, 0.9], "optimizer": ["adam", "rmsprop"]}}
    )
    assert both.space.size() == 2 + 1
    trial = both.trial_config({"optimizer": "rmsprop"}, 0)
    assert trial.hyperparameters()["beta1"] == 0.0


def test_several_criteria_belong_to_a_search():
    config = validated(SearchConfig, {"criterion": ["is", "js-is - 0.01*fid"], "also": "fid,kid"})
    assert config.criterion == "is,js_is - 0.01*fid"
    assert list(config.criteria()) == ["is", "js_is", "fid", "kid"]
    trial = config.trial_config({"d_iter": 1}, 0)
    assert (trial.criterion, trial.also) == ("is", ["js_is", "fid", "kid"])
    with pytest.raises(ConfigError, match=r"criterion: 'is,fid' names several, but only a search"):
        validated(TrainConfig, {"criterion": "is,fid"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1\n", "is not valid YAML"),
        ("- 1\n", "must hold a mapping"),
        ("steps: 1\nsteps: 2\n", "the key 'steps' is given twice"),
        ("[a, b]: 1\n", "is not valid YAML"),
        ("trials: 3\n", "trials: 3 is a search's key"),
        ("x: !!python/object/apply:os.system ['true']\n", "is not valid YAML"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, expected):
    with pytest.raises(ConfigError, match=expected):
        load_config(TrainConfig, write(tmp_path, text))


def test_a_training_takes_one_value_of_each():
    config = validated(TrainConfig, {"params": {"d_iter": [1, 2]}})
    with pytest.raises(ConfigError, match="d_iter: .* several values"):
        config.hyperparameters()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning-rate=2e-4", ("learning_rate", 2e-4)),
        ("d_iter=1, 4,7", ("d_iter", [1, 4, 7])),
        ("optimizer=adam,rmsprop", ("optimizer", ["adam", "rmsprop"])),
        ("learning_rate=1e-5..1e-2:log", ("learning_rate", "1e-5..1e-2:log")),
        ("learning_rate=[1e-4,1e-3]", ("learning_rate", [1e-4, 1e-3])),
        ("penalty-weight[penalty=l2]=1e-4..10:log", ("penalty_weight[penalty=l2]", "1e-4..10:log")),
    ],
)
def test_parse_param(text, expected):
    assert parse_param(text) == expected


WEIGHTS = ["penalty=none,r1,l2", "penalty_weight=0.1..100:log"]


def weights(*params):
    return validated(SearchConfig, {"params": parse_params([*WEIGHTS, *params])}).settings


def test_a_range_under_another_value():
    """It holds under that value alone; the range around all is that of the values searched."""
    weight = weights("penalty_weight[penalty=l2]=1e-4..10:log")["penalty_weight"]
    assert weight.range == Range(1e-4, 100, log=True)
    assert weight.under({"penalty": "l2"}).range == Range(1e-4, 10, log=True)
    assert weight.under({"penalty": "r1"}).range == Range(0.1, 100, log=True)


def test_a_range_under_a_fixed_value_is_the_range():
    given = ["penalty=l2", "penalty_weight=1..9", "penalty_weight[penalty=l2]=2..3"]
    config = validated(SearchConfig, {"params": parse_params(given)})
    weight = config.settings["penalty_weight"]
    assert (weight.range, weight.by) == (Range(2, 3), "")


def test_flags_replace_a_files_ranges_under_other_values(tmp_path):
    text = "params: {penalty: [l2, r1], penalty_weight: 1..9, 'penalty_weight[penalty=l2]': 2..3}"
    config = load_config(SearchConfig, write(tmp_path, text), {"params": {"penalty_weight": 4.0}})
    assert config.settings["penalty_weight"] == 4.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("penalty_weight[penalty=l2]=3", "3 is not a range"),
        ("penalty_weight[penalty=l3]=1..3:log", "penalty has no value 'l3'; did you mean 'l2'"),
        ("penalty_weight[d_iter=1]=1..3:log", "'d_iter' is not a choice"),
        ("penalty_weight[penalty=l2]=1..3", "write :log in both or neither"),
        ("penalty_weight[penalty]=1..3", "NAME.CHOICE=VALUE"),
        ("beta1[penalty=l2]=0..0.5", "only to penalty l2; give beta1 a range"),
        ("penalty_weight[penalty=dragan]=1..3:log", "dragan is not searched, but none, r1, l2"),
        ("penalty_weight[penalty=l2]=9..1:log", r"penalty_weight\[penalty=l2\]: "),
    ],
)
def test_ranges_under_other_values_are_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        weights(given)


@pytest.mark.parametrize("text", ["learning_rate", "=3", "learning_rate=", "d_iter=1,,2", "a='x"])
def test_parse_param_refuses(text):
    with pytest.raises(ConfigError, match="param: "):
        parse_param(text)


@pytest.mark.parametrize(("command", "kind"), [("search", SearchConfig), ("train", TrainConfig)])
def test_every_key_is_a_flag_and_the_other_way_round(command, kind):
    import typer.main

    options = {o for p in typer.main.get_command(app).commands[command].params for o in p.opts}
    flags = {o[2:].replace("-", "_") for o in options if o.startswith("--")}
    actions = {
        "resume",
        "retry_failed",
        "accept_changed_data",
        "overwrite",
        "dry_run",
        "estimate",
        "json",
        "quiet",
        "debug",
        "help_all",
    }
    actions |= {"seeds", "workers"} if command == "train" else set()
    assert flags - actions == (set(kind.model_fields) - {"params"}) | {"param"}


class TestAdvice:
    """Who names no search method gets the one that did best on recorded trainings."""

    def advised(self, **values):
        run = validated(SearchConfig, values).resolved()
        return run.search_method, run.stopping, run.repeats, run.trials

    def test_all_of_it_by_default(self):
        assert self.advised() == ("gp", "asha", 5, 20)

    def test_only_what_is_not_given(self):
        assert self.advised(stopping="none") == ("gp", None, 5, 20)
        assert self.advised(stopping="median", repeats=1, trials=7) == ("gp", "median", 1, 7)
        assert [self.advised(trials=n)[1] for n in (9, 10)] == [None, "asha"]
        for budget in ({"max_minutes": 5}, {"max_steps": 10**5}, {"time": "5m", "steps": 500}):
            assert self.advised(**budget) == ("gp", "asha", 5, None)
            assert self.advised(**budget, trials=30) == ("gp", "asha", 5, 30)

    @pytest.mark.parametrize("method", SEARCH_METHODS.names())
    def test_a_method_that_is_named_stands_alone(self, method):
        trials = 18 if method == "grid" else 10  # all of the space
        assert self.advised(search_method=method) == (method, None, 1, trials)

    def test_several_criteria_have_no_single_order(self):
        for criterion in ("is,fid", ["is", "fid"]):
            assert self.advised(criterion=criterion) == ("gp", None, 1, 20)

    def test_no_rule_where_it_could_do_nothing(self):
        assert self.advised(steps=8, evaluate_every=4) == ("gp", None, 5, 20)
        assert self.advised(steps=9, evaluate_every=4) == ("gp", "asha", 5, 20)
        assert self.advised(evaluate_every=1000) == ("gp", None, 5, 20)  # of 2,000 steps
        assert self.advised(steps=2) == ("gp", None, 5, 20)
        assert self.advised(epochs=3) == ("gp", "asha", 5, 20)
        assert self.advised(epochs=3, evaluate_every=10) == ("gp", None, 5, 20)  # who knows

    def test_no_rule_in_a_small_space(self):
        assert self.advised(params={"d_iter": [1, 2, 3]}, max_minutes=5)[1] is None
        assert self.advised(params={"d_iter": list(range(1, 11))})[1] == "asha"

    def test_a_saved_search_says_all_of_it(self):
        saved = validated(SearchConfig, {"trials": 12}).resolved().as_dict()
        assert validated(SearchConfig, saved).resolved().as_dict() == saved
        assert (saved["search_method"], saved["stopping"], saved["repeats"]) == ("gp", "asha", 5)


def test_a_hyperparameter_is_given_once():
    assert parse_params(["a=1", "b=2"]) == {"a": 1, "b": 2}
    with pytest.raises(ConfigError, match="d_iter: given twice, 1 and 2; give it once"):
        parse_params(["d_iter=1", "d_iter=2"])


def test_configurations_that_come_along_are_found_by_name_and_can_run(tmp_path):
    assert "dcgan_digits" in packaged_configs()
    for name in packaged_configs():
        text = packaged_configs()[name].read_text()
        command = text.splitlines()[0].split()[:3]
        assert command[:2] == ["#", "autogan"], "the head gives the command"
        kind = {"search": SearchConfig, "train": TrainConfig}[command[2]]
        config = load_config(kind, Path(name)).resolved()
        assert config.steps or config.epochs
    write(tmp_path, "steps: 7\n").rename(tmp_path / "dcgan_digits")
    assert load_config(SearchConfig, Path("dcgan_digits")).steps == 7  # a file of one's own first


def test_schedules():
    config = validated(TrainConfig, {"steps": 12})
    assert config.schedule(100, 64) == (12, 2)
    assert validated(TrainConfig, {"steps": 12, "evaluate_every": 99}).schedule(100, 64) == (12, 12)


def test_importing_the_program_does_not_import_tensorflow():
    code = "import sys, autogan, autogan.cli.main; assert 'tensorflow' not in sys.modules, 'slow'"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_trials_of_any_batch_size_are_compared_at_the_same_places():
    searched = {"params": {"batch_size": [16, 64]}, "epochs": 3}
    with pytest.raises(ConfigError, match="evaluate_every: 10 cannot be combined with epochs"):
        SearchConfig(**searched, evaluate_every=10)
    SearchConfig(**searched)
    SearchConfig(params=searched["params"], steps=100, evaluate_every=10)
    SearchConfig(params=searched["params"], evaluate_every=10)  # of the default steps


@pytest.mark.parametrize(
    ("dataset", "folder"),
    [
        ("digits", "gan-digits"),
        ("folder:pictures/cats/", "gan-cats"),
        ("tfds:celeb_a", "gan-celeb_a"),
        ("tfds:celeb_a:2.1.0", "gan-celeb_a-2.1.0"),
        ("tfds:lsun/classroom", "gan-classroom"),
    ],
)
def test_runs_are_named_after_their_datasets(dataset, folder):
    assert validated(SearchConfig, {"dataset": dataset}).default_folder() == folder


def test_what_follows_from_a_configuration_is_found_once_and_anew_in_a_copy():
    config = validated(SearchConfig, {"params": {"learning_rate": [1e-4, 1e-3]}})
    assert config.space is config.space
    assert config.fixed is config.fixed
    copy = config.model_copy(update={"params": {"d_iter": [1, 2, 3]}})
    assert [d.name for d in copy.space.dimensions] == ["d_iter"]
    assert "learning_rate" in copy.fixed
    assert [d.name for d in config.space.dimensions] == ["learning_rate"]


def test_a_file_alone_never_makes_code_run(tmp_path, monkeypatch):
    """Neither by a part that it names nor by folders of modules; the user has to name them."""
    module = "raise SystemExit('it ran')\n"
    for folder in (tmp_path, tmp_path / "modules"):
        folder.mkdir(exist_ok=True)
        (folder / "evil.py").write_text(module)
    monkeypatch.chdir(tmp_path)
    for text in (
        "gan_type: evil:X",
        "dataset: evil:X",
        "search_method: evil:X",
        "stopping: evil:X",
        "criterion: evil:X",
        "criterion: {is: 1, 'evil:X': 1}",
        "also: [evil:X]",
        "criterion: [evil:X]",
        "gan_type: folder:X",
        "criterion: 'is + 2*tfds:X'",
        "gan_type: evil:X\nplugin_dirs: [modules]",
    ):
        with pytest.raises(ConfigError, match="plugin_dirs: .* somebody's own code"):
            load_config(SearchConfig, write(tmp_path, text))


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        ({"features": "random"}, True),
        ({"features": "random", "criterion": "ms_ssim"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("kind", [SearchConfig, TrainConfig])
def test_features_that_say_little_are_warned_of(kind, given, warned):
    lines = validated(kind, given).resolved().useless()
    assert any("the network is untrained" in line for line in lines) == warned
