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
_MAX_LOST = 2  # times that a trial is tried again when the machine took it away


class SearchLoop:
    """Runs trials until the budget is spent or the method has nothing left.

    All that it needs to know is in the ledger, so that a new loop goes on where a killed one was.

    Args:
        tally: the trials so far, and what the search is to do; its folder is claimed, with its
            configuration in it.
        engine: runs the trials.
        display: is told of everything.
    """

    def __init__(self, tally: Tally, engine: Engine, display: Display) -> None:
        self._tally = tally
        self._config, self._folder, self._ledger = tally.config, tally.folder, tally.ledger
        self._engine = engine
        self._display = display
        self._decisions = Decisions(tally)
        self._winner = Winner(tally, display)
        self._clock = WorkClock(tally) if self._config.order == "work" else None
        self._running: dict[int, float] = {}  # when they began, by number
        self._early: dict[int, Event] = {}  # results that count after others', by trial
        self._told: set[str] = set()  # what the user need not be told again
        self._strange: set[str] = set()  # workers that are not like the first one
        self._failures = 0
        self._hopeful: set[int] = set()  # trials whose states are kept
        self._ended = False  # no new point is tried, and the user was told why

    def run(self) -> SearchResult:
        """Search.

        Raises:
            Interrupted: after Ctrl-C, SIGTERM or SIGHUP.
            SearchFailed: after three failures in a row.
            StorageError: if a file cannot be written, as on a full disk.
        """
        own = own_flags(self._config, "search")
        again = command("autogan", "search", "--resume", self._folder.whole, *own)
        advice = f"go on with: {again}"
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
        """Start trials while workers are free, and take in what comes of them, in its order."""
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
        """Whether a worker is free whose last result has been taken in."""
        ended = sum(_is_end(event) for event in self._early.values())
        return self._engine.free() > ended

    def _next_to_count(self) -> int:
        """The number of the running trial whose result counts next; -1 if any may."""
        if self._clock is None:
            return -1
        due = {number: self._clock.due(self._ledger.trials[number]) for number in self._running}
        return min(due, key=lambda number: (due[number], number))

    def _heard(self, stop: StopSignals) -> Event | None:
        """The next event, unless it is a result that counts after others': that is kept.

        So is any result once the search is to stop: nothing new would begin after it in its place.
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
        """Whether an event is a result, by which the search may decide something."""
        assert event.trial is not None
        if isinstance(event.message, Evaluated):
            evaluations = self._ledger.trials[event.trial].evaluations
            return all(e.step != event.message.evaluation.step for e in evaluations)
        if isinstance(event.message, Failed):
            return event.message.cause == "itself"
        return isinstance(event.message, Trained) and event.message.trial is not None

    def _forget_early(self) -> None:
        """Leave results that do not count yet to their trials, which tell them again."""
        for number, event in self._early.items():
            if _is_end(event):
                del self._running[number]
        self._early.clear()

    def _save_running(self, stop: StopSignals) -> None:
        """Let the trials that are running save, though the search ends here."""
        self._engine.interrupt()
        self._forget_early()
        while self._running:
            if event := stop.next_event():
                with contextlib.suppress(SearchFailed, ConfigError):
                    self._handle(event)

    def retry_failed(self) -> None:
        """Let all failed trials be tried again, as if they had been interrupted."""
        for trial in self._ledger.trials:
            if trial.state is State.FAILED:
                self._ledger.append(Retried(trial=trial.number))

    def _take_in(self) -> None:
        """Let trials that have ended go on where the user wants it.

        One that the user has trained on by hand counts as it is now: it goes on for the record, and
        its worker finds it at its end. One that was out of time goes on if it may take longer now.
        """
        labels = set(self._ledger.header["labels"].values())
        limit = self._config.max_trial_minutes
        for trial in self._ledger.trials:
            folder = self._tally.trial_folder(trial.number)
            found = folder.ended() if trial.resumable else None
            if found is None or found.resumable:
                if trial.state is State.TIMED_OUT and (not limit or trial.seconds < 60 * limit):
                    self._display.note(f"trial {trial.number} was out of time, and may go on now")
                    self._ledger.append(Retried(trial=trial.number))
                continue
            wanted = self._tally.trial_config(trial).resolved()
            if found.labels() <= labels and same_training(folder.config, wanted):
                self._display.note(f"trial {trial.number} was trained on by hand: it counts anew")
                self._ledger.append(Revived(trial=trial.number, by_hand=True))
            else:
                self._display.note(f"trial {trial.number} was trained anew by hand, in another way")

    def result(self) -> SearchResult:
        """What has been found so far."""
        return SearchResult(self._tally)

    def _start_next(self) -> bool:
        """Start an unfinished trial of an earlier run, or else the next; False if none is left."""
        left = [t for t in self._ledger.unfinished() if t.number not in self._running]
        trial = left[0] if left else self._next()
        if trial is None:
            return False
        config = self._tally.trial_config(trial)
        folder = self._folder.trial(self._ledger.folders[trial.number])
        if doubt := config.doubt:
            self._tell_once(doubt, f"trial {trial.number}: {doubt}")
        self._running[trial.number] = time.monotonic()
        position, trials = self._place(trial), self._config.tries
        if trial.confirms or trial.evaluations or (trials is not None and position > trials):
            trials = None  # which it is beyond: such as failed trials that are tried again
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
        """Which of the search's points a trial is of, counted from 1."""
        first = trial.number if trial.repeats is None else trial.repeats
        begun = (t for t in self._tally.first_seeds().trials if t.number <= first)
        return sum(trial.state is not State.FAILED for trial in begun)

    def _next(self) -> Trial | None:
        """Record a new trial as begun, or a stopped one as going on; None if nothing begins."""
        step = self._decisions.next()
        if step.end and not self._ended:
            self._display.note(step.end)
            self._ended = True
        for note in step.notes:
            self._tell_once(note, note)
        if step.line is None:
            return None
        self._ledger.append(step.line)
        return self._ledger.trials[step.line.trial]

    def _tell_once(self, what: str, note: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._display.note(note)

    def _handle(self, event: Event) -> None:
        message = event.message
        if isinstance(message, Note):
            self._tell_once(message.text, message.text)
        if event.trial is None:
            return
        begun = self._running[event.trial]
        if _is_end(event):
            del self._running[event.trial]  # whatever the record says to its end
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
        """A trial's work ended in an error: its own fault, or the machine's.

        Args:
            trial: as the record has it.
            message: what is known of the error.
            seconds: of the trial's work, all in all.
        """
        if message.cause == "disk":
            raise StorageError(message.reason)
        if message.cause != "itself" and trial.times_lost < _MAX_LOST:
            reason = printable(message.reason)
            self._ledger.append(Lost(trial=trial.number, reason=reason))
            self._display.note(f"trial {trial.number} was lost and goes on: {reason}")
            return
        self._ledger.check_own()  # else a folder that was moved away would be made again
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
        """Record which worker has a trial, and once if that is another kind of machine."""
        usual, worker = self._ledger.header["environment"], message.worker
        if message.environment != usual and worker not in self._strange:
            self._strange.add(worker)
            self._ledger.append(Joined(worker=worker, environment=message.environment))
            other = difference(usual, message.environment)
            self._tell_once(
                other, f"{worker} is another kind of worker: {other}; values may differ"
            )
        self._ledger.append(lines.Placed(trial=trial.number, worker=worker))

    def _answer(self, trial: Trial, message: Evaluated) -> bool:
        """Record an evaluation, and whether the trial is to go on.

        A trial that goes on from its checkpoint tells its evaluations again: they are answered as
        they were, for the other trials have moved on.
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
                f"trial {number} gave other scores at step {evaluation.step} than before: "
                f"{evaluation.scores}, and {trial.evaluations[place].scores} in the record"
            )
        if place < trial.revived:
            return True
        recorded = self._ledger.answers.get((number, evaluation.step))
        return self._decisions.goes_on(number) if recorded is None else recorded

    def _end(self, trial: Trial, result: Trial) -> None:
        """Record what came of a trial."""
        # Normalised by the history, a value depends on all trials.
        valued = self._config.normalise != "history"
        self._ledger.append(Ended.of(trial.number, result, valued=valued))
        if trial.state is State.STOPPED and not self._config.stopping_revives:
            self._tally.trial_folder(trial.number).state.unlink(missing_ok=True)
        self._winner.keep()
        hopeful = {t.number for p in self._tally.ranked()[:HOPEFUL] for t in p.trials}
        self._drop_states({trial.number} | self._hopeful, hopeful)
        self._hopeful = hopeful
        self._display.trial_ended(self._tally.trials()[trial.number], self._tally.best())
        self._failures = self._failures + 1 if trial.state is State.FAILED else 0
        if self._failures == _MAX_FAILURES:
            raise SearchFailed(
                f"{_MAX_FAILURES} trials failed in a row, the last with: {trial.reason} "
                f"(see {self._tally.trial_folder(trial.number).traceback})"
            )

    def _drop_states(self, trials: Iterable[int], kept: Set[int]) -> None:
        """Delete the states of whole trainings among some, but those that are kept."""
        for number in trials:
            if self._ledger.trials[number].state is State.COMPLETE and number not in kept:
                self._tally.trial_folder(number).state.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Free the disk, and judge the best generator by fresh latent vectors.

        A stopped trial that a later `--resume` asks for begins anew, and comes to the same bits.
        One that was out of time keeps its checkpoint, for it would be out of time again.
        """
        for trial in self._ledger.trials:
            if trial.state is State.STOPPED:
                self._tally.trial_folder(trial.number).state.unlink(missing_ok=True)
        best = self._tally.best()
        kept = {best.number} if best else set()
        self._drop_states(range(len(self._ledger.trials)), kept)
        ended = any(trial.whole for trial in self._ledger.trials)
        if self._config.stops_by and not ended:
            self._display.note("no trial was trained to its end: give the search a larger budget")
        self._winner.judge(self._engine)


def _is_end(event: Event) -> bool:
    """Whether an event is a trial's last one."""
    return isinstance(event.message, Trained | Failed)
