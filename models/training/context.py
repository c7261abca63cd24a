"""The inputs of the updates of a step, and the curves that they report."""

from typing import NamedTuple

import tensorflow as tf

from autogan.models.draws import Showing, draw
from autogan.models.objectives.losses import Values
from autogan.models.training.networks import Dropout

Curves = dict[str, tf.Tensor]
"""An update's curves by name, scalar float32."""


class Batches(NamedTuple):
    """The batches for all updates of one compiled call, in their order.

    Attributes:
        images: uint8 [M, height, width, channels].
        places: of the real images in ``images``, int64 [discriminator updates * batch].
        labels: of the real images, int64 [discriminator updates * batch], or [0] without;
            attributes are float32 [discriminator updates * batch, A].
        d_labels: of the images generated for the discriminator's updates, in the same form.
        g_labels: of the images generated for the generator's updates, in the same form,
            [updates * batch, ...].
        rates: factors of the learning rates, float32 [updates].
        fading: falls from 1 to 0 in the course of the training, float32 [updates].
    """

    images: tf.Tensor
    places: tf.Tensor
    labels: tf.Tensor
    d_labels: tf.Tensor
    g_labels: tf.Tensor
    rates: tf.Tensor
    fading: tf.Tensor


class Batch(NamedTuple):
    """The batch for one update; see `Batches`."""

    images: tf.Tensor
    labels: tf.Tensor
    d_labels: tf.Tensor
    g_labels: tf.Tensor


class Context(NamedTuple):
    """The values shared by all computations of one update.

    Attributes:
        seed: of the trial.
        update: number of the update in the training, among those of its network.
        settings: the hyperparameters that are data.
        rate: factor of the learning rates.
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
        """The same update for network ``one`` of ``several``, with independent random numbers."""
        return self._replace(update=self.update * several + tf.cast(one, tf.int64))

    def dropout(self, showing: Showing) -> Dropout:
        """The discriminator's dropout in one showing."""
        return Dropout(self.settings["dropout"], self.draw(showing.dropout))
