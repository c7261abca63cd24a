"""Kernel Inception Distance (Bińkowski et al., 2018, arXiv:1801.01401)."""

import math

import numpy as np

import autogan.core.tfgan as tfgan
from autogan.core.errors import ConfigError
from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments

_BLOCK = 1024  # images, TF-GAN's default
_ROUGH = 50  # images; with fewer, the estimate is little more than noise


class KID(Criterion):
    """Squared maximum mean discrepancy of pooled features under (x·y / D + 1)^3.

    TF-GAN computes it in float64, as the mean of unbiased estimates on blocks of at most 1,024
    images. Unlike FID it does not depend on the number of images, and it may fall a little below 0
    for equal distributions. Each block needs a fair sample of all images, so both sides are
    shuffled, in the same way each time.
    """

    name = "kid"
    summary = "kernel distance between real and generated features, unbiased"
    direction = "min"
    needs = frozenset({"real_features"})

    @classmethod
    def shortage(cls, generated: int, real: int, dimensions: int) -> str:
        """Two images for each block, on either side."""
        few, many = sorted((generated, real))
        needed = 2 * math.ceil(many / _BLOCK)
        return "" if few >= needed else f"at least {needed} images on either side"

    @classmethod
    def caution(cls, generated: int, real: int, dimensions: int) -> str:
        """The estimate is unbiased, but from few images it is mostly noise."""
        few = min(generated, real)
        return "" if few >= _ROUGH else f"an estimate from {few} images is mostly noise"

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the distance.

        Raises:
            ValueError: if ``real`` lacks the features themselves.
            ConfigError: if a side is so small that a block would have fewer than two images.
        """
        few, many = sorted((len(real.known_pool), len(generated.pool)))
        if few < 2 * math.ceil(many / _BLOCK):
            wanted = self.shortage(few, many, 0)
            raise ConfigError("criterion", f"kid needs {wanted}, but there are {few} and {many}")
        import tensorflow as tf

        shuffled = [
            tf.constant(np.random.default_rng(0).permutation(pool), tf.float64)
            for pool in (real.known_pool, generated.pool)
        ]
        distance = tfgan.classifier_metrics().kernel_classifier_distance_from_activations
        return float(distance(*shuffled))
