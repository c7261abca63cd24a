"""Compare AutoGAN's EfficientNet-Lite0 with the original and with Inception.

    python scripts/studies/efficientnet.py same FOLDER --torch PYTHON   # logits of 500 photographs
    python scripts/studies/efficientnet.py speed                        # images per second

PYTHON is the interpreter of an environment with torch, numpy and efficientnet-lite-pytorch 0.1.0.
The original gets the same images as this network: resized to 224 pixels, (x - 127) / 128.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from autogan.criteria.networks.efficientnet import EfficientNet
from autogan.criteria.networks.weights import efficientnet_weights
from autogan.data import dataset_named

_COUNT = 500
_ORIGINAL = """
import sys
import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

images, weights, output = sys.argv[1:]
model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
with torch.no_grad():
    rows = [model(torch.tensor(x[None].transpose(0, 3, 1, 2))).numpy() for x in np.load(images)]
np.save(output, np.concatenate(rows))
"""


def same(folder: str, python: str) -> None:
    """Print how far the logits of photographs differ from the original's."""
    images, _ = dataset_named(f"folder:{folder}", None).load(None).train.subset(_COUNT)
    network = EfficientNet(efficientnet_weights())
    mine = network.features(images).logits
    resized = tf.image.resize(images, [224, 224], "bicubic", antialias=True)
    with tempfile.TemporaryDirectory() as scratch:
        place, weights, output = (Path(scratch, name) for name in ("x.npy", "w.pth", "y.npy"))
        np.save(place, (resized.numpy() - 127.0) / 128.0)
        weights.write_bytes(efficientnet_weights())
        subprocess.run([python, "-c", _ORIGINAL, place, weights, output], check=True)
        theirs = np.load(output)
    assert mine is not None
    firsts = [np.argsort(-logits)[:, :5] for logits in (mine, theirs)]
    equal = np.all(firsts[0] == firsts[1], axis=1).sum()
    print(f"{len(images)} images: logits differ by {np.abs(mine - theirs).max():.1e} at most;")
    print(f"the same first five classes in {equal} of them")


def speed() -> None:
    """Print images per second of both networks, in turn; Inception has random weights."""
    images = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3)).astype(np.uint8)
    network = EfficientNet(efficientnet_weights())
    whole = keras.applications.InceptionV3(weights=None)
    inception = keras.Model(whole.input, [whole.output, whole.layers[-2].output])

    @tf.function(autograph=False)
    def run(batch: tf.Tensor) -> tf.Tensor:
        x = tf.raw_ops.ResizeBilinear(images=tf.cast(batch, tf.float32), size=[299, 299])
        return inception(x / 127.5 - 1.0, training=False)

    def other() -> None:
        for first in range(0, len(images), 50):
            run(tf.constant(images[first : first + 50]))

    def timed(call: Callable[[], object]) -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    def own() -> None:
        network.features(images)

    own(), other()  # compile both
    for _ in range(3):
        first, second = timed(own), timed(other)
        print(
            f"efficientnet {len(images) / first:.0f} images per second, inception "
            f"{len(images) / second:.1f}: {second / first:.1f} times"
        )


def main() -> None:
    """Run the chosen part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", required=True)
    proof = parts.add_parser("same")
    proof.add_argument("folder")
    proof.add_argument("--torch", required=True)
    parts.add_parser("speed")
    given = parser.parse_args()
    if given.part == "same":
        same(given.folder, given.torch)
    else:
        speed()


if __name__ == "__main__":
    main()
