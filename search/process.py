"""A Gaussian process of single trainings, over points, lengths of training and seeds."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float64]

NOBODY = -1  # number of a point or training that shares its own term with no other

_ITERATIONS = 12  # of the descent, which need not be exact to the last digit
_FITTED = 100  # observations at most for fitting the kernel's numbers
_JITTER = 1e-6
_ROOT5 = math.sqrt(5)

# Each number's prior is a lognormal distribution with this median and this deviation of the
# logarithm. The scales of the axes come before these.
_PRIORS = {
    "length": (1.0, 0.7),  # scale of the length of training
    "field": (1.0, 0.7),  # variance of the part that place and length decide
    "point": (0.1, 0.7),  # variance of a point's own part, independent of its place
    "training": (0.15, 1.0),  # variance of a training's luck, common to its whole curve
    "noise": (0.05, 1.0),  # variance of a single value
}
_AXIS_DEVIATION = 1.2


@dataclass(frozen=True)
class Observed:
    """The position of an observation or a prediction.

    Attributes:
        place: of the point, in a unit cube.
        length: of the training, on a logarithmic scale: 1 is a whole training.
        point: a number that all trainings of a point share; `NOBODY` for the field alone.
        training: the training's own number; `NOBODY` for a further training.
    """

    place: tuple[float, ...]
    length: float
    point: int = NOBODY
    training: int = NOBODY


class Process:
    """A posterior over the values of trainings.

    The covariance of two observations is the sum of a Matern 5/2 kernel of place and length with
    a scale for each axis (Rasmussen and Williams, 2006, equation 4.17), a term for the same point,
    a term for the same training, both fading with the difference in length, and noise. The point's
    term lets its own seeds outweigh its neighbours; without the training's term, a curve of many
    evaluations would count as many seeds. The kernel's numbers maximise the likelihood times their
    priors.

    Args:
        observed: at least one position.
        values: at these positions; lower is better, on a scale on which noise is about equal.
        medians: of the priors of the axes' scales, one for each coordinate of a place.

    Attributes:
        noise: the share of the variance that is due to the seed, in [0, 1].
        luck: the variance of single trainings of the same point, in units of the values squared.
    """

    def __init__(
        self, observed: Sequence[Observed], values: Sequence[float], medians: Sequence[float]
    ) -> None:
        found = np.array(values, np.float64)
        self._mean, self._scale = float(found.mean()), max(float(found.std()), 1e-6)
        priors = [*((median, _AXIS_DEVIATION) for median in medians), *_PRIORS.values()]
        chosen = _evenly(len(observed), _FITTED)
        numbers = _fitted(
            tuple(observed[i] for i in chosen), tuple(found[chosen].tolist()), tuple(priors)
        )
        self._kernel = kernel = _Kernel(np.array(numbers))
        seeds = kernel.training + kernel.noise
        self.noise = seeds / (seeds + kernel.field)
        self.luck = seeds * self._scale**2
        self._take_in(observed, found)

    def _take_in(self, observed: Sequence[Observed], values: Floats) -> None:
        from scipy.linalg import cholesky

        self._observed, self._values, self._rows = observed, values, _Rows.of(observed)
        self._root: Floats = cholesky(
            self._kernel.noisy(self._kernel.between(self._rows, self._rows)), lower=True
        )
        self._weights = _solved(self._root, (values - self._mean) / self._scale)

    def believing(self, where: Sequence[Observed]) -> "Process":
        """The same process with its predictions as observations (Ginsbourger et al., 2010)."""
        other = copy.copy(self)
        means, _ = self.predict(where)
        other._take_in([*self._observed, *where], np.concatenate([self._values, means]))
        return other

    def predict(self, where: Sequence[Observed]) -> tuple[Floats, Floats]:
        """Predict means and standard deviations, without the noise; float64 [where]."""
        from scipy.linalg import solve_triangular

        rows = _Rows.of(where)
        across = self._kernel.between(rows, self._rows)  # [where, observed]
        half: Floats = solve_triangular(self._root, across.T, lower=True)
        variances = self._kernel.alone(rows) - (half**2).sum(0)
        means = across @ self._weights * self._scale + self._mean
        return means, np.sqrt(np.maximum(variances, 1e-10)) * self._scale


@dataclass(frozen=True)
class _Rows:
    """Positions as arrays: places with lengths [n, axes + 1], and the numbers [n]."""

    places: Floats
    points: npt.NDArray[np.int64]
    trainings: npt.NDArray[np.int64]

    @classmethod
    def of(cls, observed: Sequence[Observed]) -> "_Rows":
        return cls(
            np.array([(*o.place, o.length) for o in observed], np.float64),
            np.array([o.point for o in observed], np.int64),
            np.array([o.training for o in observed], np.int64),
        )


class _Kernel:
    """The covariance for given numbers, the last of which `_PRIORS` names.

    Args:
        numbers: the logarithms of the axes' scales, including the length's, and of the variances.
    """

    def __init__(self, numbers: Floats) -> None:
        self.scales = np.exp(numbers[:-4])
        self.field, self.point, self.training, self.noise = np.exp(numbers[-4:]).tolist()

    def between(self, ones: _Rows, others: _Rows) -> Floats:
        """The covariance of the noise-free values; float64 [ones, others]."""
        smooth, _ = self.smooth(ones, others)
        return self.joined(smooth, *_same(ones, others))

    def joined(self, smooth: Floats, points: Floats, trainings: Floats) -> Floats:
        """The sum of the terms, each weighted by its variance."""
        covariance: Floats = self.field * smooth + self.point * points + self.training * trainings
        return covariance

    def noisy(self, covariance: Floats) -> Floats:
        """The covariance of observations, from that of the noise-free values."""
        noisy: Floats = covariance + (self.noise + _JITTER) * np.eye(len(covariance))
        return noisy

    def alone(self, rows: _Rows) -> Floats:
        """The prior variances; float64 [rows]."""
        variances: Floats = (
            self.field
            + self.point * (rows.points != NOBODY)
            + self.training * (rows.trainings != NOBODY)
        )
        return variances

    def smooth(self, ones: _Rows, others: _Rows) -> tuple[Floats, Floats]:
        """Matern 5/2 of the scaled distances, and -2 times its derivative by their squares."""
        a, b = ones.places / self.scales, others.places / self.scales
        squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
        far = _ROOT5 * np.sqrt(np.maximum(squares, 0.0))
        fading = np.exp(-far)
        return (1 + far + far**2 / 3) * fading, 5 / 3 * (1 + far) * fading


def _same(ones: _Rows, others: _Rows) -> tuple[Floats, Floats]:
    """How far two positions share a point's own term, and a training's; [ones, others]."""
    gaps = np.abs(ones.places[:, -1][:, None] - others.places[:, -1][None, :])
    points = (ones.points[:, None] == others.points) & (ones.points[:, None] != NOBODY)
    trainings = (ones.trainings[:, None] == others.trainings) & (ones.trainings[:, None] != NOBODY)
    return points * np.exp(-2 * gaps), trainings * np.exp(-gaps)


# The method, the race and the recommendation ask about the same observations in turn.
@lru_cache(maxsize=32)
def _fitted(
    observed: tuple[Observed, ...],
    values: tuple[float, ...],
    priors: tuple[tuple[float, float], ...],
) -> tuple[float, ...]:
    """The logarithms of the kernel's numbers with the highest posterior density."""
    from scipy.optimize import minimize

    rows, found = _Rows.of(observed), np.array(values)
    found = (found - found.mean()) / max(float(found.std()), 1e-6)
    medians, deviations = np.log([m for m, _ in priors]), np.array([d for _, d in priors])
    points, trainings = _same(rows, rows)

    def loss(numbers: Floats) -> tuple[float, Floats]:
        """The negative logarithm of the posterior density, and its gradient."""
        kernel = _Kernel(numbers)
        smooth, slope = kernel.smooth(rows, rows)
        covariance = kernel.noisy(kernel.joined(smooth, points, trainings))
        root = np.asarray(np.linalg.cholesky(covariance), np.float64)
        weights = _solved(root, found)
        # -2 d loss / d covariance (Rasmussen and Williams, 2006, equation 5.9)
        pull = np.outer(weights, weights) - _solved(root, np.eye(len(found)))
        off = (numbers - medians) / deviations
        value = 0.5 * found @ weights + np.log(np.diag(root)).sum() + 0.5 * off @ off
        # Along an axis: the sum over pairs of pull x slope x (scaled difference)^2.
        steep, places = pull * slope * kernel.field, rows.places / kernel.scales
        axes = 2 * ((places**2 * steep.sum(1)[:, None]).sum(0) - (places * (steep @ places)).sum(0))
        variances = [
            kernel.field * (pull * smooth).sum(),
            kernel.point * (pull * points).sum(),
            kernel.training * (pull * trainings).sum(),
            kernel.noise * np.trace(pull),
        ]
        return float(value), -0.5 * np.concatenate([axes, variances]) + off / deviations

    bounds = list(zip(medians - 3 * deviations, medians + 3 * deviations, strict=True))
    with threadpool_limits(1, "blas"):  # more threads would wait for each other: small matrices
        descent = minimize(
            loss,
            medians,
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"maxiter": _ITERATIONS},
        )
    numbers: list[float] = descent.x.tolist()
    return tuple(numbers)


def _evenly(count: int, most: int) -> list[int]:
    """At most ``most`` indices out of ``count``, evenly spread, including the first and last."""
    if count <= most:
        return list(range(count))
    return [round(place) for place in np.linspace(0, count - 1, most)]


def _solved(root: Floats, right: Floats) -> Floats:
    """The solution of root root^T x = right."""
    from scipy.linalg import cho_solve

    solution: Floats = cho_solve((root, True), right)
    return solution
