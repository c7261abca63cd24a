"""The page of a search, without a browser: what stands in it, what does not, and its numbers."""

import base64
import hashlib
import math
import random
import re
import statistics
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from pages import confirm_with, ended_on_disk, judge, picture, run_trial, search_on_disk

from autogan.core.files import write_bytes
from autogan.core.invocation import command
from autogan.record.folder import SearchFolder
from autogan.record.lines import Ended, Evaluated, Placed, Started
from autogan.record.words import figure, state_of
from autogan.report import comparison_page, search_page
from autogan.report import seeds as seed_charts
from autogan.report.charts import so_far
from autogan.report.drawing.images import Album
from autogan.report.drawing.scales import Linear, Log, Places, fitting, short
from autogan.report.drawing.svg import tag
from autogan.report.effects import early, effects
from autogan.report.view import SearchView
from autogan.search import State
from autogan.show.advice import advice
from autogan.show.saved import load_search
from autogan.show.summary import rows, standing
from autogan.show.verdict import verdict

VOID = {"br", "img", "input", "meta"}
HOSTILE = (
    '"><script>document.title="PWNED"</script>', "<img src=x onerror=alert(1)>", "'; alert(1) //",
    "\u202egnp.exe", "]]>&amp;", "x" * 300,
)  # fmt: skip


class Page(HTMLParser):
    """A page, read: its elements with their attributes, and that all of them are closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.words.append(data)

    def all(self, name, **wanted):
        own = (a for n, a in self.elements if n == name)
        return [a for a in own if all(a.get(key) == value for key, value in wanted.items())]

    @property
    def text(self):
        return " ".join(self.words)


def damaged(png):
    """A PNG whose second chunk of pixels has a name that is none."""
    chunks = [m.start() for m in re.finditer(b"IDAT", png)]
    assert len(chunks) > 1
    return png[: chunks[1]] + b"!!!!" + png[chunks[1] + 4 :]


def drawn(page, name):
    """One chart of a page, as XML."""
    whole = re.search(rf'<svg id="chart-{name}".*?</svg>', page, re.DOTALL).group()
    return ElementTree.fromstring(whole)


def marks(svg, kind):
    """The trials that have a mark of a kind in a chart."""
    space = "{http://www.w3.org/2000/svg}"
    return [int(e.get("data-t")) for e in svg.iter(f"{space}{kind}") if e.get("data-t")]


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A search that has ended and been confirmed."""
    return ended_on_disk(tmp_path_factory.mktemp("runs") / "a")


@pytest.fixture(scope="module")
def page(ended):
    return search_page(ended)


class TestScales:
    def test_places(self):
        assert Linear(2, 6).at(3) == 0.25
        assert Log(1, 100).at(10) == pytest.approx(0.5)
        assert [Places(["a", "b"]).at(v) for v in ("a", "b")] == [0.25, 0.75]
        assert Linear(0, 1).at(7) == 1.0
        assert Log(1, 10).at(-3) == 0.0

    def test_ticks_are_round(self):
        assert [words for _, words in Linear(0, 1).ticks()] == [
            "0",
            "0.2",
            "0.4",
            "0.6",
            "0.8",
            "1",
        ]
        assert [words for _, words in Log(1, 1000).ticks()] == ["1", "10", "100", "1000"]
        assert [words for _, words in Log(2, 40).ticks()] == ["3", "10", "30"]
        assert [words for _, words in Log(5, 7).ticks()] == ["5", "5.5", "6", "6.5", "7"]
        assert short(2e-5) == "2e-5"
        assert short(29645.3) == "29645"

    @given(st.lists(st.floats(-1e9, 1e9) | st.just(math.inf), max_size=5))
    def test_an_axis_has_room_for_whatever_there_is(self, values):
        axis = fitting(values)
        assert axis.low < axis.high
        places = [axis.at(value) for value in values if math.isfinite(value)]
        assert all(0 <= place <= 1 for place in places)
        told = [value for value, _ in axis.ticks()]
        assert told == sorted(set(told))
        assert 1 <= len(told) <= 12
        assert all(0 <= axis.at(value) <= 1 for value in told)

    @given(st.floats(1e-9, 1e9), st.floats(1.01, 1e12))
    def test_so_has_one_by_factors(self, low, ratio):
        axis = Log(low, low * ratio)
        told = [value for value, _ in axis.ticks()]
        assert told == sorted(set(told))
        assert 2 <= len(told) <= 12

    def test_values_that_differ_by_factors_get_such_an_axis(self):
        assert isinstance(fitting([1.0, 100.0]), Log)
        assert isinstance(fitting([1.0, 2.0]), Linear)
        assert isinstance(fitting([-5.0, 100.0]), Linear)
        assert isinstance(fitting([1.0, 100.0], factors=False), Linear)


class TestMarkup:
    def test_all_text_is_escaped(self):
        for words in HOSTILE:
            made = tag("p", words, title=words)
            element = ElementTree.fromstring(made)
            assert element.text == words
            assert element.get("title") == words

    def test_elements_are_whole_xml(self, page):
        charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
        assert len(charts) > 10
        for chart in charts:
            ElementTree.fromstring(chart)

    def test_every_picture_has_words(self, page):
        read = Page(page)
        charts = read.all("svg", role="img")
        assert len(charts) >= 10
        for chart in charts:
            assert chart["aria-label"]
        assert page.count("<desc>") == len(charts)
        names = [a["id"] for _, a in read.elements if "id" in a]
        assert len(set(names)) == len(names)
        for image in read.all("img"):
            assert image["alt"]
            assert image["src"].startswith("data:image/")


class TestPage:
    def test_it_needs_nothing_else(self, page):
        read = Page(page)
        for name, attributes in read.elements:
            for key in ("src", "href", "xlink:href", "action", "data"):
                value = attributes.get(key, "")
                assert value.startswith(("data:", "#")) or not value, (name, value)
            assert not any(key.startswith("on") for key in attributes)
            assert "style" not in attributes
        style = re.search("<style>(.*?)</style>", page, re.DOTALL).group(1)
        assert "url(" not in style
        assert "@import" not in style

    def test_its_policy_allows_its_own_script_and_style_alone(self, page):
        policy = next(
            a["content"] for a in Page(page).all("meta")
            if a.get("http-equiv") == "Content-Security-Policy"
        )  # fmt: skip
        said = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert said["default-src"] == "'none'"
        assert said["img-src"] == "data:"
        for name in ("style", "script"):
            text = re.search(f"<{name}>(.*?)</{name}>", page, re.DOTALL).group(1)
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert said[f"{name}-src"] == f"'sha256-{digest}'"
        assert page.index("Content-Security-Policy") < page.index("<title>")

    def test_the_same_record_gives_the_same_page(self, ended):
        again = load_search(ended.folder.root, {})
        assert search_page(again) == search_page(ended)

    def test_every_trial_is_marked_in_every_chart(self, ended, page):
        own = [t for t in ended.trials if not t.confirms]
        curved = {t.number for t in own if t.evaluations}
        valued = {t.number for t in own if t.value is not None}
        dead = {t.number for t in own if t.dead}
        assert {*marks(drawn(page, "curves-0"), "path")} == curved
        assert {*marks(drawn(page, "curves-1"), "path")} == curved
        assert sorted(marks(drawn(page, "progress-0"), "circle")) == sorted(valued)
        for place in range(3):
            svg = drawn(page, f"slice-{place}")
            assert sorted(marks(svg, "circle")) == sorted(valued)
            assert sorted(marks(svg, "path")) == sorted(dead)
        assert sorted(marks(drawn(page, "coordinates"), "path")) == sorted(valued)
        assert marks(drawn(page, "timeline"), "rect") == [t.number for t in ended.trials]
        rows = [a for a in Page(page).all("tr") if "data-t" in a]
        assert sorted(int(a["data-t"]) for a in rows) == [t.number for t in ended.trials]

    def test_no_mark_lies_outside(self, page):
        for text in re.findall(r"<svg[^>]*role=.*?</svg>", page, re.DOTALL):
            svg = ElementTree.fromstring(text)
            _, _, width, height = map(float, svg.get("viewBox").split())
            assert "nan" not in re.sub("<(title|desc)>.*?</", "", text).lower()
            for each in svg.iter():
                for name, most in (("cx", width), ("cy", height), ("x", width), ("y", height)):
                    assert -8 <= float(each.get(name, 0)) <= most + 8, (svg.get("id"), each.attrib)

    def test_its_sections_answer_their_questions(self, ended, page):
        read = Page(page)
        names = [a["id"] for a in read.all("section")]
        assert names == [
            "winner", "confirmation", "images", "becoming", "curves", "progress", "choices",
            "slices", "importance", "pairs", "where", "noise", "cost", "failures", "points",
            "trials", "configuration",
        ]  # fmt: skip
        links = [a["href"] for a in read.all("a")]
        assert links == [f"#{name}" for name in names]
        assert page.count('class="reading"') == len(names) + 1
        text = read.text
        best = ended.best
        assert f"trial {best.number}'s, fid {best.value:.4g} at step {best.step}" in text
        for name, value in best.params.items():
            assert f"{value:.6g}" if isinstance(value, float) else str(value) in text
            assert name in text
        assert verdict(ended).removeprefix("against the defaults: ") in text or (
            verdict(ended).capitalize() in text
        )
        assert hashlib.sha256(ended.folder.ledger.read_bytes()).hexdigest() in text
        assert "a loss became NaN at step 20" in text

    def test_sizes_stay_within_the_budget(self, tmp_path):
        folder, config, ledger = search_on_disk(tmp_path / "a", 50, 10)
        judge(config, ledger)
        assert len(search_page(load_search(folder.root, {}))) < 150_000
        folder, config, ledger = search_on_disk(tmp_path / "b", 1000, 10)
        judge(config, ledger)
        assert len(search_page(load_search(folder.root, {}))) < 2_000_000

    def test_images_stay_within_theirs(self, tmp_path):
        """Noise is the worst that can be compressed."""
        folder, config, ledger = search_on_disk(tmp_path / "a", 8, 10, size=64, pictures=True)
        judge(config, ledger)
        made = search_page(load_search(folder.root, {}))
        assert len(made) < 3_000_000
        steps = Page(made).all("input", type="radio")
        assert 2 <= len(steps) < 10
        assert len(Page(made).all("img")) > 12

    @pytest.mark.parametrize("words", HOSTILE)
    def test_hostile_names_are_only_names(self, tmp_path, words):
        name = words.replace("/", "_")[:200]
        (tmp_path / name).mkdir()
        folder, config, ledger = search_on_disk(
            tmp_path / name, trials=14, dataset=f"folder:{name}", pictures=True,
        )  # fmt: skip
        ledger.append(Started(trial=14, params=ledger.trials[0].params, seed=1, origin=words,
                      folder="0014"))  # fmt: skip
        ledger.append(Placed(trial=14, worker=words))
        ledger.append(Ended(trial=14, state="failed", value=None, step=None, last_value=None,
                      seconds=1.0, reason=words, steps=0))  # fmt: skip
        write_bytes(folder.trial("0014") / "traceback.txt", words.encode())
        judge(config, ledger)
        result = load_search(folder.root, {})
        page, comparison = Page(search_page(result)), Page(comparison_page([result, result]))
        for read in (page, comparison):
            assert len(read.all("script")) == 1
            assert all(a.get("src", "data:").startswith("data:") for a in read.all("img"))
        assert words in page.text


class TestWhatIsSaid:
    def said(self, root, **keys):
        _, config, ledger = search_on_disk(root, **keys)
        judge(config, ledger)
        return Page(search_page(load_search(root, {})))

    def test_one_training_is_not_a_result(self, tmp_path):
        read = self.said(tmp_path / "a", trials=5)
        assert "One training is not a result" in read.text
        assert "--confirm top=3,repeats=5" in read.text

    def test_two_seeds_that_chose_it_are_not_either(self, tmp_path):
        folder, config, ledger = search_on_disk(tmp_path / "a", trials=20, repeats=2)
        judge(config, ledger)
        result = load_search(folder.root, {})
        standing = result.standing
        assert len(standing.ended) == 2
        text = Page(search_page(result)).text
        assert f"{standing.value:.4g} under 2 seeds (" in text
        assert "none died; expect " in text
        assert "The same seeds chose the winner" in text
        assert "fid of the winner, mean of 2 seeds" in text
        assert "How good is each point?" in text

    def test_a_page_that_is_watched_is_loaded_again(self, tmp_path):
        search_on_disk(tmp_path / "a", trials=5)
        result = load_search(tmp_path / "a", {})
        made = search_page(result)
        assert "The search has not ended" in made
        assert '<meta http-equiv="refresh"' not in made
        assert '<meta http-equiv="refresh" content="30">' in search_page(result, refresh=True)

    def test_nothing_is_said_of_what_matters_below_twelve_trials(self, tmp_path):
        few = self.said(tmp_path / "a", trials=11)
        assert "importance" not in [a["id"] for a in few.all("section")]
        more = self.said(tmp_path / "b", trials=12)
        assert "importance" in [a["id"] for a in more.all("section")]

    def test_empty_sections_are_left_out(self, tmp_path):
        folder, _, _ = search_on_disk(tmp_path / "a", trials=0)
        read = Page(search_page(load_search(folder.root, {})))
        assert [a["id"] for a in read.all("section")] == ["configuration"]
        assert "No trial has a value yet" in read.text

    def test_where_nothing_came_to_a_value(self, tmp_path):
        folder, _, ledger = search_on_disk(tmp_path / "a", trials=0)
        for number in range(14):
            ledger.append(Started(trial=number, params={"learning_rate": 1e-3, "d_iter": 1,
                          "loss": "hinge"}, seed=1, origin="", folder=f"{number:04d}"))  # fmt: skip
            ledger.append(Ended(trial=number, state="diverged", value=None, step=None,
                          last_value=None, seconds=1.0, reason="NaN", steps=5))  # fmt: skip
        read = Page(search_page(load_search(folder.root, {})))
        assert [a["id"] for a in read.all("section")] == [
            "cost",
            "failures",
            "trials",
            "configuration",
        ]

    def test_without_pictures_there_is_no_section_for_them(self, tmp_path):
        read = self.said(tmp_path / "a", trials=5)
        assert not {"images", "becoming"} & {a["id"] for a in read.all("section")}

    def test_a_fresh_seed_may_have_won(self, tmp_path):
        """Then the search's own trial of that point is marked, and the table says which won."""
        folder, config, ledger = search_on_disk(tmp_path / "a", trials=14, confirm=True)
        confirm_with(folder, config, ledger, [[0.01, 0.02], [50.0, 60.0], [70.0, 80.0]])
        judge(config, ledger)
        view = SearchView(load_search(folder.root, {}))
        assert (view.best.number, view.best.confirms) == (14, True)
        assert view.marked.params == view.best.params
        assert not view.marked.confirms
        made = search_page(view.result)
        best = [
            e.get("data-t") for e in drawn(made, "progress-0").iter() if e.get("class") == "best"
        ]
        assert best == [str(view.marked.number)]
        text, marked = Page(made).text, f"trial {view.marked.number}, which has the winner's hyper"
        assert "the winner; confirmation" in text
        assert f"the orange dot marks that of {marked}" in text
        assert f"the orange line is {marked}" in text
        assert f"</svg>{escape(marked)}" in made
        assert "</svg>the winner</li>" not in made

    def test_defaults_that_won_have_no_mark(self, tmp_path):
        folder, config, ledger = search_on_disk(tmp_path / "a", trials=14, confirm=True)
        confirm_with(folder, config, ledger, [[70.0, 80.0], [50.0, 60.0], [0.01, 0.02]])
        judge(config, ledger)
        view = SearchView(load_search(folder.root, {}))
        assert view.result.confirmed[0].number is None
        assert view.marked is None
        assert "orange dot" not in Page(search_page(view.result)).text
        found = "The defaults did better than every point found; against trial "
        page = search_page(view.result)
        assert found in page
        assert "too few seeds to rule out luck" in page[page.index(found) :]

    def test_seeds_that_came_to_nothing_are_not_hidden(self, tmp_path):
        folder, config, ledger = search_on_disk(tmp_path / "a", trials=14, confirm=True)
        confirm_with(folder, config, ledger, [[9.0, None], [None, None], [None, None]])
        judge(config, ledger)
        result = load_search(folder.root, {})
        made = search_page(result)
        head = Page(made).text.partition("Which hyperparameters won?")[0]
        assert "9, 1 of 2 diverged or collapsed" in head
        crosses = [e for e in drawn(made, "fresh").iter() if e.get("class") == "cross dead"]
        assert len(crosses) == 5
        assert "9, 1 of 2 diverged or collapsed" in comparison_page([result, result])

    def test_two_criteria_have_a_front(self, tmp_path):
        folder, config, ledger = search_on_disk(
            tmp_path / "a", trials=15, criterion="fid,is", also=[], search_method="nsga2"
        )
        judge(config, ledger)
        result = load_search(folder.root, {})
        made = search_page(result)
        read = Page(made)
        names = [a["id"] for a in read.all("section")]
        assert "trade" in names
        assert "noise" not in names
        front = drawn(made, "front")
        assert len(marks(front, "circle")) == sum(bool(t.losses) for t in result.trials)
        assert "Each trial of the front is one training" in read.text


class TestNumbers:
    def test_how_far_most_points_were_trained_is_said_and_shown(self, tmp_path):
        """Four of them are stopped at step 200 of 500; the eighth diverges instead."""
        folder, _, _ = search_on_disk(tmp_path / "a", trials=20)
        result = load_search(folder.root, {})
        stopped = [t for t in result.trials if t.state is State.STOPPED]
        assert {t.evaluations[-1].step for t in stopped} == {200}
        made = search_page(result)
        said = "(at step 200 of 500): this is partly about the beginning of a training."
        assert f"{len(stopped)} of 20 points were stopped early {said}" in Page(made).text
        for trial in result.trials:
            worth = f": fid {figure(trial.value)} at step {trial.step}  " if trial.value else ": no"
            state = "" if trial.state is State.COMPLETE else f" {state_of(trial)}"
            assert f"<title>trial {trial.number}{state}{worth}" in made

    def test_most_is_more_than_half(self, tmp_path):
        folder, config, ledger = search_on_disk(tmp_path / "a", trials=0)
        rng = random.Random(0)
        for length in (1, 1, 2, 4, 5):
            point = {"learning_rate": rng.uniform(1e-4, 1e-2), "d_iter": 1, "loss": "hinge"}
            run_trial(config, ledger, folder, point, rng, length, 0)
        said = early(SearchView(load_search(folder.root, {})))
        assert said == (
            "4 of 5 points were stopped early (most at step 200 of 500 or before): this is mostly "
            "about the beginning of a training."
        )

    def test_what_matters_is_found(self, tmp_path):
        folder, _, _ = search_on_disk(tmp_path / "a", trials=40)
        found = effects(SearchView(load_search(folder.root, {})))
        assert found.told[0].dimension.name == "learning_rate"
        assert 0.2 < found.told[0].low < found.told[0].share < found.told[0].high < 1

    def test_a_page_says_so_where_nothing_can_be_told_to_matter(self, tmp_path, monkeypatch):
        folder, _, _ = search_on_disk(tmp_path / "a", trials=40)
        result = load_search(folder.root, {})
        read = Page(search_page(result))
        bars = drawn(search_page(result), "effects").iter("{http://www.w3.org/2000/svg}rect")
        assert sum(1 for _ in bars) == len(effects(SearchView(result)).told)
        assert "do not show an effect" in read.text
        monkeypatch.setattr("autogan.report.effects._TOLD", 1.1)
        none = search_page(result)
        assert "These trials do not show that any hyperparameter matters." in Page(none).text
        assert "chart-effects" not in none

    def ended_early(self, root):
        """A search whose second trial was stopped when its images had collapsed."""
        folder, _, ledger = search_on_disk(root, trials=1)
        variety = {"distinct": 2.0, "real_distinct": 256.0, "looked_at": 256.0, "deviation": 0.1,
                   "real_deviation": 0.3, "contrast": 0.5, "coverage": 0.0}  # fmt: skip
        ledger.append(Started(trial=1, params={"learning_rate": 0.005, "d_iter": 1,
                      "loss": "hinge"}, seed=1, origin="", folder="0001-b"))  # fmt: skip
        ledger.append(Evaluated(trial=1, step=100, go_on=False, collapsed=True,
                      variety=variety, scores={"fid_fake_9": 401.2, "is_fake_9": 1.0}))  # fmt: skip
        ledger.append(Ended(trial=1, state="stopped early", value=None, step=None,
                      last_value=None, seconds=1.0, reason="", steps=100))  # fmt: skip
        return load_search(folder.root, {})

    def test_a_trial_that_was_stopped_on_collapsed_images_is_said_to_have_collapsed(self, tmp_path):
        result = self.ended_early(tmp_path / "a")
        row = next(row for row in rows(result) if row["trial"] == 1)
        assert (row["state"], row["fid"], row["step"]) == ("stopped early, collapsed", 401.2, 100)
        assert result.best.number == 0
        text = Page(search_page(result)).text
        assert "1 stopped early, collapsed" in text
        assert "What went wrong?" in text
        assert "1 complete, 1 stopped early, collapsed" in "\n".join(standing(result))
        assert "401.2" in result.summary()

    def test_seeds_that_died_are_counted_and_one_pair_tells_nothing(self, tmp_path):
        folder, config, ledger = search_on_disk(tmp_path / "a", trials=1)
        params = dict(ledger.trials[0].params)
        run_trial(config, ledger, folder, params, random.Random(1), 5, 0, repeats=0)
        for number in (2, 3):
            ledger.append(Started(trial=number, params=params, seed=number, origin="",
                          folder=f"{number:04d}-b", repeats=0))  # fmt: skip
            ledger.append(Ended(trial=number, state="diverged", value=None, step=None,
                          last_value=None, seconds=1.0, reason="NaN", steps=20))  # fmt: skip
        result = load_search(folder.root, {})
        assert seed_charts.noise(SearchView(result)) is None
        made = search_page(result)
        assert "These pairs are too few" in Page(made).text
        assert "trial 0, 2 of 4 died" in Page(made).text
        assert sorted(marks(drawn(made, "seeds"), "path")) == [2, 3]
        assert "line noise" not in made.split("</style>")[1]

    def test_each_point_counts_once(self, ended):
        points = [t for t in ended.trials if t.repeats is None and not t.confirms]
        assert effects(SearchView(ended)).trials == len(points) < 30

    def groups(self, result):
        groups = {}
        for trial in result.trials:
            if trial.value is not None and trial.steps == 500:
                groups.setdefault(tuple(trial.params.items()), []).append(trial.value)
        return [values for values in groups.values() if len(values) > 1]

    @pytest.mark.parametrize("factors", [True, False])
    def test_the_seeds_noise_is_that_of_the_middle_pair(self, ended, monkeypatch, factors):
        """Of logarithms where values differ by factors."""
        monkeypatch.setattr("autogan.report.drawing.scales._WIDE", 1.0 if factors else 1e9)
        several, scale = self.groups(ended), math.log if factors else float
        assert len(several) > 5
        apart = [abs(scale(g[i]) - scale(g[j])) for g in several
                 for i in range(len(g)) for j in range(i)]  # fmt: skip
        noise = seed_charts.noise(SearchView(ended))
        assert noise.middle == pytest.approx(statistics.median_low(apart))
        assert noise.largest == pytest.approx(max(apart))
        assert noise.factors == factors

    @pytest.mark.parametrize("factors", [True, False])
    def test_nineteen_of_twenty_normal_pairs_differ_by_less(self, factors):
        rng, beyond = random.Random(0), 0
        pairs = [[rng.gauss(2, 0.3) for _ in range(2)] for _ in range(4000)]
        middle = statistics.median(abs(one - other) for one, other in pairs)
        noise = seed_charts.Noise(middle, 9.0, factors)
        for pair in pairs:
            low, high = sorted(map(math.exp, pair) if factors else pair)
            beyond += noise.behind(low, "min") < high
        assert beyond / 4000 == pytest.approx(0.05, abs=0.012)
        assert seed_charts.Noise(0.3, 0.3, False).behind(5.0, "max") < 5.0

    def test_progress_is_the_best_value_after_so_many_updates(self, tmp_path):
        folder, _, ledger = search_on_disk(tmp_path / "a", trials=9)
        view = SearchView(load_search(folder.root, {}))
        line = so_far(view, view.measures[0])
        spent, best, wanted = 0, math.inf, []
        for trial in ledger.trials:
            pace, before = 1 + trial.params["d_iter"], 0
            for evaluation in trial.evaluations:
                spent += pace * (evaluation.step - before)
                before = evaluation.step
                best = min(best, evaluation.scores["fid_fake_9"])
                wanted.append((spent, best))
            spent += pace * max(trial.steps - before, 0)
        assert line[-1] == (spent, best)
        values = dict(line)
        drops = [(a, b) for (_, x), (a, b) in zip([(0, math.inf), *wanted], wanted, strict=False)
                 if b < x]  # fmt: skip
        assert [(at, values[at]) for at, _ in drops] == drops
        assert view.result.updates() == spent

    def test_a_confirmation_costs_updates_and_is_no_progress(self, tmp_path):
        folder, _, ledger = search_on_disk(tmp_path / "a", trials=5, confirm=True)
        before = SearchView(load_search(folder.root, {}))
        line = so_far(before, before.measures[0])
        ledger.append(Started(trial=5, params=ledger.trials[0].params, seed=1, origin="",
                      folder="0005", confirms=True))  # fmt: skip
        ledger.append(Evaluated(trial=5, step=100, go_on=True,
                      scores={"fid_fake_9": 0.001, "is_fake_9": 1.0}))  # fmt: skip
        after = SearchView(load_search(folder.root, {}))
        assert so_far(after, after.measures[0]) == line
        more = 100 * (1 + ledger.trials[0].params["d_iter"])
        assert after.result.updates() == before.result.updates() + more
        assert after.told_at[-1][0] == after.result.updates()

    def test_who_died_later_is_no_progress(self, tmp_path):
        folder, _, ledger = search_on_disk(tmp_path / "a", trials=5)
        best = so_far(*self.seen(folder))[-1][1]
        ledger.append(Started(trial=5, params=ledger.trials[0].params, seed=1, origin="",
                      folder="0005"))  # fmt: skip
        ledger.append(Evaluated(trial=5, step=100, go_on=True,
                      scores={"fid_fake_9": 0.001, "is_fake_9": 1.0}))  # fmt: skip
        assert so_far(*self.seen(folder))[-1][1] == 0.001
        ledger.append(Ended(trial=5, state="diverged", value=None, step=None, last_value=None,
                      seconds=1.0, reason="NaN", steps=120))  # fmt: skip
        assert so_far(*self.seen(folder))[-1][1] == best

    def seen(self, folder):
        view = SearchView(load_search(folder.root, {}))
        return view, view.measures[0]

    def test_idle_days_are_cut_out_of_the_timeline(self, tmp_path):
        folder, config, ledger = search_on_disk(tmp_path / "a", trials=4)
        before = drawn(search_page(load_search(folder.root, {})), "timeline")
        ledger.later = 3 * 24 * 3600
        rng = random.Random(0)
        run_trial(config, ledger, folder, dict(ledger.trials[0].params), rng, 5, 0)
        after = drawn(search_page(load_search(folder.root, {})), "timeline")
        widths = [[float(e.get("width")) for e in svg.iter() if e.get("data-t")]
                  for svg in (before, after)]  # fmt: skip
        assert len(widths[1]) == len(widths[0]) + 1
        assert min(widths[1]) > 40

    def test_trainings_that_were_still_improving_should_be_longer(self, tmp_path):
        _, _, ledger = search_on_disk(tmp_path / "a", trials=8)
        whole = [t for t in ledger.trials if t.state.value == "complete"]
        last = sum(t.step == 500 for t in whole)
        assert len(whole) >= 5
        again = command("autogan", "train", tmp_path / "a", "--resume")
        assert advice(load_search(tmp_path / "a", {})) == [
            f"{last} of {len(whole)} whole trainings were best at their last step: search with "
            f"--steps 1000, or train the winner longer: {again} --steps 1000"
        ]

    def test_one_whole_training_is_enough_to_advise_longer_ones(self, tmp_path):
        search_on_disk(tmp_path / "a", trials=1)
        result = load_search(tmp_path / "a", {})
        (line,) = advice(result)
        assert line.startswith("1 of 1 whole trainings")
        assert line.endswith("--steps 1000")
        epochs = result.config.model_copy(update={"epochs": 3, "steps": None})
        result.config = epochs
        (line,) = advice(result)
        assert line.endswith("--epochs 6")

    def test_who_searched_too_short_a_list_is_told(self, tmp_path):
        narrow = {"learning_rate": "1e-4..1e-2:log", "d_iter": [2, 3]}
        _, config, ledger = search_on_disk(tmp_path / "a", trials=6, params=narrow)
        rng = random.Random(0)
        for number in range(4):
            run_trial(config, ledger, SearchFolder(tmp_path / "a"),
                      {"learning_rate": 1e-3 + number / 1e6, "d_iter": 3}, rng, 5, 0)  # fmt: skip
        lines = advice(load_search(tmp_path / "a", {}))
        expected = "The best trials have the highest d_iter (3 of 2,3): extend the list, for "
        assert f"{expected}example with --param d_iter=2,3,5" in lines

    def test_those_that_were_best_earlier_need_not(self, tmp_path):
        _, _, ledger = search_on_disk(tmp_path / "a", trials=0)
        for number in range(8):
            ledger.append(Started(trial=number, params={"learning_rate": 1e-3, "d_iter": 1,
                          "loss": "hinge"}, seed=1, origin="", folder=f"{number:04d}"))  # fmt: skip
            for step, fid in {100: 5.0, 500: 9.0}.items():
                ledger.append(Evaluated(trial=number, step=step, go_on=True,
                              scores={"fid_fake_9": fid, "is_fake_9": 1.0}))  # fmt: skip
            ledger.append(Ended(trial=number, state="complete", value=5.0, step=100,
                          last_value=9.0, seconds=1.0, reason="", steps=500))  # fmt: skip
        assert advice(load_search(tmp_path / "a", {})) == []

    def edges(self, root):
        return [line for line in advice(load_search(root, {})) if "range" in line]

    def test_who_searched_too_narrowly_is_told(self, tmp_path):
        """The formula's best learning rate is 1e-3."""
        narrow = {"learning_rate": "1e-4..1e-2:log", "d_iter": [1, 2, 3]}
        _, _, ledger = search_on_disk(tmp_path / "a", trials=30, params=narrow)
        assert self.edges(tmp_path / "a") == []
        for number, rate in enumerate((9e-3, 9.5e-3, 9.9e-3, 9.8e-3), start=30):
            params = {"learning_rate": rate, "d_iter": 1}
            ledger.append(Started(trial=number, params=params, seed=1, origin="",
                          folder=f"{number:04d}"))  # fmt: skip
            ledger.append(Evaluated(trial=number, step=500, go_on=True,
                          scores={"fid_fake_9": rate, "is_fake_9": 1.0}))  # fmt: skip
            ledger.append(Ended(trial=number, state="complete", value=rate, step=500,
                          last_value=rate, seconds=1.0, reason="", steps=500))  # fmt: skip
        assert self.edges(tmp_path / "a") == [
            "The best trials lie at the upper end of learning_rate's range (0.0001..0.01:log): "
            "widen the range."
        ]


class TestHyperparameters:
    """Axes of every kind: names that are long and many, integers, conditions, values off a list."""

    def slices(self, root, params, points):
        folder, _, ledger = search_on_disk(root, trials=0, params=params)
        for number, point in enumerate(points):
            ledger.append(Started(trial=number, params=point, seed=1, origin="",
                          folder=f"{number:04d}"))  # fmt: skip
            ledger.append(Evaluated(trial=number, step=500, go_on=True,
                          scores={"fid_fake_9": 9.0 + number, "is_fake_9": 1.0}))  # fmt: skip
            ledger.append(Ended(trial=number, state="complete", value=9.0 + number, step=500,
                          last_value=9.0, seconds=1.0, reason="", steps=500))  # fmt: skip
        return search_page(load_search(folder.root, {}))

    def test_no_name_is_dropped(self, tmp_path):
        names = ["non_saturating", "minimax", "least_squares", "wasserstein", "hinge",
                 "relativistic", "relativistic_average"]  # fmt: skip
        made = self.slices(tmp_path / "a", {"loss": names}, [{"loss": name} for name in names])
        words = [e.text for e in drawn(made, "slice-0").iter() if e.tag.endswith("text")]
        assert set(names) <= set(words)

    def test_values_off_the_list_have_places(self, tmp_path):
        rates = [1e-4, 8e-5, 4e-4, 4.8e-4]
        made = self.slices(tmp_path / "a", {"learning_rate": [1e-4, 4e-4]},
                           [{"learning_rate": rate} for rate in rates])  # fmt: skip
        words = [e.text for e in drawn(made, "slice-0").iter() if e.tag.endswith("text")]
        assert {"8e-5", "0.0001", "0.0004", "0.00048"} <= set(words)

    def test_what_exists_only_beside_others_is_shown_where_it_does(self, tmp_path):
        params = {"penalty": ["none", "r1"], "penalty_weight": "0.1..10:log"}
        points = [{"penalty": "none"}, {"penalty": "r1", "penalty_weight": 1.0}]
        made = self.slices(tmp_path / "a", params, points)
        assert marks(drawn(made, "slice-0"), "circle") == [1, 0]
        assert marks(drawn(made, "slice-1"), "circle") == [1]

    def test_batch_sizes_have_other_steps(self, tmp_path):
        folder, _, ledger = search_on_disk(
            tmp_path / "a", trials=0, params={"batch_size": [32, 64]}, steps=None, epochs=2,
            evaluate_every=None,
        )  # fmt: skip
        for number, (size, steps) in enumerate({32: (20, 40), 64: (10, 20)}.items()):
            name = f"{number:04d}"
            ledger.append(Started(trial=number, params={"batch_size": size}, seed=1, origin="",
                          folder=name))  # fmt: skip
            for step in steps:
                ledger.append(Evaluated(trial=number, step=step, go_on=True,
                              scores={"fid_fake_9": 9.0 + number, "is_fake_9": 1.0}))  # fmt: skip
                path = folder.trial(name) / "samples" / f"step-{step:06d}.png"
                write_bytes(path, picture(random.Random(0), 8))
            ledger.append(Ended(trial=number, state="complete", value=9.0 + number, step=step,
                          last_value=9.0, seconds=1.0, reason="", steps=step))  # fmt: skip
        made = search_page(load_search(folder.root, {}))
        assert [a["value"] for a in Page(made).all("input", type="radio")] == ["no. 1", "no. 2"]
        assert "trial 1, step 10: fid 10" in made
        assert "no picture here" not in made


class TestImages:
    def test_what_was_enlarged_twofold_is_shown_as_it_was(self, tmp_path):
        import io

        import numpy as np
        from PIL import Image

        small = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
        big = small.repeat(2, axis=0).repeat(2, axis=1)
        Image.fromarray(big).save(tmp_path / "a.png")
        made = Page(Album().show(tmp_path / "a.png", "a"))
        source = made.all("img")[0]["src"]
        data = base64.b64decode(source.partition(",")[2])
        shown = Image.open(io.BytesIO(data))
        assert shown.size == (30, 20)
        if "png" in source:
            assert np.array_equal(np.asarray(shown.convert("L")), small)

    def test_files_that_are_no_images_are_left_out(self, tmp_path):
        (tmp_path / "a.png").write_text("no image")
        (tmp_path / "b.png").write_bytes(damaged(picture(random.Random(0), 64)))
        assert Album().show(tmp_path / "b.png", "b") is None
        assert Album().show(tmp_path / "a.png", "a") is None
        assert Album().show(tmp_path / "none.png", "a") is None

    def test_nothing_goes_beyond_the_budget(self, tmp_path):
        folder, _, _ = search_on_disk(tmp_path / "a", trials=3, size=28, pictures=True)
        paths = sorted(folder.root.glob("trials/*/samples/*.png"))
        album = Album(budget=100_000)
        shown = [album.show(path, "a") for path in paths]
        assert any(shown)
        assert not all(shown)
        assert sum(len(Page(s).all("img")[0]["src"]) for s in shown if s) <= 100_000


class TestColours:
    """Contrast as WCAG 2.2 defines it."""

    def colours(self, page):
        style = re.search("<style>(.*?)</style>", page, re.DOTALL).group(1)
        blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
        read = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block)) for block in blocks]
        return {"light": read[0], "dark": read[1], "print": {**read[0], **read[2]}}

    def luminance(self, colour):
        digits = colour.lstrip("#")
        digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(self, one, other):
        low, high = sorted((self.luminance(one), self.luminance(other)))
        return (high + 0.05) / (low + 0.05)

    @pytest.mark.parametrize("theme", ["light", "dark", "print"])
    def test_text_and_marks_can_be_told_from_the_paper(self, page, theme):
        colours = self.colours(page)[theme]
        for name in ("ink", "soft", "link"):
            for ground in ("paper", "panel"):
                assert self.contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        for name in ("complete", "best", "confirms", "stopped", "dead"):
            assert self.contrast(colours[name], colours["paper"]) >= 3, name
        for shade in range(5):
            on = "on-dark" if shade < 2 else "on-light"
            assert self.contrast(colours[on], colours[f"shade-{shade}"]) >= 4.5, shade
