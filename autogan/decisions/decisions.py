"""A search's decisions: the next training, and whether a trial goes on.

They follow from the record alone, never from a clock, a worker or earlier calls. Therefore a search
can be resumed, and its record checked (`autogan.decisions.replay`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autogan.core.errors import ConfigError
from autogan.core.hyperparameters import Value
from autogan.decisions.asking import AskedRule, proposed
from autogan.decisions.budget import Budget
from autogan.decisions.confirmation import next_training
from autogan.decisions.tally import Tally
from autogan.record.folder import trial_name
from autogan.record.lines import Revived, Started
from autogan.record.words import figure
from autogan.search import History, Point, Trial
from autogan.search.base import trial_seed
from autogan.search.repeats import Standing, raced, settled


@dataclass(frozen=True)
class Step:
    """The next decision.

    Attributes:
        line: of the trial that begins or goes on; None if none does, for now or at all.
        end: why the search tries no more points; empty if it does.
        notes: further lines for the user.
    """

    line: Started | Revived | None = None
    end: str = ""
    notes: tuple[str, ...] = ()


class Decisions:
    """The decisions of a search.

    Args:
        tally: the trials so far, and the search's configuration.
    """

    def __init__(self, tally: Tally) -> None:
        self._config = config = tally.config
        self._ledger = tally.ledger
        self._tally = tally
        images = self._ledger.header["data"]["images"]
        self._space = config.space
        rule = config.rule(images)
        self._rule = None if rule is None else AskedRule(config, rule)
        # The choice of the search's proxy; see `autogan.record.chosen.Chosen`.
        self._chosen: dict[str, Any] = self._ledger.header.get("proxy", {})
        self._budget = Budget(config, images, self._chosen.get("seconds", 0.0))

    def next(self) -> Step:
        """The trial to begin or resume next, if any."""
        trials = self._tally.trials()
        if end := self._reached_target():
            return self._confirming(end)
        finals = self._rule.finals(self._tally) if self._rule else 0.0
        seeds = math.ceil(finals) * (self._config.repeats > 1)  # a second seed for the finalists
        confirmations = self._budget.confirmations(trials, self._tally.candidates())
        begins = confirmations > 0  # a trial that begins now must leave room for all of them
        reserve = finals + seeds + confirmations + begins
        if end := self._budget.spent(trials, reserve):
            return self._closing(end)
        if step := self._another_seed(closing=False):
            return step
        if step := self._revived(closing=False):
            return step
        if self._config.proxy is not None:
            return self._in_full() or self._closing("trained all of the proxy's best points")
        if end := self._all_done():
            return self._closing(end)
        if own := self._enqueued():
            return self._begun(own[0], "enqueued")
        if end := self._settled():
            return self._closing(end)
        if (defaults := self._defaults()) is not None:
            return self._begun(defaults, "the defaults")
        return self._proposed() or self._closing(
            f"{self._config.search_method} has no further point to propose"
        )

    def goes_on(self, number: int) -> bool:
        """Whether a trial should go on after its last evaluation."""
        trial = self._ledger.trials[number]
        again = trial.confirms or trial.repeats is not None
        if self._rule is None or again or len(trial.evaluations) <= trial.revived:
            return True
        return self._rule.goes_on(self._tally, number)

    def _closing(self, end: str) -> Step:
        """Try no more points: train the best stopped trials in full, and then confirm."""
        trials = self._tally.trials()
        reserve = self._budget.confirmations(trials, self._tally.candidates())
        if not self._budget.spent(trials, reserve):
            # A trial that still runs for the first time may turn out among the best.
            first_run = any(not t.revived and not t.confirms for t in self._ledger.unfinished())
            if not first_run and (step := self._revived(closing=True)):
                return step
            if not first_run and (step := self._another_seed(closing=True)):
                return step
        return self._confirming(end)

    def _confirming(self, end: str) -> Step:
        """The next training of the confirmation, if any: the search itself has ended."""
        notes = []
        if own := self._enqueued():
            words = "enqueued point was" if len(own) == 1 else "enqueued points were"
            notes.append(f"{len(own)} {words} not tried; resume with more --trials")
        ended = Step(end=end, notes=tuple(notes))
        if self._config.confirm is None or any(not t.confirms for t in self._ledger.unfinished()):
            return ended
        trials = self._tally.trials()
        standings = self._tally.standings()
        if found := self._too_few(len(standings)):
            notes.append(found)
            ended = Step(end=end, notes=tuple(notes))
        point = next_training(self._config.confirm, standings, self._space, trials)
        if point is None:
            return ended
        if spent := self._budget.spent(trials):
            notes.append(f"{spent}: the confirmation is incomplete and does not count")
            return Step(end=end, notes=tuple(notes))
        if point.number < 0:
            begun = self._begun(point.params, "confirming the defaults", confirms=True)
        else:
            origin = f"confirming trial {point.number}"
            begun = self._begun(point.params, origin, repeats=point.number, confirms=True)
        return Step(begun.line, end, tuple(notes))

    def _revived(self, *, closing: bool) -> Step | None:
        """Resume a stopped trial, if the rule chooses one."""
        if self._rule is None:
            return None
        trial = self._rule.revived(self._tally, closing=closing)
        if trial is None:
            return None
        note = f"resuming trial {trial.number}: it is among the most promising"
        return Step(Revived(trial=trial.number), notes=(note,))

    def _too_few(self, points: int) -> str:
        """A note that the confirmation has fewer points than wanted; empty if it has enough."""
        confirm = self._config.confirm
        if confirm is None or points >= confirm.top:
            return ""
        if not points:
            return "nothing to confirm: no trial has a value"
        found = "1 point" if points == 1 else f"{points} points"
        return f"only {found} to confirm, not {confirm.top}: no others were trained to their end"

    def _another_seed(self, *, closing: bool) -> Step | None:
        """Train a point under a further seed, if one deserves it."""
        repeats = self._config.repeats
        if repeats == 1:
            return None
        first = self._promising() or raced(
            self._space, self._tally.history(), repeats, closing=closing
        )
        if first is None:
            return None
        return self._begun(first.params, f"again {first.number}", repeats=first.number)

    def _in_full(self) -> Step | None:
        """Train the next of the proxy's best points in full."""
        tried = [trial.params for trial in self._ledger.trials if not trial.confirms]
        for number, point in zip(self._chosen["trials"], self._chosen["points"], strict=True):
            if point not in tried:
                return self._begun(point, f"trial {number} of the proxy")
        return None

    def _proposed(self) -> Step | None:
        """Train the method's next point."""
        seen = self._tally.history() if self._config.method.sees_seeds else self._tally.points()
        known = History([*self._tally.earlier(), *seen.trials], seen.direction)
        proposal = proposed(self._config, known)
        if proposal is None:
            return None
        return self._begun(self._checked(proposal.point), proposal.origin)

    def _defaults(self) -> dict[str, Value] | None:
        """The GAN type's defaults, to try before the method's points; None if already tried.

        A method that goes through whole lists reaches them anyway.
        """
        point = self._space.defaults()
        if self._config.first == "none" or self._config.method.needs_lists or point is None:
            return None
        seen = [*self._tally.earlier(), *(t for t in self._ledger.trials if not t.confirms)]
        return None if any(trial.params == point for trial in seen) else point

    def _enqueued(self) -> list[dict[str, Value]]:
        """The enqueued points not tried yet; if the search has a proxy, the proxy tries them."""
        if self._config.proxy is not None:
            return []
        tried = [trial.params for trial in self._ledger.trials if not trial.confirms]
        return [point for point in self._config.enqueue if point not in tried]

    def _begun(self, point: Mapping[str, Value], origin: str, **again: Any) -> Step:
        """Begin a new trial."""
        number = len(self._ledger.trials)
        confirms = again.get("confirms", False)
        # The confirmation has its own seeds: the search may go on afterwards.
        place = sum(trial.confirms == confirms for trial in self._ledger.trials)
        if self._config.normalise == "history":
            again["bounds"] = {name: list(seen) for name, seen in self._tally.bounds().items()}
        name = f"confirmation/{place}" if confirms else place
        line = Started(
            trial=number,
            params=dict(point),
            seed=trial_seed(self._config.seed, name),
            origin=origin,
            folder=trial_name(number, point),
            **again,
        )
        return Step(line)

    def _checked(self, point: Point) -> dict[str, Value]:
        """A valid proposal, with values of the hyperparameters' own types, as it is recorded."""
        try:
            checked = {
                d.name: d.hyperparameter.check(point[d.name])
                for d in self._space.dimensions
                if self._space.exists(d.name, point)
            }
            if conflict := self._config.conflict(checked):
                raise ValueError(conflict)
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise ConfigError(
                "search_method", f"{self._config.search_method} proposed {dict(point)}: {why}"
            ) from error
        return checked

    def _reached_target(self) -> str:
        """A line saying that the target is reached; empty if it is not.

        If points have several seeds, the mean of at least two must reach the target.
        """
        best = self._reaching()
        if best is None or len(best.ended) < min(self._config.repeats, 2):
            return ""
        return f"the target {self._config.target:g} is reached"

    def _all_done(self) -> str:
        """A line saying that the number of points is reached; empty if it is not."""
        trials, done = self._config.trials, self._tally.first_seeds().tries()
        if trials is None or done < trials:
            return ""
        kind = "trials" if self._config.repeats == 1 else "points"
        if done == trials:
            return f"all {trials} {kind} are done"
        return (
            f"{done} {kind} are done already; --trials counts all of them, so give more than "
            f"{done} to go on"
        )

    def _settled(self) -> str:
        """Why further points are not promising; empty if they may be, or without ``until``."""
        if self._config.until != "settled":
            return ""
        found = settled(self._space, self._tally.history(), self._config.seed)
        if found is None:
            return ""
        return (
            f"settled: the best further point is expected to move {self._config.criterion} from "
            f"{figure(found.now)} to {figure(found.then)}, while the seed alone moves it between "
            f"{figure(found.low)} and {figure(found.high)}"
        )

    def _promising(self) -> Trial | None:
        """A point that has reached the target under its only seed, and needs a second."""
        best = self._reaching()
        return None if best is None or len(best.trials) > 1 else best.first

    def _reaching(self) -> Standing | None:
        """The best point of which no training has died and whose mean reaches the target."""
        target = self._config.target
        if target is None:
            return None
        history = self._tally.history()
        return next(
            (
                each
                for each in self._tally.standings()
                if each.value is not None
                and not each.died
                and history.at_least_as_good(each.value, target)
            ),
            None,
        )
