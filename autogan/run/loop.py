"""The search loop: propose, train, score, record, again."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig
from autogan.core.errors import ConfigError, SearchFailed
from autogan.core.files import link, write_bytes, write_yaml
from autogan.core.hyperparameters import Value
from autogan.run.confirmation import Confirmed, next_training
from autogan.run.display import Display
from autogan.run.engine import CtrlC, Engine, Event
from autogan.run.folder import SearchFolder, TrialFolder, moved, trial_name
from autogan.run.ledger import Ledger
from autogan.run.tally import Tally
from autogan.search import History, Point, State, Trial
from autogan.search.repeats import unfinished

_MAX_FAILURES = 3


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        folder: with everything in it.
        logs: what to show in TensorBoard.
        objective: the label of the criterion that decided.
        direction: ``min`` or ``max``.
        trials: all of them, in order.
        best: the trial with the best value, or of the best hyperparameters where these are judged
            by several seeds; None if none ended with a value.
        hyperparameters: of the best trial, all of them.
        confirmed: what was trained again to name the best, the best first.
        front: of several criteria, the trials that none other beats, by number.
    """

    folder: SearchFolder
    logs: Path
    objective: str
    direction: str
    trials: list[Trial]
    best: Trial | None
    hyperparameters: Mapping[str, Value]
    confirmed: list[Confirmed]
    front: list[Trial]


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
        self._rule = config.rule(ledger.header["data"]["images"])
        self._running: dict[int, float] = {}  # when they began, by number
        self._failures = 0
        self._end_told = ""

    def run(self) -> SearchResult:
        """Search.

        Raises:
            Interrupted: after Ctrl-C.
            SearchFailed: after three failures in a row.
        """
        self._keep_best()
        self._display.searching(self._tally.best())
        advice = f"go on with: autogan search --resume {self._folder.root}"
        with CtrlC(self._engine, self._display, advice) as ctrl_c:
            while True:
                while self._engine.free() and not ctrl_c.pressed and self._start_next():
                    pass
                if not self._running:
                    break
                if event := ctrl_c.next_event():
                    self._handle(event)
        if ctrl_c.pressed:
            raise ctrl_c.interrupted()
        return self.result()

    def result(self) -> SearchResult:
        """What has been found so far."""
        best = self._tally.best()
        return SearchResult(
            folder=self._folder,
            logs=moved(self._folder.root, self._config.log_dir),
            objective=self._ledger.header["objective"],
            direction=self._tally.direction,
            trials=self._tally.trials(),
            best=best,
            hyperparameters=self._tally.trial_config(best).params if best else {},
            confirmed=self._tally.confirmed(),
            front=self._tally.front(),
        )

    def _start_next(self) -> bool:
        """Start an unfinished trial of an earlier run, or else the next; False if none is left."""
        left = [t for t in self._ledger.unfinished() if t.number not in self._running]
        trial = left[0] if left else self._next()
        if trial is None:
            return False
        config = self._tally.trial_config(trial)
        folder = self._folder.trial(self._ledger.folders[trial.number])
        self._running[trial.number] = time.monotonic()
        trials = None if trial.confirms else self._config.trials
        self._display.trial_started(trial, self._tally.points().tries(), trials)
        self._engine.start(
            trial.number,
            self._config.max_trial_minutes,
            config=config.as_dict(),
            folder=str(folder),
        )
        return True

    def _next(self) -> Trial | None:
        """Record a stopped trial as going on, or a new one as begun."""
        history = self._tally.history()
        if end := self._spent(history):
            return self._confirming(end)
        if trial := self._revived(closing=False):
            return trial
        if first := unfinished(history, self._config.repeats):
            return self._begun(first.params, f"again {first.number}", repeats=first.number)
        if self._config.trials is not None and self._tally.points().tries() >= self._config.trials:
            end = f"all {self._config.trials} trials are done"
        elif trial := self._proposed():
            return trial
        else:
            end = f"{self._config.search_method} has no further point to propose"
        if not self._running and (trial := self._revived(closing=True)):
            return trial
        return self._confirming(end)

    def _confirming(self, end: str) -> Trial | None:
        """The search has ended: record the next training of the confirmation as begun."""
        if end != self._end_told:
            self._display.note(end)
            self._end_told = end
        if self._config.confirm is None or self._running:
            return None
        point = next_training(
            self._config.confirm, self._tally.points(), self._space, self._tally.trials()
        )
        if point is None:
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
        return self._ledger.trials[trial.number]

    def _proposed(self) -> Trial | None:
        """Ask the method for a point and record the trial."""
        points = self._tally.points()
        known = History([*self._tally.earlier(), *points.trials], points.direction)
        proposal = self._config.method.propose(self._space, known, self._config.seed)
        if proposal is None:
            return None
        return self._begun(self._checked(proposal.point), proposal.origin)

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
        """A proposal as it is recorded: of the hyperparameters' own types, and within limits."""
        try:
            return {
                d.name: d.hyperparameter.check(point[d.name])
                for d in self._space.dimensions
                if d.exists(point)
            }
        except (KeyError, ValueError) as error:
            raise ConfigError(
                "search_method", f"{self._config.search_method} proposed {dict(point)}: {error}"
            ) from error

    def _spent(self, history: History) -> str:
        """Why no trial may begin or go on; empty if one may."""
        config = self._config
        best, target = self._tally.best_point(), config.target
        value = None if best is None else best.value
        if target is not None and value is not None and history.at_least_as_good(value, target):
            return f"the target {target:g} is reached"
        minutes = sum(trial.seconds for trial in history.trials) / 60
        if config.max_minutes is not None and minutes >= config.max_minutes:
            return f"max_minutes {config.max_minutes:g} are spent: {minutes:.1f}"
        updates = sum(self._updates(trial) for trial in history.trials)
        if config.max_steps is not None and updates >= config.max_steps:
            return f"max_steps {config.max_steps} are spent: {updates}"
        return ""

    def _updates(self, trial: Trial) -> int:
        """Updates of both networks in a trial; while it runs, up to its last evaluation."""
        d_iter = int({**self._config.fixed, **trial.params}["d_iter"])
        evaluated = trial.evaluations[-1].step if trial.evaluations else 0
        return max(evaluated, trial.steps) * (1 + d_iter)

    def _handle(self, event: Event) -> None:
        trial = self._ledger.trials[event.trial]
        if event.kind == "progress":
            self._display.progress(**event.fields)
        elif event.kind == "evaluation":
            # A trial that goes on from its checkpoint tells its evaluations again.
            if event.fields["step"] not in {e.step for e in trial.evaluations}:
                self._ledger.append("evaluation", trial=trial.number, **event.fields)
                self._display.evaluated(trial)
            self._engine.answer(trial.number, go_on=self._goes_on(trial.number))
        elif event.kind == "failed":
            folder = self._trial_folder(trial)
            write_bytes(folder.traceback, event.fields["traceback"].encode())
            folder.state.unlink(missing_ok=True)
            seconds = time.monotonic() - self._running[event.trial]
            failed = {"state": State.FAILED.value, "reason": event.fields["reason"]}
            self._end(trial, {**failed, "seconds": seconds})
        elif event.fields["result"] is None:
            del self._running[trial.number]  # interrupted: it stays unfinished
        else:
            self._end(trial, event.fields["result"])

    def _goes_on(self, number: int) -> bool:
        """Whether a trial is worth going on with after its last evaluation."""
        trial = self._ledger.trials[number]
        again = trial.confirms or trial.repeats is not None
        if self._rule is None or again or len(trial.evaluations) <= trial.revived:
            return True
        history = self._tally.first_seeds()
        valued = next(trial for trial in history.trials if trial.number == number)
        return self._rule.goes_on(history, valued)

    def _end(self, trial: Trial, result: Mapping[str, Any]) -> None:
        own_value = self._config.normalise != "history"  # else it depends on all trials
        self._ledger.append(
            "ended",
            trial=trial.number,
            state=result["state"],
            value=result.get("value") if own_value else None,
            step=result.get("step"),
            last_value=result.get("last_value") if own_value else None,
            seconds=result.get("seconds", 0.0),
            reason=result.get("reason", ""),
            steps=result.get("steps", 0),
        )
        del self._running[trial.number]
        self._keep_best()
        self._display.trial_ended(self._tally.trials()[trial.number], self._tally.best())
        self._failures = self._failures + 1 if trial.state is State.FAILED else 0
        if self._failures == _MAX_FAILURES:
            raise SearchFailed(
                f"{_MAX_FAILURES} trials failed in a row, the last with: {trial.reason} "
                f"(see {self._trial_folder(trial).traceback})"
            )

    def _keep_best(self) -> None:
        """Let best.yaml and the link tell of the best trial so far."""
        best = self._tally.best()
        if best is None:
            return
        name = self._ledger.folders[best.number]
        target = self._folder.trial(name).relative_to(self._folder.root)
        worth = f"{self._ledger.header['objective']} {best.value:.6g}"
        if best.losses:
            worth = f"of those that no other beats in {self._config.criterion}"
        write_yaml(
            self._folder.best_config,
            self._tally.trial_config(best).as_dict(),
            f"The best of {self._folder.root.name}: trial {best.number}, {worth} at step "
            f"{best.step}.\nTrain it again with: autogan train FILE",
        )
        link(self._folder.best, str(target))

    def _trial_folder(self, trial: Trial) -> TrialFolder:
        root = self._folder.trial(self._ledger.folders[trial.number])
        return TrialFolder.of(root, self._config)


def trial_seed(seed: int, name: int | str) -> int:
    """The seed of a trial, from the search's seed and the trial's place in it; 31 bits."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big") >> 1
