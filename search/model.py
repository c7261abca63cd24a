"""A model of a search's points from all trainings: values, uncertainty, and chance to live."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from autogan.search.base import rng
from autogan.search.cube import Cube
from autogan.search.history import History, State, Trial
from autogan.search.process import NOBODY, Observed, Process
from autogan.search.space import Key, Point, Space, key
from autogan.search.stopping import REDUCTION

Floats = npt.NDArray[np.float64]

_OBSERVATIONS = 200  # at most, the best ones: the time grows with the cube of their number
_LATEST = 200  # trainings from which survival is learned
_OUTLYING = 10  # median absolute deviations, beyond which all bad values count the same
_LEAST_SURVIVAL = 0.01
# From the recorded tables: a learning rate matters within a fraction of its range, others over the
# whole (docs/studies/search.md).
_RATE, _OTHER = 0.5, 1.0
_MOST_DRAWN = 8  # limit of first trials; otherwise two more than there are hyperparameters
_LIVING = 4  # number of them that must live
_DRAWN = 200  # further points, among which the best is sought
LOST = 0.33  # of a training's deviation: a few seeds cannot show a smaller gain
_EIGHTY = 1.2816  # standard deviations on either side that hold 80 % of a normal distribution


@dataclass(frozen=True)
class Outlook:
    """The expected result of a further training of a point, under a fresh seed.

    Attributes:
        expected: on the model's scale, where lower is better; death counts as the worst.
        deviation: of that expectation, from the uncertainty about the point.
        spread: the standard deviation of a single training about it.
        survival: the probability that the training lives, in [0.01, 1].
        low, high: the range of the objective for four in five trainings that live.
    """

    expected: float
    deviation: float
    spread: float
    survival: float
    low: float
    high: float

    @property
    def cautious(self) -> float:
        """The value of a training one deviation worse than expected."""
        return self.expected + math.hypot(self.deviation, self.spread)

    @property
    def hopeful(self) -> float:
        """The point's value if it is one deviation better than expected."""
        return self.expected - self.deviation


class Model:
    """A model of all single trainings.

    The observations are each training's best values up to several of its evaluations. The model
    takes their logarithms if all are positive, because criteria differ by factors (`Scale`). A dead
    training gives only its values before its death, which would be a cliff next to the best places;
    a second process learns from all trainings where they live. A running training counts up to its
    last evaluation.

    Args:
        space: that is searched.
        history: of single trainings; at least one has a value.
        evaluations: in a whole training; None for the number of the longest one so far.
    """

    def __init__(self, space: Space, history: History, evaluations: int | None = None) -> None:
        self._history = history
        self._cube = Cube(space)
        self._medians = [
            _RATE if dimension.name == "learning_rate" else _OTHER
            for dimension, size in zip(space.dimensions, self._cube.sizes, strict=True)
            for _ in range(size)
        ]
        self._trials = [t for t in history.trials if t.state is not State.FAILED]
        self._numbers: dict[Key, int] = {}  # of each point's first trial
        for trial in self._trials:
            self._numbers.setdefault(key(trial.params), trial.number)
        seen = max((len(t.evaluations) for t in self._trials), default=1) or 1
        self._longest = max(seen, evaluations or 1)
        observed, values = self._observed()
        self._warp = Scale(values)
        scores = self._warp.of(values)
        begun = [history.after(t, 1) for t in self._trials]  # nearly untrained
        worst = max([*values, *(value for value in begun if math.isfinite(value))])
        self._worst = float(self._warp.of([worst])[0]) + float(scores.std())
        kept = np.sort(np.argsort(scores, kind="stable")[:_OBSERVATIONS])
        self._process = Process([observed[i] for i in kept], scores[kept].tolist(), self._medians)

    def believing(self) -> "Model":
        """The same model, assuming that running trainings end as it predicts."""
        running = [t.params for t in self._trials if t.state is State.RUNNING]
        if not running:
            return self
        other = copy.copy(self)
        other._process = self._process.believing([self._where(point) for point in running])
        return other

    @property
    def noise(self) -> float:
        """The share of the variance of values that is due to the seed, in [0, 1]."""
        share: float = self._process.noise
        return share

    def predict(self, points: Sequence[Point]) -> tuple[Floats, Floats]:
        """Predict whole trainings of points on the model's scale, averaged over seeds.

        Returns:
            The means and their standard deviations, float64 [points].
        """
        return self._process.predict([self._where(point) for point in points])

    def gains(self, points: Sequence[Point], best: float) -> Floats:
        """The expected improvement of whole trainings of points over a value on the model's scale.

        It is that of the noise-free function (Snoek et al., 2012, equation 2), times the
        probability that training lives (Gelbart, Snoek and Adams, 2014, arXiv:1403.5607).
        """
        where = [self._where(point) for point in points]
        return _improvement(best, *self._process.predict(where)) * self._alive(where)

    def gains_ahead(self, trials: Sequence[Trial]) -> Floats:
        """The expected improvement of stopped trials if resumed to their ends, over `reached`.

        It includes the luck that each has had so far; float64 [trials].
        """
        where = [self._where(trial.params, training=trial.number) for trial in trials]
        return _improvement(self.reached, *self._process.predict(where)) * self._alive(where)

    @cached_property
    def reached(self) -> float:
        """The model's lowest noise-free estimate for any living training so far."""
        living = [trial for trial in self._trials if trial.evaluations and not trial.dead]
        where = [self._where(t.params, len(t.evaluations), t.number) for t in living]
        means, _ = self._process.predict(where)
        return float(means.min())

    @property
    def luck(self) -> float:
        """The standard deviation of single trainings of a point, on the model's scale."""
        return math.sqrt(self._process.luck)

    def value(self, score: float) -> float:
        """The objective's value for a value on the model's scale."""
        return self._history.sign * self._warp.back(score)

    def survival(self, points: Sequence[Point]) -> Floats:
        """The probability that a training of each point lives; float64 [points] in [0.01, 1]."""
        return self._alive([self._where(point) for point in points])

    def _alive(self, where: Sequence[Observed]) -> Floats:
        """The same for trainings at these places; float64 [where] in [0.01, 1]."""
        if self._lives is None:
            return np.ones(len(where))
        alive: Floats = np.clip(self._lives.predict(where)[0], _LEAST_SURVIVAL, 1.0)
        return alive

    def outlooks(self, points: Sequence[Trial]) -> list[Outlook]:
        """The outlooks for a further training of tried points.

        Args:
            points: one trial of each.
        """
        if not points:
            return []
        where = [trial.params for trial in points]
        (means, deviations), lives = self.predict(where), self.survival(where)
        return [
            self._outlook(trial, float(mean), float(deviation), float(alive))
            for trial, mean, deviation, alive in zip(points, means, deviations, lives, strict=True)
        ]

    def _outlook(self, trial: Trial, mean: float, deviation: float, survival: float) -> Outlook:
        ended = [t for t in self._trials if t.concluded and t.params == trial.params]
        losses = [math.inf if t.dead else self._loss(t) for t in ended]
        whole = self._spread([self._worst if math.isinf(v) else v for v in losses])
        living = self._spread([v for v in losses if math.isfinite(v)])
        reach = _EIGHTY * math.hypot(deviation, living)
        bounds = [self.value(mean + side) for side in (-reach, reach)]
        return Outlook(
            expected=survival * mean + (1 - survival) * self._worst,
            deviation=survival * deviation,
            spread=whole,
            survival=survival,
            low=min(bounds),
            high=max(bounds),
        )

    def _loss(self, trial: Trial) -> float:
        return float(self._warp.of([self._history.so_far(trial)])[0])

    def _spread(self, losses: Sequence[float]) -> float:
        """The deviation between a point's seeds, with the mean of all points as one more."""
        if len(losses) < 2:
            return math.sqrt(self._process.luck)
        own = float(np.var(losses)) * len(losses)
        return math.sqrt((own + self._process.luck) / len(losses))

    @cached_property
    def _lives(self) -> Process | None:
        """A process for which trainings live (1) or die (0); None if all live.

        An unfinished training counts by its share of different pictures: if they are few, it is
        likely to die, and the share shows that long before the value does.
        """
        known = [t for t in self._trials if t.dead or t.evaluations or t.value is not None]
        known = known[-_LATEST:]
        shares = [0.0 if t.dead else 1.0 if t.whole else _different(t) for t in known]
        if min(shares, default=1.0) == 1.0:
            return None
        where = [self._where(t.params, training=t.number) for t in known]
        return Process(where, shares, self._medians)

    def _observed(self) -> tuple[list[Observed], list[float]]:
        """Observations: the trainings' best values up to several of their evaluations."""
        observed, values = [], []
        lengths = {max(len(trial.evaluations), 1) for trial in self._trials}
        for trial in self._trials:
            own = max(len(trial.evaluations), 1)
            counts = {own}
            if len(lengths) > 1:
                counts |= {REDUCTION**n for n in range(own) if REDUCTION**n < own}
            if trial.dead:
                counts -= {own}
            for count in sorted(counts):
                value = self._history.after(trial, count)
                if math.isfinite(value):
                    observed.append(self._where(trial.params, count, trial.number))
                    values.append(value)
        return observed, values

    def _where(self, point: Point, count: int | None = None, training: int = NOBODY) -> Observed:
        """The place of a point's training after ``count`` evaluations; None means its end.

        Its length is relative to the longest one, on a logarithmic scale: 0 is one evaluation.
        """
        whole = count is None or self._longest == 1
        length = 1.0 if whole else math.log(count or 1) / math.log(self._longest)
        place = tuple(self._cube.places([point])[0].tolist())
        return Observed(place, length, self._numbers.get(key(point), NOBODY), training)


def _different(trial: Trial) -> float:
    """The share of different pictures at a trial's last evaluation; 1 if not counted."""
    return trial.evaluations[-1].different if trial.evaluations else 1.0


def _improvement(best: float, means: Floats, deviations: Floats) -> Floats:
    """The expected improvement of normally distributed values over the best; float64 [means]."""
    from scipy.special import ndtr  # scipy.stats takes a second to import

    z = (best - means) / deviations
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    gain: Floats = (best - means) * ndtr(z) + deviations * density
    return gain


def further_points(space: Space, history: History, seed: int) -> list[Point]:
    """New random points; the best of them shows how promising a further point is."""
    random, used = rng(seed, history), {key(trial.params) for trial in history.trials}
    return [p for _ in range(_DRAWN) if (p := space.draw(random, used)) is not None]


def drawn_first(space: Space) -> int:
    """The number of points that a model needs before it proposes others."""
    return min(len(space.dimensions) + 2, _MOST_DRAWN)


def enough(space: Space, known: int, living: int) -> bool:
    """Whether this number of points, and of living ones among them, suffices for a model.

    With fewer living ones, a model would stay close to them.
    """
    return known >= drawn_first(space) and living >= min(drawn_first(space), _LIVING)


class Scale:
    """A scale on which noise is about equal everywhere; lower is better.

    If all losses are positive, it is their logarithm; otherwise the inverse hyperbolic sine of
    their distance from the median, which is linear near it and logarithmic far out. Bad outliers
    are all clipped to one value: how bad they are says nothing about the good region.

    Args:
        losses: the known ones, all finite.
    """

    def __init__(self, losses: Sequence[float]) -> None:
        found = np.array(losses, np.float64)
        self._log = bool(found.min() > 0)
        self._middle = float(np.median(found))
        off = np.abs(found - self._middle)
        self._unit = float(np.median(off)) or float(off.mean()) or 1.0
        self._floor = 1e-3 * self._middle  # least argument of the logarithm
        self._limit = math.inf
        plain = self.of(losses)
        middle = float(np.median(plain))
        reach = _OUTLYING * float(np.median(np.abs(plain - middle)))
        self._limit = middle + (max(reach, middle - float(plain.min())) or math.inf)

    def of(self, losses: Sequence[float]) -> Floats:
        """Losses on the scale; float64 [losses]."""
        found = np.array(losses, np.float64)
        if self._log:
            found = np.log(np.maximum(found, self._floor))
        else:
            found = np.arcsinh((found - self._middle) / self._unit)
        limited: Floats = np.minimum(found, self._limit)
        return limited

    def back(self, score: float) -> float:
        """The loss for a value on the scale."""
        return math.exp(score) if self._log else self._middle + self._unit * math.sinh(score)
