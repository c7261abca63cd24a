"""What the user sees on the way: lines in a pipe, a bar in a terminal, a panel in a notebook."""

import html
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

from autogan.run.display import Display
from autogan.run.words import Terms, describe, duration, origin
from autogan.search import State, Trial

_STYLES = {
    State.COMPLETE: "",
    State.STOPPED: "dim",
    State.DIVERGED: "yellow",
    State.COLLAPSED: "yellow",
    State.FAILED: "red",
}
_BAR = 16  # columns: the line fits into 80


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

    def at(self, step: int, steps: int) -> tuple[str, str]:
        """The trial's speed and time left, and the time left in all, as far as they are known."""
        now = time.monotonic()
        if self._first is None:
            self._first = (now, step)  # the first call compiles: it is not counted
        since, first = self._first
        if step == first:
            return "", ""
        speed = (step - first) / (now - since)
        trial = (steps - step) / speed
        usual = statistics.fmean(self._durations) if self._durations else steps / speed
        whole = f"{duration(trial + self._trials_left * usual)} left in all"
        rate = f"{speed:.1f} steps/s" if speed >= 1 else f"{1 / speed:.1f} s/step"
        return f"{rate}, {duration(trial)} left", whole if self._trials_left else ""


class _Words(Display):
    """What displays share: the words that they show.

    A subclass shows lines for what has happened (`note`), and with `_show` what is happening.
    """

    def __init__(self) -> None:
        self._terms = Terms(["value"], {})
        self._pace = _Pace()
        self._title = self._params = self._scores = self._best = ""
        self._rate = self._left = ""
        self._step, self._steps = 0, 0  # no steps: nothing is known of them yet

    def begins(self, terms: Terms, best: Trial | None = None) -> None:
        """See `Display.begins`."""
        self._terms = terms
        self._best = "" if best is None else terms.best(best)

    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        """See `Display.trial_started`."""
        self._pace.start(position, trials)
        self._title, how = self._terms.title(trial, position, trials), origin(trial)
        self._params = describe(trial.params) + (f"  ({how})" if how else "")
        self._scores, self._rate, self._step, self._steps = "", "", 0, 0

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """See `Display.progress`."""
        self._step, self._steps = step, steps
        self._rate, self._left = self._pace.at(step, steps)

    def evaluated(self, trial: Trial) -> None:
        """See `Display.evaluated`."""
        last = trial.evaluations[-1]
        where = f"{last.step}/{self._steps}" if self._steps else f"{last.step}"
        self._scores = f"step {where}: {self._terms.evaluation(last)}"

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """See `Display.trial_ended`."""
        self._pace.end()
        self._best = self._terms.best(best)

    def _where(self) -> str:
        """How far the trial is, beside its bar."""
        steps = f"{self._step}/{self._steps} steps" if self._steps else "starting"
        return "  ".join(filter(None, (steps, self._rate)))

    def _ended(self, trial: Trial) -> str:
        """The line of a trial that has ended."""
        return f"trial {trial.number}  {self._terms.outcome(trial)}  {describe(trial.params)}"

    def _lines(self) -> list[str]:
        """What is happening, below the bar."""
        best = "; ".join(filter(None, (self._left, self._best)))
        return [line for line in (self._params, self._scores, best) if line]


class PlainDisplay(_Words):
    """A line for each thing that happens; for logs and pipes."""

    def note(self, text: str) -> None:
        """See `Display.note`."""
        print(text, file=sys.stderr, flush=True)

    def begins(self, terms: Terms, best: Trial | None = None) -> None:
        """See `Display.begins`."""
        super().begins(terms, best)
        if self._best:
            self.note(self._best)

    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        """See `Display.trial_started`."""
        super().trial_started(trial, position, trials)
        self.note(f"{self._title}  {self._params}")

    def evaluated(self, trial: Trial) -> None:
        """See `Display.evaluated`."""
        super().evaluated(trial)
        left = "; ".join(filter(None, (self._rate, self._left)))
        self.note(f"  {self._scores}" + (f"  [{left}]" if left else ""))

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """See `Display.trial_ended`."""
        super().trial_ended(trial, best)
        self.note(f"  {self._terms.outcome(trial)}; {self._best}")


class LiveDisplay(_Words):
    """Lines for what has happened, above a bar for what is happening; for terminals."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=_BAR),
            TextColumn("{task.fields[where]}"),
            console=console,
            auto_refresh=False,
        )
        self._task = self._bar.add_task("", total=None, where="", visible=False)
        self._status = Text(no_wrap=True, overflow="ellipsis")
        table = Table.grid()
        table.add_row(self._bar)
        table.add_row(self._status)
        self._live = Live(table, console=console, refresh_per_second=5, transient=True)
        self._live.start()

    def note(self, text: str) -> None:
        """See `Display.note`."""
        self._print(text, "dim")

    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        """See `Display.trial_started`."""
        super().trial_started(trial, position, trials)
        self._bar.reset(
            self._task, description=self._title, total=None, where=self._where(), visible=True
        )
        self._show()

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """See `Display.progress`."""
        super().progress(step, steps, losses)
        self._bar.update(self._task, completed=step, total=steps, where=self._where())
        self._show()

    def evaluated(self, trial: Trial) -> None:
        """See `Display.evaluated`."""
        super().evaluated(trial)
        self._show()

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """See `Display.trial_ended`."""
        super().trial_ended(trial, best)
        new = best is not None and best.number == trial.number
        self._print(self._ended(trial), "green" if new else _STYLES.get(trial.state, ""))
        self._show()

    def close(self) -> None:
        """See `Display.close`."""
        self._live.stop()

    def _print(self, line: str, style: str) -> None:
        self._console.print(line, highlight=False, style=style, markup=False)

    def _show(self) -> None:
        self._status.plain = "\n".join(self._lines())


class NotebookDisplay(_Words):
    """The last lines of what has happened, and what is happening, in one output of a notebook."""

    _LAST = 12  # lines

    def __init__(self) -> None:
        super().__init__()
        from IPython.display import HTML, display

        self._html = HTML
        self._past: list[str] = []
        self._handle = display(HTML(""), display_id=True)

    def note(self, text: str) -> None:
        """See `Display.note`."""
        self._past = [*self._past, text][-self._LAST :]
        self._show()

    def progress(self, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """See `Display.progress`."""
        super().progress(step, steps, losses)
        self._show()

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """See `Display.trial_ended`."""
        super().trial_ended(trial, best)
        self._title = ""
        self.note(self._ended(trial))

    def close(self) -> None:
        """See `Display.close`."""
        self._title = self._params = self._scores = ""
        self._show()

    def _show(self) -> None:
        bar = f"<progress value={self._step} max={self._steps or 1}></progress>"
        where = html.escape(f"{self._title}  {self._where()}")
        past = html.escape("\n".join(self._past))
        now = html.escape("\n".join(self._lines()))
        running = f"{bar} {where}\n" if self._title else ""
        self._handle.update(self._html(f"<pre>{past}\n{running}{now}</pre>"))


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

    def begins(self, terms: Terms, best: Trial | None = None) -> None:
        """See `Display.begins`."""
        self._tell("begins", terms, best)

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


def usual_display() -> Display:
    """For a call from Python that names none: a notebook shows progress, a program is silent."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        if type(get_ipython()).__name__ == "ZMQInteractiveShell":
            return _Patient(NotebookDisplay())
    return Display()
