"""What trainings had when they ended badly or too early, and what a search makes of it."""

import csv
import dataclasses
import io
import random

import pytest
import yaml
from fakes import LABEL, RAISE, SLOW, FakeEngine, FakeSession, records_of, told, write_records

import autogan
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Dimension, Hyperparameter
from autogan.decisions.confirmation import Confirm, confirmed
from autogan.decisions.replay import check_record
from autogan.record.ledger import Ledger
from autogan.search import SEARCH_METHODS, STOPPING_RULES, Evaluation, History, State, Trial
from autogan.search.history import rank_scores
from autogan.search.repeats import Standing, merged
from autogan.search.space import Space
from autogan.show.displays import PlainDisplay

GRID = {
    "params": {"learning_rate": [1e-4, 3e-4, 1e-3]},
    "search_method": "grid",
    "run_dir": "runs/a",
}


RATE = Hyperparameter("learning_rate", "scale", 1e-3, "", low=1e-7, high=1.0)
COUNT = Hyperparameter("d_iter", "count", 1, "", low=1, high=20)
RATES = tuple(float(f"{1e-4 * 1.2**place:.4g}") for place in range(20))
SPACE = Space((Dimension(RATE, RATES), Dimension(COUNT, (1, 2, 3, 4, 5))))


def search(**changes):
    resume = changes.pop("resume", None)
    given = changes if resume else {**GRID, **changes}
    return autogan.run_search(given, resume=resume, engine=FakeEngine())


@pytest.fixture
def dies(monkeypatch):
    """Lets the trials of these numbers collapse after their first evaluation."""

    def dies(*numbers):
        monkeypatch.setattr(FakeSession, "collapses_at", 20)
        monkeypatch.setattr(FakeSession, "collapsing", numbers)

    return dies


class TestLateDeath:
    """A training that was good and then died: its best generator counts, it does not."""

    def test_its_best_generator_is_in_hand_and_its_hyperparameters_are_not(self, dies, tmp_path):
        dies(1)  # the best, by far
        result = search()
        dead = result.trials[1]
        assert (dead.state, dead.step) == (State.COLLAPSED, 10)
        assert dead.value == dead.evaluations[0].scores[LABEL]
        assert dead.value < min(result.trials[0].value, result.trials[2].value)
        assert (result.best.number, result.in_hand.number) == (0, 1)
        best = yaml.safe_load((tmp_path / "runs/a/best.yaml").read_text())
        assert best["params"]["learning_rate"] == 1e-4

    def test_whoever_reads_is_told_of_it(self, dies, capsys):
        dies(1)
        result = search()
        line = f"the best generator in hand: trial 1, fid {result.trials[1].value:.4g} at step 10"
        after = "; its training collapsed afterwards: "
        told = result.summary()
        assert f"{line}{after}" in told
        assert "sample runs/a/trials/0001-learning_rate=0.0003" in told.split(after)[1]
        rows = [row.split()[:4] for row in told.split("\n\n")[-1].splitlines()[1:4]]
        assert [(row[0], row[3]) for row in rows] == [
            ("0", "complete"), ("2", "complete"), ("1", "collapsed")
        ]  # fmt: skip
        assert float(rows[2][1]) == pytest.approx(result.trials[1].value, rel=1e-3)
        page = autogan.write_report("runs/a").read_text()
        assert f"{line}{after}" in page
        loaded = autogan.load("runs/a")
        assert loaded.in_hand.number == 1
        from autogan.show.plain import plain

        assert plain(loaded)["in_hand"] == 1

    def test_a_worse_generator_is_not_in_hand(self, dies):
        dies(2)
        result = search()
        assert result.trials[2].value is not None
        assert result.in_hand.number == result.best.number
        assert "in hand" not in result.summary()

    def test_one_that_died_is_named_beside_a_living_seed_of_its_point(self, dies):
        dies(1)
        draws = {"search_method": "random", "distinct": False, "trials": 2, "first": "none"}
        result = search(params={"learning_rate": [3e-4]}, seed=9, **draws)  # the second is better
        living, dead = result.trials
        assert (result.best.number, dead.state) == (living.number, State.COLLAPSED)
        assert dead.value < living.value
        assert "; the best generator is trial 1's" in result.summary().splitlines()[0]
        assert result.standing.died == 1

    def test_where_all_died_there_is_no_best_and_yet_a_generator(self, dies, tmp_path):
        dies(0, 1, 2)
        result = search()
        assert result.best is None
        assert result.in_hand.number == 1
        told = result.summary()
        assert told.startswith("none of 3 trials has a value; try lower learning rates")
        assert "the best generator in hand: trial 1, fid " in told
        assert not (tmp_path / "runs/a/best.yaml").exists()

    @pytest.mark.parametrize("prefer", [None, "fid"])
    def test_of_several_criteria_it_comes_first_in_their_order(self, dies, prefer):
        dies(1)
        result = search(criterion="fid,is", prefer=prefer)
        dead = result.trials[1]
        better = dead.kept.scores[LABEL] < result.best.kept.scores[LABEL]
        assert better
        assert result.in_hand is dead or prefer is None
        assert dead not in result.front
        assert dead.losses == ()
        assert "collapsed" in result.summary()

    def test_records_of_version_0_3_are_found_again(self, dies, tmp_path):
        dies(1)
        value = search().trials[1].value
        path = tmp_path / "runs/a/trials.jsonl"
        records = records_of(path)
        for fields in records:
            if fields["record"] == "ended" and fields["state"] == "collapsed":
                fields |= {"value": None, "step": None, "last_value": None}
        write_records(path, records)
        result = autogan.load("runs/a")
        assert (result.trials[1].value, result.trials[1].step) == (value, 10)
        assert result.in_hand.number == 1

    def test_it_does_not_move_the_ranges_of_a_scaled_sum(self, dies):
        scaled = {"criterion": "is - 0.5*fid", "normalise": "history", "also": []}
        dies(1)
        one = search(**scaled)
        dies(1, 2)
        other = search(**scaled, run_dir="runs/b")
        assert one.trials[2].worth is not None
        assert other.trials[2].worth is None
        # All that lives is one trial: nothing has varied, so that nothing is scaled.
        alone = other.best.kept.scores
        assert other.best.value == pytest.approx(alone["is_fake_9"] - 0.5 * alone[LABEL])

    def test_a_resumed_search_decides_the_same(self, dies):
        dies(1)
        params = {"learning_rate": "1e-4..1e-2:log", "d_iter": [1, 2, 4]}
        changes = {"params": params, "search_method": "adaptive", "trials": 6}
        search(**changes)
        assert not check_record(autogan.load("runs/a").folder.root).difference
        search(**{**changes, "run_dir": "runs/b", "trials": 3})
        search(resume="runs/b", trials=6)
        one, other = ([r for r in told(autogan.load(root).folder.root)
                       if r["record"] not in ("limits", "judged")]
                      for root in ("runs/a", "runs/b"))  # fmt: skip
        assert one == other


def deaths(value):
    """Some trials, of which one died after it had come to a value, or to none."""
    chance = random.Random(0)
    trials = []
    for number in range(20):
        worth = 1.0 + chance.random()
        evaluations = [Evaluation(step, {"fid": worth}, worth) for step in (1, 2)]
        trials.append(
            Trial(number, SPACE.draw(chance, set()), state=State.COMPLETE, value=worth, step=1,
                  evaluations=evaluations, steps=9)
        )  # fmt: skip
    dead = Evaluation(1, {"fid": 0.1}, 0.1)
    trials[7] = dataclasses.replace(
        trials[7], state=State.COLLAPSED, value=value, step=value and 1, evaluations=[dead]
    )
    return History(trials, "min")


class TestDeadIsDead:
    """For all that decides it is the same whether a dead trial had a value."""

    @pytest.mark.parametrize("kind", list(SEARCH_METHODS))
    def test_for_search_methods(self, kind):
        packages = {"tpe": "optuna", "nsga2": "optuna", "cmaes": "cmaes"}
        if kind.name in packages:
            pytest.importorskip(packages[kind.name])
        assert kind().propose(SPACE, deaths(0.1), 0) == kind().propose(SPACE, deaths(None), 0)

    @pytest.mark.parametrize("kind", list(STOPPING_RULES))
    def test_for_stopping_rules(self, kind):
        for number in range(20):
            answers = [
                (rule.goes_on(history, history.trials[number]), rule.finals(history),
                 rule.revived(history, closing=True))
                for rule, history in ((kind(9), deaths(0.1)), (kind(9), deaths(None)))
            ]  # fmt: skip
            assert answers[0] == answers[1]

    def test_for_standings_and_the_best(self):
        history = deaths(0.1)
        assert rank_scores(history, history.trials) == rank_scores(
            deaths(None), deaths(None).trials
        )
        assert max(rank_scores(history, history.trials)) == rank_scores(history, history.trials)[7]
        assert 7 not in [trial.number for trial in history.ranked()]

    def test_for_repeats_and_the_confirmation(self):
        def of(value):
            dead = Trial(1, {"x": 0}, state=State.COLLAPSED, value=value, step=1, repeats=0)
            history = History([Trial(0, {"x": 0}, state=State.COMPLETE, value=2.0), dead], "min")
            again = [
                dataclasses.replace(dead, number=2, confirms=True),
                Trial(3, {"x": 0}, state=State.COMPLETE, value=3.0, confirms=True),
            ]
            point = Standing(history.trials[0], history.trials)
            found = confirmed(Confirm(top=1, repeats=2), [point], "min", Empty(), again)
            return (merged(history).trials[0].value, point.values, point.died, found[0].values,
                    found[0].lost)  # fmt: skip

        assert of(0.1) == of(None) == (2.0, [2.0], 1, [3.0], 1)


class Empty:
    """A space whose defaults are no point of it."""

    dimensions = ()

    def existing(self, point):
        return point

    def allows(self, point):
        return False


class TestRecordedOnly:
    """A criterion that does not decide may come to NaN."""

    def test_the_search_goes_on_and_says_that_it_is_missing(self, monkeypatch, capsys):
        monkeypatch.setattr(FakeSession, "missing", ("is",))
        result = search(also=["is"])
        assert [trial.state for trial in result.trials] == [State.COMPLETE] * 3
        assert all(set(e.scores) == {LABEL} for t in result.trials for e in t.evaluations)
        assert result.summary()
        page = autogan.write_report("runs/a").read_text()
        assert ">nan<" not in page.lower()
        from autogan.show.plain import table

        names, rows = table(autogan.load("runs/a"))
        assert "is" in names
        assert {row["is"] for row in rows} == {None}
        out = io.StringIO()
        csv.DictWriter(out, names).writerows(rows)
        assert "nan" not in out.getvalue().lower()

    def test_where_one_trial_has_it_the_others_show_a_dash(self, monkeypatch):
        result = search(also=["is"], trials=1)
        monkeypatch.setattr(FakeSession, "missing", ("is",))
        result = search(resume="runs/a", trials=3)
        rows = {row["trial"]: row.get("is") for row in autogan.show.summary.rows(result)}
        assert rows[0] is not None
        assert (rows[1], rows[2]) == (None, None)
        assert autogan.write_report("runs/a").exists()
        assert "<td>-</td>" in autogan.show.summary.table_html(result)

    def test_a_line_without_any_score_is_no_record(self, tmp_path):
        search()
        path = tmp_path / "runs/a/trials.jsonl"
        records = records_of(path)
        next(each for each in records if each["record"] == "evaluation")["scores"] = {}
        write_records(path, records)
        with pytest.raises(ConfigError, match="scores of nothing: other criteria"):
            Ledger(path)


SLOWLY = {"params": {"z_dim": [SLOW, 62], "learning_rate": [1e-4, 4e-4]}, "trials": 4}


class TestOutOfTime:
    """A trial that is not done in time ends with what it has, and can go on."""

    def test_it_counts_with_its_value_and_is_no_failure(self):
        result = search(params={"z_dim": SLOW, **GRID["params"]}, max_trial_minutes=2)
        assert [trial.state for trial in result.trials] == [State.TIMED_OUT] * 3
        for trial in result.trials:
            assert [e.step for e in trial.evaluations] == [10, 20]
            assert trial.value == min(e.scores[LABEL] for e in trial.evaluations)
        assert result.best.number == 1
        told = result.summary()
        assert told.startswith("best of 3 trials: trial 1")
        assert "3 trials were out of time; resume with: " in told
        assert "search --resume runs/a --max-trial-minutes MORE" in told
        assert "out of time" in autogan.write_report("runs/a").read_text()
        assert not check_record(result.folder.root).difference

    def test_with_more_time_it_goes_on_from_its_checkpoint(self, capsys):
        first = search(**SLOWLY, max_trial_minutes=2)
        late = [t.number for t in first.trials if t.state is State.TIMED_OUT]
        assert len(late) == 2
        whole = search(**SLOWLY, run_dir="runs/whole")
        again = autogan.run_search(
            {"max_trial_minutes": 2}, resume="runs/a", engine=FakeEngine(), display=PlainDisplay()
        )
        assert [t.state for t in again.trials] == [t.state for t in first.trials]
        assert "go on now" not in capsys.readouterr().err
        again = autogan.run_search(
            {"max_trial_minutes": 9}, resume="runs/a", engine=FakeEngine(), display=PlainDisplay()
        )
        err = capsys.readouterr().err
        assert f"trial {late[0]} was out of time; resuming it" in err
        assert [t.state for t in again.trials] == [State.COMPLETE] * 4
        assert [t.evaluations for t in again.trials] == [t.evaluations for t in whole.trials]
        assert [t.value for t in again.trials] == [t.value for t in whole.trials]
        assert "out of time" not in again.summary()
        assert not check_record(again.folder.root).difference

    def test_methods_see_its_value_as_of_its_length(self):
        trials = [Trial(n, {}, state=State.COMPLETE, value=v, step=2,
                        evaluations=[Evaluation(1, {}, v + 1), Evaluation(2, {}, v)])
                  for n, v in enumerate((3.0, 5.0))]  # fmt: skip
        late = Trial(2, {}, state=State.TIMED_OUT, value=5.5, evaluations=[Evaluation(1, {}, 5.5)])
        none = Trial(3, {}, state=State.TIMED_OUT)
        history = History([*trials, late, none], "min")
        assert history.telling == history.trials
        assert history.tries() == 4
        found = rank_scores(history, history.trials)
        assert sorted(range(4), key=found.__getitem__) == [0, 2, 1, 3]  # 5.5 was the better of 6.0

    def test_a_seed_that_is_never_in_time_says_nothing_of_its_point(self):
        late = Trial(1, {"x": 0}, state=State.TIMED_OUT, repeats=0)
        history = History([Trial(0, {"x": 0}, state=State.COMPLETE, value=2.0), late], "min")
        assert merged(history).trials[0].value == 2.0
        assert Standing(history.trials[0], history.trials).ended == history.trials[:1]
        timed = Trial(0, {"x": 0}, state=State.TIMED_OUT, value=2.0)
        assert Standing(timed, [timed]).values == [2.0]  # it is as whole as it can be


class TestAdvice:
    """Where nothing came to a value, what to do about what was wrong."""

    @pytest.mark.parametrize(
        ("behaviour", "expected"),
        [(RAISE, "traceback.txt says why trial 1 failed"),
         (SLOW, "raise max_trial_minutes")],
    )  # fmt: skip
    def test_it_names_the_cause(self, behaviour, expected, monkeypatch):
        changes = {"params": {"z_dim": behaviour, "learning_rate": [1e-4, 1e-3]}}
        if behaviour == SLOW:
            monkeypatch.setattr(FakeSession, "train", _too_slow)
        told = search(**changes, max_trial_minutes=2).summary()
        assert told.startswith("none of 2 trials has a value")
        assert expected in told.splitlines()[0]
        assert "lower learning rates" not in told


def _too_slow(session, call):
    from autogan.pool.messages import Trained

    state = State.TIMED_OUT
    return Trained(trial=Trial(call.trial.number, {}, 0, state=state, reason="over", seconds=121))


class TestRetried:
    """The titles of trials that are tried again."""

    def test_a_place_beyond_the_number_of_trials_is_not_named(self, monkeypatch, capsys):
        with monkeypatch.context() as luckless:
            luckless.setattr(FakeSession, "train", _raise)
            search(trials=2, params={"learning_rate": [1e-4, 1e-3]})
        capsys.readouterr()
        autogan.run_search(
            {"trials": 1}, resume="runs/a", retry_failed=True, engine=FakeEngine(),
            display=PlainDisplay(),
        )  # fmt: skip
        titles = [line.split("  ")[0] for line in capsys.readouterr().err.splitlines()
                  if line.startswith("trial ") and "=" in line]  # fmt: skip
        assert titles == ["trial 0 (1 of 1)", "trial 1"]


def _raise(session, call):
    raise RuntimeError("no luck today")
