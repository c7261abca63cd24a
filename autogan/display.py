"""What the user sees on the way, on standard error."""

import sys
import time
from collections.abc import Mapping

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from autogan.config import TrainConfig
from autogan.hyperparameters import Value
from autogan.search import State, Trial


class Display:
    """Is told of everything and shows nothing; the base of those that show."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def searching(self, config: TrainConfig, steps: int) -> None:
        """A search begins, of trials of so many steps."""

    def trial_started(self, trial: Trial, trials: int | None) -> None:
        """A trial begins or goes on, one of so many."""

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """The training has come to a step."""

    def evaluated(self, trial: Trial) -> None:
        """A trial has been evaluated; its last evaluation is the new one."""

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """A trial has ended, and this is the best so far."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class PlainDisplay(Display):
    """A line for each thing that happens; for logs and pipes."""

    def note(self, text: str) -> None:
        """See `Display.note`."""
        print(text, file=sys.stderr, flush=True)

    def trial_started(self, trial: Trial, trials: int | None) -> None:
        """See `Display.trial_started`."""
        self.note(f"{_name(trial, trials)}  {describe(trial.params)}")

    def evaluated(self, trial: Trial) -> None:
        """See `Display.evaluated`."""
        last = trial.evaluations[-1]
        self.note(f"  step {last.step}  {describe(last.scores)}")

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """See `Display.trial_ended`."""
        self.note(f"  {outcome(trial)}; {_best(best)}")


class LiveDisplay(Display):
    """Lines for what has happened, above a bar for what is happening; for terminals."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total} steps  {task.fields[speed]}"),
            console=console,
            auto_refresh=False,
        )
        self._task = self._bar.add_task("", total=None, speed="", visible=False)
        self._status = Text()
        self._live = Live(self._layout(), console=console, refresh_per_second=5, transient=True)
        self._live.start()
        self._params = self._scores = ""
        self._best = "no best yet"
        self._trials: int | None = None
        self._since = (time.monotonic(), 0)
        self._times: list[float] = []

    def note(self, text: str) -> None:
        """See `Display.note`."""
        self._console.print(text, highlight=False, style="dim", markup=False)

    def trial_started(self, trial: Trial, trials: int | None) -> None:
        """See `Display.trial_started`."""
        self._trials, self._params, self._scores = trials, describe(trial.params), ""
        self._since = (0.0, 0)
        self._started = time.monotonic()
        self._bar.reset(
            self._task, description=_name(trial, trials), total=None, speed="", visible=True
        )
        self._show()

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """See `Display.progress`."""
        now = time.monotonic()
        if not self._since[0]:
            self._since = (now, step)  # the first call compiles: not counted
        elapsed = now - self._since[0]
        speed = (step - self._since[1]) / elapsed if elapsed > 0 else 0.0
        self._bar.update(self._task, completed=step, total=steps)
        left = [f"{speed:.1f} steps/s" if speed else ""]
        if speed:
            left.append(f"{_duration((steps - step) / speed)} left in the trial")
        if speed and self._trials and self._times:
            done = len(self._times)
            rest = max(self._trials - done - 1, 0) * sum(self._times) / done
            left.append(f"{_duration((steps - step) / speed + rest)} in all")
        self._bar.update(self._task, speed="  ".join(left))
        self._show()

    def evaluated(self, trial: Trial) -> None:
        """See `Display.evaluated`."""
        last = trial.evaluations[-1]
        self._scores = f"step {last.step}: {describe(last.scores)}"
        self._show()

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """See `Display.trial_ended`."""
        self._times.append(time.monotonic() - self._started)
        self._best = _best(best)
        style = "green" if best is trial else ""
        line = f"trial {trial.number}  {describe(trial.params)}  {outcome(trial)}"
        self._console.print(line, highlight=False, style=style, markup=False)
        self._show()

    def close(self) -> None:
        """See `Display.close`."""
        self._live.stop()

    def _layout(self) -> Table:
        table = Table.grid()
        table.add_row(self._bar)
        table.add_row(self._status)
        return table

    def _show(self) -> None:
        lines = [self._params, self._scores, self._best]
        self._status.plain = "\n".join(line for line in lines if line)


def make_display() -> Display:
    """The display that suits standard error."""
    console = Console(stderr=True)
    return LiveDisplay(console) if console.is_terminal else PlainDisplay()


def describe(values: Mapping[str, Value]) -> str:
    """Such as ``learning_rate=0.002 d_iter=9``."""
    return " ".join(
        f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items()
    )


def outcome(trial: Trial) -> str:
    """A trial's end in words."""
    if trial.state in (State.DIVERGED, State.FAILED):
        return f"{trial.state.value}: {trial.reason}"
    if trial.value is None:
        return f"{trial.state.value}"
    return (
        f"{trial.state.value}: {trial.value:.6g} at step {trial.step} ({_duration(trial.seconds)})"
    )


def _name(trial: Trial, trials: int | None) -> str:
    name = f"trial {trial.number}" if trials is None else f"trial {trial.number} of {trials}"
    return f"{name} ({trial.origin})" if trial.origin else name


def _best(best: Trial | None) -> str:
    if best is None or best.value is None:
        return "no best yet"
    return f"best {best.value:.6g} in trial {best.number}: {describe(best.params)}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
