#!/usr/bin/env python3
"""Measure the gain from several workers, and the overhead between them and the search.

    python scripts/benchmark_workers.py [digits mnist busy ray compiler peak evaluation]

digits, mnist: trials per minute of two workers with one thread each, and of one with two threads
(MNIST at half width; --data-dir holds mnist.npz). busy: the share of time that two and eight
workers are busy, with trials of random length on a simulated clock. ray: the round trip of a
message. compiler: a step compiled as a graph and with XLA, in turns. peak: a step's arithmetic, and
the machine's speed. evaluation: its share of a trial's time, with ten evaluations of 10,000 images
in 2,000 steps.
"""

import argparse
import heapq
import itertools
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import autogan
from autogan.config import TrainConfig
from autogan.pool.finished import Scores
from autogan.pool.messages import Evaluated, Open, Opened, Prepare, Prepared, Time, Timed, Trained
from autogan.pool.places import LocalPlace
from autogan.pool.pool import Event, Pool
from autogan.search import Evaluation, State, Trial

PARTS = ("digits", "mnist", "busy", "ray", "compiler", "peak", "evaluation")
HALF = ("--param=width=32", "--param=dense_width=256", "--param=z_dim=62")
DIGITS = (
    "--dataset=digits",
    "--param=width=16",
    "--param=dense_width=128",
    "--param=z_dim=62",
    "--steps=300",
    "--evaluate-every=300",
)
MNIST = ("--dataset=mnist", "--features=classifier", *HALF, "--steps=200", "--evaluate-every=200")


def main() -> None:
    """Run the chosen parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="part", help=", ".join(PARTS))
    parser.add_argument("--trials", type=int, default=12, help="trials per search [12]")
    parser.add_argument("--turns", type=int, default=2, help="searches per number of workers [2]")
    parser.add_argument("--data-dir", type=Path, default=None, help="folder that holds mnist.npz")
    options = parser.parse_args()
    given = [] if options.data_dir is None else [f"--data-dir={options.data_dir.absolute()}"]
    for part in options.parts:
        if part in ("digits", "mnist"):
            flags = [*(DIGITS if part == "digits" else MNIST), *given]
            compare_workers(part, flags, options.trials, options.turns)
        else:
            globals()[f"measure_{part}"](options)


def compare_workers(name: str, flags: list[str], trials: int, turns: int) -> None:
    """Measure trials per minute with one worker and with two, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        rates: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(turns):
            for workers in (1, 2):
                run = Path(folder) / f"{workers}-{turn}"
                search = [
                    "search",
                    "--gan-type=dcgan",
                    "--search-method=random",
                    f"--trials={trials}",
                    f"--workers={workers}",
                    f"--threads={3 - workers}",
                    f"--run-dir={run}",
                    "--param=learning_rate=1e-4..1e-2:log",
                    "--device=cpu",
                    *flags,
                ]
                subprocess.run(
                    [sys.executable, "-m", "autogan", *search], check=True, capture_output=True
                )
                rates[workers].append(trials_a_minute(run, workers))
        one, two = (statistics.mean(rates[workers]) for workers in (1, 2))
        print(
            f"{name}: {one:.1f} trials per minute with one worker of two threads, {two:.1f} with "
            f"two workers of one thread, ratio {two / one:.2f}",
            flush=True,
        )


def trials_a_minute(run: Path, workers: int) -> float:
    """Trials per minute once every worker has ended its first trial, which includes compiling."""
    records = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    worker: dict[int, str] = {}
    first: dict[str, float] = {}
    ends = []
    for record in records:
        if record["record"] == "placed":
            worker[record["trial"]] = record["worker"]
        elif record["record"] == "ended":
            first.setdefault(worker[record["trial"]], record["at"])
            ends.append(record["at"])
    begin = max(first.values())
    later = [at for at in ends if at > begin]
    return 60 * len(later) / (later[-1] - begin)


class Simulated:
    """An engine with a simulated clock, whose trials have ten evaluations each.

    Args:
        count: number of workers.
        seconds: returns the time to a trial's next evaluation, given its number and step.
    """

    def __init__(self, count: int, seconds: Callable[[int, int], float]) -> None:
        self._count, self._seconds = count, seconds
        self._coming: list[tuple[float, int, Any]] = []  # each trial's next event, and its time
        self._steps: dict[int, int] = {}  # of the running trials
        self._now = self.worked = 0.0

    def join(self, call: Any, tell: Any = None) -> None:
        """See `autogan.pool.pool.Engine`."""

    def call(self, call: Any, reply: Any, tell: Any = None) -> Any:
        """See `autogan.pool.pool.Engine`."""
        if isinstance(call, Open):
            return Opened(
                images=640,
                image_shape=(8, 8, 1),
                classes={},
                digest="",
                state_bytes=1,
                generator_bytes=1,
                environment={},
            )
        if isinstance(call, Prepare):
            return Prepared(objective="fid", labels={"fid": "fid"}, features={})
        return Scores(scores={"fid": 0.5})

    def free(self) -> int:
        """See `autogan.pool.pool.Engine`."""
        return self._count - len(self._steps)

    def start(self, trial: int, minutes: float | None, call: Any) -> None:
        """See `autogan.pool.pool.Engine`."""
        self._steps[trial] = 0
        self.answer(trial, True)

    def next_event(self) -> Event:
        """See `autogan.pool.pool.Engine`."""
        self._now, trial, message = heapq.heappop(self._coming)
        if isinstance(message, Trained):
            del self._steps[trial]
        return Event(trial, message)

    def answer(self, trial: int, go_on: bool) -> None:
        """See `autogan.pool.pool.Engine`."""
        step = self._steps[trial]
        if step == 100 or not go_on:
            ended = Trial(trial, {}, state=State.COMPLETE, value=0.5, step=step, steps=step)
            heapq.heappush(self._coming, (self._now, trial, Trained(trial=ended)))
            return
        self._steps[trial] = step + 10
        seconds = self._seconds(trial, step)
        self.worked += seconds
        scores = Evaluation(step + 10, {"fid": random.Random(f"{trial} {step}").random()})
        heapq.heappush(self._coming, (self._now + seconds, trial, Evaluated(evaluation=scores)))

    def interrupt(self) -> None:
        """See `autogan.pool.pool.Engine`."""

    def close(self) -> None:
        """See `autogan.pool.pool.Engine`."""

    def busy(self) -> float:
        """The share of the workers' time that they were busy."""
        return self.worked / (self._count * self._now)


def busy_share(workers: int, trials: int, spread: float, **changes: Any) -> float:
    """The share of time that workers are busy, if trials' speeds are log-normal.

    Between two evaluations of a trial, the speed varies by another twentieth.
    """

    def seconds(trial: int, step: int) -> float:
        of_trial = random.Random(f"speed {trial}").gauss(0.0, spread)
        return math.exp(of_trial + random.Random(f"speed {trial} {step}").gauss(0.0, 0.05))

    engine = Simulated(workers, seconds)
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "search_method": "random",
            "trials": trials,
            "steps": 100,
            "evaluate_every": 10,
            "run_dir": f"{folder}/a",
            "params": {"learning_rate": "1e-4..1e-2:log"},
            **changes,
        }
        autogan.run_search(config, engine=engine)  # type: ignore[arg-type]
    return engine.busy()


def measure_busy(options: argparse.Namespace) -> None:
    """Measure two and eight workers over 100 trials, under both values of ``order``."""
    for workers, spread in itertools.product((2, 8), (0.0, 0.1, 0.3)):
        orders = ("work", "completed")
        shares = {order: busy_share(workers, 100, spread, order=order) for order in orders}
        busy = ", ".join(f"{share:.1%} by {order}" for order, share in shares.items())
        print(f"{workers} workers, speeds that differ by {spread:.0%}: {busy}", flush=True)


def measure_ray(options: argparse.Namespace) -> None:
    """Time the smallest call and its answer, through a pipe and through Ray."""
    from autogan.config import SearchConfig
    from autogan.pool.ray import ray_places

    run = SearchConfig(engine="ray", ray_address="local", threads=1, device="cpu").resolved()
    for name, place in (("pipe", LocalPlace()), ("Ray", ray_places(run)[0])):
        pool = Pool([place])
        call = Open(
            config=TrainConfig(dataset="digits", threads=1).resolved().as_dict(), features=False
        )
        pool.call(call, Opened)
        times = []
        for _ in range(200):
            begun = time.perf_counter()
            pool.call(call, Opened)
            times.append(time.perf_counter() - begun)
        pool.close()
        print(
            f"{name}: {1e3 * statistics.median(times):.2f} ms for a call and its answer", flush=True
        )


def measure_compiler(options: argparse.Namespace) -> None:
    """Time a step of DCGAN as a graph and with XLA, in workers that run at the same time."""
    for size, width, dense in ((8, 32, 256), (28, 32, 256), (28, 64, 1024)):
        pools = {name: Pool([LocalPlace()]) for name in ("graph", "xla")}
        steps: dict[str, list[float]] = {name: [] for name in pools}
        images = {"dataset": "mnist", "data_dir": options.data_dir, "image_size": size}
        for _ in range(3):
            for name, pool in pools.items():
                run = TrainConfig(
                    **(images if size > 8 else {"dataset": "digits"}),
                    gan_type="dcgan",
                    features="classifier",
                    compiler=name,
                    device="cpu",
                    params={"width": width, "dense_width": dense},
                ).resolved()
                timed = pool.call(Time(config=run.as_dict(), evaluate=False), Timed)
                steps[name].append(timed.step)
        for pool in pools.values():
            pool.close()
        graph, xla = (1e3 * statistics.median(steps[name]) for name in pools)
        print(
            f"step, {size}x{size}, width {width}: graph {graph:.1f} ms, XLA {xla:.1f} ms, "
            f"ratio {graph / xla:.2f}",
            flush=True,
        )


def measure_peak(options: argparse.Namespace) -> None:
    """Count the arithmetic of a step of DCGAN, and measure this machine's matrix multiplication.

    A step generates images twice and judges three batches; a gradient costs a pass for the weights
    and one for the inputs. So it takes four passes of the generator and eight of the discriminator.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    from autogan.models import GAN_TYPES

    def operations(network: Any, shape: list[int]) -> int:
        """Floating-point operations per pass."""
        call = tf.function(lambda x: network(x, training=False))
        graph = convert_variables_to_constants_v2(
            call.get_concrete_function(tf.TensorSpec(shape))
        ).graph
        how = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        return tf.compat.v1.profiler.profile(
            graph, options={**how, "output": "none"}
        ).total_float_ops

    side = 3000
    a, b = tf.random.normal([2, side, side])
    multiply = tf.function(lambda: tf.matmul(a, b))
    multiply().numpy()
    begun = time.perf_counter()
    for _ in range(8):
        multiply().numpy()
    print(
        f"matrices: {8 * 2 * side**3 / (time.perf_counter() - begun) / 1e9:.0f} GFLOP/s", flush=True
    )
    kind = GAN_TYPES.get("dcgan")
    for width, dense in ((32, 256), (64, 1024)):
        gan: Any = kind.build(
            (28, 28, 1), {**kind.defaults(), "width": width, "dense_width": dense}
        )
        made = operations(gan.generator, [gan.batch_size, gan.z_dim])
        judged = operations(gan.discriminator, [gan.batch_size, 28, 28, 1])
        print(f"step, 28x28, width {width}: {(4 * made + 8 * judged) / 1e9:.1f} GFLOP", flush=True)


def measure_evaluation(options: argparse.Namespace) -> None:
    """Measure the share of ten evaluations of 10,000 images in 2,000 steps on MNIST, half width."""
    run = TrainConfig(
        dataset="mnist",
        data_dir=options.data_dir,
        gan_type="dcgan",
        features="classifier",
        device="cpu",
        params={"width": 32, "dense_width": 256},
    ).resolved()
    pool = Pool([LocalPlace()])
    timed = pool.call(Time(config=run.as_dict()), Timed)
    pool.close()
    assert timed.evaluation is not None
    training, evaluations = 2000 * timed.step, 10 * timed.evaluation
    share = evaluations / (training + evaluations)
    print(f"evaluation: {timed.evaluation:.1f} s each, {share:.0%} of a trial", flush=True)


if __name__ == "__main__":
    main()
