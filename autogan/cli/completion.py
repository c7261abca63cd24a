"""Shell completion of the values of flags and arguments."""

from collections.abc import Callable, Iterable
from typing import Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from autogan.cli.listing import names
from autogan.config import packaged_configs
from autogan.criteria import CRITERIA
from autogan.criteria.networks.weights import KNOWN_FEATURES
from autogan.data import DATASETS
from autogan.models import GAN_TYPES
from autogan.models.formats import FORMATS
from autogan.search import SEARCH_METHODS, STOPPING_RULES
from autogan.trackers import TRACKERS

Complete = Callable[[typer.Context, str], list[str]]
"""From the flags so far and the beginning of a word to its completions."""

_NEEDS_ARGUMENT = ("folder", "file", "tfds", "hf")  # datasets that are written NAME:PATH


def of_key(name: str, field: FieldInfo) -> Complete | None:
    """The completion of a configuration key's value; None if there is none."""
    if name == "params":
        return _hyperparameters
    known: dict[str, Iterable[str]] = {
        "gan_type": GAN_TYPES.names(),
        "dataset": [n + ":" * (n in _NEEDS_ARGUMENT) for n in DATASETS.names()],
        "criterion": CRITERIA.names(),
        "also": CRITERIA.names(),
        "features": KNOWN_FEATURES,
        "search_method": SEARCH_METHODS.names(),
        "stopping": [*STOPPING_RULES.names(), "auto", "none"],
        "log_to": TRACKERS.names(),
        "device": ("auto", "cpu", "gpu"),
    }
    words = known.get(name, _literals(field.annotation))
    return _among(words) if words else None


def config(context: typer.Context, incomplete: str) -> list[str]:
    """Complete a bundled configuration's name; the shell completes files itself."""
    return _among(packaged_configs())(context, incomplete)


def listed(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the argument of ``autogan list``."""
    return _among(names())(context, incomplete)


def formats(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the format of an exported generator."""
    return _among(FORMATS.names())(context, incomplete)


def _among(words: Iterable[str]) -> Complete:
    """Complete one of some words; after a comma, another one."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        given, comma, last = incomplete.rpartition(",")
        return [given + comma + word for word in words if word.startswith(last)]

    return complete


def _hyperparameters(context: typer.Context, incomplete: str) -> list[str]:
    """Complete a hyperparameter of the GAN type given before it, then a choice's value."""
    kind = GAN_TYPES.get(context.params.get("gan_type") or "gan")
    name, equals, value = incomplete.partition("=")
    if not equals:
        return [f"{h.name}=" for h in kind.hyperparameters if h.name.startswith(name)]
    choices = next((h.choices for h in kind.hyperparameters if h.name == name), ())
    return [f"{name}={each}" for each in _among(choices)(context, value)]


def _literals(annotation: object) -> list[str]:
    """The words that a key's type allows."""
    if get_origin(annotation) is Literal:
        return [word for word in get_args(annotation) if isinstance(word, str)]
    return [word for each in get_args(annotation) for word in _literals(each)]
