"""The command line. Reads flags and files, calls `autogan.commands`, prints what comes back.

Results go to standard output, progress and errors to standard error. Exit codes: 0, 1 for a run
that failed, 2 for something wrong in what the user gave, 130 after Ctrl-C.
"""

import contextlib
import dataclasses
import inspect
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import yaml
from pydantic.fields import FieldInfo

from autogan import commands
from autogan.config import SearchConfig, TrainConfig, load_config, packaged_configs, parse_params
from autogan.confirmation import advantage
from autogan.criteria import CRITERIA
from autogan.datasets import DATASETS
from autogan.display import Display, describe, make_display, outcome
from autogan.errors import AutoGANError, ConfigError, Interrupted
from autogan.files import write_bytes
from autogan.images import grid, png
from autogan.loop import SearchResult
from autogan.models import GAN_TYPES
from autogan.registry import suggestion
from autogan.search import SEARCH_METHODS, STOPPING_RULES
from autogan.version import __version__

F = TypeVar("F", bound=Callable[..., None])

app = typer.Typer(
    help="Find the hyperparameters of a GAN by the quality of its images.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ConfigFile = Annotated[
    Path | None, typer.Argument(help="a YAML file, or a name; see: autogan list configs")
]
Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace an earlier run in the folder")
]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an error")]
Checkpoint = Annotated[commands.Checkpoint, typer.Option(help="which evaluation's generator")]


def options_of(kind: type[TrainConfig], *names: str) -> Callable[[F], F]:
    """Give a command a flag for each key of a configuration, or for the named ones.

    The command takes them as one dictionary, ``flags``; a flag that was not given is None.
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
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_option(name, field)
            )
            for name, field in fields.items()
        ]
        wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
        keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
        wrapper.__signature__ = inspect.Signature([*keyword, *added])  # type: ignore[attr-defined]
        wrapper.__annotations__ = {p.name: p.annotation for p in [*keyword, *added]}
        return wrapper  # type: ignore[return-value]

    return decorate


def _option(name: str, field: FieldInfo) -> Any:
    """The flag of one key."""
    text = field.description or ""
    if field.default not in (None, [], {}) and not isinstance(field.default, bool):
        text += f" [{field.default}]"
    flag = f"--{name.replace('_', '-')}"
    if name == "params":
        return Annotated[
            list[str] | None, typer.Option("--param", help=text, metavar="NAME=VALUES")
        ]
    if field.annotation is bool:
        return Annotated[bool | None, typer.Option(f"{flag}/--no-{flag[2:]}", help=text)]
    # All others are text here: the configuration reads numbers, and says what is wrong with them.
    kinds = {int: "INT", float: "NUMBER", Path: "PATH"}
    metavar = next((m for k, m in kinds.items() if field.annotation in (k, k | None)), "TEXT")
    return Annotated[str | None, typer.Option(flag, help=text, metavar=metavar)]


@app.command()
@options_of(SearchConfig)
def search(
    config: ConfigFile = None,
    resume: Annotated[Path | None, typer.Option(help="go on with the search in a folder")] = None,
    overwrite: Overwrite = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what would be done, and stop")
    ] = False,
    json_: Json = False,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Train many GANs and find the best hyperparameters."""
    if resume is not None:
        if overwrite:
            raise ConfigError("overwrite", "True beside --resume; give one of them")
        if flags["run_dir"] is not None:
            raise ConfigError("run_dir", f"{flags['run_dir']} beside --resume; give one of them")
        given = load_config(SearchConfig, config, flags) if config else _given(flags)
        wanted: Any = given
    else:
        wanted = load_config(SearchConfig, config, flags)
    if dry_run:
        _print_plan(commands.plan(wanted, resume=resume, overwrite=overwrite), json_)
        return
    with _display() as display:
        result = commands.search(wanted, resume=resume, overwrite=overwrite, display=display)
    _print_search(result, json_)


@app.command()
@options_of(TrainConfig)
def train(
    config: ConfigFile = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with an interrupted training")
    ] = False,
    overwrite: Overwrite = False,
    json_: Json = False,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Train one GAN; any saved configuration runs again."""
    run = load_config(TrainConfig, config, flags)
    with _display() as display:
        result = commands.train(run, resume=resume, overwrite=overwrite, display=display)
    trial = result.trial
    if json_:
        _print_json({"folder": result.folder.root, "objective": result.objective,
                     **dataclasses.asdict(trial)})  # fmt: skip
        return
    print(f"{result.objective}: {outcome(trial)}")
    if trial.evaluations:
        print(f"last evaluation: step {trial.evaluations[-1].step}, "
              f"{describe(trial.evaluations[-1].scores)}")  # fmt: skip
    _print_further(result.folder.root, result.folder.logs)


@app.command()
@options_of(
    TrainConfig, "data_dir", "image_size", "features", "eval_samples", "reference_split", "device",
    "threads", "plugin_dirs",
)  # fmt: skip
def evaluate(
    images: Annotated[str, typer.Argument(help="a run's folder, a folder of images, a dataset")],
    reference: Annotated[
        str | None, typer.Option(help="a dataset or a folder of images [the run's dataset]")
    ] = None,
    criterion: Annotated[
        str | None, typer.Option(help="criteria, separated by commas [the run's own; fid]")
    ] = None,
    checkpoint: Checkpoint = "best",
    json_: Json = False,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Score a trained GAN, or compare two sets of images."""
    scores = commands.evaluate(
        images,
        reference=reference,
        criteria=criterion,
        checkpoint=checkpoint,
        options=flags,
    )
    if json_:
        _print_json(scores)
    else:
        for label, score in scores.items():
            print(f"{label}  {score:.6g}")


@app.command()
@options_of(TrainConfig, "data_dir", "device", "threads", "plugin_dirs")
def sample(
    folder: Annotated[Path, typer.Argument(help="of a search (its best trial) or a training")],
    count: Annotated[
        int | None, typer.Option(min=1, help="how many images [64; with --classes 8 of each]")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(help="classes to make, as 0,3,7: a column each [those of the training set]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the latent vectors")] = 0,
    checkpoint: Checkpoint = "best",
    output: Annotated[
        Path | None,
        typer.Option(help="NAME.png for one grid, else a folder of single images [samples.png]"),
    ] = None,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Generate images with a trained GAN."""
    output = output or Path("samples.png")
    if output.suffix.lower() != ".png" and output.is_dir() and any(output.iterdir()):
        raise ConfigError("output", f"{output} is not empty; give a new folder, or NAME.png")
    chosen = _classes(classes)
    images = commands.sample(
        folder, count=count, classes=chosen, seed=seed, checkpoint=checkpoint, options=flags
    )
    try:
        if output.suffix.lower() == ".png":
            write_bytes(output, png(grid(images, len(chosen or []))))
        else:
            for number, image in enumerate(images):
                write_bytes(output / f"{number:06d}.png", png(image))
    except OSError as error:
        raise ConfigError("output", f"{output} cannot be written ({error.strerror})") from error
    print(output)


@app.command("list")
def list_(
    what: Annotated[
        str,
        typer.Argument(
            help="gan-types, one of them, datasets, criteria, search-methods, "
            "stopping-rules or configs"
        ),
    ] = "gan-types",
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """List what can be chosen, with the hyperparameters of the GAN types."""
    kinds: dict[str, Any] = {
        "gan-types": GAN_TYPES,
        "datasets": DATASETS,
        "criteria": CRITERIA,
        "search-methods": SEARCH_METHODS,
        "stopping-rules": STOPPING_RULES,
    }
    if what == "configs":
        configs = {name: path.read_text() for name, path in packaged_configs().items()}
        if json_:
            _print_json(configs)
        else:
            print("\n".join(f"# {name}\n{text}" for name, text in configs.items()))
        return
    if what.replace("-", "_") in GAN_TYPES.names():
        kinds[what] = [GAN_TYPES.get(what)]
    if what not in kinds:
        raise ConfigError(
            "list", f"{what!r} cannot be listed; {suggestion(what, [*kinds, 'configs'])}"
        )
    parts = list(kinds[what])
    if json_:
        _print_json([_part(part) for part in parts])
        return
    for part in parts:
        better = {"min": " (lower is better)", "max": " (higher is better)"}
        print(f"{part.name}: {part.summary}{better.get(getattr(part, 'direction', ''), '')}")
        for h in getattr(part, "hyperparameters", ()):
            searched = f"; searched by default: {', '.join(map(str, h.search))}" if h.search else ""
            print(f"  {h.name} = {h.default}  ({h.limits()})\n      {h.meaning}{searched}")


@app.callback(invoke_without_command=True)
def version(
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
) -> None:
    """Find the hyperparameters of a GAN by the quality of its images."""
    if version:
        print(f"autogan {__version__}")
        raise typer.Exit


def _classes(text: str | None) -> list[int] | None:
    """Read ``0,3,7``."""
    try:
        return None if text is None else [int(number) for number in text.split(",")]
    except ValueError:
        raise ConfigError("classes", f"{text!r} is no list of numbers such as 0,3,7") from None


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    """The flags that were given."""
    return {name: value for name, value in flags.items() if value not in (None, {})}


@contextlib.contextmanager
def _display() -> Iterator[Display]:
    display = make_display()
    try:
        yield display
    finally:
        display.close()


def _print_plan(plan: commands.Plan, as_json: bool) -> None:
    if as_json:
        _print_json({**dataclasses.asdict(plan), "config": plan.config.as_dict()})
        return
    print(yaml.safe_dump(plan.config.as_dict(), sort_keys=False).rstrip())
    height, width, channels = plan.image_shape
    points = "uncountable" if plan.points is None else plan.points
    print(f"# {plan.images} training images of {width}x{height}x{channels}")
    if plan.classes:
        names = (f"{number} {name} ({n})" for number, (name, n) in enumerate(plan.classes.items()))
        print(f"# classes: {', '.join(names)}")
    trials = "as many" if plan.trials is None else plan.trials
    print(f"# {trials} trials of {plan.steps} steps; points in the space: {points}")
    if plan.trials is None:
        print(f"# as fit into {plan.config.max_minutes:g} minutes; in each")
    count = plan.trainings or 1
    if count != plan.trials and plan.trainings:
        print(f"# {count} trainings with repeated seeds and the confirmation")
    about = "about" if plan.config.stopping is None else "at most"
    print(f"# {about} {count * plan.updates} updates of both networks and "
          f"{count * plan.megabytes:.0f} MB on disk")  # fmt: skip


def _print_search(result: SearchResult, as_json: bool) -> None:
    best = result.best
    root = result.folder.root
    if as_json:
        _print_json({
            "folder": root,
            "objective": result.objective,
            "direction": result.direction,
            "hyperparameters": dict(result.hyperparameters),
            "best": None if best is None else best.number,
            "trials": [dataclasses.asdict(trial) for trial in result.trials],
            "front": [trial.number for trial in result.front],
            "confirmed": [
                {**dataclasses.asdict(c), "mean": c.mean, "spread": c.spread}
                for c in result.confirmed
            ],
        })  # fmt: skip
        return
    if best is None:
        print(f"none of {len(result.trials)} trials came to a value; see {root}")
        return
    for trial in result.front:
        scores = next(e.scores for e in trial.evaluations if e.step == trial.step)
        print(f"on the front: trial {trial.number}  {describe(scores)}  {describe(trial.params)}")
    print(f"best of {len(result.trials)} trials: trial {best.number}")
    for name, value in best.params.items():
        print(f"  {name} = {value}")
    if not result.front:
        print(f"  {result.objective} = {best.value:.6g} at step {best.step}")
        alike = [t for t in result.trials if t.params == best.params and not t.confirms]
        values = [trial.value for trial in alike if trial.value is not None]
        if len(values) > 1:
            spread = f"standard deviation {statistics.stdev(values):.3g}"
            print(f"  under its {len(values)} seeds: mean {statistics.fmean(values):.6g}, {spread}")
    _print_confirmed(result)
    print(f"train it again:  autogan train {result.folder.best_config}")
    _print_further(result.folder.best, result.logs)


def _print_confirmed(result: SearchResult) -> None:
    """What the best are worth under fresh seeds, beside what the search had seen of them."""
    if not result.confirmed:
        return
    seeds = len(result.confirmed[0].values) + result.confirmed[0].lost
    print(f"trained again under {seeds} fresh seeds, mean ± standard deviation:")
    for each in result.confirmed:
        words = ["no value" if each.mean is None else f"{each.mean:.4g}"]
        if each.spread is not None:
            words[0] += f" ± {each.spread:.3g}"
        if each.lost:
            words.append(f"{each.lost} diverged")
        if each.observed is not None:
            words.append(f"the search saw {each.observed:.4g}")
        if each.observed is not None and each.mean is not None:
            words.append(f"a gap of {each.mean - each.observed:+.3g}")
        name = "the defaults" if each.number is None else f"trial {each.number}"
        print(f"  {name}: {', '.join(words)}  {describe(each.params)}")
    print(_verdict(result))


def _verdict(result: SearchResult) -> str:
    """Whether the search beat the GAN type's defaults."""
    winner = result.confirmed[0]
    if winner.number is None:
        return "the defaults did better than all that was found"
    defaults = next((c for c in result.confirmed if c.number is None), None)
    if defaults is None:
        return "the defaults are among the best that were found"
    if len(defaults.values) < 2 or len(winner.values) < 2:
        return f"of the defaults' trainings {defaults.lost} diverged, of the winner's {winner.lost}"
    difference, low, high = advantage(winner, defaults)
    if low <= 0 <= high:
        verdict = "it may be luck"
    elif (difference < 0) == (result.direction == "min"):
        verdict = "better"
    else:
        verdict = "worse, but the defaults diverged more often"
    interval = f"95 % interval {low:+.3g} to {high:+.3g}"
    return f"against the defaults: {difference:+.3g}, {interval}: {verdict}"


def _print_further(folder: Path, logs: Path) -> None:
    print(f"see its images:  autogan sample {folder}")
    print(f"see its curves:  tensorboard --logdir {logs}")


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str))


def _part(part: Any) -> dict[str, Any]:
    """A registered part as plain values."""
    values = {"name": part.name, "summary": part.summary}
    if hasattr(part, "direction"):
        values["direction"] = part.direction
    if hasattr(part, "hyperparameters"):
        values["hyperparameters"] = [dataclasses.asdict(h) for h in part.hyperparameters]
    return values


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits the process."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(arguments, standalone_mode=False) or 0
    except AutoGANError as error:
        if "--debug" in arguments:
            print(getattr(error, "report", ""), file=sys.stderr)
            raise
        print(f"autogan: {error}", file=sys.stderr)
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print("autogan: stopped", file=sys.stderr)
        code = Interrupted.exit_code
    except Exception as error:
        # Typer's usage errors, whose base class has moved between its versions.
        if not hasattr(error, "format_message"):
            raise
        print(f"autogan: {error.format_message()}{_hint(arguments)}", file=sys.stderr)
        code = ConfigError.exit_code
    sys.exit(code)


def _hint(arguments: list[str]) -> str:
    """What to write instead of a hyperparameter's flag, if there is one."""
    known = {h.name for kind in GAN_TYPES for h in kind.hyperparameters}
    for argument in arguments:
        name = argument.partition("=")[0].removeprefix("--").replace("-", "_")
        if argument.startswith("--") and name in known:
            return f"; {name} is a hyperparameter: --param {name}=VALUE"
    return ""


if __name__ == "__main__":
    main()
