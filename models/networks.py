"""Generators and discriminators.

A generator maps z, float32 [batch, z_dim], to images, float32 [batch, size, size, channels] in
[-1, 1]. A discriminator maps such images to logits, float32 [batch, 1]; an auto-encoder, to its
errors, likewise. Where a type is conditional, both also take classes as one-hot vectors, float32
[batch, K], or the discriminator returns class logits, float32 [batch, K], beside its own.

Weights start as in DCGAN (normal with deviation 0.02), batch normalisation runs with momentum 0.9,
so that its moving statistics, which sampling uses, follow short trainings.
"""

from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import layers

_LEAK = 0.2


@dataclass(frozen=True)
class NetworkShape:
    """All that decides the two networks.

    Attributes:
        autoencoder: whether the discriminator is one, and returns its errors.
        condition: see `autogan.models.base.GANType.condition`.
        classes: K, where the images' classes are given; 0 where they are not.
    """

    size: int
    channels: int
    z_dim: int
    architecture: Literal["auto", "infogan", "strided", "began"]
    width: int
    dense_width: int
    discriminator_norm: Literal["batch", "none"]
    autoencoder: bool = False
    condition: Literal["none", "input", "auxiliary"] = "none"
    classes: int = 0


def build_networks(shape: NetworkShape) -> tuple[keras.Model, keras.Model]:
    """Return the generator and the discriminator."""
    architecture: str = shape.architecture
    if architecture == "auto":
        large = "began" if shape.autoencoder else "strided"
        architecture = "infogan" if shape.size < 32 else large
    builders: dict[str, tuple[Any, Any]] = {
        "infogan": (_infogan_generator, _infogan_discriminator),
        "strided": (_strided_generator, _strided_discriminator),
        "began": (_began_decoder, _began_errors),
    }
    generator, discriminator = builders[architecture]
    if shape.autoencoder and architecture == "infogan":
        discriminator = _infogan_errors
    z = keras.Input([shape.z_dim], name="z")
    images = keras.Input([shape.size, shape.size, shape.channels], name="images")
    if shape.condition == "none":
        made, judged = generator(z, shape), discriminator(images, shape)
        return _model(z, made, "generator"), _model(images, judged, "discriminator")
    classes = keras.Input([shape.classes], name="classes")
    made = _model([z, classes], generator(layers.Concatenate()([z, classes]), shape), "generator")
    if shape.condition == "auxiliary":
        heads = discriminator(images, shape, (1, shape.classes))
        return made, _model(images, heads, "discriminator")
    logits = discriminator(_with_class_planes(images, classes), shape)
    return made, _model([images, classes], logits, "discriminator")


def _model(inputs: Any, outputs: Any, name: str) -> keras.Model:
    return keras.Model(inputs, outputs, name=name)


def _with_class_planes(images: Any, classes: Any) -> Any:
    """The images with one more channel for each class, of ones or of zeros."""
    size = images.shape[1]
    planes = layers.Reshape([1, 1, classes.shape[1]])(classes)
    planes = layers.UpSampling2D((size, size))(planes)  # nearest: repeats the one pixel
    return layers.Concatenate()([images, planes])


def _heads(x: Any, heads: tuple[int, ...]) -> Any:
    """A dense layer of so many units for each head."""
    outputs = [_dense(units)(x) for units in heads]
    return outputs if len(heads) > 1 else outputs[0]


def _infogan_generator(z: Any, shape: NetworkShape) -> Any:
    """The 28x28 generator of InfoGAN (Chen et al., 2016, appendix C.1), for sizes divisible by 4.

    The reference has ``width`` 64 and ``dense_width`` 1024.
    """
    quarter = shape.size // 4
    x = _relu_norm(_dense(shape.dense_width)(z))  # [batch, dense_width]
    x = _relu_norm(_dense(2 * shape.width * quarter * quarter)(x))
    x = layers.Reshape([quarter, quarter, 2 * shape.width])(x)  # [batch, size/4, size/4, 2 width]
    x = _relu_norm(_deconv(shape.width, 4)(x))  # [batch, size/2, size/2, width]
    return layers.Activation("tanh")(_deconv(shape.channels, 4, bias=True)(x))


def _infogan_discriminator(images: Any, shape: NetworkShape, heads: tuple[int, ...] = (1,)) -> Any:
    """The discriminator beside `_infogan_generator`; no normalisation after the first layer."""
    x = layers.LeakyReLU(_LEAK)(_conv(shape.width, 4)(images))  # [batch, size/2, size/2, width]
    x = _leaky_norm(_conv(2 * shape.width, 4)(x), shape)  # [batch, size/4, size/4, 2 width]
    x = _leaky_norm(_dense(shape.dense_width)(layers.Flatten()(x)), shape)
    return _heads(x, heads)


def _strided_generator(z: Any, shape: NetworkShape) -> Any:
    """DCGAN's generator: from at most 4x4 up to the image by steps of two."""
    sizes = _pyramid(shape.size)  # for 64 pixels: 32, 16, 8, 4
    width = _width(shape, len(sizes) - 1)
    x = _dense(sizes[-1] * sizes[-1] * width)(z)
    x = _relu_norm(layers.Reshape([sizes[-1], sizes[-1], width])(x))
    for level in reversed(range(len(sizes) - 1)):
        x = _crop(_deconv(_width(shape, level), 5)(x), sizes[level])
        x = _relu_norm(x)
    return layers.Activation("tanh")(_deconv(shape.channels, 5, bias=True)(x))


def _strided_discriminator(images: Any, shape: NetworkShape, heads: tuple[int, ...] = (1,)) -> Any:
    """DCGAN's discriminator: strided convolutions down to at most 4x4."""
    x = layers.LeakyReLU(_LEAK)(_conv(shape.width, 5)(images))
    for level in range(1, len(_pyramid(shape.size))):
        x = _leaky_norm(_conv(_width(shape, level), 5)(x), shape)
    return _heads(layers.Flatten()(x), heads)


def _infogan_errors(images: Any, shape: NetworkShape) -> Any:
    """An auto-encoder of the size of `_infogan_discriminator`, without normalisation.

    So BEGAN was compared with other types at 28x28 (Lucic et al., 2018, arXiv:1711.10337). Its
    code has ``z_dim`` numbers.
    """
    quarter = shape.size // 4
    x = layers.Conv2D(shape.width, 4, 2, "same", activation="elu")(images)
    x = layers.Conv2D(2 * shape.width, 4, 2, "same", activation="elu")(x)
    code = layers.Dense(shape.z_dim)(layers.Flatten()(x))
    x = layers.Dense(2 * shape.width * quarter * quarter, activation="elu")(code)
    x = layers.Reshape([quarter, quarter, 2 * shape.width])(x)
    x = layers.Conv2DTranspose(shape.width, 4, 2, "same", activation="elu")(x)
    decoded = layers.Conv2DTranspose(shape.channels, 4, 2, "same")(x)
    return _errors(images, layers.Activation("tanh")(decoded))


def _began_decoder(z: Any, shape: NetworkShape) -> Any:
    """BEGAN's generator: pairs of convolutions, doubled to the nearest; linear at the end.

    As in the paper all levels have ``width`` filters. Weights start as Glorot's: without
    normalisation, smaller ones would let the signal die.
    """
    levels = _halvings(shape.size)
    base = shape.size >> levels
    x = layers.Dense(base * base * shape.width)(z)
    x = layers.Reshape([base, base, shape.width])(x)
    for level in range(levels + 1):
        x = _conv_pair(x, shape.width)
        if level < levels:
            x = layers.UpSampling2D()(x)
    return layers.Conv2D(shape.channels, 3, padding="same")(x)


def _began_encoder(images: Any, shape: NetworkShape) -> Any:
    """BEGAN's encoder: pairs of convolutions, halved by strides; a code of ``z_dim`` numbers."""
    x = layers.Conv2D(shape.width, 3, padding="same", activation="elu")(images)
    levels = _halvings(shape.size)
    for level in range(levels + 1):
        x = _conv_pair(x, shape.width * (level + 1))
        if level < levels:
            x = layers.Conv2D(shape.width * (level + 2), 3, 2, "same", activation="elu")(x)
    return layers.Dense(shape.z_dim)(layers.Flatten()(x))


def _began_errors(images: Any, shape: NetworkShape) -> Any:
    """BEGAN's discriminator: the encoder, and a decoder that is the generator's twin."""
    return _errors(images, _began_decoder(_began_encoder(images, shape), shape))


def _errors(images: Any, decoded: Any) -> Any:
    """The mean absolute error of each image, float32 [batch, 1]."""
    return keras.ops.mean(keras.ops.abs(images - decoded), axis=[1, 2, 3])[:, None]


def _conv_pair(x: Any, filters: int) -> Any:
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", activation="elu")(x)
    return x


def _halvings(size: int) -> int:
    """How often a side is halved until it is odd or at most 8, the base of BEGAN's networks."""
    count = 0
    while size > 8 and size % 2 == 0:
        size //= 2
        count += 1
    return count


def _pyramid(size: int) -> list[int]:
    """The sizes below ``size``, halved and rounded up until 4 or less."""
    sizes = [(size + 1) // 2]
    while sizes[-1] > 4:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def _width(shape: NetworkShape, level: int) -> int:
    """Filters ``level`` steps away from the image; DCGAN stops doubling at eight times."""
    return shape.width * min(1 << level, 8)


def _crop(x: Any, size: int) -> Any:
    """Cut what doubling a rounded-up size made too much."""
    extra = x.shape[1] - size
    return layers.Cropping2D(((0, extra), (0, extra)))(x) if extra else x


def _relu_norm(x: Any) -> Any:
    return layers.ReLU()(_batch_norm()(x))


def _leaky_norm(x: Any, shape: NetworkShape) -> Any:
    if shape.discriminator_norm == "batch":
        x = _batch_norm()(x)
    return layers.LeakyReLU(_LEAK)(x)


def _batch_norm() -> layers.Layer:
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)


def _dense(units: int) -> layers.Layer:
    return layers.Dense(units, kernel_initializer=_normal())


def _conv(filters: int, kernel: int) -> layers.Layer:
    return layers.Conv2D(filters, kernel, 2, "same", kernel_initializer=_normal())


def _deconv(filters: int, kernel: int, bias: bool = False) -> layers.Layer:
    """A doubling; its bias would be undone by the normalisation that follows all but the last."""
    return layers.Conv2DTranspose(
        filters, kernel, 2, "same", use_bias=bias, kernel_initializer=_normal()
    )
