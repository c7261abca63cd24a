"""Search methods: a contract for all of them, and what each one is known for."""

import math
import statistics
import sys

import pytest

from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Dimension, Hyperparameter, Range
from autogan.search import (
    SEARCH_METHODS,
    Evaluation,
    Explore,
    GridSearch,
    History,
    RandomSearch,
    State,
    Trial,
)
from autogan.search.adaptive import AdaptiveExplore
from autogan.search.cmaes import CMAES
from autogan.search.cube import Cube
from autogan.search.gp import GaussianProcess
from autogan.search.history import normal_scores, standings
from autogan.search.optuna_samplers import NSGAII, TPE
from autogan.search.space import Space, distinct_values, key, neighbours

RATE = Hyperparameter("learning_rate", "scale", 1e-3, "", low=1e-7, high=1.0)
COUNT = Hyperparameter("d_iter", "count", 1, "", low=1, high=20)
SHARE = Hyperparameter("gamma", "share", 0.5, "", low=0.0, high=1.0)
SIZE = Hyperparameter("batch_size", "size", 64, "", low=2, high=512)
CHOICE = Hyperparameter("optimizer", "choice", "adam", "", choices=("adam", "rmsprop", "sgd"))

LISTS = Space(
    (
        Dimension(RATE, (1e-4, 1e-3, 1e-2)),
        Dimension(COUNT, (1, 5)),
        Dimension(CHOICE, ("adam", "rmsprop")),
    )
)
# The same with a choice that decides what exists, beside a range.
RATE_OF_ADAM = Hyperparameter(
    "beta1", "share", 0.5, "", low=0.0, high=1.0, under={"optimizer": ("adam",)}
)
CONDITIONAL = Space(
    (
        Dimension(RATE, range=Range(1e-5, 1e-1, log=True)),
        Dimension(CHOICE, ("adam", "rmsprop")),
        Dimension(RATE_OF_ADAM, (0.0, 0.5, 0.9)),
    )
)
METHODS = list(SEARCH_METHODS)
DRAWING = [kind for kind in METHODS if not kind.needs_lists]


def trial(number, point, value=None, state=State.COMPLETE, origin=""):
    return Trial(number, dict(point), state=state, value=value, origin=origin)


def run(method, space, count, value, seed=0, direction="min"):
    """Search on a formula; the list of trials."""
    trials = []
    for number in range(count):
        proposal = method.propose(space, History(trials, direction), seed)
        if proposal is None:
            break
        trials.append(trial(number, proposal.point, value(proposal.point), origin=proposal.origin))
    return trials


def assert_of_space(kind, space, trials):
    """Each value is one of the user's list or range.

    A method that may leave the lists does so by its documented steps from values before.
    """
    for dimension in space.dimensions:
        known = set(dimension.candidates)
        for t in trials:
            if dimension.name not in t.params:
                continue
            value = t.params[dimension.name]
            assert dimension.hyperparameter.check(value) == value
            if dimension.range is not None:
                assert dimension.range.low <= value <= dimension.range.high
            else:
                assert value in known
                known.update(() if kind.stays_in_space else neighbours(dimension, value))


def bowl(point):
    return abs(math.log10(point["learning_rate"]) + 3.3) + point["d_iter"] / 10


@pytest.mark.parametrize("kind", METHODS)
class TestEveryMethod:
    def test_is_pure(self, kind):
        trials = run(kind(), LISTS, 5, bowl)
        history = History(trials, "min")
        method = kind()
        first = method.propose(LISTS, history, 3)
        assert first == method.propose(LISTS, history, 3) == kind().propose(LISTS, history, 3)

    def test_resuming_is_replaying(self, kind):
        whole = run(kind(), LISTS, 9, bowl)
        for cut in range(9):
            proposal = kind().propose(LISTS, History(whole[:cut], "min"), 0)
            assert dict(proposal.point) == whole[cut].params

    def test_points_are_of_the_space(self, kind):
        """The lists have gaps; more is better, so that a method would like to leave them."""
        trials = run(kind(), LISTS, 12, lambda p: -p["learning_rate"] - p["d_iter"])
        assert all(list(t.params) == ["learning_rate", "d_iter", "optimizer"] for t in trials)
        assert len(trials) == 12
        assert_of_space(kind, LISTS, trials)

    def test_repeats_nothing_and_says_when_nothing_is_left(self, kind):
        def constant(point):  # never better than the first: exploring adds one pair of values
            return bowl(point) + 100 * (point["learning_rate"] != 1e-3)

        trials = run(kind(), LISTS, 500, constant)
        keys = [key(t.params) for t in trials]
        assert len(set(keys)) == len(keys) < 500
        grid = {key(p) for p in LISTS.points()}
        assert grid <= set(keys)

    @pytest.mark.parametrize("state", [State.RUNNING, State.FAILED, State.DIVERGED])
    def test_avoids_trials_in_every_state(self, kind, state):
        points = list(LISTS.points())
        trials = [trial(i, p, None, state) for i, p in enumerate(points[:-1])]
        proposal = kind().propose(LISTS, History(trials, "min"), 0)
        assert dict(proposal.point) == points[-1]

    def test_maximising_is_minimising_upside_down(self, kind):
        falling = run(kind(), LISTS, 12, bowl)
        rising = run(kind(), LISTS, 12, lambda p: -bowl(p), direction="max")
        assert [t.params for t in rising] == [t.params for t in falling]

    def test_trials_that_others_proposed_are_taken_in(self, kind):
        """At any point, with any origin, in any state, with few evaluations or many."""
        trials = [
            Trial(number, dict(point), state=state, value=value,
                  evaluations=[Evaluation(n, {}, 9.0 - n) for n in range(number % 4)])
            for number, (point, state, value) in enumerate(
                zip(list(LISTS.points())[:10], [*State, *State][:10],
                    [None, 1.0, 2.0, None, None, None, None, 1.0, 2.0, None], strict=True)
            )
        ]  # fmt: skip
        point = kind().propose(LISTS, History(trials, "min"), 0).point
        assert key(point) not in {key(t.params) for t in trials}

    def test_values_that_never_differ_are_no_trouble(self, kind):
        assert len(run(kind(), LISTS, 12, lambda point: 1.0)) == 12

    def test_a_proposal_costs_no_more_than_its_history(self, kind):
        """Ten times as many trials may cost ten times as many steps, or twice that, not a hundred.

        Counted are function calls, which do not depend on how busy the machine is.
        """
        rates = tuple(10 ** (-5 + n / 100) for n in range(400))
        space = Space((Dimension(RATE, rates), Dimension(COUNT, tuple(range(1, 21)))))
        points = list(space.points())
        history = [
            trial(n, p, bowl(p)) for n, p in enumerate(points[:: len(points) // 1000][:1000])
        ]

        def calls(count):
            method, counted = kind(), 0

            def count_call(frame, event, _):
                nonlocal counted
                counted += event == "call"

            method.propose(space, History(history[:count], "min"), 0)  # imports
            sys.setprofile(count_call)
            try:
                method.propose(space, History(history[:count], "min"), 0)
            finally:
                sys.setprofile(None)
            return counted

        assert calls(1000) < 20 * calls(100)


@pytest.mark.parametrize("kind", DRAWING)
class TestSampling:
    def test_seeds_matter(self, kind):
        runs = {
            tuple(key(t.params) for t in run(kind(), LISTS, 6, bowl, seed)) for seed in range(9)
        }
        assert len(runs) == 9

    @pytest.mark.parametrize("sign", [1, -1])
    def test_draws_from_ranges(self, kind, sign):
        """Values that fall towards one corner, where a step could leave the ranges."""
        space = Space(
            (
                Dimension(RATE, range=Range(1e-4, 1e-3, log=True)),
                Dimension(COUNT, range=Range(3, 7)),
                Dimension(SHARE, range=Range(0.25, 0.55)),
                Dimension(CHOICE, ("adam", "rmsprop")),
            )
        )
        trials = run(kind(), space, 50, lambda p: sign * (1e3 * p["learning_rate"] + p["d_iter"]))
        assert len(trials) == 50
        assert_of_space(kind, space, trials)

    def test_integer_ranges_are_exhausted(self, kind):
        space = Space((Dimension(SIZE, range=Range(2, 6)),))
        values = [t.params["batch_size"] for t in run(kind(), space, 50, lambda p: 1.0)]
        assert sorted(values) == [2, 3, 4, 5, 6]

    def test_what_has_no_meaning_is_left_out(self, kind):
        for t in run(kind(), CONDITIONAL, 25, lambda p: p["learning_rate"] + p.get("beta1", 0.3)):
            assert ("beta1" in t.params) == (t.params["optimizer"] == "adam")

    def test_one_dimension_is_enough(self, kind):
        space = Space((Dimension(RATE, range=Range(1e-5, 1e-1, log=True)),))
        assert len(run(kind(), space, 15, lambda p: p["learning_rate"])) == 15


@pytest.mark.parametrize(
    ("kind", "trials"), [(AdaptiveExplore, 40), (TPE, 40), (GaussianProcess, 25), (CMAES, 100)]
)
def test_is_nearer_the_best_than_random_search(kind, trials):
    """The mean regret over eight seeds, the least value being 0.1; CMA-ES takes long to begin."""
    space = Space(
        (Dimension(RATE, range=Range(1e-6, 1e-1, log=True)), Dimension(COUNT, range=Range(1, 9)))
    )
    means = [
        statistics.fmean(
            min(t.value for t in run(k(), space, trials, bowl, seed)) - 0.1 for seed in range(8)
        )
        for k in (kind, RandomSearch)
    ]
    assert means[0] < 0.75 * means[1]


def test_random_draws_spread_over_a_range():
    space = Space((Dimension(RATE, range=Range(1e-5, 1e-1, log=True)),))
    trials = run(RandomSearch(), space, 200, lambda p: 1.0)
    below = sum(t.params["learning_rate"] < 1e-3 for t in trials)
    assert 70 < below < 130  # half of them, on a logarithmic scale


@pytest.mark.parametrize("kind", [RandomSearch, Explore])
def test_bags_weigh(kind):
    space = Space((Dimension(RATE, (1e-4, 1e-4, 1e-4, 1e-3)),))
    history = History([], "min")
    method = kind(distinct=False)
    draws = [method.propose(space, history, s).point["learning_rate"] for s in range(400)]
    assert 260 < draws.count(1e-4) < 340


def test_grid_order_is_the_command_lines():
    trials = run(GridSearch(), LISTS, 99, bowl)
    assert [tuple(t.params.values()) for t in trials][:5] == [
        (1e-4, 1, "adam"),
        (1e-4, 1, "rmsprop"),
        (1e-4, 5, "adam"),
        (1e-4, 5, "rmsprop"),
        (1e-3, 1, "adam"),
    ]
    assert len(trials) == LISTS.size() == 12


def test_explore_steps_away_from_each_new_best_draw():
    space = Space((Dimension(RATE, (1e-4, 1e-3)), Dimension(COUNT, (4, 8))))
    first, second = run(Explore(), space, 2, bowl)
    assert second.origin == "explore 0"
    rate, count = first.params["learning_rate"], first.params["d_iter"]
    assert second.params["learning_rate"] in {float(f"{rate * f:.10g}") for f in (0.8, 1.2)}
    assert second.params["d_iter"] in (count - 1, count + 1)


def test_explore_does_not_step_away_from_a_step_or_from_a_worse_draw():
    point = {"learning_rate": 1e-3, "d_iter": 4}
    step = {"learning_rate": 8e-4, "d_iter": 5}
    trials = [trial(0, point, 2.0), trial(1, step, 1.0, origin="explore 0")]
    space = Space((Dimension(RATE, (1e-3, 1e-2)), Dimension(COUNT, (4, 8))))
    for seed in range(20):
        assert Explore().propose(space, History(trials, "min"), seed).origin == ""
        worse = [*trials, trial(2, {"learning_rate": 1e-2, "d_iter": 8}, 1.5)]
        assert Explore().propose(space, History(worse, "min"), seed).origin == ""


def test_explore_steps_away_in_parallel_too():
    """A running trial between a draw and its step changes nothing; a step is taken once."""
    space = Space((Dimension(RATE, (1e-4, 1e-3, 1e-2)), Dimension(COUNT, (4, 8))))
    draw = trial(0, {"learning_rate": 1e-3, "d_iter": 4}, 2.0)
    running = trial(1, {"learning_rate": 1e-4, "d_iter": 4}, None, State.RUNNING)
    step = Explore().propose(space, History([draw, running], "min"), 0)
    assert step.origin == "explore 0"
    begun = trial(2, step.point, None, State.RUNNING, step.origin)
    assert Explore().propose(space, History([draw, running, begun], "min"), 0).origin == ""


def test_diverged_trials_are_no_success():
    space = Space((Dimension(RATE, (1e-4, 1e-3)),))
    trials = [trial(0, {"learning_rate": 1e-3}, None, State.DIVERGED)]
    assert Explore().propose(space, History(trials, "min"), 0).origin == ""


def test_explore_reproduces_the_thesis_simulation():
    """Share of usable points (distance at most 2 from the best) among 50 trials, two dimensions.

    Auto-GAN, section 4.4, with independent draws and bags; the mean over many seeds is 0.43 for
    exploit & explore and 25 / 130 for random.
    """
    rates = tuple(float(f"{10 ** (-6 + i / 2):.10g}") for i in range(13))
    rate = Hyperparameter("learning_rate", "scale", 1e-4, "", low=0.0)
    count = Hyperparameter("d_iter", "count", 4, "", low=1)
    space = Space((Dimension(rate, rates), Dimension(count, tuple(range(1, 11)))))

    def usable(point):
        offset = math.hypot(math.log10(point["learning_rate"]) + 4, point["d_iter"] - 4)
        return 1.0 if offset <= 2 + 1e-9 else None  # usable trials are as good as each other

    def share(method):
        shares = []
        for seed in range(120):
            trials = run(method, space, 50, usable, seed, "max")
            shares.append(statistics.fmean(t.value is not None for t in trials))
        return statistics.fmean(shares)

    assert sum(usable(p) is not None for p in space.points()) == 25
    assert share(RandomSearch(distinct=False)) == pytest.approx(25 / 130, abs=0.02)
    assert share(Explore(distinct=False)) == pytest.approx(0.43, abs=0.05)


@pytest.mark.parametrize(
    ("hyperparameter", "value", "expected"),
    [
        (RATE, 2e-4, (1.6e-4, 2.4e-4)),
        (RATE, 1.0, (0.8,)),
        (COUNT, 4, (3, 5)),
        (COUNT, 1, (2,)),
        (SHARE, 0.3, (0.2, 0.4)),
        (SHARE, 0.95, (0.85,)),
        (SIZE, 64, (32, 128)),
        (CHOICE, "adam", ("rmsprop", "sgd")),
    ],
)
def test_neighbours(hyperparameter, value, expected):
    candidates = (32, 64, 128) if hyperparameter is SIZE else hyperparameter.choices
    assert neighbours(Dimension(hyperparameter, candidates), value) == expected


@pytest.mark.parametrize(
    ("hyperparameter", "interval", "value", "expected"),
    [
        (RATE, Range(1e-4, 1e-3, log=True), 9e-4, (7.2e-4, 1e-3)),
        (RATE, Range(1e-4, 1e-3, log=True), 1e-4, (1.2e-4,)),
        (RATE, Range(1e-4, 1e-4), 1e-4, (1e-4,)),
        (COUNT, Range(3, 7), 7, (6,)),
        (SHARE, Range(0.25, 0.55), 0.5, (0.4, 0.55)),
        (SHARE, Range(0.0, 1.0), 0.95, (0.85, 1.0)),
    ],
)
def test_steps_do_not_leave_a_range(hyperparameter, interval, value, expected):
    """A list is where exploring begins, as in the thesis; a range is a limit."""
    assert neighbours(Dimension(hyperparameter, range=interval), value) == expected


def test_sizes_of_spaces():
    assert LISTS.size() == 12
    assert Space((Dimension(RATE, range=Range(1e-4, 1e-2)),)).size() is None
    assert distinct_values(Dimension(COUNT, (1, 5, 1))) == (1, 5)


def test_history_ranks_by_value_and_counts_tries():
    trials = [
        trial(0, {}, 3.0),
        trial(1, {}, 1.0, State.DIVERGED),
        trial(2, {}, 2.0),
        trial(3, {}, 2.0, State.STOPPED),
        trial(4, {}, None, State.FAILED),
        trial(5, {}, None, State.RUNNING),
    ]
    history = History(trials, "min")
    assert [t.number for t in history.ranked()] == [2, 3, 0]
    assert history.tries() == 5
    assert History([], "min").best() is None


def test_proposing_from_a_long_history_stays_linear():
    """The work of a proposal grows with the history, not with its square: counted, not timed."""
    counts = {}
    for n in (250, 500, 1000):
        trials = [trial(i, {"learning_rate": 1e-4 * (1 + i), "d_iter": 1}, 1.0) for i in range(n)]
        counted = _Counting(trials)
        space = Space((Dimension(RATE, (1e-4, 1e-3)), Dimension(COUNT, (1, 2))))
        Explore().propose(space, History(counted, "min"), 0)
        counts[n] = counted.reads
    assert counts[1000] <= 4.1 * counts[250]


class _Counting(list):
    """A list that counts how many of its items are read."""

    reads = 0

    def __iter__(self):
        for item in super().__iter__():
            self.reads += 1
            yield item


class TestTPE:
    SPACE = Space(
        (Dimension(RATE, range=Range(1e-6, 1e-1, log=True)), Dimension(COUNT, range=Range(1, 9)))
    )

    def test_diverged_trials_repel(self):
        """All learning rates above 1e-2 diverge, a fifth of the space: fewer are drawn later."""
        later = 0
        for seed in range(10):
            trials = []
            for number in range(40):
                point = TPE().propose(self.SPACE, History(trials, "min"), seed).point
                bad = point["learning_rate"] > 1e-2
                state = State.DIVERGED if bad else State.COMPLETE
                trials.append(trial(number, point, None if bad else bowl(point), state))
            later += sum(t.state is State.DIVERGED for t in trials[10:])
        assert later < 0.75 * 0.2 * 10 * 30  # of what draws at random would come to; it is 0.56

    def test_trials_outside_the_space_are_left_out(self):
        inside = run(TPE(), LISTS, 3, bowl)
        outside = trial(3, {"learning_rate": 0.5, "d_iter": 5, "optimizer": "adam"}, -9.0)
        other = trial(3, {"learning_rate": 1e-4, "d_iter": 5, "optimizer": "sgd"}, -9.0)
        proposals = {
            key(TPE().propose(LISTS, History([*inside, t], "min"), 0).point)
            for t in (outside, other)
        }
        assert len(proposals) == 1

    def test_without_optuna_it_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "optuna", None)
        with pytest.raises(ConfigError, match=r"search_method: tpe needs Optuna: .*optuna$"):
            TPE().propose(LISTS, History([], "min"), 0)


@pytest.mark.parametrize(("kind", "module"), [(NSGAII, "optuna"), (CMAES, "cmaes")])
def test_a_missing_extra_is_named(kind, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=rf"search_method: .*pip install {module}$"):
        kind().propose(LISTS, History([], "min"), 0)


class TestConditions:
    def test_sizes_and_points_agree(self):
        lists = Space((Dimension(CHOICE, ("adam", "rmsprop", "sgd")), Dimension(COUNT, (1, 2)),
                       Dimension(RATE_OF_ADAM, (0.0, 0.5, 0.9))))  # fmt: skip
        points = list(lists.points())
        assert len(points) == len({key(p) for p in points}) == lists.size() == 2 * 3 + 2 + 2

    def test_they_hold_where_the_other_is_fixed(self):
        alone = Space((Dimension(RATE_OF_ADAM, (0.0, 0.5)),))
        assert alone.size() == 2
        assert [dict(p) for p in alone.points()] == [{"beta1": 0.0}, {"beta1": 0.5}]


class TestCube:
    SPACE = Space(
        (
            Dimension(RATE, (1e-2, 1e-4, 1e-3)),
            Dimension(COUNT, range=Range(1, 5)),
            Dimension(CHOICE, ("adam", "sgd")),
            Dimension(SHARE, range=Range(0.1, 0.9)),
        )
    )

    def test_places(self):
        point = {"learning_rate": 1e-3, "d_iter": 2, "optimizer": "sgd", "gamma": 0.9}
        assert Cube(self.SPACE).places([point]).tolist() == [[0.5, 0.25, 0.0, 1.0, 1.0]]
        between = {**point, "learning_rate": 5.5e-3}
        assert Cube(self.SPACE).places([between])[0, 0] == pytest.approx(0.75)

    def test_logarithmic_ranges(self):
        cube = Cube(Space((Dimension(RATE, range=Range(1e-5, 1e-1, log=True)),)))
        assert cube.places([{"learning_rate": 1e-3}])[0, 0] == pytest.approx(0.5)
        assert cube.point([0.25]) == {"learning_rate": pytest.approx(1e-4)}

    def test_points_come_back(self):
        cube = Cube(self.SPACE)
        for seed in range(20):
            point = RandomSearch().propose(self.SPACE, History([], "min"), seed).point
            back = cube.point(cube.places([point])[0])
            assert back == {**point, "gamma": pytest.approx(point["gamma"])}

    def test_outside_is_at_the_edge(self):
        point = Cube(self.SPACE).point([-3.0, 7.0, 0.2, 0.1, 2.0])
        assert point == {"learning_rate": 1e-4, "d_iter": 5, "optimizer": "adam", "gamma": 0.9}

    def test_what_does_not_exist_is_in_the_middle(self):
        cube = Cube(CONDITIONAL)
        point = {"learning_rate": 1e-3, "optimizer": "rmsprop"}
        assert cube.places([point]).tolist()[0] == pytest.approx([0.5, 0.0, 1.0, 0.5])
        assert "beta1" not in cube.point([0.5, 0.0, 1.0, 0.5])


class TestStandings:
    def ended(self, number, values, state=State.COMPLETE):
        evaluations = [Evaluation(n, {}, value) for n, value in enumerate(values)]
        return Trial(number, {}, state=state, evaluations=evaluations, value=min(values))

    def order(self, *trials):
        scores = standings(History(trials, "min"), trials)
        return [t.number for t in sorted(trials, key=lambda t: scores[t.number])]

    def test_trials_of_different_length_are_compared_where_they_can_be(self):
        """The fourth is second after one evaluation, and best of those that had two."""
        trials = [self.ended(0, [5.0]), self.ended(1, [3.0, 2.5]), self.ended(2, [7.0]),
                  self.ended(3, [4.0, 1.0])]  # fmt: skip
        assert self.order(*trials) == [3, 1, 0, 2]

    def test_a_long_mediocre_trial_is_not_better_than_what_beat_it_early(self):
        assert self.order(self.ended(0, [50.0, 40.0]), self.ended(1, [9.0])) == [1, 0]

    def test_diverged_trials_share_the_last_ranks(self):
        trials = [self.ended(0, [1.0]), self.ended(1, [0.1], State.DIVERGED),
                  self.ended(2, [0.1], State.DIVERGED)]  # fmt: skip
        first, *lost = standings(History(trials, "min"), trials)
        assert first < lost[0] == lost[1]

    def test_normal_scores(self):
        """Quantiles at 1/8, 1/2 (twice) and 7/8."""
        upper = 1.1503493803760083
        assert normal_scores([2.0, math.inf, 1.0, 2.0]) == pytest.approx([0, upper, -upper, 0])
        assert normal_scores([]) == []
