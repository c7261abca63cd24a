"""A run's results as plain values: for JSON, and as a table for CSV."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from autogan.search import Trial
from autogan.show.advice import advice
from autogan.show.judged import warnings
from autogan.show.result import SearchResult, TrainResult
from autogan.show.standings import by_criterion, of_defaults, plain_standing
from autogan.show.verdict import verdict


def plain(result: SearchResult | TrainResult) -> dict[str, Any]:
    """All that is known about a run, as numbers, text, lists, mappings and paths."""
    if isinstance(result, TrainResult):
        return {
            "folder": result.folder.root,
            "objective": result.objective,
            **dataclasses.asdict(result.trial),
        }
    best = result.best
    return {
        "folder": result.folder.root,
        "state": result.state,
        "objective": result.objective,
        "direction": result.direction,
        "hyperparameters": dict(result.hyperparameters),
        "defaults": None if (own := of_defaults(result)) is None else plain_standing(own),
        "points": [plain_standing(point) for point in result.points],
        "best": None if best is None else best.number,
        "in_hand": None if result.in_hand is None else result.in_hand.number,
        "by_criterion": {
            c.criterion: {"value": c.value, "trial": c.trial.number} for c in by_criterion(result)
        },
        "proxy": None if result.proxy is None else result.proxy.model_dump(),
        "updates": result.updates(),
        "seconds": result.seconds,
        "trials": [
            {
                **dataclasses.asdict(trial),
                "updates": result.updates(trial),
                "folder": result.folders[trial.number].root,
                "stints": [dataclasses.asdict(s) for s in result.stints.get(trial.number, ())],
            }
            for trial in result.trials
        ],
        "front": [trial.number for trial in result.front],
        "judged": None if result.judged is None else result.judged.model_dump(),
        "confirmed": [
            {**dataclasses.asdict(c), "mean": c.mean, "spread": c.spread} for c in result.confirmed
        ],
        "verdict": verdict(result) if result.confirmed else None,
        "advice": advice(result),
        "warnings": warnings(result),
        "measured": dict(result.header),
    }


def table(result: SearchResult | TrainResult) -> tuple[list[str], list[dict[str, Any]]]:
    """The names of the columns, and a row per evaluation.

    Each row repeats the columns of its trial; a trial without evaluations has one row.
    """
    if isinstance(result, TrainResult):
        trials, names = [result.trial], list(result.trial.params)
    else:
        trials, names = result.trials, [d.name for d in result.config.space.dimensions]
    scores = list(result.terms.names.values())
    told = ("step", "value", *scores, "kept", "collapsed")
    rows: list[dict[str, Any]] = []
    for trial in trials:
        own = _trial(trial, names)
        evaluations: list[Mapping[str, Any]] = [
            {
                **result.terms.named(e),
                "step": e.step,
                "value": e.value,
                "kept": e.step == trial.step,
                "collapsed": e.collapsed,
            }
            for e in trial.evaluations
        ]
        rows += [{**own, **{n: each.get(n) for n in told}} for each in evaluations or [{}]]
    return [*_trial(Trial(0, {}), names), *told], rows


def _trial(trial: Trial, names: list[str]) -> dict[str, Any]:
    """The columns that are the same in all rows of a trial."""
    return {
        "trial": trial.number,
        "state": trial.state.value,
        "origin": trial.origin,
        "another_seed_of": trial.repeats,
        "confirms": trial.confirms,
        "seed": trial.seed,
        **{name: trial.params.get(name) for name in names},
        "best_value": trial.value,
        "best_step": trial.step,
        "steps": trial.steps,
        "seconds": trial.seconds,
        "reason": trial.reason,
    }
