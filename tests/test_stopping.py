"""Early stopping: a contract for all rules, what each is known for, and how a search uses them."""

import dataclasses
import json
import math
import random
import shutil
import statistics
from pathlib import Path

import pytest
from fakes import FakeEngine

import autogan
from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Dimension, Hyperparameter, Range
from autogan.pool.messages import Evaluated
from autogan.search import STOPPING_RULES, Evaluation, History, Space, State, Trial
from autogan.search.stopping import Hyperband, MedianRule, Screening, SuccessiveHalving
from autogan.search.thawing import FreezeThaw

RULES = list(STOPPING_RULES)
RANKS = [kind for kind in RULES if kind is not FreezeThaw]  # a plan from orders of trials


def trial(number, values, state=State.STOPPED):
    evaluations = [Evaluation(step, {}, value) for step, value in enumerate(values, start=1)]
    value = min(values, default=None)
    return Trial(number, {}, state=state, evaluations=evaluations, value=value)


def replayed(rule, curves, direction="min"):
    """Train trials with these curves one after the other, as the search loop does.

    An infinite value is the evaluation before which the trial diverges.
    """
    trials = []

    def go_on(own, history):
        own.state = State.RUNNING
        while own.state is State.RUNNING:
            done = len(own.evaluations)
            if math.isinf(curves[own.number][done]):
                own.state = State.DIVERGED
                return
            own.evaluations.append(Evaluation(done + 1, {}, curves[own.number][done]))
            if done + 1 == len(curves[own.number]):
                own.state = State.COMPLETE
            elif not rule.goes_on(history, own):
                own.state = State.STOPPED
        own.value = (min if direction == "min" else max)(e.value for e in own.evaluations)

    for number in range(len(curves)):
        while revived := rule.revived(History(trials, direction), closing=False):
            go_on(revived, History(trials, direction))
        trials.append(Trial(number, {}))
        go_on(trials[-1], History(trials, direction))
    while revived := rule.revived(History(trials, direction), closing=True):
        go_on(revived, History(trials, direction))
    return [len(t.evaluations) for t in trials]


FLAT = [[float(level)] * 9 for level in (5, 3, 8, 1, 9, 2, 7, 4, 6)]


@pytest.mark.parametrize("kind", RULES)
class TestEveryRule:
    def test_lets_the_best_trial_reach_the_end(self, kind):
        lengths = replayed(kind(9), FLAT)
        assert lengths[3] == 9

    def test_directions_are_mirrors(self, kind):
        rising = [[-value for value in curve] for curve in FLAT]
        assert replayed(kind(9), rising, "max") == replayed(kind(9), FLAT)

    def test_is_pure(self, kind):
        history = History([trial(n, curve[:3]) for n, curve in enumerate(FLAT)], "min")
        before = repr(history)
        answers = [kind(9).goes_on(history, t) for t in history.trials]
        assert answers == [kind(9).goes_on(history, t) for t in history.trials]
        assert repr(history) == before

    def test_a_plan_of_any_number_of_trials_is_made_at_once(self, kind):
        one, ended = kind(2000).expected(10**15)
        assert 0 < ended <= one <= 10**15
        assert kind(10).expected(1) == (1, 1)

    def test_failed_trials_say_nothing(self, kind):
        trials = [trial(n, curve[:3]) for n, curve in enumerate(FLAT)]
        failed = [trial(n + 9, [0.0] * 3, State.FAILED) for n in range(9)]
        for own in trials:
            rule = kind(9)
            assert rule.goes_on(History([*trials, *failed], "min"), own) == rule.goes_on(
                History(trials, "min"), own
            )


@pytest.mark.parametrize("kind", RANKS)
@pytest.mark.parametrize(("evaluations", "trials"), [(9, 20), (10, 20), (10, 51), (30, 51)])
def test_takes_as_much_as_a_plan_says(kind, evaluations, trials):
    """By searches in which a better trial is better at each evaluation."""
    whole, ended = [], []
    for seed in range(12):
        levels = random.Random(seed).sample(range(trials), trials)
        lengths = replayed(kind(evaluations), [[float(level)] * evaluations for level in levels])
        whole.append(sum(lengths) / evaluations)
        ended.append(lengths.count(evaluations))
    found = kind(evaluations).expected(trials)
    assert found[0] == pytest.approx(statistics.fmean(whole), rel=0.12)
    assert found[1] == pytest.approx(statistics.fmean(ended), rel=0.2)


X = Dimension(Hyperparameter("x", "share", 0.5, "", low=0.0, high=1.0), range=Range(0.0, 1.0))


def at(number, x, values, pictures=256, **fields):
    """A trial of point x with these values, whose last images were this many different ones."""
    variety = {"distinct": pictures, "real_distinct": 256}
    own = trial(number, values, fields.pop("state", State.STOPPED))
    last = dataclasses.replace(own.evaluations[-1], variety=variety)
    own.evaluations[-1:] = [last]
    return dataclasses.replace(own, params={"x": x}, **fields)


class TestThaw:
    """Freeze and thaw, on a space of one number."""

    def revived(self, trials, closing=False):
        found = FreezeThaw(9, Space((X,))).revived(History(trials, "min"), closing=closing)
        return None if found is None else found.number

    def test_begins_a_few_trials_before_it_compares_them(self):
        assert self.revived([at(0, 0.1, [9.0]), at(1, 0.5, [1.0])]) is None
        assert self.revived([at(0, 0.1, [9.0]), at(1, 0.5, [1.0]), at(2, 0.9, [8.0])]) == 1

    def test_goes_on_with_the_best_until_another_one_promises_more(self):
        others = [at(0, 0.0, [80.0]), at(1, 0.1, [90.0]), at(2, 1.0, [70.0])]
        rule = FreezeThaw(9, Space((X,)))
        for values, goes_on in (([9.0, 5.0], True), ([85.0, 85.0], False)):
            own = at(3, 0.5, values, state=State.RUNNING)
            assert rule.goes_on(History([*others, own], "min"), own) is goes_on

    def test_few_pictures_are_a_sign_of_death(self):
        """The value alone does not tell it yet."""
        start = [at(0, 0.0, [50.0]), at(1, 1.0, [50.0])]
        pair = [at(2, 0.4, [20.0], pictures=40), at(3, 0.6, [21.0])]
        assert self.revived([*start, *pair], closing=True) == 3
        pair = [at(2, 0.4, [20.0]), at(3, 0.6, [21.0])]
        assert self.revived([*start, *pair], closing=True) == 2

    def test_ends_where_what_is_left_is_lost_in_the_noise(self):
        ended = [at(n, 0.4 + n / 40, [50.0, 3.0] + [2.0] * 7, state=State.COMPLETE)
                 for n in range(3)]  # fmt: skip
        assert self.revived([*ended, at(3, 0.0, [90.0] * 8)], closing=True) is None
        assert self.revived([*ended, at(3, 0.6, [45.0, 2.5])], closing=True) == 3

    def test_a_further_seed_that_died_warns_of_its_point(self):
        trials = [at(0, 0.3, [50.0]), at(1, 0.7, [50.0]), at(2, 0.0, [20.0]), at(3, 1.0, [20.05])]
        died = at(4, 0.0, [20.0], state=State.COLLAPSED, repeats=2)
        assert self.revived(trials, closing=True) == 2
        assert self.revived([*trials, died], closing=True) == 3

    def test_a_training_keeps_the_luck_that_it_has_had(self):
        """Where draws may repeat, two of them are of one point."""
        trials = [at(0, 0.0, [50.0]), at(1, 1.0, [50.0]), at(2, 0.5, [30.0]), at(3, 0.5, [20.0])]
        assert self.revived(trials, closing=True) == 3

    def test_never_stops_or_thaws_a_further_seed(self):
        trials = [at(n, n / 4, [9.0 - n]) for n in range(4)]
        assert self.revived([*trials, at(4, 0.75, [0.1], repeats=3)]) != 4

    @pytest.mark.parametrize("sees", [True, False])
    def test_sees_further_seeds_in_a_search_if_it_wants_to(self, sees, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        seen = set()

        def goes_on(self, history, trial):
            seen.update(t.repeats for t in history.trials)
            return True

        monkeypatch.setattr(FreezeThaw, "sees_seeds", sees)
        monkeypatch.setattr(FreezeThaw, "goes_on", goes_on)
        autogan.run_search({**SEARCH, "stopping": "thaw", "repeats": 3}, engine=FakeEngine())
        assert (seen != {None}) is sees

    def test_trainings_without_values_are_left(self):
        trials = [trial(n, []) for n in range(4)]
        assert self.revived(trials) is self.revived(trials, closing=True) is None


def test_median_stops_the_worse_half():
    others = [trial(n, [float(n)] * 3, State.COMPLETE) for n in range(4)]  # median 1.5

    def goes_on(value, known=others):
        own = trial(9, [value], State.RUNNING)
        return MedianRule(3).goes_on(History([*known, own], "min"), own)

    assert goes_on(1.5)
    assert not goes_on(1.6)
    assert goes_on(99.0, others[:3])  # too few to tell
    assert MedianRule(3).revived(History(others, "min"), closing=True) is None


def test_median_compares_the_best_so_far_at_the_same_step():
    """A trial that was better once is not stopped for a bad evaluation."""
    others = [trial(n, [4.0, 2.0], State.COMPLETE) for n in range(4)]
    own = trial(9, [2.0, 50.0], State.RUNNING)
    assert MedianRule(3).goes_on(History([*others, own], "min"), own)


def test_screening_trains_the_best_few_when_all_have_begun():
    """Of twenty trials of ten evaluations two: their other nine tenths cost what beginning did."""
    levels = [float((7 * n) % 20) for n in range(20)]
    lengths = replayed(Screening(10), [[level] * 10 for level in levels])
    assert [length for level, length in sorted(zip(levels, lengths, strict=True))] == [
        10, 10, *[1] * 18,
    ]  # fmt: skip


def test_successive_halving_trains_a_third_of_a_third_to_the_end():
    """Nine trials of nine evaluations: rungs at 1, 3 and 9; 9, 3 and 1 of them get so far.

    Asynchronously a trial also goes on that only was among the best when it came: the sixth here.
    """
    lengths = replayed(SuccessiveHalving(9), FLAT)
    assert lengths == [1, 3, 1, 9, 1, 3, 1, 1, 1]


def test_successive_halving_goes_on_late_with_what_looks_better_by_then():
    """The first trial pauses, since one of one is no third, and goes on when two others are worse.

    The paper's algorithm 2: nothing waits for a rung to be full.
    """
    rule = SuccessiveHalving(9)
    first = trial(0, [1.0], State.RUNNING)
    assert not rule.goes_on(History([first], "min"), first)
    trials = [trial(0, [1.0]), trial(1, [2.0])]
    assert rule.revived(History(trials, "min"), closing=False) is None
    trials.append(trial(2, [3.0]))
    assert rule.revived(History(trials, "min"), closing=False).number == 0


def test_successive_halving_ends_with_a_trial_that_is_trained_to_its_end():
    assert replayed(SuccessiveHalving(9), FLAT[:2]) == [1, 9]


def test_a_diverged_trial_competes_as_the_worst():
    lost = [trial(n, [], State.DIVERGED) for n in range(2)]
    own = trial(2, [50.0], State.RUNNING)
    assert SuccessiveHalving(9).goes_on(History([*lost, own], "min"), own)


@pytest.mark.parametrize("rule", [SuccessiveHalving, Hyperband])
def test_a_lost_trial_gives_no_places_at_rungs_that_it_never_came_near(rule):
    """Lost after the first rung, it counts there and at the second, where it was going."""
    own, other = trial(0, [1.0] * 3, State.RUNNING), trial(1, [2.0] * 3)

    def goes_on(*lost):
        trials = [trial(n, values, State.DIVERGED) for n, values in enumerate(lost, start=2)]
        return rule(27).goes_on(History([own, other, *trials], "min"), own)

    assert not goes_on()  # one of two is no third
    assert not goes_on([], [], [], [])
    assert goes_on([0.5])
    assert goes_on([0.5, 0.5])


@pytest.mark.parametrize(
    ("lost", "places"), [(0, (20, 7)), (30, (20, 7)), (40, (20, 7)), (48, (12, 4))]
)
def test_successive_halving_saves_updates_where_many_trials_diverge(lost, places):
    """Sixty trials of nine evaluations, some lost before the first: what the sound ones cost.

    If each rung waited for all its trials, ``places`` sound ones would go on from the first rung
    and the second: 26, 41, 57 and 56 % of their full cost. Going on at once costs a little more:
    31, 46, 56 and 57 %. It was 31, 69, 100 and 100 % when lost trials counted at every rung.
    """
    sound, shares = 60 - lost, []
    for seed in range(15):
        levels = [math.inf] * lost + [float(level) for level in range(sound)]
        random.Random(seed).shuffle(levels)
        lengths = replayed(SuccessiveHalving(9), [[level] * 9 for level in levels])
        shares.append(sum(lengths) / (9 * sound))
    waiting = (sound + 2 * places[0] + 6 * places[1]) / (9 * sound)
    assert waiting - 0.02 < statistics.fmean(shares) < waiting + 0.1


@pytest.mark.parametrize(
    ("evaluations", "expected"), [(9, [1, 3, 9]), (10, [1, 3, 10]), (5, [2, 5]), (2, [2])]
)
def test_rungs(evaluations, expected):
    paused = [
        count
        for count in range(1, evaluations + 1)
        if not SuccessiveHalving(evaluations).goes_on(
            History([own := trial(0, [1.0] * count, State.RUNNING)], "min"), own
        )
    ]
    assert sorted({*paused, evaluations}) == expected


def test_hyperband_deals_out_its_brackets_as_the_paper_does():
    """Three rungs: 9 trials from the lowest, 5 from the middle one, 3 straight to the end."""
    brackets = [Hyperband(9).bracket(place) for place in range(34)]
    assert brackets == [0] * 9 + [1] * 5 + [2] * 3 + [0] * 9 + [1] * 5 + [2] * 3


def test_hyperband_counts_the_trials_that_it_judges():
    """Confirmations and repeated seeds have numbers of the ledger too."""
    rule = Hyperband(9)
    for numbers in (range(17), range(0, 34, 2)):
        trials = [trial(number, [float(50 + place)]) for place, number in enumerate(numbers)]
        history = History(trials, "min")
        assert [rule.goes_on(history, t) for t in trials[8:10]] == [False, True]


def test_a_trial_that_goes_on_is_judged_by_what_it_has_become():
    """At its second rung the revived trial is the best of three, and was the worst."""
    others = [trial(0, [5.0] * 3), trial(1, [6.0] * 3)]
    own = trial(2, [9.0, 7.0, 1.0], State.RUNNING)
    own.value = 9.0  # as it was recorded when it stopped
    assert SuccessiveHalving(9).goes_on(History([*others, own], "min"), own)


def test_hyperband_spares_a_bracket_the_first_rung():
    lengths = replayed(Hyperband(9), [[float(50 - n)] * 9 for n in range(17)])
    assert min(lengths[9:14]) == 3
    assert lengths[14:] == [9, 9, 9]


SEARCH = {
    "params": {"learning_rate": "1e-4..1e-2:log"},
    "search_method": "random",
    "trials": 9,
    "steps": 30,
    "evaluate_every": 10,
    "run_dir": "runs/a",
}


class Snapshots(FakeEngine):
    """Copies the run's folder before each evaluation is handled: what a kill would leave."""

    count = 0

    def next_event(self):
        event = super().next_event()
        if isinstance(event.message, Evaluated):
            shutil.copytree("runs/a", f"runs/killed-{self.count}", symlinks=True)
            self.count += 1
        return event


@pytest.mark.parametrize("rule", STOPPING_RULES.names())
def test_a_search_that_was_killed_decides_the_same(rule):
    engine = Snapshots()
    whole = autogan.run_search({**SEARCH, "stopping": rule}, engine=engine)
    assert {t.state for t in whole.trials} == {State.COMPLETE, State.STOPPED}
    assert whole.best.state is State.COMPLETE

    def told(result):
        return [(t.params, t.state, [e.step for e in t.evaluations]) for t in result.trials]

    for number in range(engine.count):
        resumed = autogan.run_search(resume=f"runs/killed-{number}", engine=FakeEngine())
        assert told(resumed) == told(whole)
        assert resumed.best == whole.best


def test_stopping_saves_updates_and_keeps_the_best():
    full = autogan.run_search(SEARCH, engine=FakeEngine())
    saved = autogan.run_search(
        {**SEARCH, "stopping": "asha", "run_dir": "runs/b"}, engine=FakeEngine()
    )
    updates = [sum(t.evaluations[-1].step for t in r.trials) for r in (full, saved)]
    assert updates[1] < 0.7 * updates[0]
    assert saved.best.params == full.best.params
    records = map(json.loads, Path("runs/b/trials.jsonl").read_text().splitlines())
    assert any(record["record"] == "revived" for record in records)


def test_more_trials_later_go_on_from_stopped_ones():
    autogan.run_search({**SEARCH, "stopping": "asha", "trials": 2}, engine=FakeEngine())
    more = autogan.run_search({"trials": 9}, resume="runs/a", engine=FakeEngine())
    assert len(more.trials) == 9
    assert more.best.state is State.COMPLETE


def test_repeated_seeds_are_trained_to_their_end():
    """Only a point that has come to its own end is trained again, and then is not stopped."""
    result = autogan.run_search({**SEARCH, "stopping": "asha", "repeats": 2}, engine=FakeEngine())
    again = [t for t in result.trials if t.repeats is not None]
    assert again
    for t in again:
        assert t.state is result.trials[t.repeats].state is State.COMPLETE
    firsts = autogan.run_search(
        {**SEARCH, "stopping": "asha", "run_dir": "runs/b"}, engine=FakeEngine()
    )
    assert len(result.trials) == len(firsts.trials) + len(again)


def test_one_seed_that_was_stopped_early_is_no_result_of_a_point():
    """Neither the best, where another point has all its seeds, nor at the target."""
    settings = {**SEARCH, "stopping": "asha", "repeats": 3, "trials": 4}
    result = autogan.run_search(settings, engine=FakeEngine())
    assert result.best.state is State.COMPLETE
    assert sum(t.params == result.best.params for t in result.trials) > 1
    target = result.trials[0].evaluations[0].value + 1
    settings = {**settings, "target": target, "run_dir": "runs/b"}
    aimed = autogan.run_search(settings, engine=FakeEngine())
    reaching = next(p for p in aimed.points if p.value is not None and p.value <= target)
    assert len(reaching.ended) >= 2


def test_the_best_is_told_as_it_has_become(tmp_path):
    """A best trial that goes on after a stop changes its value, and best.yaml with it."""
    for seed in range(8):
        settings = {**SEARCH, "stopping": "asha", "seed": seed, "run_dir": f"runs/{seed}"}
        best = autogan.run_search(settings, engine=FakeEngine()).best
        told = (tmp_path / f"runs/{seed}/best.yaml").read_text()
        assert f"fid_fake_9 {best.value:.6g} at step {best.step}" in told


def test_screening_must_know_the_number_of_trials(tmp_path):
    settings = {**SEARCH, "stopping": "screening", "trials": None, "max_steps": 600}
    with pytest.raises(ConfigError, match="stopping: screening must know the number of trials"):
        autogan.run_search(settings, engine=FakeEngine())
    assert list(tmp_path.iterdir()) == []


def test_a_rule_without_anything_to_compare_is_refused(tmp_path):
    with pytest.raises(
        ConfigError, match=r"stopping: asha needs 3 evaluations of a training, but 30 steps have 1"
    ):
        autogan.run_search(
            {**SEARCH, "stopping": "asha", "evaluate_every": 30}, engine=FakeEngine()
        )
    assert list(tmp_path.iterdir()) == []
