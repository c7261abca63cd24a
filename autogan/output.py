"""What the commands print on standard output: results, for people or as JSON."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import yaml

from autogan.run.plan import Plan
from autogan.run.result import SearchResult
from autogan.run.summary import summary


def print_plan(plan: Plan, as_json: bool) -> None:
    """Print the resolved configuration and what it costs."""
    if as_json:
        print_json({**dataclasses.asdict(plan), "config": plan.config.as_dict()})
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
    print(f"# {about} {count * plan.updates} updates of both networks")
    print(f"# at most {plan.most_megabytes:.0f} MB on disk while it runs, "
          f"about {count * plan.megabytes:.0f} MB afterwards")  # fmt: skip


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
        print(f"train it again:  autogan train {result.folder.best_config}")
        print_further(result.folder.best, result.logs)


def print_further(folder: Path, logs: Path) -> None:
    """Print what to do next."""
    print(f"see its images:  autogan sample {folder}")
    print(f"see its curves:  tensorboard --logdir {logs}")


def print_json(value: Any) -> None:
    """Print plain values; paths as text."""
    print(json.dumps(value, indent=2, default=str))


def part_as_dict(part: Any) -> dict[str, Any]:
    """A registered part as plain values."""
    values = {"name": part.name, "summary": part.summary}
    if hasattr(part, "direction"):
        values["direction"] = part.direction
    if hasattr(part, "hyperparameters"):
        values["hyperparameters"] = [dataclasses.asdict(h) for h in part.hyperparameters]
    return values
