"""Random numbers: those of TensorFlow's kernels, whoever compiles the functions that draw them."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import autogan.models
from autogan.models import draws

STREAMS = {
    f"{name}.{field}" if isinstance(value, tuple) else name: number
    for name, value in vars(draws).items()
    if name.isupper() and not name.startswith("_")
    for field, number in (
        value._asdict().items() if isinstance(value, tuple) else [("", value)]
    )
}  # fmt: skip
SEEDS = {  # of draws: of every stream, and those that leave nothing of 128 bits out
    **{name: [3, 4 * 61 + stream] for name, stream in STREAMS.items()},
    "a seed of 63 bits": [2**63 - 1, 1],
    "its lower half": [2**32 - 1, 1],
    "negative": [-5, -(2**40)],
}
# Sine, cosine and logarithm of float32 are right to two units of 2^-23, whoever computes them; what
# they are multiplied with is at most sqrt(-2 log 1e-7) = 5.7. An angle's own rounding is 2^-22.
LARGEST = 5.7
KERNELS_ERROR, EXACT_ERROR = LARGEST * 2**-22, LARGEST * 2**-21


def drawn(seed):
    """All kinds of numbers, and odd counts of them."""
    return {
        "uniform": draws.uniform([3, 5, 1], seed),
        "normal": draws.normal([7, 3], seed),
        "no normal's pair": draws.normal([], seed),
        "integers": draws.integers([9], seed, -3, 11),
        "split": tf.stack(draws.split(seed, 5)),
        "folded": draws.folded(seed, 3),
    }


def by_the_kernels(seed):
    random = tf.random
    return {
        "uniform": random.stateless_uniform([3, 5, 1], seed),
        "normal": random.stateless_normal([7, 3], seed),
        "no normal's pair": random.stateless_normal([], seed),
        "integers": random.stateless_uniform([9], seed, -3, 11, tf.int32),
        "split": random.stateless_uniform([5, 2], seed, None, None, tf.int64),
        "folded": tf.cast(random.experimental.stateless_fold_in(seed, 3), tf.int64),
    }


COMPILERS = {
    "eager": drawn,
    "graph": tf.function(drawn),
    "xla": tf.function(drawn, jit_compile=True),
}


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", SEEDS)
def test_numbers_are_the_kernels_under_every_compiler(name, compiler):
    seed = tf.constant(SEEDS[name], tf.int64)
    expected, found = by_the_kernels(seed), COMPILERS[compiler](seed)
    for kind, numbers in expected.items():
        assert found[kind].dtype == numbers.dtype, kind
        error = KERNELS_ERROR if "normal" in kind else 0
        np.testing.assert_allclose(found[kind], numbers, rtol=0, atol=error, err_msg=kind)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_all_streams_have_numbers_of_their_own(compiler):
    assert len(STREAMS) == len(set(STREAMS.values())) > 20
    first = {
        name: COMPILERS[compiler](tf.constant(seed, tf.int64))["uniform"].numpy().tobytes()
        for name, seed in SEEDS.items()
    }
    assert len(set(first.values())) == len(SEEDS)


def test_normals_are_box_and_mullers():
    """In float64: sin and cos of one number, times what the logarithm of another says."""
    seed = tf.constant([1, 2], tf.int64)
    u, v = draws.uniform([5000, 2], seed).numpy().astype("float64").T
    radius = np.sqrt(-2 * np.log(np.maximum(u, 1e-7)))
    expected = np.stack([np.sin(2 * np.pi * v), np.cos(2 * np.pi * v)], 1) * radius[:, None]
    normal = draws.normal([9999], seed).numpy()
    np.testing.assert_allclose(normal, expected.reshape(-1)[:9999], rtol=0, atol=EXACT_ERROR)


RANDOM = re.compile(
    r"tf\.random|tf\.image\.\w*random|keras\.random|raw_ops\.\w*Random\w*|tf\.nn\.\w*\.?\w*dropout"
    r"|layers\.(?!Seeded)\w*Dropout|GaussianNoise|\bRandom[A-Z]\w+\("
    r"|np\.random\.(?!SeedSequence)|SeedGenerator"
)
ELSEWHERE = {  # what has no part in a compiled step
    "batches.py": ["raw_ops.RandomIndexShuffle"],  # integers, and eager
    "parts.py": ["RandomNormal("],  # initializers: eager
    "layers.py": ["RandomNormal("] * 2,
}


def test_nothing_else_draws():
    """What draws in another way than `autogan.models.draws` is different under XLA."""
    found = {}
    for file in Path(next(iter(autogan.models.__path__))).rglob("*.py"):
        calls = [match.group() for match in RANDOM.finditer(file.read_text())]
        if calls and file.name != "draws.py":
            found[file.name] = calls
    assert found == ELSEWHERE


@pytest.mark.parametrize(
    "line",
    [
        "x = tf.random.stateless_uniform([2], seed)", "tf.random.normal([2])",
        "tf.nn.dropout(x, 0.5)", "tf.nn.experimental.stateless_dropout(x, 0.5, seed)",
        "layers.Dropout(0.3)(x)", "layers.GaussianNoise(1.0)(x)", "keras.random.normal([2])",
        "layers.RandomFlip()(x)", "tf.raw_ops.StatelessRandomNormalV2(shape=[2])",
        "tf.image.stateless_random_crop(x, s, seed)", "np.random.default_rng(0)",
    ],
)  # fmt: skip
def test_other_ways_to_draw_are_known(line):
    assert RANDOM.search(line)
