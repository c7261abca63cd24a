"""The documents lead to what is there: files, headings, scripts."""

import re
from pathlib import Path

import blocks
import pytest
from typer.main import get_command

from autogan.cli.main import app
from autogan.config import SearchConfig, TrainConfig, load_config, parse_params, validated
from autogan.criteria import CRITERIA
from autogan.criteria.networks.weights import KNOWN_FEATURES
from autogan.models import GAN_TYPES
from autogan.models.formats import FORMATS
from autogan.record.words import state_of
from autogan.search import SEARCH_METHODS, STOPPING_RULES, State, Trial
from autogan.trackers import TRACKERS

CHECKOUT = Path(__file__).parents[1]
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])


def prose(path):
    """A document without its code."""
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
    return "\n".join(line for line in text.splitlines() if not line.startswith("    "))


def anchors(path):
    """The names that headings have as links."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(path)):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_scripts_are_there(path):
    if path.name == "CHANGELOG.md":
        return  # it speaks of what was
    for name in re.findall(r"\bscripts/[\w/]+(?:\.py)?", path.read_text()):
        assert (CHECKOUT / name).exists(), name


def test_each_document_is_in_the_index():
    index = (CHECKOUT / "docs" / "README.md").read_text()
    for path in CHECKOUT.glob("docs/*.*"):
        assert path.suffix == ".png" or path.name == "README.md" or f"({path.name})" in index


CASES = [
    pytest.param(words[1:], id=f"{path.name}:{row}")
    for path in blocks.DOCUMENTS
    for block in blocks.blocks(path)
    if not block.is_text and not block.is_python
    for row, words in block.commands()
    if words[0] == "autogan"
]


@pytest.mark.parametrize("words", CASES)
def test_commands_can_be_given(words, tmp_path, monkeypatch):
    """Each names a command and flags that exist, with values that the configuration takes.

    tests/test_document_commands.py runs them, but for those that are marked.
    """
    if not words or words[0] in ("--help", "COMMAND"):
        return
    command = get_command(app).commands[words[0]]
    context = command.make_context(words[0], [], resilient_parsing=True)
    values, _, _ = command.make_parser(context).parse_args(args=words[1:])
    if words[0] not in ("search", "train") or "my_" in " ".join(words):  # parts of an example
        return
    kind = SearchConfig if words[0] == "search" else TrainConfig
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("autogan.trackers.Tracker.check_installed", lambda: None)
    flags = {name: value for name, value in values.items() if name in kind.model_fields}
    flags["params"] = parse_params(flags.get("params", []))
    file = values.get("config")
    if file and Path(file).suffix == "" and not file.startswith("runs/"):
        load_config(kind, Path(file), flags)
    elif not file and not values.get("resume"):
        load_config(kind, None, flags)


@pytest.mark.parametrize("path", blocks.DOCUMENTS, ids=lambda path: path.name)
def test_each_mark_is_of_commands(path):
    """A mark is of the commands below it, or at the head of a document that has some."""
    marked = [b for b in blocks.blocks(path) if b.reason and not b.is_text and not b.is_python]
    whole = path.read_text().startswith("<!-- not run: ")
    assert blocks.marks(path) == (min(1, len(marked)) if whole else len(marked))


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ("criteria.md", [*CRITERIA.names(), *KNOWN_FEATURES]),
        ("gans.md", [*GAN_TYPES.names(), *(h.name for h in GAN_TYPES.get("gan").hyperparameters)]),
        ("search.md", [*SEARCH_METHODS.names(), *STOPPING_RULES.names()]),
        ("trackers.md", TRACKERS.names()),
        ("generator.md", FORMATS.names()),
    ],
)
def test_all_names_are_in_their_document(document, names):
    text = (CHECKOUT / "docs" / document).read_text()
    known = set(re.findall(r"`(\w+)[^`]*`", text))
    missing = set(names) - known - UNSAID
    assert not missing


UNSAID = {  # in the document as a group: widths, the schedule's shape, weights of a factor
    "width", "dense_width", "depth", "z_dim", "schedule_end", "schedule_power", "schedule_speed",
    "schedule_drops", "schedule_factor", "clip", "class_weight", "generator_class_weight",
    "augment_probability",
}  # fmt: skip


def test_all_states_are_in_their_document():
    text = (CHECKOUT / "docs/runs.md").read_text()
    told = {state_of(Trial(0, {}, state=state)) for state in State if state is not State.RUNNING}
    assert told <= set(re.findall(r"^\| \*([\w ]+)\*", text, re.M))


def test_defaults_are_those_of_the_program():
    """The guide's and the page's words on defaults, which stand in the configuration too."""
    search = " ".join((CHECKOUT / "docs/search.md").read_text().split())
    config = validated(SearchConfig, {}).resolved()
    words = f"--search-method {config.search_method} --stopping {config.stopping} "
    words += f"--repeats {config.repeats} --trials {config.trials}"
    assert words in search
    assert f"`--checkpoint-minutes` ({config.checkpoint_minutes:g})" in (
        " ".join((CHECKOUT / "docs/runs.md").read_text().split())
    )
    assert f"({config.eval_samples:,})" in (CHECKOUT / "docs/criteria.md").read_text()
