"""The folders and files of runs and trials."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.config import PROXY, TrainConfig, read_yaml
from autogan.core.errors import ConfigError, StorageError
from autogan.core.files import contents, link, look, write_bytes, write_yaml
from autogan.core.hyperparameters import Value
from autogan.record.lines import sound, trial_of
from autogan.search import State, Trial

SEARCH_CONFIG = "search.yaml"
TRIALS = "trials"
BEST = "best"
PLACES = ("run_dir", "checkpoint_dir", "result_dir", "log_dir")
"""The keys that name the folders of a run and its parts."""

_TRIALS_RECORD = "trials.jsonl"
_SCORES = "scores.jsonl"
_RESULT = "result.json"
_NAME = ".name"  # holds the run's name, for its parts outside its folder
_MAX_NAME = 120  # of a trial's folder; file systems allow 255, Windows 260 for a whole path


@dataclass(frozen=True)
class SearchFolder:
    """The folder of a search."""

    root: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.root / SEARCH_CONFIG

    @property
    def ledger(self) -> Path:
        """The record of all trials."""
        return self.root / _TRIALS_RECORD

    @property
    def best_config(self) -> Path:
        """The best trial's configuration."""
        return self.root / "best.yaml"

    @property
    def best(self) -> Path:
        """A link to the best trial's folder."""
        return self.root / BEST

    @property
    def proxy(self) -> "SearchFolder":
        """The folder of the search's proxy, if it has one: itself a search."""
        return SearchFolder(self.root / PROXY)

    @property
    def whole(self) -> Path:
        """The folder to resume: of a proxy, the folder of the search that it serves."""
        above = self.root.parent
        is_proxy = self.root.name == PROXY and look(above / SEARCH_CONFIG, "run_dir") == "file"
        return above if is_proxy else self.root

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.root / "report.html"

    def trial(self, name: str) -> Path:
        """The folder of a trial."""
        return self.root / TRIALS / name

    def logs(self, log_dir: Path | None) -> Path:
        """The folder for TensorBoard: that of all trials, without the link to the best."""
        return self.root / TRIALS if log_dir is None else moved(self.root, log_dir)


def trial_name(number: int, params: Mapping[str, Value]) -> str:
    """Such as ``0006-learning_rate=0.002-d_iter=9``."""
    values = (f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in params.items())
    return "-".join([f"{number:04d}", *values])[:_MAX_NAME]


@dataclass(frozen=True)
class TrialFolder:
    """The folder of one training, parts of which the user may have moved elsewhere.

    Attributes:
        root: of the training.
        checkpoints: for the full state while it runs, and the best and last generators.
        samples: for the image grids.
        logs: for TensorBoard's event files.
    """

    root: Path
    checkpoints: Path
    samples: Path
    logs: Path

    @classmethod
    def of(cls, root: Path, config: TrainConfig) -> "TrialFolder":
        """The folders of a training in ``root``."""
        return cls(
            root,
            moved(root, config.checkpoint_dir) / "checkpoints",
            moved(root, config.result_dir) / "samples",
            moved(root, config.log_dir),
        )

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.root / "config.yaml"

    def keep_config(self, config: TrainConfig) -> None:
        """Write the configuration."""
        write_yaml(self.config, config.as_dict(), "Train this again with: autogan train FILE")

    def check_there(self) -> None:
        """Refuse to write if the folder was moved: a new one would block its return.

        Raises:
            ConfigError: if it was moved or removed.
        """
        if not self.root.is_dir():
            raise ConfigError("run_dir", f"{self.root} is gone; move it back, and resume")

    @property
    def scores(self) -> Path:
        """The evaluations, one per line."""
        return self.root / _SCORES

    @property
    def result(self) -> Path:
        """The training's outcome."""
        return self.root / _RESULT

    def ended(self) -> Trial | None:
        """The outcome in the training's result file; None if it is absent or unreadable."""
        try:
            trial = trial_of(json.loads(contents(self.result)))
        except (OSError, ValueError, RecursionError):
            return None
        return None if trial.state is State.RUNNING else trial

    def environment(self) -> dict[str, Any]:
        """The environment of the ended training; empty if there is no readable result."""
        try:
            values = sound(json.loads(contents(self.result)))
            return dict(values["environment"])
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return {}

    @property
    def report(self) -> Path:
        """The page, if one was requested."""
        return self.root / "report.html"

    @property
    def traceback(self) -> Path:
        """The traceback of a failure."""
        return self.root / "traceback.txt"

    @property
    def state(self) -> Path:
        """The full state, from which an interrupted training goes on."""
        return self.checkpoints / "state.npz"

    @property
    def best(self) -> Path:
        """The generator at the best evaluation."""
        return self.checkpoints / "best.npz"

    @property
    def last(self) -> Path:
        """The generator at the last evaluation."""
        return self.checkpoints / "last.npz"

    @property
    def status(self) -> Path:
        """An event file that shows in TensorBoard that the training has failed.

        Its name sorts after other event files, because TensorBoard may be reading one of them.
        """
        return self.logs / "events.out.tfevents.status"

    @property
    def failed_status(self) -> Path:
        """The prepared file that becomes `status` once a process notices the failure."""
        return self.logs / ".failed"

    def sample(self, step: int) -> Path:
        """The grid of images generated after ``step`` steps."""
        return self.samples / f"step-{step:06d}.png"


def moved(root: Path, base: Path | None) -> Path:
    """The folder of a run's part: ``root``, or one below the folder that the user chose for it.

    Below ``base`` it is named after the run: runs/a becomes base/a, and its trial
    runs/a/trials/0001 becomes base/a/0001.
    """
    if base is None:
        return root
    root = Path(os.path.realpath(root))
    if root.parent.name == TRIALS:
        return base / _recorded_name(root.parent.parent) / root.name
    return base / _recorded_name(root)


def record_name(root: Path, config_file: Path, config: TrainConfig) -> None:
    """Record the run's name, so that its parts outside its folder are found after a renaming.

    Args:
        root: the run's folder.
        config_file: of an earlier command in it, if there is one; it has the folder's old name.
        config: of the run.
    """
    elsewhere = config.checkpoint_dir or config.result_dir or config.log_dir
    if not elsewhere or run_of(root) != Path(os.path.realpath(root)):
        return
    if look(root / _NAME, "run_dir"):
        return
    before = read_yaml(config_file).get("run_dir") if look(config_file, "run_dir") else None
    write_bytes(root / _NAME, Path(str(before or os.path.realpath(root))).name.encode())


def _recorded_name(root: Path) -> str:
    """The recorded name that a run had when it began; its present name if there is none."""
    try:
        name = contents(root / _NAME)[:_MAX_NAME].decode()
    except (OSError, UnicodeDecodeError):
        return root.name
    return name if name == os.path.basename(name) and name not in ("", ".", "..") else root.name


def records(root: Path) -> list[Path]:
    """The files that change when there is news of the search or training in a folder."""
    return [root / name for name in (_TRIALS_RECORD, _SCORES, _RESULT)]


def feature_weights(run: Path) -> Path:
    """The file with the weights of the feature network trained for a run."""
    return run / "features.npz"


def real_images(run: Path) -> Path:
    """The grid of images that a run learns from."""
    return run / "real.png"


def first_stage(run: Path) -> Path:
    """The folder with the copy of the training whose images a run enlarges."""
    return run / "stage1"


def training_in(path: Path, field: str) -> Path | None:
    """The folder of the training at a path, or of a search's best trial; None if neither.

    Raises:
        ConfigError: naming the field, if the path is a search without a best trial.
    """
    real = Path(os.path.realpath(path))  # the link ``best`` itself resolves to another name
    if real.name == BEST and look(real.parent / SEARCH_CONFIG, field) == "file":
        return best_trial(SearchFolder(real.parent))
    if look(path / "config.yaml", field) == "file":
        return path
    if look(SearchFolder(path).config, field) != "file":
        return None
    best = best_trial(SearchFolder(path))
    if best is None:
        raise ConfigError(field, f"{path} is a search without a best trial; name one of its trials")
    return best


def existing_training(path: Path, field: str) -> Path:
    """The folder of the training at a path; see `training_in`.

    Raises:
        ConfigError: naming the field, if there is no training.
    """
    trained = training_in(path, field)
    if trained is None:
        raise ConfigError(field, f"{path} holds no search or training; train one first")
    return trained


def best_trial(search: SearchFolder) -> Path | None:
    """The folder of a search's best trial, by the link or else by best.yaml.

    A copy of a run may have lost its links: they may be missing, folders, or text files.
    """
    if os.path.islink(search.best) and look(search.best / "config.yaml", "run") == "file":
        return search.best
    wanted = _identity(search.best_config)
    if wanted is not None:
        for config in sorted(search.root.glob(f"{TRIALS}/*/config.yaml")):
            if _identity(config) == wanted:
                return config.parent
    return search.best if look(search.best / "config.yaml", "run") == "file" else None


def _identity(config: Path) -> dict[str, Any] | None:
    """The keys that distinguish a trial's configuration from others; None without a file."""
    if look(config, "run") != "file":
        return None
    values = read_yaml(config)
    return {name: values.get(name) for name in ("params", "seed")}


def keep_best(search: SearchFolder, name: str) -> str:
    """Make the link ``best`` lead to a trial.

    The link is a convenience: if it cannot be created, or a file of the user has that name, the
    search goes on.

    Args:
        search: that has the link.
        name: of the trial's folder.

    Returns:
        A warning for the user; empty if all is well.
    """
    best = search.best
    if not os.path.islink(best) and look(best, "run"):
        if not _replaceable(search):
            return f"{best} is not a link and stays as it is; the best trial is {name}"
        if best.is_dir():
            shutil.rmtree(best)
    try:
        link(best, str(search.trial(name).relative_to(search.root)))
    except StorageError as error:
        return f"{error}; the best trial is {name}"
    return ""


def _replaceable(search: SearchFolder) -> bool:
    """Whether ``best`` is only a copy of the link, left by copying the run."""
    best = search.best
    if best.is_file():  # a link as text
        return best.read_bytes()[:_MAX_NAME].startswith(f"{TRIALS}/".encode())
    wanted = _identity(best / "config.yaml")
    for trial in search.root.glob(f"{TRIALS}/*"):
        if wanted is not None and _identity(trial / "config.yaml") == wanted:
            return all((trial / p.relative_to(best)).exists() for p in best.rglob("*"))
    return False


def run_of(root: Path) -> Path:
    """The folder of the run that a training belongs to: its search's, or its own."""
    root = Path(os.path.realpath(root))
    if root.name == BEST and look(root.parent / SEARCH_CONFIG, "run_dir"):
        return root.parent  # in a copy of the run, where the link has become a folder
    searched = root.parent.name == TRIALS and bool(
        look(root.parent.parent / SEARCH_CONFIG, "run_dir")
    )
    return root.parent.parent if searched else root
