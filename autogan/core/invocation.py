"""Commands: for the user to paste into a shell, and for processes of Python."""

import os
import shlex
import shutil
import sys

# Not -m: that would import files of the working folder, such as a user's random.py.
_START = "import sys; sys.path = [p for p in sys.path if p]"
_MODULES = {"tensorboard": "tensorboard.main"}  # programs whose module has another name


def command(name: str, *words: object) -> str:
    """A command line that runs a program of this environment from the working folder.

    It calls the program by its name if the shell would find this very program, otherwise by its
    path, as in ``.venv/bin/autogan``, or by ``python -m`` if the environment has no such script.

    Args:
        name: of the program: ``autogan``, ``tensorboard`` or ``pip``.
        words: its arguments; quoted if the shell needs it.
    """
    beside = shutil.which(name, path=os.path.dirname(sys.executable))
    found = shutil.which(name)
    if beside is None:
        program = [_short(sys.executable), "-m", _MODULES.get(name, name)]
    elif found is not None and os.path.samefile(found, beside):
        program = [name]
    else:
        program = [_short(beside)]
    return shlex.join([*program, *map(str, words)])


def of_main(module: str) -> tuple[str, ...]:
    """The words of a command that calls a module's ``main`` in a Python process of its own."""
    return sys.executable, "-c", f"{_START}; from {module} import main; main()"


def _short(path: str) -> str:
    """A program's path, relative to the working folder if that is shorter."""
    relative = os.path.relpath(path)
    if os.sep not in relative:
        relative = os.path.join(os.curdir, relative)  # otherwise a shell would search PATH
    return min(path, relative, key=len)
