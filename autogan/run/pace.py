"""The length of trainings that lets a search fit its time, by the speed of a step here."""

import math

from autogan.config import SearchConfig
from autogan.config.training import EVALUATIONS
from autogan.core.errors import ConfigError
from autogan.decisions.budget import Budget
from autogan.pool.messages import Timed
from autogan.run.plan import first_trial
from autogan.show.display import Display

_TRAININGS = 10  # whole trainings that should fit into the time; more gain little
_ROUNDS = 5  # least number of them one after another, for any number of workers
_MARGIN = 1.2  # on the least time: the next measurement of the speed may be slower
_LEAST, _MOST = 100, 50_000  # steps of a training


def within_time(run: SearchConfig, images: int, timed: Timed, display: Display) -> SearchConfig:
    """A search with as many steps as let ten whole trainings fit its time, five one after another.

    Args:
        run: resolved, with a time and without steps.
        images: number of images in the training set.
        timed: the speed of its first trial.
        display: shows the result.

    Raises:
        ConfigError: if the time is too short.
    """
    guess = run.model_copy(update={"steps": _MOST})
    pace = timed.step / run.gan.updates_per_step(first_trial(run).hyperparameters())
    step = pace * Budget(guess, images).full / _MOST  # the mean over the space
    evaluation = timed.evaluation or 0.0
    assert run.time is not None
    assert isinstance(run.workers, int)
    minutes = run.time * run.workers
    trainings = max(_TRAININGS, _ROUNDS * run.workers)
    seconds = 60 * minutes / trainings
    if run.evaluate_every is None:  # the same number in each training, of any length
        seconds, each = seconds - EVALUATIONS * evaluation, step
    else:
        each = step + evaluation / run.evaluate_every
    if seconds < _LEAST * each:
        wanted = _LEAST * each + EVALUATIONS * evaluation * (run.evaluate_every is None)
        least = trainings * wanted / 60 / run.workers
        raise ConfigError(
            "time",
            f"{run.time:.3g} minutes are too few for {trainings} trainings of {_LEAST} steps; "
            f"give {math.ceil(10 * _MARGIN * least) / 10:g}m or more, set the number of steps, or "
            f"{_faster(run, images, wanted - _LEAST * step, wanted)}",
        )
    steps = min(int(float(f"{seconds / each:.2g}")), _MOST)
    speed = f"a step takes {1e3 * step:.3g} ms, an evaluation {evaluation:.2g} s"
    display.note(
        f"steps {steps}, so that {trainings} whole trainings fit into {run.time:g} minutes: "
        f"{speed}; start-up and the scores at the end come on top"
    )
    return run.model_copy(update={"steps": steps, "max_minutes": minutes, "time": None})


def _faster(run: SearchConfig, images: int, scoring: float, whole: float) -> str:
    """Advice on faster trainings, by the seconds that go into scoring and into all of one."""
    if scoring < whole / 2:
        width = first_trial(run).hyperparameters().get("width")
        half = f" (--param width={width // 2})" if isinstance(width, int) and width > 8 else ""
        return f"make the networks smaller{half}"
    share = f"{100 * scoring / whole:.0f} % of a training is scoring by {run.features}"
    often = f"{EVALUATIONS} per training" if run.evaluate_every is None else run.evaluate_every
    return (
        f"evaluate less often (--evaluate-every, now {often}), score fewer images "
        f"(--eval-samples, now {min(run.eval_samples, images)}) or use faster features "
        f"(--features): {share}"
    )
