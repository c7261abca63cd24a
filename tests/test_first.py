"""The defaults as the first point of a search, and one configuration under several seeds."""

import json
import statistics

import pytest
import yaml
from fakes import DIVERGE, FakeEngine

import autogan
from autogan.cli.main import main
from autogan.core.hyperparameters import Dimension, Hyperparameter, Range
from autogan.search import Space, State, Trial
from autogan.show.plain import plain
from autogan.show.standings import _too_early

RATES = {"learning_rate": [1e-4, 3e-4, 1e-3]}  # DCGAN's own is 2e-4


def search(**changes):
    given = {"gan_type": "dcgan", "params": RATES, "search_method": "random", "run_dir": "runs/a"}
    return autogan.run_search({**given, **changes}, engine=FakeEngine())


class TestNearest:
    @pytest.mark.parametrize(
        ("kind", "held", "value", "nearest"),
        [
            ("scale", {"range": Range(1e-4, 1e-2, log=True)}, 2e-5, 1e-4),
            ("scale", {"range": Range(1e-4, 1e-2, log=True)}, 3e-3, 3e-3),
            ("scale", {"candidates": (1e-4, 1e-3)}, 3e-4, 1e-4),  # by factors
            ("scale", {"candidates": (1e-4, 1e-3)}, 4e-4, 1e-3),
            ("share", {"candidates": (0.0, 0.5, 0.9)}, 0.6, 0.5),
            ("count", {"candidates": (2, 5)}, 3, 2),
            ("choice", {"candidates": ("adam", "sgd")}, "sgd", "sgd"),
            ("choice", {"candidates": ("adam", "sgd")}, "rmsprop", "adam"),
        ],
    )
    def test_it_is_moved_into_the_ranges(self, kind, held, value, nearest):
        default = "adam" if kind == "choice" else 1
        dimension = Dimension(Hyperparameter("x", kind, default, ""), **held)
        assert Space((dimension,)).nearest({"x": value}) == {"x": nearest}


class TestDefaultsFirst:
    def test_they_are_the_first_point(self):
        result = search(trials=3)
        assert result.trials[0].params == {"learning_rate": 3e-4}
        assert result.trials[0].origin == "the defaults"
        assert sorted(t.params["learning_rate"] for t in result.trials) == RATES["learning_rate"]

    def test_none_leaves_them_out(self):
        assert all(not t.origin for t in search(first="none").trials)

    def test_a_grid_keeps_its_order_and_ones_own_points_come_before(self):
        grid = search(search_method="grid")
        assert [t.params["learning_rate"] for t in grid.trials] == RATES["learning_rate"]
        own = search(enqueue=["learning_rate=1e-3"], run_dir="runs/b")
        assert [t.origin for t in own.trials][:2] == ["enqueued", "the defaults"]

    def test_they_are_compared_with_the_winner(self):
        result = search(params={"learning_rate": [1e-4, 4e-4]})
        own = result.trials[0]
        assert own.params != result.best.params
        line = f"the defaults (trial 0): {own.value:.4g} under one seed, {own.steps * 2} updates"
        assert line in result.summary()
        assert line in autogan.write_report("runs/a").read_text()
        assert plain(result)["defaults"]["trial"] == 0
        shortened = Trial(0, own.params, state=State.STOPPED, evaluations=own.evaluations[:1])
        shortened.value = own.evaluations[0].value
        line = _too_early(result, shortened, result.best)
        step, there = own.evaluations[0].step, result.best.evaluations[0].value
        assert f"at step {step} of {result.best.steps} with {shortened.value:.4g}" in line
        assert f"(the winner had {there:.4g} by then), too early to compare" in line
        best = search(params={"learning_rate": [3e-4, 1e-2]}, run_dir="runs/b")
        assert "the defaults are the best point found" in best.summary()

    def test_a_search_of_0_3_goes_on_without_them(self, tmp_path):
        search(trials=1, first="none")
        file = tmp_path / "runs/a/search.yaml"
        saved = yaml.safe_load(file.read_text())
        del saved["first"]
        file.write_text(yaml.safe_dump(saved))
        resumed = autogan.run_search({"trials": 3}, resume="runs/a", engine=FakeEngine())
        assert all(not t.origin for t in resumed.trials)


class TestUnderSeeds:
    @pytest.fixture
    def trained(self, monkeypatch, capsys):
        monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())

        def trained(*flags):
            with pytest.raises(SystemExit) as ended:
                main(["train", "--gan-type", "dcgan", "--run-dir", "runs/s", *flags])
            assert ended.value.code == 0
            return capsys.readouterr().out

        return trained

    def test_mean_range_and_deaths_come_first(self, trained):
        out = trained("--seeds", "4", "--param", "d_iter=3")
        result = autogan.load("runs/s")
        assert len({t.seed for t in result.trials}) == len(result.trials) == 4
        config = result.config.trial_config(result.trials[0].params, 0)
        assert config.hyperparameters()["d_iter"] == 3
        values = [t.value for t in result.trials]
        told = f"fid {statistics.fmean(values):.4g} under 4 seeds"
        said = f"({min(values):.4g} to {max(values):.4g}), none died"
        first, _, fixed, value = out.splitlines()[:4]
        assert first.startswith("one configuration, 4 trials")
        assert fixed == "  fixed: d_iter=3"
        assert value.startswith(f"  {told} {said}; expect ")
        assert "so far:" not in out  # seeds have no course

    def test_it_trains_what_a_file_says_and_goes_on(self, trained, tmp_path):
        best = search(trials=3).best
        flags = [str(tmp_path / "runs/a/best.yaml"), "--seeds"]
        trained(*flags, "2")
        trained(*flags, "3", "--resume")
        result = autogan.load("runs/s")
        assert [t.number for t in result.trials] == [0, 1, 2]
        config = result.config.trial_config(result.trials[0].params, 0)
        assert config.hyperparameters()["learning_rate"] == best.params["learning_rate"]

    def test_the_dead_are_counted(self, trained):
        out = trained("--seeds", "2", "--param", f"z_dim={DIVERGE}")
        assert out.startswith("none of 2 trials has a value")
        assert json.loads(trained("--seeds", "3", "--resume", "--json",
                                  "--param", f"z_dim={DIVERGE}"))["best"] is None  # fmt: skip
