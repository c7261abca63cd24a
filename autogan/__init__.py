"""AutoGAN: automatic search for GAN hyperparameters, driven by the quality of the images.

import autogan
result = autogan.run_search({"dataset": "digits", "trials": 5})
print(result.best, result.hyperparameters)

Names are imported when they are first used, so that ``import autogan`` costs nothing.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autogan.version import __version__

if TYPE_CHECKING:
    from autogan.api import check, load, plan, run_search, train, train_longer
    from autogan.config import SearchConfig, TrainConfig
    from autogan.core.errors import AutoGANError, ConfigError, Interrupted, SearchFailed
    from autogan.making import animate, export, play, sample, write_samples
    from autogan.measure import evaluate, spoil, statistics
    from autogan.report import write_report
    from autogan.show.displays import PlainDisplay
    from autogan.show.result import SearchResult, TrainResult
    from autogan.worker.generator import Generator, load_generator

_PLACES = {
    "AutoGANError": "core.errors",
    "ConfigError": "core.errors",
    "Generator": "worker.generator",
    "Interrupted": "core.errors",
    "PlainDisplay": "show.displays",
    "SearchConfig": "config",
    "SearchFailed": "core.errors",
    "SearchResult": "show.result",
    "TrainConfig": "config",
    "TrainResult": "show.result",
    "animate": "making",
    "check": "api",
    "evaluate": "measure",
    "export": "making",
    "load": "api",
    "load_generator": "worker.generator",
    "plan": "api",
    "play": "making",
    "run_search": "api",
    "sample": "making",
    "spoil": "measure",
    "statistics": "measure",
    "train": "api",
    "train_longer": "api",
    "write_report": "report",
    "write_samples": "making",
}

__all__ = [
    "AutoGANError",
    "ConfigError",
    "Generator",
    "Interrupted",
    "PlainDisplay",
    "SearchConfig",
    "SearchFailed",
    "SearchResult",
    "TrainConfig",
    "TrainResult",
    "__version__",
    "animate",
    "check",
    "evaluate",
    "export",
    "load",
    "load_generator",
    "plan",
    "play",
    "run_search",
    "sample",
    "spoil",
    "statistics",
    "train",
    "train_longer",
    "write_report",
    "write_samples",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'autogan' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"autogan.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _check_one_checkout() -> None:
    """Refuse to run half of one checkout and half of another.

    ``setup.py`` maps folders next to this one to sub-packages. In a second checkout that is not
    installed, Python finds this file there and those folders in the first.
    """
    here = Path(__file__).resolve().parent
    spec = importlib.util.find_spec("autogan.search")
    found = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
    if found not in (here, here.parent):
        raise ImportError(
            f"autogan is in {here}, but its search methods are in {found or 'no place'}; "
            f"install this checkout: pip install -e {here.parent}"
        )


_check_one_checkout()
