"""A run is a folder that can be copied, moved and renamed; its images may come to lie elsewhere."""

import errno
import os
import shutil
from pathlib import Path

import pytest
import yaml
from fakes import FakeEngine, FakeSession, told
from pages import search_on_disk

import autogan
from autogan.config import TrainConfig, load_config
from autogan.core.errors import ConfigError
from autogan.core.files import write_arrays
from autogan.record.claim import Claim, share
from autogan.record.folder import SearchFolder, TrialFolder, run_of, training_in
from autogan.record.resume import moved_images, same_place
from autogan.show.displays import PlainDisplay

KEYS = {"dataset": "digits", "trials": 3, "search_method": "random", "steps": 30,
        "params": {"learning_rate": "1e-4..1e-2:log"}}  # fmt: skip


class Saving(FakeSession):
    """Leaves what a trial leaves: its configuration."""

    def train(self, call):
        run = TrainConfig(**call.config)
        folder = TrialFolder.of(Path(call.folder), run)
        folder.root.mkdir(parents=True, exist_ok=True)
        folder.config.write_text("# heading\n" + yaml.safe_dump(run.as_dict()))
        folder.checkpoints.mkdir(parents=True, exist_ok=True)
        folder.best.write_bytes(str(run.seed).encode())
        return super().train(call)


def engine():
    made = FakeEngine()
    made._session = Saving(made)
    return made


def search(root="runs/a", **keys):
    return autogan.run_search({**KEYS, "run_dir": root, **keys}, engine=engine())


def copied(way, root="runs/a", copy="elsewhere/b"):
    """A copy of a run without links: they have become folders, are missing, or are text files."""
    shutil.copytree(root, copy, symlinks=way not in ("folder", "stale"))
    best = Path(copy) / "best"
    if way in ("missing", "text"):
        target = os.readlink(best)
        best.unlink()
        if way == "text":
            best.write_text(target)
    if way == "stale":  # the best trial of an earlier moment
        shutil.rmtree(best)
        other = next(p for p in sorted(Path(copy).glob("trials/*")) if p.name != name_of(root))
        shutil.copytree(other, best)
    return Path(copy)


def name_of(root):
    return Path(os.readlink(Path(root) / "best")).name


WAYS = ("link", "folder", "missing", "text", "stale")


@pytest.mark.parametrize("way", WAYS)
def test_the_best_trial_of_a_copy_is_found(way, command):
    search()
    copy = copied(way)
    for named in (copy, copy / "best"):
        found = training_in(named, "folder")
        assert found.resolve().name == name_of("runs/a"), named
        assert run_of(found) == copy.resolve()
    assert run_of(copy / "best") == copy.resolve()
    config = load_config(TrainConfig, copy / "best.yaml")
    assert config.seed == autogan.load(copy).best.seed
    for words in (["show"], ["check"], ["report"], ["list", "runs"]):
        assert command(*words, *([copy] if words[0] != "list" else []))[0] == 0, words


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trials", [3, 6])
def test_a_copy_goes_on_as_the_original_does(way, trials):
    search()
    copy = copied(way)
    for root in ("runs/a", copy):
        for _ in range(2):
            result = autogan.run_search({"trials": trials}, resume=root, engine=engine())
            assert len(result.trials) == trials
    assert name_of(copy) == name_of("runs/a")
    without = [r for r in told(copy) if r["record"] != "limits"]
    assert without == [r for r in told(Path("runs/a")) if r["record"] != "limits"]


@pytest.mark.parametrize("what", ["further file", "another folder", "own file"])
def test_what_is_the_users_own_keeps_its_place(what, capsys):
    search()
    copy = copied("folder")
    best = copy / "best"
    if what == "further file":
        (best / "notes.txt").write_text("mine")
    else:
        shutil.rmtree(best)
        if what == "own file":
            best.write_text("mine")
        else:
            best.mkdir()
            (best / "config.yaml").write_text("params: {learning_rate: 1}")
    given = {"trials": 6}
    result = autogan.run_search(given, resume=copy, engine=engine(), display=PlainDisplay())
    assert len(result.trials) == 6
    assert not best.is_symlink()
    err = capsys.readouterr().err
    assert err.count(f"{best} is not a link and stays as it is; the best trial is ") >= 1
    assert training_in(copy, "folder").name == result.folder.trial("x").parent.joinpath(
        training_in(copy, "folder").name).name  # fmt: skip


def test_where_there_can_be_no_link_the_search_goes_on(monkeypatch, capsys):
    def refused(path, target):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refused)
    result = autogan.run_search(
        {**KEYS, "run_dir": "runs/a"}, engine=engine(), display=PlainDisplay()
    )
    assert len(result.trials) == 3
    assert "runs/a/best cannot be written (Operation not permitted); the best trial is 000" in (
        capsys.readouterr().err
    )
    assert training_in(Path("runs/a"), "folder") is not None


def test_a_best_that_is_nothing_is_told(tmp_path):
    folder, _, _ = search_on_disk(tmp_path / "a", trials=1)
    with pytest.raises(ConfigError, match="is a search without a best trial; name one of its"):
        training_in(folder.root, "folder")


def test_images_under_another_path():
    search(dataset="folder:old")
    given = {"dataset": "folder:new", "trials": 5}
    result = autogan.run_search(given, resume="runs/a", engine=engine())
    new = f"folder:{Path('new').absolute()}"
    assert len(result.trials) == 5
    assert yaml.safe_load(Path("runs/a/search.yaml").read_text())["dataset"] == new
    assert yaml.safe_load(Path("runs/a/best.yaml").read_text())["dataset"] == new
    first = next(Path("runs/a/trials").glob("0000*"))
    assert moved_images(first) == {"dataset": new}
    assert moved_images(None) == {}
    whole = autogan.run_search({**KEYS, "run_dir": "runs/b", "dataset": "folder:old",
                                "trials": 5}, engine=engine())  # fmt: skip
    assert [t.value for t in result.trials] == [t.value for t in whole.trials]


def test_other_images_under_another_path_are_refused(monkeypatch):
    search(dataset="folder:old")
    monkeypatch.setattr(FakeSession, "data", "b")
    before = Path("runs/a/search.yaml").read_text()
    with pytest.raises(ConfigError, match="dataset: digest was a, is now b, but values "):
        autogan.run_search({"dataset": "folder:new"}, resume="runs/a", engine=engine())
    assert Path("runs/a/search.yaml").read_text() == before


def test_a_feature_network_and_a_training_under_another_path():
    old = {"features": "old/net", "dataset": "folder:old", "data_dir": "x"}
    new = {"features": "new/net", "dataset": "folder:new"}
    search(**old)
    result = autogan.run_search({**new, "trials": 4}, resume="runs/a", engine=engine())
    assert len(result.trials) == 4
    assert result.config.features == "new/net"
    warm = autogan.run_search(
        {**KEYS, "run_dir": "runs/w", "features": "third/net", "dataset": "folder:third",
         "warm_start": "runs/a"}, engine=engine(),
    )  # fmt: skip
    assert len(warm.trials) == 3
    one = {**KEYS, "params": {"learning_rate": 1e-3}}
    for name in ("trials", "search_method"):
        del one[name]
    Path("runs/t").mkdir(parents=True)
    autogan.train({**one, **old, "run_dir": "runs/t"}, engine=engine())
    config = TrainConfig(**{**one, **new, "run_dir": "runs/t"})
    autogan.train(config, resume=True, engine=engine())
    with pytest.raises(ConfigError, match="resume: .* dataset was folder:.*, now digits"):
        autogan.train(config.model_copy(update={"dataset": "digits"}), resume=True,
                      engine=engine())  # fmt: skip


@pytest.mark.parametrize(
    ("name", "before", "now", "same"),
    [
        ("dataset", "folder:a", "folder:b", True), ("dataset", "folder:a", "mnist", False),
        ("dataset", "tfds:a", "tfds:b", False), ("dataset", "mnist", "mnist", True),
        ("data_dir", None, "/b", True), ("data_dir", "/a", None, True),
        ("features", "/a/net", "/b/net", True), ("features", "classifier", "/b", False),
        ("features", "/a", "inception", False), ("features", None, "/b", False),
        ("stage1", "/a", "/b", True), ("stage1", None, "/b", False), ("stage1", "/a", None, False),
        ("image_size", 8, 16, False), ("seed", 0, 0, True),
    ],
)  # fmt: skip
def test_a_path_may_change_and_nothing_else(name, before, now, same):
    assert same_place(name, before, now) is same


def test_a_renamed_run_finds_what_lies_elsewhere():
    search(checkpoint_dir="checkpoints")
    Path("runs/a").rename("runs/b")
    assert len(autogan.run_search({"trials": 5}, resume="runs/b", engine=engine()).trials) == 5
    for root in Path("runs/b/trials").iterdir():
        folder = TrialFolder.of(root, load_config(TrainConfig, root / "config.yaml"))
        assert folder.best.is_file()
    assert sorted(p.name for p in Path("checkpoints").iterdir()) == ["a"]


@pytest.mark.parametrize("name", [b"../../x", b"..", b"", b"a/b", b"\xff", b"/etc"])
def test_a_hostile_name_leads_nowhere_else(name):
    search(checkpoint_dir="checkpoints")
    Path("runs/a/.name").write_bytes(name)
    folder = TrialFolder.of(Path("runs/a/trials/0000"), TrainConfig(checkpoint_dir="checkpoints"))
    assert folder.checkpoints == Path("checkpoints/a/0000/checkpoints")


def test_a_run_of_03_that_was_renamed_finds_its_parts():
    """Its file names the folder of then; nothing else was recorded."""
    search(checkpoint_dir="checkpoints")
    Path("runs/a/.name").unlink()
    Path("runs/a").rename("runs/b")
    autogan.run_search({"trials": 4}, resume="runs/b", engine=engine())
    assert Path("runs/b/.name").read_text() == "a"


class TestLocks:
    def test_a_file_system_without_locks_is_told_once(self, monkeypatch, capsys):
        def refused(descriptor, how):
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr("fcntl.flock", refused)
        result = autogan.run_search(
            {**KEYS, "run_dir": "runs/a"}, engine=engine(), display=PlainDisplay()
        )
        assert len(result.trials) == 3
        said = (
            "runs/a cannot be locked here (Function not implemented): do not start a second "
            "command on it"
        )
        assert capsys.readouterr().err.count(said) == 1
        assert len(autogan.run_search(resume="runs/a", engine=engine()).trials) == 3
        assert autogan.load("runs/a").state == "ended"

    @pytest.mark.parametrize("number", [errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN])
    def test_a_lock_that_is_held_is_told_as_such(self, monkeypatch, number):
        def refused(descriptor, how):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("fcntl.flock", refused)
        with pytest.raises(ConfigError, match="runs/a is in use by another autogan command"):
            search()

    def test_a_foreign_folder_leaves_no_descriptor(self, tmp_path):
        claim = Claim(tmp_path / "a")
        before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc") else 0
        for _ in range(3):
            with pytest.raises(ConfigError, match="is a different folder on"):
                share(tmp_path / "a", "another token")
        after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc") else 0
        assert after == before
        claim.release()


def test_an_earlier_best_is_found_by_its_folder(tmp_path):
    """A classifier kept in the run is used for RUN/best of a copy: the run is found."""
    search()
    write_arrays(Path("runs/a/features.npz"), {})
    copy = copied("folder")
    assert (run_of(training_in(copy / "best", "images")) / "features.npz").is_file()
    assert SearchFolder(copy).best.is_dir()
