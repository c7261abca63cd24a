"""The search loop: propose, train, score, record, again."""

import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any

from autogan.config import SearchConfig
from autogan.core.errors import AutoGANError, ConfigError, DiskFull, SearchFailed, one_line
from autogan.core.files import write_bytes
from autogan.core.hyperparameters import Value
from autogan.core.invocation import command
from autogan.run.budget import Budget
from autogan.run.confirmation import next_training
from autogan.run.display import Display
from autogan.run.engine import Engine, Event
from autogan.run.folder import SearchFolder, TrialFolder, trial_name
from autogan.run.interruption import StopSignals
from autogan.run.ledger import Ledger
from autogan.run.messages import Evaluated, Failed, Note, Progress, Train, Trained
from autogan.run.result import SearchResult
from autogan.run.resume import same_training
from autogan.run.tally import Tally
from autogan.run.winner import Winner
from autogan.search import History, Point, State, Trial
from autogan.search.base import trial_seed
from autogan.search.repeats import unfinished

_MAX_FAILURES = 3
_MAX_LOST = 2  # times that a trial is tried again when the machine took it away


class SearchLoop:
    """Runs trials until the budget is spent or the method has nothing left.

    All that it needs to know is in the ledger, so that a new loop goes on where a killed one was.

    Args:
        config: resolved.
        folder: of the search, claimed, with its configuration in it.
        ledger: of the search, with its header.
        engine: runs the trials.
        display: is told of everything.
    """

    def __init__(
        self,
        config: SearchConfig,
        folder: SearchFolder,
        ledger: Ledger,
        engine: Engine,
        display: Display,
    ) -> None:
        self._config = config
        self._folder = folder
        self._ledger = ledger
        self._engine = engine
        self._display = display
        self._space = config.space
        self._tally = Tally(config, ledger)
        self._winner = Winner(config, folder, ledger, self._tally, display)
        images = ledger.header["data"]["images"]
        self._rule = config.rule(images)
        self._budget = Budget(config, images)
        self._running: dict[int, float] = {}  # when they began, by number
        self._doubts: set[str] = set()  # that the user was told
        self._failures = 0
        self._ended = False  # no new point is tried, and the user was told why

    def run(self) -> SearchResult:
        """Search.

        Raises:
            Interrupted: after Ctrl-C, SIGTERM or SIGHUP.
            SearchFailed: after three failures in a row.
            DiskFull: if there is no space left.
        """
        advice = f"go on with: {command('autogan', 'search', '--resume', self._folder.root)}"
        try:
            self._take_in()
            self._winner.keep()
            self._display.begins(self._tally.terms, self._tally.best())
            with StopSignals(self._engine, self._display, advice) as stop:
                while True:
                    while self._engine.free() and not stop.pressed and self._start_next():
                        pass
                    if not self._running:
                        break
                    if event := stop.next_event():
                        self._handle(event)
                if not stop.pressed:
                    self._finish()
        except DiskFull as error:
            raise DiskFull(error.place, advice) from error
        if stop.pressed:
            raise stop.interrupted()
        return self.result()

    def retry_failed(self) -> None:
        """Let all failed trials be tried again, as if they had been interrupted."""
        for trial in self._ledger.trials:
            if trial.state is State.FAILED:
                self._ledger.append("retried", trial=trial.number)

    def _take_in(self) -> None:
        """Let stopped trials that the user has trained on by hand count as they are now.

        Such a trial goes on for the record, and its worker finds it at its end.
        """
        labels = set(self._ledger.header["labels"].values())
        for trial in self._ledger.trials:
            folder = self._trial_folder(trial)
            found = folder.ended() if trial.state is State.STOPPED else None
            if found is None or found.state is State.STOPPED:
                continue
            wanted = self._tally.trial_config(trial).resolved()
            if found.labels() <= labels and same_training(folder.config, wanted):
                self._display.note(f"trial {trial.number} was trained on by hand: it counts anew")
                self._ledger.append("revived", trial=trial.number)
            else:
                self._display.note(f"trial {trial.number} was trained anew by hand, in another way")

    def result(self) -> SearchResult:
        """What has been found so far."""
        best = self._tally.best()
        return SearchResult(
            config=self._config,
            terms=self._tally.terms,
            folder=self._folder,
            logs=self._folder.logs(self._config.log_dir),
            objective=self._ledger.header["objective"],
            direction=self._tally.direction,
            trials=self._tally.trials(),
            best=best,
            hyperparameters=self._tally.trial_config(best).params if best else {},
            confirmed=self._tally.confirmed(),
            front=self._tally.front(),
            judged=self._ledger.judgement(best) if best else None,
        )

    def _start_next(self) -> bool:
        """Start an unfinished trial of an earlier run, or else the next; False if none is left."""
        left = [t for t in self._ledger.unfinished() if t.number not in self._running]
        trial = left[0] if left else self._next()
        if trial is None:
            return False
        config = self._tally.trial_config(trial)
        folder = self._folder.trial(self._ledger.folders[trial.number])
        if (doubt := config.doubt) and doubt not in self._doubts:
            self._doubts.add(doubt)
            self._display.note(f"trial {trial.number}: {doubt}")
        self._running[trial.number] = time.monotonic()
        trials = None if trial.confirms or trial.evaluations else self._config.trials
        self._display.trial_started(trial, self._tally.points().tries(), trials)
        root = self._folder.root
        call = Train(
            config=config.as_dict(),
            folder=str(folder),
            run=str(root),
            name=f"{root.name} {trial.number}",
            trial=Trial(trial.number, trial.params, trial.seed, trial.origin),
            search=self._config.as_dict(),
        )
        self._engine.start(trial.number, self._config.max_trial_minutes, call)
        return True

    def _next(self) -> Trial | None:
        """Record a stopped trial as going on, or a new one as begun."""
        history, trials = self._tally.history(), self._tally.trials()
        if end := self._reached_target(history):
            return self._confirming(end)
        finals = self._rule.finals(self._tally.first_seeds()) if self._rule else 0.0
        seeds = math.ceil(finals) * (self._config.repeats - 1)  # further ones of the last few
        reserve = finals + seeds + self._budget.confirmations(trials, self._tally.candidates())
        if end := self._budget.spent(trials, reserve):
            return self._closing(end)
        if trial := self._revived(closing=False):
            return trial
        if first := unfinished(history, self._config.repeats):
            return self._begun(first.params, f"again {first.number}", repeats=first.number)
        if self._config.trials is not None and self._tally.points().tries() >= self._config.trials:
            kind = "trials" if self._config.repeats == 1 else "points"
            return self._closing(f"all {self._config.trials} {kind} are done")
        if own := self._enqueued():
            return self._begun(own[0], "enqueued")
        if trial := self._proposed():
            return trial
        return self._closing(f"{self._config.search_method} has no further point to propose")

    def _closing(self, end: str) -> Trial | None:
        """No new point is tried: train the best stopped trials in full, and then confirm."""
        trials = self._tally.trials()
        reserve = self._budget.confirmations(trials, self._tally.candidates())
        if not self._budget.spent(trials, reserve):
            if not self._running and (trial := self._revived(closing=True)):
                return trial
            if first := unfinished(self._tally.history(), self._config.repeats):
                return self._begun(first.params, f"again {first.number}", repeats=first.number)
        return self._confirming(end)

    def _confirming(self, end: str) -> Trial | None:
        """The search has ended: record the next training of the confirmation as begun."""
        if not self._ended:
            self._display.note(end)
            if own := self._enqueued():
                words = "point of your own was" if len(own) == 1 else "points of your own were"
                self._display.note(f"{len(own)} {words} not tried: resume with more --trials")
            self._ended = True
        if self._config.confirm is None or self._running:
            return None
        trials = self._tally.trials()
        point = next_training(
            self._config.confirm, self._tally.points(), self._config.repeats, self._space, trials
        )
        if point is None:
            return None
        if spent := self._budget.spent(trials):
            self._display.note(f"{spent}: the confirmation is not complete, and does not count")
            return None
        if point.number < 0:
            return self._begun(point.params, "confirming the defaults", confirms=True)
        origin = f"confirming trial {point.number}"
        return self._begun(point.params, origin, repeats=point.number, confirms=True)

    def _revived(self, *, closing: bool) -> Trial | None:
        """Record a stopped trial as going on, if the rule wants one to."""
        if self._rule is None:
            return None
        trial = self._rule.revived(self._tally.first_seeds(), closing=closing)
        if trial is None:
            return None
        self._ledger.append("revived", trial=trial.number)
        self._display.note(f"trial {trial.number} goes on: it is among the best so far")
        return self._ledger.trials[trial.number]

    def _proposed(self) -> Trial | None:
        """Ask the method for a point and record the trial."""
        points = self._tally.points()
        known = History([*self._tally.earlier(), *points.trials], points.direction)
        try:
            proposal = self._config.method.propose(self._space, known, self._config.seed)
        except AutoGANError:
            raise
        except Exception as error:  # a method of the user's own may raise anything
            raise SearchFailed(
                f"the search method {self._config.search_method} failed: {one_line(error)} "
                "(--debug shows more)"
            ) from error
        if proposal is None:
            return None
        return self._begun(self._checked(proposal.point), proposal.origin)

    def _enqueued(self) -> list[dict[str, Value]]:
        """The user's own points that have not been tried."""
        tried = [trial.params for trial in self._ledger.trials if not trial.confirms]
        return [point for point in self._config.enqueue if point not in tried]

    def _begun(self, point: Mapping[str, Value], origin: str, **again: Any) -> Trial:
        """Record a new trial."""
        number = len(self._ledger.trials)
        confirms = again.get("confirms", False)
        # Confirming takes no seeds from the search, which may go on afterwards.
        place = sum(trial.confirms == confirms for trial in self._ledger.trials)
        if self._config.normalise == "history":
            again["bounds"] = self._tally.bounds()
        name = f"confirmation/{place}" if confirms else place
        self._ledger.append(
            "started",
            trial=number,
            params=dict(point),
            seed=trial_seed(self._config.seed, name),
            origin=origin,
            folder=trial_name(number, point),
            **again,
        )
        return self._ledger.trials[number]

    def _checked(self, point: Point) -> dict[str, Value]:
        """A proposal as it is recorded: of the hyperparameters' own types, and one that can be."""
        try:
            checked = {
                d.name: d.hyperparameter.check(point[d.name])
                for d in self._space.dimensions
                if self._space.exists(d.name, point)
            }
            if conflict := self._config.conflict(checked):
                raise ValueError(conflict)
        except (KeyError, ValueError) as error:
            raise ConfigError(
                "search_method", f"{self._config.search_method} proposed {dict(point)}: {error}"
            ) from error
        return checked

    def _reached_target(self, history: History) -> str:
        """Why the search has what it was to find; empty if it has not."""
        best, target = self._tally.best_point(), self._config.target
        value = None if best is None else best.value
        if target is not None and value is not None and history.at_least_as_good(value, target):
            return f"the target {target:g} is reached"
        return ""

    def _handle(self, event: Event) -> None:
        trial, message = self._ledger.trials[event.trial], event.message
        if isinstance(message, Note):
            self._display.note(message.text)
        elif isinstance(message, Progress):
            self._display.progress(message.step, message.steps, message.losses)
        elif isinstance(message, Evaluated):
            # A trial that goes on from its checkpoint tells its evaluations again.
            told = dataclasses.asdict(message.evaluation)
            if told["step"] not in {e.step for e in trial.evaluations}:
                del told["value"]  # it may depend on all trials
                self._ledger.append("evaluation", trial=trial.number, **told)
                self._display.evaluated(self._tally.trials()[trial.number])
            self._engine.answer(trial.number, go_on=self._goes_on(trial.number))
        elif isinstance(message, Failed):
            self._failed(trial, message)
        elif isinstance(message, Trained):
            if message.trial is None:
                del self._running[trial.number]  # interrupted: it stays unfinished
            else:
                self._end(trial, message.trial)

    def _failed(self, trial: Trial, message: Failed) -> None:
        """A trial's work ended in an error: its own fault, or the machine's."""
        if message.cause == "disk":
            raise DiskFull(message.reason)
        if message.cause != "itself" and trial.times_lost < _MAX_LOST:
            self._ledger.append("lost", trial=trial.number, reason=message.reason)
            del self._running[trial.number]
            self._display.note(f"trial {trial.number} was lost and goes on: {message.reason}")
            return
        folder = self._trial_folder(trial)
        write_bytes(folder.traceback, message.traceback.encode())
        folder.state.unlink(missing_ok=True)
        if folder.failed_status.exists():
            folder.failed_status.replace(folder.status)
        again = f"lost {trial.times_lost + 1} times: " if message.cause != "itself" else ""
        seconds = trial.seconds + time.monotonic() - self._running[trial.number]
        reason = f"{again}{message.reason}"
        self._end(
            trial, Trial(trial.number, {}, state=State.FAILED, reason=reason, seconds=seconds)
        )

    def _goes_on(self, number: int) -> bool:
        """Whether a trial is worth going on with after its last evaluation."""
        trial = self._ledger.trials[number]
        again = trial.confirms or trial.repeats is not None
        if self._rule is None or again or len(trial.evaluations) <= trial.revived:
            return True
        history = self._tally.first_seeds()
        valued = next(trial for trial in history.trials if trial.number == number)
        return self._rule.goes_on(history, valued)

    def _end(self, trial: Trial, result: Trial) -> None:
        """Record what came of a trial."""
        own_value = self._config.normalise != "history"  # else it depends on all trials
        self._ledger.append(
            "ended",
            trial=trial.number,
            state=result.state.value,
            value=result.value if own_value else None,
            step=result.step,
            last_value=result.last_value if own_value else None,
            seconds=result.seconds,
            reason=result.reason,
            steps=result.steps,
        )
        del self._running[trial.number]
        if trial.state is State.STOPPED and self._rule is not None and not self._rule.revives:
            self._trial_folder(trial).state.unlink(missing_ok=True)
        self._winner.keep()
        self._display.trial_ended(self._tally.trials()[trial.number], self._tally.best())
        self._failures = self._failures + 1 if trial.state is State.FAILED else 0
        if self._failures == _MAX_FAILURES:
            raise SearchFailed(
                f"{_MAX_FAILURES} trials failed in a row, the last with: {trial.reason} "
                f"(see {self._trial_folder(trial).traceback})"
            )

    def _finish(self) -> None:
        """Free the disk, and judge the best generator by fresh latent vectors.

        A stopped trial that a later `--resume` asks for begins anew, and comes to the same bits.
        """
        for trial in self._ledger.trials:
            if trial.state is State.STOPPED:
                self._trial_folder(trial).state.unlink(missing_ok=True)
        if self._rule and not any(t.state is State.COMPLETE for t in self._ledger.trials):
            self._display.note("no trial was trained to its end: give the search a larger budget")
        self._winner.judge(self._engine)

    def _trial_folder(self, trial: Trial) -> TrialFolder:
        root = self._folder.trial(self._ledger.folders[trial.number])
        return TrialFolder.of(root, self._config)
