"""Pages of runs in a real browser: without scripts, in the dark, small, on paper."""

import re

import pytest
from browser import looking_at, opened
from pages import ended_on_disk, judge, search_on_disk, training_on_disk

from autogan.record.lines import Ended, Started
from autogan.report import comparison_page, search_page, training_page
from autogan.show.saved import load_run, load_search

pytestmark = pytest.mark.slow

SIZES = (1100, 420)


@pytest.fixture(scope="module")
def browser():
    with opened() as browser:
        yield browser


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return ended_on_disk(tmp_path_factory.mktemp("runs") / "a")


@pytest.fixture(scope="module")
def path(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(search_page(result))
    return path


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scripts", [True, False])
def test_it_opens_in_every_way(browser, path, scripts, scheme, width):
    with looking_at(browser, path, scripts, scheme, width) as page:
        assert page.locator("svg[role=img]").count() >= 10
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if scripts:
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground))) > 380) == (scheme == "light")


def test_all_images_are_shown_as_they_are(browser, path):
    with looking_at(browser, path) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        sizes = page.evaluate(
            """async () => {
                const images = [...document.images];
                await Promise.all(images.map(image => image.decode()));
                return images.filter(image => image.offsetWidth).map(image => [
                    image.naturalWidth, image.naturalHeight, image.offsetWidth, image.offsetHeight
                ]);
            }"""
        )
        assert len(sizes) > 30
        for width, height, shown_width, shown_height in sizes:
            assert width > 0
            assert shown_width / shown_height == pytest.approx(width / height, rel=0.04)


def outside(page):
    """The words that are not within their charts; all that is folded is opened."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    return page.evaluate(
        """() => [...document.querySelectorAll('svg[role=img] text')].filter(text => {
            const box = text.getBoundingClientRect();
            const whole = text.closest('svg').getBoundingClientRect();
            return box.left < whole.left - 1 || box.right > whole.right + 1
                || box.top < whole.top - 1 || box.bottom > whole.bottom + 1;
        }).map(text => text.closest('svg').id + ': ' + text.textContent)"""
    )


def test_words_lie_within_their_charts(browser, path):
    with looking_at(browser, path) as page:
        assert outside(page) == []


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_training_is_shown(browser, tmp_path, scheme, width):
    training_on_disk(tmp_path / "a")
    path = tmp_path / "report.html"
    path.write_text(training_page(load_run(tmp_path / "a", {})))
    with looking_at(browser, path, scheme=scheme, width=width) as page:
        assert page.locator("svg[role=img]").count() == 5
        assert outside(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.locator(".s1").check()
        made, real = page.locator(".f1 img"), page.locator("img[alt='real images']")
        assert made.is_visible()
        assert not page.locator(".f4 img").is_visible()
        one, other = made.bounding_box(), real.bounding_box()
        assert one["y"] == pytest.approx(other["y"], abs=1)  # side by side
        assert one["width"] == pytest.approx(other["width"], abs=1)


@pytest.mark.parametrize("width", SIZES)
def test_trainings_and_a_search_are_compared(browser, result, tmp_path, width):
    for name in ("a", "b"):
        training_on_disk(tmp_path / name)
    path = tmp_path / "comparison.html"
    trainings = [load_run(tmp_path / name, {}) for name in ("a", "b")]
    path.write_text(comparison_page([result, *trainings]))
    with looking_at(browser, path, width=width) as page:
        assert page.locator("#chart-curves-0-0 path.line").count() == 2
        assert outside(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scripts", [True, False])
def test_arrow_keys_move_the_steps(browser, path, scripts):
    with looking_at(browser, path, scripts) as page:
        shown = [n for n in range(5) if page.locator(f".f{n}").is_visible()]
        assert shown == [4]
        page.locator(".s4").focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        assert [n for n in range(5) if page.locator(f".f{n}").is_visible()] == [2]


def test_paper_shows_one_frame_and_no_controls(browser, path):
    with looking_at(browser, path) as page:
        page.locator(".s1").check()
        page.emulate_media(media="print")
        assert [n for n in range(5) if page.locator(f".f{n}").is_visible()] == [4]
        assert not page.locator("nav").is_visible()
        assert not page.locator(".steps").is_visible()
        assert page.locator("#configuration pre").first.is_visible()
        pages = page.pdf(format="A4").count(b"/Type /Page\n")
        assert 4 <= pages <= 14


def test_the_table_is_sorted_and_filtered(browser, path, result):
    with looking_at(browser, path) as page:
        rows = page.locator("#all-trials tbody tr")
        assert rows.count() == len(result.trials)
        head = page.locator("#all-trials th button", has_text=re.compile("^trial$"))
        head.click()
        numbers = [int(rows.nth(n).get_attribute("data-t")) for n in range(rows.count())]
        assert numbers == sorted(numbers)
        head.click()
        assert rows.first.get_attribute("data-t") == str(len(numbers) - 1)
        values = page.locator("#all-trials th button", has_text=re.compile("^fid$"))
        values.click()
        told = page.locator("#all-trials tbody tr td:nth-child(3)").all_text_contents()
        worths = [float(text) for text in told if text]
        assert worths == sorted(worths)
        assert told[len(worths) :] == [""] * (len(told) - len(worths))
        page.locator(".filter").fill("hinge complete")
        wanted = [t for t in result.trials
                  if t.params["loss"] == "hinge" and t.state.value == "complete"]  # fmt: skip
        assert page.locator("#all-trials tbody tr:visible").count() == len(wanted)


def test_a_trial_lights_up_everywhere(browser, path):
    with looking_at(browser, path) as page:
        row = page.locator('#all-trials tbody tr[data-t="0"]')
        row.click()
        lit = page.locator(".lit")
        assert len({each.get_attribute("data-t") for each in lit.all()}) == 1
        assert page.locator("svg .lit").count() >= 5
        row.click()
        assert page.locator(".lit").count() == 0


def test_a_page_that_is_loaded_again_keeps_what_was_chosen(browser, tmp_path):
    folder, _, _ = search_on_disk(tmp_path / "a", trials=14, pictures=True)
    running = load_search(folder.root, {})
    path = tmp_path / "report.html"
    path.write_text(search_page(running, refresh=True))
    with looking_at(browser, path) as page:
        page.locator(".s1").check()
        page.locator("#trials details, #pairs-more summary").first.click()
        page.reload()
        assert page.locator(".s1").is_checked()
        assert page.locator("#pairs-more").get_attribute("open") is not None


def test_hostile_names_do_nothing(browser, tmp_path):
    words = '"><script>document.title="PWNED"<\\script><img src=x onerror=alert(1)>'
    (tmp_path / words).mkdir()
    folder, config, ledger = search_on_disk(
        tmp_path / words, trials=14, dataset=f"folder:{words}", pictures=True
    )
    ledger.append(Started(trial=14, params=ledger.trials[0].params, seed=1, origin=words,
                  folder="0014"))  # fmt: skip
    ledger.append(Ended(trial=14, state="failed", value=None, step=None, last_value=None,
                  seconds=1.0, reason=f"\u202e{words}" + 300 * "x", steps=0))  # fmt: skip
    judge(config, ledger)
    path = tmp_path / "report.html"
    path.write_text(search_page(load_search(folder.root, {})))
    for width in SIZES:
        with looking_at(browser, path, width=width) as page:
            assert page.title() == page.locator("h1").text_content()
            assert '"><script>document.title=' in page.title()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", SIZES)
def test_several_searches_are_compared(browser, result, tmp_path, width):
    others = []
    for name, keys in {"b": {"search_method": "tpe"}, "c": {"eval_samples": 320}}.items():
        folder, config, ledger = search_on_disk(tmp_path / name, trials=10, pictures=True, **keys)
        judge(config, ledger)
        others.append(load_search(folder.root, {}))
    path = tmp_path / "comparison.html"
    path.write_text(comparison_page([result, *others]))
    with looking_at(browser, path, width=width) as page:
        assert page.locator("#chart-sofar-0 path.line").count() == 3
        assert page.locator("#images img").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_thousand_trials_open(browser, tmp_path):
    folder, config, ledger = search_on_disk(tmp_path / "a", 1000, 10)
    judge(config, ledger)
    path = tmp_path / "report.html"
    path.write_text(search_page(load_search(folder.root, {})))
    with looking_at(browser, path) as page:
        assert page.locator("#all-trials tbody tr").count() == 1000
        assert page.locator("#chart-progress-0 circle").count() == 900
