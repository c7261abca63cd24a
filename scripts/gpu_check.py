#!/usr/bin/env python3
"""Measure the GPU figures of docs/machines.md on one machine, and write them as JSON.

    scripts/gpu_check [--wheels DIR] [--minutes 8] [--output gpu_check.json]
    .venv/bin/python scripts/gpu_check.py --device cpu --quick     without a GPU

The parts: machine (driver, TensorFlow, device), steps (a training step and an evaluation, with
each compiler and precision), workers (trials per minute of one worker, and of two that share the
GPU), search (a whole search with a bundled configuration) and usual (a search against the usual
Keras step with Optuna, the same trials). Each part has a share of the minutes. If one fails or
takes too long, its results so far and the reason are written, and the others run. Exits with 1 if
any failed.
"""

import argparse
import itertools
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autogan.config import TrainConfig
from autogan.core.errors import AutoGANError, one_line
from autogan.pool.messages import Open, Opened, Prepare, Prepared, Time, Timed
from autogan.pool.places import LocalPlace
from autogan.pool.pool import Pool

Row = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
SIZES = ((8, 16), (28, 32), (28, 64), (64, 64))  # pixels per side, and width
KINDS = (("graph", "float32"), ("xla", "float32"), ("graph", "bfloat16"))
SHARES = {"machine": 0.05, "steps": 0.4, "workers": 0.2, "search": 0.15, "usual": 0.2}


def main() -> None:
    """Run the parts, and write their measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(SHARES))
    parser.add_argument("--device", default="gpu", choices=("gpu", "cpu"))
    parser.add_argument("--minutes", type=float, default=8.0, help="time for all parts [8]")
    parser.add_argument("--output", type=Path, default=Path("gpu_check.json"))
    parser.add_argument("--quick", action="store_true", help="the smallest of everything")
    options = parser.parse_args()
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"{unknown[0]!r} is not a part; choose from {', '.join(PARTS)}")
    report: dict[str, Row] = {}
    for part in options.parts or SHARES:
        report[part] = measured(part, options)
        options.output.write_text(json.dumps(report, indent=2) + "\n")
    failed = [f"{part}: {row['failed']}" for part, row in report.items() if "failed" in row]
    print("\n".join([f"wrote {options.output}", *(f"failed: {line}" for line in failed)]))
    sys.exit(bool(failed))


def measured(part: str, options: argparse.Namespace) -> Row:
    """Run a part for its share of the time; return its measurements and any failure."""
    minutes = options.minutes * SHARES[part] / sum(SHARES[n] for n in options.parts or SHARES)
    rows: list[Row] = []
    found: Row = {"rows": rows}
    signal.signal(signal.SIGALRM, _over)
    signal.setitimer(signal.ITIMER_REAL, 60 * minutes)
    try:
        for row in PARTS[part](options):
            print(part, json.dumps(row), flush=True)
            rows.append(row)
    except TimeoutError:
        found["failed"] = f"ran longer than its {minutes:.1f} minutes"
    except Exception as error:  # the other parts still run
        found["failed"] = one_line(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return found


def _over(number: int, frame: object) -> None:
    raise TimeoutError


def check_machine(options: argparse.Namespace) -> Iterator[Row]:
    """The system's driver and GPU, and the device that a worker gets."""
    if shutil.which("nvidia-smi"):
        query = "--query-gpu=name,driver_version,memory.total,compute_cap"
        found = output(["nvidia-smi", query, "--format=csv,noheader"])
        yield {"nvidia-smi": found.strip().splitlines()}
    pool = Pool([LocalPlace()])
    try:
        opened = pool.call(Open(config=training(options).as_dict()), Opened)
    finally:
        pool.close()
    yield dict(opened.environment)


def check_steps(options: argparse.Namespace) -> Iterator[Row]:
    """The times of a step of DCGAN and of an evaluation, scaled to 10,000 images."""
    sizes = SIZES[:1] if options.quick else SIZES
    for (size, width), (compiler, precision) in itertools.product(sizes, KINDS):
        row: Row = {"size": size, "width": width, "compiler": compiler, "precision": precision}
        run = training(
            options, image_size=size, compiler=compiler, precision=precision,
            params={"width": width, "dense_width": 16 * width},
        )  # fmt: skip
        pool = Pool([LocalPlace()])
        try:
            config = run.as_dict()
            opened = pool.call(Open(config=config), Opened)
            pool.call(Prepare(config=config, folder=""), Prepared)
            timed = pool.call(Time(config=config), Timed)
            each = (timed.evaluation or 0.0) / opened.images
            yield {**row, "step_ms": 1e3 * timed.step, "evaluation_s": 1e4 * each}
        except AutoGANError as error:
            yield {**row, "failed": one_line(error)}
        finally:
            pool.close()


def check_workers(options: argparse.Namespace) -> Iterator[Row]:
    """Trials per minute of a random search, from its start to its end."""
    trials, steps = ("2", "10") if options.quick else ("12", "500")
    for workers in (1, 2):
        several = ["--workers-per-gpu", str(workers)] if options.device == "gpu" else []
        row = searched(
            options, "--dataset", "digits", "--search-method", "random", "--trials", trials,
            "--steps", steps, "--workers", str(workers), *several,
        )  # fmt: skip
        yield {"workers": workers, "trials_a_minute": 60 * int(trials) / row["seconds"]}


def check_search(options: argparse.Namespace) -> Iterator[Row]:
    """The seconds and the best value of a search with a bundled configuration."""
    quick = ["--steps", "10", "--trials", "2"] if options.quick else []
    yield {"config": "gan_digits", **searched(options, "gan_digits", *quick)}


def check_usual(options: argparse.Namespace) -> Iterator[Row]:
    """The same trials with AutoGAN, and with Optuna and the usual Keras step."""
    amount = ["--trials", "1", "--steps", "10"] if options.quick else ["--trials", "5"]
    command = [sys.executable, str(ROOT / "scripts/benchmark.py"), "search", *amount]
    yield {"lines": output(command).splitlines()}


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "machine": check_machine,
    "steps": check_steps,
    "workers": check_workers,
    "search": check_search,
    "usual": check_usual,
}


def training(options: argparse.Namespace, **changes: Any) -> TrainConfig:
    """A training of digits, which every machine has."""
    values = {"gan_type": "dcgan", "dataset": "digits", "device": options.device}
    return TrainConfig(**{**values, "features": "classifier", **changes}).resolved()


def searched(options: argparse.Namespace, *words: str) -> Row:
    """The seconds and the best value of a search from the command line."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        found = output(
            [sys.executable, "-m", "autogan", "search", *words, "--device", options.device,
             "--run-dir", f"{folder}/run", "--json", "--quiet"]
        )  # fmt: skip
        seconds, result = time.monotonic() - started, json.loads(found)
        best = result["best"]
        value = None if best is None else result["trials"][best]["value"]
        return {"seconds": seconds, "value": value}


def output(command: list[str]) -> str:
    """A command's output.

    Raises:
        OSError: with its last line, if it fails.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OSError(f"{command[0]} ended with {done.returncode}: {last}")
    return done.stdout


if __name__ == "__main__":
    main()
