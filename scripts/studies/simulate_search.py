"""Repeat the Auto-GAN thesis's comparison of search methods without training (section 4.4).

    python scripts/studies/simulate_search.py [--seeds 200] [--picture FILE.png]

BEGAN's best point is taken to be d_iter 4, learning rate 1e-4, gamma 0.5; a trial is usable if its
Euclidean distance from there, in (d_iter, log10 learning rate, 10 gamma), is at most 2. All usable
trials count as equally good, and others as no result. The methods are AutoGAN's own. The script
prints tables 4-15 and 4-16 with the thesis's figures (single runs), as means over seeds with 95 %
intervals of the mean; then the same without repeated points, as AutoGAN searches by default.
Another row counts exploit & explore as the thesis does: each usable draw with its perturbed values,
which were not tested.
"""

import argparse
import math
import os
import statistics
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from autogan.core.hyperparameters import Dimension
from autogan.models import GAN_TYPES
from autogan.search import SEARCH_METHODS, History, Point, Space, State, Trial

BEST = (4.0, -4.0, 5.0)
RADIUS = 2.0
STAGES = range(10, 131, 10)
THESIS = {
    2: {
        "grid": (1, 4, 7, 10, 15, 18, 21, 24, 25, 25, 25, 25, 25),
        "random": (3, 3, 7, 7, 5, 10, 14, 16, 18, 25, 17, 23, 22),
        "explore": (3, 6, 24, 9, 24, 36, 39, 45, 60, 54, 48, 84, 69),
    },
    3: {  # each unit of the thesis's n stands for ten trials
        "grid": (1, 6, 15, 24, 37, 46, 55, 60, 61, 61, 61, 61, 61),
        "random": (4, 10, 17, 18, 25, 32, 35, 43, 46, 45, 53, 50, 61),
        "explore": (28, 84, 164, 176, 252, 316, 308, 336, 380, 396, 428, 488, 484),
    },
}


def main() -> None:
    """Print the tables and, with ``--picture``, draw the scatter plot of figure 4-16."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--picture", type=Path, default=None)
    given = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for distinct in (False, True):
            for dimensions in (2, 3):
                print_table(dimensions, distinct, given.seeds, pool)
    if given.picture is not None:
        draw_scatter(given.picture)


def space(dimensions: int) -> Space:
    """The thesis's search space; the learning rate comes first, since its grid varies that last."""
    declared = {h.name: h for h in GAN_TYPES.get("began").hyperparameters}
    candidates = {
        "learning_rate": tuple(float(f"{10 ** (step / 2):.10g}") for step in range(-12, 1)),
        "d_iter": tuple(range(1, 11)),
        "gamma": tuple(tenth / 10 for tenth in range(1, 11)),
    }
    names = list(candidates)[:dimensions]
    return Space(tuple(Dimension(declared[name], candidates[name]) for name in names))


def coordinates(point: Point) -> tuple[float, ...]:
    """A point in the units in which the thesis measures distance."""
    places = [float(point["d_iter"]), math.log10(float(point["learning_rate"]))]
    return (*places, 10 * float(point["gamma"])) if "gamma" in point else tuple(places)


def usable(point: Point) -> bool:
    """Whether a point lies in the circle or ball around the best one."""
    place = coordinates(point)
    return math.dist(place, BEST[: len(place)]) <= RADIUS + 1e-9


def search(method_name: str, where: Space, trials: int, seed: int, distinct: bool) -> list[Trial]:
    """The trials of one search."""
    method = SEARCH_METHODS.get(method_name)(distinct=distinct)
    made: list[Trial] = []
    for number in range(trials):
        proposal = method.propose(where, History(made, "max"), seed)
        if proposal is None:
            break
        good = usable(proposal.point)
        state = State.COMPLETE if good else State.DIVERGED
        value = 1.0 if good else None
        made.append(
            Trial(number, dict(proposal.point), origin=proposal.origin, state=state, value=value)
        )
    return made


def counts(trials: Sequence[Trial], stages: Iterable[int]) -> list[int]:
    """How many trials are usable up to each stage."""
    return [sum(trial.value is not None for trial in trials[:stage]) for stage in stages]


def draws_counted(task: tuple[str, int, int, bool]) -> list[int]:
    """Usable draws of exploit & explore at each stage, each with its perturbed values.

    All counts in the thesis are multiples of 1 + d: a usable draw counts with one perturbed value
    for each of the d dimensions, none of which was tested. Steps do not count as trials here.
    """
    name, dimensions, seed, distinct = task
    stages = [stage * (1 if dimensions == 2 else 10) for stage in STAGES]
    made = search(name, space(dimensions), 2 * stages[-1], seed, distinct)
    draws = [trial for trial in made if not trial.origin.startswith(name)]
    return [(1 + dimensions) * count for count in counts(draws, stages)]


def simulated(task: tuple[str, int, int, bool]) -> list[int]:
    """Usable trials at each stage of one search."""
    name, dimensions, seed, distinct = task
    stages = [stage * (1 if dimensions == 2 else 10) for stage in STAGES]
    return counts(search(name, space(dimensions), stages[-1], seed, distinct), stages)


def print_table(dimensions: int, distinct: bool, seeds: int, pool: ProcessPoolExecutor) -> None:
    """Print one table of usable trials among the first n."""
    stages = [stage * (1 if dimensions == 2 else 10) for stage in STAGES]
    how = "without repeated points" if distinct else "independent draws, as in the thesis"
    print(f"\nTable 4-{13 + dimensions}, {dimensions} dimensions, {how}\n")
    print("| trials | " + " | ".join(map(str, stages)) + " |")
    print("|---" * (len(stages) + 1) + "|")
    for name in ("grid", "random", "explore"):
        runs = 1 if name == "grid" else seeds  # the grid has no randomness
        tasks = [(name, dimensions, seed, distinct) for seed in range(runs)]
        table = list(pool.map(simulated, tasks))
        cells = [_mean(column) for column in zip(*table, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        if name == "explore" and not distinct:
            counted = list(pool.map(draws_counted, tasks))
            cells = [_mean(column) for column in zip(*counted, strict=True)]
            print("| explore, counted as the thesis does | " + " | ".join(cells) + " |", flush=True)
        if not distinct:
            thesis = " | ".join(map(str, THESIS[dimensions][name]))
            print(f"| {name}, the thesis | {thesis} |", flush=True)


def _mean(values: Sequence[int]) -> str:
    """A mean with the half-width of its 95 % interval."""
    mean = statistics.fmean(values)
    if len(values) == 1:
        return f"{mean:g}"
    half = 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    return f"{mean:.1f} ± {half:.1f}"


def draw_scatter(file: Path) -> None:
    """Draw figure 4-16: where random search and exploit & explore put 20, 30 and 40 trials."""
    side, margin, zoom = 260, 20, 4  # drawn large, then reduced: smooth edges
    picture = Image.new("RGB", (3 * side * zoom, 2 * side * zoom), "white")
    draw = ImageDraw.Draw(picture)
    rng = np.random.default_rng(0)
    for row, name in enumerate(("random", "explore")):
        for column, trials in enumerate((20, 30, 40)):
            left, top = column * side * zoom, row * side * zoom

            def place(x: float, y: float, left: int = left, top: int = top) -> tuple[float, float]:
                """The pixel position of (log10 learning rate, d_iter)."""
                inner = (side - 2 * margin) * zoom
                return (
                    left + margin * zoom + (x + 7) / 8 * inner,
                    top + margin * zoom + (11 - y) / 11 * inner,
                )

            draw.rectangle([*place(-7, 11), *place(1, 0)], outline="gray", width=zoom)
            draw.ellipse([*place(-6, 6), *place(-2, 2)], outline="green", width=2 * zoom)
            for trial in search(name, space(2), trials, 1, distinct=False):
                y, x = coordinates(trial.params)
                # Points that coincide are shown next to each other.
                px, py = np.add(place(x, y), rng.normal(0, 2 * zoom, 2))
                colour = "green" if usable(trial.params) else "red"
                draw.ellipse([px - 3 * zoom, py - 3 * zoom, px + 3 * zoom, py + 3 * zoom], colour)
            draw.text(
                (left + margin * zoom, top),
                f"{name}, {trials} trials",
                "black",
                font_size=14 * zoom,
            )
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.resize((3 * side, 2 * side), Image.Resampling.LANCZOS).save(file)


if __name__ == "__main__":
    main()
