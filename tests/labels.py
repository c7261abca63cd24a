"""Labels of criteria without the six digits that stand for one feature network and reference."""

import re


def plain(scores):
    """A mapping's labels, or a text, without them."""
    if isinstance(scores, dict):
        return {plain(label): score for label, score in scores.items()}
    return re.sub(r"(?<=\d|t)_[0-9a-f]{6}(?![0-9a-f])", "", scores)
