"""How a run begins: its folder is claimed, everything is checked, the features are made ready.

Nothing is changed in the folder until then; afterwards workers may join.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.core.registry import suggestion
from autogan.core.text import read_path
from autogan.data import DATASETS
from autogan.pool.crew import engine_of
from autogan.pool.messages import Join, Open, Opened, Prepare, Prepared, Time, Timed
from autogan.pool.pool import Engine
from autogan.record.claim import Claim, beside_search, check_free, clear
from autogan.record.folder import record_name, run_of
from autogan.run.plan import first_trial
from autogan.show.display import Display

R = TypeVar("R", bound=TrainConfig)


class Opening(Generic[R]):
    """A run on its way to its first training: its folder is ours, and nothing in it is changed yet.

    Args:
        config: of the run, resolved.
        root: the run's folder.
        file: the configuration in it.
        claim: on the folder.
        workers: they hold it too, once they have joined.
        display: shows the notes.
        resume: whether an earlier run goes on.
        overwrite: whether an earlier run is replaced.

    Attributes:
        config: with the compiler that `check` found faster, where it was left open.
        root: the run's folder.
        opened: what `check` found of the data.
        prepared: what `check` found of the features.
    """

    opened: Opened
    prepared: Prepared

    def __init__(
        self,
        config: R,
        root: Path,
        file: Path,
        claim: Claim,
        workers: Engine,
        display: Display,
        *,
        resume: bool,
        overwrite: bool,
    ) -> None:
        self.config = config
        self.claim = claim
        self.workers = workers
        self._trial = first_trial(config) if isinstance(config, SearchConfig) else config
        self.root, self._file = root, file
        self._display = display
        self._resume, self._overwrite = resume, overwrite

    @property
    def header(self) -> dict[str, Any]:
        """What a search's values depend on beside its configuration, for its record."""
        opened = self.opened
        data = {"images": opened.images, "classes": opened.classes, "digest": opened.digest}
        if opened.attributes:
            data["attributes"] = opened.attributes
        return {**self.prepared.model_dump(), "data": data, "environment": opened.environment}

    def check(self) -> None:
        """Check all that can be checked, and have the features ready.

        The features that a run keeps are taken where it goes on, and only there.

        Raises:
            ConfigError: if the run cannot begin.
        """
        run, note = self.config, self._display.note
        note("checking the configuration")
        for line in run.useless():
            note(line)
        trial, folder = self._trial.as_dict(), str(run_of(self.root)) if self._resume else ""
        depth = run.most_depth
        opening = Open(config=trial, folder=folder, conditions=run.conditions, depth=depth)
        self.opened = self.workers.call(opening, Opened, note)
        note(f"preparing the features ({run.features})")
        self.prepared = self.workers.call(Prepare(config=trial, folder=folder), Prepared, note)
        self.config = _with_compiler(run, self._trial, self.workers, self._display)

    def begin(self) -> None:
        """Make the folder this run's, in the place of an earlier one if that was asked for."""
        self.claim.begin()
        if self._overwrite:
            clear(self.root, self._file)
        record_name(self.root, self._file, self.config)

    def join(self) -> None:
        """Let the workers join the run."""
        call = Join(
            config=self._trial.as_dict(),
            root=str(self.root.absolute()),
            token=self.claim.token,
            run=str(run_of(self.root)),
            features=self.prepared.features,
            digest=self.opened.digest,
        )
        self.workers.join(call, self._display.note)


@contextlib.contextmanager
def opening(
    run: R,
    root: Path,
    file: Path,
    display: Display,
    engine: Engine | None = None,
    *,
    resume: bool,
    overwrite: bool,
) -> Iterator[Opening[R]]:
    """Claim a run's folder for as long as we and our workers live.

    Args:
        run: its configuration, resolved.
        root: its folder.
        file: of its configuration, in the folder.
        display: shows the notes.
        engine: works; what the configuration asks for if None.
        resume: whether an earlier run goes on.
        overwrite: whether an earlier run is replaced.

    Raises:
        ConfigError: if the folder is not free.
    """
    if not resume:
        check_free(root, file, run, overwrite=overwrite)
    claim = Claim(root)
    try:
        if claim.note:
            display.note(claim.note)
        with beside_search(root), engine_of(run, engine) as workers:
            if not resume:  # another command may have been here meanwhile
                check_free(root, file, run, overwrite=overwrite)
            yield Opening(
                run, root, file, claim, workers, display, resume=resume, overwrite=overwrite
            )
    finally:
        claim.release()


def _with_compiler(run: R, trial: TrainConfig, workers: Engine, display: Display) -> R:
    """A configuration that says by which compiler steps are faster, where it was left open.

    Args:
        run: of a search or training.
        trial: a training of it, whose steps are timed.
        workers: one of them times.
        display: shows the notes.
    """
    if run.compiler != "auto":
        return run
    seconds = {}
    for compiler in ("graph", "xla") if run.gan.xla else ("graph",):
        timed = trial.model_copy(update={"compiler": compiler})
        seconds[compiler] = workers.call(
            Time(config=timed.as_dict(), evaluate=False), Timed, display.note
        ).step
    fastest = min(seconds, key=lambda compiler: seconds[compiler])
    told = ", ".join(f"{name} {1e3 * each:.3g} ms" for name, each in seconds.items())
    display.note(f"compiler {fastest}: a step takes {told}")
    return run.model_copy(update={"compiler": fastest})


def dataset_or_folder(name: str, field: str) -> str:
    """The name as a dataset's: a path to a folder becomes folder:PATH, to a file file:PATH.

    Raises:
        ConfigError: naming the field, if it is neither.
    """
    kind, known = look(read_path(field, name), field), name.replace("-", "_") in DATASETS.names()
    if kind == "folder" or (kind == "file" and not known):
        return f"{kind}:{name}"
    if ":" not in name and not known:
        raise ConfigError(
            field, f"{name} is no folder, file or dataset; {suggestion(name, DATASETS.names())}"
        )
    return name
