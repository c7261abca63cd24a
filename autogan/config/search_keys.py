"""The keys of a search: what it tries, how, and for how long."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import field_validator, model_validator

from autogan.config.confirm import Confirm
from autogan.config.duration import Minutes
from autogan.config.grammar import parse_params
from autogan.config.keys import key
from autogan.config.proxy import Proxy
from autogan.config.working import Working
from autogan.search import SEARCH_METHODS, STOPPING_RULES

ADVISED_TRIALS = 20
AUTO = "auto"
_ADVISED: dict[str, Any] = {
    "search_method": "gp",
    "stopping": AUTO,
    "repeats": 5,
}  # for the reasons, see docs/search.md


class SearchKeys(Working):
    """The keys of a configuration that only a search has."""

    params: Annotated[
        dict[str, Any],
        key("training",
            "hyperparameter: NAME=VALUE fixes it, NAME=V1,V2,... and NAME=LOW..HIGH[:log] are "
            "searched [the GAN type's default space]", common=True),
    ] = {}  # noqa: RUF012  # fmt: skip
    search_method: Annotated[
        str, key("search", "search method; see: autogan list search-methods", common=True)
    ] = "gp"
    stopping: Annotated[
        str | None,
        key("search",
            "rule that stops poor trials early, none, or auto (asha, or none below ten trials or "
            "evaluations); see: autogan list stopping-rules [auto; none with --search-method]",
            common=True),
    ] = None  # fmt: skip
    trials: Annotated[
        int | None,
        key("search",
            "points to try [20; 10 with --search-method; grid: all; no limit under another "
            "budget]", common=True, ge=1),
    ] = None  # fmt: skip
    max_minutes: Annotated[
        float | None,
        key("search",
            "end the search after this many minutes of training, summed over workers, "
            "confirmation included",
            gt=0, allow_inf_nan=False),
    ] = None  # fmt: skip
    max_steps: Annotated[
        int | None,
        key("search",
            "end the search after this many updates of both networks, confirmation included", ge=1),
    ] = None  # fmt: skip
    time: Annotated[
        Minutes | None,
        key("search",
            "time for the whole search, such as 30m or 2h; AutoGAN chooses the length of a "
            "training and the number of points", common=True, gt=0, allow_inf_nan=False),
    ] = None  # fmt: skip
    target: Annotated[
        float | None,
        key(
            "search", "end the search when the deciding criterion is this good", allow_inf_nan=False
        ),
    ] = None
    until: Annotated[
        Literal["budget", "settled"],
        key("search",
            "settled: end the search before its budget once a further point promises less than "
            "the seed alone decides"),
    ] = "budget"  # fmt: skip
    distinct: Annotated[bool, key("search", "never try a point twice")] = True
    repeats: Annotated[
        int,
        key("search",
            "most seeds per promising point; further seeds take at most half of the training [5; "
            "1 with --search-method]", common=True, ge=1),
    ] = 1  # fmt: skip
    confirm: Annotated[
        Confirm | None,
        key("search",
            "train the best points and the defaults again under fresh seeds: top=3,repeats=5",
            common=True),
    ] = None  # fmt: skip
    proxy: Annotated[
        Proxy | Literal["auto"] | None,
        key("search",
            "search with a smaller copy of the training first, and train its best points in full: "
            "auto, or any of width=16,image_size=16,steps=500,top=3", common=True),
    ] = None  # fmt: skip
    prefer: Annotated[
        str | None,
        key("criteria",
            "with several criteria: the one that picks the winner from the Pareto front [its "
            "knee]"),
    ] = None  # fmt: skip
    enqueue: Annotated[
        tuple[dict[str, Any], ...],
        key("search",
            "try this point first: NAME=VALUE,NAME=VALUE; all others take their defaults",
            common=True),
    ] = ()  # fmt: skip
    first: Annotated[
        Literal["defaults", "none"],
        key("search",
            "what to try before the method proposes: the GAN type's defaults (moved into the "
            "ranges), or none"),
    ] = "defaults"  # fmt: skip
    warm_start: Annotated[
        Path | None, key("search", "folder of an earlier search to learn from")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _advised(cls, values: Any) -> Any:
        """Without a search method, use the advised one and the keys that belong to it."""
        if not isinstance(values, Mapping) or values.get("search_method") is not None:
            return values
        given = {name: value for name, value in values.items() if value is not None}
        advised = dict(_ADVISED)
        if not any(name in given for name in ("trials", "time", "max_minutes", "max_steps")):
            advised["trials"] = ADVISED_TRIALS
        criterion = given.get("criterion")
        if isinstance(criterion, list) or (isinstance(criterion, str) and "," in criterion):
            del advised["stopping"], advised["repeats"]  # several have no single order
        return {**advised, **given}

    @field_validator("search_method")
    @classmethod
    def _known_method(cls, name: str) -> str:
        return SEARCH_METHODS.key(name)

    @field_validator("enqueue", mode="before")
    @classmethod
    def _parse_points(cls, points: Any) -> Any:
        given = points if isinstance(points, list | tuple) else [points]
        return [parse_params(p.split(",")) if isinstance(p, str) else p for p in given]

    @field_validator("confirm", mode="before")
    @classmethod
    def _parse_confirm(cls, value: Any) -> Any:
        return Confirm.parse(value) if isinstance(value, str) else value

    @field_validator("proxy", mode="before")
    @classmethod
    def _parse_proxy(cls, value: Any) -> Any:
        return Proxy.read(value)

    @field_validator("stopping")
    @classmethod
    def _known_rule(cls, name: str | None) -> str | None:
        if name in (None, "none"):
            return None
        return AUTO if name == AUTO else STOPPING_RULES.key(str(name))
