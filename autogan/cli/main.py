"""The command line. Reads flags and files, calls `autogan.api`, prints the results.

Results go to standard output, progress and errors to standard error. Exit codes: 0, 1 for a run
that failed, 2 for wrong input, 130 after Ctrl-C.
"""

import io
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from autogan import api
from autogan.cli import completion, making, scoring
from autogan.cli.listing import listing
from autogan.cli.options import (
    ConfigFile,
    ConfigOrRun,
    Debug,
    HelpAll,
    Json,
    Overwrite,
    Quiet,
    options_of,
    refuse_flags_given_twice,
    usage_problem,
)
from autogan.cli.printing import (
    print_json,
    print_plan,
    print_run,
    print_search,
    print_training,
    say,
    shown,
)
from autogan.config import SearchConfig, TrainConfig, load_config, under_seeds, validated
from autogan.core.errors import (
    AutoGANError,
    ConfigError,
    Interrupted,
    SearchFailed,
    StorageError,
    printable,
)
from autogan.core.files import look
from autogan.core.signals import heeded
from autogan.core.text import read_path
from autogan.record.resume import MOVABLE, RESUMABLE
from autogan.report import writing
from autogan.run.opening import in_free_folder
from autogan.show.result import TrainResult
from autogan.show.study import write_study
from autogan.version import __version__

F = TypeVar("F", bound=Callable[..., None])

app = typer.Typer(
    help="Find the hyperparameters of a GAN by the quality of its images.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.command()
@options_of(SearchConfig)
def search(
    config: ConfigFile = None,
    resume: Annotated[Path | None, typer.Option(help="resume the search in this folder")] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="with --resume: retry failed trials", hidden=True)
    ] = False,
    accept_changed_data: Annotated[
        bool,
        typer.Option(
            "--accept-changed-data",
            hidden=True,
            help="with --resume: accept changed training images if the real images for scoring are "
            "the same",
        ),
    ] = False,
    overwrite: Overwrite = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print the plan and its cost, and stop")
    ] = False,
    estimate: Annotated[
        bool,
        typer.Option("--estimate", help="with --dry-run: time some steps, estimate the total time"),
    ] = False,
    json_: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
    help_all: HelpAll = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Train many GANs and find the best hyperparameters."""
    if resume is not None:
        if overwrite:
            raise ConfigError(
                "overwrite", "True cannot be combined with --resume; give one of them"
            )
        if flags["run_dir"] is not None:
            given_dir = f"{flags['run_dir']} cannot be combined with --resume"
            raise ConfigError("run_dir", f"{given_dir}; give one of them")
        given = load_config(SearchConfig, config, flags) if config else _given(flags)
        wanted: Any = given
    else:
        wanted = load_config(SearchConfig, config, flags)
    if dry_run:
        with shown(quiet) as display:
            made = api.plan(
                wanted, resume=resume, overwrite=overwrite, estimate=estimate, display=display
            )
        print_plan(made, json_)
        return
    if estimate:
        raise ConfigError("estimate", "True without --dry-run; a search shows its pace anyway")
    with shown(quiet) as display:
        result = api.run_search(
            wanted, resume=resume, overwrite=overwrite, retry_failed=retry_failed,
            accept_changed_data=accept_changed_data, display=display,
        )  # fmt: skip
    print_search(result, json_)


@app.command()
@options_of(TrainConfig)
def train(
    config: ConfigOrRun = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="resume an interrupted training; to train longer, to N steps in all: "
            "train RUN --resume --steps N",
        ),
    ] = False,
    seeds: Annotated[
        int | None, typer.Option(min=2, help="train under this number of fresh seeds, and compare")
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            help="with --seeds: trainings at a time [one per core on CPUs]", metavar="INT"
        ),
    ] = None,
    overwrite: Overwrite = False,
    json_: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
    help_all: HelpAll = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Train one GAN; any saved configuration runs again."""
    if config is not None and look(config, "config") == "folder":
        result = _longer(config, resume, seeds, overwrite, quiet, flags)
        print_training(result, json_)
        return
    run = load_config(TrainConfig, config, flags)
    if seeds is not None:
        again = under_seeds(run, seeds, workers)
        folder = {"resume": again.run_dir} if resume else {"overwrite": overwrite}
        with shown(quiet) as display:
            if run.run_dir is None and not (resume or overwrite):
                again = in_free_folder(again, display.note)
            changes = {"trials": seeds, "log_to": run.log_to}
            found = api.run_search(changes if resume else again, **folder, display=display)
        print_search(found, json_)
        return
    with shown(quiet) as display:
        result = api.train(run, resume=resume, overwrite=overwrite, display=display)
    print_training(result, json_)


app.command()(scoring.evaluate)
app.command()(scoring.statistics)
app.command()(making.sample)
app.command()(making.play)
app.command()(making.export)


@app.command()
@options_of(TrainConfig, "plugin_dirs")
def show(
    folder: Annotated[Path, typer.Argument(help="folder of a search or training, ended or not")],
    csv: Annotated[
        bool, typer.Option("--csv", help="print a table with a row per evaluation")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="print all that is known as JSON")] = False,
    optuna: Annotated[
        Path | None, typer.Option(help="write a search's trials as an Optuna study: NAME.db")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace NAME.db")] = False,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Show the result so far of a search or training."""
    if csv and json_:
        raise ConfigError("csv", "cannot be combined with --json; give one of them")
    result = api.load(folder, options=flags)
    if optuna is None:
        print_run(result, json_, csv)
        return
    if csv or json_:
        raise ConfigError("optuna", f"{optuna} cannot be combined with --csv or --json")
    if isinstance(result, TrainResult):
        raise ConfigError("optuna", f"{optuna}, but {folder} is a training; name a search")
    write_study(result, read_path("optuna", str(optuna)), overwrite=overwrite)
    say(optuna)


@app.command()
@options_of(TrainConfig, "plugin_dirs")
def report(
    folders: Annotated[
        list[Path], typer.Argument(help="folder of a search or training; several are compared")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="the page; may replace an earlier one [FOLDER/report.html; of several runs: a new "
            "comparison.html here, else comparison-2.html, ...]",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="update the page until the run ends")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="show it in a browser")] = False,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Write a page that shows a search or training, or compares several."""
    pages: Iterator[Path] = iter(())
    if watch:
        pages = writing.watch(*folders, output=output, options=flags)
        page = next(pages)
    else:
        page = writing.write_report(*folders, output=output, options=flags)
    say(page)
    if open_:
        typer.launch(page.absolute().as_uri())
    for _ in pages:
        pass


@app.command()
@options_of(TrainConfig, "plugin_dirs")
def check(
    folder: Annotated[Path, typer.Argument(help="folder of a search")],
    repair: Annotated[
        bool,
        typer.Option("--repair", help="cut a damaged record at the first wrong line; keep a copy"),
    ] = False,
    debug: Debug = False,
    *,
    flags: dict[str, Any],
) -> None:
    """Verify a search's record by replaying every decision."""
    with shown(quiet=False) as display:
        found = api.check(folder, repair=repair, options=flags, display=display)
    if found.difference:
        raise SearchFailed(
            f"{found.difference}; another version or other parts wrote the record, or it was "
            "changed by hand"
        )
    say(
        f"the record is consistent: replaying its {found.lines} lines gives the same "
        f"{found.decisions} decisions"
    )


@app.command("list")
def list_(
    what: Annotated[
        str | None,
        typer.Argument(
            help="gan-types, datasets, criteria, search-methods, stopping-rules, formats, "
            "trackers, configs, the name of one, module:Name, or runs [all names]",
            autocompletion=completion.listed,
        ),
    ] = None,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """List what can be chosen, the hyperparameters of a GAN type, or your runs."""
    found = listing(what)
    if json_:
        print_json(found.values)
    else:
        say("\n".join(found.lines))


@app.callback(invoke_without_command=True)
def top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
) -> None:
    """Find the hyperparameters of a GAN by the quality of its images."""
    if version:
        print(f"autogan {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


def _longer(
    folder: Path, resume: bool, seeds: int | None, overwrite: bool, quiet: bool,
    flags: dict[str, Any],
) -> TrainResult:  # fmt: skip
    """Continue the training in a folder."""
    if not resume:
        names = ("best.yaml", "config.yaml")
        file = next((folder / n for n in names if look(folder / n, "config")), "its file")
        raise ConfigError(
            "config",
            f"{folder} is a folder; to train longer, add --resume --steps STEPS; to train again, "
            f"give {file}",
        )
    length = {name: flags.pop(name) for name in ("steps", "epochs")}
    own = (*RESUMABLE, *MOVABLE)
    others = [name for name, value in _given(flags).items() if name not in own]
    others += ["seeds"] * (seeds is not None) + ["overwrite"] * overwrite
    if others:
        raise ConfigError(
            others[0], f"does not apply: the training in {folder} keeps its own; leave it out"
        )
    numbers = validated(TrainConfig, {n: v for n, v in length.items() if v is not None})
    place = flags.pop("run_dir")
    with shown(quiet) as display:
        return api.train_longer(
            folder, steps=numbers.steps, epochs=numbers.epochs, run_dir=place, options=flags,
            display=display,
        )  # fmt: skip


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    """The given flags."""
    return {name: value for name, value in flags.items() if value not in (None, {})}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits the process."""
    arguments = sys.argv[1:] if arguments is None else arguments
    asked: dict[str, bool] = {}
    if isinstance(sys.stdout, io.TextIOWrapper):  # file names may not be valid text
        sys.stdout.reconfigure(errors="backslashreplace")
    for number in heeded():  # until a search or training catches them, all act as Ctrl-C
        if threading.current_thread() is threading.main_thread():
            signal.signal(number, signal.default_int_handler)
    try:
        code = app(arguments, prog_name="autogan", standalone_mode=False, obj=asked) or 0
    except (AutoGANError, OSError) as caught:
        error = caught if isinstance(caught, AutoGANError) else StorageError.of(caught, verb="used")
        if asked.get("debug"):
            print(getattr(error, "report", ""), file=sys.stderr)
            raise
        print(f"autogan: {printable(str(error))}", file=sys.stderr)
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print("autogan: stopped", file=sys.stderr)
        code = Interrupted.exit_code
    except Exception as error:
        # Typer's usage errors; their base class differs between versions.
        if not hasattr(error, "format_message"):
            raise
        print(f"autogan: {usage_problem(error, arguments)}", file=sys.stderr)
        code = ConfigError.exit_code
    sys.exit(code)


refuse_flags_given_twice(app)
