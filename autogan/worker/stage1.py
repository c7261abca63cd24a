"""The first stage, whose images a GAN enlarges: a training that the run keeps a copy of."""

from pathlib import Path

from autogan.config import TrainConfig, load_saved
from autogan.core.errors import ConfigError
from autogan.core.files import contents, write_bytes, write_yaml
from autogan.data import ImageData
from autogan.models.networks.stacked import RATIOS
from autogan.models.training.trainer import Trainer
from autogan.record.folder import PLACES, TrialFolder, existing_training, first_stage, run_of


def first_stage_training(run: TrainConfig, folder: str) -> Path:
    """The folder of the first stage's training: the run's copy, or else the original.

    Args:
        run: with a ``stage1``.
        folder: of the run, if it may keep a copy; else empty.

    Raises:
        ConfigError: if there is no such training.
    """
    kept = first_stage(Path(folder)) if folder else None
    if kept is not None and (kept / "config.yaml").is_file():
        return kept
    assert run.stage1 is not None
    return existing_training(run.stage1, "stage1")


def read_training(root: Path, run: TrainConfig) -> TrainConfig:
    """The configuration of the first stage's training; it may use modules that ``run`` trusts."""
    plugins = {"plugin_dirs": run.plugin_dirs}
    return load_saved(TrainConfig, root / "config.yaml", plugins).resolved()


def keep(root: Path, config: TrainConfig, copy: Path) -> None:
    """Copy a first stage's generator and its own first stage, unless the copy exists.

    Args:
        root: the folder of the first stage's training.
        config: its configuration.
        copy: the folder of the copy.
    """
    if (copy / "config.yaml").is_file():
        return
    if config.stage1 is not None:
        below = first_stage_training(config, str(run_of(root)))
        keep(below, read_training(below, config), first_stage(copy))
    moved = config.model_copy(update=dict.fromkeys(PLACES))
    best = contents(TrialFolder.of(root, config).best)
    write_bytes(TrialFolder.of(copy, moved).best, best)
    write_yaml(copy / "config.yaml", moved.as_dict(), "The first stage, as it was then")


def check_first_stage(
    run: TrainConfig, stage1: Trainer, names: list[str], data: ImageData, known: list[str]
) -> None:
    """Check that a first stage's images can be enlarged to those of a dataset.

    Args:
        run: with a ``stage1``.
        stage1: the first stage's trainer.
        names: of its classes or attributes.
        data: the dataset.
        known: the run's conditions; see `TrainConfig.conditions`.

    Raises:
        ConfigError: naming the difference.
    """
    shape, attributes = data.image_shape, list(data.attributes)
    small, channels = stage1.image_shape[0], stage1.image_shape[2]
    if shape[2] != channels:
        kinds = {1: "grey", 3: "RGB"}
        raise ConfigError(
            "stage1",
            f"{run.stage1} makes {kinds[channels]} images, but {run.dataset} has {kinds[shape[2]]} "
            "ones; train both stages on the same images",
        )
    if shape[0] not in [small * ratio for ratio in RATIOS]:
        sizes = " or ".join(str(small * ratio) for ratio in RATIOS)
        raise ConfigError(
            "image_size",
            f"{shape[0]}, but {run.stage1} makes images of {small} pixels; give {sizes}",
        )
    if stage1.class_counts and len(stage1.class_counts) != len(data.classes):
        raise ConfigError(
            "stage1",
            f"{run.stage1} makes images of {len(stage1.class_counts)} classes, but {run.dataset} "
            f"has {len(data.classes)}; train both stages on the same images",
        )
    if stage1.attributes is not None and names != attributes:
        has = ", ".join(attributes) or "none"
        raise ConfigError(
            "stage1",
            f"{run.stage1} makes images with the attributes {', '.join(names)}, but {run.dataset} "
            f"has {has}; train both stages on the same images",
        )
    if not stage1.conditions and known != ["none"]:
        raise ConfigError(
            "condition",
            f"{', '.join(known)}, but {run.stage1} takes no classes; choose none, or a first stage "
            "that learned classes",
        )
