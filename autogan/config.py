"""Configuration: what can be set, how files and flags are read, and what follows from it.

A configuration comes from defaults, a YAML file and flags, each over the one before. It is
validated once, here, and saved before any work. Hyperparameters stand under ``params``: a single
value is fixed, a list is candidates, ``low..high`` or ``low..high:log`` is a range.
"""

import importlib.resources
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from typing_extensions import Self

from autogan.criteria import CRITERIA, Bounds, Criterion, Objective
from autogan.datasets import DATASETS, MAX_SIZE, MIN_SIZE, SIZE_STEP, dataset_named
from autogan.errors import ConfigError
from autogan.hyperparameters import Dimension, Hyperparameter, Range, Value
from autogan.models import GAN_TYPES, GANType
from autogan.registry import suggestion
from autogan.search import SEARCH_METHODS, STOPPING_RULES, SearchMethod, Space, StoppingRule

_DEFAULT_STEPS = 2000
_DEFAULT_TRIALS = 10
_EVALUATIONS = 5
_RANGE = re.compile(r"^(?P<low>[^:]+?)\.\.(?P<high>[^:]+?)(?P<log>:log)?$")

Setting = Value | list[Value]


class Confirm(BaseModel):
    """How a search's winner is named: by training the best again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    top: Annotated[int, Field(ge=1, description="points, the best of the search")]
    repeats: Annotated[int, Field(ge=2, description="fresh seeds for each")]


class TrainConfig(BaseModel):
    """All that decides one training; the keys of a YAML file and, with dashes, the flags."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    gan_type: Annotated[str, Field(description="GAN type; see: autogan list gan-types")] = "dcgan"
    dataset: Annotated[
        str, Field(description="dataset, or folder:PATH; see: autogan list datasets")
    ] = "digits"
    data_dir: Annotated[
        Path | None, Field(description="folder with the dataset's files, instead of a download")
    ] = None
    image_size: Annotated[
        int | None,
        Field(ge=MIN_SIZE, le=MAX_SIZE, multiple_of=SIZE_STEP,
              description="side of the images in pixels [their own]"),
    ] = None  # fmt: skip
    params: Annotated[
        dict[str, Any],  # checked by the GAN type's declarations
        Field(description="hyperparameter as NAME=VALUE, NAME=V1,V2,... or NAME=LOW..HIGH[:log]"),
    ] = {}
    steps: Annotated[int | None, Field(ge=1, description="generator updates of a trial [2000]")] = (
        None
    )
    epochs: Annotated[
        int | None,
        Field(ge=1, description="instead of steps: an epoch is dataset size / batch_size steps"),
    ] = None
    evaluate_every: Annotated[
        int | None, Field(ge=1, description="steps between evaluations [a fifth of the training]")
    ] = None
    criterion: Annotated[
        str,
        Field(description="the criterion that decides, or a weighted sum such as 'is - 0.01*fid'; "
                          "see: autogan list criteria"),
    ] = "fid"  # fmt: skip
    normalise: Annotated[
        Literal["history"] | dict[str, tuple[float, float]] | None,
        Field(description="scale the terms of a sum to [0, 1] by what the search has seen: history,"
                          " or by given ranges: is=1..10,fid=0..400"),
    ] = None  # fmt: skip
    also: Annotated[list[str], Field(description="further criteria to record")] = []
    features: Annotated[
        str | None,
        Field(description="feature network: inception, classifier or the path of a SavedModel "
                          "[inception; digits: classifier]"),
    ] = None  # fmt: skip
    eval_samples: Annotated[
        int, Field(ge=2, description="images that a criterion compares, at most")
    ] = 10_000
    reference_split: Annotated[
        Literal["train", "test"], Field(description="real images that criteria compare with")
    ] = "train"
    seed: Annotated[int, Field(ge=0, lt=2**31, description="of all random numbers")] = 0
    device: Annotated[
        str, Field(pattern=r"^(auto|cpu|gpu(:\d+)?)$", description="auto, cpu, gpu or gpu:N")
    ] = "auto"
    threads: Annotated[
        int | None,
        Field(ge=1, description="CPU threads; results depend on their number [all cores]"),
    ] = None
    max_trial_minutes: Annotated[
        float | None, Field(gt=0, description="a trial that takes longer fails")
    ] = None
    run_dir: Annotated[
        Path | None,
        Field(description="folder of all results, not reused unless asked "
                          "[runs/<gan_type>-<dataset>; train: runs/train-...]"),
    ] = None  # fmt: skip
    checkpoint_dir: Annotated[
        Path | None, Field(description="keep checkpoints below this folder instead")
    ] = None
    result_dir: Annotated[
        Path | None, Field(description="keep generated images below this folder instead")
    ] = None
    log_dir: Annotated[
        Path | None, Field(description="keep TensorBoard's files below this folder instead")
    ] = None
    plugin_dirs: Annotated[
        list[Path] | None,
        Field(description="folders of modules of your own, for parts named package.module:Name "
                          "[that of the configuration file, or the working folder]"),
    ] = None  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _plugins(cls, values: Any) -> Any:
        given = values.get("plugin_dirs") if isinstance(values, Mapping) else None
        if not given:
            return values
        texts = given.split(",") if isinstance(given, str) else given
        folders = [str(Path(text).expanduser().resolve()) for text in texts]
        for folder in folders:
            if not Path(folder).is_dir():
                raise ConfigError(
                    "plugin_dirs", f"{folder}: there is no such folder; give that of your modules"
                )
        sys.path.extend(folder for folder in folders if folder not in sys.path)
        return {**values, "plugin_dirs": folders}

    @field_validator("gan_type")
    @classmethod
    def _known_gan_type(cls, name: str) -> str:
        return GAN_TYPES.key(name)

    @field_validator("criterion", mode="before")
    @classmethod
    def _weighted(cls, value: Any) -> Any:
        if isinstance(value, list):
            return ",".join(map(str, value))
        return Objective.text_of(value, CRITERIA) if isinstance(value, dict) else value

    @field_validator("criterion")
    @classmethod
    def _known_criterion(cls, text: str) -> str:
        texts = text.split(",")
        if len(texts) > 1 and not issubclass(cls, SearchConfig):
            raise ConfigError(
                "criterion",
                f"{text!r} are several, among which a search chooses; let one decide and record "
                "the others with also, or weigh them: {is: 1, fid: 0.01}",
            )
        parsed = [Objective.parse(part, CRITERIA).text for part in texts]
        for part in parsed:
            if parsed.count(part) > 1:
                raise ConfigError("criterion", f"{text!r} names {part} twice")
        return ",".join(parsed)

    @field_validator("normalise", mode="before")
    @classmethod
    def _parse_ranges(cls, value: Any) -> Any:
        if isinstance(value, str):
            return value if value == "history" else _ranges(value)
        for name, ends in value.items() if isinstance(value, Mapping) else ():
            if not (isinstance(ends, list | tuple) and len(ends) == 2):
                raise ConfigError("normalise", f"{name}: {ends} is no range; give [LOW, HIGH]")
        return value

    @field_validator("also", mode="before")
    @classmethod
    def _split_names(cls, names: Any) -> Any:
        return [name for name in names.split(",") if name] if isinstance(names, str) else names

    @field_validator("also")
    @classmethod
    def _known_criteria(cls, names: list[str]) -> list[str]:
        return [CRITERIA.key(name) for name in names]

    @field_validator("data_dir", "run_dir", "checkpoint_dir", "result_dir", "log_dir")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path else None

    @model_validator(mode="after")
    def _consistent(self) -> "TrainConfig":
        if self.steps is not None and self.epochs is not None:
            raise ConfigError(
                "epochs", f"{self.epochs} beside steps {self.steps}; give one of them"
            )
        dataset_named(self.dataset, self.data_dir)
        _settings(GAN_TYPES.get(self.gan_type), self.params)
        self._check_normalise()
        self._check_labels_differ()
        return self

    def _check_normalise(self) -> None:
        if self.normalise is None:
            return
        names = self.deciding()
        if len(names) == 1:
            raise ConfigError(
                "normalise",
                f"{self.normalise} with the single criterion {self.criterion}; it is for sums "
                "such as is - 0.5*fid",
            )
        if self.normalise == "history":
            if not isinstance(self, SearchConfig):
                raise ConfigError(
                    "normalise", "history belongs to a search; give ranges: is=1..10,fid=0..400"
                )
            return
        for name, (low, high) in self.normalise.items():
            if name not in names:
                raise ConfigError(
                    "normalise",
                    f"{name!r} is no part of {self.criterion}; {suggestion(name, names)}",
                )
            if not -math.inf < low < high < math.inf:
                raise ConfigError(
                    "normalise",
                    f"{name}={low:g}..{high:g}: the ends must be finite, the lower one first",
                )

    def resolved(self) -> Self:
        """With every default that depends on something else put in its place.

        Doing it twice changes nothing.
        """
        kind = dataset_named(self.dataset, self.data_dir)
        values: dict[str, Any] = {
            "features": self.features or kind.default_features,
            "threads": self.threads or _available_cores(),
            "run_dir": self.run_dir or Path("runs") / self.default_folder(),
            "also": [n for n in dict.fromkeys(self.also) if n not in self.deciding()],
        }
        if self.steps is None and self.epochs is None:
            values["steps"] = _DEFAULT_STEPS
        return self.model_copy(update=values)

    def default_folder(self) -> str:
        """The name of the folder below ``runs`` when none is given."""
        return f"train-{self.gan.name}-{_short_name(self.dataset)}"

    @property
    def gan(self) -> type[GANType]:
        """The GAN type."""
        return GAN_TYPES.get(self.gan_type)

    @property
    def objective(self) -> Objective:
        """What decides in a training; not yet scaled where that takes a history."""
        objective = Objective.parse(self.criterion, CRITERIA)
        if self.normalise is None:
            return objective
        return objective.within({} if self.normalise == "history" else self.normalise)

    def deciding(self) -> list[str]:
        """The names of the criteria that have a part in what decides."""
        return list(self.objective.weights)

    def criteria(self) -> dict[str, Criterion]:
        """All criteria to compute, those that decide first."""
        names = dict.fromkeys([*self.deciding(), *self.also])
        return {name: CRITERIA.get(name)() for name in names}

    def _check_labels_differ(self) -> None:
        """Two criteria of one's own may call themselves the same."""
        names = [kind.name for kind in self.criteria().values()]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError("also", f"two criteria call themselves {name!r}; rename one")

    def hyperparameters(self) -> dict[str, Value]:
        """A value for every hyperparameter of the GAN type.

        Raises:
            ConfigError: if one has several candidates.
        """
        values = self.gan.defaults()
        for name, setting in _settings(self.gan, self.params).items():
            if isinstance(setting, Dimension):
                raise ConfigError(
                    name,
                    f"{self.params[name]} are several candidates; a training takes one value "
                    "(autogan search tries several)",
                )
            values[name] = setting
        return values

    def schedule(self, images: int, batch_size: int) -> tuple[int, int]:
        """Generator updates of a training on ``images`` images, and those between evaluations."""
        steps = self.steps or (self.epochs or 1) * math.ceil(images / batch_size)
        return steps, min(self.evaluate_every or math.ceil(steps / _EVALUATIONS), steps)

    def as_dict(self) -> dict[str, Any]:
        """The keys that are set, in order, as plain values."""
        return self.model_dump(mode="json", exclude_none=True)


class SearchConfig(TrainConfig):
    """All that decides a search."""

    search_method: Annotated[
        str, Field(description="search method; see: autogan list search-methods")
    ] = "explore"
    stopping: Annotated[
        str | None,
        Field(description="rule that stops poor trials early, at evaluations (ten in a training "
                          "are best); see: autogan list stopping-rules"),
    ] = None  # fmt: skip
    trials: Annotated[
        int | None,
        Field(
            ge=1,
            description="trials to run [10; grid: all; no limit under another budget]",
        ),
    ] = None
    max_minutes: Annotated[
        float | None, Field(gt=0, description="begin no trial after so many minutes of trials")
    ] = None
    max_steps: Annotated[
        int | None,
        Field(ge=1, description="begin no trial after so many updates of both networks in all"),
    ] = None
    target: Annotated[
        float | None,
        Field(allow_inf_nan=False, description="stop when the criterion that decides is this good"),
    ] = None
    distinct: Annotated[bool, Field(description="never try a point twice")] = True
    repeats: Annotated[
        int,
        Field(ge=1, description="seeds that each point is trained under; their mean decides"),
    ] = 1
    confirm: Annotated[
        Confirm | None,
        Field(description="train the best again under fresh seeds, and the defaults beside them:"
                          " top=3,repeats=5"),
    ] = None  # fmt: skip
    prefer: Annotated[
        str | None,
        Field(description="of several criteria, the one that chooses from the Pareto front "
                          "[its knee]"),
    ] = None  # fmt: skip
    warm_start: Annotated[
        Path | None, Field(description="folder of an earlier search to learn from")
    ] = None

    @field_validator("search_method")
    @classmethod
    def _known_method(cls, name: str) -> str:
        return SEARCH_METHODS.key(name)

    @field_validator("confirm", mode="before")
    @classmethod
    def _parse_confirm(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        given = dict(part.partition("=")[::2] for part in value.replace(" ", "").split(","))
        if set(given) != set(Confirm.model_fields):
            raise ConfigError("confirm", f"{value!r}; write it as top=3,repeats=5")
        return given

    @field_validator("warm_start")
    @classmethod
    def _expand_earlier(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path else None

    @field_validator("stopping")
    @classmethod
    def _known_rule(cls, name: str | None) -> str | None:
        return None if name is None else STOPPING_RULES.key(name)

    @model_validator(mode="after")
    def _several_criteria_suit(self) -> "SearchConfig":
        names = self.criterion.split(",")
        if self.prefer is not None and (len(names) == 1 or self.prefer not in names):
            raise ConfigError(
                "prefer", f"{self.prefer!r} with criterion {self.criterion!r}; it chooses among "
                "several: --criterion is,fid --prefer fid"
            )  # fmt: skip
        for key in ("normalise", "stopping", "target", "repeats", "confirm", "warm_start"):
            value = getattr(self, key)
            if len(names) > 1 and value != type(self).model_fields[key].default:
                raise ConfigError(
                    key, f"{value} with the several criteria {self.criterion}; it takes one that "
                    "decides, or a weighted sum such as is - 0.01*fid"
                )  # fmt: skip
        return self

    @model_validator(mode="after")
    def _evaluations_are_alike(self) -> "SearchConfig":
        searched = any(dimension.name == "batch_size" for dimension in self.space().dimensions)
        if searched and self.evaluate_every is not None and self.steps is None:
            raise ConfigError(
                "evaluate_every",
                f"{self.evaluate_every} beside epochs, of which each batch_size that is searched "
                "makes another number of steps: trials must be compared at the same places; leave "
                "it out, or give steps instead of epochs",
            )
        return self

    @model_validator(mode="after")
    def _target_is_reachable(self) -> "SearchConfig":
        if self.target is not None and self.normalise == "history":
            raise ConfigError(
                "target",
                f"{self.target:g} beside normalise history, which scales values anew with each "
                "trial; leave the target out, or give ranges: is=1..10,fid=0..400",
            )
        return self

    def resolved(self) -> Self:
        """See `TrainConfig.resolved`.

        Raises:
            ConfigError: if the method cannot search the space.
        """
        size = self._checked_space().size()
        trials = self.trials
        if trials is None and not (self.max_minutes or self.max_steps):
            trials = size if self.search_method == "grid" else _DEFAULT_TRIALS
        if trials is None and self.stopping and STOPPING_RULES.get(self.stopping).needs_trials:
            raise ConfigError(
                "stopping", f"{self.stopping} must know how many trials there will be; give trials"
            )
        return super().resolved().model_copy(update={"trials": trials})

    def default_folder(self) -> str:
        """The name of the folder below ``runs`` when none is given."""
        return f"{self.gan.name}-{_short_name(self.dataset)}"

    @property
    def objectives(self) -> dict[str, Objective]:
        """All that decide, in the order in which they were given."""
        return {text: Objective.parse(text, CRITERIA) for text in self.criterion.split(",")}

    @property
    def objective(self) -> Objective:
        """What decides in each training: of several criteria the preferred or first one."""
        several = self.objectives
        if len(several) > 1:
            return several[self.prefer or next(iter(several))]
        return super().objective

    def deciding(self) -> list[str]:
        """See `TrainConfig.deciding`."""
        return list(dict.fromkeys(n for o in self.objectives.values() for n in o.weights))

    @property
    def method(self) -> SearchMethod:
        """The search method."""
        return SEARCH_METHODS.get(self.search_method)(distinct=self.distinct)

    def rule(self, images: int) -> StoppingRule | None:
        """The rule of early stopping, if there is one, for a training set of so many images.

        Raises:
            ConfigError: if trials are evaluated too seldom for it.
        """
        if self.stopping is None:
            return None
        sizes = {**self.gan.defaults(), **self.fixed()}  # the default one, if it is searched
        steps, evaluate_every = self.schedule(images, int(sizes["batch_size"]))
        evaluations, rule = math.ceil(steps / evaluate_every), STOPPING_RULES.get(self.stopping)
        if evaluations < rule.fewest_evaluations:
            raise ConfigError(
                "stopping",
                f"{self.stopping} wants {rule.fewest_evaluations} evaluations of a training, and "
                f"{steps} steps have {evaluations}; lower evaluate_every",
            )
        return rule(evaluations)

    def space(self) -> Space:
        """What is searched: the given candidates, or the GAN type's default space without any."""
        settings = _settings(self.gan, self.params)
        given = [s for s in settings.values() if isinstance(s, Dimension)]
        if given:
            return Space(tuple(given))
        fixed = {**self.gan.defaults(), **self.params}
        free = [h for h in self.gan.hyperparameters if h.search and h.name not in settings]
        default = [Dimension(h, h.search) for h in free]
        return Space(tuple(dimension for dimension in default if dimension.exists(fixed)))

    def _checked_space(self) -> Space:
        space = self.space()
        if not space.dimensions:
            raise ConfigError(
                "params",
                f"{', '.join(self.params)} are fixed, and with them all of {self.gan_type}'s "
                "default space; give one of them several values, or use autogan train",
            )
        for dimension in space.dimensions:
            if not dimension.exists(self.fixed()):
                name, value = dimension.hyperparameter.under or ("", "")
                raise ConfigError(
                    dimension.name,
                    f"{self.params[dimension.name]} with {name} {self.fixed()[name]}: it has a "
                    f"meaning under {name} {value} alone; leave it out",
                )
        if self.method.needs_lists:
            for dimension in space.dimensions:
                if dimension.range:
                    raise ConfigError(
                        dimension.name,
                        f"{dimension.range} is a range, and {self.search_method} needs a list; "
                        "give values, or use --search-method random",
                    )
        return space

    def fixed(self) -> dict[str, Value]:
        """All hyperparameters outside the space: the user's values over the defaults."""
        settings = _settings(self.gan, self.params)
        given = {n: s for n, s in settings.items() if not isinstance(s, Dimension)}
        searched = {d.name for d in self.space().dimensions}
        return {n: v for n, v in {**self.gan.defaults(), **given}.items() if n not in searched}

    def trial_config(
        self, params: Mapping[str, Value], seed: int, seen: Bounds | None = None
    ) -> TrainConfig:
        """The configuration that trains one trial, now or again.

        Args:
            params: the trial's place in the space.
            seed: of the trial.
            seen: the ranges of the criteria so far, for an objective that the history scales.
        """
        values = {name: getattr(self, name) for name in TrainConfig.model_fields}
        values["criterion"] = self.objective.text
        values["also"] = [n for n in self.criteria() if n not in self.objective.weights]
        chosen = {**self.gan.defaults(), **self.fixed(), **params}
        ordered = {h.name: chosen[h.name] for h in self.gan.hyperparameters}
        if self.normalise == "history":
            values["normalise"] = {
                n: b for n, b in (seen or {}).items() if n in self.objective.weights
            }
        return TrainConfig(**{**values, "params": ordered, "seed": seed, "run_dir": None})


Config = TypeVar("Config", bound=TrainConfig)


def load_config(
    kind: type[Config], file: Path | None, flags: Mapping[str, Any] | None = None
) -> Config:
    """Read a YAML file, lay the flags over it, and validate.

    Args:
        kind: what is being configured.
        file: a YAML mapping, or None.
        flags: further keys; None stands for a flag that was not given. ``params`` are merged.

    Raises:
        ConfigError: naming the key, the value and what would be right.
    """
    values = read_yaml(file) if file else {}
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    params = given.pop("params", None)
    if params and isinstance(values.get("params", {}), dict):
        values["params"] = {**values.get("params", {}), **params}
    if "steps" in given:
        values.pop("epochs", None)
    if "epochs" in given:
        values.pop("steps", None)
    beside = [str(file.parent)] if file else []
    if _names_own_parts(values):
        values.setdefault("plugin_dirs", beside)
    if _names_own_parts(given):
        values["plugin_dirs"] = [*values.get("plugin_dirs", beside), str(Path.cwd())]
    if "criterion" in given and not _scales(values.get("normalise"), given["criterion"]):
        values.pop("normalise", None)
    return validated(kind, {**values, **given})


def validated(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Build a configuration from plain values.

    Raises:
        ConfigError: naming the key, the value and what would be right.
    """
    known = kind.model_fields
    if _names_own_parts(values):
        values = {"plugin_dirs": [str(Path.cwd())], **values}
    for name in values:
        if name in known:
            continue
        if name in SearchConfig.model_fields:
            raise ConfigError(
                name, f"{values[name]!r} belongs to a search; train its best.yaml, or use "
                "autogan search with this file"
            )  # fmt: skip
        if any(name == h.name for gan in GAN_TYPES for h in gan.hyperparameters):
            raise ConfigError(name, f"{values[name]!r} is a hyperparameter; write it under params")
        raise ConfigError(name, f"there is no such key; {suggestion(name, known)}")
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        # Pydantic names the alternatives of a union too; the key, and a place in it, is enough.
        field = ".".join(str(part) for part in first["loc"][:2] if str(part) in known)
        message = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        raise ConfigError(field, f"{first['input']!r}: {message}") from None


def _scales(normalise: Any, criterion: Any) -> bool:
    """Whether a file's ``normalise`` still has a meaning under another criterion."""
    terms = re.findall(r"[\w.:]+", str(criterion))
    if isinstance(normalise, dict):
        return all(name in terms for name in normalise) and len(terms) > 1
    return normalise is not None and len(terms) > 1


def _names_own_parts(values: Mapping[str, Any]) -> bool:
    """Whether a part is named as ``package.module:Name``, which is then looked for on a path."""
    keys = ("gan_type", "dataset", "search_method", "stopping", "criterion")
    texts = [values.get(key) for key in keys]
    also = values.get("also")
    texts += also if isinstance(also, list) else [also]
    if isinstance(values.get("criterion"), dict):
        texts += values["criterion"]
    return any(
        ":" in text and text.partition(":")[0] not in DATASETS.names()
        for text in texts
        if isinstance(text, str)
    )


def _ranges(text: str) -> dict[str, tuple[float, float]]:
    """Read ``is=1..10,fid=0..400``."""
    ranges = {}
    for part in text.split(","):
        name, _, ends = part.partition("=")
        low, _, high = ends.partition("..")
        try:
            ranges[name.strip()] = (float(low), float(high))
        except ValueError:
            raise ConfigError(
                "normalise", f"{part!r} is neither history nor of the form is=1..10,fid=0..400"
            ) from None
    return ranges


def packaged_configs() -> dict[str, Path]:
    """The configurations that come with AutoGAN, by name."""
    folder = Path(str(importlib.resources.files("autogan.configs")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping, in which ``2e-4`` is a number and no key stands twice.

    Args:
        path: of a file, or the name of a configuration that comes with AutoGAN.

    Raises:
        ConfigError: if there is no such file or it is something else.
    """
    if not path.exists():
        path = packaged_configs().get(str(path), path)
    try:
        text = path.read_text()
    except OSError as error:
        known = suggestion(str(path), packaged_configs())
        raise ConfigError("config", f"{path} cannot be read ({error.strerror}); {known}") from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not text; give a YAML file") from None
    try:
        values = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ConfigError(str(path), f"is not valid YAML ({error})") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(str(path), "must hold a mapping of keys to values")
    return {str(name): value for name, value in values.items()}


def parse_param(text: str) -> tuple[str, Setting]:
    """Read ``NAME=VALUE``, ``NAME=V1,V2,...`` or ``NAME=LOW..HIGH[:log]``.

    Raises:
        ConfigError: if it has another form.
    """
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise ConfigError("param", f"{text!r} is not of the form NAME=VALUE or NAME=V1,V2,...")
    listed = value.strip().removeprefix("[").removesuffix("]")
    values = [_scalar("param", part) for part in listed.split(",")]
    if any(part is None for part in values):
        raise ConfigError("param", f"{text!r} has an empty value")
    return name.strip().replace("-", "_"), values[0] if len(values) == 1 else values


def parse_params(texts: Sequence[str]) -> dict[str, Setting]:
    """Read several; see `parse_param`.

    Raises:
        ConfigError: if one is given twice.
    """
    params: dict[str, Setting] = {}
    for name, setting in map(parse_param, texts):
        if name in params:
            raise ConfigError(name, f"{setting} after {params[name]}; give it once: {name}=V1,V2")
        params[name] = setting
    return params


def _scalar(field: str, text: str) -> Any:
    """Read a number or word as YAML does."""
    try:
        return yaml.load(text.strip(), _Loader)
    except yaml.YAMLError:
        raise ConfigError(field, f"{text!r} is neither a number nor a word") from None


def _settings(gan: type[GANType], params: Mapping[str, Setting]) -> dict[str, Value | Dimension]:
    """Each given hyperparameter as a fixed value or, with several, a dimension."""
    declared = {h.name: h for h in gan.hyperparameters}
    settings: dict[str, Value | Dimension] = {}
    for name, setting in params.items():
        if name not in declared:
            known = suggestion(name, declared)
            others = [g.name for g in GAN_TYPES if name in g.defaults()]
            if others:
                known = f"it is one of {', '.join(others)}; choose it with gan_type"
            raise ConfigError(
                "params", f"{name!r} ({setting}) is no hyperparameter of {gan.name}; {known}"
            )
        settings[name] = _setting(declared[name], setting)
    return settings


def _setting(hyperparameter: Hyperparameter, setting: Setting) -> Value | Dimension:
    def check(value: Any) -> Value:
        try:
            return hyperparameter.check(value)
        except ValueError as error:
            raise ConfigError(hyperparameter.name, str(error)) from None

    if isinstance(setting, list):
        if not setting:
            raise ConfigError(hyperparameter.name, "[] has no candidates; give at least one value")
        return Dimension(hyperparameter, tuple(check(value) for value in setting))
    match = _RANGE.match(setting) if isinstance(setting, str) else None
    if match is None or hyperparameter.kind == "choice":
        return check(setting)
    low, high = (float(check(_scalar(hyperparameter.name, match[end]))) for end in ("low", "high"))
    log = match["log"] is not None
    if low >= high:
        raise ConfigError(hyperparameter.name, f"{setting}: the first end must be the lower one")
    if log and low <= 0:
        raise ConfigError(hyperparameter.name, f"{setting}: a log range must begin above 0")
    return Dimension(hyperparameter, range=Range(low, high, log))


def _short_name(dataset: str) -> str:
    """``cats`` for ``folder:pictures/cats``, the name itself for a plain one."""
    return dataset.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as SafeLoader reads it, but with YAML 1.2's floats and without double keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)
