"""The recorded tables and the functions, and what replays searches on them."""

import csv
import importlib.util
import math
import statistics
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from autogan.search import State
from autogan.search.stopping import Screening, SuccessiveHalving

ROOT = Path(__file__).parents[1]
TABLES = sorted((ROOT / "tests" / "data").glob("*.csv"))


SEEDS = {"dcgan_digits": 5, "wgan_gp_digits": 3, "gan_digits": 3}


def script(name):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "studies" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def compare():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts" / "studies")  # where it finds its neighbours
        yield script("compare_search")
    for name in ("compare_search", "experiments"):
        del sys.modules[name]


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.stem)
def test_recorded_tables_are_whole(compare, file):
    table = compare.Table(file)
    declared = script("record_table").TABLES[file.stem]
    del sys.modules["record_table"]
    lists = [values for values in declared["params"].values() if isinstance(values, list)]
    assert len(table.curves) == math.prod(map(len, lists)) == table.space.size()
    for point, seeds in table.curves.items():
        assert sorted(seeds) == [str(n) for n in range(SEEDS.get(file.stem, 2))]
        for seed, curve in seeds.items():
            whole = len(curve) == table.evaluations == 10
            assert whole or (point, seed) in table.diverged | table.collapsed
            assert all(math.isfinite(value) and value > 0 for value in curve)
    collapsed = {
        "dcgan_digits": 175, "wgan_gp_digits": 1, "gan_digits": 2, "gan_default_digits": 7,
        "gan_default_mnist": 1, "gan_default_photographs": 5,
    }  # fmt: skip
    assert len(table.collapsed | table.diverged) == collapsed[file.stem]


def test_the_table_of_scales_is_whole():
    """Each copy has all points under both seeds; the full training is one of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts" / "studies")
        scales = script("scales")
    del sys.modules["scales"]
    with (ROOT / scales.TABLE).open() as file:
        lines = list(csv.DictReader(file))
    assert {line["copy"] for line in lines} == set(scales.COPIES)
    for name in scales.COPIES:
        found = scales.recorded(lines, name, 300)
        assert found.shape == (24, 2)
    full = scales.recorded(lines, scales.FULL, 300)
    assert scales.regret(full, np.array([full.mean(axis=1).argmin()])) == 1.0
    assert scales.random_regret(full, 24) == pytest.approx(scales.regret(full, np.arange(24)))


TINY = """\
learning_rate,d_iter,seed,state,step,fid,is
0.001,1,0,complete,10,8,2
0.001,1,0,complete,20,4,2
0.001,1,1,complete,10,9,2
0.001,1,1,complete,20,10,2
0.01,1,0,complete,10,20,2
0.01,1,0,complete,20,30,2
0.01,1,1,diverged,0,,
0.001,3,0,complete,10,2,2
0.001,3,0,complete,20,6,2
0.001,3,1,complete,10,3,2
0.001,3,1,complete,20,1,2
0.01,3,0,complete,10,50,2
0.01,3,0,complete,20,40,2
0.01,3,1,complete,10,60,2
0.01,3,1,diverged,10,60,2
"""


@pytest.fixture
def tiny(compare, tmp_path):
    """Two learning rates, d_iter 1 and 3, two evaluations."""
    file = tmp_path / "dcgan_digits.csv"
    file.write_text(TINY)
    return compare.Table(file)


def test_worths_are_means_of_the_best_evaluations(tiny):
    """A diverged trial counts as the worst of the others, 40."""
    assert tiny.truth == {
        (0.001, 1): (4 + 9) / 2,
        (0.01, 1): (20 + 40) / 2,
        (0.001, 3): (2 + 1) / 2,
        (0.01, 3): (40 + 40) / 2,
    }


def test_a_training_ends_where_it_has_collapsed(compare, tmp_path):
    """At the second of two evaluations in a row at which the Inception Score is 1."""
    header = "learning_rate,d_iter,seed,state,step,fid,is\n"
    scores = {0.001: (1, 2, 1, 1.0001), 0.002: (2, 1, 1, 2), 0.003: (2, 2, 2, 1)}
    lines = [
        f"{rate},1,0,complete,{10 * (place + 1)},{100 - 10 * place},{score}"
        for rate, values in scores.items()
        for place, score in enumerate(values)
    ]
    file = tmp_path / "dcgan_digits.csv"
    file.write_text(header + "\n".join(lines))
    table = compare.Table(file)
    assert table.collapsed == {((0.002, 1), "0")}
    assert table.truth == {(0.001, 1): 70, (0.002, 1): 70, (0.003, 1): 70}  # the worst that lives
    assert table.died == {(0.001, 1): 0, (0.002, 1): 1, (0.003, 1): 0}
    assert (table.least, table.most) == (70, 70)
    replay = compare.Replay(table, "grid", None, 0).run(math.inf)
    states = [State.COMPLETE, State.DIVERGED, State.COMPLETE]
    assert [t.state for t in replay.trials] == states
    assert [t.value for t in replay.trials] == [70, None, 70]
    assert replay.spent == 2.75  # three of its four quarters


def test_budgets_count_updates_of_both_networks(tiny):
    assert tiny.evaluations == 2
    assert tiny.updates((0.001, 3)) == 10 * (1 + 3)
    assert tiny.unit == statistics.fmean([40, 80, 40, 80])


def test_the_nearest_recorded_point_answers(tiny):
    assert tiny.nearest({"learning_rate": 0.002, "d_iter": 4}) == (0.001, 3)
    assert tiny.nearest({"learning_rate": 0.009, "d_iter": 1}) == (0.01, 1)


def test_a_replay_is_a_search(compare, tiny):
    replay = compare.Replay(tiny, "grid", None, 0).run(math.inf)
    assert [t.params["learning_rate"] for t in replay.trials] == [0.001, 0.001, 0.01, 0.01]
    assert [stand.begun for stand in replay.trace] == [1, 2, 3, 4]
    first, last = replay.trace[0], replay.trace[-1]
    assert (first.spent, first.regret) == (40 / 60, (4 + 9) / 2 - 1.5)
    assert (last.regret, last.died) == (0.0, 0.0)
    again = compare.Replay(tiny, "grid", None, 0).run(math.inf)
    assert again.trials == replay.trials


def test_the_generator_in_hand_is_judged_by_its_own_value(compare, tiny):
    """The best value in the table is 1, of a combination that is worth 1.5."""
    for seed in range(4):
        replay = compare.Replay(tiny, "grid", None, seed).run(math.inf)
        values = [math.inf if t.value is None else t.value for t in replay.trials]
        regrets = [stand.in_hand for stand in replay.trace]
        assert regrets == [min(values[:count]) - 1 for count in (1, 2, 3, 4)]


def test_the_largest_learning_rates_diverge_first(compare, tmp_path):
    """Half of the four combinations; then chance decides which one of the others."""
    file = tmp_path / "dcgan_digits.csv"
    file.write_text(TINY)
    table = compare.Table(file, 0.5)
    assert {point for point, _ in table.diverged} == {(0.01, 1), (0.01, 3)}
    assert table.truth[0.01, 1] == table.truth[0.01, 3] == 9  # the worst of the others
    replay = compare.Replay(table, "grid", None, 0).run(math.inf)
    assert [t.state for t in replay.trials] == [State.COMPLETE] * 2 + [State.DIVERGED] * 2
    assert replay.spent == (2 * 20 + 2 * 40 + 20 + 40) / 60
    more = compare.Table(file, 0.75)
    assert len({point for point, _ in more.diverged}) == 3
    assert more.diverged == compare.Table(file, 0.75).diverged


def test_a_search_is_shown_at_budgets(compare, tmp_path):
    """A search of four trials, which begins with the worst and ends before a budget of 5."""
    file = tmp_path / "dcgan_digits.csv"
    file.write_text(TINY)
    traces = [compare.stands(compare.Task(file, "grid", seed, 0.0)) for seed in range(2)]
    whole = compare.Replay(compare.Table(file), "grid", None, 0).run(math.inf)
    first, last = whole.trace[0], whole.trace[-1]
    assert compare.at(traces[0], 0.1) == (0.0, 38.5, 1 / 4, 39.0)  # nothing yet
    assert compare.at(traces[0], first.spent)[1] == first.regret
    assert compare.at(traces[0], 5) == (last.spent, 0.0, 0.0, last.in_hand)
    cells = compare.row("grid", traces)
    assert len(cells) == len(compare.heads()) == 1 + 3 * len(compare.BUDGETS)
    assert cells[-3:-1] == ["0.0 ± 0.0", "0%"]


def test_a_replay_races_seeds(compare, tiny):
    replay = compare.Replay(tiny, "grid", None, 0, repeats=2).run(math.inf)
    assert [trial.repeats for trial in replay.trials] == [None, None, None, None, 1]
    good = [trial.value for trial in replay.trials if trial.params["d_iter"] == 3]
    assert sorted(v for v in good if v is not None)[:2] == [1, 2]  # fresh seeds each
    assert replay.trace[-1].begun == 4
    assert replay.trace[-1].regret == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_stopping_saves_updates_in_a_replay(compare, tiny, seed):
    """Four beginnings, of 20, 40, 20 and 40 updates, and what is left of the second trial, 40."""
    whole = compare.Replay(tiny, "grid", None, seed).run(math.inf)
    ends = {(t.params["learning_rate"], t.params["d_iter"]): t.state for t in whole.trials}
    lost = ends[0.01, 1] is State.DIVERGED  # before its first evaluation, at half the cost
    assert whole.spent == pytest.approx((240 - 20 * lost) / 60)
    for rule in (Screening(2), SuccessiveHalving(3)):
        replay = compare.Replay(tiny, "grid", rule, seed).run(math.inf)
        assert replay.spent == pytest.approx(160 / 60)
        states = [t.state for t in replay.trials]
        assert [n for n, state in enumerate(states) if state is State.COMPLETE] == [1]
        assert states.count(State.STOPPED) == 3 - lost


BRANIN = ((-3.141593, 12.275), (3.141593, 2.275), (9.42478, 2.475))  # Jones, 2001
HARTMANN = (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573)


@pytest.mark.parametrize(
    ("name", "minima"),
    [
        ("Branin over logarithmic ranges", [((x + 5) / 15, y / 15) for x, y in BRANIN]),
        ("Hartmann-6", [HARTMANN]),
    ],
)
def test_functions_have_their_known_minima(name, minima):
    """The published places hold the published values, and nothing near them is lower."""
    functions = script("compare_functions")
    del sys.modules["compare_functions"]
    function = functions.FUNCTIONS[name]
    for place in minima:
        names = [dimension.name for dimension in function.space().dimensions]
        scaled = [10 ** (6 * u - 6) if function.log else u for u in place]
        reached = function.value(function.place(dict(zip(names, scaled, strict=True))))
        assert reached == pytest.approx(function.minimum, abs=1e-5)
        found = minimize(function.value, place, bounds=[(0, 1)] * function.size)
        assert found.fun == pytest.approx(function.minimum, abs=1e-5)


def test_regrets_on_functions_fall(monkeypatch):
    functions = script("compare_functions")
    del sys.modules["compare_functions"]
    monkeypatch.setattr(functions, "SHOWN", (1, 5, 40))
    for name, function in functions.FUNCTIONS.items():
        (first, second, third), repeats = functions.searched((name, "random", 0))
        assert min(first, second, third) > 0
        if not function.noise:  # where there is, what looks best need not be
            assert first >= second >= third
        assert repeats <= 0.1


def test_the_share_of_seeds_is_that_of_the_variance():
    """Of 1, 3 and 5, 7 the variance is 20/3 in all, and 2 within each pair."""
    noise = script("seed_noise")
    del sys.modules["seed_noise"]
    assert noise.seeds_share([[1.0, 3.0], [5.0, 7.0]]) == pytest.approx(2 / (20 / 3))
    assert noise.seeds_share([[1.0, 1.0], [5.0, 5.0]]) == 0


def test_tables_are_compared_where_they_are_alike(tmp_path):
    """The lowest FID counts; what only one table has is left out."""
    noise = script("seed_noise")
    del sys.modules["seed_noise"]
    head = "b,a,seed,state,step,fid\n"
    (tmp_path / "one.csv").write_text(
        head
        + "1,2,0,complete,10,8\n1,2,0,complete,20,4\n1,2,1,complete,20,500\n1,2,2,complete,9,1\n"
        "3,4,0,complete,10,7\n3,4,1,diverged,0,\n"
    )
    other = "a,b,seed,state,step,fid\n2,1.0,0,complete,10,5\n2,1.0,1,complete,10,6\n"
    (tmp_path / "two.csv").write_text(other)
    one, two = noise.alike([noise.read(tmp_path / f"{name}.csv") for name in ("one", "two")])
    assert list(one.values()) == [[4, 500]]
    assert list(two.values()) == [[5, 6]]
    made = noise.figures(noise.read(tmp_path / "one.csv") | {("c",): [2, 3]})
    assert made["combinations, trainings"] == "3, 7"
    assert made["trainings whose lowest FID is above 100"] == f"{200 / 7:.1f} %"
