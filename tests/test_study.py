"""The study of factors: statistics on tables made by hand, the command on fake trainings."""

import csv
import importlib.util
import itertools
import json
import math
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import LABEL, FakeEngine

import autogan
from autogan.config import SearchConfig, load_config
from autogan.core.errors import ConfigError
from autogan.data.grids import grid, png
from autogan.search import Evaluation, State, Trial
from autogan.show.display import Display

SCRIPTS = Path(__file__).parents[1] / "scripts" / "studies"


def script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses and the other script look
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def stats():
    yield script("study_tables")
    del sys.modules["study_tables"]


@pytest.fixture(scope="module")
def study(stats):
    yield script("study")
    del sys.modules["study"]


def training(stats, value, /, search="a", method="grid", origin="", sign=1, **params):
    trial = Trial(0, dict(params), origin=origin)
    return stats.Training(search, method, params, value, sign, trial)


def made(stats, table, sign=1):
    """Trainings from rows of (loss, norm, rate, values of all seeds)."""
    return [
        training(stats, sign * v, loss=loss, discriminator_norm=norm, learning_rate=rate, sign=sign)
        for loss, norm, rate, values in table
        for v in values
    ]


DEAD = math.inf
TABLE = [
    ("hinge", "none", 1e-3, [7, 9, 8]),
    ("hinge", "spectral", 1e-3, [2, 3, 4]),
    ("hinge", "spectral", 1e-2, [1, DEAD, 1]),
    ("wasserstein", "none", 1e-3, [DEAD, DEAD, DEAD]),
    ("wasserstein", "spectral", 1e-3, [5, 6, 13]),
]


def test_each_value_of_a_factor_is_judged_by_its_best_point(stats):
    """Point values: means 8, 3, 1 with one dead, -, 8; medians 8, 3, 1, dead, 6."""
    table = stats.factor_table(made(stats, TABLE), ("loss",))
    assert table.rows == [
        ["hinge", "3 (2 to 4)", "3", "3", "3", "11 %", "1 of 1", "1"],
        ["wasserstein", "8 (5 to 13)", "3", "dead", "2", "50 %", "0 of 1", "5"],
    ]
    both = stats.factor_table(made(stats, TABLE), ("discriminator_norm",)).rows
    assert [row[:2] for row in both] == [["spectral", "3 (2 to 4)"], ["none", "8 (7 to 9)"]]
    pairs = stats.factor_table(made(stats, TABLE[1:]), ("loss", "discriminator_norm")).rows
    assert [row[0] for row in pairs] == [
        "hinge + spectral", "wasserstein + spectral", "wasserstein + none",
    ]  # fmt: skip
    assert pairs[-1][1:6] == ["3 of 3 dead", "3", "dead", "1", "100 %"]
    assert pairs[-1][-1] == ""


def test_a_point_that_dies_under_one_seed_loses_to_one_that_never_does(stats):
    worth = stats.Worth((1, DEAD, 2))
    assert worth.rank == (1, 1.5) > stats.Worth((500, 500, 500)).rank
    assert (worth.text(1), worth.median) == ("1.5 (1 to 2), 1 of 3 dead", 2)
    assert stats.Worth((4,)).text(1) == "4"


def test_criteria_that_should_rise_are_shown_as_they_are(stats):
    table = [("hinge", "none", 1e-3, [7, 9]), ("wasserstein", "none", 1e-3, [3, 5])]
    rows = stats.factor_table(made(stats, table, sign=-1), ("loss",)).rows
    assert [row[:4] for row in rows] == [
        ["hinge", "8 (7 to 9)", "2", "8"], ["wasserstein", "4 (3 to 5)", "2", "4"],
    ]  # fmt: skip
    assert rows[0][-1] == "9"
    assert stats.reached_table(made(stats, table, sign=-1)).rows[0][1:] == [
        "6", f"{(3 * 9 + 2 * 7 + 5) / 6:.4g}", "9 (4)", "1",
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "best"), [(1, 1), (20, 1), (21, 2), (40, 2), (60, 3), (100, 5)])
def test_the_top_is_a_twentieth_rounded_up(stats, count, best):
    found = [training(stats, loss, loss="hinge") for loss in range(count, 0, -1)]
    assert [t.loss for t in stats.top(found)] == list(range(1, best + 1))


def test_the_top_counts_values_and_leaves_out_the_dead(stats):
    losses = {"hinge": [1, 3, *[50] * 28], "wasserstein": [2, 60, *[DEAD] * 28]}
    found = [training(stats, v, loss=name) for name, own in losses.items() for v in own]
    rows = stats.factor_table(found, ("loss",)).rows
    assert [row[-2:] for row in rows] == [["2 of 3", "1 to 3"], ["1 of 3", "2 to 60"]]
    found = [training(stats, v, loss="hinge") for v in [4, *[DEAD] * 39]]
    assert [t.loss for t in stats.top(found)] == [4]


def test_the_expected_best_is_the_mean_over_all_draws(stats):
    losses = [5.0, 1.0, 8.0, 8.0, 2.5]
    assert stats.expected_best(losses, 1) == pytest.approx(statistics.fmean(losses))
    assert stats.expected_best(losses, 5) == 1
    for count in range(1, 6):
        draws = [min(drawn) for drawn in itertools.combinations(losses, count)]
        assert stats.expected_best(losses, count) == pytest.approx(statistics.fmean(draws))
    # The least of k of the numbers 1 to n is (n + 1) / (k + 1) in the mean.
    assert stats.expected_best(range(1, 101), 9) == pytest.approx(101 / 10)


def test_what_a_method_reached_goes_by_its_own_order(stats):
    grid = [training(stats, v, method="grid") for v in (9, 1, 2)]
    twice = [training(stats, v, search="b", method="grid", origin="enqueued") for v in (9, 5, 4)]
    learned = [training(stats, v, search="c", method="gp") for v in (8, DEAD, 6, 7, 3)]
    repeated = [training(stats, v, search="d", method="gp", origin="enqueued") for v in (1, 1)]
    table = stats.reached_table([*grid, *twice, *learned, *repeated])
    assert table.heads == ["", "1", "2", "5", "all", "searches"]
    assert table.rows == [
        ["grid", "5", f"{((1 + 1 + 2) / 3 + (4 + 5 + 4) / 3) / 2:.4g}", "", "2.5 (3)", "2"],
        ["gp", "8", "8", "3", "3 (5)", "1"],
    ]
    dead = [training(stats, DEAD, method="gp"), training(stats, 4, method="gp")]
    assert stats.reached_table([*grid, *dead]).rows[1][1:3] == ["9", "4"]


def test_tables_are_of_what_varies(stats):
    found = made(stats, TABLE)
    titles = [table.title for table in stats.tables(found)]
    assert titles[:2] == ["loss", "discriminator_norm"]
    assert len(titles) == 3
    assert stats.varied(found) == ["loss", "discriminator_norm", "learning_rate"]
    assert [t.title for t in stats.tables(made(stats, TABLE[3:4]))] == []
    table = stats.Table("a", ["", "bb"], [["ccc", "d"]])
    assert table.text(markdown=False) == "\na\n       bb\n  ccc  d"
    assert table.text(markdown=True) == "\na\n\n|  | bb |\n| --- | --- |\n| ccc | d |"


def test_a_training_counts_as_dead_from_the_step_it_died_in(stats):
    fids = [Evaluation(step, {LABEL: fid}) for step, fid in ((100, 9.0), (200, 4.0), (300, 6.0))]
    lived = Trial(0, {}, state=State.COMPLETE, evaluations=fids, steps=300)
    assert [stats.lowest(lived, steps) for steps in (100, 200, 300)] == [9, 4, 4]
    died = Trial(0, {}, state=State.COLLAPSED, evaluations=fids, steps=250)
    assert [stats.lowest(died, steps) for steps in (200, 250, 300)] == [4, DEAD, DEAD]


def test_the_spread_is_numpys_quartiles_with_the_dead_as_the_worst(stats):
    fids = [float(fid) for fid in np.random.default_rng(0).permutation(np.arange(3, 23)) ** 2]
    quartiles = [f"{fid:.3g}" for fid in np.percentile(fids, (0, 25, 50, 75, 100))]
    assert stats.spread(fids) == ["0", *quartiles, "2"]  # 9 and 16 are at most 18
    worst = [DEAD if fid > 400 else fid for fid in fids]
    assert stats.spread(worst) == ["2", *quartiles[:4], "dead", "2"]


@pytest.mark.parametrize(("size", "images"), [(4, 60), (20, 30), (32, 10), (64, 4)])
def test_a_picture_holds_the_images_that_fit_into_a_small_file(monkeypatch, tmp_path, size, images):
    """60 images, ten in a row, of noise, which no compression makes smaller."""
    experiments = script("experiments")
    del sys.modules["experiments"]
    monkeypatch.setattr(experiments, "PICTURES", tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (60, size, size, 3), dtype=np.uint8)
    experiments.keep_grid("noise", noise)
    assert (tmp_path / "noise.png").stat().st_size <= 60_000
    kept = noise[:images]
    assert (tmp_path / "noise.png").read_bytes() == png(grid(kept, min(10, images)))


STUDY = """\
gan_type: gan
dataset: digits
params:
  loss: [hinge, wasserstein]
  penalty: [none, gradient_norm]
  penalty_weight: 0.5..20:log
  learning_rate: 5e-4..5e-3:log
steps: 30
trials: 3
stopping: asha
confirm: {top: 2, repeats: 2}
max_minutes: 100
"""


@pytest.fixture
def command(study, monkeypatch, tmp_path):
    """Run the command on fake trainings; `Command.started` counts them."""
    (tmp_path / "few.yaml").write_text(STUDY)
    run_search = autogan.run_search

    class Command:
        started = 0
        display = Display

        def __call__(self, *arguments):
            monkeypatch.setattr(sys, "argv", ["study", *arguments])
            monkeypatch.setattr(study, "make_display", self.display)
            return study.main()

    made = Command()

    def search(*given, **named):
        engine = FakeEngine()
        try:
            return run_search(*given, engine=engine, **named)
        finally:
            made.started += len(engine.started)

    monkeypatch.setattr(autogan, "run_search", search)
    return made


class Press(Display):
    """Ctrl-C after the fourth trial."""

    left = 4

    def trial_ended(self, *_):
        Press.left -= 1
        if not Press.left:
            os.kill(os.getpid(), signal.SIGINT)


def values(root):
    """Of all trials in a study's folder."""
    return {
        (search.name, line["trial"]): line["value"]
        for search in Path(root).iterdir()
        for line in map(json.loads, (search / "trials.jsonl").read_text().splitlines())
        if line["record"] == "ended"
    }


GIVEN = ("few.yaml", "--methods", "grid,random", "--seeds", "2")


def test_a_study_that_was_interrupted_goes_on(command, capsys, tmp_path):
    """Grid has 2 losses times (none, or a gradient_norm of 2 weights) times 1 rate: 6 points."""
    command.display = Press
    assert command(*GIVEN) == 130
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err.endswith("study: stopped; repeat the command to resume\n")
    assert 0 < len(values("runs/study-few")) < 6
    command.display = Display
    assert command(*GIVEN, "--csv", "trials.csv") == 0
    out = capsys.readouterr()
    assert "grid-0: 6 points, 2 seeds" in out.err
    assert "random-0: 3 points" in out.err
    assert command.started == 2 * 6 + 2 * 3
    assert command(*GIVEN, "--folder", "undisturbed") == 0
    assert capsys.readouterr().out == out.out
    assert values("undisturbed") == values("runs/study-few")
    begun = command.started
    assert command(*GIVEN) == 0
    assert command.started == begun, "what has ended is left alone"
    assert capsys.readouterr().out == out.out

    rows = list(csv.DictReader((tmp_path / "trials.csv").read_text().splitlines()))
    assert len(rows) == 18
    points = {}
    for row in rows:
        if row["search"].endswith(("random-0", "random-1")):
            points.setdefault(row["search"], []).append(
                [row[name] for name in ("loss", "penalty", "penalty_weight", "learning_rate")]
            )
        assert (row["penalty_weight"] == "") is (row["penalty"] == "none")
        assert row["value"] == row[LABEL]
        assert row["state"] == "complete"
    first, second = points.values()
    assert first == second, "the same points under another seed"
    assert len({row["seed"] for row in rows}) == 2 * 6, "random shares the seeds of its numbers"
    titles = [line for line in out.out.splitlines() if line and not line.startswith(" ")]
    assert titles[:2] == ["loss", "penalty"]
    grid = next(line for line in out.out.splitlines() if line.startswith("  grid")).split()
    mine = [[float(r["value"]) for r in rows if f"grid-{seed}" in r["search"]] for seed in (0, 1)]
    assert float(grid[1]) == pytest.approx(statistics.fmean(map(statistics.fmean, mine)), rel=1e-3)
    assert float(grid[4]) == pytest.approx(statistics.fmean(map(min, mine)), rel=1e-3)


def test_a_finished_search_is_reported_without_tensorflow(command, capsys):
    assert (
        command(*GIVEN, "--settings", "learning_rate=1e-3", "--settings", "penalty_weight=2") == 0
    )
    said = capsys.readouterr().out
    assert command("--report-only", "runs/study-few") == 0
    assert capsys.readouterr().out == said
    searches = [str(path) for path in sorted(Path("runs/study-few").iterdir())]
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import study; study.main(); "
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(SCRIPTS), "--report-only", *searches, "--markdown"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "\nloss\n\n|  | best point | seeds |" in done.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["few.yaml", "--seeds", "0"], "seeds: 0; give 1 or more"),
        (["few.yaml", "--param", "generator_lr_scale=1..4"], "--settings generator_lr_scale=V1,V2"),
        (["none.yaml"], "config: none.yaml cannot be read"),
        (["few.yaml", "--methods", "gird"], "search_method: 'gird' is not known"),
        (["--report-only", "."], "report_only: . holds no search"),
    ],
)
def test_bad_input_is_told_in_one_line(command, capsys, given, said):
    assert command(*given) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("study: ")
    assert said in lines[0]
    assert not Path("runs").exists()


def test_another_configuration_is_refused_in_the_same_folder(command, capsys):
    assert command(*GIVEN, "--methods", "random") == 0
    assert command(*GIVEN, "--methods", "random", "--steps", "60") == 2
    assert "steps was 30, now 60" in capsys.readouterr().err
    assert command(*GIVEN, "--methods", "random", "--trials", "4") == 0
    assert command.started == 8, "more points are no other configuration"


def test_dead_trainings_are_counted_and_criteria_not_mixed(command, study, capsys):
    assert command(*GIVEN, "--methods", "random", "--param", "z_dim=14") == 0  # all diverge
    assert "100 %" in capsys.readouterr().out
    found = study.trainings([Path("runs/study-few")])
    assert {(t.loss, t.trial.state) for t in found} == {(math.inf, State.DIVERGED)}
    Path("other.yaml").write_text(f"{STUDY}criterion: is\n")
    assert command("other.yaml", *GIVEN[1:], "--methods", "random") == 0
    with pytest.raises(ConfigError, match="fid_fake_9, is_fake_9 cannot be compared"):
        study.trainings([Path("runs/study-few"), Path("runs/study-other")])


def test_the_bundled_searches_of_factors_cross_them():
    for name in ("factors_digits", "factors_mnist", "factors_cifar10"):
        config = load_config(SearchConfig, Path(name))
        searched = {dimension.name for dimension in config.space.dimensions}
        assert searched >= {"loss", "discriminator_norm", "penalty", "penalty_weight"}
        assert "learning_rate" in searched
