"""IGAN's networks: an over-complete residual generator, and a smaller residual discriminator.

The generator is over-complete because the features that it makes from z outnumber the image's
values: at 96 pixels 4x4x64 and 24x24x64 against 96x96x3. They grow to the image's size on three
paths, which are added.

The document describes 96 pixels and shows pictures of blocks. Sizes and kernels in between, other
image sizes and the discriminator's filters are our interpretation. Its ``width`` is 64.
"""

import math
import operator
from dataclasses import replace
from itertools import accumulate
from typing import Any

from keras import layers

from autogan.models.networks.layers import OfClass
from autogan.models.networks.parts import Parts
from autogan.models.networks.shape import NetworkShape

_LEAK = 0.02
_SMALLEST = 4  # smallest first side of the deep path


def igan_generator(z: Any, shape: NetworkShape, parts: Parts) -> Any:
    """A deep path of several steps, a path of a single step, and a third from larger features."""
    small, first, last = _steps(shape.size)
    parts = _attending(small, [*first, *last], parts)
    deep, wide = _begun(z, small, shape, parts), _begun(z, small * math.prod(first), shape, parts)
    deep = parts.attended(deep)
    straight = _grown(deep, shape.size // small, parts)
    for factor in (*first, *last):
        deep = parts.attended(_grown(deep, factor, parts))
    wide = _grown(wide, math.prod(last), parts)
    return _image([deep, straight, wide], shape, parts)


def igan_v2_generator(z: Any, shape: NetworkShape, parts: Parts) -> Any:
    """The generator with a convolution after each growth, and the last growths in class branches.

    A branch continues the deep path and the wide one from the wide one's first side. All branches
    see all of z; the image comes from the branch of its class. Without classes there is one branch.
    """
    small, first, last = _steps(shape.size)
    parts = _attending(small, [*first, *last], parts)
    deep, wide = _begun(z, small, shape, parts), _begun(z, small * math.prod(first), shape, parts)
    deep = parts.attended(deep)
    straight = _grown(deep, shape.size // small, parts, smooth=True)
    for factor in first:
        deep = parts.attended(_grown(deep, factor, parts, smooth=True))

    def branch() -> Any:
        ways = [straight]
        for way in (deep, wide):
            x = way
            for factor in last:
                x = _grown(x, factor, parts, smooth=True)
                x = parts.attended(x) if way is deep else x
            ways.append(x)
        return _image(ways, shape, parts)

    if shape.condition != "branches":
        return branch()
    return OfClass()(parts.classes, *[branch() for _ in range(shape.classes)])


def igan_discriminator(images: Any, shape: NetworkShape, parts: Parts) -> Any:
    """Four residual blocks that halve the image, with ``width`` and then ``2 * width`` filters."""
    x = images
    for level in range(4):
        filters = shape.width << (level // 2)
        y, around = x, layers.AveragePooling2D(2, padding="same")(x)
        for stride in (2, 1):
            y = parts.normed(parts.conv(y, filters, 3, stride))
            y = parts.activated(y, _LEAK)
        if around.shape[3] != filters:
            around = parts.conv(around, filters, 1)
        x = parts.attended(layers.Add()([y, around]))
    return layers.Flatten()(parts.deviation(x))


def _steps(size: int) -> tuple[int, list[int], list[int]]:
    """The deep path's first side, its steps to the wide path's first side, and the steps after it.

    Steps are threes, then twos; the last part is one step, or two twos if others come before.
    """
    small = next(side for side in range(_SMALLEST, size) if size % side == 0 and _split(size, side))
    steps = _split(size, small)
    last = 2 if len(steps) > 2 and steps[-2:] == [2, 2] else 1
    return small, steps[:-last], steps[-last:]


def _split(size: int, side: int) -> list[int]:
    """The threes and twos by which the side grows to the size; empty if they do not suffice."""
    steps, factor = [], size // side
    for step in (3, 2):
        while factor % step == 0:
            steps.append(step)
            factor //= step
    return steps if factor == 1 else []


def _attending(small: int, steps: list[int], parts: Parts) -> Parts:
    """The parts with attention, if any, on the deep path's largest map of at most 32 pixels."""
    sides = [*accumulate(steps[:-1], operator.mul, initial=small)]
    most = max(side for side in sides if side <= max(32, small))
    return replace(parts, attention=parts.attention and most)


def _begun(z: Any, side: int, shape: NetworkShape, parts: Parts) -> Any:
    """The first features of a path."""
    return parts.activated(parts.normed(parts.seeded(z, side, shape.width)), _LEAK)


def _grown(x: Any, factor: int, parts: Parts, smooth: bool = False) -> Any:
    """Features with a side ``factor`` times as large; ``smooth`` adds one more convolution."""
    filters, side = x.shape[3], factor if factor > 2 else 4
    x = parts.activated(parts.normed(parts.deconv(x, filters, side, stride=factor)), _LEAK)
    if smooth:
        x = parts.activated(parts.normed(parts.conv(x, filters, 3)), _LEAK)
    return x


def _image(ways: list[Any], shape: NetworkShape, parts: Parts) -> Any:
    x = parts.conv(layers.Add()(ways), shape.channels, 3)
    return layers.Activation("tanh")(parts.normed(x))
