"""TensorBoard in a real browser: the runs of a search, their curves, images, graph and HParams."""

import re
import subprocess
import sys

import numpy as np
import pytest
from browser import needed, opened
from PIL import Image
from sessions import SessionEngine

import autogan
from autogan.data import Digits
from autogan.data.grids import grid

WAIT = 60_000  # milliseconds, at most: nothing is timed


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """Two trainings, of which the first makes the same picture again and again."""
    root = tmp_path_factory.mktemp("runs") / "a"
    result = autogan.run_search(
        {
            "dataset": "digits", "features": "classifier", "gan_type": "gan",
            "search_method": "grid", "steps": 160, "evaluate_every": 20, "eval_samples": 300,
            "params": {"learning_rate": [1e-3, 1.0], "width": 4, "dense_width": 8,
                       "batch_size": 16, "z_dim": 4, "loss": "wasserstein",  # which nothing bounds
                       "discriminator_norm": "none", "generator_norm": "none"},
            "also": ["is"], "run_dir": root,
        },
        engine=SessionEngine(),
    )  # fmt: skip
    assert [trial.dead for trial in result.trials] == [False, True]
    return result


@pytest.fixture(scope="module")
def address(search):
    """Where a TensorBoard shows the search."""
    needed()
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(search.logs)]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", "0", "--load_fast", "false"],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    told = ""
    while not (found := re.search(r"http://127\.0\.0\.1:\d+/", told)):
        line = server.stderr.readline()
        assert line, told
        told += line
    yield found.group()
    server.kill()
    server.communicate()


@pytest.fixture(scope="module")
def tab(address):
    """Opens a tab of it."""
    with opened() as browser:
        page = browser.new_page(viewport={"width": 1600, "height": 1200})
        page.set_default_timeout(WAIT)

        def open_tab(name):
            page.goto("about:blank")
            page.goto(f"{address}#{name}")
            return page

        yield open_tab


def test_hparams_are_a_table_with_readable_names_and_statuses(tab, search):
    page = tab("hparams")
    for name in ("Trial ID", "learning_rate", "best fid", "last fid", "last is"):
        page.get_by_text(name, exact=True).first.wait_for()
    for trial in search.trials:
        page.get_by_text(f"a {trial.number}", exact=True).first.wait_for()
    groups = page.evaluate("""async () => {
        const asked = await fetch('data/plugin/hparams/session_groups', {
            method: 'POST',
            body: JSON.stringify({experimentName: '', startIndex: 0, sliceSize: 9, colParams: [],
                allowedStatuses: ['STATUS_SUCCESS', 'STATUS_FAILURE', 'STATUS_UNKNOWN']}),
        });
        return (await asked.json()).sessionGroups.map(g => [g.name, g.sessions[0].status]);
    }""")
    statuses = {True: "STATUS_FAILURE", False: "STATUS_SUCCESS"}
    assert dict(groups) == {f"a {t.number}": statuses[t.dead] for t in search.trials}


def pixels(path):
    with Image.open(path) as file:
        return np.asarray(file)


def test_real_images_are_kept_beside_it(search):
    """A grid of the training set's, as the samples are."""
    kept = pixels(search.folder.root / "real.png")
    images, _ = Digits("", None).load(None).train.subset(64)
    assert np.array_equal(kept, grid(images)[..., 0])
    assert pixels(search.folders[0].sample(20)).shape == kept.shape


def test_runs_bear_their_hyperparameters(tab, search):
    page = tab("timeseries")
    for trial in search.trials:
        page.get_by_text(search.folders[trial.number].root.name).first.wait_for()


def test_criteria_and_losses_are_curves(tab):
    page = tab("timeseries")
    for name in ("criteria", "losses", "best", "variety"):
        page.get_by_text(name, exact=True).first.wait_for()


def test_samples_are_images(tab):
    page = tab("images")
    page.locator("img").first.wait_for()
    sizes = page.evaluate("""async () => {
        const all = root => [...root.querySelectorAll('*')].flatMap(
            each => [each, ...(each.shadowRoot ? all(each.shadowRoot) : [])]);
        const images = all(document).filter(each => each.tagName === 'IMG');
        await Promise.all(images.map(image => image.decode()));
        return images.map(image => image.naturalWidth);
    }""")
    assert sizes
    assert min(sizes) > 100


def test_the_networks_are_a_graph(tab):
    page = tab("graphs")
    for name in ("generator", "discriminator"):
        node = page.locator(f'g.node[data-name="{name}"]').first
        node.wait_for(state="attached")
        assert node.bounding_box()["width"] > 0
