"""Break the training step, the search and its page in many ways, one at a time.

python scripts/mutants.py [part of a description]

Prints for each mutant whether the tests noticed it; exits with 1 if one survived or no longer
applies. Mutants change only a copy of the checkout.
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
OUTCOMES = "tests/test_outcomes.py"
TRIAL, VARIETY = "autogan/worker/trial.py", "criteria/variety.py"
NEAR = "criteria/neighbours.py"
THAWING, THAW = "search/thawing.py", "tests/test_stopping.py -k Thaw"
EXPORT, GENERATOR = "tests/test_export.py", "tests/test_generator.py"
LONGER, ONE_FILE, PLAY = "tests/test_longer.py", "tests/test_one_file.py", "tests/test_play.py"
CLASSIFIER = "criteria/networks/classifier_training.py"
SCORING, JUDGED = "autogan/worker/scoring.py", "tests/test_scoring.py"
_PATIENCE = 900.0  # seconds for the tests of a mutant


class Mutant(NamedTuple):
    """A change to one file, and the tests that must notice it.

    Attributes:
        what: description.
        file: path in the checkout.
        old: text that occurs once in the file.
        new: its replacement.
        tests: arguments for pytest.
    """

    what: str
    file: str
    old: str
    new: str
    tests: str = UPDATES


STEP, GAN, LOSSES = (
    "models/training/updates.py",
    "models/training/adversarial.py",
    "models/objectives/losses.py",
)
PENALTIES, OPTIMIZERS = "models/objectives/penalties.py", "models/training/optimizers.py"
ATTRIBUTES = "tests/test_attributes.py -k"
EVOLUTION, GENERATIONS = "models/training/evolution.py", f"{UPDATES} -k generation"
LAYERS, AVERAGES, DRAWS = (
    "models/networks/layers.py",
    "models/training/averages.py",
    "models/draws.py",
)
NETWORKS, WORDS = "models/training/networks.py", "tests/test_draws.py"
DECISIONS, LOOP, POOL = (
    "autogan/decisions/decisions.py",
    "autogan/run/loop.py",
    "autogan/pool/pool.py",
)
PARALLEL, POOLS = "tests/test_parallel.py", "tests/test_pool.py"
METHODS = "tests/test_search.py"
MODEL, REPEATS, POINTS = "search/model.py", "search/repeats.py", "tests/test_points.py"
WORKERS, CHAIN = "autogan/pool/workers.py", "autogan/record/chain.py"
LEDGER = "autogan/record/ledger.py"
RECORD, LOOPS = "tests/test_record.py", "tests/test_loop.py"
EFFECTS, CHARTS = "autogan/report/effects.py", "autogan/report/charts.py"
SVG, PAGES = "autogan/report/drawing/svg.py", "tests/test_report.py"
MATTERS = "tests/test_importance.py"
SCALES, MUP = "models/networks/parametrisation.py", "tests/test_parametrisation.py"
TALLY, PROXY = "autogan/decisions/tally.py", "tests/test_proxy.py"
COPYING, CLIPPED, COPIES = "criteria/copying.py", "criteria/clipped.py", "tests/test_copying.py"
FACTORS, COMBINED = "tests/test_factors.py", f"{UPDATES} -k combinations"

_UPDATE = """\
        self._apply(self.d_optimizer, gradients, settings["learning_rate"], now, ahead)
"""
_CLIP = """\
        if self._factors["penalty"] == "clipping":
            clip_weights(self.d_optimizer.parameters, settings["clip"])
"""
_REAL = """\
            real_logits, real_classes = self._logits(real, labels, now, draws.REAL_D)
"""
_FAKE = """\
            fake_logits, fake_classes = self._logits(fake, fake_labels, now, draws.FAKE_D)
"""
_AVERAGE = """\
        if self._average is not None:
            self._average.follow(settings["ema"], now.update)
"""
_APPLY = """\
        self._apply(self.g_optimizer, gradients, rate, now, ahead)
"""

MUTANTS = [
    # the discriminator's update
    Mutant(
        "real and generated images exchanged in the discriminator's loss", STEP,
        "self.loss.discriminator(real_logits, fake_logits, settings)",
        "self.loss.discriminator(fake_logits, real_logits, settings)",
    ),
    Mutant(
        "real images scaled to [0, 1]", STEP,
        "tf.float32) / 127.5 - 1.0", "tf.float32) / 255.0",
    ),
    Mutant(
        "the generator uses moving statistics in training", NETWORKS,
        "self.generator(given, training=True)", "self.generator(given, training=False)",
    ),
    Mutant(
        "the discriminator uses moving statistics in training", STEP,
        "now.dropout(showing), training=True)", "now.dropout(showing), training=False)",
        f"{UPDATES} -k dcgan",
    ),
    Mutant(
        "the discriminator judges real images after generated ones", STEP,
        _REAL + _FAKE, _FAKE + _REAL, f"{UPDATES} -k dcgan",
    ),
    Mutant(
        "generator_lr_scale applies to the discriminator too", STEP,
        'gradients, settings["learning_rate"], now, ahead)',
        'gradients, settings["learning_rate"] * settings["generator_lr_scale"], now, ahead)',
    ),
    Mutant(
        "beta1 and beta2 exchanged", STEP,
        'now.settings["beta1"], now.settings["beta2"]',
        'now.settings["beta2"], now.settings["beta1"]',
    ),
    Mutant(
        "weights not clipped", STEP,
        'if self._factors["penalty"] == "clipping":', "if False:", f"{UPDATES} -k wgan",
    ),
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
        "self._apply(self.g_optimizer, gradients,",
        "self._apply(self.g_optimizer, [-g for g in gradients],",
    ),
    Mutant("generator_lr_scale ignored", STEP, ' * settings["generator_lr_scale"]', ""),
    # random numbers and batches
    Mutant(
        "the same z for all discriminator updates of a step", STEP,
        "Context(seed, start * d_iter + number,", "Context(seed, (start + done) * d_iter,",
    ),
    Mutant(
        "the same real images for all discriminator updates of a step", STEP,
        "self._batch(batches, number, done)",
        "self._batch(batches, done * d_iter, done)",
    ),
    Mutant(
        "a generator that dies with pale images continues", TRIAL,
        "(variety.collapsed or faded)", "variety.collapsed", f"{TRIALS} -k pale",
    ),
    Mutant(
        "a generator that starts with pale images counts as dead", VARIETY,
        "return dim and any(not earlier.pale for earlier in before)", "return dim",
        f"{TRIALS} -k pale",
    ),
    Mutant(
        "a lazy penalty with the weight of one at each update", STEP,
        'settings["penalty_weight"] * self._interval * penalty',
        'settings["penalty_weight"] * penalty', COMBINED,
    ),
    Mutant(
        "a lazy penalty at all other updates", STEP,
        "now.update % self._interval == 0", "now.update % self._interval != 0", COMBINED,
    ),
    Mutant(
        "small initial weights without normalisation", "models/networks/build.py",
        'start is normal and norm == "none"', "False",
        "tests/test_networks.py -k large_enough",
    ),
    Mutant("d_iter ignored", STEP, "end = (done + 1) * d_iter", "end = done * d_iter + 1"),
    Mutant(
        "random numbers of the generator's updates restart with each call", STEP,
        "Context(seed, start + done,", "Context(seed, done,",
    ),
    Mutant(
        "the generator's z from the discriminator's stream", STEP,
        "now, draws.LATENT_G,", "now, draws.LATENT_D,",
    ),
    Mutant(
        "images restart with each call", GAN,
        "data.images(seed, start * d_size,", "data.images(seed, 0 * d_size,",
    ),
    Mutant("the sum of losses reported", STEP, "sum_ / count", "sum_"),
    Mutant(
        "floats from the high bits of a word", DRAWS,
        "_words(shape, seed) & (2**_BITS - 1)",
        "tf.bitwise.right_shift(tf.bitcast(_words(shape, seed), tf.uint32), 9)",
        WORDS,
    ),
    Mutant(
        "sine and cosine exchanged", DRAWS,
        "[tf.sin(angle) * radius, tf.cos(angle) * radius]",
        "[tf.cos(angle) * radius, tf.sin(angle) * radius]", f"{WORDS} -k muller",
    ),
    Mutant(
        "seeds scrambled by TensorFlow, which XLA compiles differently", DRAWS,
        "key, counter = _scrambled(seed)\n    return tf.raw_ops.StatelessRandomUniformFull",
        "key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)\n"
        "    return tf.raw_ops.StatelessRandomUniformFull",
        WORDS,
    ),
    # factors combined
    Mutant(
        "power iterated twice", STEP,
        "iterate_power(self._networks.discriminator)",
        "iterate_power(self._networks.discriminator, 2)",
    ),
    Mutant(
        "power not iterated", STEP,
        "iterate_power(self._networks.discriminator)  # once: all passes see the same weights\n",
        "pass\n",
    ),
    Mutant(
        "no gradient through the norm", LAYERS,
        "tf.square(product)) + _TINY)", "tf.square(tf.stop_gradient(product))) + _TINY)",
    ),
    Mutant(
        "no gradient through a batch's mean", LAYERS,
        "tf.reduce_mean(wide, axes)\n", "tf.stop_gradient(tf.reduce_mean(wide, axes))\n",
        "tests/test_networks.py -k second_derivatives",
    ),
    Mutant(
        "the generator's images not augmented", STEP,
        'if policy != "none":', 'if policy != "none" and showing is not draws.FAKE_G:', COMBINED,
    ),
    Mutant(
        "augmentation in the penalty between", STEP,
        "return self._networks.logits(images, labels, now.dropout(draws.BETWEEN), training=True)[",
        "return self._logits(images, labels, now, draws.BETWEEN)[", COMBINED,
    ),
    Mutant(
        "R1 at images without augmentation", STEP,
        "of_real=lambda images: self._logits(images, labels, now, draws.REAL_D)[0]",
        "of_real=plain", COMBINED,
    ),
    Mutant(
        "labels of generated images in the penalty between", STEP,
        "self._networks.logits(images, labels, now.dropout(draws.BETWEEN)",
        "self._networks.logits(images, fake_labels, now.dropout(draws.BETWEEN)", COMBINED,
    ),
    Mutant(
        "labels of real images in R2", STEP,
        "of_fake=lambda images: self._logits(images, fake_labels,",
        "of_fake=lambda images: self._logits(images, labels,", COMBINED,
    ),
    Mutant(
        "averaged before the update", STEP, _APPLY + _AVERAGE, _AVERAGE + _APPLY,
    ),
    Mutant(
        "averages that do not ramp", AVERAGES,
        "tf.minimum(decay, (1.0 + done) / (_RAMP + done))", "decay",
    ),
    Mutant(
        "averages without statistics", AVERAGES,
        "if variable.trainable or not measured", "if variable.trainable",
    ),
    Mutant(
        "measured statistics of the last batch", AVERAGES,
        "number / (number + 1)", "0.0", COMBINED,
    ),
    Mutant("noise that does not fade", STEP, " * batches.fading[done]", ""),
    Mutant(
        "the probability of augmentation falls where it should rise", STEP,
        'sure - settings["augment_target"]', 'settings["augment_target"] - sure', COMBINED,
    ),
    Mutant(
        "a relativistic discriminator judged by its sign", STEP,
        "fake if self.loss.compares else self.loss.border", "self.loss.border", COMBINED,
    ),
    Mutant("the first step's rate in all steps", STEP, "batches.rates[done]", "batches.rates[0]"),
    Mutant(
        "schedules restart with each call", GAN,
        "schedules.rates(start,", "schedules.rates(0,",
    ),
    Mutant(
        "labels of generated images smoothed to below 0", LOSSES,
        "loss.errors(fake, most * shares[1])", "loss.errors(fake, -most * shares[1])",
    ),
    Mutant(
        "the same dropout in all layers", LAYERS,
        "draws.folded(draw, self._number)", "draws.folded(draw, 0)",
    ),
    Mutant(
        "the same dropout for real and generated images", DRAWS,
        "Showing(number * _APART, (number + 1) * _APART, (number + 2) * _APART)",
        "Showing(number * _APART, (number + 1) * _APART, 7 * _APART)",
    ),
    Mutant(
        "the generator's step against the next real images", STEP,
        "self._batch(batches, end - 1, done)",
        "self._batch(batches, done * d_iter, done)",
        f"{UPDATES} -k r3gan",
    ),
    Mutant(
        "dragan's noise for each image alone", PENALTIES,
        "tf.math.reduce_std(update.real)", "tf.math.reduce_std(update.real, [1, 2, 3], True)",
        f"{UPDATES} -k dragan",
    ),
    Mutant(
        "a hyperparameter that does not apply is used", "models/base.py",
        "values = cls.meaningful(hyperparameters)", "values = dict(hyperparameters)",
        f"{FACTORS} -k no_meaning",
    ),
    # balance
    Mutant(
        "the network that is behind is not updated", STEP,
        'ahead = self._accuracy > settings["balance"]',
        'ahead = self._accuracy < settings["balance"]', f"{UPDATES} -k ahead",
    ),
    Mutant(
        "the generator's limit is the discriminator's", STEP,
        'ahead = self._accuracy < 1.0 - settings["balance"]',
        'ahead = self._accuracy < settings["balance"]', f"{UPDATES} -k ahead",
    ),
    Mutant(
        "accuracy only on generated images", STEP,
        "correct = [real > self.loss.border, fake < self.loss.border]",
        "correct = [fake < self.loss.border]", f"{UPDATES} -k ahead",
    ),
    Mutant(
        "a border at 0 for least squares too", STEP,
        "correct = [real > self.loss.border, fake < self.loss.border]",
        "correct = [real > 0.0, fake < 0.0]", f"{UPDATES} -k adaptive",
    ),
    # attributes
    Mutant(
        "no scale where no attribute is set", LAYERS,
        "gamma = 1.0 + gamma", "gamma = gamma", f"{ATTRIBUTES} Networks",
    ),
    Mutant(
        "a softmax over attributes", LOSSES,
        "tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)",
        "tf.nn.softmax_cross_entropy_with_logits(labels, logits)", f"{ATTRIBUTES} Networks",
    ),
    Mutant(
        "attributes in turn on other latent vectors", "models/training/trainer.py",
        "tf.gather(z, np.arange(count) // len(classes))", "z", f"{ATTRIBUTES} Generator",
    ),
    Mutant(
        "CelebA's -1 read as 1", "autogan/data/label_file.py",
        '"-1": "-"', '"-1": "1"', "tests/test_label_file.py",
    ),
    # evolution
    Mutant(
        "all children of one parent", EVOLUTION,
        "parent, mutation = child // len(MUTATIONS),", "parent, mutation = child * 0,", GENERATIONS,
    ),
    Mutant(
        "least squares of the logit", EVOLUTION,
        "tf.sigmoid(logits) - 1.0", "logits - 1.0", GENERATIONS,
    ),
    Mutant(
        "the least fit survive", EVOLUTION,
        "tf.math.top_k(_sum(quality,", "tf.math.top_k(-_sum(quality,", GENERATIONS,
    ),
    Mutant(
        "diversity only of generated images", EVOLUTION,
        "global_norm([a + b for", "global_norm([b for", GENERATIONS,
    ),
    Mutant(
        "a large gradient is fit", EVOLUTION,
        "-tf.math.log(norm + _TINY)", "tf.math.log(norm + _TINY)", GENERATIONS,
    ),
    Mutant(
        "survivors with the same z", EVOLUTION,
        "own = now.of(number, self._survivors)", "own = now", GENERATIONS,
    ),
    Mutant(
        "batch statistics of survivors forgotten", EVOLUTION,
        "            self._keep(self._parents, number, weights=True)", "            pass",
        GENERATIONS,
    ),
    Mutant(
        "the crossover learns the worse images", EVOLUTION,
        "merits[0] > merits[1]", "merits[0] < merits[1]", GENERATIONS,
    ),
    Mutant(
        "images compared with themselves", EVOLUTION,
        "for shift in range(1, _PAIRINGS + 1)", "for shift in range(_PAIRINGS)", GENERATIONS,
    ),
    # classes
    Mutant(
        "real images with labels of another walk", GAN,
        "labels=labels(REAL, d_size)", "labels=labels(LABELS_D, d_size)", f"{UPDATES} -k cgan",
    ),
    Mutant(
        "CGAN: generated images judged with the real images' labels", STEP,
        "self._logits(fake, fake_labels, now,", "self._logits(fake, labels, now,",
        f"{UPDATES} -k cgan",
    ),
    Mutant(
        "the generator's labels from the discriminator's", STEP,
        "batches.g_labels[of_g]", "batches.d_labels[of_g]",
        f"{UPDATES} -k cgan",
    ),
    Mutant(
        "the generator's labels from the discriminator's walk", GAN,
        "g_labels=labels(LABELS_G, g_size)", "g_labels=labels(LABELS_D, g_size)",
        f"{UPDATES} -k cgan",
    ),
    Mutant(
        "ACGAN: generated images with the real images' labels", STEP,
        "class_error(fake_classes, fake_labels)", "class_error(fake_classes, labels)",
        f"{UPDATES} -k acgan",
    ),
    Mutant(
        "ACGAN: class_weight ignored", STEP,
        'settings["class_weight"] * error', "error", f"{UPDATES} -k acgan",
    ),
    Mutant(
        "ACGAN: class_weight instead of generator_class_weight", STEP,
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
        "LSGAN with another loss", "models/types/lsgan.py",
        '"least_squares"', '"non_saturating"', f"{UPDATES} -k lsgan",
    ),
    Mutant(
        "WGAN: the generator's loss negated", LOSSES,
        "return _tfgan.wasserstein_generator_loss(fake)",
        "return -_tfgan.wasserstein_generator_loss(fake)",
        f"{UPDATES} -k wgan",
    ),
    Mutant(
        "WGAN-GP: penalty between real images", PENALTIES,
        "update.alpha * (update.fake - update.real)", "update.alpha * (update.real - update.real)",
        f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: penalty_weight ignored", STEP,
        'settings["penalty_weight"] * self._interval', "self._interval", f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: one alpha for a batch", STEP,
        "[self._batch_size, 1, 1, 1]", "[1, 1, 1, 1]", f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: one alpha for each pixel", STEP,
        "[self._batch_size, 1, 1, 1]", "tf.shape(real)",
        f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: alpha from the stream of z", STEP,
        "now.draw(draws.ALPHA)", "now.draw(draws.LATENT_D)",
        f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: norms below 1 not penalised", PENALTIES,
        "tf.square(_norm(update.plain, _between(update)) - 1.0)",
        "tf.square(tf.nn.relu(_norm(update.plain, _between(update)) - 1.0))",
        f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "WGAN-GP: a norm for each channel", PENALTIES,
        "axis=[1, 2, 3]", "axis=[1, 2]", "tests/test_losses.py -k penalties_of",
    ),
    Mutant(
        "WGAN-GP: a critic with normalisation", "models/types/wgan_gp.py",
        '"discriminator_norm": "none"', '"discriminator_norm": "batch"', f"{UPDATES} -k wgan_gp",
    ),
    Mutant(
        "BEGAN: an auto-encoder that ends with a tanh", "models/networks/autoencoders.py",
        'decoded = layers.Conv2DTranspose(shape.channels, 4, 2, "same")(x)',
        'decoded = layers.Conv2DTranspose(shape.channels, 4, 2, "same", activation="tanh")(x)',
        "tests/test_models.py -k ends_linear",
    ),
    Mutant(
        "BEGAN: no root of the mean square", "models/networks/autoencoders.py",
        'if error == "rms" else square', 'if error == "l2" else square',
        "tests/test_models.py -k says_its_error",
    ),
    Mutant(
        "BEGAN: k from exchanged errors", STEP,
        "self.loss.updated(real_logits, fake_logits, settings)",
        "self.loss.updated(fake_logits, real_logits, settings)",
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
        "        self.d_optimizer.reset()\n", "", f"{MODELS} -k same_seed",
    ),
    Mutant(
        "BEGAN: k keeps its value from seed to seed", STEP,
        "self.loss.variables[name].assign(start)", "pass", "tests/test_losses.py -k k_is_part",
    ),
    Mutant(
        "one collapsed evaluation is enough", TRIAL, "trial.evaluations[-2:]] == [True, True]",
        "trial.evaluations[-1:]] == [True]", TRIALS,
    ),
    Mutant(
        "a collapsed evaluation has a value", TRIAL,
        "counts = not collapsed and objective.counts(scores, labels)",
        "counts = objective.counts(scores, labels)", TRIALS,
    ),
    Mutant(
        "the first steps may count as a collapse", TRIAL,
        "(variety.collapsed or faded) and not _beginning(step, steps)", "variety.collapsed", TRIALS,
    ),
    Mutant(
        "a criterion that does not decide must be finite", TRIAL,
        "evaluator.score(features, (search or config).deciding())", "evaluator.score(features)",
        f"{TRIALS} -k nan",
    ),
    Mutant(
        "only the first of several criteria decides", TRIAL, "(search or config).deciding()",
        "config.deciding()", f"{TRIALS} -k decides",
    ),
    Mutant(
        "time in earlier runs does not count", TRIAL,
        "if before + time.monotonic() - started >= limit", "if time.monotonic() - started >= limit",
        f"{TRIALS} -k out_of_time",
    ),
    Mutant(
        "a dead trial's value counts", "search/history.py",
        "return None if self.dead else self.value", "return self.value", OUTCOMES,
    ),
    Mutant(
        "a dead trial moves the ranges of a scaled sum", "autogan/decisions/tally.py",
        "if not (trial.confirms or trial.dead)]", "if not trial.confirms]", OUTCOMES,
    ),
    Mutant(
        "a trial out of time never resumes", LOOP,
        "(not limit or trial.seconds < 60 * limit)", "False", OUTCOMES,
    ),
    Mutant(
        "collapsed trials end as complete", TRIAL, "(_collapsed(trial) or best is None)",
        "best is None", TRIALS,
    ),
    Mutant("only identical images are the same", VARIETY, "_SAME = 0.1", "_SAME = 0.0", VARIETIES),
    Mutant("pale images are judged", VARIETY, "_FLAT <= self.contrast < _PALE", "False", VARIETIES),
    Mutant("a share of a hundredth counts as few", VARIETY, "_FEW = 0.1", "_FEW = 0.01", VARIETIES),
    Mutant("only the nearest image covers", NEAR, "NEAREST = 5  #", "NEAREST = 1  #", VARIETIES),
    # several workers, proposals, and the record
    Mutant(
        "steps out of a range stop at its end", "search/cube.py",
        "inside = 1 - abs(1 - place[0] % 2)", "inside = min(max(place[0], 0.0), 1.0)",
        f"{METHODS} -k reflected",
    ),
    Mutant(
        "a range is the same under every value of the choice that decides", "search/cube.py",
        "return str(point.get(dimension.by, \"\"))", "return \"\"", f"{METHODS} -k other_value",
    ),
    Mutant(
        "points may lie outside of the range under another value", "search/space.py",
        "return inside and (self", "return (self", f"{METHODS} -k other_value",
    ),
    Mutant(
        "the good points that gp starts from may be the same", "search/gp.py",
        "list({key(t.params): t.params for t in known if t.worth is not None}.values())",
        "[t.params for t in known if t.worth is not None]", f"{METHODS} -k parents",
    ),
    Mutant(
        "gp proposes points next to those that were tried", "search/gp.py",
        "gains[~_apart(tried, cube.places(left))] = -1.0", "pass", f"{METHODS} -k loses_its_way",
    ),
    Mutant(
        "a lucky point is recommended", REPEATS, "(_outlook(each).cautious, each.first.number)",
        "(_outlook(each).hopeful, each.first.number)", POINTS,
    ),
    Mutant(
        "the expected value ignores deaths", MODEL,
        "expected=survival * mean + (1 - survival) * self._worst", "expected=mean", POINTS,
    ),
    Mutant(
        "survival is learned only from dead trials", MODEL,
        "0.0 if t.dead else 1.0 if t.whole else _different(t)", "0.0", POINTS,
    ),
    Mutant(
        "little variety does not predict death", MODEL,
        "0.0 if t.dead else 1.0 if t.whole else _different(t)", "float(not t.dead)", THAW,
    ),
    Mutant(
        "a stopped trial is judged like a new trial of its point", MODEL,
        "where = [self._where(trial.params, training=trial.number) for trial in trials]",
        "where = [self._where(trial.params) for trial in trials]", THAW,
    ),
    Mutant(
        "a new point is never better than a stopped trial", THAWING,
        "return best if gains.max() >= fresh.max() else None", "return best", THAW,
    ),
    Mutant(
        "at the end all stopped trials resume", THAWING,
        "return best if not ended or gains.max() > LOST * model.luck else None",
        "return best", THAW,
    ),
    Mutant(
        "trials of further seeds resume", THAWING,
        "for trial in first_seeds\n", "for trial in history.trials\n", THAW,
    ),
    Mutant(
        "no rule sees further seeds", "autogan/decisions/asking.py",
        "tally.history() if self._rule.sees_seeds else tally.first_seeds()",
        "tally.first_seeds()", THAW,
    ),
    Mutant(
        "evaluations take no time", "autogan/run/pace.py",
        "seconds - EVALUATIONS * evaluation, step", "seconds, step", "tests/test_time.py",
    ),
    Mutant(
        "several workers count as one in the time budget", "autogan/run/pace.py",
        "run.time * run.workers", "run.time", "tests/test_time.py",
    ),
    Mutant(
        "seeds of a point share no more than their neighbours", "search/process.py",
        "self.field * smooth + self.point * points + self.training * trainings",
        "self.field * smooth + self.training * trainings", POINTS,
    ),
    Mutant(
        "each evaluation of a curve counts as a seed", "search/process.py",
        "self.field * smooth + self.point * points + self.training * trainings",
        "self.field * smooth + self.point * points", POINTS,
    ),
    Mutant(
        "the race's budget has no limit", REPEATS, "if further >= share * sum(",
        "if False and further >= share * sum(", POINTS,
    ),
    Mutant(
        "the race's share does not depend on the noise", REPEATS,
        "min(_SHARE, _PER_NOISE * model.noise)", "_SHARE", POINTS,
    ),
    Mutant(
        "two seeds of a point run at the same time", REPEATS,
        "and all(t.state is not State.RUNNING for t in each.trials)", "", POINTS,
    ),
    Mutant(
        "a dead seed counts with its value before", REPEATS, "worst if t.dead else t.worth",
        "t.value if t.dead else t.worth", "tests/test_winners.py -k other_methods",
    ),
    Mutant(
        "results count as they arrive", "autogan/run/loop.py",
        "if not stop.pressed and event.trial == self._next_to_count():", "if True:", PARALLEL,
    ),
    Mutant(
        "results count after Ctrl-C", "autogan/run/loop.py",
        "if not stop.pressed and event.trial == self._next_to_count():",
        "if event.trial == self._next_to_count():", f"{PARALLEL} --slow -k interrupted_anywhere",
    ),
    Mutant(
        "every trial starts at time 0", "autogan/decisions/clock.py",
        "self._at[number] = self._now, before", "self._at[number] = 0.0, before",
        "tests/test_clock.py",
    ),
    Mutant(
        "a stopped trial's end is due with its next evaluation", "autogan/decisions/clock.py",
        "if not answer and len(trial.evaluations) > trial.revived:", "if False:",
        "tests/test_clock.py",
    ),
    Mutant(
        "a trial resumed after a stop is due at once", "autogan/decisions/clock.py",
        "if not answer and len(trial.evaluations) > trial.revived:", "if not answer:",
        "tests/test_clock.py",
    ),
    Mutant(
        "a worker whose result has not counted gets another trial", "autogan/run/loop.py",
        "self._engine.free() > ended", "self._engine.free() > 0", f"{PARALLEL} -k early",
    ),
    Mutant(
        "a worker that waits for its answer is silent", "autogan/pool/workers.py",
        "worker.job is not None and worker.job.asked is None", "worker.job is not None",
        "tests/test_pool.py",
    ),
    Mutant(
        "a trial waits although no worker is left for it", "autogan/pool/pool.py",
        "if len(self._waiting) > len(self._idle()):", "if False:",
        "tests/test_pool.py",
    ),
    Mutant(
        "the answer is computed again when an evaluation is repeated", LOOP,
        "return self._decisions.goes_on(number) if recorded is None else recorded",
        "return self._decisions.goes_on(number)", f"{PARALLEL} -k recorded_answer",
    ),
    Mutant(
        "an answer is computed before its evaluation counts", "autogan/record/ledger.py",
        "self.take_in(line)\n        try:\n            answered = line.answered(answer())\n",
        "try:\n            answered = line.answered(answer())\n            self.take_in(line)\n",
        f"{PARALLEL} -k every_answer",
    ),
    Mutant(
        "the best few are chosen while others still run for the first time", DECISIONS,
        "if not first_run and (step := self._revived", "if (step := self._revived",
        f"{PARALLEL} -k best_few",
    ),
    Mutant(
        "the confirmation starts while the search runs", DECISIONS,
        " or any(not t.confirms for t in self._ledger.unfinished()):\n            return ended",
        ":\n            return ended", f"{PARALLEL} -k confirmation_begins",
    ),
    Mutant(
        "an unproven worker's failure is its trial's", POOL,
        'doubtful = cause == "itself" and not worker.proven and others', "doubtful = False", POOLS,
    ),
    Mutant(
        "an answer reaches all workers", POOL,
        "if worker.job is not None and worker.job.trial == trial:", "if worker.job is not None:",
        POOLS,
    ),
    Mutant(
        "a call drops messages of other workers", POOL,
        "self._later.append(heard)", "pass", POOLS,
    ),
    Mutant(
        "a worker that has not joined is given a trial", POOL,
        "joined = self._join is None or worker.environment is not None", "joined = True", POOLS,
    ),
    Mutant("messages of a dead process count", POOL, "worker.life == life", "True", POOLS),
    Mutant(
        "the pool waits for a trial that does not save", POOL, "now > self._saved_by", "False",
        POOLS,
    ),
    Mutant(
        "the pool waits for a trial that has nothing to save", POOL,
        "if worker.job.heard:", "if True:", POOLS,
    ),
    Mutant(
        "a driver that slept blames its workers", WORKERS,
        "min(now - self._looked, _HELD_UP)", "now - self._looked", POOLS,
    ),
    Mutant("no silence is too long", WORKERS, "limit = _LOST * self._notice()",
           "limit = math.inf", POOLS),
    Mutant(
        "an interrupted worker waits for its answer", "autogan/worker/serve.py",
        "self._answers.put(True)", "pass", "tests/test_engine.py -k answers_a_trial",
    ),
    Mutant(
        "a worker survives a torn line", "autogan/worker/serve.py", "os._exit(0)", "pass",
        "tests/test_engine.py -k ends_with_its_pipe",
    ),
    Mutant("a trial that cannot be recorded runs on", LOOP,
           "del self._running[event.trial]", "pass", LOOPS),
    Mutant("lines are not linked", CHAIN, "link != _hex(following)", "False", RECORD),
    Mutant("a step may come twice", LEDGER, "line.step <= before[-1].step", "False", RECORD),
    Mutant("other writers are not noticed", "autogan/record/file.py",
           "size != self._size or not self._owned()", "False", RECORD),
    Mutant(
        "any answer of a rule is recorded", "autogan/decisions/asking.py",
        "if not isinstance(answer, bool | np.bool_):", "if False:", f"{LOOPS} -k rule",
    ),
    Mutant(
        "a trial's end may record any value", "autogan/decisions/replay.py",
        "not math.isclose(said, found)", "False", PARALLEL,
    ),
    Mutant(
        "a trial can be trained by hand while its search runs", "autogan/record/claim.py",
        "raise in_use(run) from None", "pass", f"{LOOPS} -k Hand",
    ),
    Mutant(
        "importance ignores dead trials", EFFECTS,
        "history.telling if", "history.telling if not trial.dead and", f"{MATTERS} -k dead",
    ),
    Mutant(
        "importance gives dead trials an average value", EFFECTS,
        "values[-1] + (statistics.pstdev(values) or 1.0)", "statistics.mean(values)",
        f"{MATTERS} -k dead",
    ),
    Mutant(
        "a share's interval is its median", EFFECTS,
        "(1 - _INTERVAL) / 2, (1 + _INTERVAL) / 2", "0.5, 0.5", f"{MATTERS} -k shares",
    ),
    Mutant(
        "importance ignores interactions", EFFECTS, "_TOGETHER = 0.3", "_TOGETHER = 0.0",
        f"{MATTERS} -k shares",
    ),
    Mutant(
        "little evidence is enough", EFFECTS, "_TOLD = 0.9", "_TOLD = 0.2",
        f"{MATTERS} -k what_does_nothing",
    ),
    Mutant(
        "further seeds count as points of their own", EFFECTS,
        " if trial.repeats is None", "", PAGES,
    ),
    Mutant(
        "the seeds' noise is that of values", "autogan/report/seeds.py",
        "scale = math.log if factors else float", "scale = float", PAGES,
    ),
    Mutant(
        "a confirmation counts as progress", CHARTS,
        "        if trial.confirms:\n            continue\n", "", PAGES,
    ),
    Mutant(
        "a trial that dies later counts as progress", CHARTS,
        "lost = trial.dead or trial.state is State.FAILED", "lost = False", PAGES,
    ),
    Mutant(
        "the timeline shows idle days", CHARTS, "if stint.began - last > _GAP:", "if False:",
        PAGES,
    ),
    Mutant(
        "all steps cost one update", "autogan/report/view.py",
        "self.paces[number] * max(", "max(", PAGES,
    ),
    Mutant("attributes are not escaped", SVG, "escape(_plain(value))", "_plain(value)", PAGES),
    Mutant("text is not escaped", SVG, "map(escape, parts)", "map(str, parts)", PAGES),
    Mutant(
        "images cost nothing", "autogan/report/drawing/images.py",
        "self._left -= len(text)", "pass", PAGES,
    ),
    Mutant(
        "searches with different objectives are compared", "autogan/report/comparison.py",
        "if all(_comparable(each, view) for each in group.values()):", "if group:",
        "tests/test_looking.py",
    ),
    Mutant(
        "an incomplete event is read", "autogan/record/events.py",
        "if end + _AFTER > len(data):", "if end > len(data):", "tests/test_training_page.py",
    ),
    Mutant(
        "neighbours on a curve are summed up", "autogan/report/losses.py",
        "sum(value for _, value in s) / len(s)", "sum(value for _, value in s)",
        "tests/test_training_page.py",
    ),
    Mutant(
        "a claim fails while another process looks at the lock", "autogan/record/claim.py",
        "if time.monotonic() < patience:", "if False:", "tests/test_saved.py",
    ),
    # rules of scale, and the search by a smaller copy
    Mutant("a hidden layer's rate depends on its outputs", SCALES,
           "_growth(layer, twin)[0] for", "_growth(layer, twin)[1] for", MUP),
    Mutant("a last layer starts like a hidden one", SCALES,
           "inputs if outputs == 1.0 else math.sqrt(inputs)", "math.sqrt(inputs)", MUP),
    Mutant("growing convolutions are read the wrong way round", SCALES,
           "return (outputs, inputs) if", "return (inputs, outputs) if", MUP),
    Mutant("class vectors learn like an input layer", SCALES,
           "return (outputs, 1.0) if", "return (inputs, outputs) if", MUP),
    Mutant("all layers learn at one rate", OPTIMIZERS,
           "settings if rate == 1.0 else own", "settings", MUP),
    Mutant("the proxy passes on its worst points", TALLY,
           "standings = self.standings()[:top]", "standings = self.standings()[-top:]", PROXY),
    Mutant("the proxy's minutes are not counted", "autogan/decisions/budget.py",
           "self._before + seconds", "seconds", PROXY),
    Mutant("the proxy may use all minutes", "autogan/config/proxy.py",
           "SEARCHED * config.max_minutes", "config.max_minutes", PROXY),
    Mutant("a proxy's dense layers stay as wide", "autogan/config/proxy.py",
           'round(width * value / full["width"])', "round(value)", PROXY),
    Mutant("the proxy's choice is not checked", "autogan/decisions/replay.py",
           "if found != chosen[name]:", "if False:", PROXY),
    Mutant("stopping rules stop full trainings too", "autogan/config/searching.py",
           "return None if self.proxy is not None else self.stopping", "return self.stopping",
           PROXY),
    Mutant("workers learn from one trial each", "autogan/config/searching.py",
           "(trials or ADVISED_TRIALS) // _TRIALS_PER_WORKER", "(trials or ADVISED_TRIALS)",
           PARALLEL),
    Mutant("an evaluation that breaks the constraint has a value", TRIAL,
           "counts = not collapsed and objective.counts(scores, labels)",
           "counts = not collapsed", TRIALS),
    # copies, and shares of good images
    Mutant("authenticity by the second neighbour", COPYING,
           "real.nearest[places, 0]", "real.nearest[places, 1]", COPIES),
    Mutant("copying is rewarded", COPYING,
           "return (u - n * m / 2)", "return (n * m / 2 - u)", COPIES),
    Mutant("outliers have balls of any size", CLIPPED,
           "radii = np.minimum(radii, np.median(radii))", "pass", COPIES),
    Mutant("a real image counts its own ball", CLIPPED, "own=1", "own=0", COPIES),
    Mutant("coverage stays on its own scale", CLIPPED,
           "np.interp(covered, expected, np.arange(made + 1) / made)", "covered", COPIES),
    # values and their errors, published statistics, weights of others
    Mutant("defaults that a search found are not compared with", "autogan/show/verdict.py",
           "if each.params == found)", "if False)", "tests/test_winners.py -k found"),
    Mutant("a value of some sets of latent vectors stands for all", SCORING,
           "_with_sum(run, evaluator, means, count)",
           "_with_sum(run, evaluator, {**first, **means}, count)", JUDGED),
    Mutant("a second search takes the folder of the first", "autogan/run/opening.py",
           "if free == run.run_dir:", "if True:", "tests/test_run_dir.py"),
    Mutant("points under fresh seeds come last", "autogan/show/standings.py",
           "[*first, *((point, None) for point in own.values())]",
           "[*((point, None) for point in own.values()), *first]",
           "tests/test_winners.py -k fresh"),
    Mutant("a winner that may be luck has its ranges widened", "autogan/show/advice.py",
           "if result.confirmed and not", "if False and not", "tests/test_winners.py -k luck"),
    Mutant("best.yaml forgets the fresh seeds", "autogan/run/winner.py",
           "if fresh is not None:", "if False:", "tests/test_winners.py -k fresh"),
    Mutant("all sets of latent vectors are the same", SCORING,
           "+ number * _APART", "", JUDGED),
    Mutant("the spread covers only the first value", SCORING,
           "np.std(each, ddof=1)", "0.0", JUDGED),
    Mutant("a generator's value is that of the first set of latent vectors", SCORING,
           "float(np.mean(each)) for", "each[0] for", JUDGED),
    Mutant("fewer generated images are all of them", SCORING,
           "[_some(each, few) for each in sets]", "sets", JUDGED),
    Mutant("many images are scored though the user gave a number", SCORING,
           "few = run.generated is None and", "few =", JUDGED),
    Mutant("a classifier learns with the threads at hand", CLASSIFIER,
           "own == 2 * (recipe.threads,)", "own", "tests/test_classifier.py"),
    Mutant("trainings without a criterion keep the first generator", "search/history.py",
           "in reversed(evaluations) if not e.collapsed", "in evaluations if not e.collapsed",
           "tests/test_trial.py"),
    Mutant("a dataset without test images has no halves", SCORING,
           "{} if run.reference_statistics else _halves(evaluator)", "{}", JUDGED),
    Mutant("the number of generated images is that of real ones", "criteria/evaluator.py",
           "self.generated = generated or self.samples", "self.generated = self.samples", JUDGED),
    Mutant("the floor is of the training images", "criteria/evaluator.py",
           "order[:known]), every.rows(order[known:])", "order[:known]), every.rows(order[:known])",
           "tests/test_features.py -k Floor"),
    Mutant("published statistics are those of the dataset", "criteria/evaluator.py",
           "published.moments if published else _real_moments", "_real_moments",
           "tests/test_published.py"),
    Mutant("published statistics of any network are accepted", "criteria/published.py",
           "if self.weights not in (\"\", weights):", "if False:", "tests/test_published.py"),
    Mutant("values within the noise of the floor count as better than it", "autogan/show/judged.py",
           "floor - 2 * spread", "floor", "tests/test_winners.py"),
    Mutant("a file of weights may call any name", "criteria/networks/torch_file.py",
           'if f"{module}.{name}" not in known:', "if False:", "tests/test_efficientnet.py"),
    Mutant("strides halve the wrong blocks", "criteria/networks/efficientnet.py",
           "1 if block else step", "step if block else 1", "tests/test_efficientnet.py"),
    Mutant("weights with a wrong hash are accepted", "criteria/networks/weights.py",
           "if hashlib.sha256(data).hexdigest() != _EFFICIENTNET_SHA256:", "if False:",
           "tests/test_weights.py"),
    Mutant("classes are not kept apart", "criteria/class_fid.py",
           "generated.pool[generated.labels == label]", "generated.pool",
           "tests/test_class_fid.py"),
    Mutant("half-bad images give no warning", VARIETY,
           "min(self.coverage, self.good) < _POOR", "self.coverage < _POOR", VARIETIES),
    # exports
    Mutant(
        "an exported generator is not compared with the original", "models/formats/base.py",
        "if not difference <= allowed:", "if False:", EXPORT,
    ),
    Mutant(
        "an export keeps no variables of a first stage", "models/formats/savedmodel.py",
        "list(concrete.variables)", "list(made.trainer.variables.values())", EXPORT,
    ),
    Mutant(
        "an export goes before the batch statistics are measured", "models/formats/base.py",
        "        ours: npt.NDArray[Any] = made.trainer.generate(latents)\n",
        "        self.write(made, path)\n        ours: npt.NDArray[Any] = "
        "made.trainer.generate(latents)\n        return 0.0\n", EXPORT,
    ),
    Mutant(
        "a card shows the folders of the machine", "autogan/show/card.py",
        'if not n.endswith(("_dir", "_dirs"))', "if n", EXPORT,
    ),
    Mutant(
        "class weights are not normalised", "autogan/worker/generator.py",
        "np.tile(weights / weights.sum(), (count, 1))", "np.tile(weights, (count, 1))", GENERATOR,
    ),
    Mutant(
        "images are written to the folders of other classes", "autogan/making.py",
        "{folders[n]}/", "{folders[-1 - n]}/", GENERATOR,
    ),
    Mutant(
        "a training that should resume starts again", "autogan/worker/trial.py",
        "    if trial.dead:  # other trials can be trained longer\n", "    if True:\n", LONGER,
    ),
    Mutant(
        "a search keeps the states of all trainings", "autogan/run/loop.py",
        "        self._drop_states(range(len(self._ledger.trials)), kept)\n", "", LONGER,
    ),
    Mutant(
        "a resumed training loads any SavedModel that its file names", "autogan/run/longer.py",
        ", loads_features=True)", ")", LONGER,
    ),
    Mutant(
        "an archive may write outside its folder", "autogan/data/archive.py",
        'path.is_absolute() or ".." in parts or', 'path.is_absolute() or', ONE_FILE,
    ),
    Mutant(
        "a changed archive is not read again", "autogan/data/archive.py",
        "/{found.st_size}/{found.st_mtime_ns}", "", ONE_FILE,
    ),
    Mutant(
        "a foreign page may request images under its own name", "autogan/play/server.py",
        'if not self.server.is_for_us(self.headers.get("Host", "")):', "if False:", PLAY,
    ),
    Mutant(
        "names in the page are not escaped", "autogan/play/server.py",
        "<span>{html.escape(name)}</span>", "<span>{name}</span>", PLAY,
    ),
]  # fmt: skip


def main() -> int:
    """Try the mutants whose description contains the arguments."""
    wanted = [mutant for mutant in MUTANTS if " ".join(sys.argv[1:]) in mutant.what]
    if not wanted:
        print("no mutant's description contains that")
        return 1
    survived = 0
    with tempfile.TemporaryDirectory() as place:
        packages = laid_out(Path(place))
        suites = {mutant.tests for mutant in wanted}
        parts = {tests for tests in suites if tests.partition(" ")[0] in suites - {tests}}
        for tests in sorted(suites - parts):
            if (code := pytest(place, tests)) != 0:
                print(f"pytest {tests} exits with {code} without any mutant")
                return 1
        for mutant in wanted:
            verdict, seconds = tried(mutant, Path(place), packages)
            survived += verdict != "killed"
            print(f"{verdict:8}  {seconds:3.0f} s  {mutant.what}", flush=True)
    print(f"{len(wanted) - survived} killed, {survived} survived")
    return 1 if survived else 0


def laid_out(place: Path) -> dict[str, Path]:
    """Copy package and tests to a folder, as installed; return the new path of each folder."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    (mapping,) = (n.value for n in tree.body if isinstance(n, ast.Assign))
    packages = {}
    for package, folder in ast.literal_eval(mapping).items():
        packages[folder] = place / package.replace(".", "/")
        packages[folder].mkdir()
        for file in (ROOT / folder).iterdir():
            if file.is_file():
                shutil.copy(file, packages[folder])
    for folder in ("tests", "scripts"):  # some tests run scripts
        shutil.copytree(ROOT / folder, place / folder)
    shutil.copy(ROOT / "pyproject.toml", place)
    return packages


def tried(mutant: Mutant, place: Path, packages: dict[str, Path]) -> tuple[str, float]:
    """Test a mutant; return the verdict and the seconds it took."""
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
    # 1 means that tests failed; other codes mean that none ran.
    verdict = {0: "SURVIVED", 1: "killed"}.get(code, f"PYTEST {code}")
    return verdict, time.monotonic() - begin


def pytest(place: str, tests: str) -> int:
    """The exit code of tests in a folder whose package takes precedence over any installed one.

    Tests that hang count as failed.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests.split()]
    # Bytecode is identified by size and second: a mutant may share both with the one before it.
    changes = {"PYTHONPATH": place, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(
            command,
            cwd=place,
            env={**os.environ, **changes},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
        ).returncode
    except subprocess.TimeoutExpired:
        return 1


if __name__ == "__main__":
    sys.exit(main())
