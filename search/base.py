"""The base class of search methods."""

import hashlib
import random
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from autogan.core.registry import Part
from autogan.search.history import History, Trial
from autogan.search.space import Key, Point, Space, key


@dataclass(frozen=True)
class Proposal:
    """The next point to try, and how the method found it (kept in the trial's record)."""

    point: Point
    origin: str = ""


class SearchMethod(Part):
    """A pure function of (space, history, seed).

    The search loop calls `propose` whenever a worker is free. A method keeps no state between
    calls: the same arguments give the same proposal. Therefore a resumed search goes on as if never
    interrupted, and a parallel search only has running trials in its history.

    Args:
        distinct: never propose a point that is done or running; False gives independent draws.
    """

    needs_lists: ClassVar[bool] = False
    """Whether every hyperparameter must have a list of candidates (no ranges)."""

    learns: ClassVar[bool] = True
    """Whether its proposals depend on the results of earlier trials."""

    stays_in_space: ClassVar[bool] = True
    """Whether the search ends when the space has no points left."""

    sees_seeds: ClassVar[bool] = False
    """Whether its history has every training of a point separately; otherwise one per point."""

    def __init__(self, distinct: bool = True) -> None:
        self.distinct = distinct

    @abstractmethod
    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Return the next point to try, or None if there are none left."""

    def drawn_first(self, space: Space) -> int:
        """The number of trials drawn at random before the method uses their results."""
        return 0

    def learns_from(self, space: Space, point: Point) -> bool:
        """Whether the method learns from trials at a point, which may lie outside the space."""
        return space.spans(point)

    def known(self, space: Space, history: History) -> list[Trial]:
        """The trials to learn from: those with an outcome, at points to learn from."""
        return [t for t in history.telling if self.learns_from(space, t.params)]

    def used(self, history: History) -> set[Key]:
        """The points that may not be proposed again."""
        return {key(trial.params) for trial in history.trials} if self.distinct else set()


def rng(seed: int, history: History) -> random.Random:
    """Random numbers for the next proposal, which depend on search seed and trial number only."""
    return random.Random(f"{seed}/{len(history.trials)}")


def digest(seed: int, history: History) -> int:
    """A 31-bit integer seed for the next proposal, which depends on the same alone."""
    return rng(seed, history).getrandbits(31)


def trial_seed(seed: int, name: int | str) -> int:
    """The seed of a trial, from the search's seed and the trial's place in it; 31 bits."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big") >> 1
