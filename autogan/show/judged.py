"""A search's best generator compared with real images, and warnings about it."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from autogan.criteria.copying import COPIED, copying
from autogan.criteria.variety import Variety
from autogan.record.words import figure, figures
from autogan.show.standings import died

if TYPE_CHECKING:
    from autogan.show.result import SearchResult

_SCALE = re.compile(r"_\d+(_test)?(_[0-9a-f]{6})?(_test)?$")  # of a label: see `Evaluator.labels`
_FAR = 3.0  # times the floor
_DISTANCES = ("fid", "kid")  # between real and generated images; real images have a floor


def judged(result: "SearchResult") -> list[str]:
    """The best generator's scores on latent vectors that had no part in choosing it."""
    if result.judged is None:
        return []
    found = result.judged
    lines = [_scores(result, found.scores, found.spread)]
    if found.test is not None:
        lines.append(f"{_scores(result, found.test)}  against the test images")
    if found.floor:
        count = _SCALE.search(next(iter(found.floor)))
        many = count.group().split("_")[1] if count else "all"
        floor = _scores(result, found.floor, found.floor_spread)
        lines.append(f"{floor}  for {many} unseen real images instead")
    if found.halves:
        halves = _scores(result, found.halves, found.halves_spread)
        lines.append(f"{halves}  for one half of the real images against the other")
    if found.fewer:
        lines.append(f"{_scores(result, found.fewer)}  for as many generated images")
    if found.copies:
        lines.append(f"{figures(found.copies.items())}  (c_t below {COPIED:g} means copies)")
    return lines


def _scores(
    result: "SearchResult", scores: Mapping[str, float], spread: Mapping[str, float] | None = None
) -> str:
    """Scores by short names: the deciding value first, then all criteria in their order.

    A weighted sum has its own value. A standard deviation follows each value where it is known.
    """
    names = _names(result)
    parts = []
    for label, score in scores.items():
        deviation = (spread or {}).get(label)
        after = "" if deviation is None else f" ± {deviation:.2g}"
        parts.append(
            f"{names.get(_unscaled(label), result.terms.objective)} {figure(score)}{after}"
        )
    return ", ".join(parts)


def _against_floor(result: "SearchResult") -> Iterator[tuple[str, float, float, float | None]]:
    """The winner's distances from real images next to those of unseen real images.

    Yields:
        The criterion's name, the winner's value, the floor, and the floor's deviation if it is
        known. Both values are of equally many images.
    """
    found = result.judged
    if found is None or not found.floor:
        return
    names, by = _names(result), {**found.scores, **(found.fewer or {})}
    for label, floor in found.floor.items():
        name = names.get(_unscaled(label))
        if name in _DISTANCES and label in by:
            yield name, by[label], floor, (found.floor_spread or {}).get(label)


def _fits_noise(result: "SearchResult") -> str:
    """The criteria by which the winner beats unseen real images; empty if there are none.

    The values must differ by more than two deviations.
    """
    return ", ".join(
        f"{name} {figure(value)}, unseen images {figure(floor)}"
        for name, value, floor, spread in _against_floor(result)
        if spread is not None and value < floor - 2 * spread
    )


def _far(result: "SearchResult") -> list[str]:
    """A line for each distance that is several times that of unseen real images."""
    return [
        f"the winner is far from real images: {name} {figure(value)}, unseen real "
        f"images {figure(floor)}; train longer, or search further"
        for name, value, floor, _ in _against_floor(result)
        if value > _FAR * floor > 0
    ]


def _names(result: "SearchResult") -> dict[str, str]:
    """The criteria's names by their labels, without the numbers of images."""
    return {_unscaled(label): name for label, name in result.terms.names.items()}


def _unscaled(label: str) -> str:
    """A criterion's label without the images that it was measured on."""
    return _SCALE.sub("", label)


def warnings(result: "SearchResult") -> list[str]:
    """Warnings about the winner: seeds that died, images that repeat or miss real ones."""
    standing, kept = result.standing, result.best.kept if result.best else None
    lines = []
    if standing is not None and (lost := died(standing)):
        lines.append(f"the winner's hyperparameters are not reliable: {lost}")
    copies = (result.judged.copies if result.judged else None) or {}
    if copying(copies):
        lines.append(
            "the winner copies: its images are closer to the training images than unseen real "
            f"images are ({figures(copies.items())}); look at them, or train with more images"
        )
    if noise := _fits_noise(result):
        lines.append(
            f"the winner is closer to the training images than unseen real images are ({noise}): "
            "it has fitted their noise, so do not compare such values any more"
        )
    lines += _far(result)
    if kept is None or not kept.variety:
        return lines
    variety = Variety.of(kept.variety)
    if variety.repetitive:
        lines.append(f"the winner's images vary little: {variety}; look at them")
    if variety.uncovering:
        lines.append(
            f"low variety: {100 * (1 - variety.coverage):.0f} % of the real images have no "
            f"generated image near them, and about {100 * variety.good:.0f} % of the generated "
            "ones are good and different; train longer, and look at them"
        )
    return lines
