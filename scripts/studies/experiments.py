"""The experiments of docs/studies/experiments.md: each prints its table and keeps its runs.

    python scripts/studies/experiments.py grids --data-dir DIR  a training of each GAN type on MNIST
    python scripts/studies/experiments.py training              the criteria during two of those
    python scripts/studies/experiments.py collapse --data-dir DIR  the criteria where classes \
        are missing
    python scripts/studies/experiments.py labels --data-dir DIR  the criteria against label accuracy
    python scripts/studies/experiments.py gamma --folder DIR    BEGAN's gamma on colour images

--data-dir holds mnist.npz, --folder holds class folders of images. All runs are kept below
runs/experiments; an existing one is not repeated.
"""

import argparse
import dataclasses
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from PIL import Image

import autogan
from autogan.config import TrainConfig, load_config
from autogan.data.grids import grid, png
from autogan.record.folder import TrialFolder
from autogan.search import Evaluation, Trial
from autogan.show.displays import make_display

RUNS = Path("runs/experiments")
PICTURES = Path(__file__).parents[2] / "docs" / "studies" / "experiments"
LARGEST = 60_000
"""Bytes of a picture."""
GAN_TYPES = ("dcgan", "lsgan", "cgan", "acgan", "wgan_gp", "wgan", "began")
THESIS = ("is", "js_is", "fid", "wd")


def main() -> None:
    """Run one experiment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=("grids", "training", "collapse", "labels", "gamma"))
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--gan-types", default=",".join(GAN_TYPES), help="types of grids [all]")
    given = parser.parse_args()
    if given.name == "grids":
        grids(given.data_dir, given.gan_types.split(","))
    elif given.name == "training":
        training()
    elif given.name == "collapse":
        collapse(given.data_dir)
    elif given.name == "labels":
        labels(given.data_dir)
    else:
        gamma(given.folder)


def grids(data_dir: Path | None, gan_types: Sequence[str]) -> None:
    """Train each type with its configuration for MNIST; keep a grid of its best generator."""
    rows = []
    for gan_type in gan_types:
        file = Path(f"{gan_type}_mnist" if gan_type != "dcgan" else "lsgan_mnist")
        config = load_config(TrainConfig, file, {"gan_type": gan_type, "data_dir": data_dir})
        root, trial = trained(config, gan_type)
        still = {"params": {**config.params, "learning_rate": 1e-7}, "steps": 1, "epochs": None}
        _, untrained = trained(config.model_copy(update=still), f"{gan_type}-untrained")
        classes = range(10) if config.conditions != ["none"] else None
        keep_grid(gan_type, autogan.sample(root, count=60, classes=classes))
        first, best = trial.evaluations[0], at_step(trial, trial.step)
        accuracy = score(best.scores, "label_accuracy")
        rows.append(
            [
                f"`{gan_type}`",
                f"{trial.seconds / 60:.1f}",
                f"{score(untrained.evaluations[-1].scores, 'fid'):.0f}",
                f"{score(first.scores, 'fid'):.0f} ({first.step})",
                f"{score(best.scores, 'fid'):.1f} ({best.step})",
                f"{score(best.scores, 'is'):.2f}",
                f"{score(best.scores, 'kid'):.2f}",
                "" if accuracy is None else f"{accuracy:.3f}",
            ]
        )
    print_table(
        [
            "GAN type",
            "minutes",
            "FID untrained",
            "first (step)",
            "best (step)",
            "IS",
            "KID",
            "label accuracy",
        ],
        rows,
    )


def training() -> None:
    """Print the criteria during two trainings of `grids`."""
    for gan_type in ("wgan_gp", "acgan"):
        trial = ended(RUNS / gan_type)
        print(f"\n{gan_type}:\n")
        names = [*THESIS, "kid", *(["label_accuracy"] if gan_type == "acgan" else [])]
        rows = [[str(e.step), *numbers(e.scores, names)] for e in trial.evaluations]
        print_table(["step", *names], rows)


def collapse(data_dir: Path | None) -> None:
    """Score real images of 2, 3, 9 and 10 classes, and generators trained on only those."""
    with np.load((data_dir or Path()) / "mnist.npz") as arrays:
        mnist = dict(arrays)
    rows: dict[str, list[list[str]]] = {"real": [], "generated": []}
    for classes in (2, 3, 9, 10):
        kept = {
            f"{kind}_{split}": mnist[f"{kind}_{split}"][mnist[f"y_{split}"] < classes]
            for kind in "xy"
            for split in ("train", "test")
        }
        folder = RUNS / f"classes-{classes}"
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "mnist.npz", **kept)
        chosen = np.random.default_rng(1).permutation(len(kept["x_train"]))[:10_000]
        real = images_folder(folder / "real", kept["x_train"][chosen])
        options = {"data_dir": data_dir, "features": "classifier"}
        scores = autogan.evaluate(real, reference="mnist", criterion=THESIS, options=options)
        rows["real"].append([str(classes), *numbers(scores, THESIS)])
        config = load_config(
            TrainConfig, Path("lsgan_mnist"), {"data_dir": folder, "steps": 500, "also": []}
        )
        root, _ = trained(config, f"lsgan-{classes}-classes")
        scores = autogan.evaluate(root, reference="mnist", criterion=THESIS, options=options)
        rows["generated"].append([str(classes), *numbers(scores, THESIS)])
    for kind, table in rows.items():
        print(f"\n{kind}:\n")
        print_table(["classes", *THESIS], table)


def labels(data_dir: Path | None) -> None:
    """Score generators that follow the given class less and less."""
    rows = []
    for weight in (1.0, 0.03, 0.01, 0.003):
        config = load_config(
            TrainConfig,
            Path("acgan_mnist"),
            {
                "data_dir": data_dir,
                "steps": 500,
                "evaluate_every": 250,
                "params": {"generator_class_weight": weight},
            },
        )
        root, trial = trained(config, f"acgan-{weight:g}")
        keep_grid(f"labels-{weight:g}", autogan.sample(root, classes=range(10), count=40))
        best = at_step(trial, trial.step)
        rows.append([f"{weight:g}", *numbers(best.scores, ["label_accuracy", *THESIS])])
    print_table(["generator_class_weight", "label_accuracy", *THESIS], rows)


def gamma(folder: Path | None) -> None:
    """Train BEGAN with three values of gamma; print the choice of each criterion and weighting."""
    base: dict[str, Any] = {
        "gan_type": "began",
        "dataset": f"folder:{folder}",
        "features": "classifier",
        "image_size": 16,
        "params": {
            "architecture": "began",
            "learning_rate": 1e-3,
            "lambda_k": 0.02,
            "width": 16,
            "z_dim": 32,
        },
        "steps": 2000,
        "evaluate_every": 500,
        "also": [name for name in THESIS if name != "fid"],
    }
    kept = {}
    rows = []
    for value in (0.3, 0.5, 0.7):
        config = TrainConfig(**{**base, "params": {**base["params"], "gamma": value}})
        root, trial = trained(config, f"began-gamma-{value:g}")
        images = autogan.sample(root, count=1000, checkpoint="last")
        keep_grid(f"gamma-{value:g}", images[:24], columns=8)
        kept[value] = trial.evaluations[-1].scores
        rows.append(
            [
                f"{value:g}",
                f"{sharpness(images):.2f}",
                f"{diversity(images):.1f}",
                *numbers(kept[value], THESIS),
            ]
        )
    print_table(["gamma", "sharpness", "diversity", *THESIS], rows)
    print()
    chosen = [[name, f"{choice(kept, {name: 1.0 if 'is' in name else -1.0}):g}"] for name in THESIS]
    for weight in (0.001, 0.01, 1.0):
        best = choice(kept, {"is": 1.0, "fid": -weight})
        chosen.append([f"is - {weight:g}*fid", f"{best:g}"])
    print_table(["criterion", "gamma chosen"], chosen)


def trained(config: TrainConfig, name: str) -> tuple[Path, Trial]:
    """The folder and result of a training, which runs first if it has not ended yet."""
    root = RUNS / name
    if not (root / "result.json").exists():
        shutil.rmtree(root, ignore_errors=True)
        display = make_display()
        autogan.train(config.model_copy(update={"run_dir": root}), display=display)
        display.close()
    return root, ended(root)


def ended(root: Path) -> Trial:
    """The result of a training."""
    config = TrainConfig(**yaml.safe_load((root / "config.yaml").read_text()))
    result = json.loads(TrialFolder.of(root, config).result.read_text())
    return Trial.from_dict({f.name: result[f.name] for f in dataclasses.fields(Trial)})


def at_step(trial: Trial, step: int | None) -> Evaluation:
    """The evaluation at a step."""
    return next(e for e in trial.evaluations if e.step == step)


def score(scores: dict[str, float], name: str) -> float | None:
    """A criterion's value with classifier features; None if there is none."""
    return next((v for label, v in scores.items() if label.startswith(f"{name}_classifier")), None)


def numbers(scores: dict[str, float], names: Iterable[str]) -> list[str]:
    """Values for a table."""
    return [f"{score(scores, name):.4g}" for name in names]


def choice(kept: dict[float, dict[str, float]], weights: dict[str, float]) -> float:
    """The key whose weighted scores are highest."""
    return max(kept, key=lambda key: sum(w * score(kept[key], n) for n, w in weights.items()))


def sharpness(images: npt.NDArray[np.uint8]) -> float:
    """Mean over images of the mean absolute difference of neighbouring pixels, in grey levels."""
    x = images.astype(np.float64)
    return float((np.abs(np.diff(x, axis=1)).mean() + np.abs(np.diff(x, axis=2)).mean()) / 2)


def diversity(images: npt.NDArray[np.uint8]) -> float:
    """Mean over pixels of the standard deviation over images, in grey levels."""
    return float(images.astype(np.float64).std(axis=0).mean())


def images_folder(folder: Path, images: npt.NDArray[np.uint8]) -> Path:
    """Write images as files, unless the folder exists."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for i, image in enumerate(images):
            Image.fromarray(image).save(folder / f"{i:05d}.png")
    return folder


def keep_grid(name: str, images: npt.NDArray[np.uint8], columns: int = 10) -> None:
    """Keep a picture next to the document, of as many rows of images as a small file holds.

    Where not even the first row fits, its first images are kept.
    """
    PICTURES.mkdir(parents=True, exist_ok=True)
    counts = [*range(len(images), columns, -columns), *range(min(columns, len(images)), 0, -1)]
    pictures = (png(grid(images[:count], min(columns, count))) for count in counts)
    small = next(picture for picture in pictures if len(picture) <= LARGEST)
    (PICTURES / f"{name}.png").write_bytes(small)


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table."""
    for row in (heads, ["---"] * len(heads), *rows):
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
