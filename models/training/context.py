"""What the updates of a step are given, and what they report."""

from typing import NamedTuple

import tensorflow as tf

from autogan.models.draws import Showing, draw
from autogan.models.objectives.losses import Values
from autogan.models.training.networks import Dropout

Curves = dict[str, tf.Tensor]
"""What an update reports, by name; scalars float32."""


class Batches(NamedTuple):
    """All that the updates of one compiled call consume, in their order.

    Attributes:
        images: uint8 [M, height, width, channels].
        places: of the real images among them, int64 [discriminator updates * batch].
        labels: of the real images, int64 [discriminator updates * batch], or none; attributes are
            float32 [discriminator updates * batch, A].
        d_labels: of the images generated for the discriminator's updates, likewise.
        g_labels: of those generated for the generator's updates, likewise, [updates * batch, ...].
        rates: what the learning rates are multiplied by, float32 [updates].
        fading: from 1 to 0 in the course of the training, float32 [updates].
    """

    images: tf.Tensor
    places: tf.Tensor
    labels: tf.Tensor
    d_labels: tf.Tensor
    g_labels: tf.Tensor
    rates: tf.Tensor
    fading: tf.Tensor


class Batch(NamedTuple):
    """What one update consumes; see `Batches`."""

    images: tf.Tensor
    labels: tf.Tensor
    d_labels: tf.Tensor
    g_labels: tf.Tensor


class Context(NamedTuple):
    """What is the same for everything that one update does.

    Attributes:
        seed: of the trial.
        update: number of the update in the training, among those of its network.
        settings: the hyperparameters that are data.
        rate: what learning rates are multiplied by.
        noise: deviation of the noise on images that the discriminator sees.
    """

    seed: tf.Tensor
    update: tf.Tensor
    settings: Values
    rate: tf.Tensor
    noise: tf.Tensor

    def draw(self, stream: int) -> tf.Tensor:
        """The seed of one draw."""
        return draw(self.seed, self.update, stream)

    def of(self, one: tf.Tensor | int, several: int) -> "Context":
        """The same update for one of several networks, with random numbers of its own."""
        return self._replace(update=self.update * several + tf.cast(one, tf.int64))

    def dropout(self, showing: Showing) -> Dropout:
        """What drops out of the discriminator in one showing."""
        return Dropout(self.settings["dropout"], self.draw(showing.dropout))
