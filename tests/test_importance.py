"""Which hyperparameters the page says to matter, by searches of functions that are known."""

import importlib.util
import math
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autogan.core.hyperparameters import Dimension, Hyperparameter, Range
from autogan.report import effects as model
from autogan.report.effects import FEWEST, effects
from autogan.report.view import Measure
from autogan.search import Evaluation, Space, State, Trial

_spec = importlib.util.spec_from_file_location(
    "importance_noise", Path(__file__).parents[1] / "scripts" / "studies" / "importance_noise.py"
)
importance_noise = importlib.util.module_from_spec(_spec)
sys.modules["importance_noise"] = importance_noise  # where dataclasses look
_spec.loader.exec_module(importance_noise)
CASES, METHODS = importance_noise.CASES, importance_noise.METHODS
SEARCHES = 3
TRIED = [*((m, c) for m in METHODS for c in ("one", "none")),
         *(("gp", c) for c in ("dead", "choice", "asha"))]  # fmt: skip


def unit(name):
    return Dimension(Hyperparameter(name, "share", 0.5, "", high=1.0), range=Range(0.0, 1.0))


def drawn(function, dimensions, count, noise=0.0, seed=0, direction="min"):
    """A view of trials that were drawn from a space, with a function's values."""
    rng, space, trials = random.Random(seed), Space(dimensions), []
    for number in range(count):
        point = dict(space.draw(rng, set()))
        value = function(point)
        if value is None:
            trials.append(Trial(number, point, state=State.DIVERGED, value=1e-9))
            continue
        value += rng.gauss(0, noise)
        evaluations = [Evaluation(1, {}, value)]
        trials.append(Trial(number, point, state=State.COMPLETE, evaluations=evaluations,
                            value=value, step=1))  # fmt: skip
    worths = {t.number: t.value for t in trials if not t.dead}
    return SimpleNamespace(
        trials=trials,
        measures=[Measure("fid", direction, lambda e: e.value, worths)],
        result=SimpleNamespace(direction=direction, config=SimpleNamespace(space=space)),
    )


def wrong(case, method, searches=SEARCHES, points=20):
    """In how many searches something is said to matter that does nothing."""
    right = {"x"} if CASES[case].matters else set()
    found = [
        importance_noise.important(
            CASES[case], importance_noise.searched(CASES[case], method, points, s)
        )
        for s in range(searches)
    ]
    return sum(bool(names - right) for names in found), sum("x" in names for names in found)


@pytest.mark.parametrize(("method", "case"), TRIED)
@pytest.mark.slow
def test_what_does_nothing_is_not_called_important(method, case):
    """The figures of docs/report.md are of more searches (scripts/studies/importance_noise.py)."""
    mistaken, x = wrong(case, method)
    assert mistaken <= 1
    assert x >= SEARCHES - 1 if CASES[case].matters else x <= 1


def test_a_page_that_says_too_much_is_found_out(monkeypatch):
    """The test above can fail: where a little evidence is enough, chance gives it."""
    monkeypatch.setattr(model, "_TOLD", 0.2)
    assert wrong("none", "random", searches=8)[0] > 1


def test_shares_are_those_of_the_function():
    """By hand: the variances of 2a, b and 6(a - 1/2)(b - 1/2) for uniform a and b, and noise."""
    view = drawn(
        lambda p: 2 * p["a"] + p["b"] + 6 * (p["a"] - 0.5) * (p["b"] - 0.5),
        (unit("a"), unit("b"), unit("c")), 100, noise=0.2,
    )  # fmt: skip
    a, b, both, noise = 4 / 12, 1 / 12, 36 / 144, 0.04
    whole = a + b + both + noise
    found = {e.dimension.name: e for e in effects(view).each}
    assert {e.dimension.name for e in effects(view).told} == {"a", "b"}
    for name, share in (("a", (a + both) / whole), ("b", (b + both) / whole)):
        assert found[name].share == pytest.approx(share, abs=0.08)
        assert found[name].low - 0.03 < share < found[name].high + 0.03
        assert 0 <= found[name].low < found[name].share < found[name].high <= 1
    assert found["c"].high < 0.02


def test_it_does_not_matter_where_a_method_looked():
    """Most points have the same value of a: it explains little of them, and much of the space."""
    dimensions = (unit("a"), unit("b"))
    view = drawn(lambda p: 4 * p["a"], dimensions, 30, noise=0.1)
    for trial in view.trials[8:]:
        trial.params["a"] = 0.1 + 0.02 * random.Random(trial.number).random()
        trial.value = 4 * trial.params["a"] + random.Random(trial.number).gauss(0, 0.1)
        trial.evaluations = [Evaluation(1, {}, trial.value)]
    (first,) = effects(view).told
    assert first.dimension.name == "a"
    assert first.share > 0.8


def test_higher_can_be_better_and_the_dead_are_the_worst():
    """They have kept the best value that they ever had, which does not count."""
    dimensions = (unit("a"), unit("b"))
    found = []
    for seed in range(6):
        view = drawn(lambda p: None if p["a"] > 0.7 else 5.0, dimensions, 40, 0.01, seed, "max")
        found.append({e.dimension.name for e in effects(view).told})
    assert all("a" in names for names in found)
    assert sum("b" in names for names in found) <= 2
    for trial in view.trials:
        trial.state, trial.value, trial.evaluations = State.DIVERGED, None, []
    assert effects(view) is None  # all alike


def test_a_hyperparameter_that_exists_beside_a_choice_alone_is_judged_there():
    choice = Dimension(Hyperparameter("kind", "choice", "p", "", choices=("p", "q")), ("p", "q"))
    part = Dimension(
        Hyperparameter("part", "share", 0.5, "", high=1.0, under={"kind": ("q",)}),
        range=Range(0.0, 1.0),
    )
    view = drawn(lambda p: 5 + p.get("part", 0.5), (choice, part, unit("c")), 60, noise=0.1)
    assert [e.dimension.name for e in effects(view).told] == ["part"]


def test_a_trial_that_collapsed_at_first_and_came_back_has_a_place():
    view = drawn(lambda p: 1 + p["a"], (unit("a"), unit("b")), 30, noise=0.05)
    for trial in view.trials:
        early = Evaluation(0, {}, None, collapsed=True)
        trial.evaluations = [early if trial.number % 5 == 0 else trial.evaluations[0],
                             *trial.evaluations]  # fmt: skip
    assert [e.dimension.name for e in effects(view).told] == ["a"]


def test_too_few_trials_and_constants_say_nothing():
    dimensions = (unit("a"), unit("b"))
    assert effects(drawn(lambda p: p["a"], dimensions, FEWEST - 1)) is None
    assert effects(drawn(lambda p: 1.0, dimensions, 30)) is None
    view = drawn(lambda p: p["a"], dimensions, FEWEST)
    for trial in view.trials:
        trial.params["a"] = 0.5
    assert [e.dimension.name for e in effects(view).each] == ["b"]


def test_a_page_of_many_trials_and_hyperparameters_is_made_from_a_sample(monkeypatch):
    sizes = []
    solve = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda a, b: sizes.append(a.shape) or solve(a, b))
    view = drawn(
        lambda p: math.exp(3 * p["h0"]), tuple(unit(f"h{n}") for n in range(12)), 1000, 0.1
    )
    found = effects(view)
    assert [e.dimension.name for e in found.told] == ["h0"]
    assert found.trials == 1000
    assert max(shape[-1] for shape in sizes) < 100
    assert effects(view).each == found.each  # the same record gives the same page


def test_the_script_prints_its_tables(monkeypatch, capsys):
    arguments = [
        "x",
        "--searches",
        "1",
        "--methods",
        "random",
        "--cases",
        "one",
        "--processes",
        "1",
    ]
    monkeypatch.setattr("sys.argv", arguments)
    importance_noise.main()
    assert "| random, 20 | 100 % | 0 % |" in capsys.readouterr().out
