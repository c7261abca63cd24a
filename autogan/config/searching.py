"""The configuration of a search, and what is derived from it: space, method, stopping rule."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from pydantic import model_validator
from typing_extensions import Self, override

from autogan.config.grammar import check_chooses
from autogan.config.proxy import check_proxy, proxy_of, standard_rates, takes_mup
from autogan.config.rules import suitable_rule
from autogan.config.search_keys import ADVISED_TRIALS, AUTO, SearchKeys
from autogan.config.spaces import check_inside, check_space, enqueued, remarks, space_of, useless
from autogan.config.training import DEFAULT_STEPS, TrainConfig
from autogan.core.errors import ConfigError, one_line
from autogan.core.hyperparameters import Dimension, Value
from autogan.core.text import short_name
from autogan.criteria import CRITERIA, Bounds, Objective
from autogan.models import GANType
from autogan.search import SEARCH_METHODS, STOPPING_RULES, SearchMethod, Space, StoppingRule

_DEFAULT_TRIALS = 10
_SINGLE = ("normalise", "stopping", "target", "until", "repeats", "confirm", "warm_start", "proxy")
_TRIALS_PER_WORKER = 5  # enough for a learning method to learn a little


class SearchConfig(SearchKeys):
    """The configuration of a search."""

    is_search: ClassVar[bool] = True

    @model_validator(mode="after")
    def _several_criteria_suit(self) -> "SearchConfig":
        names = self.criterion.split(",")
        check_chooses(self.deciding(), self.criterion)
        if self.prefer is not None and (len(names) == 1 or self.prefer not in names):
            raise ConfigError(
                "prefer", f"{self.prefer!r} does not apply to criterion {self.criterion!r}; it "
                "chooses among several: --criterion is,fid --prefer fid"
            )  # fmt: skip
        for name in _SINGLE:
            value = getattr(self, name)
            if len(names) > 1 and value != type(self).model_fields[name].default:
                raise ConfigError(
                    name, f"{value} cannot be combined with several criteria ({self.criterion}); "
                    "let one decide, or give a weighted sum such as is - 0.01*fid"
                )  # fmt: skip
        return self

    @model_validator(mode="after")
    def _one_limit_of_time(self) -> "SearchConfig":
        if self.time is not None and self.max_minutes is not None:
            raise ConfigError(
                "max_minutes",
                f"{self.max_minutes:g} cannot be combined with time {self.time:g}; give one of "
                "them",
            )
        return self

    @model_validator(mode="after")
    def _proxy_suits(self) -> "SearchConfig":
        check_proxy(self)
        return self

    @model_validator(mode="after")
    def _evaluations_are_alike(self) -> "SearchConfig":
        searched = any(dimension.name == "batch_size" for dimension in self.space.dimensions)
        if searched and self.evaluate_every is not None and self.epochs is not None:
            raise ConfigError(
                "evaluate_every",
                f"{self.evaluate_every} cannot be combined with epochs when batch_size is "
                "searched: an epoch has a different number of steps for each batch size; leave it "
                "out, or give steps instead of epochs",
            )
        return self

    @model_validator(mode="after")
    def _target_is_reachable(self) -> "SearchConfig":
        if self.target is not None and self.normalise == "history":
            raise ConfigError(
                "target",
                f"{self.target:g} cannot be combined with normalise history, which rescales "
                "values after each trial; leave the target out, or give ranges: "
                "is=1..10,fid=0..400",
            )
        return self

    def resolved(self) -> Self:
        """See `TrainConfig.resolved`.

        Raises:
            ConfigError: if the method cannot search the space.
        """
        check_space(self.gan, self.method, self.space, self.params, self.fixed, self.conflict)
        size = self.space.size()
        trials = self.trials
        if trials is None and not (self.time or self.max_minutes or self.max_steps):
            trials = size if self.method.needs_lists else _DEFAULT_TRIALS
            if trials is None:
                raise ConfigError(
                    "trials", f"{self.search_method} runs all points, but there are too many to "
                    "count; give the number of trials"
                )  # fmt: skip
        stopping = suitable_rule(self, trials, size) if self.stopping == AUTO else self.stopping
        if trials is None and stopping and STOPPING_RULES.get(stopping).needs_trials:
            raise ConfigError("stopping", f"{stopping} must know the number of trials; give trials")
        default = {d.name: list(d.candidates) for d in self.space.dimensions}
        params = {**self.fixed, **default, **self.params}  # all values, as in a training's file
        if takes_mup(self):
            params["parametrisation"] = "mup"
        update = {
            "trials": trials, "stopping": stopping, "params": params,
            "enqueue": enqueued(self.enqueue, self.space, self.conflict),
            **self.working(self._useful_workers(trials)),
        }  # fmt: skip
        if self.time is not None and (self.steps or self.epochs):
            update |= {"max_minutes": self.time * update["workers"], "time": None}
        elif self.time is not None:  # the speed of a training decides (`autogan.run.pace`)
            update["steps"] = None
        return super().resolved().model_copy(update=update)

    def _useful_workers(self, trials: int | None) -> int | None:
        """The number of workers that may try points at a time; None if any number may.

        A learning method proposes points without the results of running trials.
        """
        if not SEARCH_METHODS.get(self.search_method).learns:
            return trials
        return max((trials or ADVISED_TRIALS) // _TRIALS_PER_WORKER, 1)

    def default_folder(self) -> str:
        """The name of the folder below ``runs`` when none is given."""
        return f"{self.gan.name}-{short_name(self.dataset)}"

    @cached_property
    def objectives(self) -> dict[str, Objective]:
        """All objectives, in the given order."""
        texts = self.criterion.split(",")
        return {text: Objective.parse(text, CRITERIA).holding(self.limits) for text in texts}

    @cached_property
    def objective(self) -> Objective:
        """The objective of each training: with several criteria, the preferred or first one."""
        several = self.objectives
        if len(several) > 1:
            return several[self.prefer or next(iter(several))]
        return super().objective

    @override
    def deciding(self) -> list[str]:
        return list(dict.fromkeys(n for o in self.objectives.values() for n in o.weights))

    @cached_property
    def method(self) -> SearchMethod:
        """The search method."""
        kind = SEARCH_METHODS.get(self.search_method)
        try:
            return kind(distinct=self.distinct)
        except Exception as error:  # a user's part may raise anything
            raise ConfigError(
                "search_method", f"{self.search_method} cannot be created ({one_line(error)})"
            ) from error

    def rule(self, images: int) -> StoppingRule | None:
        """The stopping rule, if there is one, for a training set of ``images`` images.

        Raises:
            ConfigError: if trials have too few evaluations for it.
        """
        if self.stops_by is None:
            return None
        sizes = {**self.gan.defaults(), **self.fixed}  # the default batch size, if it is searched
        steps, evaluate_every = self.schedule(images, int(sizes["batch_size"]))
        evaluations, rule = math.ceil(steps / evaluate_every), STOPPING_RULES.get(self.stops_by)
        if evaluations < rule.fewest_evaluations:
            raise ConfigError(
                "stopping",
                f"{self.stopping} needs {rule.fewest_evaluations} evaluations of a training, but "
                f"{steps} steps have {evaluations}; lower evaluate_every",
            )
        try:
            return rule(evaluations, self.space, self.seed)
        except Exception as error:  # a user's part may raise anything
            raise ConfigError(
                "stopping", f"{self.stopping} cannot be created ({one_line(error)})"
            ) from error

    @property
    def stopping_revives(self) -> bool:
        """Whether the stopping rule may revive stopped trials."""
        return self.stops_by is not None and STOPPING_RULES.get(self.stops_by).revives

    @property
    def stops_by(self) -> str | None:
        """The stopping rule; None with a proxy, because its best points are trained in full."""
        return None if self.proxy is not None else self.stopping

    @property
    def full_steps(self) -> int | None:
        """Steps of a training; None if epochs or a time decide them."""
        by_default = self.epochs is None and self.time is None
        return self.steps or (DEFAULT_STEPS if by_default else None)

    @property
    def tries(self) -> int | None:
        """The number of points to try; with a proxy, to train in full."""
        return self.trials if self.proxy is None else proxy_of(self).top

    @cached_property
    def space(self) -> Space:
        """The search space: the given candidates, or the GAN type's default space."""
        own, none = (getattr(k.conflict, "__func__", None) for k in (self.gan, GANType))
        forbidden = None if own is none else lambda point: bool(self.conflict(point))
        return space_of(self.gan, self.settings, forbidden)

    def conflict(self, point: Mapping[str, Value]) -> str:
        """The reason why a point of the space is invalid; empty if it is valid."""
        return self.gan.conflict({**self.gan.defaults(), **self.fixed, **point})

    @override
    def useless(self) -> list[str]:
        learns = self.warm_start is not None
        return [
            *useless(self.gan, self.params, self.fixed),
            *self.weak_features(),
            *standard_rates(self),
            *remarks(self.method, self.space, self.trials, self.enqueue, learns),
        ]

    def with_points_inside(self, but: Sequence[Mapping[str, Value]] = ()) -> Self:
        """The configuration, after a check that the points to try first lie inside the ranges.

        Reading a configuration does not check this: files of earlier searches must stay readable.

        Args:
            but: points that the search has begun with.

        Raises:
            ConfigError: naming a point outside.
        """
        for point in self.enqueue:
            if point not in but:
                check_inside(self.space, point)
        return self

    @cached_property
    def fixed(self) -> dict[str, Value]:
        """All hyperparameters outside the space: the user's values over the defaults."""
        given = {n: s for n, s in self.settings.items() if not isinstance(s, Dimension)}
        searched = {d.name for d in self.space.dimensions}
        return {n: v for n, v in {**self.gan.defaults(), **given}.items() if n not in searched}

    def trial_config(
        self, params: Mapping[str, Value], seed: int, seen: Bounds | None = None
    ) -> TrainConfig:
        """The configuration that trains one trial, now or again.

        Args:
            params: the trial's point in the space.
            seed: of the trial.
            seen: the ranges of the criteria so far, for an objective that the history scales.
        """
        values = {name: getattr(self, name) for name in TrainConfig.model_fields}
        values["criterion"] = self.objective.text
        values["also"] = [n for n in self.criteria() if n not in self.objective.weights]
        chosen = {**self.gan.defaults(), **self.fixed, **params}
        ordered = {h.name: chosen[h.name] for h in self.gan.hyperparameters}
        if self.normalise == "history":
            values["normalise"] = {
                n: b for n, b in (seen or {}).items() if n in self.objective.weights
            }
        return TrainConfig(**{**values, "params": ordered, "seed": seed, "run_dir": None})
