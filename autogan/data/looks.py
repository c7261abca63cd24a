"""What a dataset's images look like, in words: how many, of which kind, and what is odd."""

from collections import Counter
from collections.abc import Iterator

from autogan.core.arrays import Images
from autogan.core.text import counted
from autogan.data.base import ImageData

_SAMPLE = 256  # images that are looked at
_SAMPLE_BYTES = 2**26  # of them, at most
_ALIKE = 0.5  # share of a sample that one picture may have
_FLAT = 0.5  # share of a sample that may be of one colour alone
_NAMED = 5  # attributes
_LEVELS = 64  # fewer grey levels from the lowest to the highest are a small part of 256


def description(data: ImageData) -> str:
    """``1,437 grey 8x8 images in 10 classes, 360 test images``.

    Attributes stand with the share of training images that have them.
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
    """What makes it doubtful that the training images are what the user wants, a line each.

    A sample of them is looked at.
    """
    height, width, channels = data.image_shape
    count = max(min(_SAMPLE, _SAMPLE_BYTES // (height * width * channels)), 1)
    images, _ = data.train.subset(count)
    looked = f"of {counted(len(images), 'training image')} looked at"
    most = max(Counter(image.tobytes() for image in images).values())
    if most > _ALIKE * len(images) and len(images) > 1:
        yield f"{looked}, {most:,} are the same picture: look at the files"
    flat = sum(bool((image == image[:1, :1]).all()) for image in images)
    if flat > _FLAT * len(images):
        yield f"{looked}, {flat:,} are of one colour all over: look at the files"
    low, high = _ends(images)
    if high - low < _LEVELS and high > low:
        yield f"the training images use only the levels {low} to {high} of 0 to 255"


def _ends(images: Images) -> tuple[int, int]:
    return int(images.min()), int(images.max())
