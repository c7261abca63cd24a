"""What the commands print on standard output: results, for people or as JSON."""

import dataclasses
import json
import math
import statistics
from pathlib import Path
from typing import Any

import yaml

from autogan.display import describe
from autogan.run.confirmation import advantage
from autogan.run.plan import Plan
from autogan.run.result import SearchResult


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
    _print_judged(result)
    _print_confirmed(result)
    print(f"train it again:  autogan train {result.folder.best_config}")
    print_further(result.folder.best, result.logs)


def _print_judged(result: SearchResult) -> None:
    """The best generator's scores on latent vectors that had no part in choosing it."""
    if result.judged is None:
        return
    print("on fresh latent vectors:")
    print(f"  {describe(result.judged.scores)}")
    if result.judged.test is not None:
        print(f"  {describe(result.judged.test)}")


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
    choices = sum(each.number is not None for each in result.confirmed)
    worst = math.inf if result.direction == "min" else -math.inf
    found = advantage(winner, defaults, choices, worst)
    interval = f"95 % interval {found.low:+.3g} to {found.high:+.3g}"
    if found.low <= 0 <= found.high:
        verdict = "it may be luck"
        if math.isinf(found.low) and math.isinf(found.high):
            verdict += ", so few seeds cannot tell"
    else:
        verdict = "better" if (found.high < 0) == (result.direction == "min") else "worse"
    return (
        f"against the defaults: {found.shift:+.3g}, {interval} "
        f"(by ranks, for the best of {choices}): {verdict}"
    )


def print_further(folder: Path, logs: Path) -> None:
    """Print what to do next."""
    print(f"see its images:  autogan sample {folder}")
    print(f"see its curves:  tensorboard --logdir {logs}")


def print_json(value: Any) -> None:
    """Print plain values; paths as text."""
    print(json.dumps(value, indent=2, default=str))
