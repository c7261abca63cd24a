"""The proxy of a search: a smaller copy of the training, searched in its place."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Dimension, Value
from autogan.data import MIN_SIZE, SIZE_STEP

if TYPE_CHECKING:
    from autogan.config.searching import SearchConfig

PROXY = "proxy"
"""The folder of a search's proxy, in the search's folder."""

_TOP = 3
SEARCHED = 2 / 3
"""The proxy's share of a search's minutes; the rest is for the full trainings."""

_NARROWER, _NARROWEST = 4, 8  # auto's width: a quarter, but not below 8
_WIDTHS = ("width", "dense_width")  # these scale together


class Proxy(BaseModel):
    """The settings in which a search's trials are smaller than the full training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: Annotated[int | None, Field(ge=1, description="of the networks")] = None
    image_size: Annotated[
        int | None, Field(ge=MIN_SIZE, multiple_of=SIZE_STEP, description="pixels of a side")
    ] = None
    steps: Annotated[int | None, Field(ge=1, description="generator updates")] = None
    top: Annotated[int, Field(ge=1, description="points that are trained in full")] = _TOP

    @staticmethod
    def read(given: Any) -> Any:
        """The values of ``width=16,steps=500``, not checked; ``auto``; or None for ``none``.

        Raises:
            ConfigError: if it has another form, or names another key.
        """
        values = given
        if isinstance(given, str):
            text = given.replace(" ", "").lower()
            if text in ("auto", "none"):
                return "auto" if text == "auto" else None
            values = dict(part.partition("=")[::2] for part in text.split(","))
        if values is None or isinstance(values, Proxy):
            return values
        known = isinstance(values, Mapping) and set(values) <= set(Proxy.model_fields)
        if not known or any(isinstance(v, bool) or v == "" for v in values.values()):
            raise ConfigError(
                "proxy",
                f"{given!r}; write it as width=16,image_size=16,steps=500,top=3 (each may be left "
                "out), auto or none",
            )
        return values

    def __str__(self) -> str:
        """Such as ``width 16, steps 500``."""
        smaller = self.model_dump(exclude_none=True, exclude={"top"})
        return ", ".join(f"{name} {value}" for name, value in smaller.items())


def check_proxy(config: "SearchConfig") -> None:
    """Check that a search's proxy suits it.

    Raises:
        ConfigError: naming what does not.
    """
    if config.proxy is None:
        return
    for name, why in (
        ("stage1", "a second stage enlarges images of one size; leave one of them out"),
        ("max_steps", "updates of two sizes do not add up; give time, max_minutes or trials"),
        ("epochs", "a proxy is counted in steps; give steps"),
        ("warm_start", "an earlier search's trainings have another size; leave one of them out"),
    ):
        if getattr(config, name) is not None:
            raise ConfigError(
                "proxy", f"{_named(config.proxy)} cannot be combined with {name}: {why}"
            )
    if config.proxy != "auto":
        _check_smaller(config, config.proxy)
    elif (_fixed_width(config) or 0) <= _NARROWEST:
        raise ConfigError(
            "proxy", f"auto makes networks narrower, but their width is searched, or at most "
            f"{_NARROWEST}; give another smaller setting, such as steps=500"
        )  # fmt: skip


def _check_smaller(config: "SearchConfig", proxy: Proxy) -> None:
    """Check that a proxy's settings are smaller than the search's, and fixed there."""
    if not str(proxy):
        raise ConfigError("proxy", "it changes nothing; give it a width, an image_size or steps")
    full: Mapping[str, int | None] = {
        "width": _fixed_width(config),
        "image_size": config.image_size,
        "steps": config.full_steps,
    }
    for name, most in full.items():
        value = getattr(proxy, name)
        if name == "width" and value is not None and most is None:
            raise ConfigError(
                "proxy", f"width {value}, but the networks' width is searched, or they have none; "
                "leave it out of the proxy, or fix it"
            )  # fmt: skip
        if value is not None and most is not None and value >= most:
            raise ConfigError(
                "proxy", f"{name} {value}, but the training has {most}; give a smaller one"
            )


def _fixed_width(config: "SearchConfig") -> int | None:
    """The width of the networks; None if it is searched, or the type has none."""
    width = {**config.gan.defaults(), **config.settings}.get("width")
    return None if width is None or isinstance(width, Dimension) else int(width)


def proxy_of(config: "SearchConfig") -> Proxy:
    """A search's proxy, with ``auto`` resolved.

    ``auto`` changes only the width, because results carry over; fewer steps prefer learning rates
    under which longer trainings die (docs/search.md).
    """
    assert config.proxy is not None
    if config.proxy != "auto":
        return config.proxy
    return Proxy(width=max((_fixed_width(config) or 0) // _NARROWER, _NARROWEST))


def takes_mup(config: "SearchConfig") -> bool:
    """Whether a search uses the maximal update parametrisation because its proxy is narrower.

    It does by default, if the GAN type offers it and it covers the networks.
    """
    if not _changes_width(config) or "parametrisation" in config.params:
        return False
    searched = any(dimension.name == "attention" for dimension in config.space.dimensions)
    covered = not searched and config.gan.factor("attention", config.fixed) == "none"
    return covered and "parametrisation" in config.fixed


def standard_rates(config: "SearchConfig") -> list[str]:
    """A warning if the learning rates found are those of narrower networks."""
    if not _changes_width(config) or config.fixed.get("parametrisation") == "mup":
        return []
    return [
        "the proxy's networks are narrower, and parametrisation is standard: its learning rates "
        "may not suit the training"
    ]


def _changes_width(config: "SearchConfig") -> bool:
    return config.proxy is not None and proxy_of(config).width is not None


def small_copy(config: "SearchConfig") -> "SearchConfig":
    """The search that uses the proxy in place of the training.

    Args:
        config: of the whole search, resolved; ``time`` has been turned into steps.
    """
    proxy, full = proxy_of(config), config.full_steps
    assert config.run_dir is not None
    update: dict[str, Any] = {
        "proxy": None,
        "confirm": None,
        "target": None,
        "run_dir": config.run_dir / PROXY,
        "checkpoint_dir": None,
        "result_dir": None,
        "log_dir": None,
    }
    if config.max_minutes is not None:
        update["max_minutes"] = SEARCHED * config.max_minutes
    if proxy.image_size is not None:
        update["image_size"] = proxy.image_size
    if proxy.steps is not None:
        update["steps"] = proxy.steps
        if config.evaluate_every is not None and full is not None:
            update["evaluate_every"] = max(config.evaluate_every * proxy.steps // full, 1)
    if proxy.width is not None:
        update["params"] = {**config.params, **_narrowed(config, proxy.width)}
    return config.model_copy(update=update).resolved()


def _narrowed(config: "SearchConfig", width: int) -> dict[str, Value]:
    """The hyperparameters of narrower networks."""
    full = {name: int(config.fixed[name]) for name in _WIDTHS if name in config.fixed}
    return {name: max(round(width * value / full["width"]), 1) for name, value in full.items()}


def _named(proxy: Proxy | Literal["auto"]) -> str:
    return proxy if proxy == "auto" else str(proxy)
