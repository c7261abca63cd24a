"""The page of a training, and trainings on the page that compares runs."""

import json
import math
from pathlib import Path

import pytest
from fakes import FakeEngine
from pages import judge, losses_on_disk, search_on_disk, training_on_disk
from test_report import HOSTILE, Page, drawn

import autogan
from autogan.core.errors import ConfigError
from autogan.record.events import losses
from autogan.report import comparison_page, training_page, watch, write_report
from autogan.search import State
from autogan.show.saved import load_run

SVG = "{http://www.w3.org/2000/svg}"


def shown(root, **keys):
    """A training of the given keys, and its page."""
    training_on_disk(root, **keys)
    result = load_run(root, {})
    return result, training_page(result)


def lines(page, chart):
    """The lines of a chart, by what is said of them: pairs of pixels."""
    found = {}
    for path in drawn(page, chart).iter(f"{SVG}path"):
        title = path.find(f"{SVG}title")
        if title is not None and "line" in path.get("class", ""):
            points = path.get("d")[1:].split("L")
            found[title.text] = [tuple(map(float, point.split())) for point in points]
    return found


def sections(page):
    return [each["id"] for each in Page(page).all("section")]


class TestLosses:
    """What TensorBoard's own writer and reader know of event files."""

    def test_every_part_is_read(self, tmp_path):
        parts = {"d_real": [(20, 1.5), (40, -2.25)], "g_loss": [(20, 1e-3)]}
        losses_on_disk(tmp_path / "events.out.tfevents.1", parts)
        losses_on_disk(tmp_path / "events.out.tfevents.2", {"d_real": [(60, math.inf)]})
        found = losses(tmp_path)
        assert found["d_real"] == [(20, 1.5), (40, -2.25), (60, math.inf)]
        assert found["g_loss"] == [(20, pytest.approx(1e-3))]
        assert losses(tmp_path / "none") == {}

    def test_a_file_is_read_as_far_as_it_is_whole(self, tmp_path):
        """A running training may be writing the last event."""
        path = tmp_path / "events.out.tfevents.1"
        losses_on_disk(path, {"d_loss": [(step, step) for step in range(1, 6)]})
        whole = path.read_bytes()
        counts = []
        for size in range(len(whole) + 1):
            path.write_bytes(whole[:size])
            counts.append(len(losses(tmp_path).get("d_loss", [])))
        assert counts == sorted(counts)
        assert set(counts) == set(range(6))
        assert counts[-2] == 4

    def test_what_cannot_be_read_is_one_line(self, tmp_path):
        (tmp_path / "events.out.tfevents.1").mkdir()
        with pytest.raises(ConfigError, match=r"events.out.tfevents.1 cannot be read \("):
            losses(tmp_path)


class TestPage:
    def test_its_sections_answer_their_questions(self, tmp_path):
        result, page = shown(tmp_path / "a")
        assert sections(page) == [
            "images", "curves", "losses", "hyperparameters", "configuration"
        ]  # fmt: skip
        read = Page(page)
        assert result.best.step == 400
        for words in ("best fid", "at step", "500 of 500", "1 min 15 s", "ended"):
            assert words in read.text
        assert f"{result.updates():,}" in read.text
        assert result.updates() == 2 * 500
        assert "autogan train" in read.text
        assert "tensorflow 2.21.0" in read.text

    def test_every_evaluation_is_on_the_line(self, tmp_path):
        result, page = shown(tmp_path / "a")
        for chart in ("curves-0", "curves-1"):
            ((_, points),) = lines(page, chart).items()
            assert len(points) == len(result.trial.evaluations)
        ((_, points),) = lines(page, "curves-0").items()
        values = [e.value for e in result.trial.evaluations]
        heights = [-y for _, y in points]
        order = sorted(range(len(values)), key=values.__getitem__)
        assert sorted(range(len(values)), key=heights.__getitem__) == order
        (dot,) = drawn(page, "curves-0").iter(f"{SVG}circle")
        at = float(dot.get("cx")), float(dot.get("cy"))
        assert at == points[values.index(min(values))]

    def test_every_part_of_the_loss_is_a_line(self, tmp_path):
        _, page = shown(tmp_path / "a")
        assert set(lines(page, "losses-0")) == {"d_real", "d_fake"}
        assert set(lines(page, "losses-1")) == {"d_loss", "g_loss"}
        assert set(lines(page, "losses-2")) == {"d_penalty"}
        assert len(lines(page, "losses-1")["d_loss"]) == 25

    def test_long_curves_are_averaged(self, tmp_path):
        folder = training_on_disk(tmp_path / "a")
        path = folder.root / "events.out.tfevents.1"
        losses_on_disk(path, {"d_loss": [(n, n % 2) for n in range(1, 901)],
                              "g_loss": [(1, math.nan), (2, 1.0)]})  # fmt: skip
        page = training_page(load_run(folder.root, {}))
        found = lines(page, "losses-0")
        assert len(found["d_loss"]) == 300
        words = drawn(page, "losses-0").find(f"{SVG}desc").text
        assert "d_loss reached 0.3333 after 900 steps" in words  # of 0, 1 and 0
        assert len(found["g_loss"]) == 1  # NaN cannot be drawn
        for paths in found.values():
            assert all(math.isfinite(number) for point in paths for number in point)

    def test_the_parts_of_other_games_have_charts_of_their_own(self, tmp_path):
        folder = training_on_disk(tmp_path / "a")
        losses_on_disk(folder.root / "events.out.tfevents.1", {"distance": [(20, 3.0), (40, 2.0)]})
        page = training_page(load_run(folder.root, {}))
        assert set(lines(page, "losses-0")) == {"distance"}

    def test_images_stand_next_to_real_ones(self, tmp_path):
        _, page = shown(tmp_path / "a")
        told = [image["alt"] for image in Page(page).all("img")]
        assert told == [*(f"images of a, step {100 * n}" for n in range(1, 6)), "real images"]
        _, page = shown(tmp_path / "b", evaluations=1)
        told = [image["alt"] for image in Page(page).all("img")]
        assert told == ["images of b, step 100", "real images"]

    def test_hyperparameters_that_are_not_the_defaults_come_first(self, tmp_path):
        _, page = shown(tmp_path / "a")
        table = page[page.index("With which hyperparameters?</h2>") :]
        first, folded, _ = table.split("<details", 2)
        assert "<td>learning_rate</td><td>0.003</td><td>0.001</td>" in first
        assert "batch_size" not in first
        assert "<td>batch_size</td>" in folded
        _, page = shown(tmp_path / "b", params={})
        assert "All have their defaults." in page

    def test_the_same_files_give_the_same_page(self, tmp_path):
        result, page = shown(tmp_path / "a")
        assert training_page(result) == page == training_page(load_run(tmp_path / "a", {}))

    def test_a_trial_of_a_search_has_one_too(self, tmp_path):
        folder, _, _ = search_on_disk(tmp_path / "a", trials=3, pictures=True)
        root = folder.trial("0007")
        training_on_disk(root, pictures=False)
        page = write_report(root)
        assert page == root / "report.html"
        assert f"This is a trial of the search in {tmp_path / 'a'}." in page.read_text()

    @pytest.mark.parametrize("words", HOSTILE)
    def test_hostile_names_are_only_names(self, tmp_path, words):
        root = tmp_path / words.replace("/", "_")[:200]
        root.mkdir()
        folder = training_on_disk(root, state=State.DIVERGED, dataset=f"folder:{root.name}")
        losses_on_disk(root / "events.out.tfevents.1", {words: [(1, 1.0), (2, 2.0)]})
        result = folder.result.read_text()
        folder.result.write_text(result.replace("2.21.0", words.replace('"', r"\"")))
        other = training_on_disk(tmp_path / "b")
        results = [load_run(each, {}) for each in (root, other.root)]
        for text in (training_page(results[0]), comparison_page(results)):
            read = Page(text)
            assert len(read.all("script")) == 1
            assert all(image["src"].startswith("data:") for image in read.all("img"))


class TestWhatBecameOfIt:
    @pytest.mark.parametrize(
        ("keys", "said", "without"),
        [
            ({"evaluations": 0, "state": State.RUNNING}, "Resume it with", ["images", "curves"]),
            ({"state": State.RUNNING}, "Resume it with", []),
            ({"state": State.DIVERGED}, "The training diverged: a loss became NaN.", []),
            ({"evaluations": 0, "state": State.DIVERGED}, "diverged: a loss", ["images", "curves"]),
            ({"state": State.TIMED_OUT}, "--max-trial-minutes MORE", []),
            ({"pictures": False}, "One training is not a result", ["images"]),
        ],
    )  # fmt: skip
    def test_every_end_has_a_page(self, tmp_path, keys, said, without):
        _, page = shown(tmp_path / "a", **keys)
        assert said in Page(page).text
        valued = keys.get("state", State.COMPLETE) in (State.COMPLETE, State.TIMED_OUT)
        how = f"next to real images: <code>autogan evaluate {tmp_path / 'a'}</code>"
        assert (how in page) == valued
        assert not {*without} & {*sections(page)}
        assert {"hyperparameters", "configuration"} <= {*sections(page)}

    def test_one_that_has_just_begun_has_a_page(self, tmp_path):
        folder = training_on_disk(tmp_path / "a", 0, State.RUNNING)
        for path in (folder.scores, folder.root / "events.out.tfevents.1"):
            path.unlink()
        page = training_page(load_run(folder.root, {}))
        assert sections(page) == ["hyperparameters", "configuration"]
        assert "none" in Page(page).text

    def test_a_running_one_shows_its_best_so_far(self, tmp_path):
        result, page = shown(tmp_path / "a", state=State.RUNNING)
        assert result.trial.value is None
        assert result.best.step == 400
        assert len([*drawn(page, "curves-0").iter(f"{SVG}circle")]) == 1
        assert result.updates() == 2 * 500

    def test_a_dead_one_marks_no_best(self, tmp_path):
        _, page = shown(tmp_path / "a", state=State.COLLAPSED)
        assert not [*drawn(page, "curves-0").iter(f"{SVG}circle")]
        assert "orange dot" not in page

    def test_why_one_failed_is_told(self, tmp_path):
        folder = training_on_disk(tmp_path / "a", 1, State.RUNNING)
        folder.traceback.write_text("Traceback\nRuntimeError: no luck today\n")
        page = training_page(load_run(folder.root, {}))
        assert "RuntimeError: no luck today" in page
        assert "failures" in sections(page)

    @pytest.mark.parametrize(
        "text", ["{", "[]", '{"step": "x"}', '{"step": 1, "fid_fake_9": "x"}',
                 '{"step": 1, "fid_fake_9": NaN}', '{"step": 5}\n{"step": 5}', "\xff"],
    )  # fmt: skip
    def test_damaged_scores_are_one_line(self, tmp_path, text, command):
        folder = training_on_disk(tmp_path / "a", 1, State.RUNNING)
        folder.scores.write_text(text, encoding="latin-1")
        code, out, err = command("report", "a")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("autogan: run: a/scores.jsonl is damaged (")
        assert not Path("a/report.html").exists()


class TestWriting:
    def test_the_page_goes_into_the_folder_and_disturbs_nothing(self, tmp_path, command):
        keys = {"dataset": "digits", "run_dir": "runs/t"}
        autogan.train(keys, engine=FakeEngine())
        training_on_disk(Path("runs/t"))
        before = command("list", "runs"), command("show", "runs/t")
        assert command("report", "runs/t") == (0, "runs/t/report.html\n", "")
        assert (command("list", "runs"), command("show", "runs/t")) == before
        autogan.train(keys, overwrite=True, engine=FakeEngine())
        assert not Path("runs/t/report.html").exists()

    def test_it_is_opened_if_that_is_asked_for(self, tmp_path, command, monkeypatch):
        training_on_disk(tmp_path / "a")
        opened = []
        monkeypatch.setattr("typer.launch", opened.append)
        assert command("report", "a", "--open")[0] == 0
        assert opened == [(tmp_path / "a" / "report.html").as_uri()]

    def test_a_watched_training_is_shown_until_it_ends(self, tmp_path, monkeypatch):
        """Written at the beginning, at each evaluation and at the end, and not between."""
        training_on_disk(tmp_path / "a", 1, State.RUNNING, steps=300)
        working, slept, written = [True], [], []

        def sleep(seconds):
            slept.append(seconds)
            if len(slept) == 3:
                training_on_disk(tmp_path / "a", 2, State.RUNNING, steps=300)
            if len(slept) == 6:
                training_on_disk(tmp_path / "a", 3, steps=300)
                working[0] = False

        monkeypatch.setattr("time.sleep", sleep)
        for module in ("autogan.report.writing", "autogan.show.result"):
            monkeypatch.setattr(f"{module}.at_work", lambda root: working[0])
        for page in watch("a"):
            written.append(Page(page.read_text()))
        assert [bool(p.all("meta", content="30")) for p in written] == [True, True, False]
        for page, steps in zip(written, ("100 of 300", "200 of 300", "300 of 300"), strict=True):
            assert steps in page.text
        assert "its best checkpoint may still change" in written[0].text
        assert len(slept) == 6


class TestComparison:
    def compared(self, *roots):
        return comparison_page([load_run(root, {}) for root in roots])

    def test_trainings_share_a_chart_for_each_criterion(self, tmp_path):
        for name, factor in {"a": 1.0, "b": 2.0, "c": 0.5}.items():
            training_on_disk(tmp_path / name, factor=factor)
        page = self.compared(*(tmp_path / name for name in "abc"))
        assert "3 trainings" in page
        for chart in ("curves-0-0", "curves-0-1"):
            found = lines(page, chart)
            assert set(found) == {"a", "b", "c"}
            assert {len(points) for points in found.values()} == {5}
        ends = {name: points[-1][1] for name, points in lines(page, "curves-0-0").items()}
        assert ends["c"] > ends["a"] > ends["b"]  # down the page, and lower is better
        assert "trials-0" not in sections(page)
        told = [image["alt"] for image in Page(page).all("img")]
        assert told == [f"images of {name}, step 400" for name in "abc"]

    def test_each_part_of_the_loss_that_several_have_is_a_chart(self, tmp_path):
        for name, scale in {"a": 1.0, "b": 2.0, "c": 3.0}.items():
            folder = training_on_disk(tmp_path / name)
            parts = {"g_loss": [(20, scale), (40, 2 * scale)], f"own_{name}": [(20, 1.0)]}
            if name != "c":
                parts["d_real"] = [(20, -scale), (60, scale)]
            losses_on_disk(folder.root / "events.out.tfevents.1", parts)
        page = self.compared(*(tmp_path / name for name in "abc"))
        assert page.count('id="chart-losses-') == 2  # no chart for a part that only one has
        assert set(lines(page, "losses-0")) == {"a", "b"}
        assert "b reached 2 after 60 steps" in drawn(page, "losses-0").find(f"{SVG}desc").text
        assert set(lines(page, "losses-1")) == {"a", "b", "c"}
        assert "c reached 6 after 40 steps" in drawn(page, "losses-1").find(f"{SVG}desc").text

    def test_a_training_without_criterion_shows_losses_and_images(self, tmp_path):
        training_on_disk(tmp_path / "a")
        training_on_disk(tmp_path / "b", criterion="none", also=[])
        path = tmp_path / "b" / "result.json"
        result = json.loads(path.read_text()) | {"value": None, "step": 500}
        result["evaluations"] = [
            {**each, "scores": {}, "value": None} for each in result["evaluations"]
        ]
        path.write_text(json.dumps(result))
        page = self.compared(tmp_path / "b", tmp_path / "a")
        assert sections(page) == ["runs", "losses", "images"]
        assert len(Page(page).all("img")) == 2
        own = training_page(load_run(tmp_path / "b", {}))
        assert "curves" not in sections(own)
        assert "autogan evaluate" in own
        assert "best none" not in own

    def test_a_training_has_one_colour(self, tmp_path):
        """Also where the one before it has no value to compare."""
        training_on_disk(tmp_path / "a", criterion="is", also=[])
        for name in "bc":
            training_on_disk(tmp_path / name)
        page = self.compared(*(tmp_path / name for name in "abc"))
        for chart in ("sofar-0", "curves-0-0", "losses-0"):
            kinds = {
                e.find(f"{SVG}title").text: e.get("class")
                for e in drawn(page, chart).iter(f"{SVG}path")
                if e.find(f"{SVG}title") is not None and "line" in e.get("class", "")
            }
            assert "run-1" in kinds["b"]
            assert "run-2" in kinds["c"]

    def test_only_what_can_be_compared_is(self, tmp_path):
        training_on_disk(tmp_path / "a")
        training_on_disk(tmp_path / "b", criterion="is", also=["fid"])
        page = self.compared(tmp_path / "a", tmp_path / "b")
        assert sections(page) == ["runs", "apart", "losses", "images"]
        assert "<td>criterion</td><td>fid</td><td>is</td>" in page

    def test_a_criterion_of_one_alone_is_left_out(self, tmp_path):
        training_on_disk(tmp_path / "a")
        training_on_disk(tmp_path / "b", also=[])
        for path in (tmp_path / "b" / "result.json", tmp_path / "b" / "scores.jsonl"):
            path.write_text(path.read_text().replace("is_fake_9", "kid_fake_9"))
        page = self.compared(tmp_path / "a", tmp_path / "b")
        assert page.count('id="chart-curves-0-') == 1

    def test_one_without_evaluations_is_in_the_table_alone(self, tmp_path):
        training_on_disk(tmp_path / "a")
        training_on_disk(tmp_path / "b", 0, State.RUNNING)
        page = self.compared(tmp_path / "a", tmp_path / "b")
        assert sections(page) == ["runs", "images"]

    def test_a_training_is_a_line_and_a_row_among_searches(self, tmp_path, command):
        _, config, ledger = search_on_disk(tmp_path / "s", trials=6, pictures=True)
        judge(config, ledger)
        training_on_disk(tmp_path / "t", 3)
        assert command("report", "s", "t") == (0, "comparison.html\n", "")
        page = Path("comparison.html").read_text()
        assert "1 search, 1 training" in page
        assert set(lines(page, "sofar-0")) == {"s", "t"}
        result = load_run(tmp_path / "t", {})
        words = drawn(page, "sofar-0").find(f"{SVG}desc").text
        assert f"t reached 50 after {result.updates()} updates" in words
        names = [e.text for e in drawn(page, "strip-0").iter(f"{SVG}text")]
        assert {"s", "t"} <= set(names)
        assert "curves-0" not in sections(page)
        assert len(Page(page).all("img")) == 2

    def test_a_dead_training_is_no_progress(self, tmp_path):
        search_on_disk(tmp_path / "s", trials=3)
        training_on_disk(tmp_path / "t", state=State.DIVERGED)
        page = self.compared(tmp_path / "s", tmp_path / "t")
        assert set(lines(page, "sofar-0")) == {"s"}
        crosses = [e for e in drawn(page, "strip-0").iter(f"{SVG}path")
                   if "cross" in e.get("class", "")]  # fmt: skip
        assert len(crosses) == 1
