"""What all trainings say of points: the model, the recommendation and the race."""

import dataclasses
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import FakeEngine
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

import autogan
from autogan.core.hyperparameters import Dimension, Hyperparameter, Range
from autogan.search import Evaluation, History, Space, State, Trial
from autogan.search import process as processes
from autogan.search.gp import GaussianProcess
from autogan.search.model import Model
from autogan.search.process import NOBODY, Observed, Process
from autogan.search.repeats import raced, ranked, recommended, settled
from autogan.show.standings import outdone, plain_standing, promise

SPACE = Space(
    (
        Dimension(
            Hyperparameter("learning_rate", "scale", 1e-3, "", low=0.0, high=1.0),
            range=Range(1e-4, 1e-1, log=True),
        ),
        Dimension(Hyperparameter("d_iter", "count", 1, "", low=1), candidates=(1, 2, 3)),
    )
)


def training(number, point, values, state=State.COMPLETE, repeats=None):
    """A training with these values at its evaluations; a dead one keeps what it had."""
    evaluations = [Evaluation(n + 1, {}, value) for n, value in enumerate(values)]
    rate, d_iter = point
    return Trial(
        number, {"learning_rate": rate, "d_iter": d_iter}, state=state, evaluations=evaluations,
        value=min(values, default=None), repeats=repeats,
    )  # fmt: skip


A, B, C, D = (1e-3, 1), (1e-3, 3), (1e-2, 1), (3e-4, 2)


def numbers(points):
    return [each.first.number for each in points]


class TestProcess:
    @pytest.fixture
    def some(self):
        rng = np.random.default_rng(0)
        where = [
            Observed(tuple(rng.random(2)), float(rng.random()), int(rng.integers(6)),
                     int(rng.integers(15)))
            for _ in range(30)
        ]  # fmt: skip
        return where, rng.normal(size=30).tolist()

    def test_without_shared_terms_it_is_scikit_learns(self, some):
        where, values = some
        alone = [dataclasses.replace(o, point=NOBODY, training=NOBODY) for o in where]
        ours = Process(alone, values, [0.5, 2.0])
        kernel = ours._kernel
        theirs = GaussianProcessRegressor(
            ConstantKernel(kernel.field) * Matern(kernel.scales, nu=2.5)
            + WhiteKernel(kernel.noise + 1e-6),
            optimizer=None, normalize_y=True,
        )  # fmt: skip
        theirs.fit([(*o.place, o.length) for o in alone], values)
        new = [Observed((x, 1 - x), 1.0) for x in np.linspace(0, 1, 9).tolist()]
        means, deviations = ours.predict(new)
        expected, noisy = theirs.predict([(*o.place, 1.0) for o in new], return_std=True)
        noise = (kernel.noise + 1e-6) * np.var(values)
        np.testing.assert_allclose(means, expected, rtol=1e-8)
        np.testing.assert_allclose(deviations**2, noisy**2 - noise, rtol=1e-6)

    def test_shared_terms_are_written_out_once_more(self, some):
        where, values = some
        ours = Process(where, values, [0.5, 2.0])
        k = ours._kernel

        def covariance(a, b):
            x, y = (np.array([*o.place, o.length]) / k.scales for o in (a, b))
            far = math.sqrt(5) * float(np.linalg.norm(x - y))
            gap = abs(a.length - b.length)
            found = k.field * (1 + far + far**2 / 3) * math.exp(-far)
            if a.point == b.point != NOBODY:
                found += k.point * math.exp(-2 * gap)
            if a.training == b.training != NOBODY:
                found += k.training * math.exp(-gap)
            return found

        own = np.array([[covariance(a, b) for b in where] for a in where])
        own += np.eye(30) * (k.noise + 1e-6)
        asked = [
            where[3], Observed((0.2, 0.3), 1.0), Observed((0.2, 0.3), 1.0, point=2),
            Observed((0.2, 0.3), 1.0, point=2, training=4),
        ]  # fmt: skip
        across = np.array([[covariance(a, b) for b in where] for a in asked])
        mean, scale = np.mean(values), np.std(values)
        expected = across @ np.linalg.solve(own, (np.array(values) - mean) / scale)
        alone = np.array([covariance(a, a) for a in asked])
        left = alone - np.diag(across @ np.linalg.solve(own, across.T))
        means, deviations = ours.predict(asked)
        np.testing.assert_allclose(means, expected * scale + mean, rtol=1e-7)
        np.testing.assert_allclose(deviations, np.sqrt(left) * scale, rtol=1e-6)

    def test_the_fit_descends_along_its_gradient(self, some, monkeypatch):
        import scipy.optimize

        found = []

        def checked(loss, start, **options):
            for place in (start, start + 0.3):
                error = scipy.optimize.check_grad(
                    lambda n: loss(n)[0], lambda n: loss(n)[1], place
                )  # fmt: skip
                found.append(error / np.linalg.norm(loss(place)[1]))
            return original(loss, start, **options)

        original = scipy.optimize.minimize
        monkeypatch.setattr(scipy.optimize, "minimize", checked)
        processes._fitted.cache_clear()
        Process(*some, [0.5, 2.0])
        assert len(found) == 2
        assert max(found) < 1e-5

    @pytest.mark.parametrize(("deviation", "low", "high"), [(0.0, 0.0, 0.06), (1.0, 0.3, 1.0)])
    def test_it_finds_how_much_the_seed_decides(self, deviation, low, high):
        rng = np.random.default_rng(1)
        where, values = [], []
        for number in range(60):
            x = float(rng.random())
            where.append(Observed((x,), 1.0, number // 2, number))
            values.append(math.sin(3 * x) + deviation * float(rng.normal()))
        assert low <= Process(where, values, [0.5]).noise <= high

    def test_what_was_believed_changes_no_mean_and_leaves_less_doubt(self, some):
        where, values = some
        before = Process(where, values, [0.5, 2.0])
        asked = [Observed((0.9, 0.1), 1.0)]
        after = before.believing(asked)
        assert after.predict(asked)[0] == pytest.approx(before.predict(asked)[0])
        assert after.predict(asked)[1] < before.predict(asked)[1]

    def test_one_observation_and_equal_ones_are_enough(self):
        one = Observed((0.5,), 1.0, 0, 0)
        assert Process([one], [3.0], [0.5]).predict([one])[0] == pytest.approx(3.0)
        same = Process([one, dataclasses.replace(one, training=1)], [3.0, 3.0], [0.5])
        assert same.predict([one])[0] == pytest.approx(3.0)


class TestRecommendation:
    def test_a_point_that_dies_loses_against_one_that_lives(self):
        trials = [
            training(0, A, [300.0, 40.0, 1.4]),
            training(1, A, [310.0, 60.0], State.COLLAPSED, repeats=0),
            training(2, C, [290.0, 50.0, 3.0]), training(3, C, [305.0, 45.0, 3.2], repeats=2),
        ]  # fmt: skip
        best = recommended(SPACE, History(trials, "min"))
        assert numbers(best) == [2, 0]
        assert (best[1].died, best[1].values, best[1].value) == (1, [1.4], 1.4)

    def test_death_counts_as_the_worst_whatever_it_had_before(self):
        def survival(value):
            trials = [
                training(0, A, [300.0, 40.0, 2.0]),
                training(1, A, [300.0, value], State.COLLAPSED, repeats=0),
                training(2, C, [300.0, 60.0, 2.1]), training(3, C, [300.0, 60.0, 2.1], repeats=2),
            ]  # fmt: skip
            return {
                each.first.number: each.outlook.survival
                for each in recommended(SPACE, History(trials, "min"))
            }

        assert survival(0.5) == survival(80.0)
        assert survival(0.5)[0] < 0.8 < survival(0.5)[2]

    @pytest.mark.parametrize(("state", "lost"), [(State.COLLAPSED, True), (State.COMPLETE, False)])
    def test_the_summary_says_why_a_better_mean_lost(self, state, lost):
        trials = [
            training(0, A, [300.0, 40.0, 1.4]), training(1, A, [310.0, 1.5], state, repeats=0),
            training(2, C, [290.0, 50.0, 3.0]), training(3, C, [305.0, 45.0, 3.2], repeats=2),
        ]  # fmt: skip
        history = History(trials, "min")
        points = recommended(SPACE, history)
        result = SimpleNamespace(
            standing=points[0], points=points, direction="min", confirmed=[], front=[]
        )
        line = "trial 0's point has a better mean (1.4), but 1 of its 2 trainings diverged or "
        assert outdone(result) == ([f"{line}collapsed"] if lost else [])

    def test_a_range_without_width_promises_nothing(self):
        one = training(0, A, [300.0, 33.85])
        (alone,) = recommended(SPACE, History([one], "min"))
        assert alone.outlook.low == pytest.approx(alone.outlook.high, rel=1e-5)
        assert promise(alone) == "one training says little about a further one"
        plain = plain_standing(alone)
        assert (plain["low"], plain["high"], plain["mean"]) == (None, None, 33.85)
        both = [one, training(1, A, [300.0, 30.0], repeats=0)]
        (known,) = recommended(SPACE, History(both, "min"))
        assert promise(known).startswith("expect 2")
        assert plain_standing(known)["low"] < plain_standing(known)["high"]

    def test_one_training_alone_is_recommended_and_so_is_a_stopped_one(self):
        one = training(0, A, [300.0, 1.4])
        assert numbers(recommended(SPACE, History([one], "min"))) == [0]
        early = training(1, B, [1.0], State.STOPPED)
        assert numbers(recommended(SPACE, History([one, early], "min"))) == [0]
        assert numbers(recommended(SPACE, History([early], "min"))) == [1]
        both = History([early, one], "min")
        assert numbers(ranked(both, recommended(SPACE, both))) == [0, 1]

    def test_without_a_living_value_there_is_none(self):
        dead = [training(n, A, [300.0], State.COLLAPSED) for n in range(2)]
        assert recommended(SPACE, History(dead, "min")) == []
        assert recommended(SPACE, History([], "min")) == []
        running = training(0, A, [], State.RUNNING)
        assert recommended(SPACE, History([running], "min")) == []

    @pytest.mark.parametrize("direction", ["min", "max"])
    def test_its_own_seeds_overrule_its_neighbours(self, direction):
        """Two points beside each other: one is steady, the other is good but for one seed."""
        sign = 1 if direction == "min" else -1
        steady, wild = (1e-3, 1), (1.05e-3, 1)
        values = [(wild, 6.0), (wild, 7.0), (wild, 784.0), (wild, 8.0), (steady, 8.0),
                  (steady, 10.0), (steady, 9.0)]  # fmt: skip
        trials = [training(n, p, [sign * 900.0, sign * v]) for n, (p, v) in enumerate(values)]
        for t in trials:
            t.value = t.evaluations[-1].value
        best = recommended(SPACE, History(trials, direction))
        assert best[0].first.params["learning_rate"] == 1e-3
        assert best[0].outlook.spread < best[1].outlook.spread

    def test_the_range_to_expect_holds_most_further_trainings(self):
        """Sixty searches with lognormal seeds: four of five further trainings lie within."""
        rng = np.random.default_rng(3)
        inside = []
        for _ in range(60):
            trials = []
            for number in range(12):
                rate = float(10 ** rng.uniform(-4, -1))
                mean = 1 + (math.log10(rate) + 2.5) ** 2
                for seed in range(2):
                    value = math.exp(mean + 0.4 * rng.normal())
                    trials.append(training(len(trials), (rate, 1), [900.0, value],
                                           repeats=2 * number if seed else None))  # fmt: skip
            best = recommended(SPACE, History(trials, "min"))[0]
            rate = best.first.params["learning_rate"]
            mean = 1 + (math.log10(rate) + 2.5) ** 2
            further = np.exp(mean + 0.4 * rng.normal(size=20))
            inside.append(((further > best.outlook.low) & (further < best.outlook.high)).mean())
        assert 0.65 < np.mean(inside) < 0.95

    def test_the_quick_start_that_named_a_collapsing_winner(self, tmp_path):
        """Of its three trained points one seed of two collapsed: no word hides it."""
        shutil.copytree(Path(__file__).parent / "data/quickstart_collapsed", tmp_path / "a")
        result = autogan.load(tmp_path / "a")
        told = result.summary()
        assert "1 of them died" in told.splitlines()[4]
        assert "1 of its 2 trainings diverged or collapsed" in told
        assert "the best generator in hand: trial 9, fid 1.366" in told
        assert 0.4 < result.standing.outlook.survival < 0.9
        assert "trial 9's point" not in told  # it died as often as the winner
        again = [point for point in result.points if point.ended]
        assert [point.died for point in again] == [1, 1, 1]
        history = History(result.trials, "min")
        assert raced(result.config.space, history, 5) in [p.first for p in again]
        proposal = result.config.method.propose(result.config.space, history, 0)
        assert proposal.point["learning_rate"] > 1.5e-3  # not where its last nine had gone


class TestRace:
    def trained(self, values, direction="min"):
        rates = [1e-3 * 1.5**n for n in range(len(values))]
        sign = 1 if direction == "min" else -1
        return [
            training(n, (rate, 1), [sign * 900.0, sign * value])
            for n, (rate, value) in enumerate(zip(rates, values, strict=True))
        ]

    def test_it_waits_for_three_trained_points_until_the_end(self):
        two = self.trained([3.0, 5.0])
        history = History(two, "min")
        assert raced(SPACE, history, 5) is None
        assert raced(SPACE, history, 5, closing=True).number == 0
        assert raced(SPACE, History(self.trained([3.0, 5.0, 9.0]), "min"), 5) is not None
        assert raced(SPACE, History(self.trained([3.0, 5.0, 9.0]), "min"), 1) is None

    def test_a_race_goes_on_until_its_share_is_spent(self):
        rng = np.random.default_rng(0)
        trials = self.trained(np.exp(rng.normal(size=9)).tolist())
        while first := raced(SPACE, History(trials, "min"), 4):
            value = math.exp(rng.normal())
            point = (first.params["learning_rate"], 1)
            trials.append(training(len(trials), point, [900.0, value], repeats=first.number))
        further = [t for t in trials if t.repeats is not None]
        assert 0 < len(further) <= len(trials) / 2 + 1
        assert max(sum(t.params == p.params for t in trials) for p in trials) <= 4

    def test_where_the_seed_decides_little_it_spends_little(self):
        def share(deviation):
            rng = np.random.default_rng(1)
            trials = []
            for n in range(24):
                rate = float(10 ** rng.uniform(-4, -1))
                value = math.exp((math.log10(rate) + 2.5) ** 2 + deviation * rng.normal())
                trials.append(training(n, (rate, 1), [900.0, value]))
            while first := raced(SPACE, History(trials, "min"), 5):
                rate = first.params["learning_rate"]
                value = math.exp((math.log10(rate) + 2.5) ** 2 + deviation * rng.normal())
                trials.append(training(len(trials), (rate, 1), [900.0, value],
                                       repeats=first.number))  # fmt: skip
            return sum(t.repeats is not None for t in trials) / len(trials)

        assert share(0.0) < 0.15 < 0.3 < share(1.5)

    def test_no_two_seeds_of_a_point_run_beside_each_other(self):
        trials = self.trained([3.0, 5.0, 9.0, 20.0])
        first = raced(SPACE, History(trials, "min"), 5)
        point = (first.params["learning_rate"], 1)
        trials.append(training(4, point, [], State.RUNNING, repeats=first.number))
        other = raced(SPACE, History(trials, "min"), 5)
        assert other is None or other.number != first.number

    def test_what_cannot_be_the_best_is_left(self):
        """Two seeds have used up the good point; the others are a hundred times worse."""
        trials = self.trained([1.0, 400.0, 500.0, 600.0])
        trials.append(training(4, (1e-3, 1), [900.0, 1.02], repeats=0))
        for n in range(5, 25):  # so that the share is not spent
            trials.append(training(n, (3e-2 + n * 1e-3, 2), [900.0, 450.0 + n]))
        assert raced(SPACE, History(trials, "min"), 2) is None

    def test_the_same_history_gives_the_same_answer(self):
        trials = self.trained([3.0, 5.0, 9.0, 4.0])
        found = [raced(SPACE, History(trials, "min"), 5).number for _ in range(2)]
        processes._fitted.cache_clear()
        assert {*found, raced(SPACE, History(trials, "min"), 5).number} == {found[0]}


class TestModel:
    def test_survival_is_learned_from_every_training(self):
        trials = [training(n, (1e-3, d), [300.0, 5.0]) for n, d in enumerate((1, 2, 3))]
        trials += [training(n, (5e-2, d), [300.0], State.DIVERGED)
                   for n, d in enumerate((1, 2, 3), start=3)]  # fmt: skip
        model = Model(SPACE, History(trials, "min"))
        near, far = model.survival([{"learning_rate": r, "d_iter": 2} for r in (1.1e-3, 4e-2)])
        assert near > 0.8 > 0.3 > far
        assert (Model(SPACE, History(trials[:3], "min")).survival([trials[0].params]) == 1).all()

    def test_what_is_expected_of_a_point_counts_its_deaths(self):
        trials = [training(n, (1e-3, d), [300.0, 5.0]) for n, d in enumerate((1, 2, 3))]
        dead = training(3, (1e-3, 1), [300.0], State.COLLAPSED, repeats=0)
        model = Model(SPACE, History([*trials, dead], "min"))
        outlook = model.outlooks(trials[:1])[0]
        mean = model.predict([trials[0].params])[0][0]
        share = (outlook.expected - mean) / (math.log(300) - mean)
        assert share > 1 - outlook.survival > 0.1

    def test_a_dead_training_is_no_cliff_in_the_values(self):
        """Its values before its death count; the death itself is survival's."""
        living = [training(0, A, [300.0, 5.0]), training(1, C, [300.0, 9.0])]
        dead = training(2, (1.1e-3, 1), [300.0, 200.0], State.COLLAPSED)
        with_it, _ = Model(SPACE, History([*living, dead], "min")).predict([dead.params])
        assert math.exp(with_it[0]) < 30

    def test_early_values_count_for_what_they_tell(self):
        rng = np.random.default_rng(0)
        whole = []
        for number in range(12):
            rate, d_iter = float(10 ** rng.uniform(-4, -1)), int(rng.integers(1, 4))
            begun = 100 * 2 ** (2 * abs(math.log10(rate) + 2.5))
            curve = [begun, begun / 3, begun / 10, begun / 30]
            whole.append(training(number, (rate, d_iter), curve))

        def predicted(begun):
            trials = [*whole, training(12, B, [begun], State.STOPPED)]
            means, deviations = Model(SPACE, History(trials, "min")).predict([trials[12].params])
            return math.exp(means[0]), deviations[0]

        (good, doubt), (poor, _) = predicted(100.0), predicted(400.0)
        assert good < poor < 100  # at the end, where it never was
        known = Model(SPACE, History(whole, "min")).predict([whole[0].params])[1][0]
        assert doubt > known

    def test_gp_draws_while_nothing_has_a_value(self):
        """Such as trials that were stopped on collapsed images."""
        trials = [training(n, (1e-3 * 1.3**n, 1), [], State.STOPPED) for n in range(9)]
        for t in trials:
            t.evaluations = [Evaluation(1, {}, None, collapsed=True)]
        for more in ([], [training(9, A, [3.0])]):
            found = GaussianProcess().propose(SPACE, History([*trials, *more], "min"), 0)
            assert SPACE.spans(found.point)
        assert recommended(SPACE, History(trials, "min")) == []

    def test_gp_learns_from_single_trainings(self):
        """A dead seed of two leaves its point good: proposals do not flee."""
        trials = [
            training(n, (10 ** (-4 + 0.4 * n), 1), [300.0, 3.0 + 8 * (n - 4) ** 2])
            for n in range(8)
        ]
        dead = training(8, (10 ** (-4 + 0.4 * 4), 1), [300.0], State.COLLAPSED, repeats=4)
        found = GaussianProcess().propose(SPACE, History([*trials, dead], "min"), 0)
        assert abs(math.log10(found.point["learning_rate"]) + 2.4) < 0.6


class TestSettled:
    def history(self, points, seeds=2):
        rng = np.random.default_rng(0)
        trials = []
        for number in range(points):
            rate = float(10 ** rng.uniform(-4, -1))
            mean = (math.log10(rate) + 2.5) ** 2
            for seed in range(seeds if mean < 0.3 else 1):
                value = math.exp(mean + 0.3 * rng.normal())
                first = next((t.number for t in trials if t.params["learning_rate"] == rate), None)
                trials.append(training(len(trials), (rate, 1 + number % 3), [900.0, value],
                                       repeats=first if seed else None))  # fmt: skip
        return History(trials, "min")

    def test_a_further_point_promises_less_the_more_is_known(self):
        assert settled(SPACE, self.history(4), 0) is None
        found = settled(SPACE, self.history(60), 0)
        assert found is not None
        assert found.then <= found.now
        assert found.low < found.now < found.high
        assert found.now - found.then < 0.1 * (found.high - found.low)

    def test_one_seed_settles_nothing(self):
        assert settled(SPACE, self.history(60, seeds=1), 0) is None

    def test_a_search_ends_by_it_and_its_record_says_so(self, capsys):
        given = {
            "gan_type": "dcgan", "params": {"learning_rate": "1e-4..1e-2:log"},
            "search_method": "gp", "repeats": 3, "trials": 40, "run_dir": "runs/a",
        }  # fmt: skip
        display = autogan.PlainDisplay()
        result = autogan.run_search(
            {**given, "until": "settled"}, engine=FakeEngine(), display=display
        )
        assert sum(t.repeats is None for t in result.trials) < 40
        assert "settled: the best further point is expected to move fid from " in (
            capsys.readouterr().err
        )
        assert autogan.check("runs/a").difference == ""
        whole = autogan.run_search({**given, "run_dir": "runs/b"}, engine=FakeEngine())
        assert sum(t.repeats is None for t in whole.trials) == 40
