"""Runs on disk for tests of what is shown of them: a record, pictures, and no training."""

import dataclasses
import json
import math
import random

import numpy as np

from autogan.config import SearchConfig, TrainConfig
from autogan.core.files import write_bytes, write_json, write_yaml
from autogan.data.grids import grid, png
from autogan.record.folder import SearchFolder, TrialFolder, real_images, trial_name
from autogan.record.ledger import Ledger
from autogan.record.lines import Begun, Ended, Evaluated, Judged, Placed, Started
from autogan.search import Evaluation, State, Trial
from autogan.search.base import trial_seed
from autogan.show.saved import load_search

LABELS = {"fid": "fid_fake_9", "is": "is_fake_9"}
START = 1_790_000_000.0  # the time of the first record


def search_on_disk(root, trials=12, evaluations=5, size=8, pictures=False, confirm=False, **keys):
    """Write a search's folder as a run would leave it; its trials are a formula.

    Of each ten trials the eighth diverges and the others whose FID is high are stopped early.
    Every third point has two seeds where ``repeats`` says so.
    """
    config = SearchConfig(**{
        "search_method": "random", "run_dir": root, "trials": max(trials, 1), "also": ["is"],
        "params": {"learning_rate": "1e-4..1e-2:log", "d_iter": [1, 2, 3],
                   "loss": ["hinge", "non_saturating"]},
        "steps": 100 * evaluations, "evaluate_every": 100, "features": "classifier",
        **({"confirm": "top=2,repeats=2"} if confirm else {}),
        **keys,
    }).resolved()  # fmt: skip
    folder = SearchFolder(root)
    write_yaml(folder.config, config.as_dict())
    (root / ".lock").touch()
    ledger = Clocked(folder.ledger)
    ledger.append(Begun(objective=config.objective.label(LABELS), labels=LABELS,
        features={"network": "fake", "weights": "abcd", "samples": 9, "split": "train"},
        data={"images": 640, "classes": {}, "digest": "a"},
        environment={"tensorflow": "2.21.0", "device": "cpu", "threads": 2},
    ))  # fmt: skip
    rng = random.Random(0)
    if pictures:
        write_bytes(real_images(root), picture(rng, size))
    for number in range(trials):
        rate = round(10 ** rng.uniform(-4, -2), 6)
        params = {"learning_rate": rate, "d_iter": rng.choice([1, 2, 3]),
                  "loss": rng.choice(["hinge", "non_saturating"])}  # fmt: skip
        params = {name: params[name] for name in (d.name for d in config.space.dimensions)
                  if name in params}  # fmt: skip
        again = None
        if config.repeats > 1 and number % 3 == 2:
            again, params = number - 1, ledger.trials[number - 1].params
        run_trial(config, ledger, folder, params, rng, evaluations if number % 4 != 3 else 2,
                  size if pictures else 0, repeats=again)  # fmt: skip
    return folder, config, ledger


def confirmed_on_disk(root, **keys):
    """The same, and its confirmation."""
    folder, config, ledger = search_on_disk(root, confirm=True, **keys)
    from autogan.decisions.tally import Tally

    rng = random.Random(1)
    for params in Tally(config, ledger).candidates():
        for _ in range(config.confirm.repeats):
            run_trial(config, ledger, folder, dict(params), rng, 5, 8, confirms=True)
    return folder, config, ledger


def training_on_disk(root, evaluations=5, state=State.COMPLETE, factor=1.0, pictures=True, **keys):
    """Write a training's folder as a worker would leave it; its values are a formula.

    FID is ``factor`` times 100 over the number of the evaluation, and rises at the last. One that
    is RUNNING has no result. There are five parts of the loss, at every 20 steps.
    """
    config = TrainConfig(**{
        "dataset": "digits", "also": ["is"], "steps": 100 * max(evaluations, 1),
        "evaluate_every": 100, "features": "classifier", "params": {"learning_rate": 0.003}, **keys,
    }).resolved()  # fmt: skip
    folder = TrialFolder.of(root, config)
    folder.keep_config(config)
    (root / ".lock").touch()
    rng, made = random.Random(0), []
    for place in range(1, evaluations + 1):
        fid = factor * (100 / place + 30 * (place == evaluations))
        scores = {"fid_fake_9": fid, "is_fake_9": 1 + 9 / (1 + fid)}
        made.append(Evaluation(100 * place, scores, fid))
        if pictures:
            write_bytes(folder.sample(100 * place), picture(rng, 8))
    if pictures:
        write_bytes(real_images(root), picture(rng, 8))
    lines = [json.dumps({"step": e.step, **e.scores, "variety": {}, "collapsed": False})
             for e in made]  # fmt: skip
    write_bytes(folder.scores, "".join(f"{line}\n" for line in lines).encode())
    losses_on_disk(root / "events.out.tfevents.1", {
        name: [(step, slope * step) for step in range(20, 100 * evaluations + 1, 20)]
        for slope, name in enumerate(("d_loss", "g_loss", "d_real", "d_fake", "d_penalty"), start=1)
    })  # fmt: skip
    if state is not State.RUNNING:
        best = min(made, key=lambda e: e.value, default=None)
        dead = state in (State.DIVERGED, State.COLLAPSED)
        trial = Trial(0, config.gan.meaningful(config.hyperparameters()), state=state,
                      evaluations=made, value=best and best.value, step=best and best.step,
                      seconds=75.0, steps=100 * evaluations + 20 * dead,
                      reason="a loss became NaN" if dead else "")  # fmt: skip
        environment = {"autogan": "0.4.0", "tensorflow": "2.21.0", "device": "cpu"}
        write_json(folder.result, {**dataclasses.asdict(trial), "environment": environment})
    return folder


def losses_on_disk(path, parts):
    """Write an event file by TensorBoard's own writer: steps and values by the part of the loss."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_FLOAT
    from tensorboard.summary.writer.record_writer import RecordWriter

    with path.open("wb") as file:
        writer = RecordWriter(file)
        for name, points in parts.items():
            for step, number in points:
                event = Event(step=step)
                content = np.float32(number).tobytes()  # as TensorFlow writes a scalar
                tensor = TensorProto(dtype=DT_FLOAT, tensor_content=content)
                event.summary.value.add(tag=f"losses/{name}", tensor=tensor)
                writer.write(event.SerializeToString())


def ended_on_disk(root):
    """A search that has ended and been confirmed, with pictures; what it has come to."""
    folder, config, ledger = confirmed_on_disk(root, trials=30, repeats=2, pictures=True)
    judge(config, ledger)
    return load_search(folder.root, {})


def confirm_with(folder, config, ledger, values):
    """Confirm the candidates, with their fresh seeds' values; None for one that diverges."""
    from autogan.decisions.tally import Tally

    for params, own in zip(Tally(config, ledger).candidates(), values, strict=True):
        for value in own:
            number = len(ledger.trials)
            ledger.append(Started(trial=number, params=dict(params), seed=number, origin="",
                          folder=f"{number:04d}", confirms=True))  # fmt: skip
            if value is not None:
                ledger.append(Evaluated(trial=number, step=500, go_on=True,
                              scores={"fid_fake_9": value, "is_fake_9": 1.0}))  # fmt: skip
            step = None if value is None else 500
            state = "diverged" if value is None else "complete"
            ledger.append(Ended(trial=number, state=state, value=value, step=step, steps=500,
                          last_value=value, seconds=1.0, reason=""))  # fmt: skip


def run_trial(config, ledger, folder, params, rng, evaluations, size, repeats=None, confirms=False):
    """Record one trial, with a picture for each evaluation."""
    number = len(ledger.trials)
    name = trial_name(number, params)
    more = {"repeats": repeats} if repeats is not None else {}
    more |= {"confirms": True} if confirms else {}
    ledger.append(Started(trial=number, params=params, seed=trial_seed(config.seed, number),
                  origin="random", folder=name, **more))  # fmt: skip
    ledger.append(Placed(trial=number, worker=f"here/{number % 2}"))
    paths = TrialFolder.of(folder.trial(name), config)
    if number % 10 == 7 and not confirms:
        ledger.append(Ended(trial=number, state="diverged", value=None, step=None,
                      last_value=None, seconds=3.0, reason="a loss became NaN at step 20",
                      steps=20))  # fmt: skip
        return
    worths = {}
    for place in range(1, evaluations + 1):
        rate, d_iter = params.get("learning_rate", 1e-3), params.get("d_iter", 1)
        fid = 5 * math.exp(abs(math.log(rate / 1e-3))) + d_iter + 200 / place**2 + rng.random()
        worths[100 * place] = fid
        ledger.append(Evaluated(trial=number, step=100 * place, go_on=True,
                      scores={"fid_fake_9": fid, "is_fake_9": 1 + 9 / (1 + fid)}))  # fmt: skip
        if size:
            write_bytes(paths.sample(100 * place), picture(rng, size))
    best = min(worths, key=worths.get)
    whole = evaluations * 100 >= config.steps
    ledger.append(Ended(trial=number, state="complete" if whole else "stopped early",
                  value=worths[best], step=best, last_value=worths[100 * evaluations],
                  seconds=10.0, reason="", steps=100 * evaluations))  # fmt: skip


def judge(config, ledger):
    """Judge the best trial, as a search does at its end."""
    from autogan.decisions.tally import Tally

    best = Tally(config, ledger).best()
    kept = best.kept.scores
    ledger.append(Judged(trial=best.number, step=best.step, scores=kept,
                  test={f"{name}_test": value + 1 for name, value in kept.items()}))  # fmt: skip


def picture(rng, size):
    """A grid of 64 grey images as a PNG."""
    seed = np.random.default_rng(rng.randrange(10**6))
    return png(grid(seed.integers(0, 256, (64, size, size, 1)).astype(np.uint8)))


class Clocked(Ledger):
    """A record whose clock goes on by ten seconds with each line, so that pages are repeatable."""

    later = 0.0  # seconds that it has been put on

    def _now(self):
        return START + 10 * self.lines + self.later

    def _write(self, line):
        """Without waiting for the disk."""
        fields = line.fields
        with self._file.path.open("a") as file:
            file.write(f"{self._chain.line(fields)}\n")
        self._chain.written(fields)


def lines(folder):
    """The record's lines."""
    return [json.loads(line) for line in folder.ledger.read_text().splitlines()]
