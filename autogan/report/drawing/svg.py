"""SVG pictures: elements that escape their contents, axes, and marks."""

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from autogan.report.drawing.scales import Places, Scale

Point = tuple[float, float]

_RIGHT, _TOP, _BOTTOM = 24, 10, 40  # pixels around the axes of a frame
_LETTER = 6.6  # pixels of an average letter
_LONGEST = 24  # letters of a tick label
_SLOPE = 30  # degrees by which labels are turned if they would overlap


def tag(name: str, /, *inside: object, **attributes: object) -> Markup:
    """An element of HTML or SVG; all text in it is escaped.

    Args:
        name: of the element.
        inside: text, or markup.
        attributes: by name, with ``_`` for ``-`` and after Python's keywords; None and False leave
            an attribute out, and True writes it without a value.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{escape(_plain(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in ("br", "img", "input", "meta"):
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(inside)}</{name}>")


def joined(parts: Iterable[object]) -> Markup:
    """Text and markup, concatenated."""
    return Markup("").join(map(escape, parts))


class Frame:
    """A chart: two axes and the marks between them; y goes up.

    Args:
        x, y: the scales of the axes.
        width, height: of the whole, in its own pixels.
        x_label, y_label: the labels of the axes.
    """

    def __init__(
        self, x: Scale, y: Scale, width: int, height: int, x_label: str, y_label: str
    ) -> None:
        self._x, self._y = x, y
        self._width, self._height = width, height
        longest = max((len(words) for _, words in y.ticks()), default=0)
        # Narrow screens show larger letters (style.css), for which names need room.
        letter = _LETTER * 1.5 if isinstance(y, Places) else _LETTER
        self._left = round(16 + letter * min(longest, _LONGEST) + (16 if y_label else 0))
        names = [shortened(words, _LONGEST) for _, words in x.ticks()]
        widest = _LETTER * (max(map(len, names), default=0) + 2)
        room = (width - self._left - _RIGHT) / max(len(names), 1)
        self._turned = isinstance(x, Places) and widest > room
        lower = widest * math.sin(math.radians(_SLOPE)) if self._turned else 0
        self._bottom = _BOTTOM + round(lower)
        self._marks: list[Markup] = [*self._x_axis(x_label), *self._y_axis(y_label)]

    def at(self, x: object, y: object) -> Point:
        """The position of values, in pixels from the upper left."""
        return self._at_x(x), self._at_y(y)

    def dot(self, x: object, y: object, kind: str, tooltip: str, trial: int | None = None,
            aside: float = 0.0, radius: float = 3.5) -> None:  # fmt: skip
        """Draw a dot, or a cross for a dead trial.

        Args:
            x: its horizontal value.
            y: its vertical value.
            kind: its class, which sets its style.
            tooltip: the text shown under the pointer.
            trial: the trial that it stands for, to highlight all marks of it.
            aside: pixels by which it moves to the right, so that equal values stay visible.
            radius: in pixels.
        """
        left, top = self.at(x, y)
        left += aside
        if "dead" in kind:
            path = f"M{left - 3:.1f} {top - 3:.1f}l6 6m0-6l-6 6"
            mark = tag("path", tag("title", tooltip), d=path, class_=f"cross {kind}", data_t=trial)
        else:
            mark = tag("circle", tag("title", tooltip), cx=f"{left:.1f}", cy=f"{top:.1f}",
                       r=f"{radius:g}", class_=kind, data_t=trial)  # fmt: skip
        self._marks.append(mark)

    def line(self, points: Iterable[tuple[object, object]], kind: str, tooltip: str = "",
             trial: int | None = None) -> None:  # fmt: skip
        """Draw a line through values."""
        path = "L".join("{:.1f} {:.1f}".format(*self.at(x, y)) for x, y in points)
        self._path(f"M{path}", kind, tooltip, trial)

    def bar(self, low: object, high: object, row: object, thick: float, kind: str, tooltip: str,
            trial: int | None = None) -> None:  # fmt: skip
        """Draw a bar from one value to another in a row, ``thick`` pixels high."""
        (left, middle), (right, _) = self.at(low, row), self.at(high, row)
        left, right = min(left, right), max(left, right)
        self._box(left, middle - thick / 2, max(right - left, 1), thick, kind, tooltip, trial)

    def stroke(self, x: object, y: object, high: float, kind: str, tooltip: str) -> None:
        """Draw a short vertical line through a point, ``high`` pixels long."""
        left, top = self.at(x, y)
        self._path(f"M{left:.1f} {top - high / 2:.1f}v{high:g}", kind, tooltip)

    def margin(self, low: object, high: object, kind: str, tooltip: str) -> None:
        """Draw a vertical bar between two values at the right edge."""
        left = self._width - _RIGHT + 5
        bottom, top = self._at_y(low), self._at_y(high)
        path = f"M{left} {bottom:.1f}V{top:.1f}m-3 0h6M{left - 3} {bottom:.1f}h6"
        self._path(path, kind, tooltip)

    def level(self, x: object, y: object, half: float, kind: str, tooltip: str) -> None:
        """Draw a short horizontal line through a point, ``half`` pixels to either side."""
        left, top = self.at(x, y)
        self._path(f"M{left - half:.1f} {top:.1f}h{2 * half:g}", kind, tooltip)

    def cell(self, x: object, y: object, columns: int, rows: int, kind: str, tooltip: str) -> None:
        """Draw a cell of a table with these columns and rows."""
        left, top = self.at(x, y)
        wide = (self._width - self._left - _RIGHT) / columns - 2
        high = (self._height - _TOP - self._bottom) / rows - 2
        self._box(left - wide / 2, top - high / 2, wide, high, kind, tooltip)

    def text(self, x: object, y: object, words: str, kind: str = "", rise: float = 0.0) -> None:
        """Draw words, ``rise`` pixels above a point."""
        left, top = self.at(x, y)
        self._marks.append(_text(left, top - rise, words, kind=kind))

    def svg(self, name: str, title: str, words: str) -> Markup:
        """The whole picture.

        Args:
            name: its id in the page, after "chart-".
            title: what it shows.
            words: a description for those who cannot see it.
        """
        return picture(name, title, words, self._width, self._height, self._marks)

    def _path(self, path: str, kind: str, tooltip: str, trial: int | None = None) -> None:
        inside = [tag("title", tooltip)] if tooltip else []
        self._marks.append(tag("path", *inside, d=path, class_=f"line {kind}", data_t=trial))

    def _box(self, left: float, top: float, wide: float, high: float, kind: str, tooltip: str,
             trial: int | None = None) -> None:  # fmt: skip
        self._marks.append(
            tag("rect", tag("title", tooltip), x=f"{left:.1f}", y=f"{top:.1f}", width=f"{wide:.1f}",
                height=f"{high:.1f}", class_=kind, data_t=trial)
        )  # fmt: skip

    def _x_axis(self, label: str) -> list[Markup]:
        bottom, right = self._height - self._bottom, self._width - _RIGHT
        parts = [tag("path", d=f"M{self._left} {bottom}H{right}", class_="axis")]
        free = -math.inf
        for value, tick in self._x.ticks():
            place, words = self._at_x(value), shortened(tick, _LONGEST)
            half = _LETTER * len(words) / 2
            if self._turned:
                at = f"rotate(-{_SLOPE} {place:.1f} {bottom + 14})"
                parts.append(_text(place + 4, bottom + 14, words, "end", turned=at))
            elif place - half > free:  # leave out labels that would overlap
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
            parts.append(tag("text", label, x=16, y=middle, text_anchor="middle", class_="label",
                             transform=f"rotate(-90 16 {middle})"))  # fmt: skip
        return parts

    def _at_x(self, value: object) -> float:
        """A value's position on the horizontal axis, in pixels from the left."""
        return self._left + (self._width - self._left - _RIGHT) * self._x.at(value)

    def _at_y(self, value: object) -> float:
        """A value's position on the vertical axis, in pixels from the top."""
        return _TOP + (self._height - _TOP - self._bottom) * (1 - self._y.at(value))


def picture(
    name: str, title: str, words: str, width: int, height: int, marks: Sequence[Markup]
) -> Markup:
    """An SVG with a name and a description for those who cannot see it."""
    svg = tag(
        "svg", tag("title", title), tag("desc", words), *marks, id=f"chart-{name}", role="img",
        viewBox=f"0 0 {width} {height}", width=width, height=height,
        aria_label=f"{title}: {words}", xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip
    return tag("div", svg, class_="chart")


def shortened(words: str, longest: int) -> str:
    """Words, cut to ``longest`` letters."""
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def told_apart(names: Iterable[str], longest: int) -> list[str]:
    """Names, cut to ``longest`` letters; names that become equal are numbered."""
    cut = [shortened(name, longest) for name in names]
    return [f"{name} {n}" if cut.count(name) > 1 else name for n, name in enumerate(cut)]


def _text(left: float, top: float, words: str, anchor: str = "middle", kind: str = "",
          turned: str | None = None) -> Markup:  # fmt: skip
    return tag("text", words, x=f"{left:.1f}", y=f"{top:.1f}", text_anchor=anchor,
               class_=kind or None, transform=turned)  # fmt: skip


def _plain(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value
