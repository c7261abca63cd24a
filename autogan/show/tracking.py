"""A display that also logs to trackers."""

import contextlib
import dataclasses
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from typing_extensions import override

from autogan.config import TrainConfig
from autogan.core.errors import SearchFailed
from autogan.core.hyperparameters import Value
from autogan.decisions.tally import Tally
from autogan.record.words import Terms, describe, state_of, trials
from autogan.search import Evaluation, State, Trial
from autogan.show.display import Display
from autogan.trackers.base import Ending
from autogan.trackers.feed import SEARCH, THREAD, Entry, Feed

_PATIENCE = 60.0  # seconds for trackers to log the rest at the end
_GLANCE = 5.0  # seconds until a note says that the command waits


class Tracking(Display):
    """Passes all events on to a display, and the trials' results to trackers.

    Nothing is logged twice, so all trials may be passed again.

    Args:
        display: shows the progress, and why a tracker was left out.
        feeds: of the trackers.
        terms: the names of the values.
        config_of: finds a trial's configuration.
        alone: whether the only trial is a training outside of any search.
    """

    def __init__(
        self,
        display: Display,
        feeds: list[Feed],
        terms: Terms,
        config_of: Callable[[Trial], TrainConfig],
        *,
        alone: bool = False,
    ) -> None:
        self._display, self._feeds = display, feeds
        self._terms, self._config_of, self._alone = terms, config_of, alone
        self._configs: dict[int, Mapping[str, Value]] = {}  # by the trial's number
        self._begun: Trial | None = None  # the last one

    @override
    def note(self, text: str) -> None:
        self._display.note(text)

    @override
    def begins(self, terms: Terms, best: Trial | None = None) -> None:
        self._display.begins(terms, best)

    @override
    def trial_started(self, trial: Trial, position: int, trials: int | None) -> None:
        self._display.trial_started(trial, position, trials)
        self._begun = trial
        self.follow(trial)

    @override
    def progress(self, trial: int, step: int, steps: int, losses: Mapping[str, float]) -> None:
        self._display.progress(trial, step, steps, losses)

    @override
    def evaluated(self, trial: Trial) -> None:
        self._display.evaluated(trial)
        self.follow(trial)

    @override
    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        self._display.trial_ended(trial, best)
        self.follow(trial)

    def follow(self, trial: Trial) -> None:
        """Log the news about a trial."""
        if self._feeds:
            self.put(self._entry(trial))

    def failed(self, reason: str) -> None:
        """Log that a training outside of any search has failed."""
        if self._begun is not None:
            self.follow(dataclasses.replace(self._begun, state=State.FAILED, reason=reason))

    def put(self, entry: Entry) -> None:
        """Log the news in an entry."""
        for feed in self._feeds:
            feed.put(entry)
        self._leave_out()

    def finish(self) -> None:
        """Wait until all is logged, at most a minute; note where."""
        for feed in self._feeds:
            feed.end()
        for feed in [*self._feeds]:
            if feed.wait(_GLANCE):
                continue
            self.note(f"waiting up to a minute for {feed.name}; Ctrl-C skips it")
            with contextlib.suppress(KeyboardInterrupt):
                if feed.wait(_PATIENCE):
                    continue
            feed.fault = "it does not respond"
        self._leave_out()
        logged = "the training" if self._alone else trials(len(self._configs))
        for feed in self._feeds:
            if feed.place and self._configs:
                self.note(f"{feed.name}: logged {logged} to {feed.place}")

    def values(self, evaluation: Evaluation) -> dict[str, float]:
        """An evaluation's scores by the criteria's names, and the value of a weighted sum."""
        named = self._terms.named(evaluation)
        if evaluation.value is not None and self._terms.objective not in named:
            named["objective"] = evaluation.value
        return named

    def _leave_out(self) -> None:
        for feed in [feed for feed in self._feeds if feed.fault]:
            self._feeds.remove(feed)
            self.note(f"nothing more is logged to {feed.name}: {feed.fault}")

    def _entry(self, trial: Trial) -> Entry:
        """All that is known about a trial."""
        if trial.number not in self._configs:
            self._configs[trial.number] = self._config(trial)
        title = f"trial {trial.number}"
        return Entry(
            # After a repair, another trial may have this number.
            key="training" if self._alone else f"{title}: {describe(trial.params)} {trial.seed}",
            title="" if self._alone else title,
            kind="training" if self._alone else "trial",
            config=self._configs[trial.number],
            evaluations=[(e.step, self.values(e)) for e in trial.evaluations],
            ending=_ending(trial.state),
            step=trial.steps,
            summary=self._summary(trial),
        )

    def _config(self, trial: Trial) -> dict[str, Value]:
        """A run's configuration: the hyperparameters, and their origin."""
        run = self._config_of(trial)
        values = run.gan.meaningful(run.hyperparameters())
        if self._alone:
            return {**_plain(run.as_dict()), **values}
        own: dict[str, Value] = {"trial": trial.number, "seed": trial.seed, "origin": trial.origin}
        if trial.repeats is not None:
            own["another_seed_of"] = trial.repeats
        return {**values, **own}

    def _summary(self, trial: Trial) -> dict[str, Value]:
        """The result of a trial; empty while it runs."""
        if trial.state is State.RUNNING:
            return {}
        known: dict[str, Value] = {"state": state_of(trial), "seconds": trial.seconds}
        if trial.reason:
            known["reason"] = trial.reason
        return {**known, **self.best(trial)}

    def best(self, trial: Trial | None) -> dict[str, Value]:
        """A trial's best evaluation, the one whose generator is kept; empty if there is none."""
        kept = None if trial is None else trial.kept
        if kept is None:
            return {}
        scores = {f"best_{name}": score for name, score in self.values(kept).items()}
        return {**scores, "best_step": kept.step}


@contextlib.contextmanager
def tracked_search(tally: Tally, display: Display) -> Iterator[Tracking]:
    """Log a search to the trackers that it names: its trials so far, and all that follow.

    Args:
        tally: of the search.
        display: see `Tracking`.
    """
    config = tally.config
    with _feeding(config, tally.folder.root) as feeds:
        tracking = Tracking(display, feeds, tally.terms, tally.trial_config)
        whole = Entry(SEARCH, "", "search", _plain(config.saved()))
        ending: Ending = "interrupted"
        tracking.put(whole)
        for trial in tally.trials():
            tracking.follow(trial)
        try:
            yield tracking
            ending = "finished"
        finally:
            found, trials = _winner(tally, tracking), len(tally.trials())
            tracking.put(dataclasses.replace(whole, ending=ending, step=trials, summary=found))
            tracking.finish()


@contextlib.contextmanager
def tracked_training(
    config: TrainConfig, root: Path, terms: Terms, display: Display
) -> Iterator[Tracking]:
    """Log a training to the trackers that it names; the caller logs its end by `follow`.

    Args:
        config: of the training.
        root: its folder.
        terms: the names of its values.
        display: see `Tracking`.
    """
    with _feeding(config, root) as feeds:
        tracking = Tracking(display, feeds, terms, lambda _: config, alone=True)
        try:
            yield tracking
        except SearchFailed as error:
            tracking.failed(str(error))
            raise
        finally:
            tracking.finish()


@contextlib.contextmanager
def _feeding(config: TrainConfig, root: Path) -> Iterator[list[Feed]]:
    """The feeds of a run's trackers, which must print nothing to standard output."""
    if not config.log_to:
        yield []
        return
    with contextlib.redirect_stdout(cast(IO[str], _OfOthers(sys.stdout))):
        yield [Feed(name, root) for name in config.log_to]


class _OfOthers:
    """A stream without the output of trackers."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        if threading.current_thread().name.startswith(THREAD):
            return len(text)
        return int(self._stream.write(text))


def _ending(state: State) -> Ending | None:
    if state is State.RUNNING:
        return None
    died = state in (State.DIVERGED, State.COLLAPSED, State.FAILED)
    return "failed" if died else "finished"


def _winner(tally: Tally, tracking: Tracking) -> dict[str, Value]:
    """The result of a search so far."""
    best = tally.best()
    if best is None:
        return {}
    params = {f"best_{name}": value for name, value in best.params.items()}
    return {"best_trial": best.number, **params, **tracking.best(best)}


def _plain(values: Mapping[str, Any]) -> dict[str, Value]:
    """The keys of a configuration, with lists and mappings as text."""
    return {
        name: value if isinstance(value, int | float | str) else json.dumps(value)
        for name, value in values.items()
    }
