"""What is shown on the way: to whom, and that it never ends a search."""

import dataclasses
import io
import os
import re
import sys
from typing import ClassVar

import pytest
from fakes import DIVERGE, LABEL, FakeEngine, FakeSession
from rich.console import Console

import autogan
from autogan.cli.main import main
from autogan.criteria.variety import Variety
from autogan.pool.finished import Scores
from autogan.record.words import Terms, figure, spark
from autogan.search import Evaluation, State, Trial
from autogan.show.displays import LiveDisplay, PlainDisplay, make_display

SPACE = {
    "params": {"learning_rate": [1e-4, 3e-4], "d_iter": [1, 2]},
    "search_method": "explore",
    "trials": 4,
    "run_dir": "runs/a",
}
SEARCH = ["search", "--param", "learning_rate=1e-4,1e-3", "--search-method", "grid"]


@pytest.fixture(autouse=True)
def _in_process(monkeypatch):
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())


def run(*flags):
    with pytest.raises(SystemExit) as exit_:
        main([*SEARCH, *flags])
    return exit_.value.code


class Broken(io.StringIO):
    """A pipe whose reader has gone, or a terminal that was closed."""

    def write(self, text):
        raise BrokenPipeError("nobody reads")


def test_a_terminal_that_is_closed_ends_no_search(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", Broken())
    assert run() == 0
    assert "best of 2 trials" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("term", "is_terminal", "shown"),
    [("xterm", False, PlainDisplay), ("dumb", True, PlainDisplay), ("xterm", True, LiveDisplay)],
)
def test_a_bar_is_drawn_where_it_can_be_alone(monkeypatch, term, is_terminal, shown):
    """FORCE_COLOR speaks of colours: a file of it gets no bar."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(os, "isatty", lambda descriptor: is_terminal)
    display = make_display()
    assert type(display) is shown
    display.close()


def test_quiet_shows_the_result_alone(capsys):
    assert run("--quiet") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "best of 2 trials" in captured.out


def test_no_colour_where_none_is_wanted(monkeypatch):
    """https://no-color.org"""
    shown = {}
    for colours in (True, False):
        if not colours:
            monkeypatch.setenv("NO_COLOR", "1")
        file = io.StringIO()
        display = LiveDisplay(Console(file=file, force_terminal=True, width=80))
        display.note("something")
        display.close()
        shown[colours] = file.getvalue()
    assert "something" in shown[False]
    assert "\x1b[3" not in shown[False]


def test_the_bar_fits_into_80_columns_and_never_says_none():
    file = io.StringIO()
    display = LiveDisplay(Console(file=file, force_terminal=True, width=80, no_color=True))
    display.begins(Terms(["fid"], {"fid_x_9": "fid", "is_x_9": "is"}))

    def lines():
        """What the terminal shows now."""
        file.seek(0)
        file.truncate()
        display._live.refresh()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue()).strip("\r\n").split("\n")

    trial = Trial(123, {"learning_rate": 1.234567e-4, "d_iter": 2}, origin="explore 101")
    display.trial_started(trial, 124, 200)
    assert re.fullmatch("trial 123 \\(124 of 200\\) [ ━]+ starting +", lines()[0])
    for step in (1, 100_000):
        display.progress(123, step, 1_000_000, {})
    trial.evaluations = [Evaluation(100_000, {"is_x_9": 8.6211, "fid_x_9": 3.27431}, 3.27431)]
    display.evaluated(trial)
    bar, params, scores, *_ = lines()
    display.close()
    assert "100000/1000000 steps  " in bar
    assert " steps/s, " in bar
    assert len(bar.rstrip()) <= 80
    assert params.startswith("learning_rate=0.000123457 d_iter=2  (a step away from trial 101)")
    assert scores.startswith("step 100000/1000000: fid 3.274  (is 8.621)")


def test_points_and_trials_are_told_apart(capsys):
    autogan.run_search({**SPACE, "repeats": 2}, engine=FakeEngine(), display=PlainDisplay())
    told = capsys.readouterr().err
    assert "trial 0 (point 1 of 4)  learning_rate=" in told
    assert "again, under another seed)" in told
    assert "all 4 points are done" in told
    assert re.search(
        r"; most promising by the model: trial \d+ \(fid [\d.]+\): learning_rate=", told
    )
    assert "; best: " not in told  # its own value may rise


def test_a_further_seed_does_not_bring_back_the_points_that_are_done(monkeypatch):
    """The place of its point among all says nothing about those that are left."""
    clock = iter(range(100))
    monkeypatch.setattr("autogan.show.displays.time.monotonic", lambda: float(next(clock)))
    display, left = PlainDisplay(), []
    display.begins(Terms(["fid"], {}, repeats=2))
    for number, position, repeats in [(0, 1, None), (1, 1, 0), (2, 4, None), (3, 1, 0)]:
        display.trial_started(Trial(number, {}, repeats=repeats), position, 4)
        for step in (1, 2):
            display.progress(number, step, 2, {})
        left.append(display._left)
        display.trial_ended(Trial(number, {}, state=State.COMPLETE), None)
    assert [line.startswith("at least ") for line in left] == [True, True, False, False]
    assert left[2:] == ["", ""]


def test_a_small_picture_of_the_best_value():
    assert spark([]) == ""
    assert spark([3.0]) == "▁"
    assert spark([3.0, 2.0, 1.0]) == "█▅▁"
    assert spark([1000.0, 100.0, 10.0, 1.0]) == "█▆▃▁"  # by factors
    assert spark([-700.0, 0.0]) == "▁█"
    assert spark([float(n) for n in range(400, 0, -1)])[::39] == "█▁"
    assert len(spark([1.0] * 41)) == 40


def test_it_has_the_word_of_the_progress_lines():
    display = PlainDisplay()
    display.begins(Terms(["fid"], {}, repeats=2))
    for number, value in enumerate([3.0, 2.0]):
        trial = Trial(number, {}, state=State.COMPLETE, value=value, step=1)
        display.trial_started(trial, number + 1, 2)
        display.trial_ended(trial, trial)
    assert display._lines() == [
        "most promising by the model: trial 1 (fid 2): ",
        "most promising so far: █▁",
    ]


def test_it_stands_in_the_terminal_and_in_the_summary(capsys):
    file = io.StringIO()
    display = LiveDisplay(Console(file=file, force_terminal=True, width=80, no_color=True))
    result = autogan.run_search(SPACE, engine=FakeEngine(), display=display)
    display.close()
    values = [trial.value for trial in result.trials]
    bests = [min(values[: n + 1]) for n in range(len(values))]
    assert f"best so far: {spark(bests)}" in file.getvalue()
    told = f"lowest fid so far: {spark(bests)} from {figure(bests[0])} to {figure(bests[-1])}"
    assert told in result.summary().splitlines()


class TestTerms:
    """Values in words: what decides comes first, in four digits."""

    terms = Terms(["fid"], {"is_x_9": "is", "fid_x_9": "fid", "wd_x_9": "wd"})
    scores: ClassVar = {"is_x_9": 8.620641, "fid_x_9": 3.274381, "wd_x_9": -29645.31}

    def test_what_decides_is_first(self):
        told = self.terms.evaluation(Evaluation(10, self.scores, 3.274381))
        assert told == "fid 3.274  (is 8.621, wd -29645)"

    def test_a_sum_is_told_with_its_terms(self):
        terms = dataclasses.replace(self.terms, deciding=["is - 0.01*fid"])
        told = terms.evaluation(Evaluation(10, self.scores, 8.5879))
        assert told == "is - 0.01*fid 8.588  (is 8.621, fid 3.274, wd -29645)"

    def test_several_stand_together(self):
        terms = dataclasses.replace(self.terms, deciding=["is", "fid"])
        trial = Trial(
            2, {}, state=State.COMPLETE, evaluations=[Evaluation(10, self.scores)],
            value=0.0, losses=(-8.6, 3.3), step=10, seconds=65,
        )  # fmt: skip
        told = "complete: best is 8.621, fid 3.274, on the front at step 10 (1 min 05 s)"
        assert terms.outcome(trial) == told

    def test_a_collapse_is_told_with_its_figure(self):
        variety = dataclasses.asdict(Variety(9, 256, 256, 60.0, 0.2, 0.1, 0.05))
        last = Evaluation(10, self.scores, None, variety, True)
        told = self.terms.evaluation(last)
        assert told.endswith("collapsed: 9 different pictures among 256 images")
        trial = Trial(1, {}, state=State.COLLAPSED, reason="9 different pictures among 256 images")
        assert self.terms.outcome(trial) == "collapsed: 9 different pictures among 256 images"


class TestSummary:
    """What is printed at the end."""

    def search(self, **config):
        return autogan.run_search({**SPACE, **config}, engine=FakeEngine())

    def test_a_table_of_all_trials_the_best_first(self):
        result = self.search(
            params={"learning_rate": [1e-4, 4e-4], "z_dim": [DIVERGE, 62]}, search_method="grid"
        )
        lines = result.summary().splitlines()
        head = next(i for i, line in enumerate(lines) if line.split()[:2] == ["trial", "fid"])
        rows = [line.split() for line in lines[head + 1 : head + 5]]
        values = [float(row[1]) for row in rows[:2]]
        assert values == sorted(values)
        assert [row[3] for row in rows] == ["complete", "complete", "diverged", "diverged"]

    def test_values_beyond_the_candidates_are_explained(self):
        result = self.search(search_method="explore", trials=9)
        (line,) = [n for n in result.summary().splitlines() if "learning_rate = " in n]
        left = result.best.params["learning_rate"] not in (1e-4, 3e-4)
        assert left  # the fake's best place lies at 4e-4
        assert line.endswith("(not one of the candidates 0.0001, 0.0003: explore may leave them)")

    def test_a_winner_that_is_nearly_collapsed_is_warned_of(self, monkeypatch):
        poor = dataclasses.asdict(Variety(60, 250, 256, 60.0, 0.3, 0.2, 0.1))
        monkeypatch.setattr(FakeSession, "variety", poor, raising=False)
        told = self.search().summary()
        assert (
            "warning: the winner's images vary little: 60 different pictures among 256 images"
            in told
        )
        assert (
            "warning: low variety: 20 % of the real images have a generated image near them, and "
            "about 10 % of the generated ones are good and different (both should be above 50 %); "
            in told
        )
        fine = dataclasses.asdict(Variety(250, 250, 256, 60.0, 0.9, 0.9, 0.9))
        monkeypatch.setattr(FakeSession, "variety", fine)
        assert "warning" not in self.search(run_dir="runs/b").summary()

    def test_where_all_collapsed_the_best_before_is_named(self, monkeypatch):
        monkeypatch.setattr(FakeSession, "collapses_at", 20, raising=False)
        result = self.search()
        assert result.best is None
        assert {t.state for t in result.trials} == {State.COLLAPSED}
        told = result.summary()
        assert told.startswith("none of 4 trials has a value")
        first = [t.evaluations[0].scores[LABEL] for t in result.trials]
        best = f"trial {first.index(min(first))}, fid {figure(min(first))} at step 10"
        assert f"in hand: {best}; its training collapsed afterwards: " in told

    def test_the_best_before_is_the_best_of_several_criteria_too(self, monkeypatch):
        monkeypatch.setattr(FakeSession, "collapses_at", 20, raising=False)
        result = self.search(criterion="is,fid", prefer="is")
        scores = [t.evaluations[0].scores["is_fake_9"] for t in result.trials]
        number = scores.index(max(scores))
        told = f"in hand: trial {number}, is {figure(max(scores))}, fid "
        assert told in result.summary()

    def test_as_data_and_in_a_notebook(self):
        pandas = pytest.importorskip("pandas")
        result = self.search(also=["is"])
        frame = result.to_dataframe()
        assert isinstance(frame, pandas.DataFrame)
        assert list(frame["trial"]) == [
            t.number for t in sorted(result.trials, key=lambda t: t.value)
        ]
        assert set(frame) >= {"trial", "fid", "is", "state", "step", "learning_rate", "seed"}
        assert frame["fid"][0] == result.best.value
        assert result._repr_html_().count("<tr>") == 1 + len(result.trials)
        assert repr(result).startswith("best: fid ")
        assert "\n" not in repr(result)

    def test_a_sum_on_fresh_latents_has_its_short_name(self, monkeypatch):
        judged = {"is_fake_9-0.5*fid_fake_9": 1.5, "is_fake_9": 4.0, "fid_fake_9": 5.0}
        monkeypatch.setattr(FakeSession, "evaluate", lambda s, c: Scores(scores=judged))
        told = self.search(criterion="is - 0.5*fid").summary()
        assert "\n  is - 0.5*fid  1.5\n  is            4\n  fid           5\n" in told


def test_a_mistake_of_a_display_is_seen(monkeypatch):
    """A ValueError silences it where the terminal is closed, and there alone."""

    def mistaken(text):
        raise ValueError("too many values to unpack")

    monkeypatch.setattr("autogan.show.displays.printable_lines", mistaken)
    display = make_display()
    with pytest.raises(ValueError, match="too many values"):
        display.note("something")
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    display.note("something")
