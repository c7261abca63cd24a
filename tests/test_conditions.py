"""Hyperparameters that have a meaning under others alone, and combinations that cannot be."""

import dataclasses
import itertools
import zlib

import pytest
from fakes import FakeEngine
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autogan
from autogan.config import SearchConfig, TrainConfig, validated
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Dimension, Hyperparameter
from autogan.models import DCGAN, GAN_TYPES
from autogan.search import SEARCH_METHODS, History, Proposal, SearchMethod, State, Trial
from autogan.search.space import Space, key
from autogan.show.display import Display

METHODS = list(SEARCH_METHODS)
MOST = 16  # points of a random space: each is proposed
few = settings(max_examples=12, deadline=None, derandomize=True, database=None)
more = settings(few, max_examples=200)


def hyperparameter(name, values, under):
    if isinstance(values[0], str):
        return Hyperparameter(name, "choice", values[0], "", choices=values, under=under)
    return Hyperparameter(name, "share", 0.5, "", low=0.0, high=1.0, under=under)


@st.composite
def spaces(draw, most=10**6):
    """Spaces of two to four hyperparameters, with conditions and a predicate that forbids some.

    With each comes the list of its points, found by going through all combinations.
    """
    declared = {}
    for name in "abcd"[: draw(st.integers(2, 4))]:
        choices = [n for n, h in declared.items() if h.choices]
        under = {
            parent: tuple(draw(st.sets(st.sampled_from(declared[parent].choices), min_size=1)))
            for parent in (draw(st.sets(st.sampled_from(choices))) if choices else ())
        }
        values = draw(st.sampled_from([("x", "y"), ("x", "y", "z"), (0.1, 0.9), (0.2, 0.5, 0.8)]))
        declared[name] = hyperparameter(name, values, under)
    order = draw(st.permutations(list(declared)))
    candidates = {n: declared[n].choices or (0.2, 0.5, 0.8) for n in order}
    salt, share = draw(st.integers(0, 99)), draw(st.integers(0, 4))

    def forbidden(point):
        return zlib.crc32(repr((salt, sorted(point.items()))).encode()) % 5 < share

    def has_a_meaning(name, combination):
        return all(
            has_a_meaning(parent, combination) and combination[parent] in values
            for parent, values in declared[name].under.items()
        )

    points = []
    for values in itertools.product(*(candidates[name] for name in order)):
        combination = dict(zip(order, values, strict=True))
        point = {n: v for n, v in combination.items() if has_a_meaning(n, combination)}
        if point not in points and not forbidden(point):
            points.append(point)
    assume(len(points) <= most)
    dimensions = tuple(Dimension(declared[name], candidates[name]) for name in order)
    return Space(dimensions, forbidden), points


@given(spaces())
@more
def test_a_space_has_the_points_that_brute_force_finds(case):
    space, points = case
    assert [dict(point) for point in space.points()] == points
    assert space.size() == len(points)
    free = Space(space.dimensions)
    assert free.size() == len(list(free.points()))


@pytest.mark.parametrize("kind", METHODS)
@given(case=spaces(MOST), seed=st.integers(0, 9))
@few
def test_every_method_proposes_what_is_allowed_and_all_of_it_once(kind, case, seed):
    """Later trials are worse, so that exploring ends: it adds values to the space."""
    space, points = case
    trials = []
    while proposal := kind().propose(space, History(trials, "min"), seed):
        assert proposal == kind().propose(space, History(trials, "min"), seed)
        assert not space.forbidden(proposal.point)
        assert dict(proposal.point) == space.existing(proposal.point)
        number = len(trials)
        trials.append(Trial(number, dict(proposal.point), origin=proposal.origin, value=number))
        trials[-1].state = State.COMPLETE
    keys = [key(trial.params) for trial in trials]
    assert len(set(keys)) == len(keys)
    assert {key(point) for point in points} <= set(keys)
    assert len(keys) == len(points) or not kind.stays_in_space


@pytest.mark.parametrize("kind", METHODS)
def test_no_model_leads_to_what_is_forbidden(kind):
    """The best values lie beyond the border of what may be."""
    space = lists(3, lambda p: p["h0"] + p["h1"] > 1.05)
    trials = []
    for number in range(24):
        point = kind().propose(space, History(trials, "max"), 0).point
        assert not space.forbidden(point)
        trials.append(Trial(number, dict(point), state=State.COMPLETE, value=sum(point.values())))


@pytest.mark.parametrize("kind", METHODS)
@given(case=spaces(MOST))
@few
def test_repeated_draws_are_allowed_ones_too(kind, case):
    space, points = case
    assume(points)
    history = History([], "min")
    for seed in range(5):
        proposal = kind(distinct=False).propose(space, history, seed)
        assert dict(proposal.point) in points


def lists(count, forbidden=None):
    """So many lists of ten values."""
    names = [f"h{number}" for number in range(count)]
    values = tuple(number / 10 for number in range(10))
    return Space(tuple(Dimension(hyperparameter(n, values, {}), values) for n in names), forbidden)


class TestLargeSpaces:
    def test_they_are_multiplied_where_all_points_may_be(self):
        assert lists(10).size() == 10**10

    def test_forbidden_points_of_large_ones_are_not_counted(self):
        asked = []
        assert lists(4, lambda p: bool(asked.append(p)) or p["h0"] > 0.3).size() == 4000
        assert len(asked) == 10**4
        assert lists(10, asked.append).size() is None
        assert len(asked) == 10**4

    def test_nor_choices_on_which_much_depends(self):
        values = tuple("abcdefghij")
        choices = [hyperparameter(f"c{number}", values, {}) for number in range(9)]
        child = hyperparameter("child", (0.1, 0.9), {h.name: ("a", "b") for h in choices})
        space = Space(tuple(Dimension(h, h.choices or (0.1, 0.9)) for h in (*choices, child)))
        assert space.size() is None
        few_choices = Space((*space.dimensions[:3], space.dimensions[-1]))
        assert few_choices.size() == 1000 + 2**3

    @pytest.mark.parametrize("kind", [kind for kind in METHODS if not kind.needs_lists])
    def test_a_rare_point_is_found(self, kind):
        """One in a thousand may be, more than the first draws come to."""
        space = lists(6, lambda p: p["h0"] + p["h1"] + p["h2"] < 2.65)
        proposal = kind().propose(space, History([], "min"), 0)
        assert sum(proposal.point[name] for name in ("h0", "h1", "h2")) > 2.65


class Clipped(DCGAN):
    """A type whose weights are clipped in the mode ``raw`` alone."""

    name = "clipped"
    own = (
        Hyperparameter("mode", "choice", "soft", "how", choices=("raw", "soft", "hard")),
        Hyperparameter("weight_clip", "choice", "none", "whether", choices=("none", "weights")),
        Hyperparameter(
            "edge", "choice", "sharp", "which", choices=("sharp", "round"),
            under={"weight_clip": ("weights",)},
        ),
        Hyperparameter(
            "radius", "share", 0.5, "how round", low=0.0, high=1.0,
            under={"edge": ("round",), "mode": ("raw", "hard")},
        ),
    )  # fmt: skip

    @classmethod
    def conflict(cls, values):
        wrong = values["weight_clip"] == "weights" and values["mode"] != "raw"
        return "weights are clipped in the mode raw alone; choose it, or weight_clip none" * wrong

    @classmethod
    def doubt(cls, values):
        return "the mode hard is seldom stable" * (values["mode"] == "hard")


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(GAN_TYPES, "_parts", {**GAN_TYPES._parts, "clipped": Clipped})


def config(kind=SearchConfig, **values):
    return validated(kind, {"gan_type": "clipped", **values})


def search(display=None, **values):
    given = {"search_method": "grid", "run_dir": "runs/a", **values}
    return autogan.run_search(config(**given), engine=FakeEngine(), display=display)


class Notes(Display):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


BOTH = {"mode": ["raw", "hard"], "weight_clip": ["none", "weights"]}
WRONG = {"mode": "soft", "weight_clip": "weights"}
REASON = "weights are clipped in the mode raw alone; choose it, or weight_clip none"


class TestWhatIsRefused:
    def test_a_training_of_what_cannot_be(self):
        with pytest.raises(ConfigError) as error:
            config(TrainConfig, params=WRONG)
        assert str(error.value) == f"params: weight_clip weights: {REASON}"  # soft is the default
        with pytest.raises(ConfigError) as error:
            config(TrainConfig, params={**WRONG, "mode": "hard"})
        assert str(error.value) == f"params: mode hard, weight_clip weights: {REASON}"
        config(TrainConfig, params={**WRONG, "mode": "raw"})

    @pytest.mark.parametrize("method", SEARCH_METHODS.names())
    @pytest.mark.parametrize("searched", [{"learning_rate": "1e-4..1e-3"}, {"d_iter": [1, 2]}])
    def test_a_search_in_which_every_point_cannot_be(self, method, searched, tmp_path):
        if method == "grid" and "learning_rate" in searched:
            return
        with pytest.raises(ConfigError) as error:
            search(search_method=method, params={**searched, **WRONG})
        assert str(error.value).startswith(
            "params: the search space is empty: every combination is invalid, for example "
            "mode soft, weight_clip weights, "
        )
        assert str(error.value).endswith(f": {REASON}")
        assert list(tmp_path.iterdir()) == []

    def test_a_point_of_the_users_that_cannot_be(self):
        values = {"params": {"mode": ["raw", "soft"], "weight_clip": ["none", "weights"]}}
        with pytest.raises(ConfigError) as error:
            config(**values, enqueue=["weight_clip=weights"]).resolved()
        assert str(error.value) == f"enqueue: mode soft, weight_clip weights: {REASON}"
        config(**values, enqueue=["weight_clip=weights,mode=raw"]).resolved()

    def test_a_proposal_of_somebodys_method_that_cannot_be(self, monkeypatch):
        class Careless(SearchMethod):
            name, summary = "careless", ""

            def propose(self, space, history, seed):
                return Proposal({"mode": "hard", "weight_clip": "weights"} if history.trials else
                                {"mode": "raw", "weight_clip": "weights"})  # fmt: skip

        monkeypatch.setattr(SEARCH_METHODS, "_parts", {"careless": Careless})
        with pytest.raises(ConfigError, match=f"search_method: careless proposed .*: {REASON}"):
            search(search_method="careless", params=BOTH)

    def test_values_without_a_meaning_beside_what_is_fixed(self):
        with pytest.raises(ConfigError) as error:
            config(
                params={"radius": [0.1, 0.2], "weight_clip": "weights", "edge": "round"}
            ).resolved()
        assert str(error.value) == (
            "radius: [0.1, 0.2] with mode soft: it applies only with mode raw or hard; leave it out"
        )

    def test_also_at_the_end_of_a_chain(self):
        """The edge is round, but of no clip."""
        with pytest.raises(
            ConfigError, match=r"radius: .* with weight_clip none: .* weight_clip weights"
        ):
            config(params={"radius": [0.1, 0.2], "mode": "raw", "edge": "round"}).resolved()

    def test_a_grid_too_large_to_be_counted(self):
        large = {name: [n / 1000 for n in range(1, 102)] for name in ("beta1", "beta2")}
        values = {"search_method": "grid", "params": {**large, "mode": ["raw", "soft"]}}
        with pytest.raises(ConfigError, match="trials: grid runs all points, .* too many"):
            config(**values).resolved()
        assert config(**values, trials=3).resolved().trials == 3

    def test_a_type_that_contradicts_itself(self):
        class Backwards(Clipped):
            own = Clipped.own[::-1]

        class Impossible(Clipped):
            @classmethod
            def conflict(cls, values):
                return "never"

        assert Clipped.fault() == ""
        assert Backwards.fault() == "radius is under edge, which must be declared before it"
        assert Impossible.fault() == "its defaults are an invalid combination: never"


class TestSearching:
    PARAMS = {  # noqa: RUF012
        "radius": [0.1, 0.9],
        "edge": ["sharp", "round"],
        "mode": ["raw", "hard"],
        "weight_clip": ["none", "weights"],
    }
    POINTS = (
        {"radius": 0.1, "edge": "round", "mode": "raw", "weight_clip": "weights"},
        {"radius": 0.9, "edge": "round", "mode": "raw", "weight_clip": "weights"},
        {"edge": "sharp", "mode": "raw", "weight_clip": "weights"},
        {"mode": "raw", "weight_clip": "none"},
        {"mode": "hard", "weight_clip": "none"},
    )

    def test_a_grid_counts_and_tries_what_can_be(self):
        assert config(search_method="grid", params=self.PARAMS).resolved().trials == 5
        result = search(params=self.PARAMS)
        assert sorted(map(key, (t.params for t in result.trials))) == sorted(map(key, self.POINTS))
        folders = sorted(path.name for path in result.folder.trial("").iterdir())
        assert folders == [
            "0000-mode=raw-weight_clip=none",
            "0001-edge=sharp-mode=raw-weight_clip=weights",
            "0002-mode=hard-weight_clip=none",
            "0003-radius=0.1-edge=round-mode=raw-weight_clip=weights",
            "0004-radius=0.9-edge=round-mode=raw-weight_clip=weights",
        ]

    @pytest.mark.parametrize(
        ("fixed", "count"),
        [
            ({"mode": "raw", "edge": "round"}, 3),
            ({"mode": "raw", "weight_clip": "weights"}, 3),
            ({"weight_clip": "weights", "edge": "round"}, 2),
            ({"edge": "round", "radius": 0.1}, 3),
        ],
    )
    def test_what_is_fixed_counts_as_what_is_searched(self, fixed, count):
        """Also in the middle of a chain, whose ends are searched."""
        space = config(params={**self.PARAMS, **fixed}).space
        expected = {
            key({n: v for n, v in point.items() if n not in fixed})
            for point in self.POINTS
            if all(point.get(name, value) == value for name, value in fixed.items())
        }
        assert space.size() == count == len(expected)
        assert {key(point) for point in space.points()} == expected

    def test_an_earlier_searchs_points_that_cannot_be_are_left_out(self, monkeypatch):
        params = {"mode": ["raw", "soft"], "weight_clip": ["none", "weights"]}
        with monkeypatch.context() as patch:
            patch.setattr(Clipped, "conflict", classmethod(lambda cls, values: ""))
            assert len(search(params=params).trials) == 4
        result = search(
            params=params, run_dir="runs/b", warm_start="runs/a", search_method="random"
        )
        earlier = autogan.record.ledger.Ledger(result.folder.ledger).header["earlier"]
        assert [trial["params"] for trial in earlier] == [
            {"mode": "raw", "weight_clip": "none"},
            {"mode": "raw", "weight_clip": "weights"},
            {"mode": "soft", "weight_clip": "none"},
        ]

    def test_defaults_that_cannot_be_are_not_confirmed(self):
        """The default mode is soft, and the clip that is fixed forbids it."""
        params = {"mode": ["raw", "soft"], "weight_clip": "weights"}
        result = search(params=params, confirm="top=1,repeats=2")
        assert [t.params for t in result.trials] == [{"mode": "raw"}] * 3
        assert [each.number for each in result.confirmed] == [0]

    def test_a_doubt_is_told_once(self):
        notes = Notes()
        search(notes, params={"mode": ["soft", "hard"], "learning_rate": [1e-4, 1e-3]})
        assert [n for n in notes.notes if "hard" in n] == [
            "trial 2: the mode hard is seldom stable"
        ]

    def test_a_training_tells_its_doubt(self):
        notes = Notes()
        for mode in ("soft", "hard"):
            values = {"gan_type": "clipped", "params": {"mode": mode}, "run_dir": f"runs/{mode}"}
            autogan.train(values, engine=FakeEngine(), display=notes)
        assert [n for n in notes.notes if "hard" in n] == ["the mode hard is seldom stable"]


def test_what_has_a_meaning_beside_all_values():
    values = {**Clipped.defaults(), "edge": "round", "mode": "raw"}
    without = set(values) - set(Clipped.meaningful(values))
    assert without & {h.name for h in Clipped.own} == {"edge", "radius"}
    values["weight_clip"] = "weights"
    assert {"edge", "radius"} < set(Clipped.meaningful(values))
    values["optimizer"] = "rmsprop"
    assert "beta1" not in Clipped.meaningful(values)


def test_declarations_can_still_be_hashed():
    radius = Clipped.hyperparameters[-1]
    assert hash(radius) == hash(dataclasses.replace(radius))
    assert radius != dataclasses.replace(radius, under={})
