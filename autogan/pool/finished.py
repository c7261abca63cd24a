"""Calls about images and trained generators: scores, statistics, samples, exports."""

from typing import Any, Literal

from autogan.pool.message import Call, Message


class Evaluate(Call):
    """Score images against the configuration's dataset, by the configuration's criteria.

    The images come from a trained generator (``training`` to ``seed``) or from a dataset
    (``dataset`` to ``keep_classes``).

    Attributes:
        training: the configuration of the generator's training.
        folder: of that training.
        checkpoint: which of its generators: that of the best or of the last evaluation.
        seed: of the latent vectors.
        dataset: the dataset whose images are scored.
        corrupt: corruptions and their strengths; the images are scored again under each.
        keep_classes: the images are scored again with these classes only.
        run: the folder of a run that keeps its feature network.
        draw_until: the step up to which TensorBoard shows the floor in the training's folder; None
            for no floor there.
    """

    training: dict[str, Any] | None = None
    folder: str = ""
    checkpoint: Literal["best", "last"] = "best"
    seed: int = 0
    dataset: str = ""
    corrupt: dict[str, float] = {}
    keep_classes: list[int | str] = []
    run: str = ""
    draw_until: int | None = None


class Scores(Message):
    """See `Evaluate`.

    Attributes:
        scores: values by label; of a generator, here and below, means over sets of latent vectors.
        names: the labels of the criteria in ``scores``, by name.
        test: values against the dataset's test images, if it has any and the reference is what
            the generator was trained on.
        spread: the standard deviations over sets of latent vectors of all values of generated
            images (generators only).
        floor: values of the test images in place of generated ones (generators only).
        floor_spread: the floor's standard deviation over random splits of all real images.
        fewer: values of as many generated images as there are test images, if these are fewer.
        more: values of many more generated images, where few are compared and features are fast.
        halves: values of one half of the reference against the other, by label with the number of
            images in a half, if there are no test images.
        halves_spread: their standard deviation over random halves.
        copies: how much the generator copies, by the names of `Evaluator.copies`.
        spoiled: values of corrupted images by label, for each description of a corruption.
    """

    scores: dict[str, float]
    names: dict[str, str] = {}
    test: dict[str, float] | None = None
    spread: dict[str, float] | None = None
    floor: dict[str, float] | None = None
    floor_spread: dict[str, float] | None = None
    fewer: dict[str, float] | None = None
    more: dict[str, float] | None = None
    halves: dict[str, float] | None = None
    halves_spread: dict[str, float] | None = None
    copies: dict[str, float] | None = None
    spoiled: dict[str, dict[str, float]] = {}


class Statistics(Call):
    """Write the statistics of the configuration's reference, or its images, as an .npz file.

    Attributes:
        form: mean and covariance as in pytorch-fid and clean-fid, or images as in ADM.
        output: the file.
    """

    form: Literal["fid", "adm"]
    output: str


class Counted(Message):
    """See `Statistics`.

    Attributes:
        images: number of images.
        features: number of features; 0 if the images themselves were written.
        network: the feature network.
    """

    images: int
    features: int = 0
    network: str = ""


class Sample(Call):
    """Generate images and write them as an .npz file.

    The file holds ``images``, uint8 [N, height, width, channels]; ``labels``, their classes,
    int64 [N], or attributes, float32 [N, A], or empty; ``classes``, the names of all classes or
    attributes; ``captions``, the names of those that the images show in turn, or empty;
    ``attributes``, whether they are attributes.

    Attributes:
        folder: of the training.
        checkpoint: which of its generators.
        count: number of images; None for 64, or 8 of each class.
        seed: of the latent vectors.
        output: the file.
        classes: names or numbers of the classes to show in turn; None for all classes in order,
            as often as in the training set.
        in_turn: whether to show all classes, or the first 16, in turn if ``classes`` is None.
        mix: see `autogan.worker.generator.Generator.latents`.
        truncation: likewise.
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
    """Write a generator in one of `autogan.models.formats.FORMATS`, with a picture of its images.

    Attributes:
        folder: of the training.
        checkpoint: which of its generators.
        format: the format's name.
        floats: whether the exported generator's images are float32.
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
        classes: the names of the classes or attributes; empty if the generator takes none.
        attributes: whether they are attributes.
    """

    image_shape: tuple[int, int, int]
    z_dim: int
    classes: list[str]
    attributes: bool = False
