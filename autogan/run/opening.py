"""The start of a run: claim its folder, check everything, prepare the features.

Until then nothing in the folder changes; afterwards workers may join.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import look, unused
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
    """A run before its first training: its folder is claimed but unchanged.

    Args:
        config: of the run, resolved.
        root: the run's folder.
        file: the configuration in it.
        claim: on the folder.
        workers: share the claim once they have joined.
        display: shows the notes.
        resume: whether an earlier run is resumed.
        overwrite: whether an earlier run is replaced.

    Attributes:
        config: with the faster compiler, if `check` had to choose it.
        root: the run's folder.
        opened: the facts about the data, from `check`.
        prepared: the facts about the features, from `check`.
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
        """All that a search's values depend on besides its configuration, for its record."""
        opened = self.opened
        data = {"images": opened.images, "classes": opened.classes, "digest": opened.digest}
        if opened.attributes:
            data["attributes"] = opened.attributes
        return {**self.prepared.model_dump(), "data": data, "environment": opened.environment}

    def check(self) -> None:
        """Check all that can be checked, and prepare the features.

        Only a resumed run uses the features that its folder keeps.

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
        """Make the folder this run's; replace an earlier run if asked to."""
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
    """Claim a run's folder for as long as this process and its workers live.

    Args:
        run: its configuration, resolved.
        root: its folder.
        file: the file of its configuration, in the folder.
        display: shows the notes.
        engine: runs the trainings; if None, workers according to the configuration.
        resume: whether an earlier run is resumed.
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
            if not resume:  # another command may have begun a run here since
                check_free(root, file, run, overwrite=overwrite)
            yield Opening(
                run, root, file, claim, workers, display, resume=resume, overwrite=overwrite
            )
    finally:
        claim.release()


def in_free_folder(run: R, note: Callable[[str], None]) -> R:
    """The configuration with the first of NAME, NAME-2, NAME-3, ... that is free as its folder.

    Args:
        run: resolved; its folder is the default one.
        note: reports another name.

    Raises:
        ConfigError: if the folder cannot be looked up.
    """
    assert run.run_dir is not None
    free = unused(run.run_dir, "run_dir", folder=True)
    if free == run.run_dir:
        return run
    note(f"{run.run_dir} exists: this run goes to {free}")
    return run.model_copy(update={"run_dir": free})


def _with_compiler(run: R, trial: TrainConfig, workers: Engine, display: Display) -> R:
    """The configuration with the faster compiler in place of ``auto``.

    Args:
        run: of a search or training.
        trial: a training of it, whose steps are timed.
        workers: one of them measures.
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
    times = ", ".join(f"{1e3 * each:.3g} ms with {name}" for name, each in seconds.items())
    display.note(f"compiler {fastest}: a step takes {times}")
    return run.model_copy(update={"compiler": fastest})


def dataset_or_folder(name: str, field: str) -> str:
    """The name of a dataset; paths become folder:PATH or file:PATH.

    Raises:
        ConfigError: naming the field, if the name is neither a path nor a dataset, or both; or if
            it is the file of a configuration.
    """
    kind, known = look(read_path(field, name), field), name.replace("-", "_") in DATASETS.names()
    if kind == "folder" and known:
        raise ConfigError(
            field,
            f"{name} is both a dataset and a folder here; write ./{name} for the folder, or "
            "rename it to use the dataset",
        )
    if kind == "folder" or (kind == "file" and not known):
        if kind == "file" and name.endswith((".yaml", ".yml")):
            raise ConfigError(field, f"{name} is a configuration; name the folder of its run")
        return f"{kind}:{name}"
    if ":" not in name and not known:
        raise ConfigError(
            field, f"{name} is not a folder, file or dataset; {suggestion(name, DATASETS.names())}"
        )
    return name
