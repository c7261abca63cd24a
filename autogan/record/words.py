"""Trials and their values in words, for all output that people read."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autogan.core.hyperparameters import Value
from autogan.criteria.variety import Variety
from autogan.search import Evaluation, State, Trial

_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARKS = 40  # characters of a sparkline
_FAR = 5.0  # ratio of highest to lowest value from which the scale is logarithmic
_WHOLE = 1000  # from here on, digits after the decimal point are noise
_STEPPED = ("explore", "adaptive")  # methods whose origins name the trial that they step away from


@dataclass(frozen=True)
class Terms:
    """The names of values.

    Attributes:
        deciding: the criterion that decides, a weighted sum of them, or several criteria.
        names: of the criteria, by the labels of their values.
        repeats: the number of seeds per point.
    """

    deciding: Sequence[str]
    names: Mapping[str, str]
    repeats: int = 1

    @classmethod
    def of(cls, criterion: str, labels: Mapping[str, str], repeats: int = 1) -> "Terms":
        """The terms for a configuration's ``criterion`` and the criteria's labels by name."""
        names = {label: name for name, label in labels.items()}
        return cls(criterion.split(","), names, repeats)

    def named(self, evaluation: Evaluation) -> dict[str, float]:
        """An evaluation's scores, by the criteria's names."""
        return {self.names.get(n, n): score for n, score in evaluation.scores.items()}

    @property
    def objective(self) -> str:
        """The deciding criteria, for the head of a column."""
        return ", ".join(self.deciding)

    def evaluation(self, evaluation: Evaluation) -> str:
        """The deciding scores first, then the others: ``fid 3.274  (is 8.621, wd -29645)``."""
        named = self.named(evaluation)
        first = {name: named.pop(name) for name in self.deciding if name in named}
        if not first and evaluation.value is not None:
            first = {self.objective: evaluation.value}
        words = [figures(first.items())]
        if named:
            rest = figures(named.items())
            words.append(f"({rest})" if first else rest)
        if evaluation.collapsed:
            seen = f": {Variety.of(evaluation.variety)}" if evaluation.variety else ""
            words.append(f"collapsed{seen}")
        return "  ".join(filter(None, words))

    def outcome(self, trial: Trial) -> str:
        """A trial's end: ``complete: best fid 3.274 at step 800 (43 s)``."""
        if trial.dead and (kept := trial.kept):
            before = f"{self.evaluation(kept)} at step {kept.step}"
            return f"{trial.state.value}: {trial.reason}; its best before was {before}"
        if trial.dead or trial.state is State.FAILED or trial.value is None:
            early = trial.collapsed and not trial.dead
            last = self.evaluation(trial.evaluations[-1]) if early else ""
            return ": ".join(filter(None, (state_of(trial), trial.reason or last)))
        where = f"at step {trial.step} ({duration(trial.seconds)})"
        return f"{state_of(trial)}: best {self.worth(trial)} {where}"

    def title(self, trial: Trial, position: int, trials: int | None) -> str:
        """``trial 6 (7 of 10)``: its number, and its place among the trials that did not fail.

        If points are trained under several seeds, points are counted: ``trial 6 (point 3 of 5)``.
        """
        if trial.confirms:
            return f"trial {trial.number} (confirmation)"
        point = "point " if self.repeats > 1 else ""
        return f"trial {trial.number}" + (f" ({point}{position} of {trials})" if trials else "")

    def best(self, trial: Trial | None) -> str:
        """The best trial so far."""
        if trial is None or trial.value is None:
            return "no trial has a value yet"
        if self.repeats > 1:  # by a model of all trials: another one may have a better value
            found = f"{self.leading} by the model: trial {trial.number} ({self.worth(trial)})"
        else:
            found = f"{self.leading}: {self.worth(trial)}, trial {trial.number}"
        return f"{found}: {describe(trial.params)}"

    @property
    def leading(self) -> str:
        """The word for the trial that would win now."""
        return "most promising" if self.repeats > 1 else "best"

    def worth(self, trial: Trial) -> str:
        """A trial's value; with several criteria, their scores and its place behind the front."""
        if not trial.losses:
            return f"{self.objective} {figure(trial.value or 0.0)}"
        named = self.named(trial.kept) if trial.kept else {}
        scores = figures((name, named[name]) for name in self.deciding if name in named)
        layer = int(trial.value or 0)
        return f"{scores}, {'on the front' if layer == 0 else f'{layer} behind the front'}"


def apart(network: str | None, images: str = "") -> str:
    """A sentence on why values differ from published ones; empty if the network is Inception.

    Args:
        network: the feature network.
        images: the real images, such as ``on 1437 images``.
    """
    if network == "inception":
        return ""
    return (
        f"The feature network is {network}{', ' * bool(images)}{images}, not Inception: values "
        "cannot be compared with published ones."
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines whose columns begin at the same places; rows may be short."""
    columns = itertools.zip_longest(*rows, fillvalue="")
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    ]


def state_of(trial: Trial) -> str:
    """A trial's state; ``stopped early, collapsed`` if its last images were all alike."""
    more = ", collapsed" if trial.collapsed and not trial.dead else ""
    return f"{trial.state.value}{more}"


def origin(trial: Trial) -> str:
    """The origin of a trial's hyperparameters, in words; empty for a random draw."""
    if trial.repeats is not None:
        return f"trial {trial.repeats} again, under another seed"
    method, _, number = trial.origin.partition(" ")
    if method in _STEPPED and number:
        return f"a step away from trial {number}"
    return trial.origin


def describe(values: Mapping[str, Value]) -> str:
    """Such as ``learning_rate=0.002 d_iter=9``."""
    return " ".join(
        f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items()
    )


def figure(value: float) -> str:
    """A value to four digits; further digits are noise."""
    return f"{value:.0f}" if abs(value) >= _WHOLE else f"{value:.4g}"


def figures(values: Iterable[tuple[str, float]]) -> str:
    """Such as ``is 8.621, fid 3.274``."""
    return ", ".join(f"{name} {figure(value)}" for name, value in values)


def spark(values: Sequence[float]) -> str:
    """A sparkline: a curve in one row of block characters.

    Args:
        values: from left to right; shown on a logarithmic scale if they are positive and far
            apart. If there are too many, each character shows the last of an equal share.
    """
    count = min(len(values), _SPARKS)
    shown = [values[(place + 1) * len(values) // count - 1] for place in range(count)]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    if low > 0 and high / low >= _FAR:
        shown, low, high = [math.log(v) for v in shown], math.log(low), math.log(high)
    most = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round(most * (v - low) / ((high - low) or 1.0))] for v in shown)


def trials(count: int) -> str:
    """Such as ``3 trials``."""
    return f"{count} trial{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Such as ``2 min 05 s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
