"""What stands in several files of the repository is the same in all of them."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from autogan.models.formats import FORMATS
from autogan.version import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")

CHECKOUT = Path(__file__).parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
LOCKED = [
    Requirement(line)
    for line in (CHECKOUT / "requirements.lock").read_text().splitlines()
    if line and not line.startswith("#")
]
UNLOCKED = ("test", "docs", "benchmark", "mlflow", "wandb", "trackio")
"""Extras for developers, and trackers, which would hold Pillow and others back for all."""
EXTRAS = {n: e for n, e in PROJECT["optional-dependencies"].items() if n not in UNLOCKED}


@pytest.mark.parametrize(
    "wanted", [*PROJECT["dependencies"], *(each for extra in EXTRAS.values() for each in extra)]
)
def test_the_lock_has_a_version_of_each_dependency(wanted):
    requirement = Requirement(wanted)
    found = [locked for locked in LOCKED if locked.name == requirement.name.replace("_", "-")]
    assert found, "run scripts/lock"
    for locked in found:
        (pin,) = locked.specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version)


def test_the_lock_names_no_place():
    """A version is enough; where packages come from is the user's business."""
    assert not re.search(r"https?://|file:|--index", (CHECKOUT / "requirements.lock").read_text())


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((CHECKOUT / "CITATION.cff").read_text())
    assert cited["version"] == __version__.partition(".dev")[0]
    assert cited["license"] == PROJECT["license"]


@pytest.mark.parametrize(
    "name", ["README.md", "AGENTS.md", *map(str, CHECKOUT.glob("docs/**/*.md"))]
)
def test_nobody_is_sent_to_another_package(name):
    """On the package index, autogan is another package; a clone is installed by its path."""
    assert not re.search(r"pip install [^\n]*(?<![./\w-])autogan\b", (CHECKOUT / name).read_text())


@pytest.mark.parametrize("kind", [*FORMATS], ids=lambda kind: kind.name)
def test_a_format_says_what_to_install(kind):
    """The document's row names the extra, which has the packages that the program checks for."""
    rows = (CHECKOUT / "docs/generator.md").read_text().splitlines()
    (row,) = (line for line in rows if line.startswith(f"| `{kind.name}` |"))
    installed = row.split("|")[-2].strip()
    assert installed == (f"`scripts/setup {kind.name}`" if kind.requires else "")
    extra = PROJECT["optional-dependencies"].get(kind.name, ())
    assert [*extra] == [*kind.requires]


def test_readme_says_which_pythons():
    low, high = re.findall(r"3\.(\d+)", PROJECT["requires-python"])
    readme = " ".join((CHECKOUT / "README.md").read_text().split())
    assert f"Python 3.{low} to 3.{int(high) - 1}" in readme


def test_the_linter_of_words_finds_each_habit(tmp_path, capsys):
    """In a document, a comment, a docstring and a message; not in code, quotes or older changes."""
    spec = importlib.util.spec_from_file_location("words", CHECKOUT / "scripts/words.py")
    words = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(words)
    document, code = tmp_path / "a.md", tmp_path / "b.py"
    document.write_text(
        "It is told.\n\n    a told example\n\nIts `told` [x](told.md)\nis no file.\n"
    )
    code.write_text(
        '"""What it does."""\n# beside it\ntold = f"{1} so many"\nraise X("is no file")\n'
    )
    assert words.main([str(document), str(code)]) == 1
    found = [
        line.split(":")[1]
        for line in capsys.readouterr().out.replace(str(tmp_path), "").splitlines()
    ]
    assert found == ["1", "5", "1", "2", "3", "4"]
    code.write_text("told = 1\n")
    assert words.main([str(code)]) == 0
