"""What may not be read or written is told in one line that says so."""

import pytest
from closed import as_a_user

from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.data import dataset_named


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
