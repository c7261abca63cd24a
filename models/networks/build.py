"""Generators and discriminators.

A generator maps z, float32 [batch, z_dim], to images, float32 [batch, size, size, channels] in
[-1, 1]; R3GAN's images and a second stage's are not bounded. A discriminator maps such images to
logits, float32 [batch, 1]; an auto-encoder maps them to its errors, of the same shape. In a
conditional type, the generator also takes classes as one-hot vectors, float32 [batch, K]; the
discriminator takes these too, or also returns class logits, float32 [batch, K]. Attributes take the
place of classes, not as one-hot vectors but as they are, float32 [batch, A].

Batch normalisation has momentum 0.9, so that its moving statistics, which sampling uses, keep up in
short trainings.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import layers

from autogan.models.networks import (
    autoencoders,
    convolutional,
    dense,
    overcomplete,
    residual,
    stacked,
)
from autogan.models.networks.layers import OfClass
from autogan.models.networks.parametrisation import CLASS_VECTORS
from autogan.models.networks.parts import Parts, Start, attention_size, glorot, normal
from autogan.models.networks.shape import NetworkShape

_Network = Callable[[Any, NetworkShape, Parts], Any]


class _Architecture(NamedTuple):
    """A pair of networks: z to images, and images to the last dense layer's input features."""

    generator: _Network
    discriminator: _Network
    start: Start
    normalised: bool = True


_ARCHITECTURES = {
    "infogan": _Architecture(
        convolutional.infogan_generator, convolutional.infogan_discriminator, normal
    ),
    "strided": _Architecture(
        convolutional.strided_generator, convolutional.strided_discriminator, normal
    ),
    "sndcgan": _Architecture(
        convolutional.sndcgan_generator, convolutional.sndcgan_discriminator, normal
    ),
    "resnet": _Architecture(residual.resnet_generator, residual.resnet_discriminator, glorot),
    "resnet5": _Architecture(residual.resnet5_generator, residual.resnet5_discriminator, glorot),
    "r3gan": _Architecture(
        residual.r3gan_generator, residual.r3gan_discriminator, residual.unit, normalised=False
    ),
    "mlp": _Architecture(dense.mlp_generator, dense.mlp_discriminator, normal),
    "igan": _Architecture(overcomplete.igan_generator, overcomplete.igan_discriminator, glorot),
    "igan_v2": _Architecture(
        overcomplete.igan_v2_generator, overcomplete.igan_discriminator, glorot
    ),
}


def build_networks(shape: NetworkShape) -> tuple[keras.Model, keras.Model]:
    """Return the generator and the discriminator.

    The generator's inputs are z, the classes, rate and draw; the discriminator's are images, the
    classes, rate and draw. Those that a network lacks are left out; a single input is not a list.
    """
    return build_generator(shape), _discriminator(shape)


def build_generator(shape: NetworkShape, name: str = "generator") -> keras.Model:
    """Return only the generator, as a network of that name."""
    begin = _small_images(shape) if shape.stage1 else _z(shape)
    if _architecture(shape) == "began" and not shape.stage1:
        return _model([begin], autoencoders.began_decoder(begin, shape), name)
    make, start, normalised = _generator(shape)
    norm = shape.generator_norm if normalised else "none"
    parts = _parts(shape, norm, start, shape.generator_dropout)
    parts.upsampling = shape.upsampling
    x, inputs = begin, [begin]
    if shape.condition != "none":
        parts.classes, parts.attributes = _classes(shape), shape.attributes
        inputs.append(parts.classes)
        if shape.stage1 and norm != "conditional":
            x = _with_class_planes(*inputs)
        elif norm != "conditional" and shape.condition != "branches":
            x = layers.Concatenate()(inputs)
    return _model([*inputs, *parts.dropout], make(x, shape, parts), name)


def _generator(shape: NetworkShape) -> tuple[_Network, Start, bool]:
    """The generator's function, its kernels' initializer, and whether it has normalisation."""
    if shape.stage1:
        return stacked.enlarging_generator, glorot, True
    pair = _ARCHITECTURES[_architecture(shape)]
    return pair.generator, pair.start, pair.normalised


def _architecture(shape: NetworkShape) -> str:
    if shape.architecture != "auto":
        return shape.architecture
    large = "began" if shape.autoencoder else "strided"
    return "infogan" if shape.size < 32 else large


def _discriminator(shape: NetworkShape) -> keras.Model:
    x = images = _images(shape)
    if shape.autoencoder:
        of_began = _architecture(shape) == "began"
        errors = autoencoders.began_errors if of_began else autoencoders.infogan_errors
        return _model([images], errors(images, shape), "discriminator")
    pair = _ARCHITECTURES[_architecture(shape)]
    norm = shape.discriminator_norm if pair.normalised else "none"
    parts = _parts(shape, norm, pair.start, shape.dropout)
    parts.minibatch_stddev = shape.minibatch_stddev
    parts.penalised = shape.penalised
    inputs = [images]
    if shape.discriminator_takes_class:
        inputs.append(_classes(shape))
    if shape.condition == "input":
        x = _with_class_planes(*inputs)
    if shape.condition == "branches":
        each = [parts.dense(pair.discriminator(x, shape, parts), 1) for _ in range(shape.classes)]
        return _model([*inputs, *parts.dropout], OfClass()(inputs[1], *each), "discriminator")
    features = pair.discriminator(x, shape, parts)
    judged = parts.dense(features, 1)
    if shape.condition == "auxiliary":
        judged = [judged, parts.dense(features, shape.classes)]
    elif shape.condition == "projection":
        units = features.shape[1]
        vector = parts.dense(inputs[1], units, bias=False, start=glorot, name=CLASS_VECTORS)
        judged = layers.Add()([judged, layers.Dot(axes=1)([vector, features])])
    return _model([*inputs, *parts.dropout], judged, "discriminator")


def _parts(shape: NetworkShape, norm: str, start: Start, dropout: bool) -> Parts:
    # A norm undoes the scale of its input; without one, the signal vanishes with small weights.
    start = glorot if start is normal and norm == "none" else start
    parts = Parts(norm, start, attention_size(shape.size) if shape.attention else 0)
    if dropout:
        rate = keras.Input(batch_shape=[], name="rate")
        parts.dropout = (rate, keras.Input(batch_shape=[2], dtype="int64", name="draw"))
    return parts


def _z(shape: NetworkShape) -> Any:
    return keras.Input([shape.z_dim], name="z")


def _small_images(shape: NetworkShape) -> Any:
    return keras.Input([shape.stage1, shape.stage1, shape.channels], name="small_images")


def _images(shape: NetworkShape) -> Any:
    return keras.Input([shape.size, shape.size, shape.channels], name="images")


def _classes(shape: NetworkShape) -> Any:
    return keras.Input([shape.classes], name="attributes" if shape.attributes else "classes")


def _model(inputs: list[Any], outputs: Any, name: str) -> keras.Model:
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=name)


def _with_class_planes(images: Any, classes: Any) -> Any:
    """The images with one more channel for each class, filled with its number in ``classes``."""
    size = images.shape[1]
    planes = layers.Reshape([1, 1, classes.shape[1]])(classes)
    planes = layers.UpSampling2D((size, size))(planes)  # nearest: repeats the one pixel
    return layers.Concatenate()([images, planes])
