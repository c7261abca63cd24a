"""Where a run goes if the user names no folder."""

import json
import shutil
from pathlib import Path

import pytest
from fakes import FakeEngine

import autogan
from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import unused, write_yaml
from autogan.record.claim import Claim
from autogan.show.displays import PlainDisplay

GRID = {"params": {"learning_rate": [1e-4, 3e-4]}, "search_method": "grid", "dataset": "digits"}
FLAGS = ("--param", "learning_rate=1e-4,3e-4", "--search-method", "grid", "--dataset", "digits")


@pytest.fixture(autouse=True)
def _fake(monkeypatch):
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())


def runs():
    return sorted(path.name for path in Path("runs").iterdir())


def test_a_second_search_takes_the_next_free_name(capsys):
    first = autogan.run_search(GRID)
    record = first.folder.ledger.read_bytes()
    for number in (2, 3):
        again = autogan.run_search({**GRID, "seed": number}, display=PlainDisplay())
        assert again.folder.root == Path(f"runs/gan-digits-{number}")
        said = f"runs/gan-digits exists: this run goes to runs/gan-digits-{number}\n"
        assert said in capsys.readouterr().err
    assert first.folder.ledger.read_bytes() == record
    assert runs() == ["gan-digits", "gan-digits-2", "gan-digits-3"]
    shutil.rmtree("runs/gan-digits-2")
    assert autogan.run_search(GRID).folder.root == Path("runs/gan-digits-2")


def test_overwriting_replaces_the_first(capsys):
    for overwrite in (False, False, True):
        result = autogan.run_search(GRID, overwrite=overwrite, display=PlainDisplay())
    assert result.folder.root == Path("runs/gan-digits")
    assert runs() == ["gan-digits", "gan-digits-2"]
    assert capsys.readouterr().err.count("exists") == 1


def test_a_plan_shows_the_folder_that_the_search_would_take(command):
    assert autogan.plan(GRID).config.run_dir == Path("runs/gan-digits")
    autogan.run_search(GRID)
    assert autogan.plan(GRID).config.run_dir == Path("runs/gan-digits-2")
    assert autogan.plan(GRID, overwrite=True).config.run_dir == Path("runs/gan-digits")
    assert autogan.plan(resume="runs/gan-digits").config.run_dir == Path("runs/gan-digits")
    for more, folder in (((), "runs/gan-digits-2"), (("--overwrite",), "runs/gan-digits")):
        code, out, err = command("search", *FLAGS, "--dry-run", "--json", *more)
        assert code == 0, err
        assert Path(json.loads(out)["config"]["run_dir"]) == Path(folder).absolute()
        assert ("goes to runs/gan-digits-2" in err) == (not more)
    assert runs() == ["gan-digits"]


def test_a_second_training_does_so_too_and_a_resumed_one_goes_on_in_the_first(command):
    config = TrainConfig(dataset="digits")
    assert autogan.train(config).folder.root == Path("runs/train-gan-digits")
    assert autogan.train(config).folder.root == Path("runs/train-gan-digits-2")
    write_yaml(
        Path("runs/train-gan-digits/config.yaml"), config.resolved().as_dict()
    )  # as a worker does
    assert autogan.train(config, resume=True).folder.root == Path("runs/train-gan-digits")
    assert autogan.train(config, overwrite=True).folder.root == Path("runs/train-gan-digits")
    for number in ("", "-2"):
        code, _, err = command("train", "--dataset", "digits", "--seeds", "2")
        assert code == 0, err
        assert Path(f"runs/seeds-train-gan-digits{number}/search.yaml").is_file()
    code, _, err = command("train", "--dataset", "digits", "--seeds", "2", "--overwrite")
    assert code == 0, err
    assert len(runs()) == 4


def test_a_named_folder_is_refused_if_it_holds_a_run(command):
    autogan.run_search(GRID)
    Path("named.yaml").write_text("run_dir: runs/gan-digits\n")
    for named in (("--run-dir", "runs/gan-digits"), ("named.yaml",)):
        code, _, err = command("search", *FLAGS, *named)
        assert code == 2
        assert err.startswith("autogan: run_dir: runs/gan-digits holds an earlier run; continue it")


def test_two_searches_that_begin_at_once_do_not_share_a_folder(monkeypatch):
    """Another command is faster, between our look for a free name and our lock on it."""

    def slow(root):
        monkeypatch.setattr("autogan.run.opening.Claim", Claim)
        autogan.run_search(GRID)
        return Claim(root)

    monkeypatch.setattr("autogan.run.opening.Claim", slow)
    with pytest.raises(ConfigError, match="runs/gan-digits holds an earlier run"):
        autogan.run_search({**GRID, "seed": 5})
    assert "seed: 0" in Path("runs/gan-digits/search.yaml").read_text()


def test_a_search_that_is_at_work_keeps_its_folder():
    claim = Claim(Path("runs/gan-digits"))
    try:
        assert autogan.run_search(GRID).folder.root == Path("runs/gan-digits-2")
    finally:
        claim.release()


def test_a_folders_name_has_no_ending(tmp_path):
    for folder, second in ((True, "gan-celeb_a-2.1.0-2"), (False, "gan-celeb_a-2.1-2.0")):
        (tmp_path / "gan-celeb_a-2.1.0").mkdir(exist_ok=True)
        found = unused(tmp_path / "gan-celeb_a-2.1.0", "run_dir", folder=folder)
        assert found == tmp_path / second
