"""What decides one training."""

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
    """All that decides one training; the keys of a YAML file and, with dashes, the flags."""

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
            "[runs/GAN_TYPE-DATASET; train: runs/train-...]", common=True),
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
            exclude=True),  # no file keeps it, and no worker needs it
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
            raise ConfigError("plugin_dirs", f"{given!r} is no list of folders; give [PATH, ...]")
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
            sys.path.append(os.getcwd())  # no file names one, so that the user has
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
                "epochs", f"{self.epochs} beside steps {self.steps}; give one of them"
            )
        dataset_named(self.dataset, self.data_dir)
        settings_of(self.gan, self.params)
        self._check_first_stage()
        self._check_compiler()
        self._check_possible()
        if self.normalise is not None:
            check_normalise(self.normalise, self.criterion, self.deciding(), self.is_search)
        self.check_labels_differ()
        return self

    def _check_first_stage(self) -> None:
        """Refuse what a second stage does not have of its own, and types that have none."""
        if self.stage1 is None:
            return
        if "stage1" not in signature(self.gan.build).parameters:
            raise ConfigError(
                "stage1",
                f"{self.stage1}, and {self.gan_type} makes images of noise alone; leave it out",
            )
        default = self.gan.defaults().get("z_dim")  # which a trial's file spells out
        if self.params.get("z_dim", default) != default:
            raise ConfigError(
                "z_dim", f"{self.params['z_dim']} beside stage1, which has its own; leave it out"
            )

    def _check_compiler(self) -> None:
        """Refuse what a type with a way of training of its own does not offer."""
        known = signature(self.gan.build).parameters
        if self.compiler == "xla" and not (self.gan.xla and "xla" in known):
            raise ConfigError("compiler", f"xla cannot compile {self.gan_type}; leave it out")
        if self.precision != "float32" and "precision" not in known:
            own = f"{self.precision} beside {self.gan_type}, which has float32 alone"
            raise ConfigError("precision", f"{own}; leave it out")

    def _check_possible(self) -> None:
        """Refuse hyperparameters that cannot be together; a search's are points of its space."""
        if self.is_search or any(isinstance(s, Dimension) for s in self.settings.values()):
            return
        values, default = self.hyperparameters(), self.gan.defaults()
        if conflict := self.gan.conflict(values):
            chosen = {name: value for name, value in values.items() if value != default[name]}
            raise ConfigError("params", f"{named(chosen)}: {conflict}")

    def resolved(self) -> Self:
        """With every default that depends on something else put in its place.

        Doing it twice changes nothing.
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
        if not self.is_search:  # spelled out, so that the file means the same to later versions
            values["params"] = self.hyperparameters()
        return self.model_copy(update=values)

    def _default_features(self, dataset: Dataset) -> str:
        """The feature network to take where none is named.

        Variety is measured by features in any case: those of the untrained network will do where
        no criterion looks at any.
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
        """How images may come by their classes; see the hyperparameter ``condition``."""
        setting = self.settings.get("condition", self.gan.factor("condition", {}))
        several = setting.candidates if isinstance(setting, Dimension) else [setting]
        return sorted({str(value) for value in several})

    @property
    def most_depth(self) -> int:
        """The greatest ``depth`` that is asked for, 0 if none is; see the hyperparameter."""
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
                    f"{self.params[name]} are several candidates; a training takes one value "
                    "(autogan search tries several)",
                )
            values[name] = setting
        return values

    @property
    def doubt(self) -> str:
        """Why the hyperparameters are inadvisable together; empty if they are not."""
        return self.gan.doubt(self.hyperparameters())

    def useless(self) -> list[str]:
        """A line for each given value that has no meaning beside the others."""
        return useless(self.gan, self.params, self.hyperparameters())

    def schedule(self, images: int, batch_size: int) -> tuple[int, int]:
        """Generator updates of a training on ``images`` images, and those between evaluations."""
        steps = self.steps or (self.epochs or 1) * math.ceil(images / batch_size)
        return steps, min(self.evaluate_every or math.ceil(steps / EVALUATIONS), steps)

    def as_dict(self) -> dict[str, Any]:
        """The keys that are set, in order, as plain values; paths are whole ones.

        So a saved configuration means the same from every folder.
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
        """A copy with some keys changed; what follows from the keys is found anew."""
        copied = super().model_copy(update=update, deep=deep)
        for name in set(copied.__dict__) - set(type(self).model_fields):
            del copied.__dict__[name]
        return copied
