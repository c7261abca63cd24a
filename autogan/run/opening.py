"""How a run begins: everything is checked, the features are made ready, and workers may join."""

from pathlib import Path
from typing import Any, TypeVar

from autogan.config import TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.core.registry import suggestion
from autogan.core.text import read_path
from autogan.data import DATASETS
from autogan.run.claim import Claim
from autogan.run.display import Display
from autogan.run.engine import Engine
from autogan.run.folder import run_of
from autogan.run.messages import Join, Open, Opened, Prepare, Prepared, Time, Timed

R = TypeVar("R", bound=TrainConfig)


def opened_and_prepared(
    run: TrainConfig, trial: TrainConfig, kept: Path | None, workers: Engine, display: Display
) -> tuple[Opened, Prepared]:
    """Check all that can be checked, and have the features ready.

    Those that a run keeps are taken where one is gone on with, never where one is replaced.
    """
    display.note("checking the configuration")
    for line in run.useless():
        display.note(line)
    folder = "" if kept is None else str(kept)
    opening = Open(
        config=trial.as_dict(), folder=folder, conditions=run.conditions, depth=run.most_depth
    )
    opened = workers.call(opening, Opened, display.note)
    display.note(f"preparing the features ({run.features})")
    call = Prepare(config=trial.as_dict(), folder=folder)
    return opened, workers.call(call, Prepared, display.note)


def with_compiler(run: R, trial: TrainConfig, workers: Engine, display: Display) -> R:
    """A configuration that says by which compiler steps are faster, where it was left open.

    Args:
        run: of a search or training.
        trial: a training of it, whose steps are timed.
        workers: one of them times.
        display: is told.
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


def joining(
    trial: TrainConfig, root: Path, claim: Claim, opened: Opened, prepared: Prepared
) -> Join:
    """How workers join the run in a folder."""
    return Join(
        config=trial.as_dict(),
        root=str(root.absolute()),
        token=claim.token,
        run=str(run_of(root)),
        features=prepared.features,
        digest=opened.digest,
    )


def header_of(opened: Opened, prepared: Prepared) -> dict[str, Any]:
    """What a search's values depend on beside its configuration, for its record."""
    data = {"images": opened.images, "classes": opened.classes, "digest": opened.digest}
    return {**prepared.model_dump(), "data": data, "environment": opened.environment}


def dataset_or_folder(name: str, field: str) -> str:
    """The name as a dataset's: a path to a folder becomes folder:PATH.

    Raises:
        ConfigError: naming the field, if it is neither.
    """
    if look(read_path(field, name), field) == "folder":
        return f"folder:{name}"
    if ":" not in name and name.replace("-", "_") not in DATASETS.names():
        raise ConfigError(
            field, f"{name} is neither a folder nor a dataset; {suggestion(name, DATASETS.names())}"
        )
    return name
