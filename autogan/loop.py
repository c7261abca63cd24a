"""The search loop: propose, train, score, record, again."""

import dataclasses
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogan.config import SearchConfig, TrainConfig
from autogan.criteria import Bounds, bounds_seen
from autogan.display import Display
from autogan.engine import CtrlC, Engine, Event
from autogan.errors import ConfigError, SearchFailed
from autogan.files import link, write_bytes, write_yaml
from autogan.folder import SearchFolder, TrialFolder, moved, trial_name
from autogan.hyperparameters import Value
from autogan.ledger import Ledger
from autogan.search import Evaluation, History, Point, State, Trial

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
        best: the trial with the best value; None if none ended with one.
        hyperparameters: of the best trial, all of them.
    """

    folder: SearchFolder
    logs: Path
    objective: str
    direction: str
    trials: list[Trial]
    best: Trial | None
    hyperparameters: Mapping[str, Value]


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
        self._space = config.space()
        self._running: dict[int, float] = {}  # when they began, by number
        self._failures = 0

    def run(self) -> SearchResult:
        """Search.

        Raises:
            Interrupted: after Ctrl-C.
            SearchFailed: after three failures in a row.
        """
        self._keep_best()
        self._display.searching(self._history().best())
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
        best = self._history().best()
        return SearchResult(
            self._folder,
            moved(self._folder.root, self._config.log_dir),
            self._ledger.header["objective"],
            self._config.objective.direction,
            self._valued_trials(),
            best,
            {**self._config.fixed(), **best.params} if best else {},
        )

    def _history(self) -> History:
        return History(self._valued_trials(), self._config.objective.direction)

    def _valued_trials(self) -> list[Trial]:
        """The trials with their values, which all have a part in if the history scales them."""
        if self._config.normalise != "history":
            return self._ledger.trials
        objective = self._config.objective.within(self._bounds(len(self._ledger.trials)))
        return [
            dataclasses.replace(
                trial, value=objective.value(kept.scores, self._ledger.header["labels"])
            )
            if (kept := _kept(trial))
            else trial
            for trial in self._ledger.trials
        ]

    def _bounds(self, number: int) -> Bounds:
        """The ranges of all criteria over the trials before one, at their kept evaluations."""
        kept = [_kept(trial) for trial in self._ledger.trials[:number]]
        return bounds_seen((e.scores for e in kept if e), self._ledger.header["labels"])

    def _start_next(self) -> bool:
        """Start an unfinished trial of an earlier run, or else a new one; False if none is left."""
        left = [t for t in self._ledger.unfinished() if t.number not in self._running]
        trial = left[0] if left else self._proposed()
        if trial is None:
            return False
        config = self._trial_config(trial)
        folder = self._folder.trial(self._ledger.folders[trial.number])
        self._running[trial.number] = time.monotonic()
        self._display.trial_started(trial, self._history().tries(), self._config.trials)
        self._engine.start(
            trial.number,
            self._config.max_trial_minutes,
            config=config.as_dict(),
            folder=str(folder),
        )
        return True

    def _proposed(self) -> Trial | None:
        """Ask the method for a point and record the trial."""
        history = self._history()
        if spent := self._spent(history):
            self._display.note(spent)
            return None
        proposal = self._config.method.propose(self._space, history, self._config.seed)
        if proposal is None:
            self._display.note(f"{self._config.search_method} has no further point to propose")
            return None
        number, point = len(history.trials), self._checked(proposal.point)
        self._ledger.append(
            "started",
            trial=number,
            params=point,
            seed=trial_seed(self._config.seed, number),
            origin=proposal.origin,
            folder=trial_name(number, point),
        )
        return self._ledger.trials[number]

    def _checked(self, point: Point) -> dict[str, Value]:
        """A proposal as it is recorded: of the hyperparameters' own types, and within limits."""
        try:
            return {d.name: d.hyperparameter.check(point[d.name]) for d in self._space.dimensions}
        except (KeyError, ValueError) as error:
            raise ConfigError(
                "search_method", f"{self._config.search_method} proposed {dict(point)}: {error}"
            ) from error

    def _spent(self, history: History) -> str:
        """Why no further trial may begin; empty if one may."""
        config = self._config
        if config.trials is not None and history.tries() >= config.trials:
            return f"all {config.trials} trials are done"
        best, target = history.best(), config.target
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
        """Updates of both networks in a trial, up to its last evaluation."""
        d_iter = int({**self._config.fixed(), **trial.params}["d_iter"])
        return trial.evaluations[-1].step * (1 + d_iter) if trial.evaluations else 0

    def _handle(self, event: Event) -> None:
        trial = self._ledger.trials[event.trial]
        if event.kind == "progress":
            self._display.progress(**event.fields)
        elif event.kind == "evaluation":
            # A trial that goes on from its checkpoint tells its evaluations again.
            if event.fields["step"] not in {e.step for e in trial.evaluations}:
                self._ledger.append("evaluation", trial=trial.number, **event.fields)
                self._display.evaluated(trial)
            self._engine.answer(trial.number, go_on=True)
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
        )
        del self._running[trial.number]
        self._keep_best()
        history = self._history()
        self._display.trial_ended(history.trials[trial.number], history.best())
        self._failures = self._failures + 1 if trial.state is State.FAILED else 0
        if self._failures == _MAX_FAILURES:
            raise SearchFailed(
                f"{_MAX_FAILURES} trials failed in a row, the last with: {trial.reason} "
                f"(see {self._trial_folder(trial).traceback})"
            )

    def _keep_best(self) -> None:
        """Let best.yaml and the link tell of the best trial so far."""
        best = self._history().best()
        if best is None:
            return
        name = self._ledger.folders[best.number]
        target = self._folder.trial(name).relative_to(self._folder.root)
        moved_on = self._config.normalise == "history"  # its value does, if not the trial
        same = self._folder.best.is_symlink() and self._folder.best.readlink() == target
        if same and not moved_on:
            return
        objective = self._ledger.header["objective"]
        write_yaml(
            self._folder.best_config,
            self._trial_config(best).as_dict(),
            f"The best of {self._folder.root.name}: trial {best.number}, {objective} "
            f"{best.value:.6g} at step {best.step}.\nTrain it again with: autogan train FILE",
        )
        link(self._folder.best, str(target))

    def _trial_config(self, trial: Trial) -> TrainConfig:
        """What trains a trial, with the ranges that had been seen when it began."""
        if self._config.normalise != "history":
            return self._config.trial_config(trial.params, trial.seed)
        return self._config.trial_config(trial.params, trial.seed, self._bounds(trial.number))

    def _trial_folder(self, trial: Trial) -> TrialFolder:
        root = self._folder.trial(self._ledger.folders[trial.number])
        return TrialFolder.of(root, self._config)


def _kept(trial: Trial) -> Evaluation | None:
    """The evaluation whose generator was kept as the trial's best, once it has ended."""
    return next((e for e in trial.evaluations if e.step == trial.step), None)


def trial_seed(seed: int, number: int) -> int:
    """The seed of a trial, from the search's seed and the trial's number; 31 bits."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4], "big") >> 1
