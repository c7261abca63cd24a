"""The networks of the classifiers, without their weights."""

from typing import Any

import keras


def small(image_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Convolutions and pooling down to at most 7x7, a dense layer (the features), and logits."""
    layers = keras.layers
    images = keras.Input(image_shape, dtype="uint8")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    filters = 32
    while x.shape[1] > 7:
        x = layers.MaxPooling2D()(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        filters = min(2 * filters, 128)
    pool = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return keras.Model(images, [layers.Dense(classes)(pool), pool])


def residual(image_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Patches at about 16x16 places, three levels of two convolutions, means (the features).

    The second convolution of a level adds to its input. There is no shortcut with strided 1x1
    convolutions, because they crash TensorFlow on some CPUs.
    """
    layers = keras.layers

    def convolved(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
        x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))

    images = keras.Input(image_shape, dtype="uint8")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    stride = max(min(image_shape[:2]) // 16, 2)  # so that images of all sizes take similar time
    x = convolved(x, 32, 2 * stride + 1, stride)
    x = layers.Add()([x, convolved(x, 32)])
    for filters in (64, 128):
        x = convolved(layers.MaxPooling2D()(x), filters)
        x = layers.Add()([x, convolved(x, filters)])
    pool = layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, [layers.Dense(classes)(pool), pool])
