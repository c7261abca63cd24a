"""Flags of the command line, derived from the keys of the configuration."""

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic.fields import FieldInfo
from rich.markup import escape
from typer.core import TyperCommand

from autogan import api
from autogan.cli import completion
from autogan.config import TrainConfig, parse_params
from autogan.core.errors import ConfigError, told
from autogan.models import GAN_TYPES

F = TypeVar("F", bound=Callable[..., None])

ConfigFile = Annotated[
    Path | None,
    typer.Argument(
        help="a YAML file or a name; see: autogan list configs", autocompletion=completion.config
    ),
]
ConfigOrRun = Annotated[
    Path | None,
    typer.Argument(
        help="a YAML file or a name (see: autogan list configs); with --resume, also a run's "
        "folder",
        autocompletion=completion.config,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
Checkpoint = Annotated[api.Checkpoint, typer.Option(help="which evaluation's generator")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace an earlier run in the folder")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="show nothing but the result and errors")]

Corrupt = Annotated[
    str,
    typer.Option(
        help="also score the images spoiled: blur=1,noise=0.1,rectangles=0.3,swirl=1,"
        "salt_pepper=0.1,repeats=0.5,foreign=0.5",
        metavar="NAME=STRENGTH,...",
    ),
]
KeepClasses = Annotated[
    str | None,
    typer.Option(help="also score only images of these classes: cat,dog", metavar="NAMES"),
]


def _remember(context: typer.Context, debug: bool) -> bool:
    """Let `main` know whether the user wants a traceback."""
    if isinstance(context.obj, dict):
        context.obj["debug"] = debug
    return debug


Debug = Annotated[
    bool, typer.Option("--debug", help="show the traceback of an error", callback=_remember)
]


def _all_flags(context: typer.Context, asked: bool) -> bool:
    """Show the help with the flags that ``--help`` hides, and exit."""
    if asked:
        for parameter in context.command.params:
            parameter.hidden = False  # type: ignore[attr-defined]
        typer.echo(context.get_help())
        raise typer.Exit
    return asked


HelpAll = Annotated[
    bool,
    typer.Option("--help-all", is_eager=True, callback=_all_flags, help="show all flags, and exit"),
]

_CLOSE = 0.8  # least likeness of a flag that is suggested, from 0 to 1
_LISTS = ("warm_start", "criterion", "also", "classes", "plugin_dirs", "log_to")


def refuse_flags_given_twice(app: typer.Typer) -> None:
    """Make all commands refuse flags that are given twice."""
    for command in app.registered_commands:
        command.cls = _Once


class _Once(TyperCommand):
    """A command that refuses to take twice those flags that people repeat to name several things.

    Only the last one would count. For other flags it does, as usual on command lines.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See Click's `Command.parse_args`.

        Raises:
            ConfigError: naming the flag.
        """
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for each in given:
            if each.name in _LISTS and given.count(each) > 1:
                raise ConfigError(each.name, "its flag is given twice; give it once")
        return super().parse_args(ctx, args)


def options_of(kind: type[TrainConfig], *names: str) -> Callable[[F], F]:
    """Give a command a flag for each key of a configuration, or for the named ones.

    The command takes them as one dictionary, ``flags``; a flag that was not given is None.
    ``--help`` shows only the flags of common keys.
    """

    def decorate(command: F) -> F:
        fields = {n: f for n, f in kind.model_fields.items() if not names or n in names}

        def wrapper(**arguments: Any) -> None:
            flags = {name: arguments.pop(name) for name in fields}
            if "params" in fields:
                flags["params"] = parse_params(flags["params"] or [])
            command(**arguments, flags=flags)

        own = [p for n, p in inspect.signature(command).parameters.items() if n != "flags"]
        added = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=_option(name, field, bool(names)),
            )
            for name, field in fields.items()
        ]
        wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
        keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
        wrapper.__signature__ = inspect.Signature([*keyword, *added])  # type: ignore[attr-defined]
        wrapper.__annotations__ = {p.name: p.annotation for p in [*keyword, *added]}
        return wrapper  # type: ignore[return-value]

    return decorate


def _option(name: str, field: FieldInfo, few: bool) -> Any:
    """The flag of one key, in the panel that the key names; shown if it is common or one of few."""
    text = field.description or ""
    known = text.endswith("]") or isinstance(field.default, bool)
    if field.default not in (None, [], {}, ()) and not known:
        text += f" [{field.default}]"
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    panel, hidden = str(extra["panel"]).capitalize(), not (few or extra["common"])
    how: dict[str, Any] = {"help": escape(text), "rich_help_panel": panel, "hidden": hidden}
    how["autocompletion"] = completion.of_key(name, field)
    flag = f"--{name.replace('_', '-')}"
    if name == "params":
        return Annotated[list[str] | None, typer.Option("--param", metavar="NAME=VALUES", **how)]
    if name == "enqueue":
        return Annotated[list[str] | None, typer.Option(flag, metavar="NAME=VALUE,...", **how)]
    if field.annotation is bool:
        return Annotated[bool | None, typer.Option(f"{flag}/--no-{flag[2:]}", **how)]
    # All others are text here: the configuration reads numbers and reports errors.
    kinds = {int: "INT", float: "NUMBER", Path: "PATH"}
    metavar = next((m for k, m in kinds.items() if field.annotation in (k, k | None)), "TEXT")
    return Annotated[str | None, typer.Option(flag, metavar=metavar, **how)]


def usage_problem(error: Any, arguments: list[str]) -> str:
    """The line for one of Typer's usage errors, with flags that are close to an unknown one.

    Args:
        error: has a method `format_message`; its class differs between versions of Typer.
        arguments: of the command line.
    """
    if several := getattr(error, "possibilities", None):
        error.possibilities = get_close_matches(error.option_name, several, cutoff=_CLOSE)
    return f"{told(error.format_message())}{_hint(arguments)}"


def _hint(arguments: list[str]) -> str:
    """A hint for arguments that use a hyperparameter as a flag; empty without one."""
    known = {h.name for kind in GAN_TYPES for h in kind.hyperparameters}
    for argument in arguments:
        name = argument.partition("=")[0].removeprefix("--").replace("-", "_")
        if argument.startswith("--") and name in known:
            return f"; {name} is a hyperparameter: --param {name}=VALUE"
    return ""
