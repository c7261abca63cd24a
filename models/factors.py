"""The factors of a GAN: every hyperparameter there is, with its default and default search space.

`autogan.models.types.gan.GAN` offers all of them; other types fix some. Defaults here are those of
the plain game, without a penalty, averages or a norm in the discriminator. The type `gan` has its
own (`autogan.models.types.gan`), R1 among them.
"""

from collections.abc import Mapping
from dataclasses import replace

from autogan.core.hyperparameters import Hyperparameter, Value, conditions, met

_BESIDE_IMAGES = ("gradient_norm", "one_sided", "zero_centred", "dragan")
GRADIENT_PENALTIES = (*_BESIDE_IMAGES, "r1", "r2", "r1_r2")
_WITH_TARGETS = ("non_saturating", "minimax", "least_squares")
_WITH_A_SIGN = (*_WITH_TARGETS, "hinge", "relativistic", "relativistic_average")
_POLICIES = ("color", "translation", "cutout", "translation+cutout", "all")
_NORMALISED = (
    "auto", "infogan", "strided", "sndcgan", "resnet", "resnet5", "igan", "igan_v2", "mlp",
)  # fmt: skip
_PLAIN = ("auto", "infogan", "strided", "sndcgan")  # whose generators double by themselves
_MUCH_L2 = 0.1  # ten times the largest usual weight
_ENDING = ("linear", "polynomial", "cosine", "inverse")

_TRAINING = (
    Hyperparameter(
        "learning_rate", "scale", 2e-4,
        "step size of both networks' optimizers",
        low=1e-7, high=1.0, search=(1e-4, 2e-4, 5e-4, 1e-3, 2e-3),
    ),
    Hyperparameter(
        "generator_lr_scale", "scale", 1.0,
        "the generator's learning rate as a multiple of learning_rate",
        low=1e-3, high=1e3,
    ),
    Hyperparameter(
        "d_iter", "count", 1,
        "discriminator updates before each generator update",
        low=1, high=100, search=(1, 2, 5),
    ),
    Hyperparameter(
        "optimizer", "choice", "adam",
        "how gradients become updates",
        choices=("adam", "rmsprop", "sgd"), shape=True,
    ),
    Hyperparameter(
        "beta1", "share", 0.5,
        "decay of Adam's running mean of gradients (others have none)",
        low=0.0, high=0.999, search=(0.0, 0.5, 0.9), under={"optimizer": ("adam",)},
    ),
    Hyperparameter(
        "beta2", "share", 0.999,
        "decay of the running mean of squared gradients, in Adam and in RMSProp",
        low=0.0, high=0.99999, under={"optimizer": ("adam", "rmsprop")},
    ),
    Hyperparameter(
        "batch_size", "size", 64,
        "images in a batch of each network",
        low=2, high=4096, shape=True,
    ),
    Hyperparameter(
        "z_dim", "size", 128,
        "length of the latent vector, drawn from a standard normal distribution",
        low=1, high=4096, shape=True,
    ),
)  # fmt: skip

_NETWORKS = (
    Hyperparameter(
        "architecture", "choice", "auto",
        "infogan (two convolutions and a dense layer), strided (DCGAN's pyramid), sndcgan, resnet "
        "(SNGAN's residual blocks), resnet5 (compare_gan's, deeper), r3gan (residual, without "
        "normalisation), igan (over-complete), igan_v2 (deeper, with branches) or mlp (the first "
        "GAN's, dense layers alone); auto is infogan below 32 pixels, strided from there on",
        choices=(
            "auto", "infogan", "strided", "sndcgan", "resnet", "resnet5", "r3gan", "igan",
            "igan_v2", "mlp",
        ),
        shape=True,
    ),
    Hyperparameter(
        "upsampling", "choice", "transposed",
        "how generators of plain convolutions double an image: by transposed convolutions, by "
        "repeating pixels before a convolution (nearest), or by four times the filters, laid out "
        "side by side (pixel_shuffle)",
        choices=("transposed", "nearest", "pixel_shuffle"), shape=True,
        under={"architecture": _PLAIN},
    ),
    Hyperparameter(
        "width", "size", 64,
        "filters of the convolution nearest the image; deeper ones are multiples of it (mlp: none)",
        low=1, high=1024, shape=True,
    ),
    Hyperparameter(
        "dense_width", "size", 1024,
        "units of the dense layers of infogan and mlp",
        low=1, high=8192, shape=True, under={"architecture": ("auto", "infogan", "mlp")},
    ),
    Hyperparameter(
        "depth", "count", 0,
        "transposed convolutions of strided's generator, and convolutions of its discriminator; 0 "
        "takes as many as lead from at most 4 pixels to the image",
        low=0, high=8, shape=True, under={"architecture": ("strided",)},
    ),
    Hyperparameter(
        "parametrisation", "choice", "standard",
        "first weights and learning rates of the layers: the same rates for all (standard), or "
        "rates that keep their meaning when width and dense_width change (mup)",
        choices=("standard", "mup"), shape=True,
    ),
)  # fmt: skip

_GAME = (
    Hyperparameter(
        "loss", "choice", "non_saturating",
        "what the networks minimise",
        choices=(*_WITH_A_SIGN, "wasserstein"),
        search=("non_saturating", "least_squares", "wasserstein", "hinge"), shape=True,
    ),
    Hyperparameter(
        "discriminator_norm", "choice", "none",
        "normalisation in the discriminator: of activations over the batch or each image (layer), "
        "or of each kernel by its largest singular value (spectral)",
        choices=("none", "batch", "layer", "spectral"),
        search=("none", "batch", "layer", "spectral"), shape=True,
        under={"architecture": _NORMALISED},
    ),
    Hyperparameter(
        "penalty", "choice", "none",
        "what is added to the discriminator's loss: a function of its gradient between real and "
        "generated images (gradient_norm, one_sided, zero_centred), around real ones (dragan), at "
        "real and generated ones (r1, r2, r1_r2), or of its weights (l2); clipping limits these",
        choices=("none", *GRADIENT_PENALTIES, "l2", "clipping"),
        search=("none", "gradient_norm", "r1"), shape=True,
    ),
    Hyperparameter(
        "penalty_weight", "scale", 1.0,
        "weight of the penalty: about 10 for a gradient's norm, 0.01 to 10 for r1 and r2, 0.001 "
        "to 0.01 for l2",
        low=1e-4, high=1e4, search=(0.1, 1.0, 10.0),
        under={"penalty": (*GRADIENT_PENALTIES, "l2")},
    ),
    Hyperparameter(
        "penalty_interval", "count", 1,
        "discriminator updates from one with the penalty, as many times as heavy, to the next",
        low=1, high=64, shape=True, under={"penalty": GRADIENT_PENALTIES},
    ),
    Hyperparameter(
        "clip", "scale", 0.01,
        "limit of the critic's weights, biases and normalisation parameters",
        low=1e-4, high=10.0, search=(0.01, 0.03, 0.1), under={"penalty": ("clipping",)},
    ),
    Hyperparameter(
        "generator_norm", "choice", "batch",
        "normalisation in the generator: over the batch, likewise with a scale and a shift for "
        "each class or attribute (conditional), or none",
        choices=("batch", "none", "conditional"), shape=True,
        under={"architecture": _NORMALISED},
    ),
    Hyperparameter(
        "condition", "choice", "none",
        "how images come by their classes or attributes: not at all; both networks are given them "
        "(input); the discriminator tells them (auxiliary), or is given them at its last layer "
        "(projection); or each class has a branch of igan_v2's generator and a discriminator of "
        "its own (branches)",
        choices=("none", "input", "auxiliary", "projection", "branches"), shape=True,
    ),
    Hyperparameter(
        "class_weight", "scale", 1.0,
        "weight of the discriminator's error in telling classes, real and generated",
        low=1e-4, high=1e4, search=(0.5, 1.0, 2.0), under={"condition": ("auxiliary",)},
    ),
    Hyperparameter(
        "generator_class_weight", "scale", 1.0,
        "weight of the same error in the generator's loss",
        low=1e-4, high=1e4, search=(0.1, 1.0), under={"condition": ("auxiliary",)},
    ),
    Hyperparameter(
        "attention", "choice", "none",
        "a block of self-attention in both networks, on their largest feature maps of at most 32 "
        "pixels",
        choices=("none", "self"), shape=True,
    ),
    Hyperparameter(
        "minibatch_stddev", "choice", "none",
        "show the discriminator how much the images of a batch differ, by groups of four",
        choices=("none", "groups"), shape=True,
    ),
)  # fmt: skip

_STABILISERS = (
    Hyperparameter(
        "balance", "share", 0.0,
        "skip a network's updates while it is too far ahead: the discriminator's while it tells "
        "real from generated images with more than this accuracy, the generator's while it is "
        "wrong as often; 0 skips none",
        low=0.0, high=1.0, switch=True, under={"loss": _WITH_A_SIGN},
    ),
    Hyperparameter(
        "ema", "share", 0.0,
        "decay of the running mean of the generator's weights that images are made with; 0 takes "
        "the weights themselves",
        low=0.0, high=0.99999, switch=True,
    ),
    Hyperparameter(
        "statistics", "choice", "moving",
        "batch statistics that images are made with: a running mean from training (moving), or "
        "measured over 16 batches whenever images are wanted",
        choices=("moving", "measured"), shape=True,
        under={"architecture": _NORMALISED, "generator_norm": ("batch", "conditional")},
    ),
    Hyperparameter(
        "augment", "choice", "none",
        "differentiable augmentation of all images that the discriminator sees; all is "
        "color+translation+cutout",
        choices=("none", *_POLICIES), shape=True,
    ),
    Hyperparameter(
        "augment_probability", "share", 1.0,
        "probability of each augmentation; with augment_target the most that it rises to",
        low=0.0, high=1.0, under={"augment": _POLICIES},
    ),
    Hyperparameter(
        "augment_target", "share", 0.0,
        "let the probability follow the discriminator, so that the mean sign of its logits on real "
        "images is this (0.6 in ADA); 0 keeps the probability",
        low=0.0, high=1.0, switch=True, under={"augment": _POLICIES, "loss": _WITH_A_SIGN},
    ),
    Hyperparameter(
        "label_smoothing", "share", 0.0,
        "the most by which the discriminator's targets are moved from 1 and 0, at random",
        low=0.0, high=0.5, switch=True, under={"loss": _WITH_TARGETS},
    ),
    Hyperparameter(
        "input_noise", "share", 0.0,
        "deviation of noise on all images that the discriminator sees; fades to 0 over a training",
        low=0.0, high=1.0, switch=True,
    ),
    Hyperparameter(
        "dropout", "share", 0.0,
        "share of the discriminator's activations that drop out",
        low=0.0, high=0.9, switch=True,
    ),
    Hyperparameter(
        "generator_dropout", "share", 0.0,
        "share of the generator's activations that drop out in training",
        low=0.0, high=0.9, switch=True,
    ),
    Hyperparameter(
        "schedule", "choice", "constant",
        "how both learning rates change over the whole training",
        choices=("constant", "linear", "polynomial", "cosine", "inverse", "step"),
    ),
    Hyperparameter(
        "schedule_end", "share", 0.0,
        "the learning rate at the training's end as a share of that at its beginning; of inverse, "
        "what it comes near to",
        low=0.0, high=1.0, under={"schedule": _ENDING},
    ),
    Hyperparameter(
        "schedule_power", "scale", 2.0,
        "exponent of what is left of the training",
        low=0.1, high=10.0, under={"schedule": ("polynomial",)},
    ),
    Hyperparameter(
        "schedule_speed", "scale", 1 / 300,
        "k in 1 / (1 + k step)",
        low=1e-6, high=1.0, under={"schedule": ("inverse",)},
    ),
    Hyperparameter(
        "schedule_drops", "count", 3,
        "drops of the learning rate, which cut the training into parts of equal length",
        low=1, high=100, under={"schedule": ("step",)},
    ),
    Hyperparameter(
        "schedule_factor", "share", 0.5,
        "what each drop multiplies the learning rate by",
        low=0.01, high=1.0, under={"schedule": ("step",)},
    ),
)  # fmt: skip

FACTORS: tuple[Hyperparameter, ...] = (*_TRAINING, *_NETWORKS, *_GAME, *_STABILISERS)
DEFAULTS: dict[str, Value] = {h.name: h.default for h in FACTORS}


def narrowed(
    hyperparameters: tuple[Hyperparameter, ...],
    fixed: Mapping[str, Value],
    defaults: Mapping[str, Value],
    candidates: Mapping[str, tuple[Value, ...]],
) -> tuple[Hyperparameter, ...]:
    """The hyperparameters that are left where some are fixed, with other defaults and candidates.

    Those that have no meaning under the fixed values are left out too.
    """
    left: list[Hyperparameter] = []
    declared = {h.name: h for h in hyperparameters}
    for h in hyperparameters:
        if h.name in fixed or not met(conditions(h, declared), fixed):
            continue
        open_ = {name: values for name, values in h.under.items() if name not in fixed}
        left.append(
            replace(
                h,
                default=defaults.get(h.name, h.default),
                search=candidates.get(h.name, h.search),
                under=open_,
            )
        )
    return tuple(left)


def conflict(values: Mapping[str, Value]) -> str:
    """Why a combination cannot be, and what to change; empty if it can.

    Args:
        values: all factors that have a meaning.
    """
    if values.get("discriminator_norm") == "spectral" and values.get("penalty") == "clipping":
        return (
            "penalty clipping limits weights that discriminator_norm spectral scales anyway; "
            "choose one of them"
        )
    if values.get("generator_norm") == "conditional" and values.get("condition") == "none":
        return (
            "generator_norm conditional has a scale for each class, and condition is none; choose "
            "another of the two"
        )
    if values.get("architecture") == "mlp":
        for name in ("attention", "minibatch_stddev"):
            if values.get(name, "none") != "none":
                return f"{name} {values[name]} wants feature maps, and architecture mlp has none"
    if values.get("parametrisation") == "mup" and values.get("optimizer") == "sgd":
        return "parametrisation mup has rates for Adam and RMSProp, not for sgd; choose another"
    if values.get("parametrisation") == "mup" and values.get("attention") == "self":
        return "parametrisation mup knows no rule for attention self; choose another of the two"
    if values.get("condition") == "branches" and values.get("architecture") != "igan_v2":
        return (
            f"condition branches belongs to architecture igan_v2, not to {values['architecture']}; "
            "choose another of the two"
        )
    if 0.0 < float(values.get("balance", 0.0)) <= 0.5:
        return (
            f"balance {values['balance']} is an accuracy that guessing reaches; choose one above "
            "0.5, such as 0.9, or 0 for none"
        )
    if values.get("minibatch_stddev") == "groups" and int(values["batch_size"]) % 4:
        return (
            f"minibatch_stddev goes by groups of four images, and batch_size is "
            f"{values['batch_size']}; choose a multiple of 4"
        )
    return ""


def doubt(values: Mapping[str, Value]) -> str:
    """Why a combination is inadvisable; empty if nothing is known against it.

    Args:
        values: all factors that have a meaning.
    """
    loss, penalty = values.get("loss"), values.get("penalty")
    norm = values.get("discriminator_norm", "none")
    if penalty in _BESIDE_IMAGES and norm == "batch":
        return (
            f"penalty {penalty} wants the gradient of each image, and discriminator_norm batch "
            "ties the images of a batch together"
        )
    if penalty == "clipping" and loss != "wasserstein":
        return f"penalty clipping belongs to loss wasserstein, not to {loss}"
    tame = penalty in (*GRADIENT_PENALTIES, "clipping") or norm == "spectral"
    if loss in ("wasserstein", "hinge") and not tame:
        return (
            f"loss {loss} wants a tame discriminator: a penalty on gradients, or "
            "discriminator_norm spectral (architecture r3gan has none)"
        )
    if penalty == "l2" and float(values["penalty_weight"]) > _MUCH_L2:
        return f"penalty l2 with penalty_weight {values['penalty_weight']}: 0.001 to 0.01 is usual"
    if values.get("condition") == "projection" and norm != "spectral":
        return "condition projection does poorly without discriminator_norm spectral"
    return ""
