"""The configuration of a training."""

import math
import os
import sys
from collections.abc import Mapping
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from autogan.config.grammar import check_normalise, named, settings_of
from autogan.config.keys import key
from autogan.config.scoring import ScoringKeys
from autogan.config.spaces import useless
from autogan.core.errors import ConfigError
from autogan.core.files import look
from autogan.core.hyperparameters import Dimension, Value
from autogan.core.machine import cores
from autogan.core.text import dataset_path, read_path, short_name
from autogan.criteria.networks.weights import KNOWN_FEATURES, best_at_hand
from autogan.data import Dataset, dataset_named
from autogan.models import GAN_TYPES, GANType
from autogan.trackers import TRACKERS

DEFAULT_STEPS = 2000
EVALUATIONS = 10
_MAX_THREADS = 1024
_PATHS = (
    "data_dir", "labels", "reference_statistics", "run_dir", "checkpoint_dir", "result_dir",
    "log_dir", "warm_start", "stage1",
)  # fmt: skip


class TrainConfig(ScoringKeys):
    """The configuration of a training: the keys of a YAML file and, with dashes, the flags."""

    gan_type: Annotated[
        str, key("training", "GAN type; see: autogan list gan-types", common=True)
    ] = "gan"
    params: Annotated[
        dict[str, Any],  # checked by the GAN type's declarations
        key("training", "hyperparameter: NAME=VALUE; see: autogan list GAN-TYPE", common=True),
    ] = {}  # noqa: RUF012 (pydantic copies it)
    stage1: Annotated[
        Path | None,
        key("training",
            "enlarge the images of this finished training or search two or four times, instead of"
            " starting from noise"),
    ] = None  # fmt: skip
    steps: Annotated[
        int | None, key("training", "generator updates per training [2000]", common=True, ge=1)
    ] = None
    epochs: Annotated[
        int | None,
        key(
            "training",
            "length in epochs instead of steps; an epoch has dataset size / batch_size steps",
            ge=1,
        ),
    ] = None
    evaluate_every: Annotated[
        int | None,
        key("training", "steps between evaluations [a tenth of the training]", common=True, ge=1),
    ] = None
    seed: Annotated[
        int, key("training", "seed of all random numbers", common=True, ge=0, lt=2**31)
    ] = 0
    device: Annotated[
        str, key("training", "auto, cpu, gpu or gpu:N", pattern=r"^(auto|cpu|gpu(:\d+)?)$")
    ] = "auto"
    threads: Annotated[
        int | None,
        key("training", "CPU threads; results depend on their number [all cores]", common=True,
            ge=1, le=_MAX_THREADS),
    ] = None  # fmt: skip
    compiler: Annotated[
        Literal["graph", "xla", "auto"],
        key("training",
            "compiler of the training step: graph; xla (starts slowly, faster for large "
            "networks); auto (times both and keeps the faster). Results depend on it"),
    ] = "graph"  # fmt: skip
    precision: Annotated[
        Literal["float32", "bfloat16"],
        key("training",
            "arithmetic of the networks; weights, losses and images stay float32. bfloat16 needs "
            "a GPU that supports it"),
    ] = "float32"  # fmt: skip
    max_trial_minutes: Annotated[
        float | None,
        key(
            "training",
            "end a training after this many minutes, and keep its best value so far",
            gt=0,
            allow_inf_nan=False,
        ),
    ] = None
    checkpoint_minutes: Annotated[
        float,
        key("output", "save a running training at least this often", gt=0, allow_inf_nan=False),
    ] = 10.0
    run_dir: Annotated[
        Path | None,
        key("output",
            "output folder; an earlier run in it is kept, unless --overwrite "
            "[runs/GAN_TYPE-DATASET or the next free name; train: runs/train-...]", common=True),
    ] = None  # fmt: skip
    checkpoint_dir: Annotated[
        Path | None, key("output", "folder for checkpoints [below the run]")
    ] = None
    result_dir: Annotated[
        Path | None, key("output", "folder for generated images [below the run]")
    ] = None
    log_dir: Annotated[
        Path | None, key("output", "folder for TensorBoard's files [below the run]")
    ] = None
    log_to: Annotated[
        list[str] | None,
        key("output", "log to these trackers, too: mlflow, wandb, trackio (each an extra)",
            exclude=True),  # files do not keep it, and workers do not need it
    ] = None  # fmt: skip
    plugin_dirs: Annotated[
        list[Path] | None,
        key("training", "folders whose modules may run, for parts named package.module:Name"),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _plugins(cls, values: Any) -> Any:
        given = values.get("plugin_dirs") if isinstance(values, Mapping) else None
        if given is None:
            return values
        given = [given] if isinstance(given, Path) else given
        texts = given.split(",") if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(t, str | Path) for t in texts):
            raise ConfigError(
                "plugin_dirs", f"{given!r} is not a list of folders; give [PATH, ...]"
            )
        folders = [os.path.realpath(read_path("plugin_dirs", str(text))) for text in texts]
        for folder in folders:
            if look(folder, "plugin_dirs") != "folder":
                raise ConfigError(
                    "plugin_dirs", f"{folder}: there is no such folder; give that of your modules"
                )
        sys.path.extend(folder for folder in folders if folder not in sys.path)
        return {**values, "plugin_dirs": folders}

    @field_validator("gan_type")
    @classmethod
    def _known_gan_type(cls, name: str) -> str:
        return GAN_TYPES.key(name)

    @field_validator("log_to", mode="before")
    @classmethod
    def _split_trackers(cls, names: Any) -> Any:
        return names.split(",") if isinstance(names, str) else names

    @field_validator("log_to")
    @classmethod
    def _known_trackers(cls, names: list[str] | None) -> list[str] | None:
        if any(":" in name for name in names or ()) and os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())  # files cannot name trackers, so the user did
        known = [TRACKERS.key(name) for name in names or ()]
        for name in known:
            if known.count(name) > 1:
                raise ConfigError("log_to", f"{name!r} is named twice; name it once")
            TRACKERS.get(name).check_installed()
        return known or None

    @field_validator(*_PATHS, mode="before", check_fields=False)
    @classmethod
    def _usable_path(cls, path: Any, info: ValidationInfo) -> Any:
        usable = isinstance(path, str | Path)
        return read_path(str(info.field_name), str(path)) if usable else path

    @model_validator(mode="after")
    def _consistent(self) -> "TrainConfig":
        if self.steps is not None and self.epochs is not None:
            raise ConfigError(
                "epochs",
                f"{self.epochs} cannot be combined with steps {self.steps}; give one of them",
            )
        dataset_named(self.dataset, self.data_dir)
        settings_of(self.gan, self.params)
        self._check_first_stage()
        self._check_compiler()
        self._check_possible()
        if self.normalise is not None:
            check_normalise(self.normalise, self.criterion, self.deciding(), self.is_search)
        if self.constraint is not None and self.objective.chooses is None:
            raise ConfigError(
                "constraint", f"{self.constraint}, but with criterion none the last generator is "
                "kept; give a criterion, such as fid",
            )  # fmt: skip
        self.check_labels_differ()
        return self

    def _check_first_stage(self) -> None:
        """Refuse keys that a second stage takes from the first, and types without second stage."""
        if self.stage1 is None:
            return
        if "stage1" not in signature(self.gan.build).parameters:
            raise ConfigError(
                "stage1",
                f"{self.stage1}, but {self.gan_type} makes images only from noise; leave it out",
            )
        default = self.gan.defaults().get("z_dim")  # a trial's file holds it
        if self.params.get("z_dim", default) != default:
            raise ConfigError(
                "z_dim",
                f"{self.params['z_dim']} cannot be combined with stage1, which decides it; leave "
                "it out",
            )

    def _check_compiler(self) -> None:
        """Refuse settings that a type with its own way of training does not offer."""
        known = signature(self.gan.build).parameters
        if self.compiler == "xla" and not (self.gan.xla and "xla" in known):
            raise ConfigError("compiler", f"xla cannot compile {self.gan_type}; leave it out")
        if self.precision != "float32" and "precision" not in known:
            only = f"{self.precision}, but {self.gan_type} trains only in float32"
            raise ConfigError("precision", f"{only}; leave it out")

    def _check_possible(self) -> None:
        """Refuse an invalid combination of hyperparameters; a search checks its points."""
        if self.is_search or any(isinstance(s, Dimension) for s in self.settings.values()):
            return
        values, default = self.hyperparameters(), self.gan.defaults()
        if conflict := self.gan.conflict(values):
            chosen = {name: value for name, value in values.items() if value != default[name]}
            raise ConfigError("params", f"{named(chosen)}: {conflict}")

    def resolved(self) -> Self:
        """The configuration with every default that depends on other values filled in.

        Idempotent.
        """
        kind = dataset_named(self.dataset, self.data_dir)
        values: dict[str, Any] = {
            "features": self.features or self._default_features(kind),
            "threads": self.threads or cores(),
            "run_dir": self.run_dir or Path("runs") / self.default_folder(),
            "also": [n for n in dict.fromkeys(self.also) if n not in self.deciding()],
        }
        if self.steps is None and self.epochs is None:
            values["steps"] = DEFAULT_STEPS
        if not self.is_search:  # all values, so that the file means the same to later versions
            values["params"] = self.hyperparameters()
        return self.model_copy(update=values)

    def _default_features(self, dataset: Dataset) -> str:
        """The feature network to use if none is named.

        Variety is always measured on features: those of the untrained network are enough if no
        criterion uses any.
        """
        if not any(kind.looks_at_features for kind in self.criteria().values()):
            return "random"
        return dataset.default_features or best_at_hand()

    def default_folder(self) -> str:
        """The name of the folder below ``runs`` when none is given."""
        return f"train-{self.gan.name}-{short_name(self.dataset)}"

    @cached_property
    def gan(self) -> type[GANType]:
        """The GAN type."""
        return GAN_TYPES.get(self.gan_type)

    @cached_property
    def settings(self) -> dict[str, Value | Dimension]:
        """Each given hyperparameter as a fixed value or, with several, a dimension."""
        return settings_of(self.gan, self.params)

    @property
    def conditions(self) -> list[str]:
        """The possible values of the hyperparameter ``condition``."""
        setting = self.settings.get("condition", self.gan.factor("condition", {}))
        several = setting.candidates if isinstance(setting, Dimension) else [setting]
        return sorted({str(value) for value in several})

    @property
    def most_depth(self) -> int:
        """The greatest possible value of the hyperparameter ``depth``; 0 without one."""
        setting = self.settings.get("depth", self.gan.factor("depth", {}))
        if not isinstance(setting, Dimension):
            return int(setting)
        return int(max(setting.candidates) if setting.range is None else setting.range.high)

    def hyperparameters(self) -> dict[str, Value]:
        """A value for every hyperparameter of the GAN type.

        Raises:
            ConfigError: if one has several candidates.
        """
        values = self.gan.defaults()
        for name, setting in self.settings.items():
            if isinstance(setting, Dimension):
                raise ConfigError(
                    name,
                    f"{self.params[name]} are several values, but a training takes one; give one, "
                    "or use autogan search",
                )
            values[name] = setting
        return values

    @property
    def doubt(self) -> str:
        """The reason why the combination of hyperparameters is inadvisable; empty if it is not."""
        return self.gan.doubt(self.hyperparameters())

    def useless(self) -> list[str]:
        """A line for each given value that does not apply under the others, or says little."""
        return [*useless(self.gan, self.params, self.hyperparameters()), *self.weak_features()]

    def schedule(self, images: int, batch_size: int) -> tuple[int, int]:
        """Generator updates of a training on ``images`` images, and between evaluations."""
        steps = self.steps or (self.epochs or 1) * math.ceil(images / batch_size)
        return steps, min(self.evaluate_every or math.ceil(steps / EVALUATIONS), steps)

    def as_dict(self) -> dict[str, Any]:
        """The keys that are set, in order, as plain values; paths are absolute.

        So a saved configuration means the same in every folder.
        """
        values = self.model_dump(mode="json", exclude_none=True)
        for name in (*_PATHS, "features"):
            known = name == "features" and values.get(name) in KNOWN_FEATURES
            if name in values and not known:
                values[name] = os.path.abspath(Path(values[name]).expanduser())
        if placed := dataset_path(self.dataset):
            kind, path = placed
            values["dataset"] = f"{kind}:{os.path.abspath(Path(path).expanduser())}"
        return values

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some keys changed; derived values are computed again."""
        copied = super().model_copy(update=update, deep=deep)
        for name in set(copied.__dict__) - set(type(self).model_fields):
            del copied.__dict__[name]
        return copied
