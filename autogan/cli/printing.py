"""Results on standard output, for people or as JSON."""

import contextlib
import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from autogan.config import SearchConfig, TrainConfig, own_flags, proxy_of
from autogan.core.errors import printable_lines
from autogan.core.invocation import command
from autogan.core.text import counted
from autogan.criteria.networks.weights import inception_at_hand
from autogan.measure import by_label
from autogan.pool.finished import Scores
from autogan.record.words import Terms, aligned, duration
from autogan.run.plan import Plan
from autogan.search import State
from autogan.search.space import distinct_values
from autogan.show.advice import advice
from autogan.show.display import Display
from autogan.show.displays import make_display
from autogan.show.judged import columns, judgement, value_rows
from autogan.show.plain import plain, table
from autogan.show.result import SearchResult, TrainResult
from autogan.show.standings import confirming
from autogan.show.summary import standing, summary


def say(text: object) -> None:
    """Print results on standard output.

    Text from files cannot control the terminal: everything but printable characters and line ends
    is escaped.
    """
    print(printable_lines(str(text)), flush=True)


def print_plan(plan: Plan, as_json: bool) -> None:
    """Print the resolved configuration and its cost."""
    if as_json:
        print_json(_plain_plan(plan))
        return
    say(yaml.safe_dump(plan.config.as_dict(), sort_keys=False).rstrip())
    if plan.proxy is not None:
        say(f"# first a search with the proxy ({proxy_of(plan.config)}):")
        _print_cost(plan.proxy)
        say("# then in full:")
    _print_cost(plan)
    _print_limit(plan.config)


def _print_cost(plan: Plan) -> None:
    """Print a plan's images, space and cost."""
    height, width, channels = plan.image_shape
    say(f"# {plan.images} training images of {width}x{height}x{channels}")
    if plan.classes:
        say(f"# classes: {_classes(plan.classes)}")
    if plan.attributes:
        say(f"# attributes: {_classes(plan.attributes)}")
    if plan.config.features == "inception" and not inception_at_hand():
        say("# features: inception, which is not on this machine: it is downloaded first (90 MB)")
    dimensions = plan.config.space.dimensions
    points = "too many to count" if plan.points is None else plan.points
    if any(distinct_values(dimension) is None for dimension in dimensions):
        points = "no limit (ranges)"
    searched = ", ".join(dimension.name for dimension in dimensions)
    say(f"# searched: {searched}; points in the space: {points}")
    if plan.trials is None:
        say(f"# as many trials of {plan.steps} steps as the minutes allow; for each trial:")
    else:
        tried = "trial" if plan.config.repeats == 1 else "point"
        say(f"# {counted(plan.trials, tried)} of {plan.steps} steps")
    full = 1.0 if plan.full is None else plan.full
    if plan.full is not None and plan.full != plan.trials:
        say(f"# costs about as much as {full:.3g} whole trainings ({_why(plan)})")
    updates = round(full * plan.updates)
    done = f", of which {plan.done:,} are done" if plan.done else ""
    done = f"; {plan.done:,} are done already" if plan.done >= updates else done
    say(f"# about {updates:,} updates of both networks{done}")
    if plan.training_seconds is not None:
        left_out = "" if plan.evaluations_timed else " and evaluations"
        workers = plan.config.workers
        assert isinstance(workers, int)
        took = duration(full * plan.training_seconds / workers)
        where = f"{plan.device}, with {workers} workers" if workers != 1 else plan.device
        say(f"# about {took} here, on {where}, plus start-up{left_out}")
    count = plan.trainings or 1
    say(
        f"# at most {plan.most_megabytes:.0f} MB on disk during the run, "
        f"about {count * plan.megabytes:.0f} MB afterwards"
    )


def _print_limit(config: SearchConfig) -> None:
    """Print the minutes after which no training begins, by the clock and of all workers."""
    if config.max_minutes is None:
        return
    workers = config.workers
    assert isinstance(workers, int)
    clock = duration(60 * config.max_minutes / workers)
    each = f" on each of {workers} workers" if workers > 1 else ""
    say(f"# trains for at most {clock}{each}; start-up and the scores at the end come on top")


def _plain_plan(plan: Plan) -> dict[str, Any]:
    """A plan as plain values."""
    proxy = None if plan.proxy is None else _plain_plan(plan.proxy)
    return {**dataclasses.asdict(plan), "config": plan.config.as_dict(), "proxy": proxy}


def _why(plan: Plan) -> str:
    """The reasons why the cost differs from the number of trials."""
    config = plan.config
    reasons = {
        "early stopping": config.stops_by is not None,
        f"up to {config.repeats} seeds for good points": config.repeats > 1,
        "the confirmation": config.confirm is not None,
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)


def _classes(counts: Mapping[str, int]) -> str:
    """Number, name and images of each class or attribute; a summary if numbers name them."""
    if list(counts) == [str(number) for number in range(len(counts))]:
        few, many = min(counts.values()), max(counts.values())
        images = f"{few} to {many}" if few < many else f"{few}"
        return f"0 to {len(counts) - 1}, {images} images of each"
    return ", ".join(f"{number} {name} ({n})" for number, (name, n) in enumerate(counts.items()))


def print_search(result: SearchResult, as_json: bool, *, every: bool = False) -> None:
    """Print the result of a search, with its best trials or all of them."""
    best = result.best
    if as_json:
        print_json(plain(result))
        return
    say(summary(result, every=every))
    for line in advice(result) if result.ended else ():
        say(f"next time: {line}")
    if best is not None:
        own = own_flags(result.config, "train")
        again = command("autogan", "train", result.folder.best_config, *own)
        say(f"repeat it:       {again}")
        say(f"other seeds:     {again} --seeds 5")
        if result.ended and len(result.points) > 1 and not (result.confirmed or result.front):
            say(f"confirm it:      {command(*confirming(result))}")
        print_further(result.config, result.folder.best, result.logs)
    if result.folder.report.exists():
        say(f"see it all:      {result.folder.report}")


def print_training(result: TrainResult, as_json: bool) -> None:
    """Print the result of a training."""
    if as_json:
        print_json(plain(result))
        return
    trial = result.trial
    by = "" if trial.value is None else f", by {result.objective}"
    say(f"{result.terms.outcome(trial)}{by}")
    if trial.evaluations:
        last = trial.evaluations[-1]
        scores = result.terms.evaluation(last)
        say(", ".join(filter(None, (f"last evaluation: step {last.step}", scores))))
    if trial.state is State.TIMED_OUT:
        folder = result.folder
        again = ("train", folder.config, "--run-dir", folder.root, "--resume")
        own = own_flags(result.config, "train")
        say(f"resume with:     {command('autogan', *again, '--max-trial-minutes', 'MORE', *own)}")
    own = own_flags(result.config, "sample")
    if trial.worth is not None:
        say(f"how good is it:  {command('autogan', 'evaluate', result.folder.root, *own)}")
    print_further(result.config, result.folder.root, result.folder.logs)
    say(f"see it all:      {command('autogan', 'report', result.folder.root, *own)}")


def print_run(result: SearchResult | TrainResult, as_json: bool, as_csv: bool) -> None:
    """Print the result of a run so far."""
    if as_csv:
        names, rows = table(result)
        lines = io.StringIO()
        writer = csv.DictWriter(lines, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        say(lines.getvalue().removesuffix("\n"))
    elif isinstance(result, TrainResult):
        print_training(result, as_json)
    else:
        if not as_json:
            say("\n".join([*standing(result), ""]))
        print_search(result, as_json, every=True)


def print_scores(found: Scores, config: TrainConfig, as_json: bool) -> None:
    """Print values by label; those of a generator in a table, with others to compare them with."""
    if as_json:
        print_json(by_label(found))
        return
    if found.spread is None:
        say("\n".join(f"{label}  {score:.6g}" for label, score in found.scores.items()))
        return
    terms = Terms.of(config.criterion, found.names)
    table = aligned(value_rows(columns(found, terms, config)))
    say("\n".join([*table, *judgement(found, terms)]))
    say(f"to be quoted as {', '.join(found.scores)}")


def print_spoiled(found: Mapping[str, Mapping[str, float]], as_json: bool) -> None:
    """Print how criteria respond to spoiled images: a row per way, a column per label."""
    if as_json:
        print_json(found)
        return
    labels = list(next(iter(found.values())))
    rows = [["", *labels]]
    rows += [
        [words, *(f"{values[label]:.6g}" if label in values else "-" for label in labels)]
        for words, values in found.items()
    ]
    say("\n".join(aligned(rows)))


def print_further(config: TrainConfig, folder: Path, logs: Path) -> None:
    """Print the commands to use next."""
    images = command("autogan", "sample", folder, *own_flags(config, "sample"))
    say(f"see its images:  {images}")
    say(f"see its curves:  {command('tensorboard', '--logdir', logs)}")
    say('                 (for live updates, turn on "Reload data" in TensorBoard\'s settings)')


def print_json(value: Any) -> None:
    """Print plain values; paths as text."""
    say(json.dumps(value, indent=2, default=str))


@contextlib.contextmanager
def shown(quiet: bool) -> Iterator[Display]:
    """The terminal's display, or one that shows nothing if ``quiet``; closed at the end."""
    display = Display() if quiet else make_display()
    try:
        yield display
    finally:
        display.close()
