"""What may not be read or written is reported in one line."""

import errno
import os
import re
import signal
from pathlib import Path

import pytest
from closed import as_a_user
from fakes import FakeEngine, FakeSession
from pages import search_on_disk

import autogan
from autogan.core.errors import ConfigError, SearchFailed, StorageError
from autogan.core.files import look
from autogan.core.invocation import command as again
from autogan.data import dataset_named
from autogan.worker.serve import failure


@pytest.fixture
def closed(tmp_path):
    """A folder that nobody may enter, with folders, files and an image in it."""
    folder = tmp_path / "closed"
    (folder / "runs" / "a").mkdir(parents=True)
    (folder / "file").touch()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


def test_what_a_path_leads_to(tmp_path, closed):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "broken").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    kinds = {
        "file": "file", "link": "file", "": "folder", "nothing": "", "broken": "", "loop": "",
        "file/below": "", "x" * 300: "", "a\0b": "",
    }  # fmt: skip
    for name, kind in kinds.items():
        assert look(f"{tmp_path}/{name}", "run_dir") == kind, name
    assert look("/dev/null", "run_dir") == "other"
    assert as_a_user(lambda: look(closed, "run_dir")) == "folder"
    with pytest.raises(ConfigError) as caught:
        as_a_user(lambda: look(closed / "file", "run_dir"))
    assert str(caught.value) == f"run_dir: {closed}/file cannot be read (Permission denied)"


def test_images_below_a_closed_folder(closed):
    with pytest.raises(ConfigError, match=r"^dataset: .* cannot be read \(Permission denied\)$"):
        as_a_user(lambda: dataset_named(f"folder:{closed}/pets", None).load(None))
    with pytest.raises(ConfigError, match=r"^data_dir: .* \(Permission denied\)"):
        as_a_user(lambda: dataset_named("mnist", closed / "mnist").load(None))


def test_a_closed_run_is_told_as_such(closed, command):
    """Whatever looks for a run below a folder that may not be entered."""
    run, searched = closed / "runs" / "a", closed.parent / "searched"
    search_on_disk(searched, trials=3)
    said = " cannot be read (Permission denied)"
    for words in (
        ["show", run], ["report", run], ["check", run], ["sample", run], ["list", "runs"],
        ["evaluate", run, "--reference", "digits"], ["search", "--resume", run],
        ["search", "--dataset", "digits", "--run-dir", run],
        ["search", "--dataset", "digits", "--run-dir", "b", "--checkpoint-dir", run],
        ["train", run / "best.yaml"], ["search", run / "search.yaml", "--dry-run"],
        ["train", "--dataset", "digits", "--run-dir", run],
        ["train", "--dataset", "digits", "--run-dir", run, "--resume"],
        ["train", "--dataset", "digits", "--plugin-dirs", run],
        ["report", searched, "--output", run / "x.html"],
        ["sample", searched, "--output", run / "x.png"],
    ):  # fmt: skip
        code, out, err = as_a_user(lambda words=words: command(*words))
        assert "Traceback" not in out + err, words
        assert err.count("\n") <= 1, words
        if words[:2] != ["list", "runs"]:
            assert (code, said in err) == (2, True), (words, err)
    assert not (closed.parent / "b").exists()
    with pytest.raises(ConfigError, match=f"warm_start: .*{re.escape(said)}"):
        as_a_user(
            lambda: autogan.run_search(
                {"dataset": "digits", "run_dir": "b", "warm_start": run}, engine=FakeEngine()
            )
        )


def test_a_file_that_may_not_be_read_is_told_as_such(tmp_path, command):
    folder, _, _ = search_on_disk(tmp_path / "a", trials=3)
    for name in ("trials.jsonl", "search.yaml"):
        path = folder.root / name
        path.chmod(0)
        for words in (["show"], ["report"], ["check"], ["search", "--resume"]):
            code, out, err = as_a_user(lambda words=words: command(*words, folder.root))
            assert (code, out, err.count("\n")) == (2, "", 1), words
            assert f"{path} cannot be read (Permission denied)" in err, words
        path.chmod(0o600)


@pytest.mark.parametrize(
    "number", [errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EMFILE, errno.ESTALE,
               errno.EDQUOT],
)  # fmt: skip
def test_what_the_file_system_refuses_is_one_line(number, monkeypatch, command):
    """At each write of a search in turn; resumed, it comes to what an undisturbed one does."""
    keys = {"dataset": "digits", "trials": 3, "search_method": "random"}
    whole = autogan.run_search({**keys, "run_dir": "runs/whole"}, engine=FakeEngine())
    for place in range(3, 27, 6):
        calls, root = iter(range(1000)), f"runs/{place}"

        def failing(descriptor, calls=calls, place=place):
            if next(calls) == place:
                raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing)
            with pytest.raises(StorageError) as caught:
                autogan.run_search({**keys, "run_dir": root}, engine=FakeEngine())
        said = str(caught.value)
        assert root in said
        assert os.strerror(number) in said or "no space left in" in said
        assert f"resume with: {again('autogan', 'search', '--resume', root)}" in said
        resumed = autogan.run_search(resume=root, engine=FakeEngine())
        assert [t.value for t in resumed.trials] == [t.value for t in whole.trials]


def test_a_worker_tells_the_file_system_s_errors_from_its_own():
    read_only = OSError(errno.EROFS, "Read-only file system", "runs/a/trials/0000/scores.jsonl")
    tensorflow = RuntimeError("runs/a/events: File too large\n[[{{node x}}]]")
    for error, cause, reason in (
        (read_only, "disk", "runs/a/trials/0000/scores.jsonl cannot be written (Read-only file "
         "system)"),
        (StorageError.of(OSError(errno.EIO, "Input/output error"), "runs/a/x", "read"), "disk",
         "runs/a/x cannot be read (Input/output error)"),
        (tensorflow, "disk", "the folder of the event files cannot be written (File too large)"),
        (PermissionError(errno.EACCES, "Permission denied", "pets/1.png"), "itself", None),
    ):  # fmt: skip
        failed = failure(error)
        assert failed.cause == cause
        assert reason is None or failed.reason == reason


def test_an_error_of_the_file_system_anywhere_is_one_line(command, monkeypatch):
    def fails(*arguments, **more):
        raise OSError(errno.EMFILE, "Too many open files", "runs/a/x")

    monkeypatch.setattr("autogan.api.load", fails)
    code, out, err = command("show", "runs/a")
    assert (code, out) == (1, "")
    assert err == "autogan: runs/a/x cannot be used (Too many open files)\n"


def test_text_that_no_encoding_holds_is_written_all_the_same():
    """Such as the undecodable name of a file, in an exception's words."""

    class Odd(FakeSession):
        def train(self, call):
            raise RuntimeError("no \udcff luck")

    engine = FakeEngine()
    engine._session = Odd(engine)
    with pytest.raises(SearchFailed, match=r"\\udcff|\udcff"):
        autogan.run_search({"dataset": "digits", "run_dir": "runs/a"}, engine=engine)
    texts = [path.read_text() for path in Path("runs/a").rglob("traceback.txt")]
    assert len(texts) == 3
    assert "no \\udcff luck" in texts[0]


@pytest.mark.parametrize(
    "name", ["trials.jsonl", ".lock", ".workers", ".name", "real.png", "trials/0000*/config.yaml",
             "trials/0000*/result.json", "trials/0000*/samples/*100.png",
             "trials/0007*/traceback.txt"],
)  # fmt: skip
def test_no_command_waits_for_a_pipe_in_a_run(name, command, monkeypatch):
    """An archive of a run may hold one: reading it would never end."""
    autogan.run_search(
        {"dataset": "digits", "trials": 2, "search_method": "random", "run_dir": "runs/a"},
        engine=FakeEngine(),
    )
    monkeypatch.setattr("autogan.pool.crew.make_engine", lambda run: FakeEngine())
    search_on_disk(Path("runs/b"), pictures=True)
    path = next(Path("runs/b").glob(name), Path("runs/b", name.replace("*", "x")))
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)

    def ends(*_):
        pytest.fail(f"waits for {path}")

    before = signal.signal(signal.SIGALRM, ends)
    try:
        for words in (["show", "B"], ["check", "B"], ["report", "B"], ["report", "A", "B"],
                      ["show", "B", "--csv"], ["list", "runs"], ["search", "--resume", "B"],
                      ["check", "B", "--repair"]):  # fmt: skip
            signal.alarm(20)
            given = [{"A": "runs/a", "B": "runs/b"}.get(word, word) for word in words]
            code, _, err = command(*given)
            assert code in (0, 1, 2), given
            if name == "trials.jsonl" and words[0] != "list":
                assert "it is a pipe or device" in err or "trials.jsonl" in err, given
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
