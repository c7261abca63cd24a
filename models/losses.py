"""Adversarial losses, from TF-GAN where its function is right.

All take logits (the discriminator has no last activation), float32 [batch, 1], and return a
scalar float32. ``autogan.models.base.GANType.loss`` names one of `LOSSES`.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

import autogan.tfgan as tfgan

_tfgan = tfgan.losses()


class Loss(NamedTuple):
    """What each network minimises.

    Attributes:
        discriminator: of the logits of real and of generated images.
        generator: of the logits of generated images.
    """

    discriminator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    generator: Callable[[tf.Tensor], tf.Tensor]


def _non_saturating_discriminator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """E softplus(-D(x)) + E softplus(D(G(z))); TF-GAN would smooth labels by 0.25 unasked."""
    return _tfgan.modified_discriminator_loss(real, fake, label_smoothing=0.0)


LOSSES = {
    # Goodfellow et al., 2014 (arXiv:1406.2661), with the generator's -log D(G(z)).
    "non_saturating": Loss(_non_saturating_discriminator, _tfgan.modified_generator_loss),
    # Arjovsky et al., 2017 (arXiv:1701.07875): E D(G(z)) - E D(x), and -E D(G(z)).
    "wasserstein": Loss(_tfgan.wasserstein_discriminator_loss, _tfgan.wasserstein_generator_loss),
}
