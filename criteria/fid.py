"""Fréchet Inception Distance (Heusel et al., 2017, arXiv:1706.08500)."""

import numpy as np

from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments


class FID(Criterion):
    """|mu_x - mu_g|^2 + Tr(S_x + S_g - 2 (S_x S_g)^1/2); 0 or more.

    Auto-GAN, equation 2-14. It is the squared 2-Wasserstein distance between two Gaussians.
    (S_x S_g)^1/2 has the trace of (S_x^1/2 S_g S_x^1/2)^1/2, which is symmetric. Therefore one
    eigenvalue problem suffices once the real data's root is known, and rank-deficient covariances
    do no harm.
    """

    name = "fid"
    summary = "Fréchet distance between real and generated features"
    direction = "min"

    @classmethod
    def caution(cls, generated: int, real: int, dimensions: int) -> str:
        """A covariance of fewer images than features is singular: see `few_for_moments`."""
        return few_for_moments(min(generated, real), dimensions)

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the distance."""
        return frechet_distance(real, generated.moments)


def few_for_moments(images: int, dimensions: int) -> str:
    """A warning if there are no more images than features; empty otherwise."""
    if images > dimensions:
        return ""
    return (
        f"{images} images are few for {dimensions} features; the value depends on the number of "
        "images: compare it only with values from the same number"
    )


def frechet_distance(real: Moments, made: Moments) -> float:
    """See `FID`; rounding below zero is cut off."""
    root = real.covariance_root
    eigenvalues = np.linalg.eigvalsh(root @ made.covariance @ root)
    cross = np.sum(np.sqrt(np.maximum(eigenvalues, 0.0)))
    means = np.sum(np.square(real.mean - made.mean))
    traces = np.trace(real.covariance) + np.trace(made.covariance)
    return float(max(means + traces - 2.0 * cross, 0.0))  # equation 6
