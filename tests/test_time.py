"""A search that is given its time alone: `--time 30m`."""

from pathlib import Path

import pytest
import yaml
from fakes import FakeEngine, FakeSession

import autogan
from autogan.cli.printing import print_plan
from autogan.config.duration import minutes_of
from autogan.core.errors import ConfigError
from autogan.pool.messages import Timed

SEARCH = {"dataset": "digits", "threads": 1, "run_dir": "runs/a", "params": {"d_iter": [1, 3]}}


@pytest.fixture
def engine(in_tmp_path):
    return FakeEngine()


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("30m", 30), ("2h", 120), ("1h30m", 90), ("90s", 1.5), ("1h 5m 30s", 65.5), ("0.5h", 30),
     ("45", 45), (45, 45)],
)  # fmt: skip
def test_durations_are_read_as_people_write_them(text, minutes):
    assert minutes_of(text) == pytest.approx(minutes)


@pytest.mark.parametrize("text", ["soon", "30 minutes", "m", "", "1d", "-5m", "1e3m"])
def test_other_texts_are_refused_with_the_form(text):
    with pytest.raises(ConfigError, match="time: .*is not a duration; write it as 30m or 1h30m"):
        minutes_of(text)


def timed(monkeypatch, step, evaluation):
    monkeypatch.setattr(
        FakeSession, "time", lambda self, call: Timed(step=step, evaluation=evaluation),
        raising=False,
    )  # fmt: skip
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())


def planned(**more):
    return autogan.plan({**SEARCH, **more})


def test_ten_whole_trainings_fit_the_time(monkeypatch):
    """The first point makes 4 updates a step, and points 3 in the mean."""
    timed(monkeypatch, step=0.02, evaluation=3.0)
    plan = planned(time="1h")
    assert plan.steps == 22_000  # (360 s - 10 x 3 s) / (0.02 s x 3 / 4)
    assert plan.config.max_minutes == 60
    assert plan.config.trials is None
    often = planned(time="1h", evaluate_every=100)
    assert often.steps == 8000  # 360 s / (0.015 s + 3 s / 100)


def test_two_workers_have_twice_the_minutes(monkeypatch):
    timed(monkeypatch, step=0.02, evaluation=3.0)
    assert planned(time="1h", workers=2).config.max_minutes == 120


def test_who_says_how_many_steps_is_only_given_the_limit(monkeypatch):
    timed(monkeypatch, step=1e9, evaluation=1e9)
    plan = planned(time="30m", steps=300)
    assert (plan.steps, plan.config.max_minutes, plan.config.time) == (300, 30, None)


def test_a_fast_machine_tries_more_points_instead_of_training_for_ever(monkeypatch):
    timed(monkeypatch, step=1e-5, evaluation=0.0)
    assert planned(time="8h").steps == 50_000


def test_too_little_time_is_refused_with_what_would_do(monkeypatch):
    timed(monkeypatch, step=0.02, evaluation=3.0)
    with pytest.raises(ConfigError, match="time: 1 minutes are too few .* give 6.3m or more"):
        planned(time="1m")
    assert planned(time="5.3m").steps >= 100  # the least, 5.25 minutes, and a fifth
    with pytest.raises(ConfigError, match="give 3.2m or more"):
        planned(time="1m", workers=2)
    with pytest.raises(ConfigError, match="give 0.9m or more"):  # 1.2 x 10 x 100 x (0.015 + 0.03) s
        planned(time="30s", evaluate_every=100)
    assert planned(time="0.8m", evaluate_every=100).steps >= 100


@pytest.mark.parametrize(
    ("step", "evaluation", "advice"),
    [
        (
            0.02,
            3.0,
            r"or evaluate less often \(--evaluate-every, now 10 per training\), score fewer "
            r"images \(--eval-samples, now 640\) or .*: 95 % of a training is scoring by",
        ),
        (0.2, 0.5, "or make the networks smaller"),  # 15 s beside 5 s of scoring
    ],
)
def test_what_takes_longest_is_named(monkeypatch, step, evaluation, advice):
    timed(monkeypatch, step=step, evaluation=evaluation)
    with pytest.raises(ConfigError, match=advice):
        planned(time="1m")


def test_the_flags_that_were_given_are_named(monkeypatch):
    timed(monkeypatch, step=0.02, evaluation=3.0)
    with pytest.raises(ConfigError, match=r"--evaluate-every, now 50\), .*--eval-samples, now 300"):
        planned(time="30s", evaluate_every=50, eval_samples=300)


def test_a_download_is_announced(monkeypatch, capsys):
    timed(monkeypatch, step=0.02, evaluation=3.0)
    plan = planned(steps=300, features="inception")
    for there in True, False:
        monkeypatch.setattr("autogan.cli.printing.inception_at_hand", lambda there=there: there)
        print_plan(plan, as_json=False)
        assert ("it is downloaded first (90 MB)" in capsys.readouterr().out) != there


def test_two_limits_are_refused():
    with pytest.raises(ConfigError, match="max_minutes: 5 cannot be combined with time 30"):
        planned(time="30m", max_minutes=5)


def test_the_record_says_what_was_found_and_the_search_goes_on_with_it(monkeypatch, engine):
    timed(monkeypatch, step=1.0, evaluation=0.0)
    given = {
        **SEARCH,
        "time": "50m",
        "search_method": "random",
        "trials": 2,
        "features": "classifier",
    }
    autogan.run_search(given, engine=engine)
    saved = yaml.safe_load(Path("runs/a/search.yaml").read_text())
    assert (saved["steps"], saved["max_minutes"], saved.get("time")) == (400, 50, None)
    timed(monkeypatch, step=9.0, evaluation=9.0)  # on a slower machine
    longer = {**given, "time": "80m", "trials": 3}
    more = autogan.run_search(longer, resume="runs/a", engine=FakeEngine())
    assert len(more.trials) == 2  # both combinations are done
    assert (more.config.steps, more.config.max_minutes) == (400, 80)
    assert autogan.plan({"time": "2h"}, resume="runs/a").config.max_minutes == 120
    assert autogan.check("runs/a").difference == ""
