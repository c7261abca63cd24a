"""Calls about images and trained generators: scores, statistics, samples, exports."""

from typing import Any, Literal

from autogan.pool.message import Call, Message


class Evaluate(Call):
    """Score images against the configuration's dataset, by the configuration's criteria.

    Attributes:
        training: the configuration of a training whose generator makes the images,
        folder: which lies here,
        checkpoint: at its best or last evaluation,
        seed: from latent vectors of this seed;
        dataset: or else the dataset whose images are scored,
        corrupt: and then again, spoiled in each of these ways by such a strength,
        keep_classes: and again, without the other classes.
        run: the folder of a run that keeps its feature network.
    """

    training: dict[str, Any] | None = None
    folder: str = ""
    checkpoint: Literal["best", "last"] = "best"
    seed: int = 0
    dataset: str = ""
    corrupt: dict[str, float] = {}
    keep_classes: list[int | str] = []
    run: str = ""


class Scores(Message):
    """See `Evaluate`.

    Attributes:
        scores: values by label.
        test: the same against the dataset's test images, where a trained generator is judged
            against the images that it was trained on and there are others.
        spread: of a generator, each value's standard deviation over sets of latent vectors.
        floor: likewise, what the test images score in its place, as many as there are.
        floor_spread: the standard deviation of that over random splits of all real images.
        fewer: what as many of its images score, where the test images are fewer.
        halves: what one half of the reference scores against the other, by label with the number
            of a half, where there are no test images.
        halves_spread: the standard deviation of that over random halves.
        copies: likewise, how much it copies, by the names of `Evaluator.copies`.
        spoiled: the values of images that were spoiled, by label, under the words for how.
    """

    scores: dict[str, float]
    test: dict[str, float] | None = None
    spread: dict[str, float] | None = None
    floor: dict[str, float] | None = None
    floor_spread: dict[str, float] | None = None
    fewer: dict[str, float] | None = None
    halves: dict[str, float] | None = None
    halves_spread: dict[str, float] | None = None
    copies: dict[str, float] | None = None
    spoiled: dict[str, dict[str, float]] = {}


class Statistics(Call):
    """Write statistics of the configuration's reference, or its images, as an .npz file.

    Attributes:
        form: mean and covariance, as pytorch-fid and clean-fid have them, or ADM's images.
        output: the file.
    """

    form: Literal["fid", "adm"]
    output: str


class Counted(Message):
    """See `Statistics`.

    Attributes:
        images: of how many they are,
        features: and of how many features; none of images themselves.
        network: that gives these.
    """

    images: int
    features: int = 0
    network: str = ""


class Sample(Call):
    """Generate images and write them as an .npz file.

    It holds ``images``, uint8 [N, height, width, channels]; ``labels``, the classes that they show,
    int64 [N], or none; ``classes``, the names of all; ``turns``, how many classes they show in
    turn, or 0.

    Attributes:
        folder: of the training.
        checkpoint: which of its generators.
        count: of the images; None for 64, or 8 of each class.
        seed: of the latent vectors.
        output: the file.
        classes: by name or number, to be shown in turn; if None, all as often as in the training
            set, in order.
        in_turn: whether all classes, or the first 16, are shown in turn if none are given.
        mix: see `autogan.worker.generator.Generator.latents`,
        truncation: likewise,
        interpolate: likewise.
    """

    folder: str
    output: str
    checkpoint: Literal["best", "last"] = "best"
    count: int | None = None
    seed: int = 0
    classes: list[int | str] | None = None
    in_turn: bool = False
    mix: dict[str, float] | None = None
    truncation: float | None = None
    interpolate: int | None = None


class Sampled(Message):
    """See `Sample`."""


class Export(Call):
    """Write a generator as `autogan.models.formats.FORMATS` say, with a picture of its images.

    Attributes:
        folder: of the training.
        checkpoint: which of its generators.
        format: the format's name.
        floats: whether its images are float32.
        output: the folder to write into.
    """

    folder: str
    checkpoint: Literal["best", "last"]
    format: str
    floats: bool
    output: str


class Written(Message):
    """See `Export`.

    Attributes:
        image_shape: height, width, channels.
        z_dim: length of a latent vector.
        classes: the names of the classes; empty if it takes none.
    """

    image_shape: tuple[int, int, int]
    z_dim: int
    classes: list[str]
