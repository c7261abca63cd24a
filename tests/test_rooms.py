"""The rooms of the house: imports run one way, and no file is too long to read."""

import ast
from pathlib import Path

import pytest

import autogan

ROOT = Path(autogan.__file__).parent
CHECKOUT = Path(__file__).parents[1]

# Each room may import those on the lines above its own, and itself.
ORDER = (
    {"core", "version"},
    {"models", "search", "criteria", "data"},
    {"config"},
    {"run"},
    {"commands", "display"},
    {"options", "output"},
    {"cli"},
    {"__main__"},
)


def room_of(module):
    return module.split(".")[1] if "." in module else ""


def modules():
    import autogan.criteria
    import autogan.models
    import autogan.search

    places = {"": ROOT} | {
        name: Path(getattr(autogan, name).__file__).parent
        for name in ("models", "search", "criteria")
    }
    for name, folder in places.items():
        pattern = "*.py" if name else "**/*.py"
        for path in sorted(folder.glob(pattern)):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join(("autogan", *([name] if name else []), *parts)), path


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(("name", "path"), [pytest.param(*m, id=m[0]) for m in modules()])
def test_imports_run_one_way(name, path):
    room = room_of(name)
    if room in ("", "__init__"):
        return  # the root names everything, lazily
    level = next(i for i, rooms in enumerate(ORDER) if room in rooms)
    allowed = {room}.union(*ORDER[:level])
    used = {room_of(m) for m in imports(path) if m.startswith("autogan.")}
    assert used <= allowed, f"{name} imports {sorted(used - allowed)}"


@pytest.mark.parametrize(("name", "path"), [pytest.param(*m, id=m[0]) for m in modules()])
def test_files_can_be_read(name, path):
    assert len(path.read_text().splitlines()) <= 400
