"""The factors of a GAN: all hyperparameters, with their defaults and default search spaces.

`autogan.models.types.gan.GAN` offers all of them; other types fix some. The defaults here are those
of the plain game, without a penalty, averages or a norm in the discriminator. The type `gan` has
its own defaults (`autogan.models.types.gan`), including R1.
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
_PLAIN = ("auto", "infogan", "strided", "sndcgan")  # with a choice of upsampling
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
        "images per batch of each network",
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
        "GAN's, only dense layers); auto is infogan below 32 pixels, else strided",
        choices=(
            "auto", "infogan", "strided", "sndcgan", "resnet", "resnet5", "r3gan", "igan",
            "igan_v2", "mlp",
        ),
        shape=True,
    ),
    Hyperparameter(
        "upsampling", "choice", "transposed",
        "how generators of plain convolutions double an image: by transposed convolutions, by "
        "repeating pixels before a convolution (nearest), or by four times the filters, arranged "
        "as pixels (pixel_shuffle)",
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
        "transposed convolutions of strided's generator, and convolutions of its discriminator; "
        "0 takes as many as needed to begin at 4 pixels or fewer",
        low=0, high=8, shape=True, under={"architecture": ("strided",)},
    ),
    Hyperparameter(
        "parametrisation", "choice", "standard",
        "initial weights and learning rates of the layers: the same rate for all (standard), or "
        "rates that stay right when width and dense_width change (mup)",
        choices=("standard", "mup"), shape=True,
    ),
)  # fmt: skip

_GAME = (
    Hyperparameter(
        "loss", "choice", "non_saturating",
        "the function that the networks minimise",
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
        "term added to the discriminator's loss: a function of its gradient between real and "
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
        "apply the penalty only at every n-th discriminator update, n times as heavy",
        low=1, high=64, shape=True, under={"penalty": GRADIENT_PENALTIES},
    ),
    Hyperparameter(
        "clip", "scale", 0.01,
        "limit of the critic's weights, biases and normalisation parameters",
        low=1e-4, high=10.0, search=(0.01, 0.03, 0.1), under={"penalty": ("clipping",)},
    ),
    Hyperparameter(
        "generator_norm", "choice", "batch",
        "normalisation in the generator: over the batch, the same with a scale and a shift for "
        "each class or attribute (conditional), or none",
        choices=("batch", "none", "conditional"), shape=True,
        under={"architecture": _NORMALISED},
    ),
    Hyperparameter(
        "condition", "choice", "none",
        "how the networks learn classes or attributes: not at all (none); both take them (input); "
        "the discriminator predicts them (auxiliary), or takes them at its last layer "
        "(projection); or each class has its own branch of igan_v2's generator and its own "
        "discriminator (branches)",
        choices=("none", "input", "auxiliary", "projection", "branches"), shape=True,
    ),
    Hyperparameter(
        "class_weight", "scale", 1.0,
        "weight of the discriminator's error in predicting classes of real and generated images",
        low=1e-4, high=1e4, search=(0.5, 1.0, 2.0), under={"condition": ("auxiliary",)},
    ),
    Hyperparameter(
        "generator_class_weight", "scale", 1.0,
        "weight of the same error in the generator's loss",
        low=1e-4, high=1e4, search=(0.1, 1.0), under={"condition": ("auxiliary",)},
    ),
    Hyperparameter(
        "attention", "choice", "none",
        "a self-attention block in both networks, on their largest feature maps of at most 32 "
        "pixels",
        choices=("none", "self"), shape=True,
    ),
    Hyperparameter(
        "minibatch_stddev", "choice", "none",
        "show the discriminator how much the images of a batch differ, in groups of four",
        choices=("none", "groups"), shape=True,
    ),
)  # fmt: skip

_STABILISERS = (
    Hyperparameter(
        "balance", "share", 0.0,
        "skip a network's updates while it is too far ahead: the discriminator's while its "
        "accuracy on real and generated images is above this, the generator's while it is below 1 "
        "minus this; 0 skips none",
        low=0.0, high=1.0, switch=True, under={"loss": _WITH_A_SIGN},
    ),
    Hyperparameter(
        "ema", "share", 0.0,
        "decay of a running mean of the generator's weights, which then makes the images; 0 uses "
        "the weights themselves",
        low=0.0, high=0.99999, switch=True,
    ),
    Hyperparameter(
        "statistics", "choice", "moving",
        "batch statistics for making images: a running mean from training (moving), or measured "
        "over 16 batches whenever images are needed",
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
        "probability of each augmentation; with augment_target, its maximum",
        low=0.0, high=1.0, under={"augment": _POLICIES},
    ),
    Hyperparameter(
        "augment_target", "share", 0.0,
        "adapt the probability so that the mean sign of the discriminator's logits on real images "
        "is this (0.6 in ADA); 0 keeps the probability",
        low=0.0, high=1.0, switch=True, under={"augment": _POLICIES, "loss": _WITH_A_SIGN},
    ),
    Hyperparameter(
        "label_smoothing", "share", 0.0,
        "the most by which the discriminator's targets move from 1 and 0, at random",
        low=0.0, high=0.5, switch=True, under={"loss": _WITH_TARGETS},
    ),
    Hyperparameter(
        "input_noise", "share", 0.0,
        "deviation of noise on all images that the discriminator sees; falls to 0 over a training",
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
        "the learning rate at the end of the training as a share of that at the beginning; with "
        "inverse, its limit",
        low=0.0, high=1.0, under={"schedule": _ENDING},
    ),
    Hyperparameter(
        "schedule_power", "scale", 2.0,
        "exponent of the remaining share of the training",
        low=0.1, high=10.0, under={"schedule": ("polynomial",)},
    ),
    Hyperparameter(
        "schedule_speed", "scale", 1 / 300,
        "k in 1 / (1 + k step)",
        low=1e-6, high=1.0, under={"schedule": ("inverse",)},
    ),
    Hyperparameter(
        "schedule_drops", "count", 3,
        "drops of the learning rate, which divide the training into equal parts",
        low=1, high=100, under={"schedule": ("step",)},
    ),
    Hyperparameter(
        "schedule_factor", "share", 0.5,
        "factor of the learning rate at each drop",
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
    """The hyperparameters that remain if some are fixed, with other defaults and candidates.

    Those that do not apply under the fixed values are left out too.
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
    """Why a combination is invalid, and what to change; empty if it is valid.

    Args:
        values: all factors that apply.
    """
    if values.get("discriminator_norm") == "spectral" and values.get("penalty") == "clipping":
        return (
            "penalty clipping limits weights that discriminator_norm spectral scales anyway; "
            "choose one of them"
        )
    if values.get("generator_norm") == "conditional" and values.get("condition") == "none":
        return (
            "generator_norm conditional has a scale for each class, but condition is none; change "
            "one of them"
        )
    if values.get("architecture") == "mlp":
        for name in ("attention", "minibatch_stddev"):
            if values.get(name, "none") != "none":
                return f"{name} {values[name]} needs feature maps; architecture mlp has none"
    if values.get("parametrisation") == "mup" and values.get("optimizer") == "sgd":
        return "parametrisation mup has rates for adam and rmsprop, not for sgd; change one of them"
    if values.get("parametrisation") == "mup" and values.get("attention") == "self":
        return "parametrisation mup has no rule for attention self; change one of them"
    if values.get("condition") == "branches" and values.get("architecture") != "igan_v2":
        return (
            f"condition branches needs architecture igan_v2, not {values['architecture']}; change "
            "one of them"
        )
    if 0.0 < float(values.get("balance", 0.0)) <= 0.5:
        return (
            f"guessing reaches the accuracy of balance {values['balance']}; choose a balance above "
            "0.5, such as 0.9, or 0 for none"
        )
    if values.get("minibatch_stddev") == "groups" and int(values["batch_size"]) % 4:
        return (
            f"minibatch_stddev uses groups of four images, but batch_size is "
            f"{values['batch_size']}; choose a multiple of 4"
        )
    return ""


def doubt(values: Mapping[str, Value]) -> str:
    """Why a combination is inadvisable; empty if nothing is known against it.

    Args:
        values: all factors that apply.
    """
    loss, penalty = values.get("loss"), values.get("penalty")
    norm = values.get("discriminator_norm", "none")
    if penalty in _BESIDE_IMAGES and norm == "batch":
        return (
            f"penalty {penalty} needs the gradient of each image, but discriminator_norm batch "
            "mixes the images of a batch"
        )
    if penalty == "clipping" and loss != "wasserstein":
        return f"penalty clipping belongs to loss wasserstein, not to {loss}"
    tame = penalty in (*GRADIENT_PENALTIES, "clipping") or norm == "spectral"
    if loss in ("wasserstein", "hinge") and not tame:
        return (
            f"loss {loss} needs a discriminator of bounded slope: use a penalty on gradients, or "
            "discriminator_norm spectral (architecture r3gan has none)"
        )
    if penalty == "l2" and float(values["penalty_weight"]) > _MUCH_L2:
        return f"penalty l2 with penalty_weight {values['penalty_weight']}: 0.001 to 0.01 is usual"
    if values.get("condition") == "projection" and norm != "spectral":
        return "condition projection works poorly without discriminator_norm spectral"
    return ""
