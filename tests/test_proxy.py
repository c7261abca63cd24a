"""Searching with a smaller copy of the training, whose best points are trained in full."""

import itertools
import json
import os
import signal

import pytest
import yaml
from fakes import DIVERGE, SLOW, FakeEngine, FakeSession, records_of, told, write_records

import autogan
from autogan.cli.main import main
from autogan.config import SearchConfig, small_copy
from autogan.core.errors import ConfigError, Interrupted, SearchFailed
from autogan.report.search import search_page
from autogan.search import State
from autogan.show.display import Display

SEARCH = {
    "gan_type": "gan",
    "params": {"learning_rate": [1e-4, 3e-4, 4e-4, 6e-4, 1e-3], "width": 64, "dense_width": 1024},
    "search_method": "grid",
    "steps": 1000,
    "proxy": "width=16,steps=200,top=2",
    "run_dir": "runs/a",
}


def search(display=None, **changes):
    return autogan.run_search({**SEARCH, **changes}, engine=FakeEngine(), display=display)


def trained(root):
    """The configurations of all trainings below a folder."""
    return [yaml.safe_load(path.read_text()) for path in sorted(root.glob("trials/*/config.yaml"))]


OPEN = FakeSession.open


class Seen(Display):
    """Keeps the notes."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


class Press(Display):
    """Presses Ctrl-C at the evaluation of a number, counted from 0."""

    def __init__(self, at):
        self._left = itertools.count(at, -1)

    def evaluated(self, trial):
        if next(self._left) == 0:
            os.kill(os.getpid(), signal.SIGINT)


class TestSearching:
    def test_all_points_are_tried_small_and_the_best_in_full(self):
        result = search()
        small = autogan.load("runs/a/proxy")
        assert [t.params["learning_rate"] for t in small.trials] == SEARCH["params"][
            "learning_rate"
        ]
        assert small.config.steps == 200
        assert small.config.fixed["width"] == 16
        best = [point.first.params for point in small.points[:2]]
        assert [t.params for t in result.trials] == best
        assert result.config.steps == 1000
        assert result.config.fixed["width"] == 64
        assert result.best.params in best

    def test_what_is_returned_is_of_full_size(self, tmp_path):
        search()
        best = yaml.safe_load((tmp_path / "runs/a/best.yaml").read_text())
        assert (best["steps"], best["params"]["width"], best["params"]["dense_width"]) == (
            1000, 64, 1024,
        )  # fmt: skip

    def test_it_is_chosen_by_its_value_in_full(self, monkeypatch):
        """The proxy likes the highest rate, and the training one of the others."""

        def score(config, step):
            rate = config.hyperparameters()["learning_rate"]
            return 10 - 1e3 * rate if config.steps == 200 else 10 + 1e3 * rate

        monkeypatch.setattr("fakes.score", score)
        result = search()
        assert [t.params["learning_rate"] for t in result.trials] == [1e-3, 6e-4]
        assert result.best.params["learning_rate"] == 6e-4
        assert result.proxy.values == [9.0, 9.4]

    def test_rules_and_seeds_are_the_proxys_and_the_full_trainings_too(self):
        """Stopping stops small trials alone; both race over seeds."""
        result = search(search_method="random", trials=12, repeats=3, stopping="median",
                        params={"learning_rate": "1e-4..1e-3", "width": 64})  # fmt: skip
        small = autogan.load("runs/a/proxy")
        assert any(t.state is State.STOPPED for t in small.trials)
        assert all(t.state is State.COMPLETE for t in result.trials)
        assert any(t.repeats is not None for t in result.trials)

    def test_the_time_left_is_for_the_full_trainings(self):
        """A training takes three minutes: the third small one passes two thirds of eleven."""
        result = search(max_minutes=11, params={**SEARCH["params"], "z_dim": SLOW})
        small = autogan.load("runs/a/proxy")
        assert small.config.max_minutes == pytest.approx(22 / 3)
        assert [t.seconds for t in small.trials] == [180.0] * 3
        assert result.proxy.seconds == 540.0
        assert len(result.trials) == 2  # after seven and a third, its share, ten, and thirteen

    def test_a_proxy_beyond_its_minutes_leaves_those_of_the_full_trainings(self):
        """Its third trial ends at nine of three minutes, of which two are its own."""
        result = search(max_minutes=3, params={**SEARCH["params"], "z_dim": SLOW})
        assert result.proxy.seconds == 180.0
        assert len(result.trials) == 1

    def test_a_confirmation_is_of_full_size(self, tmp_path):
        search(confirm="top=1,repeats=2")
        assert all(config["steps"] == 1000 for config in trained(tmp_path / "runs/a"))
        assert not any(t.confirms for t in autogan.load("runs/a/proxy").trials)

    def test_the_users_own_points_are_tried_by_the_proxy(self):
        seen = Seen()
        search(seen, enqueue=["learning_rate=0.0007"], search_method="random", trials=2)
        small = autogan.load("runs/a/proxy")
        assert small.trials[0].params == {"learning_rate": 7e-4}
        assert not any("not tried" in note for note in seen.notes)

    def test_one_that_finds_nothing_says_so(self):
        with pytest.raises(SearchFailed, match="no trial of the proxy has a value"):
            search(params={**SEARCH["params"], "z_dim": DIVERGE})


class TestRecord:
    def test_all_decisions_are_found_again(self):
        search()
        checked = autogan.check("runs/a")
        assert not checked.difference
        own, small = (
            len(records_of(autogan.load(f"runs/{name}").folder.ledger)) for name in ("a", "a/proxy")
        )
        assert checked.lines == own + small

    @pytest.mark.parametrize(
        ("name", "value"), [("trials", [1, 0]), ("values", [1.0, 2.0]), ("seconds", 1.0)]
    )
    def test_another_choice_than_the_proxys_is_found(self, tmp_path, name, value):
        search()
        path = tmp_path / "runs/a/trials.jsonl"
        begun, *others = records_of(path)
        begun["proxy"][name] = value
        write_records(path, [begun, *others])
        assert f"the proxy's {name} are {value}" in autogan.check("runs/a").difference

    def test_a_change_in_the_proxys_record_is_found(self, tmp_path):
        search()
        path = tmp_path / "runs/a/proxy/trials.jsonl"
        records = records_of(path)
        number = next(n for n, r in enumerate(records) if r["record"] == "started")
        records[number]["seed"] += 1
        write_records(path, records)
        assert "seed" in autogan.check("runs/a").difference

    def test_a_record_whose_choice_is_incomplete_is_refused(self, tmp_path):
        search()
        path = tmp_path / "runs/a/trials.jsonl"
        begun, *others = records_of(path)
        begun["proxy"]["values"] = [1.0]
        write_records(path, [begun, *others])
        with pytest.raises(ConfigError, match="differ in number"):
            autogan.load("runs/a")


class TestGoingOn:
    @pytest.mark.parametrize("at", [0, 7, 14, 15, 18])
    def test_after_ctrl_c_it_comes_to_the_same(self, tmp_path, at):
        """Fifteen evaluations are the proxy's."""
        search(run_dir="runs/b")
        with pytest.raises(Interrupted, match="--resume runs/a$"):
            search(Press(at))
        autogan.run_search(resume="runs/a", engine=FakeEngine())
        for name in ("", "proxy"):
            one, other = (told(tmp_path / "runs" / run / name) for run in "ab")
            assert one == other

    def test_the_proxy_is_not_asked_again(self, tmp_path):
        search()
        before = (tmp_path / "runs/a/proxy/trials.jsonl").read_bytes()
        autogan.run_search(resume="runs/a", engine=FakeEngine())
        assert (tmp_path / "runs/a/proxy/trials.jsonl").read_bytes() == before

    def test_another_proxy_is_another_search(self):
        search()
        with pytest.raises(ConfigError, match="proxy width was .*, now 8"):
            autogan.run_search({"proxy": "width=8"}, resume="runs/a", engine=FakeEngine())

    def test_it_goes_on_by_the_whole_searchs_folder(self):
        with pytest.raises(Interrupted):
            search(Press(4))
        with pytest.raises(ConfigError, match="proxy of a search; use --resume runs/a$"):
            autogan.run_search(resume="runs/a/proxy", engine=FakeEngine())

    def test_further_trials_come_too_late(self):
        search()
        seen = Seen()
        autogan.run_search({"trials": 9}, resume="runs/a", engine=FakeEngine(), display=seen)
        assert "the proxy has already chosen; more trials need a new search" in seen.notes
        assert len(autogan.load("runs/a/proxy").trials) == 5

    def test_one_that_cannot_be_searched_replaces_nothing(self, tmp_path, monkeypatch):
        search(proxy=None)
        before = (tmp_path / "runs/a/trials.jsonl").read_bytes()

        def refuse(session, call):
            if call.config["params"]["width"] == 16:
                raise ConfigError("width", "16 filters are too few")
            return OPEN(session, call)

        monkeypatch.setattr("fakes.FakeSession.open", refuse)
        for given in ({"proxy": "width=16"}, {"proxy": "steps=2", "stopping": "asha"}):
            with pytest.raises(ConfigError, match="too few|asha needs"):
                autogan.run_search(
                    {**SEARCH, "trials": 12, **given}, overwrite=True, engine=FakeEngine()
                )
        assert (tmp_path / "runs/a/trials.jsonl").read_bytes() == before

    def test_a_damaged_record_of_its_is_not_cut(self, tmp_path):
        search()
        path = tmp_path / "runs/a/proxy/trials.jsonl"
        text = path.read_text()
        path.write_text(text.replace("evaluation", "evaluatoin", 1))
        with pytest.raises(
            ConfigError, match="points that it chose have already been trained in full"
        ):
            autogan.check("runs/a", repair=True)
        assert path.read_text() != text

    def test_an_earlier_one_is_replaced_whole(self, tmp_path):
        search()
        autogan.run_search({**SEARCH, "proxy": None}, overwrite=True, engine=FakeEngine())
        assert not (tmp_path / "runs/a/proxy").exists()


class TestCopy:
    def config(self, **changes):
        return SearchConfig(**{**SEARCH, **changes}).resolved()

    def test_what_goes_with_the_width_goes_along(self):
        small = small_copy(self.config())
        assert small.fixed["dense_width"] == 256
        assert small.proxy is None

    def test_narrower_networks_have_rates_that_keep_their_meaning(self):
        assert self.config().fixed["parametrisation"] == "mup"
        assert small_copy(self.config()).fixed["parametrisation"] == "mup"
        assert self.config(proxy="steps=200").fixed["parametrisation"] == "standard"

    def test_not_where_it_does_not_cover_the_networks(self):
        for attention in ("self", ["none", "self"]):
            config = self.config(params={**SEARCH["params"], "attention": attention})
            assert config.fixed["parametrisation"] == "standard"
            assert any("parametrisation is standard" in line for line in config.useless())
        assert self.config().useless() == []

    def test_unless_the_user_chooses_others(self):
        own = {**SEARCH["params"], "parametrisation": "standard"}
        assert self.config(params=own).fixed["parametrisation"] == "standard"

    @pytest.mark.parametrize(("given", "wanted"), [(None, None), (100, 20), (3, 1)])
    def test_evaluations_are_as_many(self, given, wanted):
        assert small_copy(self.config(evaluate_every=given)).evaluate_every == wanted

    @pytest.mark.parametrize(("width", "wanted"), [(64, 16), (16, 8), (9, 8), (200, 50)])
    def test_auto_takes_a_quarter_of_the_width_alone(self, width, wanted):
        params = {**SEARCH["params"], "width": width}
        small = small_copy(self.config(proxy="auto", params=params))
        assert (small.fixed["width"], small.steps) == (wanted, 1000)

    def test_the_proxy_alone_has_a_stopping_rule(self):
        config = self.config(stopping="asha", trials=12)
        assert config.rule(640) is None
        assert not config.stopping_revives
        assert small_copy(config).rule(640) is not None
        assert small_copy(config).stopping_revives

    def test_a_smaller_image(self):
        config = self.config(proxy="image_size=16", image_size=28)
        assert (config.image_size, small_copy(config).image_size) == (28, 16)

    def test_its_parts_stay_in_its_folder(self):
        small = small_copy(self.config(checkpoint_dir="c", result_dir="r", log_dir="l"))
        assert {small.checkpoint_dir, small.result_dir, small.log_dir} == {None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"proxy": "width=64"}, "width 64, but the training has 64; give a smaller one"),
        ({"proxy": "steps=1000"}, "steps 1000, but the training has 1000"),
        ({"proxy": "image_size=28", "image_size": 28}, "image_size 28, but the training has 28"),
        ({"proxy": "image_size=8"}, "image_size 8, but the images have 8 pixels; give fewer"),
        ({"proxy": "features=classifier"}, "write it as width=16,image_size=16"),
        ({"proxy": "width"}, "write it as"),
        ({"proxy": "width=x"}, "valid integer"),
        ({"proxy": "image_size=5"}, "multiple of 4"),
        ({"proxy": True}, "write it as"),
        ({"proxy": {"foo": 3}}, "write it as"),
        ({"proxy": {"width": True}}, "write it as"),
        ({"proxy": {"top": 2}}, "it changes nothing"),
        ({"proxy": "steps=2", "stopping": "asha", "trials": 12}, "asha needs"),
        ({"proxy": "steps=99999", "time": "30m", "steps": None}, "steps 99999, but the training"),
        ({"proxy": "steps=5", "max_steps": 10}, "steps 5 cannot be combined with max_steps"),
        ({"proxy": "steps=5", "epochs": 1, "steps": None}, "cannot be combined with epochs"),
        ({"proxy": "auto", "stage1": "runs/b"}, "auto cannot be combined with stage1"),
        ({"proxy": "auto", "warm_start": "runs/b"}, "auto cannot be combined with warm_start"),
        ({"proxy": "auto", "criterion": "fid,is"}, "several criteria"),
        ({"proxy": " none ", "workers": "x"}, "workers: 'x'"),
        ({"proxy": "width=8", "params": {"width": [16, 32]}}, "width is searched"),
        ({"proxy": "auto", "params": {"width": [16, 32]}}, "auto makes networks narrower"),
        ({"proxy": "auto", "params": {**SEARCH["params"], "width": 8}}, "or at most 8"),
    ],
)
def test_bad_ones_leave_nothing_behind(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        search(**changes)
    assert not (tmp_path / "runs").exists()


class TestShowing:
    def test_the_summary_tells_both_values_apart(self):
        result = search()
        said = result.summary()
        assert "the proxy (width 16, steps 200; " in said
        for number, value in zip(result.proxy.trials, result.proxy.values, strict=True):
            assert f"trial {number} of the proxy, {value:.4g} there: " in said

    def test_a_proxy_under_way_is_shown(self):
        with pytest.raises(Interrupted):
            search(Press(4))
        result = autogan.load("runs/a")
        assert result.folder.root.name == "proxy"

    def test_the_command_line(self, capsys, monkeypatch):
        monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
        with pytest.raises(Interrupted):
            search(Press(4))
        with pytest.raises(SystemExit):
            main(["show", "runs/a"])
        out = capsys.readouterr().out
        assert out.startswith("proxy (a smaller training) of runs/a; gan on ")
        assert "search --resume runs/a\n" in out

    def test_a_dry_run_tells_both_costs(self, capsys, monkeypatch):
        monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
        flags = ["--dry-run", "--steps", "1000", "--proxy", "width=16,steps=200"]
        with pytest.raises(SystemExit):
            main(["search", *flags, "--param", "learning_rate=1e-4,1e-3"])
        small, full = capsys.readouterr().out.split("# then in full:")
        assert "# first a search with the proxy (width 16, steps 200):" in small
        assert "of 200 steps" in small
        assert "of 1000 steps" in full
        with pytest.raises(SystemExit):
            main(["search", *flags, "--param", "learning_rate=1e-4,1e-3", "--json"])
        plan = json.loads(capsys.readouterr().out)
        assert (plan["steps"], plan["proxy"]["steps"]) == (1000, 200)

    def test_the_page_has_a_section_of_it(self):
        page = search_page(search())
        assert "What did the proxy choose?" in page
        assert 'href="proxy/report.html"' in page
        assert "What did the proxy choose?" not in search_page(search(proxy=None, run_dir="runs/b"))
