"""The handwritten digits that come with scikit-learn."""

import numpy as np

from autogan.data.base import Dataset, ImageData, Split, resized


class Digits(Dataset):
    """1,797 grey 8x8 digits that come with scikit-learn (UCI, 1998); works offline."""

    name = "digits"
    summary = "scikit-learn's 1,797 grey 8x8 digits; offline"
    default_features = "classifier"

    def load(self, image_size: int | None) -> ImageData:
        """Read the digits; a fixed random choice of four fifths is the training split."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
        images = resized(images, image_size)
        labels = digits.target.astype(np.int64)
        order = np.random.default_rng(0).permutation(len(images))
        train, test = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
        return ImageData(Split(images[train], labels[train]), Split(images[test], labels[test]))
