"""Combine the factors of a GAN, search by several methods, and print the effect of each factor.

    python scripts/studies/study.py factors_digits                              the whole study
    python scripts/studies/study.py factors_digits --methods grid --seeds 1 --settings \
        learning_rate=1e-3
    python scripts/studies/study.py --report-only runs/study-factors_digits --markdown --csv \
        trials.csv

After Kurach et al. (2019, "A Large-Scale Study on Regularization and Normalization in GANs",
arXiv:1807.04720). Each method searches the space of a configuration; for ranges, `grid` takes the
paper's fixed settings, or those of --settings. All points that a method tried are trained again
under further seeds. Each search has its own folder below runs/study-CONFIG: the study can be
stopped at any time, and resumes when called again.
"""

import argparse
import csv
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from study_tables import Training, tables, varied

import autogan
from autogan.config import SearchConfig, Setting, load_config, load_saved, parse_params
from autogan.core.errors import AutoGANError, ConfigError, Interrupted
from autogan.core.hyperparameters import Value
from autogan.record.folder import SearchFolder
from autogan.record.ledger import Ledger
from autogan.record.resume import resumed_config
from autogan.search import SEARCH_METHODS, History
from autogan.show.displays import make_display

METHODS = "grid,random,gp"
FIXED: dict[str, tuple[float, ...]] = {
    "learning_rate": (1e-4, 2e-4, 1e-3),
    "penalty_weight": (1.0, 10.0),
    "beta1": (0.5, 0.9),
    "beta2": (0.9, 0.999),
}
"""The paper's fixed settings (section 2.4); a grid takes those inside a range."""

FLAGS: dict[str, Callable[[str], object]] = {
    "dataset": str,
    "data_dir": Path,
    "features": str,
    "image_size": int,
    "steps": int,
    "evaluate_every": int,
    "threads": int,
    "workers": int,
}
"""The keys of a configuration that can be set by flags."""


def main() -> int:
    """Search and report; return the exit code."""
    given = _parser().parse_args()
    try:
        if given.report_only:
            folders = given.report_only
        else:
            study(given)
            folders = [_root(given)]
        report(trainings(folders), given.markdown, given.csv)
    except Interrupted as stopped:
        print("study: stopped; repeat the command to resume", file=sys.stderr)
        return stopped.exit_code
    except AutoGANError as error:
        print(f"study: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("config", type=Path, nargs="?", help="a file, or a bundled one's name")
    chosen.add_argument(
        "--report-only", type=Path, nargs="+", metavar="FOLDER", help="folders of studies, searches"
    )
    parser.add_argument("--methods", default=METHODS, help=f"search methods [{METHODS}]")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each point [3]")
    parser.add_argument(
        "--trials", type=int, help="points per method, except for grid [the file's]"
    )
    parser.add_argument(
        "--settings",
        action="append",
        default=[],
        metavar="NAME=V,V",
        help="grid's values in place of a range",
    )
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="as in autogan search"
    )
    for name, kind in FLAGS.items():
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=kind, help="as in autogan search")
    parser.add_argument("--folder", type=Path, help="folder of all searches [runs/study-CONFIG]")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all trainings")
    return parser


def _root(given: argparse.Namespace) -> Path:
    return given.folder or Path("runs") / f"study-{given.config.stem}"


def study(given: argparse.Namespace) -> None:
    """Run all searches that have not ended: each method's own search, then its further seeds.

    Raises:
        AutoGANError: as `autogan.run_search`; no search starts if the configuration is wrong.
    """
    if given.seeds < 1:
        raise ConfigError("seeds", f"{given.seeds}; give 1 or more")
    firsts = [first_search(given, method.strip()) for method in given.methods.split(",")]
    for config in firsts:
        print(f"{config.run_dir}: {config.trials} points, {given.seeds} seeds", file=sys.stderr)
    for first in firsts:
        run(first)
        for seed in range(1, given.seeds):
            run(again(first, seed))


def first_search(given: argparse.Namespace, method: str) -> SearchConfig:
    """A method's own search, in which every trial is trained to its end under one seed."""
    flags = {name: getattr(given, name) for name in (*FLAGS, "trials")}
    flags |= {"search_method": method, "stopping": "none", "repeats": 1}
    params = parse_params(given.param)
    config = load_config(SearchConfig, given.config, {**flags, "params": params})
    if len(config.objectives) > 1:
        raise ConfigError("criterion", f"{config.criterion} are several; a study needs one")
    if SEARCH_METHODS.get(method).needs_lists:
        params = {**params, **settings(config, parse_params(given.settings))}
        config = load_config(SearchConfig, given.config, {**flags, "params": params})
        config = config.model_copy(update={"trials": None})  # all points
    name = f"{config.search_method}-{config.seed}"
    run_dir = (_root(given) / name).absolute()
    whole = dict.fromkeys(("confirm", "target", "max_minutes", "max_steps"))
    return config.model_copy(update={**whole, "run_dir": run_dir}).resolved()


def settings(config: SearchConfig, given: Mapping[str, Setting]) -> dict[str, Setting]:
    """The grid's values in place of each range: the user's, or else the paper's.

    Raises:
        ConfigError: if there are none for a range.
    """
    chosen = dict(given)
    for dimension in config.space.dimensions:
        interval, name = dimension.range, dimension.name
        if interval is None or name in given:
            continue
        inside: list[Value] = [v for v in FIXED.get(name, ()) if interval.low <= v <= interval.high]
        if not inside:
            raise ConfigError(
                "settings",
                f"{name}={interval} is a range, and grid needs values; give --settings "
                f"{name}=V1,V2",
            )
        chosen[name] = inside
    return chosen


def again(first: SearchConfig, seed: int) -> SearchConfig:
    """A search that trains another one's points under another seed, in the same order."""
    assert first.run_dir is not None
    tried = History(Ledger(SearchFolder(first.run_dir).ledger).trials, "min").telling
    number = first.seed + seed
    update = {
        "seed": number,
        "enqueue": tuple(trial.params for trial in tried),
        "trials": len(tried),
        "run_dir": first.run_dir.with_name(f"{first.search_method}-{number}"),
    }
    return first.model_copy(update=update).resolved()


def run(config: SearchConfig) -> None:
    """Run a search, or resume it; do nothing if it has ended."""
    assert config.run_dir is not None
    assert config.trials is not None
    folder = SearchFolder(config.run_dir)
    begun = folder.config.exists()
    if begun:
        resumed_config(folder.root, config)  # refuses another configuration
        trials = Ledger(folder.ledger).trials
        if len(History(trials, "min").telling) >= config.trials:
            return
    display = make_display()
    try:
        autogan.run_search(config, resume=folder.root if begun else None, display=display)
    finally:
        display.close()


def trainings(folders: Iterable[Path]) -> list[Training]:
    """All complete trainings of searches, including those that diverged or collapsed.

    Args:
        folders: folders of searches, or folders that contain such.

    Raises:
        ConfigError: if a folder has no search, or the values cannot be compared.
    """
    found, labels = [], set()
    for root in _searches(folders):
        config = load_saved(SearchConfig, SearchFolder(root).config)
        ledger = Ledger(SearchFolder(root).ledger)
        history = History(ledger.trials, config.objective.direction)
        for trial in history.trials:
            if trial.confirms or not (trial.dead or trial.whole):
                continue
            labels.add(ledger.header["objective"])
            params = config.gan.meaningful({**config.fixed, **trial.params})
            loss = math.inf if trial.worth is None else history.sign * trial.worth
            found.append(
                Training(str(root), config.search_method, params, loss, history.sign, trial)
            )
    if len(labels) > 1:
        raise ConfigError("report_only", f"{', '.join(sorted(labels))} cannot be compared")
    if not found:
        raise ConfigError("report_only", "no training has ended yet; resume the study")
    return found


def _searches(folders: Iterable[Path]) -> list[Path]:
    searches = []
    for folder in folders:
        inside = [folder] if SearchFolder(folder).config.exists() else sorted(folder.glob("*/"))
        own = [root for root in inside if SearchFolder(root).config.exists()]
        if not own:
            raise ConfigError("report_only", f"{folder} holds no search; name a study's folder")
        searches += own
    return searches


def report(found: Sequence[Training], markdown: bool, file: Path | None) -> None:
    """Print all tables, and write all trainings to a file if one is given."""
    for table in tables(found):
        print(table.text(markdown))
    if file is not None:
        write_csv(file, found)


def write_csv(file: Path, found: Sequence[Training]) -> None:
    """Write a line for each training, with the hyperparameters in which any two differ."""
    names = varied(found)
    labels = sorted(set().union(*(training.trial.labels() for training in found)))
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(
            [
                "search",
                "method",
                "trial",
                "seed",
                *names,
                "state",
                "value",
                "step",
                "seconds",
                *labels,
            ]
        )
        for training in found:
            trial = training.trial
            scores = trial.kept.scores if trial.kept else {}
            writer.writerow(
                [training.search, training.method, trial.number, trial.seed]
                + [training.params.get(name, "") for name in names]
                + [trial.state.value, trial.value, trial.step, f"{trial.seconds:.1f}"]
                + [scores.get(label, "") for label in labels]
            )


if __name__ == "__main__":
    sys.exit(main())
