"""What can be asked of AutoGAN, from the command line and from Python alike.

Each function takes a configuration and returns as objects what the command line prints. The work
is done in a worker process; nothing here imports TensorFlow.
"""

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from autogan.config import SearchConfig, TrainConfig, load_config, validated
from autogan.core.errors import ConfigError, SearchFailed
from autogan.core.files import read_arrays, write_bytes, write_yaml
from autogan.core.registry import suggestion
from autogan.data import DATASETS
from autogan.run.display import Display
from autogan.run.engine import CtrlC, Engine, LocalEngine
from autogan.run.folder import SearchFolder, TrialFolder, check_free, clear
from autogan.run.ledger import Ledger
from autogan.run.loop import SearchLoop, SearchResult
from autogan.run.plan import Plan, first_trial, plan_of
from autogan.run.resume import check_header, check_same, resumed_config
from autogan.run.warmstart import earlier_trials
from autogan.search import Evaluation, Trial

Checkpoint = Literal["best", "last"]


@dataclass(frozen=True)
class TrainResult:
    """What a training came to.

    Attributes:
        folder: with everything in it.
        objective: the label of the criterion that decides.
        trial: its evaluations, value and state.
    """

    folder: TrialFolder
    objective: str
    trial: Trial


def plan(
    config: SearchConfig | Mapping[str, Any] | None = None,
    *,
    resume: Path | str | None = None,
    overwrite: bool = False,
) -> Plan:
    """Check a search as `search` would, and say what it would do; creates nothing.

    Takes the arguments of `search`.

    Raises:
        ConfigError: if it cannot be run.
    """
    run = _search_config(config, resume)
    folder = SearchFolder(_run_dir(run))
    if resume is None:
        check_free(folder.root, folder.config, run, overwrite=overwrite)
    with _engine(None) as engine:
        return plan_of(run, engine.call("open", config=first_trial(run).as_dict()))


def run_search(
    config: SearchConfig | Mapping[str, Any] | None = None,
    *,
    resume: Path | str | None = None,
    overwrite: bool = False,
    display: Display | None = None,
    engine: Engine | None = None,
) -> SearchResult:
    """Search for the best hyperparameters.

    Args:
        config: of the search; with ``resume``, only the keys that change.
        resume: the folder of a search to go on with.
        overwrite: replace an earlier run in the folder.
        display: is told of progress; nobody if None.
        engine: runs the trials; one worker on this machine if None.

    Raises:
        ConfigError: if it cannot be run; nothing was created.
        Interrupted: after Ctrl-C; it can be resumed.
        SearchFailed: after three failed trials in a row.
    """
    run = _search_config(config, resume)
    folder = SearchFolder(_run_dir(run))
    display = display or Display()
    with _engine(engine) as workers:
        header = _claimed(
            run, first_trial(run), folder.root, folder.config, workers, display,
            resume=resume is not None, overwrite=overwrite,
        )  # fmt: skip
        ledger = Ledger(folder.ledger)
        check_header(ledger, header, display)
        write_yaml(folder.config, run.as_dict(), "Run this search again with: autogan search FILE")
        if not ledger.header:
            workers.call("declare", config=run.as_dict(), folder=str(folder.root))
            ledger.append("search", **header)
        return SearchLoop(run, folder, ledger, workers, display).run()


def train(
    config: TrainConfig | Mapping[str, Any],
    *,
    resume: bool = False,
    overwrite: bool = False,
    display: Display | None = None,
    engine: Engine | None = None,
) -> TrainResult:
    """Train one GAN, with one value for each hyperparameter.

    Args:
        config: of the training.
        resume: go on with an interrupted training of the same configuration in its folder.
        overwrite: replace an earlier run in the folder.
        display: is told of progress; nobody if None.
        engine: runs it; a worker on this machine if None.

    Raises:
        ConfigError: if it cannot be run; nothing was created.
        Interrupted: after Ctrl-C; it can be resumed.
        SearchFailed: if it failed.
    """
    run = (config if isinstance(config, TrainConfig) else validated(TrainConfig, config)).resolved()
    run.hyperparameters()
    root = _run_dir(run)
    folder = TrialFolder.of(root, run)
    if resume:
        check_same(folder.config, load_config(TrainConfig, folder.config), run)
    display = display or Display()
    with _engine(engine) as workers:
        header = _claimed(
            run, run, root, folder.config, workers, display, resume=resume, overwrite=overwrite
        )
        return TrainResult(folder, header["objective"], _train(run, folder, workers, display))


def evaluate(
    images: Path | str,
    *,
    reference: str | None = None,
    criteria: str | None = None,
    checkpoint: Checkpoint = "best",
    options: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Score a trained generator or a set of images by several criteria.

    Args:
        images: the folder of a search or training, a folder of images, or a dataset's name.
        reference: a dataset's name or a folder of images to compare with; by default what the
            generator was trained on.
        criteria: names, separated by commas; by default those of the training, or fid.
        checkpoint: which of the trained generators.
        options: further keys of the configuration, such as ``features``.

    Returns:
        The values by label.

    Raises:
        ConfigError: if it cannot be done.
    """
    values = dict(options or {})
    if criteria is not None:
        first, *more = [name for name in criteria.split(",") if name] or [criteria]
        values |= {"criterion": first, "also": more}
    source: dict[str, Any]
    trained = _trained(Path(images))
    if trained is not None:
        file: Path | None = trained / "config.yaml"
        training = load_config(TrainConfig, file).resolved().as_dict()
        source = {"training": training, "folder": str(trained), "checkpoint": checkpoint}
    else:
        file = None
        source = {"dataset": _dataset_or_folder(str(images), "images")}
        if reference is None:
            raise ConfigError("reference", "none given; name a dataset or a folder of images")
    if reference is not None:
        values |= {"dataset": _dataset_or_folder(reference, "reference")}
    run = load_config(TrainConfig, file, values).resolved()
    with _engine(None) as workers:
        return dict(workers.call("evaluate", config=run.as_dict(), **source))


def sample(
    folder: Path | str,
    *,
    count: int | None = None,
    classes: Sequence[int] | None = None,
    seed: int = 0,
    checkpoint: Checkpoint = "best",
    options: Mapping[str, Any] | None = None,
) -> npt.NDArray[np.uint8]:
    """Generate images with a trained generator.

    Args:
        folder: of a search (its best trial is used) or a training.
        count: how many; 64 if None, or 8 of each class if those are given.
        classes: to go round and round, where the GAN type makes images of given classes; if None,
            all as often as in the training set, in order.
        seed: of the latent vectors.
        checkpoint: which of the trained generators.
        options: keys of the configuration, such as ``device``.

    Returns:
        uint8 [count, height, width, channels].

    Raises:
        ConfigError: if there is no trained generator.
    """
    trained = _trained(Path(folder))
    if trained is None:
        raise ConfigError("folder", f"{folder} holds no search or training; train one first")
    values = {**(options or {}), "seed": seed}
    run = load_config(TrainConfig, trained / "config.yaml", values).resolved()
    with tempfile.TemporaryDirectory() as temporary, _engine(None) as workers:
        output = Path(temporary) / "images.npz"
        workers.call(
            "sample",
            config=run.as_dict(),
            folder=str(trained),
            checkpoint=checkpoint,
            count=count or (64 if classes is None else 8 * len(classes)),
            classes=classes if classes is None else list(classes),
            output=str(output),
        )
        images: npt.NDArray[np.uint8] = read_arrays(output)["images"]
        return images


def _search_config(
    config: SearchConfig | Mapping[str, Any] | None, resume: Path | str | None = None
) -> SearchConfig:
    """The resolved configuration of a new search, or of an earlier one in ``resume``."""
    if resume is not None:
        return resumed_config(Path(resume), config or {})
    run = config if isinstance(config, SearchConfig) else validated(SearchConfig, config or {})
    return run.resolved()


def _claimed(
    run: TrainConfig,
    trial: TrainConfig,
    root: Path,
    config_file: Path,
    workers: Engine,
    display: Display,
    *,
    resume: bool,
    overwrite: bool,
) -> dict[str, Any]:
    """Check all that can be checked, then make a run's folder ours; clear it if that is asked.

    Returns:
        What the run's values depend on: objective, features, data, environment.
    """

    def check() -> None:
        if not resume:
            check_free(root, config_file, run, overwrite=overwrite)

    check()
    display.note("checking the configuration")
    if config_file.exists():
        workers.call("claim", folder=str(root))  # in use? better known before the long checks
    facts = workers.call("open", config=trial.as_dict())
    display.note(f"preparing the features ({run.features})")
    prepared = workers.call("prepare", config=trial.as_dict())
    header = {**prepared, "data": facts["data"], "environment": facts["environment"]}
    if isinstance(run, SearchConfig):
        run.rule(facts["images"])
        begun = resume and Ledger(SearchFolder(root).ledger).header
        if run.warm_start is not None and not begun:
            earlier = earlier_trials(run.warm_start, run, header)
            display.note(f"learning from {run.warm_start}, number of trials: {len(earlier)}")
            header["earlier"] = [dataclasses.asdict(trial) for trial in earlier]
    workers.call("claim", folder=str(root))
    check()  # another command may have been here meanwhile
    if overwrite:
        clear(root, config_file)
    return header


def _run_dir(run: TrainConfig) -> Path:
    assert run.run_dir is not None
    return run.run_dir


def _train(run: TrainConfig, folder: TrialFolder, workers: Engine, display: Display) -> Trial:
    """Run one training to its end."""
    trial = Trial(0, run.hyperparameters(), run.seed)
    display.trial_started(trial, 1, None)
    config = run.model_copy(update={"run_dir": None}).as_dict()
    workers.start(0, run.max_trial_minutes, config=config, folder=str(folder.root))
    advice = f"go on with: autogan train {folder.config} --run-dir {folder.root} --resume"
    with CtrlC(workers, display, advice) as ctrl_c:
        while True:
            event = ctrl_c.next_event()
            if event is None:
                continue
            if event.kind == "progress":
                display.progress(**event.fields)
            elif event.kind == "evaluation":
                trial.evaluations.append(Evaluation(**event.fields))
                display.evaluated(trial)
                workers.answer(0, go_on=True)
            elif event.kind == "failed":
                write_bytes(folder.traceback, event.fields["traceback"].encode())
                raise SearchFailed(f"{event.fields['reason']} (see {folder.traceback})")
            elif event.fields["result"] is None:
                raise ctrl_c.interrupted()
            else:
                return Trial.from_dict(event.fields["result"])


def _trained(path: Path) -> Path | None:
    """The folder of the training that ``path`` means, if it means one."""
    if (path / "config.yaml").is_file():
        return path
    search_folder = SearchFolder(path)
    if not search_folder.config.is_file():
        return None
    if not search_folder.best.exists():
        raise ConfigError("folder", f"{path} is a search without a best trial yet")
    return search_folder.best


def _dataset_or_folder(name: str, field: str) -> str:
    """The name as a dataset's: a path to a folder becomes folder:PATH."""
    if Path(name).is_dir():
        return f"folder:{name}"
    if ":" not in name and name.replace("-", "_") not in DATASETS.names():
        raise ConfigError(
            field, f"{name} is neither a folder nor a dataset; {suggestion(name, DATASETS.names())}"
        )
    return name


@contextlib.contextmanager
def _engine(engine: Engine | None) -> Iterator[Engine]:
    """The given engine, or one that lives for the length of a command."""
    workers = engine or LocalEngine()
    try:
        yield workers
    finally:
        workers.close()
