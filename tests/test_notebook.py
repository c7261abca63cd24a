"""The notebook of the documents runs from top to bottom."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[1] / "docs" / "first_search.ipynb"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Jupyter's own
def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch):
    """With fewer and shorter trials; all else as it stands there."""
    nbformat = pytest.importorskip("nbformat")
    from nbclient import NotebookClient

    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        for long, short in (('"steps": 400', '"steps": 20'), ('"trials": 8', '"trials": 2')):
            cell.source = cell.source.replace(long, short)
    NotebookClient(notebook, timeout=250, resources={"metadata": {"path": tmp_path}}).execute()
    shown = [str(output) for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output for output in shown)
    assert any("<table>" in output for output in shown)
    progress = next(output for output in shown if "training on the" in output)
    assert re.search(r"trial 0 .*complete", progress)
