"""The rooms of the house: imports run one way, and no file is too long to read."""

import ast
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import autogan

ROOT = Path(autogan.__file__).parent
CHECKOUT = Path(__file__).parents[1]

# Each room may import those on the lines above its own, and itself.
ORDER = (
    {"core", "version"},
    {"models", "search", "criteria", "data", "trackers"},
    {"config"},
    {"record", "pool"},
    {"decisions", "worker"},
    {"show"},
    {"run", "report"},
    {"api"},
    {"play"},
    {"making", "measure"},
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
        for path in sorted(folder.glob("**/*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join(("autogan", *([name] if name else []), *parts)), path


MODULES = [*modules()]
NAMES = {name.removesuffix(".__init__") for name, _ in MODULES}


def imports(path, nodes=None):
    for node in ast.walk(ast.parse(path.read_text())) if nodes is None else nodes:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from names & NAMES or {node.module}  # modules of a package, or names of a module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def at_import(path):
    """What a module imports when it is imported: not within functions, nor for types alone."""
    return imports(path, ast.parse(path.read_text()).body)


@pytest.mark.parametrize(("name", "path"), [pytest.param(*m, id=m[0]) for m in MODULES])
def test_imports_run_one_way(name, path):
    room = room_of(name)
    if room in ("", "__init__"):
        return  # the root names everything, lazily
    level = next(i for i, rooms in enumerate(ORDER) if room in rooms)
    allowed = {room}.union(*ORDER[:level])
    used = {room_of(m) for m in imports(path) if m.startswith("autogan.")}
    assert used <= allowed, f"{name} imports {sorted(used - allowed)}"


@pytest.mark.parametrize(("name", "path"), [pytest.param(*m, id=m[0]) for m in MODULES])
def test_files_can_be_read(name, path):
    assert len(path.read_text().splitlines()) <= 400


DRIVER = (
    "trackers",
    "record",
    "decisions",
    "pool",
    "show",
    "run",
    "report",
    "api",
    "making",
    "measure",
    "play",
    "cli",
)
"""The rooms of the process that must start at once and outlive a worker that crashes."""


@pytest.mark.parametrize(("name", "path"), [pytest.param(*m, id=m[0]) for m in MODULES])
def test_the_driver_is_free_of_tensorflow(name, path):
    """Not even within a function."""
    if room_of(name) in DRIVER:
        models = (f"autogan.models.{room}" for room in ("training", "networks", "objectives"))
        heavy = ("tensorflow", "keras", "autogan.worker", *models)
        assert not [module for module in imports(path) if module.startswith(heavy)]


def test_networks_and_objectives_know_nothing_of_training():
    for name, path in MODULES:
        if name.startswith(("autogan.models.networks", "autogan.models.objectives")):
            used = [m for m in at_import(path) if m.startswith("autogan.models")]
            own = name.rpartition(".")[0]
            assert {m for m in used if not m.startswith((own, "autogan.models.draws"))} == set()


def test_the_tools_of_pages_know_nothing_of_what_is_drawn():
    for name, path in MODULES:
        if name.startswith("autogan.report.drawing"):
            used = [m for m in imports(path) if m.startswith("autogan.report")]
            assert {m for m in used if not m.startswith("autogan.report.drawing")} == set()


def test_search_imports_the_core_alone():
    used = {m for name, path in MODULES for m in imports(path) if room_of(name) == "search"}
    assert {room_of(m) for m in used if m.startswith("autogan.")} == {"core", "search"}


def test_rooms_can_be_known():
    """A folder is at most 3,000 lines."""
    lines = Counter()
    for _, path in MODULES:
        lines[path.parent] += len(path.read_text().splitlines())
    assert max(lines.values()) <= 3000, lines


def test_no_circle_but_those_of_types():
    """Modules that import each other when they are imported cannot be read one at a time."""
    arrows = {
        name.removesuffix(".__init__"): {m for m in at_import(path) if m in NAMES}
        for name, path in MODULES
    }
    while free := [name for name, used in arrows.items() if not used & arrows.keys() - {name}]:
        for name in free:
            del arrows[name]
    assert not arrows


def python(code, **environment):
    """Run code in a process of its own; return what it printed and the error's last line."""
    made = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    return made.stdout.strip(), (made.stderr.strip().splitlines() or [""])[-1]


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, autogan; print(autogan.__version__);"
        "print([m for m in ('numpy', 'pydantic', 'yaml', 'rich') if m in sys.modules])"
    )
    assert python(code)[0].splitlines() == [autogan.__version__, "[]"]


def test_names_are_imported_when_they_are_used():
    code = (
        "import autogan; print(*[getattr(autogan, name).__name__ for name in autogan.__all__"
        " if name != '__version__']); autogan.nothing"
    )
    out, err = python(code)
    assert "run_search" in out
    assert "SearchConfig" in out
    assert err == "AttributeError: module 'autogan' has no attribute 'nothing'"


@pytest.mark.parametrize("arguments", [["--version"], ["list"], ["search", "--help"]])
def test_looking_works_where_folders_cannot_be_locked(arguments):
    """Windows has no fcntl."""
    code = (
        "import sys; sys.modules['fcntl'] = None\n"
        f"from autogan.cli.main import main; main({arguments!r})"
    )
    out, err = python(code)
    assert out
    assert err == ""


def test_searching_says_where_it_works(tmp_path):
    code = (
        "import sys; sys.modules['fcntl'] = None\n"
        "from autogan.cli.main import main; main(['search', '--quiet'])"
    )
    assert python(code)[1] == (
        "autogan: run_dir: runs/gan-digits cannot be locked on this system; run AutoGAN on "
        "Linux, macOS or WSL"
    )
    assert list(tmp_path.iterdir()) == []


def test_half_of_another_checkout_is_refused(tmp_path):
    """A checkout that is not installed, found by its folder; its methods come from elsewhere."""
    shutil.copytree(ROOT, tmp_path / "autogan", ignore=shutil.ignore_patterns("search"))
    _, err = python("import autogan", PYTHONPATH=str(tmp_path))
    assert err.startswith(f"ImportError: autogan is in {tmp_path}/autogan, but its search methods")


def test_ctrl_c_while_it_is_imported_is_one_line():
    code = (
        "import sys\n"
        "class Pressed:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'autogan.cli.main': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "from autogan.__main__ import main; main()"
    )
    assert python(code) == ("", "autogan: stopped")
