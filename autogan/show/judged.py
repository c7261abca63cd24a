"""A generator compared with real images, and warnings about a search's best one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from autogan.config import TrainConfig
from autogan.criteria.copying import COPIED, copying
from autogan.criteria.variety import Variety
from autogan.pool.finished import Scores
from autogan.record.lines import Judged
from autogan.record.words import Terms, figure, figures
from autogan.show.standings import died

if TYPE_CHECKING:
    from autogan.show.result import SearchResult

_SCALE = re.compile(r"_\d+(_test)?(_[0-9a-f]{6})?(_test)?$")  # of a label: see `Evaluator.labels`
_TEST = "test images"
_OTHERS = "other real"
_FAR = 3.0  # times the floor
LUCKY = (
    "use the values of trials to compare trainings only: each is of the best step on one fixed set "
    "of latent vectors, so it may look better than the generator is"
)
_DISTANCES = ("fid", "kid")  # between real and generated images; real images have a floor


class Column(NamedTuple):
    """The values of one set of images, compared with another.

    Attributes:
        images: the set, such as ``360 generated``.
        against: the other one.
        values: in words, by criterion; a standard deviation follows a value where it is known.
    """

    images: str
    against: str
    values: dict[str, str]


def columns(found: Judged | Scores, terms: Terms, config: TrainConfig) -> list[Column]:
    """A generator's values, and others to compare them with.

    Args:
        found: the values by label; a weighted sum has its own.
        terms: the names of the criteria.
        config: says which real images or statistics the values compare with.
    """
    split = str(config.reference_statistics or config.reference_split)
    real = {"train": "training images", "test": _TEST}.get(split, split)
    sets = (
        ("generated", real, found.more, found.spread),
        ("generated", real, found.scores, found.spread),
        ("generated", real, found.fewer, found.spread),
        ("unseen real", real, found.floor, found.floor_spread),
        ("generated", _TEST, found.test, found.spread),
        ("real", _OTHERS, found.halves, found.halves_spread),
    )
    names = _names(terms)
    made = []
    for images, against, scores, spread in sets:
        if scores:
            count = _count(next(reversed(scores)))
            head = images if count is None else f"{count} {images}"
            against = head.replace("real", _OTHERS) if against == _OTHERS else against
            values = {
                names.get(_unscaled(label), terms.objective): _value(score, spread, label)
                for label, score in scores.items()
            }
            made.append(Column(head, against, values))
    return made


def value_rows(made: Sequence[Column]) -> list[list[str]]:
    """The cells of a table of values: two rows of heads, and a row per criterion."""
    names = dict.fromkeys(name for column in made for name in column.values)
    return [
        ["", *(column.images for column in made)],
        ["against", *(column.against for column in made)],
        *([name, *(column.values.get(name, "-") for column in made)] for name in names),
    ]


def reading(made: Sequence[Column]) -> str:
    """How to read a table of values, in a phrase."""
    alike = "; compare columns of equally many images"
    return "± between sets of them" + alike * any("unseen" in column.images for column in made)


def judged(result: "SearchResult") -> list[Column]:
    """The best generator's values on latent vectors that had no part in choosing it.

    Those against the test images are left out if there is a floor: it is against others.
    """
    made = _all(result)
    floor = any("unseen" in column.images for column in made)
    return [column for column in made if not (floor and column.against == _TEST)]


def _all(result: "SearchResult") -> list[Column]:
    return [] if result.judged is None else columns(result.judged, result.terms, result.config)


def judgement(found: Judged | Scores | None, terms: Terms) -> list[str]:
    """The meaning of the values: how near the images are to real ones, and whether they copy."""
    if found is None:
        return []
    lines = []
    known = [each for each in _against_floor(found, terms) if each[3] is not None]
    for name, value, floor, spread in known[:1]:  # published statistics may hold the unseen images
        near = value <= floor + 2 * (spread or 0.0)
        lines.append(
            f"by {name}, its images as a whole are {'as close to' if near else 'farther from'} the "
            f"training images {'as' if near else 'than'} unseen real ones are"
        )
    lines += [_of_halves(*each) for each in _against_halves(found, terms)][:1]
    if found.copies:
        lines.append(_one_by_one(found.copies))
    return lines


def _of_halves(name: str, value: float, halves: float, spread: float) -> str:
    """A verdict by one half of the real images compared with the other.

    FID falls with more images: from as few as a half, the generator's value would be higher. So a
    higher value shows that its images are farther, and a lower one shows nothing. KID's mean does
    not depend on the number of images.
    """
    if value > halves + 2 * spread:
        return (
            f"by {name}, its images as a whole are farther from the training images than halves of "
            "these are from each other"
        )
    if name == "kid":
        return (
            f"by {name}, its images as a whole are as close to the training images as halves of "
            "these are to each other"
        )
    return (
        f"by {name}, its images as a whole cannot be judged: {name} falls with more images, and "
        "halves of the training images have fewer"
    )


def _one_by_one(copies: Mapping[str, float]) -> str:
    """How near single images are to the nearest training image."""
    known = f"({figures(copies.items())}; copies have c_t below {COPIED:g})"
    z = copies.get("c_t")
    if copying(copies):
        return f"they are copies ({figures(copies.items())})"
    if z is None:
        return f"one by one: {figures(copies.items())}"
    verdict, near = "they are not copies", "as near to the training images as"
    if z < COPIED:
        verdict, near = "they may be copies", "nearer to the training images than"
    elif z > -COPIED:
        verdict += ", but some are poor"
        near = "farther from the training images than"
    return f"{verdict}: single images are {near} unseen real ones are {known}"


def against_test(result: "SearchResult") -> str:
    """The best generator's values against the test images, in a line; empty if there are none."""
    found = [column for column in _all(result) if column.against == _TEST]
    return ", ".join(f"{n} {value}" for column in found for n, value in column.values.items())


def _value(score: float, spread: Mapping[str, float] | None, label: str) -> str:
    deviation = (spread or {}).get(label)
    return figure(score) + ("" if deviation is None else f" ± {deviation:.2g}")


def _against_floor(
    found: Judged | Scores | None, terms: Terms
) -> Iterator[tuple[str, float, float, float | None]]:
    """The distances from real images next to those of unseen real images.

    Yields:
        The criterion's name, the generator's value, the floor, and the floor's deviation if it is
        known. Both values are of equally many images.
    """
    if found is None or not found.floor:
        return
    names, by = _names(terms), {**found.scores, **(found.fewer or {})}
    for label, floor in found.floor.items():
        name = names.get(_unscaled(label))
        if name in _DISTANCES and label in by:
            yield name, by[label], floor, (found.floor_spread or {}).get(label)


def _against_halves(
    found: Judged | Scores, terms: Terms
) -> Iterator[tuple[str, float, float, float]]:
    """The distances from real images next to those of one half of these from the other.

    Yields:
        The criterion's name, the generator's value, that of the halves, and its deviation. The
        generator's value is of more images, or of equally many.
    """
    names = _names(terms)
    own = {names.get(_unscaled(label)): label for label in found.scores}
    for label, halves in (found.halves or {}).items():
        name, spread = names.get(_unscaled(label)), (found.halves_spread or {}).get(label)
        if name not in _DISTANCES or name not in own or spread is None:
            continue
        if (_count(own[name]) or 0) >= (_count(label) or 0):
            yield name, found.scores[own[name]], halves, spread


def _fits_noise(result: "SearchResult") -> str:
    """The criteria by which the winner beats unseen real images; empty if there are none.

    The values must differ by more than two deviations.
    """
    return ", ".join(
        f"{name} {figure(value)}, unseen images {figure(floor)}"
        for name, value, floor, spread in _against_floor(result.judged, result.terms)
        if spread is not None and value < floor - 2 * spread
    )


def _far(result: "SearchResult") -> list[str]:
    """A line for each distance that is several times that of unseen real images."""
    return [
        f"the winner is far from real images: {name} {figure(value)}, unseen real "
        f"images {figure(floor)}; train longer, or search further"
        for name, value, floor, _ in _against_floor(result.judged, result.terms)
        if value > _FAR * floor > 0
    ]


def _names(terms: Terms) -> dict[str, str]:
    """The criteria's names by their labels, without the numbers of images."""
    return {_unscaled(label): name for label, name in terms.names.items()}


def _unscaled(label: str) -> str:
    """A criterion's label without the images that it was measured on."""
    return _SCALE.sub("", label)


def _count(label: str) -> int | None:
    """The number of images in a criterion's label; None without one."""
    found = _SCALE.search(label)
    return None if found is None else int(found.group().split("_")[1])


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
            f"low variety: {100 * variety.coverage:.0f} % of the real images have a generated "
            f"image near them, and about {100 * variety.good:.0f} % of the generated ones are "
            "good and different (both should be above 50 %); train longer, and look at them"
        )
    return lines
