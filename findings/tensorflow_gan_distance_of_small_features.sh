#!/usr/bin/env bash
# TF-GAN's Fréchet distance depends on the unit of the features.
#
# Met with: tensorflow-gan 2.1.0, tensorflow-cpu 2.15.1 (later ones it cannot import), Python 3.11.
# A Fréchet distance is a square: features divided by 100 have a distance 10,000 times smaller. TF-GAN
# does not take the root of singular values below 1e-10, also in float64, where they are exact. These
# values are squares of variances, so a variance below 1e-5 counts as its square, which is almost 0.
# Features of unit length in many dimensions come near it, softmax outputs and shallow networks fall
# below it, and nothing says so.
#
# Seen: two halves of scikit-learn's digits, in 128 random features of unit length, have a distance of
# 0.02094; the closed form gives 0.02089. Divided by 10 the distance should be 0.000209 and is 0.000561;
# divided by 100 it is 23 times too large. One half then has 98 % of that distance from itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
    tensorflow-cpu==2.15.1 tensorflow-gan==2.1.0 tensorflow-probability==0.23.0 scikit-learn==1.7.2
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import tensorflow as tf
import tensorflow_gan as tfgan
from sklearn.datasets import load_digits

random = np.random.default_rng(0)
pixels = load_digits().images.reshape(-1, 64) / 16
features = np.maximum(pixels @ random.normal(size=(64, 128)), 0)  # float64 [1797, 128]
features /= np.linalg.norm(features, axis=1, keepdims=True)
one, other = features[:800], features[800:1600]


def closed(a, b):
    """The Fréchet distance by eigenvalues."""
    values, vectors = np.linalg.eigh(np.cov(a.T))
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    both = np.linalg.eigvalsh(root @ np.cov(b.T) @ root).clip(0)
    apart = a.mean(axis=0) - b.mean(axis=0)
    return apart @ apart + np.trace(np.cov(a.T) + np.cov(b.T)) - 2 * np.sqrt(both).sum()


def theirs(a, b):
    return float(tfgan.eval.frechet_classifier_distance_from_activations(a, b))


print("tensorflow-gan", tfgan.__version__, "tensorflow", tf.__version__)
for unit in (1, 10, 100):
    a, b = one / unit, other / unit
    print(
        f"divided by {unit}: {theirs(a, b):.4g}, closed form {closed(a, b):.4g}; "
        f"from itself: {theirs(a, a):.4g}, closed form {abs(closed(a, a)):.1g}"
    )
assert abs(theirs(one, other) / closed(one, other) - 1) < 0.01
a, b = one / 100, other / 100
assert theirs(a, b) > 10 * closed(a, b), "the distance no longer depends on the unit"
assert theirs(a, a) > 10 * closed(a, b), "a set is no longer far from itself"
PYTHON
