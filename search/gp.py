"""Bayesian optimisation with a Gaussian process (Snoek et al., 2012), by scikit-learn."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits
from typing_extensions import override

from autogan.search.base import Proposal, SearchMethod, digest, rng
from autogan.search.cube import Cube, Places
from autogan.search.history import History, State, Trial
from autogan.search.space import Point, Space, key
from autogan.search.stopping import REDUCTION

_MOST_DRAWN = 8  # first trials at most; else two more than there are hyperparameters
_LIVING = 2  # of the first trials, before a model is made
_SPREAD = 3  # draws, of which a first trial is the farthest from the others
_MODELLED = 200  # observations at most, the best ones: the time grows with their cube
_DRAWN = 300  # candidates from the whole space
_PARENTS, _NEAR = 5, 40  # good points, and candidates near each
_STEPS = (0.02, 0.2)  # the least and the largest standard deviation of such a step
_CROSSED = 0.1  # the share of a near candidate's hyperparameters that are drawn anew
_APART = 0.03  # the least distance of a proposal from what has been tried
_FAR, _EVERY = 0.2, 4  # that of every fourth one
_OUTLYING = 10  # median absolute deviations, beyond which all bad values are alike
_FIT = 15  # iterations

Floats = npt.NDArray[np.float64]


class GaussianProcess(SearchMethod):
    """Model how good trials are, and try where the expected improvement is largest.

    The model sees the logarithms of the values, where all are above 0, for criteria differ by
    factors (`_warped`). It learns how noisy they are. The improvement is that of the function
    behind the noise, over the lowest that the model finds it to be at a trial (Snoek et al., 2012,
    equation 2). Where trials were stopped early, the length of training is a further dimension of
    the model, which so learns how much early values tell; what is proposed is what promises most
    at full length. A running trial is taken to come out as the model predicts.

    The first trials, two more than there are hyperparameters and at most eight, are drawn at
    random, each the farthest from the others of three draws. Later proposals keep a least distance
    from all trials: a point next to another one tells little, and another seed can be had by
    repeats.

    Dead trials are no part of that model, in which they would be a cliff beside the best places: a
    second one learns where training lives, and the improvement is multiplied by the probability
    that it does (Gelbart, Snoek and Adams, 2014, arXiv:1403.5607).
    """

    name = "gp"
    summary = "Gaussian process with expected improvement: few, expensive trials"

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Return what promises the largest expected improvement; see `SearchMethod.propose`."""
        # More threads would only wait for each other: the matrices are small.
        with threadpool_limits(1, "blas"):
            return self._promising(space, history, seed)

    def _promising(self, space: Space, history: History, seed: int) -> Proposal | None:
        random, used = rng(seed, history), self.used(history)
        first = space.draw(random, used)
        if first is None:
            return None
        cube = Cube(space)
        tried = cube.places([trial.params for trial in history.trials])
        known = self.known(space, history)
        sound = [trial for trial in known if not trial.dead]
        if len(known) < self.drawn_first(space) or len(sound) < _LIVING:
            drawn = [first, *(p for _ in range(_SPREAD - 1) if (p := space.draw(random, used)))]
            return Proposal(drawn[int(np.argmax(_distances(tried, cube.places(drawn))))])

        running = [trial for trial in history.trials if trial.state is State.RUNNING]
        model, noise = _modelled(cube, history, sound, running)
        seen = _placed(cube, [(trial.params, 1.0) for trial in sound])
        means = model.predict(seen)
        good = dict.fromkeys(map(tuple, seen[np.argsort(means, kind="stable"), :-1].tolist()))

        # Candidates from the whole space, and near the best points.
        size = space.size()
        if size is not None and size <= _DRAWN:
            points = list(space.points())
        else:
            points = [p for _ in range(_DRAWN) if (p := space.draw(random, used))]
        numbers = np.random.default_rng(digest(seed, history))
        near = _near(cube, np.array([*good][:_PARENTS]), cube.places([first, *points]), numbers)
        points = [first, *points, *near]
        left = [point for point in points if key(point) not in used and space.allows(point)]
        candidates = _placed(cube, [(point, 1.0) for point in left])
        gains = _improvement(model, noise, means.min(), candidates)
        if dead := [(trial.params, 1.0) for trial in known if trial.dead]:
            gains *= _survival(seen, _placed(cube, dead), candidates)
        if self.distinct:
            gains[~_apart(tried, candidates[:, :-1])] = -1.0
        return Proposal(left[int(np.argmax(gains))])

    @override
    def drawn_first(self, space: Space) -> int:
        return min(len(space.dimensions) + 2, _MOST_DRAWN)


def _modelled(
    cube: Cube, history: History, sound: Sequence[Trial], running: Sequence[Trial]
) -> tuple[Any, float]:
    """A model of what is known, and of what is running as if it had come out as predicted.

    Returns:
        The model, and the variance of the noise that it finds.
    """
    observed, values = _observed(history, sound)
    places, scores = _placed(cube, observed), _warped(values)
    kept = np.argsort(scores, kind="stable")[:_MODELLED]
    places, scores = places[kept], scores[kept]
    model = _fitted(places, scores)
    if running:
        expected = _placed(cube, [(trial.params, 1.0) for trial in running])
        scores = np.concatenate([scores, model.predict(expected)])
        places = np.concatenate([places, expected])
        model = _fitted(places, scores, model.kernel_)
    return model, float(model.kernel_.k2.noise_level * scores.var())


def _observed(
    history: History, trials: Sequence[Trial]
) -> tuple[list[tuple[Point, float]], list[float]]:
    """Points with a length of training, and the best values that they had come to by then.

    The lengths are shares of the longest one, on a logarithmic scale: 0 is one evaluation, 1 all.
    """
    lengths = {max(len(trial.evaluations), 1) for trial in trials}
    longest = max(lengths)
    observed: list[tuple[Point, float]] = []
    values = []
    for trial in trials:
        own = max(len(trial.evaluations), 1)
        counts = {own}
        if len(lengths) > 1:
            counts |= {REDUCTION**n for n in range(own) if REDUCTION**n < own}
        for count in sorted(counts):
            length = math.log(count) / math.log(longest) if longest > 1 else 1.0
            observed.append((trial.params, length))
            values.append(history.after(trial, count))
    return observed, values


def _warped(values: Sequence[float]) -> Floats:
    """Values on a scale on which noise is about alike everywhere; the lowest is the best.

    Positive ones by their logarithm, others by the inverse hyperbolic sine of their distance from
    the median, which is like themselves near it and like a logarithm far out. Bad outliers are all
    alike: how bad they are tells nothing of where it is good.
    """
    found = np.array(values)
    finite = found[np.isfinite(found)]
    if not finite.any():
        return np.zeros(len(found))
    found = np.minimum(found, finite.max()) / np.abs(finite).max()
    if found.min() > 0:
        found = np.log(np.maximum(found, 1e-3 * np.median(found)))
    else:
        off = found - np.median(found)
        found = np.arcsinh(off / (np.median(np.abs(off)) or np.abs(off).mean() or 1.0))
    middle = float(np.median(found))
    limit = max(_OUTLYING * float(np.median(np.abs(found - middle))), middle - float(found.min()))
    warped: Floats = np.minimum(found, middle + limit if limit else math.inf)
    return warped


def _placed(cube: Cube, observed: Sequence[tuple[Point, float]]) -> Places:
    """Points with a length of training as rows of float64 [observed, size + 1]."""
    lengths = np.array([length for _, length in observed]).reshape(-1, 1)
    return np.concatenate([cube.places([point for point, _ in observed]), lengths], axis=1)


def _near(cube: Cube, good: Places, drawn: Places, numbers: np.random.Generator) -> list[Point]:
    """Points a step away from good ones, with some hyperparameters of random draws.

    By steps alone a choice would hardly ever change.
    """
    parents = np.repeat(good, _NEAR, axis=0)
    count = len(parents)
    least, largest = map(math.log, _STEPS)
    steps = np.exp(numbers.uniform(least, largest, (count, 1)))
    places = numbers.normal(parents, steps)
    crossed = numbers.random((count, len(cube.sizes))) < _CROSSED
    others = drawn[numbers.integers(len(drawn), size=count)]
    places = np.where(np.repeat(crossed, cube.sizes, axis=1), others, places)
    return [cube.point(place) for place in places]


def _distances(tried: Places, places: Places) -> Floats:
    """How far each place is from the nearest one that has been tried; infinite if none has."""
    return np.array([np.linalg.norm(tried - p, axis=1).min(initial=math.inf) for p in places])


def _apart(tried: Places, places: Places) -> npt.NDArray[np.bool_]:
    """Which places are far enough from what has been tried; some always are.

    The least distance is `_APART`, and every fourth time that of as many places spread evenly, so
    that a model that is wrong about what it has not seen is found out.
    """
    distances = _distances(tried, places)
    spread = (4 * len(tried)) ** (-1 / places.shape[1])
    least = min(spread, _FAR if len(tried) % _EVERY == 0 else _APART, float(distances.max()))
    apart: npt.NDArray[np.bool_] = distances >= least
    return apart


def _fitted(places: Places, scores: Floats, kernel: Any = None) -> Any:
    """A model of the scores; with a kernel that has been fitted before, at once."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    optimizer = None if kernel else _descend
    if kernel is None:
        scales = np.full(places.shape[1], 0.5)
        kernel = ConstantKernel(1.0, (0.1, 10)) * Matern(scales, (0.05, 20), nu=2.5)
        kernel += WhiteKernel(0.1, (1e-3, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a length scale at its bound is no news
        model = GaussianProcessRegressor(kernel, optimizer=optimizer, normalize_y=True)
        return model.fit(places, scores)


def _descend(likelihood: Any, start: Floats, bounds: Any) -> tuple[Any, float]:
    """Fit the logarithms of the kernel's numbers, not to the last digit.

    Few trials would leave them open: they are taken to be normally distributed, with deviation 1,
    about where they start.
    """
    from scipy.optimize import minimize

    def loss(numbers: Floats) -> tuple[float, Floats]:
        value, gradient = likelihood(numbers)
        off = numbers - start
        return value + 0.5 * float(off @ off), gradient + off

    found = minimize(
        loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": _FIT}
    )
    return found.x, found.fun


def _improvement(model: Any, noise: float, best: float, candidates: Places) -> Floats:
    """Expected improvement of the function behind the noise over the best that it is known for."""
    from scipy.stats import norm

    mean, deviation = model.predict(candidates, return_std=True)
    deviation = np.sqrt(np.maximum(deviation**2 - noise, 1e-18))
    z = (best - mean) / deviation
    gain: Floats = (best - mean) * norm.cdf(z) + deviation * norm.pdf(z)
    return gain


def _survival(sound: Places, dead: Places, candidates: Places) -> Floats:
    """The probability that training lives at each candidate."""
    sound, dead = sound[-_MODELLED // 2 :], dead[-_MODELLED // 2 :]  # the latest ones
    lived = np.concatenate([np.ones(len(sound)), np.zeros(len(dead))])
    share: Floats = _fitted(np.concatenate([sound, dead]), lived).predict(candidates)
    return np.clip(share, 0.01, 1.0)
