"""The model card of an exported generator, and a program that uses the generator."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autogan.core.text import dataset_path, short_name
from autogan.models.formats import Format
from autogan.pool.finished import Written
from autogan.record.words import apart, figure, trials
from autogan.show.judged import judged, judgement, value_rows, warnings
from autogan.show.result import SearchResult, TrainResult
from autogan.show.standings import seeds
from autogan.show.verdict import verdict
from autogan.version import __version__

_SHOWN = 16  # images that the program generates
_NAMED = 100  # classes that are named in full


def program(kind: type[Format], written: Written, floats: bool) -> str:
    """A Python program that generates images with an exported generator, without AutoGAN.

    Args:
        kind: the format.
        written: the facts about the generator.
        floats: whether its images are float32.
    """
    lines = [
        "from pathlib import Path",
        "",
        "import numpy as np",
        "from PIL import Image",
        kind.imports,
        "",
        "folder = Path(__file__).parent  # of the generator",
        "rng = np.random.default_rng(0)",
        f'inputs = {{"z": rng.standard_normal([{_SHOWN}, {written.z_dim}], np.float32)}}',
    ]
    count = len(written.classes)
    if written.attributes:
        attributes = f"rng.integers(0, 2, [{_SHOWN}, {count}]).astype(np.float32)"
        lines.append(f'inputs["attributes"] = {attributes}  # from 0 to 1')
    elif count:
        lines.append(f'inputs["classes"] = np.arange({_SHOWN}) % {count}  # class numbers')
    values = "float32, about -1 to 1" if floats else "uint8"
    use = kind.use.replace("{file}", kind.file).strip()
    pixels = "(127.5 * images.clip(-1, 1) + 127.5).astype(np.uint8)" if floats else "images"
    save = f'Image.fromarray(np.hstack({pixels}).squeeze()).save("images.png")'
    shape = f"print(images.shape, images.dtype)  # {values}"
    return "\n".join([*lines, use, shape, save, ""])


def card(
    result: SearchResult | TrainResult, kind: type[Format], written: Written, use: str, licence: str
) -> str:
    """A model card in Markdown, with the header that the Hugging Face Hub reads.

    Args:
        result: of the search or training.
        kind: the format of the generator.
        written: the facts about the generator.
        use: a `program` that uses it.
        licence: the licence for its use; empty if none is stated.
    """
    config, (height, width, channels) = result.config, written.image_shape
    name, data = config.gan_type, short_name(config.dataset)
    colour = "grey" if channels == 1 else "RGB"
    known = licence or "other"
    parts = [
        f"---\nlicense: {known}\ntags:\n- gan\n- image-generation\n- autogan\n---",
        f"# {name} trained on {data}",
        f"A generator of {colour} images of {width}x{height} pixels, written by AutoGAN "
        f"{__version__} as {kind.name}.",
        "![16 of its images](samples.png)",
        "## Use",
        "`use.py` generates 16 images without AutoGAN, and writes them to `images.png`. It needs "
        f"`pip install {' '.join(dict.fromkeys(('numpy', 'pillow', *kind.readers)))}`:",
        f"```python\n{use}```",
        "`z` holds normally distributed numbers, a row per image.",
        *_classes(written),
        "## How good it is",
        *_quality(result),
        "## How it was trained",
        *_training(result),
        "## Licence",
        f"{licence}." if licence else "None is stated. State one before you pass the generator on.",
        "The licence of the training images may also bind users of the generator.",
    ]
    return "\n\n".join(parts) + "\n"


def _classes(written: Written) -> list[str]:
    classes = written.classes
    if not classes:
        return []
    shown = ", ".join(f"{i} {name}" for i, name in enumerate(classes[:_NAMED]))
    if [str(i) for i in range(len(classes))] == list(classes):
        shown = f"0 to {len(classes) - 1}"
    more = ", ..." if len(classes) > _NAMED else ""
    if written.attributes:
        return [f"`attributes` holds a row per image, numbers from 0 to 1: {shown}{more}."]
    return [f"`classes` holds the number of each image's class: {shown}{more}."]


def _quality(result: SearchResult | TrainResult) -> list[str]:
    """Its values next to those of real images, its seeds, and its defects."""
    if isinstance(result, TrainResult):
        trial = result.trial
        if trial.value is None:
            return ["It has no value: no criterion scored it, or its training died."]
        value = f"{result.terms.objective} {figure(trial.value)}"
        said = [f"{value} at step {trial.step}, on the latent vectors that chose it (one seed)."]
        return [*said, *([line] if (line := apart(result.config.features)) else [])]
    if result.judged:
        head, against, *values = value_rows(judged(result))
        said = ["On latent vectors that had no part in choosing it:"]
        said.append(_table([head, against, *values]))
        said.append("\n".join(f"- {line}" for line in judgement(result.judged, result.terms)))
    else:
        assert result.best is not None
        said = [f"{result.terms.worth(result.best)}, on the latent vectors that chose it."]
    said += [line] if (line := apart(result.config.features)) else []
    if fresh := result.confirmation:
        said.append(
            f"Its hyperparameters, trained again: {result.terms.objective} {fresh.outcome}."
        )
        found = verdict(result)
        said.append(f"{found[0].upper()}{found[1:]}.")
    elif result.standing is not None:
        said.append(f"Its hyperparameters were trained {seeds(result.standing)}.")
    if warned := warnings(result):
        said.append("\n".join(f"- Warning: {line}" for line in warned))
    return said


def _training(result: SearchResult | TrainResult) -> list[str]:
    config, data = result.config, short_name(result.config.dataset)
    what = f"{config.gan_type} on {data}"
    if isinstance(result, SearchResult):
        assert result.best is not None
        trial, tried = result.best, trials(len(result.trials))
        params = result.hyperparameters
        source = f"The best of {tried} of a search by {result.config.search_method}: {what}"
    else:
        trial, params = result.trial, result.config.hyperparameters()
        source = f"One training: {what}"
    rows = [[name, str(value)] for name, value in config.gan.meaningful(params).items()]
    table = _table([["hyperparameter", "value"], *rows])
    again = (
        "`autogan train config.yaml` trains it again; you may have to change the dataset's name."
    )
    return [f"{source}, seed {trial.seed}.", table, again]


def without_places(values: dict[str, Any]) -> dict[str, Any]:
    """A configuration without folders of the training machine; of paths, only the names stay."""
    left = {n: value for n, value in values.items() if not n.endswith(("_dir", "_dirs"))}
    if placed := dataset_path(left["dataset"]):
        left["dataset"] = f"{placed[0]}:{Path(placed[1]).name}"
    for name in ("labels", "stage1", "features", "reference_statistics"):
        if left.get(name) is not None:
            left[name] = Path(left[name]).name
    return left


def _table(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; the first row is its head."""
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))
