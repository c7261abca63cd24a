"""Label accuracy (Auto-GAN, 2018, section 4.2.4)."""

import numpy as np

from autogan.criteria.base import Criterion
from autogan.criteria.statistics import Features, Moments


class LabelAccuracy(Criterion):
    """The share of images that a classifier assigns to the class they were generated for; 0 to 1.

    The classifier must have learned the classes of the real data, as the feature network
    ``classifier`` has, or a SavedModel of the user's own whose logits are those classes in order.
    The value says nothing about the quality or diversity of the images.
    """

    name = "label_accuracy"
    summary = "share of images that a classifier assigns to the class they were generated for"
    direction = "max"
    needs = frozenset({"labels", "logits"})

    def compute(self, generated: Features, real: Moments) -> float:
        """Return the share; the real images do not matter.

        Raises:
            ValueError: if ``generated`` has no labels.
        """
        if generated.labels is None:
            raise ValueError("label_accuracy needs the classes that the images were generated for")
        return float(np.mean(generated.known_logits.argmax(axis=1) == generated.labels))
