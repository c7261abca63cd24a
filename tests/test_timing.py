"""How long a training takes is told beforehand, with all that it spends time on."""

import numpy as np
import pytest

from autogan.criteria.statistics import Features
from autogan.models.training.trainer import Latents
from autogan.worker import timing

SAMPLES = 1000


class Slow:
    """A GAN and an evaluator in one; all that they do takes time by a clock of its own."""

    samples = generated = SAMPLES

    def __init__(self):
        self.now = 0.0

    def latents(self, count, seed):
        return Latents(np.zeros((count, 2), np.float32), np.zeros(count, np.int64))

    def generate(self, latents):
        self.now += 0.01 * len(latents.z)
        return np.zeros((len(latents.z), 8, 8, 1), np.uint8)

    def features(self, images, labels=None):
        self.now += 0.03 * len(images)
        return Features(None, np.zeros((len(images), 2), np.float32), labels, images)

    def variety(self, images, features):
        assert len(images) == SAMPLES
        self.now += 2.0

    def score(self, features):
        parts = (features.pool, features.labels, features.images)
        assert [len(part) for part in parts] == [SAMPLES] * 3
        self.now += 5.0

    def figures(self, features):
        self.now += 1.0


class Unlearned(Slow):
    def score(self, features):
        super().score(features)
        raise FloatingPointError("fid is nan")


@pytest.mark.parametrize(("kind", "scoring"), [(Slow, 8), (Unlearned, 7)])
def test_all_of_an_evaluation_counts(kind, scoring, monkeypatch):
    both = kind()
    monkeypatch.setattr(timing.time, "monotonic", lambda: both.now)
    expected = SAMPLES * (0.01 + 0.03) + scoring
    assert timing.timed_evaluation(both, both) == pytest.approx(expected)
