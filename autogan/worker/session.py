"""A worker's answers to all calls."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from autogan.config import SearchConfig, TrainConfig
from autogan.core.errors import ConfigError
from autogan.core.files import write_arrays, write_bytes, write_npz
from autogan.criteria.published import Published
from autogan.data import ImageData
from autogan.data.grids import GRID_CLASSES, grid, png, real_grid
from autogan.models.formats import FORMATS, Exported
from autogan.pool.finished import (
    Counted,
    Evaluate,
    Export,
    Sample,
    Sampled,
    Scores,
    Statistics,
    Written,
)
from autogan.pool.messages import (
    Join,
    Joined,
    Open,
    Opened,
    Prepare,
    Prepared,
    Time,
    Timed,
    Train,
    Trained,
)
from autogan.record.claim import share
from autogan.record.folder import TrialFolder, feature_weights, real_images
from autogan.record.resume import difference
from autogan.worker.checks import check_attributes, check_depth, check_enough, refuse_labels
from autogan.worker.device import device_notes, environment
from autogan.worker.generator import Generator, generated
from autogan.worker.scoring import CLASSLESS, Scoring, tell_numbers, tell_of
from autogan.worker.stage1 import check_first_stage
from autogan.worker.timing import timed_evaluation, timed_steps
from autogan.worker.trial import Driver, run_trial
from autogan.worker.workbench import Workbench

_SHOWN = 16  # images in an exported generator's picture
_WEAK = 0.8  # below this accuracy, a classifier's features are of little use


class Session:
    """A worker's answers to calls; the method with the call's name answers it.

    Args:
        driver: the other end of the pipe.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._bench = Workbench(driver.note)
        self._shared: int | None = None  # the lock on the folder of the run

    def open(self, call: Open) -> Opened:
        """See `Open`.

        Raises:
            ConfigError: if the configuration cannot run here.
        """
        run = self._bench.use(call)
        for note in device_notes(run):
            self._driver.note(note)
        data = self._bench.data(run)
        tell_of(self._driver, "data", data)
        self._bench.reference(run)
        self._bench.unseen(run)
        conditions = call.conditions or run.conditions
        if {"none"} != set(conditions) and data.train.labels is None:
            raise ConfigError(
                "dataset",
                f"{run.dataset} has no labels{_because(data)}, but {run.gan_type} learns classes; "
                "choose a labelled dataset (in a folder, the sub-folders are the classes: two or "
                "more, with every image in one; or give --labels FILE.csv), condition none, or a "
                "GAN type without classes, such as dcgan",
            )
        if data.attributes:
            check_attributes(run, conditions)
        check_depth(call.depth, data.image_shape)
        stage1 = self._bench.stage1(run, call.folder)
        if stage1 is not None:
            check_first_stage(run, *stage1, data, conditions)
        trainer = self._bench.learner(run, call.folder)
        if run.features == "classifier":
            self._bench.check_labelled(run)  # trained in `prepare`
        if "none" in conditions and not (stage1 and stage1[0].class_counts):
            refuse_labels(run, f"{run.gan_type} {CLASSLESS}")
        if call.features and run.features != "classifier":
            self._bench.network(run)
            self._bench.check_features(run)
        return Opened(
            images=len(data.train),
            image_shape=data.image_shape,
            classes=data.classes,
            attributes=data.attributes,
            digest=data.train.digest,
            generator_bytes=trainer.generator_bytes,
            state_bytes=trainer.state_bytes,
            environment=environment(self._bench.device),
        )

    def prepare(self, call: Prepare) -> Prepared:
        """See `Prepare`."""
        run = self._bench.use(call)
        prepared = self._measures(run, call.folder)
        accuracy = self._bench.network(run, call.folder).accuracy
        tell_numbers(self._driver, run, self._bench.evaluator(run, call.folder))
        if accuracy is not None:
            weak = ": too weak to rank subtle differences" if accuracy < _WEAK else ""
            right = f"{100 * accuracy:.1f} %"
            self._driver.note(f"the classifier's accuracy on unseen images is {right}{weak}")
        return prepared

    def _measures(self, run: TrainConfig, folder: str) -> Prepared:
        """The features and labels of scores, for the run in a folder."""
        evaluator = self._bench.evaluator(run, folder)
        check_enough(
            evaluator.criteria, evaluator.generated, evaluator.samples, len(evaluator.real.mean)
        )
        network = evaluator.network
        features: dict[str, str | int | float] = {
            "network": network.name,
            "weights": network.weights_hash,
            "samples": evaluator.samples,
            "split": run.reference_split,
            "digest": evaluator.digest,
        }
        if evaluator.generated != evaluator.samples:
            features["generated"] = evaluator.generated
        if network.accuracy is not None:
            features["accuracy"] = network.accuracy
        return Prepared(
            objective=run.objective.label(evaluator.labels()),
            labels=evaluator.labels(),
            features=features,
        )

    def time(self, call: Time) -> Timed:
        """See `Time`."""
        run = self._bench.use(call)
        trainer = self._bench.learner(run)
        training = self._bench.training_set(run)
        step = timed_steps(trainer, training, run)
        if not call.evaluate:
            return Timed(step=step, evaluation=None)
        try:
            self._bench.network(run)
        except ConfigError:  # weights cannot be downloaded here: time only the training
            return Timed(step=step, evaluation=None)
        return Timed(
            step=step, evaluation=timed_evaluation(trainer, self._bench.evaluator(run, ""))
        )

    def join(self, call: Join) -> Joined:
        """See `Join`.

        Raises:
            ConfigError: if the run's folder, its data or its features differ here.
        """
        shared = share(Path(call.root), call.token)
        if self._shared is not None:
            os.close(self._shared)
        self._shared = shared
        run = self._bench.use(call)
        data = self._bench.data(run)
        if data.train.digest != call.digest:
            raise ConfigError("dataset", f"{run.dataset} has other images on {platform.node()}")
        prepared = self._measures(run, call.run)
        if prepared.features != call.features:
            other = difference(call.features, prepared.features)
            raise ConfigError("features", f"{other} on {platform.node()}")
        self._bench.network(run, call.run).keep(feature_weights(Path(call.run)))
        self._bench.keep_stage1(run, call.run)
        real = real_images(Path(call.run))
        if not real.exists():
            classes = () if run.conditions == ["none"] else tuple(data.classes)
            write_bytes(real, png(real_grid(data.train, classes)))
        return Joined(environment=environment(self._bench.device))

    def train(self, call: Train) -> Trained:
        """See `Train`."""
        run = self._bench.use(call)
        trial = run_trial(
            run,
            TrialFolder.of(Path(call.folder), run),
            self._bench.learner(run, call.run),
            self._bench.training_set(run),
            self._bench.evaluator(run, call.run),
            self._driver,
            environment(self._bench.device),
            call.name,
            call.trial,
            SearchConfig(**call.search) if call.search is not None else None,
            self._bench.data(run).label_names,
        )
        return Trained(trial=trial, full=self._bench.full)

    def evaluate(self, call: Evaluate) -> Scores:
        """See `Evaluate`."""
        return Scoring(self._bench, self._driver, call).scores()

    def statistics(self, call: Statistics) -> Counted:
        """See `Statistics`."""
        run = self._bench.use(call)
        tell_of(self._driver, "images", self._bench.data(run))
        images, _ = self._bench.reference(run).subset(run.eval_samples)
        if call.form == "adm":
            colour = images if images.shape[-1] == 3 else np.repeat(images, 3, axis=3)
            write_npz(Path(call.output), {"arr_0": colour})
            return Counted(images=len(images))
        real, network = self._bench.evaluator(run, "").real, self._bench.network(run)
        Published(real, network.name, network.weights_hash).write(Path(call.output))
        return Counted(images=len(images), features=len(real.mean), network=network.name)

    def sample(self, call: Sample) -> Sampled:
        """See `Sample`."""
        run = self._bench.use(call)
        generator = Generator(*self._bench.restored(run, Path(call.folder), call.checkpoint))
        names = generator.classes
        classes: Sequence[int | str] | None = call.classes
        if call.in_turn and classes is None and call.mix is None and call.interpolate is None:
            classes = list(range(len(names)))[:GRID_CLASSES] or None
        latents = generator.latents(
            call.count, seed=call.seed, classes=classes, mix=call.mix, truncation=call.truncation,
            interpolate=call.interpolate,
        )  # fmt: skip
        turns = [] if call.interpolate is not None else generator.numbers(classes) or []
        labels = latents.labels if call.mix is None else np.zeros(0, np.int64)
        arrays = {
            "images": generated(generator.trainer, latents),
            "labels": labels,
            "classes": np.array(names, str),
            "captions": np.array([names[number] for number in turns], str),
            "attributes": np.array(generator.attributes),
        }
        write_arrays(Path(call.output), arrays)
        return Sampled()

    def export(self, call: Export) -> Written:
        """See `Export`."""
        run, kind = self._bench.use(call), FORMATS.get(call.format)()
        kind.check_installed()
        if not kind.precise:
            run = run.model_copy(update={"precision": "float32"})
        generator = Generator(*self._bench.restored(run, Path(call.folder), call.checkpoint))
        output = Path(call.output)
        made = Exported(generator.trainer, call.floats)
        kind.write_checked(made, output / kind.file)
        write_bytes(output / "samples.png", png(grid(generator(_SHOWN))))
        return Written(
            image_shape=generator.image_shape,
            z_dim=generator.z_dim,
            classes=list(generator.classes),
            attributes=generator.attributes,
        )


def _because(data: ImageData) -> str:
    """Why there are no classes, in brackets, if that is known; else empty."""
    return f" ({data.unlabelled})" if data.unlabelled else ""
