"""A constraint: only evaluations that hold it count."""

import math

import pytest
from fakes import FakeEngine

import autogan
from autogan.config import SearchConfig, TrainConfig, load_config
from autogan.core.errors import ConfigError
from autogan.criteria import CRITERIA, Limit, Objective, limits_of
from autogan.search import State

LABELS = {"fid": "fid_c_9", "is": "is_c_9"}
SEARCH = {
    "params": {"learning_rate": [1e-4, 2e-4, 3e-4, 4e-4, 6e-4, 1e-3]},
    "search_method": "grid",
    "constraint": "is>6",
    "run_dir": "runs/a",
}


def search(**changes):
    return autogan.run_search({**SEARCH, **changes}, engine=FakeEngine())


class TestLimits:
    def test_they_are_read_in_one_spelling(self):
        limits = limits_of(" authenticity > .3,c-t>-3, fid<1e2", CRITERIA)
        assert [str(limit) for limit in limits] == ["authenticity>0.3", "c_t>-3", "fid<100"]
        assert TrainConfig(constraint="c-t > -3").constraint == "c_t>-3"

    @pytest.mark.parametrize(
        "text", ["", "fid", "fid>", "fid>x", "fid>nan", "fid=3", "fid>=3", "1<fid", "fid>inf"]
    )
    def test_others_are_refused(self, text):
        with pytest.raises(ConfigError, match="^constraint: .*write a criterion, > or <"):
            TrainConfig(constraint=text)

    def test_an_unknown_criterion_is_named(self):
        with pytest.raises(ConfigError, match="did you mean 'recall'"):
            TrainConfig(constraint="recal>1")

    @pytest.mark.parametrize(
        ("above", "score", "holds"),
        [(True, 3.1, True), (True, 3.0, False), (False, 2.9, True), (False, 3.0, False),
         (True, math.nan, False), (False, math.nan, False), (True, None, False)],
    )  # fmt: skip
    def test_the_bound_itself_does_not_hold(self, above, score, holds):
        scores = {} if score is None else {"fid_c_9": score}
        assert Limit("fid", above, 3.0).holds(scores, LABELS) == holds

    def test_an_objective_counts_where_all_hold(self):
        objective = Objective.parse("fid", CRITERIA).holding(limits_of("is>2,is<4", CRITERIA))
        counts = [objective.counts({"fid_c_9": 1.0, "is_c_9": s}, LABELS) for s in (2, 3, 4)]
        assert counts == [False, True, False]
        assert not objective.counts({"is_c_9": 3.0}, LABELS)

    def test_its_criteria_are_recorded(self):
        config = TrainConfig(constraint="is>2,fid<50", also=["kid"])
        assert list(config.criteria()) == ["fid", "is", "kid"]
        assert list(config.resolved().criteria()) == ["fid", "is", "kid"]

    def test_a_file_runs_no_code_by_it(self, tmp_path):
        (tmp_path / "a.yaml").write_text("constraint: mine:Own>3\n")
        with pytest.raises(ConfigError, match="somebody's own code"):
            load_config(SearchConfig, tmp_path / "a.yaml")


@pytest.mark.parametrize("name", ["authenticity", "c_t"])
def test_what_tells_copies_alone_does_not_decide(name):
    with pytest.raises(ConfigError, match=f"criterion: {name} says whether images are copies"):
        SearchConfig(criterion=name)
    assert name in SearchConfig(also=[name], constraint=f"{name}>0").criteria()
    assert TrainConfig(criterion=name).deciding() == [name]  # as evaluate has it


class TestSearch:
    """In a fake training the Inception Score depends on the seed alone: 1 to 13."""

    def test_who_breaks_it_does_not_win(self):
        free, bound = search(constraint=None, also=["is"], run_dir="runs/b"), search()
        scores = {t.number: 1 + t.seed % 13 for t in free.trials}
        assert any(score <= 6 for score in scores.values())
        for trial in bound.trials:
            held = scores[trial.number] > 6
            assert (trial.worth is not None) == held
            assert held or (trial.state, trial.reason) == (
                State.COLLAPSED, "no evaluation met is>6",
            )  # fmt: skip
        best = min((t for t in free.trials if scores[t.number] > 6), key=lambda trial: trial.value)
        assert bound.best.number == best.number
        assert not autogan.check("runs/a").difference

    def test_where_nobody_holds_it_the_summary_says_so(self):
        said = search(constraint="is>20").summary()
        assert said.startswith("none of 6 trials has a value")
        assert "loosen the constraint is>20" in said

    def test_it_stays_as_it_is_when_resumed(self):
        search()
        with pytest.raises(ConfigError, match="constraint was is>6, now is>5"):
            autogan.run_search({"constraint": "is>5"}, resume="runs/a", engine=FakeEngine())

    def test_of_several_criteria_too(self):
        result = search(criterion="fid,is", constraint="is>6")
        assert all(1 + trial.seed % 13 > 6 for trial in result.front)

    @pytest.mark.parametrize("rule", ["asha", "median", "thaw"])
    def test_rules_live_with_evaluations_that_do_not_count(self, rule):
        result = search(stopping=rule, search_method="random", trials=8)
        assert result.best is None or 1 + result.best.seed % 13 > 6
        assert not autogan.check("runs/a").difference
