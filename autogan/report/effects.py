"""Which hyperparameters matter over the whole search space, by a model of the trials' values."""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from autogan.core.hyperparameters import Dimension
from autogan.report.drawing.scales import Log
from autogan.report.view import SearchView
from autogan.search import History, Space, State, Trial
from autogan.search.cube import Cube
from autogan.search.history import rank_scores
from autogan.search.space import distinct_values, unique

FEWEST = 12  # trials; below, even the first place is a guess
_MOST = 100  # trials in the model, with few hyperparameters: the time grows with their cube
_MATTER = 1.5  # expected number of hyperparameters that matter, before the data
_TOLD = 0.9  # probability from which a hyperparameter is said to matter
_STRENGTHS = (1.0, 4.0, 16.0)  # variances of a part, in variances of the noise
_LENGTHS = (0.2, 0.6, 2.0)  # length scales, in ranges of a number
_TOGETHER = 0.3  # strength of an interaction, relative to that of its two parts
_CELLS = 41  # in the range of a number
_SCANS, _FIRST = 100, 20  # of the sampler; the first ones are left out
_INTERVAL = 0.8  # probability of a share's interval

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """The share that a hyperparameter explains, alone and together with others.

    Attributes:
        dimension: the hyperparameter.
        probability: that it matters at all.
        share: of the values' variance over the whole space, from 0 to 1; the posterior median.
        low, high: ends of the interval in which the share lies with a probability of 80 %.
    """

    dimension: Dimension
    probability: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Effects:
    """The effects of all hyperparameters.

    Attributes:
        each: the most likely to matter first.
        trials: number of trials compared.
    """

    each: Sequence[Effect]
    trials: int

    @property
    def told(self) -> list[Effect]:
        """The effects that are real with a probability of at least 90 %."""
        return [effect for effect in self.each if effect.probability >= _TOLD]


@dataclass(frozen=True)
class _Part:
    """A hyperparameter's functions over the cells of its range, each with mean 0.

    Attributes:
        bases: for each length, orthogonal functions at the trials [trials, functions].
        squares: for each length, the functions' mean squares over all cells; their sum is 1.
        kernels: for each length, the kernel between the trials [trials, trials].
    """

    bases: Sequence[Floats]
    squares: Sequence[Floats]
    kernels: Sequence[Floats]


def effects(view: SearchView) -> Effects | None:
    """Judge by a model of the whole space; None for too few trials.

    The method chose where to look, so neither the trials' ranks nor the spread of values where it
    looked shows which hyperparameters matter. A model of the values can: by Bayes's rule its
    verdict does not depend on how the points were chosen. The model is a Gaussian process, the sum
    of a function of each hyperparameter that matters and of each pair of them (Durrande et al.,
    2013, arXiv:1111.6233), with Matérn kernels over the scale that is searched. A Gibbs sampler
    draws which ones matter, how strong and how smooth they are (George and McCulloch, 1993).

    Dead trials count as the worst. A trial that was stopped early is compared at the step that it
    reached (`autogan.search.history.rank_scores`). Only the first training of each point counts.
    """
    trials = _first_trainings(view)
    dimensions = [d for d in view.result.config.space.dimensions if _varies(d, trials)]
    scores = _scores(view, trials)
    if len(trials) < FEWEST or scores is None or not dimensions:
        return None
    rng = np.random.default_rng(0)
    most = round(_MOST / max(len(dimensions) / 4, 1) ** (1 / 3))
    kept = np.sort(rng.permutation(len(trials))[:most])
    parts = [_part(dimension, [trials[place] for place in kept]) for dimension in dimensions]
    with threadpool_limits(1, "blas"):  # more threads would not help: the matrices are small
        probabilities, shares = _sampled(parts, scores[kept], rng)
    ends = (0.5, (1 - _INTERVAL) / 2, (1 + _INTERVAL) / 2)
    found = [
        Effect(dimension, float(probability), *(float(np.quantile(own, end)) for end in ends))
        for dimension, probability, own in zip(dimensions, probabilities, shares.T, strict=True)
    ]
    return Effects(sorted(found, key=lambda effect: -effect.probability), len(trials))


def early(view: SearchView) -> str:
    """A sentence on how far most of the compared trials were trained; empty if none was stopped."""
    trials = _first_trainings(view)
    steps = sorted(t.evaluations[-1].step for t in trials if t.state is State.STOPPED)
    if not steps:
        return ""
    were = "was" if len(steps) == 1 else "were"
    planned = view.result.config.steps
    where = f"at step {steps[len(steps) // 2]}" + (f" of {planned}" if planned else "")
    where = where if steps[0] == steps[-1] else f"most {where} or before"
    share = "mostly" if 2 * len(steps) > len(trials) else "partly"
    return (
        f"{len(steps)} of {len(trials)} points {were} stopped early ({where}): this is {share} "
        "about the beginning of a training."
    )


def _first_trainings(view: SearchView) -> list[Trial]:
    """The first training of each point, as far as it says anything."""
    history = History(view.trials, view.result.direction)
    return [trial for trial in history.telling if trial.repeats is None]


def _varies(dimension: Dimension, trials: Sequence[Trial]) -> bool:
    return len({t.params[dimension.name] for t in trials if dimension.name in t.params}) > 1


def _scores(view: SearchView, trials: Sequence[Trial]) -> Floats | None:
    """A number for each trial, lower is better, with mean square 1; None if all are equal.

    The numbers are values, or logarithms of values that differ by factors, assigned by the trials'
    ranks. They come from as many evaluations as all trials had.
    """
    several = len(view.measures) > 1  # several criteria do not rank early scores
    measure = view.measures[0]
    lived = [t for t in trials if not t.dead and t.value is not None]
    if several:
        order = sorted(lived, key=lambda t: t.value or 0.0)
        values = [t.value or 0.0 for t in order]
    else:
        history = History(lived, measure.direction)
        places = dict(zip((t.number for t in lived), rank_scores(history, lived), strict=True))
        order = sorted(lived, key=lambda t: places[t.number])
        # Values that all had reached: values after fewer steps are not comparable.
        shared = min((len(t.evaluations) for t in lived), default=0)
        seen = [history.after(t, shared) for t in lived]
        values = sorted(value for value in seen if value < math.inf)
        values += (len(seen) - len(values)) * values[-1:]  # collapsed by then, and recovered
        if isinstance(measure.axis(measure.sign * value for value in values), Log):
            values = [math.log(value) for value in values]
    if not values or (values[0] == values[-1] and len(lived) == len(trials)):
        return None
    worst = values[-1] + (statistics.pstdev(values) or 1.0)  # worse than all that lived
    found = {t.number: value for t, value in zip(order, values, strict=True)}
    scores = np.array([found.get(t.number, worst) for t in trials])
    scores = scores - scores.mean()
    return np.asarray(scores / math.sqrt((scores**2).mean()))


def _part(dimension: Dimension, trials: Sequence[Trial]) -> _Part:
    name = dimension.name
    different = distinct_values(dimension)
    if dimension.hyperparameter.kind == "choice":
        names = unique(
            (*dimension.candidates, *(t.params[name] for t in trials if name in t.params))
        )
        cells = [names.index(t.params[name]) if name in t.params else -1 for t in trials]
        similar = [np.eye(len(names))]
    else:
        count = min(len(different or ()) or _CELLS, _CELLS)
        places = Cube(Space((dimension,))).places([t.params for t in trials])[:, 0]
        rounded = np.rint(places * (count - 1)).astype(int)
        cells = [c if name in t.params else -1 for c, t in zip(rounded, trials, strict=True)]
        apart = np.abs(np.subtract.outer(*2 * [np.linspace(0, 1, count)]))
        similar = [_matern(apart / length) for length in _LENGTHS]
    wholes = [_functions(kernel) for kernel in similar]
    bases = [whole[cells] for whole in wholes]
    for basis in bases:
        basis[np.array(cells) < 0] = 0.0  # it does not apply there
    squares = [(whole**2).mean(0) for whole in wholes]
    return _Part(bases, squares, [basis @ basis.T for basis in bases])


def _matern(distance: Floats) -> Floats:
    """The Matérn kernel of twice differentiable functions."""
    scaled = math.sqrt(5) * distance
    return np.asarray((1 + scaled + scaled**2 / 3) * np.exp(-scaled))


def _functions(kernel: Floats) -> Floats:
    """Orthogonal functions over the cells [cells, functions] that reproduce the kernel.

    Their means are 0, and their mean squares sum to 1.
    """
    centred = kernel - kernel.mean(0) - kernel.mean(1)[:, None] + kernel.mean()
    values, vectors = np.linalg.eigh(centred / np.trace(centred) * len(kernel))
    strong = values > 1e-6 * values[-1]
    return np.asarray(vectors[:, strong] * np.sqrt(values[strong]))


_Setting = tuple[float, int]
"""A part's strength and the index of its length; a part without strength does not matter."""


def _sampled(
    parts: Sequence[_Part], scores: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """The probability that each part matters [parts], and sampled shares [draws, parts]."""
    prior = min(_MATTER / len(parts), 0.5)
    choices = [
        [(0.0, 0), *((a, length) for a in _STRENGTHS for length in range(len(part.kernels)))]
        for part in parts
    ]
    settings: list[_Setting] = [own[0] for own in choices]
    probabilities, shares = [], []
    for scan in range(_SCANS):
        matters = np.zeros(len(parts))
        for place, own in enumerate(choices):
            log = _evidence(_covariances(parts, settings, place, own), scores)
            log += np.log([1 - prior] + (len(own) - 1) * [prior / (len(own) - 1)])
            weights = np.exp(log - log.max())
            weights /= weights.sum()
            matters[place] = 1 - weights[0]
            settings[place] = own[rng.choice(len(own), p=weights)]
        if scan >= _FIRST:
            probabilities.append(matters)
            shares.append(_drawn(parts, settings, scores, rng))
    return np.mean(probabilities, axis=0), np.array(shares)


def _covariances(
    parts: Sequence[_Part], settings: Sequence[_Setting], place: int, own: Sequence[_Setting]
) -> Floats:
    """The covariances of the trials' values for each setting of one part, in noise variances."""
    size = len(parts[0].kernels[0])
    rest, beside = np.eye(size), np.zeros((size, size))
    for other, (strength, length) in enumerate(settings):
        if other != place and strength:
            kernel = math.sqrt(strength) * parts[other].kernels[length]
            rest += math.sqrt(strength) * kernel + kernel * beside
            beside += _TOGETHER * kernel
    kernels = [math.sqrt(a) * parts[place].kernels[length] for a, length in own]
    return np.stack(
        [rest + math.sqrt(a) * k + k * beside for (a, _), k in zip(own, kernels, strict=True)]
    )


def _evidence(covariances: Floats, scores: Floats) -> Floats:
    """The scores' log evidence under each covariance, up to a constant.

    Mean and scale are unknown; their priors are flat, in the logarithm for the scale.
    """
    count = len(scores)
    both = np.stack([np.ones(count), scores], axis=1)
    solved = np.linalg.solve(covariances, np.broadcast_to(both, (len(covariances), count, 2)))
    products = both.T @ solved
    ones = products[:, 0, 0]
    squares = products[:, 1, 1] - products[:, 0, 1] ** 2 / ones
    roots = np.diagonal(np.linalg.cholesky(covariances), axis1=1, axis2=2)
    return np.asarray(-np.log(roots).sum(1) - np.log(ones) / 2 - (count - 1) / 2 * np.log(squares))


def _drawn(
    parts: Sequence[_Part], settings: Sequence[_Setting], scores: Floats, rng: np.random.Generator
) -> Floats:
    """Shares of the variance over the space [parts], for a function drawn from the posterior.

    Parts and their interactions are orthogonal, so variances add.
    """
    blocks: list[tuple[set[int], Floats, Floats]] = []  # the parts, functions, mean squares
    active = [(n, s, k) for n, (s, k) in enumerate(settings) if s]
    for place, strength, length in active:
        basis = math.sqrt(strength) * parts[place].bases[length]
        blocks.append(({place}, basis, strength * parts[place].squares[length]))
    for one, other in itertools.combinations(active, 2):
        strength = _TOGETHER * math.sqrt(one[1] * other[1])
        left, right = (parts[n].bases[k] for n, _, k in (one, other))
        basis = (left[:, :, None] * right[:, None, :]).reshape(len(scores), -1)
        squares = np.outer(*(parts[n].squares[k] for n, _, k in (one, other))).ravel()
        blocks.append(({one[0], other[0]}, math.sqrt(strength) * basis, strength * squares))
    found = np.zeros(len(parts))
    if not blocks:
        return found
    basis = np.concatenate([block[1] for block in blocks], axis=1)
    inverse = np.linalg.inv(basis @ basis.T + np.eye(len(scores)))
    ones = inverse.sum(0)
    inverse -= np.outer(ones, ones) / ones.sum()  # independent of the mean
    noise = math.sqrt(scores @ inverse @ scores / rng.chisquare(len(scores) - 1))
    # A draw from the prior, conditioned on the trials (Matheron's rule).
    before = np.asarray(noise * rng.standard_normal(basis.shape[1]))
    seen = basis @ before + noise * rng.standard_normal(len(scores))
    drawn = before + basis.T @ (inverse @ (scores - seen))
    ends = np.cumsum([block[1].shape[1] for block in blocks])[:-1]
    variances = [
        float(squares @ own**2)
        for (_, _, squares), own in zip(blocks, np.split(drawn, ends), strict=True)
    ]
    whole = sum(variances) + noise**2
    for (of, _, _), variance in zip(blocks, variances, strict=True):
        found[list(of)] += variance / whole
    return found
