"""What the commands print on standard output: results, for people or as JSON."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from autogan.core.invocation import command
from autogan.run.plan import Plan
from autogan.run.result import SearchResult
from autogan.run.summary import summary
from autogan.run.words import duration


def print_plan(plan: Plan, as_json: bool) -> None:
    """Print the resolved configuration and what it costs."""
    if as_json:
        print_json({**dataclasses.asdict(plan), "config": plan.config.as_dict()})
        return
    print(yaml.safe_dump(plan.config.as_dict(), sort_keys=False).rstrip())
    height, width, channels = plan.image_shape
    print(f"# {plan.images} training images of {width}x{height}x{channels}")
    if plan.classes:
        print(f"# classes: {_classes(plan.classes)}")
    points = "too many to count" if plan.points is None else plan.points
    searched = ", ".join(dimension.name for dimension in plan.config.space.dimensions)
    print(f"# searched: {searched}; points in the space: {points}")
    if plan.trials is None:
        print(f"# as many trials of {plan.steps} steps as fit into "
              f"{plan.config.max_minutes:g} minutes; in each")  # fmt: skip
    else:
        tried = "trials" if plan.config.repeats == 1 else "points"
        print(f"# {plan.trials} {tried} of {plan.steps} steps")
    full = 1.0 if plan.full is None else plan.full
    if plan.full is not None and plan.full != plan.trials:
        print(f"# all in all as much as {full:.3g} whole trainings ({_why(plan)})")
    print(f"# about {full * plan.updates:.0f} updates of both networks")
    if plan.training_seconds is not None:
        left_out = "" if plan.evaluations_timed else ", evaluations not counted"
        workers = plan.config.workers
        took = duration(full * plan.training_seconds / int(workers))
        where = f"{plan.device}, with {workers} workers" if workers != 1 else plan.device
        print(f"# about {took} here, on {where}, beside the start{left_out}")
    count = plan.trainings or 1
    print(f"# at most {plan.most_megabytes:.0f} MB on disk while it runs, "
          f"about {count * plan.megabytes:.0f} MB afterwards")  # fmt: skip


def _why(plan: Plan) -> str:
    """What makes the cost another one than that of so many trials."""
    config = plan.config
    reasons = {
        "early stopping": config.stopping is not None,
        f"{config.repeats} seeds for good points": config.repeats > 1,
        "the confirmation": config.confirm is not None,
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)


def _classes(counts: Mapping[str, int]) -> str:
    """Number, name and images of each class; in short where they are named by their numbers."""
    if list(counts) == [str(number) for number in range(len(counts))]:
        few, many = min(counts.values()), max(counts.values())
        images = f"{few} to {many}" if few < many else f"{few}"
        return f"0 to {len(counts) - 1}, {images} images of each"
    return ", ".join(f"{number} {name} ({n})" for number, (name, n) in enumerate(counts.items()))


def print_search(result: SearchResult, as_json: bool) -> None:
    """Print what a search found."""
    best = result.best
    root = result.folder.root
    if as_json:
        print_json({
            "folder": root,
            "objective": result.objective,
            "direction": result.direction,
            "hyperparameters": dict(result.hyperparameters),
            "best": None if best is None else best.number,
            "trials": [dataclasses.asdict(trial) for trial in result.trials],
            "front": [trial.number for trial in result.front],
            "judged": None if result.judged is None else result.judged.model_dump(),
            "confirmed": [
                {**dataclasses.asdict(c), "mean": c.mean, "spread": c.spread}
                for c in result.confirmed
            ],
        })  # fmt: skip
        return
    print(summary(result))
    if best is not None:
        print(f"train it again:  {command('autogan', 'train', result.folder.best_config)}")
        print_further(result.folder.best, result.logs)


def print_further(folder: Path, logs: Path) -> None:
    """Print what to do next."""
    print(f"see its images:  {command('autogan', 'sample', folder)}")
    print(f"see its curves:  {command('tensorboard', '--logdir', logs)}")
    print('                 (while it runs too: turn on "Reload data" in TensorBoard\'s settings)')


def print_json(value: Any) -> None:
    """Print plain values; paths as text."""
    print(json.dumps(value, indent=2, default=str))
