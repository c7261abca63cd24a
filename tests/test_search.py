"""Search methods: a contract for all of them, and what each one is known for."""

import math
import statistics
import sys

import numpy as np
import pytest
from scipy.stats import chisquare

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
from autogan.search.gp import GaussianProcess, _near
from autogan.search.history import normal_scores, rank_scores
from autogan.search.model import Scale
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
# A range that depends on a choice, which stands behind it.
DECIDED = Space(
    (
        Dimension(
            RATE, (), Range(1e-5, 1e-1, log=True), "optimizer",
            {"adam": Range(1e-5, 1e-4, log=True), "rmsprop": Range(1e-2, 1e-1, log=True)},
        ),
        Dimension(CHOICE, ("adam", "rmsprop")),
    )
)  # fmt: skip
NESTED = Space(
    (
        Dimension(CHOICE, ("adam", "sgd")),
        Dimension(Hyperparameter("nesterov", "choice", "no", "", choices=("no", "yes"),
                                 under={"optimizer": ("sgd",)}), ("no", "yes")),
        Dimension(Hyperparameter("momentum", "share", 0.5, "", high=1.0,
                                 under={"nesterov": ("yes",)}), range=Range(0.1, 0.9)),
        Dimension(COUNT, range=Range(1, 3)),
    )
)  # fmt: skip
FREE = Hyperparameter("free", "scale", 1.0, "")
SPACES = {
    "one range": Space((Dimension(RATE, range=Range(1e-5, 1e-1, log=True)),)),
    "one range of whole numbers": Space((Dimension(COUNT, range=Range(1, 20)),)),
    "one logarithmic range of whole numbers": Space((Dimension(SIZE, range=Range(2, 512, True)),)),
    "one list": Space((Dimension(RATE, (1e-4, 1e-3, 1e-2)),)),
    "one list of one value": Space((Dimension(RATE, (1e-3, 1e-3)),)),
    "one choice": Space((Dimension(CHOICE, ("adam", "rmsprop", "sgd")),)),
    "nested conditions": NESTED,
    "a tiny range": Space((Dimension(SHARE, range=Range(0.5, 0.5 + 1e-9)),)),
    "a huge range": Space((Dimension(FREE, range=Range(1e-300, 1e300, log=True)),)),
    "a huge linear range": Space((Dimension(FREE, range=Range(0.0, 1e308)),)),
}
OPEN = (
    "one range",
    "one logarithmic range of whole numbers",
    "a huge range",
    "a huge linear range",
)
METHODS = list(SEARCH_METHODS)
DRAWING = [kind for kind in METHODS if not kind.needs_lists]
INSIDE = [
    kind for kind in DRAWING if kind is not Explore
]  # whose steps leave lists, and end at ends


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


def room(low, high, log):
    """The share of a range that each whole number n has, from n - 1/2 to n + 1/2."""
    ends = np.arange(low, high + 2) - 0.5
    return np.diff(np.log(ends) if log else ends) / (
        math.log(ends[-1] / ends[0]) if log else high + 1 - low
    )


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

    def test_a_range_is_that_of_the_other_value(self, kind):
        """Where the best lies at the ends too, so that methods step towards them."""
        if kind.needs_lists:
            return
        for sign in (-1, 1):
            for t in run(kind(), DECIDED, 30, lambda p, s=sign: s * p["learning_rate"]):
                ends = (1e-5, 1e-4) if t.params["optimizer"] == "adam" else (1e-2, 1e-1)
                assert ends[0] <= t.params["learning_rate"] <= ends[1]

    @pytest.mark.parametrize("log", [False, True])
    def test_first_draws_of_whole_numbers_are_alike(self, kind, log):
        """All methods draw n as often as [n - 1/2, n + 1/2) is wide."""
        space = Space((Dimension(COUNT, range=Range(1, 5, log=log)), Dimension(RATE, (1e-4, 1e-3))))
        first = [
            kind().propose(space, History([], "min"), seed).point["d_iter"] for seed in range(500)
        ]
        counts = np.bincount(first, minlength=6)[1:]
        assert chisquare(counts, 500 * room(1, 5, log)).pvalue > 1e-3

    @pytest.mark.parametrize("name", SPACES)
    def test_any_space_can_be_searched(self, kind, name):
        space = SPACES[name]
        trials = run(kind(), space, 16, lambda point: len(str(point)) % 7 - 3.0)
        if name in OPEN:
            assert len(trials) == 16
        elif (size := space.size()) is not None:
            assert len(trials) >= min(16, size)
            assert len(trials) == min(16, size) or not kind.stays_in_space
        assert_of_space(kind, space, trials)
        for t in trials:
            assert [*t.params] == [
                d.name for d in space.dimensions if space.exists(d.name, t.params)
            ]


@pytest.mark.parametrize("kind", INSIDE)
def test_the_value_of_a_trial_beyond_the_ends_plays_no_part(kind):
    """Such a trial is not taken for one at the end of its list or range."""
    spaces = (LISTS, Space((Dimension(RATE, range=Range(1e-4, 1e-2, log=True)),
                            Dimension(COUNT, range=Range(1, 5)))))  # fmt: skip
    for space in spaces:
        trials = run(kind(), space, 9, bowl)
        beyond = dict(trials[0].params) | {"learning_rate": 0.5}
        proposals = {
            key(kind().propose(space, History([*trials, trial(9, beyond, value)], "min"), 0).point)
            for value in (-9.0, 1.0, 9.0)
        }
        assert len(proposals) == 1


@pytest.mark.parametrize("kind", INSIDE)
def test_steps_do_not_meet_at_the_ends_of_ranges(kind):
    space = Space((Dimension(RATE, range=Range(1e-4, 1e-2, log=True)),
                   Dimension(SHARE, range=Range(0.0, 1.0))))  # fmt: skip
    trials = run(kind(), space, 30, lambda p: p["learning_rate"] + p["gamma"])
    at_ends = sum(p["gamma"] in (0, 1) or p["learning_rate"] in (1e-4, 1e-2) for p in
                  (t.params for t in trials))  # fmt: skip
    assert at_ends <= 1


@pytest.mark.parametrize(
    ("kind", "trials"), [(AdaptiveExplore, 40), (TPE, 40), (GaussianProcess, 25), (CMAES, 100)]
)
@pytest.mark.slow
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


def test_explore_steps_away_from_no_point_out_of_a_range():
    """As an earlier search may have; from one beyond a list it does, where exploring begins."""
    own = [trial(0, {"learning_rate": 0.5}, 1.0)]
    spaces = (Dimension(RATE, (1e-4, 1e-3)), Dimension(RATE, range=Range(1e-4, 1e-3)))
    origins = [Explore().propose(Space((d,)), History(own, "min"), 0).origin for d in spaces]
    assert origins == ["explore 0", ""]


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


class TestGaussianProcess:
    """Bayesian optimisation in ranges, and what it makes of odd values."""

    RANGES = Space(
        tuple(
            Dimension(Hyperparameter(f"x{axis}", "share", 0.5, "", high=1.0), range=Range(0.0, 1.0))
            for axis in range(2)
        )
    )

    def test_in_noisy_ranges_it_neither_stays_at_a_place_nor_loses_its_way(self):
        """A bowl with a noise of 20 %, whose floor lies elsewhere for each seed.

        Random draws end at regrets of up to 24. A proposal next to an earlier one tells little.
        """
        regrets, near = [], []
        for seed in range(300, 306):
            floor = np.random.default_rng(seed).uniform(0.1, 0.9, 2)
            noise = np.random.default_rng(1000 + seed)
            trials, true = [], []
            for number in range(20):
                point = GaussianProcess().propose(self.RANGES, History(trials, "min"), seed).point
                true.append(5 + 400 * np.sum((np.array([*point.values()]) - floor) ** 2))
                value = true[-1] * math.exp(0.2 * noise.normal())
                trials.append(trial(number, point, value))
            regrets.append(true[min(range(20), key=lambda n: trials[n].value)] - 5)
            places = np.array([[*t.params.values()] for t in trials])
            near += [
                np.linalg.norm(places[:n] - places[n], axis=1).min() < 0.02 for n in range(8, 20)
            ]
        assert max(regrets) < 6
        assert statistics.fmean(near) < 0.1

    def test_its_parents_are_different_points_however_long_they_were_trained(self, monkeypatch):
        parents = []

        def near(cube, good, *_):
            parents.append(good)
            return []

        monkeypatch.setattr("autogan.search.gp._near", near)
        trials = run(RandomSearch(), self.RANGES, 12, lambda p: p["x0"] + p["x1"])
        for t in trials:  # the good ones were trained for long, as by a stopping rule
            length = 10 if t.value < 1 else 1
            t.evaluations = [Evaluation(n, {}, t.value + 1 / (n + 1)) for n in range(length)]
        best = min(trials, key=lambda t: t.value)
        trials.append(trial(12, best.params, best.value))  # once more
        GaussianProcess(distinct=False).propose(self.RANGES, History(trials, "min"), 0)
        assert parents[0].shape == (5, 2)
        assert len({tuple(place) for place in parents[0]}) == 5

    def test_near_candidates_change_choices_and_stay_near_in_ranges(self):
        space = Space((Dimension(CHOICE, CHOICE.choices), self.RANGES.dimensions[0]))
        cube = Cube(space)
        draws = [RandomSearch().propose(space, History([], "min"), n).point for n in range(100)]
        good = cube.places([{"optimizer": "adam", "x0": 0.02}])
        points = _near(cube, np.repeat(good, 5, axis=0), cube.places(draws),
                       np.random.default_rng(0))  # fmt: skip
        changed = sum(point["optimizer"] != "adam" for point in points)
        assert 0.02 < changed / len(points) < 0.15  # a tenth is drawn anew, a third of it the same
        values = [point["x0"] for point in points]
        assert statistics.median(values) < 0.15
        assert sum(value == 0 for value in values) == 0  # reflected

    def test_it_begins_to_choose_early(self):
        assert [GaussianProcess().drawn_first(s) for s in (SPACES["one range"], LISTS)] == [3, 5]

    @pytest.mark.parametrize(
        "values",
        [
            [3.0, 1.0, 2.0, 50.0, 1e300],
            [-3.0, -1.0, 0.0, 5.0, 1e300],
            [1e-9, 5.0, 6.0, 7.0, 8.0],
            [-1e308, 1e308, 0.0],
            [0.0, 0.0, 0.0, 0.0],
            [4.0],
        ],
    )
    def test_values_keep_their_order_on_a_scale_without_outliers(self, values):
        warped = Scale(values).of(values)
        assert np.isfinite(warped).all()
        assert warped.max() - warped.min() < 100
        order = np.argsort(values, kind="stable")
        assert (np.diff(warped[order]) >= 0).all()
        least = [n for n, value in enumerate(values) if value == min(values)]
        if max(values) > min(values):
            assert (warped[least] < warped.max()).all()

    def test_factors_are_alike(self):
        assert np.diff(Scale([1.0, 2.0, 4.0, 8.0]).of([1.0, 2.0, 4.0, 8.0])) == pytest.approx(
            math.log(2)
        )


class TestCMAES:
    ONE = SPACES["one range"]

    def test_searches_a_single_range(self):
        """Random draws would lie within a decade of the least value in half of the cases."""

        def off(point):
            return abs(math.log10(point["learning_rate"]) + 3.3)

        late = [
            off(t.params) for seed in range(6) for t in run(CMAES(), self.ONE, 40, off, seed)[25:]
        ]
        assert statistics.fmean(value < 0.5 for value in late) > 0.5  # of random draws, a quarter

    def test_an_old_package_that_cannot_is_refused(self, monkeypatch):
        def refuse(**_):
            raise AssertionError("The dimension of mean must be larger than 1")

        monkeypatch.setattr("cmaes.CMA", refuse)
        with pytest.raises(ConfigError, match=r"search_method: cmaes .*single.*cmaes>=0\.13"):
            CMAES().propose(self.ONE, History([], "min"), 0)


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
        with pytest.raises(
            ConfigError, match=r"search_method: tpe needs Optuna; install it: .*optuna$"
        ):
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
        assert Cube(self.SPACE).places([point]).tolist() == [[0.5, 0.3, 0.0, 1.0, 1.0]]
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

    def test_steps_out_of_a_list_end_there_and_those_out_of_a_range_are_reflected(self):
        point = Cube(self.SPACE).point([-3.0, 1.3, 0.2, 0.1, -0.25])
        assert point == {"learning_rate": 1e-4, "d_iter": 4, "optimizer": "adam", "gamma": 0.3}
        point = Cube(self.SPACE).point([2.0, 1.9, 0.2, 0.1, 2.5])  # as far as the other end
        assert point == {"learning_rate": 1e-2, "d_iter": 1, "optimizer": "adam", "gamma": 0.5}

    @pytest.mark.parametrize("log", [False, True])
    def test_whole_numbers_have_the_room_that_is_drawn(self, log):
        cube = Cube(Space((Dimension(COUNT, range=Range(1, 5, log=log)),)))
        places = (np.arange(100_000) + 0.5) / 100_000
        numbers = [cube.point([place])["d_iter"] for place in places]
        found = np.bincount(numbers)[1:] / len(places)
        assert found == pytest.approx(room(1, 5, log), abs=1e-4)
        for number in range(1, 6):
            assert cube.point(cube.places([{"d_iter": number}])[0]) == {"d_iter": number}

    def test_a_place_lies_between_the_ends_under_the_other_value(self):
        cube = Cube(DECIDED)
        point = {"learning_rate": 10**-4.5, "optimizer": "adam"}
        assert cube.places([point]).tolist()[0] == pytest.approx([0.5, 1.0, 0.0])
        assert cube.point([0.5, 0.0, 1.0])["learning_rate"] == pytest.approx(10**-1.5)
        assert cube.point([-0.2, 1.0, 0.0])["learning_rate"] == pytest.approx(10**-4.8)

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
        scores = rank_scores(History(trials, "min"), trials)
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
        first, *lost = rank_scores(History(trials, "min"), trials)
        assert first < lost[0] == lost[1]

    def test_normal_scores(self):
        """Quantiles at 1/8, 1/2 (twice) and 7/8."""
        upper = 1.1503493803760083
        assert normal_scores([2.0, math.inf, 1.0, 2.0]) == pytest.approx([0, upper, -upper, 0])
        assert normal_scores([]) == []
