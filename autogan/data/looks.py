"""A dataset's images in words: their number and kind, and anything odd."""

from collections import Counter
from collections.abc import Iterator

from autogan.core.arrays import Images
from autogan.core.text import counted
from autogan.data.base import ImageData

_SAMPLE = 256  # images to examine
_SAMPLE_BYTES = 2**26  # of the sample, at most
_ALIKE = 0.5  # share of a sample that may be copies of one picture
_FLAT = 0.5  # share of a sample that may have a single colour
_NAMED = 5  # attributes to name
_LEVELS = 64  # a smaller range of grey levels is a small part of 256


def description(data: ImageData) -> str:
    """``1,437 grey 8x8 images in 10 classes, 360 test images``.

    With attributes, it gives the share of training images that have each.
    """
    height, width, channels = data.image_shape
    kind = f"{'grey' if channels == 1 else 'RGB'} {width}x{height} image"
    classes = f" in {counted(len(data.classes), 'class', 'classes')}" if data.classes else ""
    if data.attributes:
        some = list(data.attributes.items())[:_NAMED]
        shown = [f"{name} {100 * count / len(data.train):.0f} %" for name, count in some]
        shown += ["..."] if len(some) < len(data.attributes) else []
        classes = f" with {counted(len(data.attributes), 'attribute')} ({', '.join(shown)})"
    test = "" if data.test is None else f", {counted(len(data.test), 'test image')}"
    return f"{counted(len(data.train), kind)}{classes}{test}"


def doubts(data: ImageData) -> Iterator[str]:
    """Reasons to doubt that the training images are those the user wants, a line for each.

    They are found in a sample of the images.
    """
    height, width, channels = data.image_shape
    count = max(min(_SAMPLE, _SAMPLE_BYTES // (height * width * channels)), 1)
    images, _ = data.train.subset(count)
    looked = f"in a sample of {counted(len(images), 'training image')}"
    most = max(Counter(image.tobytes() for image in images).values())
    if most > _ALIKE * len(images) and len(images) > 1:
        yield f"{looked}, {most:,} are the same picture: check the files"
    flat = sum(bool((image == image[:1, :1]).all()) for image in images)
    if flat > _FLAT * len(images):
        yield f"{looked}, {flat:,} are a single colour: check the files"
    low, high = _ends(images)
    if high - low < _LEVELS and high > low:
        yield f"the training images use only levels {low} to {high} of 0 to 255"


def _ends(images: Images) -> tuple[int, int]:
    return int(images.min()), int(images.max())
