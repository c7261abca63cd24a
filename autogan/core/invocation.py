"""Commands that the user is told to run, as they can be pasted into a shell."""

import os
import shlex
import shutil
import sys

_MODULES = {"tensorboard": "tensorboard.main"}  # where a program's module has another name


def command(name: str, *words: object) -> str:
    """A command line that runs a program of this environment from the working folder.

    The program is called by its name where the shell would find this very one, else by its path,
    as ``.venv/bin/autogan``; where the environment has no such script, by ``python -m``.

    Args:
        name: of the program: ``autogan``, ``tensorboard`` or ``pip``.
        words: what follows; quoted where a shell would read them otherwise.
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


def _short(path: str) -> str:
    """A program's path, relative to the working folder where that is shorter."""
    relative = os.path.relpath(path)
    if os.sep not in relative:
        relative = os.path.join(os.curdir, relative)  # or a shell would look for it on the path
    return min(path, relative, key=len)
