"""Progress for the user: lines in a pipe, a bar in a terminal, a panel in a notebook."""

import contextlib
import html
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from autogan.core.errors import printable_lines
from autogan.record.words import Terms, describe, duration, origin, spark
from autogan.search import State, Trial
from autogan.show.display import Display

_STYLES = {
    State.COMPLETE: "",
    State.STOPPED: "dim",
    State.TIMED_OUT: "dim",
    State.DIVERGED: "yellow",
    State.COLLAPSED: "yellow",
    State.FAILED: "red",
}
_BAR = 16  # columns, so that the line fits into 80


@contextlib.contextmanager
def _closing_allowed() -> Iterator[None]:
    """Guard a write: a closed terminal must not end a search."""
    try:
        yield
    except OSError:
        pass
    except ValueError:  # Python raises this for a closed file
        if not getattr(sys.stderr, "closed", True):
            raise


class _Run:
    """A running trial, in words."""

    def __init__(self, title: str, params: str) -> None:
        self.title, self.params, self.scores, self.rate = title, params, "", ""
        self.step, self.steps = 0, 0  # steps is 0 until it is known
        self.left = self.whole = 0.0  # seconds left, and of a whole trial like this one
        self.began = time.monotonic()
        self._first: tuple[float, int] | None = None

    def progress(self, step: int, steps: int) -> bool:
        """Take in the step reached; return whether the speed is known."""
        now = time.monotonic()
        self.step, self.steps = step, steps
        if self._first is None:
            self._first = (now, step)  # the first call includes compilation, so it does not count
        since, first = self._first
        if step == first:
            return False
        speed = (step - first) / (now - since)
        self.left, self.whole = (steps - step) / speed, steps / speed
        rate = f"{speed:.1f} steps/s" if speed >= 1 else f"{1 / speed:.1f} s/step"
        self.rate = f"{rate}, {duration(self.left)} left"
        return True

    @property
    def where(self) -> str:
        """Its progress, for the text next to the bar."""
        steps = f"{self.step}/{self.steps} steps" if self.steps else "starting"
        return "  ".join(filter(None, (steps, self.rate)))


class _Words(Display):
    """The words that all displays share.

    A subclass shows past events as lines (`note`), and the present state with `_show`.
    """

    def __init__(self) -> None:
        self._terms = Terms(["value"], {})
        self._runs: dict[int, _Run] = {}  # by the trial's number
        self._durations: list[float] = []  # of the trials that have ended
        self._trials_left = 0
        self._best = self._left = ""
        self._bests: list[float] = []  # the best value after each trial that ended
        self._several = False  # whether trials have run at the same time

    @override
    def begins(self, terms: Terms, best: Trial | None = None) -> None:
        self._terms = terms
        self._best = "" if best is None else terms.best(best)

    @override
    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        if trial.repeats is None:  # else its point is an earlier one
            self._trials_left = max(trials - position, 0) if trials else 0
        how = origin(trial)
        self._several = self._several or bool(self._runs.keys() - {trial.number})
        self._runs[trial.number] = _Run(
            self._terms.title(trial, position, trials),
            describe(trial.params) + (f"  ({how})" if how else ""),
        )

    @override
    def progress(self, trial: int, step: int, steps: int, losses: Mapping[str, float]) -> None:
        run = self._runs[trial]
        if run.progress(step, steps):
            usual = statistics.fmean(self._durations) if self._durations else run.whole
            rest = run.left + self._trials_left * usual / len(self._runs)
            least = "at least " if self._terms.repeats > 1 else ""  # further seeds are not counted
            self._left = f"{least}{duration(rest)} left in total" if self._trials_left else ""

    @override
    def evaluated(self, trial: Trial) -> None:
        run, last = self._runs[trial.number], trial.evaluations[-1]
        where = f"{last.step}/{run.steps}" if run.steps else f"{last.step}"
        run.scores = ": ".join(filter(None, (f"step {where}", self._terms.evaluation(last))))

    @override
    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        self._durations.append(time.monotonic() - self._runs.pop(trial.number).began)
        self._best = self._terms.best(best)
        if best is not None and best.value is not None and not best.losses:
            self._bests.append(best.value)

    def _ended(self, trial: Trial) -> str:
        """The line about a trial that has ended."""
        return f"trial {trial.number}  {self._terms.outcome(trial)}  {describe(trial.params)}"

    def _lines(self) -> list[str]:
        """The present state, below the bars; with details if only one trial runs."""
        alone = next(iter(self._runs.values())) if len(self._runs) == 1 else None
        best = "; ".join(filter(None, (self._left, self._best)))
        fall = f"{self._terms.leading} so far: {spark(self._bests)}"
        fall = fall if len(self._bests) > 1 else ""
        lines = [*((alone.params, alone.scores) if alone else ()), best, fall]
        return [line for line in lines if line]


class PlainDisplay(_Words):
    """A line per event; for logs and pipes."""

    @override
    def note(self, text: str) -> None:
        with _closing_allowed():
            print(printable_lines(text), file=sys.stderr, flush=True)

    @override
    def begins(self, terms: Terms, best: Trial | None = None) -> None:
        super().begins(terms, best)
        if self._best:
            self.note(self._best)

    @override
    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        super().trial_started(trial, position, trials)
        run = self._runs[trial.number]
        self.note(f"{run.title}  {run.params}")

    @override
    def evaluated(self, trial: Trial) -> None:
        super().evaluated(trial)
        run = self._runs[trial.number]
        left = "; ".join(filter(None, (run.rate, self._left)))
        self.note(f"  {self._whose(trial)}{run.scores}" + (f"  [{left}]" if left else ""))

    @override
    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        whose = self._whose(trial)
        super().trial_ended(trial, best)
        self.note(f"  {whose}{self._terms.outcome(trial)}; {self._best}")

    def _whose(self, trial: Trial) -> str:
        """The trial that a line is about, if several run."""
        return f"trial {trial.number}: " if self._several else ""


class LiveDisplay(_Words):
    """Lines for past events, above a bar for the running trial; for terminals."""

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
        self._tasks: dict[int, TaskID] = {}  # by the trial's number
        self._status = Text(no_wrap=True, overflow="ellipsis")
        table = Table.grid()
        table.add_row(self._bar)
        table.add_row(self._status)
        self._live = Live(table, console=console, refresh_per_second=5, transient=True)
        self._live.start()

    @override
    def note(self, text: str) -> None:
        self._print(text, "dim")

    @override
    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        super().trial_started(trial, position, trials)
        run = self._runs[trial.number]
        if trial.number in self._tasks:  # it was lost, and is retried
            self._bar.remove_task(self._tasks[trial.number])
        self._tasks[trial.number] = self._bar.add_task(run.title, total=None, where=run.where)
        self._show()

    @override
    def progress(self, trial: int, step: int, steps: int, losses: Mapping[str, float]) -> None:
        super().progress(trial, step, steps, losses)
        where = self._runs[trial].where
        self._bar.update(self._tasks[trial], completed=step, total=steps, where=where)
        self._show()

    @override
    def evaluated(self, trial: Trial) -> None:
        super().evaluated(trial)
        self._show()

    @override
    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        super().trial_ended(trial, best)
        self._bar.remove_task(self._tasks.pop(trial.number))
        new = best is not None and best.number == trial.number
        self._print(self._ended(trial), "green" if new else _STYLES.get(trial.state, ""))
        self._show()

    @override
    def close(self) -> None:
        with _closing_allowed():
            self._live.stop()

    def _print(self, line: str, style: str) -> None:
        with _closing_allowed():
            self._console.print(printable_lines(line), highlight=False, style=style, markup=False)

    def _show(self) -> None:
        self._status.plain = printable_lines("\n".join(self._lines()))


class NotebookDisplay(_Words):
    """The last events and the present state, in one output cell of a notebook."""

    _LAST = 12  # lines

    def __init__(self) -> None:
        super().__init__()
        from IPython.display import HTML, display

        self._html = HTML
        self._past: list[str] = []
        self._handle = display(HTML(""), display_id=True)

    @override
    def note(self, text: str) -> None:
        self._past = [*self._past, text][-self._LAST :]
        self._show()

    @override
    def progress(self, trial: int, step: int, steps: int, losses: Mapping[str, float]) -> None:
        super().progress(trial, step, steps, losses)
        self._show()

    @override
    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        super().trial_ended(trial, best)
        self.note(self._ended(trial))

    @override
    def close(self) -> None:
        self._runs.clear()
        self._show()

    def _show(self) -> None:
        past = html.escape("\n".join(self._past))
        now = html.escape("\n".join(self._lines()))
        running = "".join(
            f"<progress value={run.step} max={run.steps or 1}></progress> "
            f"{html.escape(f'{run.title}  {run.where}')}\n"
            for run in self._runs.values()
        )
        with _closing_allowed():
            self._handle.update(self._html(f"<pre>{past}\n{running}{now}</pre>"))


def make_display() -> Display:
    """The display that suits standard error: a bar on a terminal, lines elsewhere."""
    console = Console(stderr=True)
    live = console.is_interactive and os.isatty(2)  # Rich alone would also draw on FORCE_COLOR
    return LiveDisplay(console) if live else PlainDisplay()


def usual_display() -> Display:
    """The default display for calls from Python: shows progress in notebooks only."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        if type(get_ipython()).__name__ == "ZMQInteractiveShell":
            return NotebookDisplay()
    return Display()
