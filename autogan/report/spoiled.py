"""The page that shows how criteria respond to spoiled images (the thesis's figure 2-5)."""

from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from autogan.core.files import check_free, write_bytes
from autogan.record.words import figure
from autogan.report.charts import WIDTH
from autogan.report.drawing.page import Section, document, table
from autogan.report.drawing.scales import Places, fitting
from autogan.report.drawing.svg import Frame, joined, tag

_ROW = 26  # pixels of a bar and its margins

Found = Mapping[str, Mapping[str, float]]


def write_spoiled(found: Found, path: Path, *, overwrite: bool = False) -> None:
    """Write the results of `autogan.spoil` as a page.

    Raises:
        ConfigError: if the path exists and may not be replaced.
        StorageError: if it cannot be written.
    """
    check_free(path, "page", overwrite)
    write_bytes(path, spoiled_page(found).encode())


def spoiled_page(found: Found) -> str:
    """A page with a table of all values, and a chart for each criterion.

    Args:
        found: values by label, first of the unchanged images, then of each way to spoil them.
    """
    (_, usual), *_ = found.items()
    rows = [
        [way, *(float(f"{values[n]:.4g}") if n in values else "" for n in usual)]
        for way, values in found.items()
    ]
    sections = [
        Section(
            "values",
            "What does each criterion say about the images?",
            "Each row is a way to spoil the images; the first row is the images as they are.",
            table(["", *usual], rows),
        ),
        Section(
            "answers",
            "How far does each value move?",
            "Each bar goes from the value of the images as they are to the value of the spoiled "
            "images. A criterion without a bar does not notice the change.",
            joined(_answers(label, found) for label in usual),
        ),
    ]
    head = tag("header", tag("h1", "Criteria and spoiled images"))
    return document("Criteria and spoiled images", head, sections, refresh=False)


def _answers(label: str, found: Found) -> Markup:
    """A criterion's bars."""
    (_, usual), *others = found.items()
    measured = {way: values[label] for way, values in others if label in values}
    values = fitting([usual[label], *measured.values()], factors=False)
    ways = Places(list(reversed(measured)) or [""])
    height = 60 + _ROW * len(ways.values)
    frame = Frame(values, ways, WIDTH, height, label, "")
    for way, value in measured.items():
        said = f"{way}: {figure(value)}, as they are {figure(usual[label])}"
        frame.bar(usual[label], value, way, _ROW - 10, "bar complete", said)
    said = ", ".join(f"{way} {figure(value)}" for way, value in measured.items())
    return frame.svg(
        f"spoiled-{label}", f"{label} of spoiled images", f"{figure(usual[label])}; {said}"
    )
