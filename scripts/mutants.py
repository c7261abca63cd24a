"""Break the training step and the notice of collapse in many ways, one at a time.

python scripts/mutants.py [part of a description]

Tells of each mutant whether the tests noticed it; exits with 1 if one survived, or no longer
applies. Mutants are made in a copy: the checkout stays as it is.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
UPDATES, MODELS = "tests/test_updates.py", "tests/test_models.py"
TRIALS, VARIETIES = "tests/test_trial.py", "tests/test_variety.py"
TRIAL, VARIETY = "autogan/run/trial.py", "criteria/variety.py"


class Mutant(NamedTuple):
    """A change to one file, and what notices it.

    Attributes:
        what: describes it.
        file: of the checkout.
        old: text that occurs there once.
        new: what is put in its place.
        tests: arguments for pytest.
    """

    what: str
    file: str
    old: str
    new: str
    tests: str = UPDATES


STEP, LOSSES = "models/adversarial.py", "models/losses.py"
PENALTIES, OPTIMIZERS = "models/penalties.py", "models/optimizers.py"

_UPDATE = """\
        self._d_optimizer.apply(gradients, Settings(rate, settings["beta1"], settings["beta2"]))
"""
_CLIP = """\
        if self._clips:
            clip_weights(self._d_optimizer.parameters, settings["clip"])
"""

MUTANTS = [
    # what the discriminator's update is made of
    Mutant(
        "real and generated images exchanged in the discriminator's loss", STEP,
        "self._loss.discriminator(real_logits, fake_logits, settings)",
        "self._loss.discriminator(fake_logits, real_logits, settings)",
    ),
    Mutant(
        "real images scaled to [0, 1]", STEP,
        "tf.float32) / 127.5 - 1.0", "tf.float32) / 255.0",
    ),
    Mutant(
        "the generator makes the discriminator's images by its moving statistics", STEP,
        "self._made(z, fake_labels, training=True)", "self._made(z, fake_labels, training=False)",
    ),
    Mutant(
        "the discriminator judges real images by its moving statistics", STEP,
        "self._judged(real, labels, training=True)", "self._judged(real, labels, training=False)",
    ),
    Mutant(
        "the discriminator judges real images after generated ones", STEP,
        """\
            real_logits, real_classes = self._judged(real, labels, training=True)
            fake_logits, fake_classes = self._judged(fake, fake_labels, training=True)
""",
        """\
            fake_logits, fake_classes = self._judged(fake, fake_labels, training=True)
            real_logits, real_classes = self._judged(real, labels, training=True)
""",
    ),
    Mutant(
        "the discriminator takes generator_lr_scale too", STEP,
        'rate = settings["learning_rate"]\n',
        'rate = settings["learning_rate"] * settings["generator_lr_scale"]\n',
    ),
    Mutant(
        "beta1 and beta2 exchanged in the discriminator's update", STEP,
        _UPDATE, _UPDATE.replace("beta1", "x").replace("beta2", "beta1").replace("x", "beta2"),
    ),
    Mutant("weights not clipped", STEP, "if self._clips:", "if False:", f"{UPDATES} -k wgan"),
    Mutant(
        "weights clipped before the update", STEP,
        _UPDATE + _CLIP, _CLIP + _UPDATE, f"{UPDATES} -k wgan",
    ),
    Mutant(
        "weights clipped on one side", PENALTIES,
        "tf.clip_by_value(variable, -limit, limit)", "tf.minimum(variable, limit)",
        f"{UPDATES} -k wgan",
    ),
    # the generator's update
    Mutant(
        "the generator's gradient negated", STEP,
        "self._g_optimizer.apply(gradients,", "self._g_optimizer.apply([-g for g in gradients],",
    ),
    Mutant("generator_lr_scale ignored", STEP, ' * settings["generator_lr_scale"]', ""),
    Mutant(
        "the generator is trained by its moving statistics", STEP,
        "made = self._made(z, labels, training=True)",
        "made = self._made(z, labels, training=False)",
    ),
    Mutant(
        "the discriminator judges for the generator by its moving statistics", STEP,
        "self._judged(made, labels, training=True)", "self._judged(made, labels, training=False)",
    ),
    # random numbers and batches
    Mutant(
        "the same z for all discriminator updates of a step", STEP,
        "seed, start * d_iter + update, settings", "seed, (start + done) * d_iter, settings",
    ),
    Mutant(
        "the same real images for all discriminator updates of a step", STEP,
        "batches, update, seed,", "batches, done * d_iter, seed,",
    ),
    Mutant("d_iter ignored", STEP, "(done + 1) * d_iter)", "done * d_iter + 1)"),
    Mutant(
        "random numbers of the generator's updates begin anew with each call", STEP,
        "seed, start + done, settings", "seed, done, settings",
    ),
    Mutant(
        "the generator's z from the discriminator's stream", STEP,
        "self._noise(seed, update, _LATENT_G)", "self._noise(seed, update, _LATENT_D)",
    ),
    Mutant(
        "images begin anew with each call", STEP,
        "data.images(seed, start * d_size,", "data.images(seed, 0 * d_size,",
    ),
    Mutant("the sum of losses reported", STEP, "total / count", "total"),
    # classes
    Mutant(
        "real images with labels of another walk", STEP,
        "data.order(seed, REAL,", "data.order(seed, LABELS_D,", f"{UPDATES} -k cgan",
    ),
    Mutant(
        "CGAN: generated images shown with the real images' labels", STEP,
        "self._judged(fake, fake_labels, training=True)",
        "self._judged(fake, labels, training=True)",
        f"{UPDATES} -k cgan",
    ),
    Mutant(
        "the generator's labels from the discriminator's", STEP,
        "batches.g_labels[self._part(batch)]", "batches.d_labels[self._part(batch)]",
        f"{UPDATES} -k cgan",
    ),
    Mutant(
        "the generator's labels from the discriminator's walk", STEP,
        "data.order(seed, LABELS_G,", "data.order(seed, LABELS_D,", f"{UPDATES} -k cgan",
    ),
    Mutant(
        "ACGAN: generated images judged by the real images' labels", STEP,
        "class_error(fake_classes, fake_labels)", "class_error(fake_classes, labels)",
        f"{UPDATES} -k acgan",
    ),
    Mutant(
        "ACGAN: class_weight ignored", STEP,
        'settings["class_weight"] * told', "told", f"{UPDATES} -k acgan",
    ),
    Mutant(
        "ACGAN: class_weight in the place of generator_class_weight", STEP,
        'settings["generator_class_weight"]', 'settings["class_weight"]',
        f"{UPDATES} -k acgan",
    ),
    Mutant(
        "ACGAN: the sum of the class errors", LOSSES,
        "tf.reduce_mean(tf.nn.sparse", "tf.reduce_sum(tf.nn.sparse", f"{UPDATES} -k acgan",
    ),
    # losses
    Mutant(
        "labels smoothed", LOSSES,
        "discriminator_loss(real, fake, label_smoothing=0.0)", "discriminator_loss(real, fake)",
    ),
    Mutant(
        "LSGAN: the generator's target is -1", LOSSES,
        "least_squares_generator_loss(fake)", "least_squares_generator_loss(-fake)",
        f"{UPDATES} -k lsgan",
    ),
    Mutant(
        "LSGAN with another loss", "models/lsgan.py",
        '"least_squares"', '"non_saturating"', f"{UPDATES} -k lsgan",
    ),
    Mutant(
        "WGAN: the generator's loss negated", LOSSES,
        "return _tfgan.wasserstein_generator_loss(fake)",
        "return -_tfgan.wasserstein_generator_loss(fake)",
        f"{UPDATES} -k wgan",
    ),
    Mutant(
        "WGAN-GP: penalty between real and real", STEP,
        "training=True)[0], real, fake, alpha", "training=True)[0], real, real, alpha",
        f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: penalty_weight ignored", STEP,
        'settings["penalty_weight"] * penalty', "penalty", f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: one alpha for a batch", STEP,
        "[self.batch_size, 1, 1, 1]", "[1, 1, 1, 1]", f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: one alpha for each pixel", STEP,
        "[self.batch_size, 1, 1, 1]", "[self.batch_size, *self.image_shape]",
        f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: alpha from the stream of z", STEP,
        "_stream(seed, update, _PENALTY)", "_stream(seed, update, _LATENT_D)",
        f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: norms below 1 not penalised", PENALTIES,
        "tf.square(norm - 1.0)", "tf.square(tf.maximum(norm - 1.0, 0.0))",
        f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: a norm for each channel", PENALTIES,
        "axis=[1, 2, 3]", "axis=[1, 2]", f"{MODELS} -k TestGradientPenalty",
    ),
    Mutant(
        "WGAN-GP with normalisation in its critic", "models/wgan_gp.py",
        'discriminator_norm = "none"', 'discriminator_norm = "batch"', f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "BEGAN: k from exchanged errors", STEP,
        "self._loss.updated(real_logits, fake_logits, settings)",
        "self._loss.updated(fake_logits, real_logits, settings)",
        f"{UPDATES} -k began",
    ),
    Mutant(
        "BEGAN: k not kept in [0, 1]", LOSSES,
        'tf.clip_by_value(k + settings["lambda_k"] * balance, 0.0, 1.0)',
        'k + settings["lambda_k"] * balance',
        f"{UPDATES} -k k_stays",
    ),
    Mutant(
        "BEGAN: k may be greater than 1", LOSSES,
        'tf.clip_by_value(k + settings["lambda_k"] * balance, 0.0, 1.0)',
        'tf.maximum(k + settings["lambda_k"] * balance, 0.0)',
        f"{UPDATES} -k k_stays",
    ),
    Mutant(
        "BEGAN: k's sign", LOSSES,
        'tf.reduce_mean(real) - self.variables["k"]', 'tf.reduce_mean(real) + self.variables["k"]',
        f"{UPDATES} -k began",
    ),
    Mutant(
        "BEGAN: gamma on the other error", LOSSES,
        'settings["gamma"] * error - tf.reduce_mean(fake)',
        'error - settings["gamma"] * tf.reduce_mean(fake)',
        f"{UPDATES} -k began",
    ),
    # optimisers
    Mutant(
        "RMSProp's epsilon under the root", OPTIMIZERS,
        "tf.sqrt(mean) + _RMSPROP_EPSILON", "tf.sqrt(mean + _RMSPROP_EPSILON)",
        f"{UPDATES} -k tiny",
    ),
    Mutant(
        "RMSProp decays by beta1", OPTIMIZERS,
        "decay = settings.beta2", "decay = settings.beta1", f"{UPDATES} -k wgan",
    ),
    Mutant(
        "Adam's first mean not corrected", OPTIMIZERS,
        "beta1_power=powers[0]", "beta1_power=tf.constant(0.0)",
    ),
    Mutant("Adam's epsilon", OPTIMIZERS, "_ADAM_EPSILON = 1e-7", "_ADAM_EPSILON = 1e-3"),
    Mutant(
        "the discriminator's optimiser keeps its state from seed to seed", STEP,
        "        self._d_optimizer.reset()\n", "", f"{MODELS} -k same_seed",
    ),
    Mutant(
        "k keeps its value from seed to seed", STEP,
        "self._loss.variables[name].assign(start)", "pass", f"{MODELS} -k k_is_part",
    ),
    Mutant(
        "one collapsed evaluation is enough", TRIAL, "trial.evaluations[-2:]] == [True, True]",
        "trial.evaluations[-1:]] == [True]", TRIALS,
    ),
    Mutant(
        "a collapsed evaluation has a value", TRIAL,
        "None if variety.collapsed else objective.value(scores, labels)",
        "objective.value(scores, labels)", TRIALS,
    ),
    Mutant(
        "collapsed trials end as complete", TRIAL, "(_collapsed(trial) or best is None)",
        "best is None", TRIALS,
    ),
    Mutant("pictures are the same bit by bit", VARIETY, "_SAME = 0.1", "_SAME = 0.0", VARIETIES),
    Mutant("pale images are judged", VARIETY, "_FLAT <= self.contrast < _PALE", "False", VARIETIES),
    Mutant("a hundredth is a few", VARIETY, "_FEW = 0.1", "_FEW = 0.01", VARIETIES),
    Mutant("the nearest one covers", VARIETY, "_NEIGHBOURS = 5", "_NEIGHBOURS = 1", VARIETIES),
]  # fmt: skip


def main() -> int:
    """Try the mutants whose description holds the first argument."""
    wanted = [mutant for mutant in MUTANTS if " ".join(sys.argv[1:]) in mutant.what]
    if not wanted:
        print("no mutant's description holds that")
        return 1
    survived = 0
    with tempfile.TemporaryDirectory() as place:
        packages = laid_out(Path(place))
        suites = {mutant.tests for mutant in wanted}
        parts = {tests for tests in suites if tests.partition(" ")[0] in suites - {tests}}
        for tests in sorted(suites - parts):
            if (code := pytest(place, tests)) != 0:
                print(f"pytest {tests} exits with {code} before anything is broken")
                return 1
        for mutant in wanted:
            verdict, seconds = tried(mutant, Path(place), packages)
            survived += verdict != "killed"
            print(f"{verdict:8}  {seconds:3.0f} s  {mutant.what}", flush=True)
    print(f"{len(wanted) - survived} killed, {survived} survived")
    return 1 if survived else 0


def laid_out(place: Path) -> dict[str, Path]:
    """Copy package and tests to a folder, as installed; returns where each folder went."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    (mapping,) = (n.value for n in tree.body if isinstance(n, ast.Assign))
    packages = {}
    for package, folder in ast.literal_eval(mapping).items():
        packages[folder] = place / package.replace(".", "/")
        packages[folder].mkdir()
        for file in (ROOT / folder).iterdir():
            if file.is_file():
                shutil.copy(file, packages[folder])
    shutil.copytree(ROOT / "tests", place / "tests")
    shutil.copy(ROOT / "pyproject.toml", place)
    return packages


def tried(mutant: Mutant, place: Path, packages: dict[str, Path]) -> tuple[str, float]:
    """What becomes of a mutant, and in how many seconds."""
    source = Path(mutant.file)
    file = packages[str(source.parent)] / source.name
    text = file.read_text()
    if text.count(mutant.old) != 1:
        return "NO PLACE", 0.0
    begin = time.monotonic()
    try:
        file.write_text(text.replace(mutant.old, mutant.new))
        code = pytest(str(place), mutant.tests)
    finally:
        file.write_text(text)
    # 1 is tests that fail; others mean that none ran.
    verdict = {0: "SURVIVED", 1: "killed"}.get(code, f"PYTEST {code}")
    return verdict, time.monotonic() - begin


def pytest(place: str, tests: str) -> int:
    """The exit code of tests in a folder whose package comes before any installed one."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests.split()]
    # Bytecode is told by size and second: a mutant may share both with the one before it.
    changes = {"PYTHONPATH": place, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command,
        cwd=place,
        env={**os.environ, **changes},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
