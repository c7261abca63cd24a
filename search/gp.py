"""Bayesian optimisation with a Gaussian process (Snoek et al., 2012), by scikit-learn."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autogan.search.base import Proposal, SearchMethod, digest, rng
from autogan.search.cube import Cube, Places
from autogan.search.history import History, State, Trial, normal_scores
from autogan.search.space import Point, Space, key
from autogan.search.stopping import REDUCTION

_SPREAD = 8  # trials, before a model is made: each the farthest from the others of as many draws
_MODELLED = 200  # observations at most, the best ones: the time grows with their cube
_DRAWN = 300  # candidates from the whole space
_PARENTS, _NEAR = 5, 40  # good trials, and candidates near each
_NEARNESS = 0.1  # standard deviation of their distance in each coordinate
_FIT = 15  # iterations


class GaussianProcess(SearchMethod):
    """Model how good trials are, and try where the expected improvement is largest.

    The model sees the ranks of the values, so that it does not matter how bad the bad ones are,
    and learns how noisy they are. Where trials were stopped early, the length of training is a
    further dimension of the model, which so learns how much early values tell; what is proposed
    is what promises most at full length. The first trials are random. A running trial is taken
    to come out as the model predicts.

    Dead trials are no part of that model, in which they would be a cliff beside the best places: a
    second one learns where training lives, and the improvement is multiplied by the probability
    that it does (Gelbart, Snoek and Adams, 2014, arXiv:1403.5607).
    """

    name = "gp"
    summary = "Gaussian process with expected improvement: few, expensive trials"

    def propose(self, space: Space, history: History, seed: int) -> Proposal | None:
        """Return what promises the largest expected improvement; see `SearchMethod.propose`."""
        random, used = rng(seed, history), self.used(history)
        known = history.telling
        first = space.draw(random, used)
        if first is None:
            return None
        cube = Cube(space)
        if len(known) < _SPREAD:
            tried = cube.places([t.params for t in history.trials])
            drawn = [p for _ in range(_SPREAD) if (p := space.draw(random, used))]
            return Proposal(max([first, *drawn], key=lambda p: _distance(tried, cube.places([p]))))

        # What is known, and what is running as if it had come out as predicted.
        sound = [trial for trial in known if not trial.dead]
        if not sound:
            return Proposal(first)
        observed, values = _observed(history, sound)
        places = _placed(cube, observed)
        scores = np.array(normal_scores(values))
        kept = np.argsort(scores, kind="stable")[:_MODELLED]
        places, scores = places[kept], scores[kept]
        model = _fitted(places, scores)
        running = [t.params for t in history.trials if t.state is State.RUNNING]
        if running:
            expected = _placed(cube, [(params, 1.0) for params in running])
            scores = np.concatenate([scores, model.predict(expected)])
            places = np.concatenate([places, expected])
            model = _fitted(places, scores, model.kernel_)

        # Candidates from the whole space, and near the best.
        size = space.size()
        if size is not None and size <= _DRAWN:
            points = list(space.points())
        else:
            points = [p for _ in range(_DRAWN) if (p := space.draw(random, used))]
        numbers = np.random.default_rng(digest(seed, history))
        near = numbers.normal(np.repeat(places[:_PARENTS, :-1], _NEAR, axis=0), _NEARNESS)
        points = [first, *points, *map(cube.point, near)]
        left = [point for point in points if key(point) not in used and space.allows(point)]
        seen = _placed(cube, [(trial.params, 1.0) for trial in sound])
        candidates = _placed(cube, [(point, 1.0) for point in left])
        gains = _improvement(model, seen, candidates)
        if dead := [(trial.params, 1.0) for trial in known if trial.dead]:
            gains *= _survival(seen, _placed(cube, dead), candidates)
        return Proposal(left[int(np.argmax(gains))])


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


def _distance(tried: Places, place: Places) -> float:
    """To the nearest place that has been tried."""
    return float(np.linalg.norm(tried - place, axis=1).min(initial=math.inf))


def _placed(cube: Cube, observed: Sequence[tuple[Point, float]]) -> Places:
    """Points with a length of training as rows of float64 [observed, size + 1]."""
    lengths = np.array([length for _, length in observed]).reshape(-1, 1)
    return np.concatenate([cube.places([point for point, _ in observed]), lengths], axis=1)


def _fitted(places: Places, scores: npt.NDArray[np.float64], kernel: Any = None) -> Any:
    """A model of the scores; with a kernel that has been fitted before, at once."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    if kernel is not None:
        return GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True).fit(
            places, scores
        )
    scales = np.full(places.shape[1], 0.5)
    kernel = Matern(scales, (0.05, 20), nu=2.5) + WhiteKernel(0.1, (1e-3, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a length scale at its bound is no news
        model = GaussianProcessRegressor(kernel, optimizer=_descend, normalize_y=True)
        return model.fit(places, scores)


def _descend(likelihood: Any, start: Any, bounds: Any) -> tuple[Any, float]:
    """Fit the kernel as scikit-learn does, but not to the last digit."""
    from scipy.optimize import minimize

    found = minimize(
        likelihood, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": _FIT}
    )
    return found.x, found.fun


def _improvement(model: Any, seen: Places, candidates: Places) -> npt.NDArray[np.float64]:
    """Expected improvement over the best place seen, by the model's mean: it sees through luck."""
    from scipy.stats import norm

    best = model.predict(seen).min()
    mean, deviation = model.predict(candidates, return_std=True)
    deviation = np.maximum(deviation, 1e-9)
    z = (best - mean) / deviation
    gain: npt.NDArray[np.float64] = (best - mean) * norm.cdf(z) + deviation * norm.pdf(z)
    return gain


def _survival(sound: Places, dead: Places, candidates: Places) -> npt.NDArray[np.float64]:
    """The probability that training lives at each candidate."""
    from scipy.stats import norm

    sound, dead = sound[-_MODELLED // 2 :], dead[-_MODELLED // 2 :]  # the latest ones
    lived = np.concatenate([np.ones(len(sound)), np.zeros(len(dead))])
    mean, deviation = _fitted(np.concatenate([sound, dead]), lived).predict(
        candidates, return_std=True
    )
    probability: npt.NDArray[np.float64] = norm.cdf((mean - 0.5) / np.maximum(deviation, 1e-9))
    return probability
