"""Where things are on disk."""

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
"""The keys that say where a run and its parts lie."""

_TRIALS_RECORD = "trials.jsonl"
_SCORES = "scores.jsonl"
_RESULT = "result.json"
_NAME = ".name"  # of the run, for what lies outside its folder
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
        """The folder of the search's proxy, if it has one: a search of its own."""
        return SearchFolder(self.root / PROXY)

    @property
    def whole(self) -> Path:
        """The folder by which the search goes on: of a proxy, that of the search that it serves."""
        above = self.root.parent
        is_proxy = self.root.name == PROXY and look(above / SEARCH_CONFIG, "run_dir") == "file"
        return above if is_proxy else self.root

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.root / "report.html"

    def trial(self, name: str) -> Path:
        """The folder of a trial."""
        return self.root / TRIALS / name

    def logs(self, log_dir: Path | None) -> Path:
        """What to show in TensorBoard: the folder of all trials, without the link to the best."""
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
        checkpoints: of the full state while it runs, and of the best and last generators.
        samples: of the image grids.
        logs: of TensorBoard's event files.
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
        """Refuse to write where the folder was once: it would be in the way of its return.

        Raises:
            ConfigError: if it was moved or removed.
        """
        if not self.root.is_dir():
            raise ConfigError(
                "run_dir", f"{self.root} is gone; put it back to where it was, and resume"
            )

    @property
    def scores(self) -> Path:
        """The evaluations, one a line."""
        return self.root / _SCORES

    @property
    def result(self) -> Path:
        """What came of it."""
        return self.root / _RESULT

    def ended(self) -> Trial | None:
        """What came of the training by its own result; nothing without one that can be read."""
        try:
            trial = trial_of(json.loads(contents(self.result)))
        except (OSError, ValueError, RecursionError):
            return None
        return None if trial.state is State.RUNNING else trial

    def environment(self) -> dict[str, Any]:
        """What the ended training was made with; empty without a result that can be read."""
        try:
            values = sound(json.loads(contents(self.result)))
            return dict(values["environment"])
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return {}

    @property
    def report(self) -> Path:
        """The page to look at, if it was asked for."""
        return self.root / "report.html"

    @property
    def traceback(self) -> Path:
        """Why it failed."""
        return self.root / "traceback.txt"

    @property
    def state(self) -> Path:
        """All that an interrupted training goes on from."""
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
        """Tells TensorBoard that the training has failed.

        Its name sorts after those of other event files: TensorBoard may be reading one of them.
        """
        return self.logs / "events.out.tfevents.status"

    @property
    def failed_status(self) -> Path:
        """What `status` becomes when the training fails, ready for whoever notices it."""
        return self.logs / ".failed"

    def sample(self, step: int) -> Path:
        """The grid of images made after ``step`` updates."""
        return self.samples / f"step-{step:06d}.png"


def moved(root: Path, base: Path | None) -> Path:
    """Where a part of a run goes: into ``root``, or below the folder that the user gave for it.

    There it is named after the run: runs/a becomes base/a, and its trial runs/a/trials/0001 becomes
    base/a/0001.
    """
    if base is None:
        return root
    root = Path(os.path.realpath(root))
    if root.parent.name == TRIALS:
        return base / _recorded_name(root.parent.parent) / root.name
    return base / _recorded_name(root)


def record_name(root: Path, config_file: Path, config: TrainConfig) -> None:
    """Keep the name by which a run's parts are found outside its folder, should that be renamed.

    Args:
        root: the run's folder.
        config_file: of an earlier command in it, if there is one: it names the folder of then.
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
    """The name that a run had when it began, if it was recorded and is one."""
    try:
        name = contents(root / _NAME)[:_MAX_NAME].decode()
    except (OSError, UnicodeDecodeError):
        return root.name
    return name if name == os.path.basename(name) and name not in ("", ".", "..") else root.name


def records(root: Path) -> list[Path]:
    """The files that change when there is news of the search or training in a folder."""
    return [root / name for name in (_TRIALS_RECORD, _SCORES, _RESULT)]


def feature_weights(run: Path) -> Path:
    """The weights of the feature network that was trained for the run in a folder."""
    return run / "features.npz"


def real_images(run: Path) -> Path:
    """A grid of images that the run in a folder learns from."""
    return run / "real.png"


def first_stage(run: Path) -> Path:
    """The copy of the training whose images the run in a folder enlarges."""
    return run / "stage1"


def training_in(path: Path, field: str) -> Path | None:
    """The folder of the training that a path means, a search's best one, if it means one.

    Raises:
        ConfigError: naming the field, if it is a search without a best trial.
    """
    real = Path(os.path.realpath(path))  # which is none of this name if it is the link
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
    """The folder of the training that a path means; see `training_in`.

    Raises:
        ConfigError: naming the field, if it means none.
    """
    trained = training_in(path, field)
    if trained is None:
        raise ConfigError(field, f"{path} holds no search or training; train one first")
    return trained


def best_trial(search: SearchFolder) -> Path | None:
    """The folder of a search's best trial: what the link leads to, or else what best.yaml says.

    A copy of a run may have lost its links: they are missing, or copies of folders, or text files.
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
    """What tells a trial's configuration from the other trials' ones; None without a file."""
    if look(config, "run") != "file":
        return None
    values = read_yaml(config)
    return {name: values.get(name) for name in ("params", "seed")}


def keep_best(search: SearchFolder, name: str) -> str:
    """Let the link ``best`` lead to a trial.

    It is a convenience: where there can be no link, or something of the user's own has its place,
    the search goes on.

    Args:
        search: whose link it is.
        name: of the trial's folder.

    Returns:
        What the user should know; empty if all is well.
    """
    best = search.best
    if not os.path.islink(best) and look(best, "run"):
        if not _replaceable(search):
            return f"{best} is no link to the best trial, and stays as it is; that is {name}"
        if best.is_dir():
            shutil.rmtree(best)
    try:
        link(best, str(search.trial(name).relative_to(search.root)))
    except StorageError as error:
        return f"{error}; the best trial is {name}"
    return ""


def _replaceable(search: SearchFolder) -> bool:
    """Whether ``best`` is what a copy of the run made of the link, and nothing more."""
    best = search.best
    if best.is_file():  # a link as text
        return best.read_bytes()[:_MAX_NAME].startswith(f"{TRIALS}/".encode())
    wanted = _identity(best / "config.yaml")
    for trial in search.root.glob(f"{TRIALS}/*"):
        if wanted is not None and _identity(trial / "config.yaml") == wanted:
            return all((trial / p.relative_to(best)).exists() for p in best.rglob("*"))
    return False


def run_of(root: Path) -> Path:
    """The run's folder that a training belongs to: of its search, or its own."""
    root = Path(os.path.realpath(root))
    if root.name == BEST and look(root.parent / SEARCH_CONFIG, "run_dir"):
        return root.parent  # a copy of the run, in which the link has become a folder
    searched = root.parent.name == TRIALS and bool(
        look(root.parent.parent / SEARCH_CONFIG, "run_dir")
    )
    return root.parent.parent if searched else root
