"""The search loop: propose, train, score, record, again."""

import contextlib
import time
from collections.abc import Iterable, Set

from autogan.config import own_flags
from autogan.core.errors import ConfigError, SearchFailed, StorageError, printable
from autogan.core.files import write_bytes
from autogan.core.invocation import command
from autogan.decisions.clock import WorkClock
from autogan.decisions.decisions import Decisions
from autogan.decisions.tally import Tally
from autogan.pool.messages import Evaluated, Failed, Note, Placed, Progress, Train, Trained
from autogan.pool.pool import Engine, Event
from autogan.record import lines
from autogan.record.lines import Ended, Joined, Lost, Retried, Revived
from autogan.record.resume import difference, same_training
from autogan.run.interruption import StopSignals
from autogan.run.plan import HOPEFUL
from autogan.run.winner import Winner
from autogan.search import State, Trial
from autogan.show.display import Display
from autogan.show.result import SearchResult

_MAX_FAILURES = 3
_MAX_LOST = 2  # retries of a trial that the machine lost


class SearchLoop:
    """Runs trials until the budget is spent or the method has nothing left.

    All of its state is in the ledger, so a new loop continues where a killed one stopped.

    Args:
        tally: the search and its trials so far; its folder is claimed and holds the configuration.
        engine: runs the trials.
        display: receives all events.
    """

    def __init__(self, tally: Tally, engine: Engine, display: Display) -> None:
        self._tally = tally
        self._config, self._folder, self._ledger = tally.config, tally.folder, tally.ledger
        self._engine = engine
        self._display = display
        self._decisions = Decisions(tally)
        self._winner = Winner(tally, display)
        self._clock = WorkClock(tally) if self._config.order == "work" else None
        self._running: dict[int, float] = {}  # start times, by number
        self._early: dict[int, Event] = {}  # results that count after others', by trial
        self._noted: set[str] = set()  # notes that need not be repeated
        self._strange: set[str] = set()  # workers with another environment than the first one
        self._failures = 0
        self._hopeful: set[int] = set()  # trials whose states are kept
        self._ended = False  # no new point is tried, and a note has said why

    def run(self) -> SearchResult:
        """Search.

        Raises:
            Interrupted: after Ctrl-C, SIGTERM or SIGHUP.
            SearchFailed: after three failures in a row.
            StorageError: if a file cannot be written, as on a full disk.
        """
        own = own_flags(self._config, "search")
        again = command("autogan", "search", "--resume", self._folder.whole, *own)
        advice = f"resume with: {again}"
        try:
            self._take_in()
            self._winner.keep()
            self._display.begins(self._tally.terms, self._tally.best())
            with StopSignals(self._engine, self._display, advice) as stop:
                try:
                    self._train_all(stop)
                except (SearchFailed, ConfigError):
                    self._save_running(stop)
                    raise
                stop.saved = True
                if not stop.pressed:
                    self._finish()
        except StorageError as error:
            raise StorageError(error.problem, advice) from error
        except OSError as error:
            raise StorageError(StorageError.of(error).problem, advice) from error
        if stop.pressed:
            raise stop.interrupted()
        return self.result()

    def _train_all(self, stop: StopSignals) -> None:
        """Start trials while workers are free, and handle their results in order."""
        while True:
            while self._more_fit() and not stop.pressed and self._start_next():
                pass
            if stop.pressed:
                self._forget_early()
            if not self._running:
                return
            if (event := self._early.pop(self._next_to_count(), None)) or (
                event := self._heard(stop)
            ):
                self._handle(event)

    def _more_fit(self) -> bool:
        """Whether a worker is free whose last result has been handled."""
        ended = sum(_is_end(event) for event in self._early.values())
        return self._engine.free() > ended

    def _next_to_count(self) -> int:
        """The number of the running trial whose result counts next; -1 if any may."""
        if self._clock is None:
            return -1
        due = {number: self._clock.due(self._ledger.trials[number]) for number in self._running}
        return min(due, key=lambda number: (due[number], number))

    def _heard(self, stop: StopSignals) -> Event | None:
        """The next event, unless it is a result that counts later: this is kept for then.

        Once the search is to stop, every result is kept: no new trial would follow it in order.
        """
        event = stop.next_event()
        if event is None or event.trial is None or not self._decides(event):
            return event
        if self._clock is None:
            return event
        if not stop.pressed and event.trial == self._next_to_count():
            return event
        self._early[event.trial] = event
        return None

    def _decides(self, event: Event) -> bool:
        """Whether an event is a result that may affect the search's decisions."""
        assert event.trial is not None
        if isinstance(event.message, Evaluated):
            evaluations = self._ledger.trials[event.trial].evaluations
            return all(e.step != event.message.evaluation.step for e in evaluations)
        if isinstance(event.message, Failed):
            return event.message.cause == "itself"
        return isinstance(event.message, Trained) and event.message.trial is not None

    def _forget_early(self) -> None:
        """Drop results that do not count yet: their trials send them again when they resume."""
        for number, event in self._early.items():
            if _is_end(event):
                del self._running[number]
        self._early.clear()

    def _save_running(self, stop: StopSignals) -> None:
        """Let running trials save before the search ends with an error."""
        self._engine.interrupt()
        self._forget_early()
        while self._running:
            if event := stop.next_event():
                with contextlib.suppress(SearchFailed, ConfigError):
                    self._handle(event)

    def retry_failed(self) -> None:
        """Retry all failed trials, as if they had been interrupted."""
        for trial in self._ledger.trials:
            if trial.state is State.FAILED:
                self._ledger.append(Retried(trial=trial.number))

    def _take_in(self) -> None:
        """Resume trials that have ended, where the user wants it.

        A trial that the user has trained further by hand counts as it is now: it resumes in the
        record, and its worker finds it complete. A trial that was out of time resumes if it may
        take longer now.
        """
        labels = set(self._ledger.header["labels"].values())
        limit = self._config.max_trial_minutes
        for trial in self._ledger.trials:
            folder = self._tally.trial_folder(trial.number)
            found = folder.ended() if trial.resumable else None
            if found is None or found.resumable:
                if trial.state is State.TIMED_OUT and (not limit or trial.seconds < 60 * limit):
                    self._display.note(f"trial {trial.number} was out of time; resuming it")
                    self._ledger.append(Retried(trial=trial.number))
                continue
            wanted = self._tally.trial_config(trial).resolved()
            if found.labels() <= labels and same_training(folder.config, wanted):
                self._display.note(
                    f"trial {trial.number} was trained further by hand; its new result counts"
                )
                self._ledger.append(Revived(trial=trial.number, by_hand=True))
            else:
                self._display.note(
                    f"trial {trial.number} was trained again by hand with another configuration; "
                    "its recorded result counts"
                )

    def result(self) -> SearchResult:
        """The result so far."""
        return SearchResult(self._tally)

    def _start_next(self) -> bool:
        """Start an unfinished trial of an earlier run, or the next one; False if none is left."""
        left = [t for t in self._ledger.unfinished() if t.number not in self._running]
        trial = left[0] if left else self._next()
        if trial is None:
            return False
        config = self._tally.trial_config(trial)
        folder = self._folder.trial(self._ledger.folders[trial.number])
        if doubt := config.doubt:
            self._note_once(doubt, f"trial {trial.number}: {doubt}")
        self._running[trial.number] = time.monotonic()
        position, trials = self._place(trial), self._config.tries
        if trial.confirms or trial.evaluations or (trials is not None and position > trials):
            trials = None  # it does not count among them, as a failed trial that is retried
        self._display.trial_started(trial, position, trials)
        root = self._folder.root
        call = Train(
            config=config.as_dict(),
            folder=str(folder.absolute()),
            run=str(root.absolute()),
            name=f"{root.name} {trial.number}",
            trial=Trial(trial.number, trial.params, trial.seed, trial.origin),
            search=self._config.as_dict(),
        )
        # Over the pipe, to `autogan.worker.trial.run_trial` in a worker.
        self._engine.start(trial.number, self._config.max_trial_minutes, call)
        return True

    def _place(self, trial: Trial) -> int:
        """The place of a trial's point among the search's points, counted from 1."""
        first = trial.number if trial.repeats is None else trial.repeats
        begun = (t for t in self._tally.first_seeds().trials if t.number <= first)
        return sum(trial.state is not State.FAILED for trial in begun)

    def _next(self) -> Trial | None:
        """Record a new trial as begun, or a stopped one as resumed; None if there is neither."""
        step = self._decisions.next()
        if step.end and not self._ended:
            self._display.note(step.end)
            self._ended = True
        for note in step.notes:
            self._note_once(note, note)
        if step.line is None:
            return None
        self._ledger.append(step.line)
        return self._ledger.trials[step.line.trial]

    def _note_once(self, what: str, note: str) -> None:
        if what not in self._noted:
            self._noted.add(what)
            self._display.note(note)

    def _handle(self, event: Event) -> None:
        message = event.message
        if isinstance(message, Note):
            self._note_once(message.text, message.text)
        if event.trial is None:
            return
        begun = self._running[event.trial]
        if _is_end(event):
            del self._running[event.trial]  # even if recording its end fails
        trial = self._ledger.trials[event.trial]
        if isinstance(message, Placed):
            self._placed(trial, message)
        elif isinstance(message, Progress):
            self._display.progress(trial.number, message.step, message.steps, message.losses)
        elif isinstance(message, Evaluated):
            self._engine.answer(trial.number, go_on=self._answer(trial, message))
        elif isinstance(message, Failed):
            self._failed(trial, message, trial.seconds + time.monotonic() - begun)
        elif isinstance(message, Trained) and message.trial is not None:
            self._end(trial, message.trial)  # an interrupted one stays unfinished

    def _failed(self, trial: Trial, message: Failed, seconds: float) -> None:
        """Handle a trial that ended in an error, by its own fault or the machine's.

        Args:
            trial: as recorded.
            message: all that is known about the error.
            seconds: of the trial's work in total.
        """
        if message.cause == "disk":
            raise StorageError(message.reason)
        if message.cause != "itself" and trial.times_lost < _MAX_LOST:
            reason = printable(message.reason)
            self._ledger.append(Lost(trial=trial.number, reason=reason))
            self._display.note(
                f"trial {trial.number} was lost ({reason}); retrying from its last checkpoint"
            )
            return
        self._ledger.check_own()  # or a folder that was moved away would be created again
        folder = self._tally.trial_folder(trial.number)
        write_bytes(folder.traceback, message.traceback.encode(errors="backslashreplace"))
        folder.state.unlink(missing_ok=True)
        if folder.failed_status.exists():
            folder.failed_status.replace(folder.status)
        again = f"lost {trial.times_lost + 1} times: " if message.cause != "itself" else ""
        reason = f"{again}{message.reason}"
        self._end(
            trial, Trial(trial.number, {}, state=State.FAILED, reason=reason, seconds=seconds)
        )

    def _placed(self, trial: Trial, message: Placed) -> None:
        """Record which worker has a trial; note once if its environment differs."""
        usual, worker = self._ledger.header["environment"], message.worker
        if message.environment != usual and worker not in self._strange:
            self._strange.add(worker)
            self._ledger.append(Joined(worker=worker, environment=message.environment))
            other = difference(usual, message.environment)
            self._note_once(
                other,
                f"{worker} has a different environment ({other}); its values may not be comparable",
            )
        self._ledger.append(lines.Placed(trial=trial.number, worker=worker))

    def _answer(self, trial: Trial, message: Evaluated) -> bool:
        """Record an evaluation, and whether the trial goes on.

        A trial that resumes from its checkpoint sends its evaluations again. They get the same
        answers as before, because the other trials have moved on.
        """
        number, evaluation = trial.number, message.evaluation
        before = {e.step: place for place, e in enumerate(trial.evaluations)}
        place = before.get(evaluation.step)
        if place is None:
            go_on = self._ledger.evaluated(
                lines.Evaluated.of(number, evaluation), lambda: self._decisions.goes_on(number)
            )
            self._display.evaluated(self._tally.trials()[number])
            return go_on
        if trial.evaluations[place].scores != evaluation.scores:
            self._display.note(
                f"trial {number} has different scores at step {evaluation.step} than before: "
                f"{evaluation.scores}; the record has {trial.evaluations[place].scores}"
            )
        if place < trial.revived:
            return True
        recorded = self._ledger.answers.get((number, evaluation.step))
        return self._decisions.goes_on(number) if recorded is None else recorded

    def _end(self, trial: Trial, result: Trial) -> None:
        """Record the end of a trial."""
        # Under normalise history, a value depends on all trials.
        valued = self._config.normalise != "history"
        self._ledger.append(Ended.of(trial.number, result, valued=valued))
        if trial.state is State.STOPPED and not self._config.stopping_revives:
            self._tally.trial_folder(trial.number).state.unlink(missing_ok=True)
        self._winner.keep()
        hopeful = self._may_win()
        self._drop_states({trial.number} | self._hopeful, hopeful)
        self._hopeful = hopeful
        self._display.trial_ended(self._tally.trials()[trial.number], self._tally.best())
        self._failures = self._failures + 1 if trial.state is State.FAILED else 0
        if self._failures == _MAX_FAILURES:
            raise SearchFailed(
                f"{_MAX_FAILURES} trials failed in a row, the last with: {trial.reason} "
                f"(see {self._tally.trial_folder(trial.number).traceback})"
            )

    def _may_win(self) -> set[int]:
        """The trials of the best points, and of those that the confirmation trains again."""
        best = [standing.first.params for standing in self._tally.ranked()[:HOPEFUL]]
        points = [*best, *self._tally.candidates()]
        return {trial.number for trial in self._tally.trials() if trial.params in points}

    def _drop_states(self, trials: Iterable[int], kept: Set[int]) -> None:
        """Delete the states of these trials' whole trainings, except for ``kept``."""
        for number in trials:
            if self._ledger.trials[number].state is State.COMPLETE and number not in kept:
                self._tally.trial_folder(number).state.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Free disk space, and judge the best generator on fresh latent vectors.

        A stopped trial that a later `--resume` revives starts again and reaches the same bits. A
        trial that was out of time keeps its checkpoint: without it, it would be out of time again.
        """
        for trial in self._ledger.trials:
            if trial.state is State.STOPPED:
                self._tally.trial_folder(trial.number).state.unlink(missing_ok=True)
        best = self._tally.best()
        kept = {best.number} if best else set()
        self._drop_states(range(len(self._ledger.trials)), kept)
        ended = any(trial.whole for trial in self._ledger.trials)
        if self._config.stops_by and not ended:
            self._display.note("no trial was trained to its end; give the search a larger budget")
        self._winner.judge(self._engine)


def _is_end(event: Event) -> bool:
    """Whether an event is a trial's last one."""
    return isinstance(event.message, Trained | Failed)
