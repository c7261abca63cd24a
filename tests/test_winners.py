"""Honest winners: repeated seeds, confirmation, several criteria, and learning from the past."""

import dataclasses
import json
import math
import re
import statistics
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from fakes import DIVERGE, FakeEngine, FakeSession, labels_of
from scipy.stats import mannwhitneyu

import autogan
from autogan.cli.main import main
from autogan.config import Confirm, SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.decisions.confirmation import Confirmed, advantage, confirmed
from autogan.models.formats import FORMATS
from autogan.pool.finished import Scores, Written
from autogan.record.words import Terms
from autogan.report.search import search_page
from autogan.search import History, Space, State, Trial
from autogan.search.grid import GridSearch
from autogan.search.pareto import fronts, worths
from autogan.search.repeats import Standing, merged, raced
from autogan.show.advice import advice
from autogan.show.card import card
from autogan.show.displays import PlainDisplay
from autogan.show.judged import LUCKY, judgement
from autogan.show.plain import plain
from autogan.show.standings import by_criterion, points_table
from autogan.show.verdict import BETTER, LUCK, WORSE, verdict

SEARCH = {
    "gan_type": "dcgan",
    "params": {"learning_rate": [1e-4, 3e-4, 4e-4, 1e-3]},
    "search_method": "grid",
    "run_dir": "runs/a",
}


def search(display=None, **changes):
    return autogan.run_search({**SEARCH, **changes}, engine=FakeEngine(), display=display)


def trained(number, value, state=State.COMPLETE):
    return Trial(number, {"x": number}, state=state, value=value)


def again(trial, first):
    """The same as a further seed of an earlier trial's point."""
    return dataclasses.replace(trial, params={"x": first}, repeats=first)


def confirmed_point(number, values):
    return Confirmed(number, {}, None, list(map(float, values)), 0)


class TestEachCriterion:
    """What every recorded criterion would choose by itself."""

    def test_its_best_evaluation_of_all(self):
        result = search(also=["is"])
        names = {label: name for name, label in result.header["labels"].items()}
        values = {
            name: [(e.scores[label], t.number) for t in result.trials for e in t.evaluations]
            for label, name in names.items()
        }
        fid, inception = by_criterion(result)
        assert (fid.value, fid.trial.number) == min(values["fid"])
        assert inception.value == max(values["is"])[0]
        assert (inception.value, inception.trial.number) in values["is"]
        said = result.summary()
        assert "each criterion alone would choose:\n  fid  " in said
        assert f"\n  is  {inception.value:.4g}  trial {inception.trial.number}  " in said
        page = search_page(result)
        assert "What would each criterion choose?" in page
        assert plain(result)["by_criterion"]["is"]["trial"] == inception.trial.number

    def test_of_one_there_is_nothing_to_say(self):
        result = search()
        assert by_criterion(result) == []
        assert "each criterion alone" not in result.summary()

    def test_the_dead_are_not_chosen(self):
        result = search(also=["is"], params={**SEARCH["params"], "z_dim": [2, DIVERGE]})
        assert all(not choice.trial.dead for choice in by_criterion(result))


class TestJudging:
    """What the end of a search says beside its best generator's scores."""

    def judged(self, monkeypatch, copies, floor, **more):
        def evaluate(session, call):
            scores = dict.fromkeys(labels_of(TrainConfig(**call.config)).values(), 2.5)
            return Scores(scores=scores, test=None, floor=floor, copies=copies, **more)

        monkeypatch.setattr(FakeSession, "evaluate", evaluate)
        return search()

    def test_the_floor_and_copies_are_shown(self, monkeypatch):
        copies = {"authenticity": 0.51, "c_t": 1.25}
        result = self.judged(monkeypatch, copies, {"fid_fake_360_abcdef": 3.34})
        said = result.summary()
        assert "\n           9 generated      360 unseen real\n" in said
        assert "\n  against  training images  training images\n" in said
        assert "\n  fid      2.5              3.34\n" in said
        assert (
            "\n  they are not copies: single images are as near to the training images as unseen "
            "real ones are (authenticity 0.51, c_t 1.25; copies have c_t below -3)\n" in said
        )
        assert f"\n  {LUCKY}\n" in said
        assert "the winner copies:" not in said
        assert plain(result)["judged"]["copies"] == copies
        assert autogan.load("runs/a").judged.floor == {"fid_fake_360_abcdef": 3.34}

    @pytest.mark.parametrize(
        ("copies", "words"),
        [
            ({"authenticity": 0.7, "c_t": 9.6}, "not copies, but some are poor: single images"),
            ({"authenticity": 0.1, "c_t": -9.6}, "copies (authenticity 0.1, c_t -9.6)"),
        ],
    )
    def test_copies_are_read_for_you(self, monkeypatch, copies, words):
        said = self.judged(monkeypatch, copies, {}).summary()
        assert f"\n  they are {words}" in said

    def test_near_images_may_be_copies(self, monkeypatch):
        said = self.judged(monkeypatch, {"authenticity": 0.7, "c_t": -9.6}, {}).summary()
        assert "\n  they may be copies: single images are nearer to the training images " in said

    def test_a_winner_that_copies_is_warned_of(self, monkeypatch):
        result = self.judged(monkeypatch, {"authenticity": 0.1, "c_t": -7.2}, {})
        said = result.summary()
        assert "warning: the winner copies: its images are closer to the training images" in said
        assert "(authenticity 0.1, c_t -7.2)" in said
        assert "real images instead" not in said

    def test_deviations_stand_after_their_values(self, monkeypatch):
        label, spread = "fid_fake_360_abcdef", {labels_of(TrainConfig())["fid"]: 0.125}
        spread[label] = 0.25
        result = self.judged(
            monkeypatch,
            None,
            {label: 3.34},
            spread=spread,
            floor_spread={label: 0.2},
            fewer={label: 3.1},
        )
        said = result.summary()
        assert "\n  fid      2.5 ± 0.12       3.1 ± 0.25       3.34 ± 0.2\n" in said
        assert "their noise" not in said

    @pytest.mark.parametrize(("value", "words"), [(3.73, "as close to"), (3.75, "farther from")])
    def test_the_distance_is_read_for_you(self, monkeypatch, value, words):
        """Within two deviations of the floor, for as many images."""
        label = "fid_fake_360_abcdef"
        floor, spread = {label: 3.34}, {label: 0.2}
        said = self.judged(
            monkeypatch, None, floor, floor_spread=spread, fewer={label: value}
        ).summary()
        assert f"\n  by fid, its images as a whole are {words} the training images " in said

    def test_halves_are_shown_where_there_are_no_test_images(self, monkeypatch):
        label = "fid_fake_180_abcdef"
        said = self.judged(
            monkeypatch, None, None, halves={label: 6.7}, halves_spread={label: 0.4}
        ).summary()
        assert "\n           9 generated      180 real\n" in said
        assert "\n  against  training images  180 other real\n" in said
        assert "\n  fid      2.5              6.7 ± 0.4\n" in said

    @pytest.mark.parametrize(
        ("name", "images", "value", "verdict"),
        [("fid", 360, 7.6, "are farther from the training images than halves of these are from"),
         ("fid", 360, 7.4, "cannot be judged: fid falls with more images, and halves of the"),
         ("kid", 360, 7.4, "are as close to the training images as halves of these are to"),
         ("fid", 100, 7.6, "")],
    )  # fmt: skip
    def test_halves_judge_where_numbers_of_images_allow_it(self, name, images, value, verdict):
        """From fewer images, FID is higher: only a high value of many images says something."""
        labels = {name: f"{name}_fake_{images}_abcdef"}
        half = f"{name}_fake_180_abcdef"
        found = Scores(
            scores={labels[name]: value},
            names=labels,
            halves={half: 6.7},
            halves_spread={half: 0.4},
        )
        said = judgement(found, Terms.of(name, labels))
        wanted = f"by {name}, its images as a whole {verdict}"
        assert [line[: len(wanted)] for line in said] == ([wanted] if verdict else [])

    @pytest.mark.parametrize(("value", "warned"), [(2.93, True), (2.95, False)])
    def test_one_that_fits_noise_is_warned_of(self, monkeypatch, value, warned):
        """By as many images, and two deviations; 2.5 of all its images says nothing here."""
        label = "fid_fake_360_abcdef"
        floor, spread = {label: 3.34}, {label: 0.2}
        said = self.judged(
            monkeypatch, None, floor, floor_spread=spread, fewer={label: value}
        ).summary()
        assert ("the winner is closer to the training images than unseen real" in said) == warned
        assert (f"(fid {value}, unseen images 3.34)" in said) == warned

    def test_one_whose_images_hardly_differ_is_not_accused(self, monkeypatch):
        said = self.judged(monkeypatch, {"authenticity": 1.0, "c_t": -17.6}, {}).summary()
        assert "the winner copies" not in said

    def test_without_test_images_there_is_neither(self, monkeypatch):
        said = self.judged(monkeypatch, None, None).summary()
        assert "unseen" not in said
        assert "c_t" not in said


def test_defaults_that_died_less_often_are_not_called_better():
    """They lead, although the values of the point's living seeds are better."""
    point = Confirmed(3, {"d_iter": 2}, 2.9, [3.0, 3.1, 2.9, 3.0], 1)
    usual = Confirmed(None, {"d_iter": 1}, None, [5.0, 5.1, 4.9, 5.0, 5.0], 0)
    said = verdict(SimpleNamespace(confirmed=[usual, point], direction="min"))
    assert said.startswith("the defaults lost fewer trainings (0) than trial 3 (1); against trial")
    alive = dataclasses.replace(point, lost=0)
    said = verdict(SimpleNamespace(confirmed=[usual, alive], direction="min"))
    assert said.startswith("the defaults did better than every point found; against trial 3: ")


class TestRepeats:
    def test_further_seeds_go_to_what_may_be_the_best(self):
        result = search(repeats=3)
        first = [t for t in result.trials if t.repeats is None]
        further = [t for t in result.trials if t.repeats is not None]
        assert len(first) == 4
        assert 0 < len(further) <= 4
        assert len({t.seed for t in result.trials}) == len(result.trials)
        trained = [t.params["learning_rate"] for t in result.trials]
        assert max(trained.count(rate) for rate in trained) <= 3
        assert further[0].params["learning_rate"] != 1e-3  # the worst by far

    def test_the_budget_counts_points(self):
        result = search(repeats=2, trials=3)
        assert sum(t.repeats is None for t in result.trials) == 3
        assert any(t.repeats is not None for t in result.trials)

    def test_other_methods_see_one_trial_for_each_point(self):
        """Its value is the mean; a dead seed counts as the worst of all, and is not the end."""
        trials = [
            trained(0, 1.0), again(trained(1, 3.0), 0), trained(2, 9.0),
            trained(3, 2.0), again(trained(4, None, state=State.COLLAPSED), 3),
            trained(5, None, state=State.DIVERGED),
            trained(6, 4.0), again(trained(7, None, state=State.RUNNING), 6),
            trained(8, None, state=State.FAILED), again(trained(9, 5.0), 8),
        ]  # fmt: skip
        seen = [(t.number, t.state, t.value) for t in merged(History(trials, "min")).trials]
        assert seen == [
            (0, State.COMPLETE, 2.0),
            (2, State.COMPLETE, 9.0),
            (3, State.COMPLETE, (2.0 + 9.0) / 2),
            (5, State.DIVERGED, None),
            (6, State.RUNNING, None),
            (8, State.COMPLETE, 5.0),
        ]
        upwards = merged(History(trials, "max")).trials
        assert upwards[2].value == (2.0 + 1.0) / 2

    def test_the_command_line_says_the_mean(self, capsys, monkeypatch):
        monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
        flags = ["--param", "learning_rate=1e-4,4e-4", "--search-method", "grid", "--repeats", "3"]
        with pytest.raises(SystemExit):
            main(["search", *flags, "--run-dir", "runs/a"])
        result = autogan.run_search(resume="runs/a", engine=FakeEngine())
        values = [t.value for t in result.trials if t.params == result.best.params]
        assert len(values) > 1
        low, high = f"{min(values):.4g}", f"{max(values):.4g}"
        said = f"fid {statistics.fmean(values):.4g} under {len(values)} seeds ({low} to {high})"
        out = capsys.readouterr().out
        assert f"{said}, none died; expect " in out
        order, head = out.split("\n\n")[1].splitlines()[:2]
        assert order == "the points: first those trained to the end, by the values to expect:"
        assert head.split()[:5] == ["first", "trial", "fid", "seeds", "died"]

    def test_the_best_of_its_trainings_is_the_one_to_use(self):
        result = search(repeats=3)
        alike = [t.value for t in result.trials if t.params == result.best.params]
        assert result.best.value == min(alike)
        assert result.standing.value == statistics.fmean(alike)

    def test_failed_seeds_do_not_count(self):
        rates = [1e-4, 3e-4, 4e-4, 1e-3]
        space = SearchConfig(params={"learning_rate": rates}).space
        trials = [Trial(n, {"learning_rate": r}, state=State.COMPLETE, value=1.0 + n)
                  for n, r in enumerate(rates)]  # fmt: skip
        failed = dataclasses.replace(trials[0], number=4, state=State.FAILED, repeats=0, value=None)
        assert raced(space, History(trials, "min"), 2).number == 0
        assert raced(space, History([*trials, failed], "min"), 2).number == 0
        lived = dataclasses.replace(failed, state=State.COMPLETE, value=1.2)
        assert raced(space, History([*trials, lived], "min"), 2) is None  # its share is spent

    def test_one_seed_ends_the_race(self):
        assert all(t.repeats is None for t in search(repeats=1).trials)

    def test_resuming_repeats_nothing(self):
        whole = search(repeats=2)
        search(repeats=2, trials=2, run_dir="runs/b")
        resumed = autogan.run_search({"trials": 4}, resume="runs/b", engine=FakeEngine())
        assert resumed.trials[:2] == whole.trials[:2]
        first = [t.params for t in resumed.trials if t.repeats is None]
        assert first == [t.params for t in whole.trials if t.repeats is None]


def lost_defaults(number):
    """A training of the defaults of a space without dimensions, which diverged."""
    return Trial(number, {}, confirms=True, state=State.DIVERGED)


CONFIRM = {"confirm": {"top": 2, "repeats": 3}}


class TestConfirmation:
    def test_the_winner_is_named_by_fresh_seeds(self, tmp_path):
        result = search(**CONFIRM)
        searched, again = result.trials[:4], result.trials[4:]
        assert len(again) == 3 * 3
        assert all(t.confirms for t in again)
        assert len({t.seed for t in result.trials}) == 13
        ranked = sorted(searched, key=lambda t: t.value)[:2]
        by_number = {c.number: c for c in result.confirmed}
        assert set(by_number) == {ranked[0].number, ranked[1].number, None}
        for t in ranked:
            values = [a.value for a in again if a.params == t.params]
            assert by_number[t.number].values == values
            assert by_number[t.number].observed == t.value
            assert by_number[t.number].mean == pytest.approx(sum(values) / 3)
            assert by_number[t.number].spread == pytest.approx(statistics.stdev(values))
        assert by_number[None].params == {"learning_rate": 2e-4}  # DCGAN's own
        means = [c.mean for c in result.confirmed]
        assert means == sorted(means)
        assert result.best.params == result.confirmed[0].params
        best = yaml.safe_load((tmp_path / "runs/a/best.yaml").read_text())
        assert best["params"]["learning_rate"] == result.best.params["learning_rate"]
        assert best["seed"] == result.best.seed

    def test_its_words_are_of_the_fresh_seeds(self, tmp_path):
        """In the head of best.yaml, on the card, and first in the table of points."""
        result = search(**CONFIRM, repeats=2)
        fresh = result.confirmation
        assert fresh.outcome == f"{fresh.mean:.4g} ± {fresh.spread:.3g} under 3 fresh seeds"
        head = (tmp_path / "runs/a/best.yaml").read_text().splitlines()[0]
        assert f", {fresh.outcome}; this trial fid" in head
        written = Written(image_shape=(8, 8, 1), z_dim=4, classes=[])
        made = card(result, FORMATS.get("onnx"), written, "", "")
        assert f"Its hyperparameters, trained again: fid {fresh.outcome}.\n" in made
        assert verdict(result)[1:] + "." in made
        order, head, *rows = points_table(result, 20, every=False)
        assert order.startswith("the points: first those under fresh seeds, then ")
        assert head.split("  ")[1:3] == ["first trial", "under fresh seeds"]
        shown = [re.split("  +", row.strip())[1] for row in rows]
        confirmed = [str(each) for each in result.confirmed if result.point(each.params)]
        assert shown[: len(confirmed)] == confirmed
        page = search_page(result)
        points = page[page.index("How good is each point?") :]
        assert all(f"<td>{words}</td>" in points for words in confirmed)

    def test_no_range_is_advised_for_a_winner_that_may_be_luck(self, monkeypatch):
        result = search(**CONFIRM)
        monkeypatch.setattr("autogan.show.advice._edges", lambda result: ["widen"])
        seeds = f"--resume {Path('runs/a')} --confirm top=2,repeats=6"
        for end, lines in ((LUCK, []), (WORSE, []), (BETTER, ["widen"])):
            monkeypatch.setattr(
                "autogan.show.advice.verdict", lambda result, end=end: f"against{end}"
            )
            said = advice(result)
            assert [line for line in said if line == "widen"] == lines
            assert any(line.endswith(seeds) for line in said) == (end == LUCK)

    def test_defaults_that_were_found_are_not_trained_twice(self):
        result = search(params={"learning_rate": [2e-4]}, confirm={"top": 3, "repeats": 2})
        assert len(result.trials) == 1 + 2
        assert [c.number for c in result.confirmed] == [0]
        assert verdict(result) == "the defaults are the best point found"

    def test_defaults_that_were_found_are_compared_with(self):
        """As those that the confirmation adds: a point of the search may have their values."""
        rates = {"params": {"learning_rate": [2e-4, 4e-4]}}
        result = search(**rates, confirm={"top": 2, "repeats": 2})
        assert all(c.number is not None for c in result.confirmed)
        winner = result.confirmed[0]
        assert winner.params == {"learning_rate": 4e-4}
        shift = winner.mean - result.confirmed[1].mean
        assert verdict(result).startswith(f"against the defaults: {shift:+.3g};")
        assert " (the defaults): " in result.summary()

    def test_defaults_that_were_not_found_are_a_line_of_the_table(self):
        result = search(confirm={"top": 1, "repeats": 2}, repeats=2)
        assert [c.number for c in result.confirmed if c.number is None]
        names = [row.split()[0] for row in points_table(result, 20, every=False)[2:]]
        place = [c.number for c in result.confirmed].index(None)
        assert names[place] == "defaults"

    def test_diverging_counts_against_a_point(self):
        result = search(params={"z_dim": [DIVERGE, 20]}, **CONFIRM)
        assert [c.lost for c in result.confirmed] == [0, 0]
        found = [Trial(n, {"x": n}, state=State.COMPLETE, value=n) for n in range(2)]
        again = [
            Trial(2, {"x": 0}, confirms=True, state=State.COMPLETE, value=0.0),
            Trial(3, {"x": 0}, confirms=True, state=State.DIVERGED),
            Trial(4, {"x": 1}, confirms=True, state=State.COMPLETE, value=5.0),
            Trial(5, {"x": 1}, confirms=True, state=State.COMPLETE, value=6.0),
        ]
        standings = [Standing(trial, [trial]) for trial in found]
        trials = [*again, *map(lost_defaults, (6, 7))]
        results = confirmed(Confirm(top=2, repeats=2), standings, "min", Space(()), trials)
        assert [(r.number, r.lost) for r in results] == [(1, 0), (0, 1), (None, 2)]

    def test_points_that_were_drawn_twice_are_confirmed_once(self):
        rates = {"params": {"learning_rate": [1e-4, 3e-4, 4e-4, 1e-3]}, "distinct": False}
        result = search(**rates, search_method="random", trials=20, confirm="top=3,repeats=2")
        params = [c.params["learning_rate"] for c in result.confirmed]
        assert len(set(params)) == len(params) == 4

    def test_the_confirmation_does_not_move_the_ranges_of_a_scaled_sum(self):
        before = search(criterion="is - 0.5*fid", normalise="history")
        after = autogan.run_search(CONFIRM, resume="runs/a", engine=FakeEngine())
        assert len(after.trials) > len(before.trials)
        assert [t.value for t in after.trials[:4]] == [t.value for t in before.trials]

    def test_it_can_be_asked_for_later_and_the_search_goes_on_unmoved(self):
        whole = search()
        search(trials=2, run_dir="runs/b")
        later = autogan.run_search(CONFIRM, resume="runs/b", engine=FakeEngine())
        assert len(later.confirmed) == 3
        more = autogan.run_search({"trials": 4}, resume="runs/b", engine=FakeEngine())
        own = [(t.params, t.seed, t.value) for t in more.trials if not t.confirms]
        assert own == [(t.params, t.seed, t.value) for t in whole.trials]

    def test_nothing_is_said_before_its_end(self):
        """Killed in the middle, it goes on where it was."""

        class Killed(FakeEngine):
            def start(self, trial, minutes, call):
                if trial == 8:
                    raise KeyboardInterrupt
                super().start(trial, minutes, call)

        with pytest.raises(KeyboardInterrupt):
            autogan.run_search({**SEARCH, **CONFIRM}, engine=Killed())
        resumed = autogan.run_search(resume="runs/a", engine=FakeEngine())
        whole = search(**CONFIRM, run_dir="runs/b")
        assert resumed.trials == whole.trials
        assert resumed.confirmed == whole.confirmed

    def test_the_interval_is_hodges_and_lehmanns(self):
        """Five against five at 95 %: the third of 25 differences from either end.

        Critical values of U are those of Mann and Whitney's table: 2 for 5 and 5 values.
        """
        rng = np.random.default_rng(0)
        one, other = rng.normal(size=(2, 5))
        winner, rest = confirmed_point(0, one), confirmed_point(None, other)
        found = advantage(winner, rest, choices=1, worst=math.inf)
        pairs = np.sort(np.subtract.outer(one, other).ravel())
        assert (found.low, found.shift, found.high) == (pairs[2], pairs[12], pairs[-3])

    @pytest.mark.parametrize(("seeds", "choices"), [(4, 1), (5, 1), (5, 3), (8, 5), (3, 1)])
    def test_the_interval_is_what_the_rank_test_does_not_reject(self, seeds, choices):
        """Against SciPy's exact test, at Bonferroni's level."""
        rng = np.random.default_rng(1)
        for shift in rng.uniform(-4, 4, size=20):
            one, other = rng.normal(size=seeds) + shift, rng.normal(size=seeds)
            winner, rest = confirmed_point(0, one), confirmed_point(None, other)
            found = advantage(winner, rest, choices, math.inf)
            rejected = mannwhitneyu(one, other, method="exact").pvalue <= 0.05 / choices
            assert (not found.low <= 0 <= found.high) == rejected

    def test_a_diverged_run_counts_as_worst(self):
        winner = Confirmed(0, {}, None, [1.0, 2.0, 3.0, 4.0, 5.0], 0)
        other = Confirmed(None, {}, None, [6.0], 4)
        found = advantage(winner, other, 1, math.inf)
        assert (found.shift, found.low) == (-math.inf, -math.inf)
        assert found.high <= -1.0
        upside_down = advantage(other, winner, 1, math.inf)
        assert upside_down.high == math.inf

    def test_three_seeds_can_never_exclude_luck(self):
        winner = Confirmed(0, {}, None, [1.0, 2.0, 3.0], 0)
        other = Confirmed(None, {}, None, [100.0, 200.0, 300.0], 0)
        found = advantage(winner, other, 1, math.inf)
        assert (found.low, found.high) == (-math.inf, math.inf)

    def test_equal_points_are_seldom_called_better(self):
        """The best of k equal points against the defaults: at most 2.5 %, however many k.

        Welch's interval for the chosen one, without a correction, has 4.5 % and 6.8 % here.
        """
        rng = np.random.default_rng(2)
        for choices in (3, 5):
            better = 0
            for _ in range(1000):
                *found, defaults = rng.normal(size=(choices + 1, 5))
                winner = min(found, key=np.mean)
                interval = advantage(
                    confirmed_point(0, winner), confirmed_point(None, defaults), choices, math.inf
                )
                better += interval.high < 0
            assert better <= 35  # 25 expected at most; 35 is two deviations above

    def test_it_says_how_many_candidates_there_are(self, capsys):
        rates = {"params": {"learning_rate": [1e-4, 4e-4]}}
        display = PlainDisplay()
        search(**rates, confirm={"top": 3, "repeats": 2}, display=display)
        assert (
            "only 2 points to confirm, not 3: no others were trained to their end"
            in capsys.readouterr().err
        )
        dead = {"params": {"z_dim": [DIVERGE]}, "run_dir": "runs/b", "display": PlainDisplay()}
        assert search(**dead, confirm="top=3,repeats=2").confirmed == []
        assert "nothing to confirm: no trial has a value" in capsys.readouterr().err

    def test_the_command_line_tells_of_it(self, capsys, monkeypatch):
        monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
        flags = ["--param", "learning_rate=1e-4,4e-4,1e-3", "--search-method", "grid"]
        with pytest.raises(SystemExit):
            main(["search", *flags, "--confirm", "top=1,repeats=3", "--run-dir", "runs/a"])
        out = capsys.readouterr().out
        assert "trained again under 3 fresh seeds" in out
        assert "the search saw" in out
        assert "against the defaults: " in out

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("top=3", "confirm: 'top=3'; write it as top=3,repeats=5"),
            ("top=3,repeats=1", "confirm.repeats: '1'"),
            ("best=3,repeats=2", "confirm"),
        ],
    )
    def test_bad_values_are_refused(self, value, expected, tmp_path):
        with pytest.raises(ConfigError, match=expected):
            search(confirm=value)
        assert list(tmp_path.iterdir()) == []

    def test_flags_and_mappings_are_the_same(self):
        config = autogan.SearchConfig(confirm="top=2,repeats=3")
        assert config.confirm == Confirm(top=2, repeats=3)


class TestSeveralCriteria:
    """Fake scores: FID is a bowl over the learning rate, IS depends on the seed alone."""

    def test_the_front_is_what_none_other_beats(self, tmp_path):
        result = search(criterion="fid,is", params={"learning_rate": "1e-4..1e-2:log"},
                        search_method="random", trials=12)  # fmt: skip
        assert len(result.trials) == 12

        def losses(t):
            scores = next(e.scores for e in t.evaluations if e.step == t.step)
            return scores["fid_fake_9"], -scores["is_fake_9"]

        def beaten(t):
            own = losses(t)
            return any(
                all(o <= p for o, p in zip(losses(other), own, strict=True))
                and losses(other) != own
                for other in result.trials
            )

        assert [t.number for t in result.front] == [
            t.number for t in result.trials if not beaten(t)
        ]
        assert 1 < len(result.front) < 12
        assert result.best in result.front
        best = yaml.safe_load((tmp_path / "runs/a/best.yaml").read_text())
        assert (best["criterion"], best["also"]) == ("fid", ["is"])

    def test_a_preference_chooses_from_the_front(self):
        free = {"params": {"learning_rate": "1e-4..1e-2:log"}, "search_method": "random"}
        for criterion, other, sign in (("fid", "is", 1), ("is", "fid", -1)):
            result = search(**free, criterion=f"{other},{criterion}", prefer=criterion,
                            run_dir=f"runs/{criterion}")  # fmt: skip
            values = [
                sign
                * next(e.scores for e in t.evaluations if e.step == t.step)[f"{criterion}_fake_9"]
                for t in result.trials
            ]
            assert values[result.best.number] == min(values)

    @pytest.mark.parametrize("method", ["random", "explore", "adaptive", "tpe", "gp", "nsga2"])
    def test_any_method_searches(self, method):
        result = search(criterion="fid,is", params={"learning_rate": "1e-4..1e-2:log"},
                        search_method=method, trials=14)  # fmt: skip
        assert len(result.trials) == 14
        assert result.front

    def test_methods_see_places_in_the_order_and_nothing_else(self, monkeypatch):
        """Beside a diverged trial, which is shorter, early scores would be taken for places."""
        seen = []

        def propose(self, space, history, seed):
            seen.append(history)
            return None if len(history.trials) == 3 else original(self, space, history, seed)

        original = GridSearch.propose
        monkeypatch.setattr(GridSearch, "propose", propose)
        search(criterion="is,fid", params={"z_dim": [20, DIVERGE, 30, 40]})
        trials = seen[-1].trials
        assert [t.state for t in trials] == [State.COMPLETE, State.DIVERGED, State.COMPLETE]
        assert not any(t.evaluations for t in trials)
        assert sorted(t.value for t in trials if t.value is not None)[0] == 0.0

    def test_layers(self):
        rows = [(1, 5), (2, 2), (5, 1), (2, 5), (6, 6), (2, 2)]
        assert fronts(rows) == [0, 0, 0, 1, 2, 0]
        assert fronts([]) == []

    def test_the_knee_comes_first_and_a_better_layer_before_a_worse(self):
        rows = [(0.0, 10.0), (1.0, 1.0), (10.0, 0.0), (2.0, 2.0)]
        order = worths(rows, None)
        assert min(range(4), key=order.__getitem__) == 1
        assert order[3] >= 1 > max(order[:3])
        preferred = worths(rows, 1)
        assert min(range(4), key=preferred.__getitem__) == 2

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"stopping": "asha"}, "stopping: asha cannot be combined with several"),
            ({"target": 3.0}, "target: 3.0 cannot be combined with several criteria"),
            ({"repeats": 2}, "repeats: 2 cannot be combined with several criteria"),
            ({"normalise": "history"}, "normalise: history cannot be combined with several"),
            ({"warm_start": "runs/early"}, "warm_start: runs/early cannot be combined"),
            ({"prefer": "kid"}, "prefer: 'kid' does not apply to criterion 'is,fid'"),
            ({"criterion": "fid", "prefer": "fid"}, "prefer: 'fid' does not apply"),
            ({"criterion": "fid,fid"}, "criterion: 'fid,fid' names fid twice"),
        ],
    )
    def test_what_does_not_go_together_is_refused(self, changes, expected):
        with pytest.raises(ConfigError, match=expected):
            search(**{"criterion": "is,fid", **changes})


class TestWarmStart:
    def test_an_earlier_history_is_part_of_what_methods_see(self):
        search(run_dir="runs/early", params={"learning_rate": [1e-4, 3e-4]})
        result = search(warm_start="runs/early", search_method="grid")
        assert [t.params["learning_rate"] for t in result.trials] == [4e-4, 1e-3]
        assert result.best in result.trials

    def test_stopped_trials_teach_too(self):
        early = search(run_dir="runs/early", stopping="asha")
        assert {t.state for t in early.trials} == {State.COMPLETE, State.STOPPED}
        search(warm_start="runs/early", params={"learning_rate": [4e-5]})
        lines = Path("runs/a/trials.jsonl").read_text().splitlines()
        assert len(json.loads(lines[0])["earlier"]) == len(early.trials)

    def test_resuming_needs_the_earlier_folder_no_more(self):
        search(run_dir="runs/early", params={"learning_rate": [1e-4, 3e-4]})
        search(warm_start="runs/early", trials=1)
        Path("runs/early/trials.jsonl").unlink()
        resumed = autogan.run_search({"trials": 9}, resume="runs/a", engine=FakeEngine())
        assert [t.params["learning_rate"] for t in resumed.trials] == [4e-4, 1e-3]

    def test_a_kill_before_the_first_record_loses_nothing(self, monkeypatch):
        search(run_dir="runs/early", params={"learning_rate": [1e-4, 3e-4]})

        def killed(self, record, **values):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("autogan.record.ledger.Ledger.append", killed)
            with pytest.raises(KeyboardInterrupt):
                search(warm_start="runs/early")
        resumed = autogan.run_search(resume="runs/a", engine=FakeEngine())
        assert [t.params["learning_rate"] for t in resumed.trials] == [4e-4, 1e-3]

    @pytest.mark.parametrize("method", ["gp", "adaptive", "tpe", "cmaes", "explore"])
    def test_those_beyond_a_range_teach_no_method(self, method, capsys):
        """A rate of 1e-3 is not taken for 4e-4, the end of the range."""
        search(run_dir="runs/early", params={"learning_rate": [1e-4, 3e-4, 1e-3]})
        autogan.run_search(
            {**SEARCH, "warm_start": "runs/early", "search_method": method, "trials": 2,
             "params": {"learning_rate": "5e-5..4e-4:log"}},
            engine=FakeEngine(), display=PlainDisplay(),
        )  # fmt: skip
        told = "learning from 2 trials of runs/early, but not from 1 trial with values outside"
        assert told in capsys.readouterr().err
        earlier = [Trial(0, {"learning_rate": 1e-3}, state=State.COMPLETE, value=1.0)]
        config = SearchConfig(
            dataset="digits", search_method=method, params={"learning_rate": "5e-5..4e-4:log"}
        )
        assert config.method.known(config.space, History(earlier, "min")) == []

    def test_trials_of_other_fixed_values_are_left_out(self):
        search(run_dir="runs/early", params={"learning_rate": [1e-4, 3e-4], "z_dim": [20, 62]})
        search(warm_start="runs/early")
        header = json.loads(Path("runs/a/trials.jsonl").read_text().splitlines()[0])
        assert [t["params"] for t in header["earlier"]] == [
            {"learning_rate": 1e-4},
            {"learning_rate": 3e-4},
        ]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"warm_start": "nowhere"}, "warm_start: nowhere holds no search"),
            ({"steps": 77}, "warm_start: runs/early has steps 2000, but this search has 77"),
            (
                {"criterion": "is"},
                "warm_start: runs/early has criterion fid, but this search has is",
            ),
            (
                {"params": {"learning_rate": [1e-4], "z_dim": 20}},
                "ended with the values fixed here: z_dim=20$",
            ),
        ],
    )
    def test_what_cannot_be_compared_is_refused(self, changes, expected):
        search(run_dir="runs/early")
        with pytest.raises(ConfigError, match=expected):
            search(**{"warm_start": "runs/early", **changes})
        assert not Path("runs/a").exists()
