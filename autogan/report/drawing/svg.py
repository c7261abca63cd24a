"""Pictures as SVG: elements that escape what stands in them, axes, and the marks on them."""

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from autogan.report.drawing.scales import Places, Scale

Point = tuple[float, float]

_RIGHT, _TOP, _BOTTOM = 24, 10, 40  # pixels around the axes of a frame
_LETTER = 6.6  # pixels of an average letter
_LONGEST = 24  # letters beside an axis
_SLOPE = 30  # degrees by which names are turned that would touch each other


def tag(name: str, /, *inside: object, **attributes: object) -> Markup:
    """An element of HTML or SVG; all text in it is escaped.

    Args:
        name: of the element.
        inside: text, or markup.
        attributes: by name, with ``_`` for ``-`` and behind Python's own words; those that are None
            or False are left out, and True stands without a value.
    """
    told = "".join(
        f" {key.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{escape(_plain(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in ("br", "img", "input", "meta"):
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(inside)}</{name}>")


def joined(parts: Iterable[object]) -> Markup:
    """Text and markup after one another."""
    return Markup("").join(map(escape, parts))


class Frame:
    """Two axes and what is drawn between them; y goes up.

    Args:
        x, y: what the axes measure.
        width, height: of the whole, in pixels of its own.
        x_label, y_label: what stands beside the axes.
    """

    def __init__(
        self, x: Scale, y: Scale, width: int, height: int, x_label: str, y_label: str
    ) -> None:
        self._x, self._y = x, y
        self._width, self._height = width, height
        longest = max((len(words) for _, words in y.ticks()), default=0)
        # Narrow screens show larger letters (style.css), for which names need room.
        letter = _LETTER * 1.5 if isinstance(y, Places) else _LETTER
        self._left = round(12 + letter * min(longest, _LONGEST) + (16 if y_label else 0))
        names = [shortened(words, _LONGEST) for _, words in x.ticks()]
        widest = _LETTER * (max(map(len, names), default=0) + 2)
        room = (width - self._left - _RIGHT) / max(len(names), 1)
        self._turned = isinstance(x, Places) and widest > room
        lower = widest * math.sin(math.radians(_SLOPE)) if self._turned else 0
        self._bottom = _BOTTOM + round(lower)
        self._marks: list[Markup] = [*self._x_axis(x_label), *self._y_axis(y_label)]

    def at(self, x: object, y: object) -> Point:
        """Where values lie, in pixels from the upper left."""
        return self._at_x(x), self._at_y(y)

    def dot(self, x: object, y: object, kind: str, told: str, trial: int | None = None,
            aside: float = 0.0, radius: float = 3.5) -> None:  # fmt: skip
        """A dot; a cross, if it is of something dead.

        Args:
            x: its value across.
            y: its value upwards.
            kind: its class, which decides its looks.
            told: what is said of it where one points at it.
            trial: that it stands for, to be lit up with its other marks.
            aside: pixels that it is moved to the right, so that equals lie beside each other.
            radius: in pixels.
        """
        left, top = self.at(x, y)
        left += aside
        if "dead" in kind:
            path = f"M{left - 3:.1f} {top - 3:.1f}l6 6m0-6l-6 6"
            mark = tag("path", tag("title", told), d=path, class_=f"cross {kind}", data_t=trial)
        else:
            mark = tag("circle", tag("title", told), cx=f"{left:.1f}", cy=f"{top:.1f}",
                       r=f"{radius:g}", class_=kind, data_t=trial)  # fmt: skip
        self._marks.append(mark)

    def line(self, points: Iterable[tuple[object, object]], kind: str, told: str = "",
             trial: int | None = None) -> None:  # fmt: skip
        """A line through values."""
        path = "L".join("{:.1f} {:.1f}".format(*self.at(x, y)) for x, y in points)
        self._path(f"M{path}", kind, told, trial)

    def bar(self, low: object, high: object, row: object, thick: float, kind: str, told: str,
            trial: int | None = None) -> None:  # fmt: skip
        """A bar from one value to another, so many pixels thick, in a row."""
        (left, middle), (right, _) = self.at(low, row), self.at(high, row)
        left, right = min(left, right), max(left, right)
        self._box(left, middle - thick / 2, max(right - left, 1), thick, kind, told, trial)

    def stroke(self, x: object, y: object, high: float, kind: str, told: str) -> None:
        """A short upright line through a place, so many pixels high."""
        left, top = self.at(x, y)
        self._path(f"M{left:.1f} {top - high / 2:.1f}v{high:g}", kind, told)

    def margin(self, low: object, high: object, kind: str, told: str) -> None:
        """An upright bar between two values at the right edge."""
        left = self._width - _RIGHT + 5
        bottom, top = self._at_y(low), self._at_y(high)
        self._path(f"M{left} {bottom:.1f}V{top:.1f}m-3 0h6M{left - 3} {bottom:.1f}h6", kind, told)

    def level(self, x: object, y: object, half: float, kind: str, told: str) -> None:
        """A short level line through a value, so many pixels to either side."""
        left, top = self.at(x, y)
        self._path(f"M{left - half:.1f} {top:.1f}h{2 * half:g}", kind, told)

    def cell(self, x: object, y: object, columns: int, rows: int, kind: str, told: str) -> None:
        """A cell of a table of so many columns and rows."""
        left, top = self.at(x, y)
        wide = (self._width - self._left - _RIGHT) / columns - 2
        high = (self._height - _TOP - self._bottom) / rows - 2
        self._box(left - wide / 2, top - high / 2, wide, high, kind, told)

    def text(self, x: object, y: object, words: str, kind: str = "", rise: float = 0.0) -> None:
        """Words, at so many pixels above a place."""
        left, top = self.at(x, y)
        self._marks.append(_text(left, top - rise, words, kind=kind))

    def svg(self, name: str, title: str, words: str) -> Markup:
        """The whole picture.

        Args:
            name: its id in the page, after "chart-".
            title: what it shows.
            words: what one sees in it, for those who do not see it.
        """
        return picture(name, title, words, self._width, self._height, self._marks)

    def _path(self, path: str, kind: str, told: str, trial: int | None = None) -> None:
        inside = [tag("title", told)] if told else []
        self._marks.append(tag("path", *inside, d=path, class_=f"line {kind}", data_t=trial))

    def _box(self, left: float, top: float, wide: float, high: float, kind: str, told: str,
             trial: int | None = None) -> None:  # fmt: skip
        self._marks.append(
            tag("rect", tag("title", told), x=f"{left:.1f}", y=f"{top:.1f}", width=f"{wide:.1f}",
                height=f"{high:.1f}", class_=kind, data_t=trial)
        )  # fmt: skip

    def _x_axis(self, label: str) -> list[Markup]:
        bottom, right = self._height - self._bottom, self._width - _RIGHT
        parts = [tag("path", d=f"M{self._left} {bottom}H{right}", class_="axis")]
        free = -math.inf
        for value, told in self._x.ticks():
            place, words = self._at_x(value), shortened(told, _LONGEST)
            half = _LETTER * len(words) / 2
            if self._turned:
                at = f"rotate(-{_SLOPE} {place:.1f} {bottom + 14})"
                parts.append(_text(place + 4, bottom + 14, words, "end", turned=at))
            elif place - half > free:  # numbers that would touch the one before are left out
                parts.append(_text(min(place, self._width - half), bottom + 16, words))
                free = place + half + _LETTER
            else:
                continue
            parts.append(tag("path", d=f"M{place:.1f} {bottom}v4", class_="axis"))
        parts.append(_text((self._left + right) / 2, self._height - 6, label, kind="label"))
        return parts

    def _y_axis(self, label: str) -> list[Markup]:
        right = self._width - _RIGHT
        parts = []
        for value, words in self._y.ticks():
            top = self._at_y(value)
            parts.append(tag("path", d=f"M{self._left} {top:.1f}H{right}", class_="grid"))
            parts.append(_text(self._left - 6, top + 4, shortened(words, _LONGEST), "end"))
        if label:
            middle = f"{(_TOP + self._height - self._bottom) / 2:.0f}"
            parts.append(tag("text", label, x=12, y=middle, text_anchor="middle", class_="label",
                             transform=f"rotate(-90 12 {middle})"))  # fmt: skip
        return parts

    def _at_x(self, value: object) -> float:
        """Where a value lies on the horizontal axis, in pixels from the left."""
        return self._left + (self._width - self._left - _RIGHT) * self._x.at(value)

    def _at_y(self, value: object) -> float:
        """Where a value lies on the vertical axis, in pixels from the top."""
        return _TOP + (self._height - _TOP - self._bottom) * (1 - self._y.at(value))


def picture(
    name: str, title: str, words: str, width: int, height: int, marks: Sequence[Markup]
) -> Markup:
    """An SVG with a name and a description for those who do not see it."""
    svg = tag(
        "svg", tag("title", title), tag("desc", words), *marks, id=f"chart-{name}", role="img",
        viewBox=f"0 0 {width} {height}", width=width, height=height,
        aria_label=f"{title}: {words}", xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip
    return tag("div", svg, class_="chart")


def shortened(words: str, longest: int) -> str:
    """Words cut to so many letters."""
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def told_apart(names: Iterable[str], longest: int) -> list[str]:
    """Names cut to so many letters; those that are alike then are numbered."""
    cut = [shortened(name, longest) for name in names]
    return [f"{name} {n}" if cut.count(name) > 1 else name for n, name in enumerate(cut)]


def _text(left: float, top: float, words: str, anchor: str = "middle", kind: str = "",
          turned: str | None = None) -> Markup:  # fmt: skip
    return tag("text", words, x=f"{left:.1f}", y=f"{top:.1f}", text_anchor=anchor,
               class_=kind or None, transform=turned)  # fmt: skip


def _plain(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value
