"""What the user sees on the way, on standard error."""

import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from autogan.core.hyperparameters import Value
from autogan.run.display import Display
from autogan.search import State, Trial


class _Pace:
    """How fast trials go, and how long the rest will take."""

    def __init__(self) -> None:
        self._durations: list[float] = []
        self._trials_left = 0

    def start(self, position: int, trials: int | None) -> None:
        """A trial begins."""
        self._trials_left = max(trials - position, 0) if trials else 0
        self._started = time.monotonic()
        self._first: tuple[float, int] | None = None

    def end(self) -> None:
        """It ends."""
        self._durations.append(time.monotonic() - self._started)

    def at(self, step: int, steps: int) -> str:
        """The speed and the time left, as far as they can be known at a step."""
        now = time.monotonic()
        if self._first is None:
            self._first = (now, step)  # the first call compiles: it is not counted
        since, first = self._first
        if step == first:
            return ""
        speed = (step - first) / (now - since)
        trial = (steps - step) / speed
        usual = statistics.fmean(self._durations) if self._durations else steps / speed
        words = f"{speed:.1f} steps/s, {_duration(trial)} left"
        if self._trials_left:
            words += f", {_duration(trial + self._trials_left * usual)} in all"
        return words


class PlainDisplay(Display):
    """A line for each thing that happens; for logs and pipes."""

    def __init__(self) -> None:
        self._pace = _Pace()
        self._where = ""

    def note(self, text: str) -> None:
        """See `Display.note`."""
        print(text, file=sys.stderr, flush=True)

    def searching(self, best: Trial | None) -> None:
        """See `Display.searching`."""
        if best is not None:
            self.note(_best(best))

    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        """See `Display.trial_started`."""
        self._pace.start(position, trials)
        self._where = ""
        self.note(f"{_name(trial, position, trials)}  {describe(trial.params)}")

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """See `Display.progress`."""
        pace = self._pace.at(step, steps)
        self._where = f"step {step}/{steps}" + (f" ({pace})" if pace else "")

    def evaluated(self, trial: Trial) -> None:
        """See `Display.evaluated`."""
        last = trial.evaluations[-1]
        # Evaluations from before an interruption are told without progress.
        self.note(f"  {self._where or f'step {last.step}'}  {describe(last.scores)}")

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """See `Display.trial_ended`."""
        self._pace.end()
        self.note(f"  {outcome(trial)}; {_best(best)}")


class LiveDisplay(Display):
    """Lines for what has happened, above a bar for what is happening; for terminals."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total} steps  {task.fields[pace]}"),
            console=console,
            auto_refresh=False,
        )
        self._task = self._bar.add_task("", total=None, pace="", visible=False)
        self._status = Text()
        table = Table.grid()
        table.add_row(self._bar)
        table.add_row(self._status)
        self._live = Live(table, console=console, refresh_per_second=5, transient=True)
        self._live.start()
        self._pace = _Pace()
        self._params = self._scores = self._best = ""

    def note(self, text: str) -> None:
        """See `Display.note`."""
        self._console.print(text, highlight=False, style="dim", markup=False)

    def searching(self, best: Trial | None) -> None:
        """See `Display.searching`."""
        self._best = _best(best)

    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        """See `Display.trial_started`."""
        self._pace.start(position, trials)
        self._params, self._scores = describe(trial.params), ""
        name = _name(trial, position, trials)
        self._bar.reset(self._task, description=name, total=None, pace="", visible=True)
        self._show()

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """See `Display.progress`."""
        pace = self._pace.at(step, steps)
        self._bar.update(self._task, completed=step, total=steps, pace=pace)

    def evaluated(self, trial: Trial) -> None:
        """See `Display.evaluated`."""
        last = trial.evaluations[-1]
        self._scores = f"step {last.step}: {describe(last.scores)}"
        self._show()

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """See `Display.trial_ended`."""
        self._pace.end()
        self._best = _best(best)
        style = "green" if best and best.number == trial.number else ""
        line = f"trial {trial.number}  {describe(trial.params)}  {outcome(trial)}"
        self._console.print(line, highlight=False, style=style, markup=False)
        self._show()

    def close(self) -> None:
        """See `Display.close`."""
        self._live.stop()

    def _show(self) -> None:
        lines = [self._params, self._scores, self._best]
        self._status.plain = "\n".join(line for line in lines if line)


class _Patient(Display):
    """Shows by another display until that cannot write any more: a closed terminal ends no search.

    Args:
        display: the other one.
    """

    def __init__(self, display: Display) -> None:
        self._display = display

    def _tell(self, name: str, *arguments: Any) -> None:
        try:
            getattr(self._display, name)(*arguments)
        except (OSError, ValueError):  # ValueError: a file that Python has closed
            self._display = Display()

    def note(self, text: str) -> None:
        """See `Display.note`."""
        self._tell("note", text)

    def searching(self, best: Trial | None) -> None:
        """See `Display.searching`."""
        self._tell("searching", best)

    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        """See `Display.trial_started`."""
        self._tell("trial_started", trial, position, trials)

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """See `Display.progress`."""
        self._tell("progress", step, steps, losses)

    def evaluated(self, trial: Trial) -> None:
        """See `Display.evaluated`."""
        self._tell("evaluated", trial)

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """See `Display.trial_ended`."""
        self._tell("trial_ended", trial, best)

    def close(self) -> None:
        """See `Display.close`."""
        self._tell("close")


def make_display() -> Display:
    """The display that suits standard error."""
    console = Console(stderr=True)
    return _Patient(LiveDisplay(console) if console.is_terminal else PlainDisplay())


def describe(values: Mapping[str, Value]) -> str:
    """Such as ``learning_rate=0.002 d_iter=9``."""
    return " ".join(
        f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items()
    )


def outcome(trial: Trial) -> str:
    """A trial's end in words."""
    if trial.dead or trial.state is State.FAILED:
        return f"{trial.state.value}: {trial.reason}"
    if trial.value is None:
        return f"{trial.state.value}"
    return f"{trial.state.value}: {_value(trial)} at step {trial.step} ({_duration(trial.seconds)})"


def _name(trial: Trial, position: int, trials: int | None) -> str:
    name = f"trial {trial.number}" + (f" ({position} of {trials})" if trials else "")
    return f"{name} ({trial.origin})" if trial.origin else name


def _best(best: Trial | None) -> str:
    if best is None or best.value is None:
        return "no best yet"
    return f"best {_value(best)} in trial {best.number}: {describe(best.params)}"


def _value(trial: Trial) -> str:
    """A trial's value; where several criteria decide, how many layers are better in all."""
    if not trial.losses:
        return f"{trial.value:.6g}"
    layer = int(trial.value or 0)
    return "on the front" if layer == 0 else f"{layer} behind the front"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
