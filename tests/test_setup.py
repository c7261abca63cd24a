"""What a new user meets first: scripts/setup, with stand-ins for the machine and its Pythons."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
SETUP = CHECKOUT / "scripts/setup"

# Answers the version check as Python of that version would, makes an environment of itself, and
# writes down what is installed.
PYTHON = """#!/bin/sh
case "$1 $2" in
    -c*) exec {real} -c "import sys; sys.version_info = {numbers}; $2" ;;
    -V*) echo Python {version} ;;
    "-m venv") mkdir -p "$3/bin"
        cp "$0" "$3/bin/python"
        cp "$0" "$3/bin/pip"
        echo {version} >made ;;
    "-m pip") echo "$@" >>installed ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """A clone and the programs of a machine."""
    (tmp_path / "clone/scripts").mkdir(parents=True)
    shutil.copy(SETUP, tmp_path / "clone/scripts/setup")
    for name in ("pyproject.toml", "setup.py"):
        shutil.copy(CHECKOUT / name, tmp_path / "clone" / name)
        os.utime(tmp_path / "clone" / name, (0, 0))
    (tmp_path / "bin").mkdir()
    for name in ("bash", "sh", "dirname", "mkdir", "cp", "touch", "sed", "paste"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    program(tmp_path, "uname", "#!/bin/sh\necho Linux x86_64\n")
    return tmp_path


def program(machine, name, text):
    path = machine / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def python(machine, name, version):
    numbers = tuple(map(int, version.split(".")))
    real = shlex.quote(sys.executable)
    program(machine, name, PYTHON.format(real=real, numbers=numbers, version=version))


def setup(machine, *arguments, **environment):
    made = subprocess.run(
        ["clone/scripts/setup", *arguments],
        capture_output=True, text=True, cwd=machine,
        env={"PATH": str(machine / "bin"), **environment},
    )  # fmt: skip
    return made.returncode, made.stdout + made.stderr


def test_installs_once_and_says_how_much(machine):
    python(machine, "python3", "3.12.1")
    assert setup(machine) == (0, "installing into .venv: about two minutes, 3 GB\n")
    assert (machine / "clone/installed").read_text().splitlines()[-1].endswith("-e .")
    assert setup(machine) == (0, "")


def test_extras_are_installed(machine):
    python(machine, "python3", "3.12.1")
    code, said = setup(machine, "gpu,tfds")
    assert code == 0
    assert "CUDA" in said
    assert (machine / "clone/installed").read_text().splitlines()[-1].endswith("-e .[gpu,tfds]")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_extra(machine, flag):
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    code, said = setup(machine, flag)
    usage, _, extras, python = said.splitlines()
    assert code == 0
    assert usage == "usage: scripts/setup [EXTRA,EXTRA,...]"
    assert extras.split() == ["extras:", *project["optional-dependencies"]]
    assert python.startswith("PYTHON=")
    assert not (machine / "clone/.venv").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["onxx"], "onxx is not an extra; known: gpu test "),
        (["gpu,onxx"], "onxx is not an extra; known: gpu test "),
        (["--verbose"], "--verbose is not an extra; known: gpu test "),
        (["gpu", "tfds"], "2 arguments; separate extras by commas: scripts/setup gpu,tfds"),
    ],
)
def test_an_unknown_extra_is_refused(machine, arguments, said):
    python(machine, "python3", "3.12.1")
    code, why = setup(machine, *arguments)
    assert code == 1
    assert why.startswith(f"scripts/setup: {said}")
    assert len(why.splitlines()) == 1
    assert not (machine / "clone/.venv").exists()


def test_the_newest_python_that_will_do_is_taken(machine):
    for name, version in (("python3", "3.14.0"), ("python3.13", "3.9.9"), ("python3.11", "3.11.7")):
        python(machine, name, version)
    assert setup(machine)[0] == 0
    assert (machine / "clone/made").read_text() == "3.11.7\n"


def test_a_python_that_is_named_is_taken_or_refused(machine):
    python(machine, "python3", "3.12.1")
    python(machine, "mine", "3.14.0")
    code, said = setup(machine, PYTHON="mine")
    assert code == 1
    assert (
        "mine is Python 3.14.0, and TensorFlow 2.21 has packages for 64-bit Python 3.10 to 3.13"
        in said
    )
    python(machine, "mine", "3.13.0")
    assert setup(machine, PYTHON="mine")[0] == 0
    assert (machine / "clone/made").read_text() == "3.13.0\n"


def test_no_python_at_all(machine):
    code, said = setup(machine)
    assert code == 1
    assert said.startswith("scripts/setup: python3 is missing, and ")
    assert len(said.splitlines()) == 1
    assert not (machine / "clone/.venv").exists()


UV = """#!/bin/sh
[ "$1 $5" = "venv 3.13" ] || exit 1
mkdir -p "$6/bin"
cp later "$6/bin/python"
cp later "$6/bin/pip"
"""


def test_uv_gets_a_python_where_none_will_do(machine):
    python(machine, "python3", "3.14.0")
    python(machine, "later", "3.13.5")
    (machine / "bin/later").rename(machine / "clone/later")
    program(machine, "uv", UV)
    code, said = setup(machine)
    assert code == 0
    assert said.startswith("found no Python 3.10 to 3.13: uv installs one for .venv\n")
    assert (machine / "clone/installed").read_text().splitlines()[-1].endswith("-e .")
    code, said = setup(machine, "tfds", PYTHON="python3")  # the one that is there is taken
    assert code == 0


def test_a_named_python_that_will_not_do_is_not_replaced_by_uv(machine):
    python(machine, "mine", "3.14.0")
    program(machine, "uv", UV)
    code, said = setup(machine, PYTHON="mine")
    assert code == 1
    assert "or install uv" in said


def test_an_environment_that_was_left_half_made_is_made_again(machine):
    """As Debian leaves it where python3-venv is missing: with python, without pip."""
    python(machine, "python3", "3.12.1")
    (machine / "clone/.venv/bin").mkdir(parents=True)
    shutil.copy(machine / "bin/python3", machine / "clone/.venv/bin/python")
    assert setup(machine)[0] == 0
    assert (machine / "clone/.venv/bin/pip").exists()


def test_an_environment_of_another_python_is_not_touched(machine):
    python(machine, "python3", "3.12.1")
    setup(machine)
    python(machine, "python3", "3.14.0")
    shutil.copy(machine / "bin/python3", machine / "clone/.venv/bin/python")
    code, said = setup(machine, "tfds")
    assert code == 1
    assert said.endswith("remove it: rm -r .venv\n")


@pytest.mark.parametrize(
    ("uname", "said"),
    [
        ("Darwin x86_64", "no package for Intel Macs"),
        ("MINGW64_NT-10.0-22631 x86_64", "wsl --install"),
        ("Linux armv7l", "no package for Linux armv7l"),
        ("FreeBSD amd64", "no package for FreeBSD amd64"),
    ],
)
def test_other_machines_are_told_why_not(machine, uname, said):
    python(machine, "python3", "3.12.1")
    program(machine, "uname", f"#!/bin/sh\necho {uname}\n")
    code, why = setup(machine)
    assert code == 1
    assert said in why
    assert len(why.splitlines()) == 1


@pytest.mark.parametrize("uname", ["Linux aarch64", "Darwin arm64"])
def test_other_machines_that_will_do(machine, uname):
    python(machine, "python3", "3.12.1")
    program(machine, "uname", f"#!/bin/sh\necho {uname}\n")
    assert setup(machine)[0] == 0


def test_the_quick_start_runs_in_the_users_folder(machine):
    """So that the paths that the search prints are those of the user's shell."""
    shutil.copy(SETUP.with_name("quickstart"), machine / "clone/scripts/quickstart")
    python(machine, "python3", "3.12.1")
    setup(machine)
    shutil.copy(machine / "bin/python3", machine / "clone/.venv/bin/autogan")
    (machine / "clone/.venv/bin/autogan").write_text('#!/bin/sh\nprintf "%s\\n" "$PWD" "$@"\n')
    made = subprocess.run(
        ["clone/scripts/quickstart", "--trials", "3"],
        capture_output=True, text=True, cwd=machine, env={"PATH": str(machine / "bin")},
    )  # fmt: skip
    folder, command, config, *flags = made.stdout.splitlines()
    assert (folder, command, flags) == (str(machine), "search", ["--trials", "3"])
    assert (machine / config).resolve() == machine / "clone/configs/gan_digits.yaml"
